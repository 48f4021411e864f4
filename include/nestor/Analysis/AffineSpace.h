//===- AffineSpace.h - One coordinate system for a nest.func ----*- C++ -*-===//
//
// The affine maps of different loops and blocks number their operands each in
// its own way. A space numbers the loop variables of one nest.func once (dims)
// and its sizes by their order (symbols), so that expressions of different
// operations can be compared, bounded and subtracted.
//
// A space may also be that of the nest inside one block: the iterators of this
// block are fixed there and count as symbols, after the sizes. Iterators of
// blocks further inside are what their bindings say.
//
// Assumes: loop variables keep their meaning while a space lives; loops may
// move and get new bounds.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_AFFINESPACE_H
#define NESTOR_ANALYSIS_AFFINESPACE_H

#include "nestor/Dialect/Nest/Nest.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/AffineMap.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>

namespace nestor::analysis {

/// An affine expression as constant + sum of coefficient * atom, where an atom
/// is a dim, a symbol or an expression that is not linear (floordiv, mod, ...).
struct Linear {
  int64_t constant = 0;
  llvm::SmallVector<std::pair<mlir::AffineExpr, int64_t>, 4> terms;

  static Linear of(mlir::AffineExpr expr);
  mlir::AffineExpr toExpr(mlir::MLIRContext *context) const;
  int64_t coefficientOf(mlir::AffineExpr atom) const;
  void add(mlir::AffineExpr atom, int64_t coefficient);
};

/// An inclusive range; a null end is unknown.
struct Interval {
  mlir::AffineExpr lower, upper;
};

/// Which loops range over their whole trip when an expression is bounded.
using RelaxFn = llvm::function_ref<bool(nest::ForOp)>;

class AffineSpace {
public:
  /// The space of a function, or of the nest (of a function or a block) that
  /// holds any other operation.
  explicit AffineSpace(mlir::Operation *at);
  /// The space of the nest in `region`, of a function or a block.
  explicit AffineSpace(mlir::Region &region);

  nest::FuncOp getFunc() const { return func; }
  /// What holds the nest: the function, or a block.
  mlir::Operation *getRoot() const { return root->getParentOp(); }
  mlir::MLIRContext *getContext() const { return context; }
  unsigned getNumSymbols() const { return numSymbols; }

  mlir::AffineExpr constant(int64_t value) const;
  /// The dim of a loop variable, the symbol of a size or of an iterator of the
  /// root; an expression for an iterator of a block inside.
  mlir::AffineExpr of(mlir::Value value);
  /// A dim that stands for no loop yet: nothing is known of it.
  mlir::AffineExpr fresh();
  /// The loop whose variable is `dim`; null for a fresh one.
  nest::ForOp getLoop(mlir::AffineDimExpr dim) const;

  /// Expressions over an operation's own operands, in this space.
  mlir::AffineExpr import(mlir::AffineExpr expr, unsigned numDims,
                          mlir::ValueRange operands);
  llvm::SmallVector<mlir::AffineExpr> import(mlir::AffineMap map,
                                             mlir::ValueRange operands);
  /// The reverse: a map over the loop variables (outermost first) and sizes
  /// that `exprs` use.
  mlir::AffineMap exportMap(llvm::ArrayRef<mlir::AffineExpr> exprs,
                            llvm::SmallVectorImpl<mlir::Value> &operands) const;

  /// MLIR's canonical form; does not look at ranges.
  mlir::AffineExpr canonical(mlir::AffineExpr expr) const;
  /// Also removes floordiv and mod that the ranges of loops decide:
  /// (i * 16 + j) floordiv 16 => i when j is in [0, 16).
  mlir::AffineExpr simplify(mlir::AffineExpr expr);

  /// The range of `expr` while the loops that `relax` picks run through; its
  /// ends are expressions of the other loops and the sizes.
  Interval bounds(mlir::AffineExpr expr, RelaxFn relax);
  /// Whether `expr >= 0` is proven for all iterations and all sizes.
  bool isNonNegative(mlir::AffineExpr expr);
  bool isEqual(mlir::AffineExpr a, mlir::AffineExpr b) const;

  /// Whether `expr` names no loop variable.
  static bool isFreeOfLoops(mlir::AffineExpr expr);
  static bool uses(mlir::AffineExpr expr, mlir::AffineExpr atom);
  static std::optional<int64_t> constantOf(mlir::AffineExpr expr);
  /// `expr` with `from` (a dim) replaced.
  static mlir::AffineExpr
  substitute(mlir::AffineExpr expr, mlir::AffineExpr from, mlir::AffineExpr to);

  /// The extents of a buffer (argument or nest.alloc).
  llvm::SmallVector<mlir::AffineExpr> shapeOf(mlir::Value buffer);

  /// What is known of a size: at least, at most, a multiple of.
  int64_t getSizeMin(unsigned symbol);
  std::optional<int64_t> getSizeMax(unsigned symbol);
  int64_t getSizeDivisor(unsigned symbol);

  /// The single lower bound and the single extent of a loop, if they are
  /// single.
  mlir::AffineExpr lowerOf(nest::ForOp loop);
  mlir::AffineExpr extentOf(nest::ForOp loop);

private:
  Interval atomBounds(mlir::AffineExpr atom, RelaxFn relax);
  Interval loopBounds(nest::ForOp loop, RelaxFn relax);
  bool sizesProveNonNegative(mlir::AffineExpr expr);
  std::optional<int64_t> sizeFact(unsigned symbol, llvm::StringRef name);

  nest::FuncOp func;
  mlir::Region *root;
  mlir::MLIRContext *context;
  unsigned numSizes, numSymbols;
  llvm::SmallVector<mlir::Value> dims;
  llvm::DenseMap<mlir::Value, unsigned> dimOf;
  /// Expressions are uniqued, so their canonical forms can be looked up.
  mutable llvm::DenseMap<mlir::AffineExpr, mlir::AffineExpr> canonicalForms;
};

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_AFFINESPACE_H
