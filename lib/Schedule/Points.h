//===- Points.h - Which iterations are one point of a block -----*- C++ -*-===//
//
// The promise of spatial iterators (different points write different elements)
// speaks of their values, not of loops: where bindings overlap, as in i + j,
// several iterations are one point. Questions about that, answered by strides
// first and exactly where those do not tell.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_POINTS_H
#define NESTOR_LIB_SCHEDULE_POINTS_H

#include "nestor/Analysis/Blocks.h"

namespace nestor::sched {

/// By strides alone: while the loops `free` run and the others stand, the
/// spatial iterators of `block` tell each of `wanted`.
bool tellByStrides(nest::BlockOp block, llvm::ArrayRef<nest::ForOp> free,
                   llvm::ArrayRef<nest::ForOp> wanted,
                   analysis::AffineSpace &space);

/// Exactly: no two iterations of `loop` (in one iteration of the loops around
/// it) hold the same point of `block`.
bool iterationsAreApart(nest::BlockOp block, nest::ForOp loop,
                        analysis::AffineSpace &space);

/// Whether the first step of the reduction, which runs the init, is certain to
/// be among the iterations of the loops of `block` inside `scope`. Loops over
/// sizes alone count as not empty. `offender`: a loop that says no.
bool startsInside(nest::BlockOp block, mlir::Operation *scope,
                  analysis::AffineSpace &space, nest::ForOp &offender);

/// The loops around `first` and `second` that are also around one of `others`,
/// outermost first: in their iterations it changes what it writes.
llvm::SmallVector<nest::ForOp>
sharedLoops(nest::BlockOp first, nest::BlockOp second,
            llvm::ArrayRef<nest::BlockOp> others);

/// Exactly: where `writer` and `reader` touch the same element of `buffer`, one
/// writing and the other reading it, they are in one iteration of all of
/// `loops` (around both, outermost first).
bool meetInOneIteration(nest::BlockOp writer, nest::BlockOp reader,
                        mlir::Value buffer, llvm::ArrayRef<nest::ForOp> loops,
                        analysis::AffineSpace &space);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_POINTS_H
