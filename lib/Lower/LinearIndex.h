//===- LinearIndex.h - Index expressions kept linear ------------*- C++ -*-===//
//
// Addresses decide the quality of inner loops. An index is kept as
//   constant + lane * (vector lane) + sum of coefficient * value
// for as long as it is linear, so that unrolled loops become constant offsets,
// vectorized loops are seen to be contiguous, and each term can be added at
// the loop level that it varies in. What lanes make of a division is a term
// too, a vector, so that it cancels where digits are put together again:
//   q = f floordiv 3,  f mod 3 = f - 3 * q,  3 * q + f mod 3 = f
//
// Assumes: terms are `index` values, or vectors of them, of the function being
// emitted.
// Leaves true: terms are unique and ordered by loop depth, outermost first.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_LINEARINDEX_H
#define NESTOR_LIB_LOWER_LINEARINDEX_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"

#include <optional>
#include <utility>

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
  /// The same in all lanes.
  bool isUniform() const { return lane == 0 && !hasVectors(); }
  /// One element further in each lane.
  bool isContiguous() const { return lane == 1 && !hasVectors(); }
  bool hasVectors() const {
    return llvm::any_of(terms, [](const LinearTerm &term) {
      return mlir::isa<mlir::VectorType>(term.value.getType());
    });
  }
  /// The deepest loop that a term varies in.
  int getDepth() const { return terms.empty() ? 0 : terms.back().depth; }

  LinearIndex operator+(const LinearIndex &other) const;
  LinearIndex operator*(int64_t factor) const;

  bool operator==(const LinearIndex &other) const;

  /// What `divisor` (> 0) divides in every term, and the rest, whose constant
  /// is in [0, divisor): *this = quotient * divisor + rest.
  std::pair<LinearIndex, LinearIndex> divideTerms(int64_t divisor) const;
  /// Without the constant and what the lanes add; those two.
  std::pair<LinearIndex, LinearIndex> separateLanes() const;
  /// The greatest divisor of `of` that divides the coefficients of all terms.
  int64_t unit(int64_t of) const;
  /// The least and the greatest value over `lanes` lanes, where the ranges of
  /// all terms are known.
  std::optional<std::pair<int64_t, int64_t>> range(int64_t lanes) const;

  /// The value of the uniform part (lane 0) as an `index`; no term may be a
  /// vector.
  mlir::Value materialize(mlir::OpBuilder &builder, mlir::Location loc) const;
};

/// Whether an emitted index is seen to be at least 0.
bool isNonNegative(mlir::Value index);

/// constant `value` as an `index`.
mlir::Value indexConstant(mlir::OpBuilder &builder, mlir::Location loc,
                          int64_t value);

} // namespace nestor::lower

#endif // NESTOR_LIB_LOWER_LINEARINDEX_H
