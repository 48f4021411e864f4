//===- Reducers.h - Reductions into several accumulators --------*- C++ -*-===//
//
// A reduction whose state is a tuple: sums side by side, a value with the index
// where it was found (argmax), count, mean and squared distance (Welford,
// "Note on a method for calculating corrected sums of squares and products",
// Technometrics 1962). Such a state has a neutral element and two states can be
// merged, so that the parts of a reduction may be computed apart.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_REDUCERS_H
#define NESTOR_ANALYSIS_REDUCERS_H

#include "nestor/Analysis/Blocks.h"

namespace nestor::analysis {

struct TupleReducer {
  enum class Form {
    /// Each component on its own: x = op(x, addend).
    Elementwise,
    /// The first component is the greatest (least) addend, the others come with
    /// it: x, i = better(a, x) ? (a, j) : (x, i).
    Extreme,
    /// count, mean, sum of squared distances from the mean.
    MeanVariance,
  };
  Form form = Form::Elementwise;
  /// One of each for every component, in the order of the stores (of the roles
  /// above for MeanVariance). All components are at the same indices.
  llvm::SmallVector<mlir::memref::StoreOp> stores;
  llvm::SmallVector<mlir::memref::LoadOp> loads;
  /// What a step brings: as a state, it is merged into the accumulators. For
  /// MeanVariance the middle one alone is a value of the body, the others are
  /// null: one step is the state (1, addend, 0).
  llvm::SmallVector<mlir::Value> addends;
  /// The neutral state.
  llvm::SmallVector<mlir::TypedAttr> identities;
  /// Whether steps may change places. Without it (argmax without a rule for
  /// equal values) parts can be merged in their order only.
  bool commutative = true;
  /// The operations from loads and addends to what is stored, in order.
  llvm::SmallVector<mlir::Operation *> update;

  /// Emits the state of all steps of `left` and `right`, of which the left ones
  /// came first; states have one value for each component.
  llvm::SmallVector<mlir::Value> merge(mlir::OpBuilder &builder,
                                       mlir::Location loc,
                                       mlir::ValueRange left,
                                       mlir::ValueRange right) const;
  /// Whether `op` is one of the loads or stores of the accumulators.
  bool accumulates(mlir::Operation *op) const;
};

/// The reducer of a block, single or tuple, if it is a known one.
std::optional<TupleReducer> tupleReducerOf(nest::BlockOp block);

/// What a block is within one iteration of everything around `scope`: complete
/// and reduction blocks are those of kindOf that are the only writers of what
/// they write below `scope`; the local ones share a buffer with other writers
/// there, at elements that are provably theirs alone.
enum class ScopedKind {
  Complete,
  LocalComplete,
  Reduction,
  LocalReduction,
  Other
};
ScopedKind kindWithin(nest::BlockOp block, mlir::Operation *scope,
                      AffineSpace &space);

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_REDUCERS_H
