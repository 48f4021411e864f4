//===- FusionPlan.cpp - Which reductions may run in one pass --------------===//
//
// See FusionPlan.h.
//
//===----------------------------------------------------------------------===//
#include "FusionPlan.h"
#include "Points.h"

#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/IterMap.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

using nest::IteratorKind;

FusedReduction *FusionPlan::memberWriting(Value buffer,
                                          const FusedReduction *before) {
  for (FusedReduction &member : members) {
    if (&member == before)
      return nullptr;
    if (writesBuffer(member.block, buffer))
      return &member;
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// One reduction
//===----------------------------------------------------------------------===//

/// How many steps of one element come before an iteration of the loop, when all
/// of them come, each once, in ascending order of one iterator.
static AffineExpr countSteps(FusedReduction &member, AffineSpace &space) {
  nest::BlockOp block = member.block;
  AffineExpr var = space.of(member.loop.getInductionVar()), first;
  llvm::DenseMap<AffineExpr, AffineExpr> start;
  for (nest::ForOp around : loopsAround(block)) {
    if (!member.loop->isProperAncestor(around) ||
        !feeds(around, block, IteratorKind::Reduce))
      continue;
    AffineExpr lower = space.lowerOf(around);
    if (!lower)
      return {};
    start[space.of(around.getInductionVar())] = lower.replace(start);
  }
  AffineExpr others = space.constant(1), binding;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (block.getIteratorKind(i) != IteratorKind::Reduce)
      continue;
    if (!AffineSpace::uses(member.form.bindings[i], var)) {
      others = others * member.form.extents[i];
      continue;
    }
    if (binding)
      return {};
    binding = member.form.bindings[i];
    first = space.canonical(binding.replace(start));
  }
  if (!binding || !AffineSpace::isFreeOfLoops(
                      AffineSpace::substitute(first, var, space.constant(0))))
    return {};
  // No step of an iteration is before its first one or after the next one's.
  AffineExpr next = AffineSpace::substitute(first, var, var + 1);
  for (AffineExpr outside : {first - 1 - binding, binding - next}) {
    InstanceSet set(space);
    set.addInstance(block, 0);
    set.addNonNegative(set.row(outside, 0));
    if (!set.isEmpty())
      return {};
  }
  if (!fillsDomain(block, space, /*once=*/true))
    return {};
  return space.canonical(first * others);
}

/// Whether init happens in the first iteration of the member's loop, and there
/// only.
static Outcome checkStart(FusedReduction &member, FusionPlan &plan,
                          AffineSpace &space) {
  nest::BlockOp block = member.block;
  nest::ForOp offender;
  InstanceSet later(space);
  later.addInstance(block, 0);
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (block.getIteratorKind(i) == IteratorKind::Reduce)
      later.addZero(later.row(member.form.bindings[i], 0));
  later.addNonNegative(
      later.row(space.of(member.loop.getInductionVar()) - plan.lower - 1, 0));
  if (startsInside(block, member.loop->getParentOp(), space, offender) &&
      later.isEmpty())
    return Outcome::done();
  return Outcome::refused("the reduction of " + describe(block) +
                          " is not started in the first iteration of " +
                          describe(member.loop))
      .note(offender ? offender.getOperation() : block.getOperation(),
            "a sum is corrected from the second iteration on; fuse before "
            "dividing the domain");
}

/// A complete block in between: what it stores is gone with the iteration.
static Outcome checkPointwise(FusedReduction &member, FusionPlan &plan,
                              AffineSpace &space) {
  nest::BlockOp block = member.block;
  for (const Access &access : accessesOf(block)) {
    if (!access.isWrite)
      continue;
    if (member.pointwise || access.conditional)
      return Outcome::refused(describe(block) + " has not exactly one store")
          .note(access.op, "this one");
    member.pointwise = cast<memref::StoreOp>(access.op);
  }
  Value buffer = member.pointwise ? member.pointwise.getMemRef() : Value();
  if (!buffer || !buffer.getDefiningOp())
    return Outcome::refused(describe(block) + " writes an argument")
        .note(block, "between reductions its values are not final");
  for (Operation *user : buffer.getUsers()) {
    auto other = user->getParentOfType<nest::BlockOp>();
    bool isMember = llvm::any_of(plan.members, [&](FusedReduction &each) {
      return each.block->isAncestor(user);
    });
    if (other && (!isMember || (isa<memref::StoreOp>(user) &&
                                user != member.pointwise.getOperation())))
      return Outcome::refused(describe(other) + " uses " + describe(buffer) +
                              " of " + describe(block))
          .note(other, "between reductions its values are not final; inline it "
                       "there");
  }
  return Outcome::done();
}

static Outcome checkMember(FusedReduction &member, FusionPlan &plan,
                           AffineSpace &space) {
  nest::BlockOp block = member.block;
  if (analysis::kindOf(block) == BlockKind::Complete) {
    if (Outcome outcome = checkPointwise(member, plan, space);
        !outcome.isDone())
      return outcome;
  } else if (analysis::kindOf(block) != BlockKind::Reduction ||
             !block.getInitBlock()) {
    return Outcome::refused(describe(block) + " is no reduction with init")
        .note(block, "fuse before decompose_reduction");
  }
  if (member.loop.getKind() != nest::LoopKind::Serial)
    return Outcome::refused(describe(member.loop) + " is " +
                            stringifyLoopKind(member.loop.getKind()))
        .note(member.loop, "fuse before giving loops a kind");
  AffineExpr lower = space.lowerOf(member.loop),
             extent = space.extentOf(member.loop);
  if (!lower || !extent || !AffineSpace::isFreeOfLoops(lower) ||
      !AffineSpace::isFreeOfLoops(extent) ||
      (plan.lower && (!space.isEqual(lower, plan.lower) ||
                      !space.isEqual(extent, plan.extent))))
    return Outcome::refused(describe(member.loop) +
                            " has other bounds than the first one, or bounds "
                            "that vary")
        .note(member.loop, "reductions in one pass take the same steps");
  plan.lower = lower;
  plan.extent = extent;
  if (member.pointwise)
    return Outcome::done();
  if (!feeds(member.loop, block, IteratorKind::Reduce) ||
      feeds(member.loop, block, IteratorKind::Spatial))
    return Outcome::refused(describe(member.loop) +
                            " does not feed the reduction of " +
                            describe(block) + " alone")
        .note(member.loop, "it must be the loop over the steps");
  for (nest::ForOp around : loopsAround(block))
    if (around->isProperAncestor(member.loop) &&
        feeds(around, block, IteratorKind::Reduce))
      return Outcome::refused(describe(block) + " also reduces over " +
                              describe(around) + ", outside of " +
                              describe(member.loop))
          .note(around, "reorder so that all its reduction loops are inside");
  return checkStart(member, plan, space);
}

/// What the blocks share besides the results that are corrected for.
static Outcome checkBuffers(FusionPlan &plan) {
  for (FusedReduction &member : plan.members) {
    for (Value buffer : writtenBuffers(member.block))
      for (FusedReduction &earlier : plan.members) {
        if (&earlier == &member)
          break;
        if (readsBuffer(earlier.block, buffer) ||
            writesBuffer(earlier.block, buffer))
          return Outcome::refused(describe(earlier.block) + " uses " +
                                  describe(buffer) + ", which " +
                                  describe(member.block) + " writes")
              .note(earlier.block, "it would see values of later steps");
      }
  }
  Operation *last = plan.members.back().loop;
  for (Operation *op = plan.members.front().loop; op != last;
       op = op->getNextNode()) {
    if (isa<nest::AllocOp>(op) ||
        llvm::any_of(plan.members,
                     [&](FusedReduction &member) { return member.loop == op; }))
      continue;
    SmallVector<nest::BlockOp> others = blocksIn(op);
    if (auto single = dyn_cast<nest::BlockOp>(op))
      others = {single};
    for (nest::BlockOp other : others)
      for (FusedReduction &member : plan.members)
        for (const Access &access : accessesOf(member.block))
          if (writesBuffer(other, access.buffer) ||
              (access.isWrite && readsBuffer(other, access.buffer)))
            return Outcome::refused(describe(other) +
                                    " stands between and "
                                    "uses " +
                                    describe(access.buffer) + " of " +
                                    describe(member.block))
                .note(other, "inline it into the next reduction, or move it "
                             "out from between them");
  }
  return Outcome::done();
}

/// Whether every init stores a zero into the sum.
static bool startsAtZero(FusedReduction &member) {
  for (const Access &access : accessesOf(member.block))
    if (access.inInit && access.isWrite &&
        access.buffer == member.reducer->store.getMemRef()) {
      Value stored = cast<memref::StoreOp>(access.op).getValueToStore();
      if (access.conditional || !(matchPattern(stored, m_AnyZeroFloat()) ||
                                  matchPattern(stored, m_NegZeroFloat()) ||
                                  matchPattern(stored, m_Zero())))
        return false;
    }
  return true;
}

/// Whether the mean divides by the number of all steps.
static bool dividesBySteps(const Correction &correction, FusedReduction &member,
                           FusedReduction &source, AffineSpace &space) {
  int64_t steps = 1;
  for (unsigned i = 0; i < member.block.getNumIterators(); ++i)
    if (member.block.getIteratorKind(i) == IteratorKind::Reduce) {
      std::optional<int64_t> extent = member.block.getConstantExtent(i);
      if (!extent)
        return false;
      steps *= *extent;
    }
  FloatAttr number;
  for (Value operand : correction.op->getOperands())
    if (operand.getDefiningOp() && matchPattern(operand, m_Constant(&number))) {
      APFloat want(number.getValue().getSemantics(), steps);
      if (isa<arith::MulFOp>(correction.op)) {
        APFloat one(want.getSemantics(), 1);
        one.divide(want, APFloat::rmNearestTiesToEven);
        want = one;
      }
      return number.getValue() == want && source.stepsBefore &&
             member.stepsBefore && source.stepsBefore == member.stepsBefore;
    }
  return false;
}

/// The elements that `load` reads are made in the same iteration by `source`.
static Outcome checkElements(FusedReduction &member, FusedReduction &source,
                             memref::LoadOp load, AffineSpace &space) {
  Value buffer = load.getMemRef();
  std::optional<Box> had = writeBox(source.loop, buffer, space),
                     needed = readBox(member.loop, buffer, space);
  for (AffineExpr &lower : needed->lower)
    lower =
        AffineSpace::substitute(lower, space.of(member.loop.getInductionVar()),
                                space.of(source.loop.getInductionVar()));
  if (had->dense && contains(*had, *needed, space))
    return Outcome::done();
  return Outcome::refused(describe(member.block) +
                          " may read other elements of " + describe(buffer) +
                          " than " + describe(source.block) + " makes in " +
                          describe(source.loop))
      .note(load, "a correction needs their values in each iteration");
}

/// Adds the correction of `member` for what `load` reads of `source`.
static Outcome addCorrection(FusedReduction &member, FusedReduction &source,
                             memref::LoadOp load, const Pointwise *through,
                             AffineSpace &space) {
  if (!member.reducer)
    return Outcome::refused("the update of " + describe(member.block) +
                            " is no known operation")
        .note(member.block, "only sums can be corrected");
  Result<Correction> correction =
      correctionOf(*member.reducer, member.block, load, source.block, through);
  if (!correction)
    return correction.getOutcome();
  if (correction->counts() && !member.stepsBefore)
    return Outcome::refused("the steps of " + describe(member.block) +
                            " cannot be counted")
        .note(member.block, "its correction is a multiple of their number; "
                            "fuse before cutting or skewing loops");
  if (correction->form != Correction::Form::Shift && !startsAtZero(member))
    return Outcome::refused(describe(member.block) + " does not start at 0")
        .note(member.block, "what it starts with would be rescaled");
  if (correction->form == Correction::Form::Center &&
      !dividesBySteps(*correction, member, source, space))
    return Outcome::refused("the mean in " + describe(member.block) +
                            " is not the sum over the number of steps")
        .note(correction->op, "of constant extent");
  member.corrections.push_back(*correction);
  return Outcome::done();
}

/// Finds how each use of an earlier result is corrected.
static Outcome checkUses(FusedReduction &member, FusionPlan &plan,
                         AffineSpace &space) {
  for (const Access &access : accessesOf(member.block)) {
    FusedReduction *source = plan.memberWriting(access.buffer, &member);
    if (!source)
      continue;
    auto load = cast<memref::LoadOp>(access.op);
    if (access.inInit)
      return Outcome::refused("the init of " + describe(member.block) +
                              " reads " + describe(access.buffer))
          .note(load, "which is not finished in the first iteration");
    if (!member.pointwise && !source->pointwise)
      if (Outcome outcome =
              addCorrection(member, *source, load, nullptr, space);
          !outcome.isDone())
        return outcome;
    if (Outcome outcome = checkElements(member, *source, load, space);
        !outcome.isDone())
      return outcome;
    if (!source->pointwise)
      continue;
    if (member.pointwise)
      return Outcome::refused(describe(member.block) + " reads what " +
                              describe(source->block) + " makes")
          .note(source->block, "inline it first");
    // What the pointwise block was made of.
    Pointwise between{source->block, source->pointwise, load};
    for (const Access &inner : accessesOf(source->block))
      if (FusedReduction *first = plan.memberWriting(inner.buffer, source);
          first && !inner.isWrite)
        if (Outcome outcome =
                addCorrection(member, *first, cast<memref::LoadOp>(inner.op),
                              &between, space);
            !outcome.isDone())
          return outcome;
  }
  return Outcome::done();
}

/// Whether `member` can be a part of the block of `first`.
static bool joins(FusedReduction &first, FusedReduction &member,
                  AffineSpace &space) {
  nest::BlockOp a = first.block, b = member.block;
  auto inside = [](FusedReduction &m) {
    return m.block->getParentOp() == m.loop.getOperation();
  };
  if (!inside(first) || !inside(member) || !first.reducer || !member.reducer ||
      a.getKinds() != b.getKinds() ||
      first.form.extents != member.form.extents ||
      first.form.constraints.size() != member.form.constraints.size())
    return false;
  auto same = [&](AffineExpr x, AffineExpr y) {
    return space.isEqual(
        x, AffineSpace::substitute(y, space.of(member.loop.getInductionVar()),
                                   space.of(first.loop.getInductionVar())));
  };
  for (auto [x, y] : llvm::zip_equal(first.form.bindings, member.form.bindings))
    if (!same(x, y))
      return false;
  for (auto [x, y] :
       llvm::zip_equal(first.form.constraints, member.form.constraints))
    if (x.equal != y.equal || !same(x.expr, y.expr))
      return false;
  return true;
}

/// Whether blocks that correct can be given the spatial loops of `member`.
static Outcome checkSpatialLoops(FusedReduction &member, AffineSpace &space) {
  nest::BlockOp block = member.block;
  Loops copied;
  llvm::SmallDenseSet<AffineExpr> dropped;
  for (nest::ForOp around : loopsAround(block)) {
    if (!member.loop->isAncestor(around))
      continue;
    AffineExpr var = space.of(around.getInductionVar());
    if (around == member.loop || !feeds(around, block, IteratorKind::Spatial)) {
      if (around != member.loop)
        dropped.insert(var);
      continue;
    }
    if (feeds(around, block, IteratorKind::Reduce))
      return Outcome::refused(describe(around) +
                              " feeds spatial and reduce iterators")
          .note(around, "split it first");
    for (Value operand : around->getOperands())
      if (!nest::isSize(operand) && dropped.contains(space.of(operand)))
        return Outcome::refused("the bounds of " + describe(around) +
                                " depend on a reduction loop")
            .note(around, "the correction has no such loop");
    copied.push_back(around);
  }
  SmallVector<AffineExpr> spatial;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (block.getIteratorKind(i) == IteratorKind::Spatial)
      spatial.push_back(member.form.bindings[i]);
  if (!copied.empty() && !tellByStrides(block, copied, copied, space) &&
      !tellsApart(spatial, block, copied, space))
    return Outcome::refused("the loops of " + describe(block) +
                            " come back to an element")
        .note(block, "it would be corrected twice");
  for (const BlockForm::Constraint &constraint : member.form.constraints) {
    bool usesReduce = false, usesOther = false;
    constraint.expr.walk([&](AffineExpr e) {
      auto dim = dyn_cast<AffineDimExpr>(e);
      if (!dim)
        return;
      nest::ForOp loop = space.getLoop(dim);
      (feeds(loop, block, IteratorKind::Reduce) ? usesReduce : usesOther) =
          true;
    });
    if (usesReduce && usesOther &&
        !followsFromDomain(member.form, constraint, space))
      return Outcome::refused("the predicate of " + describe(block) +
                              " mixes spatial and reduce loops")
          .note(block, "it cannot be said what to correct");
  }
  return Outcome::done();
}

Outcome sched::planFusion(ArrayRef<nest::BlockOp> blocks, nest::ForOp loop,
                          AffineSpace &space, FusionPlan &plan) {
  plan.loop = loop;
  if (blocks.size() < 2)
    return Outcome::refused("fuse_reductions takes two reductions or more")
        .note(loop, "at this loop");
  Operation *parent = loop->getParentOp();
  for (nest::BlockOp block : blocks) {
    auto child = dyn_cast_or_null<nest::ForOp>(parent->isProperAncestor(block)
                                                   ? childHolding(parent, block)
                                                   : nullptr);
    if (!child)
      return Outcome::refused(describe(block) + " has no loop beside " +
                              describe(loop))
          .note(block, "bring the reductions under the same loops with merge, "
                       "compute_at or reorder");
    if (blocksIn(child).size() != 1)
      return Outcome::refused(describe(child) + " holds " +
                              Twine(blocksIn(child).size()) + " blocks")
          .note(child, "fuse before moving blocks together");
    if (llvm::any_of(plan.members, [&](FusedReduction &other) {
          return other.block == block;
        }))
      return Outcome::refused(describe(block) + " is named twice")
          .note(block, "this block");
    FusedReduction member;
    member.block = block;
    member.loop = child;
    member.form = BlockForm::of(block, space);
    member.reducer = reducerOf(block);
    plan.members.push_back(std::move(member));
  }
  if (llvm::none_of(plan.members, [&](FusedReduction &member) {
        return member.loop == loop;
      }))
    return Outcome::refused(describe(loop) + " holds none of the reductions")
        .note(loop, "name the reduction loop of one of them");
  llvm::sort(plan.members,
             [](const FusedReduction &a, const FusedReduction &b) {
               return nest::ForOp(a.loop)->isBeforeInBlock(b.loop);
             });
  for (FusedReduction &member : plan.members)
    if (Outcome outcome = checkMember(member, plan, space); !outcome.isDone())
      return outcome;
  if (Outcome outcome = checkBuffers(plan); !outcome.isDone())
    return outcome;
  for (FusedReduction &member : plan.members)
    member.stepsBefore = countSteps(member, space);
  for (size_t i = 1; i < plan.members.size(); ++i) {
    FusedReduction &member = plan.members[i];
    // The counts of both are compared in one variable.
    if (member.stepsBefore)
      member.stepsBefore = AffineSpace::substitute(
          member.stepsBefore, space.of(member.loop.getInductionVar()),
          space.of(plan.members[0].loop.getInductionVar()));
  }
  bool joined = true;
  for (size_t i = 1; i < plan.members.size(); ++i) {
    FusedReduction &member = plan.members[i];
    if (Outcome outcome = checkUses(member, plan, space); !outcome.isDone())
      return outcome;
    joined &= joins(plan.members.front(), member, space);
    if (joined) {
      plan.numJoined = i + 1;
      continue;
    }
    for (const Correction &correction : member.corrections) {
      if (correction.form == Correction::Form::Center)
        return Outcome::refused(describe(member.block) + " and " +
                                describe(correction.source) +
                                " do not have the same loops")
            .note(member.block, "a variance joins its mean in one block only; "
                                "fuse before splitting the reduction");
      for (FusedReduction &source : plan.members)
        if (source.block == correction.source)
          if (Outcome outcome = checkSpatialLoops(source, space);
              !outcome.isDone())
            return outcome;
    }
    if (!member.corrections.empty())
      if (Outcome outcome = checkSpatialLoops(member, space); !outcome.isDone())
        return outcome;
  }
  return Outcome::done();
}
