//===- BlockMethods.cpp - Schedule's methods of blocks and reductions -----===//
//
// See Methods.h.
//
//===----------------------------------------------------------------------===//
#include "Methods.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

//===----------------------------------------------------------------------===//
// Moving
//===----------------------------------------------------------------------===//

Outcome Schedule::computeAt(BlockRef block, LoopRef loop) {
  return performAlone<ComputeAtOp>(recorded(block), recorded(loop), Value());
}

Outcome Schedule::computeAt(BlockRef block, Param location) {
  Mixed mixed = mix(location);
  if (mixed.dynamic.empty())
    return Outcome::refused("compute_at takes the location of a sample; for a "
                            "loop of one's choice it takes the loop");
  return performAlone<ComputeAtOp>(recorded(block), Value(),
                                   mixed.dynamic.front());
}

Outcome Schedule::reverseComputeAt(BlockRef block, LoopRef loop) {
  return performAlone<ReverseComputeAtOp>(recorded(block), recorded(loop));
}

Outcome Schedule::computeInline(BlockRef block) {
  return performAlone<ComputeInlineOp>(recorded(block));
}

Outcome Schedule::reverseComputeInline(BlockRef block) {
  return performAlone<ReverseComputeInlineOp>(recorded(block));
}

Outcome Schedule::fuseEpilogue(BlockRef epilogue, BlockRef reduction) {
  return performAlone<FuseEpilogueOp>(recorded(epilogue), recorded(reduction));
}

//===----------------------------------------------------------------------===//
// Reduction
//===----------------------------------------------------------------------===//

Result<BlockRef> Schedule::decomposeReduction(BlockRef block, LoopRef loop) {
  return performBlock<DecomposeReductionOp>(recorded(block), recorded(loop));
}

Result<BlockRef> Schedule::rfactor(LoopRef loop, int64_t axis) {
  return performBlock<RFactorOp>(recorded(loop), axis);
}

Result<BlockRef> Schedule::splitK(LoopRef loop, Param parts, int64_t axis) {
  Mixed mixed = mix(parts);
  return performBlock<SplitKOp>(recorded(loop), mixed.dynamic, mixed.numbers,
                                axis);
}

Result<BlockRef> Schedule::fuseReductions(ArrayRef<BlockRef> blocks,
                                          LoopRef loop) {
  return performBlock<FuseReductionsOp>(recordedAll(blocks), recorded(loop));
}

Outcome Schedule::skipPadding(BlockRef block) {
  return performAlone<SkipPaddingOp>(recorded(block));
}

//===----------------------------------------------------------------------===//
// Tensor
//===----------------------------------------------------------------------===//

Outcome Schedule::transformLayout(BlockRef block, BufferRole role,
                                  int64_t buffer, AffineMap map) {
  return performAlone<TransformLayoutOp>(recorded(block), nameOf(role), buffer,
                                         map);
}

Outcome Schedule::tensorize(BlockRef block, StringRef intrinsic) {
  return performAlone<TensorizeOp>(recorded(block), intrinsic);
}

Result<BlockRef> Schedule::blockize(LoopRef loop) {
  return performBlock<BlockizeOp>(recorded(loop));
}

Outcome Schedule::transformBlockLayout(BlockRef block, AffineMap map) {
  return performAlone<TransformBlockLayoutOp>(recorded(block), map);
}

Outcome Schedule::padEinsum(BlockRef block, ArrayRef<Param> multiples) {
  Mixed mixed = mix(multiples);
  return performAlone<PadEinsumOp>(recorded(block), mixed.dynamic,
                                   mixed.numbers);
}

Result<BlockRef> Schedule::decomposePadding(BlockRef block, LoopRef loop) {
  return performBlock<DecomposePaddingOp>(recorded(block), recorded(loop));
}
