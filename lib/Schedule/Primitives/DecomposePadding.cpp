//===- DecomposePadding.cpp - decompose_padding ---------------------------===//
//
//   for i { P[i] = (1 <= i < 9) ? A[i - 1] : 0 }   ==> decompose_padding P at i
//   for i in 0..10 { P[i] = 0 };  for i in 0..8 { P[i + 1] = A[i] }
//
// The condition is an affine statement about the iterators. Where it bounds
// iterators that are loops, loops and domains shrink to what it leaves; else it
// becomes a predicate.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../PaddingChoice.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

using nest::IteratorKind;

namespace {
struct Plan {
  memref::StoreOp store;
  PaddingChoice choice;
  /// Statements about the block's iterators (dims) and sizes.
  SmallVector<BlockForm::Constraint> condition;
};
} // namespace

static Outcome check(nest::BlockOp block, nest::ForOp loop, AffineSpace &space,
                     Plan &plan) {
  if (!loop->isProperAncestor(block))
    return Outcome::refused(describe(loop) + " is not around " +
                            describe(block))
        .note(loop, "this loop");
  if (analysis::kindOf(block) != BlockKind::Complete)
    return Outcome::refused(describe(block) + " is not complete")
        .note(block, "a padding copies, it does not reduce");
  for (const Access &access : accessesOf(block)) {
    if (!access.isWrite)
      continue;
    if (plan.store || access.conditional)
      return Outcome::refused(describe(block) + " has not exactly one store")
          .note(access.op, "this one");
    plan.store = cast<memref::StoreOp>(access.op);
  }
  std::optional<PaddingChoice> choice;
  if (plan.store)
    choice = PaddingChoice::of(plan.store.getValueToStore());
  if (!choice)
    return Outcome::refused(describe(block) +
                            " does not choose between a value and a constant")
        .note(block, "it stores something else than scf.if or arith.select");
  if (!choice->outside)
    return Outcome::refused(describe(block) +
                            " does not choose between a value and a constant")
        .note(choice->op, "what it stores outside is no constant");
  if (!readCondition(choice->condition, block, plan.condition))
    return Outcome::refused("the condition of " + describe(block) +
                            " is no affine statement about its iterators")
        .note(choice->op, "it cannot be told where the padding is");
  plan.choice = *choice;
  for (nest::BlockOp other : blocksIn(loop))
    if (other != block && (readsBuffer(other, plan.store.getMemRef()) ||
                           writesBuffer(other, plan.store.getMemRef())))
      return Outcome::refused(describe(other) + " uses " +
                              describe(plan.store.getMemRef()) + " inside " +
                              describe(loop))
          .note(other, "the fill would come before all its iterations; choose "
                       "a loop inside");
  if (Operation *alloc = plan.store.getMemRef().getDefiningOp();
      alloc && loop->isAncestor(alloc))
    return Outcome::refused(describe(plan.store.getMemRef()) +
                            " lives inside " + describe(loop))
        .note(alloc, "decompose before buffers move");
  return Outcome::done();
}

/// A copy of the block with the loops from `loop` on, storing the constant.
static nest::BlockOp makeFill(RewriterBase &rewriter, nest::BlockOp block,
                              nest::ForOp loop, const Plan &plan,
                              AffineSpace &space) {
  Location loc = block.getLoc();
  rewriter.setInsertionPoint(loop);
  IRMapping mapping;
  for (nest::ForOp around : loopsAround(block)) {
    if (!loop->isAncestor(around))
      continue;
    auto copy = cast<nest::ForOp>(
        rewriter.cloneWithoutRegions(*around.getOperation(), mapping));
    rewriter.createBlock(&copy.getBody(), {}, rewriter.getIndexType(), loc);
    nest::YieldOp::create(rewriter, loc);
    rewriter.setInsertionPointToStart(copy.getBodyBlock());
    mapping.map(around.getInductionVar(), copy.getInductionVar());
  }
  auto fill =
      cast<nest::BlockOp>(rewriter.clone(*block.getOperation(), mapping));
  fill.setName(
      uniqueBlockName(space.getFunc(), (block.getName() + "_fill").str()));
  Operation *store = nullptr;
  for (const Access &access : accessesOf(fill))
    if (access.isWrite)
      store = access.op;
  rewriter.setInsertionPoint(store);
  memref::StoreOp old = plan.store;
  Value constant = arith::ConstantOp::create(
      rewriter, loc, cast<TypedAttr>(plan.choice.outside));
  auto at = cast<memref::StoreOp>(store).getIndices();
  memref::StoreOp::create(rewriter, loc, constant, old.getMemRef(), at);
  rewriter.eraseOp(store);
  // What computed the value is dead now.
  SmallVector<Operation *> all(
      llvm::make_pointer_range(fill.getBodyBlock()->without_terminator()));
  for (Operation *op : llvm::reverse(all))
    if (!isa<memref::StoreOp>(op) && op->use_empty())
      rewriter.eraseOp(op);
  return fill;
}

/// Lets iterator `i`, a loop itself, run through [lower, upper) only. False if
/// it is no loop of its own.
static bool shrink(RewriterBase &rewriter, nest::BlockOp block, unsigned i,
                   AffineExpr lower, AffineExpr upper, BlockForm &form,
                   AffineSpace &space) {
  auto dim = dyn_cast<AffineDimExpr>(form.bindings[i]);
  if (!dim)
    return false;
  nest::ForOp loop = space.getLoop(dim);
  if (onlyChild(loop) == nullptr || blocksIn(loop).size() != 1 ||
      !space.isEqual(space.lowerOf(loop) ? space.lowerOf(loop)
                                         : space.constant(-1),
                     space.constant(0)) ||
      !space.extentOf(loop) ||
      !space.isEqual(space.extentOf(loop), form.extents[i]) ||
      !space.isNonNegative(lower) ||
      !space.isNonNegative(form.extents[i] - upper))
    return false;
  for (auto [j, binding] : llvm::enumerate(form.bindings))
    if (j != i && AffineSpace::uses(binding, dim))
      return false;
  for (const BlockForm::Constraint &constraint : form.constraints)
    if (AffineSpace::uses(constraint.expr, dim))
      return false;
  for (nest::ForOp around : loopsAround(block))
    if (llvm::is_contained(around->getOperands(), loop.getInductionVar()))
      return false;
  AffineExpr extent = space.canonical(upper - lower);
  setBounds(rewriter, loop, space.constant(0), extent, space);
  form.extents[i] = extent;
  if (space.isEqual(lower, space.constant(0)))
    return true;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(block.getBodyBlock());
  Value arg = block.getIterator(i);
  Value offset =
      emitIndex(rewriter, block.getLoc(), lower,
                block.getBodyBlock()->getArguments(), space.getFunc());
  auto sum = arith::AddIOp::create(rewriter, block.getLoc(), arg, offset);
  rewriter.replaceAllUsesExcept(arg, sum.getResult(), sum);
  return true;
}

/// Gives the block the condition: by its domain, or as a predicate.
static void restrict(RewriterBase &rewriter, nest::BlockOp block,
                     const Plan &plan, AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  SmallVector<BlockForm::Constraint> rest;
  SmallVector<AffineExpr> lowers(block.getNumIterators()),
      uppers(block.getNumIterators());
  for (const BlockForm::Constraint &constraint : plan.condition) {
    Linear linear = Linear::of(space.canonical(constraint.expr));
    int found = -1;
    int64_t factor = 0;
    bool simple = !constraint.equal;
    Linear others;
    others.constant = linear.constant;
    for (auto [atom, coefficient] : linear.terms) {
      if (auto dim = dyn_cast<AffineDimExpr>(atom)) {
        simple &= found < 0 && std::abs(coefficient) == 1;
        found = dim.getPosition();
        factor = coefficient;
        continue;
      }
      simple &= isa<AffineSymbolExpr>(atom);
      others.add(atom, coefficient);
    }
    AffineExpr bound = others.toExpr(space.getContext());
    AffineExpr *into = nullptr;
    if (simple && found >= 0) {
      into = factor > 0 ? &lowers[found] : &uppers[found];
      // v + b >= 0 gives v >= -b; b - v >= 0 gives v < b + 1.
      bound = space.canonical(factor > 0 ? -bound : bound + 1);
    }
    if (into && !*into &&
        !(isa<AffineConstantExpr>(bound) &&
          cast<AffineConstantExpr>(bound).getValue() < 0))
      *into = bound;
    else
      rest.push_back(constraint);
  }
  // The old iterators in terms of the new ones.
  SmallVector<AffineExpr> shifted;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    shifted.push_back(getAffineDimExpr(i, space.getContext()));
    if (!lowers[i] && !uppers[i])
      continue;
    AffineExpr lower = lowers[i] ? lowers[i] : space.constant(0),
               upper = uppers[i] ? uppers[i] : form.extents[i];
    if (shrink(rewriter, block, i, lower, upper, form, space)) {
      shifted.back() = shifted.back() + lower;
      continue;
    }
    if (lowers[i])
      rest.push_back({shifted.back() - lower, false});
    if (uppers[i])
      rest.push_back({upper - 1 - shifted.back(), false});
  }
  for (const BlockForm::Constraint &constraint : rest) {
    AffineExpr expr = space.canonical(
        constraint.expr.replaceDims(shifted).replaceDims(form.bindings));
    if (constraint.equal)
      form.constraints.push_back({expr, true});
    else
      addConstraint(form, expr, space);
  }
  rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
}

Result<nest::BlockOp> sched::decomposePadding(RewriterBase &rewriter,
                                              nest::BlockOp block,
                                              nest::ForOp loop) {
  AffineSpace space(funcOf(block));
  Plan plan;
  if (Outcome outcome = check(block, loop, space, plan); !outcome.isDone())
    return outcome;
  OpBuilder::InsertionGuard guard(rewriter);
  nest::BlockOp fill = makeFill(rewriter, block, loop, plan, space);
  // The inside alone.
  Value value = takeInside(rewriter, plan.choice);
  rewriter.modifyOpInPlace(
      plan.store, [&]() { plan.store.getValueMutable().assign(value); });
  eraseUnused(rewriter, plan.choice.op, block);
  restrict(rewriter, block, plan, space);
  eraseDeadIndices(rewriter, block);
  return fill;
}

Outcome DecomposePaddingOp::run(Invocation &at) {
  return at.call(sched::decomposePadding, getBlock(), getLoop());
}

NESTOR_PRIMITIVE(decompose_padding) = {
    .name = "decompose_padding",
    .family = "tensor",
    .does = "Takes a padding block apart into a fill and a copy.",
    .law = "The block chooses between a value and a constant by an affine "
           "condition, and nothing else inside the loop uses its buffer.",
    .refuses = "a loop that is not around the block\n"
               "blocks that are not complete, or have not exactly one store\n"
               "what is no choice between a value and a constant\n"
               "conditions that are no affine statements about iterators\n"
               "other users of the buffer inside the loop, a buffer that lives "
               "there",
    .syntax = "FILL = decompose_padding %block at %loop",
    .notes = "Where the condition bounds iterators that are loops, the copy's "
             "loops and domains shrink to the inside; else it becomes a "
             "predicate. The fill, `NAME_fill`, stands in front of the loop.",
    .before = R"(
nest.func @pad(%A: memref<8xf32>, %P: memref<10xf32>) {
  nest.for %i = 0 to 10 {
    nest.block "pad" (%v : spatial = %i to 10) {
      %one = arith.constant 1 : index
      %nine = arith.constant 9 : index
      %low = arith.cmpi sge, %v, %one : index
      %high = arith.cmpi slt, %v, %nine : index
      %inside = arith.andi %low, %high : i1
      %x = scf.if %inside -> f32 {
        %j = arith.subi %v, %one : index
        %a = memref.load %A[%j] : memref<8xf32>
        scf.yield %a : f32
      } else {
        %z = arith.constant 0.0 : f32
        scf.yield %z : f32
      }
      memref.store %x, %P[%v] : memref<10xf32>
    }
  }
}
)",
    .schedule = R"(
%p = get_block "pad" in %root
%i = get_loops %p : 1
%fill = decompose_padding %p at %i
)",
};
