//===- Dims.h - Arithmetic on tensor sizes ----------------------*- C++ -*-===//
//
// A size during import is a number or an SSA value of type index. Sizes are
// kept as polynomials over atoms (an input's dim, a scalar read from a tensor,
// a quotient, a minimum, ...), so that equal sizes become the same SSA value
// and `(b*s*768)/(b*s)` becomes 768.
//
// Assumes: sizes do not overflow 63 bits at run time; the atoms that are dims
// are not negative.
// Leaves true: every value returned dominates the builder's insertion point.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_IMPORT_ONNX_DIMS_H
#define NESTOR_IMPORT_ONNX_DIMS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace nestor::onnx {

/// An IntegerAttr of type index or a Value of type index (and, as an element of
/// a known float tensor only, a FloatAttr).
using Dim = mlir::OpFoldResult;
using Dims = llvm::SmallVector<Dim, 4>;

class DimMath {
public:
  /// Emits through `builder` where that stands; constants go to the start of
  /// `entry`.
  DimMath(mlir::OpBuilder &builder, mlir::Block *entry);

  Dim constant(int64_t value);
  Dims constants(llvm::ArrayRef<int64_t> values);
  /// The number, when it is one.
  static std::optional<int64_t> value(Dim dim);
  static bool isOne(Dim dim) { return value(dim) == 1; }
  /// The float, when it is one.
  static std::optional<double> real(Dim dim);
  /// All numbers, when they are.
  static std::optional<llvm::SmallVector<int64_t>>
  values(llvm::ArrayRef<Dim> dims);

  Dim add(Dim a, Dim b);
  Dim sub(Dim a, Dim b);
  Dim mul(Dim a, Dim b);
  /// Rounds to minus infinity; a divisor of 0 gives 0 when folded.
  Dim floorDiv(Dim a, Dim b);
  Dim ceilDiv(Dim a, Dim b);
  /// a / b when algebra shows that b divides a.
  std::optional<Dim> exactQuotient(Dim a, Dim b);
  /// a - floorDiv(a, b) * b.
  Dim mod(Dim a, Dim b);
  Dim min(Dim a, Dim b);
  Dim max(Dim a, Dim b);
  Dim product(llvm::ArrayRef<Dim> dims);
  /// The predicate as 0 or 1 (signed predicates only).
  Dim compare(mlir::arith::CmpIPredicate predicate, Dim a, Dim b);
  /// `condition` (0 or 1) chooses a (1) or b (0).
  Dim select(Dim condition, Dim a, Dim b);

  /// True when the two are equal by algebra or by an assumption.
  bool equal(Dim a, Dim b);
  /// True when a >= b by algebra.
  bool atLeast(Dim a, Dim b);
  /// From here on (in this scope) the two count as equal; the caller has
  /// emitted the check.
  void assumeEqual(Dim a, Dim b);
  /// True unless the size is plainly a computed one: a lone atom (an input's
  /// dim, say) may well be 1 at run time and ask for broadcasting.
  bool mayBeOne(Dim dim);
  /// Says that `value` is never negative.
  void setNonNegative(mlir::Value value);

  mlir::Value toValue(Dim dim);
  mlir::SmallVector<mlir::Value> toValues(llvm::ArrayRef<Dim> dims);
  /// The dynamic ones, as the operands that tensor.empty and model.reshape
  /// take.
  mlir::SmallVector<mlir::Value> dynamic(llvm::ArrayRef<Dim> dims);
  /// Static sizes with kDynamic for the rest.
  static mlir::SmallVector<int64_t> shape(llvm::ArrayRef<Dim> dims);

  /// Values made in a region are forgotten when it ends.
  void pushScope() { scopes.emplace_back(); }
  void popScope() { scopes.pop_back(); }

private:
  using Monomial = llvm::SmallVector<unsigned, 2>;
  using Poly = std::map<Monomial, int64_t>;
  enum class Kind { Atom, FloorDiv, Min, Max, Compare, Select };
  using Key = std::tuple<int, Poly, Poly, Poly>;
  struct Atom {
    mlir::Value value;
    Kind kind;
    bool nonNegative;
  };
  struct Scope {
    std::map<Poly, mlir::Value> sums;
    std::map<Key, mlir::Value> opaque;
    std::set<std::pair<Poly, Poly>> equalities;
  };

  mlir::OpBuilder &builder;
  mlir::Block *entry;
  std::vector<Atom> atoms;
  llvm::DenseMap<mlir::Value, Poly> polys;
  llvm::DenseMap<int64_t, mlir::Value> constantValues;
  std::vector<Scope> scopes;

  mlir::Location loc() { return builder.getUnknownLoc(); }
  Poly poly(Dim dim);
  static Poly number(int64_t value);
  static std::optional<int64_t> numberOf(const Poly &p);
  static std::optional<Poly> sum(const Poly &a, const Poly &b, int64_t factor);
  static std::optional<Poly> times(const Poly &a, const Poly &b);
  static std::optional<Poly> divideExactly(const Poly &a, const Poly &b);
  bool nonNegative(const Poly &p) const;
  Dim materialize(const Poly &p);
  template <typename Fn>
  Dim opaque(Kind kind, const Poly &a, const Poly &b, const Poly &c,
             bool nonNegative, Fn emit);
};

} // namespace nestor::onnx

#endif // NESTOR_IMPORT_ONNX_DIMS_H
