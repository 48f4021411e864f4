//===- Reverse.cpp - reverse ----------------------------------------------===//
//
//   for i in a..b { S(i) }  ==>  for i in a..b { S(a + b - 1 - i) }
//
// Legal when every dependence that the loop carries is between steps of one
// reduction, and not one with its init.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Dependence.h"
#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Outcome sched::reverse(RewriterBase &rewriter, nest::ForOp loop) {
  if (loop.getKind() != nest::LoopKind::Serial)
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()))
        .note(loop, "its iterations have no order to turn round");
  AffineSpace space(funcOf(loop));
  LoopBounds bounds = LoopBounds::of(loop, space);
  if (bounds.lowers.size() != 1 || bounds.uppers.size() != 1)
    return Outcome::refused("the bounds of " + describe(loop) + " are lists")
        .note(loop, "its first and last iteration are no single expressions; "
                    "split its domain first");
  AffineExpr var = space.of(loop.getInductionVar());
  Operation *scope = loop->getParentOp();
  DependenceOptions options;
  options.reassociate = true;
  std::optional<Conflict> conflict = findReversed(
      scope,
      [&](nest::BlockOp block) {
        Time time = timeOf(block, scope, space);
        for (AffineExpr &level : time)
          if (level == var)
            level = -var;
        return time;
      },
      space, options);
  if (conflict)
    return Outcome::refused("iterations of " + describe(loop) +
                            " depend on earlier ones through " +
                            describe(conflict->first.buffer))
        .note(conflict->firstBlock, "this access comes first")
        .note(conflict->secondBlock,
              conflict->first.inInit || conflict->second.inInit
                  ? "and starts the reduction; decompose it first"
                  : "and this one must follow");
  AffineExpr mirrored = bounds.lowers[0] + bounds.uppers[0] - 1 - var;
  replaceVariables(rewriter, loop, {{var, space.canonical(mirrored)}}, space);
  return Outcome::done();
}

Outcome ReverseOp::run(Invocation &at) {
  return at.call(sched::reverse, getLoop());
}

NESTOR_PRIMITIVE(reverse) = {
    .name = "reverse",
    .family = "affine",
    .does = "Runs a loop from its end to its start.",
    .law = "No iteration needs what an earlier one computes.",
    .refuses = "loops that are not serial\n"
               "bounds that are lists\n"
               "iterations that depend on earlier ones, also "
               "through the init of a reduction",
    .syntax = "reverse %loop",
    .notes = "",
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
%i = get_loops %b : 1
reverse %i
)",
};
