// Boxes of accesses, kinds of blocks, reducers, the structural hash.
#include "nestor/Analysis/Blocks.h"
#include "nestor/Analysis/StructuralHash.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

namespace {
const char *kConv = R"mlir(
nest.func @NAME(%A: memref<34x?xf32>, %I: memref<16xi64>, %C: memref<16x?xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (34, s0)>, affine_map<()[s0] -> (16)>, affine_map<()[s0] -> (16, s0)>]} {
  nest.for %o = 0 to 4 {
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to symbol(%n) {
        nest.for %k = 0 to 3 {
          nest.block "BLOCK" (%vi : spatial = %o * 4 + %i to 16, %vj : spatial = %j to symbol(%n), %vk : reduce = %k to 3) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<16x?xf32>
          } {
            %two = arith.constant 2 : index
            %r = arith.muli %vi, %two : index
            %h = arith.addi %r, %vk : index
            %a = memref.load %A[%h, %vj] : memref<34x?xf32>
            %x = memref.load %I[%vi] : memref<16xi64>
            %xi = arith.index_cast %x : i64 to index
            %g = memref.load %A[%xi, %vj] : memref<34x?xf32>
            %p = arith.mulf %a, %g : f32
            %c = memref.load %C[%vi, %vj] : memref<16x?xf32>
            %s = arith.addf %c, %p : f32
            memref.store %s, %C[%vi, %vj] : memref<16x?xf32>
          }
        }
      }
    }
  }
}
)mlir";

class AnalysisTest : public testing::Test {
protected:
  AnalysisTest() { context.loadDialect<nest::NestDialect>(); }

  nest::FuncOp parse(std::string name, std::string block) {
    std::string text = kConv;
    text.replace(text.find("NAME"), 4, name);
    text.replace(text.find("BLOCK"), 5, block);
    module = parseSourceString<ModuleOp>(text, &context);
    return *module->getOps<nest::FuncOp>().begin();
  }
  std::string text(ArrayRef<AffineExpr> exprs) {
    std::string result;
    llvm::raw_string_ostream os(result);
    llvm::interleaveComma(exprs, os);
    return result;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(AnalysisTest, BoxesOfAConvolutionWindow) {
  nest::FuncOp func = parse("f", "B");
  nest::BlockOp block = blocksIn(func).front();
  AffineSpace space(func);
  SmallVector<nest::ForOp> loops = loopsAround(block);
  AffineExpr o = space.of(loops[0].getInductionVar());
  SmallVector<Access> accesses = accessesOf(block);
  ASSERT_EQ(accesses.size(), 6u);
  EXPECT_TRUE(accesses[0].inInit && accesses[0].isWrite);
  auto inside = [&](nest::ForOp loop) {
    return loops[0]->isProperAncestor(loop);
  };
  // 2 * (4 * o + i) + k with i in [0, 4) and k in [0, 3).
  Box window = boxOf(accesses[1], block, space, inside);
  EXPECT_TRUE(space.isEqual(window.lower[0], o * 8));
  EXPECT_EQ(text(window.extent), "9, s0");
  // The index comes from data: the whole dim.
  Box gathered = boxOf(accesses[3], block, space, inside);
  EXPECT_EQ(text(gathered.lower), "0, 0");
  EXPECT_EQ(text(gathered.extent), "34, s0");
  EXPECT_FALSE(gathered.dense);
  Box written = *writeBox(loops[0], accesses[0].buffer, space);
  EXPECT_TRUE(written.dense);
  EXPECT_TRUE(space.isEqual(written.lower[0], o * 4));
  EXPECT_EQ(text(written.extent), "4, s0");
  EXPECT_TRUE(contains(written, written, space));
}

TEST_F(AnalysisTest, KindAndReducer) {
  nest::BlockOp block = blocksIn(parse("f", "B")).front();
  EXPECT_EQ(kindOf(block), BlockKind::Reduction);
  std::optional<Reducer> reducer = reducerOf(block);
  ASSERT_TRUE(reducer.has_value());
  EXPECT_TRUE(isa<arith::AddFOp>(reducer->combine));
  EXPECT_FALSE(hasUnknownEffects(block));
}

TEST_F(AnalysisTest, HashIgnoresNamesOnly) {
  std::string a = structuralHash(parse("f", "B"));
  EXPECT_EQ(a.size(), 32u);
  EXPECT_EQ(a, structuralHash(parse("other", "C")));
  // The same in every process: schedules on disk are found by it.
  EXPECT_EQ(a, "6cd84dc62d255b81cf6a9994070ab1f2");
  nest::FuncOp func = parse("f", "B");
  blocksIn(func).front().walk([](arith::MulFOp op) {
    OpBuilder builder(op);
    Value sum =
        arith::AddFOp::create(builder, op.getLoc(), op.getLhs(), op.getRhs());
    op.replaceAllUsesWith(sum);
    op.erase();
  });
  EXPECT_NE(a, structuralHash(func));
}

TEST_F(AnalysisTest, DivisionsThatRangesDecide) {
  nest::FuncOp func = parse("f", "B");
  AffineSpace space(func);
  SmallVector<nest::ForOp> loops = loopsAround(blocksIn(func).front());
  AffineExpr o = space.of(loops[0].getInductionVar()),
             i = space.of(loops[1].getInductionVar()),
             n = space.of(func.getSizes()[0]);
  EXPECT_EQ(space.simplify((o * 4 + i).floorDiv(4)), o);
  EXPECT_EQ(space.simplify((o * 4 + i) % 4), i);
  EXPECT_TRUE(space.isNonNegative(n - n.floorDiv(4) * 4));
  EXPECT_TRUE(space.isNonNegative(n.ceilDiv(4) - n.floorDiv(4)));
  EXPECT_FALSE(space.isNonNegative(n - n.ceilDiv(4) * 4));
}
} // namespace
