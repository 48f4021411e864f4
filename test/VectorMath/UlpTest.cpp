//===- UlpTest.cpp - The vector math functions against MPFR ---------------===//
//
// Every f32 function over samples of the whole f32 range and of the range where
// it is interesting, special values included. The bound of each stands in one
// table; the largest error seen is printed. NESTOR_ULP_SAMPLES sets how many
// samples (default 40,000 a function).
//
//===----------------------------------------------------------------------===//
#include "Kernels.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <mpfr.h>
#include <random>

using namespace nestor::test;

namespace {

using Unary = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);
using Binary = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

/// IEEE 754 gives 1/sqrt(-0) the sign that 1/-0 has; MPFR does not.
int reciprocalRoot(mpfr_ptr r, mpfr_srcptr x, mpfr_rnd_t mode) {
  mpfr_sqrt(r, x, mode);
  return mpfr_ui_div(r, 1, r, mode);
}

int sigmoid(mpfr_ptr r, mpfr_srcptr x, mpfr_rnd_t mode) {
  mpfr_neg(r, x, mode);
  mpfr_exp(r, r, mode);
  mpfr_add_ui(r, r, 1, mode);
  return mpfr_ui_div(r, 1, r, mode);
}

struct Row {
  const char *name;
  const char *op;
  Unary unary;
  Binary binary;
  double low, high; // the interesting range
  double bound;     // ULP
};

// The bounds, in units in the last place of the exact result.
const Row rows[] = {
    {"exp", "math.exp", mpfr_exp, nullptr, -105, 90, 1.0},
    {"exp2", "math.exp2", mpfr_exp2, nullptr, -151, 129, 1.0},
    {"expm1", "math.expm1", mpfr_expm1, nullptr, -18, 20, 1.5},
    {"log", "math.log", mpfr_log, nullptr, 0, 4, 1.0},
    {"log2", "math.log2", mpfr_log2, nullptr, 0, 4, 1.1},
    {"log10", "math.log10", mpfr_log10, nullptr, 0, 4, 1.1},
    {"log1p", "math.log1p", mpfr_log1p, nullptr, -1, 4, 1.5},
    {"tanh", "math.tanh", mpfr_tanh, nullptr, -10, 10, 3.0},
    {"erf", "math.erf", mpfr_erf, nullptr, -4, 4, 2.1},
    {"erfc", "math.erfc", mpfr_erfc, nullptr, -4, 10.2, 4.0},
    {"sin", "math.sin", mpfr_sin, nullptr, -100, 100, 1.5},
    {"cos", "math.cos", mpfr_cos, nullptr, -100, 100, 1.5},
    {"tan", "math.tan", mpfr_tan, nullptr, -100, 100, 3.0},
    {"asin", "math.asin", mpfr_asin, nullptr, -1, 1, 2.2},
    {"acos", "math.acos", mpfr_acos, nullptr, -1, 1, 1.5},
    {"atan", "math.atan", mpfr_atan, nullptr, -10, 10, 1.5},
    {"sinh", "math.sinh", mpfr_sinh, nullptr, -90, 90, 2.0},
    {"cosh", "math.cosh", mpfr_cosh, nullptr, -90, 90, 1.5},
    {"asinh", "math.asinh", mpfr_asinh, nullptr, -10, 10, 2.0},
    {"acosh", "math.acosh", mpfr_acosh, nullptr, 1, 10, 2.0},
    {"atanh", "math.atanh", mpfr_atanh, nullptr, -1, 1, 2.2},
    {"cbrt", "math.cbrt", mpfr_cbrt, nullptr, -10, 10, 0.51},
    {"rsqrt", "math.rsqrt", reciprocalRoot, nullptr, 0, 10, 1.5},
    {"sqrt", "math.sqrt", mpfr_sqrt, nullptr, 0, 10, 0.5001},
    {"pow", "math.powf", nullptr, mpfr_pow, 0, 20, 0.51},
    {"atan2", "math.atan2", nullptr, mpfr_atan2, -4, 4, 1.5},
    {"sigmoid", nullptr, sigmoid, nullptr, -100, 90, 2.5},
};

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

const float special[] = {0.0f,
                         -0.0f,
                         INFINITY,
                         -INFINITY,
                         NAN,
                         -NAN,
                         1.0f,
                         -1.0f,
                         0.5f,
                         -0.5f,
                         2.0f,
                         -2.0f,
                         3.0f,
                         -3.0f,
                         1e-45f,
                         -1e-45f,
                         1.1754942e-38f,
                         1.17549435e-38f,
                         -1.17549435e-38f,
                         3.40282347e38f,
                         -3.40282347e38f,
                         88.7228317f,
                         88.7228394f,
                         88.72284f,
                         -87.3365479f,
                         -103.972076f,
                         -103.972084f,
                         128.0f,
                         127.99999f,
                         -126.0f,
                         -149.0f,
                         -149.5f,
                         -150.0f,
                         89.4159851f,
                         89.4159927f,
                         0.99999994f,
                         1.00000012f,
                         -0.99999994f,
                         1.57079637f,
                         3.14159274f,
                         6.28318548f,
                         70000.0f,
                         70000.0078f,
                         65536.0f,
                         1e10f,
                         1e22f,
                         1.6777216e7f,
                         1048576.0f,
                         0.333333343f,
                         0.25f,
                         4.0f,
                         -4.0f,
                         1e-20f,
                         -1e-20f,
                         16367173.0f *
                             4.7223665e21f /* close to a multiple of pi/2 */};

size_t sampleCount() {
  const char *text = std::getenv("NESTOR_ULP_SAMPLES");
  return text ? std::strtoull(text, nullptr, 10) : 40000;
}

std::string bodyOf(const Row &row) {
  if (!row.op)
    return "%one = arith.constant 1.0 : f32\n"
           "%ones = vector.broadcast %one : f32 to T\n"
           "%neg = arith.negf %x : T\n%e = math.exp %neg : T\n"
           "%sum = arith.addf %ones, %e : T\n"
           "%r = arith.divf %ones, %sum : T";
  return std::string("%r = ") + row.op + " %x" + (row.binary ? ", %y" : "") +
         " : T";
}

/// The exact result as a double (29 bits more than needed).
class Reference {
public:
  Reference() { mpfr_inits2(80, x, y, r, nullptr); }
  ~Reference() { mpfr_clears(x, y, r, nullptr); }
  double operator()(const Row &row, float a, float b) {
    mpfr_set_flt(x, a, MPFR_RNDN);
    if (row.unary) {
      row.unary(r, x, MPFR_RNDN);
    } else {
      mpfr_set_flt(y, b, MPFR_RNDN);
      row.binary(r, x, y, MPFR_RNDN);
    }
    return mpfr_get_d(r, MPFR_RNDN);
  }

private:
  mpfr_t x, y, r;
};

/// |got - exact| in ULP of exact; infinite for a wrong special value.
double ulpError(float got, double exact) {
  if (std::isnan(exact))
    return std::isnan(got) ? 0 : INFINITY;
  // Where rounding overflows, infinity is right and the largest number is not
  // far.
  float rounded = static_cast<float>(exact);
  if (std::isnan(got))
    return INFINITY;
  if (std::isinf(rounded) || std::isinf(got)) {
    if (got == rounded)
      return 0;
    bool isClose = std::isfinite(exact) && std::signbit(got) == (exact < 0) &&
                   std::fabs(exact) > 3.40282327e38 &&
                   std::fabs(exact) < 3.40282387e38;
    return isClose ? 1 : INFINITY;
  }
  if (exact == 0)
    return got == 0 && std::signbit(got) == std::signbit(exact) ? 0 : INFINITY;
  int exponent;
  std::frexp(exact, &exponent);
  double ulp = std::ldexp(1.0, std::max(exponent - 24, -149));
  return std::fabs(static_cast<double>(got) - exact) / ulp;
}

class VectorMath : public testing::Test {
protected:
  static std::vector<KernelText> texts() {
    std::vector<KernelText> texts;
    for (const Row &row : rows) {
      KernelText k;
      k.name = std::string("wide_") + row.name;
      k.body = bodyOf(row);
      k.isBinary = row.binary;
      texts.push_back(k);
      k.name = std::string("wider_") + row.name;
      k.lanes = 16;
      texts.push_back(k);
      if (row.op) {
        k.name = std::string("scalar_") + row.name;
        k.lanes = 1;
        texts.push_back(k);
      }
    }
    return texts;
  }
  static void SetUpTestSuite() {
    kernels = Kernels::compile(texts()).release();
  }
  static void TearDownTestSuite() { delete kernels; }
  static Kernels *kernels;
};
Kernels *VectorMath::kernels = nullptr;

} // namespace

TEST_F(VectorMath, StaysWithinItsBounds) {
  ASSERT_NE(kernels, nullptr);
  std::mt19937 random(12345);
  Reference reference;
  std::vector<float> x(chunk), y(chunk), out(chunk), again(chunk);
  for (const Row &row : rows) {
    std::uniform_real_distribution<float> inside(row.low, row.high);
    double worst = 0, sum = 0;
    size_t count = 0;
    float worstX = 0, worstY = 0, worstGot = 0;
    double largest = 0;
    for (size_t done = 0; done < sampleCount() + chunk; done += chunk) {
      for (int64_t i = 0; i < chunk; ++i) {
        bool isSpecial = done == 0;
        size_t n = std::size(special);
        if (isSpecial) {
          x[i] = special[i % n];
          y[i] = special[(i / n) % n];
        } else {
          x[i] = i % 2 ? fromBits(random()) : inside(random);
          y[i] = i % 4 < 2 ? fromBits(random()) : inside(random) - row.high / 2;
        }
      }
      std::string name = row.name;
      kernels->run("wide_" + name, x.data(), y.data(), out.data());
      // Other widths compute the same bits (NaN's payload apart).
      for (const char *kind : {"wider_", "scalar_"}) {
        if (!row.op && kind[0] == 's')
          continue;
        kernels->run(kind + name, x.data(), y.data(), again.data());
        for (int64_t i = 0; i < chunk; ++i)
          ASSERT_TRUE(toBits(out[i]) == toBits(again[i]) ||
                      (std::isnan(out[i]) && std::isnan(again[i])))
              << kind << name << "(" << x[i] << ", " << y[i] << ") is "
              << again[i] << ", not " << out[i];
      }
      for (int64_t i = 0; i < chunk; ++i) {
        double exact = reference(row, x[i], y[i]);
        // Where exp(-x) overflows, sigmoid's denormal results become 0.
        if (!row.op && std::fabs(exact) < 1.2e-38 && out[i] == 0)
          continue;
        double error = ulpError(out[i], exact);
        sum += std::min(error, 1e6);
        ++count;
        largest = std::max(largest, std::fabs(double(out[i])));
        if (error > worst) {
          worst = error;
          worstX = x[i];
          worstY = y[i];
          worstGot = out[i];
        }
      }
    }
    printf("%-8s max %.3f ULP (bound %.2f), mean %.3f, at %.9g%s = %.9g\n",
           row.name, worst, row.bound, sum / count, worstX,
           row.binary ? (", " + std::to_string(worstY)).c_str() : "", worstGot);
    EXPECT_LE(worst, row.bound)
        << row.name << "(" << worstX << ", " << worstY << ") = " << worstGot
        << ", exact " << reference(row, worstX, worstY);
    llvm::StringRef name = row.name;
    if (name == "tanh" || name == "erf" || name == "sin" || name == "sigmoid")
      EXPECT_EQ(largest, 1.0) << row.name << " leaves its range";
  }
}

/// Not a bound (machines differ): how long a function takes.
TEST_F(VectorMath, PrintsItsSpeed) {
  ASSERT_NE(kernels, nullptr);
  std::vector<float> x(chunk), y(chunk, 1.7f), out(chunk);
  for (int64_t i = 0; i < chunk; ++i)
    x[i] = 0.001f + 0.9f * i / chunk;
  for (const Row &row : rows) {
    std::string name = std::string("wide_") + row.name;
    double best = 1e9;
    for (int round = 0; round < 20; ++round) {
      auto start = std::chrono::steady_clock::now();
      kernels->run(name, x.data(), y.data(), out.data());
      std::chrono::duration<double, std::nano> time =
          std::chrono::steady_clock::now() - start;
      best = std::min(best, time.count());
    }
    printf("%-8s %.3f ns an element\n", row.name, best / chunk);
  }
}

/// Machines that this one may not be: no calls, and the registers are used.
TEST_F(VectorMath, CallsNoLibraryOnAnyTarget) {
  for (auto [target, call, vector] : {std::tuple{"x86-64-v3", "call", "ymm"},
                                      std::tuple{"x86-64-v4", "call", "zmm"},
                                      std::tuple{"armv8.6-a", "bl", "fmla"}}) {
    std::string text = Kernels::assemble(texts(), target);
    EXPECT_NE(text.find(vector), std::string::npos) << target;
    llvm::StringRef rest = text;
    while (!rest.empty()) {
      auto [line, after] = rest.split('\n');
      rest = after;
      llvm::StringRef mnemonic =
          line.trim().take_until([](char c) { return c == '\t' || c == ' '; });
      if (mnemonic == call || mnemonic == "callq") {
        ADD_FAILURE() << target << ": " << line.str();
        break;
      }
    }
  }
}
