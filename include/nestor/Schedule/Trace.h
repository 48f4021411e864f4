//===- Trace.h - Choices of a schedule, and how it is replayed --*- C++ -*-===//
//
// What Schedule records besides primitives: decisions (knobs and samples), how
// one is made, and how a recorded sequence runs again with others.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SCHEDULE_TRACE_H
#define NESTOR_SCHEDULE_TRACE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <random>
#include <string>
#include <vector>

namespace nestor::sched {

/// Where drawn decisions come from; its owner seeds it.
using Random = std::mt19937_64;
/// A number in [0, count), the same on every machine.
inline uint64_t drawBelow(Random &random, uint64_t count) {
  return random() % count;
}

/// What a sample decided: the index of a candidate, the factors of a tile, or
/// the number of a location.
using Numbers = llvm::SmallVector<int64_t>;
/// All that it may decide, in a fixed order.
using Domain = std::vector<Numbers>;

struct Decision {
  enum class Kind { Knob, Categorical, PerfectTile, PartitionedTile, Location };
  Kind kind;
  std::string name; // of a knob
  Numbers value;

  bool operator==(const Decision &) const = default;
};

/// How a sample decides: as it is told, by drawing, or for its default.
class Choice {
public:
  Choice() = default;
  Choice(Random &random) : random(&random) {}
  Choice(llvm::ArrayRef<int64_t> decision)
      : decision(Numbers(decision.begin(), decision.end())) {}
  Choice(std::initializer_list<int64_t> decision)
      : Choice(llvm::ArrayRef<int64_t>(decision)) {}

  Random *getRandom() const { return random; }
  const std::optional<Numbers> &getDecision() const { return decision; }

private:
  Random *random = nullptr;
  std::optional<Numbers> decision;
};

struct ReplayOptions {
  /// Instead of the recorded decisions, in their order; as many as there are.
  /// One that does not fit moves to the nearest that does.
  std::optional<std::vector<Decision>> decisions;
  /// Draws every decision anew instead.
  Random *random = nullptr;
  /// Goes on after a step that is refused, and after those that use its
  /// results.
  bool skipRefused = false;
  /// The steps that were left out, each with its reason.
  std::vector<std::string> *skipped = nullptr;
  /// The operation of the given sequence that was refused.
  mlir::Operation **refused = nullptr;
};

} // namespace nestor::sched

#endif // NESTOR_SCHEDULE_TRACE_H
