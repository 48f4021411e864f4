//===- Passes.cpp - Lowering as passes ------------------------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Lower/Passes.h"

#include "HostEmitter.h"
#include "KernelEmitter.h"

#include "nestor/Dialect/Device/Device.h"
#include "nestor/Lower/Device.h"

#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace nestor;

namespace {
/// Kernels of a module without host program are lowered one by one.
struct LowerToLoopsPass
    : PassWrapper<LowerToLoopsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerToLoopsPass)
  StringRef getArgument() const final { return "lower-to-loops"; }
  StringRef getDescription() const final {
    return "Emit kernels and host program as loops over bare pointers";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<LLVM::LLVMDialect, scf::SCFDialect, vector::VectorDialect,
                    cf::ControlFlowDialect, device::DeviceDialect>();
  }
  void runOnOperation() final {
    ModuleOp module = getOperation();
    OwningOpRef<ModuleOp> result;
    if (module.lookupSymbol<func::FuncOp>("main")) {
      LoweredConstants constants;
      auto lowered = lowerToLoops(module, LowerOptions(), constants);
      if (failed(lowered))
        return signalPassFailure();
      result = std::move(*lowered);
    } else {
      result = ModuleOp::create(module.getLoc());
      for (auto kernel : module.getOps<nest::FuncOp>())
        if (failed(lower::KernelEmitter(kernel, *result).emit()))
          return signalPassFailure();
    }
    module.getBodyRegion().takeBody(result->getBodyRegion());
  }
};

/// A pass with the option `target`: a name that `nestor targets` lists, with
/// features; empty: none, so that device operations are emulated.
template <typename Derived>
struct TargetPass : PassWrapper<Derived, OperationPass<ModuleOp>> {
  TargetPass() = default;
  TargetPass(const TargetPass &other)
      : PassWrapper<Derived, OperationPass<ModuleOp>>(other) {}
  Pass::Option<std::string> name{*this, "target",
                                 llvm::cl::desc("what the code is for"),
                                 llvm::cl::init("")};

  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<LLVM::LLVMDialect, scf::SCFDialect, vector::VectorDialect,
                    math::MathDialect, arith::ArithDialect>();
  }

  /// Calls `body(target)` with a pointer that may be null.
  void withTarget(function_ref<LogicalResult(const Target *)> body) {
    std::optional<Target> target;
    if (!name.empty()) {
      auto parsed = Target::parse(name);
      if (!parsed) {
        this->getOperation().emitError(llvm::toString(parsed.takeError()));
        return this->signalPassFailure();
      }
      target = std::move(*parsed);
    }
    if (failed(body(target ? &*target : nullptr)))
      this->signalPassFailure();
  }
};

struct LowerDevicePass : TargetPass<LowerDevicePass> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerDevicePass)
  StringRef getArgument() const final { return "lower-device"; }
  StringRef getDescription() const final {
    return "Write device operations as instructions, or emulate them";
  }
  void runOnOperation() final {
    withTarget([&](const Target *target) {
      return lowerDevice(getOperation(), target);
    });
  }
};

struct LowerToLLVMPass : TargetPass<LowerToLLVMPass> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerToLLVMPass)
  StringRef getArgument() const final { return "lower-to-llvm"; }
  StringRef getDescription() const final {
    return "Convert loops over bare pointers to the LLVM dialect";
  }
  void runOnOperation() final {
    withTarget([&](const Target *target) {
      return lowerToLLVM(getOperation(), target);
    });
  }
};
} // namespace

void nestor::registerLowerPasses() {
  PassRegistration<LowerToLoopsPass>();
  PassRegistration<LowerDevicePass>();
  PassRegistration<LowerToLLVMPass>();
}
