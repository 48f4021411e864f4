//===- ImportOnnx.cpp - From a model file to a module ---------------------===//
//
// The two ends of an import: the function's signature and its results. The
// walk in between is Importer.cpp.
//
// before: a file  =>  after: module { func.func @main(tensors) -> tensors }
//
//===----------------------------------------------------------------------===//
#include "Importer.h"
#include "nestor/Dialect/Model/Model.h"

#include "mlir/IR/Diagnostics.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

static constexpr int64_t kOldestOpset = 6, kNewestOpset = 26;

void nestor::loadImportDialects(MLIRContext &context) {
  context.loadDialect<arith::ArithDialect, cf::ControlFlowDialect,
                      func::FuncDialect, linalg::LinalgDialect,
                      math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
                      tensor::TensorDialect, model::ModelDialect>();
}

Importer::Importer(const Model &model, const ImportOptions &options,
                   MLIRContext &context, ConstantPool &pool)
    : model(model), options(options), context(context), pool(pool) {}

llvm::Error Importer::takeBuilderError() {
  return makeError(t->errorKind.value_or(ErrorKind::Internal), t->errorText);
}

llvm::Error Importer::checkOpsets() {
  if (model.opsets.empty())
    return makeError(ErrorKind::Malformed,
                     "the model says no opset version (opset_import is empty)");
  llvm::StringSet<> seen;
  for (const Opset &opset : model.opsets) {
    bool isDefault = opset.domain.empty() || opset.domain == "ai.onnx";
    if (!seen.insert(isDefault ? "" : opset.domain).second)
      return makeError(ErrorKind::Malformed,
                       "the model imports two opsets of one domain");
    if (opset.version < 1)
      return makeError(ErrorKind::Malformed, "opset version " +
                                                 llvm::Twine(opset.version) +
                                                 " does not exist");
    if (isDefault && opset.version < kOldestOpset)
      return makeError(ErrorKind::Unsupported,
                       "opset " + llvm::Twine(opset.version) +
                           " is too old; convert the model to opset " +
                           llvm::Twine(kOldestOpset) +
                           " or later (onnx.version_converter)");
    if (isDefault && opset.version > kNewestOpset)
      return makeError(ErrorKind::Unsupported,
                       "opset " + llvm::Twine(opset.version) +
                           " is newer than " + llvm::Twine(kNewestOpset) +
                           ", the newest that is known; export the model "
                           "with an older opset");
  }
  return llvm::Error::success();
}

static std::string printable(llvm::StringRef name) {
  return ("'" + name.take_front(120) + "'").str();
}

llvm::Error Importer::collectArguments(std::vector<Argument> &arguments) {
  llvm::StringSet<> initializers;
  for (const Tensor &tensor : model.graph.initializers)
    if (!initializers.insert(tensor.name).second)
      return makeError(ErrorKind::Malformed,
                       "two initializers are named " + printable(tensor.name));
  llvm::StringSet<> seen;
  for (const ValueInfo &input : model.graph.inputs) {
    if (input.name.empty())
      return makeError(ErrorKind::Malformed, "an input has no name");
    if (!seen.insert(input.name).second)
      return makeError(ErrorKind::Malformed,
                       "two inputs are named " + printable(input.name));
    if (initializers.contains(input.name) || options.known.contains(input.name))
      continue;
    std::string what = "input " + printable(input.name);
    const TypeInfo &type = input.type;
    if (type.kind != TypeInfo::TensorType)
      return makeError(type.kind == TypeInfo::None ? ErrorKind::Malformed
                                                   : ErrorKind::Unsupported,
                       what + " is not a tensor");
    if (!storageType(&context, type.element))
      return makeError(type.element == DataType::Undefined ||
                               dataTypeName(type.element) == "unknown"
                           ? ErrorKind::Malformed
                           : ErrorKind::Unsupported,
                       what + " has the element type " +
                           dataTypeName(type.element));
    if (!type.hasShape)
      return makeError(ErrorKind::Unsupported,
                       what + " has no shape: its rank must be known");
    Argument argument{&input, {}, {}};
    auto shape = options.shapes.find(input.name);
    bool given = shape != options.shapes.end();
    if (given && shape->second.size() != type.dims.size())
      return makeError(ErrorKind::Usage, what + " has rank " +
                                             llvm::Twine(type.dims.size()) +
                                             ", the shape given has " +
                                             llvm::Twine(shape->second.size()));
    for (auto [i, dim] : llvm::enumerate(type.dims)) {
      int64_t size = dim.value.value_or(ShapedType::kDynamic);
      if (size < 0)
        size = ShapedType::kDynamic;
      std::string name = dim.param.str();
      auto symbol = options.symbols.find(name);
      if (!name.empty() && symbol != options.symbols.end())
        size = symbol->second;
      // '?' is how some exporters write a dim without a name.
      if (name.empty() || name == "?")
        name = input.name.str() + "_d" + std::to_string(i);
      if (given && shape->second[i] >= 0) {
        if (size >= 0 && size != shape->second[i])
          return makeError(ErrorKind::Usage, what + ": dim " + llvm::Twine(i) +
                                                 " is " + llvm::Twine(size) +
                                                 ", not " +
                                                 llvm::Twine(shape->second[i]));
        size = shape->second[i];
      }
      argument.shape.push_back(size);
      argument.names.push_back(name);
    }
    // A product that overflows would wrap in every size below.
    SmallVector<int64_t> fixed;
    for (int64_t size : argument.shape)
      fixed.push_back(size < 0 ? 1 : size);
    if (auto count = elementCount(fixed); !count)
      return makeError(ErrorKind::Malformed,
                       what + ": " + takeError(count.takeError()).second);
    arguments.push_back(std::move(argument));
  }
  return llvm::Error::success();
}

void Importer::bindArguments(llvm::ArrayRef<Argument> arguments,
                             NameScope &top) {
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    Value value = function.getArgument(i);
    Array array;
    array.type = argument.info->type.element;
    array.value = value;
    SmallVector<mlir::Attribute> names;
    for (auto [k, size] : llvm::enumerate(argument.shape)) {
      if (size >= 0) {
        array.dims.push_back(t->dims.constant(size));
        names.push_back(builder->getI64IntegerAttr(size));
        continue;
      }
      names.push_back(builder->getStringAttr(argument.names[k]));
      Dim &symbol = symbols[argument.names[k]];
      if (!symbol) {
        Value dim = tensor::DimOp::create(*builder, t->loc, value,
                                          t->dims.toValue(t->dims.constant(k)));
        t->dims.setNonNegative(dim);
        symbol = dim;
      }
      array.dims.push_back(symbol);
    }
    function.setArgAttr(i, "model.name",
                        builder->getStringAttr(argument.info->name));
    function.setArgAttr(
        i, "model.dtype",
        builder->getStringAttr(dataTypeName(argument.info->type.element)));
    function.setArgAttr(i, "model.dims", builder->getArrayAttr(names));
    top.names[argument.info->name].array = array;
  }
}

llvm::Error Importer::finish(NameScope &top) {
  if (!unsupported.empty()) {
    constexpr size_t kShown = 50;
    std::string text = std::to_string(unsupported.size()) +
                       (unsupported.size() == 1 ? " node is" : " nodes are") +
                       " not supported:";
    for (size_t i = 0; i < std::min(kShown, unsupported.size()); ++i)
      text += "\n  " + unsupported[i];
    if (unsupported.size() > kShown)
      text += "\n  ...";
    return makeError(ErrorKind::Unsupported, text);
  }
  SmallVector<Value> results;
  SmallVector<mlir::Type> types;
  SmallVector<DictionaryAttr> attributes;
  for (const ValueInfo &output : model.graph.outputs) {
    Binding *binding = lookup(output.name);
    if (!binding)
      return makeError(ErrorKind::Malformed,
                       "output " + printable(output.name) + " is never made");
    if (t->failed())
      return takeBuilderError();
    if (!binding->array)
      return makeError(ErrorKind::Malformed,
                       "output " + printable(output.name) + " is empty");
    Array &array = binding->array;
    Value value = t->value(array);
    results.push_back(value);
    types.push_back(value.getType());
    SmallVector<mlir::Attribute> names;
    for (auto [k, dim] : llvm::enumerate(array.dims)) {
      if (auto n = DimMath::value(dim)) {
        names.push_back(builder->getI64IntegerAttr(*n));
        continue;
      }
      std::string name = output.name.str() + "_d" + std::to_string(k);
      for (auto &symbol : symbols)
        if (symbol.second == dim)
          name = symbol.first().str();
      names.push_back(builder->getStringAttr(name));
    }
    attributes.push_back(builder->getDictionaryAttr(
        {builder->getNamedAttr("model.name",
                               builder->getStringAttr(output.name)),
         builder->getNamedAttr(
             "model.dtype", builder->getStringAttr(dataTypeName(array.type))),
         builder->getNamedAttr("model.dims", builder->getArrayAttr(names))}));
  }
  func::ReturnOp::create(*builder, builder->getUnknownLoc(), results);
  function.setFunctionType(
      builder->getFunctionType(function.getArgumentTypes(), types));
  function.setAllResultAttrs(attributes);
  return llvm::Error::success();
}

/// The most imports that guesses about ranks may cost.
static constexpr unsigned kMaxAttempts = 16;

// An If whose branches make tensors of different ranks cannot be compiled as it
// stands. One branch is guessed (and checked at run time); when the rest of the
// graph does not take it, the last guess is turned and the import starts anew.
llvm::Expected<OwningOpRef<ModuleOp>> Importer::run() {
  loadImportDialects(context);
  std::optional<std::pair<ErrorKind, std::string>> first;
  for (unsigned i = 0; i < kMaxAttempts; ++i) {
    guessed = 0;
    auto module = attempt();
    if (module)
      return module;
    auto error = takeError(module.takeError());
    if (!first)
      first = error;
    if (error.first != ErrorKind::Malformed &&
        error.first != ErrorKind::Unsupported)
      break;
    while (!guesses.empty() && guesses.back())
      guesses.pop_back();
    if (guesses.empty())
      break;
    guesses.back() = true;
  }
  return makeError(first->first, first->second);
}

llvm::Expected<OwningOpRef<ModuleOp>> Importer::attempt() {
  t.reset();
  symbols.clear();
  functions.clear();
  unsupported.clear();
  nodesImported = 0;
  if (llvm::Error error = checkOpsets())
    return error;
  if (model.graph.hasSparseInitializers)
    return makeError(ErrorKind::Unsupported,
                     "sparse initializers are not supported");
  if (model.graph.outputs.empty())
    return makeError(ErrorKind::Malformed, "the graph has no outputs");
  std::vector<Argument> arguments;
  if (llvm::Error error = collectArguments(arguments))
    return error;
  for (const Function &local : model.functions) {
    std::string key =
        (local.domain + ":" + local.name + ":" + local.overload).str();
    if (!functions.try_emplace(key, &local).second)
      return makeError(ErrorKind::Malformed,
                       "two functions are named " + printable(local.name));
  }

  builder = std::make_unique<OpBuilder>(&context);
  Location unknown = builder->getUnknownLoc();
  OwningOpRef<ModuleOp> module(ModuleOp::create(unknown));
  builder->setInsertionPointToEnd(module->getBody());
  SmallVector<mlir::Type> types;
  for (const Argument &argument : arguments)
    types.push_back(RankedTensorType::get(
        argument.shape, storageType(&context, argument.info->type.element)));
  function = func::FuncOp::create(*builder, unknown, "main",
                                  builder->getFunctionType(types, {}));
  Block *entry = function.addEntryBlock();
  builder->setInsertionPointToEnd(entry);
  t = std::make_unique<TensorBuilder>(*builder, entry, pool);
  t->externals = model.externals.get();
  // Discarded loops use values of the module, so they go first.
  llvm::scope_exit release([&] { t->release(); });

  Frame frame;
  frame.opsets = &model.opsets;
  NameScope top;
  top.frame = &frame;
  scope = &top;
  bindArguments(arguments, top);
  for (const Tensor &tensor : model.graph.initializers)
    if (!options.known.contains(tensor.name))
      top.names[tensor.name].pending = &tensor;
  for (auto &known : options.known) {
    TensorData data{known.second.bytes, nullptr};
    top.names[known.first()].array =
        t->constant(data, known.second.dims, known.second.type);
  }
  SmallVector<llvm::StringRef> outputs;
  for (const ValueInfo &output : model.graph.outputs)
    outputs.push_back(output.name);
  if (t->failed() || !importNodes(model.graph.nodes, outputs))
    return takeBuilderError();
  if (llvm::Error error = finish(top))
    return error;

  std::string diagnostics;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostics.size() < 2000) {
      llvm::raw_string_ostream os(diagnostics);
      os << (diagnostics.empty() ? "" : "\n") << diagnostic.getLocation()
         << ": " << diagnostic;
    }
    return success();
  });
  if (mlir::failed(mlir::verify(*module)))
    return makeError(ErrorKind::Internal,
                     "the imported program does not verify: " + diagnostics);
  return module;
}

/// The error with whatever a hostile file put into it made printable.
static llvm::Error printableError(llvm::Error error) {
  auto [kind, text] = takeError(std::move(error));
  std::string clean;
  for (char c : text)
    if (c == '\n' || (c >= ' ' && c < 0x7f))
      clean += c;
    else
      clean += "\\x" + llvm::toHex(llvm::StringRef(&c, 1), /*LowerCase=*/true);
  return makeError(kind, clean);
}

static llvm::Expected<OwningOpRef<ModuleOp>>
runImport(llvm::Expected<Model> model, const ImportOptions &options,
          MLIRContext &context, ConstantPool &pool) {
  if (!model)
    return printableError(model.takeError());
  if (model->file)
    pool.keepMapped(model->file, model->file->bytes());
  auto module = Importer(*model, options, context, pool).run();
  if (!module)
    return printableError(module.takeError());
  return module;
}

llvm::Expected<OwningOpRef<ModuleOp>>
nestor::importOnnx(llvm::StringRef path, const ImportOptions &options,
                   MLIRContext &context, ConstantPool &pool) {
  return runImport(readModel(path), options, context, pool);
}

llvm::Expected<OwningOpRef<ModuleOp>>
nestor::importOnnx(llvm::ArrayRef<uint8_t> bytes, llvm::StringRef directory,
                   const ImportOptions &options, MLIRContext &context,
                   ConstantPool &pool) {
  return runImport(parseModel(bytes, directory), options, context, pool);
}
