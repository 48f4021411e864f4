// The cost model: what it prefers, which is what the default schedule does.
#include "../../../lib/Rules/CostModel.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace nestor;
using namespace nestor::rules;

namespace {
Target machine(llvm::StringRef name) {
  llvm::Expected<Target> target = Target::parse(name);
  EXPECT_TRUE(bool(target));
  target->cores = 1;
  return *target;
}

/// C[m, n] += A[m, k] * B[k, n] of f32, B packed.
Reduction product(int64_t m, int64_t n, int64_t k, const Target &target) {
  Reduction r;
  r.extents = {m, n, k};
  r.vector = 1;
  r.row = m > 1 ? 0 : -1;
  r.reduce = {2};
  r.lanes = target.lanes(32);
  Operand a, b, c;
  a.kind = Operand::Broadcast;
  a.indices = {{1, 0, 0}, {0, 0, 1}};
  a.shape = {m, k};
  b.kind = Operand::Vector;
  b.indices = {{0, 0, 1}, {0, 1, 0}};
  b.shape = {k, n};
  b.packed = true;
  c.kind = Operand::Output;
  c.indices = {{1, 0, 0}, {0, 1, 0}};
  c.shape = {m, n};
  r.operands = {a, b, c};
  r.mayCutReduce = r.mayCutRows = r.mayCutColumns = true;
  r.mayCopyRows = m > 1;
  return r;
}

Blocking best(const Reduction &r, const Target &target) {
  return rankBlockings(r, target).front().blocking;
}

TEST(CostModel, TilesFitTheRegisters) {
  for (const char *name : {"x86-64-v3", "x86-64-v4", "armv8.2-a"}) {
    Target target = machine(name);
    Reduction r = product(200, 200, 200, target);
    for (const Candidate &candidate : rankBlockings(r, target)) {
      const Blocking &b = candidate.blocking;
      EXPECT_LE(b.rows * b.vectors + b.vectors + 1,
                int64_t(target.vectorRegisters));
    }
  }
}

TEST(CostModel, ATileHidesTheLatency) {
  for (const char *name : {"x86-64-v3", "x86-64-v4"}) {
    Target target = machine(name);
    Blocking b = best(product(960, 960, 960, target), target);
    EXPECT_GE(double(b.rows * b.vectors), target.rates.fmaLatency *
                                              target.rates.fmaLanes /
                                              target.lanes(32));
  }
}

TEST(CostModel, RowsAreDividedWithoutRest) {
  Target target = machine("x86-64-v3");
  // 100 = 25 x 4: full tiles of 6 rows would leave one of 4.
  Reduction r = product(100, 96, 100, target);
  EXPECT_EQ(100 % best(r, target).rows, 0);
}

TEST(CostModel, SmallProductsAreNotCut) {
  Target target = machine("x86-64-v3");
  Blocking b = best(product(64, 64, 64, target), target);
  EXPECT_EQ(b.reduceSteps, 0);
  EXPECT_FALSE(b.copyRows);
  EXPECT_FALSE(b.copyVector);
}

TEST(CostModel, LargeOnesReuseWhatIsInTheCaches) {
  Target target = machine("x86-64-v3");
  Reduction r = product(2048, 2048, 2048, target);
  std::vector<Candidate> all = rankBlockings(r, target);
  Cost chosen = all.front().cost;
  Blocking naive = all.front().blocking;
  naive.reduceSteps = naive.rowTiles = naive.columnPanels = 0;
  naive.copyRows = false;
  EXPECT_LT(chosen.total(), costOf(r, naive, target).total());
  // Memory is not what it waits for.
  EXPECT_LE(chosen.memory, chosen.compute);
  EXPECT_LE(chosen.l3, chosen.compute);
}

TEST(CostModel, RowsAPowerOfTwoApartAreWorthACopyOrAShorterTile) {
  Target target = machine("x86-64-v3");
  Reduction aligned = product(960, 960, 1024, target),
            other = product(960, 960, 1040, target);
  Blocking blocking{6, 2};
  double a = costOf(aligned, blocking, target).total() / 1024,
         b = costOf(other, blocking, target).total() / 1040;
  EXPECT_GE(a, b);
}

TEST(CostModel, OneRowIsBoundByMemory) {
  Target target = machine("x86-64-v3");
  Cost cost =
      rankBlockings(product(1, 4096, 4096, target), target).front().cost;
  EXPECT_GT(cost.memory, cost.compute);
}

TEST(CostModel, BlocksDivideTheTiles) {
  Target target = machine("x86-64-v3");
  Reduction r = product(509, 1000, 768, target);
  for (const Candidate &candidate : rankBlockings(r, target)) {
    const Blocking &b = candidate.blocking;
    int64_t tiles = (509 + b.rows - 1) / b.rows;
    if (b.rowTiles)
      EXPECT_EQ(tiles % b.rowTiles, 0);
    if (b.reduceSteps)
      EXPECT_EQ(768 % b.reduceSteps, 0);
  }
}

TEST(CostModel, ThreadsWantEqualShares) {
  Target target = machine("x86-64-v3");
  target.cores = 2;
  Reduction r = product(512, 512, 512, target);
  EXPECT_LT(rankBlockings(r, target).front().cost.waiting,
            0.1 * rankBlockings(r, target).front().cost.compute);
}

/// A[m, n] += u[m] * v[n] has no reduction to cut or to order.
TEST(CostModel, AnUpdateWithoutAReductionHasTilesToo) {
  Target target = machine("x86-64-v3");
  Reduction r = product(40, 48, 1, target);
  r.reduce.clear();
  r.mayCutReduce = false;
  std::vector<Candidate> ranked = rankBlockings(r, target);
  ASSERT_FALSE(ranked.empty());
  for (const Candidate &candidate : ranked)
    EXPECT_EQ(candidate.blocking.reduceSteps, 0);
}

TEST(CostModel, TheOrderIsTheSameEveryTime) {
  Target target = machine("x86-64-v4");
  Reduction r = product(300, 400, 500, target);
  std::vector<Candidate> once = rankBlockings(r, target),
                         again = rankBlockings(r, target);
  ASSERT_EQ(once.size(), again.size());
  for (size_t i = 0; i < once.size(); ++i)
    EXPECT_EQ(once[i].blocking, again[i].blocking);
}
} // namespace
