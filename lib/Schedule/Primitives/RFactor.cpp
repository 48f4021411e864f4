//===- RFactor.cpp - rfactor ----------------------------------------------===//
//
//   for k { for l { S += f(k, l) } }   ==> rfactor l
//   for k { for l { R[l] (+)= f(k, l) } };  for l { S (+)= R[l] }
//
// `l` becomes a spatial iterator of the first block; the other reduction loops
// become its reduce iterators, and the old ones are computed from them in the
// body. The second block keeps the name and the init. Tuples (argmax, Welford)
// have a buffer of parts for each component, and states are merged.
//
// Where the predicate may skip the first step of a part, which would run its
// init, the parts are started by a block of their own in front.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Points.h"
#include "../Rewrite.h"

#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/Reducers.h"
#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

using nest::IteratorKind;

namespace {
/// Whether `extent` is at least 1 for all sizes that are.
static bool alwaysRuns(AffineExpr extent, AffineSpace &space) {
  InstanceSet set(space);
  set.addNonNegative(set.row(-extent, 0));
  for (unsigned symbol = 0; symbol < space.getNumSymbols(); ++symbol)
    set.addNonNegative(
        set.row(getAffineSymbolExpr(symbol, space.getContext()) - 1, 0));
  return set.isEmpty();
}

/// Everything that the rewrite needs, gathered while checking.
struct Plan {
  nest::BlockOp block;
  TupleReducer reducer;
  int64_t axis = 0;
  /// Parts may lack their first step: they are started in front.
  bool startsApart = false;
  BlockForm form;
  Loops around, reduceLoops;
  nest::ForOp outermostReduce;
  SmallVector<int> plain; // the indices of the accumulators
};
} // namespace

static Outcome check(nest::ForOp loop, int64_t axis, AffineSpace &space,
                     Plan &plan) {
  SmallVector<nest::BlockOp> blocks = blocksIn(loop);
  if (blocks.size() != 1)
    return Outcome::refused(describe(loop) + " holds " + Twine(blocks.size()) +
                            " blocks")
        .note(loop, "rfactor a loop that holds its reduction only");
  plan.block = blocks.front();
  nest::BlockOp block = plan.block;
  if (analysis::kindOf(block) != BlockKind::Reduction || !block.getInitBlock())
    return Outcome::refused(describe(block) + " is no reduction with init")
        .note(block, "rfactor before decompose_reduction");
  std::optional<TupleReducer> reducer = tupleReducerOf(block);
  if (!reducer)
    return Outcome::refused("the update of " + describe(block) +
                            " is no known associative operation")
        .note(block, "its parts could not be combined");
  plan.reducer = *reducer;
  plan.form = BlockForm::of(block, space);
  plan.around = loopsAround(block);
  for (nest::ForOp around : plan.around) {
    if (!feeds(around, block, IteratorKind::Reduce)) {
      if (around == loop)
        return Outcome::refused(describe(loop) + " feeds no reduce iterator")
            .note(loop, "only reduction loops can be factored");
      continue;
    }
    if (feeds(around, block, IteratorKind::Spatial))
      return Outcome::refused(describe(around) +
                              " feeds spatial and reduce iterators")
          .note(around, "split it first");
    if (space.lowerOf(around) != space.constant(0) || !space.extentOf(around) ||
        !AffineSpace::isFreeOfLoops(space.extentOf(around)))
      return Outcome::refused(describe(around) + " is not rectangular")
          .note(around, "this loop");
    if (!alwaysRuns(space.extentOf(around), space))
      return Outcome::refused(
                 describe(around) +
                 " may run not even once where the sizes are not 0")
          .note(around, "parts of the sum would have no value; rfactor before "
                        "cutting the loop");
    plan.reduceLoops.push_back(around);
  }
  plan.outermostReduce = plan.reduceLoops.front();
  if (blocksIn(plan.outermostReduce).size() != 1)
    return Outcome::refused(describe(plan.outermostReduce) +
                            " holds other blocks than " + describe(block))
        .note(plan.outermostReduce, "rfactor before moving blocks together");
  nest::ForOp offender;
  if (!startsInside(block, plan.outermostReduce->getParentOp(), space,
                    offender))
    return Outcome::refused("the first step of the reduction of " +
                            describe(block) + " may not be inside " +
                            describe(plan.outermostReduce))
        .note(offender ? offender.getOperation() : block.getOperation(),
              "another loop starts the reduction, and the combined parts would "
              "start it anew; factor before dividing its domain");
  // Spatial loops inside are run through again, without the reduction.
  for (nest::ForOp around : plan.around)
    if (plan.outermostReduce->isProperAncestor(around))
      for (Value operand : around->getOperands())
        for (nest::ForOp reduce : plan.reduceLoops)
          if (operand == reduce.getInductionVar())
            return Outcome::refused("the bounds of " + describe(around) +
                                    " depend on a reduction loop")
                .note(around, "the parts are combined without it; reorder "
                              "before, so that it is outside");
  // Parts in another order than their steps have to be equally good.
  if (!plan.reducer.commutative && loop != plan.outermostReduce)
    return Outcome::refused("the steps of " + describe(block) +
                            " may not change places")
        .note(loop, "parts of the outermost reduction loop, " +
                        describe(plan.outermostReduce) +
                        ", would keep their order; or give it a rule for equal "
                        "values");
  // The init of a part happens at its first step.
  llvm::DenseMap<AffineExpr, AffineExpr> first;
  for (nest::ForOp around : plan.reduceLoops)
    if (around != loop)
      first[space.of(around.getInductionVar())] = space.constant(0);
  AffineExpr lane = space.of(loop.getInductionVar());
  for (const BlockForm::Constraint &constraint : plan.form.constraints) {
    AffineExpr start = constraint.expr.replace(first);
    bool usesReduce =
        start != constraint.expr || AffineSpace::uses(start, lane);
    if (!usesReduce || (!constraint.equal && space.isNonNegative(start)))
      continue;
    AffineExpr all = AffineSpace::substitute(start, lane, space.constant(0));
    if (constraint.equal || !space.isNonNegative(all))
      return Outcome::refused("the predicate of " + describe(block) +
                              " can skip the first step of all")
          .note(block, "the reduction is started there; split the reduction by "
                       "a factor that divides it, or factor an inner loop");
    plan.startsApart = true;
  }
  SmallVector<AffineExpr> indices;
  for (Value index : plan.reducer.stores.front().getIndices())
    indices.push_back(indexExpr(index, block));
  std::optional<SmallVector<int>> plain = plainIndices(indices);
  if (!plain)
    return Outcome::refused(describe(block) +
                            " accumulates at something else than its own "
                            "iterators")
        .note(plan.reducer.stores.front(), "this store");
  plan.plain = *plain;
  for (const Access &access : accessesOf(block))
    if (writesBuffer(block, access.buffer) && !access.inInit &&
        !plan.reducer.accumulates(access.op))
      return Outcome::refused(describe(block) +
                              " reads its accumulator in another place")
          .note(access.op, "this access");
  plan.axis = axis < 0 ? axis + int64_t(indices.size()) + 1 : axis;
  if (plan.axis < 0 || plan.axis > int64_t(indices.size()))
    return Outcome::refused("there is no axis " + Twine(axis) +
                            " to insert into " + Twine(indices.size()) +
                            " dims")
        .note(loop, "of the accumulator");
  return Outcome::done();
}

/// The block that combines the parts: a copy of `block`'s init, and
/// T[...] = combine(T[...], R[..., l]).
static void makeFinal(RewriterBase &rewriter, Plan &plan, nest::ForOp loop,
                      ValueRange parts, AffineSpace &space) {
  nest::BlockOp block = plan.block;
  Location loc = block.getLoc();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfter(plan.outermostReduce);
  llvm::DenseMap<AffineExpr, AffineExpr> table;
  auto nestLoop = [&](AffineExpr extent) {
    nest::ForOp made = makeLoop(rewriter, loc, extent, space);
    rewriter.setInsertionPoint(made.getBodyBlock()->getTerminator());
    return made;
  };
  // Spatial loops inside of the reduction are run through again.
  for (nest::ForOp around : plan.around)
    if (plan.outermostReduce->isProperAncestor(around) &&
        !llvm::is_contained(plan.reduceLoops, around)) {
      // With the bounds that it has.
      nest::ForOp made = nestLoop(space.constant(1));
      LoopBounds bounds = LoopBounds::of(around, space);
      for (auto *list : {&bounds.lowers, &bounds.uppers})
        for (AffineExpr &bound : *list)
          bound = bound.replace(table);
      bounds.write(made, space);
      table[space.of(around.getInductionVar())] =
          space.of(made.getInductionVar());
    }
  nest::ForOp last = nestLoop(space.extentOf(loop));
  BlockForm form;
  SmallVector<IteratorKind> kinds;
  SmallVector<int> position(block.getNumIterators(), -1);
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (block.getIteratorKind(i) == IteratorKind::Reduce)
      continue;
    position[i] = kinds.size();
    kinds.push_back(block.getIteratorKind(i));
    form.bindings.push_back(plan.form.bindings[i].replace(table));
    form.extents.push_back(plan.form.extents[i]);
  }
  unsigned lane = kinds.size();
  kinds.push_back(IteratorKind::Reduce);
  form.bindings.push_back(space.of(last.getInductionVar()));
  form.extents.push_back(space.extentOf(loop));
  for (const BlockForm::Constraint &constraint : plan.form.constraints) {
    bool usesReduce = false;
    for (nest::ForOp around : plan.reduceLoops)
      usesReduce |= AffineSpace::uses(constraint.expr,
                                      space.of(around.getInductionVar()));
    if (!usesReduce)
      form.constraints.push_back(
          {constraint.expr.replace(table), constraint.equal});
  }
  SmallVector<AffineExpr> zeros(kinds.size(), space.constant(0));
  AffineMap placeholder = AffineMap::get(0, 0, zeros, rewriter.getContext());
  auto final = nest::BlockOp::create(rewriter, loc, block.getName(), kinds,
                                     placeholder, placeholder, ValueRange(),
                                     /*hasInit=*/true);
  form.write(final, space);
  IRMapping mapping;
  Block *init = final.getInitBlock();
  rewriter.setInsertionPoint(init->getTerminator());
  for (BlockArgument arg : block.getInitBlock()->getArguments()) {
    int to = position[arg.getArgNumber()];
    mapping.map(
        arg, to >= 0 ? Value(init->getArgument(to))
                     : Value(arith::ConstantIndexOp::create(rewriter, loc, 0)));
  }
  for (Operation &op : block.getInitBlock()->without_terminator())
    rewriter.clone(op, mapping);
  Block *body = final.getBodyBlock();
  rewriter.setInsertionPoint(body->getTerminator());
  SmallVector<Value> target;
  for (int i : plan.plain)
    target.push_back(
        i >= 0 ? Value(body->getArgument(position[i]))
               : Value(arith::ConstantIndexOp::create(rewriter, loc, 0)));
  SmallVector<Value> source(target);
  source.insert(source.begin() + plan.axis, body->getArgument(lane));
  SmallVector<Value> olds, news;
  for (auto [store, part] : llvm::zip_equal(plan.reducer.stores, parts)) {
    olds.push_back(memref::LoadOp::create(
        rewriter, loc, memref::StoreOp(store).getMemRef(), target));
    news.push_back(memref::LoadOp::create(rewriter, loc, part, source));
  }
  SmallVector<Value> merged = plan.reducer.merge(rewriter, loc, olds, news);
  for (auto [store, value] : llvm::zip_equal(plan.reducer.stores, merged))
    memref::StoreOp::create(rewriter, loc, value,
                            memref::StoreOp(store).getMemRef(), target);
  eraseDeadIndices(rewriter, final);
}

/// Turns the old block into the one that makes the parts.
static void makePartial(RewriterBase &rewriter, Plan &plan, nest::ForOp loop,
                        ValueRange parts, AffineSpace &space) {
  nest::BlockOp block = plan.block;
  Location loc = block.getLoc();
  nest::FuncOp func = space.getFunc();
  // Init: the identity, into the part.
  rewriter.modifyOpInPlace(block, [&]() {
    Block *init = block.getInitBlock();
    while (&init->front() != init->getTerminator())
      rewriter.eraseOp(init->getTerminator()->getPrevNode());
  });
  unsigned numOld = block.getNumIterators();
  unsigned lane = appendIterator(rewriter, block, IteratorKind::Spatial);
  BlockForm form = plan.form;
  form.bindings.push_back(space.of(loop.getInductionVar()));
  form.extents.push_back(space.extentOf(loop));
  // Old reduce iterators as expressions of the new iterators (dims).
  llvm::DenseMap<AffineExpr, AffineExpr> table;
  table[space.of(loop.getInductionVar())] =
      getAffineDimExpr(lane, space.getContext());
  for (nest::ForOp around : plan.reduceLoops) {
    if (around == loop)
      continue;
    unsigned i = appendIterator(rewriter, block, IteratorKind::Reduce);
    table[space.of(around.getInductionVar())] =
        getAffineDimExpr(i, space.getContext());
    form.bindings.push_back(space.of(around.getInductionVar()));
    form.extents.push_back(space.extentOf(around));
  }
  OpBuilder::InsertionGuard guard(rewriter);
  llvm::BitVector gone(block.getNumIterators());
  Block *body = block.getBodyBlock(), *init = block.getInitBlock();
  for (unsigned i = 0; i < numOld; ++i) {
    if (block.getIteratorKind(i) != IteratorKind::Reduce)
      continue;
    gone.set(i);
    rewriter.setInsertionPointToStart(body);
    Value value = emitIndex(rewriter, loc, plan.form.bindings[i].replace(table),
                            body->getArguments(), func);
    rewriter.replaceAllUsesWith(body->getArgument(i), value);
  }
  // The accumulator becomes the part.
  auto indicesIn = [&](Block *where) {
    SmallVector<Value> indices;
    for (int i : plan.plain)
      indices.push_back(
          i >= 0 ? Value(where->getArgument(i))
                 : Value(arith::ConstantIndexOp::create(rewriter, loc, 0)));
    indices.insert(indices.begin() + plan.axis, where->getArgument(lane));
    return indices;
  };
  for (auto [n, part] : llvm::enumerate(parts)) {
    rewriter.setInsertionPoint(init->getTerminator());
    Value identity =
        arith::ConstantOp::create(rewriter, loc, plan.reducer.identities[n]);
    memref::StoreOp::create(rewriter, loc, identity, part, indicesIn(init));
    memref::LoadOp load = plan.reducer.loads[n];
    rewriter.setInsertionPoint(load);
    rewriter.replaceOpWithNewOp<memref::LoadOp>(load, part, indicesIn(body));
    memref::StoreOp store = plan.reducer.stores[n];
    rewriter.setInsertionPoint(store);
    memref::StoreOp::create(rewriter, loc, store.getValueToStore(), part,
                            indicesIn(body));
    rewriter.eraseOp(store);
  }
  rewriter.modifyOpInPlace(block, [&]() {
    SmallVector<int32_t> kinds;
    BlockForm kept;
    kept.constraints = form.constraints;
    for (unsigned i = 0; i < block.getNumIterators(); ++i) {
      if (gone.test(i))
        continue;
      kinds.push_back(block.getKinds()[i]);
      kept.bindings.push_back(form.bindings[i]);
      kept.extents.push_back(form.extents[i]);
    }
    body->eraseArguments(gone);
    init->eraseArguments(gone);
    // With one reduction loop each part has a single step: no reduction left.
    if (!llvm::is_contained(kinds, int32_t(IteratorKind::Reduce))) {
      kinds.push_back(int32_t(IteratorKind::Reduce));
      kept.bindings.push_back(space.constant(0));
      kept.extents.push_back(space.constant(1));
      body->addArgument(rewriter.getIndexType(), loc);
      init->addArgument(rewriter.getIndexType(), loc);
    }
    block.setKinds(kinds);
    block.setName(uniqueBlockName(func, (block.getName() + "_rf").str()));
    kept.write(block, space);
  });
  eraseDeadIndices(rewriter, block);
}

/// Moves the init of the parts into a block in front of the reduction loops.
static void startApart(RewriterBase &rewriter, Plan &plan, nest::ForOp loop,
                       AffineSpace &space) {
  nest::BlockOp block = plan.block;
  Location loc = block.getLoc();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(plan.outermostReduce);
  llvm::DenseMap<AffineExpr, AffineExpr> table;
  IRMapping mapping;
  for (nest::ForOp around : plan.around) {
    if (!plan.outermostReduce->isAncestor(around) ||
        (around != loop && llvm::is_contained(plan.reduceLoops, around)))
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
  BlockForm old = BlockForm::of(block, space), form;
  SmallVector<IteratorKind> kinds;
  SmallVector<unsigned> kept;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (block.getIteratorKind(i) == IteratorKind::Reduce)
      continue;
    kept.push_back(i);
    kinds.push_back(block.getIteratorKind(i));
    form.bindings.push_back(old.bindings[i].replace(table));
    form.extents.push_back(old.extents[i]);
  }
  for (const BlockForm::Constraint &constraint : old.constraints) {
    bool usesReduce = false;
    for (nest::ForOp around : plan.reduceLoops)
      usesReduce |= AffineSpace::uses(constraint.expr,
                                      space.of(around.getInductionVar()));
    if (!usesReduce)
      form.constraints.push_back(
          {constraint.expr.replace(table), constraint.equal});
  }
  SmallVector<AffineExpr> zeros(kinds.size(), space.constant(0));
  AffineMap placeholder = AffineMap::get(0, 0, zeros, rewriter.getContext());
  auto made = nest::BlockOp::create(
      rewriter, loc,
      uniqueBlockName(space.getFunc(), (block.getName() + "_init").str()),
      kinds, placeholder, placeholder, ValueRange());
  form.write(made, space);
  Block *init = block.getInitBlock(), *body = made.getBodyBlock();
  for (auto [to, from] : llvm::enumerate(kept))
    rewriter.replaceAllUsesWith(init->getArgument(from), body->getArgument(to));
  for (Operation &op : llvm::make_early_inc_range(init->without_terminator()))
    rewriter.moveOpBefore(&op, body->getTerminator());
  rewriter.modifyOpInPlace(block, [&]() { rewriter.eraseBlock(init); });
}

Result<nest::BlockOp> sched::rfactor(RewriterBase &rewriter, nest::ForOp loop,
                                     int64_t axis) {
  nest::FuncOp func = funcOf(loop);
  AffineSpace space(func);
  Plan plan;
  if (Outcome outcome = check(loop, axis, space, plan); !outcome.isDone())
    return outcome;
  OpBuilder::InsertionGuard guard(rewriter);
  SmallVector<Value> parts;
  for (memref::StoreOp store : plan.reducer.stores) {
    Value buffer = store.getMemRef();
    // Where the accumulator lives, so do its parts.
    if (Operation *alloc = buffer.getDefiningOp())
      rewriter.setInsertionPoint(alloc);
    else
      rewriter.setInsertionPointToStart(&func.getBody().front());
    SmallVector<AffineExpr> shape = space.shapeOf(buffer);
    shape.insert(shape.begin() + plan.axis, space.extentOf(loop));
    SmallVector<int64_t> dims;
    for (AffineExpr extent : shape)
      dims.push_back(
          AffineSpace::constantOf(extent).value_or(ShapedType::kDynamic));
    auto type = MemRefType::get(
        dims, cast<MemRefType>(buffer.getType()).getElementType());
    SmallVector<Value> operands;
    AffineMap map = space.exportMap(shape, operands);
    parts.push_back(nest::AllocOp::create(
        rewriter, loop.getLoc(), type, operands,
        type.hasStaticShape() ? AffineMapAttr() : AffineMapAttr::get(map)));
  }
  makeFinal(rewriter, plan, loop, parts, space);
  makePartial(rewriter, plan, loop, parts, space);
  if (plan.startsApart)
    startApart(rewriter, plan, loop, space);
  return plan.block;
}

Outcome RFactorOp::run(Invocation &at) {
  return at.call(sched::rfactor, getLoop(), getAxis());
}

NESTOR_PRIMITIVE(rfactor) = {
    .name = "rfactor",
    .family = "reduction",
    .does = "Reduces in parts, then the parts.",
    .law = "The update is associative; parts of an inner loop need steps that "
           "may change places.",
    .refuses = "blocks that are no reduction with init\n"
               "updates that are not known to be associative; inner loops of "
               "those whose steps keep their order\n"
               "loops that feed spatial iterators\n"
               "nests that hold other blocks\n"
               "predicates or bounds that can skip the first step of all, or "
               "all of a part\n"
               "an axis that the new buffer does not have",
    .syntax = "%partial = rfactor %loop axis N",
    .notes = R"(
Each value of the loop accumulates in an element of its own, of a new buffer with one
more dim at the axis (-1: the last one); a second block combines them. Tuples (argmax,
Welford) have a buffer for each component. Where a part may lack its first step, a block
in front starts all parts.
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
%ko, %ki = split %k by [-1, 4] : 2
%r = rfactor %ki axis 0
)",
};
