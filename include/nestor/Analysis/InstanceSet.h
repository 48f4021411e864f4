//===- InstanceSet.h - Integer points of a few block instances --*- C++ -*-===//
//
// A conjunction of affine constraints over several instances of blocks of one
// nest.func: each instance has loop variables of its own, all share the sizes.
// Asked one question: is there no such point? The answer is exact where all
// expressions are affine; anything else (a product of sizes, a division by one)
// counts as any number, so that "not empty" then means "perhaps".
//
// Constants are tested first, then IntegerTest.h decides; where that gives up,
// "not empty" means "perhaps" as well. Answers are kept in the context, when
// the cache is registered there.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_INSTANCESET_H
#define NESTOR_ANALYSIS_INSTANCESET_H

#include "nestor/Analysis/Blocks.h"

namespace nestor::analysis {

class InstanceSet {
public:
  explicit InstanceSet(AffineSpace &space) : space(space) {}

  /// A linear form: constant + sum of coefficient * variable.
  struct Row {
    int64_t constant = 0;
    llvm::SmallDenseMap<unsigned, int64_t, 8> terms;

    Row &add(const Row &other, int64_t factor = 1);
    bool isConstant() const;
  };

  /// `expr`, of loops and sizes of the space, for one instance; floordiv and
  /// mod become variables of their own. Null expressions are not allowed.
  Row row(mlir::AffineExpr expr, unsigned instance);
  void addNonNegative(const Row &row);
  void addZero(const Row &row);

  /// The loop bounds, the domain and the predicate of `block`.
  void addInstance(nest::BlockOp block, unsigned instance);
  /// One loop has the same value in both instances.
  void addEqual(nest::ForOp loop, unsigned a, unsigned b);

  /// Whether no integer point satisfies everything, for any sizes.
  bool isEmpty();
  /// Whether that shows without looking further than at constants.
  bool isContradiction() const { return contradiction; }

private:
  unsigned variable(mlir::AffineExpr atom, unsigned instance);

  AffineSpace &space;
  bool contradiction = false;
  unsigned numVariables = 0;
  /// Loop variables and divisions, each for one instance; sizes for none.
  llvm::DenseMap<std::pair<mlir::AffineExpr, unsigned>, unsigned> variables;
  llvm::SmallVector<Row, 16> inequalities, equalities;
};

/// Keeps answers of the integer test in the contexts of `registry`.
void registerEmptinessCache(mlir::DialectRegistry &registry);

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_INSTANCESET_H
