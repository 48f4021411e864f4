//===- Rule.h - What all rules share ----------------------------*- C++ -*-===//
//
// A rule looks at a kernel through a RuleContext and applies primitives through
// its Schedule. Steps may be refused: `accept` writes the reason down.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_RULES_RULE_H
#define NESTOR_LIB_RULES_RULE_H

#include "nestor/Analysis/Blocks.h"
#include "nestor/Rules/Rules.h"
#include "nestor/Schedule/Schedule.h"

#include "llvm/ADT/StringSet.h"

namespace nestor::rules {

struct RuleContext {
  sched::Schedule &schedule;
  const Target &target;
  DefaultSchedule &result;
  /// Blocks that a rule has taken care of, by name.
  llvm::StringSet<llvm::MallocAllocator> done;

  bool accept(llvm::StringRef step, const sched::Outcome &outcome) {
    if (!outcome.isDone())
      result.refusals.push_back((step + ": " + outcome.getText()).str());
    return outcome.isDone();
  }
  template <typename T>
  bool accept(llvm::StringRef step, const sched::Result<T> &outcome) {
    return bool(outcome) || accept(step, outcome.getOutcome());
  }
  /// Applies `steps` (Schedule & -> bool) all or none: on a copy first.
  template <typename F>
  bool attempt(F steps) {
    return steps(*schedule.fork()) && steps(schedule);
  }
};

/// The loop that an iterator runs over alone; null when its binding is more
/// than one loop variable.
nest::ForOp loopOf(nest::BlockOp block, unsigned iterator);

/// A position of the iterator in an access: the coefficient in each index, and
/// whether it moves through memory one element at a time.
struct Use {
  bool used = false;
  bool unitStride = false;
  /// The one index in which it appears; -1 for several.
  int index = -1;
};
Use useOf(const analysis::Access &access, unsigned iterator);

/// Trip count of a loop, or `unknown` when it depends on sizes.
int64_t tripCount(nest::ForOp loop, int64_t unknown);

/// Rough cost of one execution of everything inside `op`, in ns on one core.
double estimateWork(mlir::Operation *op, const Target &target);

/// For a block whose first `outerLoops` loops stand around a tile: loops of a
/// few iterations inside are unrolled, the one that the last written index
/// follows becomes vectors of `lanes`.
void finishTile(RuleContext &context, sched::Schedule &on, sched::BlockRef ref,
                unsigned outerLoops, int64_t lanes);
inline void finishTile(RuleContext &context, sched::BlockRef ref,
                       unsigned outerLoops, int64_t lanes) {
  finishTile(context, context.schedule, ref, outerLoops, lanes);
}

// The rules.
void tensorizeBlocks(RuleContext &context);
void tileWindows(RuleContext &context);
void rowBlocks(RuleContext &context);
void registerTile(RuleContext &context);
void skipPaddings(RuleContext &context);
void rowFusion(RuleContext &context);
void transposeTiles(RuleContext &context);
/// Vectorizes the block called `name`, all or nothing.
void vectorizeAlone(RuleContext &context, sched::Schedule &on,
                    llvm::StringRef name);
void vectorizeBlocks(RuleContext &context);
void parallelize(RuleContext &context);

} // namespace nestor::rules

#endif // NESTOR_LIB_RULES_RULE_H
