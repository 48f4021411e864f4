//===- IntegerProducts.cpp - Products of dequantised tensors --------------===//
//
// sum_k (a - za) * sa * (b - zb) * sb
//     => (sum_k a * b - za * sum_k b - zb * sum_k (a - za)) * (sa * sb)
//
// with the sums in i32 and the scales behind them; sum_k b of constant weights
// is a constant. Where a is read through windows, zb is taken off the constant
// b instead, which then has 16 bits.
//
// Assumes: bytes on both sides; zero points and scales do not vary along the
// sum. Leaves true: sums are exact up to 2^31; one with a known number of terms
// that could exceed it stays in floats. The scaled result is nearer to the real
// one than the sum in floats, which rounds each term.
//
//===----------------------------------------------------------------------===//
#include "ProductSum.h"

#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace nestor;

/// Terms of at most 255 * 255 that fit into an i32.
static constexpr int64_t kMaxTerms = 33025;

static bool mayOverflow(linalg::GenericOp sum) {
  int64_t terms = 1;
  for (auto [extent, kind] :
       llvm::zip_equal(sum.getStaticLoopRanges(), sum.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction &&
        !ShapedType::isDynamic(extent) &&
        (llvm::MulOverflow(terms, std::max<int64_t>(extent, 1), terms) ||
         terms > kMaxTerms))
      return true;
  return false;
}

/// b - zb in 16 bits, over b's own dims.
static Dequantized withoutZero(OpBuilder &builder, Location loc,
                               const ProductSum &sum, const Dequantized &b) {
  std::optional<Parameter> zero = sum.toOperand(b.zero, b.map);
  GenericInputs inputs;
  int64_t rank = cast<RankedTensorType>(b.data.getType()).getRank();
  unsigned data = inputs.add(b.data, builder.getMultiDimIdentityMap(rank));
  unsigned shift = inputs.add(*zero);
  Dequantized result = b;
  result.zero = Parameter();
  result.isUnsigned = false;
  result.data = mapGeneric(
      builder, loc, b.data, builder.getI16Type(), inputs,
      [&](OpBuilder &at, Location l, ValueRange args) -> Value {
        Value x = widenByte(at, l, inputs.at(data, at, l, args), b.isUnsigned);
        Value z = widenByte(at, l, inputs.at(shift, at, l, args), b.isUnsigned);
        return arith::TruncIOp::create(at, l, at.getI16Type(),
                                       arith::SubIOp::create(at, l, x, z));
      });
  return result;
}

namespace {
/// What is subtracted from the sum of bytes, read over the result's dims.
struct Correction {
  Parameter zero; // absent: `sums` is the whole correction
  Parameter sums;
};

struct IntegerProduct : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (!isPlainProductSum(op) || !startsAtZero(op))
      return failure();
    ProductSum sum(op);
    auto a = sum.operand(0), b = sum.operand(1);
    if (!a || !b || mayOverflow(op))
      return failure();
    for (const Dequantized *side : {&*a, &*b})
      for (const Parameter *parameter : {&side->zero, &side->scale})
        if (*parameter && !sum.toResult(*parameter))
          return failure();
    if (!sum.infersLoops({a->map, b->map}))
      return failure();

    rewriter.setInsertionPoint(op);
    Location loc = op.getLoc();
    if (b->zero && !sum.isPlain(a->map)) {
      if (!isConstantTensor(b->data) || !sum.toOperand(b->zero, b->map))
        return failure();
      *b = withoutZero(rewriter, loc, sum, *b);
    }
    if ((a->zero && !sum.canSum(b->map)) ||
        (b->zero && (!sum.canSum(a->map) ||
                     (a->zero.tensor && !sum.toOperand(a->zero, a->map)))))
      return failure();

    SmallVector<Correction> corrections;
    if (a->zero)
      corrections.push_back(correct(rewriter, loc, sum, a->zero, *b, nullptr));
    if (b->zero)
      corrections.push_back(correct(rewriter, loc, sum, b->zero, *a, &a->zero));

    Value products = multiply(rewriter, loc, sum, *a, *b);
    rewriter.replaceOp(op, finish(rewriter, loc, sum, products, corrections,
                                  *sum.toResult(a->scale),
                                  *sum.toResult(b->scale)));
    return success();
  }

private:
  /// zero * sum(other - zeroOfOther).
  static Correction correct(OpBuilder &builder, Location loc,
                            const ProductSum &sum, const Parameter &zero,
                            const Dequantized &other,
                            const Parameter *zeroOfOther) {
    Parameter sums = sum.sumOf(builder, loc, other,
                               zeroOfOther ? *zeroOfOther : Parameter());
    Parameter scaled = *sum.toResult(zero);
    if (!scaled.number)
      return {scaled, *sum.toResult(sums)};
    // A number: one constant less for the result, when `other` is constant.
    GenericInputs inputs;
    int64_t rank = cast<RankedTensorType>(sums.tensor.getType()).getRank();
    unsigned data =
        inputs.add(sums.tensor, builder.getMultiDimIdentityMap(rank));
    sums.tensor = mapGeneric(
        builder, loc, sums.tensor, builder.getI32Type(), inputs,
        [&](OpBuilder &at, Location l, ValueRange args) -> Value {
          Value by = arith::ConstantOp::create(at, l, scaled.number);
          return arith::MulIOp::create(at, l, inputs.at(data, at, l, args), by);
        });
    return {Parameter(), *sum.toResult(sums)};
  }

  static Value multiply(OpBuilder &builder, Location loc, const ProductSum &sum,
                        const Dequantized &a, const Dequantized &b) {
    GenericInputs inputs;
    unsigned x = inputs.add(a.data, a.map), y = inputs.add(b.data, b.map);
    Value empty = emptyLike(builder, loc, sum.result(), builder.getI32Type());
    return sumGeneric(
        builder, loc, empty, inputs, sum.resultMap(), sum.kinds(),
        [&](OpBuilder &at, Location l, ValueRange args) -> Value {
          return arith::MulIOp::create(
              at, l, widenByte(at, l, inputs.at(x, at, l, args), a.isUnsigned),
              widenByte(at, l, inputs.at(y, at, l, args), b.isUnsigned));
        });
  }

  static Value finish(OpBuilder &builder, Location loc, const ProductSum &sum,
                      Value products, ArrayRef<Correction> corrections,
                      const Parameter &scaleA, const Parameter &scaleB) {
    Parameter scale = multiplied(builder, loc, scaleA, scaleB);
    bool both = !scale && scaleA && scaleB;
    GenericInputs inputs;
    int64_t rank = cast<RankedTensorType>(products.getType()).getRank();
    unsigned acc = inputs.add(products, builder.getMultiDimIdentityMap(rank));
    SmallVector<std::pair<int, unsigned>> shifts;
    for (const Correction &c : corrections) {
      int zero = c.zero ? static_cast<int>(inputs.add(c.zero)) : -1;
      shifts.push_back({zero, inputs.add(c.sums)});
    }
    unsigned by = 0, byB = 0;
    if (scale)
      by = inputs.add(scale);
    if (both) {
      by = inputs.add(scaleA);
      byB = inputs.add(scaleB);
    }
    return mapGeneric(
        builder, loc, products, builder.getF32Type(), inputs,
        [&](OpBuilder &at, Location l, ValueRange args) -> Value {
          Value whole = inputs.at(acc, at, l, args);
          for (auto [i, shift] : llvm::enumerate(shifts)) {
            Value term = inputs.at(shift.second, at, l, args);
            if (shift.first >= 0)
              term = arith::MulIOp::create(
                  at, l, term,
                  widenByte(at, l, inputs.at(shift.first, at, l, args),
                            corrections[i].zero.isUnsigned));
            whole = arith::SubIOp::create(at, l, whole, term);
          }
          Value real = arith::SIToFPOp::create(at, l, at.getF32Type(), whole);
          if (!scale && !both)
            return real;
          Value factor = inputs.at(by, at, l, args);
          if (both)
            factor = arith::MulFOp::create(at, l, factor,
                                           inputs.at(byB, at, l, args));
          return arith::MulFOp::create(at, l, real, factor);
        });
  }
};
} // namespace

void nestor::populateIntegerProductPatterns(RewritePatternSet &patterns) {
  patterns.add<IntegerProduct>(patterns.getContext());
}
