//===- Regions.cpp - Boxes that accesses cover ----------------------------===//
//
// See Blocks.h. Lower corners may name loops that are not relaxed; extents
// never do. A dim that is no box of that kind is taken whole.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/Blocks.h"
#include "nestor/Analysis/IterMap.h"
#include "nestor/Analysis/Scan.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

namespace {
/// One dim of a region.
struct DimRange {
  AffineExpr lower, extent;
};
} // namespace

static std::optional<DimRange> rangeOf(Interval interval, AffineSpace &space) {
  if (!interval.lower || !interval.upper)
    return std::nullopt;
  DimRange range{interval.lower,
                 space.canonical(interval.upper - interval.lower + 1)};
  if (!AffineSpace::isFreeOfLoops(range.extent))
    return std::nullopt;
  return range;
}

/// Whether a division of one loop takes every value between its ends. A floor
/// division does; a rest only where the loop runs through a period or stays in
/// one: 2 and 3 mod 3 are 2 and 0.
static bool isDenseDivision(AffineExpr atom, AffineSpace &space,
                            RelaxFn relax) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
  auto dim = binary ? dyn_cast<AffineDimExpr>(binary.getLHS())
                    : AffineDimExpr(nullptr);
  auto divisor =
      binary ? AffineSpace::constantOf(binary.getRHS()) : std::nullopt;
  if (!dim || !divisor || *divisor <= 0)
    return false;
  AffineExpr extent = space.extentOf(space.getLoop(dim));
  if (!extent || atom.getKind() == AffineExprKind::Mul)
    return false;
  if (atom.getKind() != AffineExprKind::Mod ||
      space.isNonNegative(extent - *divisor))
    return true;
  Interval range = space.bounds(dim, relax);
  std::optional<int64_t> lower = AffineSpace::constantOf(range.lower),
                         upper = AffineSpace::constantOf(range.upper);
  return lower && upper && *lower >= 0 &&
         *lower / *divisor == *upper / *divisor;
}

/// Whether the values of `expr`, while the relaxed loops run, leave no gap.
static bool isDense(AffineExpr expr, AffineSpace &space, RelaxFn relax) {
  SmallVector<std::pair<int64_t, AffineExpr>> strides;
  for (auto [atom, coefficient] : Linear::of(space.canonical(expr)).terms) {
    auto dim = dyn_cast<AffineDimExpr>(atom);
    if (!dim) {
      bool relaxed = false;
      atom.walk([&](AffineExpr e) {
        if (auto inner = dyn_cast<AffineDimExpr>(e))
          relaxed |= relax(space.getLoop(inner));
      });
      if (!relaxed)
        continue;
      return Linear::of(expr).terms.size() == 1 && std::abs(coefficient) == 1 &&
             isDenseDivision(atom, space, relax);
    }
    if (!relax(space.getLoop(dim)))
      continue;
    AffineExpr extent = space.extentOf(space.getLoop(dim));
    if (!extent)
      return false;
    strides.push_back({std::abs(coefficient), extent});
  }
  llvm::sort(strides, [](auto &a, auto &b) { return a.first < b.first; });
  std::optional<int64_t> covered = 1;
  for (auto [stride, extent] : strides) {
    if (!covered || stride > *covered)
      return false;
    std::optional<int64_t> count = AffineSpace::constantOf(extent);
    covered =
        count ? std::optional(*covered + stride * (*count - 1)) : std::nullopt;
  }
  return true;
}

/// The range of one index. Two sound answers are compared: through the loops
/// (keeps what iterators have in common) and through the iterators' domains
/// (knows the ends that predicates cut off).
static DimRange indexRange(AffineExpr index, const BlockForm &form,
                           AffineExpr size, AffineSpace &space, RelaxFn relax,
                           bool &dense) {
  DimRange whole{space.constant(0), size};
  if (!index) {
    dense = false;
    return whole;
  }
  AffineExpr composed = space.simplify(index.replaceDims(form.bindings));
  dense &= isDense(composed, space, relax);
  std::optional<DimRange> throughLoops =
      rangeOf(space.bounds(composed, relax), space);

  Interval throughDomain{space.constant(0), space.constant(0)};
  bool known = true;
  Linear linear = Linear::of(index);
  throughDomain.lower = throughDomain.upper = space.constant(linear.constant);
  for (auto [atom, factor] : linear.terms) {
    Interval range{atom, atom};
    if (auto dim = dyn_cast<AffineDimExpr>(atom)) {
      unsigned i = dim.getPosition();
      range = space.bounds(form.bindings[i], relax);
      if (!range.lower || !range.upper ||
          (AffineSpace::isFreeOfLoops(range.lower) &&
           AffineSpace::isFreeOfLoops(range.upper) &&
           !(AffineSpace::constantOf(range.upper) &&
             space.isNonNegative(range.lower) &&
             space.isNonNegative(form.extents[i] - 1 - range.upper))))
        range = {space.constant(0), space.canonical(form.extents[i] - 1)};
    } else if (!isa<AffineSymbolExpr>(atom)) {
      known = false;
      break;
    }
    AffineExpr lower = factor > 0 ? range.lower : range.upper,
               upper = factor > 0 ? range.upper : range.lower;
    throughDomain.lower = throughDomain.lower + lower * factor;
    throughDomain.upper = throughDomain.upper + upper * factor;
  }
  std::optional<DimRange> other;
  if (known)
    other = rangeOf({space.canonical(throughDomain.lower),
                     space.canonical(throughDomain.upper)},
                    space);

  std::optional<DimRange> best = throughLoops;
  if (other) {
    std::optional<int64_t> a =
        best ? AffineSpace::constantOf(best->extent) : std::nullopt;
    std::optional<int64_t> b = AffineSpace::constantOf(other->extent);
    if (!best || (!a && (b || AffineSpace::isFreeOfLoops(other->lower))) ||
        (a && b && *b < *a && *b > 0)) {
      // The domain may cut off iterations of the other loops whole; those touch
      // nothing, so the box is dense only where each of them walks through it.
      dense &= best && space.isNonNegative(other->lower - best->lower) &&
               space.isNonNegative(best->lower + best->extent - other->lower -
                                   other->extent);
      best = other;
    }
  }
  if (!best) {
    dense = false;
    return whole;
  }
  // Accesses are in bounds: an end that cannot be shown to be is the buffer's.
  if (AffineSpace::isFreeOfLoops(best->lower)) {
    AffineExpr end = space.canonical(best->lower + best->extent);
    if (!space.isNonNegative(best->lower)) {
      dense &= isa<AffineConstantExpr>(best->lower);
      best->lower = space.constant(0);
    }
    if (space.isNonNegative(end - size)) {
      end = size;
    } else if (!space.isNonNegative(size - end)) {
      end = size;
      dense = false;
    }
    best->extent = space.canonical(end - best->lower);
  }
  return *best;
}

/// Whether every loop that `relax` picks around `block` has iterations for each
/// of those around it, so that none leaves out what the others reach. Loops
/// over sizes alone count as not empty.
static bool isFull(nest::BlockOp block, ArrayRef<AffineExpr> indices,
                   AffineSpace &space, RelaxFn relax) {
  SmallVector<AffineExpr> relaxed;
  for (nest::ForOp loop : loopsAround(block, space)) {
    if (!relax(loop))
      continue;
    LoopBounds bounds = LoopBounds::of(loop, space);
    auto dependsOnRelaxed = [&](AffineExpr bound) {
      return llvm::any_of(relaxed, [&](AffineExpr var) {
        return AffineSpace::uses(bound, var);
      });
    };
    AffineExpr var = space.of(loop.getInductionVar());
    bool isSingle = bounds.lowers.size() == 1 && bounds.uppers.size() == 1;
    bool slants = llvm::any_of(bounds.lowers, dependsOnRelaxed) ||
                  llvm::any_of(bounds.uppers, dependsOnRelaxed);
    relaxed.push_back(var);
    bool indexes = llvm::any_of(indices, [&](AffineExpr index) {
      return index && AffineSpace::uses(index, var);
    });
    if (slants && indexes)
      return false;
    if (isSingle && !slants) {
      AffineExpr trips = space.canonical(bounds.uppers[0] - bounds.lowers[0]);
      if (AffineSpace::constantOf(trips).value_or(1) < 1)
        return false;
      if (AffineSpace::isFreeOfLoops(trips))
        continue;
    }
    for (AffineExpr lower : bounds.lowers)
      for (AffineExpr upper : bounds.uppers)
        if (!space.isNonNegative(upper - lower - 1))
          return false;
  }
  return true;
}

/// Dims that one loop feeds together (a fused loop) reach all combinations of
/// their values only where they are digits of it that fill the box.
static bool isJointlyDense(const Box &box, ArrayRef<AffineExpr> indices,
                           AffineSpace &space, RelaxFn relax) {
  SmallVector<nest::ForOp> loops;
  bool shared = false;
  for (AffineExpr index : indices) {
    SmallVector<nest::ForOp> here;
    if (index)
      index.walk([&](AffineExpr e) {
        auto dim = dyn_cast<AffineDimExpr>(e);
        nest::ForOp loop = dim ? space.getLoop(dim) : nest::ForOp();
        if (loop && relax(loop) && !llvm::is_contained(here, loop))
          here.push_back(loop);
      });
    for (nest::ForOp loop : here) {
      shared |= llvm::is_contained(loops, loop);
      loops.push_back(loop);
    }
  }
  if (!shared)
    return true;
  llvm::SmallSetVector<nest::ForOp, 4> unique(loops.begin(), loops.end());
  std::optional<SmallVector<IterVar>> vars =
      iterVarsOf(unique.getArrayRef(), space);
  if (!vars)
    return false;
  IterMap map = detectIterMap(indices, *vars, space);
  if (!map.isSurjective())
    return false;
  for (auto [d, sum] : llvm::enumerate(map.sums))
    if (!space.isEqual(sum.base, box.lower[d]) ||
        !space.isEqual(sum.extent, box.extent[d]))
      return false;
  return true;
}

Box analysis::boxOf(const Access &access, nest::BlockOp block,
                    AffineSpace &space, RelaxFn relax) {
  BlockForm form = BlockForm::of(block, space);
  SmallVector<AffineExpr> shape = space.shapeOf(access.buffer);
  Box region;
  SmallVector<AffineExpr> composed;
  for (AffineExpr index : access.indices)
    composed.push_back(index ? index.replaceDims(form.bindings) : AffineExpr());
  region.dense = !access.conditional && isFull(block, composed, space, relax);
  for (auto [index, size] : llvm::zip_equal(access.indices, shape)) {
    DimRange range = indexRange(index, form, size, space, relax, region.dense);
    region.lower.push_back(range.lower);
    region.extent.push_back(range.extent);
  }
  // Iterators shared by two dims touch a diagonal, not a box.
  llvm::SmallDenseSet<unsigned> seen;
  for (AffineExpr index : access.indices) {
    llvm::SmallDenseSet<unsigned> here;
    if (index)
      index.walk([&](AffineExpr e) {
        if (auto dim = dyn_cast<AffineDimExpr>(e))
          here.insert(dim.getPosition());
      });
    for (unsigned i : here)
      region.dense &= seen.insert(i).second;
  }
  for (const BlockForm::Constraint &constraint : form.constraints) {
    region.dense &= followsFromDomain(form, constraint, space);
    // A block that never runs touches nothing.
    AffineExpr most = space.bounds(constraint.expr, relax).upper;
    region.dense &= !most || AffineSpace::constantOf(most).value_or(0) >= 0;
  }
  region.dense = region.dense && isJointlyDense(region, composed, space, relax);
  return region;
}

Box analysis::unite(const Box &a, const Box &b, Value buffer,
                    AffineSpace &space) {
  Box result;
  SmallVector<AffineExpr> shape = space.shapeOf(buffer);
  result.dense = a.dense && b.dense && contains(a, b, space);
  for (unsigned d = 0; d < shape.size(); ++d) {
    AffineExpr endA = a.lower[d] + a.extent[d], endB = b.lower[d] + b.extent[d];
    auto pick = [&](AffineExpr x, AffineExpr y) -> AffineExpr {
      if (space.isNonNegative(x - y))
        return x;
      if (space.isNonNegative(y - x))
        return y;
      return {};
    };
    AffineExpr negated = pick(-a.lower[d], -b.lower[d]), end = pick(endA, endB);
    AffineExpr extent =
        negated && end ? space.canonical(end + negated) : AffineExpr();
    if (!extent || !AffineSpace::isFreeOfLoops(extent)) {
      result.lower.push_back(space.constant(0));
      result.extent.push_back(shape[d]);
      continue;
    }
    result.lower.push_back(space.canonical(-negated));
    result.extent.push_back(extent);
  }
  return result;
}

bool analysis::contains(const Box &outer, const Box &inner,
                        AffineSpace &space) {
  for (unsigned d = 0; d < outer.lower.size(); ++d)
    if (!space.isNonNegative(inner.lower[d] - outer.lower[d]) ||
        !space.isNonNegative(outer.lower[d] + outer.extent[d] - inner.lower[d] -
                             inner.extent[d]))
      return false;
  return true;
}

static std::optional<Box> boxBelow(Operation *root, Value buffer, bool write,
                                   AffineSpace &space) {
  std::optional<Box> result;
  auto relax = [&](nest::ForOp loop) { return root->isProperAncestor(loop); };
  for (nest::BlockOp block : leavesIn(root))
    for (const Access &access : accessesOf(block)) {
      if (access.buffer != buffer || access.isWrite != write)
        continue;
      Box region = boxOf(access, block, space, relax);
      result = result ? unite(*result, region, buffer, space) : region;
    }
  return result;
}

std::optional<Box> analysis::readBox(Operation *root, Value buffer,
                                     AffineSpace &space) {
  return boxBelow(root, buffer, false, space);
}
std::optional<Box> analysis::writeBox(Operation *root, Value buffer,
                                      AffineSpace &space) {
  return boxBelow(root, buffer, true, space);
}
