//===- LoopMethods.cpp - Schedule's methods of loops, kinds and queries ---===//
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

template <typename OpT, typename T>
Result<SmallVector<unsigned>> Schedule::record(Result<SmallVector<T>> found,
                                               Value from) {
  if (std::exchange(foreign, false))
    return Outcome::refused("a handle that was dropped as unused");
  if (!found)
    return found.getOutcome();
  OpBuilder builder = atEnd();
  Type handle =
      transform::OperationType::get(func.getContext(), T::getOperationName());
  auto op = OpT::create(builder, builder.getUnknownLoc(),
                        SmallVector<Type>(found->size(), handle), from);
  SmallVector<unsigned> added;
  for (auto [one, value] : llvm::zip_equal(*found, op->getResults()))
    added.push_back(add(one, value));
  return added;
}

template <typename Ref>
static Result<SmallVector<Ref>> as(Result<SmallVector<unsigned>> added) {
  if (!added)
    return added.getOutcome();
  return SmallVector<Ref>(
      llvm::map_range(*added, [](unsigned id) { return Ref{id}; }));
}

/// Leaves when the handle is empty.
#define NESTOR_CHECK_HANDLE(REF)                                               \
  if (!get(REF))                                                               \
  return Outcome::refused("the handle is empty: what it named is gone")

Result<BlockRef> Schedule::getBlock(StringRef name) {
  return performBlock<GetBlockOp>(name, root());
}

Result<LoopRefs> Schedule::getLoops(BlockRef block) {
  NESTOR_CHECK_HANDLE(block);
  return as<LoopRef>(
      record<GetLoopsOp>(sched::getLoops(get(block)), recorded(block)));
}

Result<BlockRefs> Schedule::getChildBlocks(LoopRef loop) {
  NESTOR_CHECK_HANDLE(loop);
  return as<BlockRef>(record<GetChildBlocksOp>(sched::getChildBlocks(get(loop)),
                                               recorded(loop)));
}

Result<BlockRefs> Schedule::getProducers(BlockRef block) {
  NESTOR_CHECK_HANDLE(block);
  return as<BlockRef>(
      record<GetProducersOp>(sched::getProducers(get(block)), recorded(block)));
}

Result<BlockRefs> Schedule::getConsumers(BlockRef block) {
  NESTOR_CHECK_HANDLE(block);
  return as<BlockRef>(
      record<GetConsumersOp>(sched::getConsumers(get(block)), recorded(block)));
}

Result<BlockRefs> Schedule::getOutputBlocks() {
  return as<BlockRef>(
      record<GetOutputBlocksOp>(sched::getOutputBlocks(func), root()));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Result<LoopRefs> Schedule::split(LoopRef loop, ArrayRef<Param> factors,
                                 Tail tail) {
  Builder builder(func.getContext());
  Mixed mixed = mix(factors);
  return performLoops<SplitOp>(
      factors.size(), recorded(loop), mixed.dynamic,
      builder.getDenseI64ArrayAttr(mixed.numbers),
      tail == Tail::Predicate
          ? StringAttr()
          : builder.getStringAttr(tail == Tail::Peel ? "peel" : "perfect"));
}

Result<LoopRef> Schedule::fuse(ArrayRef<LoopRef> loops) {
  return performLoop<FuseOp>(recordedAll(loops));
}

Outcome Schedule::reorder(ArrayRef<LoopRef> loops) {
  return performAlone<ReorderOp>(recordedAll(loops));
}

Result<LoopRef> Schedule::addUnitLoop(BlockRef block) {
  return performLoop<AddUnitLoopOp>(recorded(block));
}

Result<LoopRef> Schedule::addUnitLoop(LoopRef loop) {
  return performLoop<AddUnitLoopOp>(recorded(loop));
}

Result<LoopRefs> Schedule::loopPartition(LoopRef loop, ArrayRef<Param> parts) {
  Mixed mixed = mix(parts);
  return performLoops<LoopPartitionOp>(parts.size(), recorded(loop),
                                       mixed.dynamic, mixed.numbers);
}

Result<LoopRef> Schedule::merge(LoopRef first, LoopRef second) {
  return performLoop<MergeOp>(recorded(first), recorded(second));
}

Result<LoopRefs> Schedule::separateFullPartial(LoopRef loop) {
  return performLoops<SeparateFullPartialOp>(2, recorded(loop));
}

Outcome Schedule::reorderBlockIters(BlockRef block, ArrayRef<int64_t> order) {
  return performAlone<ReorderBlockItersOp>(recorded(block), order);
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

Outcome Schedule::vectorize(LoopRef loop) {
  return performAlone<VectorizeOp>(recorded(loop));
}

Outcome Schedule::unroll(LoopRef loop) {
  return performAlone<UnrollOp>(recorded(loop));
}

Outcome Schedule::parallel(LoopRef loop, Param grain) {
  Mixed mixed = mix(grain);
  return performAlone<ParallelOp>(recorded(loop), mixed.dynamic, mixed.numbers);
}

Outcome Schedule::bind(LoopRef loop, StringRef axis) {
  return performAlone<BindOp>(recorded(loop), axis);
}

Outcome Schedule::annotate(LoopRef loop, StringRef key, Attribute value) {
  return performAlone<AnnotateOp>(recorded(loop), key, value);
}

Outcome Schedule::annotate(BlockRef block, StringRef key, Attribute value) {
  return performAlone<AnnotateOp>(recorded(block), key, value);
}

Outcome Schedule::unannotate(LoopRef loop, StringRef key) {
  return performAlone<UnannotateOp>(recorded(loop), key);
}

Outcome Schedule::unannotate(BlockRef block, StringRef key) {
  return performAlone<UnannotateOp>(recorded(block), key);
}
