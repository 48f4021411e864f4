//===- RoundingTest.cpp - bf16 and f16, bit for bit -----------------------===//
//
// What architectures define beyond the semantics: the order of a group, its
// rounding, what becomes of denormals, overflow and NaN. One instance at a
// time, extreme and random elements, the emulation against integer arithmetic.
//
//===----------------------------------------------------------------------===//
#include "RecordKernel.h"
#include "SoftFloat.h"

#include "nestor/Support/Error.h"

#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

namespace {
/// Elements whose products and sums meet around one power of two: where numbers
/// become denormal, where they overflow, or anywhere.
void fillAround(Matrices &matrices, int exponent, std::mt19937_64 &rng) {
  auto pick = [&](int low, int high) {
    return low + static_cast<int>(rng() % (high - low + 1));
  };
  auto biased = [](int e) { return std::clamp(e + 127, 0, 254); };
  // All lhs are near one power, so all rhs near another one.
  int split = pick(-60, 60);
  auto half = [&](HostTensor &tensor, int e) {
    for (size_t i = 0; i < tensor.bytes.size(); i += 2) {
      uint16_t bits = biased(e + pick(-2, 1)) << 7 | (rng() & 0x807f);
      if (rng() % 8 == 0)
        bits &= 0xff80;
      std::memcpy(&tensor.bytes[i], &bits, 2);
    }
  };
  // Or products far below: they decide which way the sum rounds.
  int below = rng() % 2 ? 25 : 0;
  if (below)
    split = exponent / 2;
  half(matrices.lhs, split);
  half(matrices.rhs, exponent - split - below - pick(0, 3));
  for (size_t i = 0; i < matrices.acc.bytes.size(); i += 4) {
    uint32_t fraction = rng() & 0x7fffff;
    if (rng() % 3 == 0)
      fraction = rng() % 2 ? 0x7fffff - rng() % 3 : rng() % 3;
    uint32_t bits = static_cast<uint32_t>(rng() & 1) << 31 |
                    biased(exponent + pick(-2, 1)) << 23 | fraction;
    std::memcpy(&matrices.acc.bytes[i], &bits, 4);
  }
}

struct Rounding : testing::Test {
  MLIRContext context;
  Rounding() { intrin::loadDialects(context); }

  /// bf16 bits by [row * columns + column] of both matrices.
  using Lane =
      std::function<float(float acc, int64_t m, int64_t n, const uint16_t *lhs,
                          const uint16_t *rhs, int64_t columns)>;

  void check(StringRef name, const Lane &lane, const Target *device = nullptr) {
    const Record &record = *find(name);
    Plan plan;
    auto native = Native::make(context, record, plan, device);
    ASSERT_TRUE(bool(native)) << takeError(native.takeError()).second;
    unsigned wrong = 0;
    for (uint64_t seed = 0; seed < 1000 && !wrong; ++seed) {
      Data data = seed % 8 == 7 ? Data::Random : Data::Extreme;
      Matrices matrices = makeMatrices(context, record, plan, data, seed);
      std::mt19937_64 rng(seed);
      if (seed % 4 < 3)
        fillAround(matrices,
                   seed % 4 == 0   ? -126
                   : seed % 4 == 1 ? 127
                                   : 0,
                   rng);
      HostTensor got = (*native)->run(matrices);
      auto lhs = matrices.lhs.as<uint16_t>(), rhs = matrices.rhs.as<uint16_t>();
      auto before = matrices.acc.as<float>(), after = got.as<float>();
      int64_t columns = record.axes[kN].extent, ks = record.axes[kK].extent;
      for (int64_t m = 0; m < record.axes[kM].extent; ++m)
        for (int64_t n = 0; n < columns; ++n) {
          float expected = lane(before[m * columns + n], m, n, &lhs[m * ks],
                                rhs.data(), columns);
          float x = after[m * columns + n];
          if (std::isnan(x) && std::isnan(expected))
            continue;
          if (std::bit_cast<uint32_t>(x) != std::bit_cast<uint32_t>(expected)) {
            if (!wrong++)
              ADD_FAILURE()
                  << name.str() << " seed " << seed << " at " << m << ", " << n
                  << ": " << std::hexfloat << x << ", expected " << expected
                  << ", acc " << before[m * columns + n];
          }
        }
    }
  }
};

/// Two elements of a column of rhs, k and k + 1.
struct Pair {
  uint16_t b[2];
  Pair(const uint16_t *rhs, int64_t k, int64_t n, int64_t columns)
      : b{rhs[k * columns + n], rhs[(k + 1) * columns + n]} {}
};

float vdpbf16ps(float acc, int64_t, int64_t n, const uint16_t *lhs,
                const uint16_t *rhs, int64_t columns) {
  return soft::vdpbf16ps(acc, lhs, Pair(rhs, 0, n, columns).b);
}

float bfdots(int64_t pairs, float acc, int64_t n, const uint16_t *lhs,
             const uint16_t *rhs, int64_t columns) {
  for (int64_t p = 0; p < pairs; ++p)
    acc = soft::bfdot(acc, lhs + 2 * p, Pair(rhs, 2 * p, n, columns).b);
  return acc;
}

/// The pseudocode of TDPBF16PS.
float tdpbf16ps(float acc, int64_t, int64_t n, const uint16_t *lhs,
                const uint16_t *rhs, int64_t columns) {
  float sums[2] = {0, 0};
  for (int64_t k = 0; k < 32; ++k)
    sums[k % 2] = soft::fma(soft::bf16(lhs[k]),
                            soft::bf16(rhs[k * columns + n]), sums[k % 2]);
  return soft::add(acc, soft::add(sums[0], sums[1]));
}
} // namespace

TEST_F(Rounding, Vdpbf16ps) {
  check("x86.vdpbf16ps.512", vdpbf16ps);
  check("x86.vdpbf16ps.256", vdpbf16ps);
}

TEST_F(Rounding, Tdpbf16ps) { check("x86.amx.tdpbf16ps", tdpbf16ps); }

TEST_F(Rounding, Bfdot) {
  check("arm.bfdot", [](float acc, int64_t, int64_t n, auto... rest) {
    return bfdots(1, acc, n, rest...);
  });
}

TEST_F(Rounding, Bfmmla) {
  check("arm.bfmmla", [](float acc, int64_t, int64_t n, auto... rest) {
    return bfdots(2, acc, n, rest...);
  });
}

// The same against the CPU, where it has the instruction.
TEST_F(Rounding, TheCpuAgrees) {
  static const Target host = Target::host();
  if (!host.has("avx512bf16"))
    GTEST_SKIP() << "skipped: no avx512bf16";
  check("x86.vdpbf16ps.512", vdpbf16ps, &host);
}
