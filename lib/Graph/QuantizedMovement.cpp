//===- QuantizedMovement.cpp - Bytes move instead of floats ---------------===//
//
// pad, slice, gather, reshape, concat, max pooling of (x - z) * s
//     => (the same of x - z) * s; what padding put in as 0 becomes z
// gather from a constant (w - z[i]) * s[i] => the same at the gathered places
//
// Dequantisation thus reaches the products, which take it in, or elementwise
// readers; moved data takes a quarter of the bytes.
//
// Assumes: dequantisers are read by one operator each (see Quantized.cpp).
//
//===----------------------------------------------------------------------===//
#include "ByteMovement.h"

#include "nestor/Graph/Dequantized.h"
#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

/// `what` with its one zero point and scale, over the dims of `like`.
static Dequantized over(const Dequantized &what, Value like, Value data) {
  int64_t rank = cast<RankedTensorType>(like.getType()).getRank();
  Dequantized result = what;
  result.data = data;
  MLIRContext *context = like.getContext();
  result.map = AffineMap::getMultiDimIdentityMap(rank, context);
  for (Parameter *parameter : {&result.zero, &result.scale})
    if (parameter->tensor)
      parameter->map =
          AffineMap::get(rank, 0, parameter->map.getResults(), context);
  return result;
}

/// The element of `tensor` that `map` says for the indices of its dims. The
/// map's results are dims and numbers.
static Value extractAt(OpBuilder &builder, Location loc, Value tensor,
                       AffineMap map, ValueRange indices) {
  SmallVector<Value> at;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      at.push_back(indices[dim.getPosition()]);
    else
      at.push_back(arith::ConstantIndexOp::create(
          builder, loc, cast<AffineConstantExpr>(expr).getValue()));
  }
  return tensor::ExtractOp::create(builder, loc, tensor, at);
}

static bool isPlain(AffineMap map) {
  return map.isProjectedPermutation(/*allowZeroInResults=*/true);
}

/// The zero point as a byte, in a body.
static Value zeroByte(OpBuilder &builder, Location loc,
                      const Dequantized &what) {
  if (what.zero.tensor)
    return extractAt(builder, loc, what.zero.tensor, what.zero.map, {});
  int64_t number =
      what.zero.number
          ? cast<IntegerAttr>(what.zero.number).getValue().getSExtValue()
          : 0;
  return arith::ConstantOp::create(
      builder, loc,
      IntegerAttr::get(builder.getI8Type(),
                       APInt(8, static_cast<uint64_t>(number),
                             /*isSigned=*/false, /*implicitTrunc=*/true)));
}

/// Whether larger bytes are larger numbers.
static bool isIncreasing(const Dequantized &what) {
  if (!what.scale)
    return true;
  auto scale = dyn_cast_or_null<FloatAttr>(what.scale.number);
  return scale && scale.getValue().isFinite() &&
         !scale.getValue().isNegative() && !scale.getValue().isZero();
}

static bool readByMaximaOnly(Value value) {
  return !value.use_empty() &&
         llvm::all_of(value.getUses(), [](OpOperand &use) {
           auto op = dyn_cast<linalg::GenericOp>(use.getOwner());
           return op && isMaximum(op) && use.getOperandNumber() == 0;
         });
}

namespace {
struct GatherBytes : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (op->getNumResults() != 1 || !isElementwise(op) ||
        !op.getBlock()->getArguments().back().use_empty())
      return failure();
    std::optional<Gathered> found = gatheredBy(op);
    if (!found)
      return failure();
    std::optional<Dequantized> what = dequantizedOf(found->extract.getTensor());
    if (!what || !what->isUniform() || !isPlain(what->map))
      return failure();
    bool lowest = false;
    if (found->filler && !matchPattern(found->filler, m_AnyZeroFloat())) {
      lowest = matchPattern(found->filler, m_NegInfFloat()) &&
               isIncreasing(*what) && readByMaximaOnly(op->getResult(0));
      if (!lowest)
        return failure();
    }
    Location loc = op.getLoc();
    Value result = gatherOfBytes(
        rewriter, op, *found,
        [&](OpBuilder &builder, ValueRange indices) {
          return extractAt(builder, loc, what->data, what->map, indices);
        },
        [&](OpBuilder &builder) {
          return lowest ? lowestByte(builder, loc, what->isUnsigned)
                        : zeroByte(builder, loc, *what);
        });
    rewriter.replaceOp(
        op, dequantize(rewriter, loc, result, over(*what, result, result)));
    return success();
  }
};

/// Embeddings: rows of a constant, scaled one by one.
struct GatherConstants : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    for (auto extract : op.getBlock()->getOps<tensor::ExtractOp>()) {
      std::optional<Dequantized> what = dequantizedOf(extract.getTensor());
      if (!what || !isConstantTensor(what->data) || !isPlain(what->map) ||
          (what->zero.tensor && !isPlain(what->zero.map)) ||
          (what->scale.tensor && !isPlain(what->scale.map)))
        continue;
      rewriter.setInsertionPoint(extract);
      Location loc = extract.getLoc();
      auto at = [&](const Parameter &p) -> Value {
        if (p.number)
          return arith::ConstantOp::create(rewriter, loc, p.number);
        return extractAt(rewriter, loc, p.tensor, p.map, extract.getIndices());
      };
      Value whole = widenByte(
          rewriter, loc,
          extractAt(rewriter, loc, what->data, what->map, extract.getIndices()),
          what->isUnsigned);
      if (what->zero)
        whole = arith::SubIOp::create(
            rewriter, loc, whole,
            widenByte(rewriter, loc, at(what->zero), what->isUnsigned));
      Value real =
          arith::SIToFPOp::create(rewriter, loc, rewriter.getF32Type(), whole);
      if (what->scale)
        real = arith::MulFOp::create(rewriter, loc, real, at(what->scale));
      rewriter.replaceOp(extract, real);
      return success();
    }
    return failure();
  }
};

struct ReshapeBytes : OpRewritePattern<model::ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(model::ReshapeOp op,
                                PatternRewriter &rewriter) const final {
    std::optional<Dequantized> what = dequantizedOf(op.getSource());
    if (!what || !what->map.isIdentity())
      return failure();
    Parameter zero = what->zero, scale = what->scale;
    if (!fit(op, zero, rewriter, /*check=*/true) ||
        !fit(op, scale, rewriter, /*check=*/true))
      return failure();
    Location loc = op.getLoc();
    fit(op, zero, rewriter, /*check=*/false);
    fit(op, scale, rewriter, /*check=*/false);
    auto type = cast<RankedTensorType>(op.getType());
    Value data = model::ReshapeOp::create(
        rewriter, loc,
        RankedTensorType::get(type.getShape(), rewriter.getI8Type()),
        what->data, op.getDims());
    Dequantized result = *what;
    result.data = data;
    result.map = rewriter.getMultiDimIdentityMap(type.getRank());
    result.zero = zero;
    result.scale = scale;
    rewriter.replaceOp(op, dequantize(rewriter, loc, data, result));
    return success();
  }

private:
  /// Reads a parameter of one axis after the reshape: the axis stays, or
  /// becomes several dims.
  static bool fit(model::ReshapeOp op, Parameter &parameter,
                  PatternRewriter &rewriter, bool check) {
    auto to = cast<RankedTensorType>(op.getType());
    if (!parameter.tensor)
      return true;
    MLIRContext *context = op.getContext();
    if (parameter.isUniform()) {
      parameter.map =
          AffineMap::get(to.getRank(), 0, parameter.map.getResults(), context);
      return true;
    }
    auto from = cast<RankedTensorType>(op.getSource().getType());
    auto type = cast<RankedTensorType>(parameter.tensor.getType());
    if (parameter.map.getNumResults() != 1 || !from.hasStaticShape() ||
        !to.hasStaticShape())
      return false;
    auto axis = dyn_cast<AffineDimExpr>(parameter.map.getResult(0));
    if (!axis)
      return false;
    // The dims of the result that hold the elements of the axis.
    auto product = [](ArrayRef<int64_t> dims) {
      int64_t result = 1;
      for (int64_t dim : dims)
        result *= dim;
      return result;
    };
    int64_t inside =
        product(from.getShape().drop_front(axis.getPosition() + 1));
    int64_t size = from.getDimSize(axis.getPosition());
    SmallVector<int64_t> shape;
    SmallVector<AffineExpr> dims;
    int64_t below = 1;
    for (int64_t d = to.getRank() - 1; d >= 0; --d) {
      int64_t dim = to.getDimSize(d);
      if (below >= inside && below < inside * size && dim != 1) {
        shape.insert(shape.begin(), dim);
        dims.insert(dims.begin(), getAffineDimExpr(d, context));
        if (below % inside != 0)
          return false;
      }
      below *= dim;
    }
    if (product(shape) != size || shape.empty())
      return false;
    if (check)
      return true;
    if (shape.size() > 1)
      parameter.tensor = model::ReshapeOp::create(
          rewriter, op.getLoc(),
          RankedTensorType::get(shape, type.getElementType()), parameter.tensor,
          ValueRange());
    parameter.map = AffineMap::get(to.getRank(), 0, dims, context);
    return true;
  }
};

struct ConcatBytes : OpRewritePattern<tensor::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ConcatOp op,
                                PatternRewriter &rewriter) const final {
    std::optional<Dequantized> first;
    SmallVector<Value> data;
    for (Value input : op.getInputs()) {
      std::optional<Dequantized> what = dequantizedOf(input);
      if (!what || !what->isUniform() || !what->map.isIdentity())
        return failure();
      if (!first)
        first = what;
      if (what->isUnsigned != first->isUnsigned ||
          !(what->zero == first->zero) || !(what->scale == first->scale))
        return failure();
      data.push_back(what->data);
    }
    auto type = cast<RankedTensorType>(op.getType());
    auto bytes = RankedTensorType::get(type.getShape(), rewriter.getI8Type());
    if (tensor::ConcatOp::inferResultType(op.getDim(),
                                          ValueRange(data).getTypes()) != bytes)
      return failure();
    Location loc = op.getLoc();
    Value joined =
        tensor::ConcatOp::create(rewriter, loc, bytes, op.getDim(), data);
    rewriter.replaceOp(
        op, dequantize(rewriter, loc, joined, over(*first, joined, joined)));
    return success();
  }
};

struct MaximumOfBytes : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (!isMaximum(op))
      return failure();
    std::optional<Dequantized> what =
        dequantizedOf(op.getDpsInputOperand(0)->get());
    if (!what || !what->isUniform() || !isIncreasing(*what))
      return failure();
    Location loc = op.getLoc();
    Value bytes = maximumOfBytes(
        rewriter, op, what->data,
        what->map.compose(op.getMatchingIndexingMap(op.getDpsInputOperand(0))),
        what->isUnsigned);
    rewriter.replaceOp(
        op, dequantize(rewriter, loc, bytes, over(*what, bytes, bytes)));
    return success();
  }
};
} // namespace

void nestor::populateQuantizedMovementPatterns(RewritePatternSet &patterns) {
  patterns.add<GatherBytes, GatherConstants, ReshapeBytes, ConcatBytes,
               MaximumOfBytes>(patterns.getContext());
}
