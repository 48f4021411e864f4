//===- Passes.cpp - The interpreter in nestor-opt -------------------------===//
//
// test-interpret runs a func.func or nest.func of a module on whole numbers
// drawn from a seed and prints one line a result, for lit tests:
//
//   nestor-opt --test-interpret="function=main dims=2,3 seed=1" x.mlir
//
// `dims` gives the dynamic dims of the arguments in order; `sizes` the sizes of
// a nest.func, whose last `writes` buffers start undefined. The module itself
// is left alone.
//
//===----------------------------------------------------------------------===//
#include "nestor/Interp/Passes.h"

#include "nestor/Interp/Interp.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace nestor;

namespace {
struct TestInterpret : PassWrapper<TestInterpret, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TestInterpret)

  TestInterpret() = default;
  TestInterpret(const TestInterpret &other) : PassWrapper(other) {}

  StringRef getArgument() const override { return "test-interpret"; }
  StringRef getDescription() const override {
    return "Runs a function on seeded inputs and prints its results";
  }

  Option<std::string> function{*this, "function", llvm::cl::desc("what to run"),
                               llvm::cl::init("main")};
  ListOption<int64_t> dims{*this, "dims",
                           llvm::cl::desc("dynamic dims of the arguments")};
  ListOption<int64_t> sizes{*this, "sizes",
                            llvm::cl::desc("sizes of a nest.func")};
  Option<unsigned> writes{*this, "writes",
                          llvm::cl::desc("last buffers that start undefined"),
                          llvm::cl::init(1)};
  Option<uint64_t> seed{*this, "seed", llvm::cl::desc("seed of the inputs"),
                        llvm::cl::init(1)};
  Option<double> low{*this, "low", llvm::cl::desc("lowest input"),
                     llvm::cl::init(-4)};
  Option<double> high{*this, "high", llvm::cl::desc("highest input"),
                      llvm::cl::init(4)};
  Option<bool> iota{*this, "iota",
                    llvm::cl::desc("inputs are 0, 1, 2, ... instead"),
                    llvm::cl::init(false)};
  Option<bool> races{*this, "check-races",
                     llvm::cl::desc("report races of parallel loops"),
                     llvm::cl::init(false)};
  Option<bool> contract{*this, "check-contract",
                        llvm::cl::desc("report spatial iterations of a block "
                                       "that write one element"),
                        llvm::cl::init(false)};

  HostTensor makeInput(Type elementType, ArrayRef<int64_t> shape, size_t n) {
    if (!iota)
      return randomTensor(elementType, shape, seed * 1000 + n, low, high, true);
    HostTensor tensor = HostTensor::undefined(elementType, shape);
    for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
      setElement(tensor, i, static_cast<double>(i));
    return tensor;
  }

  llvm::Error runFunc(func::FuncOp func) {
    std::vector<HostTensor> inputs;
    size_t next = 0;
    for (Type type : func.getArgumentTypes()) {
      SmallVector<int64_t> shape;
      if (auto shaped = dyn_cast<ShapedType>(type))
        shape.assign(shaped.getShape().begin(), shaped.getShape().end());
      for (int64_t &dim : shape)
        if (ShapedType::isDynamic(dim)) {
          if (next == dims.size())
            return makeError(ErrorKind::Usage, "dims= has too few numbers");
          dim = dims[next++];
        }
      inputs.push_back(
          makeInput(getElementTypeOrSelf(type), shape, inputs.size()));
    }
    ConstantPool pool;
    InterpOptions options;
    options.checkRaces = races;
    options.checkContract = contract;
    auto results = Interp::run(getOperation(), function, inputs, pool, options);
    if (!results)
      return results.takeError();
    for (auto [n, result] : llvm::enumerate(*results))
      llvm::outs() << "result " << n << ": " << describe(result) << '\n';
    return llvm::Error::success();
  }

  llvm::Error runNest(nest::FuncOp kernel) {
    std::vector<HostTensor> buffers;
    unsigned count = kernel.getNumBuffers();
    if (sizes.size() != kernel.getSizes().size())
      return makeError(ErrorKind::Usage, "sizes= has the wrong length");
    for (unsigned n = 0; n < count; ++n) {
      SmallVector<int64_t> values;
      if (!kernelDims(kernel, n, ArrayRef<int64_t>(sizes), values))
        return makeError(ErrorKind::Usage, "a shape cannot be computed");
      Type type = getElementTypeOrSelf(kernel.getArgumentTypes()[n]);
      buffers.push_back(n + writes < count
                            ? makeInput(type, values, n)
                            : HostTensor::undefined(type, values));
    }
    InterpOptions options;
    options.checkRaces = races;
    options.checkContract = contract;
    if (llvm::Error error = Interp::runKernel(kernel, buffers, sizes, options))
      return error;
    for (unsigned n = writes < count ? count - writes : 0; n < count; ++n)
      llvm::outs() << "buffer " << n << ": " << describe(buffers[n]) << '\n';
    return llvm::Error::success();
  }

  void runOnOperation() override {
    Operation *op = SymbolTable::lookupSymbolIn(getOperation(), function);
    llvm::Error error = llvm::Error::success();
    llvm::consumeError(std::move(error));
    if (auto func = dyn_cast_or_null<func::FuncOp>(op))
      error = runFunc(func);
    else if (auto kernel = dyn_cast_or_null<nest::FuncOp>(op))
      error = runNest(kernel);
    else
      error =
          makeError(ErrorKind::Usage,
                    "no func.func or nest.func is named '" + function + "'");
    if (error) {
      emitError(getOperation().getLoc()) << takeError(std::move(error)).second;
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};
} // namespace

void nestor::registerInterpPasses() { PassRegistration<TestInterpret>(); }
