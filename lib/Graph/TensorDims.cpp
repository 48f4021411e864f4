//===- TensorDims.cpp - What decides the dims of tensors ------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/TensorDims.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

TensorDims::TensorDims(ValueRange args, ValueRange inits) {
  for (auto [arg, init] : llvm::zip_equal(args, inits))
    initial[arg] = init;
}

DimSource TensorDims::of(Value tensor, int64_t dim) const {
  if (Value init = initial.lookup(tensor))
    return of(init, dim);
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return {Value(), type.getDimSize(dim)};
  Operation *op = tensor.getDefiningOp();
  auto nth = [&](ValueRange dims) {
    return ofIndex(dims[type.getDynamicDimIndex(dim)]);
  };
  if (auto empty = dyn_cast_or_null<tensor::EmptyOp>(op))
    return nth(empty.getDynamicSizes());
  if (auto reshape = dyn_cast_or_null<model::ReshapeOp>(op))
    return nth(reshape.getDims());
  if (auto renamed = dyn_cast_or_null<tensor::CastOp>(op))
    return of(renamed.getSource(), dim);
  if (auto concat = dyn_cast_or_null<tensor::ConcatOp>(op))
    if (concat.getDim() != static_cast<uint64_t>(dim))
      return of(concat.getInputs().front(), dim);
  if (auto generic = dyn_cast_or_null<linalg::GenericOp>(op))
    return of(generic.getOutputs()[cast<OpResult>(tensor).getResultNumber()],
              dim);
  if (auto loops = dyn_cast_or_null<model::LoopsOp>(op))
    return of(loops.getOutputs()[cast<OpResult>(tensor).getResultNumber()],
              dim);
  return {tensor, dim};
}

DimSource TensorDims::ofIndex(Value size) const {
  APInt constant;
  if (matchPattern(size, m_ConstantInt(&constant)))
    return {Value(), constant.getSExtValue()};
  if (auto dim = size.getDefiningOp<tensor::DimOp>())
    if (std::optional<int64_t> which = dim.getConstantIndex())
      return of(dim.getSource(), *which);
  return {size, -1};
}

SmallVector<DimSource> TensorDims::of(Value tensor) const {
  SmallVector<DimSource> result;
  for (int64_t d = 0; d < cast<RankedTensorType>(tensor.getType()).getRank();
       ++d)
    result.push_back(of(tensor, d));
  return result;
}

SmallVector<DimSource> TensorDims::loopExtents(linalg::GenericOp op) const {
  SmallVector<std::optional<DimSource>> found(op.getNumLoops());
  auto look = [&](OpOperand &operand) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      return;
    for (auto [d, expr] :
         llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        continue;
      DimSource source = of(operand.get(), d);
      std::optional<DimSource> &known = found[dim.getPosition()];
      if (!known || (source.isConstant() && !known->isConstant()))
        known = source;
    }
  };
  for (OpOperand &operand : op.getDpsInitsMutable())
    look(operand);
  for (OpOperand *operand : op.getDpsInputOperands())
    look(*operand);
  SmallVector<DimSource> result;
  for (auto [i, source] : llvm::enumerate(found))
    result.push_back(
        source ? *source
               : DimSource{op->getResult(0), -2 - static_cast<int64_t>(i)});
  return result;
}
