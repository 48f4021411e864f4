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

Outcome GetChildBlocksOp::run(Invocation &at) {
  return at.ask(sched::getChildBlocks, getLoop());
}

Outcome GetProducersOp::run(Invocation &at) {
  return at.ask(sched::getProducers, getBlock());
}

Outcome GetConsumersOp::run(Invocation &at) {
  return at.ask(sched::getConsumers, getBlock());
}

Outcome GetOutputBlocksOp::run(Invocation &at) {
  return at.ask(sched::getOutputBlocks, getRoot());
}
