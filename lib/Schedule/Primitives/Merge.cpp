//===- Merge.cpp - merge --------------------------------------------------===//
//
//   for i in D { S(i) };  for j in D { T(j) }  ==>  for i in D { S(i); T(i) }
//
// Legal when no iteration of the second loop depends on a later one of the
// first: asked exactly, with the new times of the second loop's blocks.
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

static bool isSame(ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b,
                   AffineSpace &space) {
  auto isIn = [&](AffineExpr x, ArrayRef<AffineExpr> list) {
    return llvm::any_of(list,
                        [&](AffineExpr y) { return space.isEqual(x, y); });
  };
  return llvm::all_of(a, [&](AffineExpr x) { return isIn(x, b); }) &&
         llvm::all_of(b, [&](AffineExpr x) { return isIn(x, a); });
}

static bool touchedBelow(Operation *root, Value buffer) {
  return llvm::any_of(buffer.getUsers(), [&](Operation *user) {
    return root->isProperAncestor(user);
  });
}

static Outcome checkMerge(nest::ForOp first, nest::ForOp second,
                          AffineSpace &space) {
  for (nest::ForOp loop : {first, second})
    if (loop.getKind() != nest::LoopKind::Serial)
      return Outcome::refused(describe(loop) + " is " +
                              stringifyLoopKind(loop.getKind()))
          .note(loop, "merge loops before giving them a kind");
  if (first->getNextNode() != second.getOperation())
    return Outcome::refused(describe(second) +
                            " does not follow directly after " +
                            describe(first))
        .note(second, "merge from the outermost loops on; what stands in "
                      "between has to move first");
  LoopBounds a = LoopBounds::of(first, space),
             b = LoopBounds::of(second, space);
  if (!isSame(a.lowers, b.lowers, space) || !isSame(a.uppers, b.uppers, space))
    return Outcome::refused(describe(first) + " and " + describe(second) +
                            " run over different ranges")
        .note(second, "loop_partition or split_domain can make them equal");
  Operation *scope = first->getParentOp();
  auto positionOf = [](Operation *op) {
    int64_t position = 0;
    for (Operation *up = op->getPrevNode(); up; up = up->getPrevNode())
      ++position;
    return position;
  };
  int64_t at = positionOf(first),
          length = positionOf(first.getBodyBlock()->getTerminator());
  auto isElsewhere = [&](Value buffer) {
    return !touchedBelow(first, buffer) || !touchedBelow(second, buffer);
  };
  DependenceOptions options;
  options.ignore = isElsewhere;
  std::optional<Conflict> conflict = findReversed(
      scope,
      [&](nest::BlockOp block) {
        Time time = timeOf(block, scope, space);
        if (second->isProperAncestor(block)) {
          // Position, variable, position in the body.
          time[0] = space.constant(at);
          time[2] = space.canonical(time[2] + length);
        }
        return time;
      },
      space, options);
  if (!conflict)
    return Outcome::done();
  return Outcome::refused(describe(conflict->secondBlock) + " needs more of " +
                          describe(conflict->first.buffer) +
                          " than earlier iterations of " + describe(first) +
                          " leave")
      .note(conflict->firstBlock, "this access comes first now")
      .note(conflict->secondBlock,
            "and would not after this one; shift the loops against each other");
}

Result<nest::ForOp> sched::merge(RewriterBase &rewriter, nest::ForOp first,
                                 nest::ForOp second) {
  if (first == second)
    return Outcome::refused(describe(first) + " is named twice")
        .note(first, "merge takes two loops");
  AffineSpace space(first);
  if (Outcome outcome = checkMerge(first, second, space); !outcome.isDone())
    return outcome;
  replaceVariables(
      rewriter, second,
      {{space.of(second.getInductionVar()), space.of(first.getInductionVar())}},
      space);
  moveBody(rewriter, second, first.getBodyBlock()->getTerminator());
  rewriter.eraseOp(second);
  return first;
}

Outcome MergeOp::run(Invocation &at) {
  return at.call(sched::merge, getFirst(), getSecond());
}

NESTOR_PRIMITIVE(merge) = {
    .name = "merge",
    .family = "loops",
    .does = "Makes one loop of two that follow each other.",
    .law = "No iteration of the second needs a later one of the "
           "first, or is needed by it.",
    .refuses = "loops that are not serial, or do not follow each "
               "other directly\n"
               "loops whose bounds differ\n"
               "an iteration of the second that needs more of the "
               "first than earlier iterations",
    .syntax = "%merged = merge %first, %second",
    .notes = R"(
Nests of several loops are merged from the outermost on.
)",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>, %C: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.block "S" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %B[%v] : memref<8xf32>
    }
  }
  nest.for %j = 0 to 8 {
    nest.block "T" (%v : spatial = %j to 8) {
      %b = memref.load %B[%v] : memref<8xf32>
      memref.store %b, %C[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%s = get_block "S" in %root
%t = get_block "T" in %root
%i = get_loops %s : 1
%j = get_loops %t : 1
%m = merge %i, %j
)",
};
