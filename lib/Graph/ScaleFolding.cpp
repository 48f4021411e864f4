//===- ScaleFolding.cpp - Scales of results into weights ------------------===//
//
// (sum_k x[m, k] * w[k, n]) * s[n]  =>  sum_k x[m, k] * (w[k, n] * s[n])
//
// which is how the scale of a batch normalisation disappears: @setup multiplies
// the weights once. Floating point rounds otherwise than before, within the f32
// tolerances.
//
// Assumes: splitSetup has run, so that constants are model.constant. Leaves
// true: weights that something else reads too stay as they are.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace nestor;

/// The map from the weights' dims to `scale`'s, when each of the scale's
/// indices is 0 or a loop of `reader` that is a dim of the weights too.
static std::optional<AffineMap> scaleMap(linalg::GenericOp sum,
                                         OpOperand *weights,
                                         linalg::GenericOp reader,
                                         OpOperand *scale) {
  AffineMap result = sum.getMatchingIndexingMap(sum.getDpsInitOperand(0));
  AffineMap read = sum.getMatchingIndexingMap(weights);
  Builder builder(sum.getContext());
  SmallVector<AffineExpr> exprs;
  for (AffineExpr index : reader.getMatchingIndexingMap(scale).getResults()) {
    if (isa<AffineConstantExpr>(index)) {
      exprs.push_back(index);
      continue;
    }
    auto loop = dyn_cast<AffineDimExpr>(index);
    if (!loop)
      return std::nullopt;
    std::optional<unsigned> dim =
        read.getResultPosition(result.getResult(loop.getPosition()));
    if (!dim)
      return std::nullopt;
    exprs.push_back(builder.getAffineDimExpr(*dim));
  }
  return AffineMap::get(read.getNumResults(), 0, exprs, sum.getContext());
}

namespace {
struct FoldScale : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp reader,
                                PatternRewriter &rewriter) const final {
    if (!isElementwise(reader))
      return failure();
    for (OpOperand *data : reader.getDpsInputOperands()) {
      auto sum = data->get().getDefiningOp<linalg::GenericOp>();
      if (!sum || !sum->hasOneUse() || sum->getBlock() != reader->getBlock() ||
          !isPlainProductSum(sum) || !startsAtZero(sum) ||
          !reader.getMatchingIndexingMap(data).isIdentity())
        continue;
      BlockArgument value = reader.getMatchingBlockArgument(data);
      auto mul = value.hasOneUse()
                     ? dyn_cast<arith::MulFOp>(*value.getUsers().begin())
                     : arith::MulFOp();
      if (!mul)
        continue;
      auto factor = dyn_cast<BlockArgument>(
          mul.getLhs() == value ? mul.getRhs() : mul.getLhs());
      if (!factor || factor.getOwner() != reader.getBlock() ||
          factor.getArgNumber() >= reader.getNumDpsInputs())
        continue;
      OpOperand *scale = reader.getDpsInputOperand(factor.getArgNumber());
      if (!scale->get().getDefiningOp<model::ConstantOp>())
        continue;
      for (OpOperand *weights : sum.getDpsInputOperands())
        if (succeeded(fold(sum, weights, reader, scale, mul, value, rewriter)))
          return success();
    }
    return failure();
  }

private:
  static LogicalResult fold(linalg::GenericOp sum, OpOperand *weights,
                            linalg::GenericOp reader, OpOperand *scale,
                            arith::MulFOp mul, Value value,
                            PatternRewriter &rewriter) {
    Value old = weights->get();
    auto type = dyn_cast<RankedTensorType>(old.getType());
    if (!old.getDefiningOp<model::ConstantOp>() || !old.hasOneUse() ||
        type.getElementType() != mul.getType())
      return failure();
    std::optional<AffineMap> map = scaleMap(sum, weights, reader, scale);
    if (!map)
      return failure();
    // Constants may come from further down.
    rewriter.setInsertionPoint(reader);
    Location loc = reader.getLoc();
    AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
    Value empty = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                          type.getElementType());
    auto scaled = linalg::GenericOp::create(
        rewriter, loc, type, ValueRange{old, scale->get()}, ValueRange{empty},
        {identity, *map, identity},
        SmallVector<utils::IteratorType>(type.getRank(),
                                         utils::IteratorType::parallel),
        [](OpBuilder &builder, Location loc, ValueRange args) {
          linalg::YieldOp::create(builder, loc,
                                  ValueRange{arith::MulFOp::create(
                                      builder, loc, args[0], args[1])});
        });
    rewriter.modifyOpInPlace(sum, [&] {
      weights->set(scaled.getResult(0));
      sum->moveAfter(scaled);
    });
    rewriter.replaceOp(mul, value);
    return success();
  }
};
} // namespace

LogicalResult nestor::foldScales(ModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  patterns.add<FoldScale>(module.getContext());
  return applyPatternsGreedily(module, std::move(patterns));
}
