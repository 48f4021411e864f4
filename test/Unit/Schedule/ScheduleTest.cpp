// Schedule: handles, refusals that change nothing, print -> parse -> replay,
// forks, knobs.
#include "nestor/Schedule/Schedule.h"

#include "nestor/Analysis/StructuralHash.h"
#include "nestor/Schedule/Extension.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

namespace {
const char *kMatmul = R"mlir(
nest.func @mm(%A: memref<?x64xf32>, %B: memref<64x32xf32>, %C: memref<?x32xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0] -> (64, 32)>, affine_map<()[s0] -> (s0, 32)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to 32 {
      nest.for %k = 0 to 64 {
        nest.block "mm" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 32, %vk : reduce = %k to 64) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi, %vj] : memref<?x32xf32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<?x64xf32>
          %b = memref.load %B[%vk, %vj] : memref<64x32xf32>
          %c = memref.load %C[%vi, %vj] : memref<?x32xf32>
          %m = arith.mulf %a, %b : f32
          %s = arith.addf %c, %m : f32
          memref.store %s, %C[%vi, %vj] : memref<?x32xf32>
        }
      }
    }
  }
}
)mlir";

class ScheduleTest : public testing::Test {
protected:
  ScheduleTest() {
    DialectRegistry registry;
    registry.insert<nest::NestDialect>();
    registerScheduleExtension(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  OwningOpRef<ModuleOp> parse(StringRef text) {
    return parseSourceString<ModuleOp>(text, &context);
  }
  static nest::FuncOp funcIn(ModuleOp module) {
    return *module.getOps<nest::FuncOp>().begin();
  }
  static std::string print(Operation *op) {
    std::string text;
    llvm::raw_string_ostream(text) << *op;
    return text;
  }

  /// A register tile of 4 x 16 with an accumulator and packed weights.
  static void tile(Schedule &s) {
    auto block = s.getBlock("mm");
    ASSERT_TRUE(bool(block));
    auto loops = s.getLoops(*block);
    ASSERT_TRUE(bool(loops));
    Param mr = s.knob("mr", 4, {2, 4, 8});
    auto i = s.split((*loops)[0], {-1, mr});
    ASSERT_TRUE(bool(i)) << i.getOutcome().getText();
    auto j = s.split((*loops)[1], {-1, 16});
    ASSERT_TRUE(bool(j)) << j.getOutcome().getText();
    auto done = [](Outcome outcome) {
      EXPECT_TRUE(outcome.isDone()) << outcome.getText();
    };
    auto write = s.cacheWrite(*block, 0, "register");
    ASSERT_TRUE(bool(write)) << write.getOutcome().getText();
    done(s.reorder({(*i)[0], (*j)[0], (*loops)[2], (*i)[1], (*j)[1]}));
    done(s.reverseComputeAt(*write, (*j)[0]));
    auto init = s.decomposeReduction(*block, (*loops)[2]);
    ASSERT_TRUE(bool(init)) << init.getOutcome().getText();
    AffineExpr k, n;
    MLIRContext *context = s.getFunc().getContext();
    bindDims(context, k, n);
    done(s.transformLayout(
        *block, BufferRole::Read, 1,
        AffineMap::get(2, 0, {n.floorDiv(16), k, n % 16}, context)));
    done(s.unroll((*i)[1]));
    done(s.vectorize((*j)[1]));
    done(s.parallel((*i)[0], s.knob("grain", 2, {1, 2})));
    done(s.compactBuffers());
    auto parts = s.separateFullPartial((*i)[0]);
    EXPECT_TRUE(bool(parts)) << parts.getOutcome().getText();
    EXPECT_TRUE(succeeded(verify(s.getFunc())));
  }

  MLIRContext context;
};

TEST_F(ScheduleTest, PrintedAndReplayedGivesTheSameNest) {
  OwningOpRef<ModuleOp> module = parse(kMatmul), other = parse(kMatmul);
  Schedule schedule(funcIn(*module));
  tile(schedule);
  OwningOpRef<ModuleOp> sequence = parse(schedule.print());
  ASSERT_TRUE(sequence);
  Outcome outcome = Schedule::replay(*sequence, funcIn(*other)).getOutcome();
  ASSERT_TRUE(outcome.isDone()) << outcome.getText();
  EXPECT_EQ(print(*module), print(*other));
  EXPECT_NE(print(*module).find("memref<4x16xf32, \"register\">"),
            std::string::npos)
      << print(*module);
}

TEST_F(ScheduleTest, RefusalsChangeNothing) {
  OwningOpRef<ModuleOp> module = parse(kMatmul);
  std::string before = print(*module);
  Schedule schedule(funcIn(*module));
  auto block = schedule.getBlock("mm");
  auto loops = schedule.getLoops(*block);
  std::string sequence = schedule.print();
  EXPECT_TRUE(schedule.parallel((*loops)[2]).isRefused());
  EXPECT_TRUE(schedule.vectorize((*loops)[0]).isRefused());
  EXPECT_TRUE(schedule.computeInline(*block).isRefused());
  EXPECT_TRUE(schedule.computeAt(*block, (*loops)[0]).isRefused());
  EXPECT_TRUE(schedule.setScope(*block, 0, "register").isRefused());
  EXPECT_TRUE(schedule.split((*loops)[1], {3, 4}).isRefused());
  EXPECT_TRUE(schedule.rfactor((*loops)[0], 0).isRefused());
  EXPECT_EQ(before, print(*module));
  EXPECT_EQ(sequence, schedule.print());
}

TEST_F(ScheduleTest, HandlesToVanishedLoopsAreEmpty) {
  OwningOpRef<ModuleOp> module = parse(kMatmul);
  Schedule schedule(funcIn(*module));
  auto loops = schedule.getLoops(*schedule.getBlock("mm"));
  auto fused = schedule.fuse({(*loops)[0], (*loops)[1]});
  ASSERT_TRUE(bool(fused)) << fused.getOutcome().getText();
  EXPECT_FALSE(schedule.get((*loops)[1]));
  auto split = schedule.split((*loops)[1], {-1, 4});
  ASSERT_TRUE(split.isRefused());
  EXPECT_NE(split.getOutcome().getReason().find("empty"), std::string::npos);
}

TEST_F(ScheduleTest, ForksGoTheirOwnWay) {
  OwningOpRef<ModuleOp> module = parse(kMatmul), other = parse(kMatmul);
  Schedule schedule(funcIn(*module));
  auto loops = schedule.getLoops(*schedule.getBlock("mm"));
  std::string before = print(*module);
  std::unique_ptr<Schedule> fork = schedule.fork();
  auto split = fork->split((*loops)[1], {-1, 8});
  ASSERT_TRUE(bool(split)) << split.getOutcome().getText();
  EXPECT_EQ(before, print(*module));
  EXPECT_EQ(fork->print().find("split") != std::string::npos, true);
  EXPECT_EQ(schedule.print().find("split"), std::string::npos);
  OwningOpRef<ModuleOp> sequence = parse(fork->print());
  ASSERT_TRUE(bool(Schedule::replay(*sequence, funcIn(*other))));
  EXPECT_EQ(print(funcIn(*other)), print(fork->getFunc()));
}

TEST_F(ScheduleTest, AnEditedKnobChangesTheNest) {
  OwningOpRef<ModuleOp> module = parse(kMatmul), other = parse(kMatmul);
  Schedule schedule(funcIn(*module));
  auto loops = schedule.getLoops(*schedule.getBlock("mm"));
  Param factor = schedule.knob("f", 4, {4, 8});
  ASSERT_TRUE(bool(schedule.split((*loops)[1], {-1, factor})));
  std::string text = schedule.print();
  text.replace(text.find("= 4 : i64 from"), 14, "= 8 : i64 from");
  OwningOpRef<ModuleOp> sequence = parse(text);
  ASSERT_TRUE(sequence);
  ASSERT_TRUE(bool(Schedule::replay(*sequence, funcIn(*other))));
  EXPECT_NE(print(*other).find("0 to 8 {"), std::string::npos) << print(*other);
}

TEST_F(ScheduleTest, ReplayOfANonsenseScheduleIsRefusedWithAReason) {
  OwningOpRef<ModuleOp> module = parse(kMatmul);
  OwningOpRef<ModuleOp> sequence = parse(R"mlir(
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%f: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "nobody" in %f : !transform.any_op
    transform.yield
  }
})mlir");
  std::string before = print(*module);
  Outcome outcome = Schedule::replay(*sequence, funcIn(*module)).getOutcome();
  ASSERT_TRUE(outcome.isRefused());
  EXPECT_NE(outcome.getText().find("no block 'nobody'"), std::string::npos);
  EXPECT_EQ(before, print(*module));
}
TEST_F(ScheduleTest, AForkHasThePackingKernelsOfItsOwn) {
  std::string text = kMatmul;
  text.replace(text.find("%B: memref<64x32xf32>"), 21,
               "%B: memref<64x32xf32> {nest.constant}");
  OwningOpRef<ModuleOp> module = parse(text);
  ASSERT_TRUE(module);
  Schedule schedule(funcIn(*module));
  auto block = schedule.getBlock("mm");
  AffineExpr k, n;
  bindDims(&context, k, n);
  Outcome packed = schedule.transformLayout(
      *block, BufferRole::Read, 1,
      AffineMap::get(2, 0, {n.floorDiv(16), k, n % 16}, &context));
  ASSERT_TRUE(packed.isDone()) << packed.getText();
  std::unique_ptr<Schedule> fork = schedule.fork();
  auto home = fork->getFunc()->getParentOfType<ModuleOp>();
  EXPECT_TRUE(succeeded(verify(home)));
  auto entry = cast<DictionaryAttr>(
      fork->getFunc()->getAttrOfType<ArrayAttr>("relayouts")[0]);
  auto name = entry.getAs<FlatSymbolRefAttr>("kernel");
  ASSERT_TRUE(name);
  EXPECT_TRUE(home.lookupSymbol(name.getValue()));
}

TEST_F(ScheduleTest, MethodsOfLoopsAndQueriesAreReplayed) {
  OwningOpRef<ModuleOp> module = parse(kMatmul), other = parse(kMatmul);
  Schedule schedule(funcIn(*module));
  auto done = [](const Outcome &outcome) {
    EXPECT_TRUE(outcome.isDone()) << outcome.getText();
  };
  auto outputs = schedule.getOutputBlocks();
  ASSERT_TRUE(bool(outputs));
  ASSERT_EQ(outputs->size(), 1u);
  BlockRef block = (*outputs)[0];
  auto loops = schedule.getLoops(block);
  ASSERT_EQ(loops->size(), 3u);
  auto copy = schedule.cacheWrite(block, 0, "shared");
  ASSERT_TRUE(bool(copy)) << copy.getOutcome().getText();
  auto consumers = schedule.getConsumers(block);
  ASSERT_EQ(consumers->size(), 1u);
  EXPECT_EQ(schedule.get((*consumers)[0]), schedule.get(*copy));
  auto producers = schedule.getProducers(*copy);
  ASSERT_EQ(producers->size(), 1u);
  EXPECT_EQ(schedule.get((*producers)[0]), schedule.get(block));
  auto outer = schedule.getLoops(*copy);
  auto merged = schedule.merge((*loops)[0], (*outer)[0]);
  ASSERT_TRUE(bool(merged)) << merged.getOutcome().getText();
  EXPECT_FALSE(schedule.get((*outer)[0]));
  auto below = schedule.getChildBlocks(*merged);
  EXPECT_EQ(below->size(), 2u);
  done(schedule.reorderBlockIters(block, {2, 0, 1}));
  auto parts = schedule.loopPartition((*outer)[1], {8, -1});
  ASSERT_TRUE(bool(parts)) << parts.getOutcome().getText();
  EXPECT_EQ(parts->size(), 2u);
  auto tiles = schedule.split((*loops)[1], {-1, 5}, Tail::Peel);
  ASSERT_TRUE(bool(tiles)) << tiles.getOutcome().getText();
  EXPECT_TRUE(bool(schedule.getBlock("mm_tail")));
  EXPECT_TRUE(schedule.split((*loops)[2], {-1, 5}, Tail::Perfect).isRefused());
  done(schedule.split((*loops)[2], {-1, 8}, Tail::Perfect).getOutcome());
  done(schedule.bind(*merged, "block.x"));
  done(schedule.annotate(block, "note", UnitAttr::get(&context)));
  done(schedule.unannotate(block, "note"));
  EXPECT_TRUE(schedule.unannotate(block, "note").isRefused());
  EXPECT_TRUE(succeeded(verify(*module)));
  OwningOpRef<ModuleOp> sequence = parse(schedule.print());
  ASSERT_TRUE(sequence);
  Outcome outcome = Schedule::replay(*sequence, funcIn(*other)).getOutcome();
  ASSERT_TRUE(outcome.isDone()) << outcome.getText();
  EXPECT_EQ(print(*module), print(*other));
}
} // namespace
