//===- ProductSum.h - The loops of a sum of products ------------*- C++ -*-===//
//
// Maps between the loops of a product sum, the dims of its result and those of
// its operands: for rewrites that move factors and terms out of the sum.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_GRAPH_PRODUCTSUM_H
#define NESTOR_LIB_GRAPH_PRODUCTSUM_H

#include "nestor/Graph/Dequantized.h"

namespace nestor {

/// A view of a generic with two inputs and one result. The maps of Parameter
/// and Dequantized are from its loops.
class ProductSum {
public:
  explicit ProductSum(mlir::linalg::GenericOp op) : op(op) {}

  mlir::Value result() const { return op->getResult(0); }
  mlir::AffineMap resultMap() const;
  llvm::SmallVector<mlir::utils::IteratorType> kinds() const {
    return op.getIteratorTypesArray();
  }
  mlir::Value input(unsigned i) const {
    return op.getDpsInputOperand(i)->get();
  }
  mlir::AffineMap inputMap(unsigned i) const {
    return op.getMatchingIndexingMap(op.getDpsInputOperand(i));
  }
  /// Input `i` over the loops, when it is dequantised bytes.
  std::optional<Dequantized> operand(unsigned i) const;

  /// `parameter` read over the result's dims; none when it varies in the sum.
  std::optional<Parameter> toResult(const Parameter &parameter) const;
  /// `parameter` read over the dims of an operand that is read through `map`.
  std::optional<Parameter> toOperand(const Parameter &parameter,
                                     mlir::AffineMap map) const;
  /// Whether an operand read through `map` has its indices from one loop each.
  static bool isPlain(mlir::AffineMap map);
  /// The same, and each loop of the sum is one of them.
  bool canSum(mlir::AffineMap map) const;
  /// Whether the loops' extents follow from the result and these operands.
  bool infersLoops(llvm::ArrayRef<mlir::AffineMap> maps) const;

  /// The i32 sums of data - zero over the loops of the sum.
  Parameter sumOf(mlir::OpBuilder &builder, mlir::Location loc,
                  const Dequantized &what, const Parameter &zero) const;

private:
  mutable mlir::linalg::GenericOp op;
};

/// a * b where that is one number or one constant tensor, computed once; else
/// absent, as when both are.
Parameter multiplied(mlir::OpBuilder &builder, mlir::Location loc,
                     const Parameter &a, const Parameter &b);

} // namespace nestor

#endif // NESTOR_LIB_GRAPH_PRODUCTSUM_H
