//===- Reshapes.cpp - Views that need not be ------------------------------===//
//
// reshape to the same dims                      => its source
// generic reading a reshape that adds or drops dims of 1
//                                               => generic reading the source
// reshape of an undefined tensor                => tensor.empty
//
// Assumes and leaves true: a reshape keeps the row-major order of elements.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Graph.h"
#include "nestor/Graph/TensorDims.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace nestor;

/// When two shapes differ in dims of 1 only: for each dim of `from` the dim of
/// `to` that it is, -1 for a 1.
static std::optional<SmallVector<int>> matchUnits(ArrayRef<DimSource> from,
                                                  ArrayRef<DimSource> to) {
  SmallVector<int> result;
  size_t next = 0;
  for (const DimSource &dim : from) {
    if (dim.isConstant(1)) {
      result.push_back(-1);
      continue;
    }
    while (next < to.size() && to[next].isConstant(1))
      ++next;
    if (next == to.size() || !(to[next] == dim))
      return std::nullopt;
    result.push_back(next++);
  }
  for (; next < to.size(); ++next)
    if (!to[next].isConstant(1))
      return std::nullopt;
  return result;
}

namespace {
struct SameDims : OpRewritePattern<model::ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(model::ReshapeOp op,
                                PatternRewriter &rewriter) const final {
    if (op.getSource().getType() != op.getType())
      return failure();
    TensorDims dims;
    if (dims.of(op.getSource()) != dims.of(op.getResult()))
      return failure();
    rewriter.replaceOp(op, op.getSource());
    return success();
  }
};

struct Undefined : OpRewritePattern<model::ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(model::ReshapeOp op,
                                PatternRewriter &rewriter) const final {
    if (!op.getSource().getDefiningOp<tensor::EmptyOp>())
      return failure();
    rewriter.replaceOpWithNewOp<tensor::EmptyOp>(op, op.getType(),
                                                 op.getDims());
    return success();
  }
};

struct ReadThroughUnits : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    TensorDims dims;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto reshape = operand->get().getDefiningOp<model::ReshapeOp>();
      if (!reshape)
        continue;
      auto match = matchUnits(dims.of(reshape.getSource()),
                              dims.of(reshape.getResult()));
      if (!match)
        continue;
      AffineMap map = op.getMatchingIndexingMap(operand);
      SmallVector<AffineExpr> exprs;
      for (int dim : *match)
        exprs.push_back(dim < 0 ? rewriter.getAffineConstantExpr(0)
                                : map.getResult(dim));
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      maps[operand->getOperandNumber()] =
          AffineMap::get(map.getNumDims(), 0, exprs, rewriter.getContext());
      // A loop over a dim of 1 that only this operand showed keeps it.
      if (!inversePermutation(concatAffineMaps(maps, rewriter.getContext())))
        continue;
      rewriter.modifyOpInPlace(op, [&] {
        op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
        operand->set(reshape.getSource());
      });
      return success();
    }
    return failure();
  }
};
} // namespace

void nestor::populateReshapePatterns(RewritePatternSet &patterns) {
  patterns.add<SameDims, Undefined, ReadThroughUnits>(patterns.getContext());
}
