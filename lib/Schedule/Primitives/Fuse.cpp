//===- Fuse.cpp - fuse ----------------------------------------------------===//
//
//   for i in 0..A { for j in 0..B { S(i, j) } }
//   ==>  for f in 0..A*B { S(f floordiv B, f mod B) }
//
// B must be a constant. The outer loop becomes the fused one.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

static Outcome checkFuse(ArrayRef<nest::ForOp> loops, AffineSpace &space) {
  if (loops.size() < 2)
    return Outcome::refused("fuse needs at least two loops");
  for (size_t i = 0; i < loops.size(); ++i) {
    nest::ForOp loop = loops[i];
    if (loop.getKind() != nest::LoopKind::Serial)
      return Outcome::refused(describe(loop) + " is " +
                              stringifyLoopKind(loop.getKind()))
          .note(loop, "fuse loops before giving them a kind");
    AffineExpr lower = space.lowerOf(loop), extent = space.extentOf(loop);
    if (!lower || !extent || lower != space.constant(0))
      return Outcome::refused(describe(loop) + " does not start at 0")
          .note(loop, "or has several bounds");
    if (!AffineSpace::isFreeOfLoops(extent))
      return Outcome::refused("the extent of " + describe(loop) +
                              " depends on an outer loop")
          .note(loop, "only rectangular nests can be fused");
    if (i == 0)
      continue;
    if (!AffineSpace::constantOf(extent))
      return Outcome::refused("the extent of " + describe(loop) +
                              " is no constant")
          .note(loop, "only the outermost of fused loops may be dynamic");
    nest::ForOp outer = loops[i - 1];
    if (onlyChild(outer) != loop.getOperation())
      return Outcome::refused(describe(loop) +
                              " is not the only thing inside the loop before")
          .note(outer, "fused loops must follow each other directly; reorder "
                       "first, and compact buffers last");
  }
  return Outcome::done();
}

Result<nest::ForOp> sched::fuse(RewriterBase &rewriter,
                                ArrayRef<nest::ForOp> loops) {
  if (loops.empty())
    return Outcome::refused("fuse needs at least two loops");
  AffineSpace space(loops.front());
  if (Outcome outcome = checkFuse(loops, space); !outcome.isDone())
    return outcome;
  nest::ForOp outer = loops.front();
  AffineExpr fused = space.of(outer.getInductionVar());
  AffineExpr total = space.extentOf(outer);
  for (nest::ForOp loop : loops.drop_front())
    total = total * space.extentOf(loop);
  // From the innermost on: var_i = (f floordiv stride) mod extent.
  SmallVector<std::pair<AffineExpr, AffineExpr>> replacements;
  int64_t stride = 1;
  for (nest::ForOp loop : llvm::reverse(loops)) {
    AffineExpr value = fused.floorDiv(stride);
    if (loop != outer) {
      int64_t extent = *AffineSpace::constantOf(space.extentOf(loop));
      value = value % extent;
      stride *= extent;
    }
    replacements.push_back({space.of(loop.getInductionVar()), value});
  }
  setBounds(rewriter, outer, space.constant(0), space.canonical(total), space);
  replaceVariables(rewriter, loops.back(), replacements, space);
  moveBody(rewriter, loops.back(), loops[1]);
  rewriter.eraseOp(loops[1]);
  return outer;
}

Outcome FuseOp::run(Invocation &at) { return at.call(sched::fuse, getLoops()); }

NESTOR_PRIMITIVE(fuse) = {
    .name = "fuse",
    .family = "loops",
    .does = "Makes one loop of nested ones.",
    .law = "The loops follow each other directly; the order of iterations "
           "stays.",
    .refuses = "loops that do not follow each other directly\n"
               "loops that are not serial\n"
               "loops that do not start at 0\n"
               "inner loops whose extents are no constants",
    .syntax = "%fused = fuse %outer, %inner, ...",
    .notes = "",
    .before = R"(
nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 4 {
      nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
        %a = memref.load %A[%u, %v] : memref<8x4xf32>
        memref.store %a, %B[%u, %v] : memref<8x4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i, %j = get_loops %b : 2
%f = fuse %i, %j
)",
};
