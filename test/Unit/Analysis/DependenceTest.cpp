// Exact dependences: what a loop carries and which orders a nest allows.
#include "nestor/Analysis/Dependence.h"
#include "nestor/Analysis/InstanceSet.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

namespace {
/// Two loops around a block with ordered iterators i, j and the given body.
std::string twoLoops(const std::string &bounds, const std::string &body,
                     const std::string &predicate = "") {
  return R"mlir(
nest.func @f(%A: memref<100x100xf32>, %B: memref<100xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (100, 100)>, affine_map<()[s0] -> (100)>]} {
  nest.for %i = 0 to 20 {
    nest.for %j = )mlir" +
         bounds + R"mlir( {
      nest.block "s" (%vi : ordered = %i to 100, %vj : ordered = %j to 100) )mlir" +
         predicate + R"mlir({
        %one = arith.constant 1 : index
        %two = arith.constant 2 : index
        )mlir" +
         body + R"mlir(
      }
    }
  }
}
)mlir";
}

class DependenceTest : public testing::Test {
protected:
  DependenceTest() {
    DialectRegistry registry;
    registry.insert<nest::NestDialect>();
    registerEmptinessCache(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  nest::FuncOp parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    return module ? *module->getOps<nest::FuncOp>().begin() : nest::FuncOp();
  }
  /// Whether loop `depth` of the first block carries a conflict.
  bool carried(const std::string &text, unsigned depth) {
    nest::FuncOp func = parse(text);
    EXPECT_TRUE(func);
    AffineSpace space(func);
    nest::BlockOp block = blocksIn(func).front();
    bool first = findCarried(loopsAround(block)[depth], space).has_value();
    // The second answer comes from the cache.
    EXPECT_EQ(first, findCarried(loopsAround(block)[depth], space).has_value());
    return first;
  }
  /// Whether running at the times that `make(i, j)` gives breaks something.
  bool reversed(const std::string &text,
                llvm::function_ref<Time(AffineExpr, AffineExpr)> make,
                DependenceOptions options = {}) {
    nest::FuncOp func = parse(text);
    EXPECT_TRUE(func);
    AffineSpace space(func);
    auto after = [&](nest::BlockOp block) {
      SmallVector<nest::ForOp> loops = loopsAround(block);
      return make(space.of(loops[0].getInductionVar()),
                  space.of(loops[1].getInductionVar()));
    };
    return findReversed(func, after, space, options).has_value();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

/// A[i + 1, j + 1] = A[i, j + 2]: i carries it, with j falling.
const char *kFalling = R"mlir(
        %i1 = arith.addi %vi, %one : index
        %j1 = arith.addi %vj, %one : index
        %j2 = arith.addi %vj, %two : index
        %a = memref.load %A[%vi, %j2] : memref<100x100xf32>
        memref.store %a, %A[%i1, %j1] : memref<100x100xf32>)mlir";

TEST_F(DependenceTest, CarriedByTheOuterLoopAlone) {
  EXPECT_TRUE(carried(twoLoops("0 to 20", kFalling), 0));
  EXPECT_FALSE(carried(twoLoops("0 to 20", kFalling), 1));
}

TEST_F(DependenceTest, InterchangeNeedsRisingDistances) {
  auto swapped = [](AffineExpr i, AffineExpr j) { return Time{j, i}; };
  auto same = [](AffineExpr i, AffineExpr j) { return Time{i, j}; };
  auto skewed = [](AffineExpr i, AffineExpr j) { return Time{i + j, i}; };
  std::string text = twoLoops("0 to 20", kFalling);
  EXPECT_FALSE(reversed(text, same));
  EXPECT_TRUE(reversed(text, swapped));
  // Both at once: instances of one diagonal have no order left.
  EXPECT_TRUE(
      reversed(text, [](AffineExpr i, AffineExpr j) { return Time{i + j}; }));
  EXPECT_FALSE(reversed(text, skewed));
}

TEST_F(DependenceTest, ParityKeepsAccessesApart) {
  // A[2i, j] = A[2i + 1, j]: no two meet, which needs integers to see.
  std::string text = twoLoops("0 to 20", R"mlir(
        %e = arith.muli %vi, %two : index
        %o = arith.addi %e, %one : index
        %a = memref.load %A[%o, %vj] : memref<100x100xf32>
        memref.store %a, %A[%e, %vj] : memref<100x100xf32>)mlir");
  EXPECT_FALSE(carried(text, 0));
  EXPECT_FALSE(carried(text, 1));
}

TEST_F(DependenceTest, TriangleMakesHalvesMeetNowhere) {
  // B[j] = B[i] with j < i: written cells are read by later rows.
  std::string body = R"mlir(
        %a = memref.load %B[%vi] : memref<100xf32>
        memref.store %a, %B[%vj] : memref<100xf32>)mlir";
  EXPECT_TRUE(carried(twoLoops("0 to %i", body), 0));
  EXPECT_FALSE(carried(twoLoops("0 to %i", body), 1));
  // In the full square a row reads what it writes.
  EXPECT_TRUE(carried(twoLoops("0 to 20", body), 1));
}

TEST_F(DependenceTest, SizesCount) {
  // B[j + n] = B[j] for j < n: the halves do not meet, whatever n is.
  std::string body = R"mlir(
        %h = arith.addi %vj, %n : index
        %a = memref.load %B[%vj] : memref<100xf32>
        memref.store %a, %B[%h] : memref<100xf32>)mlir";
  EXPECT_FALSE(carried(twoLoops("0 to symbol(%n)", body), 1));
  EXPECT_TRUE(carried(twoLoops("0 to symbol(%n) + 1", body), 1));
}

TEST_F(DependenceTest, StepsOfAReductionMayChangePlacesButNotItsInit) {
  std::string text = R"mlir(
nest.func @f(%A: memref<8x8xf32>, %C: memref<8xf32>)
    attributes {shapes = [affine_map<() -> (8, 8)>, affine_map<() -> (8)>]} {
  nest.for %i = 0 to 8 {
    nest.for %k = 0 to 8 {
      nest.block "sum" (%vi : spatial = %i to 8, %vk : reduce = %k to 8) init {
        %z = arith.constant 0.0 : f32
        memref.store %z, %C[%vi] : memref<8xf32>
      } {
        %a = memref.load %A[%vi, %vk] : memref<8x8xf32>
        %c = memref.load %C[%vi] : memref<8xf32>
        %s = arith.addf %c, %a : f32
        memref.store %s, %C[%vi] : memref<8xf32>
      }
    }
  }
}
)mlir";
  auto swapped = [](AffineExpr i, AffineExpr k) { return Time{k, i}; };
  auto backwards = [](AffineExpr i, AffineExpr k) { return Time{i, -k}; };
  auto evenFirst = [](AffineExpr i, AffineExpr k) {
    return Time{i, k % 2, k.floorDiv(2)};
  };
  EXPECT_FALSE(reversed(text, swapped));
  EXPECT_TRUE(reversed(text, evenFirst));
  DependenceOptions any;
  any.reassociate = true;
  EXPECT_FALSE(reversed(text, evenFirst, any));
  EXPECT_TRUE(reversed(text, backwards, any)); // the init comes last
}

TEST_F(DependenceTest, OneIterationOfTheScopeCounts) {
  // Inside of one i nothing meets, so that j may run backwards.
  nest::FuncOp func = parse(twoLoops("0 to 20", kFalling));
  AffineSpace space(func);
  SmallVector<nest::ForOp> loops = loopsAround(blocksIn(func).front());
  AffineExpr j = space.of(loops[1].getInductionVar());
  auto backwards = [&](nest::BlockOp) {
    return Time{space.constant(0), -j, space.constant(0)};
  };
  EXPECT_FALSE(findReversed(loops[0], backwards, space).has_value());
}

TEST_F(DependenceTest, OrderedPairsOfPickedAccesses) {
  // B[i] = B[j] for j < i: later rows read what this one writes.
  nest::FuncOp func = parse(twoLoops("0 to %i", R"mlir(
        %a = memref.load %B[%vj] : memref<100xf32>
        memref.store %a, %B[%vi] : memref<100xf32>)mlir"));
  AffineSpace space(func);
  nest::ForOp outer = loopsAround(blocksIn(func).front())[0];
  auto writes = [](nest::BlockOp, const Access &a) { return a.isWrite; };
  auto reads = [](nest::BlockOp, const Access &a) { return !a.isWrite; };
  EXPECT_TRUE(findOrdered(func, writes, reads, space).has_value());
  EXPECT_FALSE(findOrdered(func, reads, writes, space).has_value());
  EXPECT_FALSE(findOrdered(outer, writes, reads, space).has_value());
  // In one run of a body the order of its operations counts.
  func = parse(twoLoops("0 to 20", R"mlir(
        %a = memref.load %A[%vi, %vj] : memref<100x100xf32>
        memref.store %a, %A[%vi, %vj] : memref<100x100xf32>)mlir"));
  AffineSpace same(func);
  EXPECT_TRUE(findOrdered(func, reads, writes, same).has_value());
  EXPECT_FALSE(findOrdered(func, writes, reads, same).has_value());
}
} // namespace
