//===- Quantized.cpp - Programs of bytes compute in integers --------------===//
//
// The order of what QuantizeEarly, QuantizedMovement, Requantization,
// IntegerProducts, DynamicQuantization, NarrowWeights and ChannelPadding do:
//
//   conv(dequantise(x), dequantise(w)) + bias, quantised
//     => i32 sums of bytes; one elementwise operator behind them that scales,
//        adds and quantises, which later rides on the sums
//
// Assumes: constants still stand in the program (before splitSetup, which would
// compute weights in floats). Leaves true: a quantiser stays round(x / scale)
// to even in f32, as ONNX says; only what it is given is rounded less.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Dequantized.h"
#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace nestor;

/// Few operations that turn bytes into floats, element by element.
static bool widens(linalg::GenericOp op) {
  if (op->getNumResults() != 1 || !isElementwise(op) || gathers(op))
    return false;
  int64_t count = 0;
  op.getRegion().walk([&](Operation *) { ++count; });
  return getElementTypeOrSelf(op->getResult(0)).isF32() && count <= 8 &&
         llvm::any_of(op.getInputs(), [](Value v) {
           return getElementTypeOrSelf(v).isInteger(8);
         });
}

/// A dequantiser for each reader: each then takes it in as it likes, and what
/// is left is merged again.
static void separateReaders(ModuleOp module) {
  SmallVector<linalg::GenericOp> found;
  module.walk([&](linalg::GenericOp op) {
    if (widens(op))
      found.push_back(op);
  });
  for (linalg::GenericOp op : found) {
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : op->getResult(0).getUses())
      uses.push_back(&use);
    OpBuilder builder(op);
    for (OpOperand *use : llvm::drop_begin(uses))
      use->set(builder.clone(*op)->getResult(0));
  }
}

/// Into elementwise readers: bytes are read instead of floats.
static bool shouldWiden(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  return producer && consumer && consumer.isDpsInput(operand) &&
         producer->getBlock() == consumer->getBlock() &&
         producer->hasOneUse() && widens(producer) && isElementwise(consumer) &&
         consumer->getNumResults() == 1;
}

LogicalResult nestor::computeInIntegers(ModuleOp module,
                                        const GraphOptions &options) {
  bool any = false;
  module.walk([&](linalg::GenericOp op) {
    any |= llvm::any_of(op->getOperands(), [](Value v) {
      return getElementTypeOrSelf(v).isInteger(8);
    });
  });
  if (!any)
    return success();
  // A cast and its scale may be two operators: first they are made one.
  separateReaders(module);
  RewritePatternSet merging(module.getContext());
  linalg::populateElementwiseOpsFusionPatterns(merging, shouldWiden);
  if (failed(applyPatternsGreedily(module, std::move(merging))))
    return failure();
  separateReaders(module);
  RewritePatternSet patterns(module.getContext());
  linalg::populateElementwiseOpsFusionPatterns(patterns, shouldWiden);
  populateQuantizedMovementPatterns(patterns);
  populateQuantizeEarlyPatterns(patterns);
  populateRequantizationPatterns(patterns);
  populateIntegerProductPatterns(patterns);
  if (options.int8)
    populateDynamicQuantizationPatterns(patterns);
  GreedyRewriteConfig config;
  config.setUseTopDownTraversal(true);
  if (failed(applyPatternsGreedily(module, std::move(patterns), config)))
    return failure();
  // What is left of weights is read by floats.
  RewritePatternSet narrow(module.getContext());
  populateNarrowWeightPatterns(narrow);
  populateChannelPaddingPatterns(narrow);
  return applyPatternsGreedily(module, std::move(narrow));
}
