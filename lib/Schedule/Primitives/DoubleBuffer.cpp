//===- DoubleBuffer.cpp - double_buffer -----------------------------------===//
//
//   for i { T = alloc [16];  P: T[x] = ...;  C: ... T[x] }
//   ==>  T = alloc [2, 16]
//        for i { P: T[i mod 2, x] = ...;  C: ... T[i mod 2, x] }
//
// The buffer is undefined at the start of each iteration, so no value is
// carried from one to the next; legal where iterations run one after the other.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Versions.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Outcome sched::doubleBuffer(RewriterBase &rewriter, nest::BlockOp block,
                            int64_t number) {
  Result<Value> buffer = nthBuffer(block, BufferRole::Write, number);
  if (!buffer)
    return buffer.getOutcome();
  auto alloc = (*buffer).getDefiningOp<nest::AllocOp>();
  if (!alloc)
    return Outcome::refused(describe(block) + " writes " + describe(*buffer))
        .note(block, "the caller has one version of it; cache_write gives the "
                     "block a buffer of its own");
  auto loop = dyn_cast<nest::ForOp>(alloc->getParentOp());
  if (!loop)
    return Outcome::refused(describe(*buffer) + " lives in no loop")
        .note(alloc, "its values may be carried from one iteration to another; "
                     "privatize it first");
  if (loop.getKind() != nest::LoopKind::Serial &&
      loop.getKind() != nest::LoopKind::Unroll)
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()))
        .note(loop, "iterations that run at once cannot take turns with two "
                    "versions");
  AffineSpace space(funcOf(block));
  hoistVersions(rewriter, alloc, loop, 2, space);
  return Outcome::done();
}

Outcome DoubleBufferOp::run(Invocation &at) {
  return at.call(sched::doubleBuffer, getBlock(), getBuffer());
}
