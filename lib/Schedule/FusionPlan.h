//===- FusionPlan.h - Which reductions may run in one pass ------*- C++ -*-===//
//
// The law of fuse_reductions: the reductions in program order, with the
// corrections that make each follow the ones before it.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_FUSIONPLAN_H
#define NESTOR_LIB_SCHEDULE_FUSIONPLAN_H

#include "Corrections.h"
#include "Rewrite.h"

namespace nestor::sched {

/// One of the reductions, or a pointwise block between them.
struct FusedReduction {
  nest::BlockOp block;
  nest::ForOp loop; // its own, beside the others'
  BlockForm form;
  std::optional<analysis::Reducer> reducer; // if it has a single one
  llvm::SmallVector<Correction> corrections;
  /// It reduces nothing: its values live for one iteration.
  mlir::memref::StoreOp pointwise;
  /// Steps of one element before an iteration of the first member's loop; null
  /// if unknown.
  mlir::AffineExpr stepsBefore;
  /// The operations of the fused loop that belong to it.
  mlir::Operation *begin = nullptr, *end = nullptr;
};

struct FusionPlan {
  llvm::SmallVector<FusedReduction, 0> members;
  nest::ForOp loop;
  mlir::AffineExpr lower, extent;
  /// So many of the first members become one block.
  size_t numJoined = 1;

  /// The member that writes `buffer`, among those before `before`.
  FusedReduction *memberWriting(mlir::Value buffer,
                                const FusedReduction *before);
};

/// Fills `plan`, or says what forbids to run `blocks` in one pass over `loop`.
Outcome planFusion(llvm::ArrayRef<nest::BlockOp> blocks, nest::ForOp loop,
                   AffineSpace &space, FusionPlan &plan);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_FUSIONPLAN_H
