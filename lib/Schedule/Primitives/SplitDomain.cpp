//===- SplitDomain.cpp - split_domain -------------------------------------===//
//
//   for j in a..b { S(j) }                           ==> where c - k * j >= 0
//   for j in a..min(b, c floordiv k + 1) { S(j) }
//   for j in max(a, c floordiv k + 1)..b { S(j) }
//
// The order of iterations stays. Blocks that never run in one of the parts are
// not in it, so that a loop in which one block was shifted behind the others
// comes apart into a loop for each.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// Adds an end to a list, unless it follows from one that is there; drops what
/// follows from it.
static void tighten(SmallVectorImpl<AffineExpr> &list, AffineExpr end,
                    bool upper, AffineSpace &space) {
  auto implies = [&](AffineExpr a, AffineExpr b) {
    return space.isNonNegative(upper ? b - a : a - b);
  };
  if (llvm::any_of(list, [&](AffineExpr e) { return implies(e, end); }))
    return;
  llvm::erase_if(list, [&](AffineExpr e) { return implies(end, e); });
  list.push_back(end);
}

/// Drops from the predicate of `block` what its loops and the rest of it say.
static void dropImplied(RewriterBase &rewriter, nest::BlockOp block,
                        AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  InstanceSet loops(space);
  for (nest::ForOp loop : loopsAround(block))
    for (AffineExpr constraint : constraintsOf(loop, space))
      loops.addNonNegative(loops.row(constraint, 0));
  size_t before = form.constraints.size();
  for (size_t i = before; i-- > 0;) {
    if (form.constraints[i].equal)
      continue;
    InstanceSet set = loops;
    for (auto [j, other] : llvm::enumerate(form.constraints))
      if (j != i && other.equal)
        set.addZero(set.row(other.expr, 0));
      else if (j != i)
        set.addNonNegative(set.row(other.expr, 0));
    set.addNonNegative(set.row(-form.constraints[i].expr - 1, 0));
    if (set.isEmpty())
      form.constraints.erase(form.constraints.begin() + i);
  }
  if (form.constraints.size() != before)
    rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
}

/// Takes blocks out of a part in which they never run, as long as one is left:
/// what was shifted out of the way of others is then on its own.
static void dropEmpty(RewriterBase &rewriter, nest::ForOp part,
                      AffineSpace &space) {
  SmallVector<nest::BlockOp> blocks = blocksIn(part), empty;
  for (nest::BlockOp block : blocks) {
    InstanceSet set(space);
    set.addInstance(block, 0);
    if (set.isEmpty())
      empty.push_back(block);
  }
  if (empty.size() == blocks.size())
    return;
  for (nest::BlockOp block : empty)
    eraseBlock(rewriter, block);
  for (nest::BlockOp block : blocksIn(part))
    dropImplied(rewriter, block, space);
}

Result<Loops> sched::splitDomain(RewriterBase &rewriter, nest::ForOp loop,
                                 AffineMap condition) {
  AffineSpace space(funcOf(loop));
  Loops around = loopsAround(loop);
  around.push_back(loop);
  if (condition.getNumResults() != 1 ||
      condition.getNumDims() != around.size() ||
      condition.getNumSymbols() > space.getNumSymbols())
    return Outcome::refused("the condition is not one expression of the " +
                            std::to_string(around.size()) + " loops down to " +
                            describe(loop) + " and the sizes")
        .note(loop, "this loop");
  if (loop.getKind() != nest::LoopKind::Serial)
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()))
        .note(loop, "split domains before giving loops a kind");
  SmallVector<AffineExpr> dims;
  for (nest::ForOp outer : around)
    dims.push_back(space.of(outer.getInductionVar()));
  AffineExpr var = dims.back();
  Linear linear =
      Linear::of(space.canonical(condition.getResult(0).replaceDims(dims)));
  int64_t factor = linear.coefficientOf(var);
  linear.add(var, -factor);
  AffineExpr rest = linear.toExpr(space.getContext());
  if (factor == 0 || AffineSpace::uses(rest, var))
    return Outcome::refused("the condition is not linear in " + describe(loop))
        .note(loop, "or does not name it; split the loop that it names");
  // Where the second part starts: rest + factor * v >= 0 holds below it
  // (factor < 0) or from it on.
  AffineExpr at =
      factor < 0 ? rest.floorDiv(-factor) + 1 : (-rest).ceilDiv(factor);
  at = space.canonical(at);

  LoopBounds bounds = LoopBounds::of(loop, space), other = bounds;
  auto never = [&](AffineExpr upper, AffineExpr lower) {
    return space.isNonNegative(lower - upper);
  };
  if (llvm::any_of(bounds.lowers, [&](AffineExpr e) { return never(at, e); }) ||
      llvm::any_of(bounds.uppers, [&](AffineExpr e) { return never(e, at); }))
    return Outcome::refused("the condition is the same for all iterations of " +
                            describe(loop))
        .note(loop, "there is nothing to cut");

  nest::ForOp second = cloneAfter(rewriter, loop, loop, "_rest");
  tighten(bounds.uppers, at, true, space);
  tighten(other.lowers, at, false, space);
  rewriter.modifyOpInPlace(loop, [&]() { bounds.write(loop, space); });
  rewriter.modifyOpInPlace(second, [&]() { other.write(second, space); });
  dropEmpty(rewriter, loop, space);
  dropEmpty(rewriter, second, space);
  return Loops{loop, second};
}

Outcome SplitDomainOp::run(Invocation &at) {
  return at.call(sched::splitDomain, getLoop(), getCondition());
}

NESTOR_PRIMITIVE(split_domain) = {
    .name = "split_domain",
    .family = "affine",
    .does = "Cuts a loop in two where a condition changes.",
    .law = "The iterations of the loop come before or after the "
           "cut as they did.",
    .refuses = "loops that are not serial\n"
               "conditions that are not one expression of the "
               "loops and sizes\n"
               "conditions that are not linear in the loop, or do "
               "not name it",
    .syntax = "%first, %rest = split_domain %loop where MAP",
    .notes = R"(
The condition is an expression, `>= 0`, of the loops down to and including the cut one
(dims, outermost first) and the sizes of the kernel (symbols). The blocks of the second
loop get the suffix `_rest`. The loop that runs first is the first result. Blocks
that never run in a part are not in it, and predicates that hold in all of it are
dropped: a loop in which `shift` moved one block past the others comes apart.
)",
    .before = R"(
nest.func @f(%A: memref<8x8xf32>, %B: memref<8x8xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 8 {
      nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
        %a = memref.load %A[%u, %v] : memref<8x8xf32>
        memref.store %a, %B[%u, %v] : memref<8x8xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i, %j = get_loops %b : 2
%low, %high = split_domain %j where affine_map<(i, j) -> (i - j)>
)",
};
