//===- Partition.cpp - Tensor program to kernels and a host program -------===//
//
// See the header. Assumes verified tensor-level IR; leaves a module with
// host-level functions and nest.func kernels, and no tensor in it.
//
//===----------------------------------------------------------------------===//
#include "nestor/Partition/Partition.h"

#include "HostBuilder.h"

#include "nestor/Dialect/Host/Host.h"
#include "nestor/Dialect/Nest/Nest.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace nestor;

/// Named operators that upstream text may hold => linalg.generic.
static LogicalResult generalize(ModuleOp module) {
  SmallVector<linalg::LinalgOp> named;
  module.walk([&](linalg::LinalgOp op) {
    if (!isa<linalg::GenericOp>(op))
      named.push_back(op);
  });
  IRRewriter rewriter(module.getContext());
  for (linalg::LinalgOp op : named) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::generalizeNamedOp(rewriter, op)))
      return op->emitOpError("has no meaning at the tensor level");
  }
  return success();
}

LogicalResult nestor::partition(ModuleOp module, ConstantPool &pool) {
  module.getContext()
      ->loadDialect<host::HostDialect, nest::NestDialect, scf::SCFDialect,
                    memref::MemRefDialect, arith::ArithDialect>();
  if (failed(generalize(module)))
    return failure();
  KernelTable kernels(module);
  for (auto func : llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
    if (func.isExternal())
      continue;
    HostBuilder host(module, pool, kernels);
    if (failed(host.convert(func)))
      return failure();
  }
  PassManager cleanup(module.getContext());
  cleanup.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  cleanup.addNestedPass<func::FuncOp>(createCSEPass());
  return cleanup.run(module);
}

namespace {
struct PartitionPass : PassWrapper<PartitionPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PartitionPass)
  StringRef getArgument() const final { return "nestor-partition"; }
  StringRef getDescription() const final {
    return "Tensor program to nest kernels and a host program";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<host::HostDialect, nest::NestDialect, scf::SCFDialect,
                    memref::MemRefDialect, arith::ArithDialect>();
  }
  void runOnOperation() final {
    ConstantPool pool;
    if (failed(partition(getOperation(), pool)))
      signalPassFailure();
  }
};

struct PlanMemoryPass : PassWrapper<PlanMemoryPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PlanMemoryPass)
  StringRef getArgument() const final { return "nestor-plan-memory"; }
  StringRef getDescription() const final {
    return "Give every buffer of the host program its place in the arena";
  }
  void runOnOperation() final {
    if (failed(planMemory(getOperation())))
      signalPassFailure();
  }
};
} // namespace

void nestor::registerPartitionPasses() {
  PassRegistration<PartitionPass>();
  PassRegistration<PlanMemoryPass>();
}
