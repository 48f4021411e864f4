//===- QuantizedOperators.cpp - QLinear operators of com.microsoft --------===//
//
// What ONNX Runtime's quantiser writes in its QOperator format beside
// QLinearConv and QLinearMatMul.
//
// before: QLinearOp(X, x_scale, x_zero, ..., y_scale, y_zero)
// after:  quantise(Op(dequantise(X), ...)), which the tensor level computes in
//         integers where that pays
//
//===----------------------------------------------------------------------===//
#include "Contraction.h"
#include "Normalize.h"
#include "Quantize.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace {
/// A scale and a zero point, one number each, or one an element of an axis.
struct Scaling {
  Array scale, zero;
};
} // namespace

/// The scale and the zero point (which may be left out) from input `at` on.
static Scaling scaling(NodeContext &n, TensorBuilder &t, int at) {
  Scaling result{n.input(at), n.optional(at + 1)};
  if (!result.scale)
    return result;
  if (!isFloat(result.scale.type))
    t.malformed("the scales must be floats");
  for (Array *array : {&result.scale, &result.zero})
    if (*array && array->rank() == 1 && DimMath::isOne(array->dims[0]))
      *array = t.reshape(*array, {});
  return result;
}

/// (x - zero) * scale; parameters that are vectors run along x's last axis.
static Array real(TensorBuilder &t, Array x, const Scaling &by) {
  if (!x || !by.scale)
    return {};
  if (by.zero && by.zero.type != x.type)
    return t.malformed("a zero point has another type than its data");
  bool shifted = !isZero(by.zero);
  SmallVector<Array> inputs = {x, t.convert(by.scale, DataType::Float)};
  if (shifted)
    inputs.push_back(by.zero);
  return t.elementwiseTo(
      DataType::Float, x.dims, inputs, [&](Code &c, ValueRange v) {
        Value whole = c.cast(v[0], x.type, DataType::Int32);
        if (shifted)
          whole = c.sub(whole, c.cast(v[2], x.type, DataType::Int32));
        return c.mul(c.cast(whole, DataType::Int32, DataType::Float), v[1]);
      });
}

/// round(y / scale) + zero, saturated.
static Array bytes(TensorBuilder &t, Array y, const Scaling &by,
                   DataType fallback) {
  if (!y || !by.scale)
    return {};
  DataType to = by.zero ? by.zero.type : fallback;
  if (to != DataType::Int8 && to != DataType::UInt8)
    return t.malformed("the result must be bytes");
  SmallVector<Array> inputs = {y, t.convert(by.scale, DataType::Float)};
  if (by.zero)
    inputs.push_back(by.zero);
  return t.elementwiseTo(to, y.dims, inputs, [&](Code &c, ValueRange v) {
    Value zero = by.zero ? c.cast(v[2], to, DataType::Float) : c.like(0, v[0]);
    return quantized(c, v[0], v[1], zero, to);
  });
}

namespace nestor::onnx {

// A, a_scale, a_zero, B, b_scale, b_zero, y_scale, y_zero
void importQLinearBinary(NodeContext &n, TensorBuilder &t) {
  Array a = n.input(0), b = n.input(3);
  if (n.failed())
    return;
  Array x = real(t, a, scaling(n, t, 1)), y = real(t, b, scaling(n, t, 4));
  if (!x || !y)
    return;
  Array z = n.op() == "QLinearMul" ? t.mul(x, y) : t.add(x, y);
  n.set(0, bytes(t, z, scaling(n, t, 6), a.type));
}

// X, x_scale, x_zero, y_scale, y_zero
void importQLinearUnary(NodeContext &n, TensorBuilder &t) {
  Array data = n.input(0);
  double alpha = n.real("alpha", 0.01);
  int64_t axis = n.integer("axis", -1), channelsLast = 0;
  int64_t opset = n.integer("opset", 13);
  channelsLast = n.integer("channels_last", 0);
  if (n.failed())
    return;
  Array x = real(t, data, scaling(n, t, 1)), y;
  if (!x)
    return;
  if (n.op() == "QLinearSoftmax") {
    axis = n.axis(axis, x.rank());
    if (n.failed())
      return;
    // Before opset 13 all axes from this one on are one.
    Dims shape(x.dims);
    if (opset < 13 && axis != x.rank() - 1) {
      llvm::ArrayRef<Dim> dims(shape);
      x = t.reshape(x, {t.dims.product(dims.take_front(axis)),
                        t.dims.product(dims.drop_front(axis))});
      axis = 1;
    }
    y = t.reshape(softmax(t, x, axis, /*logarithm=*/false), shape);
  } else if (n.op() == "QLinearGlobalAveragePool") {
    if (x.rank() < 3)
      return n.malformed("the data must have spatial dims");
    SmallVector<int64_t> axes;
    int64_t first = channelsLast ? 1 : 2;
    for (int64_t d = 0; d < x.rank() - 2; ++d)
      axes.push_back(first + d);
    y = meanKeep(t, x, axes);
  } else {
    bool leaky = n.op() == "QLinearLeakyRelu";
    y = t.elementwise(DataType::Float, {x}, [&](Code &c, ValueRange v) {
      if (!leaky)
        return c.sigmoid(v[0]);
      return c.select(c.lt(v[0], c.like(0, v[0])),
                      c.mul(v[0], c.like(alpha, v[0])), v[0]);
    });
  }
  n.set(0, bytes(t, y, scaling(n, t, 3), data.type));
}

// y_scale, y_zero, then X, scale, zero for each part
void importQLinearConcat(NodeContext &n, TensorBuilder &t) {
  int64_t axis = n.integer("axis", 0);
  if (n.failed())
    return;
  Scaling to = scaling(n, t, 0);
  if ((n.inputCount() - 2) % 3 != 0 || n.inputCount() < 5)
    return n.malformed("each part needs a scale and a zero point");
  SmallVector<Array> parts;
  for (int i = 2; i + 2 < int(n.inputCount()); i += 3) {
    Array x = n.input(i);
    if (n.failed())
      return;
    parts.push_back(bytes(t, real(t, x, scaling(n, t, i + 1)), to, x.type));
    if (!parts.back())
      return;
  }
  axis = n.axis(axis, parts[0].rank());
  if (n.failed())
    return;
  n.set(0, t.concat(parts, axis));
}

// A, a_scale, a_zero, B, b_scale, b_zero, C, y_scale, y_zero; without y_scale
// the result is f32
void importQGemm(NodeContext &n, TensorBuilder &t) {
  Array a = n.input(0), b = n.input(3), bias = n.optional(6);
  double alpha = n.real("alpha", 1);
  bool transA = n.integer("transA", 0), transB = n.integer("transB", 0);
  if (n.failed())
    return;
  if (a.rank() != 2 || b.rank() != 2)
    return n.malformed("the matrices must have rank 2");
  Scaling byA = scaling(n, t, 1), byB = scaling(n, t, 4);
  // One scale a column of the result stands before the other axis of B.
  if (transB)
    b = t.transpose(b, {1, 0});
  Array x = real(t, transA ? t.transpose(a, {1, 0}) : a, byA);
  Array w = real(t, b, byB);
  if (!x || !w)
    return;
  Array y = matmul(t, x, w);
  if (bias) {
    if (bias.type != DataType::Int32)
      return n.malformed("the bias must be int32");
    Array unit = t.mul(t.convert(byA.scale, DataType::Float),
                       t.convert(byB.scale, DataType::Float));
    Array term = t.mul(t.convert(bias, DataType::Float), unit);
    y = t.elementwiseTo(
        DataType::Float, y.dims, {y, term},
        [](Code &c, ValueRange v) { return c.add(v[0], v[1]); });
  }
  if (alpha != 1)
    y = t.mul(y, t.scalar(DataType::Float, alpha));
  if (n.optional(7))
    y = bytes(t, y, scaling(n, t, 7), a.type);
  n.set(0, y);
}

} // namespace nestor::onnx
