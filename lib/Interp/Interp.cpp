//===- Interp.cpp - The interpreter's door --------------------------------===//
//
// Moves tensors in and out and runs one function or kernel.
//
//===----------------------------------------------------------------------===//
#include "nestor/Interp/Interp.h"

#include "Code.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;
using llvm::Error;
using llvm::Expected;
using llvm::Twine;

struct Interp::Impl {
  Program program;
};

Interp::Interp(ModuleOp module, const ConstantPool &pool, InterpOptions options)
    : impl(std::make_unique<Impl>()) {
  impl->program.module = module;
  impl->program.pool = &pool;
  impl->program.options = options;
}

Interp::~Interp() = default;

/// A view of a copy of `tensor`'s bytes, or of fresh ones.
static Expected<ViewRef> viewOf(const HostTensor &tensor, Type want,
                                const Twine &what,
                                const InterpOptions &options) {
  auto type = dyn_cast<ShapedType>(want);
  std::optional<Kind> kind = kindOf(tensor.elementType);
  auto text = [&] { return "interp: " + what.str() + " "; };
  if (!kind)
    return makeError(ErrorKind::Unsupported,
                     text() + "has an element type that is unknown here");
  if (type) {
    bool fits = type.getElementType() == tensor.elementType &&
                type.getRank() == static_cast<int64_t>(tensor.dims.size());
    for (auto [have, dim] : llvm::zip(tensor.dims, type.getShape()))
      fits &= ShapedType::isDynamic(dim) || dim == have;
    if (!fits) {
      std::string wanted;
      llvm::raw_string_ostream(wanted) << want;
      return makeError(ErrorKind::Usage, text() + "must be " + wanted +
                                             ", got " + describe(tensor, 0));
    }
  }
  auto view = std::make_shared<View>();
  view->kind = *kind;
  view->dims.assign(tensor.dims.begin(), tensor.dims.end());
  uint64_t bytes = sizeOf(*kind);
  for (int64_t dim : tensor.dims)
    if (dim < 0 || __builtin_mul_overflow(bytes, uint64_t(dim), &bytes))
      return makeError(ErrorKind::Usage,
                       text() + "has impossible dims " + listText(tensor.dims));
  if (bytes > options.maxBufferBytes)
    return makeError(ErrorKind::Budget, text() + "is larger than " +
                                            Twine(options.maxBufferBytes) +
                                            " bytes");
  if (!tensor.isDefined()) {
    view->storage = Storage::fresh(bytes);
    return view;
  }
  if (tensor.bytes.size() != bytes)
    return makeError(ErrorKind::Usage,
                     text() + "has " + Twine(tensor.bytes.size()) +
                         " bytes, its dims need " + Twine(bytes));
  view->storage = Storage::copyOf(tensor.bytes);
  return view;
}

static Expected<HostTensor> tensorOf(const View &view, Type elementType,
                                     const Twine &what) {
  HostTensor tensor;
  tensor.elementType = elementType;
  tensor.dims.assign(view.dims.begin(), view.dims.end());
  if (int64_t n = view.firstUnwritten(); n >= 0)
    return makeError(ErrorKind::Internal,
                     "interp: " + what + ": element " +
                         listText(coordinates(view.dims, n)) +
                         " was never written");
  const uint8_t *data = view.storage->data + view.offset;
  tensor.bytes.assign(data, data + view.numBytes());
  return tensor;
}

static Error runError(State &state) {
  auto [kind, text] = state.error.value_or(
      std::pair(ErrorKind::Internal, std::string("interp: failed")));
  return makeError(kind, text);
}

Expected<std::vector<HostTensor>> Interp::run(StringRef name,
                                              ArrayRef<HostTensor> inputs) {
  Program &program = impl->program;
  Expected<Function *> found = program.get(name);
  if (!found)
    return found.takeError();
  auto func = dyn_cast<FunctionOpInterface>((*found)->op);
  ArrayRef<Type> types = func.getArgumentTypes();
  if (types.size() != inputs.size())
    return makeError(ErrorKind::Usage,
                     "interp: '" + name + "' takes " + Twine(types.size()) +
                         " inputs, got " + Twine(inputs.size()));
  SmallVector<Cell> args, results;
  for (auto [n, input] : llvm::enumerate(inputs)) {
    Cell &cell = args.emplace_back();
    Expected<ViewRef> view =
        viewOf(input, types[n], "input " + Twine(n), program.options);
    if (!view)
      return view.takeError();
    (*view)->readOnly = isa<func::FuncOp>(func.getOperation());
    // A scalar argument is a tensor of one element.
    if (isa<ShapedType>(types[n]))
      cell.view = *view;
    else if (input.getNumElements() == 1 && input.isDefined())
      cell.bits = readElement((*view)->kind, (*view)->element(0));
    else
      return makeError(ErrorKind::Usage,
                       "interp: input " + Twine(n) + " must be one scalar");
  }
  State state(program);
  Inst top;
  top.op = (*found)->op;
  if (!callFunction(state, top, **found, args, results))
    return runError(state);
  std::vector<HostTensor> outputs;
  for (auto [n, cell] : llvm::enumerate(results)) {
    Type type = func.getResultTypes()[n];
    if (isa<ShapedType>(type)) {
      Expected<HostTensor> tensor =
          tensorOf(*cell.view, getElementTypeOrSelf(type),
                   "result " + Twine(n) + " of '" + name + "'");
      if (!tensor)
        return tensor.takeError();
      outputs.push_back(std::move(*tensor));
      continue;
    }
    std::optional<Kind> kind = kindOf(type);
    if (!kind)
      return makeError(ErrorKind::Unsupported,
                       "interp: result " + Twine(n) + " has an unknown type");
    HostTensor &scalar = outputs.emplace_back();
    scalar.elementType = type;
    scalar.bytes.resize(sizeOf(*kind));
    writeElement(*kind, scalar.bytes.data(), cell.bits);
  }
  return outputs;
}

Expected<std::vector<HostTensor>>
Interp::run(ModuleOp module, StringRef function, ArrayRef<HostTensor> inputs,
            const ConstantPool &pool, InterpOptions options) {
  return Interp(module, pool, options).run(function, inputs);
}

Error Interp::runKernel(nest::FuncOp kernel,
                        MutableArrayRef<HostTensor> buffers,
                        ArrayRef<int64_t> sizes, InterpOptions options) {
  std::string name = kernel.getSymName().str();
  if (buffers.size() != kernel.getNumBuffers() ||
      sizes.size() != kernel.getSizes().size())
    return makeError(ErrorKind::Usage,
                     "interp: kernel '" + name + "' takes " +
                         Twine(kernel.getNumBuffers()) + " buffers and " +
                         Twine(kernel.getSizes().size()) + " sizes, got " +
                         Twine(buffers.size()) + " and " + Twine(sizes.size()));
  Program program;
  program.options = options;
  Function function;
  function.name = name;
  function.op = kernel;
  if (Error error = Compiler(program, function).compile())
    return error;
  SmallVector<Cell> args, results;
  for (auto [n, buffer] : llvm::enumerate(buffers)) {
    std::string what = "buffer " + std::to_string(n) + " of '" + name + "'";
    if (std::string why = kernelDimsProblem(kernel, n, buffer.dims, sizes);
        !why.empty())
      return makeError(ErrorKind::Usage, "interp: " + why);
    Expected<ViewRef> view =
        viewOf(buffer, kernel.getArgumentTypes()[n], what, options);
    if (!view)
      return view.takeError();
    if (options.checkRaces)
      (*view)->storage->touches.resize((*view)->numElements());
    args.emplace_back().view = *view;
  }
  for (int64_t size : sizes)
    args.emplace_back().bits = static_cast<uint64_t>(size);
  State state(program);
  Inst top;
  top.op = kernel;
  if (!callFunction(state, top, function, args, results))
    return runError(state);
  if (options.written)
    options.written->clear();
  for (auto [n, buffer] : llvm::enumerate(buffers)) {
    if (options.written) {
      const View &view = *args[n].view;
      std::vector<bool> &written = options.written->emplace_back();
      for (int64_t e = 0, size = view.numElements(); e < size; ++e) {
        written.push_back(view.isWritten(e));
        if (!written.back()) {
          writeElement(view.kind, view.element(e), 0);
          view.markWritten(e);
        }
      }
    }
    Expected<HostTensor> tensor =
        tensorOf(*args[n].view, buffer.elementType,
                 "buffer " + Twine(n) + " of '" + name + "'");
    if (!tensor)
      return tensor.takeError();
    buffer = std::move(*tensor);
  }
  return Error::success();
}
