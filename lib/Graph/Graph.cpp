//===- Graph.cpp - The order of the tensor level's rewrites ---------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Graph.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace nestor;

static LogicalResult clean(ModuleOp module) {
  PassManager manager(module.getContext());
  manager.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  manager.addNestedPass<func::FuncOp>(createCSEPass());
  return manager.run(module);
}

LogicalResult nestor::optimizeGraph(ModuleOp module,
                                    const GraphOptions &options) {
  if (failed(clean(module)))
    return failure();
  // Before @setup computes weights in floats.
  if (failed(computeInIntegers(module, options)) || failed(clean(module)))
    return failure();
  // Before fusion: a merged operator mixes constants with what is not.
  if (failed(splitSetup(module)))
    return failure();
  // While a scale still stands alone; @setup takes in the products below.
  if (failed(foldScales(module)))
    return failure();
  // Layouts are chosen on merged operators: there are fewer borders. They
  // leave transposes of weights for @setup and of data for fusion.
  if (failed(fuseElementwise(module)) || failed(clean(module)) ||
      failed(chooseLayouts(module)) || failed(clean(module)))
    return failure();
  // Once bodies are merged, while new reciprocals can still go to @setup or
  // into their producers.
  if (failed(moveDivisions(module)) || failed(splitSetup(module)) ||
      failed(fuseElementwise(module)))
    return failure();
  return clean(module);
}

namespace {
template <LogicalResult (*run)(ModuleOp)>
struct GraphPass : PassWrapper<GraphPass<run>, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(GraphPass)
  GraphPass() = default;
  GraphPass(StringRef name, StringRef text) : name(name), text(text) {}
  StringRef getArgument() const final { return name; }
  StringRef getDescription() const final { return text; }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<model::ModelDialect, linalg::LinalgDialect,
                    tensor::TensorDialect, affine::AffineDialect>();
  }
  void runOnOperation() final {
    if (failed(run(this->getOperation())))
      this->signalPassFailure();
  }
  StringRef name, text;
};

template <LogicalResult (*run)(ModuleOp)>
void add(StringRef name, StringRef text) {
  registerPass([=] { return std::make_unique<GraphPass<run>>(name, text); });
}
} // namespace

static LogicalResult optimize(ModuleOp module) { return optimizeGraph(module); }
static LogicalResult integers(ModuleOp module) {
  return computeInIntegers(module);
}
static LogicalResult int8(ModuleOp module) {
  return computeInIntegers(module, {/*int8=*/true});
}

void nestor::registerGraphPasses() {
  add<optimize>("nestor-graph", "Improve the tensor program");
  add<integers>("nestor-compute-in-integers",
                "Compute quantised programs in integers");
  add<int8>("nestor-compute-in-int8",
            "The same, data quantised for weights of bytes");
  add<splitSetup>("nestor-split-setup",
                  "Move what depends on constants alone into @setup");
  add<foldScales>("nestor-fold-scales",
                  "Multiply constant scales of results into weights");
  add<moveDivisions>("nestor-move-divisions",
                     "Take quotients out of sums; divide once for many");
  add<chooseLayouts>("nestor-choose-layouts",
                     "Put the channels innermost around convolutions");
  add<fuseElementwise>("nestor-fuse-elementwise",
                       "Merge elementwise operators into their consumers");
}
