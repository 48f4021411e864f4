//===- VectorMathConvert.cpp - Conversions and integer powers -------------===//
//
// bf16 by integer steps, because LLVM turns the plain conversions into calls
// of support routines that an artefact does not have.
//
//===----------------------------------------------------------------------===//
#include "VectorMathBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace nestor;
using mlir::arith::CmpIPredicate;

Value vmath::bf16ToF32(MathBuilder &m, Value x) {
  mlir::Type i16 = m.shaped(m.b.getI16Type());
  Value bits = mlir::arith::BitcastOp::create(m.b, m.loc, i16, x);
  Value wide = mlir::arith::ExtUIOp::create(m.b, m.loc, m.i32Type(), bits);
  return m.fromBits(m.shl(wide, m.i(16)));
}

Value vmath::f32ToBF16(MathBuilder &m, Value x) {
  // Round to nearest even: add half of the last kept bit, less one where that
  // bit is zero. NaN could round to infinity: keep its top bits, made quiet.
  Value bits = m.bits(x);
  Value odd = m.andi(m.shr(bits, m.i(16)), m.i(1));
  Value rounded = m.addi(bits, m.addi(odd, m.i(0x7fff)));
  rounded = m.select(m.isNaN(x), m.ori(bits, m.i(0x400000)), rounded);
  Value narrow = mlir::arith::TruncIOp::create(
      m.b, m.loc, m.shaped(m.b.getI16Type()), m.shr(rounded, m.i(16)));
  return mlir::arith::BitcastOp::create(m.b, m.loc, m.shaped(m.b.getBF16Type()),
                                        narrow);
}

Value vmath::f64ToF32Odd(MathBuilder &m, Value x) {
  Value y = m.toSingle(x);
  Value back = m.toDouble(y);
  Value bits = m.bits(y);
  // Towards zero, then the last bit set if anything was lost.
  Value isAbove = m.gt(m.abs(back), m.abs(x));
  bits = m.select(isAbove, m.subi(bits, m.i(1)), bits);
  Value isInexact = m.cmp(mlir::arith::CmpFPredicate::ONE, back, x);
  return m.fromBits(m.select(isInexact, m.ori(bits, m.i(1)), bits));
}

Value vmath::ipow(MathBuilder &m, Value base, Value exponent) {
  mlir::Type element = mlir::getElementTypeOrSelf(base.getType());
  auto number = [&](mlir::OpBuilder &b, int64_t v) {
    MathBuilder at(b, m.loc, base.getType());
    return at.constant(b.getIntegerAttr(element, v));
  };
  Value zero = number(m.b, 0), one = number(m.b, 1), minusOne = number(m.b, -1);
  Value isNegative = m.cmpi(CmpIPredicate::slt, exponent, zero);
  Value start = m.select(isNegative, zero, exponent);

  // while (any e != 0) { if (e & 1) r *= b; b *= b; e >>= 1; }
  auto loop = mlir::scf::WhileOp::create(
      m.b, m.loc,
      mlir::TypeRange{base.getType(), base.getType(), base.getType()},
      mlir::ValueRange{one, base, start},
      [&](mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange args) {
        MathBuilder at(b, loc, base.getType());
        Value more = at.cmpi(CmpIPredicate::ne, args[2], number(b, 0));
        if (at.vector) {
          auto flat = mlir::VectorType::get({at.vector.getNumElements()},
                                            b.getI1Type());
          if (at.vector.getRank() != 1)
            more = mlir::vector::ShapeCastOp::create(b, loc, flat, more);
          more = mlir::vector::ReductionOp::create(
              b, loc, mlir::vector::CombiningKind::OR, more);
        }
        mlir::scf::ConditionOp::create(b, loc, more, args);
      },
      [&](mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange args) {
        MathBuilder at(b, loc, base.getType());
        Value bit = at.andi(args[2], number(b, 1));
        Value isOdd = at.cmpi(CmpIPredicate::ne, bit, number(b, 0));
        Value product = at.muli(args[0], args[1]);
        mlir::scf::YieldOp::create(
            b, loc,
            mlir::ValueRange{at.select(isOdd, product, args[0]),
                             at.muli(args[1], args[1]),
                             at.shr(args[2], number(b, 1))});
      });

  // b^-n is 1 for b = 1, ±1 for b = -1, and 0 otherwise.
  Value isOdd = m.cmpi(CmpIPredicate::ne, m.andi(exponent, one), zero);
  Value sign = m.select(isOdd, minusOne, one);
  Value inverse = m.select(m.eqi(base, minusOne), sign, zero);
  inverse = m.select(m.eqi(base, one), one, inverse);
  return m.select(isNegative, inverse, loop.getResult(0));
}
