//===- Unit.cpp - add_unit_loop -------------------------------------------===//
//
//   S  ==>  for u in 0..1 { S }
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

Result<nest::ForOp> sched::addUnitLoop(RewriterBase &rewriter,
                                       Operation *inner) {
  if (!isa<nest::ForOp, nest::BlockOp>(inner))
    return Outcome::refused("only loops and blocks can be wrapped into a loop")
        .note(inner, "this is neither");
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(inner);
  auto loop =
      nest::ForOp::create(rewriter, inner->getLoc(), int64_t(0), int64_t(1));
  rewriter.moveOpBefore(inner, loop.getBodyBlock()->getTerminator());
  return loop;
}

Outcome AddUnitLoopOp::run(Invocation &at) {
  return at.call(sched::addUnitLoop, getInner());
}

NESTOR_PRIMITIVE(add_unit_loop) = {
    .name = "add_unit_loop",
    .family = "loops",
    .does = "Wraps a block or a loop into a loop of one iteration.",
    .law = "",
    .refuses = "what is neither block nor loop",
    .syntax = "%loop = add_unit_loop %inner : TYPE",
    .notes = R"(
It gives a place to `compute_at`, and a loop to a block that has none.
)",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.block "B" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %B[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%l = add_unit_loop %b : !transform.op<"nest.block">
)",
};
