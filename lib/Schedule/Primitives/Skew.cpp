//===- Skew.cpp - skew ----------------------------------------------------===//
//
//   for i in 0..n { for j in a..b { S(i, j) } }
//   ==>  for i in 0..n { for j in a + f * i..b + f * i { S(i, j - f * i) } }
//
// Renames iterations, so there is nothing to check but that i is known at j.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Outcome sched::skew(RewriterBase &rewriter, nest::ForOp loop, nest::ForOp outer,
                    int64_t factor) {
  if (!outer->isProperAncestor(loop))
    return Outcome::refused(describe(outer) + " is not around " +
                            describe(loop))
        .note(loop, "a loop is skewed along one outside of it");
  if (factor == 0)
    return Outcome::refused("a skew by 0 changes nothing")
        .note(loop, "this loop");
  if (loop.getKind() != nest::LoopKind::Serial)
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()))
        .note(loop, "skew loops before giving them a kind");
  AffineSpace space(funcOf(loop));
  AffineExpr shift = space.of(outer.getInductionVar()) * factor,
             var = space.of(loop.getInductionVar());
  LoopBounds bounds = LoopBounds::of(loop, space);
  for (AffineExpr &bound : bounds.lowers)
    bound = space.canonical(bound + shift);
  for (AffineExpr &bound : bounds.uppers)
    bound = space.canonical(bound + shift);
  rewriter.modifyOpInPlace(loop, [&]() { bounds.write(loop, space); });
  replaceVariables(rewriter, loop, {{var, var - shift}}, space);
  return Outcome::done();
}

Outcome SkewOp::run(Invocation &at) {
  return at.call(sched::skew, getLoop(), getOuter(), getFactor());
}

NESTOR_PRIMITIVE(skew) = {
    .name = "skew",
    .family = "affine",
    .does = "Slants the iterations of a loop along one around it.",
    .law = "The order of iterations stays.",
    .refuses = "loops that are not serial\n"
               "a loop that is not around the other one\n"
               "a factor of 0",
    .syntax = "skew %loop along %outer by N",
    .notes = R"(
What changes is which iterations `reorder` and `parallel` find side by side.
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
skew %j along %i by 1
)",
};
