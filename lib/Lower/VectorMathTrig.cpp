//===- VectorMathTrig.cpp - Trigonometric functions of f32 ----------------===//
//
// Arguments are reduced to |r| <= pi/4 and a quadrant, by three FMAs with pi/2
// in three parts. Those are good to |x| = 70,000; larger arguments take
// fixed-point arithmetic with enough bits of 2/pi, behind a branch that is
// taken only when some lane needs it, so that it costs the usual case one test.
//
//===----------------------------------------------------------------------===//
#include "VectorMathBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace nestor;
using mlir::arith::CmpFPredicate;
using mlir::arith::CmpIPredicate;

namespace {

struct Reduced {
  Value r;
  Value quadrant; // its low two bits count
};

/// x mod pi/2 for finite |x| >= 2^16 (other lanes: any value).
///
/// With x = M 2^t, M of 24 bits: x 2/pi mod 4 needs the bits of 2/pi from
/// weight 2^(1-t) on, 96 of them. Their product with M, mod 2^96, has the
/// quadrant in its top two bits and the fraction below.
Reduced reduceHuge(MathBuilder &m, Value x) {
  // 2/pi behind 32 zero bits, so that every offset is positive.
  static constexpr uint32_t table[] = {0,          0xa2f9836e, 0x4e441529,
                                       0xfc2757d1, 0xf534ddc0, 0xdb629599,
                                       0x3c439041, 0xfe5163ab};
  Value bits = m.andi(m.bits(x), m.i(0x7fffffff));
  Value mantissa = m.ori(m.andi(bits, m.i(0x7fffff)), m.i(0x800000));
  // t = exponent - 150; the window starts at bit t - 2 + 32 of the table.
  Value offset = m.subi(m.shr(bits, m.i(23)), m.i(150 + 2 - 32));
  Value word = m.shr(offset, m.i(5));
  Value shift = m.andi(offset, m.i(31));
  Value words[4];
  for (unsigned j = 0; j < 4; ++j) {
    words[j] = m.i(table[j]);
    for (unsigned w = 1; w <= 4; ++w)
      words[j] = m.select(m.eqi(word, m.i(w)), m.i(table[w + j]), words[j]);
  }
  Value rest = m.subi(m.i(31), shift);
  Value wide[3];
  for (unsigned j = 0; j < 3; ++j) {
    Value low = m.shr(m.shr(words[j + 1], m.i(1)), rest);
    wide[j] = m.extend(m.ori(m.shl(words[j], shift), low));
  }
  Value factor = m.extend(mantissa);
  Value top = m.muli(factor, wide[2]);
  top = m.addi(m.muli(factor, wide[1]), m.shr(top, m.l(32)));
  top = m.addi(m.shl(m.muli(factor, wide[0]), m.l(32)), top);
  // Round to the nearest quadrant; what remains is signed.
  Value quadrant = m.shr(m.addi(top, m.l(uint64_t(1) << 61)), m.l(62));
  Value fraction = m.subi(top, m.shl(quadrant, m.l(62)));
  Value scaled =
      mlir::arith::SIToFPOp::create(m.b, m.loc, m.f64Type(), fraction);
  // pi/2 * 2^-62
  Value r = m.toSingle(m.mul(scaled, m.d(3.4061215800304253e-19)));
  Value q = mlir::arith::TruncIOp::create(m.b, m.loc, m.i32Type(), quadrant);
  Value isNegative = m.lt(x, m.f(0.0f));
  return {m.select(isNegative, m.neg(r), r),
          m.select(isNegative, m.subi(m.i(0), q), q)};
}

/// True when any lane of `mask` is.
Value any(MathBuilder &m, Value mask) {
  if (!m.vector)
    return mask;
  mlir::VectorType type = mlir::cast<mlir::VectorType>(mask.getType());
  if (type.getRank() != 1) {
    auto flat =
        mlir::VectorType::get({type.getNumElements()}, type.getElementType());
    mask = mlir::vector::ShapeCastOp::create(m.b, m.loc, flat, mask);
  }
  return mlir::vector::ReductionOp::create(
      m.b, m.loc, mlir::vector::CombiningKind::OR, mask);
}

Reduced reduce(MathBuilder &m, Value x) {
  Value shifted = m.fma(x, m.f(0.636619747f), m.f(vmath::magic));
  Value k = m.sub(shifted, m.f(vmath::magic));
  Value r = m.fma(k, m.f(-1.57079601f), x);
  r = m.fma(k, m.f(-3.13916473e-7f), r);
  r = m.fma(k, m.f(-5.39030253e-15f), r);
  Value quadrant = m.bits(shifted);

  Value a = m.abs(x);
  Value isHuge = m.andi(m.gt(a, m.f(70000.0f)), m.lt(a, m.f(vmath::infinity)));
  auto branch = mlir::scf::IfOp::create(
      m.b, m.loc, any(m, isHuge),
      [&](mlir::OpBuilder &b, mlir::Location loc) {
        MathBuilder inner(b, loc, x.getType());
        Reduced huge = reduceHuge(inner, x);
        mlir::scf::YieldOp::create(
            b, loc,
            mlir::ValueRange{inner.select(isHuge, huge.r, r),
                             inner.select(isHuge, huge.quadrant, quadrant)});
      },
      [&](mlir::OpBuilder &b, mlir::Location loc) {
        mlir::scf::YieldOp::create(b, loc, mlir::ValueRange{r, quadrant});
      });
  return {branch.getResult(0), branch.getResult(1)};
}

/// sin and cos of |r| <= pi/4.
Value sinPoly(MathBuilder &m, Value r, Value z) {
  Value p = m.poly(
      z, {-0.166666672f, 8.33337195e-3f, -1.98499110e-4f, 2.80054428e-6f});
  return m.fma(m.mul(z, r), p, r);
}
Value cosPoly(MathBuilder &m, Value z) {
  Value p = m.poly(z, {4.16666456e-2f, -1.38873106e-3f, 2.44325638e-5f});
  p = m.fma(p, z, m.f(-0.5f));
  return m.fma(p, z, m.f(1.0f));
}

/// ±sin r or ±cos r: bit 0 of q chooses cos, bit 1 the sign.
Value byQuadrant(MathBuilder &m, Value s, Value c, Value q) {
  Value isOdd = m.cmpi(CmpIPredicate::ne, m.andi(q, m.i(1)), m.i(0));
  Value y = m.select(isOdd, c, s);
  Value sign = m.shl(m.andi(q, m.i(2)), m.i(30));
  return m.fromBits(m.xori(m.bits(y), sign));
}

/// atan(t) for 0 <= t <= 1.
Value atanPoly(MathBuilder &m, Value t) {
  Value z = m.mul(t, t);
  Value p = m.poly(z, {-0.333332986f, 0.199985355f, -0.142641261f, 0.109516546f,
                       -0.0840205625f, 0.0579358004f, -0.0311577655f,
                       0.0109045366f, -1.79150200e-3f});
  return m.fma(m.mul(z, t), p, t);
}

/// asin(t) - t for 0 <= t <= 1/2.
Value asinTail(MathBuilder &m, Value t, Value z) {
  Value p = m.poly(z, {0.166667521f, 0.0749531016f, 0.0454690196f,
                       0.0241855029f, 0.0421570130f});
  return m.mul(m.mul(z, t), p);
}

constexpr float pi = 3.14159274f;
constexpr float piLo = -8.74227766e-8f;
constexpr float halfPi = 1.57079637f;
constexpr float halfPiLo = -4.37113883e-8f;

} // namespace

std::pair<Value, Value> vmath::sincos(MathBuilder &m, Value x) {
  Reduced red = reduce(m, x);
  Value z = m.mul(red.r, red.r);
  Value s = sinPoly(m, red.r, z), c = cosPoly(m, z);
  Value next = m.addi(red.quadrant, m.i(1));
  // sin(-0): the reduction gives +0 for k = 0 and x = -0.
  Value sine = byQuadrant(m, s, c, red.quadrant);
  sine = m.select(m.eq(x, m.f(0.0f)), x, sine);
  return {sine, byQuadrant(m, s, c, next)};
}

Value vmath::sin(MathBuilder &m, Value x) { return sincos(m, x).first; }
Value vmath::cos(MathBuilder &m, Value x) { return sincos(m, x).second; }

Value vmath::tan(MathBuilder &m, Value x) {
  Reduced red = reduce(m, x);
  Value z = m.mul(red.r, red.r);
  Value s = sinPoly(m, red.r, z), c = cosPoly(m, z);
  Value isOdd = m.cmpi(CmpIPredicate::ne, m.andi(red.quadrant, m.i(1)), m.i(0));
  Value y = m.div(m.select(isOdd, m.neg(c), s), m.select(isOdd, s, c));
  return m.select(m.eq(x, m.f(0.0f)), x, y);
}

Value vmath::asin(MathBuilder &m, Value x) {
  // Above 1/2: pi/2 - 2 asin(sqrt((1 - |x|) / 2)).
  Value a = m.abs(x);
  Value isLarge = m.gt(a, m.f(0.5f));
  Value folded = m.fma(a, m.f(-0.5f), m.f(0.5f)); // exact for a > 1/2
  Value t = m.select(isLarge, m.sqrt(folded), a);
  Value z = m.select(isLarge, folded, m.mul(a, a));
  Value tail = asinTail(m, t, z);
  Value small = m.add(t, tail);
  Value twice = m.fma(m.f(-2.0f), tail, m.f(halfPiLo));
  Value large = m.add(m.fma(m.f(-2.0f), t, m.f(halfPi)), twice);
  return m.copysign(m.select(isLarge, large, small), x);
}

Value vmath::acos(MathBuilder &m, Value x) {
  Value a = m.abs(x);
  Value isLarge = m.gt(a, m.f(0.5f));
  Value isNegative = m.lt(x, m.f(0.0f));
  Value folded = m.fma(a, m.f(-0.5f), m.f(0.5f));
  Value t = m.select(isLarge, m.sqrt(folded), a);
  Value z = m.select(isLarge, folded, m.mul(a, a));
  Value tail = asinTail(m, t, z);
  // |x| <= 1/2: pi/2 - asin(x).
  Value signedT = m.copysign(t, x), signedTail = m.copysign(tail, x);
  Value middle =
      m.sub(m.f(halfPi), m.add(signedT, m.sub(signedTail, m.f(halfPiLo))));
  // x > 1/2: 2 asin(t); x < -1/2: pi - 2 asin(t).
  Value twice = m.fma(m.f(2.0f), tail, m.add(t, t));
  Value mirrored = m.sub(m.f(pi), m.sub(twice, m.f(piLo)));
  Value edge = m.select(isNegative, mirrored, twice);
  Value y = m.select(isLarge, edge, middle);
  return m.select(m.isNaN(x), x, y);
}

Value vmath::atan(MathBuilder &m, Value x) {
  Value a = m.abs(x);
  Value isLarge = m.gt(a, m.f(1.0f));
  Value t = m.select(isLarge, m.div(m.f(1.0f), a), a);
  Value p = atanPoly(m, t);
  Value mirrored = m.add(m.sub(m.f(halfPi), p), m.f(halfPiLo));
  return m.copysign(m.select(isLarge, mirrored, p), x);
}

Value vmath::atan2(MathBuilder &m, Value y, Value x) {
  Value ax = m.abs(x), ay = m.abs(y);
  Value isSteep = m.gt(ay, ax);
  Value small = m.select(isSteep, ax, ay), large = m.select(isSteep, ay, ax);
  Value zero = m.f(0.0f), one = m.f(1.0f), inf = m.f(infinity);
  // A denormal divisor would lose the quotient's bits: scale both up.
  Value isTiny = m.lt(large, m.f(1.17549435e-38f));
  Value factor = m.select(isTiny, m.f(16777216.0f), one);
  Value t = m.div(m.mul(small, factor), m.mul(large, factor));
  t = m.select(m.eq(large, zero), zero, t); // 0/0
  t = m.select(m.eq(small, inf), one, t);   // inf/inf
  Value p = atanPoly(m, t);
  // Both mirrors add the rounding error of their constant last.
  Value steep = m.add(m.sub(m.f(halfPi), p), m.f(halfPiLo));
  p = m.select(isSteep, steep, p);
  Value isNegative = m.cmpi(CmpIPredicate::slt, m.bits(x), m.i(0)); // -0 too
  Value mirrored = m.add(m.sub(m.f(pi), p), m.f(piLo));
  p = m.select(isNegative, mirrored, p);
  Value anyNaN = m.cmp(CmpFPredicate::UNO, x, y);
  return m.copysign(m.select(anyNaN, m.f(__builtin_nanf("")), p), y);
}
