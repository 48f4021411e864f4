//===- CacheInplace.cpp - cache_inplace -----------------------------------===//
//
//   C[e] = f(C[e'])
//   ==>  T[x] = C[x] for all x;  T[e] = f(T[e']);  C[x] = T[x] for all x
//
// Both copies stand at the outermost level whose child with the block holds no
// other access to the buffer; nobody then sees the difference between the two,
// so that the regions may hold more than what is updated. They are what the
// block touches: the points themselves, projected on the buffer, where all
// accesses have the same indices (a triangle stays one), else boxes.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Staging.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// The indices of all accesses to the buffer, composed with the bindings, if
/// they are the same affine ones.
static std::optional<SmallVector<AffineExpr>>
commonIndices(nest::BlockOp block, Value buffer, AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  std::optional<SmallVector<AffineExpr>> common;
  for (const Access &access : accessesOf(block)) {
    if (access.buffer != buffer)
      continue;
    if (llvm::is_contained(access.indices, AffineExpr()) ||
        (common && *common != access.indices))
      return std::nullopt;
    common = access.indices;
  }
  for (AffineExpr &index : *common)
    index = space.canonical(index.replaceDims(form.bindings));
  return common;
}

/// Narrows the loops of a copy, which run through a box, to what the block
/// touches in one iteration of `level`; they stay as they are where that is no
/// polyhedron.
static void narrow(RewriterBase &rewriter, nest::BlockOp copy, Operation *level,
                   nest::BlockOp block, ArrayRef<AffineExpr> indices,
                   AffineSpace &space) {
  SmallVector<nest::ForOp> loops;
  for (nest::ForOp loop : loopsAround(copy))
    if (level->isProperAncestor(loop))
      loops.push_back(loop);
  BlockForm box = BlockForm::of(copy, space),
            form = BlockForm::of(block, space);
  SmallVector<AffineExpr> constraints, order;
  for (nest::ForOp loop : loops) {
    order.push_back(space.of(loop.getInductionVar()));
    llvm::append_range(constraints, constraintsOf(loop, space));
  }
  for (nest::ForOp loop : loopsAround(block)) {
    if (!level->isProperAncestor(loop))
      continue;
    order.push_back(space.of(loop.getInductionVar()));
    llvm::append_range(constraints, constraintsOf(loop, space));
  }
  for (const BlockForm::Constraint &constraint : form.constraints) {
    constraints.push_back(constraint.expr);
    if (constraint.equal)
      constraints.push_back(-constraint.expr);
  }
  for (auto [index, binding] : llvm::zip_equal(indices, box.bindings)) {
    constraints.push_back(space.canonical(index - binding));
    constraints.push_back(space.canonical(binding - index));
  }
  std::optional<SmallVector<LoopBounds>> bounds =
      scan(constraints, order, space);
  if (!bounds)
    return;
  for (auto [loop, found] : llvm::zip(loops, *bounds))
    rewriter.modifyOpInPlace(
        loop, [&, loop = loop]() mutable { found.write(loop, space); });
}

Result<std::pair<nest::BlockOp, nest::BlockOp>>
sched::cacheInplace(RewriterBase &rewriter, nest::BlockOp block, int64_t number,
                    StringRef scope) {
  if (Outcome outcome = checkScope(scope); !outcome.isDone())
    return outcome;
  Result<Value> written = nthBuffer(block, BufferRole::Write, number);
  if (!written)
    return written.getOutcome();
  Value buffer = *written;
  if (!readsBuffer(block, buffer))
    return Outcome::refused(describe(block) + " does not read " +
                            describe(buffer) + ", which it writes")
        .note(block, "there is nothing to copy in; use cache_write");
  SmallVector<Place> places = placesFor(buffer, block);
  if (places.empty())
    return Outcome::refused(describe(buffer) + " of " + describe(block) +
                            " lives inside a loop that does not run in order")
        .note(buffer.getDefiningOp(), "cache before giving loops a kind");
  nest::BlockOp other;
  std::optional<Place> place;
  for (const Place &candidate : places) {
    nest::BlockOp found;
    for (nest::BlockOp user : blocksIn(candidate.first))
      if (user != block &&
          (readsBuffer(user, buffer) || writesBuffer(user, buffer)))
        found = user;
    if (!found) {
      place = candidate;
      break;
    }
    other = found;
  }
  if (!place) {
    if (Outcome outcome = whyNotInside(places.back(), block); !outcome.isDone())
      return outcome;
    return Outcome::refused(describe(other) + " uses " + describe(buffer) +
                            " of " + describe(block) + " in every nest of it")
        .note(other, "it would see neither the old nor the new values; divide "
                     "the loops first");
  }

  AffineSpace space(funcOf(block));
  auto all = [](const Access &) { return true; };
  std::optional<SmallVector<AffineExpr>> indices =
      commonIndices(block, buffer, space);
  Box in = *boxAt(place->level, block, buffer, all, space), out = in;
  if (!indices)
    out = *boxAt(
        place->level, block, buffer,
        [](const Access &access) { return access.isWrite; }, space);
  nest::AllocOp copy = makeLike(rewriter, buffer, scope, space);
  redirect(rewriter, block, buffer, copy, all);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(place->first);
  nest::BlockOp copyIn =
      makeCopy(rewriter, block.getLoc(), (block.getName() + "_in").str(),
               buffer, copy, in, space);
  rewriter.setInsertionPointAfter(place->last);
  nest::BlockOp copyOut =
      makeCopy(rewriter, block.getLoc(), (block.getName() + "_out").str(), copy,
               buffer, out, space);
  if (indices && !in.dense)
    for (nest::BlockOp made : {copyIn, copyOut})
      narrow(rewriter, made, place->level, block, *indices, space);
  return std::make_pair(copyIn, copyOut);
}

Outcome CacheInplaceOp::run(Invocation &at) {
  return at.call(sched::cacheInplace, getBlock(), getBuffer(), getScope());
}

NESTOR_PRIMITIVE(cache_inplace) = {
    .name = "cache_inplace",
    .family = "data",
    .does = "Updates a buffer in a copy.",
    .law = "No other block uses the buffer between the copy in and "
           "the copy out.",
    .refuses = "blocks that do not read what they write\n"
               "other users of the buffer in every nest of the block\n"
               "places in loops that do not run in order, and buffers "
               "that live there",
    .syntax = "%in, %out = cache_inplace %block write NUMBER in \"SCOPE\"",
    .notes = R"(
The copies stand in front of and behind the outermost nest in which the block alone uses
the buffer; move them with `compute_at` and `reverse_compute_at`. Where all its accesses
have the same indices they run through the very points that the block touches: those of
a triangle run through the triangle.
)",
    .before = R"(
nest.func @f(%A: memref<4x5xf32>, %X: memref<4x4xf32>, %C: memref<4x4xf32>) {
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 4 {
      nest.block "X" (%vi : spatial = %i to 4, %vj : spatial = %j to 4) {
        %x = memref.load %X[%vi, %vj] : memref<4x4xf32>
        memref.store %x, %C[%vi, %vj] : memref<4x4xf32>
      }
    }
  }
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to %i + 1 {
      nest.for %k = 0 to 5 {
        nest.block "C" (%vi : spatial = %i to 4, %vj : spatial = %j to 4, %vk : reduce = %k to 5) {
          %a = memref.load %A[%vi, %vk] : memref<4x5xf32>
          %c = memref.load %C[%vi, %vj] : memref<4x4xf32>
          %r = arith.addf %c, %a : f32
          memref.store %r, %C[%vi, %vj] : memref<4x4xf32>
        }
      }
    }
  }
}
)",
    .schedule = R"(
%c = get_block "C" in %root
%in, %out = cache_inplace %c write 0 in "shared"
)",
};
