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
