//===- Blockize.cpp - blockize --------------------------------------------===//
//
//   for ko { for i < 16 { for k < 8 { C(vi = io * 16 + i, vk = ko * 8 + k)
//                                     init Z(vi) } } }     ==> blockize i
//   for ko { C_o(wi = io, wk = ko)
//            init { for i < 16 { C_init(vi = wi * 16 + i) { Z(vi) } } }
//            { for i < 16 { for k < 8 { C(vi = wi * 16 + i,
//                                         vk = wk * 8 + k) } } } }
//
// Every binding comes apart into what loops outside say and what the loops of
// the new block run through. Iterators that loops outside do not vary are not
// the new block's. Without reduce iterators among its own, the init stays with
// the block inside. Instances and their order stay; only inits may run earlier.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Dependence.h"
#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/IterMap.h"
#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

using nest::IteratorKind;

namespace {
struct Plan {
  nest::BlockOp block;
  Loops inner;
  Subspace parts;
  /// The block's iterators that loops outside vary, in order.
  SmallVector<unsigned> own;
  /// The init becomes a nest of the new block, over these loops.
  bool movesInit = false;
  Loops initLoops;
};
} // namespace

/// From `loop` on, a chain of loops that ends in one block.
static Outcome findChain(nest::ForOp loop, Plan &plan) {
  for (Operation *op = loop;;) {
    if (auto block = dyn_cast<nest::BlockOp>(op)) {
      plan.block = block;
      return Outcome::done();
    }
    auto inner = cast<nest::ForOp>(op);
    plan.inner.push_back(inner);
    op = onlyChild(inner);
    if (!op || !isa<nest::ForOp, nest::BlockOp>(op))
      return Outcome::refused(describe(inner) +
                              " does not hold one loop or block alone")
          .note(inner, "one block is what blockize takes; compact buffers "
                       "last, and move other blocks out first");
  }
}

/// What the nest inside cannot name: everything but its own loops and sizes.
static Outcome checkIsolation(const Plan &plan, AffineSpace &space) {
  for (nest::ForOp loop : plan.inner)
    for (Value operand : loop->getOperands())
      if (!nest::isSize(operand))
        return Outcome::refused("the bounds of " + describe(loop) + " vary")
            .note(loop, "inside a block the same iterations run every time; "
                        "blockize a rectangular part of the nest");
  unsigned numSizes = space.getFunc().getSizes().size();
  auto isClosed = [&](AffineExpr expr) {
    bool closed = true;
    expr.walk([&](AffineExpr e) {
      if (auto symbol = dyn_cast<AffineSymbolExpr>(e))
        closed &= symbol.getPosition() < numSizes;
    });
    return closed;
  };
  for (const BlockForm::Constraint &constraint : plan.parts.innerPredicate)
    if (!isClosed(constraint.expr))
      return Outcome::refused("the predicate of " + describe(plan.block) +
                              " mixes inner loops and iterators of the block "
                              "around")
          .note(plan.block, "it has to come apart, too");
  for (AffineExpr expr : plan.parts.inner)
    if (!isClosed(expr))
      return Outcome::refused("a binding of " + describe(plan.block) +
                              " mixes inner loops and iterators of the block "
                              "around")
          .note(plan.block, "it has to come apart, too");
  return Outcome::done();
}

/// Whether the new block stays in its domain though a part of the predicate is
/// asked inside of it only.
static Outcome checkDomain(const Plan &plan, AffineSpace &space) {
  if (plan.parts.innerPredicate.empty())
    return Outcome::done();
  InstanceSet outside(space);
  for (nest::ForOp loop : loopsAround(plan.inner.front()))
    for (AffineExpr constraint : constraintsOf(loop, space))
      outside.addNonNegative(outside.row(constraint, 0));
  for (const BlockForm::Constraint &constraint : plan.parts.outerPredicate) {
    InstanceSet::Row row = outside.row(constraint.expr, 0);
    if (constraint.equal)
      outside.addZero(row);
    else
      outside.addNonNegative(row);
  }
  for (unsigned i : plan.own)
    for (AffineExpr inDomain :
         {plan.parts.outer[i],
          plan.parts.outerExtent[i] - 1 - plan.parts.outer[i]}) {
      InstanceSet leaves = outside;
      leaves.addNonNegative(leaves.row(-inDomain - 1, 0));
      if (!leaves.isEmpty())
        return Outcome::refused("iterator " + Twine(i) + " of " +
                                describe(plan.block) +
                                " may leave its domain where the predicate "
                                "holds for no inner iteration")
            .note(plan.block, "the new block would run there; cut its loops "
                              "with split_domain or separate_full_partial");
    }
  return Outcome::done();
}

/// Whether all inits of an instance of the new block may run before the rest,
/// and over which loops.
static Outcome planInit(Plan &plan, AffineSpace &space) {
  nest::BlockOp block = plan.block;
  plan.movesInit =
      block.getInitBlock() && llvm::any_of(plan.own, [&](unsigned i) {
        return block.getIteratorKind(i) == IteratorKind::Reduce;
      });
  if (!plan.movesInit)
    return Outcome::done();
  for (nest::ForOp loop : plan.inner) {
    bool reduces = feeds(loop, block, IteratorKind::Reduce);
    if (reduces && feeds(loop, block, IteratorKind::Spatial))
      return Outcome::refused(describe(loop) +
                              " feeds spatial and reduce iterators")
          .note(loop, "the init needs loops of its own; split it first");
    if (!reduces && feeds(loop, block))
      plan.initLoops.push_back(loop);
    for (const BlockForm::Constraint &constraint : plan.parts.innerPredicate)
      if (reduces &&
          AffineSpace::uses(constraint.expr, space.of(loop.getInductionVar())))
        return Outcome::refused("the predicate of " + describe(block) +
                                " names " + describe(loop))
            .note(loop, "it cannot be said where the init runs; decompose the "
                        "reduction first");
  }
  if (block.hasNest())
    for (BlockArgument arg : block.getInit().getArguments())
      if (block.getIteratorKind(arg.getArgNumber()) == IteratorKind::Reduce &&
          !arg.use_empty())
        return Outcome::refused("the init of " + describe(block) +
                                " names a reduce iterator")
            .note(block, "decompose the reduction first");
  std::optional<Conflict> conflict =
      findBeforeInit(block, plan.inner.front(), space);
  if (conflict)
    return Outcome::refused(
               describe(block) + " uses " + describe(conflict->first.buffer) +
               " before another init inside " + describe(plan.inner.front()))
        .note(block, "all inits would come first; decompose the reduction");
  return Outcome::done();
}

static Result<Plan> planBlockize(nest::ForOp loop, AffineSpace &space) {
  Plan plan;
  if (Outcome outcome = findChain(loop, plan); !outcome.isDone())
    return outcome;
  for (nest::ForOp around : loopsAround(loop))
    if (around.getKind() == nest::LoopKind::Vectorize)
      return Outcome::refused(describe(around) + " is vectorize")
          .note(around, "a nest cannot run in lanes; vectorize inside");
  for (nest::ForOp inner : plan.inner)
    if (inner.getConstantTripCount() == 0)
      return Outcome::refused(describe(inner) + " has no iteration")
          .note(inner, "there is nothing to make a block of");
  std::string why;
  std::optional<Subspace> parts =
      divideSubspace(plan.block, plan.inner, space, why);
  if (!parts)
    return Outcome::refused("the iterators of " + describe(plan.block) +
                            " do not come apart at " + describe(loop) + ": " +
                            why)
        .note(plan.block, "what loops outside say has to count what the loops "
                          "inside run through");
  plan.parts = std::move(*parts);
  for (auto [i, extent] : llvm::enumerate(plan.parts.outerExtent))
    if (extent != space.constant(1))
      plan.own.push_back(i);
  if (Outcome outcome = checkIsolation(plan, space); !outcome.isDone())
    return outcome;
  if (Outcome outcome = checkDomain(plan, space); !outcome.isDone())
    return outcome;
  if (Outcome outcome = planInit(plan, space); !outcome.isDone())
    return outcome;
  return plan;
}

/// The form of the block inside, in the space of one region of the new block.
/// `loops`: those of this region, for the plan's.
static BlockForm innerForm(const Plan &plan, Region &region,
                           const IRMapping &loops, AffineSpace &space,
                           AffineSpace &inside) {
  llvm::DenseMap<AffineExpr, AffineExpr> table;
  for (nest::ForOp loop : plan.inner)
    if (Value var = loops.lookupOrNull(loop.getInductionVar()))
      table[space.of(nest::ForOp(loop).getInductionVar())] = inside.of(var);
  BlockForm form;
  form.extents = BlockForm::of(plan.block, space).extents;
  for (auto [inner, extent] :
       llvm::zip_equal(plan.parts.inner, plan.parts.innerExtent)) {
    unsigned i = form.bindings.size();
    AffineExpr binding = inner.replace(table);
    if (auto at = llvm::find(plan.own, i); at != plan.own.end())
      binding = inside.of(region.getArgument(at - plan.own.begin())) * extent +
                binding;
    form.bindings.push_back(inside.canonical(binding));
  }
  for (const BlockForm::Constraint &constraint : plan.parts.innerPredicate)
    form.constraints.push_back(
        {constraint.expr.replace(table), constraint.equal});
  return form;
}

/// The nest of the init: its loops, a block over the spatial iterators, and in
/// it what the init did.
static void makeInit(RewriterBase &rewriter, const Plan &plan,
                     nest::BlockOp outer, AffineSpace &space) {
  OpBuilder::InsertionGuard guard(rewriter);
  nest::BlockOp block = plan.block;
  rewriter.setInsertionPointToStart(outer.getInitBlock());
  IRMapping loops;
  for (nest::ForOp old : plan.initLoops) {
    auto copy = cast<nest::ForOp>(
        rewriter.cloneWithoutRegions(*old.getOperation(), loops));
    Block *body = rewriter.createBlock(&copy.getBody(), {},
                                       rewriter.getIndexType(), old.getLoc());
    nest::YieldOp::create(rewriter, old.getLoc());
    rewriter.setInsertionPointToStart(body);
    loops.map(old.getInductionVar(), copy.getInductionVar());
  }
  AffineSpace inside(outer.getInit());
  BlockForm whole = innerForm(plan, outer.getInit(), loops, space, inside),
            form;
  form.constraints = whole.constraints;
  SmallVector<IteratorKind> kinds;
  SmallVector<unsigned> kept;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (block.getIteratorKind(i) == IteratorKind::Reduce)
      continue;
    kept.push_back(i);
    kinds.push_back(block.getIteratorKind(i));
    form.bindings.push_back(whole.bindings[i]);
    form.extents.push_back(whole.extents[i]);
  }
  SmallVector<AffineExpr> zeros(kinds.size(), space.constant(0));
  AffineMap placeholder = AffineMap::get(0, 0, zeros, rewriter.getContext());
  auto init = nest::BlockOp::create(
      rewriter, block.getLoc(),
      uniqueBlockName(space.getFunc(), (block.getName() + "_init").str()),
      kinds, placeholder, placeholder, ValueRange());
  form.write(init, inside);
  Block *source = block.getInitBlock(), *target = init.getBodyBlock();
  rewriter.setInsertionPointToStart(target);
  for (BlockArgument arg : source->getArguments())
    if (block.getIteratorKind(arg.getArgNumber()) == IteratorKind::Reduce &&
        !arg.use_empty())
      rewriter.replaceAllUsesWith(
          arg, arith::ConstantIndexOp::create(rewriter, block.getLoc(), 0));
  for (auto [to, from] : llvm::enumerate(kept))
    rewriter.replaceAllUsesWith(source->getArgument(from),
                                target->getArgument(to));
  for (Operation &op : llvm::make_early_inc_range(source->without_terminator()))
    rewriter.moveOpBefore(&op, target->getTerminator());
  rewriter.modifyOpInPlace(block, [&]() { rewriter.eraseBlock(source); });
}

Result<nest::BlockOp> sched::blockize(RewriterBase &rewriter,
                                      nest::ForOp loop) {
  AffineSpace space(loop);
  Result<Plan> found = planBlockize(loop, space);
  if (!found)
    return found.getOutcome();
  Plan &plan = *found;
  nest::BlockOp block = plan.block;
  BlockForm outerForm;
  SmallVector<IteratorKind> kinds;
  for (unsigned i : plan.own) {
    kinds.push_back(block.getIteratorKind(i));
    outerForm.bindings.push_back(plan.parts.outer[i]);
    outerForm.extents.push_back(plan.parts.outerExtent[i]);
  }
  outerForm.constraints = plan.parts.outerPredicate;

  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(loop);
  SmallVector<AffineExpr> zeros(kinds.size(), space.constant(0));
  AffineMap placeholder = AffineMap::get(0, 0, zeros, rewriter.getContext());
  auto outer = nest::BlockOp::create(
      rewriter, block.getLoc(),
      uniqueBlockName(space.getFunc(), (block.getName() + "_o").str()), kinds,
      placeholder, placeholder, ValueRange(), plan.movesInit);
  outerForm.write(outer, space);
  if (plan.movesInit)
    makeInit(rewriter, plan, outer, space);
  rewriter.moveOpBefore(loop, outer.getBodyBlock()->getTerminator());
  IRMapping loops;
  for (nest::ForOp inner : plan.inner)
    loops.map(inner.getInductionVar(), inner.getInductionVar());
  AffineSpace inside(outer.getBody());
  BlockForm form = innerForm(plan, outer.getBody(), loops, space, inside);
  rewriter.modifyOpInPlace(block, [&]() { form.write(block, inside); });
  return outer;
}

Outcome BlockizeOp::run(Invocation &at) {
  return at.call(sched::blockize, getLoop());
}

NESTOR_PRIMITIVE(blockize) = {
    .name = "blockize",
    .family = "tensor",
    .does = "Makes a loop and what is inside of it one block.",
    .law = "Every binding is an outer part, counted in steps of what the inner "
           "loops run through, and an inner part; no access comes between an "
           "init and the inits that now run with it.",
    .refuses = "a loop that does not hold a chain of loops with one block\n"
               "loops that run through no box of constant shape\n"
               "bindings, or a predicate, that mix inner and outer loops\n"
               "a predicate of inner loops that cuts reduction steps off, or "
               "without which the block leaves its domain\n"
               "loops around that are vectorized\n"
               "reductions that read other elements of what they sum up",
    .syntax = "%outer = blockize %loop",
    .notes = R"(
The new block has the iterators that loops outside vary. When some of them are
reduce iterators, the init becomes a nest of the new block; else it stays where
it is. Loops inside are scheduled on: `get_loops` of a block inside gives those
up to the block around. Primitives that do not look into nests refuse to touch them
and what shares buffers with them; they come before.
)",
    .before = R"(
nest.func @f(%A: memref<8x8xf32>, %C: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %ko = 0 to 2 {
      nest.for %ki = 0 to 4 {
        nest.block "C" (%vi : spatial = %i to 8, %vk : reduce = %ko * 4 + %ki to 8) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi] : memref<8xf32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<8x8xf32>
          %c = memref.load %C[%vi] : memref<8xf32>
          %s = arith.addf %c, %a : f32
          memref.store %s, %C[%vi] : memref<8xf32>
        }
      }
    }
  }
}
)",
    .schedule = R"(
%c = get_block "C" in %root
%i, %ko, %ki = get_loops %c : 3
%o = blockize %ki
)",
};
