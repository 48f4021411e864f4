//===- Generic.cpp - Kinds of linalg.generic ------------------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Generic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

bool nestor::yieldsConstant(linalg::GenericOp op) {
  return llvm::all_of(op.getBlock()->getTerminator()->getOperands(),
                      [](Value v) { return matchPattern(v, m_Constant()); });
}

bool nestor::isMovement(linalg::GenericOp op) {
  Block &body = *op.getBlock();
  return op.getNumReductionLoops() == 0 && op.getNumDpsInputs() == 1 &&
         op->getNumResults() == 1 && llvm::hasSingleElement(body) &&
         body.getTerminator()->getOperand(0) == body.getArgument(0) &&
         isa<RankedTensorType>(op.getDpsInputOperand(0)->get().getType());
}

bool nestor::isElementwise(linalg::GenericOp op) {
  return op.getNumReductionLoops() == 0 &&
         llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &out) {
           return op.getMatchingIndexingMap(&out).isIdentity();
         });
}

bool nestor::isWindowed(linalg::GenericOp op) {
  return llvm::any_of(op.getIndexingMapsArray(), [](AffineMap map) {
    return !map.isProjectedPermutation(/*allowZeroInResults=*/true);
  });
}

bool nestor::isProductSum(linalg::GenericOp op) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInputs() < 2)
    return false;
  Operation *update =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(update))
    return false;
  return llvm::any_of(update->getOperands(), [](Value operand) {
    return isa_and_nonnull<arith::MulFOp, arith::MulIOp>(
        operand.getDefiningOp());
  });
}

bool nestor::startsAtZero(linalg::GenericOp op) {
  auto fill = op.getDpsInitOperand(0)->get().getDefiningOp<linalg::GenericOp>();
  return fill && yieldsConstant(fill) &&
         matchPattern(fill.getBlock()->getTerminator()->getOperand(0),
                      m_AnyZeroFloat());
}

bool nestor::isPlainProductSum(linalg::GenericOp op) {
  Block &body = *op.getBlock();
  if (!isProductSum(op) || op.getNumDpsInputs() != 2 ||
      op->getNumResults() != 1 || body.getOperations().size() != 3)
    return false;
  auto mul = dyn_cast<arith::MulFOp>(body.front());
  auto add = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  return mul && add && mul.getLhs() != mul.getRhs() &&
         isa<BlockArgument>(mul.getLhs()) && isa<BlockArgument>(mul.getRhs()) &&
         llvm::is_contained(add->getOperands(), body.getArgument(2)) &&
         llvm::is_contained(add->getOperands(), mul.getResult());
}

bool nestor::isAnchor(linalg::GenericOp op) {
  return op.getNumReductionLoops() != 0 && (isProductSum(op) || isWindowed(op));
}

bool nestor::gathers(linalg::GenericOp op) {
  return op.getRegion()
      .walk([](tensor::ExtractOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}
