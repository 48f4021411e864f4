// Loops and how they are carried out.
#include "Steps.h"

#include "nestor/Analysis/Blocks.h"

#include "fmt/format.h"

using namespace nestor;
using namespace nestor::fuzz;
using namespace nestor::sched;

namespace {
Tried split(Picker &p) {
  auto target = p.loop();
  if (!target)
    return std::nullopt;
  llvm::SmallVector<Param> factors = {Param(-1), Param(p.number(1, 6))};
  if (p.random.chance(20))
    std::swap(factors[0], factors[1]);
  if (p.random.chance(30))
    factors.push_back(Param(p.number(1, 4)));
  // Products that miss the extent, or no -1 at all.
  if (p.random.chance(8))
    factors[0] = factors[1];
  Tail tail = Tail::Predicate;
  if (p.random.chance(30))
    tail = p.random.chance(60) ? Tail::Peel : Tail::Perfect;
  return p.s.split(*target, factors, tail).getOutcome();
}

Tried fuse(Picker &p) {
  LoopRefs loops;
  if (!p.blockIn(loops, 2))
    return std::nullopt;
  int64_t n = static_cast<int64_t>(loops.size());
  int64_t i = p.number(0, n - 2);
  LoopRefs picked = {loops[i], loops[i + 1]};
  if (i + 2 < n && p.random.chance(15))
    picked.push_back(loops[i + 2]);
  if (p.random.chance(5))
    std::swap(picked[0], picked[1]);
  return p.s.fuse(picked).getOutcome();
}

Tried reorder(Picker &p) {
  LoopRefs loops, picked;
  if (!p.blockIn(loops, 2))
    return std::nullopt;
  llvm::SmallVector<int> order;
  for (size_t i = 0; i < loops.size(); ++i)
    if (p.random.chance(70))
      order.push_back(static_cast<int>(i));
  p.random.shuffle(order);
  if (order.size() < 2)
    return std::nullopt;
  for (int i : order) {
    picked.push_back(loops[i]);
    p.say(std::to_string(i));
  }
  return p.s.reorder(picked);
}

Tried addUnitLoop(Picker &p) {
  LoopRefs loops;
  auto at = p.blockIn(loops, 0);
  if (!at)
    return std::nullopt;
  if (!loops.empty() && p.random.chance(50))
    return p.s.addUnitLoop(p.oneOf(loops)).getOutcome();
  return p.s.addUnitLoop(*at).getOutcome();
}

Tried separate(Picker &p) {
  auto target = p.loop();
  if (!target)
    return std::nullopt;
  return p.s.separateFullPartial(*target).getOutcome();
}

Tried partition(Picker &p) {
  auto target = p.loop();
  if (!target)
    return std::nullopt;
  llvm::SmallVector<Param> parts = {Param(-1), Param(p.number(1, 4))};
  if (p.random.chance(50))
    std::swap(parts[0], parts[1]);
  if (p.random.chance(30))
    parts.push_back(Param(p.number(1, 3)));
  return p.s.loopPartition(*target, parts).getOutcome();
}

/// A loop and the one that follows it: mostly with the same range, else of any
/// depth.
Tried merge(Picker &p) {
  llvm::SmallVector<std::pair<nest::ForOp, nest::ForOp>> pairs, alike;
  p.s.getFunc().walk([&](nest::ForOp loop) {
    auto next = llvm::dyn_cast_or_null<nest::ForOp>(loop->getNextNode());
    if (!next)
      return;
    pairs.push_back({loop, next});
    if (loop.getUpperMap() == next.getUpperMap() &&
        loop.getLowerMap() == next.getLowerMap())
      alike.push_back({loop, next});
  });
  if (!alike.empty() && p.random.chance(70))
    pairs = alike;
  if (!pairs.empty() && p.random.chance(90)) {
    auto [first, second] = p.random.pick(pairs);
    auto a = p.handle(first), b = p.handle(second);
    if (!a || !b)
      return std::nullopt;
    p.say(
        fmt::format("loops of depth {}", analysis::loopsAround(first).size()));
    return p.s.merge(*a, *b).getOutcome();
  }
  auto first = p.loop(), second = p.loop();
  if (!first || !second)
    return std::nullopt;
  return p.s.merge(*first, *second).getOutcome();
}

Tried blockIters(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  llvm::SmallVector<int64_t> order;
  for (unsigned i = 0; i < p.s.get(*at).getNumIterators(); ++i)
    order.push_back(i);
  p.random.shuffle(order);
  if (p.random.chance(15))
    order.push_back(0);
  return p.s.reorderBlockIters(*at, order);
}

//--- queries

Tried childBlocks(Picker &p) {
  auto target = p.loop();
  if (!target)
    return std::nullopt;
  return p.s.getChildBlocks(*target).getOutcome();
}

Tried producers(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  return p.s.getProducers(*at).getOutcome();
}

Tried consumers(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  return p.s.getConsumers(*at).getOutcome();
}

Tried outputs(Picker &p) { return p.s.getOutputBlocks().getOutcome(); }

//--- kinds

Tried bind(Picker &p) {
  auto target = p.loop();
  if (!target)
    return std::nullopt;
  static const char *axes[] = {"block.x", "block.y", "thread.x", "warp"};
  return p.s.bind(*target, axes[p.number(0, 30) % 4]);
}

/// Of a loop that has one, if there is.
Tried unannotate(Picker &p) {
  LoopRefs loops;
  auto at = p.blockIn(loops, 0);
  if (!at)
    return std::nullopt;
  const char *keys[] = {"note", "grain", "axis"};
  for (LoopRef loop : loops)
    if (p.s.get(loop).getAnnotationsAttr())
      return p.s.unannotate(loop, keys[p.number(1, 2)]);
  return p.s.unannotate(*at, keys[0]);
}

Tried vectorize(Picker &p) {
  auto target = p.loop(true);
  if (!target)
    return std::nullopt;
  return p.s.vectorize(*target);
}

Tried unroll(Picker &p) {
  auto target = p.loop(p.random.chance(50));
  if (!target)
    return std::nullopt;
  return p.s.unroll(*target);
}

Tried parallel(Picker &p) {
  auto target = p.loop();
  if (!target)
    return std::nullopt;
  return p.s.parallel(*target, p.number(1, 4));
}

Tried annotate(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  mlir::Builder builder(p.s.getFunc().getContext());
  return p.s.annotate(*at, "note", builder.getI64IntegerAttr(p.number(0, 9)));
}
} // namespace

llvm::ArrayRef<StepKind> nestor::fuzz::loopSteps() {
  static const StepKind table[] = {
      {"split", 12, true, split},
      {"fuse", 5, true, fuse},
      {"reorder", 8, true, reorder},
      {"add_unit_loop", 1, false, addUnitLoop},
      {"separate_full_partial", 4, true, separate},
      {"loop_partition", 3, true, partition},
      {"merge", 4, true, merge, "",
       "loop_partition|split_domain|split_domain|separate_full_partial"},
      {"reorder_block_iters", 2, true, blockIters},
      {"get_child_blocks", 1, false, childBlocks},
      {"get_producers", 1, false, producers},
      {"get_consumers", 1, false, consumers},
      {"get_output_blocks", 1, false, outputs},
  };
  return table;
}

llvm::ArrayRef<StepKind> nestor::fuzz::kindSteps() {
  static const StepKind table[] = {
      {"vectorize", 4, true, vectorize},
      {"unroll", 2, true, unroll},
      {"parallel", 4, true, parallel},
      {"annotate", 2, false, annotate},
      {"bind", 2, true, bind},
      {"unannotate", 2, true, unannotate, "", "annotate|parallel|bind"},
  };
  return table;
}
