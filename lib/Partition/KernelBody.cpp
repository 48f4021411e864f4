//===- KernelBody.cpp - Operators as loops and blocks ---------------------===//
//
// linalg.generic, model.loops and tensor.concat => nest.for around one block
// (plus a block that prepares a result that starts from something).
//
// Index arithmetic inside blocks is written in arith: sums and products of
// iterators, constants and sizes.
//
//===----------------------------------------------------------------------===//
#include "KernelBuilder.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;
using nest::IteratorKind;

//===----------------------------------------------------------------------===//
// Loops and blocks
//===----------------------------------------------------------------------===//

KernelBuilder::Domain KernelBuilder::spatial(ArrayRef<AffineExpr> extents) {
  Domain domain;
  for (AffineExpr extent : extents)
    domain.add(IteratorKind::Spatial, extent);
  return domain;
}

nest::BlockOp KernelBuilder::openBlock(StringRef name, const Domain &domain,
                                       bool hasInit, Location loc) {
  unsigned numSizes = sizes.getBases().size();
  SmallVector<Value> symbols, loops;
  for (unsigned i = 0; i < numSizes; ++i)
    symbols.push_back(sizeArgument(i));
  MLIRContext *context = builder.getContext();
  AffineMap zero = AffineMap::getConstantMap(0, context);
  for (AffineExpr extent : domain.extents) {
    AffineMap upper = AffineMap::get(0, numSizes, extent);
    SmallVector<Value> operands(symbols);
    affine::canonicalizeMapAndOperands(&upper, &operands);
    auto loop =
        nest::ForOp::create(builder, loc, zero, ValueRange(), upper, operands);
    loops.push_back(loop.getInductionVar());
    builder.setInsertionPoint(loop.getBodyBlock()->getTerminator());
  }
  // Bindings are the loops themselves; only symbols of the extents remain.
  SmallVector<AffineExpr> dims;
  for (unsigned i = 0; i < loops.size(); ++i)
    dims.push_back(getAffineDimExpr(i, context));
  SmallVector<AffineExpr> replaced(numSizes);
  SmallVector<Value> operands(loops);
  unsigned used = 0;
  for (unsigned i = 0; i < numSizes; ++i) {
    bool isUsed = llvm::any_of(domain.extents, [&](AffineExpr extent) {
      return extent.isFunctionOfSymbol(i);
    });
    replaced[i] = getAffineSymbolExpr(isUsed ? used : 0, context);
    if (!isUsed)
      continue;
    ++used;
    operands.push_back(symbols[i]);
  }
  SmallVector<AffineExpr> extents =
      llvm::map_to_vector(domain.extents, [&](AffineExpr extent) {
        return extent.replaceSymbols(replaced);
      });
  auto block = nest::BlockOp::create(
      builder, loc, uniqueName(name), domain.kinds,
      AffineMap::get(loops.size(), used, dims, context),
      AffineMap::get(loops.size(), used, extents, context), operands, hasInit);
  builder.setInsertionPoint(block.getBodyBlock()->getTerminator());
  return block;
}

void KernelBuilder::emitFill(Value buffer, ArrayRef<AffineExpr> dims,
                             TypedAttr value, Location loc) {
  OpBuilder::InsertionGuard guard(builder);
  nest::BlockOp block = openBlock("fill", spatial(dims), false, loc);
  Value constant = arith::ConstantOp::create(builder, loc, value);
  memref::StoreOp::create(builder, loc, constant, buffer,
                          block.getBodyBlock()->getArguments());
}

void KernelBuilder::emitCopy(Value from, Value to, ArrayRef<AffineExpr> dims,
                             Location loc) {
  OpBuilder::InsertionGuard guard(builder);
  nest::BlockOp block = openBlock("copy", spatial(dims), false, loc);
  ValueRange iterators = block.getBodyBlock()->getArguments();
  Value value = memref::LoadOp::create(builder, loc, from, iterators);
  memref::StoreOp::create(builder, loc, value, to, iterators);
}

//===----------------------------------------------------------------------===//
// Expressions and scalars
//===----------------------------------------------------------------------===//

/// Whether `expr` cannot be negative when dims and symbols are not.
static bool isNonNegative(AffineExpr expr) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr))
    return c.getValue() >= 0;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary || expr.getKind() == AffineExprKind::Mod)
    return true;
  return isNonNegative(binary.getLHS()) && isNonNegative(binary.getRHS());
}

Value KernelBuilder::emitExpr(AffineExpr expr, ValueRange dims, Location loc) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantIndexOp::create(builder, loc, c.getValue());
  if (auto d = dyn_cast<AffineDimExpr>(expr))
    return dims[d.getPosition()];
  if (auto s = dyn_cast<AffineSymbolExpr>(expr))
    return sizeArgument(s.getPosition());
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value lhs = emitExpr(binary.getLHS(), dims, loc);
  Value rhs = emitExpr(binary.getRHS(), dims, loc);
  bool natural = isNonNegative(expr);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return arith::AddIOp::create(builder, loc, lhs, rhs);
  case AffineExprKind::Mul:
    return arith::MulIOp::create(builder, loc, lhs, rhs);
  case AffineExprKind::FloorDiv:
    if (natural)
      return arith::DivUIOp::create(builder, loc, lhs, rhs);
    return arith::FloorDivSIOp::create(builder, loc, lhs, rhs);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(builder, loc, lhs, rhs);
  default:
    break;
  }
  // Mod: never negative.
  if (isNonNegative(binary.getLHS()))
    return arith::RemUIOp::create(builder, loc, lhs, rhs);
  Value quotient = arith::FloorDivSIOp::create(builder, loc, lhs, rhs);
  Value product = arith::MulIOp::create(builder, loc, quotient, rhs);
  return arith::SubIOp::create(builder, loc, lhs, product);
}

SmallVector<Value> KernelBuilder::emitMap(AffineMap map, ValueRange dims,
                                          Location loc) {
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
    return emitExpr(expr, dims, loc);
  });
}

Value KernelBuilder::emitExtract(tensor::ExtractOp op, ValueRange indices) {
  Location loc = op.getLoc();
  if (!locals.contains(op.getTensor())) {
    if (TypedAttr splat = splatOf(op.getTensor()))
      return arith::ConstantOp::create(builder, loc, splat);
    if (isUndefined(op.getTensor()))
      return arith::ConstantOp::create(builder, loc,
                                       builder.getZeroAttr(op.getType()));
  }
  return memref::LoadOp::create(builder, loc, readBuffer(op.getTensor()),
                                indices);
}

Value KernelBuilder::emitScalar(Value scalar, IRMapping &mapping) {
  if (mapping.contains(scalar))
    return mapping.lookup(scalar);
  Location loc = scalar.getLoc();
  Operation *op = scalar.getDefiningOp();
  Value result;
  if (TypedAttr constant; matchPattern(scalar, m_Constant(&constant))) {
    result = arith::ConstantOp::create(builder, loc, constant);
  } else if (scalar.getType().isIndex()) {
    result = emitExpr(sizes.get(host.scalarOf(scalar)), {}, loc);
  } else if (auto extract = dyn_cast_or_null<tensor::ExtractOp>(op)) {
    // Read where it is used: the host need not know the value.
    SmallVector<Value> indices;
    for (Value index : extract.getIndices())
      indices.push_back(emitScalar(index, mapping));
    result = emitExtract(extract, indices);
  } else if (op && op->getNumRegions() == 0 && isPure(op) &&
             isa<arith::ArithDialect, math::MathDialect>(op->getDialect())) {
    for (Value operand : op->getOperands())
      emitScalar(operand, mapping);
    result = builder.clone(*op, mapping)
                 ->getResult(cast<OpResult>(scalar).getResultNumber());
  } else {
    // A scalar that only the host knows travels in the bits of a size.
    OpBuilder &at = host.getBuilder();
    Value value = host.scalarOf(scalar);
    Type type = scalar.getType();
    auto bits = builder.getIntegerType(type.getIntOrFloatBitWidth());
    if (isa<FloatType>(type))
      value = arith::BitcastOp::create(at, loc, bits, value);
    Value size =
        arith::IndexCastUIOp::create(at, loc, at.getIndexType(), value);
    result = emitExpr(sizes.get(size), {}, loc);
    result = arith::IndexCastUIOp::create(builder, loc, bits, result);
    if (isa<FloatType>(type))
      result = arith::BitcastOp::create(builder, loc, type, result);
  }
  mapping.map(scalar, result);
  return result;
}

void KernelBuilder::cloneBody(Block &from, IRMapping &mapping,
                              ValueRange iterators) {
  // Scalars from outside first.
  Region &region = *from.getParent();
  from.walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (!region.isAncestor(operand.getParentRegion()) &&
          !isa<ShapedType>(operand.getType()))
        emitScalar(operand, mapping);
  });
  SmallVector<Operation *> clones;
  for (Operation &op : from.without_terminator())
    clones.push_back(builder.clone(op, mapping));
  // Then what still speaks of tensors, at any depth.
  auto replace = [&](Operation *op) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(op);
    Value value;
    if (auto index = dyn_cast<linalg::IndexOp>(op))
      value = iterators[index.getDim()];
    else if (auto extract = dyn_cast<tensor::ExtractOp>(op))
      value = emitExtract(extract, extract.getIndices());
    else if (auto dim = dyn_cast<tensor::DimOp>(op))
      value = emitExpr(
          sizes.get(host.dimsOf(dim.getSource())[*dim.getConstantIndex()]), {},
          op->getLoc());
    if (!value)
      return;
    for (auto &entry : mapping.getValueMap())
      if (entry.second == op->getResult(0))
        mapping.map(entry.first, value);
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
  };
  for (Operation *clone : clones)
    clone->walk<WalkOrder::PostOrder>(replace);
}

//===----------------------------------------------------------------------===//
// linalg.generic
//===----------------------------------------------------------------------===//

Value KernelBuilder::element(OpOperand &operand, AffineMap map,
                             ValueRange iterators) {
  Value tensor = operand.get();
  Location loc = operand.getOwner()->getLoc();
  if (!locals.contains(tensor)) {
    TypedAttr constant = splatOf(tensor);
    if (!constant && isUndefined(tensor))
      constant = builder.getZeroAttr(getElementTypeOrSelf(tensor));
    if (constant)
      return arith::ConstantOp::create(builder, loc, constant);
  }
  return memref::LoadOp::create(builder, loc, readBuffer(tensor),
                                emitMap(map, iterators, loc));
}

LogicalResult KernelBuilder::emitGeneric(linalg::GenericOp op) {
  OpBuilder::InsertionGuard guard(builder);
  // Extents: a constant where one operand shows it, else the dim of a result.
  Domain domain;
  bool empty = false;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    AffineExpr extent;
    auto look = [&](OpOperand &operand) {
      if (!isa<RankedTensorType>(operand.get().getType()))
        return;
      AffineMap map = op.getMatchingIndexingMap(&operand);
      for (auto [d, expr] : llvm::enumerate(map.getResults())) {
        if (expr != getAffineDimExpr(loop, builder.getContext()))
          continue;
        AffineExpr found = sizes.get(host.dimsOf(operand.get())[d]);
        if (!extent || (isa<AffineConstantExpr>(found) &&
                        !isa<AffineConstantExpr>(extent)))
          extent = found;
      }
    };
    for (OpOperand &operand : op.getDpsInitsMutable())
      look(operand);
    for (OpOperand *operand : op.getDpsInputOperands())
      look(*operand);
    if (!extent)
      return op.emitOpError("loop ") << loop << " has no extent: no operand is "
                                     << "indexed by it alone";
    bool reduce = kind == utils::IteratorType::reduction;
    domain.add(reduce ? IteratorKind::Reduce : IteratorKind::Spatial, extent);
    auto constant = dyn_cast<AffineConstantExpr>(extent);
    empty |= reduce && constant && constant.getValue() == 0;
  }

  bool reduces = op.getNumReductionLoops() != 0;
  SmallVector<Value> results;
  bool hasInit = false;
  for (auto [i, outs] : llvm::enumerate(op.getOutputs())) {
    OpResult result = op->getResult(i);
    if (!reduces) {
      results.push_back(resultFor(result));
      continue;
    }
    results.push_back(updatedResult(result, outs, /*skipSplat=*/!empty));
    hasInit |= splatOf(outs) && !empty;
  }
  if (empty)
    return success(); // nothing is added to the starting values

  nest::BlockOp block = openBlock(kindOf(op), domain, hasInit, op.getLoc());
  Block &from = *op.getBlock();
  auto outputMap = [&](unsigned i) {
    return op.getMatchingIndexingMap(op.getDpsInitOperand(i));
  };
  if (hasInit) {
    for (auto [kind, extent] : llvm::zip_equal(domain.kinds, domain.extents))
      if (kind == IteratorKind::Reduce && !isa<AffineConstantExpr>(extent))
        emptyWhenZero.insert(extent);
    if (llvm::any_of(domain.extents, [&](AffineExpr extent) {
          return emptyWhenZero.contains(extent);
        }))
      mayBeEmpty.push_back({block, domain});
    OpBuilder::InsertionGuard inner(builder);
    builder.setInsertionPoint(block.getInitBlock()->getTerminator());
    ValueRange iterators = block.getInitBlock()->getArguments();
    for (auto [i, outs] : llvm::enumerate(op.getOutputs())) {
      TypedAttr splat = splatOf(outs);
      if (!splat)
        continue;
      Value value = arith::ConstantOp::create(builder, op.getLoc(), splat);
      memref::StoreOp::create(builder, op.getLoc(), value, results[i],
                              emitMap(outputMap(i), iterators, op.getLoc()));
    }
  }
  ValueRange iterators = block.getBodyBlock()->getArguments();
  IRMapping mapping;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    BlockArgument arg = op.getMatchingBlockArgument(operand);
    if (arg.use_empty())
      continue;
    if (isa<RankedTensorType>(operand->get().getType()))
      mapping.map(arg, element(*operand, op.getMatchingIndexingMap(operand),
                               iterators));
    else
      mapping.map(arg, emitScalar(operand->get(), mapping));
  }
  for (auto [i, outs] : llvm::enumerate(op.getDpsInitsMutable())) {
    BlockArgument arg = op.getMatchingBlockArgument(&outs);
    if (arg.use_empty())
      continue;
    if (reduces)
      mapping.map(arg, memref::LoadOp::create(
                           builder, op.getLoc(), results[i],
                           emitMap(outputMap(i), iterators, op.getLoc())));
    else
      mapping.map(arg, element(outs, outputMap(i), iterators));
  }
  cloneBody(from, mapping, iterators);
  for (auto [i, yielded] :
       llvm::enumerate(from.getTerminator()->getOperands())) {
    Value value = emitScalar(yielded, mapping);
    memref::StoreOp::create(builder, op.getLoc(), value, results[i],
                            emitMap(outputMap(i), iterators, op.getLoc()));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// model.loops, tensor.concat, tensor.from_elements
//===----------------------------------------------------------------------===//

LogicalResult KernelBuilder::emitLoops(model::LoopsOp op) {
  OpBuilder::InsertionGuard guard(builder);
  Domain domain;
  for (auto [extent, kind] :
       llvm::zip_equal(op.getExtents(), op.getIterators()))
    domain.add(static_cast<IteratorKind>(kind),
               sizes.get(host.scalarOf(extent)));

  Block &from = op.getBody().front();
  unsigned loops = domain.extents.size();
  IRMapping mapping;
  llvm::DenseMap<Value, Value> tensorOf; // region buffer -> tensor
  unsigned arg = loops;
  SmallVector<std::pair<Value, Value>> buffers;
  for (Value input : op.getInputs()) {
    BlockArgument formal = from.getArgument(arg++);
    tensorOf[formal] = input;
    if (!formal.use_empty())
      buffers.push_back({formal, readBuffer(input)});
  }
  for (auto [i, outs] : llvm::enumerate(op.getOutputs())) {
    BlockArgument formal = from.getArgument(arg++);
    tensorOf[formal] = outs;
    buffers.push_back({formal, updatedResult(op->getResult(i), outs,
                                             /*skipSplat=*/false)});
  }

  nest::BlockOp block = openBlock("loops", domain, false, op.getLoc());
  ValueRange iterators = block.getBodyBlock()->getArguments();
  for (auto [formal, actual] :
       llvm::zip_equal(from.getArguments().take_front(loops), iterators))
    mapping.map(formal, actual);
  for (auto [formal, actual] : buffers)
    mapping.map(formal, actual);
  // Dims of the region's buffers are sizes; tell them before they are cloned.
  SmallVector<memref::DimOp> dimOps;
  op.getBody().walk([&](memref::DimOp dim) { dimOps.push_back(dim); });
  llvm::DenseMap<std::pair<Value, int64_t>, Value> dimValues;
  cloneBody(from, mapping, iterators);
  WalkResult walk = block.walk([&](memref::DimOp dim) {
    std::optional<int64_t> which = dim.getConstantIndex();
    if (!which) {
      op.emitOpError("asks for a dim that is not constant");
      return WalkResult::interrupt();
    }
    Value tensor;
    for (auto [formal, actual] : buffers)
      if (actual == dim.getSource())
        tensor = tensorOf.lookup(formal);
    if (!tensor)
      return WalkResult::advance();
    OpBuilder::InsertionGuard inner(builder);
    builder.setInsertionPoint(dim);
    Value size =
        emitExpr(sizes.get(host.dimsOf(tensor)[*which]), {}, dim.getLoc());
    dim.getResult().replaceAllUsesWith(size);
    dim.erase();
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

LogicalResult KernelBuilder::emitConcat(tensor::ConcatOp op) {
  Location loc = op.getLoc();
  Value result = resultFor(op->getResult(0));
  AffineExpr offset = builder.getAffineConstantExpr(0);
  unsigned axis = op.getDim();
  for (Value input : op.getInputs()) {
    OpBuilder::InsertionGuard guard(builder);
    SmallVector<AffineExpr> extents = exprs(host.dimsOf(input));
    auto constant = dyn_cast<AffineConstantExpr>(extents[axis]);
    if (constant && constant.getValue() == 0)
      continue;
    bool hasBuffer = locals.contains(input);
    TypedAttr splat = hasBuffer ? TypedAttr() : splatOf(input);
    if (splat || hasBuffer || !isUndefined(input)) {
      Value source = splat ? Value() : readBuffer(input);
      nest::BlockOp block = openBlock("concat", spatial(extents), false, loc);
      ValueRange iterators = block.getBodyBlock()->getArguments();
      Value value =
          splat ? arith::ConstantOp::create(builder, loc, splat).getResult()
                : memref::LoadOp::create(builder, loc, source, iterators)
                      .getResult();
      SmallVector<Value> target(iterators);
      target[axis] =
          emitExpr(builder.getAffineDimExpr(axis) + offset, iterators, loc);
      memref::StoreOp::create(builder, loc, value, result, target);
    }
    offset = offset + extents[axis];
  }
  return success();
}

LogicalResult KernelBuilder::emitElements(tensor::FromElementsOp op) {
  Location loc = op.getLoc();
  Group only{{op}};
  group = &only;
  SmallVector<OpFoldResult> dims = host.dimsOf(op.getResult());
  Value buffer = host.resultBuffer(op.getResult());
  host.setBuffer(op.getResult(), buffer);
  Value arg = writtenArgument(buffer, dims);
  ArrayRef<int64_t> shape = op.getType().getShape();
  for (auto [i, scalar] : llvm::enumerate(op.getElements())) {
    OpBuilder::InsertionGuard guard(builder);
    openBlock("element", Domain(), false, loc);
    IRMapping mapping;
    Value value = emitScalar(scalar, mapping);
    SmallVector<Value> indices(shape.size());
    int64_t rest = i;
    for (int64_t d = static_cast<int64_t>(shape.size()) - 1; d >= 0; --d) {
      indices[d] =
          arith::ConstantIndexOp::create(builder, loc, rest % shape[d]);
      rest /= shape[d];
    }
    memref::StoreOp::create(builder, loc, value, arg, indices);
  }
  return success();
}
