//===- Parallel.cpp - Outermost loops on several threads
//-------------------===//
//
// The outermost loop of each nest becomes parallel; its grain is as many
// iterations as fill the time that makes a second thread worth waking. Small
// kernels thus run on the calling thread.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;

/// Work that one thread should have at least, in ns.
static constexpr double kGrainTime = 20000;

void rules::parallelize(RuleContext &context) {
  sched::Schedule &s = context.schedule;
  // Through the handles of blocks: one block of each outermost loop.
  llvm::SmallPtrSet<Operation *, 8> seen;
  SmallVector<std::string> names;
  for (nest::BlockOp block : analysis::blocksIn(s.getFunc()))
    names.push_back(block.getName().str());
  for (const std::string &name : names) {
    auto ref = s.getBlock(name);
    if (!context.accept("get_block", ref))
      continue;
    auto loops = s.getLoops(*ref);
    if (!loops || loops->empty())
      continue;
    // A single iteration is not worth the name: look one loop further in.
    for (sched::LoopRef loop : *loops) {
      nest::ForOp op = s.get(loop);
      if (!seen.insert(op).second || op.getKind() != nest::LoopKind::Serial)
        break;
      if (op.getConstantTripCount() && *op.getConstantTripCount() == 1)
        continue;
      double work = 0;
      for (Operation &inner : *op.getBodyBlock())
        work += estimateWork(&inner, context.target);
      double total = work * static_cast<double>(tripCount(op, 64));
      if (op.getConstantTripCount() && total < 2 * kGrainTime)
        break;
      auto grain = std::max<int64_t>(
          1, static_cast<int64_t>(kGrainTime / std::max(work, 1.0)));
      // A power of two, so that the knob's domain stays small.
      int64_t rounded = 1;
      while (rounded < grain && rounded < (1 << 20))
        rounded *= 2;
      SmallVector<int64_t> domain;
      for (int64_t g = 1; g <= (1 << 20); g *= 2)
        domain.push_back(g);
      context.accept("parallel",
                     s.parallel(loop, s.knob("grain", rounded, domain)));
      break;
    }
  }
}
