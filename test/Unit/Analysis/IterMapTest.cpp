// Iterator maps against enumeration: what is claimed of a map is true of it.
#include "nestor/Analysis/IterMap.h"

#include "nestor/Analysis/InstanceSet.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <map>
#include <random>
#include <set>

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

namespace {
class IterMapTest : public testing::Test {
protected:
  IterMapTest() {
    context.loadDialect<nest::NestDialect>();
    module = parseSourceString<ModuleOp>(
        "nest.func @f(%A: memref<4xf32>, %n: index) attributes "
        "{shapes = [affine_map<()[s0] -> (4)>]} {}",
        &context);
    func = *module->getOps<nest::FuncOp>().begin();
  }
  AffineExpr d(unsigned i) { return getAffineDimExpr(i, &context); }
  AffineExpr c(int64_t v) { return getAffineConstantExpr(v, &context); }
  SmallVector<IterVar> box(ArrayRef<int64_t> extents,
                           ArrayRef<int64_t> lowers = {}) {
    SmallVector<IterVar> vars;
    for (auto [i, extent] : llvm::enumerate(extents))
      vars.push_back({d(i), c(lowers.empty() ? 0 : lowers[i]), c(extent)});
    return vars;
  }
  static int64_t valueOf(AffineExpr expr, ArrayRef<int64_t> point) {
    SmallVector<AffineExpr> values;
    for (int64_t v : point)
      values.push_back(getAffineConstantExpr(v, expr.getContext()));
    return *AffineSpace::constantOf(expr.replaceDims(values));
  }
  /// Calls `f` for each point of the box.
  template <typename F>
  static void each(ArrayRef<IterVar> vars, F f) {
    SmallVector<int64_t> point;
    for (const IterVar &var : vars)
      point.push_back(*AffineSpace::constantOf(var.lower));
    for (;;) {
      f(ArrayRef<int64_t>(point));
      size_t i = 0;
      for (; i < vars.size(); ++i) {
        int64_t lower = *AffineSpace::constantOf(vars[i].lower);
        if (++point[i] < lower + *AffineSpace::constantOf(vars[i].extent))
          break;
        point[i] = lower;
      }
      if (i == vars.size())
        return;
    }
  }

  /// Fails where a claim about the map is wrong; whether it is one-to-one.
  bool check(ArrayRef<AffineExpr> exprs, ArrayRef<IterVar> vars,
             const IterMap &map, AffineSpace &space) {
    std::set<std::vector<int64_t>> images;
    size_t points = 0;
    std::optional<SmallVector<AffineExpr>> back;
    SmallVector<AffineExpr> results;
    for (unsigned i = 0; i < exprs.size(); ++i)
      results.push_back(d(i));
    back = invert(map, results, vars, space);
    each(vars, [&](ArrayRef<int64_t> point) {
      ++points;
      std::vector<int64_t> image;
      for (AffineExpr expr : exprs)
        image.push_back(valueOf(expr, point));
      images.insert(image);
      if (back)
        for (auto [value, expr] : llvm::zip_equal(point, *back))
          EXPECT_EQ(value, valueOf(expr, image)) << textOf(exprs, vars);
    });
    bool injective = images.size() == points;
    if (map.isInjective())
      EXPECT_TRUE(injective) << textOf(exprs, vars);
    if (map.isSurjective()) {
      size_t size = 1;
      for (const IterSum &sum : map.sums)
        size *= *AffineSpace::constantOf(sum.extent);
      EXPECT_EQ(images.size(), size) << textOf(exprs, vars);
      for (const auto &image : images)
        for (auto [value, sum] : llvm::zip_equal(image, map.sums)) {
          int64_t base = *AffineSpace::constantOf(sum.base);
          EXPECT_TRUE(value >= base &&
                      value < base + *AffineSpace::constantOf(sum.extent))
              << textOf(exprs, vars);
        }
    }
    return injective;
  }
  static std::string textOf(ArrayRef<AffineExpr> exprs,
                            ArrayRef<IterVar> vars) {
    std::string text;
    llvm::raw_string_ostream os(text);
    llvm::interleaveComma(exprs, os);
    for (const IterVar &var : vars)
      os << " | " << var.dim << " in " << var.lower << " + " << var.extent;
    return text;
  }
  MapLevel levelOf(ArrayRef<AffineExpr> exprs, ArrayRef<IterVar> vars) {
    AffineSpace space(func);
    IterMap map = detectIterMap(exprs, vars, space);
    check(exprs, vars, map, space);
    return map.level;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  nest::FuncOp func;
};
} // namespace

TEST_F(IterMapTest, SplitAndFuse) {
  EXPECT_EQ(levelOf({d(0) * 4 + d(1)}, box({3, 4})), MapLevel::Bijective);
  EXPECT_EQ(levelOf({d(0).floorDiv(4), d(0) % 4}, box({12})),
            MapLevel::Bijective);
  // 13 is not a multiple of 4: points of the box are missing.
  EXPECT_EQ(levelOf({d(0).floorDiv(4), d(0) % 4}, box({13})),
            MapLevel::Injective);
  // Fused, then split by what does not divide the inner extent.
  AffineExpr fused = d(0) * 3 + d(1);
  EXPECT_EQ(levelOf({fused.floorDiv(4), fused % 4}, box({8, 3})),
            MapLevel::Bijective);
  EXPECT_EQ(levelOf({fused.floorDiv(8), fused.floorDiv(4) % 2, fused % 4},
                    box({8, 3})),
            MapLevel::Bijective);
  EXPECT_EQ(levelOf({(d(0) * 8 + d(1)).floorDiv(4), d(1) % 4}, box({3, 8})),
            MapLevel::Bijective);
  // Upside down, and with lower bounds.
  EXPECT_EQ(levelOf({-d(0) + 11, d(1)}, box({12, 5}, {0, 2})),
            MapLevel::Bijective);
  EXPECT_EQ(levelOf({d(0) * 5 - d(1)}, box({4, 5})), MapLevel::Bijective);
}

TEST_F(IterMapTest, WhatIsLost) {
  EXPECT_EQ(levelOf({d(0).floorDiv(4)}, box({12})), MapLevel::Surjective);
  EXPECT_EQ(levelOf({d(0) * 2}, box({12})), MapLevel::Injective);
  // A window: 2 * h + r with 3 rows overlaps, with 2 it does not.
  EXPECT_EQ(levelOf({d(0) * 2 + d(1)}, box({5, 3})), MapLevel::Surjective);
  EXPECT_EQ(levelOf({d(0) * 2 + d(1)}, box({5, 2})), MapLevel::Bijective);
  EXPECT_EQ(levelOf({d(0), d(0)}, box({5})), MapLevel::Injective);
  EXPECT_EQ(levelOf({d(0) + d(1)}, box({5, 5})), MapLevel::Surjective);
  EXPECT_EQ(levelOf({d(0) * d(0)}, box({5})), MapLevel::None);
}

TEST_F(IterMapTest, PredicatesAndSizes) {
  AffineSpace space(func);
  AffineExpr n = getAffineSymbolExpr(0, &context);
  // Loops 0 to n ceildiv 16, 0 to 16; where i * 16 + j < n.
  SmallVector<IterVar> vars = {{d(0), c(0), n.ceilDiv(16)},
                               {d(1), c(0), c(16)}};
  AffineExpr sum = d(0) * 16 + d(1);
  IterMap map = detectIterMap(sum, vars, space, {{n - 1 - sum, false}});
  EXPECT_EQ(map.level, MapLevel::Bijective);
  EXPECT_EQ(map.sums[0].extent, n);
  map = detectIterMap({sum.floorDiv(4), sum % 4}, vars, space);
  EXPECT_EQ(map.level, MapLevel::Bijective);
  map = detectIterMap(sum, vars, space, {{d(0) - d(1), false}});
  EXPECT_EQ(map.level, MapLevel::Injective);
}

TEST_F(IterMapTest, AgainstEnumeration) {
  std::mt19937 random(7);
  auto pick = [&](int64_t below) { return int64_t(random() % below); };
  unsigned injective = 0, claimed = 0, undone = 0;
  for (int round = 0; round < 4000; ++round) {
    SmallVector<int64_t> extents, lowers;
    for (int64_t i = 0, e = 1 + pick(3); i < e; ++i) {
      extents.push_back(1 + pick(8));
      lowers.push_back(pick(4) ? 0 : pick(5) - 2);
    }
    SmallVector<IterVar> vars = box(extents, lowers);
    // Pieces: variables, and what splits and fusions make of them.
    SmallVector<AffineExpr> pieces;
    for (auto [i, lower] : llvm::enumerate(lowers))
      pieces.push_back(pick(2) ? d(i) : d(i) - lower);
    for (int64_t step = pick(5); step > 0 && pieces.size() < 6; --step) {
      size_t at = pick(pieces.size());
      int64_t factor = 2 + pick(5);
      switch (pick(4)) {
      case 0:
        pieces.push_back(pieces[at].floorDiv(factor));
        pieces[at] = pieces[at] % factor;
        break;
      case 1:
        if (pieces.size() > 1) {
          size_t other = (at + 1) % pieces.size();
          pieces[at] =
              pieces[at] * (pick(3) ? extents[pick(extents.size())] : factor) +
              pieces[other];
          pieces.erase(pieces.begin() + other);
        }
        break;
      case 2:
        pieces[at] = pick(3) ? pieces[at] + pick(9) - 4 : -pieces[at];
        break;
      default:
        if (pick(3) == 0)
          pieces[at] = pieces[at] + pieces[pick(pieces.size())];
      }
    }
    AffineSpace space(func);
    // Variables of the space are loops; these are not, so they are numbered.
    IterMap map = detectIterMap(pieces, vars, space);
    bool is = check(pieces, vars, map, space);
    injective += is;
    claimed += is && map.isInjective();
    SmallVector<AffineExpr> images;
    for (unsigned i = 0; i < pieces.size(); ++i)
      images.push_back(d(i));
    undone += invert(map, images, vars, space).has_value();
    if (HasFailure())
      break;
  }
  // Most of what is one-to-one is seen to be.
  EXPECT_GT(claimed * 10, injective * 7) << claimed << " of " << injective;
  EXPECT_GT(undone * 10, claimed * 8) << undone << " of " << claimed;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

namespace {
class SubspaceTest : public IterMapTest {
protected:
  nest::BlockOp parse(const std::string &loops, const std::string &block) {
    nested = parseSourceString<ModuleOp>(
        "nest.func @g(%A: memref<4xf32>, %n: index) attributes "
        "{shapes = [affine_map<()[s0] -> (4)>]} {" +
            loops + "nest.block \"b\" " + block + "{}" +
            std::string(llvm::count(loops, '{'), '}') + "}",
        &context);
    return nested ? blocksIn(*nested).front() : nest::BlockOp();
  }
  bool fills(const std::string &loops, const std::string &block,
             bool once = false) {
    nest::BlockOp op = parse(loops, block);
    EXPECT_TRUE(op);
    AffineSpace space(op->getParentOfType<nest::FuncOp>());
    return fillsDomain(op, space, once);
  }
  OwningOpRef<ModuleOp> nested;
};
} // namespace

TEST_F(SubspaceTest, FillsDomain) {
  std::string tiles = "nest.for %i = 0 to 3 { nest.for %j = 0 to 4 {";
  EXPECT_TRUE(fills(tiles, "(%v : spatial = %i * 4 + %j to 12)", true));
  EXPECT_FALSE(fills(tiles, "(%v : spatial = %i * 4 + %j to 13)"));
  EXPECT_TRUE(fills(tiles,
                    "(%v : spatial = %i * 4 + %j to 10) where "
                    "(-(%i * 4 + %j) + 9 >= 0)",
                    true));
  EXPECT_FALSE(fills(tiles, "(%v : spatial = %i * 4 + %j to 12) where "
                            "(%j - 1 >= 0)"));
  EXPECT_TRUE(fills(tiles, "(%v : spatial = %i to 3)"));
  EXPECT_FALSE(fills(tiles, "(%v : spatial = %i to 3)", true));
  // No digits, but as many different points as there are.
  EXPECT_TRUE(fills("nest.for %i = 0 to 3 { nest.for %j = 0 to 5 {",
                    "(%v : spatial = (%i + %j) mod 3 to 3, "
                    "%w : spatial = %j to 5)",
                    true));
  EXPECT_FALSE(fills("nest.for %i = 0 to 3 { nest.for %j = 0 to %i {",
                     "(%v : spatial = %i to 3, %w : spatial = %j to 3)"));
}

TEST_F(SubspaceTest, DividesBindings) {
  nest::BlockOp block = parse(
      "nest.for %i = 0 to 3 { nest.for %k = 0 to 2 { nest.for %j = 0 to 4 {",
      "(%v : spatial = %i * 4 + %j to 12, %w : spatial = %k to 2)");
  AffineSpace space(block->getParentOfType<nest::FuncOp>());
  SmallVector<nest::ForOp> loops = loopsAround(block);
  std::string why;
  auto divided =
      divideSubspace(block, ArrayRef(loops).drop_front(2), space, why);
  ASSERT_TRUE(divided) << why;
  AffineExpr i = space.of(loops[0].getInductionVar()),
             k = space.of(loops[1].getInductionVar()),
             j = space.of(loops[2].getInductionVar());
  EXPECT_EQ(divided->outer, (SmallVector<AffineExpr>{i, k}));
  EXPECT_EQ(divided->inner, (SmallVector<AffineExpr>{j, c(0)}));
  EXPECT_EQ(divided->outerExtent, (SmallVector<AffineExpr>{c(3), c(2)}));
  EXPECT_EQ(divided->innerExtent, (SmallVector<AffineExpr>{c(4), c(1)}));
  block = parse("nest.for %i = 0 to 3 { nest.for %j = 0 to 4 {",
                "(%v : spatial = %i * 3 + %j to 12)");
  AffineSpace other(block->getParentOfType<nest::FuncOp>());
  loops = loopsAround(block);
  EXPECT_FALSE(divideSubspace(block, loops.back(), other, why));
  EXPECT_NE(why.find("step"), std::string::npos);
}
