//===- LinearIndex.cpp - Index expressions kept linear --------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "LinearIndex.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace nestor::lower;

Value nestor::lower::indexConstant(OpBuilder &builder, Location loc,
                                   int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

bool nestor::lower::isNonNegative(Value index) {
  if (auto arg = dyn_cast<BlockArgument>(index)) {
    auto loop = dyn_cast<scf::ForOp>(arg.getOwner()->getParentOp());
    if (loop)
      return arg == loop.getInductionVar() &&
             isNonNegative(loop.getLowerBound());
    // Sizes.
    return isa<LLVM::LLVMFuncOp>(arg.getOwner()->getParentOp());
  }
  if (auto constant = getConstantIntValue(index))
    return *constant >= 0;
  Operation *op = index.getDefiningOp();
  return isa_and_nonnull<arith::AddIOp, arith::MulIOp, arith::DivUIOp,
                         arith::RemUIOp, arith::FloorDivSIOp, arith::ShRSIOp,
                         arith::IndexCastOp>(op) &&
         llvm::all_of(op->getOperands(), isNonNegative);
}

LinearIndex LinearIndex::operator+(const LinearIndex &other) const {
  LinearIndex sum = *this;
  sum.constant += other.constant;
  sum.lane += other.lane;
  for (const LinearTerm &term : other.terms) {
    auto it = llvm::find_if(
        sum.terms, [&](const LinearTerm &t) { return t.value == term.value; });
    if (it == sum.terms.end()) {
      auto place = llvm::find_if(
          sum.terms, [&](const LinearTerm &t) { return t.depth > term.depth; });
      sum.terms.insert(place, term);
      continue;
    }
    it->coefficient += term.coefficient;
    if (it->coefficient == 0)
      sum.terms.erase(it);
  }
  return sum;
}

LinearIndex LinearIndex::operator*(int64_t factor) const {
  if (factor == 0)
    return ofConstant(0);
  LinearIndex product = *this;
  product.constant *= factor;
  product.lane *= factor;
  for (LinearTerm &term : product.terms)
    term.coefficient *= factor;
  return product;
}

bool LinearIndex::operator==(const LinearIndex &other) const {
  auto same = [](const LinearTerm &a, const LinearTerm &b) {
    return a.value == b.value && a.coefficient == b.coefficient;
  };
  return constant == other.constant && lane == other.lane &&
         llvm::equal(terms, other.terms, same);
}

std::pair<LinearIndex, LinearIndex>
LinearIndex::divideTerms(int64_t divisor) const {
  LinearIndex quotient, rest;
  quotient.constant = llvm::divideFloorSigned(constant, divisor);
  rest.constant = constant - quotient.constant * divisor;
  (lane % divisor == 0 ? quotient : rest).lane =
      lane % divisor == 0 ? lane / divisor : lane;
  for (LinearTerm term : terms) {
    bool divides = term.coefficient % divisor == 0;
    if (divides)
      term.coefficient /= divisor;
    (divides ? quotient : rest).terms.push_back(term);
  }
  return {quotient, rest};
}

std::pair<LinearIndex, LinearIndex> LinearIndex::separateLanes() const {
  LinearIndex uniform = *this, varying;
  std::swap(uniform.lane, varying.lane);
  std::swap(uniform.constant, varying.constant);
  return {uniform, varying};
}

int64_t LinearIndex::unit(int64_t of) const {
  for (const LinearTerm &term : terms)
    of = std::gcd(of, term.coefficient);
  return of;
}

/// The range of a loop's variable.
static std::optional<std::pair<int64_t, int64_t>> rangeOf(Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  auto loop =
      arg ? dyn_cast<scf::ForOp>(arg.getOwner()->getParentOp()) : scf::ForOp();
  if (!loop || arg != loop.getInductionVar())
    return std::nullopt;
  std::optional<int64_t> lower = getConstantIntValue(loop.getLowerBound());
  std::optional<int64_t> upper = getConstantIntValue(loop.getUpperBound());
  if (!lower || !upper || *upper <= *lower)
    return std::nullopt;
  return std::pair(*lower, *upper - 1);
}

std::optional<std::pair<int64_t, int64_t>>
LinearIndex::range(int64_t lanes) const {
  std::pair<int64_t, int64_t> sum(constant, constant);
  auto add = [&](int64_t factor, int64_t low, int64_t high) {
    sum.first += factor * (factor < 0 ? high : low);
    sum.second += factor * (factor < 0 ? low : high);
  };
  add(lane, 0, std::max<int64_t>(lanes, 1) - 1);
  for (const LinearTerm &term : terms) {
    std::optional<std::pair<int64_t, int64_t>> of = rangeOf(term.value);
    if (!of)
      return std::nullopt;
    add(term.coefficient, of->first, of->second);
  }
  return sum;
}

Value LinearIndex::materialize(OpBuilder &builder, Location loc) const {
  Value sum;
  for (const LinearTerm &term : terms) {
    Value addend = term.value;
    if (term.coefficient != 1)
      addend = arith::MulIOp::create(
          builder, loc, addend, indexConstant(builder, loc, term.coefficient));
    sum =
        sum ? Value(arith::AddIOp::create(builder, loc, sum, addend)) : addend;
  }
  if (!sum)
    return indexConstant(builder, loc, constant);
  if (constant != 0)
    sum = arith::AddIOp::create(builder, loc, sum,
                                indexConstant(builder, loc, constant));
  return sum;
}
