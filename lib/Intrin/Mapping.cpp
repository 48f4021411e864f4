//===- Mapping.cpp - Which iterators become an instruction's axes ---------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Intrin/Mapping.h"

#include "nestor/Intrin/Match.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;
using namespace nestor::analysis;

bool Mapping::fuses() const {
  return llvm::any_of(iterators,
                      [](ArrayRef<unsigned> axis) { return axis.size() > 1; });
}

std::string Mapping::str(const Record &record) const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (auto [axis, fused] : llvm::zip_equal(record.axes, iterators)) {
    stream << (text.empty() ? "" : "; ") << axis.name << ":";
    for (unsigned iterator : fused)
      stream << " " << iterator;
  }
  return text;
}

/// Every ordered choice of some of `candidates`, shorter and earlier ones
/// first.
static std::vector<SmallVector<unsigned>>
arrangements(ArrayRef<unsigned> candidates, size_t most) {
  std::vector<SmallVector<unsigned>> result;
  for (unsigned candidate : candidates)
    result.push_back({candidate});
  for (size_t begin = 0; begin < result.size() && result.size() < most; ++begin)
    for (unsigned candidate : candidates)
      if (!llvm::is_contained(result[begin], candidate)) {
        SmallVector<unsigned> longer(result[begin]);
        longer.push_back(candidate);
        result.push_back(std::move(longer));
      }
  if (result.empty())
    result.emplace_back();
  return result;
}

std::vector<Mapping> intrin::mappings(const Record &record,
                                      const Contraction &contraction,
                                      size_t most) {
  std::vector<Mapping> result;
  if (contraction.factors.size() != 2)
    return result;
  Type sum = contraction.getSumType();
  if (sum != typeOf(record.acc().element, sum.getContext()))
    return result;
  nest::BlockOp block = contraction.block;
  for (unsigned lhs : {0u, 1u}) {
    if (!takes(record.lhs(), contraction.factors[lhs]) ||
        !takes(record.rhs(), contraction.factors[1 - lhs]))
      continue;
    ArrayRef<AffineExpr> indices[3] = {contraction.factors[lhs].indices,
                                       contraction.factors[1 - lhs].indices,
                                       contraction.sumIndices};
    std::vector<SmallVector<unsigned>> choices[3];
    bool possible = true;
    for (auto [axis, known] : llvm::enumerate(record.axes)) {
      SmallVector<unsigned> candidates;
      for (unsigned i = 0; i < block.getNumIterators(); ++i) {
        bool reduces = block.getIteratorKind(i) == nest::IteratorKind::Reduce;
        bool fits = block.getIteratorKind(i) != nest::IteratorKind::Ordered &&
                    block.getConstantExtent(i) != 1 &&
                    reduces == (known.kind == AxisKind::Reduce);
        for (unsigned operand = 0; fits && operand < 3; ++operand)
          fits = record.operands[operand].has(axis) ==
                 isMovedBy(indices[operand], i);
        if (fits && known.extent > 1)
          candidates.push_back(i);
      }
      // An axis of one step needs nobody; others at least one, but for rows
      // that may shrink to one.
      possible &= !candidates.empty() || known.extent == 1 ||
                  (axis == kM && known.tail != Tail::Pad);
      choices[axis] = arrangements(candidates, most);
    }
    if (!possible)
      continue;
    for (const auto &m : choices[kM])
      for (const auto &n : choices[kN])
        for (const auto &k : choices[kK])
          result.push_back({lhs, {m, n, k}});
  }
  llvm::sort(result, [](const Mapping &a, const Mapping &b) {
    auto length = [](const Mapping &mapping) {
      size_t sum = 0;
      for (const auto &axis : mapping.iterators)
        sum += axis.size();
      return sum;
    };
    return std::tuple(length(a), a.lhs, a.iterators[0], a.iterators[1],
                      a.iterators[2]) <
           std::tuple(length(b), b.lhs, b.iterators[0], b.iterators[1],
                      b.iterators[2]);
  });
  if (result.size() > most)
    result.resize(most);
  return result;
}
