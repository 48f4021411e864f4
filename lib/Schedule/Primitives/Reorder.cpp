//===- Reorder.cpp - reorder
//------------------------------------------------===//
//
//   for i { for j { for k { S } } }   ==> reorder k, i
//   for k { for j { for i { S } } }
//
// Legal when all iterators below are spatial or reduce (reductions are
// associative), ordered ones keep their order, and blocks that share a buffer
// do so within one iteration of the loops that move.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// The chain of loops that holds all of `loops`, outermost first.
static Result<Loops> chainOf(ArrayRef<nest::ForOp> loops) {
  llvm::SmallDenseSet<Operation *> wanted;
  for (nest::ForOp loop : loops)
    if (!wanted.insert(loop).second)
      return Outcome::refused(describe(loop) + " is named twice");
  nest::ForOp top = loops.front();
  for (nest::ForOp loop : loops)
    if (loop->isProperAncestor(top))
      top = loop;
  Loops chain;
  size_t seen = 0;
  for (nest::ForOp loop = top;;) {
    chain.push_back(loop);
    seen += wanted.contains(loop);
    if (seen == loops.size())
      return chain;
    Operation *child = onlyChild(loop);
    auto inner = dyn_cast_or_null<nest::ForOp>(child);
    if (!inner)
      return Outcome::refused("the loops are not one chain: " + describe(loop) +
                              " holds more than one loop")
          .note(loop, "reorder before moving blocks into it, and compact "
                      "buffers last");
    loop = inner;
  }
}

/// Whether blocks below `top` exchange values only within one iteration of
/// `bottom`.
static Outcome checkSharing(nest::ForOp top, nest::ForOp bottom,
                            AffineSpace &space) {
  SmallVector<nest::BlockOp> blocks = blocksIn(bottom);
  if (blocks.size() < 2)
    return Outcome::done();
  llvm::SmallSetVector<Value, 8> written;
  for (nest::BlockOp block : blocks)
    for (Value buffer : writtenBuffers(block))
      written.insert(buffer);
  for (Value buffer : written) {
    SmallVector<nest::BlockOp> users;
    for (nest::BlockOp block : blocks)
      if (readsBuffer(block, buffer) || writesBuffer(block, buffer))
        users.push_back(block);
    if (users.size() < 2 || isLocalTo(bottom, buffer, space))
      continue;
    return Outcome::refused(describe(users[0]) + " and " + describe(users[1]) +
                            " share " + describe(buffer) +
                            " across iterations of " + describe(top))
        .note(users[0], "first access here")
        .note(users[1], "second access here; reorder before moving blocks");
  }
  return Outcome::done();
}

Outcome sched::reorder(RewriterBase &rewriter, ArrayRef<nest::ForOp> loops) {
  if (loops.size() < 2)
    return Outcome::refused("reorder needs at least two loops");
  Result<Loops> found = chainOf(loops);
  if (!found)
    return found.getOutcome();
  Loops chain = *found, target;
  unsigned next = 0;
  for (nest::ForOp loop : chain)
    target.push_back(llvm::is_contained(loops, loop) ? loops[next++] : loop);
  if (target == chain)
    return Outcome::done();
  for (auto [i, loop] : llvm::enumerate(target))
    for (nest::ForOp inner : ArrayRef(target).drop_front(i))
      if (llvm::is_contained(loop->getOperands(), inner.getInductionVar()))
        return Outcome::refused("the bounds of " + describe(loop) +
                                " depend on a loop that would be inside it")
            .note(loop, "this loop")
            .note(inner, "needs this one outside");
  nest::ForOp top = chain.front(), bottom = chain.back();
  for (nest::BlockOp block : blocksIn(bottom)) {
    auto sameOrder = [&](nest::IteratorKind kind) {
      auto feeding = [&](ArrayRef<nest::ForOp> order) {
        Loops result;
        for (nest::ForOp loop : order)
          if (feeds(loop, block, kind))
            result.push_back(loop);
        return result;
      };
      return feeding(chain) == feeding(target);
    };
    if (!sameOrder(nest::IteratorKind::Ordered))
      return Outcome::refused(describe(block) +
                              " has ordered iterators on these loops")
          .note(block, "they must run in the order they have");
    // With pure reduction loops the all-zero step, which runs the init, comes
    // first in every order; loops that also pick the element break that.
    for (nest::ForOp loop : chain)
      if (block.getInitBlock() && !sameOrder(nest::IteratorKind::Reduce) &&
          feeds(loop, block, nest::IteratorKind::Reduce) &&
          feeds(loop, block, nest::IteratorKind::Spatial))
        return Outcome::refused(describe(loop) +
                                " feeds spatial and reduce iterators of " +
                                describe(block))
            .note(loop, "the init could come after other steps; decompose the "
                        "reduction first");
  }
  AffineSpace space(funcOf(top));
  if (Outcome outcome = checkSharing(top, bottom, space); !outcome.isDone())
    return outcome;

  // Take the chain apart, innermost first, and nest it anew.
  SmallVector<Operation *> body;
  for (Operation &op : bottom.getBodyBlock()->without_terminator())
    body.push_back(&op);
  for (Operation *op : body)
    rewriter.moveOpBefore(op, top);
  for (nest::ForOp loop : llvm::reverse(ArrayRef(chain).drop_front()))
    rewriter.moveOpBefore(loop, top);
  // All are siblings now; put the new top where the old one is.
  if (target.front() != top)
    rewriter.moveOpBefore(target.front(), top);
  for (unsigned i = 1; i < target.size(); ++i)
    rewriter.moveOpBefore(target[i],
                          target[i - 1].getBodyBlock()->getTerminator());
  for (Operation *op : body)
    rewriter.moveOpBefore(op, target.back().getBodyBlock()->getTerminator());
  // The order of operands follows the order of the loops.
  for (nest::BlockOp block : blocksIn(target.front()))
    rewriter.modifyOpInPlace(block, [&]() {
      BlockForm form = BlockForm::of(block, space);
      form.write(block, space);
    });
  return Outcome::done();
}

DiagnosedSilenceableFailure
ReorderOp::apply(transform::TransformRewriter &rewriter,
                 transform::TransformResults &results,
                 transform::TransformState &state) {
  Loops loops;
  if (auto failed = readLoops(*this, state, getLoops(), loops);
      !failed.succeeded())
    return failed;
  return toFailure(*this, sched::reorder(rewriter, loops));
}
