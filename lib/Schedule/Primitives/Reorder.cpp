//===- Reorder.cpp - reorder ----------------------------------------------===//
//
//   for i { for j { for k { S } } }   ==> reorder k, i
//   for k { for j { for i { S } } }
//
// Legal when every dependence below keeps its order. Steps of a reduction may
// change places (it is reassociated), but its init stays first. Bounds that
// name a loop that moves inside are found anew: for i < 8, j < i becomes j < 7,
// j + 1 <= i < 8.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Points.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Dependence.h"
#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// The chain of loops that holds all of `loops`, outermost first.
static Result<Loops> chainOf(ArrayRef<nest::ForOp> loops) {
  llvm::SmallDenseSet<Operation *> wanted;
  for (nest::ForOp loop : loops)
    if (!wanted.insert(loop).second)
      return Outcome::refused(describe(loop) + " is named twice");
  nest::ForOp top = loops.front();
  for (nest::ForOp loop : loops)
    if (loop->isProperAncestor(top))
      top = loop;
  Loops chain;
  size_t seen = 0;
  for (nest::ForOp loop = top;;) {
    chain.push_back(loop);
    seen += wanted.contains(loop);
    if (seen == loops.size())
      return chain;
    Operation *child = onlyChild(loop);
    auto inner = dyn_cast_or_null<nest::ForOp>(child);
    if (!inner)
      return Outcome::refused("the loops are not one chain: " + describe(loop) +
                              " holds more than one loop")
          .note(loop, "reorder before moving blocks into it, and compact "
                      "buffers last");
    loop = inner;
  }
}

/// Whether every dependence below `chain` keeps its order when the loops run
/// nested as `target` says.
static Outcome checkDependences(ArrayRef<nest::ForOp> chain,
                                ArrayRef<nest::ForOp> target,
                                AffineSpace &space) {
  SmallVector<AffineExpr> before, after;
  for (auto [loop, moved] : llvm::zip_equal(chain, target)) {
    before.push_back(space.of(nest::ForOp(loop).getInductionVar()));
    after.push_back(space.of(nest::ForOp(moved).getInductionVar()));
  }
  nest::ForOp top = chain.front();
  Operation *scope = top->getParentOp();
  DependenceOptions options;
  options.reassociate = true;
  std::optional<Conflict> conflict = findReversed(
      scope,
      [&](nest::BlockOp block) {
        // The chain's variables change places; positions between them are all
        // 0.
        Time time = timeOf(block, scope, space);
        for (AffineExpr &level : time)
          if (auto at = llvm::find(before, level); at != before.end())
            level = after[at - before.begin()];
        return time;
      },
      space, options);
  if (!conflict)
    return Outcome::done();
  Value buffer = conflict->first.buffer;
  if (conflict->firstBlock == conflict->secondBlock)
    return Outcome::refused("steps of " + describe(conflict->firstBlock) +
                            " depend on each other and would change places")
        .note(conflict->firstBlock,
              "through " + describe(buffer) +
                  (conflict->first.inInit || conflict->second.inInit
                       ? ": its init would not come "
                         "first; decompose the reduction"
                   : kindOf(conflict->firstBlock) == BlockKind::Reduction &&
                           !reducerOf(conflict->firstBlock)
                       ? ": its update is no known associative operation, so "
                         "its reduce loops keep their order"
                       : "; skew the loops first"));
  return Outcome::refused(describe(conflict->firstBlock) + " and " +
                          describe(conflict->secondBlock) + " share " +
                          describe(buffer) + " across iterations of " +
                          describe(top))
      .note(conflict->firstBlock, "first access here")
      .note(conflict->secondBlock,
            "second access here; reorder before moving blocks");
}

/// Where the question need not be asked: one block that computes each point on
/// its own, or sums up by a known operation.
static bool isFreeToReorder(ArrayRef<nest::ForOp> chain, AffineSpace &space) {
  nest::ForOp bottom = chain.back();
  SmallVector<nest::BlockOp> blocks = blocksIn(bottom);
  if (blocks.size() != 1)
    return blocks.empty();
  nest::BlockOp block = blocks.front();
  switch (kindOf(block)) {
  case BlockKind::Other:
    return false;
  case BlockKind::Complete:
    return true;
  case BlockKind::Reduction:
    break;
  }
  // Only a known operation may be reassociated, and only where nothing but its
  // own accumulator is read back.
  std::optional<Reducer> reducer = reducerOf(block);
  if (!reducer)
    return false;
  for (const Access &access : accessesOf(block))
    if (!access.isWrite && access.buffer == reducer->store.getMemRef() &&
        access.op != reducer->load.getOperation())
      return false;
  if (!block.getInitBlock())
    return true;
  // With pure reduction loops the all-zero step, which runs the init, comes
  // first in every order, if that is where they start (shifted and reversed
  // ones do not). Loops that also pick the element break that, and so do loops
  // that come back to an element: each return would start it anew.
  llvm::DenseMap<AffineExpr, AffineExpr> first;
  for (nest::ForOp loop : chain) {
    AffineExpr lower = space.lowerOf(loop);
    if (!lower)
      return false;
    first[space.of(loop.getInductionVar())] = lower.replace(first);
  }
  BlockForm form = BlockForm::of(block, space);
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (block.getIteratorKind(i) != nest::IteratorKind::Reduce)
      continue;
    AffineExpr start = form.bindings[i].replace(first);
    if (!space.isNonNegative(start) ||
        !space.isNonNegative(form.bindings[i] - start))
      return false;
  }
  Loops spatial;
  for (nest::ForOp loop : chain)
    if (!feeds(loop, block, nest::IteratorKind::Reduce))
      spatial.push_back(loop);
    else if (feeds(loop, block, nest::IteratorKind::Spatial))
      return false;
  return tellByStrides(block, chain, spatial, space);
}

/// Iterations of a loop that run at once, and that a serial loop kept apart
/// until now, have to be independent: each must be a point of its own.
static Outcome checkKinds(ArrayRef<nest::ForOp> chain,
                          ArrayRef<nest::ForOp> target, AffineSpace &space) {
  for (size_t at = 0; at < target.size(); ++at) {
    nest::ForOp loop = target[at];
    if (loop.getKind() == nest::LoopKind::Serial ||
        loop.getKind() == nest::LoopKind::Unroll)
      continue;
    ArrayRef<nest::ForOp> inside = target.drop_front(at + 1);
    const nest::ForOp *crossed = llvm::find_if(chain, [&](nest::ForOp outer) {
      return outer->isProperAncestor(loop) && llvm::is_contained(inside, outer);
    });
    if (crossed == chain.end())
      continue;
    SmallVector<nest::BlockOp> blocks = blocksIn(chain.back());
    if (blocks.size() == 1 && kindOf(blocks[0]) != BlockKind::Other &&
        !feeds(loop, blocks[0], nest::IteratorKind::Reduce) &&
        tellByStrides(blocks[0], target.drop_front(at), loop, space))
      continue;
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()) +
                            " and would move out of " + describe(*crossed))
        .note(loop, "its iterations may depend on each other there; reorder "
                    "before giving loops a kind");
  }
  return Outcome::done();
}

/// Bounds for the new order, where an old one would name an inner loop.
static Outcome newBounds(ArrayRef<nest::ForOp> target,
                         SmallVectorImpl<LoopBounds> &bounds,
                         AffineSpace &space) {
  nest::ForOp offender;
  for (auto [i, loop] : llvm::enumerate(target))
    for (nest::ForOp inner : target.drop_front(i))
      if (llvm::is_contained(nest::ForOp(loop)->getOperands(),
                             inner.getInductionVar()))
        offender = loop;
  if (!offender)
    return Outcome::done();
  SmallVector<AffineExpr> constraints, order;
  for (nest::ForOp loop : target) {
    if (loop.getKind() != nest::LoopKind::Serial &&
        loop.getKind() != nest::LoopKind::Parallel)
      return Outcome::refused("the bounds of " + describe(offender) +
                              " depend on a loop that would be inside it")
          .note(loop, "and this one needs the trip count it has; reorder "
                      "before giving loops a kind");
    llvm::append_range(constraints, constraintsOf(loop, space));
    order.push_back(space.of(loop.getInductionVar()));
  }
  auto found = scan(constraints, order, space);
  if (!found)
    return Outcome::refused("the bounds of " + describe(offender) +
                            " depend on a loop that would be inside it")
        .note(offender, "and no bounds can be found for the new order, as a "
                        "division of a loop is in them");
  bounds = std::move(*found);
  return Outcome::done();
}

Outcome sched::reorder(RewriterBase &rewriter, ArrayRef<nest::ForOp> loops) {
  if (loops.size() < 2)
    return Outcome::refused("reorder needs at least two loops");
  Result<Loops> found = chainOf(loops);
  if (!found)
    return found.getOutcome();
  Loops chain = *found, target;
  unsigned next = 0;
  for (nest::ForOp loop : chain)
    target.push_back(llvm::is_contained(loops, loop) ? loops[next++] : loop);
  if (target == chain)
    return Outcome::done();
  nest::ForOp top = chain.front(), bottom = chain.back();
  AffineSpace space(top);
  SmallVector<LoopBounds> bounds;
  if (Outcome outcome = newBounds(target, bounds, space); !outcome.isDone())
    return outcome;
  if (Outcome outcome = checkKinds(chain, target, space); !outcome.isDone())
    return outcome;
  if (!isFreeToReorder(chain, space))
    if (Outcome outcome = checkDependences(chain, target, space);
        !outcome.isDone())
      return outcome;

  // Take the chain apart, innermost first, and nest it anew.
  SmallVector<Operation *> body;
  for (Operation &op : bottom.getBodyBlock()->without_terminator())
    body.push_back(&op);
  for (Operation *op : body)
    rewriter.moveOpBefore(op, top);
  for (nest::ForOp loop : llvm::reverse(ArrayRef(chain).drop_front()))
    rewriter.moveOpBefore(loop, top);
  // All are siblings now; put the new top where the old one is.
  if (target.front() != top)
    rewriter.moveOpBefore(target.front(), top);
  for (unsigned i = 1; i < target.size(); ++i)
    rewriter.moveOpBefore(target[i],
                          target[i - 1].getBodyBlock()->getTerminator());
  for (Operation *op : body)
    rewriter.moveOpBefore(op, target.back().getBodyBlock()->getTerminator());
  if (!bounds.empty())
    for (auto [loop, bound] : llvm::zip_equal(target, bounds))
      rewriter.modifyOpInPlace(
          loop, [&, l = loop, &b = bound]() { b.write(l, space); });
  // The order of operands follows the order of the loops.
  for (nest::BlockOp block : blocksIn(target.front()))
    rewriter.modifyOpInPlace(block, [&]() {
      BlockForm form = BlockForm::of(block, space);
      form.write(block, space);
    });
  return Outcome::done();
}

Outcome ReorderOp::run(Invocation &at) {
  return at.call(sched::reorder, getLoops());
}

NESTOR_PRIMITIVE(reorder) = {
    .name = "reorder",
    .family = "loops",
    .does = "Permutes loops of one nest.",
    .law = "Steps that depend on each other keep their order; a "
           "reduction may be reassociated.",
    .refuses = "loops that are not one chain without branches\n"
               "loops of a kind that asks for its place\n"
               "bounds that no new order can express\n"
               "blocks whose steps depend on each other and would "
               "change places\n"
               "a value that one block hands to another across "
               "iterations",
    .syntax = "reorder %first, %second, ...",
    .notes = R"(
The loops are given in the order they shall have, outermost first. Those of the nest
that are not named keep their places.
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
reorder %k, %i
)",
};
