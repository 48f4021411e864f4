//===- Sizes.h - Index values as affine expressions -------------*- C++ -*-===//
//
// Follows the arithmetic of sizes (add, sub, mul, division and remainder by
// constants) down to base values and writes it as an affine expression with
// one symbol for each base. What is not affine becomes a base itself.
//
// Assumes: values of type index. Leaves true: the expression equals the value
// for every assignment of the bases that can occur (a truncating division
// becomes floordiv only when its dividend cannot be negative).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_PARTITION_SIZES_H
#define NESTOR_LIB_PARTITION_SIZES_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

namespace nestor {

class SizeTable {
public:
  explicit SizeTable(mlir::MLIRContext *context) : context(context) {}

  /// The expression of `size`; adds the bases it needs.
  mlir::AffineExpr get(mlir::OpFoldResult size);
  mlir::AffineExpr get(mlir::Value size);

  /// Makes `size` a base even though it may be computed from others.
  void addBase(mlir::Value size) { symbol(size); }

  llvm::ArrayRef<mlir::Value> getBases() const { return bases.getArrayRef(); }

private:
  mlir::AffineExpr symbol(mlir::Value value);
  mlir::AffineExpr compute(mlir::Value value);
  bool isNonNegative(mlir::AffineExpr expr);

  mlir::MLIRContext *context;
  llvm::SetVector<mlir::Value> bases;
  llvm::DenseMap<mlir::Value, mlir::AffineExpr> known;
};

} // namespace nestor

#endif // NESTOR_LIB_PARTITION_SIZES_H
