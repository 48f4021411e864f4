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

Result<Blocks> sched::getProducers(nest::BlockOp block) {
  Blocks found;
  for (nest::BlockOp other : blocksIn(funcOf(block)))
    if (other != block && isBefore(other, block) && passesTo(other, block))
      found.push_back(other);
  return found;
}

Result<Blocks> sched::getConsumers(nest::BlockOp block) {
  Blocks found;
  for (nest::BlockOp other : blocksIn(funcOf(block)))
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

DiagnosedSilenceableFailure
GetChildBlocksOp::apply(transform::TransformRewriter &rewriter,
                        transform::TransformResults &results,
                        transform::TransformState &state) {
  nest::ForOp loop;
  if (auto failed = readHandle(*this, state, getLoop(), loop);
      !failed.succeeded())
    return failed;
  Result<Blocks> blocks = sched::getChildBlocks(loop);
  return setBlocks(*this, results, getBlocks(), blocks);
}

DiagnosedSilenceableFailure
GetProducersOp::apply(transform::TransformRewriter &rewriter,
                      transform::TransformResults &results,
                      transform::TransformState &state) {
  nest::BlockOp block;
  if (auto failed = readHandle(*this, state, getBlock(), block);
      !failed.succeeded())
    return failed;
  Result<Blocks> blocks = sched::getProducers(block);
  return setBlocks(*this, results, getBlocks(), blocks);
}

DiagnosedSilenceableFailure
GetConsumersOp::apply(transform::TransformRewriter &rewriter,
                      transform::TransformResults &results,
                      transform::TransformState &state) {
  nest::BlockOp block;
  if (auto failed = readHandle(*this, state, getBlock(), block);
      !failed.succeeded())
    return failed;
  Result<Blocks> blocks = sched::getConsumers(block);
  return setBlocks(*this, results, getBlocks(), blocks);
}

DiagnosedSilenceableFailure
GetOutputBlocksOp::apply(transform::TransformRewriter &rewriter,
                         transform::TransformResults &results,
                         transform::TransformState &state) {
  Operation *root = nullptr;
  if (auto failed = readHandle(*this, state, getRoot(), root);
      !failed.succeeded())
    return failed;
  Result<Blocks> blocks = sched::getOutputBlocks(root);
  return setBlocks(*this, results, getBlocks(), blocks);
}
