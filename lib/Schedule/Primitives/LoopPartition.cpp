//===- LoopPartition.cpp - loop_partition ---------------------------------===//
//
//   for i in a..b { S }  ==>  for i in a..a+p { S };  for i in a+p..b { S }
//
// Iterations keep their order, so nothing but the numbers has to be checked.
// `loop` becomes the first part.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Result<Loops> sched::loopPartition(RewriterBase &rewriter, nest::ForOp loop,
                                   ArrayRef<int64_t> parts) {
  if (parts.size() < 2)
    return Outcome::refused("loop_partition needs at least two parts")
        .note(loop, "of this loop");
  if (loop.getKind() != nest::LoopKind::Serial)
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()))
        .note(loop, "partition loops before giving them a kind");
  AffineSpace space(loop);
  AffineExpr lower = space.lowerOf(loop), extent = space.extentOf(loop);
  if (!lower || !extent)
    return Outcome::refused(describe(loop) + " has several bounds")
        .note(loop, "only loops over a single range can be partitioned");
  bool hasRest = false;
  int64_t sum = 0;
  for (int64_t part : parts) {
    if (part == -1 && !hasRest) {
      hasRest = true;
      continue;
    }
    if (part <= 0)
      return Outcome::refused("part " + Twine(part) +
                              (part == -1 ? " is the second to be inferred"
                                          : " is not positive"))
          .note(loop, "of this loop");
    if (llvm::AddOverflow(sum, part, sum))
      return Outcome::refused("the sum of the parts overflows")
          .note(loop, "of this loop");
  }
  AffineExpr rest = space.canonical(extent - sum);
  if (hasRest ? !space.isNonNegative(rest)
              : !space.isEqual(rest, space.constant(0)))
    return Outcome::refused("the parts have " + Twine(sum) +
                            " iterations, which " + describe(loop) +
                            (hasRest ? " is not shown to have"
                                     : " is not shown to have exactly"))
        .note(loop, hasRest ? "its extent may be less; split_domain cuts "
                              "anywhere"
                            : "leave one part out (-1)");
  Loops loops{loop};
  for (size_t i = 1; i < parts.size(); ++i)
    loops.push_back(cloneAfter(rewriter, loop, loops.back(), "_part"));
  AffineExpr at = lower;
  for (auto [part, number] : llvm::zip_equal(loops, parts)) {
    AffineExpr end =
        space.canonical(number == -1 ? at + rest : at + space.constant(number));
    setBounds(rewriter, part, at, end, space);
    at = end;
  }
  return loops;
}

Outcome LoopPartitionOp::run(Invocation &at) {
  if (Outcome outcome = at.expect(getParts().size(), "loops");
      !outcome.isDone())
    return outcome;
  return at.call(sched::loopPartition, getLoop(),
                 MixedParams{getDynamicParts(), getParts()});
}

NESTOR_PRIMITIVE(loop_partition) = {
    .name = "loop_partition",
    .family = "loops",
    .does = "Makes several loops of one that follow each other.",
    .law = "The parts have together as many iterations as the "
           "loop; their order stays.",
    .refuses = "loops that are not serial, or have several bounds\n"
               "fewer than two parts, more than one -1, or parts "
               "that are not positive\n"
               "a sum that is not the extent, or not shown to be "
               "within it",
    .syntax = "%loops:N = loop_partition %loop by [A, B, ...] : N",
    .notes = R"(
One part may be -1 and takes the rest. The blocks of the second part and later ones
get the suffix `_part`.
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
%i = get_loops %b : 1
%first, %rest = loop_partition %i by [1, -1] : 2
)",
};
