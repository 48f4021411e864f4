//===- Partition.cpp - separate_full_partial ------------------------------===//
//
//   for i in 0..ceil(n / 4) { S(i) where 4 * i + ii < n }
//   ==>  for i in 0..floor(n / 4) { S(i) }
//        for i in floor(n / 4)..ceil(n / 4) { S(i) where 4 * i + ii < n }
//
// The order of iterations stays, so nothing but the predicates' form has to be
// checked.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// How many iterations of `loop` from 0 on satisfy `expr >= 0` whatever the
/// loops inside do; null when it is not of that kind.
static AffineExpr fullCount(AffineExpr expr, nest::ForOp loop,
                            AffineSpace &space) {
  AffineExpr lower = space
                         .bounds(expr,
                                 [&](nest::ForOp inner) {
                                   return loop->isProperAncestor(inner);
                                 })
                         .lower;
  if (!lower)
    return {};
  Linear linear = Linear::of(lower);
  AffineExpr var = space.of(loop.getInductionVar());
  int64_t factor = linear.coefficientOf(var);
  linear.add(var, -factor);
  AffineExpr rest = linear.toExpr(space.getContext());
  if (factor >= 0 || AffineSpace::uses(rest, var))
    return {};
  // rest - |factor| * i >= 0  <=>  i < rest floordiv |factor| + 1.
  return space.canonical((rest - factor).floorDiv(-factor));
}

Result<Loops> sched::separateFullPartial(RewriterBase &rewriter,
                                         nest::ForOp loop) {
  nest::FuncOp func = funcOf(loop);
  AffineSpace space(func);
  AffineExpr extent = space.extentOf(loop);
  if (!extent || space.lowerOf(loop) != space.constant(0))
    return Outcome::refused(describe(loop) + " does not start at 0")
        .note(loop, "or has several bounds");
  AffineExpr count, var = space.of(loop.getInductionVar());
  auto isCut = [&](const BlockForm::Constraint &constraint) {
    return !constraint.equal && AffineSpace::uses(constraint.expr, var);
  };
  for (nest::BlockOp block : blocksIn(loop))
    for (const BlockForm::Constraint &constraint :
         BlockForm::of(block, space).constraints) {
      if (!isCut(constraint))
        continue;
      AffineExpr now = fullCount(constraint.expr, loop, space);
      if (!now)
        continue;
      if (count && !space.isEqual(count, now))
        return Outcome::refused("predicates below " + describe(loop) +
                                " end at different iterations")
            .note(block, "this one differs from the first");
      count = now;
    }
  if (!count)
    return Outcome::refused("no predicate below " + describe(loop) +
                            " cuts off its last iterations")
        .note(loop, "there is nothing to separate");
  if (count == space.constant(0))
    return Outcome::refused("a predicate touches every iteration of " +
                            describe(loop))
        .note(loop, "there is no full part; a smaller tile would have one");
  if (!space.isNonNegative(count))
    return Outcome::refused("it cannot be shown that " + describe(loop) +
                            " has iterations that no predicate touches")
        .note(loop, "this loop");

  nest::ForOp tail = cloneAfter(rewriter, loop, loop, "_tail");
  rewriter.modifyOpInPlace(tail,
                           [&]() { tail.setKind(nest::LoopKind::Serial); });
  setBounds(rewriter, tail, count, extent, space);
  setBounds(rewriter, loop, space.constant(0), count, space);
  // count <= extent may hold only for some outer iterations.
  if (!space.isNonNegative(extent - count))
    rewriter.modifyOpInPlace(loop, [&]() {
      SmallVector<Value> operands;
      AffineMap upper = space.exportMap({count, extent}, operands);
      loop.setUpperMap(upper);
      loop.getUpperOperandsMutable().assign(operands);
    });
  for (nest::BlockOp block : blocksIn(loop)) {
    BlockForm form = BlockForm::of(block, space);
    size_t before = form.constraints.size();
    llvm::erase_if(form.constraints, [&](const BlockForm::Constraint &c) {
      return isCut(c) && fullCount(c.expr, loop, space);
    });
    if (form.constraints.size() != before)
      rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
  }
  return Loops{loop, tail};
}

Outcome SeparateFullPartialOp::run(Invocation &at) {
  return at.call(sched::separateFullPartial, getLoop());
}
