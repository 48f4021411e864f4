//===- ConversionTest.cpp - Narrow types, f64, integer powers -------------===//
//
// What the expansions must get exactly right, mostly by trying every value.
//
//===----------------------------------------------------------------------===//
#include "Kernels.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace nestor::test;

namespace {

float fromBits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}
uint32_t toBits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}
float bf16(uint16_t bits) { return fromBits(uint32_t(bits) << 16); }

/// Nearest-even by search among the neighbours: slow and obvious.
uint16_t toBF16(double x) {
  if (std::isnan(x))
    return 0x7fc0;
  uint16_t low =
      toBits(static_cast<float>(x)) >> 16; // may round, so look around
  uint16_t best = low;
  double bestError = INFINITY;
  for (int d = -2; d <= 2; ++d) {
    uint16_t candidate = low + d;
    double value = bf16(candidate);
    if (std::isnan(value) || std::signbit(value) != std::signbit(x))
      continue;
    // The step after the largest number stands for infinity.
    if (std::isinf(value))
      value = std::copysign(std::ldexp(1.0, 128), value);
    double error = std::fabs(value - x);
    if (error < bestError || (error == bestError && !(candidate & 1))) {
      best = candidate;
      bestError = error;
    }
  }
  return best;
}

KernelText text(std::string name, std::string operand, std::string result,
                std::string body, int lanes = 8, bool isBinary = false) {
  return {std::move(name),   std::move(body), std::move(operand),
          std::move(result), lanes,           isBinary};
}

class Conversion : public testing::Test {
protected:
  static void SetUpTestSuite() {
    std::vector<KernelText> texts;
    for (auto [suffix, lanes] : {std::pair{"", 8}, {"_1", 1}, {"_16", 16}}) {
      auto add = [&](std::string name, std::string operand, std::string result,
                     std::string body, bool isBinary = false) {
        texts.push_back(
            text(name + suffix, operand, result, body, lanes, isBinary));
      };
      add("bf16_f32", "bf16", "f32", "%r = arith.extf %x : T to R");
      add("f32_bf16", "f32", "bf16", "%r = arith.truncf %x : T to R");
      add("f64_bf16", "f64", "bf16", "%r = arith.truncf %x : T to R");
      add("f16_f32", "f16", "f32", "%r = arith.extf %x : T to R");
      add("f32_f16", "f32", "f16", "%r = arith.truncf %x : T to R");
      add("f64_f16", "f64", "f16", "%r = arith.truncf %x : T to R");
      add("f16_f64", "f16", "f64", "%r = arith.extf %x : T to R");
      add("f16_bf16", "f16", "bf16",
          "%w = arith.extf %x : T to " +
              std::string(lanes == 1
                              ? "f32"
                              : "vector<" + std::to_string(lanes) + "xf32>") +
              "\n%r = arith.truncf %w : " +
              (lanes == 1 ? "f32"
                          : "vector<" + std::to_string(lanes) + "xf32>") +
              " to R");
      add("i32_bf16", "i32", "bf16", "%r = arith.sitofp %x : T to R");
      add("bf16_i32", "bf16", "i32", "%r = arith.fptosi %x : T to R");
      add("bf16_exp", "bf16", "bf16", "%r = math.exp %x : T");
      add("f16_tanh", "f16", "f16", "%r = math.tanh %x : T");
      add("bf16_mul", "bf16", "bf16", "%r = arith.mulf %x, %y : T", true);
      add("bf16_less", "bf16", "i8",
          "%c = arith.cmpf olt, %x, %y : T\n%r = arith.extui %c : " +
              std::string(lanes == 1
                              ? "i1"
                              : "vector<" + std::to_string(lanes) + "xi1>") +
              " to R",
          true);
      add("bf16_neg", "bf16", "bf16", "%r = arith.negf %x : T");
      add("bf16_max", "bf16", "bf16",
          "%c = arith.cmpf ogt, %x, %y : T\n%r = arith.select %c, %x, %y : " +
              std::string(lanes == 1 ? "i1, " : "vector<") +
              (lanes == 1 ? "" : std::to_string(lanes) + "xi1>, ") + "T",
          true);
      add("f64_exp", "f64", "f64", "%r = math.exp %x : T");
      add("f64_erf", "f64", "f64", "%r = math.erf %x : T");
      add("f64_pow", "f64", "f64", "%r = math.powf %x, %y : T", true);
      add("ipow", "i32", "i32", "%r = math.ipowi %x, %y : T", true);
      add("square", "f32", "f32",
          std::string("%c = arith.constant ") +
              (lanes == 1 ? "2.0" : "dense<2.0>") +
              " : T\n%r = math.powf %x, %c : T");
      add("root", "f32", "f32",
          std::string("%c = arith.constant ") +
              (lanes == 1 ? "0.5" : "dense<0.5>") +
              " : T\n%r = math.powf %x, %c : T");
      add("finite", "f32", "i8",
          "%c = math.isfinite %x : T\n%r = arith.extui %c : " +
              std::string(lanes == 1
                              ? "i1"
                              : "vector<" + std::to_string(lanes) + "xi1>") +
              " to R");
    }
    kernels = Kernels::compile(texts).release();
  }
  static void TearDownTestSuite() { delete kernels; }
  void SetUp() override { ASSERT_NE(kernels, nullptr); }

  /// The same bits; vectors of bf16 are chosen from through f32, which makes a
  /// NaN quiet.
  template <typename R>
  static bool agree(const std::string &name, R a, R b) {
    if (std::memcmp(&a, &b, sizeof(R)) == 0)
      return true;
    if constexpr (sizeof(R) == 2) {
      auto isNaN = [](R bits) { return (bits & 0x7fff) > 0x7f80; };
      return name == "bf16_max" && isNaN(a) && isNaN(b);
    }
    return false;
  }

  /// Runs all widths of `name`, which must agree, and hands (x, y, r) over.
  template <typename X, typename R, typename Check>
  void forAll(const std::string &name, const std::vector<X> &x,
              const std::vector<X> &y, Check check) {
    std::vector<X> in(chunk), in2(chunk);
    std::vector<R> out(chunk), again(chunk);
    for (size_t at = 0; at < x.size(); at += chunk) {
      for (int64_t i = 0; i < chunk; ++i) {
        in[i] = x[(at + i) % x.size()];
        in2[i] = y.empty() ? X() : y[(at + i) % y.size()];
      }
      kernels->run(name, in.data(), in2.data(), out.data());
      for (const char *suffix : {"_1", "_16"}) {
        kernels->run(name + suffix, in.data(), in2.data(), again.data());
        for (int64_t i = 0; i < chunk; ++i)
          ASSERT_TRUE(agree(name, out[i], again[i]))
              << name << suffix << " of " << +in[i] << ", " << +in2[i];
      }
      for (int64_t i = 0; i < chunk; ++i)
        if (!check(in[i], in2[i], out[i])) {
          ADD_FAILURE() << name << " of " << +in[i] << ", " << +in2[i] << " is "
                        << +out[i];
          return;
        }
    }
  }

  static std::vector<uint16_t> all16() {
    std::vector<uint16_t> bits(65536);
    for (size_t i = 0; i < bits.size(); ++i)
      bits[i] = i;
    return bits;
  }
  static std::vector<float> someFloats() {
    std::mt19937 random(7);
    std::vector<float> x;
    for (int i = 0; i < 100000; ++i)
      x.push_back(fromBits(random()));
    // Ties and their neighbours at every exponent.
    for (uint32_t top = 0; top < 65536; ++top)
      for (uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u})
        if (top % 7 == 0 || (top & 0x7f80) == 0x7f00)
          x.push_back(fromBits(top << 16 | low));
    return x;
  }

  static Kernels *kernels;
};
Kernels *Conversion::kernels = nullptr;

} // namespace

TEST_F(Conversion, BF16BothWays) {
  forAll<uint16_t, float>("bf16_f32", all16(), {},
                          [](uint16_t x, uint16_t, float r) {
                            return toBits(r) == uint32_t(x) << 16;
                          });
  forAll<float, uint16_t>("f32_bf16", someFloats(), {},
                          [](float x, float, uint16_t r) {
                            if (std::isnan(x))
                              return std::isnan(bf16(r));
                            return r == toBF16(x);
                          });
}

TEST_F(Conversion, DoublesAreRoundedOnce) {
  std::vector<double> x;
  for (float f : someFloats()) {
    x.push_back(f);
    // Just beside a tie of the narrow type: two roundings would go wrong.
    double d = bf16(toBits(f) >> 16);
    double next = bf16((toBits(f) >> 16) + 1);
    double tie = (d + next) / 2;
    x.push_back(tie);
    x.push_back(tie * (1 + 1e-12));
    x.push_back(tie * (1 - 1e-12));
  }
  forAll<double, uint16_t>("f64_bf16", x, {}, [](double x, double, uint16_t r) {
    return std::isnan(x) ? std::isnan(bf16(r)) : r == toBF16(x);
  });
  for (double &d : x) // into the range of f16
    d = std::ldexp(d, std::isfinite(d) && d != 0 ? -std::ilogb(d) + 3 : 0);
  forAll<double, uint16_t>("f64_f16", x, {}, [](double x, double, uint16_t r) {
    _Float16 h;
    std::memcpy(&h, &r, 2);
    if (std::isnan(x))
      return std::isnan(double(h));
    if (std::isinf(x) || x == 0)
      return double(h) == x;
    // Half an ulp of f16 at 2^3, ties to even.
    double error = std::fabs(double(h) - x), half = std::ldexp(1.0, 3 - 11);
    return error < half || (error == half && !(r & 1));
  });
}

TEST_F(Conversion, F16GoesThroughTheHardware) {
  forAll<uint16_t, float>(
      "f16_f32", all16(), {}, [](uint16_t x, uint16_t, float r) {
        _Float16 h;
        std::memcpy(&h, &x, 2);
        return float(h) == r || (std::isnan(r) && std::isnan(float(h)));
      });
  forAll<uint16_t, double>("f16_f64", all16(), {},
                           [](uint16_t x, uint16_t, double r) {
                             _Float16 h;
                             std::memcpy(&h, &x, 2);
                             return double(h) == r || std::isnan(r);
                           });
}

TEST_F(Conversion, IntegersToBF16AreRoundedOnce) {
  std::mt19937 random(3);
  std::vector<int32_t> x;
  for (int i = 0; i < 200000; ++i)
    x.push_back(static_cast<int32_t>(random()) >> (random() % 32));
  for (int bit = 8; bit < 31; ++bit)
    for (int d = -2; d <= 2; ++d)
      for (int32_t lead : {0x81, 0x82, 0xff})
        x.push_back(static_cast<int32_t>(
                        (int64_t(lead) << bit | int64_t(1) << (bit - 1)) + d) &
                    0x7fffffff);
  forAll<int32_t, uint16_t>(
      "i32_bf16", x, {},
      [](int32_t x, int32_t, uint16_t r) { return r == toBF16(x); });
}

TEST_F(Conversion, NarrowArithmeticIsRoundedOnce) {
  forAll<uint16_t, uint16_t>(
      "bf16_exp", all16(), {}, [](uint16_t x, uint16_t, uint16_t r) {
        double exact = std::exp(double(bf16(x)));
        if (std::isnan(exact))
          return std::isnan(bf16(r));
        // f32's last bits may tip a tie: one unit is allowed.
        uint16_t best = toBF16(exact);
        return r == best || r == best + 1 || r == best - 1;
      });
  std::vector<uint16_t> x, y;
  std::mt19937 random(5);
  for (int i = 0; i < 100000; ++i) {
    x.push_back(random());
    y.push_back(random());
  }
  forAll<uint16_t, uint16_t>(
      "bf16_mul", x, y, [](uint16_t x, uint16_t y, uint16_t r) {
        double exact = double(bf16(x)) * double(bf16(y));
        return std::isnan(exact) ? std::isnan(bf16(r)) : r == toBF16(exact);
      });
  forAll<uint16_t, uint8_t>("bf16_less", x, y,
                            [](uint16_t x, uint16_t y, uint8_t r) {
                              return r == (bf16(x) < bf16(y));
                            });
  forAll<uint16_t, uint16_t>("bf16_max", x, y,
                             [](uint16_t x, uint16_t y, uint16_t r) {
                               uint16_t want = bf16(x) > bf16(y) ? x : y;
                               return agree("bf16_max", want, r);
                             });
  forAll<uint16_t, uint16_t>(
      "bf16_neg", all16(), {},
      [](uint16_t x, uint16_t, uint16_t r) { return r == (x ^ 0x8000); });
  forAll<uint16_t, uint16_t>(
      "f16_tanh", all16(), {}, [](uint16_t x, uint16_t, uint16_t r) {
        _Float16 a, b;
        std::memcpy(&a, &x, 2);
        std::memcpy(&b, &r, 2);
        double exact = std::tanh(double(a));
        return std::isnan(exact)
                   ? std::isnan(double(b))
                   : std::fabs(double(b) - exact) <=
                         std::max(std::fabs(exact) * 5.2e-4, 3.1e-8);
      });
}

TEST_F(Conversion, DoublesCallLibm) {
  std::vector<double> x, y;
  std::mt19937 random(11);
  std::normal_distribution<double> normal(0, 3);
  for (int i = 0; i < chunk; ++i) {
    x.push_back(normal(random));
    y.push_back(normal(random));
  }
  auto same = [](double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
  };
  forAll<double, double>("f64_exp", x, {}, [&](double x, double, double r) {
    return same(r, std::exp(x));
  });
  forAll<double, double>("f64_erf", x, {}, [&](double x, double, double r) {
    return same(r, std::erf(x));
  });
  forAll<double, double>("f64_pow", x, y, [&](double x, double y, double r) {
    return same(r, std::pow(x, y));
  });
}

TEST_F(Conversion, IntegerPowers) {
  std::vector<int32_t> x, y;
  for (int32_t base = -12; base <= 12; ++base)
    for (int32_t exponent = -5; exponent <= 40; ++exponent) {
      x.push_back(base);
      y.push_back(exponent);
    }
  forAll<int32_t, int32_t>("ipow", x, y, [](int32_t x, int32_t y, int32_t r) {
    if (y < 0)
      return r == (x == 1 ? 1 : x == -1 ? (y & 1 ? -1 : 1) : 0);
    uint32_t expected = 1;
    for (int32_t i = 0; i < y; ++i)
      expected *= static_cast<uint32_t>(x);
    return static_cast<uint32_t>(r) == expected;
  });
}

TEST_F(Conversion, ConstantExponentsNeedNoLogarithm) {
  forAll<float, float>("square", someFloats(), {}, [](float x, float, float r) {
    return r == x * x || std::isnan(x);
  });
  forAll<float, float>("root", someFloats(), {}, [](float x, float, float r) {
    float expected = static_cast<float>(std::pow(double(x), 0.5));
    if (std::isnan(expected))
      return std::isnan(r);
    return r == expected && std::signbit(r) == std::signbit(expected);
  });
  forAll<float, uint8_t>(
      "finite", someFloats(), {},
      [](float x, float, uint8_t r) { return r == uint8_t(std::isfinite(x)); });
}
