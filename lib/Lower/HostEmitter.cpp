//===- HostEmitter.cpp - The host program to plain code -------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "HostEmitter.h"

#include "LinearIndex.h"
#include "Services.h"

#include "nestor/Runtime/Abi.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

HostEmitter::HostEmitter(func::FuncOp source, ModuleOp target,
                         LoweredConstants &constants)
    : source(source), target(target), constants(constants),
      builder(source.getContext()), loc(source.getLoc()),
      pointerType(LLVM::LLVMPointerType::get(source.getContext())) {}

static Type storageOf(Type element, Builder &builder) {
  return element.isInteger(1) ? builder.getI8Type() : element;
}

static int64_t storageBytes(Type element) {
  if (element.isIndex())
    return 8;
  return std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

Value HostEmitter::toI64(Value index) {
  return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
}

bool HostEmitter::atTopLevel() {
  return builder.getInsertionBlock()->getParentOp() == function;
}

Value HostEmitter::isFine() {
  Value now = LLVM::LoadOp::create(builder, loc, builder.getI32Type(), status);
  Value zero = arith::ConstantIntOp::create(builder, loc, NST_OK, 32);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, now,
                               zero);
}

void HostEmitter::leaveIfFailed() {
  if (!atTopLevel())
    return;
  Value fine = isFine();
  Block *before = builder.getInsertionBlock();
  Block *next = builder.createBlock(exit);
  builder.setInsertionPointToEnd(before);
  cf::CondBranchOp::create(builder, loc, fine, next, exit);
  builder.setInsertionPointToEnd(next);
}

void HostEmitter::guarded(function_ref<void()> body) {
  if (atTopLevel()) {
    body();
    return;
  }
  auto branch = scf::IfOp::create(builder, loc, isFine(), false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&branch.getThenRegion().front());
  body();
}

void HostEmitter::fail(Value code) {
  LLVM::StoreOp::create(builder, loc, code, status);
}

void HostEmitter::requireNonNull(Value pointer) {
  Value null = LLVM::ZeroOp::create(builder, loc, pointerType);
  Value isNull = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq,
                                      pointer, null);
  auto branch = scf::IfOp::create(builder, loc, isNull, false);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&branch.getThenRegion().front());
    guarded([&] {
      fail(arith::ConstantIntOp::create(builder, loc, NST_BUDGET, 32));
    });
  }
  leaveIfFailed();
}

SmallVector<Value> HostEmitter::allDims(const Buffer &buffer) {
  SmallVector<Value> dims;
  unsigned dynamic = 0;
  for (int64_t dim : buffer.type.getShape())
    dims.push_back(dim == ShapedType::kDynamic
                       ? buffer.dynamicDims[dynamic++]
                       : indexConstant(builder, loc, dim));
  return dims;
}

Value HostEmitter::byteSize(const Buffer &buffer) {
  Value bytes =
      indexConstant(builder, loc, storageBytes(buffer.type.getElementType()));
  for (Value dim : allDims(buffer))
    bytes = arith::MulIOp::create(builder, loc, bytes, dim);
  return toI64(bytes);
}

Value HostEmitter::elementPointer(const Buffer &buffer, ValueRange indices) {
  Value offset = indexConstant(builder, loc, 0);
  for (auto [index, dim] : llvm::zip_equal(indices, allDims(buffer))) {
    offset = arith::MulIOp::create(builder, loc, offset, dim);
    offset = arith::AddIOp::create(builder, loc, offset, index);
  }
  return LLVM::GEPOp::create(builder, loc, pointerType,
                             storageOf(buffer.type.getElementType(), builder),
                             buffer.pointer,
                             ArrayRef<LLVM::GEPArg>{toI64(offset)});
}

Value HostEmitter::loadScalar(Value pointer, Type element) {
  Type storage = storageOf(element, builder);
  auto load = [&]() -> Value {
    return LLVM::LoadOp::create(builder, loc, storage, pointer,
                                storageBytes(element));
  };
  Value result;
  if (atTopLevel()) {
    result = load();
  } else {
    // Nothing is read after a failure: zero instead.
    auto branch =
        scf::IfOp::create(builder, loc, TypeRange{storage}, isFine(), true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&branch.getThenRegion().front());
    scf::YieldOp::create(builder, loc, load());
    builder.setInsertionPointToEnd(&branch.getElseRegion().front());
    Value none = LLVM::ZeroOp::create(builder, loc, storage);
    scf::YieldOp::create(builder, loc, none);
    result = branch.getResult(0);
  }
  if (element.isInteger(1))
    result = arith::TruncIOp::create(builder, loc, element, result);
  return result;
}

void HostEmitter::flatten(Value v, SmallVectorImpl<Value> &into) {
  auto it = buffers.find(v);
  if (it == buffers.end()) {
    into.push_back(values.lookup(v));
    return;
  }
  into.push_back(it->second.pointer);
  llvm::append_range(into, it->second.dynamicDims);
}

void HostEmitter::flattenType(Type type, SmallVectorImpl<Type> &into) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref) {
    into.push_back(type);
    return;
  }
  into.push_back(pointerType);
  into.append(memref.getNumDynamicDims(), builder.getIndexType());
}

void HostEmitter::unflatten(Value v, ValueRange &from) {
  auto memref = dyn_cast<MemRefType>(v.getType());
  if (!memref) {
    values[v] = from.front();
    from = from.drop_front();
    return;
  }
  size_t dims = memref.getNumDynamicDims();
  buffers[v] =
      Buffer{from.front(), memref, SmallVector<Value>(from.slice(1, dims))};
  from = from.drop_front(1 + dims);
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

LogicalResult HostEmitter::emit() {
  builder.setInsertionPointToEnd(target.getBody());
  auto type = LLVM::LLVMFunctionType::get(builder.getI32Type(), {pointerType});
  function = LLVM::LLVMFuncOp::create(builder, loc, "nst_run", type,
                                      LLVM::Linkage::External);
  function.setVisibility_(LLVM::Visibility::Hidden);
  Block *entry = function.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  call = entry->getArgument(0);
  Value one = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                       builder.getI64IntegerAttr(1));
  status = LLVM::AllocaOp::create(builder, loc, pointerType,
                                  builder.getI32Type(), one, 4);
  fail(arith::ConstantIntOp::create(builder, loc, NST_OK, 32));
  int64_t rank = 1;
  source.walk([&](host::OutputOp op) {
    rank = std::max(rank, cast<MemRefType>(op.getType()).getRank());
  });
  outputDims = LLVM::AllocaOp::create(
      builder, loc, pointerType, builder.getI64Type(),
      LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                               builder.getI64IntegerAttr(rank)),
      8);
  exit = function.addBlock();
  emitInputs();
  if (!source.getBody().hasOneBlock())
    return source.emitError("a host function is one block");
  if (failed(emitBlock(source.getBody().front())))
    return failure();
  cf::BranchOp::create(builder, loc, exit);
  builder.setInsertionPointToEnd(exit);
  Value result =
      LLVM::LoadOp::create(builder, loc, builder.getI32Type(), status);
  LLVM::ReturnOp::create(builder, loc, result);
  return success();
}

void HostEmitter::emitInputs() {
  Value inputs =
      loadField(builder, loc, pointerType, call, offsetof(nst_call, inputs));
  for (auto [i, arg] : llvm::enumerate(source.getArguments())) {
    auto memref = cast<MemRefType>(arg.getType());
    int64_t at = static_cast<int64_t>(i * sizeof(nst_tensor));
    Buffer buffer{loadField(builder, loc, pointerType, inputs,
                            at + offsetof(nst_tensor, data)),
                  memref,
                  {}};
    Value dims = loadField(builder, loc, pointerType, inputs,
                           at + offsetof(nst_tensor, dims));
    for (auto [d, dim] : llvm::enumerate(memref.getShape()))
      if (dim == ShapedType::kDynamic)
        buffer.dynamicDims.push_back(arith::IndexCastOp::create(
            builder, loc, builder.getIndexType(),
            loadField(builder, loc, builder.getI64Type(), dims, 8 * d)));
    buffers[arg] = buffer;
  }
}

LogicalResult HostEmitter::emitBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(emitOp(&op)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

void HostEmitter::emitConstant(host::ConstantOp op) {
  auto [it, inserted] =
      constantIndex.try_emplace(op.getKey(), constants.keys.size());
  if (inserted)
    constants.keys.push_back(op.getKey().str());
  Value table =
      loadField(builder, loc, pointerType, call, offsetof(nst_call, constants));
  Value pointer = loadField(builder, loc, pointerType, table,
                            8 * static_cast<int64_t>(it->second));
  buffers[op.getResult()] = Buffer{pointer, cast<MemRefType>(op.getType()), {}};
}

LogicalResult HostEmitter::emitLaunch(host::LaunchOp op) {
  SmallVector<Value> arguments{call};
  for (Value buffer : op.getBuffers()) {
    auto it = buffers.find(buffer);
    if (it == buffers.end())
      return op.emitError("launches on an unknown buffer");
    arguments.push_back(it->second.pointer);
  }
  guarded([&] {
    for (Value size : op.getSizes())
      arguments.push_back(toI64(values.lookup(size)));
    SmallVector<Type> types;
    for (Value v : arguments)
      types.push_back(v.getType());
    auto type = LLVM::LLVMFunctionType::get(builder.getI32Type(), types);
    auto result =
        LLVM::CallOp::create(builder, loc, type, op.getKernel(), arguments);
    fail(result.getResult());
  });
  leaveIfFailed();
  return success();
}

LogicalResult HostEmitter::emitOutput(host::OutputOp op) {
  auto type = cast<MemRefType>(op.getType());
  Buffer buffer{Value(), type, {}};
  for (Value dim : op.getDims())
    buffer.dynamicDims.push_back(values.lookup(dim));
  int64_t rank = type.getRank();
  for (auto [d, dim] : llvm::enumerate(allDims(buffer)))
    LLVM::StoreOp::create(builder, loc, toI64(dim),
                          byteOffset(builder, loc, outputDims, 8 * d));
  Value index = arith::ConstantIntOp::create(
      builder, loc, static_cast<int64_t>(op.getIndex()), 32);
  Value ranks = arith::ConstantIntOp::create(builder, loc, rank, 32);
  buffer.pointer =
      callService(builder, loc, call, offsetof(nst_services, output),
                  pointerType, {index, outputDims, ranks});
  requireNonNull(buffer.pointer);
  buffers[op.getResult()] = buffer;
  return success();
}

LogicalResult HostEmitter::emitOp(Operation *op) {
  auto dimsOf = [&](ValueRange dims) {
    SmallVector<Value> mapped;
    for (Value dim : dims)
      mapped.push_back(values.lookup(dim));
    return mapped;
  };
  if (auto constant = dyn_cast<host::ConstantOp>(op)) {
    emitConstant(constant);
    return success();
  }
  if (auto launch = dyn_cast<host::LaunchOp>(op))
    return emitLaunch(launch);
  if (auto output = dyn_cast<host::OutputOp>(op))
    return emitOutput(output);
  if (auto view = dyn_cast<host::ViewOp>(op)) {
    auto it = buffers.find(view.getSource());
    if (it == buffers.end())
      return op->emitError("views an unknown buffer");
    buffers[view.getResult()] =
        Buffer{it->second.pointer, cast<MemRefType>(view.getType()),
               dimsOf(view.getDims())};
    return success();
  }
  if (auto arena = dyn_cast<host::ArenaOp>(op)) {
    Value bytes = toI64(values.lookup(arena.getSize()));
    Value pointer =
        callService(builder, loc, call, offsetof(nst_services, arena),
                    pointerType, {bytes});
    requireNonNull(pointer);
    buffers[arena.getResult()] =
        Buffer{pointer, cast<MemRefType>(arena.getType()), {}};
    return success();
  }
  if (auto slice = dyn_cast<host::SliceOp>(op)) {
    Value offset = toI64(values.lookup(slice.getOffset()));
    Value pointer =
        LLVM::GEPOp::create(builder, loc, pointerType, builder.getI8Type(),
                            buffers.find(slice.getArena())->second.pointer,
                            ArrayRef<LLVM::GEPArg>{offset});
    buffers[slice.getResult()] = Buffer{
        pointer, cast<MemRefType>(slice.getType()), dimsOf(slice.getDims())};
    return success();
  }
  if (isa<host::ScratchOp, host::AllocOp>(op)) {
    // An unplanned buffer is scratch.
    Buffer buffer{Value(), cast<MemRefType>(op->getResult(0).getType()),
                  dimsOf(op->getOperands())};
    buffer.pointer =
        callService(builder, loc, call, offsetof(nst_services, scratch),
                    pointerType, {byteSize(buffer)});
    requireNonNull(buffer.pointer);
    buffers[op->getResult(0)] = buffer;
    return success();
  }
  if (auto copy = dyn_cast<host::CopyOp>(op)) {
    const Buffer &from = buffers.find(copy.getSource())->second;
    const Buffer &to = buffers.find(copy.getTarget())->second;
    guarded([&] {
      LLVM::MemmoveOp::create(builder, loc, to.pointer, from.pointer,
                              byteSize(from), /*isVolatile=*/false);
    });
    return success();
  }
  if (auto check = dyn_cast<host::CheckOp>(op)) {
    Value truth = arith::ConstantIntOp::create(builder, loc, 1, 1);
    Value broken = arith::XOrIOp::create(
        builder, loc, values.lookup(check.getCondition()), truth);
    auto branch = scf::IfOp::create(builder, loc, broken, false);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(&branch.getThenRegion().front());
      guarded([&] {
        Value code =
            arith::ConstantIntOp::create(builder, loc, NST_RUN_TIME, 32);
        Value text = stringAddress(builder, loc, target, check.getMessage());
        callService(builder, loc, call, offsetof(nst_services, fail),
                    LLVM::LLVMVoidType::get(builder.getContext()),
                    {code, text});
        fail(code);
      });
    }
    leaveIfFailed();
    return success();
  }
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    auto it = buffers.find(dim.getSource());
    if (!index || it == buffers.end())
      return op->emitError("memref.dim needs a known buffer and constant dim");
    values[dim.getResult()] = allDims(it->second)[*index];
    return success();
  }
  if (auto load = dyn_cast<memref::LoadOp>(op)) {
    auto it = buffers.find(load.getMemRef());
    if (it == buffers.end())
      return op->emitError("loads from an unknown buffer");
    Value pointer = elementPointer(it->second, dimsOf(load.getIndices()));
    values[load.getResult()] =
        loadScalar(pointer, it->second.type.getElementType());
    return success();
  }
  if (auto store = dyn_cast<memref::StoreOp>(op)) {
    const Buffer &buffer = buffers.find(store.getMemRef())->second;
    Value v = values.lookup(store.getValueToStore());
    Value pointer = elementPointer(buffer, dimsOf(store.getIndices()));
    guarded([&] {
      if (v.getType().isInteger(1))
        v = arith::ExtUIOp::create(builder, loc, builder.getI8Type(), v);
      LLVM::StoreOp::create(builder, loc, v, pointer,
                            storageBytes(buffer.type.getElementType()));
    });
    return success();
  }
  if (auto select = dyn_cast<arith::SelectOp>(op);
      select && isa<MemRefType>(select.getType())) {
    // A choice of buffers is a choice of their pointers and dims.
    SmallVector<Value> yes, no, picked;
    flatten(select.getTrueValue(), yes);
    flatten(select.getFalseValue(), no);
    Value condition = values.lookup(select.getCondition());
    for (auto [a, b] : llvm::zip_equal(yes, no))
      picked.push_back(
          isa<LLVM::LLVMPointerType>(a.getType())
              ? Value(LLVM::SelectOp::create(builder, loc, condition, a, b))
              : Value(arith::SelectOp::create(builder, loc, condition, a, b)));
    ValueRange rest(picked);
    unflatten(select.getResult(), rest);
    return success();
  }
  if (op->getNumRegions() != 0)
    return emitStructured(op);
  for (Value operand : op->getOperands())
    if (!values.contains(operand))
      return op->emitError("cannot be lowered in the host program");
  OperationState state(loc, op->getName(), dimsOf(op->getOperands()),
                       op->getResultTypes(), op->getAttrs());
  Operation *clone = builder.create(state);
  for (auto [from, to] : llvm::zip_equal(op->getResults(), clone->getResults()))
    values[from] = to;
  return success();
}

/// scf.if, scf.for, scf.while: the same operation over flattened values.
LogicalResult HostEmitter::emitStructured(Operation *op) {
  if (!isa<scf::IfOp, scf::ForOp, scf::WhileOp>(op))
    return op->emitError("cannot be lowered in the host program");
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    flatten(operand, operands);
  SmallVector<Type> types;
  for (Type type : op->getResultTypes())
    flattenType(type, types);
  OperationState state(loc, op->getName(), operands, types, op->getAttrs());
  for (unsigned i = 0; i < op->getNumRegions(); ++i)
    state.addRegion();
  Operation *clone = builder.create(state);
  for (auto [from, to] :
       llvm::zip_equal(op->getRegions(), clone->getRegions())) {
    if (from.empty())
      continue;
    OpBuilder::InsertionGuard guard(builder);
    Block &sourceBlock = from.front();
    Block &block = to.emplaceBlock();
    SmallVector<Type> argTypes;
    for (BlockArgument arg : sourceBlock.getArguments())
      flattenType(arg.getType(), argTypes);
    for (Type type : argTypes)
      block.addArgument(type, loc);
    ValueRange rest = block.getArguments();
    for (BlockArgument arg : sourceBlock.getArguments())
      unflatten(arg, rest);
    builder.setInsertionPointToEnd(&block);
    if (failed(emitBlock(sourceBlock)))
      return failure();
    Operation *terminator = sourceBlock.getTerminator();
    SmallVector<Value> results;
    for (Value operand : terminator->getOperands())
      flatten(operand, results);
    // A loop whose body failed must end: its condition becomes false.
    if (isa<scf::ConditionOp>(terminator)) {
      Value fine = isFine();
      results[0] = arith::AndIOp::create(builder, loc, results[0], fine);
    }
    builder.create(OperationState(loc, terminator->getName(), results,
                                  TypeRange(), terminator->getAttrs()));
  }
  ValueRange rest = clone->getResults();
  for (Value result : op->getResults())
    unflatten(result, rest);
  leaveIfFailed();
  return success();
}
