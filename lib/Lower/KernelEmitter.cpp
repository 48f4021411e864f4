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

#include "Columns.h"
#include "Registers.h"
#include "Services.h"
#include "Tiles.h"

#include "nestor/Dialect/Nest/Padding.h"
#include "nestor/Runtime/Abi.h"

#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

KernelEmitter::KernelEmitter(nest::FuncOp kernel, ModuleOp target)
    : kernel(kernel), plan(kernel), target(target),
      builder(kernel.getContext()), loc(kernel.getLoc()),
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
        entry.getArgument(1 + i), cast<MemRefType>(buffer.getType()), {}, {}};
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
  shuffleColumns(function);
  llvm::erase_if(tiles, [&](LLVM::AllocaOp slot) {
    if (slot->getParentOp() != function)
      return false;
    carryTiles(slot);
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

/// Whether code at the builder's place sees `value`; everything is emitted in
/// order, at the end of its block.
static bool seen(Value value, OpBuilder &builder) {
  for (Block *block = builder.getInsertionBlock(); block;
       block = block->getParentOp() ? block->getParentOp()->getBlock()
                                    : nullptr)
    if (block == value.getParentBlock())
      return true;
  return false;
}

/// `lhs` divided by a constant that divides no term of it.
LinearIndex KernelEmitter::divideRest(AffineExprKind kind,
                                      const LinearIndex &lhs, int64_t divisor) {
  // Lanes and loops that stay within one multiple of the divisor.
  if (auto range = lhs.range(mode.lanes)) {
    int64_t low = llvm::divideFloorSigned(range->first, divisor);
    if (low == llvm::divideFloorSigned(range->second, divisor)) {
      if (kind == AffineExprKind::Mod)
        return lhs + LinearIndex::ofConstant(-low * divisor);
      return LinearIndex::ofConstant(low);
    }
  }
  bool isPower = llvm::isPowerOf2_64(divisor);
  if (lhs.isUniform()) {
    Value a = lhs.materialize(builder, loc);
    auto by = [&](int64_t constant) {
      return indexConstant(builder, loc, constant);
    };
    bool isMod = kind == AffineExprKind::Mod;
    Value result;
    if (isPower && isMod) {
      result = arith::AndIOp::create(builder, loc, a, by(divisor - 1));
    } else if (isPower) {
      result =
          arith::ShRSIOp::create(builder, loc, a, by(llvm::Log2_64(divisor)));
    } else if (isNonNegative(a)) {
      result =
          isMod ? Value(arith::RemUIOp::create(builder, loc, a, by(divisor)))
                : Value(arith::DivUIOp::create(builder, loc, a, by(divisor)));
    } else {
      result = arith::FloorDivSIOp::create(builder, loc, a, by(divisor));
      if (isMod) {
        Value back = arith::MulIOp::create(builder, loc, result, by(divisor));
        result = arith::SubIOp::create(builder, loc, a, back);
      }
    }
    return LinearIndex::ofValue(result, lhs.getDepth());
  }
  // Lanes that stay within one unit of what the rest counts in never cross a
  // multiple of the divisor: (16 * i + lane) floordiv 48 is i floordiv 3.
  auto [uniform, varying] = lhs.separateLanes();
  if (uniform.isUniform()) {
    int64_t unit = uniform.unit(divisor);
    auto range = varying.range(mode.lanes);
    if (range && range->first >= 0 && range->second < unit) {
      // In units, so that further digits see multiples of it too.
      LinearIndex result = divide(kind, uniform.divideTerms(unit).first,
                                  LinearIndex::ofConstant(divisor / unit));
      return kind == AffineExprKind::Mod ? result * unit + varying : result;
    }
  }
  // One vector of quotients for all digits, so that they cancel.
  Division *known = llvm::find_if(divisions, [&](const Division &division) {
    return division.divisor == divisor && division.dividend == lhs &&
           seen(division.quotient, builder);
  });
  if (known == divisions.end()) {
    Value a = valueOf(lhs), quotient;
    auto by = [&](int64_t constant) {
      return broadcast(indexConstant(builder, loc, constant));
    };
    // A shift rounds towards negative infinity, as floordiv does.
    if (isPower)
      quotient =
          arith::ShRSIOp::create(builder, loc, a, by(llvm::Log2_64(divisor)));
    else
      quotient = arith::FloorDivSIOp::create(builder, loc, a, by(divisor));
    divisions.push_back({lhs, divisor, quotient});
    known = &divisions.back();
  }
  LinearIndex result = LinearIndex::ofValue(known->quotient, lhs.getDepth());
  // a mod b = a - floordiv(a, b) * b, never negative.
  return kind == AffineExprKind::Mod ? lhs + result * -divisor : result;
}

LinearIndex KernelEmitter::divide(AffineExprKind kind, const LinearIndex &lhs,
                                  const LinearIndex &rhs) {
  if (rhs.isConstant() && rhs.constant > 0) {
    if (kind == AffineExprKind::CeilDiv)
      return divide(AffineExprKind::FloorDiv,
                    lhs + LinearIndex::ofConstant(rhs.constant - 1), rhs);
    // Terms that the divisor divides stay out of the division.
    auto [quotient, rest] = lhs.divideTerms(rhs.constant);
    LinearIndex result = divideRest(kind, rest, rhs.constant);
    return kind == AffineExprKind::Mod ? result : quotient + result;
  }
  Value a = valueOf(lhs), b = valueOf(rhs);
  if (isVector(a) || isVector(b)) {
    a = broadcast(a);
    b = broadcast(b);
  }
  Value result;
  if (kind == AffineExprKind::FloorDiv)
    result = arith::FloorDivSIOp::create(builder, loc, a, b);
  else if (kind == AffineExprKind::CeilDiv)
    result = arith::CeilDivSIOp::create(builder, loc, a, b);
  else {
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
  for (Operation &op : block.without_terminator()) {
    for (nest::AllocOp alloc : plan.startingAt(&op))
      emitAlloc(alloc);
    LogicalResult result = success();
    if (auto loop = dyn_cast<nest::ForOp>(op))
      result = emitLoop(loop);
    else if (auto inner = dyn_cast<nest::BlockOp>(op))
      result = emitBlock(inner);
    else if (!isa<nest::AllocOp>(op)) // made where it is used first
      return op.emitError("cannot be lowered outside of a nest.block");
    if (failed(result))
      return failure();
    for (nest::AllocOp alloc : plan.endingAt(&op))
      if (livesOnStack(alloc))
        LLVM::LifetimeEndOp::create(builder, loc,
                                    buffers[alloc.getResult()].pointer);
  }
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
    emitPrefetches(loop);
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
  emitPrefetches(loop);
  LogicalResult result = emitRegion(*loop.getBodyBlock());
  mode = saved;
  return result;
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Value KernelEmitter::stackSlot(nest::AllocOp alloc) {
  auto type = cast<MemRefType>(alloc.getType());
  Type element = elementStorage(type.getElementType());
  int64_t count = std::max<int64_t>(1, *storedElements(alloc));
  Value slot =
      entryAlloca(function, builder, loc, element, count, NST_ALIGNMENT);
  // Slots whose lives do not overlap share their place.
  LLVM::LifetimeStartOp::create(builder, loc, slot);
  if (alloc.getScope() == "register")
    registers.push_back({slot.getDefiningOp<LLVM::AllocaOp>(), element});
  if (alloc.getScope() == nest::kTileScope)
    tiles.push_back(slot.getDefiningOp<LLVM::AllocaOp>());
  return slot;
}

Value KernelEmitter::scratch(nest::AllocOp alloc) {
  // Sharing buffers come later, and inside of loops at most.
  unsigned memory = plan.memoryOf(alloc);
  Value &pointer = memories[{function, memory}];
  if (pointer)
    return pointer;
  Value most;
  int64_t fixed = 0;
  for (nest::AllocOp sharer : plan.buffersIn(memory)) {
    auto type = cast<MemRefType>(sharer.getType());
    int64_t width = elementBytes(type.getElementType());
    if (std::optional<int64_t> elements = storedElements(sharer)) {
      fixed = std::max(fixed, *elements * width);
      continue;
    }
    Buffer shape = shapeOf(sharer);
    LinearIndex elements = LinearIndex::ofConstant(1);
    for (int64_t d = type.getRank() - 1; d >= 0; --d)
      elements = outerStride(shape, d, elements);
    Value bytes =
        arith::MulIOp::create(builder, loc, elements.materialize(builder, loc),
                              indexConstant(builder, loc, width));
    most =
        most ? Value(arith::MaxSIOp::create(builder, loc, most, bytes)) : bytes;
  }
  if (!most)
    most = indexConstant(builder, loc, fixed);
  else if (fixed)
    most = arith::MaxSIOp::create(builder, loc, most,
                                  indexConstant(builder, loc, fixed));
  most = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), most);
  pointer = callService(builder, loc, call, offsetof(nst_services, scratch),
                        pointerType, {most});
  // Out of memory ends the kernel here; finishFunction makes the branch, since
  // loops that are being emitted hold on to places in this block.
  Value null = LLVM::ZeroOp::create(builder, loc, pointerType);
  allocationChecks.push_back(LLVM::ICmpOp::create(
      builder, loc, LLVM::ICmpPredicate::eq, pointer, null));
  return pointer;
}

KernelEmitter::Buffer KernelEmitter::shapeOf(nest::AllocOp alloc) {
  Buffer shape{Value(), cast<MemRefType>(alloc.getType()), {}, {}};
  for (AffineExpr dim : alloc.getShapeMap().getResults())
    shape.dims.push_back(evaluate(dim, 0, alloc.getSizes()));
  shape.padding = nest::paddingOf(alloc);
  return shape;
}

void KernelEmitter::emitAlloc(nest::AllocOp alloc) {
  Value pointer = livesOnStack(alloc) ? stackSlot(alloc) : Value();
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
  Buffer buffer = shapeOf(alloc);
  buffer.pointer = pointer ? pointer : scratch(alloc);
  mode = saved;
  buffers[alloc.getResult()] = buffer;
}
