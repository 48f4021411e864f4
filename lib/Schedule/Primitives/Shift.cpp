//===- Shift.cpp - shift --------------------------------------------------===//
//
//   for i in a..b { P(i) Q(i) }                     ==> shift Q by 2
//   for i in a..b + 2 { P(i) where i < b
//                       Q(i - 2) where i >= a + 2 }
//
// Every other block keeps its iterations by a predicate. Legal when every
// dependence keeps its order.
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

Outcome sched::shift(RewriterBase &rewriter, nest::BlockOp block,
                     nest::ForOp loop, int64_t by) {
  if (!loop->isProperAncestor(block))
    return Outcome::refused(describe(loop) + " is not around " +
                            describe(block))
        .note(block, "this block");
  if (by == 0)
    return Outcome::refused("a shift by 0 changes nothing")
        .note(block, "this block");
  if (loop.getKind() != nest::LoopKind::Serial)
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()))
        .note(loop, "shift before giving loops a kind");
  Operation *child = childHolding(loop, block);
  if (blocksIn(loop).size() > 1 && child != block && blocksIn(child).size() > 1)
    return Outcome::refused(describe(block) + " shares the loops below " +
                            describe(loop) + " with other blocks")
        .note(child, "only all of them could be shifted together");
  // Each iteration has a buffer of its own there: values would not arrive.
  for (const Access &access : accessesOf(block))
    if (Operation *alloc = access.buffer.getDefiningOp();
        alloc && loop->isProperAncestor(alloc) && !child->isAncestor(alloc))
      return Outcome::refused(describe(access.buffer) + " lives in " +
                              describe(loop))
          .note(alloc, "shift before compacting buffers");
  AffineSpace space(funcOf(loop));
  LoopBounds bounds = LoopBounds::of(loop, space);
  AffineExpr var = space.of(loop.getInductionVar());
  Operation *scope = loop->getParentOp();
  DependenceOptions options;
  options.reassociate = true;
  std::optional<Conflict> conflict = findReversed(
      scope,
      [&](nest::BlockOp other) {
        Time time = timeOf(other, scope, space);
        for (AffineExpr &level : time)
          if (other == block && level == var)
            level = var + by;
        return time;
      },
      space, options);
  if (conflict)
    return Outcome::refused(describe(conflict->secondBlock) + " needs " +
                            describe(conflict->first.buffer) + " after " +
                            describe(conflict->firstBlock))
        .note(conflict->firstBlock, "this access comes first")
        .note(conflict->secondBlock,
              "this one would not follow it any more; try another distance");

  LoopBounds before = bounds;
  for (AffineExpr &end : by > 0 ? bounds.uppers : bounds.lowers)
    end = space.canonical(end + by);
  rewriter.modifyOpInPlace(loop, [&]() { bounds.write(loop, space); });
  replaceVariables(rewriter, child, {{var, var - by}}, space);
  for (nest::BlockOp other : blocksIn(loop))
    rewriter.modifyOpInPlace(other, [&]() {
      BlockForm form = BlockForm::of(other, space);
      AffineExpr at = other == block ? var - by : var;
      // The end that moved away for this block.
      if ((by > 0) == (other == block))
        for (AffineExpr lower : before.lowers)
          addConstraint(form, space.canonical(at - lower), space);
      else
        for (AffineExpr upper : before.uppers)
          addConstraint(form, space.canonical(upper - 1 - at), space);
      form.write(other, space);
    });
  return Outcome::done();
}

Outcome ShiftOp::run(Invocation &at) {
  return at.call(sched::shift, getBlock(), getLoop(), getBy());
}

NESTOR_PRIMITIVE(shift) = {
    .name = "shift",
    .family = "affine",
    .does = "Runs a block some iterations of a loop later.",
    .law = "No dependence is turned round.",
    .refuses = "loops that are not serial, or not around the block\n"
               "a block that shares its loops below with others\n"
               "buffers that live in the loop\n"
               "a step that would come before one that it needs",
    .syntax = "shift %block by N in %loop",
    .notes = R"(
A negative number runs it earlier.
)",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>, %C: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.block "S" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %B[%v] : memref<8xf32>
    }
    nest.block "T" (%v : spatial = %i to 8) {
      %b = memref.load %B[%v] : memref<8xf32>
      memref.store %b, %C[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%t = get_block "T" in %root
%i = get_loops %t : 1
shift %t by 1 in %i
)",
};
