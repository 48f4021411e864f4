//===- RowFusion.cpp - Chains over the rows of a tensor -------------------===//
//
// Softmax, layer norm and their like: several blocks, each over rows and the
// elements of a row, that feed each other through temporaries.
//
//   for i: for j: M[i] = max(X[i, j])           for i:
//   for i: for j: E[i, j] = exp(X - M)    ==>     for j: max   for j: exp
//   for i: for j: S[i] += E[i, j]                 for j: sum   for j: div
//   for i: for j: Y[i, j] = E / S
//
// A row then stays in cache, and rows are what threads share.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

void rules::rowFusion(RuleContext &context) {
  sched::Schedule &s = context.schedule;
  SmallVector<nest::BlockOp> blocks;
  for (nest::BlockOp block : blocksIn(s.getFunc()))
    if (!context.done.contains(block.getName()))
      blocks.push_back(block);
  if (blocks.size() < 2)
    return;
  auto last = s.getBlock(blocks.back().getName());
  if (!context.accept("get_block", last))
    return;
  auto loops = s.getLoops(*last);
  if (!context.accept("get_loops", loops) || loops->empty())
    return;
  // The loop outside of those that run through a row, as reductions along rows
  // tell; the last block may have one value a row.
  size_t lead = loops->size() - 1;
  for (nest::BlockOp block : blocks)
    if (kindOf(block) == BlockKind::Reduction) {
      lead = llvm::count_if(loopsAround(block), [&](nest::ForOp loop) {
        return !feeds(loop, block, nest::IteratorKind::Reduce);
      });
      break;
    }
  if (lead == 0 || lead > loops->size())
    return;
  sched::LoopRef row = (*loops)[lead - 1];
  SmallVector<std::string> names;
  for (nest::BlockOp block : blocks)
    names.push_back(block.getName().str());
  names.pop_back();
  // Consumers first: each producer then finds its readers below the row loop.
  for (const std::string &name : llvm::reverse(names)) {
    auto block = s.getBlock(name);
    if (context.accept("get_block", block))
      context.accept("compute_at", s.computeAt(*block, row));
  }
}
