//===- AffineMethods.cpp - Schedule's methods of the affine family --------===//
//
// See Methods.h.
//
//===----------------------------------------------------------------------===//
#include "Methods.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

Outcome Schedule::skew(LoopRef loop, LoopRef outer, int64_t factor) {
  return performAlone<SkewOp>(recorded(loop), recorded(outer), factor);
}

Outcome Schedule::reverse(LoopRef loop) {
  return performAlone<ReverseOp>(recorded(loop));
}

Outcome Schedule::shift(BlockRef block, LoopRef loop, int64_t by) {
  return performAlone<ShiftOp>(recorded(block), recorded(loop), by);
}

Result<LoopRefs> Schedule::splitDomain(LoopRef loop, AffineMap condition) {
  return performLoops<SplitDomainOp>(2, recorded(loop), condition);
}

Outcome Schedule::wavefront(LoopRef outer, LoopRef inner, int64_t grain) {
  return performAlone<WavefrontOp>(recorded(outer), recorded(inner), grain);
}

Outcome Schedule::fuseBlocks(BlockRef first, BlockRef second,
                             ArrayRef<int64_t> shift) {
  return performAlone<FuseBlocksOp>(recorded(first), recorded(second), shift);
}

Outcome Schedule::privatize(BlockRef block, int64_t buffer, LoopRef loop) {
  return performAlone<PrivatizeOp>(recorded(block), buffer, recorded(loop));
}
