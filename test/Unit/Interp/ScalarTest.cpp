// Conversions of 16-bit floats against APFloat, element access, seeded tensors.
#include "nestor/Interp/HostTensor.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace nestor;

namespace {
uint16_t reference(double value, const llvm::fltSemantics &semantics) {
  llvm::APFloat f(value);
  bool lost;
  f.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &lost);
  return static_cast<uint16_t>(f.bitcastToAPInt().getZExtValue());
}

uint16_t stored(mlir::Type type, double value) {
  HostTensor t = HostTensor::undefined(type, {});
  setElement(t, 0, value);
  return t.as<uint16_t>()[0];
}

struct ScalarTest : testing::Test {
  mlir::MLIRContext context;
  mlir::Type f16 = mlir::Float16Type::get(&context);
  mlir::Type bf16 = mlir::BFloat16Type::get(&context);
};

TEST_F(ScalarTest, RoundsOnceToHalf) {
  std::mt19937_64 random(7);
  std::vector<double> values = {0.0,
                                -0.0,
                                65504,
                                65519.99,
                                65520,
                                1e10,
                                0x1p-24,
                                0x1p-25,
                                0x1.8p-25,
                                0x1p-14,
                                0x1.ffcp-15,
                                1.0 + 0x1p-11,
                                1.0 + 0x1p-11 + 0x1p-50,
                                INFINITY,
                                -INFINITY};
  for (int i = 0; i < 200000; ++i)
    values.push_back(
        std::ldexp(double(random()) * 0x1p-64 - 0.5, int(random() % 48) - 30));
  for (double value : values) {
    EXPECT_EQ(stored(f16, value), reference(value, llvm::APFloat::IEEEhalf()))
        << value;
    EXPECT_EQ(stored(bf16, value), reference(value, llvm::APFloat::BFloat()))
        << value;
  }
}

TEST_F(ScalarTest, ReadsEveryHalf) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    uint16_t word = static_cast<uint16_t>(bits);
    HostTensor t = HostTensor::of<uint16_t>(f16, {1}, {word});
    llvm::APFloat f(llvm::APFloat::IEEEhalf(), llvm::APInt(16, bits));
    bool lost;
    f.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
              &lost);
    double got = elementAsDouble(t, 0), want = f.convertToDouble();
    ASSERT_TRUE(got == want || (std::isnan(got) && std::isnan(want))) << bits;
    if (!std::isnan(want)) {
      ASSERT_EQ(stored(f16, want), word);
    }
  }
}

TEST_F(ScalarTest, SeededTensorsStayInRange) {
  mlir::Type i8 = mlir::IntegerType::get(&context, 8);
  HostTensor t = randomTensor(i8, {10, 10}, 3, -4, 4, true);
  bool low = false, high = false;
  for (int8_t v : t.as<int8_t>()) {
    EXPECT_LE(std::abs(v), 4);
    low |= v == -4;
    high |= v == 4;
  }
  EXPECT_TRUE(low && high);
  EXPECT_EQ(t.bytes, randomTensor(i8, {10, 10}, 3, -4, 4, true).bytes);
  EXPECT_EQ(describe(HostTensor::of<int8_t>(i8, {3}, {1, -2, 3}), 2),
            "3xi8 [1, -2, ...]");
}
} // namespace
