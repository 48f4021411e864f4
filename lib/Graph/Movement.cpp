//===- Movement.cpp - Copies that are maps or views -----------------------===//
//
// generic that extracts at a permutation of its own loops
//     => generic that reads through an indexing map
// copy that only adds dims of 1
//     => model.reshape
// min(size, huge) => size
//
// Assumes: no tensor has 2^40 bytes or more.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"
#include "nestor/Graph/TensorDims.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

namespace {
struct GatherToMap : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (!isElementwise(op) || op->getNumResults() != 1)
      return failure();
    SmallVector<DimSource> extents = TensorDims().loopExtents(op);
    for (auto extract : op.getBlock()->getOps<tensor::ExtractOp>()) {
      Value tensor = extract.getTensor();
      if (op->isAncestor(tensor.getParentRegion()->getParentOp()))
        continue;
      std::optional<AffineMap> map = mapOf(op, extract, extents);
      if (!map)
        continue;
      addInput(op, extract, *map, rewriter);
      return success();
    }
    return failure();
  }

private:
  /// The indices as a map, when each is a loop of the dim's own extent, or 0.
  static std::optional<AffineMap> mapOf(linalg::GenericOp op,
                                        tensor::ExtractOp extract,
                                        ArrayRef<DimSource> extents) {
    Builder builder(op.getContext());
    SmallVector<AffineExpr> exprs;
    SmallVector<DimSource> dims = TensorDims().of(extract.getTensor());
    for (auto [index, dim] : llvm::zip_equal(extract.getIndices(), dims)) {
      if (matchPattern(index, m_Zero())) {
        exprs.push_back(builder.getAffineConstantExpr(0));
        continue;
      }
      auto loop = index.getDefiningOp<linalg::IndexOp>();
      if (!loop || loop->getParentOp() != op ||
          !(extents[loop.getDim()] == dim))
        return std::nullopt;
      exprs.push_back(builder.getAffineDimExpr(loop.getDim()));
    }
    AffineMap map = AffineMap::get(op.getNumLoops(), 0, exprs, op.getContext());
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return std::nullopt;
    return map;
  }

  static void addInput(linalg::GenericOp op, tensor::ExtractOp extract,
                       AffineMap map, PatternRewriter &rewriter) {
    SmallVector<Value> inputs(op.getInputs());
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    unsigned at = inputs.size();
    inputs.push_back(extract.getTensor());
    maps.insert(maps.begin() + at, map);
    auto result = linalg::GenericOp::create(
        rewriter, op.getLoc(), op.getResultTypes(), inputs, op.getOutputs(),
        maps, op.getIteratorTypesArray());
    Region &region = result.getRegion();
    rewriter.inlineRegionBefore(op.getRegion(), region, region.begin());
    BlockArgument arg =
        region.front().insertArgument(at, extract.getType(), extract.getLoc());
    rewriter.replaceOp(extract, arg);
    rewriter.replaceOp(op, result.getResults());
  }
};

struct UnitCopy : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (!isMovement(op) || !isElementwise(op))
      return failure();
    OpOperand *input = op.getDpsInputOperand(0);
    auto from = cast<RankedTensorType>(input->get().getType());
    auto to = cast<RankedTensorType>(op->getResult(0).getType());
    AffineMap map = op.getMatchingIndexingMap(input);
    SmallVector<DimSource> extents = TensorDims().loopExtents(op);
    SmallVector<DimSource> dims = TensorDims().of(input->get());
    unsigned next = 0;
    for (auto [expr, dim] : llvm::zip_equal(map.getResults(), dims)) {
      if (dim.isConstant(1))
        continue;
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop || loop.getPosition() < next ||
          !(extents[loop.getPosition()] == dim))
        return failure();
      for (; next < loop.getPosition(); ++next)
        if (!extents[next].isConstant(1))
          return failure();
      ++next;
    }
    for (; next < extents.size(); ++next)
      if (!extents[next].isConstant(1))
        return failure();
    if (from == to) {
      rewriter.replaceOp(op, input->get());
      return success();
    }
    SmallVector<Value> sizes;
    for (int64_t d = 0; d < to.getRank(); ++d) {
      if (!to.isDynamicDim(d))
        continue;
      DimSource source = TensorDims().of(op.getOutputs().front(), d);
      if (source.value && source.which < 0 && source.which != -1)
        return failure();
      if (source.value && source.which == -1)
        sizes.push_back(source.value);
      else if (source.value)
        sizes.push_back(tensor::DimOp::create(rewriter, op.getLoc(),
                                              source.value, source.which));
      else
        sizes.push_back(arith::ConstantIndexOp::create(rewriter, op.getLoc(),
                                                       source.which));
    }
    rewriter.replaceOpWithNewOp<model::ReshapeOp>(op, to, input->get(), sizes);
    return success();
  }
};

struct HugeMinimum : OpRewritePattern<arith::MinSIOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::MinSIOp op,
                                PatternRewriter &rewriter) const final {
    auto dim = op.getLhs().getDefiningOp<tensor::DimOp>();
    APInt limit;
    if (!dim || !matchPattern(op.getRhs(), m_ConstantInt(&limit)))
      return failure();
    auto type = dyn_cast<RankedTensorType>(dim.getSource().getType());
    if (!type)
      return failure();
    int64_t bytes = std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size) &&
          (size <= 0 || llvm::MulOverflow(bytes, size, bytes)))
        return failure();
    // A dim above the limit would need a tensor that no machine holds.
    if (limit.getSExtValue() <= 0 ||
        limit.getSExtValue() < (int64_t(1) << 40) / bytes)
      return failure();
    rewriter.replaceOp(op, op.getLhs());
    return success();
  }
};
} // namespace

void nestor::populateMovementPatterns(RewritePatternSet &patterns) {
  patterns.add<GatherToMap, UnitCopy, HugeMinimum>(patterns.getContext());
}
