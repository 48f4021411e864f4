//===- LinearIndex.h - Index expressions kept linear ------------*- C++ -*-===//
//
// Addresses decide the quality of inner loops. An index is kept as
//   constant + lane * (vector lane) + sum of coefficient * value
// for as long as it is linear, so that unrolled loops become constant offsets,
// vectorized loops are seen to be contiguous, and each term can be added at
// the loop level that it varies in.
//
// Assumes: terms are `index` values of the function being emitted.
// Leaves true: terms are unique and ordered by loop depth, outermost first.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_LINEARINDEX_H
#define NESTOR_LIB_LOWER_LINEARINDEX_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"

#include <optional>

namespace nestor::lower {

/// One addend: `coefficient * value`, where value varies at loop depth `depth`.
struct LinearTerm {
  mlir::Value value;
  int64_t coefficient;
  int depth;
};

/// A linear index; see the file comment.
struct LinearIndex {
  llvm::SmallVector<LinearTerm, 4> terms;
  int64_t constant = 0;
  int64_t lane = 0;

  static LinearIndex ofConstant(int64_t value) {
    LinearIndex result;
    result.constant = value;
    return result;
  }
  static LinearIndex ofValue(mlir::Value value, int depth) {
    LinearIndex result;
    result.terms.push_back({value, 1, depth});
    return result;
  }

  bool isConstant() const { return terms.empty() && lane == 0; }
  bool isUniform() const { return lane == 0; }
  /// The deepest loop that a term varies in.
  int getDepth() const { return terms.empty() ? 0 : terms.back().depth; }

  LinearIndex operator+(const LinearIndex &other) const;
  LinearIndex operator*(int64_t factor) const;

  /// The value of the uniform part (lane 0) as an `index`.
  mlir::Value materialize(mlir::OpBuilder &builder, mlir::Location loc) const;
};

/// constant `value` as an `index`.
mlir::Value indexConstant(mlir::OpBuilder &builder, mlir::Location loc,
                          int64_t value);

} // namespace nestor::lower

#endif // NESTOR_LIB_LOWER_LINEARINDEX_H
