//===- DynamicQuantization.cpp - Data quantised on the way ----------------===//
//
// sum_k x[m, k] * (w[k, n] - z) * s, w constant bytes, x floats
//     => a[m] = max_k |x[m, k]|;  q[m, k] = 128 + round(x[m, k] * (127 / a[m]))
//        sum_k ((q[m, k] - 128) * a[m] / 127) * (w[k, n] - z) * s
//
// which IntegerProducts then computes in integers. q is unsigned: that is the
// form that instructions take data in, and what 128 adds is a constant. Only
// when asked for
// (--precision=int8): each element of x loses all but 7 bits below the greatest
// of its row.
//
// Assumes: x is indexed by one loop a dim. Leaves true: the greatest of a row
// is one of 1 and 255, a row of zeros stays zeros.
//
//===----------------------------------------------------------------------===//
#include "ProductSum.h"

#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace nestor;

static Value real(OpBuilder &builder, Location loc, double v) {
  return arith::ConstantOp::create(
      builder, loc, builder.getF32FloatAttr(static_cast<float>(v)));
}

namespace {
struct QuantizeData : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (!isPlainProductSum(op) || !startsAtZero(op))
      return failure();
    ProductSum sum(op);
    for (unsigned which : {0, 1}) {
      std::optional<Dequantized> w = sum.operand(1 - which);
      AffineMap map = sum.inputMap(which);
      if (!w || !isConstantTensor(w->data) || sum.operand(which) ||
          isConstantTensor(sum.input(which)) || !sum.isPlain(map) ||
          !sum.canSum(map) || !sum.toResult(w->scale) ||
          !sum.toResult(w->zero) || !sum.canSum(w->map))
        continue;
      rewriter.setInsertionPoint(op);
      Value data = quantized(rewriter, op.getLoc(), sum, which);
      rewriter.modifyOpInPlace(
          op, [&] { op.getDpsInputOperand(which)->set(data); });
      return success();
    }
    return failure();
  }

private:
  /// The dims of input `which` that are summed over.
  static SmallVector<utils::IteratorType> kindsOf(const ProductSum &sum,
                                                  unsigned which) {
    SmallVector<utils::IteratorType> kinds;
    for (AffineExpr expr : sum.inputMap(which).getResults()) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      kinds.push_back(loop ? sum.kinds()[loop.getPosition()]
                           : utils::IteratorType::parallel);
    }
    return kinds;
  }

  /// The greatest magnitude of each row.
  static Value greatest(OpBuilder &builder, Location loc, Value x,
                        ArrayRef<utils::IteratorType> kinds, AffineMap rows) {
    auto type = cast<RankedTensorType>(x.getType());
    SmallVector<int64_t> shape;
    SmallVector<Value> sizes;
    for (AffineExpr expr : rows.getResults()) {
      unsigned d = cast<AffineDimExpr>(expr).getPosition();
      shape.push_back(type.getDimSize(d));
      if (type.isDynamicDim(d))
        sizes.push_back(tensor::DimOp::create(builder, loc, x, d));
    }
    Value empty = tensor::EmptyOp::create(builder, loc, shape,
                                          builder.getF32Type(), sizes);
    auto small = cast<RankedTensorType>(empty.getType());
    SmallVector<utils::IteratorType> flat(shape.size(),
                                          utils::IteratorType::parallel);
    Value zero =
        linalg::GenericOp::create(
            builder, loc, TypeRange(small), ValueRange(), ValueRange(empty),
            {builder.getMultiDimIdentityMap(shape.size())}, flat,
            [&](OpBuilder &b, Location l, ValueRange) {
              linalg::YieldOp::create(b, l, real(b, l, 0));
            })
            .getResult(0);
    return linalg::GenericOp::create(
               builder, loc, TypeRange(small), ValueRange(x), ValueRange(zero),
               ArrayRef<AffineMap>{
                   builder.getMultiDimIdentityMap(type.getRank()), rows},
               kinds,
               [&](OpBuilder &b, Location l, ValueRange args) {
                 Value size = math::AbsFOp::create(b, l, args[0]);
                 Value max = arith::MaximumFOp::create(b, l, args[1], size);
                 linalg::YieldOp::create(b, l, max);
               })
        .getResult(0);
  }

  static Value quantized(OpBuilder &builder, Location loc,
                         const ProductSum &sum, unsigned which) {
    Value x = sum.input(which);
    auto type = cast<RankedTensorType>(x.getType());
    SmallVector<utils::IteratorType> kinds = kindsOf(sum, which);
    SmallVector<AffineExpr> kept;
    for (auto [d, kind] : llvm::enumerate(kinds))
      if (kind == utils::IteratorType::parallel)
        kept.push_back(builder.getAffineDimExpr(d));
    AffineMap rows =
        AffineMap::get(type.getRank(), 0, kept, builder.getContext());
    Value peak = greatest(builder, loc, x, kinds, rows);
    AffineMap own = builder.getMultiDimIdentityMap(kept.size());
    auto perRow =
        [&](llvm::function_ref<Value(OpBuilder &, Location, Value)> body) {
          GenericInputs inputs;
          unsigned p = inputs.add(peak, own);
          return mapGeneric(builder, loc, peak, builder.getF32Type(), inputs,
                            [&](OpBuilder &b, Location l, ValueRange args) {
                              return body(b, l, inputs.at(p, b, l, args));
                            });
        };
    Value factor = perRow([&](OpBuilder &b, Location l, Value v) -> Value {
      Value none = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OEQ, v,
                                         real(b, l, 0));
      Value by = arith::DivFOp::create(b, l, real(b, l, 127), v);
      return arith::SelectOp::create(b, l, none, real(b, l, 0), by);
    });
    Value unit = perRow([&](OpBuilder &b, Location l, Value v) -> Value {
      return arith::MulFOp::create(b, l, v, real(b, l, 1.0 / 127));
    });

    GenericInputs inputs;
    unsigned data =
        inputs.add(x, builder.getMultiDimIdentityMap(type.getRank()));
    unsigned by = inputs.add(factor, rows);
    Value bytes = mapGeneric(
        builder, loc, x, builder.getI8Type(), inputs,
        [&](OpBuilder &b, Location l, ValueRange args) -> Value {
          Value v = arith::MulFOp::create(b, l, inputs.at(data, b, l, args),
                                          inputs.at(by, b, l, args));
          v = math::RoundEvenOp::create(b, l, v);
          // A NaN becomes a number, so that the conversion is defined.
          v = arith::MaxNumFOp::create(b, l, v, real(b, l, -127));
          v = arith::MinNumFOp::create(b, l, v, real(b, l, 127));
          Value whole = arith::FPToSIOp::create(b, l, b.getI32Type(), v);
          whole = arith::AddIOp::create(
              b, l, whole,
              arith::ConstantOp::create(b, l, b.getI32IntegerAttr(128)));
          return arith::TruncIOp::create(b, l, b.getI8Type(), whole);
        });
    Dequantized what;
    what.data = bytes;
    what.map = builder.getMultiDimIdentityMap(type.getRank());
    what.isUnsigned = true;
    what.zero.number = builder.getI32IntegerAttr(128);
    what.scale = {{}, unit, rows, false};
    return dequantize(builder, loc, bytes, what);
  }
};
} // namespace

void nestor::populateDynamicQuantizationPatterns(RewritePatternSet &patterns) {
  patterns.add<QuantizeData>(patterns.getContext());
}
