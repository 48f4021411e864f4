//===- TensorDims.h - What decides the dims of tensors ----------*- C++ -*-===//
//
// Follows a dim of a tensor to the value that decides it, so that equal dims
// can be recognised: a number, an index value, or a dim of an opaque tensor (a
// function argument, the result of control flow).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_GRAPH_TENSORDIMS_H
#define NESTOR_GRAPH_TENSORDIMS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace nestor {

/// What a dim is: equal sources mean equal dims (not the other way round).
struct DimSource {
  /// Null: the number `which`. Of type index: that value. A tensor: its dim
  /// `which`.
  mlir::Value value;
  int64_t which = -1;

  bool isConstant(int64_t n) const { return !value && which == n; }
  bool isConstant() const { return !value; }
  friend bool operator==(const DimSource &a, const DimSource &b) {
    return a.value == b.value && a.which == b.which;
  }
};

class TensorDims {
public:
  TensorDims() = default;
  /// Iteration arguments count as their initial values.
  TensorDims(mlir::ValueRange args, mlir::ValueRange inits);

  DimSource of(mlir::Value tensor, int64_t dim) const;
  DimSource ofIndex(mlir::Value size) const;
  llvm::SmallVector<DimSource> of(mlir::Value tensor) const;
  /// The extent of each loop of `op`: a number where any operand shows it.
  llvm::SmallVector<DimSource> loopExtents(mlir::linalg::GenericOp op) const;

private:
  llvm::DenseMap<mlir::Value, mlir::Value> initial;
};

} // namespace nestor

#endif // NESTOR_GRAPH_TENSORDIMS_H
