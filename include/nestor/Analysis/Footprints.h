//===- Footprints.h - The elements that accesses touch ----------*- C++ -*-===//
//
// Boxes (Blocks.h) are the fast answer to what some loops touch of a buffer;
// where they are too large - triangles, skewed bands, diamonds - these are the
// sets themselves: constraints on the elements' indices, the loops outside and
// the sizes.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_FOOTPRINTS_H
#define NESTOR_ANALYSIS_FOOTPRINTS_H

#include "nestor/Analysis/Blocks.h"
#include "nestor/Analysis/Scan.h"

namespace nestor::analysis {

/// Elements of a buffer while the loops inside of some root run.
struct Footprint {
  mlir::Value buffer;
  /// One variable for each dim.
  llvm::SmallVector<mlir::AffineExpr> dims;
  /// The elements of one access: expressions of dims, loops outside of the root
  /// and sizes that are not negative.
  struct Piece {
    llvm::SmallVector<mlir::AffineExpr> constraints;
    /// All of these elements are touched, for certain.
    bool exact = true;
  };
  llvm::SmallVector<Piece> pieces;
  bool isExact() const {
    return llvm::all_of(pieces, [](const Piece &p) { return p.exact; });
  }
};

/// The instances of `access`: loop bounds, domain and predicate of its block,
/// and the first step of the reduction where it is in an init.
llvm::SmallVector<BlockForm::Constraint>
instancesOf(const Access &access, nest::BlockOp block, AffineSpace &space);
/// Its indices over loops and sizes, null where they are not affine.
llvm::SmallVector<mlir::AffineExpr>
elementOf(const Access &access, nest::BlockOp block, AffineSpace &space);

/// The elements that one access touches while the loops that `run` picks run;
/// the variables of the others stay in. Nullopt where there are too many
/// constraints.
std::optional<Footprint::Piece> pieceOf(const Access &access,
                                        nest::BlockOp block,
                                        llvm::ArrayRef<mlir::AffineExpr> dims,
                                        RelaxFn run, AffineSpace &space);

/// At least everything that is read (written) below `root`; with no pieces when
/// there is nothing.
Footprint mayTouch(mlir::Operation *root, mlir::Value buffer, bool write,
                   AffineSpace &space);
/// At most what is written below `root` for certain.
Footprint mustWrite(mlir::Operation *root, mlir::Value buffer,
                    AffineSpace &space);
/// Whether `must` provably holds all of `may`, for all iterations of the loops
/// outside.
bool covers(const Footprint &must, const Footprint &may, AffineSpace &space);

/// Constraints that hold for all of a region: those of one piece that the other
/// pieces imply.
llvm::SmallVector<mlir::AffineExpr> commonConstraints(const Footprint &region,
                                                      AffineSpace &space);
/// The bounds of each dim, whatever the others are; nullopt where one has none.
std::optional<llvm::SmallVector<LoopBounds>> hull(const Footprint &region,
                                                  AffineSpace &space);

/// How many bytes of `buffer` the loops inside `root` touch at most, for any
/// iteration of those outside; nullopt when that depends on sizes.
std::optional<int64_t> footprintBytes(mlir::Operation *root, mlir::Value buffer,
                                      AffineSpace &space);

/// Whether every instance of `access` finds its element written before, by
/// another instance in the same iteration of `scope`.
bool isWrittenBefore(const Access &access, nest::BlockOp block,
                     nest::ForOp scope, AffineSpace &space);

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_FOOTPRINTS_H
