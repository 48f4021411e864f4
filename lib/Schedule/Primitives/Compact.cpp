//===- Compact.cpp - compact_buffers --------------------------------------===//
//
//   T = alloc [N];  for i { for j { T[i * 4 + j] = ... } ; ... T[i * 4 + j] }
//   ==>  for i { T = alloc [4];  for j { T[j] = ... } ; ... T[j] }
//
// A buffer moves into the deepest loop whose iterations write all that they
// read of it, with the hull of what one iteration touches as its shape. A body
// cannot name a loop, so the corner enters blocks as iterators of their own:
// what loops of the reduction say of it as one that reduces, and what loops say
// that pick no point of the block as an ordered one.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Footprints.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// The deepest loop that `buffer` can live in, or null.
static nest::ForOp homeOf(Value buffer, AffineSpace &space) {
  SmallVector<Operation *> users;
  for (nest::BlockOp block : blocksIn(space.getFunc()))
    if (readsBuffer(block, buffer) || writesBuffer(block, buffer))
      users.push_back(block);
  for (Operation *up = commonAncestor(users); up; up = up->getParentOp()) {
    auto loop = dyn_cast<nest::ForOp>(up);
    if (!loop)
      return {};
    bool insideLanes = loop.getKind() == nest::LoopKind::Vectorize ||
                       llvm::any_of(loopsAround(loop), [](nest::ForOp around) {
                         return around.getKind() == nest::LoopKind::Vectorize;
                       });
    if (!insideLanes && isLocalTo(loop, buffer, space))
      return loop;
    // It lives in this one already, and cannot move outwards.
    if (loop.getOperation() == buffer.getDefiningOp()->getParentOp())
      return {};
  }
  return {};
}

namespace {
/// A part of a corner in one block: an iterator bound to `expr`, times a
/// factor.
struct Part {
  AffineExpr expr;
  nest::IteratorKind kind;
  int64_t factor = 1; // of the iterator in the corner
};
/// The first element that is kept of one dim.
struct Corner {
  AffineExpr lower, extent;
  /// Parts, for each block that touches the buffer; what is left of the corner
  /// names no loop.
  SmallVector<std::pair<nest::BlockOp, SmallVector<Part>>> parts;
  AffineExpr rest;
};
} // namespace

/// How `loop` picks points of `block`, which touches `buffer`; nullopt where it
/// picks several kinds of iterators.
static std::optional<nest::IteratorKind>
kindOfLoop(nest::ForOp loop, nest::BlockOp block, Value buffer) {
  bool spatial = feeds(loop, block, nest::IteratorKind::Spatial),
       reduce = feeds(loop, block, nest::IteratorKind::Reduce);
  if (feeds(loop, block, nest::IteratorKind::Ordered))
    return nest::IteratorKind::Ordered;
  if (spatial && reduce)
    return std::nullopt;
  if (spatial || reduce)
    return spatial ? nest::IteratorKind::Spatial : nest::IteratorKind::Reduce;
  // A repetition: another point where it writes other buffers.
  for (Value output : writtenBuffers(block)) {
    Operation *alloc = output.getDefiningOp();
    if (output != buffer && !(alloc && loop->isAncestor(alloc)))
      return nest::IteratorKind::Ordered;
  }
  return nest::IteratorKind::Spatial;
}

/// Whether the reduction of `block` starts where its loops do (a shifted one
/// does not), and `expr` is 0 there.
static bool startsAtZero(AffineExpr expr, nest::BlockOp block,
                         const BlockForm &form, AffineSpace &space) {
  llvm::DenseMap<AffineExpr, AffineExpr> first;
  for (nest::ForOp loop : loopsAround(block, space)) {
    AffineExpr lower = space.lowerOf(loop);
    if (lower)
      first[space.of(loop.getInductionVar())] = lower.replace(first);
  }
  auto isZero = [&](AffineExpr e) {
    return space.isEqual(e.replace(first), space.constant(0));
  };
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (block.getInitBlock() &&
        block.getIteratorKind(i) == nest::IteratorKind::Reduce &&
        !isZero(form.bindings[i]))
      return false;
  return isZero(expr);
}

/// The parts of `corner` in `block`; nullopt where it cannot be brought in.
static std::optional<SmallVector<Part>> partsOf(const Linear &corner,
                                                nest::BlockOp block,
                                                Value buffer,
                                                AffineSpace &space) {
  using nest::IteratorKind;
  BlockForm form = BlockForm::of(block, space);
  AffineExpr whole = corner.toExpr(space.getContext());
  if (llvm::is_contained(form.bindings, whole))
    return SmallVector<Part>{{whole, IteratorKind::Spatial, 1}};
  // Terms of one kind together: one iterator.
  SmallVector<std::pair<Linear, IteratorKind>> groups;
  for (auto [atom, factor] : corner.terms) {
    std::optional<IteratorKind> kind;
    bool known = true;
    atom.walk([&](AffineExpr e) {
      auto dim = dyn_cast<AffineDimExpr>(e);
      if (!dim)
        return;
      std::optional<IteratorKind> one =
          kindOfLoop(space.getLoop(dim), block, buffer);
      known &= one && (!kind || *kind == *one);
      kind = one;
    });
    if (!known || !kind)
      return std::nullopt;
    auto group = llvm::find_if(
        groups, [&](auto &group) { return group.second == *kind; });
    if (group == groups.end()) {
      groups.push_back({Linear(), *kind});
      group = std::prev(groups.end());
    }
    group->first.add(atom, factor);
  }
  SmallVector<Part> parts;
  for (auto &[linear, kind] : groups) {
    AffineExpr expr = linear.toExpr(space.getContext());
    if (kind == IteratorKind::Reduce &&
        !startsAtZero(expr, block, form, space) &&
        !llvm::is_contained(form.bindings, expr))
      return std::nullopt;
    if (space.isNonNegative(expr)) {
      parts.push_back({expr, kind, 1});
      continue;
    }
    // One by one they tell iterations apart that are one point of the block
    // (i + 1 and j + 1 in j - i), which writes other buffers too, maybe.
    bool writesMore = llvm::any_of(
        writtenBuffers(block), [&](Value output) { return output != buffer; });
    IteratorKind each =
        linear.terms.size() > 1 && writesMore && kind == IteratorKind::Spatial
            ? IteratorKind::Ordered
            : kind;
    for (auto [atom, factor] : linear.terms) {
      if (!space.isNonNegative(atom))
        return std::nullopt;
      parts.push_back({atom, each, factor});
    }
  }
  return parts;
}

/// The corner at `lower`, where all blocks that touch the buffer can have it.
static std::optional<Corner> cornerAt(AffineExpr lower, AffineExpr extent,
                                      Value buffer, AffineSpace &space) {
  Corner corner{lower, extent, {}, {}};
  Linear linear = Linear::of(space.canonical(lower)), varying, rest;
  rest.constant = linear.constant;
  for (auto [atom, factor] : linear.terms)
    (AffineSpace::isFreeOfLoops(atom) ? rest : varying).add(atom, factor);
  corner.rest = rest.toExpr(space.getContext());
  for (nest::BlockOp block : leavesIn(space.getFunc())) {
    if (!readsBuffer(block, buffer) && !writesBuffer(block, buffer))
      continue;
    if (varying.terms.empty()) {
      corner.parts.push_back({block, {}});
      continue;
    }
    std::optional<SmallVector<Part>> parts =
        partsOf(varying, block, buffer, space);
    if (!parts)
      return std::nullopt;
    corner.parts.push_back({block, std::move(*parts)});
  }
  return corner;
}

/// index => index - corner in every access of dim `dim`.
static void shiftAccesses(RewriterBase &rewriter, Value buffer, unsigned dim,
                          const Corner &corner, AffineSpace &space) {
  nest::FuncOp func = space.getFunc();
  for (const auto &[user, parts] : corner.parts) {
    nest::BlockOp block = user;
    AffineExpr offset = corner.rest;
    for (const Part &part : parts) {
      AffineExpr last =
          space.bounds(part.expr, [](nest::ForOp) { return true; }).upper;
      AffineExpr iterator = getAffineDimExpr(
          iteratorFor(rewriter, block, part.expr, space.canonical(last + 1),
                      part.kind, /*sameKind=*/false, space),
          space.getContext());
      offset = offset + iterator * part.factor;
    }
    for (const Access &access : accessesOf(block)) {
      if (access.buffer != buffer)
        continue;
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPoint(access.op);
      mlir::Region &region = access.inInit ? block.getInit() : block.getBody();
      AffineExpr index =
          simplifyAffineExpr(access.indices[dim] - offset,
                             block.getNumIterators(), space.getNumSymbols());
      Value value = emitIndex(rewriter, access.op->getLoc(), index,
                              region.getArguments(), func);
      unsigned operand = (access.isWrite ? 2 : 1) + dim;
      rewriter.modifyOpInPlace(
          access.op, [&]() { access.op->setOperand(operand, value); });
    }
    eraseDeadIndices(rewriter, block);
  }
}

/// Bounds of the dims that loops inside `home` with leaning bounds touch; null
/// where boxes say it all.
static std::optional<SmallVector<LoopBounds>>
exactHull(nest::ForOp home, Value buffer, AffineSpace &space) {
  bool leans = false;
  for (nest::BlockOp block : leavesIn(home))
    if (readsBuffer(block, buffer) || writesBuffer(block, buffer))
      for (nest::ForOp loop : loopsAround(block))
        leans |= home->isProperAncestor(loop) &&
                 (loop.getLowerMap().getNumDims() > 0 ||
                  loop.getUpperMap().getNumDims() > 0 ||
                  loop.getLowerMap().getNumResults() != 1 ||
                  loop.getUpperMap().getNumResults() != 1);
  if (!leans)
    return std::nullopt;
  Footprint all = mayTouch(home, buffer, false, space),
            written = mayTouch(home, buffer, true, space);
  for (Footprint::Piece &piece : written.pieces) {
    for (AffineExpr &expr : piece.constraints)
      for (auto [from, to] : llvm::zip_equal(written.dims, all.dims))
        expr = expr.replace(from, to);
    all.pieces.push_back(std::move(piece));
  }
  return hull(all, space);
}

/// The smallest constant extent from one lower bound on, in any iteration of
/// the loops outside.
static void narrow(const LoopBounds &bounds, AffineExpr &lower,
                   AffineExpr &extent, AffineSpace &space) {
  auto relaxAll = [](nest::ForOp) { return true; };
  std::optional<int64_t> best = AffineSpace::constantOf(extent);
  for (AffineExpr low : bounds.lowers)
    for (AffineExpr high : bounds.uppers) {
      std::optional<int64_t> most =
          AffineSpace::constantOf(space.bounds(high - low, relaxAll).upper);
      if (!most || *most < 1 || (best && *most >= *best))
        continue;
      best = most;
      lower = low;
      extent = space.constant(*most);
    }
}

static void compact(RewriterBase &rewriter, nest::AllocOp alloc) {
  AffineSpace space(funcOf(alloc));
  Value buffer = alloc.getResult();
  // In the nest of a block it is small already, and of no other loop's.
  if (blockAround(alloc))
    return;
  for (Operation *user : buffer.getUsers())
    if (!isa<memref::LoadOp, memref::StoreOp>(user))
      return;
  nest::ForOp home = homeOf(buffer, space);
  if (!home)
    return;
  std::optional<Box> reads = readBox(home, buffer, space),
                     writes = writeBox(home, buffer, space);
  if (!writes)
    return;
  Box box = reads ? unite(*reads, *writes, buffer, space) : *writes;
  SmallVector<AffineExpr> shape = space.shapeOf(buffer);
  std::optional<SmallVector<LoopBounds>> exact = exactHull(home, buffer, space);
  SmallVector<std::optional<Corner>> corners(shape.size());
  for (unsigned d = 0; d < shape.size(); ++d) {
    if (exact)
      narrow((*exact)[d], box.lower[d], box.extent[d], space);
    // Blocks that never run may seem to need less than nothing.
    bool isNothing = AffineSpace::constantOf(box.extent[d]).value_or(1) < 1;
    if (box.extent[d] != shape[d] && !isNothing)
      corners[d] = cornerAt(box.lower[d], box.extent[d], buffer, space);
    if (!corners[d])
      box.extent[d] = shape[d];
  }
  // Inside a serial loop a buffer should be of known size; in a parallel one
  // it must be inside, whatever its size.
  bool isStatic = llvm::all_of(box.extent, [](AffineExpr extent) {
    return isa<AffineConstantExpr>(extent);
  });
  bool crossesParallel = false;
  for (Operation *up = home; up != alloc->getParentOp(); up = up->getParentOp())
    crossesParallel |=
        cast<nest::ForOp>(up).getKind() == nest::LoopKind::Parallel ||
        cast<nest::ForOp>(up).getKind() == nest::LoopKind::Bind;
  if (!isStatic && !crossesParallel)
    return;
  for (unsigned d = 0; d < shape.size(); ++d)
    if (corners[d])
      shiftAccesses(rewriter, buffer, d, *corners[d], space);
  SmallVector<int64_t> dims;
  for (AffineExpr extent : box.extent)
    dims.push_back(
        AffineSpace::constantOf(extent).value_or(ShapedType::kDynamic));
  rewriter.modifyOpInPlace(alloc, [&]() {
    auto type = cast<MemRefType>(alloc.getType());
    buffer.setType(MemRefType::get(dims, type.getElementType(),
                                   MemRefLayoutAttrInterface(),
                                   type.getMemorySpace()));
    SmallVector<Value> operands;
    AffineMap map = space.exportMap(box.extent, operands);
    alloc.getSizesMutable().assign(operands);
    if (isStatic)
      alloc.removeShapeAttr();
    else
      alloc.setShapeAttr(AffineMapAttr::get(map));
  });
  rewriter.moveOpBefore(alloc, &home.getBodyBlock()->front());
}

Outcome sched::compactBuffers(RewriterBase &rewriter, nest::FuncOp func) {
  SmallVector<nest::AllocOp> allocs;
  func.walk([&](nest::AllocOp alloc) { allocs.push_back(alloc); });
  for (nest::AllocOp alloc : allocs) {
    if (alloc.getResult().use_empty()) {
      rewriter.eraseOp(alloc);
      continue;
    }
    compact(rewriter, alloc);
  }
  for (nest::BlockOp block : leavesIn(func)) {
    AffineSpace space(block);
    simplifyIndices(rewriter, block, space);
  }
  return Outcome::done();
}

/// Of all functions in `root`.
static Outcome compactBelow(RewriterBase &rewriter, Operation *root) {
  SmallVector<nest::FuncOp> funcs;
  root->walk([&](nest::FuncOp func) { funcs.push_back(func); });
  for (nest::FuncOp func : funcs)
    if (Outcome outcome = sched::compactBuffers(rewriter, func);
        !outcome.isDone())
      return outcome;
  return Outcome::done();
}

Outcome CompactBuffersOp::run(Invocation &at) {
  return at.call(compactBelow, getFunc());
}

NESTOR_PRIMITIVE(compact_buffers) = {
    .name = "compact_buffers",
    .family = "data",
    .does = "Shrinks buffers to what one iteration touches.",
    .law = "",
    .refuses = "",
    .syntax = "compact_buffers %root",
    .notes = R"(
The last step of a schedule. Each buffer whose values do not outlive an iteration of a
loop moves into that loop and keeps only the box that is touched there; buffers that
nobody uses vanish; divisions in indices that loops decide are removed. What cannot
shrink stays as it is.
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
compact_buffers %root
)",
};
