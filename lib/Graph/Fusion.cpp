//===- Fusion.cpp - Elementwise operators into their consumers ------------===//
//
// y = g(f(x)) => y = (g . f)(x), one generic.
//
// A producer is merged when that computes nothing twice: its only reader is
// the consumer, which visits each of its elements once; or when it computes
// nothing (a splat, a transpose, a broadcast). An operator that can ride on a
// matmul or convolution stays with that one.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace nestor;

/// Bodies beyond this are left alone: registers and compile time are finite.
static constexpr int64_t kMaxBodyOps = 160;
static constexpr unsigned kMaxOperands = 12;

static bool hasSideEffects(linalg::GenericOp op) {
  bool found = false;
  op.getRegion().walk([&](cf::AssertOp) { found = true; });
  return found;
}

/// Whether a matmul or convolution makes `value`: an elementwise reader should
/// be scheduled with it.
static bool isAnchorResult(Value value) {
  auto generic = value.getDefiningOp<linalg::GenericOp>();
  return generic && isAnchor(generic);
}

static int64_t bodySize(linalg::GenericOp op) {
  int64_t count = 0;
  op.getRegion().walk([&](Operation *) { ++count; });
  return count;
}

/// Whether `producer` makes a row of few, cheap values from one number of the
/// run and constants, like the scales of dynamically quantised products.
static bool isRowOfScales(linalg::GenericOp producer) {
  if (!isElementwise(producer) || gathers(producer) || bodySize(producer) > 4)
    return false;
  for (Operation &op : producer.getBlock()->without_terminator())
    if (!isa<arith::MulFOp, arith::MulIOp, arith::ExtUIOp, arith::ExtSIOp>(op))
      return false;
  return llvm::all_of(producer.getInputs(), [](Value input) {
    auto type = dyn_cast<RankedTensorType>(input.getType());
    return type && (input.getDefiningOp<model::ConstantOp>() ||
                    (type.hasStaticShape() && type.getNumElements() == 1));
  });
}

static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || !consumer.isDpsInput(operand) ||
      producer->getBlock() != consumer->getBlock() ||
      producer->getNumResults() != 1 || hasSideEffects(producer))
    return false;
  if (yieldsConstant(producer))
    return true;
  if (bodySize(producer) + bodySize(consumer) > kMaxBodyOps ||
      producer->getNumOperands() + consumer->getNumOperands() > kMaxOperands)
    return false;

  bool onlyReader = llvm::all_of(
      producer->getUsers(), [&](Operation *user) { return user == consumer; });
  bool reduces = consumer.getNumReductionLoops() != 0;
  AffineMap map = consumer.getMatchingIndexingMap(operand);
  // Each element is read once when the map takes every loop once.
  bool once = map.isPermutation();
  if (isMovement(producer)) {
    // A copy for one reader, or one that costs nothing to undo in each.
    bool windowed = !map.isProjectedPermutation(/*allowZeroInResults=*/true);
    if (isAnchorResult(producer.getDpsInputOperand(0)->get()) && reduces)
      return false;
    return !windowed && (onlyReader || !reduces);
  }
  // What rides on a product makes its scales anew, and needs nothing else
  // computed before it.
  if (onlyReader && !reduces && isRowOfScales(producer) &&
      llvm::any_of(consumer.getInputs(), isAnchorResult))
    return true;
  if (!onlyReader || !once)
    return false;
  if (reduces) {
    if (gathers(producer))
      return false;
    // Stay with the matmul or convolution before it.
    for (OpOperand *input : producer.getDpsInputOperands())
      if (isAnchorResult(input->get()))
        return false;
  }
  return true;
}

LogicalResult nestor::fuseElementwise(ModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
  populateReshapePatterns(patterns);
  populateMovementPatterns(patterns);
  linalg::GenericOp::getCanonicalizationPatterns(patterns, module.getContext());
  tensor::EmptyOp::getCanonicalizationPatterns(patterns, module.getContext());
  GreedyRewriteConfig config;
  // Producers first: chains are merged from their start.
  config.setUseTopDownTraversal(true);
  return applyPatternsGreedily(module, std::move(patterns), config);
}
