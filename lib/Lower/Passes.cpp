//===- Passes.cpp - Lowering as passes ------------------------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Lower/Passes.h"

#include "HostEmitter.h"
#include "KernelEmitter.h"

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
                    cf::ControlFlowDialect>();
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

struct LowerToLLVMPass : PassWrapper<LowerToLLVMPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerToLLVMPass)
  StringRef getArgument() const final { return "lower-to-llvm"; }
  StringRef getDescription() const final {
    return "Convert loops over bare pointers to the LLVM dialect";
  }
  void runOnOperation() final {
    if (failed(lowerToLLVM(getOperation())))
      signalPassFailure();
  }
};
} // namespace

void nestor::registerLowerPasses() {
  PassRegistration<LowerToLoopsPass>();
  PassRegistration<LowerToLLVMPass>();
}
