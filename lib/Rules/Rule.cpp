//===- Rule.cpp - What all rules share ------------------------------------===//
//
// See Rule.h.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

nest::ForOp rules::loopOf(nest::BlockOp block, unsigned iterator) {
  auto dim = dyn_cast<AffineDimExpr>(block.getBinding(iterator));
  if (!dim)
    return {};
  Value variable = block.getLoopOperands()[dim.getPosition()];
  if (!nest::isLoopVar(variable))
    return {};
  return cast<nest::ForOp>(
      cast<BlockArgument>(variable).getOwner()->getParentOp());
}

Use rules::useOf(const Access &access, unsigned iterator) {
  Use use;
  for (auto [i, index] : llvm::enumerate(access.indices)) {
    if (!index) // data dependent: may use anything
      continue;
    if (!index.isFunctionOfDim(iterator))
      continue;
    use.index = use.used ? -1 : static_cast<int>(i);
    use.used = true;
    // Dims of one element behind it do not move the address.
    auto type = cast<MemRefType>(access.buffer.getType());
    bool last = llvm::all_of(type.getShape().drop_front(i + 1),
                             [](int64_t dim) { return dim == 1; });
    AffineExpr dim = getAffineDimExpr(iterator, index.getContext());
    use.unitStride =
        last && use.index >= 0 && Linear::of(index).coefficientOf(dim) == 1;
  }
  return use;
}

int64_t rules::tripCount(nest::ForOp loop, int64_t unknown) {
  return loop.getConstantTripCount().value_or(unknown);
}
