//===- Split.cpp - split --------------------------------------------------===//
//
//   for i in 0..E { B(i) }
//   ==>  for io in 0..ceil(E / f) { for ii in 0..f { B(io * f + ii) } }
//
// with a predicate io * f + ii < E on the blocks below where f is not proven
// to divide E; or the iterations that fill no tile become a loop that follows.
// `loop` becomes the outermost of the new loops.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Result<Loops> sched::split(RewriterBase &rewriter, nest::ForOp loop,
                           ArrayRef<int64_t> factors, Tail tail) {
  if (factors.size() < 2)
    return Outcome::refused("split needs at least two factors");
  if (loop.getKind() != nest::LoopKind::Serial)
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()))
        .note(loop, "split loops before giving them a kind");
  AffineSpace space(funcOf(loop));
  AffineExpr lower = space.lowerOf(loop), extent = space.extentOf(loop);
  if (!lower || !extent)
    return Outcome::refused(describe(loop) + " has several bounds")
        .note(loop, "only loops over a single range can be split");
  // Infer the factor that is left out.
  int inferred = -1;
  int64_t product = 1;
  for (auto [i, factor] : llvm::enumerate(factors)) {
    if (factor == -1 && inferred < 0) {
      inferred = i;
      continue;
    }
    if (factor <= 0)
      return Outcome::refused("split factor " + Twine(factor) +
                              (factor == -1 ? " is the second to be inferred"
                                            : " is not positive"))
          .note(loop, "of this loop");
    if (llvm::MulOverflow(product, factor, product))
      return Outcome::refused("the split factors' product overflows")
          .note(loop, "of this loop");
  }
  SmallVector<AffineExpr> extents;
  for (int64_t factor : factors)
    extents.push_back(space.constant(factor));
  if (inferred >= 0)
    extents[inferred] = space.canonical(extent.ceilDiv(product));
  if (inferred > 0 && !AffineSpace::constantOf(extents[inferred]))
    return Outcome::refused("the extent of " + describe(loop) +
                            " is no constant")
        .note(loop, "only the outermost factor of such a loop can be inferred");
  bool isPerfect = inferred >= 0
                       ? space.isEqual(extents[inferred] * product, extent)
                       : space.isEqual(space.constant(product), extent);
  if (tail == Tail::Perfect && !isPerfect)
    return Outcome::refused("the split factors are not shown to divide the "
                            "extent of " +
                            describe(loop))
        .note(loop, "of this loop; peel the rest off, or take a predicate");
  if (tail == Tail::Peel && !isPerfect) {
    if (inferred != 0)
      return Outcome::refused("a rest can be peeled only where the outermost "
                              "factor is left out")
          .note(loop, "of this loop; give -1 as the first factor");
    AffineExpr full = space.canonical(extent.floorDiv(product));
    if (full == space.constant(0))
      return Outcome::refused(describe(loop) + " has no full tile of " +
                              Twine(product) + " iterations")
          .note(loop, "there is nothing but the rest; take smaller factors");
    nest::ForOp rest = cloneAfter(rewriter, loop, loop, "_tail");
    AffineExpr end = space.canonical(full * product);
    setBounds(rewriter, rest, space.canonical(lower + end),
              space.canonical(lower + extent), space);
    extents[0] = full;
    extent = end;
  }
  AffineExpr total = space.constant(1);
  for (AffineExpr e : extents)
    total = space.canonical(total * e);
  if (!space.isNonNegative(total - extent))
    return Outcome::refused("the split factors do not cover " + describe(loop))
        .note(loop, "of this extent; leave one factor out (-1)");

  // Build the inner loops, innermost last, and move the body there.
  Loops loops{loop};
  Location loc = loop.getLoc();
  OpBuilder::InsertionGuard guard(rewriter);
  Operation *end = loop.getBodyBlock()->getTerminator();
  SmallVector<Operation *> body;
  for (Operation &op : loop.getBodyBlock()->without_terminator())
    body.push_back(&op);
  rewriter.setInsertionPoint(end);
  for (AffineExpr e : ArrayRef(extents).drop_front()) {
    loops.push_back(makeLoop(rewriter, loc, e, space));
    rewriter.setInsertionPoint(loops.back().getBodyBlock()->getTerminator());
  }
  for (Operation *op : body)
    rewriter.moveOpBefore(op, loops.back().getBodyBlock()->getTerminator());
  AffineExpr old = space.of(loop.getInductionVar());
  // The outer variable is the old one: number its new meaning anew.
  AffineExpr index = old;
  for (unsigned i = 1; i < loops.size(); ++i)
    index = index * extents[i] + space.of(loops[i].getInductionVar());
  AffineExpr inRange = space.canonical(extent - 1 - index);
  setBounds(rewriter, loop, space.constant(0), extents.front(), space);
  replaceVariables(rewriter, loops[1], {{old, lower + index}}, space);
  if (!space.isEqual(total, extent) && !space.isNonNegative(extent - total))
    for (nest::BlockOp block : blocksIn(loops.back()))
      rewriter.modifyOpInPlace(block, [&]() {
        BlockForm form = BlockForm::of(block, space);
        addConstraint(form, inRange, space);
        form.write(block, space);
      });
  return loops;
}

DiagnosedSilenceableFailure
SplitOp::apply(transform::TransformRewriter &rewriter,
               transform::TransformResults &results,
               transform::TransformState &state) {
  nest::ForOp loop;
  SmallVector<int64_t> factors;
  if (auto failed = readHandle(*this, state, getLoop(), loop);
      !failed.succeeded())
    return failed;
  if (auto failed =
          readParams(*this, state, getDynamicFactors(), getFactors(), factors);
      !failed.succeeded())
    return failed;
  Tail tail = Tail::Predicate;
  if (getTail() == "peel")
    tail = Tail::Peel;
  else if (getTail() == "perfect")
    tail = Tail::Perfect;
  else if (getTail() && getTail() != "predicate")
    return toFailure(*this,
                     Outcome::refused("there is no tail \"" + *getTail() +
                                      "\"; a tail is \"predicate\", "
                                      "\"peel\" or \"perfect\""));
  Result<Loops> loops = sched::split(rewriter, loop, factors, tail);
  return setLoops(*this, results, getLoops(), loops);
}
