// The comparison, and that the reference page shows the table as it is.
#include "nestor/Support/Tolerance.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace nestor;
using testing::HasSubstr;

namespace {
template <typename T>
std::vector<uint8_t> bytes(std::vector<T> values) {
  std::vector<uint8_t> result(values.size() * sizeof(T));
  std::memcpy(result.data(), values.data(), result.size());
  return result;
}

template <typename T>
Comparison compareAs(Element element, std::vector<T> got, std::vector<T> want,
                     Tolerance tolerance = {}) {
  return compare(element, bytes(got), bytes(want), tolerance);
}

TEST(Tolerance, IntegersMatchExactly) {
  EXPECT_TRUE(compareAs<int8_t>(Element::I8, {1, -2}, {1, -2}).matches());
  Comparison c =
      compareAs<int64_t>(Element::I64, {INT64_MAX, 5}, {INT64_MAX - 1, 5});
  EXPECT_FALSE(c.matches());
  EXPECT_EQ(c.mismatches, 1);
  EXPECT_EQ(c.maxUlp, 1u);
  EXPECT_TRUE(
      compareAs<uint8_t>(Element::U8, {200}, {201}, {0, 1, 0}).matches());
}

TEST(Tolerance, FloatsMatchWithinTheBound) {
  Tolerance t{1e-3, 0, 0};
  EXPECT_TRUE(compareAs<float>(Element::F32, {1.0009f}, {1.0f}, t).matches());
  Comparison c =
      compareAs<float>(Element::F32, {1.0f, 1.002f}, {1.0f, 1.0f}, t);
  EXPECT_FALSE(c.matches());
  EXPECT_EQ(c.worst, 1);
  EXPECT_NEAR(c.needed, 2, 0.01);
  EXPECT_THAT(c.summary(), HasSubstr("1 of 2 elements differ"));
  // Scaled by the largest magnitude: a small element may be off by more.
  EXPECT_TRUE(
      compareAs<float>(Element::F32, {0.1f, 100.f}, {0.f, 100.f}, {0, 0, 2e-3})
          .matches());
}

TEST(Tolerance, SpecialValues) {
  float nan = std::nanf(""), inf = INFINITY;
  Tolerance loose{1, 1, 1};
  EXPECT_TRUE(compareAs<float>(Element::F32, {nan, inf, -0.f}, {-nan, inf, 0.f})
                  .matches());
  for (auto [got, want] :
       {std::pair(nan, 1.f), {1.f, nan}, {inf, -inf}, {1.f, inf}, {inf, 1.f}}) {
    Comparison c = compareAs<float>(Element::F32, {got}, {want}, loose);
    EXPECT_FALSE(c.matches()) << got << ' ' << want;
    EXPECT_TRUE(std::isinf(c.needed));
  }
}

TEST(Tolerance, UlpsCrossZero) {
  float a = 1.0f, b = std::nextafter(std::nextafter(1.0f, 2.0f), 2.0f);
  EXPECT_EQ(ulpDistance(Element::F32, bytes<float>({a}).data(),
                        bytes<float>({b}).data()),
            2u);
  float tiny = std::nextafter(0.0f, 1.0f);
  EXPECT_EQ(ulpDistance(Element::F32, bytes<float>({-tiny}).data(),
                        bytes<float>({tiny}).data()),
            2u);
  EXPECT_EQ(ulpDistance(Element::F16, bytes<uint16_t>({0x3c00}).data(),
                        bytes<uint16_t>({0x3c03}).data()),
            3u);
}

TEST(Tolerance, SixteenBitValues) {
  // 1.0 and 1.0009765625 (the next half).
  Comparison c = compareAs<uint16_t>(Element::F16, {0x3c01}, {0x3c00});
  EXPECT_NEAR(c.maxAbs, 0x1p-10, 1e-9);
  c = compareAs<uint16_t>(Element::BF16, {0x3f81}, {0x3f80});
  EXPECT_NEAR(c.maxAbs, 0x1p-7, 1e-9);
  EXPECT_TRUE(compareAs<uint16_t>(Element::BF16, {0x3f81}, {0x3f80},
                                  toleranceFor(Element::BF16))
                  .matches());
}

TEST(Tolerance, SizesThatDifferAreAProblem) {
  Comparison c = compareAs<float>(Element::F32, {1}, {1, 2});
  EXPECT_FALSE(c.matches());
  EXPECT_THAT(c.summary(), HasSubstr("sizes differ"));
}

TEST(Tolerance, LongerReductionsAreAllowedMore) {
  for (Element element :
       {Element::F16, Element::BF16, Element::F32, Element::F64}) {
    Tolerance last{};
    for (int64_t k : {1, 64, 1000, 10000, 1000000}) {
      Tolerance t = toleranceFor(element, k);
      EXPECT_GE(t.rtol, last.rtol);
      EXPECT_GE(t.scaled, last.scaled);
      EXPECT_GT(t.rtol, 0);
      last = t;
    }
  }
  EXPECT_EQ(toleranceFor(Element::I32, 1000).rtol, 0);
}

TEST(Tolerance, NamesRoundTrip) {
  for (unsigned i = 0; i < 13; ++i) {
    Element element = static_cast<Element>(i);
    EXPECT_EQ(elementByName(elementName(element)), element);
  }
  EXPECT_FALSE(elementByName("c64"));
}

TEST(Tolerance, TheReferencePageShowsTheTable) {
  auto page = llvm::MemoryBuffer::getFile(llvm::Twine(NESTOR_TEST_DIR) +
                                          "/../docs/reference/tolerances.md");
  ASSERT_TRUE(page);
  unsigned rows = 0;
  llvm::SmallVector<llvm::StringRef> lines;
  (*page)->getBuffer().split(lines, '\n');
  for (llvm::StringRef line : lines) {
    llvm::SmallVector<llvm::StringRef> cells;
    line.split(cells, '|');
    if (cells.size() != 7)
      continue;
    std::optional<Element> element = elementByName(cells[1].trim());
    if (!element)
      continue;
    ++rows;
    int64_t length = INT64_MAX;
    if (cells[2].trim() != "any")
      ASSERT_FALSE(cells[2].trim().getAsInteger(10, length));
    Tolerance t = toleranceFor(*element, length);
    double numbers[3];
    for (int i = 0; i < 3; ++i)
      ASSERT_FALSE(cells[3 + i].trim().getAsDouble(numbers[i])) << line.str();
    EXPECT_EQ(t.rtol, numbers[0]) << line.str();
    EXPECT_EQ(t.atol, numbers[1]) << line.str();
    EXPECT_EQ(t.scaled, numbers[2]) << line.str();
  }
  EXPECT_EQ(rows, 14u);
}
} // namespace
