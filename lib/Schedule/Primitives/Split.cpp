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

#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// Loops with lists of bounds, or that start where another loop says, into
/// tiles that start at multiples of their size, so that tiles of a slanted loop
/// are not slanted:
///
///   for i in max(L..)..min(U..)
///   ==>  for io in max(L floordiv f..)..min(U ceildiv f..)
///          for i in max(L.., io * f)..min(U.., io * f + f)
static Loops splitLists(RewriterBase &rewriter, nest::ForOp loop,
                        ArrayRef<int64_t> factors, int64_t tile,
                        AffineSpace &space) {
  LoopBounds whole = LoopBounds::of(loop, space);
  Loops loops{loop};
  OpBuilder::InsertionGuard guard(rewriter);
  SmallVector<Operation *> body;
  for (Operation &op : loop.getBodyBlock()->without_terminator())
    body.push_back(&op);
  rewriter.setInsertionPoint(loop.getBodyBlock()->getTerminator());
  AffineExpr old = space.of(loop.getInductionVar()), outer = old;
  for (size_t i = 0; i < factors.size(); ++i) {
    LoopBounds bounds;
    for (AffineExpr lower : whole.lowers)
      bounds.lowers.push_back(space.simplify(lower.floorDiv(tile)));
    for (AffineExpr upper : whole.uppers)
      bounds.uppers.push_back(space.simplify(upper.ceilDiv(tile)));
    if (i > 0) {
      loops.push_back(
          makeLoop(rewriter, loop.getLoc(), space.constant(1), space));
      rewriter.setInsertionPoint(loops.back().getBodyBlock()->getTerminator());
      bounds.lowers.push_back(space.canonical(outer * factors[i]));
      bounds.uppers.push_back(space.canonical(outer * factors[i] + factors[i]));
    }
    rewriter.modifyOpInPlace(loops.back(),
                             [&]() { bounds.write(loops.back(), space); });
    outer = space.of(loops.back().getInductionVar());
    if (i + 1 < factors.size())
      tile /= factors[i + 1];
  }
  Operation *end = loops.back().getBodyBlock()->getTerminator();
  for (Operation *op : body) {
    rewriter.moveOpBefore(op, end);
    replaceVariables(rewriter, op, {{old, outer}}, space);
  }
  return loops;
}

Result<Loops> sched::split(RewriterBase &rewriter, nest::ForOp loop,
                           ArrayRef<int64_t> factors, Tail tail) {
  if (factors.size() < 2)
    return Outcome::refused("split needs at least two factors");
  if (loop.getKind() != nest::LoopKind::Serial)
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()))
        .note(loop, "split loops before giving them a kind");
  AffineSpace space(loop);
  AffineExpr lower = space.lowerOf(loop), extent = space.extentOf(loop);
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
  if (lower && extent && !AffineSpace::isFreeOfLoops(lower) && inferred == 0 &&
      tail == Tail::Predicate)
    return splitLists(rewriter, loop, factors, product, space);
  if (!lower || !extent) {
    if (inferred != 0 || tail != Tail::Predicate)
      return Outcome::refused(describe(loop) + " has several bounds")
          .note(loop, "its tiles may be cut on both sides: leave the outermost "
                      "factor out (-1), and no tail");
    return splitLists(rewriter, loop, factors, product, space);
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
    LoopBounds bounds{{space.canonical(lower + end)},
                      {space.canonical(lower + extent)}};
    // Nothing runs, and no tile is before the start, where the loop is empty.
    if (!space.isNonNegative(extent))
      bounds.lowers.push_back(lower);
    rewriter.modifyOpInPlace(rest, [&]() { bounds.write(rest, space); });
    extents[0] = full;
    extent = end;
  }
  AffineExpr total = space.constant(1);
  for (AffineExpr e : extents)
    total = space.canonical(total * e);
  // With one factor left out they cover whatever the extent is, also a negative
  // one: ceil(e / p) * p >= e.
  if (inferred < 0 && !space.isNonNegative(total - extent))
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

Outcome SplitOp::run(Invocation &at) {
  Tail tail = Tail::Predicate;
  if (getTail() == "peel")
    tail = Tail::Peel;
  else if (getTail() == "perfect")
    tail = Tail::Perfect;
  else if (getTail() && getTail() != "predicate")
    return Outcome::refused("there is no tail \"" + *getTail() +
                            "\"; a tail is \"predicate\", \"peel\" or "
                            "\"perfect\"");
  if (Outcome outcome = at.expect(getFactors().size(), "loops");
      !outcome.isDone())
    return outcome;
  return at.call(sched::split, getLoop(),
                 MixedParams{getDynamicFactors(), getFactors()}, tail);
}

NESTOR_PRIMITIVE(split) = {
    .name = "split",
    .family = "loops",
    .does = "Makes several nested loops of one.",
    .law = "The factors cover the extent; the order of iterations "
           "stays.",
    .refuses = "loops that are not serial\n"
               "fewer than two factors, more than one -1, or "
               "factors that are not positive\n"
               "factors whose product does not cover the extent\n"
               "loops with several bounds, unless -1 is outermost "
               "and there is no tail\n"
               "a tail to peel where the outermost factor is given "
               "or there is no full tile\n"
               "`tail \"perfect\"` where the factors are not shown "
               "to divide the extent",
    .syntax = "%loops:N = split %loop by [A, B, ...] tail "
              "\"predicate\" : N",
    .notes = R"(
Outermost first; one factor may be -1 and is inferred, and factors may be parameters.
`tail` says what becomes of iterations that fill no tile: "predicate", which is
meant where nothing is said, cuts them off by a condition on the blocks; "peel"
makes a loop of its own of them, whose blocks get the suffix `_tail`; "perfect"
wants none. Tiles of a loop with several bounds start at multiples of their size and
are cut by those bounds on both sides.
)",
    .before = R"(
nest.func @f(%A: memref<10xf32>, %B: memref<10xf32>) {
  nest.for %i = 0 to 10 {
    nest.block "B" (%v : spatial = %i to 10) {
      %a = memref.load %A[%v] : memref<10xf32>
      memref.store %a, %B[%v] : memref<10xf32>
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i = get_loops %b : 1
%io, %ii = split %i by [-1, 4] tail "peel" : 2
)",
};
