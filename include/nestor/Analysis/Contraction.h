//===- Contraction.h - Sums of products -------------------------*- C++ -*-===//
//
// What a block adds up, taken apart: `sum[..] += widen(a[..]) * widen(b[..])`.
// Nothing is stored: who needs it asks again.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_CONTRACTION_H
#define NESTOR_ANALYSIS_CONTRACTION_H

#include "nestor/Analysis/Blocks.h"

#include <string>

namespace nestor::analysis {

/// How a factor gets from its type in memory to the type of the sum.
enum class Widening { None, Signed, Unsigned, Float };

/// What stands in the way, and where.
struct Obstacle {
  std::string text, remedy;
  mlir::Operation *where = nullptr;
};

/// `sum = sum + factor * factor * ...`, each factor a load, widened.
struct Contraction {
  struct Factor {
    mlir::memref::LoadOp load;
    Widening widening = Widening::None;
    /// Over the block's iterators (dims) and the sizes (symbols).
    llvm::SmallVector<mlir::AffineExpr> indices;

    mlir::Type getElementType() const {
      return mlir::cast<mlir::MemRefType>(
                 mlir::memref::LoadOp(load).getMemRef().getType())
          .getElementType();
    }
  };
  nest::BlockOp block;
  llvm::SmallVector<Factor> factors;
  mlir::memref::LoadOp load;
  mlir::memref::StoreOp store;
  llvm::SmallVector<mlir::AffineExpr> sumIndices;

  mlir::Type getSumType() const { return mlir::memref::LoadOp(load).getType(); }
};

/// The contraction that a block of statements is; nullopt, with the obstacle,
/// when it is none.
std::optional<Contraction> contractionOf(nest::BlockOp block,
                                         Obstacle &obstacle);

/// Whether an access at `indices` moves with an iterator of its block.
bool isMovedBy(llvm::ArrayRef<mlir::AffineExpr> indices, unsigned iterator);

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_CONTRACTION_H
