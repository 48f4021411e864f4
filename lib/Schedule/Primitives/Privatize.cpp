//===- Privatize.cpp - privatize ------------------------------------------===//
//
//   T = alloc;  for i { P: T[x] = ...;  C: ... T[x] }
//   ==>  for i { T = alloc;  P: T[x] = ...;  C: ... T[x] }
//
// Legal when no block outside of the loop uses the buffer and every element
// that an iteration reads was written before in the same iteration.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Coverage.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Outcome sched::privatize(RewriterBase &rewriter, nest::BlockOp block,
                         int64_t number, nest::ForOp loop) {
  Result<Value> buffer = nthBuffer(block, BufferRole::Write, number);
  if (!buffer)
    return buffer.getOutcome();
  auto alloc = (*buffer).getDefiningOp<nest::AllocOp>();
  if (!alloc)
    return Outcome::refused(describe(block) + " writes " + describe(*buffer))
        .note(block, "what is written there is seen outside; cache_write gives "
                     "the block a buffer of its own");
  if (!loop->isProperAncestor(block))
    return Outcome::refused(describe(loop) + " is not around " +
                            describe(block))
        .note(block, "this block");
  if (loop->isProperAncestor(alloc))
    return Outcome::refused(describe(*buffer) + " lives in " + describe(loop) +
                            " already")
        .note(alloc, "each iteration has its own");
  for (Operation *up = loop; up; up = up->getParentOp())
    if (auto around = dyn_cast<nest::ForOp>(up);
        around && around.getKind() == nest::LoopKind::Vectorize)
      return Outcome::refused(describe(around) + " is vectorize")
          .note(around, "lanes have no buffers of their own; name a loop "
                        "around it");
  for (Operation *user : (*buffer).getUsers())
    if (!loop->isProperAncestor(user)) {
      Operation *other = user;
      while (!isa<nest::BlockOp>(other))
        other = other->getParentOp();
      return Outcome::refused(describe(other) + " uses " + describe(*buffer) +
                              " outside of " + describe(loop))
          .note(other, "it would not see what the iterations wrote; move it "
                       "into the loop");
    }
  AffineSpace space(funcOf(block));
  if (auto found = findUncovered(loop, *buffer, space))
    return Outcome::refused(describe(found->first) + " reads elements of " +
                            describe(*buffer) + " that its own iteration of " +
                            describe(loop) +
                            " is not shown to have written before")
        .note(found->second.op,
              "this read may see what another iteration wrote");
  rewriter.moveOpBefore(alloc, &loop.getBodyBlock()->front());
  return Outcome::done();
}

Outcome PrivatizeOp::run(Invocation &at) {
  return at.call(sched::privatize, getBlock(), getBuffer(), getLoop());
}
