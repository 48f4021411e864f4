// Choices with a domain, each with the primitive that it is for.
#include "Steps.h"

#include "fmt/format.h"

using namespace nestor;
using namespace nestor::fuzz;
using namespace nestor::sched;

namespace {
/// The choice's own outcome, unless what used it broke something.
Tried used(Outcome choice, Outcome use) {
  return use.isDone() || use.isRefused() ? Tried(std::move(choice))
                                         : Tried(std::move(use));
}

Tried categorical(Picker &p) {
  auto target = p.loop();
  if (!target)
    return std::nullopt;
  llvm::SmallVector<int64_t> candidates;
  llvm::SmallVector<double> odds;
  for (int64_t n = p.random.in(1, 4); n > 0; --n) {
    candidates.push_back(p.number(1, 8));
    odds.push_back(static_cast<double>(p.random.in(1, 5)));
  }
  if (p.random.chance(10))
    odds.pop_back();
  sched::Random random(p.random.in(0, 1 << 30));
  Result<Param> factor = p.s.sampleCategorical(candidates, odds, random);
  if (!factor)
    return factor.getOutcome();
  p.say(std::to_string(factor->value));
  return used(factor.getOutcome(),
              p.s.split(*target, {Param(-1), *factor}).getOutcome());
}

Tried tile(Picker &p, LoopRef target, Result<Params> factors) {
  if (!factors)
    return factors.getOutcome();
  for (const Param &factor : *factors)
    p.say(std::to_string(factor.value));
  return used(factors.getOutcome(),
              p.s.split(target, *factors, Tail::Perfect).getOutcome());
}

Tried perfectTile(Picker &p) {
  auto target = p.loop();
  if (!target)
    return std::nullopt;
  auto parts = static_cast<unsigned>(p.random.in(2, 4));
  int64_t most = p.random.chance(5) ? 0 : p.number(1, 16);
  sched::Random random(p.random.in(0, 1 << 30));
  return tile(p, *target, p.s.samplePerfectTile(*target, parts, most, random));
}

Tried partitionedTile(Picker &p) {
  auto target = p.loop();
  if (!target)
    return std::nullopt;
  int64_t parts = p.random.in(2, 4), at = p.random.in(0, parts - 1),
          multiple = p.random.chance(40) ? 1 : p.number(1, 4);
  sched::Random random(p.random.in(0, 1 << 30));
  return tile(p, *target,
              p.s.samplePartitionedTile(*target, static_cast<unsigned>(parts),
                                        at, multiple, random));
}

Tried location(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  sched::Random random(p.random.in(0, 1 << 30));
  Result<Param> where = p.s.sampleComputeLocation(*at, random);
  if (!where)
    return where.getOutcome();
  p.say(std::to_string(where->value));
  return used(where.getOutcome(), p.s.computeAt(*at, *where));
}
} // namespace

llvm::ArrayRef<StepKind> nestor::fuzz::sampleSteps() {
  static const StepKind table[] = {
      {"sample_categorical", 2, true, categorical},
      {"sample_perfect_tile", 3, true, perfectTile},
      {"sample_partitioned_tile", 2, true, partitionedTile},
      // Where a block stands is always among the locations.
      {"sample_compute_location", 2, false, location},
  };
  return table;
}
