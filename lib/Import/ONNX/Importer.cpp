//===- Importer.cpp - Walking an ONNX graph -------------------------------===//
//
// Nodes are imported in file order, which must be topological. Dead nodes are
// skipped. A node that is not supported is noted, its results are poisoned, and
// the walk goes on, so that one run names all of them; anything else that goes
// wrong ends the walk.
//
// Assumes: the structs are as the wire reader leaves them.
// Leaves true: every live name is bound before it is read; at most
// `kNodeBudget` nodes are imported, function bodies included.
//
//===----------------------------------------------------------------------===//
#include "Importer.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// The most nodes that one import expands.
static constexpr uint64_t kNodeBudget = 250'000;

std::string onnx::describe(const Node &node) {
  std::string text = node.op.take_front(80).str();
  if (!node.domain.empty() && node.domain != "ai.onnx")
    text = node.domain.take_front(80).str() + "." + text;
  if (!node.name.empty())
    text += " node '" + node.name.take_front(120).str() + "'";
  else if (!node.outputs.empty())
    text += " node making '" + node.outputs[0].take_front(120).str() + "'";
  return text;
}

static std::string describe(const Array &array) {
  if (!array)
    return "?";
  std::string text = dataTypeName(array.type).str() + "[";
  for (auto [i, dim] : llvm::enumerate(array.dims)) {
    text += i ? "," : "";
    if (auto n = DimMath::value(dim))
      text += std::to_string(*n);
    else
      text += "?";
  }
  return text + "]";
}

bool Importer::guess() {
  if (guessed == guesses.size())
    guesses.push_back(false);
  return guesses[guessed++];
}

Binding *Importer::lookup(llvm::StringRef name) {
  for (NameScope *at = scope; at; at = at->outer) {
    auto it = at->names.find(name);
    if (it == at->names.end())
      continue;
    Binding &binding = it->second;
    if (binding.pending) {
      binding.array = t->constant(*binding.pending);
      if (t->errorKind == ErrorKind::Unsupported) {
        unsupported.push_back("initializer '" + name.take_front(120).str() +
                              "': " + t->errorText);
        t->errorKind.reset();
        binding.poisoned = true;
      }
      binding.pending = nullptr;
    }
    return &binding;
  }
  return nullptr;
}

bool Importer::visible(llvm::StringRef name) const {
  for (NameScope *at = scope; at; at = at->outer)
    if (at->names.contains(name))
      return true;
  return false;
}

std::optional<int64_t> Importer::versionOf(llvm::StringRef domain) const {
  bool isDefault = domain.empty() || domain == "ai.onnx";
  for (const Opset &opset : *scope->frame->opsets)
    if (isDefault ? (opset.domain.empty() || opset.domain == "ai.onnx")
                  : opset.domain == domain)
      return opset.version;
  return std::nullopt;
}

void Importer::reportUnsupported(const Node &node, llvm::ArrayRef<Array> inputs,
                                 llvm::StringRef why) {
  std::string line = describe(node);
  if (auto version = versionOf(node.domain))
    line += " (opset " + std::to_string(*version) + ")";
  line += ", inputs (";
  for (auto [i, input] : llvm::enumerate(inputs))
    line += (i ? ", " : "") + ::describe(input);
  line += "): " + why.str();
  unsupported.push_back(line);
}

/// Every name that the nodes of `graph`, and of graphs inside, read.
static void collectReads(const Graph &graph, llvm::StringSet<> &names) {
  // Depth is bounded by the reader.
  for (const Node &node : graph.nodes) {
    for (llvm::StringRef input : node.inputs)
      names.insert(input);
    for (const NodeAttribute &attribute : node.attributes)
      if (attribute.graph)
        collectReads(*attribute.graph, names);
  }
  for (const ValueInfo &output : graph.outputs)
    names.insert(output.name);
}

bool Importer::checkGraph(llvm::ArrayRef<Node> nodes) {
  llvm::StringSet<> made;
  for (const Node &node : nodes) {
    for (llvm::StringRef input : node.inputs) {
      if (input.empty() || made.contains(input) || visible(input))
        continue;
      bool later = false;
      for (const Node &other : nodes)
        later |= llvm::is_contained(other.outputs, input);
      t->malformed(onnx::describe(node) + " reads '" + input.take_front(120) +
                   (later ? "', which only a later node makes: the nodes are "
                            "not sorted or form a cycle"
                          : "', which nothing makes"));
      return false;
    }
    for (llvm::StringRef output : node.outputs) {
      if (output.empty())
        continue;
      if (!made.insert(output).second || scope->names.contains(output)) {
        t->malformed("two things are named '" + output.take_front(120) +
                     "'; one is made by " + onnx::describe(node));
        return false;
      }
    }
  }
  return true;
}

bool Importer::importNodes(llvm::ArrayRef<Node> nodes,
                           llvm::ArrayRef<llvm::StringRef> outputs) {
  if (!checkGraph(nodes))
    return false;
  llvm::StringSet<> wanted;
  for (llvm::StringRef name : outputs)
    wanted.insert(name);
  std::vector<bool> live(nodes.size());
  for (size_t i = nodes.size(); i-- > 0;) {
    for (llvm::StringRef name : nodes[i].outputs)
      live[i] = live[i] || (!name.empty() && wanted.contains(name));
    if (!live[i])
      continue;
    for (llvm::StringRef name : nodes[i].inputs)
      wanted.insert(name);
    for (const NodeAttribute &attribute : nodes[i].attributes)
      if (attribute.graph)
        collectReads(*attribute.graph, wanted);
  }
  for (size_t i = 0; i < nodes.size(); ++i)
    if (live[i] && !importNode(nodes[i]))
      return false;
  return true;
}

bool Importer::importNode(const Node &node) {
  if (++nodesImported > kNodeBudget) {
    t->fail(ErrorKind::Budget, "the model has more than " +
                                   llvm::Twine(kNodeBudget) +
                                   " nodes (function bodies included)");
    return false;
  }
  Location around = t->loc;
  t->loc = NameLoc::get(builder->getStringAttr(onnx::describe(node)));

  llvm::StringSet<> seen;
  for (const NodeAttribute &attribute : node.attributes)
    if (!seen.insert(attribute.name).second) {
      t->malformed(onnx::describe(node) + ": attribute '" +
                   attribute.name.take_front(120) + "' is given twice");
      return false;
    }
  SmallVector<Array> inputs;
  bool poisoned = false;
  for (llvm::StringRef name : node.inputs) {
    Binding *binding = name.empty() ? nullptr : lookup(name);
    if (t->failed())
      return false;
    poisoned |= binding && binding->poisoned;
    inputs.push_back(binding ? binding->array : Array());
  }
  SmallVector<Array> results(node.outputs.size());
  std::string key = (node.domain + ":" + node.op + ":" + node.overload).str();
  auto local = functions.find(key);
  if (local != functions.end()) {
    if (!poisoned &&
        !callFunction(*local->second, node, inputs, results, poisoned))
      return false;
  } else {
    auto version = versionOf(node.domain);
    if (!version) {
      t->malformed(onnx::describe(node) + ": the model imports no opset of '" +
                   (node.domain.empty() ? "ai.onnx" : node.domain) + "'");
      return false;
    }
    const OpEntry *entry = findOp(node.domain, node.op);
    if (!entry || *version < entry->since) {
      reportUnsupported(node, inputs,
                        entry ? "supported from opset " +
                                    std::to_string(entry->since) + " on"
                              : "this operator is not supported");
      poisoned = true;
    } else if (!poisoned) {
      NodeContext n(*this, *t, node, *version, inputs);
      entry->handler(n, *t);
      if (t->errorKind == ErrorKind::Unsupported) {
        if (!t->errorText.empty())
          reportUnsupported(node, inputs, t->errorText);
        t->errorKind.reset();
        poisoned = true;
      } else if (t->failed()) {
        t->errorText = onnx::describe(node) + ": " + t->errorText;
        return false;
      }
      llvm::copy(n.results(), results.begin());
    }
  }
  for (auto [name, result] : llvm::zip(node.outputs, results)) {
    if (name.empty())
      continue;
    if (!result && !poisoned) {
      // An output that this version of the operator does not make.
      reportUnsupported(node, inputs,
                        "output '" + name.take_front(120).str() +
                            "' is not supported");
      poisoned = true;
    }
    scope->names[name] = {result, nullptr, poisoned};
  }
  t->loc = around;
  return true;
}

bool Importer::callFunction(const Function &callee, const Node &node,
                            SmallVector<Array> inputs,
                            SmallVector<Array> &results, bool &poisoned) {
  unsigned calls = 0;
  for (const Frame *at = scope->frame; at; at = at->caller)
    if (at->function == &callee || ++calls > kMaxDepth) {
      t->malformed(onnx::describe(node) + ": the function calls itself");
      return false;
    }
  if (inputs.size() > callee.inputs.size() ||
      node.outputs.size() > callee.outputs.size()) {
    t->malformed(onnx::describe(node) +
                 ": more arguments than the function has");
    return false;
  }
  Frame frame;
  frame.opsets = &callee.opsets;
  frame.function = &callee;
  frame.caller = scope->frame;
  for (const NodeAttribute &attribute : callee.defaults)
    frame.attributes[attribute.name] = &attribute;
  for (const NodeAttribute &attribute : node.attributes) {
    const NodeAttribute *actual = &attribute;
    if (!attribute.reference.empty()) {
      auto it = scope->frame->attributes.find(attribute.reference);
      if (it == scope->frame->attributes.end())
        continue;
      actual = it->second;
    }
    frame.attributes[attribute.name] = actual;
  }
  NameScope inner;
  inner.frame = &frame;
  for (auto [i, name] : llvm::enumerate(callee.inputs))
    inner.names[name].array = i < inputs.size() ? inputs[i] : Array();
  NameScope *saved = scope;
  scope = &inner;
  bool good = importNodes(callee.nodes, callee.outputs);
  for (size_t i = 0; good && i < results.size(); ++i) {
    Binding *binding = lookup(callee.outputs[i]);
    if (!binding) {
      t->malformed(onnx::describe(node) + ": the function does not make '" +
                   callee.outputs[i].take_front(120) + "'");
      good = false;
      break;
    }
    poisoned |= binding->poisoned;
    results[i] = binding->array;
  }
  scope = saved;
  return good;
}

std::optional<SmallVector<Array>>
Importer::importSubgraph(const Graph &graph, llvm::ArrayRef<Array> arguments,
                         bool &poisoned) {
  if (depth >= kMaxDepth) {
    t->malformed("graphs are nested too deep");
    return std::nullopt;
  }
  if (graph.hasSparseInitializers) {
    t->unsupported("sparse initializers");
    return std::nullopt;
  }
  if (arguments.size() != graph.inputs.size()) {
    t->malformed("a subgraph has " + llvm::Twine(graph.inputs.size()) +
                 " inputs, not " + llvm::Twine(arguments.size()));
    return std::nullopt;
  }
  NameScope inner;
  inner.outer = scope;
  inner.frame = scope->frame;
  for (const Tensor &tensor : graph.initializers)
    inner.names[tensor.name].pending = &tensor;
  for (auto [input, argument] : llvm::zip(graph.inputs, arguments))
    inner.names[input.name].array = argument;
  scope = &inner;
  ++depth;
  Location around = t->loc;
  SmallVector<llvm::StringRef> names;
  for (const ValueInfo &output : graph.outputs)
    names.push_back(output.name);
  std::optional<SmallVector<Array>> results;
  if (importNodes(graph.nodes, names)) {
    results.emplace();
    for (llvm::StringRef name : names) {
      Binding *binding = lookup(name);
      if (!binding) {
        t->malformed("a subgraph does not make its output '" +
                     name.take_front(120) + "'");
        results.reset();
        break;
      }
      poisoned |= binding->poisoned;
      results->push_back(binding->array);
    }
  }
  t->loc = around;
  --depth;
  scope = inner.outer;
  return results;
}
