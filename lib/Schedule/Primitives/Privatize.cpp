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

NESTOR_PRIMITIVE(privatize) = {
    .name = "privatize",
    .family = "affine",
    .does = "Gives each iteration of a loop a buffer of its own.",
    .law = "Every element that an iteration reads was written before in the "
           "same iteration, and nothing outside of the loop uses the buffer.",
    .refuses = "arguments of the kernel\n"
               "loops that are not around the block, or in which the buffer "
               "lives already\n"
               "loops that are vectorize, or inside of one\n"
               "a block outside of the loop that uses the buffer\n"
               "a read that is not shown to see what its own iteration wrote",
    .syntax = "privatize %block write BUFFER in %loop",
    .notes = R"(
Iterations no longer depend on each other through the buffer, so `parallel` may
follow. Reads are compared with writes point by point: triangles and bands count.
)",
    .before = R"(
nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
  %T = nest.alloc : memref<4xf32>
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 4 {
      nest.block "P" (%v : ordered = %i to 8, %w : spatial = %j to 4) {
        %a = memref.load %A[%v, %w] : memref<8x4xf32>
        memref.store %a, %T[%w] : memref<4xf32>
      }
    }
    nest.for %j = 0 to 4 {
      nest.block "C" (%v : spatial = %i to 8, %w : spatial = %j to 4) {
        %c3 = arith.constant 3 : index
        %w1 = arith.subi %c3, %w : index
        %a = memref.load %T[%w1] : memref<4xf32>
        memref.store %a, %B[%v, %w] : memref<8x4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
%i, %j = get_loops %p : 2
privatize %p write 0 in %i
)",
};
