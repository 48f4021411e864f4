//===- KernelEmitter.cpp - Functions, loops and buffers -------------------===//
//
// See KernelEmitter.h. Before => after of the loop kinds:
//
//   nest.for %i = 0 to 4 unroll { B(%i) }   ==>  B(0) B(1) B(2) B(3)
//   nest.for %i = 0 to 8 vectorize { B }    ==>  B on vector<8 x ...>
//   nest.for %i = 0 to %n parallel { B }    ==>  see ParallelEmitter.cpp
//
//===----------------------------------------------------------------------===//
#include "KernelEmitter.h"

#include "Registers.h"
#include "Services.h"

#include "nestor/Runtime/Abi.h"

#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

/// Kernel-local buffers up to this size live on the worker's stack.
static constexpr int64_t kStackLimit = 256 * 1024;

KernelEmitter::KernelEmitter(nest::FuncOp kernel, ModuleOp target)
    : kernel(kernel), target(target), builder(kernel.getContext()),
      loc(kernel.getLoc()),
      pointerType(LLVM::LLVMPointerType::get(kernel.getContext())) {}

Type KernelEmitter::elementStorage(Type element) {
  // Booleans are bytes in memory.
  return element.isInteger(1) ? builder.getI8Type() : element;
}

LLVM::LLVMFuncOp KernelEmitter::createFunction(StringRef name,
                                               ArrayRef<Type> arguments) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(target.getBody());
  auto type = LLVM::LLVMFunctionType::get(builder.getI32Type(), arguments);
  auto result = LLVM::LLVMFuncOp::create(builder, loc, name, type,
                                         LLVM::Linkage::External);
  result.setVisibility_(LLVM::Visibility::Hidden);
  result.addEntryBlock(builder);
  return result;
}

SmallVector<Type> KernelEmitter::signature() {
  SmallVector<Type> arguments{pointerType};
  arguments.append(kernel.getNumBuffers(), pointerType);
  arguments.append(kernel.getSizes().size(), builder.getI64Type());
  return arguments;
}

void KernelEmitter::declare() {
  builder.setInsertionPointToEnd(target.getBody());
  auto type = LLVM::LLVMFunctionType::get(builder.getI32Type(), signature());
  LLVM::LLVMFuncOp::create(builder, loc, kernel.getSymName(), type,
                           LLVM::Linkage::External);
}

LogicalResult KernelEmitter::emit() {
  function = createFunction(kernel.getSymName(), signature());
  Block &entry = function.getBody().front();
  builder.setInsertionPointToStart(&entry);
  call = entry.getArgument(0);

  // Sizes first: buffers' dims are affine in them.
  for (auto [i, size] : llvm::enumerate(kernel.getSizes())) {
    Value arg = entry.getArgument(1 + kernel.getNumBuffers() + i);
    linears[size] = LinearIndex::ofValue(
        arith::IndexCastOp::create(builder, loc, builder.getIndexType(), arg),
        0);
  }
  SmallVector<Value> sizes(kernel.getSizes().begin(), kernel.getSizes().end());
  for (auto [i, buffer] : llvm::enumerate(kernel.getBuffers())) {
    function.setArgAttr(1 + i, LLVM::LLVMDialect::getNoAliasAttrName(),
                        builder.getUnitAttr());
    Buffer entryOf{
        entry.getArgument(1 + i), cast<MemRefType>(buffer.getType()), {}};
    for (AffineExpr dim : kernel.getBufferShape(i).getResults())
      entryOf.dims.push_back(evaluate(dim, 0, sizes));
    buffers[buffer] = entryOf;
  }
  return failure(failed(emitRegion(kernel.getBody().front())) ||
                 failed(finishFunction()));
}

void KernelEmitter::returnEarlyIf(Value newStatus) {
  // The first failure wins; later loops still run, on valid memory.
  Value zero = arith::ConstantIntOp::create(builder, loc, 0, 32);
  if (!status) {
    status = entryAlloca(function, builder, loc, builder.getI32Type(), 1, 4);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfterValue(status);
    Value start = arith::ConstantIntOp::create(builder, loc, 0, 32);
    LLVM::StoreOp::create(builder, loc, start, status);
  }
  Value failed = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne,
                                       newStatus, zero);
  auto branch = scf::IfOp::create(builder, loc, failed, false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&branch.getThenRegion().front());
  Value before =
      LLVM::LoadOp::create(builder, loc, builder.getI32Type(), status);
  Value isFirst = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        before, zero);
  Value kept =
      arith::SelectOp::create(builder, loc, isFirst, newStatus, before);
  LLVM::StoreOp::create(builder, loc, kept, status);
}

LogicalResult KernelEmitter::finishFunction() {
  llvm::erase_if(registers, [&](auto &entry) {
    if (entry.first->getParentOp() != function)
      return false;
    promoteToValues(entry.first, entry.second); // or it stays on the stack
    return true;
  });
  Value result = status
                     ? Value(LLVM::LoadOp::create(builder, loc,
                                                  builder.getI32Type(), status))
                     : Value(arith::ConstantIntOp::create(builder, loc, 0, 32));
  LLVM::ReturnOp::create(builder, loc, result);
  for (LLVM::ICmpOp failed : allocationChecks) {
    if (failed->getParentOfType<LLVM::LLVMFuncOp>() != function)
      continue;
    OpBuilder::InsertionGuard guard(builder);
    Block *here = failed->getBlock();
    Block *rest = here->splitBlock(std::next(Block::iterator(failed)));
    Block *fail =
        builder.createBlock(here->getParent(), here->getParent()->end());
    Value code = arith::ConstantIntOp::create(builder, loc, NST_BUDGET, 32);
    LLVM::ReturnOp::create(builder, loc, code);
    builder.setInsertionPointToEnd(here);
    LLVM::CondBrOp::create(builder, loc, failed, fail, rest);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Affine expressions
//===----------------------------------------------------------------------===//

LinearIndex KernelEmitter::divide(AffineExprKind kind, const LinearIndex &lhs,
                                  const LinearIndex &rhs) {
  if (lhs.isConstant() && rhs.isConstant()) {
    AffineExpr folded =
        getAffineBinaryOpExpr(kind, builder.getAffineConstantExpr(lhs.constant),
                              builder.getAffineConstantExpr(rhs.constant));
    if (auto constant = dyn_cast<AffineConstantExpr>(folded))
      return LinearIndex::ofConstant(constant.getValue());
  }
  // Terms that the divisor divides leave the division untouched by the rest.
  Value a = lhs.materialize(builder, loc), b = rhs.materialize(builder, loc);
  Value result;
  if (kind == AffineExprKind::FloorDiv)
    result = arith::FloorDivSIOp::create(builder, loc, a, b);
  else if (kind == AffineExprKind::CeilDiv)
    result = arith::CeilDivSIOp::create(builder, loc, a, b);
  else {
    // a mod b = a - floordiv(a, b) * b, never negative.
    Value quotient = arith::FloorDivSIOp::create(builder, loc, a, b);
    Value back = arith::MulIOp::create(builder, loc, quotient, b);
    result = arith::SubIOp::create(builder, loc, a, back);
  }
  return LinearIndex::ofValue(result, std::max(lhs.getDepth(), rhs.getDepth()));
}

LinearIndex KernelEmitter::evaluate(AffineExpr expr, unsigned numDims,
                                    ValueRange operands) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return LinearIndex::ofConstant(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return *linear(operands[dim.getPosition()]);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return *linear(operands[numDims + symbol.getPosition()]);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  LinearIndex lhs = evaluate(binary.getLHS(), numDims, operands);
  LinearIndex rhs = evaluate(binary.getRHS(), numDims, operands);
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    return lhs + rhs;
  case AffineExprKind::Mul:
    if (rhs.isConstant())
      return lhs * rhs.constant;
    if (lhs.isConstant())
      return rhs * lhs.constant;
    return times(lhs, rhs);
  default:
    return divide(binary.getKind(), lhs, rhs);
  }
}

LinearIndex KernelEmitter::bound(AffineMap map, ValueRange operands,
                                 bool upper) {
  LinearIndex result = evaluate(map.getResult(0), map.getNumDims(), operands);
  for (AffineExpr expr : map.getResults().drop_front()) {
    LinearIndex other = evaluate(expr, map.getNumDims(), operands);
    if (result.isConstant() && other.isConstant()) {
      result.constant = upper ? std::min(result.constant, other.constant)
                              : std::max(result.constant, other.constant);
      continue;
    }
    int depth = std::max(result.getDepth(), other.getDepth());
    Value a = result.materialize(builder, loc),
          b = other.materialize(builder, loc);
    Value picked = upper ? Value(arith::MinSIOp::create(builder, loc, a, b))
                         : Value(arith::MaxSIOp::create(builder, loc, a, b));
    result = LinearIndex::ofValue(picked, depth);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

LogicalResult KernelEmitter::emitRegion(Block &block) {
  size_t outside = living.size();
  for (Operation &op : block.without_terminator()) {
    LogicalResult result = success();
    if (auto loop = dyn_cast<nest::ForOp>(op))
      result = emitLoop(loop);
    else if (auto inner = dyn_cast<nest::BlockOp>(op))
      result = emitBlock(inner);
    else if (auto alloc = dyn_cast<nest::AllocOp>(op))
      result = emitAlloc(alloc);
    else
      return op.emitError("cannot be lowered outside of a nest.block");
    if (failed(result))
      return failure();
  }
  for (Value slot : ArrayRef(living).drop_front(outside))
    LLVM::LifetimeEndOp::create(builder, loc, slot);
  living.truncate(outside);
  return success();
}

LogicalResult KernelEmitter::emitLoop(nest::ForOp loop) {
  LinearIndex lower = bound(loop.getLowerMap(), loop.getLowerOperands(), false);
  LinearIndex upper = bound(loop.getUpperMap(), loop.getUpperOperands(), true);
  if (lower.isConstant() && upper.isConstant()) {
    int64_t count = std::max<int64_t>(0, upper.constant - lower.constant);
    if (count == 0)
      return success();
    if (count == 1)
      return emitUnrolled(loop, lower.constant, 1);
    if (loop.getKind() == nest::LoopKind::Unroll)
      return emitUnrolled(loop, lower.constant, count);
    if (loop.getKind() == nest::LoopKind::Vectorize && mode.lanes == 0 &&
        canVectorize(loop))
      return emitVectorized(loop, lower.constant, count);
  }
  if (loop.getKind() == nest::LoopKind::Parallel && !mode.insideParallel &&
      mode.lanes == 0)
    return emitParallel(loop);
  return emitSerial(loop);
}

LogicalResult KernelEmitter::emitUnrolled(nest::ForOp loop, int64_t lower,
                                          int64_t count) {
  for (int64_t i = lower; i < lower + count; ++i) {
    linears[loop.getInductionVar()] = LinearIndex::ofConstant(i);
    if (failed(emitRegion(*loop.getBodyBlock())))
      return failure();
  }
  return success();
}

LogicalResult KernelEmitter::emitVectorized(nest::ForOp loop, int64_t lower,
                                            int64_t count) {
  Mode saved = mode;
  mode.lanes = count;
  LinearIndex lane = LinearIndex::ofConstant(lower);
  lane.lane = 1;
  linears[loop.getInductionVar()] = lane;
  LogicalResult result = emitRegion(*loop.getBodyBlock());
  mode = saved;
  return result;
}

LogicalResult KernelEmitter::emitSerial(nest::ForOp loop) {
  Value lower = bound(loop.getLowerMap(), loop.getLowerOperands(), false)
                    .materialize(builder, loc);
  Value upper = bound(loop.getUpperMap(), loop.getUpperOperands(), true)
                    .materialize(builder, loc);
  Value one = indexConstant(builder, loc, 1);
  auto code = scf::ForOp::create(builder, loc, lower, upper, one);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(code.getBody());
  Mode saved = mode;
  ++mode.depth;
  linears[loop.getInductionVar()] =
      LinearIndex::ofValue(code.getInductionVar(), mode.depth);
  LogicalResult result = emitRegion(*loop.getBodyBlock());
  mode = saved;
  return result;
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Value KernelEmitter::stackSlot(nest::AllocOp alloc, Type element) {
  int64_t count = cast<MemRefType>(alloc.getType()).getNumElements();
  Value slot = entryAlloca(function, builder, loc, element,
                           std::max<int64_t>(1, count), NST_ALIGNMENT);
  // Slots whose lives do not overlap share their place.
  LLVM::LifetimeStartOp::create(builder, loc, slot);
  living.push_back(slot);
  if (alloc.getScope() == "register")
    registers.push_back({slot.getDefiningOp<LLVM::AllocaOp>(), element});
  return slot;
}

LogicalResult KernelEmitter::emitAlloc(nest::AllocOp alloc) {
  auto type = cast<MemRefType>(alloc.getType());
  Buffer buffer{Value(), type, {}};
  Type element = elementStorage(type.getElementType());
  int64_t width =
      element.isIndex() ? 8 : (element.getIntOrFloatBitWidth() + 7) / 8;
  bool onStack =
      type.hasStaticShape() && type.getNumElements() * width <= kStackLimit;
  if (onStack)
    buffer.pointer = stackSlot(alloc, element);
  // Sizes depend on the kernel's sizes alone: inside a loop, one buffer serves
  // all of its iterations and is made before the outermost one.
  OpBuilder::InsertionGuard guard(builder);
  if (builder.getBlock()->getParentOp() != function) {
    Operation *outermost = builder.getBlock()->getParentOp();
    while (outermost->getParentOp() != function)
      outermost = outermost->getParentOp();
    builder.setInsertionPoint(outermost);
  }
  Mode saved = mode;
  mode.depth = 0;
  for (AffineExpr dim : alloc.getShapeMap().getResults())
    buffer.dims.push_back(evaluate(dim, 0, alloc.getSizes()));
  mode = saved;
  if (onStack) {
    buffers[alloc.getResult()] = buffer;
    return success();
  }
  Value bytes = indexConstant(builder, loc, width);
  for (const LinearIndex &dim : buffer.dims)
    bytes = arith::MulIOp::create(builder, loc, bytes,
                                  dim.materialize(builder, loc));
  bytes = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), bytes);
  buffer.pointer =
      callService(builder, loc, call, offsetof(nst_services, scratch),
                  pointerType, {bytes});
  buffers[alloc.getResult()] = buffer;
  // Out of memory ends the kernel here; finishFunction makes the branch, since
  // loops that are being emitted hold on to places in this block.
  Value null = LLVM::ZeroOp::create(builder, loc, pointerType);
  allocationChecks.push_back(LLVM::ICmpOp::create(
      builder, loc, LLVM::ICmpPredicate::eq, buffer.pointer, null));
  return success();
}
