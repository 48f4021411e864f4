//===- Code.cpp - Writing the scalar body of an operator ------------------===//
//
// See the header. Every 16-bit float is computed in f32: one place decides.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/Code.h"

#include <limits>

using namespace mlir;
using namespace nestor::onnx;

Type nestor::onnx::storageType(MLIRContext *context, DataType type) {
  switch (type) {
  case DataType::Float:
    return Float32Type::get(context);
  case DataType::Double:
    return Float64Type::get(context);
  case DataType::Float16:
    return Float16Type::get(context);
  case DataType::BFloat16:
    return BFloat16Type::get(context);
  case DataType::Bool:
    return IntegerType::get(context, 1);
  case DataType::Int8:
  case DataType::UInt8:
    return IntegerType::get(context, 8);
  case DataType::Int16:
  case DataType::UInt16:
    return IntegerType::get(context, 16);
  case DataType::Int32:
  case DataType::UInt32:
    return IntegerType::get(context, 32);
  case DataType::Int64:
  case DataType::UInt64:
    return IntegerType::get(context, 64);
  default:
    return {};
  }
}

Type nestor::onnx::computeType(MLIRContext *context, DataType type) {
  if (type == DataType::Float16 || type == DataType::BFloat16)
    return Float32Type::get(context);
  return storageType(context, type);
}

Value Code::index(int64_t v) {
  return arith::ConstantIndexOp::create(b, loc, v);
}
Value Code::integer(int64_t v, Type type) {
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, v));
}
Value Code::real(double v, Type type) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, v));
}
Value Code::number(double v, Type type) {
  if (isa<FloatType>(type))
    return real(v, type);
  if (type.isInteger(1))
    return boolean(v != 0);
  return integer(int64_t(v), type);
}
Value Code::boolean(bool v) { return integer(v, b.getI1Type()); }

Value Code::lowest(DataType type) {
  Type t = computeType(b.getContext(), type);
  if (onnx::isFloat(type))
    return real(-std::numeric_limits<double>::infinity(), t);
  if (isUnsigned(type))
    return integer(0, t);
  return arith::ConstantOp::create(
      b, loc,
      b.getIntegerAttr(
          t, llvm::APInt::getSignedMinValue(t.getIntOrFloatBitWidth())));
}

Value Code::highest(DataType type) {
  Type t = computeType(b.getContext(), type);
  if (onnx::isFloat(type))
    return real(std::numeric_limits<double>::infinity(), t);
  unsigned bits = t.getIntOrFloatBitWidth();
  return arith::ConstantOp::create(
      b, loc,
      b.getIntegerAttr(t, isUnsigned(type)
                              ? llvm::APInt::getMaxValue(bits)
                              : llvm::APInt::getSignedMaxValue(bits)));
}

Value Code::add(Value x, Value y) {
  if (isFloat(x))
    return arith::AddFOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, x, y);
}
Value Code::sub(Value x, Value y) {
  if (isFloat(x))
    return arith::SubFOp::create(b, loc, x, y);
  return arith::SubIOp::create(b, loc, x, y);
}
Value Code::mul(Value x, Value y) {
  if (isFloat(x))
    return arith::MulFOp::create(b, loc, x, y);
  return arith::MulIOp::create(b, loc, x, y);
}

/// The divisor with 0 (and, signed, -1) replaced by 1, so that no machine
/// traps.
static Value safeDivisor(Code &c, Value y, bool isUnsigned) {
  Value bad = c.eq(y, c.like(0, y));
  if (!isUnsigned)
    bad = c.disj(bad, c.eq(y, c.like(-1, y)));
  return c.select(bad, c.like(1, y), y);
}

Value Code::div(Value x, Value y, bool isUnsigned) {
  if (isFloat(x))
    return arith::DivFOp::create(b, loc, x, y);
  Value safe = safeDivisor(*this, y, isUnsigned), zero = like(0, y), q;
  if (isUnsigned) {
    q = arith::DivUIOp::create(b, loc, x, safe);
  } else {
    q = arith::DivSIOp::create(b, loc, x, safe);
    q = select(eq(y, like(-1, y)), sub(zero, x), q);
  }
  return select(eq(y, zero), zero, q);
}

Value Code::rem(Value x, Value y, bool isUnsigned) {
  if (isFloat(x))
    return arith::RemFOp::create(b, loc, x, y);
  Value safe = safeDivisor(*this, y, isUnsigned);
  if (isUnsigned) {
    Value r = arith::RemUIOp::create(b, loc, x, safe);
    return select(eq(y, like(0, y)), like(0, y), r);
  }
  return arith::RemSIOp::create(b, loc, x, safe);
}

Value Code::floorMod(Value x, Value y) {
  // r = rem(x, y); a remainder whose sign is not y's moves by one y.
  Value r = rem(x, y), zero = like(0, y);
  Value moved = conj(ne(r, zero), exclusive(lt(r, zero), lt(y, zero)));
  return select(moved, add(r, y), r);
}

Value Code::floorDiv(Value x, Value y) {
  Value r = rem(x, y), zero = like(0, y);
  Value moved = conj(ne(r, zero), exclusive(lt(r, zero), lt(y, zero)));
  Value q = div(x, y);
  return select(moved, sub(q, like(1, q)), q);
}

Value Code::neg(Value x) {
  if (isFloat(x))
    return arith::NegFOp::create(b, loc, x);
  return sub(like(0, x), x);
}
Value Code::abs(Value x) {
  if (isFloat(x))
    return math::AbsFOp::create(b, loc, x);
  return select(lt(x, like(0, x)), neg(x), x);
}
Value Code::min(Value x, Value y, bool isUnsigned) {
  if (isFloat(x))
    return arith::MinimumFOp::create(b, loc, x, y);
  if (isUnsigned)
    return arith::MinUIOp::create(b, loc, x, y);
  return arith::MinSIOp::create(b, loc, x, y);
}
Value Code::max(Value x, Value y, bool isUnsigned) {
  if (isFloat(x))
    return arith::MaximumFOp::create(b, loc, x, y);
  if (isUnsigned)
    return arith::MaxUIOp::create(b, loc, x, y);
  return arith::MaxSIOp::create(b, loc, x, y);
}

Value Code::eq(Value x, Value y) {
  if (isFloat(x))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, y);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, y);
}
Value Code::ne(Value x, Value y) {
  if (isFloat(x))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, x, y);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, x, y);
}
Value Code::lt(Value x, Value y, bool isUnsigned) {
  if (isFloat(x))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
  return arith::CmpIOp::create(
      b, loc,
      isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, x, y);
}
Value Code::le(Value x, Value y, bool isUnsigned) {
  if (isFloat(x))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLE, x, y);
  return arith::CmpIOp::create(
      b, loc,
      isUnsigned ? arith::CmpIPredicate::ule : arith::CmpIPredicate::sle, x, y);
}
Value Code::conj(Value x, Value y) {
  return arith::AndIOp::create(b, loc, x, y);
}
Value Code::disj(Value x, Value y) {
  return arith::OrIOp::create(b, loc, x, y);
}
Value Code::exclusive(Value x, Value y) {
  return arith::XOrIOp::create(b, loc, x, y);
}
Value Code::negate(Value x) { return exclusive(x, integer(-1, x.getType())); }
Value Code::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, loc, condition, x, y);
}

Value Code::sigmoid(Value x) {
  // 1 / (1 + exp(-x)): exp overflows to infinity and the quotient to 0.
  return div(like(1, x), add(like(1, x), exp(neg(x))));
}
Value Code::isNan(Value x) {
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, x, x);
}

Value Code::widen(Value v) {
  Type t = v.getType();
  if (t.isF16() || t.isBF16())
    return arith::ExtFOp::create(b, loc, b.getF32Type(), v);
  return v;
}
Value Code::narrow(Value v, Type storage) {
  if (v.getType() == storage)
    return v;
  return arith::TruncFOp::create(b, loc, storage, v);
}

Value Code::cast(Value v, DataType from, DataType to) {
  v = widen(v);
  if (from == to)
    return v;
  Type target = computeType(b.getContext(), to);
  bool fromFloat = onnx::isFloat(from), toFloat = onnx::isFloat(to);
  if (to == DataType::Bool)
    return fromFloat                ? ne(v, real(0, v.getType()))
           : from == DataType::Bool ? v
                                    : ne(v, integer(0, v.getType()));
  if (fromFloat && toFloat) {
    unsigned have = v.getType().getIntOrFloatBitWidth();
    unsigned want = target.getIntOrFloatBitWidth();
    if (have < want)
      return arith::ExtFOp::create(b, loc, target, v);
    if (have > want)
      return arith::TruncFOp::create(b, loc, target, v);
    return v;
  }
  if (fromFloat) {
    // Narrow integers wrap, as a C cast through a wider integer does.
    unsigned bits = target.getIntOrFloatBitWidth();
    if (to == DataType::UInt64)
      return arith::FPToUIOp::create(b, loc, target, v);
    if (bits == 64 || (bits == 32 && to == DataType::Int32))
      return arith::FPToSIOp::create(b, loc, target, v);
    Value wide = arith::FPToSIOp::create(
        b, loc, bits == 32 ? b.getI64Type() : b.getI32Type(), v);
    return arith::TruncIOp::create(b, loc, target, wide);
  }
  if (toFloat) {
    if (isUnsigned(from))
      return arith::UIToFPOp::create(b, loc, target, v);
    return arith::SIToFPOp::create(b, loc, target, v);
  }
  unsigned have = v.getType().getIntOrFloatBitWidth();
  unsigned want = target.getIntOrFloatBitWidth();
  if (have > want)
    return arith::TruncIOp::create(b, loc, target, v);
  if (have == want)
    return v;
  if (isUnsigned(from))
    return arith::ExtUIOp::create(b, loc, target, v);
  return arith::ExtSIOp::create(b, loc, target, v);
}

Value Code::toIndex(Value v, bool isUnsigned) {
  if (v.getType().isIndex())
    return v;
  if (isUnsigned || v.getType().isInteger(1))
    return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), v);
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), v);
}

Value Code::fromIndex(Value v, Type type) {
  if (type.isIndex())
    return v;
  if (type.isInteger(1))
    return ne(v, index(0));
  if (isa<FloatType>(type))
    return arith::SIToFPOp::create(
        b, loc, type,
        arith::IndexCastOp::create(b, loc, b.getI64Type(), v).getResult());
  return arith::IndexCastOp::create(b, loc, type, v);
}

Value Code::saturate(Value v, DataType to) {
  Type target = storageType(b.getContext(), to);
  unsigned bits = target.getIntOrFloatBitWidth();
  bool u = isUnsigned(to);
  double low = u ? 0 : -double(int64_t(1) << (bits - 1));
  double high = u ? double((int64_t(1) << bits) - 1)
                  : double((int64_t(1) << (bits - 1)) - 1);
  Value rounded = isFloat(v) ? roundEven(v) : v;
  // maxnum/minnum: a NaN becomes a number and the conversion stays defined.
  Value bounded;
  if (isFloat(v)) {
    bounded = arith::MaxNumFOp::create(b, loc, rounded, like(low, v));
    bounded = arith::MinNumFOp::create(b, loc, bounded, like(high, v));
    bounded = arith::FPToSIOp::create(b, loc, b.getI32Type(), bounded);
  } else {
    bounded = min(max(rounded, like(low, v)), like(high, v));
  }
  if (bounded.getType() == target)
    return bounded;
  return arith::TruncIOp::create(b, loc, target, bounded);
}

Value Code::wrapIndex(Value v, Value size) {
  Value zero = index(0);
  Value wrapped = select(lt(v, zero), add(v, size), v);
  return max(min(wrapped, sub(size, index(1))), zero);
}

void Code::when(Value condition, llvm::function_ref<void(Code &)> then) {
  scf::IfOp::create(b, loc, condition, [&](OpBuilder &nested, Location at) {
    Code code(nested, at);
    then(code);
    scf::YieldOp::create(nested, at);
  });
}

SmallVector<Value> Code::loop(
    Value low, Value high, ValueRange start,
    llvm::function_ref<SmallVector<Value>(Code &, Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(
      b, loc, low, high, index(1), start,
      [&](OpBuilder &nested, Location at, Value i, ValueRange carried) {
        Code code(nested, at);
        scf::YieldOp::create(nested, at, body(code, i, carried));
      });
  return SmallVector<Value>(loop.getResults());
}
