//===- Gaps.cpp - Domains that loops do not fill --------------------------===//
//
// See Gaps.h.
//
//===----------------------------------------------------------------------===//
#include "Gaps.h"

#include "nestor/Analysis/IterMap.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

bool sched::leavesGaps(nest::BlockOp block, const BlockForm &form,
                       AffineSpace &space) {
  bool divides = false;
  for (AffineExpr binding : form.bindings)
    binding.walk([&](AffineExpr e) {
      divides |= e.getKind() == AffineExprKind::FloorDiv ||
                 e.getKind() == AffineExprKind::CeilDiv ||
                 e.getKind() == AffineExprKind::Mod;
    });
  return divides && !fillsDomain(block, space);
}

bool sched::fillsPlainly(nest::BlockOp block, const BlockForm &form,
                         AffineSpace &space) {
  // Nearly always each iterator is a loop.
  SmallVector<AffineExpr> used;
  for (auto [binding, extent] : llvm::zip_equal(form.bindings, form.extents)) {
    if (extent == space.constant(1) && binding == space.constant(0))
      continue;
    bool isLoop = !llvm::is_contained(used, binding) &&
                  llvm::any_of(loopsAround(block), [&](nest::ForOp loop) {
                    AffineExpr lower = space.lowerOf(loop),
                               length = space.extentOf(loop);
                    return lower && length &&
                           space.of(loop.getInductionVar()) == binding &&
                           space.isEqual(lower, space.constant(0)) &&
                           space.isEqual(length, extent);
                  });
    if (!isLoop)
      return fillsDomain(block, space);
    used.push_back(binding);
  }
  return true;
}

bool sched::variesWithLoops(nest::BlockOp block) {
  return llvm::any_of(loopsAround(block), [](nest::ForOp loop) {
    return loop.getLowerMap().getNumDims() > 0 ||
           loop.getUpperMap().getNumDims() > 0 ||
           loop.getLowerMap().getNumResults() != 1 ||
           loop.getUpperMap().getNumResults() != 1;
  });
}

nest::ForOp sched::reducesPart(nest::BlockOp block) {
  for (nest::ForOp loop : loopsAround(block))
    if (feeds(loop, block, nest::IteratorKind::Reduce) &&
        (loop.getLowerMap().getNumDims() > 0 ||
         loop.getUpperMap().getNumDims() > 0))
      return loop;
  return {};
}
