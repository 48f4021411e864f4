//===- Coverage.h - Whether reads see what their iteration wrote -*- C++ -*-==//
//
// A buffer can be one of an iteration's own when every element that the
// iteration reads was written before in the same iteration. Boxes answer that
// for rectangles; here it is asked point by point, so that triangles and bands
// count as well: for each read a write of the same element is guessed, as an
// expression of the read's point, and the guess is checked on integer sets.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_COVERAGE_H
#define NESTOR_LIB_SCHEDULE_COVERAGE_H

#include "nestor/Analysis/Blocks.h"

namespace nestor::sched {

/// A read below `loop` of an element of `buffer` that is not shown to be
/// written before in the same iteration; nullopt when there is none.
std::optional<std::pair<nest::BlockOp, analysis::Access>>
findUncovered(nest::ForOp loop, mlir::Value buffer,
              analysis::AffineSpace &space);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_COVERAGE_H
