//===- TensorSteps.h - A contraction as tensor instructions -----*- C++ -*-===//
//
// The steps that lay a contraction onto an intrinsic as a TensorPlan says:
//
//   copies of operands in the iteration space, where they do not lie as the
//   intrinsic wants them; fused iterators; padding; rhs packed
//   for outer: for no: for mo:                blocks of columns, of rows
//     tile[R][C instances] = 0                in registers, or tiles
//     for reduce: for k: for r, c (unroll): tile += instance
//     epilogue of the tile -> output
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_RULES_TENSORSTEPS_H
#define NESTOR_LIB_RULES_TENSORSTEPS_H

#include "Rule.h"

#include "nestor/Intrin/Mapping.h"

namespace nestor::rules {

/// Which intrinsic, which iterators on its axes, how many instances in a tile.
struct TensorPlan {
  const intrin::Record *record = nullptr;
  intrin::Mapping mapping;
  /// Steps of each axis in one instance.
  llvm::SmallVector<int64_t, 3> steps;
  /// Instances side by side: along m (or another iterator of lhs), along n.
  int64_t rows = 1, columns = 1;
  /// Operands that get a copy in the block's own iteration space.
  bool copies[3] = {};
  /// The number of the mapping among `ways` of this intrinsic.
  unsigned number = 0, ways = 1;
  /// Results leave the tile through a copy, whoever reads them.
  bool ownCopy = false;
  /// Estimated cycles.
  double cycles = 0;
};

/// The iterator whose steps become rows where m is no axis: outside of the
/// instance, in lhs and in the sum. -1 for none.
int rowIterator(nest::BlockOp block, const analysis::Contraction &contraction,
                const intrin::Mapping &mapping);

/// The cheapest plan for a block, if one is cheaper than plain code.
std::optional<TensorPlan> chooseTensorPlan(nest::BlockOp block,
                                           const Target &target);

/// Carries out a plan, or leaves everything as it is.
bool applyTensorPlan(RuleContext &context, sched::Schedule &on,
                     sched::BlockRef ref, TensorPlan plan);

class TensorSteps {
public:
  TensorSteps(RuleContext &context, sched::Schedule &on, sched::BlockRef ref,
              const TensorPlan &plan);

  /// False: a step without which the rest makes no sense was refused.
  bool run();

private:
  using Loop = std::optional<sched::LoopRef>;

  nest::BlockOp block() { return s.get(ref); }
  std::optional<analysis::Contraction> contraction();
  /// The number of a buffer among those that the block reads.
  int64_t numberOf(mlir::Value buffer);
  bool reindexOperands();
  bool reindexOperand(unsigned operand);
  bool fuseIterators();
  bool pad();
  bool packRhs();
  bool findEpilogue();
  bool layOutSums();
  bool tile();
  bool finish();
  void vectorizeRows(sched::BlockRef ref, int64_t lanes);
  Loop handleOf(unsigned iterator);
  bool accept(llvm::StringRef step, const sched::Outcome &outcome) {
    return context.accept(step, outcome);
  }
  template <typename T>
  bool accept(llvm::StringRef step, const sched::Result<T> &outcome) {
    return context.accept(step, outcome);
  }

  RuleContext &context;
  sched::Schedule &s;
  sched::BlockRef ref;
  const TensorPlan &plan;
  const intrin::Record &record;
  /// The iterators of the axes; changes with the block's iterators.
  llvm::SmallVector<llvm::SmallVector<unsigned>, 3> axes;

  sched::LoopRefs allLoops;
  std::optional<sched::BlockRef> epilogue, init;
  bool viaCopy = false;
  Loop rowTiles, rows, columnTiles, columns, tileLoop, firstReduce, instance;
  bool rowsRemain = false;
  unsigned aroundTile = 0;
};

} // namespace nestor::rules

#endif // NESTOR_LIB_RULES_TENSORSTEPS_H
