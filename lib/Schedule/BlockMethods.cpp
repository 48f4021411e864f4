//===- BlockMethods.cpp - Schedule's methods of blocks and reductions -----===//
//
// See Methods.h.
//
//===----------------------------------------------------------------------===//
#include "Methods.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

Outcome Schedule::fuseEpilogue(BlockRef epilogue, BlockRef reduction) {
  NESTOR_CHECK_HANDLES({epilogue.id, reduction.id});
  return perform<FuseEpilogueOp>(recorded(epilogue.id), recorded(reduction.id))
      .getOutcome();
}

Result<BlockRef> Schedule::splitK(LoopRef loop, Param parts, int64_t axis) {
  NESTOR_CHECK_HANDLES(loop.id);
  SmallVector<Value> dynamic;
  SmallVector<int64_t> mixed, values;
  mixParams(parts, knobs, dynamic, mixed, values);
  return performBlock<SplitKOp>(recorded(loop.id), dynamic, mixed, axis);
}

Result<BlockRef> Schedule::fuseReductions(ArrayRef<BlockRef> blocks,
                                          LoopRef loop) {
  SmallVector<Value> values;
  for (BlockRef block : blocks) {
    NESTOR_CHECK_HANDLES(block.id);
    values.push_back(recorded(block.id));
  }
  NESTOR_CHECK_HANDLES(loop.id);
  return performBlock<FuseReductionsOp>(values, recorded(loop.id));
}

Result<BlockRef> Schedule::blockize(LoopRef loop) {
  NESTOR_CHECK_HANDLES(loop.id);
  return performBlock<BlockizeOp>(recorded(loop.id));
}

Outcome Schedule::transformBlockLayout(BlockRef block, AffineMap map) {
  NESTOR_CHECK_HANDLES(block.id);
  return perform<TransformBlockLayoutOp>(recorded(block.id), map).getOutcome();
}

Outcome Schedule::padEinsum(BlockRef block, ArrayRef<Param> multiples) {
  NESTOR_CHECK_HANDLES(block.id);
  SmallVector<Value> dynamic;
  SmallVector<int64_t> mixed, values;
  mixParams(multiples, knobs, dynamic, mixed, values);
  return perform<PadEinsumOp>(recorded(block.id), dynamic, mixed).getOutcome();
}

Result<BlockRef> Schedule::decomposePadding(BlockRef block, LoopRef loop) {
  NESTOR_CHECK_HANDLES({block.id, loop.id});
  return performBlock<DecomposePaddingOp>(recorded(block.id),
                                          recorded(loop.id));
}
