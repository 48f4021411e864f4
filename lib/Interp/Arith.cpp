//===- Arith.cpp - Integers, floats, comparisons, conversions -------------===//
//
// The arith dialect on scalars. Signedness is the operation's: cells hold
// integers zero-extended. Flags (nsw, fastmath) change nothing.
//
//===----------------------------------------------------------------------===//
#include "Code.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;
using llvm::Error;

namespace {
//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// An operation on zero-extended values.
template <uint64_t (*F)(uint64_t, uint64_t)>
bool unsignedOp(State &s, const Inst &i) {
  s.bits(i.out[0]) = truncateTo(i.outKind, F(s.bits(i.in[0]), s.bits(i.in[1])));
  return true;
}

/// An operation on sign-extended values.
template <int64_t (*F)(int64_t, int64_t)>
bool signedOp(State &s, const Inst &i) {
  s.bits(i.out[0]) = truncateTo(
      i.outKind, static_cast<uint64_t>(F(signedOf(i.inKind, s.bits(i.in[0])),
                                         signedOf(i.inKind, s.bits(i.in[1])))));
  return true;
}

uint64_t addBits(uint64_t a, uint64_t b) { return a + b; }
uint64_t subBits(uint64_t a, uint64_t b) { return a - b; }
uint64_t mulBits(uint64_t a, uint64_t b) { return a * b; }
uint64_t andBits(uint64_t a, uint64_t b) { return a & b; }
uint64_t orBits(uint64_t a, uint64_t b) { return a | b; }
uint64_t xorBits(uint64_t a, uint64_t b) { return a ^ b; }
uint64_t minBits(uint64_t a, uint64_t b) { return std::min(a, b); }
uint64_t maxBits(uint64_t a, uint64_t b) { return std::max(a, b); }
int64_t minSigned(int64_t a, int64_t b) { return std::min(a, b); }
int64_t maxSigned(int64_t a, int64_t b) { return std::max(a, b); }

uint64_t udiv(uint64_t a, uint64_t b) { return a / b; }
uint64_t urem(uint64_t a, uint64_t b) { return a % b; }
uint64_t uceil(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }
int64_t sdiv(int64_t a, int64_t b) { return a / b; }
int64_t srem(int64_t a, int64_t b) { return a % b; }
int64_t sfloor(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}
int64_t sceil(int64_t a, int64_t b) {
  return a / b + (a % b != 0 && (a % b < 0) == (b < 0));
}

template <uint64_t (*F)(uint64_t, uint64_t)>
bool unsignedDivision(State &s, const Inst &i) {
  if (s.bits(i.in[1]) == 0)
    return s.broken(i, "divides by zero");
  return unsignedOp<F>(s, i);
}

template <int64_t (*F)(int64_t, int64_t)>
bool signedDivision(State &s, const Inst &i) {
  int64_t a = signedOf(i.inKind, s.bits(i.in[0]));
  int64_t b = signedOf(i.inKind, s.bits(i.in[1]));
  if (b == 0)
    return s.broken(i, "divides by zero");
  if (b == -1 &&
      a == signedOf(i.inKind, uint64_t(1) << (widthOf(i.inKind) - 1)))
    return s.broken(i, "overflows: the lowest integer by -1");
  return signedOp<F>(s, i);
}

enum class Shift { Left, RightSigned, RightUnsigned };
template <Shift How>
bool shift(State &s, const Inst &i) {
  uint64_t a = s.bits(i.in[0]), by = s.bits(i.in[1]), r = 0;
  if (by < widthOf(i.inKind)) {
    if constexpr (How == Shift::Left)
      r = a << by;
    else if constexpr (How == Shift::RightUnsigned)
      r = a >> by;
    else
      r = static_cast<uint64_t>(signedOf(i.inKind, a) >> by);
  }
  s.bits(i.out[0]) = truncateTo(i.outKind, r);
  return true;
}

template <bool Signed>
bool mulExtended(State &s, const Inst &i) {
  uint64_t a = s.bits(i.in[0]), b = s.bits(i.in[1]);
  __uint128_t wide = Signed
                         ? static_cast<__uint128_t>(
                               static_cast<__int128_t>(signedOf(i.inKind, a)) *
                               signedOf(i.inKind, b))
                         : static_cast<__uint128_t>(a) * b;
  s.bits(i.out[0]) = truncateTo(i.inKind, static_cast<uint64_t>(wide));
  s.bits(i.out[1]) =
      truncateTo(i.inKind, static_cast<uint64_t>(wide >> widthOf(i.inKind)));
  return true;
}

bool addExtended(State &s, const Inst &i) {
  uint64_t a = s.bits(i.in[0]), b = s.bits(i.in[1]);
  uint64_t sum = truncateTo(i.inKind, a + b);
  s.bits(i.out[0]) = sum;
  s.bits(i.out[1]) = sum < a;
  return true;
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

struct Add {
  template <typename T>
  static T of(T a, T b) {
    return a + b;
  }
};
struct Sub {
  template <typename T>
  static T of(T a, T b) {
    return a - b;
  }
};
struct Mul {
  template <typename T>
  static T of(T a, T b) {
    return a * b;
  }
};
struct Div {
  template <typename T>
  static T of(T a, T b) {
    return a / b;
  }
};
struct Rem {
  template <typename T>
  static T of(T a, T b) {
    return std::fmod(a, b);
  }
};
/// NaN wins, -0 < +0.
struct Minimum {
  template <typename T>
  static T of(T a, T b) {
    if (std::isnan(a) || std::isnan(b))
      return std::numeric_limits<T>::quiet_NaN();
    if (a == b)
      return std::signbit(a) ? a : b;
    return a < b ? a : b;
  }
};
struct Maximum {
  template <typename T>
  static T of(T a, T b) {
    if (std::isnan(a) || std::isnan(b))
      return std::numeric_limits<T>::quiet_NaN();
    if (a == b)
      return std::signbit(a) ? b : a;
    return a > b ? a : b;
  }
};
/// The number wins over NaN.
struct MinNum {
  template <typename T>
  static T of(T a, T b) {
    return std::isnan(a) ? b : std::isnan(b) ? a : Minimum::of(a, b);
  }
};
struct MaxNum {
  template <typename T>
  static T of(T a, T b) {
    return std::isnan(a) ? b : std::isnan(b) ? a : Maximum::of(a, b);
  }
};

template <typename F>
bool floatOp(State &s, const Inst &i) {
  uint64_t a = s.bits(i.in[0]), b = s.bits(i.in[1]);
  s.bits(i.out[0]) = i.outKind == Kind::F64
                         ? bitsOf(F::of(f64Of(a), f64Of(b)))
                         : roundTo(i.outKind, F::of(f32Of(a), f32Of(b)));
  return true;
}

bool negate(State &s, const Inst &i) {
  uint64_t a = s.bits(i.in[0]);
  s.bits(i.out[0]) =
      i.outKind == Kind::F64 ? bitsOf(-f64Of(a)) : bitsOf(-f32Of(a));
  return true;
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

bool compareInts(State &s, const Inst &i) {
  uint64_t a = s.bits(i.in[0]), b = s.bits(i.in[1]);
  int64_t x = signedOf(i.inKind, a), y = signedOf(i.inKind, b);
  bool r = false;
  switch (static_cast<arith::CmpIPredicate>(i.number)) {
  case arith::CmpIPredicate::eq:
    r = a == b;
    break;
  case arith::CmpIPredicate::ne:
    r = a != b;
    break;
  case arith::CmpIPredicate::slt:
    r = x < y;
    break;
  case arith::CmpIPredicate::sle:
    r = x <= y;
    break;
  case arith::CmpIPredicate::sgt:
    r = x > y;
    break;
  case arith::CmpIPredicate::sge:
    r = x >= y;
    break;
  case arith::CmpIPredicate::ult:
    r = a < b;
    break;
  case arith::CmpIPredicate::ule:
    r = a <= b;
    break;
  case arith::CmpIPredicate::ugt:
    r = a > b;
    break;
  case arith::CmpIPredicate::uge:
    r = a >= b;
    break;
  }
  s.bits(i.out[0]) = r;
  return true;
}

bool compareFloats(State &s, const Inst &i) {
  double a = floatOf(i.inKind, s.bits(i.in[0]));
  double b = floatOf(i.inKind, s.bits(i.in[1]));
  bool nan = std::isnan(a) || std::isnan(b), r = false;
  using P = arith::CmpFPredicate;
  switch (static_cast<P>(i.number)) {
  case P::AlwaysFalse:
    break;
  case P::AlwaysTrue:
    r = true;
    break;
  case P::OEQ:
    r = a == b;
    break;
  case P::OGT:
    r = a > b;
    break;
  case P::OGE:
    r = a >= b;
    break;
  case P::OLT:
    r = a < b;
    break;
  case P::OLE:
    r = a <= b;
    break;
  case P::ONE:
    r = !nan && a != b;
    break;
  case P::ORD:
    r = !nan;
    break;
  case P::UEQ:
    r = nan || a == b;
    break;
  case P::UGT:
    r = nan || a > b;
    break;
  case P::UGE:
    r = nan || a >= b;
    break;
  case P::ULT:
    r = nan || a < b;
    break;
  case P::ULE:
    r = nan || a <= b;
    break;
  case P::UNE:
    r = a != b;
    break;
  case P::UNO:
    r = nan;
    break;
  }
  s.bits(i.out[0]) = r;
  return true;
}

Error buildCmpI(Compiler &compiler, Operation *op, Inst &inst) {
  if (!op->getOperand(0).getType().isIntOrIndex())
    return Compiler::unsupported(op, "it runs on scalars only");
  inst.run = compareInts;
  inst.number = static_cast<int64_t>(cast<arith::CmpIOp>(op).getPredicate());
  return Error::success();
}

Error buildCmpF(Compiler &compiler, Operation *op, Inst &inst) {
  if (!isa<FloatType>(op->getOperand(0).getType()))
    return Compiler::unsupported(op, "it runs on scalars only");
  inst.run = compareFloats;
  inst.number = static_cast<int64_t>(cast<arith::CmpFOp>(op).getPredicate());
  return Error::success();
}

/// Selects scalars, tensors and buffers alike.
bool select(State &s, const Inst &i) {
  s.cells[i.out[0]] = s.cells[s.bits(i.in[0]) ? i.in[1] : i.in[2]];
  return true;
}

Error buildSelect(Compiler &compiler, Operation *op, Inst &inst) {
  if (isa<ShapedType>(op->getOperand(0).getType()))
    return Compiler::unsupported(op, "its condition must be a scalar");
  inst.run = select;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

bool signExtend(State &s, const Inst &i) {
  s.bits(i.out[0]) = truncateTo(
      i.outKind, static_cast<uint64_t>(signedOf(i.inKind, s.bits(i.in[0]))));
  return true;
}

/// Zero extension and truncation.
bool resize(State &s, const Inst &i) {
  s.bits(i.out[0]) = truncateTo(i.outKind, s.bits(i.in[0]));
  return true;
}

bool floatToFloat(State &s, const Inst &i) {
  s.bits(i.out[0]) = roundTo(i.outKind, floatOf(i.inKind, s.bits(i.in[0])));
  return true;
}

template <bool Signed>
bool intToFloat(State &s, const Inst &i) {
  uint64_t a = s.bits(i.in[0]);
  int64_t x = signedOf(i.inKind, a);
  uint64_t r;
  // 64-bit integers do not fit a double: round once, straight to the type.
  // 16-bit types see 24 bits first, which is enough below 2^24 and else only
  // decides ties that 64 bits would have broken: go through the odd rounding.
  if (i.outKind == Kind::F32)
    r = bitsOf(Signed ? static_cast<float>(x) : static_cast<float>(a));
  else if (i.outKind == Kind::F64)
    r = bitsOf(Signed ? static_cast<double>(x) : static_cast<double>(a));
  else {
    // Keep 53 bits and make the last one sticky.
    uint64_t magnitude = Signed && x < 0 ? -static_cast<uint64_t>(x) : a;
    unsigned width = 64 - llvm::countl_zero(magnitude);
    if (width > 52) {
      uint64_t lost = magnitude & ((uint64_t(1) << (width - 52)) - 1);
      magnitude =
          (magnitude - lost) | (lost != 0 ? uint64_t(1) << (width - 52) : 0);
    }
    double value = static_cast<double>(magnitude);
    r = roundTo(i.outKind, Signed && x < 0 ? -value : value);
  }
  s.bits(i.out[0]) = r;
  return true;
}

template <bool Signed>
bool floatToInt(State &s, const Inst &i) {
  double value = std::trunc(floatOf(i.inKind, s.bits(i.in[0])));
  unsigned width = widthOf(i.outKind);
  double low = Signed ? -std::ldexp(1.0, width - 1) : 0;
  double high = std::ldexp(1.0, Signed ? width - 1 : width);
  uint64_t r = uint64_t(1) << (width - 1); // What x86 gives for no answer.
  if (value >= low && value < high)
    r = Signed ? static_cast<uint64_t>(static_cast<int64_t>(value))
               : static_cast<uint64_t>(value);
  s.bits(i.out[0]) = truncateTo(i.outKind, r);
  return true;
}

bool bitcast(State &s, const Inst &i) {
  uint8_t bytes[8];
  writeElement(i.inKind, bytes, s.bits(i.in[0]));
  s.bits(i.out[0]) = readElement(i.outKind, bytes);
  return true;
}
} // namespace

void interp::addArith(Table &table) {
  auto plain = [&](StringRef name, Handler run) {
    table[name] = {run, nullptr};
  };
  plain("arith.addi", unsignedOp<addBits>);
  plain("arith.subi", unsignedOp<subBits>);
  plain("arith.muli", unsignedOp<mulBits>);
  plain("arith.andi", unsignedOp<andBits>);
  plain("arith.ori", unsignedOp<orBits>);
  plain("arith.xori", unsignedOp<xorBits>);
  plain("arith.minui", unsignedOp<minBits>);
  plain("arith.maxui", unsignedOp<maxBits>);
  plain("arith.minsi", signedOp<minSigned>);
  plain("arith.maxsi", signedOp<maxSigned>);
  plain("arith.divui", unsignedDivision<udiv>);
  plain("arith.remui", unsignedDivision<urem>);
  plain("arith.ceildivui", unsignedDivision<uceil>);
  plain("arith.divsi", signedDivision<sdiv>);
  plain("arith.remsi", signedDivision<srem>);
  plain("arith.floordivsi", signedDivision<sfloor>);
  plain("arith.ceildivsi", signedDivision<sceil>);
  plain("arith.shli", shift<Shift::Left>);
  plain("arith.shrsi", shift<Shift::RightSigned>);
  plain("arith.shrui", shift<Shift::RightUnsigned>);
  plain("arith.addui_extended", addExtended);
  plain("arith.mulsi_extended", mulExtended<true>);
  plain("arith.mului_extended", mulExtended<false>);
  plain("arith.addf", floatOp<Add>);
  plain("arith.subf", floatOp<Sub>);
  plain("arith.mulf", floatOp<Mul>);
  plain("arith.divf", floatOp<Div>);
  plain("arith.remf", floatOp<Rem>);
  plain("arith.minimumf", floatOp<Minimum>);
  plain("arith.maximumf", floatOp<Maximum>);
  plain("arith.minnumf", floatOp<MinNum>);
  plain("arith.maxnumf", floatOp<MaxNum>);
  plain("arith.negf", negate);
  plain("arith.extsi", signExtend);
  plain("arith.extui", resize);
  plain("arith.trunci", resize);
  plain("arith.index_cast", signExtend);
  plain("arith.index_castui", resize);
  plain("arith.extf", floatToFloat);
  plain("arith.truncf", floatToFloat);
  plain("arith.sitofp", intToFloat<true>);
  plain("arith.uitofp", intToFloat<false>);
  plain("arith.fptosi", floatToInt<true>);
  plain("arith.fptoui", floatToInt<false>);
  plain("arith.bitcast", bitcast);
  table["arith.cmpi"] = {nullptr, buildCmpI};
  table["arith.cmpf"] = {nullptr, buildCmpF};
  table["arith.select"] = {nullptr, buildSelect};
}
