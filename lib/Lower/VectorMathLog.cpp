//===- VectorMathLog.cpp - Logarithms and powers of f32 -------------------===//
//
// Logarithms build on ln(2^k (1 + f)) = k ln 2 + f - f^2/2 + f^3 p(f) with
// 1 + f in [sqrt(1/2), sqrt(2)). The power function works in f64, where its
// intermediate precision is free of tricks; denormal results are rounded once,
// by the last conversion.
//
//===----------------------------------------------------------------------===//
#include "VectorMathBuilder.h"

using namespace nestor;

namespace {

constexpr float ln2Hi = 0.693147182f, ln2Lo = -1.90465421e-9f;
constexpr float smallestNormal = 1.17549435e-38f;

/// ln(1 + f) - f.
Value logTail(MathBuilder &m, Value f) {
  Value p =
      m.poly(f, {0.333333790f, -0.250008434f, 0.199986681f, -0.166208908f,
                 0.142442435f, -0.132199138f, 0.125378415f, -0.0723589957f});
  p = m.fma(p, f, m.f(-0.5f));
  return m.mul(m.mul(f, f), p);
}

/// x = 2^k (1 + f) for positive finite x, denormals included.
struct Split {
  Value k; // f32
  Value f;
};

Split split(MathBuilder &m, Value x) {
  Value isTiny = m.lt(x, m.f(smallestNormal));
  Value y = m.select(isTiny, m.mul(x, m.f(8388608.0f)), x);
  Value bits = m.bits(y);
  // Centre on sqrt(1/2): the exponent's field then counts k.
  Value k = m.sar(m.subi(bits, m.i(0x3f3504f3)), m.i(23));
  Value f = m.sub(m.fromBits(m.subi(bits, m.shl(k, m.i(23)))), m.f(1.0f));
  Value count = m.toFloat(k);
  count = m.add(count, m.select(isTiny, m.f(-23.0f), m.f(0.0f)));
  return {count, f};
}

/// Puts in the values at the pole, beyond it (NaN) and at inf; `pole` is 0 for
/// log and -1 for log1p. NaN fails the ordered tests and so comes out as NaN.
Value logSpecials(MathBuilder &m, Value x, Value y, float pole) {
  Value inf = m.f(vmath::infinity), edge = m.f(pole);
  y = m.select(m.eq(x, inf), inf, y);
  Value other =
      m.select(m.eq(x, edge), m.f(-vmath::infinity), m.f(__builtin_nanf("")));
  return m.select(m.gt(x, edge), y, other);
}

/// k ln 2 + f + tail, smallest first.
Value assemble(MathBuilder &m, Value k, Value f, Value tail) {
  Value low = m.fma(k, m.f(ln2Lo), tail);
  return m.fma(k, m.f(ln2Hi), m.add(f, low));
}

/// log of another base: scale = hi + lo = 1 / ln(base), k counted in `unit`.
Value scaledLog(MathBuilder &m, Value x, float hi, float lo, float unitHi,
                float unitLo) {
  Split s = split(m, x);
  Value tail = logTail(m, s.f);
  // (f + tail) * scale with the leading product exact to the last bit.
  Value low = m.fma(s.f, m.f(lo), m.mul(tail, m.f(hi)));
  if (unitLo != 0)
    low = m.fma(s.k, m.f(unitLo), low);
  Value high = m.fma(s.f, m.f(hi), low);
  return logSpecials(m, x, m.fma(s.k, m.f(unitHi), high), 0.0f);
}

/// ln(1 + x) for x > -1, x finite; `extra` is added to k (in f32).
Value log1pCore(MathBuilder &m, Value x, Value extra) {
  // 1 + x = 2^k u, found from the rounded sum; f = x 2^-k + (2^-k - 1) is then
  // exact but for one rounding, whatever the sum lost.
  Value sum = m.add(x, m.f(1.0f));
  Value k = m.andi(m.subi(m.bits(sum), m.i(0x3f3504f3)), m.i(0xff800000));
  // 2^(2-k) stays a normal number for every k; a quarter of it may not.
  Value power = m.fromBits(m.subi(m.i(0x40800000), k));
  Value offset = m.fma(m.f(0.25f), power, m.f(-1.0f));
  Value f = m.fma(m.mul(x, m.f(0.25f)), power, offset);
  Value count = m.mul(m.toFloat(k), m.f(1.1920929e-7f)); // k field / 2^23
  if (extra)
    count = m.add(count, extra);
  return assemble(m, count, f, logTail(m, f));
}

} // namespace

Value vmath::log(MathBuilder &m, Value x) {
  Split s = split(m, x);
  return logSpecials(m, x, assemble(m, s.k, s.f, logTail(m, s.f)), 0.0f);
}

Value vmath::log2(MathBuilder &m, Value x) {
  return scaledLog(m, x, 1.44269502f, 1.92596303e-8f, 1.0f, 0.0f);
}

Value vmath::log10(MathBuilder &m, Value x) {
  return scaledLog(m, x, 0.434294492f, -1.01030501e-8f, 0.301030010f,
                   -1.43209888e-8f);
}

Value vmath::log1p(MathBuilder &m, Value x) {
  Value y = logSpecials(m, x, log1pCore(m, x, Value()), -1.0f);
  // Tiny x is its own result; keeps denormals and -0.
  return m.select(m.lt(m.abs(x), m.f(2.98023224e-8f)), x, y);
}

Value vmath::asinh(MathBuilder &m, Value x) {
  // ln(1 + a + a^2 / (1 + sqrt(1 + a^2))); ln(2a) where a^2 would overflow.
  Value a = m.abs(x), one = m.f(1.0f);
  Value isBig = m.gt(a, m.f(1048576.0f));
  Value square = m.mul(a, a);
  Value root = m.sqrt(m.add(square, one));
  Value t = m.add(a, m.div(square, m.add(one, root)));
  t = m.select(isBig, m.sub(a, one), t);
  Value y = log1pCore(m, t, m.select(isBig, one, m.f(0.0f)));
  y = m.select(m.lt(a, m.f(infinity)), y, a); // inf, NaN
  // Below 2^-12 the cube is beyond the last bit.
  y = m.select(m.lt(a, m.f(2.44140625e-4f)), a, y);
  return m.copysign(y, x);
}

Value vmath::acosh(MathBuilder &m, Value x) {
  Value one = m.f(1.0f);
  Value isBig = m.gt(x, m.f(1048576.0f));
  Value t = m.sub(x, one);
  Value inner = m.add(t, m.sqrt(m.fma(t, t, m.add(t, t))));
  inner = m.select(isBig, t, inner);
  Value y = log1pCore(m, inner, m.select(isBig, one, m.f(0.0f)));
  Value isOrdinary = m.andi(m.cmp(mlir::arith::CmpFPredicate::OGE, x, one),
                            m.lt(x, m.f(infinity)));
  return m.select(isOrdinary, y,
                  m.select(m.eq(x, m.f(infinity)), x, m.f(__builtin_nanf(""))));
}

Value vmath::atanh(MathBuilder &m, Value x) {
  // ln((1 + a) / (1 - a)) / 2.
  Value a = m.abs(x), one = m.f(1.0f);
  Value t = m.div(m.add(a, a), m.sub(one, a));
  Value y = m.mul(m.f(0.5f), log1pCore(m, t, Value()));
  y = m.select(m.lt(a, one), y,
               m.select(m.eq(a, one), m.f(infinity), m.f(__builtin_nanf(""))));
  // Below 2^-13 the cube is beyond the last bit; keeps tiny values exact.
  y = m.select(m.lt(a, m.f(1.22070312e-4f)), a, y);
  return m.copysign(y, x);
}

/// log2(a) in f64 for positive finite a, within 2^-37.
static Value log2Double(MathBuilder &m, Value a) {
  // Every f32, denormals too, is a normal f64.
  Value bits = m.bits64(m.toDouble(a));
  Value shifted = m.subi(bits, m.l(0x3fe6a09e667f3bcdull));
  Value field = m.andi(shifted, m.l(0xfff0000000000000ull));
  Value mantissa = m.fromBits64(m.subi(bits, field));
  Value s = m.div(m.sub(mantissa, m.d(1.0)), m.add(mantissa, m.d(1.0)));
  Value p = m.polyD(m.mul(s, s),
                    {2.885390081790171645792497656657360494136810302734375,
                     0.96179667322576622989771522043156437575817108154296875,
                     0.577083608581879570209594021434895694255828857421875,
                     0.411671223220657633845576128805987536907196044921875,
                     0.3407591111687795493168096072622574865818023681640625});
  // The field as a number: its bits under the exponent of 1.5 * 2^52, which
  // spares AVX2 the conversion of i64 that it lacks.
  Value low = m.shr(m.addi(shifted, m.l(uint64_t(2048) << 52)), m.l(52));
  Value k = m.sub(m.fromBits64(m.ori(low, m.l(0x4330000000000000ull))),
                  m.d(4503599627370496.0 + 2048.0));
  return m.fma(s, p, k);
}

/// 2^t as f32, for t clamped to where f32 over- and underflows.
static Value exp2Double(MathBuilder &m, Value t) {
  t = m.atMost(t, m.d(130.0));
  t = m.atLeast(t, m.d(-152.0));
  Value shifted = m.add(t, m.d(6755399441055744.0)); // 1.5 * 2^52
  Value r = m.sub(t, m.sub(shifted, m.d(6755399441055744.0)));
  Value p = m.polyD(r, {0.999999999961681762528087347163818776607513427734375,
                        0.693147180728445722053265853901393711566925048828125,
                        0.2402265119815794880420156687250710092484951019287,
                        0.05550410353452604056342405015615644461450055301,
                        0.009618027253637119466933569356115185655653476715,
                        0.001333392256004194706756060817554043751443982505,
                        0.0001546929115017751021551872801725300425716862,
                        0.00001520192234379429957057301703304830198248965});
  Value power = m.shl(m.bits64(shifted), m.l(52));
  return m.toSingle(m.fromBits64(m.addi(m.bits64(p), power)));
}

Value vmath::pow(MathBuilder &m, Value x, Value y) {
  Value a = m.abs(x);
  Value zero = m.f(0.0f), inf = m.f(infinity), one = m.f(1.0f);
  Value result = exp2Double(m, m.mul(y, log2Double(m, a)));

  // |x| of 0 and inf: 0 or inf by the sign of y.
  Value yNegative = m.lt(y, m.d(0.0));
  Value atZero = m.select(yNegative, inf, zero);
  Value atInf = m.select(yNegative, zero, inf);
  result = m.select(m.eq(a, zero), atZero, result);
  result = m.select(m.eq(a, inf), atInf, result);

  // Negative bases: odd integer exponents keep the sign, others are NaN.
  Value rounded = mlir::math::FloorOp::create(m.b, m.loc, y);
  Value isInteger = m.eq(rounded, y);
  Value half = m.mul(y, m.d(0.5));
  Value isEven = m.eq(mlir::math::FloorOp::create(m.b, m.loc, half), half);
  Value isNegative = m.cmpi(mlir::arith::CmpIPredicate::slt, m.bits(x), m.i(0));
  Value isOdd = m.andi(isInteger, m.xori(isEven, isInteger));
  result = m.select(m.andi(isNegative, isOdd), m.neg(result), result);
  Value isFinite = m.andi(m.lt(x, zero), m.gt(x, m.f(-infinity)));
  Value nan = m.f(__builtin_nanf(""));
  result =
      m.select(m.andi(isFinite, m.xori(isInteger, m.eq(y, y))), nan, result);

  // |y| = inf by |x| against 1; NaNs; x^0 = 1^y = 1 whatever the other is.
  Value yInf = m.eq(m.abs(y), m.d(__builtin_inf()));
  Value grows = m.xori(m.gt(a, one), yNegative);
  Value byInf = m.select(m.eq(a, one), one, m.select(grows, inf, zero));
  result = m.select(yInf, byInf, result);
  Value anyNaN = m.ori(m.isNaN(x), m.isNaN(y));
  result = m.select(anyNaN, nan, result);
  Value isOne = m.ori(m.eq(x, one), m.eq(y, m.d(0.0)));
  return m.select(isOne, one, result);
}

Value vmath::cbrt(MathBuilder &m, Value x) {
  Value a = m.abs(x);
  // Scaled up where the residue below would underflow.
  Value isTiny = m.lt(a, m.f(7.88860905e-31f));                     // 2^-100
  Value y = m.select(isTiny, m.mul(a, m.f(281474976710656.0f)), a); // 2^48
  // A third of the bits is a third of the exponent: y^(-1/3) within 4 %.
  Value third = m.mul(m.toFloat(m.bits(y)), m.f(1.0f / 3.0f));
  Value guess = mlir::arith::FPToSIOp::create(m.b, m.loc, m.i32Type(), third);
  Value r = m.fromBits(m.subi(m.i(0x54a239b9), guess));
  // Newton without division: r += r (1 - y r^3) / 3.
  for (int step = 0; step < 3; ++step) {
    Value error = m.fma(m.neg(m.mul(r, r)), m.mul(r, y), m.f(1.0f));
    r = m.fma(m.mul(r, m.f(1.0f / 3.0f)), error, r);
  }
  Value square = m.mul(r, r);
  Value c = m.mul(square, y);
  // One corrected step on the root itself.
  Value cc = m.mul(c, c);
  Value low = m.fma(c, c, m.neg(cc));
  Value residue = m.fma(m.neg(cc), c, y);
  residue = m.fma(m.neg(low), c, residue);
  c = m.fma(m.mul(square, m.f(1.0f / 3.0f)), residue, c);
  c = m.select(isTiny, m.mul(c, m.f(1.52587891e-5f)), c);
  Value isSpecial =
      m.ori(m.eq(a, m.f(0.0f)),
            m.cmp(mlir::arith::CmpFPredicate::UGE, a, m.f(infinity)));
  return m.select(isSpecial, x, m.copysign(c, x));
}

Value vmath::rsqrt(MathBuilder &m, Value x) {
  return m.div(m.f(1.0f), m.sqrt(x));
}
