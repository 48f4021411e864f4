//===- IntegerTest.cpp - Whether constraints have an integer point --------===//
//
// 1. Equalities go: unimodular steps on the variables (x := x - q * y) leave
//    one variable in each row, which must then be a whole number:
//      g * y + c = 0  =>  no point when g does not divide c, else y = -c / g.
//    What is left has the integer points of the whole, one for one.
// 2. Branch and bound over the rational relaxation: a vertex that is not
//    integral in x splits the set into x <= floor and x >= ceil.
//
// Numbers that leave 64 bits on the way, and more nodes than kMaxNodes, end it
// with "perhaps".
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/IntegerTest.h"

#include "mlir/Analysis/Presburger/IntegerRelation.h"
#include "mlir/Analysis/Presburger/Simplex.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;
using llvm::DynamicAPInt;
using presburger::Fraction;
using presburger::Simplex;

/// Proofs that need more than a few are rare; what needs hundreds may need
/// any number.
static constexpr unsigned kMaxNodes = 200;
/// Rows times columns of a tableau, times nodes.
static constexpr uint64_t kMaxWork = 400'000;

namespace {
using Matrix = std::vector<std::vector<int64_t>>;

class Test {
public:
  Test(Matrix equal, Matrix greater, unsigned numVariables)
      : equal(std::move(equal)), greater(std::move(greater)),
        numVariables(numVariables) {}
  Points operator()();

private:
  /// e >= 0 and -e >= 0 => e = 0.
  bool joinOpposite();
  /// column `to` += factor * column `from`, everywhere.
  bool addColumn(unsigned to, unsigned from, int64_t factor);
  Points eliminate();
  Points tightenAll();
  Points branch(Simplex &simplex);

  Matrix equal, greater;
  unsigned numVariables;
  /// Variables that still have no value.
  std::vector<bool> gone;
  unsigned left = 0, nodes = 0;
};
} // namespace

bool Test::joinOpposite() {
  bool joined = false;
  for (size_t a = 0; a < greater.size(); ++a)
    for (size_t b = a + 1; b < greater.size(); ++b)
      if (std::equal(greater[a].begin(), greater[a].end(), greater[b].begin(),
                     [](int64_t x, int64_t y) { return x == -y; })) {
        equal.push_back(greater[a]);
        greater.erase(greater.begin() + static_cast<ptrdiff_t>(b));
        greater.erase(greater.begin() + static_cast<ptrdiff_t>(a--));
        joined = true;
        break;
      }
  return joined;
}

bool Test::addColumn(unsigned to, unsigned from, int64_t factor) {
  for (Matrix *rows : {&equal, &greater})
    for (std::vector<int64_t> &row : *rows) {
      int64_t product;
      if (llvm::MulOverflow(row[from], factor, product) ||
          llvm::AddOverflow(row[to], product, row[to]))
        return false;
    }
  return true;
}

/// "Some" means here: go on.
Points Test::eliminate() {
  unsigned constant = numVariables;
  for (size_t n = 0; n < equal.size(); ++n) {
    // Euclid on the columns until one coefficient is left.
    int pivot;
    while (true) {
      pivot = -1;
      for (unsigned v = 0; v < numVariables; ++v)
        if (equal[n][v] != 0 &&
            (pivot < 0 || std::abs(equal[n][v]) < std::abs(equal[n][pivot])))
          pivot = static_cast<int>(v);
      if (pivot < 0)
        break;
      bool others = false;
      for (unsigned v = 0; v < numVariables; ++v) {
        if (static_cast<int>(v) == pivot || equal[n][v] == 0)
          continue;
        // a x_v + p x_pivot = p (x_pivot + q x_v) + (a - q p) x_v
        if (!addColumn(v, static_cast<unsigned>(pivot),
                       -(equal[n][v] / equal[n][pivot])))
          return Points::Perhaps;
        others |= equal[n][v] != 0;
      }
      if (!others)
        break;
    }
    if (pivot < 0) {
      if (equal[n][constant] != 0)
        return Points::None;
      continue;
    }
    int64_t coefficient = equal[n][pivot];
    if (equal[n][constant] % coefficient != 0)
      return Points::None;
    if (!addColumn(constant, static_cast<unsigned>(pivot),
                   -(equal[n][constant] / coefficient)))
      return Points::Perhaps;
    gone[pivot] = true;
    for (Matrix *rows : {&equal, &greater})
      for (std::vector<int64_t> &row : *rows)
        row[pivot] = 0;
  }
  return Points::Some;
}

/// g * x + c >= 0 is x + floor(c / g) >= 0. "Some" means: go on.
Points Test::tightenAll() {
  Matrix kept;
  for (std::vector<int64_t> &row : greater) {
    int64_t gcd = 0;
    for (unsigned v = 0; v < numVariables; ++v)
      gcd = std::gcd(gcd, row[v]);
    if (gcd == 0) {
      if (row.back() < 0)
        return Points::None;
      continue;
    }
    for (unsigned v = 0; v < numVariables; ++v)
      row[v] /= gcd;
    row.back() = llvm::divideFloorSigned(row.back(), gcd);
    kept.push_back(std::move(row));
  }
  llvm::sort(kept);
  // Of rows that differ in the constant the first is the tightest.
  greater.clear();
  for (std::vector<int64_t> &row : kept)
    if (greater.empty() ||
        !std::equal(row.begin(), row.end() - 1, greater.back().begin()))
      greater.push_back(std::move(row));
  return Points::Some;
}

Points Test::branch(Simplex &simplex) {
  if (simplex.isEmpty())
    return Points::None;
  std::optional<SmallVector<Fraction, 8>> sample = simplex.getRationalSample();
  if (!sample)
    return Points::Perhaps;
  // The most fractional variable: the one nearest to a half.
  int at = -1;
  Fraction best(0);
  for (unsigned v = 0; v < sample->size(); ++v) {
    Fraction value = (*sample)[v];
    Fraction part = value - Fraction(presburger::floor(value));
    if (part == Fraction(0))
      continue;
    Fraction distance = part < Fraction(1, 2) ? part : Fraction(1) - part;
    if (at < 0 || best < distance) {
      at = static_cast<int>(v);
      best = distance;
    }
  }
  if (at < 0)
    return Points::Some;
  uint64_t size = uint64_t(left + 1) * (greater.size() + 1);
  if (++nodes > kMaxNodes || nodes * size > kMaxWork)
    return Points::Perhaps;
  DynamicAPInt floor = presburger::floor((*sample)[at]);
  bool perhaps = false;
  for (bool high : {false, true}) {
    SmallVector<DynamicAPInt> row(sample->size() + 1, DynamicAPInt(0));
    row[at] = DynamicAPInt(high ? 1 : -1);
    row.back() = high ? -(floor + 1) : floor;
    unsigned snapshot = simplex.getSnapshot();
    simplex.addInequality(row);
    Points points = branch(simplex);
    simplex.rollback(snapshot);
    if (points == Points::Some)
      return points;
    perhaps |= points == Points::Perhaps;
    // The other half cannot turn "perhaps" into "none".
    if (perhaps && nodes > kMaxNodes)
      break;
  }
  return perhaps ? Points::Perhaps : Points::None;
}

Points Test::operator()() {
  gone.assign(numVariables, false);
  joinOpposite();
  do {
    if (Points points = eliminate(); points != Points::Some)
      return points;
    equal.clear();
    if (Points points = tightenAll(); points != Points::Some)
      return points;
  } while (joinOpposite());
  std::vector<unsigned> columns;
  for (unsigned v = 0; v < numVariables; ++v)
    if (!gone[v])
      columns.push_back(v);
  left = static_cast<unsigned>(columns.size());
  if (left == 0 || greater.empty())
    return Points::Some;
  Simplex simplex(left);
  for (const std::vector<int64_t> &row : greater) {
    SmallVector<DynamicAPInt> wide;
    for (unsigned v : columns)
      wide.push_back(DynamicAPInt(row[v]));
    wide.push_back(DynamicAPInt(row.back()));
    simplex.addInequality(wide);
    if (simplex.isEmpty())
      return Points::None;
  }
  return branch(simplex);
}

Points analysis::findIntegerPoint(std::vector<std::vector<int64_t>> equal,
                                  std::vector<std::vector<int64_t>> greater,
                                  unsigned numVariables) {
  return Test(std::move(equal), std::move(greater), numVariables)();
}
