//===- Subspace.cpp - Bindings of blocks as iterator maps -----------------===//
//
// See IterMap.h: which points of a block its loops reach, and what loops inside
// and outside of a line say of its iterators.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/IterMap.h"

#include "nestor/Analysis/InstanceSet.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

bool analysis::tellsApart(ArrayRef<AffineExpr> exprs, nest::BlockOp block,
                          ArrayRef<nest::ForOp> loops, AffineSpace &space) {
  InstanceSet set(space);
  set.addInstance(block, 0);
  set.addInstance(block, 1);
  SmallVector<nest::ForOp> differ;
  for (nest::ForOp loop : loopsAround(block))
    if (llvm::is_contained(loops, loop))
      differ.push_back(loop);
    else
      set.addEqual(loop, 0, 1);
  for (AffineExpr expr : exprs)
    set.addZero(set.row(expr, 0).add(set.row(expr, 1), -1));
  // The first loop in which they differ; which of both is less is a matter of
  // names.
  for (nest::ForOp loop : differ) {
    InstanceSet here = set;
    AffineExpr var = space.of(loop.getInductionVar());
    InstanceSet::Row less = here.row(var, 1).add(here.row(var, 0), -1);
    less.constant -= 1;
    here.addNonNegative(less);
    if (!here.isEmpty())
      return false;
    set.addEqual(loop, 0, 1);
  }
  return true;
}

/// The product of constants; nullopt where one is none.
static std::optional<uint64_t> productOf(ArrayRef<AffineExpr> extents) {
  uint64_t product = 1;
  for (AffineExpr extent : extents) {
    std::optional<int64_t> value = AffineSpace::constantOf(extent);
    if (!value || *value < 0)
      return std::nullopt;
    product = llvm::SaturatingMultiply(product, uint64_t(*value));
  }
  return product;
}

bool analysis::fillsDomain(nest::BlockOp block, AffineSpace &space, bool once) {
  BlockForm form = BlockForm::of(block, space);
  SmallVector<nest::ForOp> loops = loopsAround(block);
  std::optional<SmallVector<IterVar>> vars = iterVarsOf(loops, space);
  if (!vars)
    return false;
  // What follows from the domain leaves out nothing of it.
  SmallVector<BlockForm::Constraint> predicate;
  llvm::copy_if(form.constraints, std::back_inserter(predicate),
                [&](const BlockForm::Constraint &constraint) {
                  return !followsFromDomain(form, constraint, space);
                });
  IterMap map = detectIterMap(form.bindings, *vars, space, predicate);
  bool digits = map.isSurjective() && (!once || map.isInjective());
  for (auto [sum, extent] : llvm::zip(map.sums, form.extents))
    digits = digits && space.isNonNegative(-sum.base) &&
             space.isNonNegative(sum.base + sum.extent - extent);
  if (digits)
    return true;
  // As many iterations as points, all of them different.
  if (!form.constraints.empty())
    return false;
  SmallVector<AffineExpr> trips;
  for (const IterVar &var : *vars)
    trips.push_back(var.extent);
  std::optional<uint64_t> iterations = productOf(trips),
                          points = productOf(form.extents);
  return iterations && iterations == points &&
         *iterations < std::numeric_limits<uint64_t>::max() &&
         tellsApart(form.bindings, block, loops, space);
}

std::optional<Subspace> analysis::divideSubspace(nest::BlockOp block,
                                                 ArrayRef<nest::ForOp> inner,
                                                 AffineSpace &space,
                                                 std::string &why) {
  auto fail = [&](const Twine &text) {
    why = text.str();
    return std::nullopt;
  };
  std::optional<SmallVector<IterVar>> vars = iterVarsOf(inner, space);
  if (!vars)
    return fail("the bounds of the inner loops vary with each other");
  // 1: names inner loops, 2: names others.
  auto namesOf = [&](AffineExpr expr) {
    unsigned names = 0;
    expr.walk([&](AffineExpr e) {
      auto dim = dyn_cast<AffineDimExpr>(e);
      if (dim)
        names |= llvm::is_contained(inner, space.getLoop(dim)) ? 1 : 2;
    });
    return names;
  };
  for (const IterVar &var : *vars)
    if (namesOf(var.extent) || namesOf(var.lower))
      return fail("the bounds of an inner loop vary");
  BlockForm form = BlockForm::of(block, space);
  Subspace result;
  for (auto [i, binding] : llvm::enumerate(form.bindings)) {
    Linear linear = Linear::of(space.simplify(binding)), inside, outside;
    outside.constant = linear.constant;
    for (auto [atom, factor] : linear.terms) {
      unsigned names = namesOf(atom);
      if (names == 3)
        return fail("iterator " + Twine(i) +
                    " divides a sum of inner and outer loops");
      (names == 1 ? inside : outside).add(atom, factor);
    }
    AffineExpr in = inside.toExpr(space.getContext());
    IterMap map = detectIterMap(in, *vars, space);
    if (map.sums.empty() || !map.sums[0].extent)
      return fail("iterator " + Twine(i) +
                  " leaves gaps while the inner loops run");
    AffineExpr least = map.sums[0].base, count = map.sums[0].extent;
    in = space.canonical(in - least);
    AffineExpr out =
        space.canonical(outside.toExpr(space.getContext()) + least);
    AffineExpr total = form.extents[i];
    if (count == space.constant(1)) {
      result.outer.push_back(out);
      result.outerExtent.push_back(total);
    } else if (out == space.constant(0)) {
      result.outer.push_back(out);
      result.outerExtent.push_back(space.constant(1));
    } else {
      std::optional<int64_t> size = AffineSpace::constantOf(count);
      Linear left = Linear::of(out);
      bool divides = size && left.constant % *size == 0;
      for (auto [atom, factor] : left.terms)
        divides = divides && factor % *size == 0;
      if (!divides)
        return fail("iterator " + Twine(i) +
                    " does not step by what the inner loops run through");
      result.outer.push_back(space.canonical(out.floorDiv(*size)));
      result.outerExtent.push_back(space.canonical(total.ceilDiv(*size)));
    }
    result.inner.push_back(in);
    result.innerExtent.push_back(count);
  }
  if (detectIterMap(result.inner, *vars, space).level != MapLevel::Bijective)
    return fail("the inner loops do not run through a box of the iterators");
  for (const BlockForm::Constraint &constraint : form.constraints) {
    unsigned names = namesOf(constraint.expr);
    if (names == 3)
      return fail("a constraint of the predicate mixes inner and outer loops");
    (names == 1 ? result.innerPredicate : result.outerPredicate)
        .push_back(constraint);
  }
  return result;
}
