//===- FuseReductions.cpp - fuse_reductions -------------------------------===//
//
//   for k { m = max(m, x[k]) }   for k { s += exp(x[k] - m) }
//                                               ==> fuse_reductions m, s at k
//   for k { m1 = max(m, x[k]);  s = s * exp(m - m1) + exp(x[k] - m1);  m = m1 }
//
// The loops become one. Blocks right in their loops over the same iterators
// become one block with all accumulators; its init starts them all. Blocks with
// loops of their own stay blocks, and correction blocks come between; so do
// pointwise blocks of the list, whose values then live for one iteration:
//
//   for k { for l { m max= x[k, l] } }
//   for k { for j { for l { o[j] += exp(x[k, l] - m) * v[k, l, j] } } }
//   ==>
//   for k { m0 = m                    where k > 0
//           for l { m max= x[k, l] }
//           f = exp(m0 - m)           where k > 0
//           for j { o[j] = o[j] * f   where k > 0 }
//           for j { for l { o[j] += exp(x[k, l] - m) * v[k, l, j] } } }
//
// Legal when the loops are beside each other and equal, what stands between
// them has nothing to do with the blocks, each reduction is started in the
// first iteration, and every use of an earlier result has a correction
// (Corrections.h) and reads what the earlier block has touched in the same
// iteration.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../FusionPlan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

using nest::IteratorKind;

//===----------------------------------------------------------------------===//
// One block
//===----------------------------------------------------------------------===//

/// Makes one block of the first members: the first one's, with the others'
/// bodies between its update and its stores.
static void join(RewriterBase &rewriter, FusionPlan &plan, AffineSpace &space) {
  auto members =
      MutableArrayRef<FusedReduction>(plan.members).take_front(plan.numJoined);
  if (members.size() < 2)
    return;
  nest::BlockOp into = members.front().block;
  Location loc = into.getLoc();
  nest::FuncOp func = space.getFunc();
  OpBuilder::InsertionGuard guard(rewriter);
  Block *body = into.getBodyBlock();
  // Buffer => value before and after this step.
  llvm::DenseMap<Value, std::pair<Value, Value>> states;
  memref::StoreOp firstStore = members.front().reducer->store;
  memref::LoadOp firstLoad = members.front().reducer->load;
  states[firstStore.getMemRef()] = {firstLoad.getResult(),
                                    firstStore.getValueToStore()};
  // The number of steps before this one.
  auto countAt = [&](FusedReduction &member) {
    AffineExpr count = space.constant(0);
    AffineExpr var = space.of(plan.members.front().loop.getInductionVar());
    for (unsigned i = 0; i < into.getNumIterators(); ++i)
      if (into.getIteratorKind(i) == IteratorKind::Reduce &&
          AffineSpace::uses(members.front().form.bindings[i], var))
        count = getAffineDimExpr(i, space.getContext());
    return emitIndex(rewriter, loc, count, body->getArguments(), func);
  };
  for (FusedReduction &member : members.drop_front()) {
    nest::BlockOp from = member.block;
    IRMapping inits, mapping;
    inits.map(from.getInitBlock()->getArguments(),
              into.getInitBlock()->getArguments());
    rewriter.setInsertionPoint(into.getInitBlock()->getTerminator());
    for (Operation &op : from.getInitBlock()->without_terminator())
      rewriter.clone(op, inits);
    mapping.map(from.getBodyBlock()->getArguments(), body->getArguments());
    rewriter.setInsertionPoint(body->getTerminator());
    memref::StoreOp store = member.reducer->store;
    memref::LoadOp own = member.reducer->load;
    for (Operation &op : from.getBodyBlock()->without_terminator()) {
      auto correction =
          llvm::find_if(member.corrections,
                        [&](const Correction &c) { return c.load == &op; });
      if (correction != member.corrections.end()) {
        mapping.map(op.getResult(0), states.at(correction->getBuffer()).second);
        continue;
      }
      auto mean = llvm::find_if(member.corrections, [&](const Correction &c) {
        return c.form == Correction::Form::Center && c.op == &op;
      });
      if (mean != member.corrections.end()) {
        Value count = countAt(member);
        Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
        Value now = arith::AddIOp::create(rewriter, loc, count, one);
        now = toNumber(rewriter, loc, now, op.getResult(0).getType());
        mapping.map(op.getResult(0),
                    arith::DivFOp::create(
                        rewriter, loc, states.at(mean->getBuffer()).second, now)
                        .getResult());
        continue;
      }
      if (&op == store.getOperation()) {
        Value stored = mapping.lookupOrDefault(store.getValueToStore());
        states[store.getMemRef()].second = stored;
        rewriter.clone(op, mapping);
        continue;
      }
      Operation *copy = rewriter.clone(op, mapping);
      if (&op != own.getOperation())
        continue;
      // The accumulator, carried over to the new results before it is used.
      Value old = copy->getResult(0), acc = old;
      for (const Correction &c : member.corrections) {
        auto [before, now] = states.at(c.getBuffer());
        Value count = c.counts() ? countAt(member) : Value();
        if (c.form == Correction::Form::Center) {
          Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
          Value next = arith::AddIOp::create(rewriter, loc, count, one);
          Value some = arith::MaxSIOp::create(rewriter, loc, count, one);
          before = arith::DivFOp::create(
              rewriter, loc, before,
              toNumber(rewriter, loc, some, acc.getType()));
          now = arith::DivFOp::create(
              rewriter, loc, now, toNumber(rewriter, loc, next, acc.getType()));
        }
        acc = c.apply(rewriter, loc, acc, before,
                      c.step(rewriter, loc, before, now), count);
      }
      mapping.map(own.getResult(), acc);
      states[store.getMemRef()].first = old;
    }
    rewriter.eraseOp(from);
  }
  eraseDeadIndices(rewriter, into);
}

//===----------------------------------------------------------------------===//
// Blocks between
//===----------------------------------------------------------------------===//

namespace {
/// A block that runs once an iteration, from the second one on, over the
/// spatial loops of a member.
struct StepBlock {
  nest::BlockOp block;
  /// Values for the member's iterators (null for reduce iterators), then the
  /// number of the iteration.
  SmallVector<Value> iterators;
};
} // namespace

static StepBlock makeStepBlock(RewriterBase &rewriter, FusedReduction &like,
                               FusionPlan &plan, Operation *before,
                               StringRef name, AffineSpace &space) {
  nest::BlockOp model = like.block;
  Location loc = model.getLoc();
  rewriter.setInsertionPoint(before);
  llvm::DenseMap<AffineExpr, AffineExpr> table;
  IRMapping mapping;
  for (nest::ForOp around : loopsAround(model)) {
    if (!plan.loop->isProperAncestor(around) ||
        !feeds(around, model, IteratorKind::Spatial))
      continue;
    auto copy = cast<nest::ForOp>(
        rewriter.cloneWithoutRegions(*around.getOperation(), mapping));
    rewriter.createBlock(&copy.getBody(), {}, rewriter.getIndexType(), loc);
    nest::YieldOp::create(rewriter, loc);
    rewriter.setInsertionPointToStart(copy.getBodyBlock());
    mapping.map(around.getInductionVar(), copy.getInductionVar());
    table[space.of(around.getInductionVar())] =
        space.of(copy.getInductionVar());
  }
  BlockForm old = BlockForm::of(model, space), form;
  SmallVector<IteratorKind> kinds;
  for (unsigned i = 0; i < model.getNumIterators(); ++i) {
    if (model.getIteratorKind(i) != IteratorKind::Spatial)
      continue;
    kinds.push_back(IteratorKind::Spatial);
    form.bindings.push_back(old.bindings[i].replace(table));
    form.extents.push_back(old.extents[i]);
  }
  AffineExpr number =
      space.canonical(space.of(plan.loop.getInductionVar()) - plan.lower);
  kinds.push_back(IteratorKind::Ordered);
  form.bindings.push_back(number);
  form.extents.push_back(plan.extent);
  for (const BlockForm::Constraint &constraint : old.constraints) {
    bool usesReduce = false;
    constraint.expr.walk([&](AffineExpr e) {
      if (auto dim = dyn_cast<AffineDimExpr>(e))
        usesReduce |= feeds(space.getLoop(dim), model, IteratorKind::Reduce);
    });
    if (!usesReduce)
      form.constraints.push_back(
          {constraint.expr.replace(table), constraint.equal});
  }
  form.constraints.push_back({space.canonical(number - 1), false});
  SmallVector<AffineExpr> zeros(kinds.size(), space.constant(0));
  AffineMap placeholder = AffineMap::get(0, 0, zeros, rewriter.getContext());
  StepBlock made;
  made.block = nest::BlockOp::create(
      rewriter, loc, uniqueBlockName(space.getFunc(), name), kinds, placeholder,
      placeholder, ValueRange());
  form.write(made.block, space);
  unsigned next = 0;
  for (unsigned i = 0; i < model.getNumIterators(); ++i)
    made.iterators.push_back(model.getIteratorKind(i) == IteratorKind::Spatial
                                 ? Value(made.block.getIterator(next++))
                                 : Value());
  made.iterators.push_back(made.block.getIterator(next));
  rewriter.setInsertionPointToStart(made.block.getBodyBlock());
  return made;
}

/// The indices of an access, for the iterators of a step block.
static SmallVector<Value> emitIndices(RewriterBase &rewriter,
                                      ValueRange indices, nest::BlockOp of,
                                      const StepBlock &at, nest::FuncOp func) {
  SmallVector<Value> result;
  for (Value index : indices)
    result.push_back(emitIndex(rewriter, of.getLoc(), indexExpr(index, of),
                               at.iterators, func));
  return result;
}

static Value allocLike(RewriterBase &rewriter, Value buffer, Location loc,
                       AffineSpace &space) {
  OpBuilder::InsertionGuard guard(rewriter);
  // It lives where the other one does.
  if (Operation *alloc = buffer.getDefiningOp())
    rewriter.setInsertionPoint(alloc);
  else
    rewriter.setInsertionPointToStart(&space.getFunc().getBody().front());
  auto old = cast<MemRefType>(buffer.getType());
  auto type = MemRefType::get(old.getShape(), old.getElementType());
  SmallVector<Value> operands;
  AffineMap map = space.exportMap(space.shapeOf(buffer), operands);
  return nest::AllocOp::create(rewriter, loc, type, operands,
                               type.hasStaticShape() ? AffineMapAttr()
                                                     : AffineMapAttr::get(map));
}

namespace {
/// The blocks that look after one source: its old values, what they differ by.
struct Watched {
  Correction like;
  Value olds, steps;
  nest::BlockOp block;
};

/// Emits the blocks between.
class Corrector {
public:
  Corrector(RewriterBase &rewriter, FusionPlan &plan, AffineSpace &space)
      : rewriter(rewriter), plan(plan), space(space) {}

  nest::BlockOp correct(FusedReduction &member, const Correction &correction);

private:
  const Watched &watch(const Correction &correction);

  RewriterBase &rewriter;
  FusionPlan &plan;
  AffineSpace &space;
  SmallVector<Watched> watched;
};
} // namespace

/// Saves the source's values before its steps of an iteration and takes the
/// difference after them, once for all that follow in the same way.
const Watched &Corrector::watch(const Correction &correction) {
  Value buffer = correction.getBuffer();
  for (const Watched &old : watched)
    if (old.like.getBuffer() == buffer && old.like.form == correction.form &&
        old.like.negated == correction.negated &&
        (!correction.op || old.like.op->getName() == correction.op->getName()))
      return old;
  FusedReduction &source =
      *llvm::find_if(plan.members, [&](const FusedReduction &member) {
        return member.block == correction.source;
      });
  nest::BlockOp made = source.block;
  Location loc = made.getLoc();
  Watched now{correction,
              allocLike(rewriter, buffer, loc, space),
              allocLike(rewriter, buffer, loc, space),
              {}};
  SmallVector<Value> written;
  for (const Access &access : accessesOf(made))
    if (access.isWrite && !access.inInit && access.buffer == buffer)
      written.assign(access.getIndexValues().begin(),
                     access.getIndexValues().end());
  auto at = [&](const StepBlock &step) {
    return emitIndices(rewriter, written, made, step, space.getFunc());
  };
  StringRef base = made.getName();
  StepBlock save = makeStepBlock(rewriter, source, plan, source.begin,
                                 (base + "_old").str(), space);
  SmallVector<Value> indices = at(save);
  Value value = memref::LoadOp::create(rewriter, loc, buffer, indices);
  memref::StoreOp::create(rewriter, loc, value, now.olds, indices);
  StepBlock step =
      makeStepBlock(rewriter, source, plan, source.end->getNextNode(),
                    (base + "_step").str(), space);
  indices = at(step);
  Value before = memref::LoadOp::create(rewriter, loc, now.olds, indices),
        after = memref::LoadOp::create(rewriter, loc, buffer, indices);
  memref::StoreOp::create(rewriter, loc,
                          correction.step(rewriter, loc, before, after),
                          now.steps, indices);
  now.block = step.block;
  return watched.emplace_back(now);
}

/// Applies a difference to the sums of `member` before its own steps.
nest::BlockOp Corrector::correct(FusedReduction &member,
                                 const Correction &correction) {
  OpBuilder::InsertionGuard guard(rewriter);
  nest::FuncOp func = space.getFunc();
  const Watched &source = watch(correction);
  nest::BlockOp sum = member.block;
  Location loc = sum.getLoc();
  bool isFirst = member.begin == childHolding(plan.loop, sum);
  StepBlock fix =
      makeStepBlock(rewriter, member, plan, childHolding(plan.loop, sum),
                    (sum.getName() + "_fix").str(), space);
  if (isFirst)
    member.begin = childHolding(plan.loop, fix.block);
  memref::StoreOp store = member.reducer->store;
  SmallVector<Value> into =
      emitIndices(rewriter, store.getIndices(), sum, fix, func);
  SmallVector<Value> from;
  for (AffineExpr index : correction.indices)
    from.push_back(emitIndex(rewriter, loc, index, fix.iterators, func));
  Value acc = memref::LoadOp::create(rewriter, loc, store.getMemRef(), into);
  Value old, count;
  Value step = memref::LoadOp::create(rewriter, loc, source.steps, from);
  if (correction.counts()) {
    AffineExpr var = space.of(plan.loop.getInductionVar()),
               number =
                   getAffineDimExpr(sum.getNumIterators(), space.getContext());
    count = emitIndex(
        rewriter, loc,
        AffineSpace::substitute(member.stepsBefore, var, number + plan.lower),
        fix.iterators, func);
  } else {
    old = memref::LoadOp::create(rewriter, loc, source.olds, from);
  }
  acc = correction.apply(rewriter, loc, acc, old, step, count);
  memref::StoreOp::create(rewriter, loc, acc, store.getMemRef(), into);
  eraseDeadIndices(rewriter, fix.block);
  return source.block;
}

//===----------------------------------------------------------------------===//
// fuse_reductions
//===----------------------------------------------------------------------===//

Result<nest::BlockOp> sched::fuseReductions(RewriterBase &rewriter,
                                            ArrayRef<nest::BlockOp> blocks,
                                            nest::ForOp loop) {
  AffineSpace space(funcOf(loop));
  FusionPlan plan;
  if (Outcome outcome = planFusion(blocks, loop, space, plan);
      !outcome.isDone())
    return outcome;
  // One loop with all bodies, at the place of the last one.
  Operation *last = plan.members.back().loop;
  if (last != loop)
    rewriter.moveOpAfter(loop, last);
  AffineExpr var = space.of(loop.getInductionVar()),
             counted = space.of(plan.members[0].loop.getInductionVar());
  Operation *end = loop.getBodyBlock()->getTerminator();
  SmallVector<SmallVector<Operation *>> bodies;
  for (FusedReduction &member : plan.members)
    bodies.emplace_back(llvm::make_pointer_range(
        member.loop.getBodyBlock()->without_terminator()));
  for (auto [member, body] : llvm::zip_equal(plan.members, bodies)) {
    nest::ForOp old = member.loop;
    for (Operation *op : body) {
      rewriter.moveOpBefore(op, end);
      if (old != loop)
        replaceVariables(rewriter, op, {{space.of(old.getInductionVar()), var}},
                         space);
    }
    if (member.stepsBefore)
      member.stepsBefore =
          AffineSpace::substitute(member.stepsBefore, counted, var);
    member.form = BlockForm::of(member.block, space);
    member.begin = member.end = childHolding(loop, member.block);
  }
  // The space knows loops by their variables: the old ones stay till the end.
  Loops emptied;
  for (FusedReduction &member : plan.members) {
    if (member.loop != loop)
      emptied.push_back(member.loop);
    member.loop = loop;
  }
  // A joined block runs where the first of its parts does.
  for (FusedReduction &member : MutableArrayRef<FusedReduction>(plan.members)
                                    .take_front(plan.numJoined)) {
    member.begin = plan.members[0].begin;
    member.end = plan.members[plan.numJoined - 1].end;
  }

  nest::BlockOp fused = plan.members.front().block;
  // Sums that follow what an earlier block made, before blocks are joined.
  nest::BlockOp between;
  Corrector corrector(rewriter, plan, space);
  for (size_t i = plan.numJoined; i < plan.members.size(); ++i)
    for (const Correction &correction : plan.members[i].corrections)
      between = corrector.correct(plan.members[i], correction);
  join(rewriter, plan, space);
  for (nest::ForOp old : emptied)
    rewriter.eraseOp(old);
  return plan.numJoined > 1 || !between ? fused : between;
}

Outcome FuseReductionsOp::run(Invocation &at) {
  return at.call(sched::fuseReductions, getBlocks(), getLoop());
}

NESTOR_PRIMITIVE(fuse_reductions) = {
    .name = "fuse_reductions",
    .family = "reduction",
    .does = "Runs reductions that need each other's results in one pass.",
    .law =
        "The loops are beside each other and equal, each reduction starts in "
        "the first iteration, and what a later one makes of an earlier "
        "result can be carried over when that result changes.",
    .refuses =
        "fewer than two reductions, or one named twice\n"
        "a block that has no loop beside the given one, or a loop that holds "
        "none of them or several blocks\n"
        "blocks that are no reductions with init, or start elsewhere\n"
        "loops of other bounds, of a kind, or that feed spatial iterators; "
        "reduction loops outside\n"
        "a block in between that has to do with them\n"
        "a use of a result that no correction is known for, also in an init, "
        "or "
        "at elements that are not made in the same iteration\n"
        "sums that do not start at 0 and steps that cannot be counted, where "
        "the correction needs that\n"
        "loops in which it cannot be said once for each element what to "
        "correct",
    .syntax = "FUSED = fuse_reductions %block... at %loop",
    .notes =
        "Corrections are known for sums of `e - m` (shifted, n times), of "
        "`exp(e - m) * v` with m the maximum of e (scaled; online softmax, "
        "Milakov and Gimelshein, 2018) and of `(e - s / n)^2` with s the sum "
        "of "
        "e (Welford, 1962). Blocks right in their loops become one block with "
        "several accumulators, the result. Blocks with loops of their own "
        "stay, "
        "and blocks that save, compare and correct come between; the result is "
        "the one that compares. Split all loops into tiles first and tiles are "
        "corrected once (FlashAttention).",
    .before = R"(
nest.func @softmax(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    nest.for %k = 0 to 10 {
      nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
        %z = arith.constant 0xFF800000 : f32
        memref.store %z, %M[%v] : memref<4xf32>
      } {
        %x = memref.load %X[%v, %vk] : memref<4x10xf32>
        %m = memref.load %M[%v] : memref<4xf32>
        %r = arith.maximumf %m, %x : f32
        memref.store %r, %M[%v] : memref<4xf32>
      }
    }
    nest.for %k = 0 to 10 {
      nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
        %z = arith.constant 0.0 : f32
        memref.store %z, %S[%v] : memref<4xf32>
      } {
        %x = memref.load %X[%v, %vk] : memref<4x10xf32>
        %m = memref.load %M[%v] : memref<4xf32>
        %d = arith.subf %x, %m : f32
        %e = math.exp %d : f32
        %s = memref.load %S[%v] : memref<4xf32>
        %r = arith.addf %s, %e : f32
        memref.store %r, %S[%v] : memref<4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%max = get_block "max" in %root
%sum = get_block "sum" in %root
%i, %k = get_loops %sum : 2
%both = fuse_reductions %max, %sum at %k
)",
};
