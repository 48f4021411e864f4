//===- Scan.cpp - Bounds of loops that run over given points --------------===//
//
// Fourier-Motzkin elimination, innermost variable first:
//
//   a * v + r >= 0 and -b * v + s >= 0  =>  b * r + a * s >= 0
//
// The bounds of a variable are the constraints that name it; the combinations
// say what is left for the outer ones. What others imply is dropped, decided on
// integer sets, as the number of combinations squares at each step.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/Scan.h"

#include "nestor/Analysis/InstanceSet.h"

#include <numeric>

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

/// More constraints than that are not worth their code.
static constexpr size_t kMaxConstraints = 64;

LoopBounds LoopBounds::of(nest::ForOp loop, AffineSpace &space) {
  return {space.import(loop.getLowerMap(), loop.getLowerOperands()),
          space.import(loop.getUpperMap(), loop.getUpperOperands())};
}

void LoopBounds::write(nest::ForOp loop, AffineSpace &space) const {
  SmallVector<Value> operands;
  AffineMap map = space.exportMap(lowers, operands);
  loop.setLowerMap(map);
  loop.getLowerOperandsMutable().assign(operands);
  map = space.exportMap(uppers, operands);
  loop.setUpperMap(map);
  loop.getUpperOperandsMutable().assign(operands);
}

namespace {
/// bound = numerator / divisor, rounded up or down.
struct Quotient {
  AffineExpr numerator;
  int64_t divisor = 1;
  bool up = false;
};
} // namespace

/// Reads `c + e floordiv d` and the like; divisor 1 for everything else.
static Quotient quotientOf(AffineExpr bound, AffineSpace &space) {
  Linear linear = Linear::of(space.canonical(bound));
  for (auto [atom, factor] : llvm::to_vector(linear.terms)) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
    if (!binary || std::abs(factor) != 1 ||
        (atom.getKind() != AffineExprKind::FloorDiv &&
         atom.getKind() != AffineExprKind::CeilDiv))
      continue;
    std::optional<int64_t> divisor = AffineSpace::constantOf(binary.getRHS());
    if (!divisor || *divisor <= 0)
      continue;
    // -(e floordiv d) = (-e) ceildiv d.
    linear.add(atom, -factor);
    AffineExpr rest = linear.toExpr(space.getContext());
    return {binary.getLHS() * factor + rest * *divisor, *divisor,
            (atom.getKind() == AffineExprKind::CeilDiv) == (factor > 0)};
  }
  return {bound};
}

SmallVector<AffineExpr> analysis::constraintsOf(nest::ForOp loop,
                                                AffineSpace &space) {
  AffineExpr var = space.of(loop.getInductionVar());
  LoopBounds bounds = LoopBounds::of(loop, space);
  SmallVector<AffineExpr> result;
  for (AffineExpr lower : bounds.lowers) {
    // v >= ceil(n / d) <=> d * v >= n; v >= floor(n / d) <=> d * v > n - d.
    Quotient q = quotientOf(lower, space);
    AffineExpr expr = var * q.divisor - q.numerator;
    result.push_back(space.canonical(q.up ? expr : expr + (q.divisor - 1)));
  }
  for (AffineExpr upper : bounds.uppers) {
    // v + 1 <= floor(n / d) <=> d * (v + 1) <= n;
    // v + 1 <= ceil(n / d) <=> d * v < n.
    Quotient q = quotientOf(upper, space);
    AffineExpr expr = q.numerator - var * q.divisor;
    result.push_back(space.canonical(q.up ? expr - 1 : expr - q.divisor));
  }
  return result;
}

/// Divides by the common divisor of the variables' coefficients, rounding the
/// constant down: the same integer points.
static AffineExpr tighten(AffineExpr expr, AffineSpace &space) {
  Linear linear = Linear::of(space.canonical(expr));
  int64_t gcd = 0;
  for (auto [atom, factor] : linear.terms)
    gcd = std::gcd(gcd, std::abs(factor));
  if (gcd > 1) {
    for (auto &[atom, factor] : linear.terms)
      factor /= gcd;
    linear.constant = llvm::divideFloorSigned(linear.constant, gcd);
  }
  return space.canonical(linear.toExpr(space.getContext()));
}

void analysis::dropImplied(SmallVectorImpl<AffineExpr> &constraints,
                           AffineSpace &space) {
  for (size_t i = constraints.size(); i-- > 0;) {
    InstanceSet set(space);
    for (auto [j, other] : llvm::enumerate(constraints))
      if (i != j)
        set.addNonNegative(set.row(other, 0));
    set.addNonNegative(set.row(-constraints[i] - 1, 0));
    if (set.isEmpty())
      constraints.erase(constraints.begin() + i);
  }
}

std::optional<SmallVector<LoopBounds>>
analysis::scan(ArrayRef<AffineExpr> given, ArrayRef<AffineExpr> order,
               AffineSpace &space) {
  SmallVector<AffineExpr> constraints;
  auto add = [&](AffineExpr expr) {
    expr = tighten(expr, space);
    std::optional<int64_t> value = AffineSpace::constantOf(expr);
    if ((!value || *value < 0) && !llvm::is_contained(constraints, expr))
      constraints.push_back(expr);
  };
  llvm::for_each(given, add);
  SmallVector<LoopBounds> result(order.size());
  for (size_t level = order.size(); level-- > 0;) {
    dropImplied(constraints, space);
    AffineExpr var = order[level];
    SmallVector<std::pair<AffineExpr, int64_t>> from, below;
    SmallVector<AffineExpr> rest;
    for (AffineExpr expr : constraints) {
      Linear linear = Linear::of(expr);
      int64_t factor = linear.coefficientOf(var);
      linear.add(var, -factor);
      AffineExpr other = linear.toExpr(space.getContext());
      if (AffineSpace::uses(other, var))
        return std::nullopt;
      if (factor == 0)
        rest.push_back(expr);
      else
        (factor > 0 ? from : below).push_back({other, std::abs(factor)});
    }
    if (from.empty() || below.empty())
      return std::nullopt;
    for (auto [other, factor] : from)
      result[level].lowers.push_back(space.canonical((-other).ceilDiv(factor)));
    for (auto [other, factor] : below)
      result[level].uppers.push_back(
          space.canonical(other.floorDiv(factor) + 1));
    constraints = std::move(rest);
    for (auto [lower, a] : from)
      for (auto [upper, b] : below)
        add(lower * b + upper * a);
    if (constraints.size() > kMaxConstraints)
      return std::nullopt;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Projection
//===----------------------------------------------------------------------===//

namespace {
class Projector {
public:
  Projector(ArrayRef<AffineExpr> gone, AffineSpace &space)
      : gone(gone), space(space) {}

  std::optional<Projection> run(ArrayRef<BlockForm::Constraint> given,
                                bool minimal) {
    for (const BlockForm::Constraint &constraint : given) {
      AffineExpr expr = flatten(constraint.expr);
      (constraint.equal ? equal : result.constraints).push_back(expr);
    }
    substitute();
    for (AffineExpr expr : equal) {
      result.constraints.push_back(expr);
      result.constraints.push_back(-expr);
    }
    SmallVector<AffineExpr> old;
    std::swap(old, result.constraints);
    llvm::for_each(old, [&](AffineExpr expr) { add(expr); });
    while (!gone.empty())
      if (!eliminate())
        return std::nullopt;
    if (minimal)
      dropImplied(result.constraints, space);
    return std::move(result);
  }

private:
  bool isGone(AffineExpr expr) const {
    return llvm::any_of(
        gone, [&](AffineExpr var) { return AffineSpace::uses(expr, var); });
  }

  /// `expr` with the divisions of variables that go replaced by variables.
  AffineExpr flatten(AffineExpr expr) {
    Linear linear = Linear::of(space.canonical(expr));
    AffineExpr sum = space.constant(linear.constant);
    for (auto [atom, factor] : linear.terms) {
      auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
      if (!binary || !isGone(atom)) {
        sum = sum + atom * factor;
        continue;
      }
      AffineExpr &value = divisions[atom];
      if (!value)
        value = divide(binary);
      sum = sum + value * factor;
    }
    return space.canonical(sum);
  }
  AffineExpr divide(AffineBinaryOpExpr atom) {
    AffineExpr quotient = space.fresh();
    std::optional<int64_t> divisor = AffineSpace::constantOf(atom.getRHS());
    if (!divisor || *divisor <= 0 || atom.getKind() == AffineExprKind::Mul) {
      result.exact = false; // any number
      gone.push_back(quotient);
      return quotient;
    }
    bool up = atom.getKind() == AffineExprKind::CeilDiv;
    AffineExpr numerator =
        flatten(up ? atom.getLHS() + (*divisor - 1) : atom.getLHS());
    AffineExpr rest = numerator - quotient * *divisor;
    result.constraints.push_back(rest);
    result.constraints.push_back(-rest + (*divisor - 1));
    gone.push_back(quotient);
    return atom.getKind() == AffineExprKind::Mod ? rest : quotient;
  }

  /// Uses equalities that say what a variable is.
  void substitute() {
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = 0; i < equal.size() && !changed; ++i) {
        Linear linear = Linear::of(space.canonical(equal[i]));
        for (auto [atom, factor] : linear.terms) {
          auto var = llvm::find(gone, atom);
          if (var == gone.end() || std::abs(factor) != 1)
            continue;
          Linear rest = linear;
          rest.add(atom, -factor);
          AffineExpr value = rest.toExpr(space.getContext()) * -factor,
                     name = atom;
          gone.erase(var);
          equal.erase(equal.begin() + i);
          for (auto *list : {&equal, &result.constraints})
            for (AffineExpr &expr : *list)
              expr = space.canonical(expr.replace(name, value));
          changed = true;
          break;
        }
      }
    }
  }

  void add(AffineExpr expr) {
    expr = tighten(expr, space);
    std::optional<int64_t> value = AffineSpace::constantOf(expr);
    if ((!value || *value < 0) && !llvm::is_contained(result.constraints, expr))
      result.constraints.push_back(expr);
  }

  /// Lets one more variable go, the one with the fewest pairs of bounds.
  bool eliminate() {
    size_t best = 0, fewest = ~size_t(0);
    for (auto [i, var] : llvm::enumerate(gone)) {
      size_t low = 0, high = 0;
      for (AffineExpr expr : result.constraints) {
        int64_t factor = Linear::of(expr).coefficientOf(var);
        low += factor > 0;
        high += factor < 0;
      }
      if (low * high < fewest) {
        best = i;
        fewest = low * high;
      }
    }
    AffineExpr var = gone[best];
    gone.erase(gone.begin() + best);
    SmallVector<std::pair<AffineExpr, int64_t>> from, below;
    SmallVector<AffineExpr> rest;
    for (AffineExpr expr : result.constraints) {
      Linear linear = Linear::of(expr);
      int64_t factor = linear.coefficientOf(var);
      linear.add(var, -factor);
      if (factor == 0)
        rest.push_back(expr);
      else
        (factor > 0 ? from : below)
            .push_back({linear.toExpr(space.getContext()), std::abs(factor)});
    }
    result.constraints = std::move(rest);
    for (auto [lower, a] : from)
      for (auto [upper, b] : below) {
        // Between lower / a and upper / b lies an integer for certain only
        // where one of them is one.
        result.exact &= a == 1 || b == 1;
        add(lower * b + upper * a);
      }
    if (result.constraints.size() > 16)
      dropImplied(result.constraints, space);
    return result.constraints.size() <= kMaxConstraints;
  }

  SmallVector<AffineExpr> gone;
  AffineSpace &space;
  Projection result;
  SmallVector<AffineExpr> equal;
  llvm::DenseMap<AffineExpr, AffineExpr> divisions;
};
} // namespace

std::optional<Projection>
analysis::project(ArrayRef<BlockForm::Constraint> given,
                  ArrayRef<AffineExpr> gone, AffineSpace &space, bool minimal) {
  return Projector(gone, space).run(given, minimal);
}
