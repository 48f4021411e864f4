//===- Model.cpp - The model dialect --------------------------------------===//
//
// Verifiers and builders of ModelOps.td. Checks are local: ranks, counts and
// types that can be seen without following values.
//
//===----------------------------------------------------------------------===//
#include "nestor/Dialect/Model/Model.h"

#include "nestor/Dialect/Model/ModelOpsDialect.cpp.inc"

#define GET_OP_CLASSES
#include "nestor/Dialect/Model/ModelOps.cpp.inc"

using namespace mlir;
using namespace nestor::model;

void ModelDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "nestor/Dialect/Model/ModelOps.cpp.inc"
      >();
}

LogicalResult ReshapeOp::verify() {
  auto from = getSource().getType(), to = getResult().getType();
  if (from.getElementType() != to.getElementType())
    return emitOpError("changes the element type");
  if (getDims().size() != static_cast<size_t>(to.getNumDynamicDims()))
    return emitOpError("needs one dim operand for each of the ")
           << to.getNumDynamicDims() << " dynamic dims of its result, got "
           << getDims().size();
  if (from.hasStaticShape() && to.hasStaticShape() &&
      from.getNumElements() != to.getNumElements())
    return emitOpError("changes the number of elements from ")
           << from.getNumElements() << " to " << to.getNumElements();
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getSource().getType() == getType() && getType().hasStaticShape())
    return getSource();
  // reshape(reshape(x)) => reshape(x)
  if (auto inner = getSource().getDefiningOp<ReshapeOp>()) {
    getSourceMutable().assign(inner.getSource());
    return getResult();
  }
  return {};
}

void LoopsOp::build(OpBuilder &builder, OperationState &state,
                    ValueRange inputs, ValueRange outputs, ValueRange extents,
                    ArrayRef<int32_t> iterators,
                    function_ref<void(OpBuilder &, Location, ValueRange,
                                      ValueRange, ValueRange)>
                        body) {
  build(builder, state, TypeRange(outputs), inputs, outputs, extents,
        iterators);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(state.regions[0].get());
  for (size_t i = 0; i < extents.size(); ++i)
    block->addArgument(builder.getIndexType(), state.location);
  auto addBuffers = [&](ValueRange tensors) {
    for (Value v : tensors) {
      auto type = cast<RankedTensorType>(v.getType());
      block->addArgument(
          MemRefType::get(type.getShape(), type.getElementType()),
          state.location);
    }
  };
  addBuffers(inputs);
  addBuffers(outputs);
  ValueRange args = block->getArguments();
  body(builder, state.location, args.take_front(extents.size()),
       args.slice(extents.size(), inputs.size()),
       args.take_back(outputs.size()));
  YieldOp::create(builder, state.location);
}

LogicalResult LoopsOp::verify() {
  if (getExtents().size() != getIterators().size())
    return emitOpError("has ") << getExtents().size() << " extents but "
                               << getIterators().size() << " iterators";
  if (TypeRange(getOutputs()) != TypeRange(getResults()))
    return emitOpError("results must have the types of its outs");
  Block &block = getBody().front();
  size_t loops = getExtents().size();
  if (block.getNumArguments() !=
      loops + getInputs().size() + getOutputs().size())
    return emitOpError("region must take ")
           << loops << " iterators and one memref for each of "
           << getInputs().size() + getOutputs().size() << " tensors";
  for (auto [i, tensor] :
       llvm::enumerate(llvm::concat<Value>(SmallVector<Value>(getInputs()),
                                           SmallVector<Value>(getOutputs())))) {
    auto type = cast<RankedTensorType>(tensor.getType());
    auto memref = dyn_cast<MemRefType>(block.getArgument(loops + i).getType());
    if (!memref || memref.getShape() != type.getShape() ||
        memref.getElementType() != type.getElementType())
      return emitOpError("region argument ")
             << loops + i << " must be the memref of " << type;
  }
  for (int32_t kind : getIterators())
    if (kind != Spatial && kind != Ordered)
      return emitOpError("iterator kind ")
             << kind << " is neither 0 (spatial) nor 2 (ordered)";
  return success();
}
