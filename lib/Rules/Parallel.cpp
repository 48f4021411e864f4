//===- Parallel.cpp - Outermost loops on several threads ------------------===//
//
// The outermost loops of each nest become parallel: one with many iterations,
// or several that follow each other directly, which share their iterations. A
// loop that carries a dependence (time, elimination) stays, and each nest
// inside it is looked at by itself. The
// grain is as many of them as fill the time that makes a second thread worth
// waking. Small kernels thus run on the calling thread.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;

/// Work that one thread should have at least, in ns.
static constexpr double kGrainTime = 30000;

/// Work of one iteration that hides finding its indices, in ns.
static constexpr double kDivisionTime = 200;

/// Iterations that share among the workers of any machine in reach.
static constexpr int64_t kEnoughIterations = 64;

/// Whether some block runs the iterations of `loop` in order.
static bool isOrdered(nest::ForOp loop) {
  bool ordered = false;
  loop.walk([&](nest::BlockOp block) {
    for (unsigned i = 0; i < block.getNumIterators(); ++i)
      ordered |= block.getIteratorKind(i) == nest::IteratorKind::Ordered &&
                 loopOf(block, i) == loop;
  });
  return ordered;
}

/// `loops`: of one block, outermost first.
static void parallelizeNest(RuleContext &context, const sched::LoopRefs &loops,
                            llvm::SmallPtrSetImpl<Operation *> &seen) {
  sched::Schedule &s = context.schedule;
  // A single iteration is not worth the name: look further in.
  size_t at = 0;
  for (; at < loops.size(); ++at) {
    nest::ForOp op = s.get(loops[at]);
    if (op.getKind() == nest::LoopKind::Serial && isOrdered(op))
      continue;
    if (!seen.insert(op).second || op.getKind() != nest::LoopKind::Serial)
      return;
    if (op.getConstantTripCount() != 1)
      break;
  }
  if (at == loops.size())
    return;
  auto workInside = [&](nest::ForOp op) {
    double work = 0;
    for (Operation &inner : *op.getBodyBlock())
      work += estimateWork(&inner, context.target);
    return work;
  };
  nest::ForOp outer = s.get(loops[at]);
  if (outer.getConstantTripCount() &&
      workInside(outer) * static_cast<double>(tripCount(outer, 64)) <
          2 * kGrainTime)
    return;
  // A batch may be 1 and a row short: take in loops until there are iterations
  // enough for sure, as long as each is worth its division.
  size_t last = at;
  int64_t known = tripCount(outer, 1);
  while (known < kEnoughIterations && last + 1 < loops.size()) {
    nest::ForOp next = s.get(loops[last + 1]);
    auto body = s.get(loops[last]).getBodyBlock()->without_terminator();
    if (!llvm::hasSingleElement(body) || !seen.insert(next).second ||
        next.getKind() != nest::LoopKind::Serial ||
        workInside(next) < kDivisionTime)
      break;
    known *= tripCount(next, 1);
    ++last;
  }
  // Outer loops leave the grain to the last one.
  size_t taken = at;
  while (taken < last && context.accept("parallel", s.parallel(loops[taken])))
    ++taken;
  if (taken < last && taken > at)
    --taken;
  double work = workInside(s.get(loops[taken]));
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
                 s.parallel(loops[taken], s.knob("grain", rounded, domain)));
}

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
    parallelizeNest(context, *loops, seen);
  }
}
