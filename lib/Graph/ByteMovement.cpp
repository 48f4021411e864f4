//===- ByteMovement.cpp - Gathers and maxima ------------------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "ByteMovement.h"

#include "nestor/Graph/Generic.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

std::optional<Gathered> nestor::gatheredBy(linalg::GenericOp op) {
  if (op->getNumResults() != 1 || !isElementwise(op) ||
      !op.getBlock()->getArguments().back().use_empty())
    return std::nullopt;
  Value yielded = op.getBlock()->getTerminator()->getOperand(0);
  Gathered found;
  if (auto select = yielded.getDefiningOp<arith::SelectOp>()) {
    found.select = select;
    yielded = select.getTrueValue();
    found.filler = select.getFalseValue();
    if (!yielded.getDefiningOp<tensor::ExtractOp>())
      std::swap(yielded, found.filler);
  }
  found.extract = yielded.getDefiningOp<tensor::ExtractOp>();
  if (!found.extract || found.extract->getParentOp() != op ||
      !found.extract->hasOneUse())
    return std::nullopt;
  return found;
}

Value nestor::gatherOfBytes(
    OpBuilder &builder, linalg::GenericOp op, const Gathered &gathered,
    llvm::function_ref<Value(OpBuilder &, ValueRange)> extract,
    llvm::function_ref<Value(OpBuilder &)> filler) {
  Location loc = op.getLoc();
  Value empty = emptyLike(builder, loc, op->getResult(0), builder.getI8Type());
  auto bytes = linalg::GenericOp::create(
      builder, loc, TypeRange(empty.getType()), op.getInputs(),
      ValueRange(empty), op.getIndexingMapsArray(), op.getIteratorTypesArray());
  IRMapping mapping;
  op.getRegion().cloneInto(&bytes.getRegion(), mapping);
  Block &body = bytes.getRegion().front();
  body.getArguments().back().setType(builder.getI8Type());
  OpBuilder::InsertionGuard guard(builder);
  tensor::ExtractOp original = gathered.extract;
  auto old = cast<tensor::ExtractOp>(mapping.lookup(original.getOperation()));
  builder.setInsertionPoint(old);
  Value byte = extract(builder, old.getIndices());
  if (arith::SelectOp choice = gathered.select) {
    auto select = cast<arith::SelectOp>(mapping.lookup(choice.getOperation()));
    builder.setInsertionPoint(select);
    Value outside = filler(builder);
    bool fillsFalse = choice.getFalseValue() == gathered.filler;
    byte = arith::SelectOp::create(builder, loc, select.getCondition(),
                                   fillsFalse ? byte : outside,
                                   fillsFalse ? outside : byte);
    body.getTerminator()->setOperand(0, byte);
    select.erase();
  } else {
    body.getTerminator()->setOperand(0, byte);
  }
  old.erase();
  return bytes.getResult(0);
}

bool nestor::isMaximum(linalg::GenericOp op) {
  Block &body = *op.getBlock();
  if (op.getNumReductionLoops() == 0 || op->getNumResults() != 1 ||
      body.getOperations().size() != 2)
    return false;
  auto max = dyn_cast<arith::MaximumFOp>(body.front());
  auto fill = op.getOutputs()[0].getDefiningOp<linalg::GenericOp>();
  BlockArgument out = body.getArguments().back();
  return max && body.getTerminator()->getOperand(0) == max.getResult() &&
         llvm::is_contained(max->getOperands(), out) &&
         llvm::is_contained(max->getOperands(), body.getArgument(0)) && fill &&
         yieldsConstant(fill) &&
         matchPattern(fill.getBlock()->getTerminator()->getOperand(0),
                      m_NegInfFloat());
}

Value nestor::maximumOfBytes(OpBuilder &builder, linalg::GenericOp op,
                             Value bytes, AffineMap map, bool isUnsigned) {
  Location loc = op.getLoc();
  Value empty = emptyLike(builder, loc, op->getResult(0), builder.getI8Type());
  auto type = cast<RankedTensorType>(empty.getType());
  SmallVector<utils::IteratorType> flat(type.getRank(),
                                        utils::IteratorType::parallel);
  auto start = linalg::GenericOp::create(
      builder, loc, TypeRange(type), ValueRange(), ValueRange(empty),
      {builder.getMultiDimIdentityMap(type.getRank())}, flat,
      [&](OpBuilder &b, Location l, ValueRange) {
        linalg::YieldOp::create(b, l, lowestByte(b, l, isUnsigned));
      });
  SmallVector<Value> inputs(op.getInputs());
  inputs[0] = bytes;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps[0] = map;
  return linalg::GenericOp::create(
             builder, loc, TypeRange(type), inputs,
             ValueRange(start.getResult(0)), maps, op.getIteratorTypesArray(),
             [&](OpBuilder &b, Location l, ValueRange args) {
               Value max =
                   isUnsigned
                       ? arith::MaxUIOp::create(b, l, args.back(), args[0])
                             .getResult()
                       : arith::MaxSIOp::create(b, l, args.back(), args[0])
                             .getResult();
               linalg::YieldOp::create(b, l, max);
             })
      .getResult(0);
}

Value nestor::lowestByte(OpBuilder &builder, Location loc, bool isUnsigned) {
  return arith::ConstantOp::create(
      builder, loc,
      IntegerAttr::get(builder.getI8Type(), isUnsigned
                                                ? APInt::getZero(8)
                                                : APInt::getSignedMinValue(8)));
}
