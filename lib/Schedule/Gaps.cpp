//===- Gaps.cpp - Domains that loops do not fill --------------------------===//
//
// See Gaps.h.
//
//===----------------------------------------------------------------------===//
#include "Gaps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

bool sched::leavesGaps(const BlockForm &form, AffineSpace &space) {
  int64_t points = 1, iterations = 1;
  llvm::SmallPtrSet<Operation *, 4> seen;
  for (auto [binding, extent] : llvm::zip_equal(form.bindings, form.extents)) {
    bool divides = false;
    SmallVector<nest::ForOp> loops;
    binding.walk([&](AffineExpr e) {
      divides |= e.getKind() == AffineExprKind::FloorDiv ||
                 e.getKind() == AffineExprKind::CeilDiv ||
                 e.getKind() == AffineExprKind::Mod;
      if (auto dim = dyn_cast<AffineDimExpr>(e))
        loops.push_back(space.getLoop(dim));
    });
    if (!divides)
      continue;
    std::optional<int64_t> size = AffineSpace::constantOf(extent);
    if (!size)
      return true;
    points *= *size;
    for (nest::ForOp loop : loops) {
      if (!seen.insert(loop).second)
        continue;
      std::optional<int64_t> trip = loop.getConstantTripCount();
      if (!trip)
        return true;
      iterations *= *trip;
    }
  }
  return points != iterations;
}

nest::ForOp sched::reducesPart(nest::BlockOp block) {
  for (nest::ForOp loop : loopsAround(block))
    if (feeds(loop, block, nest::IteratorKind::Reduce) &&
        (loop.getLowerMap().getNumDims() > 0 ||
         loop.getUpperMap().getNumDims() > 0))
      return loop;
  return {};
}
