//===- BlockLayout.cpp - transform_block_layout ---------------------------===//
//
//   for i < 8 { for j < 4 { B(vi = i, vj = j) } }  ==> (i, j) -> (i * 4 + j)
//   for f < 32 { B(vf = f) }   // vi is vf floordiv 4, vj is vf mod 4
//
// The map takes the block's iterators apart or together, one to one and onto a
// box; the block gets loops of its own for the new ones. Legal when every
// dependence keeps its order.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Dependence.h"
#include "nestor/Analysis/IterMap.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

using nest::IteratorKind;

/// The loop of each iterator of `block`, where those loops are a chain of
/// nothing else, run through the domain, and each feeds one iterator.
static Result<Loops> loopsOfIterators(nest::BlockOp block,
                                      const BlockForm &form,
                                      AffineSpace &space) {
  Loops around = loopsAround(block), loops;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    auto dim = dyn_cast<AffineDimExpr>(form.bindings[i]);
    nest::ForOp loop = dim ? space.getLoop(dim) : nest::ForOp();
    if (!loop || llvm::is_contained(loops, loop))
      return Outcome::refused("iterator " + Twine(i) + " of " +
                              describe(block) + " is not a loop of its own")
          .note(block, "transform the block before splitting, fusing or "
                       "shifting its loops");
    loops.push_back(loop);
  }
  if (!form.constraints.empty())
    return Outcome::refused(describe(block) + " has a predicate")
        .note(block, "it speaks of loops that would be gone; transform the "
                     "block first");
  Operation *child = block;
  for (unsigned n = 0; n < loops.size(); ++n) {
    auto loop = dyn_cast<nest::ForOp>(child->getParentOp());
    if (!loop || !llvm::is_contained(loops, loop))
      return Outcome::refused((loop ? describe(loop) : "the end of the nest") +
                              " is between the loops of " + describe(block))
          .note(child, "the loops of its iterators have to be its innermost");
    if (onlyChild(loop) != child)
      return Outcome::refused(describe(loop) + " holds more than " +
                              describe(block))
          .note(loop, "give the block loops of its own first");
    if (loop.getKind() != nest::LoopKind::Serial || loop.getAnnotationsAttr())
      return Outcome::refused(describe(loop) + " is " +
                              (loop.getKind() == nest::LoopKind::Serial
                                   ? StringRef("annotated")
                                   : stringifyLoopKind(loop.getKind())))
          .note(loop, "it would be gone; transform the block before giving "
                      "loops a kind");
    child = loop;
  }
  for (auto [i, loop] : llvm::enumerate(loops)) {
    AffineExpr lower = space.lowerOf(loop), extent = space.extentOf(loop);
    if (!lower || !extent || lower != space.constant(0) || extent == lower ||
        !space.isEqual(extent, form.extents[i]))
      return Outcome::refused(describe(loop) +
                              " does not run through iterator " + Twine(i) +
                              " of " + describe(block))
          .note(loop, "its domain has to be filled");
  }
  return loops;
}

/// The kind of each result of `map`; iterators of different kinds do not mix.
static Outcome kindsOf(nest::BlockOp block, AffineMap map,
                       SmallVectorImpl<IteratorKind> &kinds) {
  for (auto [r, expr] : llvm::enumerate(map.getResults())) {
    std::optional<IteratorKind> kind;
    for (unsigned i = 0; i < block.getNumIterators(); ++i) {
      if (!expr.isFunctionOfDim(i))
        continue;
      if (kind && *kind != block.getIteratorKind(i))
        return Outcome::refused(
                   "result " + Twine(r) + " of the map mixes " +
                   stringifyIteratorKind(*kind) + " and " +
                   stringifyIteratorKind(block.getIteratorKind(i)) +
                   " iterators")
            .note(block, "of this block; they have to stay apart");
      kind = block.getIteratorKind(i);
    }
    kinds.push_back(kind.value_or(IteratorKind::Spatial));
  }
  return Outcome::done();
}

/// Whether the order of the block's points does not matter: each is on its own,
/// or a step of a known sum that nothing else looks at. Its first step stays
/// the first, as the map takes zeros to zeros.
static bool isFree(nest::BlockOp block) {
  BlockKind kind = kindOf(block);
  if (kind == BlockKind::Complete)
    return true;
  std::optional<Reducer> reducer =
      kind == BlockKind::Reduction ? reducerOf(block) : std::nullopt;
  return reducer && llvm::none_of(accessesOf(block), [&](const Access &access) {
           return !access.isWrite &&
                  access.buffer == reducer->store.getMemRef() &&
                  access.op != reducer->load.getOperation();
         });
}

Outcome sched::transformBlockLayout(RewriterBase &rewriter, nest::BlockOp block,
                                    AffineMap map) {
  unsigned count = block.getNumIterators();
  if (map.getNumDims() != count || map.getNumSymbols() != 0 || count == 0)
    return Outcome::refused("the map takes " + Twine(map.getNumDims()) +
                            " iterators and " + Twine(map.getNumSymbols()) +
                            " symbols, " + describe(block) + " has " +
                            Twine(count))
        .note(block, "this block");
  if (block.hasNest())
    return Outcome::refused(describe(block) + " holds a nest")
        .note(block, "transform the block before blockize");
  AffineSpace space(block);
  BlockForm form = BlockForm::of(block, space);
  Result<Loops> loops = loopsOfIterators(block, form, space);
  if (!loops)
    return loops.getOutcome();
  SmallVector<IteratorKind> kinds;
  if (Outcome outcome = kindsOf(block, map, kinds); !outcome.isDone())
    return outcome;
  SmallVector<AffineExpr> images;
  for (AffineExpr expr : map.getResults())
    images.push_back(space.canonical(expr.replaceDims(form.bindings)));
  std::optional<SmallVector<IterVar>> vars = iterVarsOf(*loops, space);
  IterMap digits = vars ? detectIterMap(images, *vars, space) : IterMap();
  if (digits.level != MapLevel::Bijective)
    return Outcome::refused("the map is not one to one onto a box: " +
                            (digits.why.empty()
                                 ? std::string("it is no sum of digits")
                                 : digits.why))
        .note(block, "for this block's domain");
  for (auto [r, sum] : llvm::enumerate(digits.sums)) {
    if (sum.base != space.constant(0))
      return Outcome::refused("result " + Twine(r) +
                              " of the map does not start at 0")
          .note(block, "iterators do");
    if (block.getInitBlock() && kinds[r] == IteratorKind::Reduce &&
        llvm::any_of(sum.terms,
                     [](const IterSplit &term) { return term.scale < 0; }))
      return Outcome::refused("result " + Twine(r) +
                              " of the map starts the reduction elsewhere")
          .note(block, "decompose it first");
  }
  if (block.getInitBlock() && !llvm::is_contained(kinds, IteratorKind::Reduce))
    return Outcome::refused("the map leaves " + describe(block) +
                            " no reduce iterator for its init")
        .note(block, "keep it, or decompose the reduction first");
  nest::ForOp top = (*loops).front();
  for (nest::ForOp loop : *loops)
    if (loop->isProperAncestor(top))
      top = loop;
  // Positions between the block's loops are 0, before and after.
  Operation *scope = top->getParentOp();
  DependenceOptions options;
  options.reassociate = true;
  std::optional<Conflict> conflict;
  if (!isFree(block))
    conflict = findReversed(
        scope,
        [&](nest::BlockOp other) {
          Time time = timeOf(other, scope, space);
          if (other != block)
            return time;
          time.truncate(1);
          for (AffineExpr image : images)
            time.append({image, space.constant(0)});
          return time;
        },
        space, options);
  if (conflict)
    return Outcome::refused("steps of " + describe(block) +
                            " depend on each other and would change places")
        .note(block, "through " + describe(conflict->first.buffer) +
                         "; keep the order of its iterators in the map");

  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(top);
  form.bindings.clear();
  form.extents.clear();
  for (const IterSum &sum : digits.sums) {
    nest::ForOp loop = makeLoop(rewriter, top.getLoc(), sum.extent, space);
    rewriter.setInsertionPoint(loop.getBodyBlock()->getTerminator());
    form.bindings.push_back(space.of(loop.getInductionVar()));
    form.extents.push_back(sum.extent);
  }
  // The old iterators over the new ones.
  std::optional<SmallVector<AffineExpr>> old =
      invert(digits, form.bindings, *vars, space);
  if (!old)
    return Outcome::broken("a map that is one to one cannot be undone");
  llvm::DenseMap<AffineExpr, AffineExpr> iteratorOf;
  for (auto [i, binding] : llvm::enumerate(form.bindings))
    iteratorOf[binding] = getAffineDimExpr(i, space.getContext());
  for (AffineExpr &expr : *old)
    expr = space.simplify(expr).replace(iteratorOf);
  rewriter.moveOpBefore(block, rewriter.getInsertionBlock(),
                        rewriter.getInsertionPoint());
  rewriter.modifyOpInPlace(block, [&]() {
    for (Region *region : {&block.getBody(), &block.getInit()}) {
      if (region->empty())
        continue;
      Block &body = region->front();
      SmallVector<Location> places(form.bindings.size(), block.getLoc());
      SmallVector<Type> types(form.bindings.size(), rewriter.getIndexType());
      body.addArguments(types, places);
      rewriter.setInsertionPointToStart(&body);
      ValueRange iterators = body.getArguments().drop_front(count);
      for (unsigned i = 0; i < count; ++i)
        if (BlockArgument arg = body.getArgument(i); !arg.use_empty())
          arg.replaceAllUsesWith(emitIndex(rewriter, block.getLoc(), (*old)[i],
                                           iterators, funcOf(block)));
      body.eraseArguments(0, count);
    }
    SmallVector<int32_t> numbers;
    for (IteratorKind kind : kinds)
      numbers.push_back(static_cast<int32_t>(kind));
    block.setKinds(numbers);
    form.write(block, space);
  });
  rewriter.eraseOp(top);
  simplifyIndices(rewriter, block, space);
  return Outcome::done();
}

Outcome TransformBlockLayoutOp::run(Invocation &at) {
  return at.call(sched::transformBlockLayout, getBlock(), getMap());
}

NESTOR_PRIMITIVE(transform_block_layout) = {
    .name = "transform_block_layout",
    .family = "tensor",
    .does = "Gives a block other iterators, digits and joins of the old ones, "
            "and new loops for them.",
    .law = "The map is one to one onto a box, iterators of different kinds "
           "stay apart, and every dependence keeps its order.",
    .refuses = "iterators that are not a loop of their own, or loops that do "
               "not run through the domain\n"
               "blocks with a predicate or a nest\n"
               "loops that hold something else, have a kind or are annotated\n"
               "maps that are not one to one, leave gaps or do not start at 0\n"
               "results that mix iterators of different kinds\n"
               "a reduction with init that would start elsewhere\n"
               "orders that break a dependence",
    .syntax = "transform_block_layout %block to MAP",
    .notes = "The map takes the old iterators to the new ones.",
    .before = R"(
nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 4 {
      nest.block "B" (%vi : spatial = %i to 8, %vj : spatial = %j to 4) {
        %a = memref.load %A[%vi, %vj] : memref<8x4xf32>
        memref.store %a, %B[%vi, %vj] : memref<8x4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
transform_block_layout %b to affine_map<(i, j) -> (i * 4 + j)>
)",
};
