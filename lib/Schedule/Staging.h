//===- Staging.h - Copies of buffers and their places -----------*- C++ -*-===//
//
// What the primitives share that put a copy between a block and a buffer. A
// copy stands at a level: the function or a loop, where it serves one
// iteration. Before (after) the children of the level that hold the blocks it
// takes (gives back) a region.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_STAGING_H
#define NESTOR_LIB_SCHEDULE_STAGING_H

#include "Rewrite.h"

#include "nestor/Analysis/Scan.h"

namespace nestor::sched {

Outcome checkScope(llvm::StringRef scope);
/// A scope as a memory space; "shared" is none.
mlir::Attribute scopeAttr(mlir::MLIRContext *context, llvm::StringRef scope);

/// A buffer for what is in `original`: at the start of the function, or beside
/// it where it lives inside of a loop.
nest::AllocOp makeBuffer(mlir::RewriterBase &rewriter, mlir::Value original,
                         llvm::ArrayRef<mlir::AffineExpr> extents,
                         llvm::StringRef scope, AffineSpace &space);
nest::AllocOp makeLike(mlir::RewriterBase &rewriter, mlir::Value buffer,
                       llvm::StringRef scope, AffineSpace &space);

/// A level and its first and last child with one of the blocks.
struct Place {
  mlir::Operation *level, *first, *last;

  /// `op` stands below or after the first child (and, with `until`, no later
  /// than the last one).
  bool isFrom(mlir::Operation *op) const;
  bool isBetween(mlir::Operation *op) const;
};

/// All places for copies between `blocks` and `buffer`, outermost first: in the
/// loops around all blocks as long as those run in order.
llvm::SmallVector<Place> placesFor(mlir::Value buffer,
                                   llvm::ArrayRef<nest::BlockOp> blocks);
/// Why there are no places further inside; done when there is nothing more.
Outcome whyNotInside(const Place &innermost, nest::BlockOp block);

/// Where one iteration of the level accesses `buffer` in `blocks`.
using AccessFn = llvm::function_ref<bool(const analysis::Access &)>;
std::optional<analysis::Box> boxAt(mlir::Operation *level,
                                   llvm::ArrayRef<nest::BlockOp> blocks,
                                   mlir::Value buffer, AccessFn which,
                                   AffineSpace &space);

/// What a copy runs through: iterators with their ranges and domains.
struct CopyLoops {
  llvm::SmallVector<mlir::AffineExpr> lower, extent, domain;
};
CopyLoops loopsOver(const analysis::Box &box, mlir::Value buffer,
                    AffineSpace &space);

/// to[toIndices] = from[fromIndices] for all points of `loops`, which the
/// indices name as dims; indices may lie outside of `bounded` (if there is one)
/// at some points, which are left out.
nest::BlockOp makeCopy(mlir::RewriterBase &rewriter, mlir::Location loc,
                       llvm::StringRef name, const CopyLoops &loops,
                       mlir::Value from,
                       llvm::ArrayRef<mlir::AffineExpr> fromIndices,
                       mlir::Value to,
                       llvm::ArrayRef<mlir::AffineExpr> toIndices,
                       mlir::Value bounded, AffineSpace &space);
/// to[x] = from[x] for all x of the box.
nest::BlockOp makeCopy(mlir::RewriterBase &rewriter, mlir::Location loc,
                       llvm::StringRef name, mlir::Value from, mlir::Value to,
                       const analysis::Box &box, AffineSpace &space);

void redirect(mlir::RewriterBase &rewriter,
              llvm::ArrayRef<nest::BlockOp> blocks, mlir::Value from,
              mlir::Value to, AccessFn which);

/// `block` and `more`, each once, in program order. Refuses those that do not
/// use the buffer.
Result<Blocks> withConsumers(nest::BlockOp block,
                             llvm::ArrayRef<nest::BlockOp> more,
                             mlir::Value buffer, BufferRole role);

/// Whether a copy of what `blocks` read may be made at the place: nothing
/// writes between it and a read.
Outcome checkCopyIn(const Place &place, llvm::ArrayRef<nest::BlockOp> blocks,
                    mlir::Value buffer, AffineSpace &space);
/// Whether other blocks let `blocks` keep what they write until the place's
/// end.
Outcome checkCopyOut(const Place &place, llvm::ArrayRef<nest::BlockOp> blocks,
                     mlir::Value buffer, AffineSpace &space);
/// What must hold of the loops around the level, for `blocks` to run in an
/// iteration of it; refuses predicates that say more. Nothing at the function.
Result<llvm::SmallVector<BlockForm::Constraint>>
guardsOf(const Place &place, llvm::ArrayRef<nest::BlockOp> blocks,
         mlir::Value buffer, AffineSpace &space);
/// Adds constraints to the predicate of a copy.
void guard(mlir::RewriterBase &rewriter, nest::BlockOp copy,
           llvm::ArrayRef<BlockForm::Constraint> constraints,
           AffineSpace &space);
/// Whether `blocks` read back in one iteration of the level only what they
/// wrote in it.
Outcome checkReadsBack(const Place &place, llvm::ArrayRef<nest::BlockOp> blocks,
                       mlir::Value buffer, AffineSpace &space);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_STAGING_H
