//===- HostBuilder.cpp - Tensor function to host function -----------------===//
//
// Buffers, sizes and straight-line operators; see the header. Control flow is
// in HostControl.cpp.
//
//===----------------------------------------------------------------------===//
#include "HostBuilder.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

MemRefType nestor::bufferType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

/// The source of an operator that only renames the elements of a tensor.
static Value renamedSource(Operation *op) {
  if (isa_and_nonnull<model::ReshapeOp, tensor::CastOp>(op))
    return op->getOperand(0);
  return {};
}

/// The constant that result `index` of a generic without tensor inputs yields.
static TypedAttr yieldedConstant(linalg::GenericOp op, unsigned index) {
  if (op.getNumReductionLoops())
    return {};
  Value yielded = op.getBlock()->getTerminator()->getOperand(index);
  TypedAttr value;
  if (matchPattern(yielded, m_Constant(&value)))
    return value;
  // linalg.fill, generalised: the value is a scalar operand.
  auto arg = dyn_cast<BlockArgument>(yielded);
  if (arg && arg.getOwner() == op.getBlock() &&
      arg.getArgNumber() < op.getNumDpsInputs() &&
      matchPattern(op.getDpsInputOperand(arg.getArgNumber())->get(),
                   m_Constant(&value)) &&
      !isa<ShapedType>(value.getType()))
    return value;
  return {};
}

TypedAttr nestor::splatOf(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  if (Value source = renamedSource(op))
    return splatOf(source);
  if (auto generic = dyn_cast_or_null<linalg::GenericOp>(op))
    return yieldedConstant(generic, cast<OpResult>(tensor).getResultNumber());
  DenseElementsAttr dense;
  if (op && matchPattern(tensor, m_Constant(&dense)) && dense.isSplat())
    return dense.getSplatValue<TypedAttr>();
  return {};
}

bool nestor::isUndefined(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  if (Value source = renamedSource(op))
    return isUndefined(source);
  return isa_and_nonnull<tensor::EmptyOp>(op);
}

/// The bytes of a dense constant, one byte for a bool.
static std::vector<uint8_t> bytesOf(DenseElementsAttr dense) {
  std::vector<uint8_t> bytes;
  auto append = [&](const APInt &bits) {
    unsigned size = llvm::divideCeil(bits.getBitWidth(), 8);
    uint64_t word = bits.getZExtValue();
    for (unsigned i = 0; i < size; ++i)
      bytes.push_back(static_cast<uint8_t>(word >> (8 * i)));
  };
  if (isa<FloatType>(dense.getElementType())) {
    for (APFloat value : dense.getValues<APFloat>())
      append(value.bitcastToAPInt());
  } else {
    for (const APInt &value : dense.getValues<APInt>())
      append(value);
  }
  return bytes;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

Value HostBuilder::index(OpFoldResult size) {
  if (auto value = dyn_cast<Value>(size))
    return value;
  return arith::ConstantIndexOp::create(
      builder, builder.getUnknownLoc(),
      cast<IntegerAttr>(cast<Attribute>(size)).getInt());
}

OpFoldResult HostBuilder::canonicalDim(OpFoldResult dim) {
  AffineExpr expr = global.get(dim);
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return builder.getIndexAttr(constant.getValue());
  auto value = cast<Value>(dim);
  Region *here = builder.getInsertionBlock()->getParent();
  for (Value known : sizes[expr])
    if (known.getParentRegion()->isAncestor(here))
      return known;
  sizes[expr].push_back(value);
  return value;
}

SmallVector<Value> HostBuilder::dynamicDims(MemRefType type,
                                            ArrayRef<OpFoldResult> dims) {
  SmallVector<Value> result;
  for (auto [size, dim] : llvm::zip_equal(type.getShape(), dims))
    if (ShapedType::isDynamic(size))
      result.push_back(index(dim));
  return result;
}

SmallVector<OpFoldResult> HostBuilder::bufferDims(Value buffer) {
  SmallVector<OpFoldResult> result;
  auto type = cast<MemRefType>(buffer.getType());
  for (auto [i, size] : llvm::enumerate(type.getShape())) {
    if (ShapedType::isDynamic(size))
      result.push_back(memref::DimOp::create(builder, buffer.getLoc(), buffer,
                                             static_cast<int64_t>(i))
                           .getResult());
    else
      result.push_back(builder.getIndexAttr(size));
  }
  return result;
}

SmallVector<OpFoldResult> HostBuilder::computeDims(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> result;
  // Static dims come from the type, dynamic ones from `values` in order.
  auto fromValues = [&](ValueRange values) {
    unsigned next = 0;
    for (int64_t size : type.getShape()) {
      if (ShapedType::isDynamic(size))
        result.push_back(scalarOf(values[next++]));
      else
        result.push_back(builder.getIndexAttr(size));
    }
  };
  Operation *op = tensor.getDefiningOp();
  if (type.hasStaticShape()) {
    fromValues({});
  } else if (auto empty = dyn_cast_or_null<tensor::EmptyOp>(op)) {
    fromValues(empty.getDynamicSizes());
  } else if (auto reshape = dyn_cast_or_null<model::ReshapeOp>(op)) {
    fromValues(reshape.getDims());
  } else if (auto renamed = dyn_cast_or_null<tensor::CastOp>(op)) {
    result = dimsOf(renamed.getSource());
    for (auto [i, size] : llvm::enumerate(type.getShape()))
      if (!ShapedType::isDynamic(size))
        result[i] = builder.getIndexAttr(size);
  } else if (auto concat = dyn_cast_or_null<tensor::ConcatOp>(op)) {
    result = dimsOf(concat.getInputs().front());
    unsigned axis = concat.getDim();
    for (Value input : concat.getInputs().drop_front()) {
      SmallVector<OpFoldResult> other = dimsOf(input);
      for (auto [i, dim] : llvm::enumerate(other)) {
        if (i == axis)
          result[i] = arith::AddIOp::create(builder, concat.getLoc(),
                                            index(result[i]), index(dim))
                          .getResult();
        else if (isa<Attribute>(dim))
          result[i] = dim;
      }
    }
  } else if (auto generic = dyn_cast_or_null<linalg::GenericOp>(op)) {
    result =
        dimsOf(generic.getOutputs()[cast<OpResult>(tensor).getResultNumber()]);
  } else if (auto loops = dyn_cast_or_null<model::LoopsOp>(op)) {
    result =
        dimsOf(loops.getOutputs()[cast<OpResult>(tensor).getResultNumber()]);
  } else {
    result = bufferDims(bufferOf(tensor));
  }
  for (OpFoldResult &dim : result)
    dim = canonicalDim(dim);
  return result;
}

SmallVector<OpFoldResult> HostBuilder::dimsOf(Value tensor) {
  if (auto it = dims.find(tensor); it != dims.end())
    return it->second;
  SmallVector<OpFoldResult> result = computeDims(tensor);
  dims[tensor] = result;
  return result;
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Value HostBuilder::alloc(MemRefType type, ArrayRef<OpFoldResult> dims) {
  return host::AllocOp::create(builder, builder.getUnknownLoc(), type,
                               dynamicDims(type, dims));
}

Value HostBuilder::view(Value buffer, MemRefType type,
                        ArrayRef<OpFoldResult> dims) {
  if (buffer.getType() == type && type.hasStaticShape())
    return buffer;
  return host::ViewOp::create(builder, buffer.getLoc(), type, buffer,
                              dynamicDims(type, dims));
}

Value HostBuilder::constantBuffer(StringRef key, MemRefType type,
                                  Location loc) {
  std::string id;
  llvm::raw_string_ostream(id) << key << type;
  Value &buffer = constants[id];
  if (!buffer) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&target.getBody().front());
    buffer = host::ConstantOp::create(builder, loc, type, key);
  }
  return buffer;
}

Value HostBuilder::bufferOf(Value tensor) {
  if (Value buffer = buffers.lookup(tensor))
    return buffer;
  MemRefType type = bufferType(tensor.getType());
  if (TypedAttr splat = splatOf(tensor)) {
    SmallVector<OpFoldResult> shape = dimsOf(tensor);
    Value buffer = alloc(type, shape);
    emitFill(*this, buffer, shape, splat, tensor.getLoc());
    return buffer;
  }
  if (isUndefined(tensor))
    return alloc(type, dimsOf(tensor));
  return {};
}

bool HostBuilder::isDead(Value argument, const Group &group) {
  Block *block = group.ops.back()->getBlock();
  return llvm::all_of(argument.getUsers(), [&](Operation *user) {
    Operation *op = block->findAncestorOpInBlock(*user);
    if (!op || group.contains(op) || !op->isBeforeInBlock(group.ops.back()))
      return false;
    // A view or a nested region may keep the buffer alive under another name.
    return isKernelOp(op) || isa<tensor::ExtractOp, tensor::DimOp>(op);
  });
}

Value HostBuilder::resultBuffer(Value tensor, const Group *group) {
  MemRefType type = bufferType(tensor.getType());
  SmallVector<OpFoldResult> shape = dimsOf(tensor);
  if (auto it = outputs.find(tensor); it != outputs.end()) {
    Value value = it->second.value;
    MemRefType outType = bufferType(value.getType());
    // The output is a reshape of this tensor: its dims must be known by now.
    auto reshape = value.getDefiningOp<model::ReshapeOp>();
    bool known = value == tensor || outType.hasStaticShape() ||
                 (reshape && llvm::all_of(reshape.getDims(), [&](Value dim) {
                    return isMapped(dim);
                  }));
    if (known) {
      Value out = host::OutputOp::create(builder, tensor.getLoc(), outType,
                                         it->second.index,
                                         dynamicDims(outType, dimsOf(value)));
      buffers[value] = out;
      return value == tensor ? out : view(out, type, shape);
    }
    outputs.erase(it);
  }
  auto it = carriedResults.find(tensor);
  if (it != carriedResults.end() && group &&
      isDead(it->second.argument, *group))
    return it->second.buffer;
  return alloc(type, shape);
}

bool HostBuilder::mayOverwrite(Value tensor, Operation *op) {
  if (!tensor.hasOneUse() || !owned.contains(tensor))
    return false;
  Block *block = tensor.getParentBlock();
  return block == op->getBlock();
}

void HostBuilder::copyInto(Value tensor, Value buffer) {
  if (isUndefined(tensor))
    return;
  if (TypedAttr splat = splatOf(tensor); splat && !buffers.contains(tensor)) {
    emitFill(*this, buffer, dimsOf(tensor), splat, tensor.getLoc());
    return;
  }
  host::CopyOp::create(builder, tensor.getLoc(), bufferOf(tensor), buffer);
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

void HostBuilder::bindArguments(func::FuncOp from, func::FuncOp to) {
  // Equal names of dims are equal sizes: the runtime checks inputs against
  // them.
  llvm::StringMap<OpFoldResult> symbols;
  for (auto [i, arg] : llvm::enumerate(from.getArguments())) {
    Value mapped = to.getArgument(i);
    auto type = dyn_cast<MemRefType>(mapped.getType());
    if (!type) {
      scalars.map(arg, mapped);
      continue;
    }
    buffers[arg] = mapped;
    auto names = from.getArgAttrOfType<ArrayAttr>(i, "model.dims");
    SmallVector<OpFoldResult> shape = bufferDims(mapped);
    for (auto [d, dim] : llvm::enumerate(shape)) {
      if (isa<Attribute>(dim))
        continue;
      auto name = names && d < names.size() ? dyn_cast<StringAttr>(names[d])
                                            : StringAttr();
      if (!name) {
        dim = canonicalDim(dim);
        continue;
      }
      auto [it, isNew] = symbols.try_emplace(name.getValue(), dim);
      dim = isNew ? canonicalDim(dim) : it->second;
    }
    dims[arg] = shape;
  }
}

/// Decides which tensors are born in an output's buffer.
void HostBuilder::placeOutputs(func::FuncOp func) {
  Block &entry = func.getBody().front();
  for (auto [i, value] :
       llvm::enumerate(entry.getTerminator()->getOperands())) {
    if (!isa<RankedTensorType>(value.getType()))
      continue;
    Value root = value;
    // Through renamings and through operators that update in place.
    while (Operation *op = root.getDefiningOp()) {
      Value next;
      if (auto reshape = dyn_cast<model::ReshapeOp>(op)) {
        // A result that is also read elsewhere stays valid: a view is shared.
        if (root == value)
          next = reshape.getSource();
      } else if (auto loops = dyn_cast<model::LoopsOp>(op)) {
        Value out = loops.getOutputs()[cast<OpResult>(root).getResultNumber()];
        Operation *def = out.getDefiningOp();
        if (out.hasOneUse() && def && (isKernelOp(def) || isa<scf::ForOp>(def)))
          next = out;
      }
      if (!next)
        break;
      root = next;
    }
    Operation *op = root.getDefiningOp();
    bool reshaped = value.getDefiningOp<model::ReshapeOp>();
    if (!op || !(isKernelOp(op) || isa<scf::ForOp>(op)) ||
        outputs.contains(root) || splatOf(root))
      continue;
    // A view and an in-place update do not mix: the chain must be one or the
    // other for the types to fit.
    if (reshaped && root != value.getDefiningOp()->getOperand(0))
      continue;
    outputs.insert({root, Output{static_cast<unsigned>(i), value}});
  }
}

LogicalResult HostBuilder::convert(func::FuncOp func) {
  if (!func.getBody().hasOneBlock())
    return func.emitOpError("has control flow that is not structured");
  auto convertType = [](Type type) -> Type {
    return isa<RankedTensorType>(type) ? Type(bufferType(type)) : type;
  };
  SmallVector<Type> inputs =
      llvm::map_to_vector(func.getArgumentTypes(), convertType);
  SmallVector<Type> results =
      llvm::map_to_vector(func.getResultTypes(), convertType);

  builder.setInsertionPoint(func);
  target = func::FuncOp::create(builder, func.getLoc(), func.getSymName(),
                                builder.getFunctionType(inputs, results));
  target->setAttrs(func->getAttrs());
  target.setFunctionType(builder.getFunctionType(inputs, results));
  builder.setInsertionPointToStart(target.addEntryBlock());

  bindArguments(func, target);
  placeOutputs(func);
  if (failed(convertBlock(func.getBody().front()))) {
    target.erase();
    return failure();
  }
  func.erase();
  return success();
}

LogicalResult HostBuilder::convertReturn(func::ReturnOp op) {
  SmallVector<Value> results;
  for (auto [i, value] : llvm::enumerate(op.getOperands())) {
    if (!isa<RankedTensorType>(value.getType())) {
      results.push_back(scalarOf(value));
      continue;
    }
    Value buffer = buffers.lookup(value);
    auto output =
        buffer ? buffer.getDefiningOp<host::OutputOp>() : host::OutputOp();
    if (!output || output.getIndex() != i) {
      MemRefType type = bufferType(value.getType());
      buffer = host::OutputOp::create(builder, op.getLoc(), type, i,
                                      dynamicDims(type, dimsOf(value)));
      copyInto(value, buffer);
    }
    results.push_back(buffer);
  }
  func::ReturnOp::create(builder, op.getLoc(), results);
  return success();
}

void HostBuilder::settleDims(ValueRange values) {
  for (Value value : values)
    if (auto type = dyn_cast<RankedTensorType>(value.getType()))
      if (!type.hasStaticShape())
        dimsOf(value);
}

LogicalResult HostBuilder::convertBlock(Block &block) {
  SmallVector<Group> groups = formGroups(block);
  llvm::DenseMap<Operation *, const Group *> last;
  for (const Group &group : groups)
    last[group.ops.back()] = &group;
  for (Operation &op : block) {
    if (!isKernelOp(&op)) {
      if (failed(convertOp(&op)))
        return failure();
      settleDims(op.getResults());
      continue;
    }
    settleDims(op.getResults());
    if (const Group *group = last.lookup(&op)) {
      if (failed(emitKernel(*this, *group)))
        return failure();
      for (Operation *member : group->ops)
        owned.insert(member->result_begin(), member->result_end());
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Straight-line operators
//===----------------------------------------------------------------------===//

LogicalResult HostBuilder::convertReshape(Operation *op, ValueRange) {
  Value tensor = op->getResult(0), source = op->getOperand(0);
  if (splatOf(tensor) || isUndefined(tensor))
    return success();
  // Born in an output's buffer: the source is the view, this is the output.
  if (buffers.contains(tensor))
    return success();
  buffers[tensor] =
      view(bufferOf(source), bufferType(tensor.getType()), dimsOf(tensor));
  return success();
}

LogicalResult HostBuilder::convertExtract(tensor::ExtractOp op) {
  if (TypedAttr splat = splatOf(op.getTensor())) {
    scalars.map(op.getResult(),
                arith::ConstantOp::create(builder, op.getLoc(), splat));
    return success();
  }
  SmallVector<Value> indices;
  for (Value index : op.getIndices())
    indices.push_back(scalarOf(index));
  scalars.map(op.getResult(),
              memref::LoadOp::create(builder, op.getLoc(),
                                     bufferOf(op.getTensor()), indices));
  return success();
}

LogicalResult HostBuilder::convertOp(Operation *op) {
  if (isa<tensor::EmptyOp, linalg::GenericOp>(op))
    return success(); // undefined values and splats: made where they are used
  if (auto constant = dyn_cast<model::ConstantOp>(op)) {
    buffers[constant] = constantBuffer(
        constant.getKey(), bufferType(constant.getType()), op->getLoc());
    return success();
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!dense) {
      builder.clone(*op, scalars);
      return success();
    }
    if (!dense.isSplat()) {
      std::string key = pool.addOwned(bytesOf(dense));
      buffers[constant] =
          constantBuffer(key, bufferType(constant.getType()), op->getLoc());
    }
    return success();
  }
  if (isa<model::ReshapeOp, tensor::CastOp>(op))
    return convertReshape(op, {});
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    std::optional<int64_t> which = dim.getConstantIndex();
    if (!which)
      return op->emitOpError("of a dim that is not constant");
    scalars.map(dim.getResult(), index(dimsOf(dim.getSource())[*which]));
    return success();
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return convertExtract(extract);
  if (auto elements = dyn_cast<tensor::FromElementsOp>(op))
    return emitElements(*this, elements);
  if (auto check = dyn_cast<model::CheckOp>(op)) {
    host::CheckOp::create(builder, op->getLoc(), scalarOf(check.getCondition()),
                          check.getMessage());
    return success();
  }
  if (auto select = dyn_cast<arith::SelectOp>(op);
      select && isa<RankedTensorType>(select.getType()) &&
      !isa<ShapedType>(select.getCondition().getType()))
    return convertSelect(select);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return convertIf(branch);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return convertFor(loop);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return convertWhile(loop);
  if (auto ret = dyn_cast<func::ReturnOp>(op))
    return convertReturn(ret);
  if (isa<scf::YieldOp, scf::ConditionOp>(op))
    return success(); // their owners write them

  bool onScalars =
      llvm::none_of(op->getOperandTypes(), llvm::IsaPred<ShapedType>) &&
      llvm::none_of(op->getResultTypes(), llvm::IsaPred<ShapedType>);
  if (onScalars && op->getNumRegions() == 0 &&
      isa<arith::ArithDialect, math::MathDialect, affine::AffineDialect>(
          op->getDialect())) {
    builder.clone(*op, scalars);
    return success();
  }
  return op->emitOpError("has no meaning at the tensor level");
}
