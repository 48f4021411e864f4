//===- Math.cpp - The math dialect ----------------------------------------===//
//
// f16, bf16 and f32 functions are computed in f64 and rounded once: right to
// the last bit but for rare ties. f64 ones are the C library's.
//
//===----------------------------------------------------------------------===//
#include "Code.h"

#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;

namespace {
template <double (*F)(double)>
bool unary(State &s, const Inst &i) {
  s.bits(i.out[0]) = roundTo(i.outKind, F(floatOf(i.inKind, s.bits(i.in[0]))));
  return true;
}

template <double (*F)(double, double)>
bool binary(State &s, const Inst &i) {
  s.bits(i.out[0]) = roundTo(i.outKind, F(floatOf(i.inKind, s.bits(i.in[0])),
                                          floatOf(i.inKind, s.bits(i.in[1]))));
  return true;
}

double rsqrt(double x) { return 1.0 / std::sqrt(x); }
double roundEven(double x) {
  double r = std::nearbyint(x); // The default mode: ties to even.
  return std::copysign(r, x);
}

bool fma(State &s, const Inst &i) {
  uint64_t a = s.bits(i.in[0]), b = s.bits(i.in[1]), c = s.bits(i.in[2]);
  if (i.outKind == Kind::F32)
    s.bits(i.out[0]) = bitsOf(std::fmaf(f32Of(a), f32Of(b), f32Of(c)));
  else
    s.bits(i.out[0]) =
        roundTo(i.outKind, std::fma(floatOf(i.inKind, a), floatOf(i.inKind, b),
                                    floatOf(i.inKind, c)));
  return true;
}

bool clamp(State &s, const Inst &i) {
  double x = floatOf(i.inKind, s.bits(i.in[0]));
  double low = floatOf(i.inKind, s.bits(i.in[1]));
  double high = floatOf(i.inKind, s.bits(i.in[2]));
  s.bits(i.out[0]) = roundTo(i.outKind, x < low ? low : x > high ? high : x);
  return true;
}

/// x to a whole power by repeated multiplication in f64.
bool floatPowInt(State &s, const Inst &i) {
  double x = floatOf(i.outKind, s.bits(i.in[0]));
  // The exponent is the second operand; integers of any width.
  Kind kind = static_cast<Kind>(i.number);
  s.bits(i.out[0]) =
      roundTo(i.outKind, std::pow(x, double(signedOf(kind, s.bits(i.in[1])))));
  return true;
}

llvm::Error buildFPowI(Compiler &compiler, Operation *op, Inst &inst) {
  auto kind = kindOf(op->getOperand(1).getType());
  if (!kind)
    return Compiler::unsupported(op, "it runs on scalars only");
  inst.run = floatPowInt;
  inst.number = static_cast<int64_t>(*kind);
  return llvm::Error::success();
}

bool intPow(State &s, const Inst &i) {
  int64_t base = signedOf(i.inKind, s.bits(i.in[0]));
  int64_t power = signedOf(i.inKind, s.bits(i.in[1]));
  uint64_t r = 1;
  if (power < 0) {
    if (base == 0)
      return s.broken(i, "divides by zero");
    r = base == 1 ? 1 : base == -1 ? (power % 2 ? -1 : 1) : 0;
  } else {
    for (uint64_t b = base, p = power; p != 0; p >>= 1, b *= b)
      if (p & 1)
        r *= b;
  }
  s.bits(i.out[0]) = truncateTo(i.outKind, r);
  return true;
}

bool absInt(State &s, const Inst &i) {
  int64_t x = signedOf(i.inKind, s.bits(i.in[0]));
  uint64_t u = static_cast<uint64_t>(x);
  s.bits(i.out[0]) = truncateTo(i.outKind, x < 0 ? -u : u);
  return true;
}

bool leadingZeros(State &s, const Inst &i) {
  s.bits(i.out[0]) = truncateTo(i.outKind, llvm::countl_zero(s.bits(i.in[0])) -
                                               (64 - widthOf(i.inKind)));
  return true;
}
bool trailingZeros(State &s, const Inst &i) {
  s.bits(i.out[0]) = truncateTo(
      i.outKind, std::min<unsigned>(widthOf(i.inKind),
                                    llvm::countr_zero(s.bits(i.in[0]))));
  return true;
}
bool popCount(State &s, const Inst &i) {
  s.bits(i.out[0]) = truncateTo(i.outKind, llvm::popcount(s.bits(i.in[0])));
  return true;
}

template <bool (*F)(double)>
bool test(State &s, const Inst &i) {
  s.bits(i.out[0]) = F(floatOf(i.inKind, s.bits(i.in[0])));
  return true;
}
bool isNaN(double x) { return std::isnan(x); }
bool isInf(double x) { return std::isinf(x); }
bool isFinite(double x) { return std::isfinite(x); }
} // namespace

void interp::addMath(Table &table) {
  auto plain = [&](StringRef name, Handler run) {
    table[("math." + name).str()] = {run, nullptr};
  };
  plain("absf", unary<std::fabs>);
  plain("exp", unary<std::exp>);
  plain("exp2", unary<std::exp2>);
  plain("expm1", unary<std::expm1>);
  plain("log", unary<std::log>);
  plain("log2", unary<std::log2>);
  plain("log10", unary<std::log10>);
  plain("log1p", unary<std::log1p>);
  plain("sqrt", unary<std::sqrt>);
  plain("rsqrt", unary<rsqrt>);
  plain("cbrt", unary<std::cbrt>);
  plain("sin", unary<std::sin>);
  plain("cos", unary<std::cos>);
  plain("tan", unary<std::tan>);
  plain("asin", unary<std::asin>);
  plain("acos", unary<std::acos>);
  plain("atan", unary<std::atan>);
  plain("sinh", unary<std::sinh>);
  plain("cosh", unary<std::cosh>);
  plain("tanh", unary<std::tanh>);
  plain("asinh", unary<std::asinh>);
  plain("acosh", unary<std::acosh>);
  plain("atanh", unary<std::atanh>);
  plain("erf", unary<std::erf>);
  plain("erfc", unary<std::erfc>);
  plain("ceil", unary<std::ceil>);
  plain("floor", unary<std::floor>);
  plain("trunc", unary<std::trunc>);
  plain("round", unary<std::round>);
  plain("roundeven", unary<roundEven>);
  plain("powf", binary<std::pow>);
  plain("atan2", binary<std::atan2>);
  plain("copysign", binary<std::copysign>);
  plain("fma", fma);
  plain("clampf", clamp);
  plain("ipowi", intPow);
  plain("absi", absInt);
  plain("ctlz", leadingZeros);
  plain("cttz", trailingZeros);
  plain("ctpop", popCount);
  plain("isnan", test<isNaN>);
  plain("isinf", test<isInf>);
  plain("isfinite", test<isFinite>);
  table["math.fpowi"] = {nullptr, buildFPowI};
}
