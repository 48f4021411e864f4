//===- Versions.cpp - Buffers used in turn --------------------------------===//
//
//   for i { T = alloc [16];  T[x] = ...;  ... T[x] }
//   ==>  T = alloc [n, 16];  for i { T[i mod n, x] = ...;  ... T[i mod n, x] }
//
// A body cannot name a loop, so i mod n enters blocks as a spatial iterator.
//
//===----------------------------------------------------------------------===//
#include "Versions.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

static unsigned versionIterator(RewriterBase &rewriter, nest::BlockOp block,
                                AffineExpr version, int64_t versions,
                                AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  for (auto [i, binding] : llvm::enumerate(form.bindings))
    if (binding == version &&
        block.getIteratorKind(i) == nest::IteratorKind::Spatial)
      return i;
  unsigned i = appendIterator(rewriter, block, nest::IteratorKind::Spatial);
  form.bindings.push_back(version);
  form.extents.push_back(space.constant(versions));
  rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
  return i;
}

void sched::hoistVersions(RewriterBase &rewriter, nest::AllocOp alloc,
                          nest::ForOp loop, int64_t versions,
                          AffineSpace &space) {
  rewriter.moveOpBefore(alloc, loop);
  if (versions == 1)
    return;
  Value buffer = alloc.getResult();
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
  AffineExpr version =
      space.simplify(space.of(loop.getInductionVar()) % versions);
  for (nest::BlockOp block : blocksIn(loop)) {
    if (!readsBuffer(block, buffer) && !writesBuffer(block, buffer))
      continue;
    unsigned i = versionIterator(rewriter, block, version, versions, space);
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
