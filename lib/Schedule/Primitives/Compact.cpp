//===- Compact.cpp - compact_buffers --------------------------------------===//
//
//   T = alloc [N];  for i { for j { T[i * 4 + j] = ... } ; ... T[i * 4 + j] }
//   ==>  for i { T = alloc [4];  for j { T[j] = ... } ; ... T[j] }
//
// A buffer moves into the deepest loop whose iterations write all that they
// read of it. A body cannot name a loop, so the corner of the box enters blocks
// as one more spatial iterator.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

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

/// The corner of a box without its constant, which has to be a natural number:
/// the value that an iterator can carry.
static std::optional<AffineExpr> cornerOf(AffineExpr lower, AffineSpace &space,
                                          int64_t &constant) {
  Linear linear = Linear::of(lower);
  constant = linear.constant;
  linear.constant = 0;
  AffineExpr corner = linear.toExpr(space.getContext());
  if (!space.isNonNegative(corner)) {
    constant = 0;
    corner = lower;
    if (!space.isNonNegative(corner))
      return std::nullopt;
  }
  return corner;
}

/// The iterator of `block` that is bound to `corner`; made where missing.
static unsigned iteratorFor(RewriterBase &rewriter, nest::BlockOp block,
                            AffineExpr corner, AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  for (auto [i, binding] : llvm::enumerate(form.bindings))
    if (binding == corner)
      return i;
  unsigned i = appendIterator(rewriter, block, nest::IteratorKind::Spatial);
  form.bindings.push_back(corner);
  AffineExpr end = space.bounds(corner, [](nest::ForOp) { return true; }).upper;
  form.extents.push_back(space.canonical(end + 1));
  rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
  return i;
}

/// index => index - lower in every access of dim `dim`.
static void shiftAccesses(RewriterBase &rewriter, Value buffer, unsigned dim,
                          AffineExpr corner, int64_t constant,
                          AffineSpace &space) {
  nest::FuncOp func = space.getFunc();
  for (nest::BlockOp block : blocksIn(func)) {
    if (!readsBuffer(block, buffer) && !writesBuffer(block, buffer))
      continue;
    AffineExpr offset = space.constant(constant);
    if (corner != space.constant(0)) {
      unsigned i = iteratorFor(rewriter, block, corner, space);
      offset = getAffineDimExpr(i, space.getContext()) + constant;
    }
    for (const Access &access : accessesOf(block)) {
      if (access.buffer != buffer)
        continue;
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPoint(access.op);
      Region &region = access.inInit ? block.getInit() : block.getBody();
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

static void compact(RewriterBase &rewriter, nest::AllocOp alloc) {
  AffineSpace space(funcOf(alloc));
  Value buffer = alloc.getResult();
  // An index in the nest of a block cannot be told from its corner here.
  for (Operation *user : buffer.getUsers())
    if (!isa<memref::LoadOp, memref::StoreOp>(user) ||
        blockAround(blockAround(user)))
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
  SmallVector<AffineExpr> corners(shape.size(), space.constant(0));
  SmallVector<int64_t> constants(shape.size(), 0);
  for (unsigned d = 0; d < shape.size(); ++d) {
    std::optional<AffineExpr> corner =
        box.extent[d] == shape[d] ? std::nullopt
                                  : cornerOf(box.lower[d], space, constants[d]);
    if (corner) {
      corners[d] = *corner;
      continue;
    }
    constants[d] = 0;
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
        cast<nest::ForOp>(up).getKind() == nest::LoopKind::Parallel;
  if (!isStatic && !crossesParallel)
    return;
  for (unsigned d = 0; d < shape.size(); ++d)
    if (box.extent[d] != shape[d])
      shiftAccesses(rewriter, buffer, d, corners[d], constants[d], space);
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
  AffineSpace space(func);
  for (nest::BlockOp block : blocksIn(func))
    if (!block.hasNest())
      simplifyIndices(rewriter, block, space);
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
