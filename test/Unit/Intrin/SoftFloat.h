// f32 arithmetic on exact values, for the rounding that architectures define:
// an independent way, by integers, to what the emulation computes with floats.
#ifndef NESTOR_TEST_UNIT_INTRIN_SOFTFLOAT_H
#define NESTOR_TEST_UNIT_INTRIN_SOFTFLOAT_H

#include <bit>
#include <cmath>
#include <cstdint>

namespace nestor::soft {

enum class Round { NearestEven, Odd };

/// A float, or the exact product or sum of some: sign, mantissa, exponent, and
/// whether something smaller than the mantissa's last bit is left.
struct Exact {
  enum Kind { Finite, Infinite, NaN } kind = Finite;
  bool negative = false;
  unsigned __int128 mantissa = 0;
  int exponent = 0;
  bool sticky = false;

  static Exact of(float value) {
    uint32_t bits = std::bit_cast<uint32_t>(value);
    Exact x;
    x.negative = bits >> 31;
    int biased = bits >> 23 & 0xff;
    uint32_t fraction = bits & 0x7fffff;
    if (biased == 0xff)
      x.kind = fraction ? NaN : Infinite;
    x.mantissa = biased ? fraction | 0x800000 : fraction;
    x.exponent = (biased ? biased : 1) - 150;
    return x;
  }
  bool isZero() const { return kind == Finite && mantissa == 0 && !sticky; }
};

inline Exact multiply(Exact a, Exact b) {
  Exact r;
  r.negative = a.negative != b.negative;
  if (a.kind == Exact::NaN || b.kind == Exact::NaN ||
      (a.kind == Exact::Infinite && b.isZero()) ||
      (b.kind == Exact::Infinite && a.isZero())) {
    r.kind = Exact::NaN;
  } else if (a.kind == Exact::Infinite || b.kind == Exact::Infinite) {
    r.kind = Exact::Infinite;
  } else {
    r.mantissa = a.mantissa * b.mantissa;
    r.exponent = a.exponent + b.exponent;
  }
  return r;
}

inline Exact add(Exact a, Exact b) {
  if (a.kind == Exact::NaN || b.kind == Exact::NaN ||
      (a.kind == Exact::Infinite && b.kind == Exact::Infinite &&
       a.negative != b.negative))
    return {Exact::NaN, false, 0, 0, false};
  if (a.kind == Exact::Infinite || b.isZero()) {
    if (a.isZero())
      a.negative = a.negative && b.negative;
    return a;
  }
  if (b.kind == Exact::Infinite || a.isZero())
    return b;
  // The larger one's top bit moves to bit 120, the other one follows.
  auto raise = [](Exact &x) {
    while (!(x.mantissa >> 120)) {
      x.mantissa <<= 1;
      --x.exponent;
    }
  };
  raise(a), raise(b);
  if (a.exponent < b.exponent)
    std::swap(a, b);
  int shift = a.exponent - b.exponent;
  unsigned __int128 one = 1;
  bool lost =
      shift > 127 ? b.mantissa != 0 : (b.mantissa & ((one << shift) - 1)) != 0;
  b.mantissa = shift > 127 ? 0 : b.mantissa >> shift;
  Exact r;
  r.exponent = a.exponent;
  r.sticky = lost;
  if (a.negative == b.negative) {
    r.negative = a.negative;
    r.mantissa = a.mantissa + b.mantissa;
    return r;
  }
  // What is lost of b takes one from the difference and leaves something.
  bool isLess = a.mantissa < b.mantissa;
  r.negative = isLess ? b.negative : a.negative;
  r.mantissa =
      isLess ? b.mantissa - a.mantissa : a.mantissa - b.mantissa - lost;
  if (r.mantissa == 0 && !lost)
    r.negative = false;
  return r;
}

/// To f32. `flush`: what is below the normal numbers becomes 0; seen after
/// rounding (to nearest, x86) or before it (to odd, Arm).
inline float round(Exact x, Round how, bool flush) {
  float sign = x.negative ? -1.0f : 1.0f;
  if (x.kind == Exact::NaN)
    return std::bit_cast<float>(0x7fc00000u);
  if (x.kind == Exact::Infinite)
    return sign * INFINITY;
  if (x.isZero())
    return sign * 0.0f;
  // 24 bits and what is below them; denormals fewer, unless the end of the
  // exponents does not count.
  auto cut = [&](int lowest) {
    unsigned __int128 m = x.mantissa;
    int e = x.exponent;
    bool rest = x.sticky, half = false;
    while (m >> 24 || e < lowest) {
      rest |= half;
      half = m & 1;
      m >>= 1;
      ++e;
    }
    while (!(m >> 23) && e > lowest && m) {
      m <<= 1;
      --e;
    }
    if (how == Round::Odd)
      m |= half || rest;
    else if (half && (rest || (m & 1)))
      ++m;
    return std::ldexp(static_cast<double>(m), e);
  };
  double unbounded = cut(-100000), value = cut(-149);
  bool isTiny = unbounded < 0x1p-126;
  if (how == Round::Odd) {
    // Before rounding: the value itself.
    isTiny = std::ldexp(static_cast<double>(x.mantissa), x.exponent) < 0x1p-126;
  }
  if (flush && isTiny)
    return sign * 0.0f;
  if (value >= 0x1p128)
    return sign * INFINITY;
  return sign * static_cast<float>(value);
}

inline float flush(float x) {
  return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x;
}

inline float bf16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}

/// An FMA as AVX512-BF16 and AMX do it.
inline float fma(float a, float b, float c) {
  Exact product = multiply(Exact::of(flush(a)), Exact::of(flush(b)));
  return round(add(product, Exact::of(flush(c))), Round::NearestEven, true);
}
inline float add(float a, float b) {
  return round(add(Exact::of(flush(a)), Exact::of(flush(b))),
               Round::NearestEven, true);
}

/// The pseudocode of VDPBF16PS, a lane.
inline float vdpbf16ps(float acc, const uint16_t *a, const uint16_t *b) {
  acc = fma(bf16(a[1]), bf16(b[1]), acc);
  return fma(bf16(a[0]), bf16(b[0]), acc);
}

/// BFDotAdd of the Arm architecture.
inline float bfdot(float acc, const uint16_t *a, const uint16_t *b) {
  auto product = [&](int i) {
    return round(
        multiply(Exact::of(flush(bf16(a[i]))), Exact::of(flush(bf16(b[i])))),
        Round::Odd, true);
  };
  auto sum = [](float x, float y) {
    return round(add(Exact::of(flush(x)), Exact::of(flush(y))), Round::Odd,
                 true);
  };
  return sum(acc, sum(product(0), product(1)));
}

} // namespace nestor::soft

#endif // NESTOR_TEST_UNIT_INTRIN_SOFTFLOAT_H
