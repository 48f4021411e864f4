//===- Kinds.cpp - vectorize, unroll, parallel ----------------------------===//
//
//   for i in 0..16 { S }  ==>  for i in 0..16 vectorize { S }
//
// Lanes and threads run in any order, so both ask that no iteration sees what
// another writes: each buffer written below is either local to an iteration or
// its iterations touch disjoint boxes or, decided exactly, disjoint elements.
//
//===----------------------------------------------------------------------===//
#include "../Annotations.h"
#include "../Apply.h"
#include "../Points.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Dependence.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// The most operations that unrolled loops may become.
static constexpr int64_t kMostUnrolled = 16384;

/// Whether different values of `var` (in [0, extent)) give different `digits`,
/// where the digits are var itself, or var floordiv S with (var mod S).
static bool tellsApart(ArrayRef<AffineExpr> digits, AffineExpr var) {
  auto has = [&](AffineExpr e) { return llvm::is_contained(digits, e); };
  if (has(var))
    return true;
  for (AffineExpr digit : digits) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(digit);
    if (!binary || digit.getKind() != AffineExprKind::FloorDiv ||
        binary.getLHS() != var)
      continue;
    if (has(var % binary.getRHS()))
      return true;
    // (var mod S) may itself be in two digits.
    std::optional<int64_t> s = AffineSpace::constantOf(binary.getRHS());
    for (AffineExpr middle : digits) {
      auto mod = dyn_cast<AffineBinaryOpExpr>(middle);
      if (!s || !mod || middle.getKind() != AffineExprKind::FloorDiv)
        continue;
      if (mod.getLHS() == var % *s && has(var % mod.getRHS()))
        return true;
    }
  }
  return false;
}

/// Whether different iterations of `loop` touch disjoint parts of `buffer`.
static bool isDisjoint(nest::ForOp loop, Value buffer, AffineSpace &space) {
  std::optional<Box> reads = readBox(loop, buffer, space),
                     writes = writeBox(loop, buffer, space);
  if (!writes)
    return true;
  Box box = reads ? unite(*reads, *writes, buffer, space) : *writes;
  AffineExpr var = space.of(loop.getInductionVar());
  SmallVector<AffineExpr> digits;
  for (auto [lower, extent] : llvm::zip_equal(box.lower, box.extent)) {
    std::optional<int64_t> size = AffineSpace::constantOf(extent);
    if (!size)
      continue;
    SmallVector<AffineExpr> here;
    int64_t step = 0;
    for (auto [atom, factor] : Linear::of(lower).terms)
      if (AffineSpace::uses(atom, var)) {
        here.push_back(atom);
        step = std::abs(factor);
      }
    if (here.size() == 1 && *size <= step)
      digits.push_back(here.front());
  }
  return tellsApart(digits, var);
}

/// Whether the step that runs the init can only be the first iteration of
/// `loop`. Divisions of the loop count from its first iteration on.
static bool startsAtFirstLane(nest::ForOp loop, nest::BlockOp block,
                              AffineSpace &space) {
  if (!block.getInitBlock())
    return true;
  AffineExpr var = space.of(loop.getInductionVar()),
             lower = space.lowerOf(loop);
  if (!lower)
    return false;
  BlockForm form = BlockForm::of(block, space);
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    int64_t step = Linear::of(form.bindings[i]).coefficientOf(var);
    if (block.getIteratorKind(i) != nest::IteratorKind::Reduce || step == 0)
      continue;
    AffineExpr first = AffineSpace::substitute(form.bindings[i], var, lower);
    if (step < 0 || !space.isNonNegative(first))
      return false;
  }
  return true;
}

/// Whether the iterations of `loop` may run in any order and at once.
static Outcome checkIndependent(nest::ForOp loop, bool allowReductions) {
  AffineSpace space(loop);
  SmallVector<nest::BlockOp> blocks = blocksIn(loop);
  llvm::SmallSetVector<Value, 8> written;
  for (nest::BlockOp block : blocks)
    for (Value buffer : writtenBuffers(block))
      written.insert(buffer);
  for (Value buffer : written) {
    if (isLocalTo(loop, buffer, space))
      continue;
    SmallVector<nest::BlockOp> users;
    for (nest::BlockOp block : blocks)
      if (readsBuffer(block, buffer) || writesBuffer(block, buffer))
        users.push_back(block);
    bool areLanes = false; // steps of one reduction, combined in the end
    for (nest::BlockOp block : users) {
      if (!writesBuffer(block, buffer))
        continue;
      if (!feeds(loop, block, nest::IteratorKind::Reduce))
        continue;
      if (!allowReductions)
        return Outcome::refused(describe(loop) +
                                " feeds a reduce iterator of " +
                                describe(block))
            .note(block, "all its iterations update the same elements of " +
                             describe(buffer) +
                             "; take a spatial loop, or rfactor this one");
      if (feeds(loop, block, nest::IteratorKind::Spatial))
        return Outcome::refused(describe(loop) +
                                " feeds spatial and reduce iterators of " +
                                describe(block))
            .note(block, "lanes would be different elements and steps of one "
                         "element at once; split the loop first");
      if (!startsAtFirstLane(loop, block, space))
        return Outcome::refused(
                   "the first step of the reduction of " + describe(block) +
                   " may be in the middle of the lanes of " + describe(loop))
            .note(loop, "its init could not run before all of them; decompose "
                        "the reduction, or leave the loop where it starts");
      if (!reducerOf(block))
        return Outcome::refused("the update of " + describe(block) +
                                " is no known associative operation")
            .note(block, "lanes cannot be combined; rfactor needs the same");
      areLanes = users.size() == 1;
    }
    if (areLanes || loop.getConstantTripCount() == 1)
      continue;
    // Spatial iterators promise disjoint writes, for different points.
    if (users.size() == 1 &&
        feeds(loop, users.front(), nest::IteratorKind::Spatial) &&
        !feeds(loop, users.front(), nest::IteratorKind::Ordered) &&
        iterationsAreApart(users.front(), loop, space))
      continue;
    if (isDisjoint(loop, buffer, space))
      continue;
    // Boxes do not tell: ask for the very elements.
    auto isOther = [&](Value other) { return other != buffer; };
    DependenceOptions options;
    options.ignore = isOther;
    std::optional<Conflict> conflict = findCarried(loop, space, options);
    if (!conflict)
      continue;
    if (conflict->firstBlock == conflict->secondBlock)
      return Outcome::refused("iterations of " + describe(loop) +
                              " touch the "
                              "same elements of " +
                              describe(buffer))
          .note(conflict->firstBlock,
                conflict->first.isWrite && conflict->second.isWrite
                    ? "more than one writes them here"
                    : "one writes what another reads here");
    return Outcome::refused(describe(conflict->firstBlock) + " and " +
                            describe(conflict->secondBlock) + " share " +
                            describe(buffer) + " between iterations of " +
                            describe(loop))
        .note(conflict->firstBlock, "first access")
        .note(conflict->secondBlock,
              "second access; move both under an inner loop");
  }
  return Outcome::done();
}

/// How many operations `op` becomes when what is unrolled is written out.
static int64_t sizeUnrolled(Operation *op) {
  int64_t size = 1;
  for (Region &region : op->getRegions())
    for (Operation &inner : region.getOps())
      size =
          llvm::SaturatingAdd(uint64_t(size), uint64_t(sizeUnrolled(&inner)));
  auto loop = dyn_cast<nest::ForOp>(op);
  if (loop && loop.getKind() == nest::LoopKind::Unroll)
    size = llvm::SaturatingMultiply(
        uint64_t(size), uint64_t(loop.getConstantTripCount().value_or(1)));
  return std::min<uint64_t>(size, INT64_MAX);
}

/// Buffers whose elements live within one iteration of `loop` move into it: a
/// thread of each iteration has its own.
static void ownScratch(RewriterBase &rewriter, nest::ForOp loop) {
  AffineSpace space(loop);
  // Many blocks may write one tile; it is asked about once.
  llvm::SmallSetVector<Value, 8> written;
  for (nest::BlockOp block : blocksIn(loop))
    for (Value buffer : writtenBuffers(block))
      written.insert(buffer);
  SmallVector<Operation *> moved;
  for (Value buffer : written)
    if (Operation *alloc = buffer.getDefiningOp();
        alloc && !loop->isAncestor(alloc) && isLocalTo(loop, buffer, space))
      moved.push_back(alloc);
  for (Operation *alloc : llvm::reverse(moved))
    rewriter.moveOpBefore(alloc, &loop.getBodyBlock()->front());
}

static void setKind(RewriterBase &rewriter, nest::ForOp loop,
                    nest::LoopKind kind) {
  rewriter.modifyOpInPlace(loop, [&]() { loop.setKind(kind); });
}

Outcome sched::setLoopKind(RewriterBase &rewriter, nest::ForOp loop,
                           nest::LoopKind kind) {
  if (kind == nest::LoopKind::Vectorize || kind == nest::LoopKind::Unroll) {
    if (!loop.getConstantTripCount())
      return Outcome::refused("the extent of " + describe(loop) +
                              " is no constant")
          .note(loop, "split it by a constant factor first");
  }
  if (kind == nest::LoopKind::Unroll) {
    // Judged where the copies multiply: at the outermost unrolled loop.
    nest::ForOp top = loop;
    for (nest::ForOp around : llvm::reverse(loopsAround(loop))) {
      if (around.getKind() != nest::LoopKind::Unroll)
        break;
      top = around;
    }
    int64_t copies = *loop.getConstantTripCount(), size = sizeUnrolled(top);
    if (loop.getKind() != kind &&
        llvm::SaturatingMultiply(uint64_t(size), uint64_t(copies)) >
            uint64_t(kMostUnrolled))
      return Outcome::refused(describe(loop) + " has " + Twine(copies) +
                              " iterations, too many to write out")
          .note(loop, "there would be more than " + Twine(kMostUnrolled) +
                          " operations; split it and unroll the inner loop");
  }
  if (kind == nest::LoopKind::Vectorize) {
    if (Outcome outcome = checkIndependent(loop, true); !outcome.isDone())
      return outcome;
  }
  if (kind == nest::LoopKind::Parallel || kind == nest::LoopKind::Bind) {
    if (Outcome outcome = checkIndependent(loop, false); !outcome.isDone())
      return outcome;
    ownScratch(rewriter, loop);
  }
  setKind(rewriter, loop, kind);
  return Outcome::done();
}

Outcome sched::parallel(RewriterBase &rewriter, nest::ForOp loop,
                        int64_t grain) {
  if (grain < 1)
    return Outcome::refused("the grain of a parallel loop is at least 1");
  if (Outcome outcome = setLoopKind(rewriter, loop, nest::LoopKind::Parallel);
      !outcome.isDone())
    return outcome;
  setAnnotation(rewriter, loop, "grain", rewriter.getI64IntegerAttr(grain));
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

Outcome VectorizeOp::run(Invocation &at) {
  return at.call(sched::setLoopKind, getLoop(), nest::LoopKind::Vectorize);
}

Outcome UnrollOp::run(Invocation &at) {
  return at.call(sched::setLoopKind, getLoop(), nest::LoopKind::Unroll);
}

Outcome ParallelOp::run(Invocation &at) {
  return at.call(sched::parallel, getLoop(),
                 MixedParams{getDynamicGrain(), getGrain()});
}

NESTOR_PRIMITIVE(parallel) = {
    .name = "parallel",
    .family = "kinds",
    .does = "Runs the iterations of a loop on several threads.",
    .law = "No iteration sees what another writes.",
    .refuses = "loops that feed reduce or ordered iterators\n"
               "buffers that two iterations share\n"
               "a grain below 1",
    .syntax = "parallel %loop grain [N]",
    .notes = R"(
`grain` is the least number of iterations that a thread takes at a time. Buffers whose
values live within one iteration move into the loop.
)",
    .before = R"(
nest.func @f(%A: memref<4x8xf32>, %B: memref<4x8xf32>) {
  %T = nest.alloc : memref<4x8xf32>
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 8 {
      nest.block "P" (%vi : spatial = %i to 4, %vj : spatial = %j to 8) {
        %a = memref.load %A[%vi, %vj] : memref<4x8xf32>
        %t = arith.addf %a, %a : f32
        memref.store %t, %T[%vi, %vj] : memref<4x8xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "C" (%vi : spatial = %i to 4, %vj : spatial = %j to 8) {
        %t = memref.load %T[%vi, %vj] : memref<4x8xf32>
        memref.store %t, %B[%vi, %vj] : memref<4x8xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
%i, %j = get_loops %p : 2
parallel %i grain [2]
)",
};

NESTOR_PRIMITIVE(vectorize) = {
    .name = "vectorize",
    .family = "kinds",
    .does = "Makes lanes of the iterations of a loop.",
    .law = "No iteration sees what another writes, but for "
           "reductions by an associative update.",
    .refuses = "loops without a constant extent\n"
               "loops that feed ordered iterators, or spatial and "
               "reduce ones\n"
               "a reduction that may start in the middle of the "
               "lanes, or whose update is not known to be "
               "associative\n"
               "buffers that two iterations share",
    .syntax = "vectorize %loop",
    .notes = "",
    .before = R"(
nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 4 {
      nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
        %a = memref.load %A[%u, %v] : memref<8x4xf32>
        memref.store %a, %B[%u, %v] : memref<8x4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i, %j = get_loops %b : 2
vectorize %j
)",
};

NESTOR_PRIMITIVE(unroll) = {
    .name = "unroll",
    .family = "kinds",
    .does = "Writes the iterations of a loop one after the other.",
    .law = "The order of iterations stays.",
    .refuses = "loops without a constant extent\n"
               "what would become more than 16384 operations",
    .syntax = "unroll %loop",
    .notes = "",
    .before = R"(
nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 4 {
      nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
        %a = memref.load %A[%u, %v] : memref<8x4xf32>
        memref.store %a, %B[%u, %v] : memref<8x4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i, %j = get_loops %b : 2
unroll %j
)",
};
