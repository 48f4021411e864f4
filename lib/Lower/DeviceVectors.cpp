//===- DeviceVectors.cpp - Dot products of vectors ------------------------===//
//
// Real: the intrinsic. Emulated: integers by shifts and products in 32 bits,
// which wrap around like the instructions do; bf16 in f32 with the rounding
// that each architecture defines.
//
//===----------------------------------------------------------------------===//
#include "DeviceLowering.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;
using device::DotKind;
using device::Elements;

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// Element `index` of a word, extended to 32 bits.
static Value elementOf(MathBuilder &m, Elements elements, Value words,
                       unsigned index) {
  unsigned width = elements == Elements::S16 ? 16 : 8;
  unsigned above = 32 - width * (index + 1);
  Value top = above ? m.shl(words, m.i(above)) : words;
  Value by = m.i(32 - width);
  return elements == Elements::U8 ? m.shr(top, by) : m.sar(top, by);
}

Value lower::emulateWords(MathBuilder &m, Elements lhs, Elements rhs, Value acc,
                          Value a, Value b) {
  unsigned count = lhs == Elements::S16 ? 2 : 4;
  for (unsigned i = 0; i < count; ++i)
    acc = m.addi(acc, m.muli(elementOf(m, lhs, a, i), elementOf(m, rhs, b, i)));
  return acc;
}

//===----------------------------------------------------------------------===//
// bf16
//===----------------------------------------------------------------------===//

static constexpr float kMinNormal = 0x1p-126f, kMaxFinite = 0x1.fffffep127f;

Value lower::bf16Half(MathBuilder &m, Value words, bool odd) {
  return m.fromBits(odd ? m.andi(words, m.i(0xffff0000u))
                        : m.shl(words, m.i(16)));
}

/// Denormals become zeros of their sign.
static Value flush(MathBuilder &m, Value x) {
  return m.select(m.lt(m.abs(x), m.f(kMinNormal)), m.copysign(m.f(0), x), x);
}

Value lower::fmaFlushed(MathBuilder &m, Value x, Value y, Value acc) {
  x = flush(m, x), y = flush(m, y), acc = flush(m, acc);
  Value result = m.fma(x, y, acc);
  // Small is what is small after rounding as if exponents had no end: what
  // rounds up to the smallest normal number stays. f64 tells the two apart.
  Value wide = m.fma(m.toDouble(x), m.toDouble(y), m.toDouble(acc));
  Value isSmall = m.lt(m.abs(wide), m.d(0x1.ffffffp-127));
  return m.select(isSmall, m.copysign(m.f(0), result), result);
}

Value lower::addFlushed(MathBuilder &m, Value x, Value y) {
  // A sum below the normal numbers is exact.
  return flush(m, m.add(flush(m, x), flush(m, y)));
}

Value lower::emulateVdpbf16ps(MathBuilder &m, Value acc, Value a, Value b) {
  for (bool odd : {true, false})
    acc = fmaFlushed(m, bf16Half(m, a, odd), bf16Half(m, b, odd), acc);
  return acc;
}

/// x + y rounded to odd: towards zero, then the last bit set if anything was
/// lost. Overflow gives infinity, denormal results 0, NaN the default one.
static Value addOdd(MathBuilder &m, Value x, Value y) {
  Value sum = m.add(x, y);
  Value part = m.sub(sum, x);
  // sum + error is the exact sum.
  Value error = m.add(m.sub(x, m.sub(sum, part)), m.sub(y, part));
  Value isInexact = m.cmp(arith::CmpFPredicate::ONE, error, m.f(0));
  Value bits = m.bits(sum);
  Value isAbove =
      m.cmpi(arith::CmpIPredicate::slt, m.xori(bits, m.bits(error)), m.i(0));
  Value odd = m.ori(m.select(isAbove, m.subi(bits, m.i(1)), bits), m.i(1));
  Value result = m.fromBits(m.select(isInexact, odd, bits));
  // To nearest goes to infinity before the exact sum leaves the range.
  Value exact = m.abs(m.add(m.toDouble(x), m.toDouble(y)));
  Value isFinite = m.lt(exact, m.d(0x1p128));
  Value isInfinite = m.eq(m.abs(sum), m.f(vmath::infinity));
  result = m.select(isInfinite,
                    m.select(isFinite, m.copysign(m.f(kMaxFinite), sum), sum),
                    result);
  result = flush(m, result);
  return m.select(m.isNaN(result), m.fromBits(m.i(0x7fc00000)), result);
}

Value lower::emulateBfdot(MathBuilder &m, Value acc, Value a, Value b) {
  // Products of bf16 are exact in f32, or too small or too large.
  Value products[2];
  for (bool odd : {false, true})
    products[odd] = flush(
        m, m.mul(flush(m, bf16Half(m, a, odd)), flush(m, bf16Half(m, b, odd))));
  return addOdd(m, flush(m, acc), addOdd(m, products[0], products[1]));
}

//===----------------------------------------------------------------------===//
// f16
//===----------------------------------------------------------------------===//

Value lower::emulateHalfFma(MathBuilder &m, Value x, Value y, Value acc) {
  auto wide = [&](Value v) {
    return m.toDouble(arith::ExtFOp::create(m.b, m.loc, m.f32Type(), v));
  };
  // The product is exact in f64; the sum is rounded to odd, twice, so that the
  // last rounding is the only one that counts.
  Value product = m.mul(wide(x), wide(y)), c = wide(acc);
  Value sum = m.add(product, c);
  Value part = m.sub(sum, product);
  Value error = m.add(m.sub(product, m.sub(sum, part)), m.sub(c, part));
  Value isInexact = m.cmp(arith::CmpFPredicate::ONE, error, m.d(0));
  Value bits = m.bits64(sum);
  Value isAbove =
      m.cmpi(arith::CmpIPredicate::slt, m.xori(bits, m.bits64(error)), m.l(0));
  Value odd = m.ori(m.select(isAbove, m.subi(bits, m.l(1)), bits), m.l(1));
  Value exact = m.fromBits64(m.select(isInexact, odd, bits));
  return arith::TruncFOp::create(m.b, m.loc, x.getType(),
                                 vmath::f64ToF32Odd(m, exact));
}

//===----------------------------------------------------------------------===//
// device.dot
//===----------------------------------------------------------------------===//

static Value asWords(OpBuilder &builder, Location loc, Value vector,
                     int64_t lanes) {
  return vector::BitCastOp::create(
      builder, loc, VectorType::get({lanes}, builder.getI32Type()), vector);
}

Value lower::emulateDot(OpBuilder &builder, device::DotOp op) {
  const device::DotInfo &info = infoOf(op.getKind());
  Location loc = op.getLoc();
  auto type = cast<VectorType>(op.getAcc().getType());
  MathBuilder m(builder, loc, type);
  Value a = asWords(builder, loc, op.getLhs(), type.getNumElements());
  Value b = asWords(builder, loc, op.getRhs(), type.getNumElements());
  auto add = [&](Value acc, Value x, Value y) {
    if (op.getKind() == DotKind::Vdpbf16ps)
      return emulateVdpbf16ps(m, acc, x, y);
    if (info.isFloat())
      return emulateBfdot(m, acc, x, y);
    return emulateWords(m, info.lhs, info.rhs, acc, x, y);
  };
  if (info.shape == device::Shape::Lanes)
    return add(op.getAcc(), a, b);
  // Lane 2i + j takes row i of a and row j of b, each two words long.
  Value acc = op.getAcc();
  for (int64_t word : {0, 1}) {
    Value rows = vector::ShuffleOp::create(
        builder, loc, a, a, ArrayRef<int64_t>{word, word, 2 + word, 2 + word});
    Value columns = vector::ShuffleOp::create(
        builder, loc, b, b, ArrayRef<int64_t>{word, 2 + word, word, 2 + word});
    acc = add(acc, rows, columns);
  }
  return acc;
}

Value lower::realDot(OpBuilder &builder, device::DotOp op) {
  auto type = cast<VectorType>(op.getAcc().getType());
  llvm::StringRef name =
      infoOf(op.getKind())
          .form(type.getNumElements() * type.getElementTypeBitWidth())
          ->intrinsic;
  auto call = [&](ValueRange operands) -> Value {
    return LLVM::CallIntrinsicOp::create(builder, op.getLoc(), Type(type),
                                         builder.getStringAttr(name), operands)
        .getResults();
  };
  if (op.getKind() == DotKind::Vpmaddwd)
    return arith::AddIOp::create(builder, op.getLoc(), op.getAcc(),
                                 call({op.getLhs(), op.getRhs()}));
  return call({op.getAcc(), op.getLhs(), op.getRhs()});
}
