//===- Corrections.h - Sums that follow what they were made with -*- C++
//-*-===//
//
// A sum over g(x, M), where M is the result of another reduction, can be made
// while M still grows if its value can be carried over from an old M to a new
// one, without looking at the x again:
//
//   shift:   sum of (e - M)           + n * (old - new)      n steps so far
//   scale:   sum of exp(e - M) * v    * exp(old - new)       M the max of e
//   center:  sum of (e - M / N)^2     + n * (old - new)^2    M the sum of N e
//
// (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018;
// Welford, Technometrics 1962, for the last, where old and new are M / n.)
//
// Scale: while the maximum is -inf every e so far was, and counts as nothing
// later: what was summed is dropped, not multiplied, as -inf - -inf is no
// number. If it is -inf to the end, the result is the NaN that it was.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_CORRECTIONS_H
#define NESTOR_LIB_SCHEDULE_CORRECTIONS_H

#include "nestor/Analysis/Blocks.h"
#include "nestor/Schedule/Outcome.h"

namespace nestor::sched {

struct Correction {
  enum class Form { Shift, Scale, Center };
  Form form = Form::Shift;
  nest::BlockOp source, dependent;
  /// Of the source's result, in the dependent block, or in a pointwise one
  /// whose values that reads.
  mlir::memref::LoadOp load;
  /// Its indices as expressions of the dependent's iterators and the sizes.
  llvm::SmallVector<mlir::AffineExpr> indices;
  /// The terms fall when the source grows.
  bool negated = false;
  /// Scale: exp or exp2. Center: the mean, made of the load.
  mlir::Operation *op = nullptr;

  mlir::Value getBuffer() const {
    return mlir::memref::LoadOp(load).getMemRef();
  }
  /// Whether the number of steps so far is needed.
  bool counts() const { return form != Form::Scale; }

  /// What `apply` takes: the difference, or the factor, of two values of the
  /// source (of two means).
  mlir::Value step(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Value old, mlir::Value now) const;
  /// The sum `acc` made with `old`, carried over; `count` (an index) where it
  /// counts.
  mlir::Value apply(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Value acc, mlir::Value old, mlir::Value step,
                    mlir::Value count) const;
};

/// An index as a number of `type`.
mlir::Value toNumber(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value index, mlir::Type type);

/// A pointwise block between a source and what follows it: `store` is its only
/// one, `load` reads that in the dependent block.
struct Pointwise {
  nest::BlockOp block;
  mlir::memref::StoreOp store;
  mlir::memref::LoadOp load;
};

/// How `dependent`, a sum with the given reducer, follows `source`, the result
/// of which `load` reads: in the dependent block, or in `through`.
Result<Correction> correctionOf(const analysis::Reducer &reducer,
                                nest::BlockOp dependent,
                                mlir::memref::LoadOp load, nest::BlockOp source,
                                const Pointwise *through = nullptr);

/// The accumulation into `buffer` of a block with several: store, load,
/// combining operation, addend.
std::optional<analysis::Reducer> accumulationInto(nest::BlockOp block,
                                                  mlir::Value buffer);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_CORRECTIONS_H
