//===- IterMap.cpp - Maps made of digits of iterators ---------------------===//
//
// See the header. Expressions are read bottom-up into sums of digits. A
// division by c keeps the terms that are multiples of c, divides the digit that
// c falls into, and drops what is smaller; where c falls into no single digit,
// the sum becomes a source of its own, if it runs through a range.
//
// A source is determined when the digits that are used of it reach from its
// lowest to its highest; digits that do not overlap take all combinations of
// values as long as the source is large enough.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/IterMap.h"

#include "nestor/Analysis/InstanceSet.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

std::optional<SmallVector<IterVar>>
analysis::iterVarsOf(ArrayRef<nest::ForOp> loops, AffineSpace &space) {
  SmallVector<IterVar> vars;
  for (nest::ForOp loop : loops) {
    AffineExpr lower = space.lowerOf(loop), extent = space.extentOf(loop);
    if (!lower || !extent)
      return std::nullopt;
    vars.push_back({space.of(loop.getInductionVar()), lower, extent});
  }
  for (const IterVar &var : vars)
    for (const IterVar &other : vars)
      if (AffineSpace::uses(var.lower, other.dim) ||
          AffineSpace::uses(var.extent, other.dim))
        return std::nullopt;
  return vars;
}

SmallVector<IterVar> analysis::iterVarsOf(const BlockForm &form,
                                          AffineSpace &space) {
  SmallVector<IterVar> vars;
  for (auto [i, extent] : llvm::enumerate(form.extents))
    vars.push_back(
        {getAffineDimExpr(i, space.getContext()), space.constant(0), extent});
  return vars;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
class Detector {
public:
  Detector(IterMap &map, ArrayRef<IterVar> vars, AffineSpace &space)
      : map(map), vars(vars), space(space) {
    for (const IterVar &var : vars)
      map.sources.push_back({var.dim, var.extent, var, {}});
    firstSum = map.sources.size();
  }

  /// Nullopt where `expr` is no sum of digits.
  std::optional<IterSum> read(AffineExpr expr);
  /// Sorts the terms, joins digits that continue each other, and finds out
  /// about the values.
  void finish(IterSum &sum);
  void decideLevel();
  /// Takes the constraints into account that cut the end of a sum off.
  void cut(ArrayRef<AffineExpr> exprs,
           ArrayRef<BlockForm::Constraint> predicate);

private:
  std::optional<IterSum> divide(IterSum sum, int64_t divisor, bool rest);
  std::optional<unsigned> fuse(IterSum sum);
  bool namesVariable(AffineExpr expr) const {
    return llvm::any_of(vars, [&](const IterVar &var) {
      return AffineSpace::uses(expr, var.dim);
    });
  }
  /// The highest value of a term above its lowest.
  AffineExpr reach(const IterSplit &term) const {
    return (term.extent - 1) * std::abs(term.scale);
  }
  bool isTop(const IterSplit &term) {
    return space.isNonNegative(term.extent * term.divisor -
                               map.sources[term.source].extent);
  }
  void add(IterSum &into, const IterSum &other, int64_t factor) {
    for (IterSplit term : other.terms) {
      term.scale *= factor;
      auto same = llvm::find_if(into.terms, [&](const IterSplit &have) {
        return have.source == term.source && have.divisor == term.divisor &&
               have.extent == term.extent;
      });
      if (same == into.terms.end())
        into.terms.push_back(term);
      else if ((same->scale += term.scale) == 0)
        into.terms.erase(same);
    }
    into.base = into.base + other.base * factor;
  }

  IterMap &map;
  ArrayRef<IterVar> vars;
  AffineSpace &space;
  unsigned firstSum;
};
} // namespace

void Detector::finish(IterSum &sum) {
  auto bySize = [](const IterSplit &a, const IterSplit &b) {
    return std::abs(a.scale) != std::abs(b.scale)
               ? std::abs(a.scale) < std::abs(b.scale)
               : a.divisor < b.divisor;
  };
  llvm::sort(sum.terms, bySize);
  // s * (x / d mod e) + s * e * (x / (d * e) mod f) = s * (x / d mod (e * f)).
  for (bool joined = true; joined;) {
    joined = false;
    for (IterSplit &low : sum.terms) {
      std::optional<int64_t> extent = AffineSpace::constantOf(low.extent);
      if (!extent)
        continue;
      auto high = llvm::find_if(sum.terms, [&](const IterSplit &other) {
        return other.source == low.source && &other != &low &&
               other.divisor == low.divisor * *extent &&
               other.scale == low.scale * *extent;
      });
      if (high == sum.terms.end())
        continue;
      low.extent = space.canonical(high->extent * *extent);
      // The top digit may be cut: the joined one ends with its source.
      AffineExpr all =
          space.canonical(map.sources[low.source].extent.ceilDiv(low.divisor));
      if (space.isNonNegative(low.extent - all))
        low.extent = all;
      sum.terms.erase(high);
      joined = true;
      break;
    }
  }
  llvm::sort(sum.terms, bySize);
  sum.base = space.canonical(sum.base);
  sum.unique = true;
  AffineExpr covered = space.constant(1);
  sum.extent = covered;
  for (const IterSplit &term : sum.terms) {
    AffineExpr scale = space.constant(std::abs(term.scale));
    // Room for the smaller digits, and no gap above them.
    sum.unique &= space.isNonNegative(scale - covered);
    if (!space.isNonNegative(covered - scale))
      sum.extent = {};
    covered = space.canonical(covered + reach(term));
  }
  if (sum.extent)
    sum.extent = covered;
}

std::optional<unsigned> Detector::fuse(IterSum sum) {
  sum.base = space.constant(0);
  finish(sum);
  if (!sum.extent || !sum.unique)
    return std::nullopt;
  AffineExpr expr = space.constant(0);
  for (const IterSplit &term : sum.terms) {
    const IterMap::Source &source = map.sources[term.source];
    AffineExpr value =
        source.variable ? source.expr - source.variable->lower : source.expr;
    expr = expr + (value.floorDiv(term.divisor) % term.extent) * term.scale;
  }
  expr = space.canonical(expr);
  for (unsigned i = firstSum; i < map.sources.size(); ++i)
    if (map.sources[i].expr == expr)
      return i;
  AffineExpr extent = sum.extent;
  map.sources.push_back({expr, extent, std::nullopt, std::move(sum)});
  return map.sources.size() - 1;
}

/// floordiv, or mod where `rest`.
std::optional<IterSum> Detector::divide(IterSum sum, int64_t divisor,
                                        bool rest) {
  if (llvm::any_of(sum.terms,
                   [](const IterSplit &term) { return term.scale < 0; }))
    return std::nullopt;
  finish(sum);
  IterSum high, low;
  high.base = low.base = space.constant(0);
  for (const IterSplit &term : sum.terms)
    (term.scale % divisor == 0 ? high : low).terms.push_back(term);
  if (!rest)
    for (IterSplit &term : high.terms)
      term.scale /= divisor;
  if (low.terms.empty()) {
    // The multiples do not change the rest of the base.
    if (rest)
      low.base = sum.base % divisor;
    else
      high.base = sum.base.floorDiv(divisor);
    return rest ? low : high;
  }
  // base = divisor * quotient + c.
  Linear base = Linear::of(space.canonical(sum.base));
  int64_t c = (base.constant % divisor + divisor) % divisor;
  base.constant -= c;
  for (auto &[atom, factor] : base.terms) {
    if (factor % divisor != 0)
      return std::nullopt;
    factor /= divisor;
  }
  base.constant /= divisor;
  AffineExpr quotient = base.toExpr(space.getContext());
  AffineExpr most = space.constant(c);
  for (const IterSplit &term : low.terms)
    most = most + reach(term);
  if (space.isNonNegative(space.constant(divisor - 1) - most)) {
    high.base = quotient;
    low.base = space.constant(c);
    return rest ? low : high;
  }
  if (c != 0)
    return std::nullopt;
  high.base = quotient;
  // The digit that the divisor falls into.
  IterSplit &top = low.terms.back();
  AffineExpr below = space.constant(0);
  for (const IterSplit &term : ArrayRef(low.terms).drop_back())
    below = below + reach(term);
  int64_t times = divisor / top.scale;
  std::optional<int64_t> extent = AffineSpace::constantOf(top.extent);
  if (divisor % top.scale == 0 &&
      space.isNonNegative(space.constant(top.scale - 1) - below) &&
      ((extent && *extent % times == 0) || isTop(top))) {
    if (rest) {
      top.extent = space.constant(times);
      return low;
    }
    IterSplit digit = top;
    digit.divisor *= times;
    digit.extent = space.canonical(top.extent.ceilDiv(times));
    digit.scale = 1;
    high.terms.push_back(digit);
    return high;
  }
  std::optional<unsigned> source = fuse(low);
  if (!source)
    return std::nullopt;
  AffineExpr all = map.sources[*source].extent;
  if (rest) {
    low.terms.assign({{*source, 1, space.constant(divisor), 1}});
    return low;
  }
  high.terms.push_back(
      {*source, divisor, space.canonical(all.ceilDiv(divisor)), 1});
  return high;
}

std::optional<IterSum> Detector::read(AffineExpr expr) {
  IterSum result;
  result.base = space.constant(0);
  Linear linear = Linear::of(space.canonical(expr));
  result.base = space.constant(linear.constant);
  for (auto [atom, factor] : linear.terms) {
    auto var =
        llvm::find_if(vars, [&](const IterVar &v) { return v.dim == atom; });
    if (var != vars.end()) {
      result.base = result.base + var->lower * factor;
      if (var->extent == space.constant(1))
        continue;
      IterSum digit;
      digit.base = space.constant(0);
      digit.terms.push_back({unsigned(var - vars.begin()), 1, var->extent, 1});
      add(result, digit, factor);
      continue;
    }
    if (!namesVariable(atom)) {
      result.base = result.base + atom * factor;
      continue;
    }
    auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
    std::optional<int64_t> divisor =
        binary ? AffineSpace::constantOf(binary.getRHS()) : std::nullopt;
    if (!divisor || *divisor <= 0 || atom.getKind() == AffineExprKind::Mul)
      return std::nullopt;
    bool up = atom.getKind() == AffineExprKind::CeilDiv;
    std::optional<IterSum> inner =
        read(up ? binary.getLHS() + (*divisor - 1) : binary.getLHS());
    if (inner)
      inner = divide(*inner, *divisor, atom.getKind() == AffineExprKind::Mod);
    if (!inner)
      return std::nullopt;
    add(result, *inner, factor);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// The level
//===----------------------------------------------------------------------===//

void Detector::decideLevel() {
  bool injective = true, surjective = true;
  auto lose = [&](bool &what, const Twine &why) {
    if (what && map.why.empty())
      map.why = why.str();
    what = false;
  };
  SmallVector<SmallVector<IterSplit>> uses(map.sources.size());
  auto record = [&](const IterSum &sum) {
    for (const IterSplit &term : sum.terms)
      uses[term.source].push_back(term);
    if (!sum.unique)
      lose(injective, "different iterations give the same sum");
    if (!sum.extent)
      lose(surjective, "a sum leaves out values");
  };
  for (const IterSum &sum : map.sums)
    record(sum);
  for (unsigned i = firstSum; i < map.sources.size(); ++i)
    record(map.sources[i].sum);
  for (auto [source, digits] : llvm::zip_equal(map.sources, uses)) {
    llvm::sort(digits, [](const IterSplit &a, const IterSplit &b) {
      return a.divisor < b.divisor;
    });
    // How far the digits reach without a gap (null: to the end), and what they
    // need of the source to take all combinations.
    AffineExpr known = space.constant(1), most = space.constant(0),
               end = space.constant(1);
    for (const IterSplit &digit : digits) {
      AffineExpr divisor = space.constant(digit.divisor);
      if (!space.isNonNegative(divisor - end))
        lose(surjective, "digits of one iterator overlap");
      end = space.canonical(digit.extent * digit.divisor);
      if (divisor == known || (space.isNonNegative(known - divisor) &&
                               space.isNonNegative(end - known)))
        known = end;
      most = most + (digit.extent - 1) * digit.divisor;
    }
    if (!space.isNonNegative(known - source.extent))
      lose(injective, "a part of an iterator is not used");
    if (!space.isNonNegative(source.extent - 1 - space.canonical(most)))
      lose(surjective, "an iterator does not fill its digits");
  }
  map.level = injective && surjective ? MapLevel::Bijective
              : injective             ? MapLevel::Injective
              : surjective            ? MapLevel::Surjective
                                      : MapLevel::None;
}

void Detector::cut(ArrayRef<AffineExpr> exprs,
                   ArrayRef<BlockForm::Constraint> predicate) {
  bool fills = map.isSurjective();
  for (const BlockForm::Constraint &constraint : predicate) {
    if (!constraint.equal && space.isNonNegative(constraint.expr))
      continue;
    bool known = false;
    for (auto [expr, sum] : llvm::zip_equal(exprs, map.sums)) {
      // constraint = bound - 1 - expr
      AffineExpr last = space.canonical(constraint.expr + expr);
      if (constraint.equal || namesVariable(last) || !sum.extent)
        continue;
      known = true;
      AffineExpr extent = space.canonical(last + 1 - sum.base);
      if (space.isNonNegative(sum.extent - extent))
        sum.extent = extent;
      else if (!space.isNonNegative(extent - sum.extent))
        known = false;
      break;
    }
    fills &= known;
  }
  if (fills || !map.isSurjective())
    return;
  map.why = "the predicate leaves out points";
  map.level = map.isInjective() ? MapLevel::Injective : MapLevel::None;
}

IterMap analysis::detectIterMap(ArrayRef<AffineExpr> exprs,
                                ArrayRef<IterVar> vars, AffineSpace &space,
                                ArrayRef<BlockForm::Constraint> predicate) {
  IterMap map;
  Detector detector(map, vars, space);
  for (AffineExpr expr : exprs) {
    std::optional<IterSum> sum =
        expr ? detector.read(expr) : std::optional<IterSum>();
    if (!sum) {
      map.sums.clear();
      map.why = "an expression is no sum of digits";
      return map;
    }
    detector.finish(*sum);
    // Digits that are subtracted are at their highest in the least value.
    for (const IterSplit &term : sum->terms)
      if (term.scale < 0)
        sum->base = space.canonical(sum->base + (term.extent - 1) * term.scale);
    map.sums.push_back(*sum);
  }
  detector.decideLevel();
  detector.cut(exprs, predicate);
  return map;
}

//===----------------------------------------------------------------------===//
// The way back
//===----------------------------------------------------------------------===//

std::optional<SmallVector<AffineExpr>>
analysis::invert(const IterMap &map, ArrayRef<AffineExpr> images,
                 ArrayRef<IterVar> vars, AffineSpace &space) {
  if (!map.isInjective())
    return std::nullopt;
  // What is known of each source: its digits' values.
  struct Digit {
    int64_t divisor;
    AffineExpr extent, value;
  };
  SmallVector<SmallVector<Digit>> digits(map.sources.size());
  auto open = [&](const IterSum &sum, AffineExpr value) {
    // The largest digit first: what is left is below its scale.
    for (const IterSplit &term : llvm::reverse(sum.terms)) {
      int64_t scale = std::abs(term.scale);
      AffineExpr digit = value.floorDiv(scale);
      if (term.scale < 0)
        digit = term.extent - 1 - digit;
      digits[term.source].push_back({term.divisor, term.extent, digit});
      value = value % scale;
    }
  };
  for (auto [sum, image] : llvm::zip_equal(map.sums, images))
    open(sum, image - sum.base);
  SmallVector<AffineExpr> values(map.sources.size());
  for (size_t s = map.sources.size(); s-- > 0;) {
    const IterMap::Source &source = map.sources[s];
    llvm::sort(digits[s], [](const Digit &a, const Digit &b) {
      return a.divisor < b.divisor;
    });
    AffineExpr value = space.constant(0), known = space.constant(1);
    for (const Digit &digit : digits[s]) {
      AffineExpr divisor = space.constant(digit.divisor);
      if (divisor == known)
        value = value + digit.value * digit.divisor;
      else if (space.isNonNegative(known - digit.extent * digit.divisor))
        continue; // says nothing new
      else
        return std::nullopt;
      known = space.canonical(digit.extent * digit.divisor);
    }
    values[s] = space.canonical(value);
    if (!source.variable)
      open(source.sum, values[s]);
  }
  SmallVector<AffineExpr> result;
  for (auto [i, var] : llvm::enumerate(vars))
    result.push_back(space.canonical(values[i] + var.lower));
  return result;
}
