//===- Dims.cpp - Arithmetic on tensor sizes ------------------------------===//
//
// Polynomials with integer coefficients over atoms; see the header. Whatever
// overflows or grows too large becomes an atom itself.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/Dims.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinTypes.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace nestor::onnx;

/// The most terms, and the highest degree, of a polynomial.
static constexpr size_t kMaxTerms = 24, kMaxDegree = 8;

DimMath::DimMath(OpBuilder &builder, Block *entry)
    : builder(builder), entry(entry) {
  scopes.emplace_back();
}

Dim DimMath::constant(int64_t value) { return builder.getIndexAttr(value); }

Dims DimMath::constants(llvm::ArrayRef<int64_t> values) {
  Dims result;
  for (int64_t v : values)
    result.push_back(constant(v));
  return result;
}

std::optional<int64_t> DimMath::value(Dim dim) {
  if (auto attr = dyn_cast_or_null<IntegerAttr>(dyn_cast<mlir::Attribute>(dim)))
    return attr.getValue().getSExtValue();
  return std::nullopt;
}

std::optional<double> DimMath::real(Dim dim) {
  if (auto attr = dyn_cast_or_null<FloatAttr>(dyn_cast<mlir::Attribute>(dim)))
    return attr.getValueAsDouble();
  return std::nullopt;
}

std::optional<SmallVector<int64_t>> DimMath::values(llvm::ArrayRef<Dim> dims) {
  SmallVector<int64_t> result;
  for (Dim dim : dims) {
    auto v = value(dim);
    if (!v)
      return std::nullopt;
    result.push_back(*v);
  }
  return result;
}

DimMath::Poly DimMath::number(int64_t value) {
  Poly p;
  if (value)
    p[{}] = value;
  return p;
}

std::optional<int64_t> DimMath::numberOf(const Poly &p) {
  if (p.empty())
    return 0;
  if (p.size() == 1 && p.begin()->first.empty())
    return p.begin()->second;
  return std::nullopt;
}

DimMath::Poly DimMath::poly(Dim dim) {
  if (auto v = value(dim))
    return number(*v);
  Value v = cast<Value>(dim);
  auto it = polys.find(v);
  if (it != polys.end())
    return it->second;
  atoms.push_back({v, Kind::Atom, false});
  Poly p;
  p[{unsigned(atoms.size() - 1)}] = 1;
  polys[v] = p;
  return p;
}

void DimMath::setNonNegative(Value value) {
  Poly p = poly(value);
  if (p.size() == 1 && p.begin()->first.size() == 1)
    atoms[p.begin()->first[0]].nonNegative = true;
}

std::optional<DimMath::Poly> DimMath::sum(const Poly &a, const Poly &b,
                                          int64_t factor) {
  Poly result = a;
  for (auto &[monomial, coefficient] : b) {
    int64_t scaled = 0;
    if (llvm::MulOverflow(coefficient, factor, scaled))
      return std::nullopt;
    auto [it, inserted] = result.try_emplace(monomial, 0);
    if (llvm::AddOverflow(it->second, scaled, it->second))
      return std::nullopt;
    if (it->second == 0)
      result.erase(it);
  }
  if (result.size() > kMaxTerms)
    return std::nullopt;
  return result;
}

std::optional<DimMath::Poly> DimMath::times(const Poly &a, const Poly &b) {
  Poly result;
  for (auto &[ma, ca] : a)
    for (auto &[mb, cb] : b) {
      Monomial m(ma);
      m.append(mb.begin(), mb.end());
      llvm::sort(m);
      int64_t c = 0;
      if (m.size() > kMaxDegree || llvm::MulOverflow(ca, cb, c))
        return std::nullopt;
      auto [it, inserted] = result.try_emplace(m, 0);
      if (llvm::AddOverflow(it->second, c, it->second))
        return std::nullopt;
      if (it->second == 0)
        result.erase(it);
    }
  if (result.size() > kMaxTerms)
    return std::nullopt;
  return result;
}

/// a / b when b is one term that divides every term of a.
std::optional<DimMath::Poly> DimMath::divideExactly(const Poly &a,
                                                    const Poly &b) {
  if (a == b && !a.empty())
    return number(1);
  if (b.size() != 1)
    return std::nullopt;
  auto &[mb, cb] = *b.begin();
  Poly result;
  for (auto &[ma, ca] : a) {
    if (cb == 0 || cb == -1 || ca % cb != 0 ||
        !std::includes(ma.begin(), ma.end(), mb.begin(), mb.end()))
      return std::nullopt;
    Monomial m;
    std::set_difference(ma.begin(), ma.end(), mb.begin(), mb.end(),
                        std::back_inserter(m));
    result[m] = ca / cb;
  }
  return result;
}

bool DimMath::nonNegative(const Poly &p) const {
  for (auto &[monomial, coefficient] : p) {
    if (coefficient < 0)
      return false;
    for (unsigned atom : monomial)
      if (!atoms[atom].nonNegative)
        return false;
  }
  return true;
}

Dim DimMath::materialize(const Poly &p) {
  if (auto n = numberOf(p))
    return constant(*n);
  if (p.size() == 1 && p.begin()->first.size() == 1 && p.begin()->second == 1)
    return atoms[p.begin()->first[0]].value;
  for (Scope &scope : llvm::reverse(scopes)) {
    auto it = scope.sums.find(p);
    if (it != scope.sums.end())
      return it->second;
  }
  Value total;
  // The number comes last: `n * 4 + 1` reads better than `1 + n * 4`.
  auto term = [&](const Monomial &monomial, int64_t coefficient) {
    Value v;
    for (unsigned atom : monomial)
      v = v ? arith::MulIOp::create(builder, loc(), v, atoms[atom].value)
                  .getResult()
            : atoms[atom].value;
    if (!v)
      v = toValue(constant(coefficient));
    else if (coefficient != 1)
      v = arith::MulIOp::create(builder, loc(), v,
                                toValue(constant(coefficient)));
    total =
        total ? arith::AddIOp::create(builder, loc(), total, v).getResult() : v;
  };
  for (auto &[monomial, coefficient] : p)
    if (!monomial.empty())
      term(monomial, coefficient);
  auto number = p.find({});
  if (number != p.end())
    term({}, number->second);
  scopes.back().sums[p] = total;
  polys[total] = p;
  return total;
}

template <typename Fn>
Dim DimMath::opaque(Kind kind, const Poly &a, const Poly &b, const Poly &c,
                    bool nonNegative, Fn emit) {
  Key key(int(kind), a, b, c);
  for (Scope &scope : llvm::reverse(scopes)) {
    auto it = scope.opaque.find(key);
    if (it != scope.opaque.end())
      return it->second;
  }
  Value v = emit();
  scopes.back().opaque[key] = v;
  atoms.push_back({v, kind, nonNegative});
  Poly p;
  p[{unsigned(atoms.size() - 1)}] = 1;
  polys[v] = p;
  return v;
}

Dim DimMath::add(Dim a, Dim b) {
  if (auto p = sum(poly(a), poly(b), 1))
    return materialize(*p);
  return arith::AddIOp::create(builder, loc(), toValue(a), toValue(b))
      .getResult();
}

Dim DimMath::sub(Dim a, Dim b) {
  if (auto p = sum(poly(a), poly(b), -1))
    return materialize(*p);
  return arith::SubIOp::create(builder, loc(), toValue(a), toValue(b))
      .getResult();
}

Dim DimMath::mul(Dim a, Dim b) {
  if (auto p = times(poly(a), poly(b)))
    return materialize(*p);
  return arith::MulIOp::create(builder, loc(), toValue(a), toValue(b))
      .getResult();
}

Dim DimMath::floorDiv(Dim a, Dim b) {
  Poly pa = poly(a), pb = poly(b);
  auto na = numberOf(pa), nb = numberOf(pb);
  if (na && nb) {
    if (*nb == 0 || (*nb == -1 && *na == INT64_MIN))
      return constant(0);
    return constant(llvm::divideFloorSigned(*na, *nb));
  }
  if (nb == 1)
    return a;
  if (auto exact = divideExactly(pa, pb))
    return materialize(*exact);
  if (nb && *nb > 0) {
    // (4x + y + 5) / 4 => x + (y + 1) / 4 + 1
    Poly whole, rest;
    for (auto &[monomial, coefficient] : pa) {
      int64_t q = llvm::divideFloorSigned(coefficient, *nb);
      int64_t r = coefficient - q * *nb;
      if (monomial.empty() || r == 0) {
        if (q)
          whole[monomial] = q;
        if (r)
          rest[monomial] = r;
      } else {
        rest[monomial] = coefficient;
      }
    }
    if (!whole.empty()) {
      Dim quotient = floorDiv(materialize(rest), b);
      return add(materialize(whole), quotient);
    }
  }
  return opaque(Kind::FloorDiv, pa, pb, {}, nonNegative(pa) && nonNegative(pb),
                [&]() -> Value {
                  return arith::FloorDivSIOp::create(builder, loc(), toValue(a),
                                                     toValue(b));
                });
}

std::optional<Dim> DimMath::exactQuotient(Dim a, Dim b) {
  if (auto quotient = divideExactly(poly(a), poly(b)))
    return materialize(*quotient);
  return std::nullopt;
}

Dim DimMath::ceilDiv(Dim a, Dim b) {
  return floorDiv(add(a, sub(b, constant(1))), b);
}

Dim DimMath::mod(Dim a, Dim b) { return sub(a, mul(floorDiv(a, b), b)); }

bool DimMath::atLeast(Dim a, Dim b) {
  auto difference = sum(poly(a), poly(b), -1);
  return difference && nonNegative(*difference);
}

Dim DimMath::min(Dim a, Dim b) {
  if (atLeast(b, a))
    return a;
  if (atLeast(a, b))
    return b;
  Poly pa = poly(a), pb = poly(b);
  if (pb < pa) {
    std::swap(pa, pb);
    std::swap(a, b);
  }
  return opaque(Kind::Min, pa, pb, {}, nonNegative(pa) && nonNegative(pb),
                [&]() -> Value {
                  return arith::MinSIOp::create(builder, loc(), toValue(a),
                                                toValue(b));
                });
}

Dim DimMath::max(Dim a, Dim b) {
  if (atLeast(a, b))
    return a;
  if (atLeast(b, a))
    return b;
  Poly pa = poly(a), pb = poly(b);
  if (pb < pa) {
    std::swap(pa, pb);
    std::swap(a, b);
  }
  return opaque(Kind::Max, pa, pb, {}, nonNegative(pa) || nonNegative(pb),
                [&]() -> Value {
                  return arith::MaxSIOp::create(builder, loc(), toValue(a),
                                                toValue(b));
                });
}

Dim DimMath::product(llvm::ArrayRef<Dim> dims) {
  Dim result = constant(1);
  for (Dim dim : dims)
    result = mul(result, dim);
  return result;
}

Dim DimMath::compare(arith::CmpIPredicate predicate, Dim a, Dim b) {
  auto difference = sum(poly(a), poly(b), -1);
  if (difference) {
    using P = arith::CmpIPredicate;
    if (auto n = numberOf(*difference)) {
      switch (predicate) {
      case P::eq:
        return constant(*n == 0);
      case P::ne:
        return constant(*n != 0);
      case P::slt:
        return constant(*n < 0);
      case P::sle:
        return constant(*n <= 0);
      case P::sgt:
        return constant(*n > 0);
      case P::sge:
        return constant(*n >= 0);
      default:
        break;
      }
    }
    if (nonNegative(*difference)) {
      if (predicate == P::sge)
        return constant(1);
      if (predicate == P::slt)
        return constant(0);
    }
    if (atLeast(b, a)) {
      if (predicate == P::sle)
        return constant(1);
      if (predicate == P::sgt)
        return constant(0);
    }
    // A size is never -1: the usual `dim == -1 ? … : dim` folds.
    Poly pa = poly(a), pb = poly(b);
    auto na = numberOf(pa), nb = numberOf(pb);
    if ((nb && *nb < 0 && nonNegative(pa)) ||
        (na && *na < 0 && nonNegative(pb))) {
      if (predicate == P::eq)
        return constant(0);
      if (predicate == P::ne)
        return constant(1);
    }
  }
  return opaque(Kind::Compare, poly(a), poly(b), number(int64_t(predicate)),
                true, [&]() -> Value {
                  Value bit = arith::CmpIOp::create(builder, loc(), predicate,
                                                    toValue(a), toValue(b));
                  return arith::IndexCastUIOp::create(
                      builder, loc(), builder.getIndexType(), bit);
                });
}

Dim DimMath::select(Dim condition, Dim a, Dim b) {
  if (auto n = value(condition))
    return *n ? a : b;
  if (equal(a, b))
    return a;
  Poly pa = poly(a), pb = poly(b);
  return opaque(Kind::Select, poly(condition), pa, pb,
                nonNegative(pa) && nonNegative(pb), [&]() -> Value {
                  Value zero = toValue(constant(0));
                  Value bit = arith::CmpIOp::create(builder, loc(),
                                                    arith::CmpIPredicate::ne,
                                                    toValue(condition), zero);
                  return arith::SelectOp::create(builder, loc(), bit,
                                                 toValue(a), toValue(b));
                });
}

bool DimMath::equal(Dim a, Dim b) {
  if (a == b)
    return true;
  Poly pa = poly(a), pb = poly(b);
  if (pa == pb)
    return true;
  if (pb < pa)
    std::swap(pa, pb);
  for (Scope &scope : scopes)
    if (scope.equalities.count({pa, pb}))
      return true;
  return false;
}

void DimMath::assumeEqual(Dim a, Dim b) {
  Poly pa = poly(a), pb = poly(b);
  if (pb < pa)
    std::swap(pa, pb);
  scopes.back().equalities.insert({pa, pb});
}

bool DimMath::mayBeOne(Dim dim) {
  Poly p = poly(dim);
  if (auto n = numberOf(p))
    return *n == 1;
  if (p.size() != 1 || p.begin()->second != 1)
    return false;
  for (unsigned atom : p.begin()->first)
    if (atoms[atom].kind == Kind::FloorDiv)
      return false;
  return true;
}

Value DimMath::toValue(Dim dim) {
  auto n = value(dim);
  if (!n)
    return cast<Value>(dim);
  Value &v = constantValues[*n];
  if (!v) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(entry);
    v = arith::ConstantIndexOp::create(builder, loc(), *n);
  }
  return v;
}

SmallVector<Value> DimMath::toValues(llvm::ArrayRef<Dim> dims) {
  SmallVector<Value> result;
  for (Dim dim : dims)
    result.push_back(toValue(dim));
  return result;
}

SmallVector<Value> DimMath::dynamic(llvm::ArrayRef<Dim> dims) {
  SmallVector<Value> result;
  for (Dim dim : dims)
    if (!value(dim))
      result.push_back(cast<Value>(dim));
  return result;
}

SmallVector<int64_t> DimMath::shape(llvm::ArrayRef<Dim> dims) {
  SmallVector<int64_t> result;
  for (Dim dim : dims)
    result.push_back(value(dim).value_or(ShapedType::kDynamic));
  return result;
}
