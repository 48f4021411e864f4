//===- IterMap.h - Maps made of digits of iterators -------------*- C++ -*-===//
//
// The expressions that split, fuse and layouts make of loop variables are sums
// of digits: (x floordiv d) mod e, with x a variable or such a sum again. Read
// as digits, it can be told whether a map is one-to-one, whether it fills its
// range, and it can be undone. What is no sum of digits may still be shown to
// be one-to-one, on integer sets.
//
// Variables are dims (of a space, or iterators of a block) that run through
// [lower, lower + extent), each on its own.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_ITERMAP_H
#define NESTOR_ANALYSIS_ITERMAP_H

#include "nestor/Analysis/Blocks.h"

namespace nestor::analysis {

/// A variable of a map: a dim, from `lower` to below `lower + extent`. Both are
/// free of the other variables.
struct IterVar {
  mlir::AffineExpr dim, lower, extent;
};
/// The loops as variables; nullopt when the bounds of one are lists or name
/// another one.
std::optional<llvm::SmallVector<IterVar>>
iterVarsOf(llvm::ArrayRef<nest::ForOp> loops, AffineSpace &space);
/// The iterators of a block as variables.
llvm::SmallVector<IterVar> iterVarsOf(const BlockForm &form,
                                      AffineSpace &space);

/// ((source - lower) floordiv divisor) mod extent * scale, or what is missing
/// to extent - 1 where the scale is negative. The source is a variable or a sum
/// of other terms that runs through [0, its extent) itself.
struct IterSplit {
  unsigned source; // in IterMap::sources
  int64_t divisor;
  mlir::AffineExpr extent;
  int64_t scale;
};
/// base + the terms, smallest scale first. The base names no variable.
struct IterSum {
  llvm::SmallVector<IterSplit, 4> terms;
  mlir::AffineExpr base;
  /// The values are [base, base + extent), without a gap: null if not. A
  /// negative scale counts from the other end, with the base at the least.
  mlir::AffineExpr extent;
  /// Different digits give different sums.
  bool unique = false;
};

enum class MapLevel {
  None,       // nothing is known
  Injective,  // different points have different images
  Surjective, // the images are the whole box of the extents
  Bijective,
};

struct IterMap {
  /// A variable, or a sum of terms of earlier sources.
  struct Source {
    mlir::AffineExpr expr, extent;
    std::optional<IterVar> variable;
    IterSum sum; // when it is no variable
  };
  llvm::SmallVector<Source> sources;
  llvm::SmallVector<IterSum> sums; // one for each expression
  MapLevel level = MapLevel::None;
  /// Why the level is no higher.
  std::string why;

  bool isInjective() const {
    return level == MapLevel::Injective || level == MapLevel::Bijective;
  }
  bool isSurjective() const {
    return level == MapLevel::Surjective || level == MapLevel::Bijective;
  }
};

/// Takes `exprs` apart. Where they are no sums of digits the result has no sums
/// and level None. A constraint `bound - 1 - e >= 0` (a predicate) on one of
/// the expressions cuts its extent to `bound`; others make the level None, as
/// they may leave out anything.
IterMap detectIterMap(llvm::ArrayRef<mlir::AffineExpr> exprs,
                      llvm::ArrayRef<IterVar> vars, AffineSpace &space,
                      llvm::ArrayRef<BlockForm::Constraint> predicate = {});

/// The variables, in the order given to detectIterMap, as expressions of
/// `images`, the values of the expressions. Nullopt unless the map is
/// injective.
std::optional<llvm::SmallVector<mlir::AffineExpr>>
invert(const IterMap &map, llvm::ArrayRef<mlir::AffineExpr> images,
       llvm::ArrayRef<IterVar> vars, AffineSpace &space);

/// The bindings of a block taken apart into what loops outside and inside say:
///   binding = outer * innerExtent + inner, 0 <= inner < innerExtent
/// where `inner` names loops of the given ones only and `outer` none of them.
struct Subspace {
  llvm::SmallVector<mlir::AffineExpr> outer, outerExtent, inner, innerExtent;
  /// Constraints of the predicate that name outer loops only, inner ones only.
  llvm::SmallVector<BlockForm::Constraint> outerPredicate, innerPredicate;
};
/// Nullopt, with `why`, when a binding mixes both in another way, the inner
/// loops do not fill a box of constant shape, or a constraint mixes them.
std::optional<Subspace> divideSubspace(nest::BlockOp block,
                                       llvm::ArrayRef<nest::ForOp> inner,
                                       AffineSpace &space, std::string &why);

/// Exactly: no two points of `block` that differ in one of `loops` (at one
/// iteration of the other loops around it) give the same values of `exprs`.
bool tellsApart(llvm::ArrayRef<mlir::AffineExpr> exprs, nest::BlockOp block,
                llvm::ArrayRef<nest::ForOp> loops, AffineSpace &space);

/// Whether the loops around `block` reach every point of its domain (and its
/// predicate leaves out nothing of it). With `once`, each exactly once.
bool fillsDomain(nest::BlockOp block, AffineSpace &space, bool once = false);

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_ITERMAP_H
