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
  NESTOR_CHECK_HANDLES({loop.id, outer.id});
  NESTOR_APPLY(sched::skew(*rewriter, get(loop), get(outer), factor));
  OpBuilder builder = atEnd();
  SkewOp::create(builder, builder.getUnknownLoc(), recorded(loop.id),
                 recorded(outer.id), factor);
  return Outcome::done();
}

Outcome Schedule::reverse(LoopRef loop) {
  NESTOR_CHECK_HANDLES(loop.id);
  NESTOR_APPLY(sched::reverse(*rewriter, get(loop)));
  OpBuilder builder = atEnd();
  ReverseOp::create(builder, builder.getUnknownLoc(), recorded(loop.id));
  return Outcome::done();
}

Outcome Schedule::shift(BlockRef block, LoopRef loop, int64_t by) {
  NESTOR_CHECK_HANDLES({block.id, loop.id});
  NESTOR_APPLY(sched::shift(*rewriter, get(block), get(loop), by));
  OpBuilder builder = atEnd();
  ShiftOp::create(builder, builder.getUnknownLoc(), recorded(block.id),
                  recorded(loop.id), by);
  return Outcome::done();
}

Result<LoopRefs> Schedule::splitDomain(LoopRef loop, AffineMap condition) {
  NESTOR_CHECK_HANDLES(loop.id);
  Result<Loops> loops = sched::splitDomain(*rewriter, get(loop), condition);
  if (!loops)
    return loops.getOutcome();
  OpBuilder builder = atEnd();
  Type handle = loopHandle(func.getContext());
  auto op = SplitDomainOp::create(builder, builder.getUnknownLoc(), handle,
                                  handle, recorded(loop.id), condition);
  return addLoops(*loops, op->getResults());
}

Outcome Schedule::wavefront(LoopRef outer, LoopRef inner, int64_t grain) {
  NESTOR_CHECK_HANDLES({outer.id, inner.id});
  NESTOR_APPLY(sched::wavefront(*rewriter, get(outer), get(inner), grain));
  OpBuilder builder = atEnd();
  WavefrontOp::create(builder, builder.getUnknownLoc(), recorded(outer.id),
                      recorded(inner.id), grain);
  return Outcome::done();
}

Outcome Schedule::fuseBlocks(BlockRef first, BlockRef second,
                             ArrayRef<int64_t> shift) {
  NESTOR_CHECK_HANDLES({first.id, second.id});
  return perform<FuseBlocksOp>(recorded(first.id), recorded(second.id), shift)
      .getOutcome();
}

Outcome Schedule::privatize(BlockRef block, int64_t buffer, LoopRef loop) {
  NESTOR_CHECK_HANDLES({block.id, loop.id});
  return perform<PrivatizeOp>(recorded(block.id), buffer, recorded(loop.id))
      .getOutcome();
}
