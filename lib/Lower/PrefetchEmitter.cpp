//===- PrefetchEmitter.cpp - Requests for what comes later ----------------===//
//
//   nest.for %k = 0 to 64 annotate {prefetch = [{block = "B", read = 0, ...}]}
//   ==>  for %k { prefetch &A[min(%k + distance, 63), x] for each line;  ... }
//
// The annotation names a block, one of the buffers it reads and a distance.
// What an iteration of the loop reads of it is a box; each row of it is asked
// for by cache lines. The later iteration is at most the last one, so that
// addresses stay in the buffer.
//
// Leaves out, silently, what cannot be asked for any more: the block is gone,
// or its box is not of constant size.
//
//===----------------------------------------------------------------------===//
#include "KernelEmitter.h"

#include "nestor/Analysis/Blocks.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

static constexpr int64_t kLineBytes = 64;

/// The block below `loop` with this name.
static nest::BlockOp findBlock(nest::ForOp loop, StringRef name) {
  for (nest::BlockOp block : analysis::blocksIn(loop))
    if (block.getName() == name)
      return block;
  return {};
}

void KernelEmitter::emitPrefetches(nest::ForOp loop) {
  DictionaryAttr annotations = loop.getAnnotationsAttr();
  auto entries =
      annotations ? annotations.getAs<ArrayAttr>("prefetch") : ArrayAttr();
  if (!entries || mode.lanes > 0)
    return;
  analysis::AffineSpace space(kernel);
  for (Attribute entry : entries) {
    auto fields = dyn_cast<DictionaryAttr>(entry);
    auto name = fields ? fields.getAs<StringAttr>("block") : StringAttr();
    auto distance =
             fields ? fields.getAs<IntegerAttr>("distance") : IntegerAttr(),
         read = fields ? fields.getAs<IntegerAttr>("read") : IntegerAttr();
    nest::BlockOp block =
        name && distance && read ? findBlock(loop, name) : nest::BlockOp();
    SmallVector<Value> reads;
    if (block)
      reads = analysis::readBuffers(block);
    if (!block || uint64_t(read.getInt()) >= reads.size())
      continue;
    // Everything as it will be in the later iteration.
    Value variable = loop.getInductionVar();
    LinearIndex now = linears[variable];
    LinearIndex last =
        bound(loop.getUpperMap(), loop.getUpperOperands(), true) +
        LinearIndex::ofConstant(-1);
    LinearIndex later = now + LinearIndex::ofConstant(distance.getInt());
    if (later.isConstant() && last.isConstant())
      later.constant = std::min(later.constant, last.constant);
    else
      later = LinearIndex::ofValue(
          arith::MinSIOp::create(builder, loc, later.materialize(builder, loc),
                                 last.materialize(builder, loc)),
          mode.depth);
    linears[variable] = later;
    for (const analysis::Access &access : analysis::accessesOf(block))
      if (access.buffer == reads[read.getInt()] && !access.isWrite)
        prefetchBox(access, block, loop, space);
    linears[variable] = now;
  }
}

void KernelEmitter::prefetchBox(const analysis::Access &access,
                                nest::BlockOp block, nest::ForOp loop,
                                analysis::AffineSpace &space) {
  auto known = buffers.find(access.buffer);
  if (known == buffers.end())
    return;
  Buffer buffer = known->second;
  analysis::Box box =
      analysis::boxOf(access, block, space, [&](nest::ForOp other) {
        return loop->isProperAncestor(other);
      });
  Type element = elementStorage(buffer.type.getElementType());
  int64_t width = element.isIndex() ? 8 : element.getIntOrFloatBitWidth() / 8;
  int64_t perLine = std::max<int64_t>(1, kLineBytes / width);
  SmallVector<int64_t> extents;
  for (AffineExpr extent : box.extent) {
    std::optional<int64_t> count = analysis::AffineSpace::constantOf(extent);
    if (!count)
      return;
    extents.push_back(*count);
  }
  // The corner of the box, where it is in the buffer for certain or after
  // moving it there.
  SmallVector<Value> operands;
  AffineMap corner = space.exportMap(box.lower, operands);
  SmallVector<AffineExpr> shape = space.shapeOf(access.buffer);
  LinearIndex offset, stride = LinearIndex::ofConstant(1);
  SmallVector<LinearIndex> strides(extents.size());
  for (size_t d = extents.size(); d-- > 0;) {
    LinearIndex index =
        evaluate(corner.getResult(d), corner.getNumDims(), operands);
    if (!space.isNonNegative(box.lower[d]) ||
        !space.isNonNegative(shape[d] - box.extent[d] - box.lower[d])) {
      Value least = indexConstant(builder, loc, 0),
            most = (buffer.dims[d] + LinearIndex::ofConstant(-extents[d]))
                       .materialize(builder, loc);
      Value inside = arith::MinSIOp::create(
          builder, loc, index.materialize(builder, loc), most);
      inside = arith::MaxSIOp::create(builder, loc, inside, least);
      index = LinearIndex::ofValue(inside, mode.depth);
    }
    strides[d] = stride;
    offset = offset + times(index, stride);
    if (d > 0)
      stride = outerStride(buffer, d, stride);
  }
  // Row by row; the last dim by lines.
  SmallVector<int64_t> at(extents.size(), 0);
  while (true) {
    LinearIndex place = offset;
    for (auto [step, by] : llvm::zip_equal(at, strides))
      place = place + by * step;
    LLVM::Prefetch::create(builder, loc, pointerTo(buffer, place),
                           /*rw=*/0, /*hint=*/3, /*cache=*/1);
    size_t d = extents.size();
    while (d > 0) {
      --d;
      at[d] += d + 1 == extents.size() ? perLine : 1;
      if (at[d] < extents[d])
        break;
      at[d] = 0;
      if (d == 0)
        return;
    }
    if (extents.empty())
      return;
  }
}
