//===- Scan.h - Bounds of loops that run over given points ------*- C++ -*-===//
//
// From constraints to loops: the bounds of each loop, in a chosen order, such
// that the loops together run through exactly the integer points that satisfy
// the constraints (Ancourt and Irigoin, "Scanning polyhedra with DO loops",
// PPoPP 1991). Outer loops may run through values at which inner ones are
// empty.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_SCAN_H
#define NESTOR_ANALYSIS_SCAN_H

#include "nestor/Analysis/Blocks.h"

namespace nestor::analysis {

/// A loop runs from the maximum of `lowers` to below the minimum of `uppers`.
struct LoopBounds {
  llvm::SmallVector<mlir::AffineExpr> lowers, uppers;

  static LoopBounds of(nest::ForOp loop, AffineSpace &space);
  void write(nest::ForOp loop, AffineSpace &space) const;
};

/// What the bounds of `loop` say, as forms that are not negative. A division
/// alone in a bound becomes a product: v < e floordiv 4 gives e - 4v - 4 >= 0.
llvm::SmallVector<mlir::AffineExpr> constraintsOf(nest::ForOp loop,
                                                  AffineSpace &space);

/// Bounds for the variables `order`, outermost first, over the points where all
/// of `constraints` are not negative. Nullopt when a variable stands inside a
/// division, or has no bound on some side, or when there are too many bounds.
std::optional<llvm::SmallVector<LoopBounds>>
scan(llvm::ArrayRef<mlir::AffineExpr> constraints,
     llvm::ArrayRef<mlir::AffineExpr> order, AffineSpace &space);

/// What constraints say of the variables that are left.
struct Projection {
  llvm::SmallVector<mlir::AffineExpr> constraints; // not negative
  /// Each integer point that satisfies them comes from one that satisfied the
  /// given ones. Otherwise there may be more points.
  bool exact = true;
};
/// Lets the variables `gone` have any value. Divisions that name them become
/// variables of their own. Nullopt when there are too many constraints. Those
/// that the others imply stay unless the answer is to be `minimal`: dropping
/// them costs more than all the rest.
std::optional<Projection> project(llvm::ArrayRef<BlockForm::Constraint> given,
                                  llvm::ArrayRef<mlir::AffineExpr> gone,
                                  AffineSpace &space, bool minimal = true);
/// Drops constraints that the others imply, later ones first.
void dropImplied(llvm::SmallVectorImpl<mlir::AffineExpr> &constraints,
                 AffineSpace &space);

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_SCAN_H
