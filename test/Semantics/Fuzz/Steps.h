// The steps of random schedules: a line of a table and a small function for
// each primitive. A new primitive gets both in the file of its family; the
// program tells of primitives of the Transform dialect that have none.
#ifndef NESTOR_TEST_SEMANTICS_FUZZ_STEPS_H
#define NESTOR_TEST_SEMANTICS_FUZZ_STEPS_H

#include "Random.h"

#include "nestor/Schedule/Schedule.h"

namespace nestor::fuzz {

/// Tells the process that waits for this one what is going on, in case this one
/// crashes: the case so far, or the step that runs.
void note(const std::string &step, bool append = false);
void noteCase(const std::string &text);

/// One step's choices, drawn from the step's own seed: which block, loop,
/// number. Blocks are picked so that a block more or less elsewhere does not
/// change the pick (shrinking takes steps away).
class Picker {
public:
  /// Numbers are at most `most` (shrinking makes them small).
  Picker(sched::Schedule &schedule, uint64_t seed, int64_t most = INT64_MAX)
      : s(schedule), random(seed), salt(seed), most(most) {}

  sched::Schedule &s;
  Random random;
  /// What was picked, for people.
  std::string what;
  /// What the step counts as. A step may make what it needs; when it is refused
  /// then, or there is nothing to try, the kernel has changed all the same.
  enum class Count { Outcome, Refused, Nothing } count = Count::Outcome;
  sched::Outcome made(Count as) {
    count = as;
    return sched::Outcome::done();
  }

  std::optional<sched::BlockRef> block();
  /// Mostly a block that `fits`, if there is one.
  std::optional<sched::BlockRef>
  blockThat(llvm::function_ref<bool(nest::BlockOp)> fits);
  /// A block with a loop around it (all of them in `loops`).
  std::optional<sched::BlockRef> blockIn(sched::LoopRefs &loops,
                                         size_t atLeast = 1);
  sched::LoopRefs loopsOf(sched::BlockRef ref);
  /// A handle of this block or loop, if the schedule has one for it.
  std::optional<sched::BlockRef> handle(nest::BlockOp block);
  std::optional<sched::LoopRef> handle(nest::ForOp loop);
  /// One loop around a picked block; `inner`: near the block.
  std::optional<sched::LoopRef> loop(bool inner = false);
  sched::LoopRef oneOf(const sched::LoopRefs &loops, bool inner = false);
  int64_t number(int64_t low, int64_t high);
  const char *scope();
  void say(const std::string &text) {
    what += " " + text;
    note(" " + text, true);
  }
  void say(mlir::AffineMap map);

private:
  uint64_t salt;
  int64_t most;
};

/// Empty: there was nothing to pick.
using Tried = std::optional<sched::Outcome>;

struct StepKind {
  /// The mnemonic after `transform.nest.`.
  const char *name;
  /// How often, next to the others.
  int weight;
  /// Whether its law can say no.
  bool canRefuse;
  Tried (*apply)(Picker &);
  /// Kinds of nests that it is for; all when empty.
  const char *likes = "";
  /// Steps that make what it needs: one of "a b|c", so a then b, or c. They
  /// get its seed, so that they pick the same block and loop.
  const char *needs = "";
};

llvm::ArrayRef<StepKind> loopSteps();
llvm::ArrayRef<StepKind> kindSteps();
llvm::ArrayRef<StepKind> movingSteps();
llvm::ArrayRef<StepKind> dataSteps();
llvm::ArrayRef<StepKind> affineSteps();
llvm::ArrayRef<StepKind> tensorSteps();
llvm::ArrayRef<StepKind> sampleSteps();

/// All of them.
const std::vector<StepKind> &stepKinds();

} // namespace nestor::fuzz

#endif // NESTOR_TEST_SEMANTICS_FUZZ_STEPS_H
