//===- Spans.h - New loops through boxes ------------------------*- C++ -*-===//
//
// What compute_at and reverse_compute_at share where what an iteration needs is
// a box: the block's loops are made anew, one for each iterator.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_SPANS_H
#define NESTOR_LIB_SCHEDULE_SPANS_H

#include "Rewrite.h"

namespace nestor::sched {

/// What an iterator runs through at its new place.
struct Span {
  mlir::AffineExpr lower, extent;
};

/// Gives `block` new loops at `before`, one for each iterator whose span is
/// longer than 1.
void regenerate(mlir::RewriterBase &rewriter, nest::BlockOp block,
                llvm::ArrayRef<Span> spans, mlir::Operation *before,
                AffineSpace &space);

/// Clips a span to an iterator's domain where that is known statically.
Span clip(Span span, mlir::AffineExpr extent, AffineSpace &space);

/// Refuses a predicate that says more than the iterators' domains.
Outcome checkDomainOnly(nest::BlockOp block, AffineSpace &space);

/// Refuses loops that hold the block already, and kinds that come last.
Outcome checkTarget(nest::BlockOp block, nest::ForOp loop);

/// Buffers inside of a loop are other ones in each iteration: a block that the
/// loop gives its points must not run at those of other iterations.
Outcome checkBuffers(nest::BlockOp block);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_SPANS_H
