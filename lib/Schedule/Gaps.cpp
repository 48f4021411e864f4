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
