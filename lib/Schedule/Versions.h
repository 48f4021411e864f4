//===- Versions.h - Buffers used in turn ------------------------*- C++ -*-===//
//
// What double_buffer and pipeline share: a buffer that lives in a loop becomes
// several, one after the other, of which each iteration uses one.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_VERSIONS_H
#define NESTOR_LIB_SCHEDULE_VERSIONS_H

#include "Rewrite.h"

namespace nestor::sched {

/// Moves `alloc` out of `loop`, its parent. With more than one version it gets
/// a leading dim, in which the blocks below the loop index with
/// `variable mod versions`, through one more iterator.
void hoistVersions(mlir::RewriterBase &rewriter, nest::AllocOp alloc,
                   nest::ForOp loop, int64_t versions, AffineSpace &space);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_VERSIONS_H
