//===- SkipPadding.cpp - skip_padding -------------------------------------===//
//
//   for i { for r in 0..3 { S[i] += (1 <= i + r < 9) ? A[i + r - 1] : 0 } }
//   ==>
//   for i { for r in max(0, 1 - i)..min(3, 9 - i) { S[i] += A[i + r - 1] } }
//
// A step that adds the neutral element does nothing. Each statement of the
// condition becomes a bound of the innermost loop that it names, where that is
// a serial one of this block alone, else a predicate. Indices that were kept
// inside of a buffer by min and max are inside now.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../PaddingChoice.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Scan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

namespace {
struct Plan {
  SmallVector<PaddingChoice> choices;
  /// Statements about the block's iterators (dims) and sizes.
  SmallVector<BlockForm::Constraint> condition;
};
} // namespace

static bool isZero(Attribute value) {
  if (auto real = dyn_cast_or_null<FloatAttr>(value))
    return real.getValue().isZero();
  auto integer = dyn_cast_or_null<IntegerAttr>(value);
  return integer && integer.getValue().isZero();
}

/// Finds choices from which a constant outside makes `value` what adds nothing:
/// the constant `neutral`, or 0 through products and changes of type.
static void findChoices(Value value, Attribute neutral, nest::BlockOp block,
                        SmallVectorImpl<PaddingChoice> &into) {
  Operation *op = value.getDefiningOp();
  if (!op || !block->isProperAncestor(op))
    return;
  if (std::optional<PaddingChoice> choice = PaddingChoice::of(value)) {
    bool adds =
        isZero(neutral) ? !isZero(choice->outside) : choice->outside != neutral;
    bool known = llvm::any_of(
        into, [&](const PaddingChoice &other) { return other.op == op; });
    if (!adds && !known)
      into.push_back(*choice);
    return;
  }
  if (!isZero(neutral))
    return;
  if (isa<arith::MulFOp, arith::MulIOp, arith::NegFOp, arith::ExtFOp,
          arith::TruncFOp, arith::ExtSIOp, arith::ExtUIOp, arith::SIToFPOp,
          arith::UIToFPOp>(op))
    for (Value operand : op->getOperands())
      findChoices(operand, neutral, block, into);
}

static Outcome check(nest::BlockOp block, Plan &plan) {
  if (block.getInitBlock())
    return Outcome::refused(describe(block) + " has an init")
        .note(block, "the first step may be one that is skipped; "
                     "decompose_reduction gives the init a block of its own");
  std::optional<Reducer> reducer;
  if (analysis::kindOf(block) == BlockKind::Reduction)
    reducer = reducerOf(block);
  if (!reducer)
    return Outcome::refused(describe(block) +
                            " does not add to one element by an operation "
                            "with a neutral element")
        .note(block, "its steps cannot be skipped");
  SmallVector<PaddingChoice> all;
  findChoices(reducer->addend, reducer->identity, block, all);
  if (all.empty())
    return Outcome::refused("what " + describe(block) +
                            " adds is never chosen to be neutral")
        .note(block, "no scf.if or arith.select has the neutral constant "
                     "outside; inline the padding before");
  for (const PaddingChoice &choice : all) {
    SmallVector<BlockForm::Constraint> condition;
    if (!readCondition(choice.condition, block, condition))
      continue;
    plan.choices.push_back(choice);
    plan.condition.append(condition);
  }
  if (plan.choices.empty())
    return Outcome::refused("the condition of " + describe(block) +
                            " is no affine statement about its iterators")
        .note(all.front().op, "it cannot be told which steps add nothing");
  return Outcome::done();
}

/// min(x, y) => x where the conditions say x <= y, and so on.
static void dropClamps(RewriterBase &rewriter, nest::BlockOp block,
                       ArrayRef<BlockForm::Constraint> condition,
                       AffineSpace &space) {
  auto holds = [&](AffineExpr expr) { // expr >= 0
    return llvm::any_of(condition, [&](const BlockForm::Constraint &known) {
      auto difference =
          dyn_cast<AffineConstantExpr>(space.canonical(expr - known.expr));
      return difference && difference.getValue() >= 0;
    });
  };
  SmallVector<Operation *> ops(
      llvm::make_pointer_range(block.getBodyBlock()->without_terminator()));
  for (Operation *op : ops) {
    bool least = isa<arith::MinSIOp>(op);
    if ((!least && !isa<arith::MaxSIOp>(op)) ||
        !op->getResult(0).getType().isIndex())
      continue;
    AffineExpr a = indexExpr(op->getOperand(0), block),
               b = indexExpr(op->getOperand(1), block);
    if (!a || !b)
      continue;
    if (holds(least ? b - a : a - b))
      rewriter.replaceOp(op, op->getOperand(0));
    else if (holds(least ? a - b : b - a))
      rewriter.replaceOp(op, op->getOperand(1));
  }
}

/// Lets the innermost loop that `expr` names run only where `expr >= 0`. False
/// if it holds other blocks, too, or its iterations are copies or lanes.
static bool boundLoop(RewriterBase &rewriter, nest::BlockOp block,
                      AffineExpr expr, AffineSpace &space) {
  nest::ForOp loop;
  for (nest::ForOp around : loopsAround(block))
    if (AffineSpace::uses(expr, space.of(around.getInductionVar())))
      loop = around;
  if (!loop || loop.getKind() != nest::LoopKind::Serial ||
      blocksIn(loop).size() != 1)
    return false;
  AffineExpr var = space.of(loop.getInductionVar());
  Linear linear = Linear::of(space.canonical(expr));
  int64_t factor = linear.coefficientOf(var);
  linear.add(var, -factor);
  AffineExpr rest = linear.toExpr(space.getContext());
  if (factor == 0 || AffineSpace::uses(rest, var))
    return false;
  LoopBounds bounds = LoopBounds::of(loop, space);
  // rest + factor * v >= 0.
  if (factor > 0)
    bounds.lowers.push_back(
        space.simplify((-rest + (factor - 1)).floorDiv(factor)));
  else
    bounds.uppers.push_back(space.simplify(rest.floorDiv(-factor) + 1));
  rewriter.modifyOpInPlace(loop, [&]() { bounds.write(loop, space); });
  return true;
}

Outcome sched::skipPadding(RewriterBase &rewriter, nest::BlockOp block) {
  Plan plan;
  if (Outcome outcome = check(block, plan); !outcome.isDone())
    return outcome;
  AffineSpace space(block);
  OpBuilder::InsertionGuard guard(rewriter);
  for (const PaddingChoice &choice : plan.choices) {
    Value inside = takeInside(rewriter, choice);
    rewriter.replaceAllUsesWith(choice.op->getResult(0), inside);
    eraseUnused(rewriter, choice.op, block);
  }
  dropClamps(rewriter, block, plan.condition, space);
  eraseDeadIndices(rewriter, block);

  BlockForm form = BlockForm::of(block, space);
  SmallVector<AffineExpr> predicate;
  for (const BlockForm::Constraint &constraint : plan.condition) {
    AffineExpr expr =
        space.simplify(constraint.expr.replaceDims(form.bindings));
    if (constraint.equal)
      form.constraints.push_back({expr, true});
    else if (!space.isNonNegative(expr) &&
             !boundLoop(rewriter, block, expr, space))
      predicate.push_back(expr);
  }
  for (AffineExpr expr : predicate)
    addConstraint(form, expr, space);
  rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
  return Outcome::done();
}

Outcome SkipPaddingOp::run(Invocation &at) {
  return at.call(sched::skipPadding, getBlock());
}

NESTOR_PRIMITIVE(skip_padding) = {
    .name = "skip_padding",
    .family = "reduction",
    .does = "Leaves out the steps of a reduction that add a neutral constant.",
    .law = "Such a step changes nothing.",
    .refuses = "blocks with an init\n"
               "blocks that are no reduction by a known operation\n"
               "reductions that never choose the neutral constant\n"
               "conditions that are no affine statements about iterators",
    .syntax = "skip_padding %block",
    .notes = R"(
What is added is chosen by scf.if or arith.select: a value inside, the neutral constant
outside (for sums also 0 as a factor: it counts as 0 whatever the other factor is). Each
statement of the condition becomes a bound of the innermost loop that it names, where that
is a serial one around this block alone, else a predicate.
)",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %S: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %r = 0 to 3 {
      nest.block "S" (%v : spatial = %i to 8, %w : reduce = %r to 3) init {
        %z = arith.constant 0.0 : f32
        memref.store %z, %S[%v] : memref<8xf32>
      } {
        %z = arith.constant 0.0 : f32
        %zero = arith.constant 0 : index
        %one = arith.constant 1 : index
        %seven = arith.constant 7 : index
        %at = arith.addi %v, %w : index
        %p = arith.subi %at, %one : index
        %low = arith.cmpi sge, %p, %zero : index
        %high = arith.cmpi sle, %p, %seven : index
        %inside = arith.andi %low, %high : i1
        %q = arith.minsi %p, %seven : index
        %j = arith.maxsi %q, %zero : index
        %a = memref.load %A[%j] : memref<8xf32>
        %x = arith.select %inside, %a, %z : f32
        %s = memref.load %S[%v] : memref<8xf32>
        %t = arith.addf %s, %x : f32
        memref.store %t, %S[%v] : memref<8xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%s = get_block "S" in %root
%i, %r = get_loops %s : 2
%init = decompose_reduction %s at %r
skip_padding %s
)",
};
