//===- HostControl.cpp - Control flow over buffers ------------------------===//
//
// scf.if, scf.for and scf.while with tensors => the same over buffers.
//
// A loop's carried tensor stays in one buffer: each iteration reads it and
// writes the next value there (through a copy, unless the producer of the
// next value may write in place). A tensor whose dims may change from one
// iteration to the next travels as a memref value instead.
//
//===----------------------------------------------------------------------===//
#include "HostBuilder.h"

#include "nestor/Graph/TensorDims.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace nestor;

static bool isTensor(Value value) {
  return isa<RankedTensorType>(value.getType());
}

/// One of two whole tensors: a choice of buffers.
LogicalResult HostBuilder::convertSelect(arith::SelectOp op) {
  Value trueBuffer = bufferOf(op.getTrueValue());
  Value falseBuffer = bufferOf(op.getFalseValue());
  auto choice = scf::IfOp::create(
      builder, op.getLoc(), TypeRange(bufferType(op.getType())),
      scalarOf(op.getCondition()), /*addThenBlock=*/true,
      /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(choice.thenBlock());
  scf::YieldOp::create(builder, op.getLoc(), trueBuffer);
  builder.setInsertionPointToEnd(choice.elseBlock());
  scf::YieldOp::create(builder, op.getLoc(), falseBuffer);
  buffers[op.getResult()] = choice.getResult(0);
  return success();
}

LogicalResult HostBuilder::convertIf(scf::IfOp op) {
  SmallVector<Type> types;
  for (Type type : op.getResultTypes())
    types.push_back(isa<RankedTensorType>(type) ? Type(bufferType(type))
                                                : type);
  auto result = scf::IfOp::create(builder, op.getLoc(), types,
                                  scalarOf(op.getCondition()),
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/!op.getElseRegion().empty());
  auto branch = [&](Region &from, Region &to) -> LogicalResult {
    if (from.empty())
      return success();
    OpBuilder::InsertionGuard guard(builder);
    Block &block = to.front();
    if (!block.empty() && block.back().hasTrait<OpTrait::IsTerminator>())
      block.back().erase();
    builder.setInsertionPointToEnd(&block);
    if (failed(convertBlock(from.front())))
      return failure();
    SmallVector<Value> yields;
    for (Value value : from.front().getTerminator()->getOperands())
      yields.push_back(isTensor(value) ? bufferOf(value) : scalarOf(value));
    scf::YieldOp::create(builder, op.getLoc(), yields);
    return success();
  };
  if (failed(branch(op.getThenRegion(), result.getThenRegion())) ||
      failed(branch(op.getElseRegion(), result.getElseRegion())))
    return failure();
  for (auto [from, to] :
       llvm::zip_equal(op.getResults(), result.getResults())) {
    if (isTensor(from))
      buffers[from] = to;
    else
      scalars.map(from, to);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Whether every iteration leaves the dims of carried tensor `i` as they were.
static bool keepsDims(ValueRange args, ValueRange inits, ValueRange yields,
                      unsigned i) {
  TensorDims source(args, inits);
  auto type = cast<RankedTensorType>(args[i].getType());
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d) &&
        !(source.of(yields[i], d) == source.of(inits[i], d)))
      return false;
  return true;
}

void HostBuilder::bindCarried(ValueRange args, ValueRange inits,
                              ValueRange results,
                              SmallVectorImpl<Value> &carried) {
  for (auto [i, arg] : llvm::enumerate(args)) {
    SmallVector<OpFoldResult> shape = dimsOf(inits[i]);
    Value buffer;
    if (i < results.size() && outputs.contains(results[i])) {
      dims[results[i]] = shape;
      buffer = resultBuffer(results[i]);
    } else {
      buffer = alloc(bufferType(arg.getType()), shape);
    }
    copyInto(inits[i], buffer);
    carried.push_back(buffer);
    buffers[arg] = buffer;
    dims[arg] = shape;
    owned.insert(arg);
  }
}

void HostBuilder::storeCarried(ValueRange yields, ArrayRef<Value> carried) {
  // A yield that reads another carried buffer must be saved before that one is
  // overwritten.
  SmallVector<Value> sources;
  for (auto [yield, buffer] : llvm::zip_equal(yields, carried)) {
    Value source = buffers.lookup(yield);
    if (source && source != buffer && llvm::is_contained(carried, source)) {
      Value saved = alloc(cast<MemRefType>(source.getType()), dimsOf(yield));
      host::CopyOp::create(builder, yield.getLoc(), source, saved);
      source = saved;
    }
    sources.push_back(source);
  }
  for (auto [yield, source, buffer] :
       llvm::zip_equal(yields, sources, carried)) {
    if (source == buffer)
      continue;
    if (source)
      host::CopyOp::create(builder, yield.getLoc(), source, buffer);
    else
      copyInto(yield, buffer);
  }
}

LogicalResult HostBuilder::convertFor(scf::ForOp op) {
  Block &body = *op.getBody();
  ValueRange yields = body.getTerminator()->getOperands();
  SmallVector<Value> args(op.getRegionIterArgs()), inits(op.getInitArgs());

  // Carried values of the new loop: scalars, and buffers that change.
  SmallVector<unsigned> travelling, staying;
  SmallVector<Value> newInits;
  SmallVector<Value> keptArgs, keptInits, keptResults, keptYields, carried;
  for (unsigned i = 0; i < args.size(); ++i) {
    if (isTensor(args[i]) && keepsDims(args, inits, yields, i)) {
      staying.push_back(i);
      keptArgs.push_back(args[i]);
      keptInits.push_back(inits[i]);
      keptResults.push_back(op.getResult(i));
      keptYields.push_back(yields[i]);
      continue;
    }
    travelling.push_back(i);
    newInits.push_back(isTensor(args[i]) ? bufferOf(inits[i])
                                         : scalarOf(inits[i]));
  }
  bindCarried(keptArgs, keptInits, keptResults, carried);

  auto loop = scf::ForOp::create(
      builder, op.getLoc(), scalarOf(op.getLowerBound()),
      scalarOf(op.getUpperBound()), scalarOf(op.getStep()), newInits);
  {
    OpBuilder::InsertionGuard guard(builder);
    Block &target = *loop.getBody();
    if (!target.empty() && target.back().hasTrait<OpTrait::IsTerminator>())
      target.back().erase();
    builder.setInsertionPointToEnd(&target);
    scalars.map(op.getInductionVar(), loop.getInductionVar());
    for (auto [n, i] : llvm::enumerate(travelling)) {
      if (isTensor(args[i]))
        buffers[args[i]] = loop.getRegionIterArg(n);
      else
        scalars.map(args[i], loop.getRegionIterArg(n));
    }
    settleDims(args);
    for (auto [yield, arg, buffer] :
         llvm::zip_equal(keptYields, keptArgs, carried))
      if (yield.getParentBlock() == &body)
        carriedResults.try_emplace(yield, Carried{arg, buffer});
    if (failed(convertBlock(body)))
      return failure();
    storeCarried(keptYields, carried);
    SmallVector<Value> newYields;
    for (unsigned i : travelling)
      newYields.push_back(isTensor(yields[i]) ? bufferOf(yields[i])
                                              : scalarOf(yields[i]));
    scf::YieldOp::create(builder, op.getLoc(), newYields);
  }
  for (auto [n, i] : llvm::enumerate(travelling)) {
    if (isTensor(args[i]))
      buffers[op.getResult(i)] = loop.getResult(n);
    else
      scalars.map(op.getResult(i), loop.getResult(n));
  }
  for (auto [result, arg, buffer] :
       llvm::zip_equal(keptResults, keptArgs, carried)) {
    if (!buffers.contains(result))
      buffers[result] = buffer;
    dims[result] = dims[arg];
    owned.insert(result);
  }
  return success();
}

LogicalResult HostBuilder::convertWhile(scf::WhileOp op) {
  // Everything travels: the condition's operands may come from anywhere.
  SmallVector<Value> inits;
  for (Value init : op.getInits())
    inits.push_back(isTensor(init) ? bufferOf(init) : scalarOf(init));
  SmallVector<Type> types;
  for (Type type : op.getResultTypes())
    types.push_back(isa<RankedTensorType>(type) ? Type(bufferType(type))
                                                : type);

  auto loop = scf::WhileOp::create(builder, op.getLoc(), types, inits);
  auto region = [&](Region &from, Region &to, bool before) -> LogicalResult {
    OpBuilder::InsertionGuard guard(builder);
    Block *block = builder.createBlock(&to);
    for (Value arg : from.getArguments()) {
      Type type =
          isTensor(arg) ? Type(bufferType(arg.getType())) : arg.getType();
      Value mapped = block->addArgument(type, arg.getLoc());
      if (isTensor(arg))
        buffers[arg] = mapped;
      else
        scalars.map(arg, mapped);
    }
    settleDims(from.getArguments());
    if (failed(convertBlock(from.front())))
      return failure();
    Operation *terminator = from.front().getTerminator();
    SmallVector<Value> values;
    for (Value value : terminator->getOperands())
      values.push_back(isTensor(value) ? bufferOf(value) : scalarOf(value));
    if (before)
      scf::ConditionOp::create(builder, op.getLoc(), values.front(),
                               ArrayRef<Value>(values).drop_front());
    else
      scf::YieldOp::create(builder, op.getLoc(), values);
    return success();
  };
  if (failed(region(op.getBefore(), loop.getBefore(), true)) ||
      failed(region(op.getAfter(), loop.getAfter(), false)))
    return failure();
  for (auto [from, to] : llvm::zip_equal(op.getResults(), loop.getResults())) {
    if (isTensor(from))
      buffers[from] = to;
    else
      scalars.map(from, to);
  }
  return success();
}
