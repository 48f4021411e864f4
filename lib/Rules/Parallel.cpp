//===- Parallel.cpp - Outermost loops on several threads ------------------===//
//
// The outermost loops of each nest become parallel: one with many iterations,
// or several that follow each other directly, which share their iterations. A
// loop that carries a dependence (time, elimination) stays, and each nest
// inside it is looked at by itself. The grain is as many of them as take
// several times what a parallel region costs (Target::rates), by the time that
// Work.cpp expects: of the arithmetic or of the bytes, whichever is longer. A
// kernel with less than two grains runs on the calling thread, so that a
// second thread never makes it slower.
//
//===----------------------------------------------------------------------===//
#include "Work.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;

/// What one thread should have at least, in costs of a parallel region. With
/// two grains, two threads then take 5 of them instead of 8; and they still
/// gain where the work is half of what was expected.
static constexpr double kForksPerGrain = 4;

/// What it takes at least, in ns: a region also moves what it reads and writes
/// from one core to another. With 2 us, a chain of kernels of 5 to 10 us took
/// up to three times as long on two distant cores.
static constexpr double kLeastGrain = 6000;

/// The least time for one thread, in ns.
static double grainTime(const Target &target) {
  return std::max(kLeastGrain, kForksPerGrain * target.rates.forkCycles /
                                   target.rates.clockGHz);
}

/// How much longer grains are where lengths show at run time only: tails of
/// tiles then stand for whole ones, and the estimate is too long.
static constexpr double kDoubt = 4;

/// Work of one iteration that hides finding its indices, in ns.
static constexpr double kDivisionTime = 60;

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

/// How many loops inside each other, below `at`, have a length that shows at
/// run time only, and then before `loop` begins: the code scales the grain by
/// those lengths.
static unsigned unknownLoops(nest::ForOp loop, nest::ForOp at) {
  unsigned most = 0;
  for (auto inner : at.getBodyBlock()->getOps<nest::ForOp>()) {
    bool varies = llvm::any_of(inner->getOperands(), [&](Value operand) {
      return loop.getBody().isAncestor(operand.getParentRegion());
    });
    bool bounded =
        llvm::any_of(inner.getUpperMap().getResults(), [](AffineExpr end) {
          return isa<AffineConstantExpr>(end);
        });
    bool unknown = !inner.getConstantTripCount() && !varies && !bounded;
    most = std::max(most, unknown + unknownLoops(loop, inner));
  }
  return most;
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
  double grainNs = grainTime(context.target);
  double traffic = estimateTraffic(outer, context.target);
  if (outer.getConstantTripCount() && unknownLoops(outer, outer) == 0 &&
      std::max(traffic, workInside(outer) *
                            static_cast<double>(expectedTripCount(outer))) <
          2 * grainNs)
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
  // Bytes that all iterations share come in once for all of them.
  double iterations = 1;
  for (size_t i = at; i <= taken; ++i)
    iterations *= static_cast<double>(expectedTripCount(s.get(loops[i])));
  double work = std::max(workInside(s.get(loops[taken])), traffic / iterations);
  // Where one iteration is more than a grain for the lengths that unknown loops
  // count as, it may be less for those they have: shorter ones count then.
  nest::ForOp innermost = s.get(loops[taken]);
  unsigned unknown = unknownLoops(innermost, innermost);
  int64_t sizes = kUnknownSize;
  if (unknown)
    grainNs *= kDoubt;
  for (; unknown && sizes > 1 && work > grainNs; sizes /= 2)
    work /= static_cast<double>(int64_t(1) << std::min(unknown, 4u));
  auto grain =
      std::max<int64_t>(1, static_cast<int64_t>(grainNs / std::max(work, 1.0)));
  // A power of two, so that the knob's domain stays small.
  int64_t rounded = 1;
  while (rounded < grain && rounded < (1 << 20))
    rounded *= 2;
  // Rounding up must not take away the second grain.
  while (rounded > 1 && rounded > grain &&
         iterations < 2 * static_cast<double>(rounded))
    rounded /= 2;
  SmallVector<int64_t> domain;
  for (int64_t g = 1; g <= (1 << 20); g *= 2)
    domain.push_back(g);
  if (context.accept(
          "parallel",
          s.parallel(loops[taken], s.knob("grain", rounded, domain))) &&
      unknown)
    context.accept(
        "annotate",
        s.annotate(loops[taken], "grain_sizes",
                   Builder(s.getFunc().getContext()).getI64IntegerAttr(sizes)));
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
