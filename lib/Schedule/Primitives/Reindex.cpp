//===- Reindex.cpp - reindex and its caches -------------------------------===//
//
//   C[n, h] += A[n, h * 2 + r] * W[r]        ==> reindex read 0
//   T[n, h, r] = A[n, h * 2 + r] for all;  C[n, h] += T[n, h, r] * W[r]
//
// and the same with another map from iterators to the indices of T, or for an
// output (the copy follows). The copy runs through the domains of the iterators
// that the map or the access names; where the access would leave the buffer, at
// points that the block does not have, a predicate leaves it out.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Staging.h"

#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/IterMap.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// A copy of more elements is no help to anybody.
static constexpr uint64_t kMostElements = uint64_t(1) << 31;

namespace {
struct Target {
  nest::BlockOp block;
  BufferRole role;
  Value buffer;
  int64_t number;
  /// Of the accesses, over the block's iterators.
  SmallVector<AffineExpr> indices;

  bool takes(const Access &access) const {
    return access.buffer == buffer &&
           (role == BufferRole::Write || !access.isWrite);
  }
};
} // namespace

static Result<Target> findTarget(nest::BlockOp block, BufferRole role,
                                 int64_t number) {
  Result<Value> buffer = nthBuffer(block, role, number);
  if (!buffer)
    return buffer.getOutcome();
  Target target{block, role, *buffer, number, {}};
  std::optional<Access> first;
  for (const Access &access : accessesOf(block)) {
    if (!target.takes(access))
      continue;
    if (llvm::is_contained(access.indices, AffineExpr()))
      return Outcome::refused(describe(block) + " accesses " +
                              describe(*buffer) +
                              " at an index that is not affine")
          .note(access.op, "no iterators stand for this place; cache_read "
                           "copies the whole dim");
    if (first && first->indices != access.indices)
      return Outcome::refused(describe(block) + " accesses " +
                              describe(*buffer) + " in more than one way")
          .note(first->op, "here")
          .note(access.op, "and here at other indices; cache_read keeps the "
                           "buffer's own");
    first = access;
  }
  target.indices = first->indices;
  return target;
}

static bool names(ArrayRef<AffineExpr> exprs, unsigned iterator) {
  return llvm::any_of(
      exprs, [&](AffineExpr expr) { return expr.isFunctionOfDim(iterator); });
}

/// The least and the greatest value while iterators run through their domains;
/// null where unknown.
static Interval rangeOf(AffineExpr expr, ArrayRef<AffineExpr> extents,
                        AffineSpace &space) {
  Linear linear = Linear::of(expr);
  Interval sum{space.constant(linear.constant),
               space.constant(linear.constant)};
  for (auto [atom, factor] : linear.terms) {
    Interval range{atom, atom};
    if (auto dim = dyn_cast<AffineDimExpr>(atom)) {
      range = {space.constant(0), extents[dim.getPosition()] - 1};
    } else if (auto binary = dyn_cast<AffineBinaryOpExpr>(atom)) {
      std::optional<int64_t> divisor = AffineSpace::constantOf(binary.getRHS());
      Interval inner = rangeOf(binary.getLHS(), extents, space);
      if (!divisor || *divisor <= 0 || !inner.lower)
        return {};
      if (atom.getKind() == AffineExprKind::Mod) {
        range = {space.constant(0), space.constant(*divisor - 1)};
        std::optional<int64_t> most = AffineSpace::constantOf(inner.upper);
        if (most && *most < *divisor && space.isNonNegative(inner.lower))
          range.upper = inner.upper;
      } else if (atom.getKind() == AffineExprKind::FloorDiv) {
        range = {inner.lower.floorDiv(*divisor),
                 inner.upper.floorDiv(*divisor)};
      } else {
        range = {inner.lower.ceilDiv(*divisor), inner.upper.ceilDiv(*divisor)};
      }
    }
    if (factor < 0)
      std::swap(range.lower, range.upper);
    sum.lower = sum.lower + range.lower * factor;
    sum.upper = sum.upper + range.upper * factor;
  }
  return {space.canonical(sum.lower), space.canonical(sum.upper)};
}

/// Whether different values of iterator `one` are different places, whatever
/// the other used iterators are.
static bool tells(AffineMap map, const BlockForm &form, ArrayRef<unsigned> used,
                  unsigned one, AffineSpace &space) {
  InstanceSet set(space);
  auto dim = [&](unsigned i, unsigned instance) {
    return set.row(getAffineDimExpr(i, space.getContext()), instance);
  };
  for (unsigned instance : {0, 1})
    for (unsigned i : used) {
      set.addNonNegative(dim(i, instance));
      set.addNonNegative(
          set.row(form.extents[i] - 1, instance).add(dim(i, instance), -1));
    }
  for (AffineExpr result : map.getResults())
    set.addZero(set.row(result, 0).add(set.row(result, 1), -1));
  InstanceSet::Row less = dim(one, 1).add(dim(one, 0), -1);
  less.constant -= 1;
  set.addNonNegative(less);
  return set.isEmpty();
}

/// The shape of the copy.
static Result<SmallVector<AffineExpr>> shapeFor(const Target &target,
                                                AffineMap map,
                                                const BlockForm &form,
                                                AffineSpace &space) {
  SmallVector<AffineExpr> shape;
  uint64_t elements = 1;
  for (auto [d, result] : llvm::enumerate(map.getResults())) {
    Interval range = rangeOf(result, form.extents, space);
    if (!range.lower || !space.isNonNegative(range.lower))
      return Outcome::refused("index " + Twine(d) +
                              " of the copy may be negative, or anything")
          .note(target.block, "build it of sums, multiples, floordiv and mod "
                              "of iterators");
    AffineExpr extent = space.canonical(range.upper + 1);
    // Not below 0 where sizes are 0.
    if (!space.isNonNegative(extent)) {
      SmallVector<AffineExpr> longer;
      for (AffineExpr e : form.extents)
        longer.push_back(e + 1);
      extent = space.canonical(rangeOf(result, longer, space).upper + 1);
    }
    if (auto constant = AffineSpace::constantOf(extent))
      elements = llvm::SaturatingMultiply(elements, uint64_t(*constant));
    shape.push_back(extent);
  }
  if (elements > kMostElements)
    return Outcome::refused("the copy of " + describe(target.buffer) +
                            " would have more than 2^31 elements")
        .note(target.block, "name only iterators that the access uses");
  return shape;
}

static Result<Place> findPlace(const Target &target, AffineSpace &space) {
  nest::BlockOp block = target.block;
  SmallVector<Place> places = placesFor(target.buffer, block);
  if (places.empty())
    return Outcome::refused(describe(target.buffer) + " of " + describe(block) +
                            " lives inside a loop that does not run in order")
        .note(target.buffer.getDefiningOp(), "reindex before giving loops a "
                                             "kind");
  if (target.role == BufferRole::Read) {
    std::optional<Outcome> first;
    for (const Place &place : places) {
      Outcome outcome = checkCopyIn(place, block, target.buffer, space);
      if (outcome.isDone())
        return place;
      if (!first)
        first = std::move(outcome);
    }
    return std::move(*first);
  }
  const Place &place = places.front();
  if (!isa<nest::FuncOp>(place.level))
    return Outcome::refused(describe(target.buffer) + " of " + describe(block) +
                            " lives inside a loop")
        .note(target.buffer.getDefiningOp(), "reindex before buffers move");
  if (Outcome outcome = checkReadsBack(place, block, target.buffer, space);
      !outcome.isDone())
    return outcome;
  // The copy gives back every point of the domains.
  bool writesAll = llvm::any_of(accessesOf(block),
                                [&](const Access &access) {
                                  return target.takes(access) &&
                                         access.isWrite && !access.conditional;
                                }) &&
                   fillsDomain(block, space);
  if (!writesAll)
    return Outcome::refused(describe(block) + " may not write every point of "
                                              "its domain")
        .note(block, "the copy would overwrite what lies in between; "
                     "cache_inplace copies that in before");
  if (Outcome outcome = checkCopyOut(place, block, target.buffer, space);
      !outcome.isDone())
    return outcome;
  return place;
}

/// The ranges of the used iterators in one iteration of `level`.
static CopyLoops loopsAt(Operation *level, const BlockForm &form,
                         ArrayRef<unsigned> used, AffineSpace &space) {
  CopyLoops loops;
  auto relax = [&](nest::ForOp loop) { return level->isProperAncestor(loop); };
  for (unsigned i : used) {
    AffineExpr lower = space.constant(0), extent = form.extents[i];
    Interval range = isa<nest::ForOp>(level)
                         ? space.bounds(form.bindings[i], relax)
                         : Interval{};
    if (range.lower && range.upper) {
      std::optional<int64_t> here = AffineSpace::constantOf(
          space.canonical(range.upper - range.lower + 1));
      std::optional<int64_t> all = AffineSpace::constantOf(extent);
      if (here && (!all || *here < *all)) {
        lower = range.lower;
        extent = space.constant(*here);
      }
    }
    loops.lower.push_back(lower);
    loops.extent.push_back(extent);
    loops.domain.push_back(form.extents[i]);
  }
  return loops;
}

/// Every access of the target goes to `copy`, at the results of `map`.
static void replaceAccesses(RewriterBase &rewriter, const Target &target,
                            Value copy, AffineMap map, nest::FuncOp func) {
  nest::BlockOp block = target.block;
  OpBuilder::InsertionGuard guard(rewriter);
  for (const Access &access : accessesOf(block)) {
    if (!target.takes(access))
      continue;
    Location loc = access.op->getLoc();
    rewriter.setInsertionPoint(access.op);
    Region &region = access.inInit ? block.getInit() : block.getBody();
    SmallVector<Value> indices;
    for (AffineExpr result : map.getResults())
      indices.push_back(
          emitIndex(rewriter, loc, result, region.getArguments(), func));
    if (auto store = dyn_cast<memref::StoreOp>(access.op)) {
      memref::StoreOp::create(rewriter, loc, store.getValueToStore(), copy,
                              indices);
      rewriter.eraseOp(store);
    } else {
      rewriter.replaceOpWithNewOp<memref::LoadOp>(access.op, copy, indices);
    }
  }
  eraseDeadIndices(rewriter, block);
}

static Result<nest::BlockOp> stage(RewriterBase &rewriter, const Target &target,
                                   StringRef scope, AffineMap map) {
  nest::BlockOp block = target.block;
  nest::FuncOp func = funcOf(block);
  AffineSpace space(func);
  BlockForm form = BlockForm::of(block, space);
  SmallVector<unsigned> used;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (names(map.getResults(), i) || names(target.indices, i))
      used.push_back(i);
  for (unsigned i : used) {
    if (target.role == BufferRole::Write &&
        block.getIteratorKind(i) == nest::IteratorKind::Reduce)
      return Outcome::refused("the map names iterator " + Twine(i) + " of " +
                              describe(block) + ", which is reduce")
          .note(block, "the result has one place for all its steps; name "
                       "spatial iterators");
    if (!tells(map, form, used, i, space))
      return Outcome::refused("the map gives points that differ in iterator " +
                              Twine(i) + " of " + describe(block) +
                              " one place")
          .note(block, "name every iterator that the access uses");
  }
  Result<SmallVector<AffineExpr>> shape = shapeFor(target, map, form, space);
  if (!shape)
    return shape.getOutcome();
  Result<Place> place = findPlace(target, space);
  if (!place)
    return place.getOutcome();

  Value buffer = target.buffer;
  nest::AllocOp copy = makeBuffer(rewriter, buffer, *shape, scope, space);
  CopyLoops loops = loopsAt(place->level, form, used, space);
  SmallVector<AffineExpr> iterators(block.getNumIterators(), space.constant(0));
  for (auto [position, i] : llvm::enumerate(used))
    iterators[i] = getAffineDimExpr(position, space.getContext());
  auto ofUsed = [&](ArrayRef<AffineExpr> exprs) {
    return llvm::map_to_vector(
        exprs, [&](AffineExpr expr) { return expr.replaceDims(iterators); });
  };
  SmallVector<AffineExpr> there = ofUsed(target.indices),
                          here = ofUsed(map.getResults());
  replaceAccesses(rewriter, target, copy, map, func);
  OpBuilder::InsertionGuard guard(rewriter);
  if (target.role == BufferRole::Read) {
    rewriter.setInsertionPoint(place->first);
    return makeCopy(rewriter, block.getLoc(),
                    (block.getName() + "_read" + Twine(target.number)).str(),
                    loops, buffer, there, copy, here, buffer, space);
  }
  rewriter.setInsertionPointAfter(place->last);
  return makeCopy(rewriter, block.getLoc(), (block.getName() + "_write").str(),
                  loops, copy, here, buffer, there, Value(), space);
}

Result<nest::BlockOp> sched::reindex(RewriterBase &rewriter,
                                     nest::BlockOp block, BufferRole role,
                                     int64_t buffer) {
  Result<Target> target = findTarget(block, role, buffer);
  if (!target)
    return target.getOutcome();
  SmallVector<AffineExpr> results;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (names(target->indices, i))
      results.push_back(getAffineDimExpr(i, block.getContext()));
  return stage(
      rewriter, *target, nest::kSharedScope,
      AffineMap::get(block.getNumIterators(), 0, results, block.getContext()));
}

Result<nest::BlockOp> sched::reindexCache(RewriterBase &rewriter,
                                          nest::BlockOp block, BufferRole role,
                                          int64_t buffer, StringRef scope,
                                          AffineMap map) {
  if (Outcome outcome = checkScope(scope); !outcome.isDone())
    return outcome;
  if (map.getNumDims() != block.getNumIterators() || map.getNumSymbols() != 0)
    return Outcome::refused("the map takes " + Twine(map.getNumDims()) +
                            " iterators and " + Twine(map.getNumSymbols()) +
                            " symbols, " + describe(block) + " has " +
                            Twine(block.getNumIterators()) + " iterators")
        .note(block, "this block");
  Result<Target> target = findTarget(block, role, buffer);
  if (!target)
    return target.getOutcome();
  return stage(rewriter, *target, scope, map);
}

Outcome ReindexOp::run(Invocation &at) {
  Result<BufferRole> role = roleOf(getRole());
  if (!role)
    return role.getOutcome();
  return at.call(sched::reindex, getBlock(), *role, getBuffer());
}

Outcome ReindexCacheReadOp::run(Invocation &at) {
  return at.call(sched::reindexCache, getBlock(), BufferRole::Read, getBuffer(),
                 getScope(), getMap());
}

Outcome ReindexCacheWriteOp::run(Invocation &at) {
  return at.call(sched::reindexCache, getBlock(), BufferRole::Write,
                 getBuffer(), getScope(), getMap());
}

NESTOR_PRIMITIVE(reindex) = {
    .name = "reindex",
    .family = "data",
    .does = "Gives a block a buffer in its own iteration space.",
    .law = "As `cache_read` and `cache_write`.",
    .refuses = "accesses in more than one way, or at an index that is "
               "not affine\n"
               "more than 2^31 elements\n"
               "blocks that may not write every point of their domain\n"
               "what `cache_read` and `cache_write` refuse",
    .syntax = "%copy = reindex %block \"read\" NUMBER",
    .notes = R"(
The dims of the copy are the iterators that the access names, in their order; for
"write" it follows the block. Points at which the access would leave the buffer, because
the block does not have them, are left out.
)",
    .before = R"(
nest.func @f(%A: memref<4x9xf32>, %W: memref<3xf32>, %C: memref<4x4xf32>) {
  nest.for %n = 0 to 4 {
    nest.for %h = 0 to 4 {
      nest.for %r = 0 to 3 {
        nest.block "C" (%vn : spatial = %n to 4, %vh : spatial = %h to 4, %vr : reduce = %r to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vn, %vh] : memref<4x4xf32>
        } {
          %two = arith.constant 2 : index
          %h2 = arith.muli %vh, %two : index
          %x = arith.addi %h2, %vr : index
          %a = memref.load %A[%vn, %x] : memref<4x9xf32>
          %w = memref.load %W[%vr] : memref<3xf32>
          %m = arith.mulf %a, %w : f32
          %c = memref.load %C[%vn, %vh] : memref<4x4xf32>
          %s = arith.addf %c, %m : f32
          memref.store %s, %C[%vn, %vh] : memref<4x4xf32>
        }
      }
    }
  }
}
)",
    .schedule = R"(
%c = get_block "C" in %root
%t = reindex %c "read" 0
)",
};

NESTOR_PRIMITIVE(reindex_cache_read) = {
    .name = "reindex_cache_read",
    .family = "data",
    .does = "Reads a buffer through a copy with indices of one's "
            "choice.",
    .law = "The map tells every two points at which the block may "
           "access different elements; and as `cache_read`.",
    .refuses = "maps that give two points one place, or take another "
               "number of iterators\n"
               "indices that may be negative\n"
               "what `reindex` refuses",
    .syntax = "%copy = reindex_cache_read %block read NUMBER in \"SCOPE\" "
              "to MAP",
    .notes = R"(
The map takes the block's iterators to indices of the copy.
)",
    .before = R"(
nest.func @f(%A: memref<4x9xf32>, %W: memref<3xf32>, %C: memref<4x4xf32>) {
  nest.for %n = 0 to 4 {
    nest.for %h = 0 to 4 {
      nest.for %r = 0 to 3 {
        nest.block "C" (%vn : spatial = %n to 4, %vh : spatial = %h to 4, %vr : reduce = %r to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vn, %vh] : memref<4x4xf32>
        } {
          %two = arith.constant 2 : index
          %h2 = arith.muli %vh, %two : index
          %x = arith.addi %h2, %vr : index
          %a = memref.load %A[%vn, %x] : memref<4x9xf32>
          %w = memref.load %W[%vr] : memref<3xf32>
          %m = arith.mulf %a, %w : f32
          %c = memref.load %C[%vn, %vh] : memref<4x4xf32>
          %s = arith.addf %c, %m : f32
          memref.store %s, %C[%vn, %vh] : memref<4x4xf32>
        }
      }
    }
  }
}
)",
    .schedule = R"(
%c = get_block "C" in %root
%t = reindex_cache_read %c read 0 in "shared" to affine_map<(n, h, r) -> (r, h, n)>
)",
};

NESTOR_PRIMITIVE(reindex_cache_write) = {
    .name = "reindex_cache_write",
    .family = "data",
    .does = "Writes a buffer through a copy with indices of one's "
            "choice.",
    .law = "The map tells every two points; the block writes every "
           "point of its domain; and as `cache_write`.",
    .refuses = "maps that name reduce iterators, or give two points one "
               "place\n"
               "what `reindex` refuses",
    .syntax = "%copy = reindex_cache_write %block write NUMBER in "
              "\"SCOPE\" to MAP",
    .notes = R"(
The map takes the block's iterators to indices of the copy and names no reduce iterators.
)",
    .before = R"(
nest.func @f(%A: memref<4x9xf32>, %W: memref<3xf32>, %C: memref<4x4xf32>) {
  nest.for %n = 0 to 4 {
    nest.for %h = 0 to 4 {
      nest.for %r = 0 to 3 {
        nest.block "C" (%vn : spatial = %n to 4, %vh : spatial = %h to 4, %vr : reduce = %r to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vn, %vh] : memref<4x4xf32>
        } {
          %two = arith.constant 2 : index
          %h2 = arith.muli %vh, %two : index
          %x = arith.addi %h2, %vr : index
          %a = memref.load %A[%vn, %x] : memref<4x9xf32>
          %w = memref.load %W[%vr] : memref<3xf32>
          %m = arith.mulf %a, %w : f32
          %c = memref.load %C[%vn, %vh] : memref<4x4xf32>
          %s = arith.addf %c, %m : f32
          memref.store %s, %C[%vn, %vh] : memref<4x4xf32>
        }
      }
    }
  }
}
)",
    .schedule = R"(
%c = get_block "C" in %root
%t = reindex_cache_write %c write 0 in "shared" to affine_map<(n, h, r) -> (h, n)>
)",
};
