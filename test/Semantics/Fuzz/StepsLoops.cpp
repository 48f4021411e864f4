// Loops and how they are carried out.
#include "Steps.h"

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
  return p.s.split(*target, factors).getOutcome();
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

//--- kinds

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
      {"split", 10, true, split},
      {"fuse", 5, true, fuse},
      {"reorder", 8, true, reorder},
      {"add_unit_loop", 1, false, addUnitLoop},
      {"separate_full_partial", 4, true, separate},
  };
  return table;
}

llvm::ArrayRef<StepKind> nestor::fuzz::kindSteps() {
  static const StepKind table[] = {
      {"vectorize", 4, true, vectorize},
      {"unroll", 2, true, unroll},
      {"parallel", 4, true, parallel},
      {"annotate", 1, false, annotate},
  };
  return table;
}
