// The bounded integer test against a search through all points.
#include "nestor/Analysis/IntegerTest.h"

#include "gtest/gtest.h"

#include <random>

using nestor::analysis::findIntegerPoint;
using nestor::analysis::Points;

namespace {
using Matrix = std::vector<std::vector<int64_t>>;

/// All points of [-reach, reach]^n.
bool anyPoint(const Matrix &equal, const Matrix &greater, unsigned n,
              int64_t reach) {
  std::vector<int64_t> point(n, -reach);
  auto value = [&](const std::vector<int64_t> &row) {
    int64_t sum = row[n];
    for (unsigned v = 0; v < n; ++v)
      sum += row[v] * point[v];
    return sum;
  };
  while (true) {
    bool inside = true;
    for (const auto &row : equal)
      inside = inside && value(row) == 0;
    for (const auto &row : greater)
      inside = inside && value(row) >= 0;
    if (inside)
      return true;
    unsigned v = 0;
    while (v < n && ++point[v] > reach)
      point[v++] = -reach;
    if (v == n)
      return false;
  }
}

TEST(IntegerTest, AgreesWithASearch) {
  std::mt19937_64 engine(7);
  auto in = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine() % uint64_t(high - low + 1));
  };
  int none = 0, some = 0;
  for (int n = 0; n < 4000; ++n) {
    auto variables = static_cast<unsigned>(in(1, 4));
    int64_t reach = in(1, 4), most = in(1, 7);
    Matrix equal, greater;
    for (unsigned v = 0; v < variables; ++v)
      for (int64_t sign : {-1, 1}) {
        greater.emplace_back(variables + 1, 0);
        greater.back()[v] = sign;
        greater.back().back() = reach;
      }
    for (int64_t rows = in(0, 4); rows > 0; --rows) {
      std::vector<int64_t> row;
      for (unsigned v = 0; v <= variables; ++v)
        row.push_back(in(-most, most));
      (in(0, 2) ? greater : equal).push_back(row);
    }
    Points points = findIntegerPoint(equal, greater, variables);
    ASSERT_NE(points, Points::Perhaps) << "case " << n;
    bool want = anyPoint(equal, greater, variables, reach);
    ASSERT_EQ(points == Points::Some, want) << "case " << n;
    ++(want ? some : none);
  }
  EXPECT_GT(none, 500);
  EXPECT_GT(some, 500);
}

TEST(IntegerTest, StridesThatNeverMeet) {
  // 2 x = 2 y + 1, and 6 x + 10 y = 15 z with z = 1: 6 x + 10 y is even.
  EXPECT_EQ(findIntegerPoint({{2, -2, -1}}, {}, 2), Points::None);
  EXPECT_EQ(findIntegerPoint({{6, 10, -15, 0}, {0, 0, 1, -1}}, {}, 3),
            Points::None);
  // Unbounded, with points.
  EXPECT_EQ(findIntegerPoint({{6, 10, -15, 0}}, {{1, 0, 0, -100}}, 3),
            Points::Some);
}

TEST(IntegerTest, GivesUp) {
  // Thin bands without ends.
  EXPECT_EQ(findIntegerPoint({}, {{3, -3, -1}, {-3, 3, 2}}, 2), Points::None);
  EXPECT_EQ(findIntegerPoint({}, {{4, -6, -2, 0}, {-4, 6, 2, 1}}, 3),
            Points::Some);
  EXPECT_EQ(
      findIntegerPoint({}, {{1000, -1001, -1, 0}, {-1000, 1001, 2, 0}}, 3),
      Points::Some);
  // z = 0 follows from all three together, then 2 x = 2 y + 1.
  EXPECT_EQ(
      findIntegerPoint({}, {{2, -2, 1, -1}, {-2, 2, 1, 1}, {0, 0, -1, 0}}, 3),
      Points::Perhaps);
  // Said in two rows it is an equality.
  EXPECT_EQ(
      findIntegerPoint(
          {}, {{2, -2, 1, -1}, {-2, 2, 1, 1}, {0, 0, -1, 0}, {0, 0, 1, 0}}, 3),
      Points::None);
}
} // namespace
