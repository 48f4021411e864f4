//===- VectorMathExp.cpp - Exponential functions of f32 -------------------===//
//
// All build on exp(x) = 2^k * p(r), k the integer nearest to x/ln 2, |r| <= ln
// 2 / 2. The coefficients are minimax fits whose last bits were chosen among
// f32 values. Clamps come first and keep every intermediate finite; NaN passes
// through them.
//
//===----------------------------------------------------------------------===//
#include "VectorMathBuilder.h"

using namespace nestor;

namespace {

constexpr float log2e = 1.44269502f;
constexpr float ln2Hi = 0.693147182f, ln2Lo = -1.90465421e-9f;

/// x = k ln 2 + r.
struct Reduced {
  Value bits; // k in the low bits, as an integer with a constant above them
  Value k;
  Value r;
};

Reduced reduce(MathBuilder &m, Value x) {
  Value shifted = m.fma(x, m.f(log2e), m.f(vmath::magic));
  Value k = m.sub(shifted, m.f(vmath::magic));
  Value r = m.fma(k, m.f(-ln2Hi), x);
  r = m.fma(k, m.f(-ln2Lo), r);
  return {m.bits(shifted), k, r};
}

/// exp(r) - 1 for |r| <= ln 2 / 2, within 2^-26 relative to exp(r).
Value expm1Poly(MathBuilder &m, Value r) {
  Value q = m.poly(r, {0.499999821f, 0.166665167f, 0.0416707136f,
                       8.36913288e-3f, 1.36998156e-3f});
  return m.fma(m.mul(r, r), q, r);
}

/// p * 2^k, with `bits` as in Reduced plus `shift` added to k. In two steps,
/// the first exact, so that overflow and denormals come out right.
Value scale(MathBuilder &m, Value p, Value bits, int shift = 0) {
  Value e = m.shl(bits, m.i(23)); // k << 23; the constant above falls out
  if (shift)
    e = m.addi(e, m.i(static_cast<uint32_t>(shift) << 23));
  Value half = m.andi(m.sar(e, m.i(1)), m.i(0xff800000));
  Value first = m.fromBits(m.addi(half, m.i(0x3f800000)));
  Value second = m.fromBits(m.addi(m.subi(e, half), m.i(0x3f800000)));
  return m.mul(m.mul(p, first), second);
}

/// exp(x) * 2^shift.
Value expScaled(MathBuilder &m, Value x, int shift) {
  x = m.atMost(x, m.f(90.0f));
  x = m.atLeast(x, m.f(-105.0f));
  Reduced red = reduce(m, x);
  Value p = m.add(expm1Poly(m, red.r), m.f(1.0f));
  return scale(m, p, red.bits, shift);
}

} // namespace

Value vmath::exp(MathBuilder &m, Value x) { return expScaled(m, x, 0); }

Value vmath::exp2(MathBuilder &m, Value x) {
  x = m.atMost(x, m.f(129.0f));
  x = m.atLeast(x, m.f(-151.0f));
  Value shifted = m.add(x, m.f(magic));
  Value r = m.sub(x, m.sub(shifted, m.f(magic))); // exact
  Value q = m.poly(r, {0.693147182f, 0.240226507f, 0.0555035807f,
                       9.61807556e-3f, 1.33916433e-3f, 1.54571913e-4f});
  return scale(m, m.fma(q, r, m.f(1.0f)), m.bits(shifted));
}

Value vmath::expm1(MathBuilder &m, Value x) {
  Value y = m.atMost(x, m.f(89.0f)); // k <= 128
  y = m.atLeast(y, m.f(-18.0f));
  Reduced red = reduce(m, y);
  Value p = expm1Poly(m, red.r);
  // 2 * (2^(k-1) p + (2^(k-1) - 1/2)): no overflow before the last step.
  Value half = m.fromBits(m.addi(m.shl(red.bits, m.i(23)), m.i(0x3f000000)));
  Value t = m.fma(half, p, m.sub(half, m.f(0.5f)));
  t = m.add(t, t);
  return m.select(m.eq(x, m.f(0.0f)), x, t); // keeps -0
}

Value vmath::sigmoid(MathBuilder &m, Value x) {
  Value one = m.f(1.0f);
  return m.div(one, m.add(one, exp(m, m.neg(x))));
}

Value vmath::tanh(MathBuilder &m, Value x) {
  // t = exp(2|x|) - 1, tanh|x| = t / (t + 2): no cancellation anywhere.
  Value a = m.atMost(m.abs(x), m.f(9.5f));
  Reduced red = reduce(m, m.add(a, a));
  Value p = expm1Poly(m, red.r);
  Value power = m.fromBits(m.addi(m.shl(red.bits, m.i(23)), m.i(0x3f800000)));
  Value t = m.fma(power, p, m.sub(power, m.f(1.0f)));
  return m.copysign(m.div(t, m.add(t, m.f(2.0f))), x);
}

Value vmath::sinh(MathBuilder &m, Value x) {
  Value a = m.abs(x);
  Value z = m.mul(x, x);
  Value small =
      m.poly(z, {0.166666672f, 8.33331514e-3f, 1.98416659e-4f, 2.78998391e-6f});
  small = m.fma(m.mul(z, x), small, x);
  Value half = expScaled(m, a, -1); // exp(a) / 2
  Value large = m.copysign(m.sub(half, m.div(m.f(0.25f), half)), x);
  return m.select(m.lt(a, m.f(1.0f)), small, large);
}

Value vmath::cosh(MathBuilder &m, Value x) {
  Value half = expScaled(m, m.abs(x), -1);
  return m.add(half, m.div(m.f(0.25f), half));
}

Value vmath::erf(MathBuilder &m, Value x) {
  Value a = m.atMost(m.abs(x), m.f(3.925f));
  Value z = m.mul(a, a);
  // |x| < 1: x + x * p(x^2).
  Value small =
      m.poly(z, {0.128379166f, -0.376126289f, 0.112836190f, -0.0268551745f,
                 5.19084418e-3f, -8.03182425e-4f, 7.92405845e-5f});
  small = m.fma(a, small, a);
  // Else 1 - q(|x| - 2.4), q absolutely within 2^-25 of erfc.
  Value y = m.sub(a, m.f(2.4f));
  Value large =
      m.poly(y, {6.88484870e-4f, -3.55569366e-3f, 8.53491295e-3f,
                 -0.0124678630f, 0.0121072605f, -7.89422542e-3f, 3.11259273e-3f,
                 -2.34100386e-4f, -5.61445428e-4f, 3.27207756e-4f,
                 -3.27195557e-5f, -3.19901228e-5f, 9.12449286e-6f});
  large = m.sub(m.f(1.0f), large);
  return m.copysign(m.select(m.lt(a, m.f(1.0f)), small, large), x);
}

Value vmath::erfc(MathBuilder &m, Value x) {
  // erfc(a) = exp(-a^2) * g(t) / (1 + 2a), t = (a - 2) / (a + 2).
  Value a = m.atMost(m.abs(x), m.f(10.1f));
  Value one = m.f(1.0f), two = m.f(2.0f);
  Value t = m.div(m.sub(a, two), m.add(a, two));
  Value g = m.poly(t, {0.276978403f, -0.0927638859f, -0.166031629f,
                       0.164052799f, -0.0542034097f, -8.04159232e-3f,
                       8.63472931e-3f, 1.26437529e-3f, -1.25297904e-3f,
                       -3.55749449e-4f, 3.08425078e-5f});
  g = m.add(g, one);
  Value scaled = m.div(g, m.fma(two, a, one));
  // exp(-a^2) with the square's rounding error put back.
  Value square = m.mul(a, a);
  Value error = m.fma(a, a, m.neg(square));
  Value negated = m.neg(square);
  Reduced red = reduce(m, negated);
  Value p = expm1Poly(m, m.sub(red.r, error));
  Value tail = m.mul(m.add(p, one), scaled);
  Value positive = scale(m, tail, red.bits);
  return m.select(m.lt(x, m.f(0.0f)), m.sub(two, positive), positive);
}
