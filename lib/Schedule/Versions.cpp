//===- Versions.cpp - Buffers used in turn --------------------------------===//
//
//   for i { T = alloc [16];  T[x] = ...;  ... T[x] }
//   ==>  T = alloc [n, 16];  for i { T[i mod n, x] = ...;  ... T[i mod n, x] }
//
// A body cannot name a loop, so i mod n enters blocks as an iterator.
//
//===----------------------------------------------------------------------===//
#include "Versions.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// The iterator of `block` for `version` of `buffer`. It is spatial unless that
/// would tell steps of a reduction apart, or repetitions, which share elements.
static unsigned versionIterator(RewriterBase &rewriter, nest::BlockOp block,
                                Value buffer, nest::ForOp loop,
                                AffineExpr version, int64_t versions,
                                AffineSpace &space) {
  bool inOrder = feeds(loop, block, nest::IteratorKind::Reduce) ||
                 feeds(loop, block, nest::IteratorKind::Ordered);
  if (!feeds(loop, block))
    for (Value output : writtenBuffers(block)) {
      Operation *alloc = output.getDefiningOp();
      inOrder |= output != buffer && !(alloc && loop->isAncestor(alloc));
    }
  nest::IteratorKind kind =
      inOrder ? nest::IteratorKind::Ordered : nest::IteratorKind::Spatial;
  return iteratorFor(rewriter, block, version, space.constant(versions), kind,
                     /*sameKind=*/true, space);
}

/// Iterations that had a buffer each now write the same elements one after the
/// other: iterators that tell them apart are spatial no more.
static void orderWrites(RewriterBase &rewriter, nest::BlockOp block,
                        AffineExpr var, AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  SmallVector<int32_t> kinds(block.getKinds());
  for (auto [kind, binding] : llvm::zip_equal(kinds, form.bindings))
    if (kind == static_cast<int32_t>(nest::IteratorKind::Spatial) &&
        AffineSpace::uses(binding, var))
      kind = static_cast<int32_t>(nest::IteratorKind::Ordered);
  rewriter.modifyOpInPlace(block, [&]() { block.setKinds(kinds); });
}

void sched::hoistVersions(RewriterBase &rewriter, nest::AllocOp alloc,
                          nest::ForOp loop, int64_t versions,
                          AffineSpace &space) {
  rewriter.moveOpBefore(alloc, loop);
  Value buffer = alloc.getResult();
  AffineExpr var = space.of(loop.getInductionVar());
  for (nest::BlockOp block : allBlocksIn(loop))
    if (writesBuffer(block, buffer))
      orderWrites(rewriter, block, var, space);
  if (versions == 1)
    return;
  auto type = cast<MemRefType>(alloc.getType());
  SmallVector<AffineExpr> shape{space.constant(versions)};
  llvm::append_range(shape, space.shapeOf(buffer));
  SmallVector<int64_t> dims{versions};
  llvm::append_range(dims, type.getShape());
  rewriter.modifyOpInPlace(alloc, [&]() {
    buffer.setType(MemRefType::get(dims, type.getElementType(),
                                   MemRefLayoutAttrInterface(),
                                   type.getMemorySpace()));
    if (type.hasStaticShape())
      return;
    SmallVector<Value> operands;
    AffineMap map = space.exportMap(shape, operands);
    alloc.getSizesMutable().assign(operands);
    alloc.setShapeAttr(AffineMapAttr::get(map));
  });
  AffineExpr version = space.simplify(var % versions);
  for (nest::BlockOp block : leavesIn(loop)) {
    if (!readsBuffer(block, buffer) && !writesBuffer(block, buffer))
      continue;
    unsigned i = versionIterator(rewriter, block, buffer, loop, version,
                                 versions, space);
    for (const Access &access : accessesOf(block)) {
      if (access.buffer != buffer)
        continue;
      Region &region = access.inInit ? block.getInit() : block.getBody();
      rewriter.modifyOpInPlace(access.op, [&]() {
        access.op->insertOperands(access.isWrite ? 2 : 1,
                                  ValueRange{region.getArgument(i)});
      });
    }
  }
}
