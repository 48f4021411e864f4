//===- QueryMore.cpp - Blocks by what they have to do with others ---------===//
//
// Pure: get_child_blocks, get_producers, get_consumers, get_output_blocks.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Result<Blocks> sched::getChildBlocks(nest::ForOp loop) {
  return Blocks(blocksIn(loop));
}

/// Whether `consumer` reads what `producer` writes.
static bool passesTo(nest::BlockOp producer, nest::BlockOp consumer) {
  return llvm::any_of(writtenBuffers(producer), [&](Value buffer) {
    return readsBuffer(consumer, buffer);
  });
}

/// The blocks of the nest that holds `block`.
static Blocks blocksBeside(nest::BlockOp block) {
  nest::BlockOp around = blockAround(block);
  return blocksIn(around ? around.getOperation() : funcOf(block));
}

Result<Blocks> sched::getProducers(nest::BlockOp block) {
  Blocks found;
  for (nest::BlockOp other : blocksBeside(block))
    if (other != block && isBefore(other, block) && passesTo(other, block))
      found.push_back(other);
  return found;
}

Result<Blocks> sched::getConsumers(nest::BlockOp block) {
  Blocks found;
  for (nest::BlockOp other : blocksBeside(block))
    if (other != block && isBefore(block, other) && passesTo(block, other))
      found.push_back(other);
  return found;
}

Result<Blocks> sched::getOutputBlocks(Operation *root) {
  Blocks found;
  for (nest::BlockOp block : blocksIn(root))
    if (llvm::any_of(writtenBuffers(block),
                     [](Value buffer) { return isa<BlockArgument>(buffer); }))
      found.push_back(block);
  return found;
}

/// Applies a query of one operation: the handle's, then the blocks it finds.
template <typename From, typename OpT>
static DiagnosedSilenceableFailure
answer(OpT op, Value handle, Result<Blocks> (*query)(From),
       transform::TransformResults &results, transform::TransformState &state) {
  From from = nullptr;
  if (auto failed = readHandle(op, state, handle, from); !failed.succeeded())
    return failed;
  Result<Blocks> blocks = query(from);
  return setBlocks(op, results, op.getBlocks(), blocks);
}

DiagnosedSilenceableFailure
GetChildBlocksOp::apply(transform::TransformRewriter &rewriter,
                        transform::TransformResults &results,
                        transform::TransformState &state) {
  return answer(*this, getLoop(), sched::getChildBlocks, results, state);
}

DiagnosedSilenceableFailure
GetProducersOp::apply(transform::TransformRewriter &rewriter,
                      transform::TransformResults &results,
                      transform::TransformState &state) {
  return answer(*this, getBlock(), sched::getProducers, results, state);
}

DiagnosedSilenceableFailure
GetConsumersOp::apply(transform::TransformRewriter &rewriter,
                      transform::TransformResults &results,
                      transform::TransformState &state) {
  return answer(*this, getBlock(), sched::getConsumers, results, state);
}

DiagnosedSilenceableFailure
GetOutputBlocksOp::apply(transform::TransformRewriter &rewriter,
                         transform::TransformResults &results,
                         transform::TransformState &state) {
  return answer(*this, getRoot(), sched::getOutputBlocks, results, state);
}
