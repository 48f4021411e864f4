//===- NodeContext.cpp - Inputs, attributes and results of a node ---------===//
//
// See ImportContext.h.
//
//===----------------------------------------------------------------------===//
#include "Importer.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

NodeContext::NodeContext(Importer &importer, TensorBuilder &t, const Node &node,
                         int64_t version, SmallVector<Array> inputs)
    : importer(importer), t(t), node(node), opset(version),
      inputs(std::move(inputs)), outputs(node.outputs.size()) {}

Array NodeContext::input(unsigned i) {
  if (!has(i))
    return t.malformed("input " + llvm::Twine(i) + " is missing");
  return inputs[i];
}

Array NodeContext::realInput(unsigned i) {
  Array array = input(i);
  if (array && !isFloat(array.type))
    return t.malformed("input " + llvm::Twine(i) + " must not be " +
                       dataTypeName(array.type));
  return array;
}

SmallVector<Array> NodeContext::allInputs() {
  for (unsigned i = 0; i < inputs.size(); ++i)
    input(i);
  if (inputs.empty())
    t.malformed("there are no inputs");
  return inputs;
}

const NodeAttribute *NodeContext::attribute(llvm::StringRef name) const {
  for (const NodeAttribute &attribute : node.attributes) {
    if (attribute.name != name)
      continue;
    if (attribute.reference.empty())
      return &attribute;
    auto &bound = importer.currentFrame()->attributes;
    auto it = bound.find(attribute.reference);
    return it == bound.end() ? nullptr : it->second;
  }
  return nullptr;
}

const NodeAttribute *NodeContext::typed(llvm::StringRef name,
                                        AttributeKind kind) {
  const NodeAttribute *found = attribute(name);
  if (found && found->kind != kind) {
    t.malformed("attribute '" + name + "' has the wrong type");
    return nullptr;
  }
  return found;
}

int64_t NodeContext::integer(llvm::StringRef name, int64_t fallback) {
  auto *found = typed(name, AttributeKind::Int);
  return found ? found->i : fallback;
}

int64_t NodeContext::requiredInteger(llvm::StringRef name) {
  auto *found = typed(name, AttributeKind::Int);
  if (!found)
    t.malformed("attribute '" + name + "' is missing");
  return found ? found->i : 0;
}

double NodeContext::real(llvm::StringRef name, double fallback) {
  auto *found = typed(name, AttributeKind::Float);
  return found ? found->f : fallback;
}

llvm::StringRef NodeContext::string(llvm::StringRef name,
                                    llvm::StringRef fallback) {
  auto *found = typed(name, AttributeKind::String);
  return found ? found->s : fallback;
}

std::optional<SmallVector<int64_t>>
NodeContext::integers(llvm::StringRef name) {
  auto *found = typed(name, AttributeKind::Ints);
  if (!found)
    return std::nullopt;
  return SmallVector<int64_t>(found->ints.begin(), found->ints.end());
}

std::optional<SmallVector<float>> NodeContext::reals(llvm::StringRef name) {
  auto *found = typed(name, AttributeKind::Floats);
  if (!found)
    return std::nullopt;
  return SmallVector<float>(found->floats.begin(), found->floats.end());
}

std::optional<SmallVector<llvm::StringRef>>
NodeContext::strings(llvm::StringRef name) {
  auto *found = typed(name, AttributeKind::Strings);
  if (!found)
    return std::nullopt;
  return SmallVector<llvm::StringRef>(found->strings.begin(),
                                      found->strings.end());
}

const Tensor *NodeContext::tensor(llvm::StringRef name) {
  auto *found = typed(name, AttributeKind::Tensor);
  return found ? found->tensor.get() : nullptr;
}

const Graph *NodeContext::graph(llvm::StringRef name) {
  auto *found = typed(name, AttributeKind::Graph);
  if (!found)
    t.malformed("attribute '" + name + "' is missing");
  return found ? found->graph.get() : nullptr;
}

int64_t NodeContext::axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    t.malformed("axis " + llvm::Twine(axis) + " is outside a tensor of rank " +
                llvm::Twine(rank));
    return 0;
  }
  return axis < 0 ? axis + rank : axis;
}

std::optional<SmallVector<int64_t>>
NodeContext::axes(llvm::ArrayRef<int64_t> axes, int64_t rank, bool sort) {
  SmallVector<int64_t> result;
  for (int64_t a : axes) {
    a = axis(a, rank);
    if (t.failed())
      return std::nullopt;
    if (llvm::is_contained(result, a)) {
      t.malformed("axis " + llvm::Twine(a) + " is given twice");
      return std::nullopt;
    }
    result.push_back(a);
  }
  if (sort)
    llvm::sort(result);
  return result;
}

std::optional<SmallVector<int64_t>> NodeContext::axesFrom(unsigned i,
                                                          llvm::StringRef name,
                                                          int64_t rank,
                                                          bool &given) {
  given = false;
  std::optional<SmallVector<int64_t>> list = integers(name);
  if (!list && has(i)) {
    list = t.integers(inputs[i], "the axes");
    if (!list)
      return std::nullopt;
  }
  if (!list || t.failed())
    return std::nullopt;
  given = true;
  return axes(*list, rank);
}

void NodeContext::set(unsigned i, Array array) {
  if (t.failed())
    return;
  if (!array) {
    t.fail(ErrorKind::Internal, "an operator made no result");
    return;
  }
  if (i >= outputs.size())
    return;
  outputs[i] = std::move(array);
}

std::optional<SmallVector<Array>>
NodeContext::importGraph(const Graph &graph, llvm::ArrayRef<Array> arguments) {
  bool poisoned = false;
  auto results = importer.importSubgraph(graph, arguments, poisoned);
  // The unsupported nodes inside have been reported; this one has no results.
  if (poisoned)
    t.fail(ErrorKind::Unsupported, "");
  return t.failed() ? std::nullopt : results;
}

bool NodeContext::guess() { return importer.guess(); }
