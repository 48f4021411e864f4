//===- Groups.cpp - Which operators share a kernel
//-------------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "Groups.h"

#include "HostBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace nestor;

bool nestor::isKernelOp(Operation *op) {
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return generic->getNumResults() != 1 || !splatOf(generic.getResult(0));
  return isa<model::LoopsOp, tensor::ConcatOp>(op);
}

SmallVector<Group> nestor::formGroups(Block &block) {
  SmallVector<Group> groups;
  for (Operation &op : block)
    if (isKernelOp(&op))
      groups.push_back(Group{{&op}});
  return groups;
}

/// The word for a generic with reduction loops.
static std::string reductionKind(linalg::GenericOp op) {
  Operation *update =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  bool product = false;
  if (isa_and_nonnull<arith::AddFOp, arith::AddIOp>(update))
    for (Value operand : update->getOperands()) {
      Operation *def = operand.getDefiningOp();
      product |= isa_and_nonnull<arith::MulFOp, arith::MulIOp>(def);
    }
  bool windowed = llvm::any_of(op.getIndexingMapsArray(), [](AffineMap map) {
    return !map.isProjectedPermutation(/*allowZeroInResults=*/true);
  });
  if (product && op.getNumDpsInputs() >= 2)
    return windowed ? "conv" : "matmul";
  return windowed ? "pool" : "reduce";
}

std::string nestor::kindOf(Operation *op) {
  if (isa<tensor::ConcatOp>(op))
    return "concat";
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic)
    return "loops";
  if (generic.getNumReductionLoops())
    return reductionKind(generic);
  Block &body = *generic.getBlock();
  if (generic.getNumDpsInputs() == 1 && llvm::hasSingleElement(body)) {
    Value yielded = body.getTerminator()->getOperand(0);
    if (yielded == body.getArgument(0)) {
      AffineMap in =
          generic.getMatchingIndexingMap(generic.getDpsInputOperand(0));
      AffineMap out =
          generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
      if (in == out)
        return "copy";
      return in.isPermutation() ? "transpose" : "broadcast";
    }
  }
  for (Operation &inner : body)
    if (isa<tensor::ExtractOp>(inner))
      return "gather";
  return "elementwise";
}
