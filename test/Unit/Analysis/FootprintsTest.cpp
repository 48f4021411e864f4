// What loops touch, against running them.
#include "nestor/Analysis/Footprints.h"
#include "nestor/Analysis/InstanceSet.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <map>
#include <random>
#include <set>

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;
using nestor::analysis::Footprint;

namespace {
using Values = llvm::DenseMap<AffineExpr, AffineExpr>;

class FootprintsTest : public testing::Test {
protected:
  FootprintsTest() {
    DialectRegistry registry;
    registry.insert<nest::NestDialect>();
    registerEmptinessCache(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The body of a function with the buffer %T of one or two dims of 64.
  nest::FuncOp parse(const std::string &body, bool flat = true) {
    module = parseSourceString<ModuleOp>(
        "nest.func @f(%O: memref<64xf32>) { %T = nest.alloc : memref<64" +
            std::string(flat ? "" : "x64") + "xf32>\n" + body + "}",
        &context);
    return module ? *module->getOps<nest::FuncOp>().begin() : nest::FuncOp();
  }
  static std::string block(const std::string &name, const std::string &i,
                           const std::string &body,
                           const std::string &where = "") {
    return "nest.block \"" + name + "\" (%v : ordered = " + i + " to 64)" +
           where + "{\n" + body + "}\n";
  }
  static std::string write(const std::string &name, const std::string &i,
                           const std::string &where = "") {
    return block(name, i,
                 "%c = arith.constant 1.0 : f32\n"
                 "memref.store %c, %T[%v] : memref<64xf32>\n",
                 where);
  }
  static std::string read(const std::string &name, const std::string &i,
                          const std::string &where = "") {
    return block(name, i,
                 "%z = arith.constant 0 : index\n"
                 "%c = memref.load %T[%v] : memref<64xf32>\n"
                 "memref.store %c, %O[%z] : memref<64xf32>\n",
                 where);
  }

  static int64_t valueOf(AffineExpr expr, const Values &at) {
    AffineExpr value = simplifyAffineExpr(expr.replace(at), 64, 0);
    EXPECT_TRUE(isa<AffineConstantExpr>(value));
    return AffineSpace::constantOf(value).value_or(0);
  }
  /// Runs what is in `parent` at the loop values `at`, calling `visit(block,
  /// at)` for each instance.
  template <typename F>
  static void run(Operation *parent, AffineSpace &space, Values &at, F visit) {
    for (Operation &op : parent->getRegion(0).front()) {
      if (auto loop = dyn_cast<nest::ForOp>(op)) {
        LoopBounds bounds = LoopBounds::of(loop, space);
        int64_t low = INT64_MIN, high = INT64_MAX;
        for (AffineExpr lower : bounds.lowers)
          low = std::max(low, valueOf(lower, at));
        for (AffineExpr upper : bounds.uppers)
          high = std::min(high, valueOf(upper, at));
        AffineExpr var = space.of(loop.getInductionVar());
        for (int64_t i = low; i < high; ++i) {
          at[var] = space.constant(i);
          run(loop, space, at, visit);
        }
        at.erase(var);
      } else if (auto block = dyn_cast<nest::BlockOp>(op)) {
        bool runs = true;
        for (const auto &c : BlockForm::of(block, space).constraints) {
          int64_t value = valueOf(c.expr, at);
          runs &= c.equal ? value == 0 : value >= 0;
        }
        if (runs)
          visit(block, at);
      }
    }
  }
  static int64_t elementOf(const Access &access, nest::BlockOp block,
                           AffineSpace &space, const Values &at) {
    BlockForm form = BlockForm::of(block, space);
    return valueOf(access.indices[0].replaceDims(form.bindings), at);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

/// A random nest of `depth` loops `p0`, `p1`, ...; its variables go to `vars`.
struct Loops {
  std::string open, close;
  std::vector<std::string> vars;
};
template <typename Random>
Loops randomLoops(Random &random, const std::string &prefix, int depth,
                  const std::vector<std::string> &outer) {
  Loops loops;
  std::vector<std::string> vars = outer;
  for (int i = 0; i < depth; ++i) {
    std::string name = "%" + prefix + std::to_string(i);
    std::string other = vars.empty() ? "0" : vars[random() % vars.size()];
    std::string low = "0", high = std::to_string(1 + random() % 5);
    switch (random() % 4) {
    case 0:
      low = other;
      high = other + " + " + high;
      break;
    case 1:
      high = other + " + 1";
      break;
    case 2:
      low = "max(0, " + other + " - 2)";
      high = "min(5, " + other + " + 2)";
      break;
    }
    loops.open += "nest.for " + name + " = " + low + " to " + high + " {\n";
    loops.close += "}\n";
    loops.vars.push_back(name);
    vars.push_back(name);
  }
  return loops;
}
template <typename Random>
std::string randomIndex(Random &random, std::vector<std::string> vars) {
  std::string text = std::to_string(random() % 2);
  for (const std::string &var : vars)
    if (random() % 4)
      text += " + " + var + " * " + std::to_string(random() % 4 ? 1 : 2);
  if (random() % 6 == 0)
    text = "(" + text + ") floordiv " + std::to_string(2 + random() % 3);
  return text;
}
} // namespace

TEST_F(FootprintsTest, TrianglesAndBands) {
  nest::FuncOp func = parse(
      "nest.for %i = 0 to 8 { nest.for %j = 0 to %i + 1 {" + write("w", "%j") +
      "}\n nest.for %k = max(0, %i - 3) to %i + 1 {" + read("r", "%k") + "} }");
  ASSERT_TRUE(func);
  AffineSpace space(func);
  SmallVector<nest::BlockOp> blocks = blocksIn(func);
  nest::ForOp outer = loopsAround(blocks[0])[0];
  Value buffer = func.getBody().front().front().getResult(0);
  Footprint must = mustWrite(outer, buffer, space),
            may = mayTouch(outer, buffer, false, space);
  EXPECT_TRUE(must.isExact() && may.isExact());
  EXPECT_TRUE(covers(must, may, space));
  EXPECT_FALSE(covers(may, must, space));
  EXPECT_TRUE(isLocalTo(outer, buffer, space));
  auto bounds = hull(may, space);
  ASSERT_TRUE(bounds.has_value());
  // max(0, i - 3) to i + 1: four elements, though the box is all of i.
  EXPECT_EQ((*bounds)[0].lowers.size(), 2u);
  EXPECT_EQ(footprintBytes(outer, buffer, space), 8 * 4);
  EXPECT_EQ(footprintBytes(func, buffer, space), 8 * 4);
  EXPECT_EQ(footprintBytes(loopsAround(blocks[1])[1], buffer, space), 4);
}

TEST_F(FootprintsTest, WhatALaterIterationWritesComesTooLate) {
  nest::FuncOp func = parse("nest.for %s = 0 to 4 { nest.for %j = 0 to 8 {" +
                            write("w", "%j") + read("r", "-%j + 7") + "} }");
  ASSERT_TRUE(func);
  AffineSpace space(func);
  nest::ForOp scope = loopsAround(blocksIn(func)[0])[0];
  Value buffer = func.getBody().front().front().getResult(0);
  EXPECT_FALSE(isLocalTo(scope, buffer, space));
  func =
      parse("nest.for %s = 0 to 4 { nest.for %j = 0 to 8 {" + write("w", "%j") +
            read("r", "%j - 1", " where (%j - 1 >= 0)") + "} }");
  ASSERT_TRUE(func);
  AffineSpace other(func);
  scope = loopsAround(blocksIn(func)[0])[0];
  buffer = func.getBody().front().front().getResult(0);
  EXPECT_TRUE(isLocalTo(scope, buffer, other));
}

TEST_F(FootprintsTest, AgainstRunning) {
  std::mt19937 random(11);
  unsigned local = 0, found = 0, covered = 0, seen = 0, exact = 0;
  for (int round = 0; round < 300 && !HasFailure(); ++round) {
    // One loop outside, then writer and reader with some loops in common.
    std::string text = "nest.for %s = 0 to 4 {\n";
    Loops common = randomLoops(random, "c", random() % 2, {"%s"});
    std::vector<std::string> vars = {"%s"};
    llvm::append_range(vars, common.vars);
    text += common.open;
    for (const char *name : {"w", "r"}) {
      Loops own = randomLoops(random, name, 1 + random() % 2, vars);
      std::vector<std::string> all = vars;
      llvm::append_range(all, own.vars);
      std::string where;
      if (random() % 3 == 0)
        where = " where (" + all[random() % all.size()] + " - " +
                all[random() % all.size()] + " >= 0)";
      std::string index = randomIndex(random, all);
      text +=
          own.open +
          (*name == 'w' ? write("w", index, where) : read("r", index, where)) +
          own.close;
    }
    text += common.close + "}\n";
    nest::FuncOp func = parse(text);
    ASSERT_TRUE(func) << text;
    AffineSpace space(func);
    SmallVector<nest::BlockOp> blocks = blocksIn(func);
    nest::ForOp scope = loopsAround(blocks[0])[0];
    Value buffer = func.getBody().front().front().getResult(0);
    Access store = accessesOf(blocks[0])[0], load = accessesOf(blocks[1])[0];

    bool isLocal = true;
    std::map<int64_t, std::pair<std::set<int64_t>, std::set<int64_t>>> sets;
    std::set<int64_t> now;
    int64_t iteration = -1;
    Values at;
    AffineExpr s = space.of(scope.getInductionVar());
    run(func, space, at, [&](nest::BlockOp block, const Values &values) {
      int64_t here = valueOf(s, values);
      if (here != iteration)
        now.clear();
      iteration = here;
      bool writes = block == blocks[0];
      int64_t element = elementOf(writes ? store : load, block, space, values);
      if (writes)
        now.insert(element);
      else
        isLocal &= now.count(element) > 0;
      (writes ? sets[here].first : sets[here].second).insert(element);
    });
    bool claim = isLocalTo(scope, buffer, space);
    EXPECT_TRUE(isLocal || !claim) << text;
    local += isLocal;
    found += claim;

    Footprint must = mustWrite(scope, buffer, space),
              writes = mayTouch(scope, buffer, true, space),
              reads = mayTouch(scope, buffer, false, space);
    bool isCovered = true;
    for (auto &[i, pair] : sets)
      isCovered &= llvm::all_of(
          pair.second, [&](int64_t e) { return pair.first.count(e) > 0; });
    claim = covers(must, reads, space);
    EXPECT_TRUE(isCovered || !claim) << text;
    covered += isCovered;
    seen += claim;
    std::optional<SmallVector<LoopBounds>> bounds = hull(reads, space);
    for (int64_t i = 0; i < 4; ++i)
      for (int64_t e = 0; e < 64; ++e) {
        auto holds = [&](const Footprint &footprint) {
          return llvm::any_of(footprint.pieces, [&](const auto &piece) {
            return llvm::all_of(piece.constraints, [&](AffineExpr expr) {
              Values point = {{s, space.constant(i)},
                              {footprint.dims[0], space.constant(e)}};
              return valueOf(expr, point) >= 0;
            });
          });
        };
        bool written = sets[i].first.count(e), read = sets[i].second.count(e);
        EXPECT_TRUE(!written || holds(writes)) << text << i << " " << e;
        EXPECT_TRUE(!read || holds(reads)) << text << i << " " << e;
        EXPECT_TRUE(written || !holds(must)) << text << i << " " << e;
        if (!bounds || !read)
          continue;
        Values point = {{s, space.constant(i)}};
        for (AffineExpr lower : (*bounds)[0].lowers)
          EXPECT_GE(e, valueOf(lower, point)) << text;
        for (AffineExpr upper : (*bounds)[0].uppers)
          EXPECT_LT(e, valueOf(upper, point)) << text;
      }
    exact += must.pieces.size();
  }
  EXPECT_GT(exact, 100u);
  EXPECT_GT(found * 2, local) << found << " of " << local;
  EXPECT_GT(seen * 2, covered) << seen << " of " << covered;
}
