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

NESTOR_PRIMITIVE(double_buffer) = {
    .name = "double_buffer",
    .family = "machine",
    .does = "Two versions of a buffer, used in turn by the iterations of the "
            "loop that it lives in.",
    .law = "Iterations run one after the other; values are not carried between "
           "them, as the buffer lives inside.",
    .refuses = "arguments of the kernel\n"
               "buffers that live in no loop\n"
               "loops whose iterations run at once",
    .syntax = "double_buffer %block write BUFFER",
    .notes = R"(
Iterators that told the iterations' writes apart become ordered: the elements are
shared now.
)",
    .before = R"(
nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
  nest.for %i = 0 to 8 {
    %T = nest.alloc : memref<4xf32>
    nest.for %j = 0 to 4 {
      nest.block "P" (%v : spatial = %i to 8, %w : spatial = %j to 4) {
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
double_buffer %p write 0
)",
};
