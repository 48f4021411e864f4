//===- Loops.cpp - Generics, reductions and model.loops -------------------===//
//
// The functions of TensorBuilder that emit loops. While a body is being built
// the function-level builder stands before its operation, so that sizes and
// constants made on the way dominate it.
//
//===----------------------------------------------------------------------===//
#include "nestor/Dialect/Model/Model.h"
#include "nestor/Import/ONNX/TensorBuilder.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

Array TensorBuilder::undefined(DataType type, llvm::ArrayRef<Dim> shape) {
  if (failed() || !fits(shape))
    return {};
  Array array;
  array.type = type;
  array.dims.assign(shape.begin(), shape.end());
  array.value = tensor::EmptyOp::create(builder, loc, tensorType(type, shape),
                                        dims.dynamic(shape));
  return array;
}

/// Emits one linalg.generic with one result.
static Array emitGeneric(TensorBuilder &t, Array init, unsigned loops,
                         unsigned reduceLoops, llvm::ArrayRef<Operand> ins,
                         bool passInit, ElementFn body) {
  OpBuilder &builder = t.builder;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const Operand &in : ins) {
    Array array = in.array;
    if (!array)
      return {};
    inputs.push_back(t.value(array));
    maps.push_back(in.map);
  }
  unsigned rank = init.rank();
  SmallVector<AffineExpr> exprs;
  for (unsigned i = 0; i < rank; ++i)
    exprs.push_back(t.d(i));
  maps.push_back(t.map(loops, exprs));
  SmallVector<utils::IteratorType> iterators(loops,
                                             utils::IteratorType::parallel);
  for (unsigned i = loops - reduceLoops; i < loops; ++i)
    iterators[i] = utils::IteratorType::reduction;

  auto op = linalg::GenericOp::create(builder, t.loc, init.value.getType(),
                                      inputs, init.value, maps, iterators);
  Block *block = &op.getRegion().emplaceBlock();
  for (Value operand : op->getOperands())
    block->addArgument(getElementTypeOrSelf(operand.getType()), t.loc);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  OpBuilder inner = OpBuilder::atBlockEnd(block);
  Code code(inner, t.loc);
  SmallVector<Value> args;
  for (Value arg : block->getArguments().drop_back(passInit ? 0 : 1))
    args.push_back(code.widen(arg));
  Value result = body(code, args);
  if (!result || t.failed())
    return t.fail(ErrorKind::Internal, "an operator's body is missing");
  result = code.narrow(result, getElementTypeOrSelf(init.value.getType()));
  linalg::YieldOp::create(inner, t.loc, result);
  Array array = init;
  array.value = op.getResult(0);
  return array;
}

Array TensorBuilder::generic(DataType out, llvm::ArrayRef<Dim> shape,
                             llvm::ArrayRef<Operand> ins, ElementFn body) {
  Array init = undefined(out, shape);
  if (!init)
    return {};
  return emitGeneric(*this, init, shape.size(), 0, ins, false, body);
}

Array TensorBuilder::gather(DataType out, llvm::ArrayRef<Dim> shape,
                            llvm::function_ref<Value(Code &)> body) {
  return generic(out, shape, {},
                 [&](Code &code, ValueRange) { return body(code); });
}

TypedAttr TensorBuilder::startValue(DataType acc, double value) {
  Type type = computeType(builder.getContext(), acc);
  if (isa<FloatType>(type))
    return builder.getFloatAttr(type, value);
  return builder.getIntegerAttr(type, int64_t(value));
}

TypedAttr TensorBuilder::lowestValue(DataType acc) {
  OpBuilder scratch(builder.getContext());
  Type type = computeType(builder.getContext(), acc);
  if (isa<FloatType>(type))
    return builder.getFloatAttr(type, -INFINITY);
  unsigned bits = type.getIntOrFloatBitWidth();
  return builder.getIntegerAttr(
      type, isUnsigned(acc) ? llvm::APInt::getZero(bits)
                            : llvm::APInt::getSignedMinValue(bits));
}

TypedAttr TensorBuilder::highestValue(DataType acc) {
  Type type = computeType(builder.getContext(), acc);
  if (isa<FloatType>(type))
    return builder.getFloatAttr(type, INFINITY);
  unsigned bits = type.getIntOrFloatBitWidth();
  return builder.getIntegerAttr(
      type, isUnsigned(acc) ? llvm::APInt::getMaxValue(bits)
                            : llvm::APInt::getSignedMaxValue(bits));
}

DataType TensorBuilder::accumulator(DataType type) {
  return type == DataType::Float16 || type == DataType::BFloat16
             ? DataType::Float
             : type;
}

Array TensorBuilder::reduction(DataType acc, llvm::ArrayRef<Dim> shape,
                               unsigned reduceLoops,
                               llvm::ArrayRef<Operand> ins, TypedAttr start,
                               ElementFn body) {
  if (failed())
    return {};
  Array init = gather(acc, shape, [&](Code &code) -> Value {
    return arith::ConstantOp::create(code.b, code.loc, start);
  });
  if (!init)
    return {};
  return emitGeneric(*this, init, shape.size() + reduceLoops, reduceLoops, ins,
                     true, body);
}

Array TensorBuilder::reduceAxes(DataType acc, Array array,
                                llvm::ArrayRef<int64_t> axes, TypedAttr start,
                                ElementFn body) {
  if (!array)
    return {};
  Dims shape;
  unsigned kept = array.rank() - axes.size(), next = 0, reduced = kept;
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < array.rank(); ++i) {
    if (llvm::is_contained(axes, i)) {
      exprs.push_back(d(reduced++));
    } else {
      exprs.push_back(d(next++));
      shape.push_back(array.dims[i]);
    }
  }
  return reduction(acc, shape, axes.size(), {{array, map(array.rank(), exprs)}},
                   start, body);
}

Array TensorBuilder::keepDims(Array reduced, llvm::ArrayRef<int64_t> axes) {
  if (!reduced)
    return {};
  Dims shape;
  size_t rank = reduced.dims.size() + axes.size(), next = 0;
  for (size_t i = 0; i < rank; ++i)
    shape.push_back(llvm::is_contained(axes, int64_t(i))
                        ? dims.constant(1)
                        : reduced.dims[next++]);
  return reshape(reduced, shape);
}

Array TensorBuilder::sumKeep(Array array, llvm::ArrayRef<int64_t> axes) {
  DataType acc = accumulator(array.type);
  return keepDims(
      reduceAxes(acc, array, axes, startValue(acc, 0),
                 [](Code &code, ValueRange v) { return code.add(v[1], v[0]); }),
      axes);
}

Array TensorBuilder::maxKeep(Array array, llvm::ArrayRef<int64_t> axes) {
  DataType type = array.type;
  return keepDims(reduceAxes(type, array, axes, lowestValue(type),
                             [&](Code &code, ValueRange v) {
                               return code.max(v[1], v[0], isUnsigned(type));
                             }),
                  axes);
}

SmallVector<Array> TensorBuilder::loops(llvm::ArrayRef<Array> ins,
                                        llvm::ArrayRef<Array> outs,
                                        llvm::ArrayRef<Dim> extents,
                                        llvm::ArrayRef<int32_t> kinds,
                                        LoopsFn body) {
  SmallVector<Array> results(outs.size());
  if (failed())
    return results;
  SmallVector<Value> inputs, outputs;
  for (Array in : ins)
    inputs.push_back(value(in));
  for (Array out : outs)
    outputs.push_back(value(out));
  SmallVector<Value> sizes = dims.toValues(extents);
  auto op = model::LoopsOp::create(builder, loc, inputs, outputs, sizes, kinds,
                                   [&](OpBuilder &inner, Location at,
                                       ValueRange iterators, ValueRange in,
                                       ValueRange out) {
                                     Code code(inner, at);
                                     body(code, iterators, in, out);
                                   });
  for (size_t i = 0; i < outs.size(); ++i) {
    results[i] = outs[i];
    results[i].known = nullptr;
    results[i].literal = nullptr;
    results[i].value = op->getResult(i);
  }
  return results;
}
