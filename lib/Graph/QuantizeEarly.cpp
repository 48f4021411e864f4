//===- QuantizeEarly.cpp - Bytes are made where floats are ----------------===//
//
// quantise(concat(a, b)) => concat(quantise(a), quantise(b))
// quantise(max pooling or padded copy of x) => the same of quantise(x)
//
// so that the quantiser rides on the product that made x, and bytes are moved.
// Quantising keeps the order of numbers: the byte of the greatest is the
// greatest byte.
//
//===----------------------------------------------------------------------===//
#include "ByteMovement.h"
#include "Quantizer.h"

#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

namespace {
/// An elementwise operator that makes bytes of a concatenation of floats.
struct QuantizeBeforeConcat : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (op->getNumResults() != 1 || !isElementwise(op) || gathers(op) ||
        !getElementTypeOrSelf(op->getResult(0)).isInteger(8) ||
        !op.getBlock()->getArguments().back().use_empty() ||
        op.getRegion()
            .walk([](linalg::IndexOp) { return WalkResult::interrupt(); })
            .wasInterrupted())
      return failure();
    OpOperand *joined = nullptr;
    for (OpOperand *input : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(input);
      if (!joined && input->get().getDefiningOp<tensor::ConcatOp>() &&
          map.isIdentity())
        joined = input;
      else if (!map.isConstant() && map.getNumResults() != 0)
        return failure();
    }
    if (!joined || !joined->get().hasOneUse())
      return failure();
    auto concat = joined->get().getDefiningOp<tensor::ConcatOp>();
    if (concat->getBlock() != op->getBlock())
      return failure();
    SmallVector<Value> parts;
    SmallVector<Type> types;
    for (Value input : concat.getInputs()) {
      auto type = cast<RankedTensorType>(input.getType());
      types.push_back(
          RankedTensorType::get(type.getShape(), rewriter.getI8Type()));
    }
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    if (tensor::ConcatOp::inferResultType(concat.getDim(), types) != type)
      return failure();
    for (Value input : concat.getInputs()) {
      Value empty =
          emptyLike(rewriter, op.getLoc(), input, rewriter.getI8Type());
      SmallVector<Value> inputs(op.getInputs());
      inputs[joined->getOperandNumber()] = input;
      auto part = linalg::GenericOp::create(
          rewriter, op.getLoc(), TypeRange(empty.getType()), inputs,
          ValueRange(empty), op.getIndexingMapsArray(),
          op.getIteratorTypesArray());
      IRMapping mapping;
      op.getRegion().cloneInto(&part.getRegion(), mapping);
      parts.push_back(part.getResult(0));
    }
    rewriter.replaceOpWithNewOp<tensor::ConcatOp>(op, type, concat.getDim(),
                                                  parts);
    return success();
  }
};

/// The quantiser `op` of input `x`, over another tensor with x's element type.
static Value quantizedBy(PatternRewriter &rewriter, linalg::GenericOp op,
                         Value x) {
  Value empty = emptyLike(rewriter, op.getLoc(), x, rewriter.getI8Type());
  int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
  AffineMap same = rewriter.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  auto result = linalg::GenericOp::create(
      rewriter, op.getLoc(), TypeRange(empty.getType()), ValueRange(x),
      ValueRange(empty), ArrayRef<AffineMap>{same, same}, kinds);
  IRMapping mapping;
  op.getRegion().cloneInto(&result.getRegion(), mapping);
  return result.getResult(0);
}

struct QuantizeBeforeChoice : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    // One input, whose element the body quantises by numbers.
    if (op->getNumResults() != 1 || !isElementwise(op) ||
        op.getNumDpsInputs() != 1 ||
        !op.getMatchingIndexingMap(op.getDpsInputOperand(0)).isIdentity())
      return failure();
    std::optional<Quantizer> quantizer = quantizerOf(op);
    if (!quantizer || quantizer->real != op.getBlock()->getArgument(0))
      return failure();
    auto choice =
        op.getDpsInputOperand(0)->get().getDefiningOp<linalg::GenericOp>();
    if (!choice || !choice->hasOneUse() || choice->getBlock() != op->getBlock())
      return failure();
    bool isUnsigned = quantizer->isUnsigned();
    if (isMaximum(choice)) {
      OpOperand *input = choice.getDpsInputOperand(0);
      if (!input->get().hasOneUse())
        return failure();
      rewriter.setInsertionPoint(op);
      Value bytes = quantizedBy(rewriter, op, input->get());
      rewriter.replaceOp(
          op, maximumOfBytes(rewriter, choice, bytes,
                             choice.getMatchingIndexingMap(input), isUnsigned));
      return success();
    }
    std::optional<Gathered> found = gatheredBy(choice);
    if (!found || !found->filler ||
        !matchPattern(found->filler, m_NegInfFloat()) ||
        !found->extract.getTensor().hasOneUse())
      return failure();
    rewriter.setInsertionPoint(op);
    Value bytes = quantizedBy(rewriter, op, found->extract.getTensor());
    rewriter.replaceOp(
        op, gatherOfBytes(
                rewriter, choice, *found,
                [&](OpBuilder &builder, ValueRange indices) -> Value {
                  return tensor::ExtractOp::create(builder, op.getLoc(), bytes,
                                                   indices);
                },
                [&](OpBuilder &builder) {
                  return lowestByte(builder, op.getLoc(), isUnsigned);
                }));
    return success();
  }
};
} // namespace

void nestor::populateQuantizeEarlyPatterns(RewritePatternSet &patterns) {
  patterns.add<QuantizeBeforeConcat, QuantizeBeforeChoice>(
      patterns.getContext());
}
