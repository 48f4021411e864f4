//===- Dependence.h - Which instances must keep their order -----*- C++ -*-===//
//
// Two instances of blocks depend on each other when they touch the same element
// and one of them writes it. A rewrite that keeps the set of instances is legal
// when no dependent pair changes its order; both questions of this header are
// decided exactly on integer sets (Feautrier, "Some efficient solutions to the
// affine scheduling problem", IJPP 1992, for time as a vector).
//
// Where an index is not affine, the whole dim counts as touched.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_DEPENDENCE_H
#define NESTOR_ANALYSIS_DEPENDENCE_H

#include "nestor/Analysis/Blocks.h"

namespace nestor::analysis {

/// Two accesses, by their blocks, of which the first runs before the second.
struct Conflict {
  nest::BlockOp firstBlock, secondBlock;
  Access first, second;
};

/// When an instance runs, below some operation: positions among siblings and
/// loop variables in turn, compared lexicographically. Vectors of different
/// blocks have a common prefix up to the first position that differs.
using Time = llvm::SmallVector<mlir::AffineExpr, 8>;

/// The time of `block`'s instances below `scope` as the program is written.
Time timeOf(nest::BlockOp block, mlir::Operation *scope, AffineSpace &space);

struct DependenceOptions {
  /// The steps of one reduction may change places: their sum is reassociated.
  /// Its init still comes first.
  bool reassociate = false;
  /// Buffers that do not count.
  llvm::function_ref<bool(mlir::Value)> ignore = nullptr;
};

/// A conflict between different iterations of `loop` (with everything outside
/// of it at the same iteration): what forbids to run them in any order.
std::optional<Conflict> findCarried(nest::ForOp loop, AffineSpace &space,
                                    const DependenceOptions &options = {});

/// A conflict below `scope` (within one iteration of everything around it)
/// whose order the times that `after` gives would reverse or leave open.
std::optional<Conflict>
findReversed(mlir::Operation *scope,
             llvm::function_ref<Time(nest::BlockOp)> after, AffineSpace &space,
             const DependenceOptions &options = {});

/// Picks accesses of blocks.
using PickFn = llvm::function_ref<bool(nest::BlockOp, const Access &)>;
/// A conflict within one iteration of `scope` (a loop or the function) between
/// an access that `first` picks and a later one that `second` picks.
std::optional<Conflict> findOrdered(mlir::Operation *scope, PickFn first,
                                    PickFn second, AffineSpace &space,
                                    const DependenceOptions &options = {});

/// A conflict below `loop` (within one iteration of everything around it)
/// between an earlier access and the init of `block`: what forbids to run all
/// inits before `loop`.
std::optional<Conflict> findBeforeInit(nest::BlockOp block, nest::ForOp loop,
                                       AffineSpace &space);

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_DEPENDENCE_H
