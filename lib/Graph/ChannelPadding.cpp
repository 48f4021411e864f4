//===- ChannelPadding.cpp - Channels in fours -----------------------------===//
//
// convolution of bytes over 3 channels => the same over 4, the last of zeros
//
// Instructions that multiply bytes take them in fours.
//
// Assumes: constant weights, which @setup then pads. Leaves true: the sums; at
// most a third more products.
//
//===----------------------------------------------------------------------===//
#include "ProductSum.h"

#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace nestor;

/// `tensor` with zeros at the end of `dim`, which then has `size` elements.
static Value withZeros(OpBuilder &builder, Location loc, Value tensor,
                       unsigned dim, int64_t size) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Type element = type.getElementType();
  int64_t old = type.getDimSize(dim);
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = size;
  SmallVector<Value> sizes;
  if (auto empty = emptyLike(builder, loc, tensor, element)
                       .getDefiningOp<tensor::EmptyOp>())
    llvm::append_range(sizes, empty.getDynamicSizes());
  Value empty = tensor::EmptyOp::create(builder, loc, shape, element, sizes);
  return linalg::GenericOp::create(
             builder, loc, TypeRange(empty.getType()), ValueRange(),
             ValueRange(empty),
             ArrayRef<AffineMap>{builder.getMultiDimIdentityMap(shape.size())},
             SmallVector<utils::IteratorType>(shape.size(),
                                              utils::IteratorType::parallel),
             [&](OpBuilder &b, Location l, ValueRange) {
               SmallVector<Value> at;
               for (unsigned d = 0; d < shape.size(); ++d)
                 at.push_back(linalg::IndexOp::create(b, l, d));
               Value end = arith::ConstantIndexOp::create(b, l, old);
               Value last = arith::ConstantIndexOp::create(b, l, old - 1);
               Value inside = arith::CmpIOp::create(
                   b, l, arith::CmpIPredicate::slt, at[dim], end);
               at[dim] = arith::MinSIOp::create(b, l, at[dim], last);
               Value v = tensor::ExtractOp::create(b, l, tensor, at);
               Value zero =
                   arith::ConstantOp::create(b, l, b.getZeroAttr(element));
               Value kept = arith::SelectOp::create(b, l, inside, v, zero);
               linalg::YieldOp::create(b, l, kept);
             })
      .getResult(0);
}

/// Whether `op` sums products of two bytes, of data seen through a window and
/// of constants.
static bool isConvolutionOfBytes(linalg::GenericOp op) {
  if (!isProductSum(op) || !isWindowed(op) || op.getNumDpsInputs() != 2 ||
      op->getNumResults() != 1)
    return false;
  for (Value input : op.getInputs())
    if (!isa<RankedTensorType>(input.getType()) ||
        !getElementTypeOrSelf(input).isInteger(8))
      return false;
  ProductSum sum(op);
  return isConstantTensor(sum.input(1)) &&
         !ProductSum::isPlain(sum.inputMap(0));
}

namespace {
/// The loop over channels, and their place in data and weights.
struct Channels {
  unsigned inData, inWeights;
  int64_t count;
};

struct PadChannels : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  static std::optional<Channels> find(const ProductSum &sum) {
    AffineMap data = sum.inputMap(0), weights = sum.inputMap(1);
    auto type = cast<RankedTensorType>(sum.input(1).getType());
    std::optional<Channels> found;
    int64_t taps = 1;
    for (auto [loop, kind] : llvm::enumerate(sum.kinds())) {
      if (kind != utils::IteratorType::reduction)
        continue;
      AffineExpr dim = getAffineDimExpr(loop, data.getContext());
      std::optional<unsigned> inWeights = weights.getResultPosition(dim);
      if (!inWeights || type.isDynamicDim(*inWeights))
        return std::nullopt;
      int64_t extent = type.getDimSize(*inWeights);
      if (std::optional<unsigned> inData = data.getResultPosition(dim)) {
        if (found)
          return std::nullopt;
        found = {*inData, *inWeights, extent};
      } else {
        taps *= extent;
      }
    }
    auto own = cast<RankedTensorType>(sum.input(0).getType());
    if (!found || taps < 4 || found->count > 16 || found->count % 4 == 0 ||
        own.getDimSize(found->inData) != found->count ||
        3 * llvm::alignTo(found->count, 4) >
            4 * static_cast<uint64_t>(found->count))
      return std::nullopt;
    return found;
  }

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (!isConvolutionOfBytes(op))
      return failure();
    std::optional<Channels> channels = find(ProductSum(op));
    if (!channels)
      return failure();
    Location loc = op.getLoc();
    int64_t rounded = llvm::alignTo(channels->count, 4);
    Value data =
        withZeros(rewriter, loc, op.getInputs()[0], channels->inData, rounded);
    Value weights = withZeros(rewriter, loc, op.getInputs()[1],
                              channels->inWeights, rounded);
    auto padded = linalg::GenericOp::create(
        rewriter, loc, op.getResultTypes(), ValueRange{data, weights},
        op.getOutputs(), op.getIndexingMapsArray(), op.getIteratorTypesArray());
    IRMapping mapping;
    op.getRegion().cloneInto(&padded.getRegion(), mapping);
    rewriter.replaceOp(op, padded.getResults());
    return success();
  }
};
} // namespace

void nestor::populateChannelPaddingPatterns(RewritePatternSet &patterns) {
  patterns.add<PadChannels>(patterns.getContext());
}
