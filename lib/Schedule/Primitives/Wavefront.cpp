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

NESTOR_PRIMITIVE(wavefront) = {
    .name = "wavefront",
    .family = "affine",
    .does = "Runs the diagonals of two loops in turn, each in "
            "parallel.",
    .law = "Iterations of one diagonal do not depend on each other.",
    .refuses = "loops that are not directly inside each other\n"
               "diagonals whose iterations depend on each other\n"
               "what `skew` and `reorder` refuse",
    .syntax = "wavefront %outer, %inner grain N",
    .notes = R"(
`skew`, `reorder` and `parallel` in one step. Afterwards the handle of the inner loop
holds the outer one, which counts the diagonals.
)",
    .before = R"(
nest.func @f(%A: memref<9x9xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 8 {
      nest.block "S" (%vi : spatial = %i to 8, %vj : spatial = %j to 8) {
        %one = arith.constant 1 : index
        %x = arith.addi %vi, %one : index
        %y = arith.addi %vj, %one : index
        %up = memref.load %A[%vi, %y] : memref<9x9xf32>
        %left = memref.load %A[%x, %vj] : memref<9x9xf32>
        %s = arith.maximumf %up, %left : f32
        memref.store %s, %A[%x, %y] : memref<9x9xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%s = get_block "S" in %root
%i, %j = get_loops %s : 2
wavefront %i, %j grain 4
)",
};
