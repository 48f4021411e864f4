//===- Decompose.cpp - decompose_reduction --------------------------------===//
//
//   for k { for j { C(j, k) init { Z(j) } } }  ==> decompose_reduction C, k
//   for j { Z(j) };  for k { for j { C(j, k) } }
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Points.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Dependence.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

using nest::IteratorKind;

/// Whether all inits may run before `loop`: nothing that comes before one of
/// them touches its element.
static Outcome checkOrder(nest::BlockOp block, nest::ForOp loop,
                          ArrayRef<nest::ForOp> spatial, AffineSpace &space) {
  nest::ForOp offender;
  if (!startsInside(block, loop->getParentOp(), space, offender))
    return Outcome::refused("the first step of the reduction of " +
                            describe(block) + " may not be inside " +
                            describe(loop))
        .note(offender ? offender.getOperation() : block.getOperation(),
              "another loop starts the reduction; decompose there, before "
              "dividing its domain");
  Loops free;
  for (nest::ForOp around : loopsAround(block))
    if (loop->isAncestor(around))
      free.push_back(around);
  if (blocksIn(loop).size() == 1 && tellByStrides(block, free, spatial, space))
    return Outcome::done();
  std::optional<Conflict> conflict = findBeforeInit(block, loop, space);
  if (!conflict)
    return Outcome::done();
  if (conflict->firstBlock == block)
    return Outcome::refused("the loops from " + describe(loop) +
                            " may compute elements of " + describe(block) +
                            " more than once")
        .note(block, "each time starts anew; decompose further inside");
  return Outcome::refused(describe(conflict->firstBlock) + " uses " +
                          describe(conflict->first.buffer) + " inside " +
                          describe(loop) + " before it is started anew")
      .note(conflict->firstBlock, "this access would come after the init; "
                                  "decompose further inside");
}

/// Sorts loops and constraints into those of the init and those of the update.
static Outcome checkDecompose(nest::BlockOp block, nest::ForOp loop,
                              const BlockForm &form, AffineSpace &space,
                              Loops &spatial) {
  if (!block.getInitBlock())
    return Outcome::refused(describe(block) + " has no init")
        .note(block, "only reductions with init can be decomposed");
  if (!loop->isAncestor(block))
    return Outcome::refused(describe(loop) + " is not around " +
                            describe(block))
        .note(loop, "this loop");
  if (block.hasNest())
    for (BlockArgument arg : block.getInit().getArguments())
      if (block.getIteratorKind(arg.getArgNumber()) == IteratorKind::Reduce &&
          !arg.use_empty())
        return Outcome::refused("the init of " + describe(block) +
                                " names a reduce iterator")
            .note(block, "the nest in it would lose it");
  for (const Access &access : accessesOf(block))
    if (Operation *alloc = access.buffer.getDefiningOp();
        alloc && access.inInit && loop->isAncestor(alloc))
      return Outcome::refused("a buffer of " + describe(block) +
                              " lives inside " + describe(loop))
          .note(alloc, "decompose inside of that, or before buffers move");
  if (analysis::kindOf(block) != BlockKind::Reduction)
    return Outcome::refused(describe(block) + " is no reduction")
        .note(block, "its writes are indexed by reduce iterators, or its "
                     "iterators are ordered");
  llvm::SmallDenseSet<AffineExpr> reduceVars;
  for (nest::ForOp around : loopsAround(block)) {
    bool reduces = feeds(around, block, IteratorKind::Reduce);
    if (reduces)
      reduceVars.insert(space.of(around.getInductionVar()));
    if (reduces && around->isProperAncestor(loop))
      return Outcome::refused(describe(loop) +
                              " is inside a reduction loop of " +
                              describe(block))
          .note(around, "this loop feeds a reduce iterator; the init must go "
                        "outside of it");
    if (!loop->isAncestor(around))
      continue;
    if (reduces && feeds(around, block, IteratorKind::Spatial))
      return Outcome::refused(describe(around) +
                              " feeds spatial and reduce iterators")
          .note(around, "split it first");
    if (!reduces && !feeds(around, block) && around.getConstantTripCount() != 1)
      return Outcome::refused(describe(around) + " repeats " + describe(block))
          .note(around, "each repetition starts anew; decompose inside of it");
    if (!reduces)
      spatial.push_back(around);
  }
  for (nest::ForOp around : spatial)
    for (Value operand : around->getOperands())
      if (!nest::isSize(operand) && reduceVars.contains(space.of(operand)))
        return Outcome::refused("the bounds of " + describe(around) +
                                " depend on a reduction loop")
            .note(around, "the init has no such loop");
  for (const BlockForm::Constraint &constraint : form.constraints) {
    bool usesReduce = false, usesOther = false;
    constraint.expr.walk([&](AffineExpr e) {
      if (!isa<AffineDimExpr>(e))
        return;
      (reduceVars.contains(e) ? usesReduce : usesOther) = true;
    });
    if (usesReduce && !followsFromDomain(form, constraint, space))
      return Outcome::refused("the predicate of " + describe(block) +
                              (usesOther ? " mixes spatial and reduce loops"
                                         : " skips reduction steps"))
          .note(block, "it cannot be said where the init runs");
  }
  return checkOrder(block, loop, spatial, space);
}

Result<nest::BlockOp> sched::decomposeReduction(RewriterBase &rewriter,
                                                nest::BlockOp block,
                                                nest::ForOp loop) {
  nest::FuncOp func = funcOf(block);
  AffineSpace space(block);
  BlockForm form = BlockForm::of(block, space);
  Loops spatial;
  if (Outcome outcome = checkDecompose(block, loop, form, space, spatial);
      !outcome.isDone())
    return outcome;

  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(loop);
  SmallVector<std::pair<AffineExpr, AffineExpr>> renamed;
  llvm::DenseMap<AffineExpr, AffineExpr> table;
  IRMapping mapping;
  for (nest::ForOp old : spatial) {
    auto copy = cast<nest::ForOp>(
        rewriter.cloneWithoutRegions(*old.getOperation(), mapping));
    Block *body = rewriter.createBlock(&copy.getBody(), {},
                                       rewriter.getIndexType(), old.getLoc());
    nest::YieldOp::create(rewriter, old.getLoc());
    rewriter.setInsertionPointToStart(body);
    mapping.map(old.getInductionVar(), copy.getInductionVar());
    table[space.of(old.getInductionVar())] = space.of(copy.getInductionVar());
  }
  // The init block keeps the spatial iterators.
  BlockForm initForm;
  SmallVector<IteratorKind> kinds;
  SmallVector<unsigned> kept;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (block.getIteratorKind(i) == IteratorKind::Reduce)
      continue;
    kept.push_back(i);
    kinds.push_back(block.getIteratorKind(i));
    initForm.bindings.push_back(form.bindings[i].replace(table));
    initForm.extents.push_back(form.extents[i]);
  }
  for (const BlockForm::Constraint &constraint : form.constraints) {
    bool usesReduce = false;
    for (nest::ForOp around : loopsAround(block))
      usesReduce |= feeds(around, block, IteratorKind::Reduce) &&
                    AffineSpace::uses(constraint.expr,
                                      space.of(around.getInductionVar()));
    if (!usesReduce)
      initForm.constraints.push_back(
          {constraint.expr.replace(table), constraint.equal});
  }
  MLIRContext *context = rewriter.getContext();
  SmallVector<AffineExpr> zeros(kinds.size(), space.constant(0));
  AffineMap placeholder = AffineMap::get(0, 0, zeros, context);
  auto init = nest::BlockOp::create(
      rewriter, block.getLoc(),
      uniqueBlockName(func, (block.getName() + "_init").str()), kinds,
      placeholder, placeholder, ValueRange());
  initForm.write(init, space);
  // Move the init's operations over.
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
  return init;
}

Outcome DecomposeReductionOp::run(Invocation &at) {
  return at.call(sched::decomposeReduction, getBlock(), getLoop());
}

NESTOR_PRIMITIVE(decompose_reduction) = {
    .name = "decompose_reduction",
    .family = "reduction",
    .does = "Gives the init of a reduction a block of its own.",
    .law = "Each element is started once, before its first step, "
           "and nothing in between uses it.",
    .refuses = "blocks without init\n"
               "loops inside of a reduction loop, or that mix "
               "spatial and reduce iterators\n"
               "bounds or predicates that depend on reduction loops\n"
               "loops that come back to an element, or reductions "
               "that begin elsewhere\n"
               "uses of the element before it is started",
    .syntax = "%init = decompose_reduction %block at %loop",
    .notes = R"(
The init goes right before the loop, with copies of the spatial loops from there on.
)",
    .before = R"(
nest.func @f(%A: memref<4x8xf32>, %S: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    nest.for %k = 0 to 8 {
      nest.block "S" (%vi : spatial = %i to 4, %vk : reduce = %k to 8) init {
        %z = arith.constant 0.0 : f32
        memref.store %z, %S[%vi] : memref<4xf32>
      } {
        %a = memref.load %A[%vi, %vk] : memref<4x8xf32>
        %s = memref.load %S[%vi] : memref<4xf32>
        %t = arith.addf %s, %a : f32
        memref.store %t, %S[%vi] : memref<4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%s = get_block "S" in %root
%i, %k = get_loops %s : 2
%init = decompose_reduction %s at %k
)",
};
