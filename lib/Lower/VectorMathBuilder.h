//===- VectorMathBuilder.h - Arithmetic in formula notation -----*- C++ -*-===//
//
// The expansions read as formulas: a thin layer over the builder that makes
// f32, i32, f64 and i64 arithmetic of one shape (scalar or vector).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_VECTORMATHBUILDER_H
#define NESTOR_LIB_LOWER_VECTORMATHBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace nestor {

using mlir::Value;

/// Makes arithmetic of the shape of one value.
class MathBuilder {
public:
  /// `like` gives the shape (scalar, or vector of any rank); its element type
  /// does not matter.
  MathBuilder(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type like)
      : b(builder), loc(loc), vector(mlir::dyn_cast<mlir::VectorType>(like)) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::VectorType vector;

  /// `element` in this shape.
  mlir::Type shaped(mlir::Type element) {
    return vector ? mlir::VectorType(vector).clone(element) : element;
  }
  mlir::Type f32Type() { return shaped(b.getF32Type()); }
  mlir::Type f64Type() { return shaped(b.getF64Type()); }
  mlir::Type i32Type() { return shaped(b.getI32Type()); }
  mlir::Type i64Type() { return shaped(b.getI64Type()); }

  Value constant(mlir::TypedAttr attr) {
    if (vector)
      attr = mlir::DenseElementsAttr::get(vector.clone(attr.getType()),
                                          mlir::Attribute(attr));
    return mlir::arith::ConstantOp::create(b, loc, attr);
  }
  Value f(float v) { return constant(b.getF32FloatAttr(v)); }
  Value d(double v) { return constant(b.getF64FloatAttr(v)); }
  Value i(uint32_t v) {
    return constant(b.getI32IntegerAttr(static_cast<int32_t>(v)));
  }
  Value l(uint64_t v) {
    return constant(b.getI64IntegerAttr(static_cast<int64_t>(v)));
  }

  // Floating point, either width.
  Value add(Value x, Value y) {
    return mlir::arith::AddFOp::create(b, loc, x, y);
  }
  Value sub(Value x, Value y) {
    return mlir::arith::SubFOp::create(b, loc, x, y);
  }
  Value mul(Value x, Value y) {
    return mlir::arith::MulFOp::create(b, loc, x, y);
  }
  Value div(Value x, Value y) {
    return mlir::arith::DivFOp::create(b, loc, x, y);
  }
  Value neg(Value x) { return mlir::arith::NegFOp::create(b, loc, x); }
  Value fma(Value x, Value y, Value z) {
    return mlir::math::FmaOp::create(b, loc, x, y, z);
  }
  Value abs(Value x) { return mlir::math::AbsFOp::create(b, loc, x); }
  Value sqrt(Value x) { return mlir::math::SqrtOp::create(b, loc, x); }
  Value copysign(Value x, Value sign) {
    return mlir::math::CopySignOp::create(b, loc, x, sign);
  }
  Value cmp(mlir::arith::CmpFPredicate p, Value x, Value y) {
    return mlir::arith::CmpFOp::create(b, loc, p, x, y);
  }
  Value lt(Value x, Value y) {
    return cmp(mlir::arith::CmpFPredicate::OLT, x, y);
  }
  Value gt(Value x, Value y) {
    return cmp(mlir::arith::CmpFPredicate::OGT, x, y);
  }
  Value eq(Value x, Value y) {
    return cmp(mlir::arith::CmpFPredicate::OEQ, x, y);
  }
  Value isNaN(Value x) { return cmp(mlir::arith::CmpFPredicate::UNO, x, x); }
  Value select(Value c, Value x, Value y) {
    return mlir::arith::SelectOp::create(b, loc, c, x, y);
  }
  /// One instruction each on x86; a NaN in x passes through.
  Value atMost(Value x, Value bound) { return select(gt(x, bound), bound, x); }
  Value atLeast(Value x, Value bound) { return select(lt(x, bound), bound, x); }

  // Integers, either width.
  Value addi(Value x, Value y) {
    return mlir::arith::AddIOp::create(b, loc, x, y);
  }
  Value subi(Value x, Value y) {
    return mlir::arith::SubIOp::create(b, loc, x, y);
  }
  Value muli(Value x, Value y) {
    return mlir::arith::MulIOp::create(b, loc, x, y);
  }
  Value andi(Value x, Value y) {
    return mlir::arith::AndIOp::create(b, loc, x, y);
  }
  Value ori(Value x, Value y) {
    return mlir::arith::OrIOp::create(b, loc, x, y);
  }
  Value xori(Value x, Value y) {
    return mlir::arith::XOrIOp::create(b, loc, x, y);
  }
  Value shl(Value x, Value n) {
    return mlir::arith::ShLIOp::create(b, loc, x, n);
  }
  Value shr(Value x, Value n) {
    return mlir::arith::ShRUIOp::create(b, loc, x, n);
  }
  Value sar(Value x, Value n) {
    return mlir::arith::ShRSIOp::create(b, loc, x, n);
  }
  Value cmpi(mlir::arith::CmpIPredicate p, Value x, Value y) {
    return mlir::arith::CmpIOp::create(b, loc, p, x, y);
  }
  Value eqi(Value x, Value y) {
    return cmpi(mlir::arith::CmpIPredicate::eq, x, y);
  }

  // Between the types.
  Value bits(Value x) {
    return mlir::arith::BitcastOp::create(b, loc, i32Type(), x);
  }
  Value fromBits(Value x) {
    return mlir::arith::BitcastOp::create(b, loc, f32Type(), x);
  }
  Value bits64(Value x) {
    return mlir::arith::BitcastOp::create(b, loc, i64Type(), x);
  }
  Value fromBits64(Value x) {
    return mlir::arith::BitcastOp::create(b, loc, f64Type(), x);
  }
  Value toFloat(Value x) {
    return mlir::arith::SIToFPOp::create(b, loc, f32Type(), x);
  }
  Value toDouble(Value x) {
    return mlir::arith::ExtFOp::create(b, loc, f64Type(), x);
  }
  Value toSingle(Value x) {
    return mlir::arith::TruncFOp::create(b, loc, f32Type(), x);
  }
  Value extend(Value x) { // u32 → i64
    return mlir::arith::ExtUIOp::create(b, loc, i64Type(), x);
  }

  /// c[0] + x*(c[1] + x*(…)) by Horner's rule.
  Value poly(Value x, std::initializer_list<float> c) {
    const float *at = c.end() - 1;
    Value r = f(*at);
    while (at != c.begin())
      r = fma(r, x, f(*--at));
    return r;
  }
  Value polyD(Value x, std::initializer_list<double> c) {
    const double *at = c.end() - 1;
    Value r = d(*at);
    while (at != c.begin())
      r = fma(r, x, d(*--at));
    return r;
  }
};

/// The f32 functions; `x` has the builder's shape.
namespace vmath {
/// Adding it rounds to the nearest integer and leaves that in the low bits.
constexpr float magic = 12582912.0f; // 1.5 * 2^23
constexpr float infinity = __builtin_inff();

Value exp(MathBuilder &m, Value x);
Value exp2(MathBuilder &m, Value x);
Value expm1(MathBuilder &m, Value x);
Value sigmoid(MathBuilder &m, Value x);
Value tanh(MathBuilder &m, Value x);
Value sinh(MathBuilder &m, Value x);
Value cosh(MathBuilder &m, Value x);
Value erf(MathBuilder &m, Value x);
Value erfc(MathBuilder &m, Value x);

Value log(MathBuilder &m, Value x);
Value log2(MathBuilder &m, Value x);
Value log10(MathBuilder &m, Value x);
Value log1p(MathBuilder &m, Value x);
Value asinh(MathBuilder &m, Value x);
Value acosh(MathBuilder &m, Value x);
Value atanh(MathBuilder &m, Value x);

/// x^y with y in f64 (exact for every i32 and f32).
Value pow(MathBuilder &m, Value x, Value y64);
Value cbrt(MathBuilder &m, Value x);
Value rsqrt(MathBuilder &m, Value x);

Value sin(MathBuilder &m, Value x);
Value cos(MathBuilder &m, Value x);
std::pair<Value, Value> sincos(MathBuilder &m, Value x);
Value tan(MathBuilder &m, Value x);
Value asin(MathBuilder &m, Value x);
Value acos(MathBuilder &m, Value x);
Value atan(MathBuilder &m, Value x);
Value atan2(MathBuilder &m, Value y, Value x);

// Conversions without library calls.
Value bf16ToF32(MathBuilder &m, Value x);
Value f32ToBF16(MathBuilder &m, Value x);
/// f64 → f32 rounded to odd: rounding that again to a type of at most 22 bits
/// of significand gives what one rounding would.
Value f64ToF32Odd(MathBuilder &m, Value x);

/// Integer power by squaring; negative exponents give 0 but for bases 1, -1.
Value ipow(MathBuilder &m, Value base, Value exponent);
} // namespace vmath

} // namespace nestor

#endif // NESTOR_LIB_LOWER_VECTORMATHBUILDER_H
