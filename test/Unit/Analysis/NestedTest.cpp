// Blocks that hold nests: what is seen inside of them from outside, and spaces
// of the nests themselves.
#include "nestor/Analysis/Dependence.h"
#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/StructuralHash.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

namespace {
constexpr const char *kSum = R"mlir(
nest.func @f(%A: memref<64x32xf32>, %C: memref<64xf32>) {
  nest.for %io = 0 to 4 {
    nest.for %ko = 0 to 4 {
      nest.block "C_o" (%v : spatial = %io to 4, %w : reduce = %ko to 4) init {
        nest.for %i = 0 to 16 {
          nest.block "Z" (%vi : spatial = %v * 16 + %i to 64) {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi] : memref<64xf32>
          }
        }
      } {
        nest.for %i = 0 to 16 {
          nest.for %k = 0 to 8 {
            nest.block "C" (%vi : spatial = %v * 16 + %i to 64, %vk : reduce = %w * 8 + %k to 32) {
              %a = memref.load %A[%vi, %vk] : memref<64x32xf32>
              %c = memref.load %C[%vi] : memref<64xf32>
              %s = arith.addf %c, %a : f32
              memref.store %s, %C[%vi] : memref<64xf32>
            }
          }
        }
      }
    }
  }
}
)mlir";

class NestedTest : public testing::Test {
protected:
  NestedTest() {
    DialectRegistry registry;
    registry.insert<nest::NestDialect>();
    registerEmptinessCache(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = parseSourceString<ModuleOp>(kSum, &context);
    func = *module->getOps<nest::FuncOp>().begin();
    outer = blocksIn(func).front();
  }
  nest::BlockOp block(StringRef name) {
    for (nest::BlockOp found : allBlocksIn(func))
      if (found.getName() == name)
        return found;
    return {};
  }
  std::string text(AffineExpr expr) {
    std::string result;
    llvm::raw_string_ostream(result) << expr;
    return result;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  nest::FuncOp func;
  nest::BlockOp outer;
};

TEST_F(NestedTest, FindsBlocksByWhatTheyHold) {
  EXPECT_TRUE(outer.hasNest());
  EXPECT_EQ(blocksIn(func).size(), 1u);
  auto leaves = leavesIn(func);
  ASSERT_EQ(leaves.size(), 2u);
  EXPECT_EQ(leaves[0].getName(), "Z");
  EXPECT_EQ(leaves[1].getName(), "C");
  EXPECT_EQ(allBlocksIn(func).size(), 3u);
  // From within, the blocks of both regions.
  EXPECT_EQ(blocksIn(outer).size(), 2u);
  EXPECT_EQ(blockAround(leaves[0]), outer);
  EXPECT_TRUE(isInInit(leaves[0], outer));
  EXPECT_TRUE(isBefore(leaves[0], leaves[1]));
  EXPECT_FALSE(isBefore(leaves[1], leaves[0]));
}

TEST_F(NestedTest, LoopsEndAtTheBlockAround) {
  AffineSpace space(func);
  EXPECT_EQ(loopsAround(block("C")).size(), 2u);
  EXPECT_EQ(loopsAround(block("C"), space).size(), 4u);
  EXPECT_EQ(loopsAround(outer).size(), 2u);
}

TEST_F(NestedTest, BindingsComposeInTheSpaceOfTheFunction) {
  AffineSpace space(func);
  nest::BlockOp inner = block("C");
  BlockForm form = BlockForm::of(inner, space);
  AffineExpr io = space.of(loopsAround(outer)[0].getInductionVar()),
             i = space.of(loopsAround(inner)[0].getInductionVar());
  EXPECT_TRUE(space.isEqual(form.bindings[0], io * 16 + i));
  EXPECT_TRUE(form.constraints.empty());
  // The init runs at the first step alone.
  BlockForm init = BlockForm::of(block("Z"), space);
  ASSERT_EQ(init.constraints.size(), 1u);
  EXPECT_TRUE(init.constraints[0].equal);
  EXPECT_TRUE(feeds(loopsAround(outer)[1], inner, nest::IteratorKind::Reduce));
  EXPECT_FALSE(feeds(loopsAround(outer)[0], inner, nest::IteratorKind::Reduce));
}

TEST_F(NestedTest, IteratorsAreFixedInTheSpaceOfTheirNest) {
  nest::BlockOp inner = block("C");
  AffineSpace space(inner);
  EXPECT_EQ(space.getRoot(), outer.getOperation());
  BlockForm form = BlockForm::of(inner, space);
  EXPECT_EQ(text(form.bindings[0]), "d0 + s0 * 16");
  // 0 <= s0 < 4 is known.
  EXPECT_TRUE(space.isNonNegative(form.extents[0] - 1 - form.bindings[0]));
  // And it is written back as it was.
  form.write(inner, space);
  EXPECT_TRUE(succeeded(verify(func)));
  BlockForm again = BlockForm::of(inner, space);
  EXPECT_EQ(form.bindings, again.bindings);
}

TEST_F(NestedTest, AccessesAreThoseInside) {
  auto accesses = accessesOf(outer);
  ASSERT_EQ(accesses.size(), 4u);
  EXPECT_TRUE(accesses[0].inInit);
  EXPECT_FALSE(accesses[1].inInit);
  // Loops inside vary it.
  EXPECT_FALSE(accesses[0].indices[0]);
  EXPECT_EQ(kindOf(outer), BlockKind::Reduction);
  EXPECT_EQ(writersOf(func.getBuffers()[1], func).front(), outer);
}

TEST_F(NestedTest, RegionsAreExactThroughTheBlock) {
  AffineSpace space(func);
  nest::ForOp io = loopsAround(outer)[0];
  std::optional<Box> box = readBox(io, func.getBuffers()[0], space);
  ASSERT_TRUE(box);
  EXPECT_TRUE(
      space.isEqual(box->lower[0], space.of(io.getInductionVar()) * 16));
  EXPECT_EQ(box->extent[0], space.constant(16));
  EXPECT_EQ(box->extent[1], space.constant(32));
}

TEST_F(NestedTest, DependencesAreThoseInside) {
  AffineSpace space(func);
  nest::ForOp io = loopsAround(outer)[0], ko = loopsAround(outer)[1];
  EXPECT_FALSE(findCarried(io, space));
  std::optional<Conflict> conflict = findCarried(ko, space);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->firstBlock, outer);
  // Its steps may change places, but not before the init.
  DependenceOptions reassociate;
  reassociate.reassociate = true;
  auto reversed = [&](nest::BlockOp any) {
    Time time = timeOf(any, func, space);
    AffineExpr var = space.of(ko.getInductionVar());
    for (AffineExpr &level : time)
      if (level == var)
        level = -level;
    return time;
  };
  EXPECT_TRUE(findReversed(func, reversed, space, reassociate));
  EXPECT_FALSE(findBeforeInit(outer, ko, space));
  EXPECT_FALSE(findBeforeInit(outer, io, space));
  // Inside, each loop on its own.
  AffineSpace inside(block("C"));
  EXPECT_FALSE(findCarried(loopsAround(block("C"))[0], inside));
  EXPECT_TRUE(findCarried(loopsAround(block("C"))[1], inside));
}

TEST_F(NestedTest, HashLooksInside) {
  std::string before = structuralHash(func);
  block("C").setName("renamed");
  EXPECT_EQ(before, structuralHash(func));
  loopsAround(block("Z"))[0].setKind(nest::LoopKind::Unroll);
  EXPECT_NE(before, structuralHash(func));
}
} // namespace
