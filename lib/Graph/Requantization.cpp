//===- Requantization.cpp - Bytes made floats and the same bytes again ----===//
//
// quantise(dequantise(x)) of one scale and one zero point => x
//
// which is left where a pooling or a copy stood between the two. (x - z) * s /
// s is within one unit in the last place of x - z, and rounds to it.
//
// Assumes: the scale is a positive number of ordinary size.
//
//===----------------------------------------------------------------------===//
#include "Quantizer.h"

#include "nestor/Graph/Dequantized.h"
#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

/// `v` without one operation of kind Op on the way to its first operand.
template <typename Op>
static Value peel(Value v) {
  auto op = v ? v.getDefiningOp<Op>() : Op();
  return op ? op->getOperand(0) : Value();
}

static std::optional<float> floatNumber(Value v) {
  APFloat number(0.0f);
  if (!v || !matchPattern(v, m_ConstantFloat(&number)) ||
      &number.getSemantics() != &APFloat::IEEEsingle())
    return std::nullopt;
  return number.convertToFloat();
}

std::optional<Quantizer> nestor::quantizerOf(linalg::GenericOp op) {
  Value v = op.getBlock()->getTerminator()->getOperand(0);
  if (!v.getType().isInteger(8))
    return std::nullopt;
  // trunc(int(min(max(round(round(x / s) + z), low), high)))
  auto high = peel<arith::FPToSIOp>(peel<arith::TruncIOp>(v));
  auto low = peel<arith::MinNumFOp>(high);
  Value whole = peel<arith::MaxNumFOp>(low);
  if (!whole)
    return std::nullopt;
  std::optional<float> least = floatNumber(low.getDefiningOp()->getOperand(1));
  std::optional<float> most = floatNumber(high.getDefiningOp()->getOperand(1));
  if (!least || !most ||
      !((*least == 0 && *most == 255) || (*least == -128 && *most == 127)))
    return std::nullopt;
  Quantizer found;
  found.least = *least;
  found.zero = 0;
  // The zero point is whole: rounding after it changes nothing.
  if (Value inner = peel<math::RoundEvenOp>(whole))
    if (inner.getDefiningOp<arith::AddFOp>())
      whole = inner;
  if (auto add = whole.getDefiningOp<arith::AddFOp>()) {
    std::optional<float> number = floatNumber(add.getRhs());
    if (!number)
      return std::nullopt;
    found.zero = *number;
    whole = add.getLhs();
  }
  Value quotient = peel<math::RoundEvenOp>(whole);
  if (Value inner = peel<math::RoundEvenOp>(quotient))
    quotient = inner;
  auto div =
      quotient ? quotient.getDefiningOp<arith::DivFOp>() : arith::DivFOp();
  std::optional<float> scale =
      div ? floatNumber(div.getRhs()) : std::optional<float>();
  if (!scale || !(*scale > 1e-30f && *scale < 1e30f))
    return std::nullopt;
  found.scale = *scale;
  found.real = div.getLhs();
  return found;
}

namespace {
struct SameBytes : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (op->getNumResults() != 1 || !isElementwise(op))
      return failure();
    std::optional<Quantizer> quantizer = quantizerOf(op);
    if (!quantizer)
      return failure();
    std::optional<Dequantized> what = dequantizedIn(op, quantizer->real);
    if (!what || !what->map.isIdentity() ||
        what->isUnsigned != quantizer->isUnsigned() || what->zero.tensor)
      return failure();
    auto own = dyn_cast_or_null<FloatAttr>(what->scale.number);
    auto shift = dyn_cast_or_null<IntegerAttr>(what->zero.number);
    if (!own || own.getValue().convertToFloat() != quantizer->scale ||
        quantizer->zero != static_cast<float>(shift ? shift.getInt() : 0))
      return failure();
    rewriter.replaceOp(op, what->data);
    return success();
  }
};
} // namespace

void nestor::populateRequantizationPatterns(RewritePatternSet &patterns) {
  patterns.add<SameBytes>(patterns.getContext());
}
