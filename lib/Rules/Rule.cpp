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

/// Cost of one operation of a body on one element, in ns, scalar code.
static double operationCost(Operation &op) {
  StringRef dialect = op.getName().getDialectNamespace();
  if (dialect == "math")
    return 8;
  if (isa<memref::LoadOp, memref::StoreOp>(op))
    return 0.4;
  if (op.getNumRegions() != 0)
    return 20;
  return 0.3;
}

double rules::estimateWork(Operation *op, const Target &target) {
  if (auto block = dyn_cast<nest::BlockOp>(op)) {
    double cost = 0.3;
    for (Operation &inner : *block.getBodyBlock())
      cost += operationCost(inner);
    return cost;
  }
  double inside = 0;
  if (auto loop = dyn_cast<nest::ForOp>(op)) {
    for (Operation &inner : *loop.getBodyBlock())
      inside += estimateWork(&inner, target);
    double count = static_cast<double>(tripCount(loop, 64));
    if (loop.getKind() == nest::LoopKind::Vectorize)
      count = std::max(1.0, count / std::max(1u, target.lanes(32)));
    // Unrolled register tiles run at several operations a cycle.
    if (loop.getKind() == nest::LoopKind::Unroll)
      count *= 0.4;
    return inside * count;
  }
  return 0;
}
