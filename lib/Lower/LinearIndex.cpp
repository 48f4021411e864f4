//===- LinearIndex.cpp - Index expressions kept linear --------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "LinearIndex.h"

using namespace mlir;
using namespace nestor::lower;

Value nestor::lower::indexConstant(OpBuilder &builder, Location loc,
                                   int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
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
