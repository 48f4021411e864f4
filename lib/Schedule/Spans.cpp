//===- Spans.cpp - New loops through boxes --------------------------------===//
//
// See Spans.h.
//
//===----------------------------------------------------------------------===//
#include "Spans.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

void sched::regenerate(RewriterBase &rewriter, nest::BlockOp block,
                       ArrayRef<Span> spans, Operation *before,
                       AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  form.constraints.clear();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(before);
  Operation *place = before;
  for (auto [i, span] : llvm::enumerate(spans)) {
    form.bindings[i] = span.lower;
    if (span.extent == space.constant(1))
      continue;
    nest::ForOp loop = makeLoop(rewriter, block.getLoc(), span.extent, space);
    form.bindings[i] =
        space.canonical(span.lower + space.of(loop.getInductionVar()));
    place = loop.getBodyBlock()->getTerminator();
    rewriter.setInsertionPoint(place);
  }
  Operation *oldParent = block->getParentOp();
  rewriter.moveOpBefore(block, place);
  for (auto [binding, extent] : llvm::zip_equal(form.bindings, form.extents)) {
    addConstraint(form, binding, space);
    addConstraint(form, extent - 1 - binding, space);
  }
  rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
  eraseEmptyLoops(rewriter, oldParent);
}

Span sched::clip(Span span, AffineExpr extent, AffineSpace &space) {
  std::optional<int64_t> have = AffineSpace::constantOf(span.extent),
                         all = AffineSpace::constantOf(extent);
  if (have && all && *have >= *all)
    return {space.constant(0), extent};
  return span;
}

Outcome sched::checkDomainOnly(nest::BlockOp block, AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  for (const BlockForm::Constraint &constraint : form.constraints)
    if (!followsFromDomain(form, constraint, space))
      return Outcome::refused("the predicate of " + describe(block) +
                              " says more than its iterators' domains")
          .note(block, "such a block cannot be given new loops");
  return Outcome::done();
}

Outcome sched::checkTarget(nest::BlockOp block, nest::ForOp loop) {
  if (loop->isAncestor(block))
    return Outcome::refused(describe(block) + " is inside that loop already")
        .note(loop, "choose a loop of another block");
  for (Operation *up = loop; up; up = up->getParentOp()) {
    auto around = dyn_cast<nest::ForOp>(up);
    if (!around || around->isAncestor(block))
      break;
    if (around.getKind() == nest::LoopKind::Vectorize ||
        around.getKind() == nest::LoopKind::Parallel ||
        around.getKind() == nest::LoopKind::Bind)
      return Outcome::refused(describe(around) + " is " +
                              stringifyLoopKind(around.getKind()))
          .note(around, "move blocks before giving loops this kind");
  }
  return Outcome::done();
}

Outcome sched::checkBuffers(nest::BlockOp block) {
  for (const Access &access : accessesOf(block)) {
    Operation *alloc = access.buffer.getDefiningOp();
    for (nest::ForOp around :
         alloc ? loopsAround(alloc) : SmallVector<nest::ForOp>())
      if (feeds(around, block))
        return Outcome::refused(describe(access.buffer) + " of " +
                                describe(block) + " lives inside " +
                                describe(around))
            .note(alloc, "move blocks before buffers move");
  }
  return Outcome::done();
}
