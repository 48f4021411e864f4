//===- Wavefront.cpp - wavefront ------------------------------------------===//
//
//   for i { for j { S(i, j) } }
//   ==>  for d = i + j { for i parallel { S(i, d - i) } }
//
// Legal when every dependence of the two loops goes to a later diagonal
// (Lamport, "The parallel execution of DO loops", CACM 1974): what skew,
// reorder and parallel decide. They are tried on a copy first, as a refusal of
// the last must leave the nest as it was.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OwningOpRef.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

static Outcome runDiagonals(RewriterBase &rewriter, nest::ForOp outer,
                            nest::ForOp inner, int64_t grain) {
  if (Outcome outcome = sched::skew(rewriter, inner, outer, 1);
      !outcome.isDone())
    return outcome;
  if (Outcome outcome = sched::reorder(rewriter, {inner, outer});
      !outcome.isDone())
    return outcome;
  return sched::parallel(rewriter, outer, grain);
}

Outcome sched::wavefront(RewriterBase &rewriter, nest::ForOp outer,
                         nest::ForOp inner, int64_t grain) {
  if (onlyChild(outer) != inner.getOperation())
    return Outcome::refused(describe(inner) + " is not the only thing inside " +
                            describe(outer))
        .note(outer, "a wavefront needs two loops directly inside each other");
  IRMapping copies;
  OwningOpRef<nest::FuncOp> trial =
      cast<nest::FuncOp>(funcOf(outer)->clone(copies));
  IRRewriter quiet(rewriter.getContext());
  Outcome outcome = runDiagonals(
      quiet, cast<nest::ForOp>(copies.lookup(outer.getOperation())),
      cast<nest::ForOp>(copies.lookup(inner.getOperation())), grain);
  if (!outcome.isDone())
    return Outcome::refused("the diagonals of " + describe(outer) + " and " +
                            describe(inner) +
                            " cannot run in parallel: " + outcome.getText())
        .note(outer, "skew the inner loop further, or take other loops");
  return runDiagonals(rewriter, outer, inner, grain);
}

Outcome WavefrontOp::run(Invocation &at) {
  return at.call(sched::wavefront, getOuter(), getInner(), getGrain());
}
