//===- DataMethods.cpp - Schedule's methods of buffers --------------------===//
//
// See Methods.h.
//
//===----------------------------------------------------------------------===//
#include "Methods.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

Result<BlockRef> Schedule::cacheRead(BlockRef block, int64_t buffer,
                                     StringRef scope,
                                     ArrayRef<BlockRef> consumers) {
  return performBlock<CacheReadOp>(recorded(block), buffer, scope,
                                   recordedAll(consumers));
}

Result<BlockRef> Schedule::cacheWrite(BlockRef block, int64_t buffer,
                                      StringRef scope,
                                      ArrayRef<BlockRef> consumers) {
  return performBlock<CacheWriteOp>(recorded(block), buffer, scope,
                                    recordedAll(consumers));
}

Outcome Schedule::setScope(BlockRef block, int64_t buffer, StringRef scope) {
  return performAlone<SetScopeOp>(recorded(block), buffer, scope);
}

Result<BlockRef> Schedule::reindex(BlockRef block, BufferRole role,
                                   int64_t buffer) {
  return performBlock<ReindexOp>(recorded(block), nameOf(role), buffer);
}

Result<BlockRef> Schedule::reindexCacheRead(BlockRef block, int64_t buffer,
                                            StringRef scope, AffineMap map) {
  return performBlock<ReindexCacheReadOp>(recorded(block), buffer, scope, map);
}

Result<BlockRef> Schedule::reindexCacheWrite(BlockRef block, int64_t buffer,
                                             StringRef scope, AffineMap map) {
  return performBlock<ReindexCacheWriteOp>(recorded(block), buffer, scope, map);
}

Result<BlockRefs> Schedule::cacheInplace(BlockRef block, int64_t buffer,
                                         StringRef scope) {
  Type handle = blockHandle(func.getContext());
  Result<CacheInplaceOp> op =
      perform<CacheInplaceOp>(handle, handle, recorded(block), buffer, scope);
  if (!op)
    return op.getOutcome();
  return BlockRefs{{idOf((*op).getCopyIn())}, {idOf((*op).getCopyOut())}};
}

Outcome Schedule::storageAlign(BlockRef block, int64_t buffer, int64_t axis,
                               int64_t factor, int64_t offset) {
  return performAlone<StorageAlignOp>(recorded(block), buffer, axis, factor,
                                      offset);
}

Outcome Schedule::rollingBuffer(BlockRef block, int64_t buffer) {
  return performAlone<RollingBufferOp>(recorded(block), buffer);
}

Outcome Schedule::compactBuffers() {
  return performAlone<CompactBuffersOp>(root());
}

//===----------------------------------------------------------------------===//
// Machine
//===----------------------------------------------------------------------===//

Outcome Schedule::pipeline(LoopRef loop, ArrayRef<int64_t> stages,
                           ArrayRef<int64_t> order) {
  return performAlone<PipelineOp>(recorded(loop), stages, order);
}

Outcome Schedule::doubleBuffer(BlockRef block, int64_t buffer) {
  return performAlone<DoubleBufferOp>(recorded(block), buffer);
}

Outcome Schedule::prefetch(BlockRef block, int64_t buffer, LoopRef loop,
                           Param distance) {
  Mixed mixed = mix(distance);
  return performAlone<PrefetchOp>(recorded(block), buffer, recorded(loop),
                                  mixed.dynamic, mixed.numbers);
}
