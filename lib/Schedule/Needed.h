//===- Needed.h - Loops through the points that are needed ------*- C++ -*-===//
//
// A block at a new place runs through those points of its domain that the place
// asks for. Both are constraints on one variable for each iterator, from which
// the loops are made: triangles and bands stay what they are.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_NEEDED_H
#define NESTOR_LIB_SCHEDULE_NEEDED_H

#include "Rewrite.h"

#include "nestor/Analysis/Footprints.h"

namespace nestor::sched {

/// The iterators of a block as functions of the indices `d0, d1, ...` of an
/// access to it; null for those that the access does not name. Nullopt where
/// different iterators give the same element, or that is not seen.
std::optional<llvm::SmallVector<mlir::AffineExpr>>
iteratorsAt(llvm::ArrayRef<mlir::AffineExpr> indices, const BlockForm &form,
            AffineSpace &space);

class NewLoops {
public:
  NewLoops(nest::BlockOp block, AffineSpace &space);

  /// The variables, one for each iterator.
  llvm::ArrayRef<mlir::AffineExpr> getVars() const { return vars; }
  /// Runs through the points that the block's loops run through now, in one
  /// iteration of those of them that are `kept`; false where these are no
  /// constraints on its iterators.
  bool addDomain(llvm::ArrayRef<nest::ForOp> kept = {});
  /// Whether a point of the domain with all reduce iterators at 0 belongs to
  /// each: where the reduction starts.
  bool startsEverywhere();
  /// What holds of the loops outside of the new place.
  void addOutside(mlir::Operation *place);
  /// Only points whose elements `indices`, by `iterators` (see iteratorsAt),
  /// are among those of `accesses` while the loops inside `root` run. False
  /// where that cannot be said; with `exactly`, also where it may be more.
  bool addElements(
      llvm::ArrayRef<mlir::AffineExpr> indices,
      llvm::ArrayRef<mlir::AffineExpr> iterators,
      llvm::ArrayRef<std::pair<nest::BlockOp, analysis::Access>> accesses,
      mlir::Operation *root, bool exactly);
  /// Finds bounds; false where there are none.
  bool scan();
  /// Moves the block into the new loops, in front of `before`.
  void make(mlir::RewriterBase &rewriter, mlir::Operation *before);

private:
  nest::BlockOp block;
  AffineSpace &space;
  BlockForm form;
  llvm::SmallVector<mlir::AffineExpr> vars, outside, elements, domain;
  llvm::SmallVector<analysis::LoopBounds> bounds;
};

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_NEEDED_H
