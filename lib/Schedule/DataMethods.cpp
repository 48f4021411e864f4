//===- DataMethods.cpp - Schedule's methods of buffers --------------------===//
//
// See Methods.h.
//
//===----------------------------------------------------------------------===//
#include "Methods.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

Result<BlockRef> Schedule::reindex(BlockRef block, BufferRole role,
                                   int64_t buffer) {
  NESTOR_CHECK_HANDLES(block.id);
  return performBlock<ReindexOp>(
      recorded(block.id), role == BufferRole::Read ? "read" : "write", buffer);
}

Result<BlockRef> Schedule::reindexCacheRead(BlockRef block, int64_t buffer,
                                            StringRef scope, AffineMap map) {
  NESTOR_CHECK_HANDLES(block.id);
  return performBlock<ReindexCacheReadOp>(recorded(block.id), buffer, scope,
                                          map);
}

Result<BlockRef> Schedule::reindexCacheWrite(BlockRef block, int64_t buffer,
                                             StringRef scope, AffineMap map) {
  NESTOR_CHECK_HANDLES(block.id);
  return performBlock<ReindexCacheWriteOp>(recorded(block.id), buffer, scope,
                                           map);
}

Result<BlockRefs> Schedule::cacheInplace(BlockRef block, int64_t buffer,
                                         StringRef scope) {
  NESTOR_CHECK_HANDLES(block.id);
  Type handle = blockHandle(func.getContext());
  Result<CacheInplaceOp> op = perform<CacheInplaceOp>(
      handle, handle, recorded(block.id), buffer, scope);
  if (!op)
    return op.getOutcome();
  return BlockRefs{{idOf((*op).getCopyIn())}, {idOf((*op).getCopyOut())}};
}

Outcome Schedule::storageAlign(BlockRef block, int64_t buffer, int64_t axis,
                               int64_t factor, int64_t offset) {
  NESTOR_CHECK_HANDLES(block.id);
  return perform<StorageAlignOp>(recorded(block.id), buffer, axis, factor,
                                 offset)
      .getOutcome();
}

Outcome Schedule::rollingBuffer(BlockRef block, int64_t buffer) {
  NESTOR_CHECK_HANDLES(block.id);
  return perform<RollingBufferOp>(recorded(block.id), buffer).getOutcome();
}

//===----------------------------------------------------------------------===//
// Machine
//===----------------------------------------------------------------------===//

Outcome Schedule::pipeline(LoopRef loop, ArrayRef<int64_t> stages,
                           ArrayRef<int64_t> order) {
  NESTOR_CHECK_HANDLES(loop.id);
  return perform<PipelineOp>(recorded(loop.id), stages, order).getOutcome();
}

Outcome Schedule::doubleBuffer(BlockRef block, int64_t buffer) {
  NESTOR_CHECK_HANDLES(block.id);
  return perform<DoubleBufferOp>(recorded(block.id), buffer).getOutcome();
}

Outcome Schedule::prefetch(BlockRef block, int64_t buffer, LoopRef loop,
                           Param distance) {
  NESTOR_CHECK_HANDLES({block.id, loop.id});
  SmallVector<Value> dynamic;
  SmallVector<int64_t> mixed, values;
  mixParams(distance, knobs, dynamic, mixed, values);
  return perform<PrefetchOp>(recorded(block.id), buffer, recorded(loop.id),
                             dynamic, mixed)
      .getOutcome();
}
