// Replay that gives a live Schedule, other decisions, other shapes; samples and
// their domains; simplify.
#include "nestor/Schedule/Schedule.h"

#include "nestor/Schedule/Extension.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <numeric>

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

namespace {
/// T = A + 1; C = T @ B, rows x 32.
std::string kernelOf(int64_t rows) {
  std::string n = std::to_string(rows), a = "memref<" + n + "x64xf32>",
              c = "memref<" + n + "x32xf32>";
  return "nest.func @mm(%A: " + a + ", %B: memref<64x32xf32>, %C: " + c +
         ") {\n  %T = nest.alloc : " + a + R"mlir(
  nest.for %i = 0 to )mlir" +
         n + R"mlir( { nest.for %k = 0 to 64 {
    nest.block "add" (%vi : spatial = %i to )mlir" +
         n + R"mlir(, %vk : spatial = %k to 64) {
      %x = memref.load %A[%vi, %vk] : )mlir" +
         a + R"mlir(
      %one = arith.constant 1.0 : f32
      %y = arith.addf %x, %one : f32
      memref.store %y, %T[%vi, %vk] : )mlir" +
         a + R"mlir(
    } } }
  nest.for %i = 0 to )mlir" +
         n + R"mlir( { nest.for %j = 0 to 32 { nest.for %k = 0 to 64 {
    nest.block "mm" (%vi : spatial = %i to )mlir" +
         n + R"mlir(, %vj : spatial = %j to 32, %vk : reduce = %k to 64) init {
      %z = arith.constant 0.0 : f32
      memref.store %z, %C[%vi, %vj] : )mlir" +
         c + R"mlir(
    } {
      %a = memref.load %T[%vi, %vk] : )mlir" +
         a + R"mlir(
      %b = memref.load %B[%vk, %vj] : memref<64x32xf32>
      %c = memref.load %C[%vi, %vj] : )mlir" +
         c + R"mlir(
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %c, %m : f32
      memref.store %s, %C[%vi, %vj] : )mlir" +
         c + R"mlir(
    } } } }
})mlir";
}

class TraceTest : public testing::Test {
protected:
  TraceTest() {
    DialectRegistry registry;
    registry.insert<nest::NestDialect>();
    registerScheduleExtension(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  OwningOpRef<ModuleOp> kernel(int64_t rows = 48) {
    return parseSourceString<ModuleOp>(kernelOf(rows), &context);
  }
  static nest::FuncOp funcIn(ModuleOp module) {
    return *module.getOps<nest::FuncOp>().begin();
  }
  static std::string print(Operation *op) {
    std::string text;
    llvm::raw_string_ostream(text) << *op;
    return text;
  }

  /// Knob, tile, location, unroll by a sampled number.
  void sampled(Schedule &s, Choice tile = {6, 8}, Choice place = {0},
               Choice candidate = {1}) {
    auto mm = *s.getBlock("mm"), add = *s.getBlock("add");
    auto loops = *s.getLoops(mm);
    Param width = s.knob("width", 8, {4, 8, 16});
    auto factors = s.samplePerfectTile(loops[0], 2, 16, tile);
    ASSERT_TRUE(bool(factors)) << factors.getOutcome().getText();
    ASSERT_TRUE(bool(s.split(loops[0], *factors)));
    ASSERT_TRUE(bool(s.split(loops[1], {-1, width})));
    auto location = s.sampleComputeLocation(add, place);
    ASSERT_TRUE(bool(location)) << location.getOutcome().getText();
    Outcome moved = s.computeAt(add, *location);
    ASSERT_TRUE(moved.isDone()) << moved.getText();
    auto part = s.sampleCategorical({2, 4, 8}, {0.5, 0.25, 0.25}, candidate);
    ASSERT_TRUE(bool(part)) << part.getOutcome().getText();
    ASSERT_TRUE(bool(s.split(loops[2], {-1, *part})));
    ASSERT_TRUE(bool(s.getLoops(mm)));
  }

  MLIRContext context;
};

TEST_F(TraceTest, SamplesAreRecordedAndReplayed) {
  OwningOpRef<ModuleOp> module = kernel(), other = kernel();
  Schedule schedule(funcIn(*module));
  sampled(schedule);
  std::string text = schedule.print();
  EXPECT_NE(text.find("decision [6, 8]"), std::string::npos) << text;
  EXPECT_NE(text.find("decision 1"), std::string::npos) << text;
  auto replayed = Schedule::parse(text, funcIn(*other));
  ASSERT_TRUE(bool(replayed)) << replayed.getOutcome().getText();
  EXPECT_EQ(print(*module), print(*other));
  EXPECT_EQ(text, (*replayed)->print());
  EXPECT_EQ(schedule.decisions(), (*replayed)->decisions());
  // It goes on from there.
  auto loops = (*replayed)->getLoops(*(*replayed)->getBlock("mm"));
  ASSERT_TRUE(bool(loops));
  EXPECT_TRUE((*replayed)->unroll(loops->back()).isDone());
  auto fork = (*replayed)->fork();
  EXPECT_EQ(fork->print(), (*replayed)->print());
  EXPECT_EQ(fork->decisions().size(), 4u);
}

TEST_F(TraceTest, DecisionsAreReplacedAndSnap) {
  OwningOpRef<ModuleOp> module = kernel(), other = kernel();
  Schedule schedule(funcIn(*module));
  sampled(schedule);
  std::vector<Decision> decisions = schedule.decisions();
  ASSERT_EQ(decisions.size(), 4u);
  EXPECT_EQ(decisions[0].kind, Decision::Kind::Knob);
  EXPECT_EQ(decisions[0].name, "width");
  EXPECT_EQ(decisions[1].kind, Decision::Kind::PerfectTile);
  EXPECT_EQ(decisions[2].kind, Decision::Kind::Location);
  EXPECT_EQ(decisions[3].kind, Decision::Kind::Categorical);
  decisions[0].value = {13};     // 16 is nearest
  decisions[1].value = {99, 13}; // 12 divides 48
  decisions[2].value = {77};     // there are five loops
  decisions[3].value = {9};      // the last candidate
  ReplayOptions options;
  options.decisions = decisions;
  auto done = Schedule::replay(schedule.getSequence(), funcIn(*other), options);
  ASSERT_TRUE(bool(done)) << done.getOutcome().getText();
  decisions = (*done)->decisions();
  EXPECT_EQ(decisions[0].value, Numbers({16}));
  EXPECT_EQ(decisions[1].value, Numbers({4, 12}));
  EXPECT_LT(decisions[2].value.front(), 5);
  EXPECT_EQ(decisions[3].value, Numbers({2}));
  EXPECT_TRUE(succeeded(verify(*other)));
  options.decisions->pop_back();
  auto fewer =
      Schedule::replay(schedule.getSequence(), funcIn(*other), options);
  EXPECT_NE(fewer.getOutcome().getText().find("takes 4 decisions, 3"),
            std::string::npos);
}

TEST_F(TraceTest, AChangedShapeRepairsItsTiles) {
  OwningOpRef<ModuleOp> module = kernel(48), other = kernel(35);
  Schedule schedule(funcIn(*module));
  sampled(schedule);
  auto done = Schedule::parse(schedule.print(), funcIn(*other));
  ASSERT_TRUE(bool(done)) << done.getOutcome().getText();
  EXPECT_EQ((*done)->decisions()[1].value, Numbers({5, 7}));
  EXPECT_TRUE(succeeded(verify(*other)));
}

TEST_F(TraceTest, DrawnDecisionsAreLegalAndSeeded) {
  std::set<std::string> nests;
  for (uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8, 1}) {
    OwningOpRef<ModuleOp> module = kernel();
    Schedule schedule(funcIn(*module));
    Random random(seed);
    sampled(schedule, random, random, random);
    EXPECT_TRUE(succeeded(verify(*module)));
    nests.insert(print(*module));
  }
  EXPECT_GT(nests.size(), 3u);
  EXPECT_LE(nests.size(), 8u);
}

TEST_F(TraceTest, ReplayDrawsAnew) {
  OwningOpRef<ModuleOp> module = kernel(), base = kernel();
  Schedule schedule(funcIn(*module));
  sampled(schedule);
  std::set<std::string> nests;
  Random random(7);
  for (int i = 0; i < 12; ++i) {
    OwningOpRef<ModuleOp> copy = base->clone();
    ReplayOptions options;
    options.random = &random;
    auto done =
        Schedule::replay(schedule.getSequence(), funcIn(*copy), options);
    ASSERT_TRUE(bool(done)) << done.getOutcome().getText();
    nests.insert(print(*copy));
  }
  EXPECT_GT(nests.size(), 4u);
}

TEST_F(TraceTest, DomainsHoldWhatIsLegal) {
  OwningOpRef<ModuleOp> module = kernel(), base = kernel();
  Schedule schedule(funcIn(*module));
  sampled(schedule);
  ModuleOp sequence = schedule.getSequence();
  std::string before = print(*base);
  auto knob = Schedule::domainOf(sequence, funcIn(*base), 0);
  ASSERT_TRUE(bool(knob)) << knob.getOutcome().getText();
  EXPECT_EQ(*knob, Domain({{4}, {8}, {16}}));
  auto tiles = Schedule::domainOf(sequence, funcIn(*base), 1);
  ASSERT_TRUE(bool(tiles)) << tiles.getOutcome().getText();
  // Divisors of 48 up to 16.
  EXPECT_EQ(tiles->size(), 8u);
  for (const Numbers &tile : *tiles) {
    EXPECT_EQ(tile[0] * tile[1], 48);
    EXPECT_LE(tile[1], 16);
  }
  auto places = Schedule::domainOf(sequence, funcIn(*base), 2);
  ASSERT_TRUE(bool(places)) << places.getOutcome().getText();
  // Inlined, where it is, and the five loops of the consumer.
  EXPECT_GE(places->size(), 6u);
  EXPECT_EQ(places->front(), Numbers({-2}));
  EXPECT_TRUE(Schedule::domainOf(sequence, funcIn(*base), 4).isRefused());
  EXPECT_EQ(before, print(*base));
  for (const Numbers &place : *places) {
    OwningOpRef<ModuleOp> copy = base->clone();
    ReplayOptions options;
    options.decisions = schedule.decisions();
    (*options.decisions)[2].value = place;
    auto done = Schedule::replay(sequence, funcIn(*copy), options);
    ASSERT_TRUE(bool(done)) << done.getOutcome().getText();
    EXPECT_EQ((*done)->decisions()[2].value, place);
  }
}

TEST_F(TraceTest, MutationChangesOneDecision) {
  OwningOpRef<ModuleOp> module = kernel(), base = kernel();
  Schedule schedule(funcIn(*module));
  sampled(schedule);
  Random random(3);
  unsigned changed = 0;
  for (int i = 0; i < 20; ++i) {
    auto decisions =
        Schedule::mutate(schedule.getSequence(), funcIn(*base), random);
    ASSERT_TRUE(bool(decisions)) << decisions.getOutcome().getText();
    unsigned different = 0;
    for (auto [now, then] : llvm::zip_equal(*decisions, schedule.decisions()))
      different += !(now == then);
    EXPECT_LE(different, 1u);
    changed += different;
    OwningOpRef<ModuleOp> copy = base->clone();
    ReplayOptions options;
    options.decisions = *decisions;
    auto done =
        Schedule::replay(schedule.getSequence(), funcIn(*copy), options);
    ASSERT_TRUE(bool(done)) << done.getOutcome().getText();
    EXPECT_EQ((*done)->decisions(), *decisions);
  }
  EXPECT_GE(changed, 18u);
}

TEST_F(TraceTest, TilesAreComplete) {
  for (int64_t extent : {1, 7, 12, 36})
    for (unsigned parts : {1u, 2u, 3u}) {
      Domain tiles = perfectTiles(extent, parts, 0);
      std::set<std::vector<int64_t>> all;
      for (const Numbers &tile : tiles) {
        EXPECT_EQ(std::accumulate(tile.begin(), tile.end(), int64_t(1),
                                  std::multiplies<>()),
                  extent);
        EXPECT_TRUE(all.insert({tile.begin(), tile.end()}).second);
      }
      if (parts == 2)
        EXPECT_EQ(tiles.size(), perfectTiles(extent, 2, extent).size());
    }
  EXPECT_EQ(perfectTiles(12, 2, 0).size(), 6u);
  for (const Numbers &tile : partitionedTiles(24, 3, 1, 4))
    EXPECT_EQ(tile[1] * tile[2] % 4, 0);
  EXPECT_EQ(partitionedTiles(24, 2, 1, 4).size(), 4u); // 4 8 12 24
}

TEST_F(TraceTest, PartitionedTilesKeepTheirMultiple) {
  OwningOpRef<ModuleOp> module = kernel();
  Schedule schedule(funcIn(*module));
  auto loops = *schedule.getLoops(*schedule.getBlock("mm"));
  Random random(5);
  for (int i = 0; i < 30; ++i) {
    auto tile = schedule.samplePartitionedTile(loops[0], 3, 1, 4, random);
    ASSERT_TRUE(bool(tile)) << tile.getOutcome().getText();
    EXPECT_EQ((*tile)[0].value * (*tile)[1].value * (*tile)[2].value, 48);
    EXPECT_EQ((*tile)[1].value * (*tile)[2].value % 4, 0);
  }
  auto told = schedule.samplePartitionedTile(loops[0], 3, 1, 4, {8, 2, 3});
  EXPECT_EQ((*told)[1].value * (*told)[2].value % 4, 0);
  EXPECT_EQ((*told)[2].value, 3);
  EXPECT_TRUE(schedule.samplePartitionedTile(loops[0], 3, 1, 5).isRefused());
  EXPECT_TRUE(schedule.samplePartitionedTile(loops[0], 3, 3, 4).isRefused());
  EXPECT_TRUE(schedule.sampleCategorical({1, 2}, {0.5}).isRefused());
  EXPECT_TRUE(schedule.sampleCategorical({1, 2}, {-1, 0.5}).isRefused());
  EXPECT_TRUE(schedule.samplePerfectTile(loops[0], 1, 16).isRefused());
}

TEST_F(TraceTest, SimplifyDropsWhatNothingUses) {
  OwningOpRef<ModuleOp> module = kernel(), other = kernel();
  Schedule schedule(funcIn(*module));
  auto mm = *schedule.getBlock("mm"), add = *schedule.getBlock("add");
  auto loops = *schedule.getLoops(mm);
  auto unused = *schedule.getLoops(add);
  (void)schedule.knob("nobody", 1, {1, 2});
  ASSERT_TRUE(bool(schedule.split(loops[0], {-1, 8})));
  schedule.simplify();
  std::string text = schedule.print();
  EXPECT_EQ(text.find("nobody"), std::string::npos);
  EXPECT_EQ(text.find("\"add\""), std::string::npos);
  EXPECT_NE(text.find("\"mm\""), std::string::npos);
  EXPECT_TRUE(bool(schedule.get(unused[0])));
  EXPECT_TRUE(schedule.unroll(unused[0]).isRefused());
  EXPECT_TRUE(bool(schedule.split(loops[1], {-1, 8})));
  EXPECT_TRUE(bool(schedule.fork()));
  auto done = Schedule::parse(schedule.print(), funcIn(*other));
  ASSERT_TRUE(bool(done)) << done.getOutcome().getText();
  EXPECT_EQ(print(*module), print(*other));
}

const char *kHalfLegal = R"mlir(
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%f: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "mm" in %f : !transform.any_op
    %i, %j, %k = transform.nest.get_loops %b : 3
    %x = transform.nest.fuse %k, %i
    transform.nest.unroll %x
    %jo, %ji = transform.nest.split %j by [-1, 8] : 2
    transform.yield
  }
})mlir";

TEST_F(TraceTest, ARefusedStepIsNamed) {
  OwningOpRef<ModuleOp> module = kernel();
  auto done = Schedule::parse(kHalfLegal, funcIn(*module));
  ASSERT_TRUE(done.isRefused());
  EXPECT_EQ(done.getOutcome().getReason().find("step 3, transform.nest.fuse: "),
            0u)
      << done.getOutcome().getText();
}

TEST_F(TraceTest, RefusedStepsAreLeftOutOnRequest) {
  OwningOpRef<ModuleOp> module = kernel();
  ReplayOptions options;
  std::vector<std::string> skipped;
  options.skipRefused = true;
  options.skipped = &skipped;
  auto done = Schedule::parse(kHalfLegal, funcIn(*module), options);
  ASSERT_TRUE(bool(done)) << done.getOutcome().getText();
  ASSERT_EQ(skipped.size(), 2u);
  EXPECT_EQ(skipped[1].find("step 4, transform.nest.unroll: "), 0u);
  EXPECT_EQ((*done)->print().find("fuse"), std::string::npos);
  EXPECT_NE((*done)->print().find("split"), std::string::npos);
}

TEST_F(TraceTest, TextThatIsNoScheduleIsRefused) {
  OwningOpRef<ModuleOp> module = kernel();
  EXPECT_TRUE(Schedule::parse("nonsense", funcIn(*module)).isRefused());
  EXPECT_TRUE(Schedule::parse("module {}", funcIn(*module)).isRefused());
}
} // namespace
