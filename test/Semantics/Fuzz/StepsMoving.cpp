// Where blocks stand, and what becomes of reductions.
#include "Steps.h"

using namespace nestor;
using namespace nestor::fuzz;
using namespace nestor::sched;

namespace {
/// A block and a loop of another one.
template <typename F>
Tried move(Picker &p, F primitive) {
  auto at = p.block();
  auto target = at ? p.loop() : std::nullopt;
  if (!target)
    return std::nullopt;
  return primitive(*at, *target);
}

Tried computeAt(Picker &p) {
  return move(p, [&](BlockRef b, LoopRef l) { return p.s.computeAt(b, l); });
}

Tried reverseComputeAt(Picker &p) {
  return move(
      p, [&](BlockRef b, LoopRef l) { return p.s.reverseComputeAt(b, l); });
}

Tried computeInline(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  return p.s.computeInline(*at);
}

Tried reverseComputeInline(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  return p.s.reverseComputeInline(*at);
}

Tried decompose(Picker &p) {
  LoopRefs loops;
  auto at = p.blockIn(loops);
  if (!at)
    return std::nullopt;
  return p.s.decomposeReduction(*at, p.oneOf(loops)).getOutcome();
}

Tried rfactor(Picker &p) {
  auto target = p.loop(p.random.chance(60));
  if (!target)
    return std::nullopt;
  return p.s.rfactor(*target, p.number(0, 2)).getOutcome();
}
} // namespace

llvm::ArrayRef<StepKind> nestor::fuzz::movingSteps() {
  static const StepKind table[] = {
      {"compute_at", 5, true, computeAt},
      {"reverse_compute_at", 5, true, reverseComputeAt},
      {"compute_inline", 3, true, computeInline},
      {"reverse_compute_inline", 3, true, reverseComputeInline},
      {"decompose_reduction", 4, true, decompose,
       "einsum conv matmuls rows layernorm attention argmax update syrk"},
      {"rfactor", 4, true, rfactor,
       "einsum conv matmuls rows layernorm attention syrk"},
  };
  return table;
}
