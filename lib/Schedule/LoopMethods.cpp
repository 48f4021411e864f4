//===- LoopMethods.cpp - Schedule's methods of loops, axes and queries ----===//
//
// See Methods.h.
//
//===----------------------------------------------------------------------===//
#include "Methods.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

template <typename OpT>
Result<BlockRefs> Schedule::recordBlocks(Result<Blocks> found, Value from) {
  if (!found)
    return found.getOutcome();
  OpBuilder builder = atEnd();
  auto op = OpT::create(
      builder, builder.getUnknownLoc(),
      SmallVector<Type>(found->size(), blockHandle(func.getContext())), from);
  BlockRefs refs;
  for (auto [block, value] : llvm::zip_equal(*found, op->getResults()))
    refs.push_back({add(block, value)});
  return refs;
}

Result<BlockRefs> Schedule::getChildBlocks(LoopRef loop) {
  NESTOR_CHECK_HANDLES(loop.id);
  return recordBlocks<GetChildBlocksOp>(sched::getChildBlocks(get(loop)),
                                        recorded(loop.id));
}

Result<BlockRefs> Schedule::getProducers(BlockRef block) {
  NESTOR_CHECK_HANDLES(block.id);
  return recordBlocks<GetProducersOp>(sched::getProducers(get(block)),
                                      recorded(block.id));
}

Result<BlockRefs> Schedule::getConsumers(BlockRef block) {
  NESTOR_CHECK_HANDLES(block.id);
  return recordBlocks<GetConsumersOp>(sched::getConsumers(get(block)),
                                      recorded(block.id));
}

Result<BlockRefs> Schedule::getOutputBlocks() {
  return recordBlocks<GetOutputBlocksOp>(sched::getOutputBlocks(func),
                                         rootOf(*sequence));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Result<LoopRefs> Schedule::split(LoopRef loop, ArrayRef<Param> factors,
                                 Tail tail) {
  NESTOR_CHECK_HANDLES(loop.id);
  SmallVector<Value> dynamic;
  SmallVector<int64_t> mixed, values;
  mixParams(factors, knobs, dynamic, mixed, values);
  Result<Loops> loops = sched::split(*rewriter, get(loop), values, tail);
  if (!loops)
    return loops.getOutcome();
  OpBuilder builder = atEnd();
  auto op = SplitOp::create(
      builder, builder.getUnknownLoc(),
      loopHandles(func.getContext(), loops->size()), recorded(loop.id), dynamic,
      builder.getDenseI64ArrayAttr(mixed),
      tail == Tail::Predicate
          ? StringAttr()
          : builder.getStringAttr(tail == Tail::Peel ? "peel" : "perfect"));
  return addLoops(*loops, op->getResults());
}

Result<LoopRefs> Schedule::loopPartition(LoopRef loop, ArrayRef<Param> parts) {
  NESTOR_CHECK_HANDLES(loop.id);
  SmallVector<Value> dynamic;
  SmallVector<int64_t> mixed, values;
  mixParams(parts, knobs, dynamic, mixed, values);
  Result<Loops> loops = sched::loopPartition(*rewriter, get(loop), values);
  if (!loops)
    return loops.getOutcome();
  OpBuilder builder = atEnd();
  auto op =
      LoopPartitionOp::create(builder, builder.getUnknownLoc(),
                              loopHandles(func.getContext(), loops->size()),
                              recorded(loop.id), dynamic, mixed);
  return addLoops(*loops, op->getResults());
}

Result<LoopRef> Schedule::merge(LoopRef first, LoopRef second) {
  NESTOR_CHECK_HANDLES({first.id, second.id});
  Result<nest::ForOp> merged = sched::merge(*rewriter, get(first), get(second));
  if (!merged)
    return merged.getOutcome();
  OpBuilder builder = atEnd();
  auto op = MergeOp::create(builder, builder.getUnknownLoc(),
                            loopHandle(func.getContext()), recorded(first.id),
                            recorded(second.id));
  return LoopRef{add(*merged, op.getMerged())};
}

Outcome Schedule::reorderBlockIters(BlockRef block, ArrayRef<int64_t> order) {
  NESTOR_CHECK_HANDLES(block.id);
  NESTOR_APPLY(sched::reorderBlockIters(*rewriter, get(block), order));
  OpBuilder builder = atEnd();
  ReorderBlockItersOp::create(builder, builder.getUnknownLoc(),
                              recorded(block.id), order);
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

Outcome Schedule::bind(LoopRef loop, StringRef axis) {
  NESTOR_CHECK_HANDLES(loop.id);
  NESTOR_APPLY(sched::bind(*rewriter, get(loop), axis));
  OpBuilder builder = atEnd();
  BindOp::create(builder, builder.getUnknownLoc(), recorded(loop.id), axis);
  return Outcome::done();
}

Outcome Schedule::unannotate(LoopRef loop, StringRef key) {
  NESTOR_CHECK_HANDLES(loop.id);
  NESTOR_APPLY(sched::unannotate(*rewriter, table[loop.id].op, key));
  OpBuilder builder = atEnd();
  UnannotateOp::create(builder, builder.getUnknownLoc(), recorded(loop.id),
                       key);
  return Outcome::done();
}

Outcome Schedule::unannotate(BlockRef block, StringRef key) {
  return unannotate(LoopRef{block.id}, key);
}
