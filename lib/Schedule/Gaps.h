//===- Gaps.h - Domains that loops do not fill ------------------*- C++ -*-===//
//
// New loops for a block run through its iterators' domains. That is the same
// only where the old ones did.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_GAPS_H
#define NESTOR_LIB_SCHEDULE_GAPS_H

#include "nestor/Analysis/Blocks.h"

namespace nestor::sched {

/// Whether the loops run through less than the domain of iterators that come
/// from divisions (fused loops, padded layouts), or perhaps so.
bool leavesGaps(nest::BlockOp block, const analysis::BlockForm &form,
                analysis::AffineSpace &space);

/// Whether the loops reach every point of the domain for certain.
bool fillsPlainly(nest::BlockOp block, const analysis::BlockForm &form,
                  analysis::AffineSpace &space);

/// Whether a loop around the block has lists of bounds, or bounds that vary
/// with other loops.
bool variesWithLoops(nest::BlockOp block);

/// A loop that feeds a reduce iterator of `block` and has bounds that vary with
/// other loops: a triangle, or null.
nest::ForOp reducesPart(nest::BlockOp block);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_GAPS_H
