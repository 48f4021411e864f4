//===- QuantizedConv.cpp - ConvInteger and QLinearConv --------------------===//
//
// before: Y = conv(X - zx, W - zw) in int32, QLinearConv then scales it
// after:  zx around X, P = conv(X, W) of bytes in int32, then
//         Y = P - zx * sum(W) [+ bias], a pointwise end
//
// What is subtracted is a constant when W and zx are. A W with zero points of
// its own becomes int16 without them.
//
//===----------------------------------------------------------------------===//
#include "Convolution.h"
#include "Quantize.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// A scalar stays; one number a channel stands before the spatial dims.
static Array perChannel(TensorBuilder &t, Array array, int64_t trailing) {
  if (!array || array.rank() != 1)
    return array;
  Dims shape(array.dims);
  shape.resize(1 + trailing, t.dims.constant(1));
  return t.reshape(array, shape);
}

/// w - zero as int16; w itself without a zero point.
static Array withoutZero(TensorBuilder &t, Array w, Array zero,
                         int64_t trailing) {
  if (isZero(zero))
    return w;
  if (zero.type != w.type)
    return t.malformed("a zero point has another type than its data");
  return t.elementwiseTo(DataType::Int16, w.dims,
                         {w, perChannel(t, zero, trailing)},
                         [&](Code &c, ValueRange v) {
                           return c.sub(c.cast(v[0], w.type, DataType::Int16),
                                        c.cast(v[1], w.type, DataType::Int16));
                         });
}

static bool isByte(DataType type) {
  return type == DataType::Int8 || type == DataType::UInt8;
}

namespace {
/// The sums of products of bytes, and what is subtracted from them: one number
/// a channel of the result, or nothing.
struct Products {
  Array sums, correction;
};
} // namespace

/// The int32 convolution.
static Products integerConv(NodeContext &n, TensorBuilder &t, Array x, Array w,
                            Array zeroX, Array zeroW) {
  int64_t group = n.integer("group", 1);
  if (n.failed())
    return {};
  if (x.rank() < 3 || w.rank() != x.rank() || !isByte(x.type) ||
      !isByte(w.type)) {
    t.malformed("the data and the weights must be bytes of one rank, 3 at "
                "least");
    return {};
  }
  auto outputs = DimMath::value(w.dims[0]);
  if (group < 1 || (outputs && *outputs % group)) {
    t.malformed("the groups do not divide the output channels");
    return {};
  }
  t.require(x.dims[1], t.dims.mul(w.dims[1], t.dims.constant(group)),
            "the channels of data and weights differ");
  auto window = windowOf(n, t, x, llvm::ArrayRef<Dim>(w.dims).drop_front(2));
  if (!window || n.failed())
    return {};
  DataType i32 = DataType::Int32;
  int64_t spatial = x.rank() - 2;
  // One zero point a channel of X does not exist; W's stand in its first dim.
  if (zeroX && zeroX.rank() == 1)
    zeroX = t.reshape(zeroX, {});
  if (zeroX && zeroX.type != x.type) {
    t.malformed("a zero point has another type than its data");
    return {};
  }
  w = withoutZero(t, w, zeroW, spatial + 1);
  if (!w)
    return {};
  bool shifted = !isZero(zeroX);
  Array border = shifted ? zeroX : t.scalar(x.type, 0);
  Array padded = padSpatial(t, x, *window, border);
  Products result;
  result.sums = convolve(
      t, padded, w, *window, group, i32, [&](Code &c, Value a, Value b) {
        return c.mul(c.cast(a, x.type, i32), c.cast(b, w.type, i32));
      });
  if (!shifted || !result.sums)
    return result;
  SmallVector<int64_t> axes;
  for (int64_t d = 1; d < w.rank(); ++d)
    axes.push_back(d);
  Array sums = t.reduceAxes(i32, w, axes, t.startValue(i32, 0),
                            [&](Code &c, ValueRange v) {
                              return c.add(v[1], c.cast(v[0], w.type, i32));
                            });
  result.correction = t.mul(sums, t.convert(zeroX, i32));
  return result;
}

namespace nestor::onnx {

void importConvInteger(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), w = n.input(1);
  if (n.failed())
    return;
  Products y = integerConv(n, t, x, w, n.optional(2), n.optional(3));
  if (y.correction)
    y.sums = t.sub(y.sums, perChannel(t, y.correction, x.rank() - 2));
  n.set(0, y.sums);
}

// Y = saturate(round((conv + B) * (scaleX * scaleW / scaleY)) + zeroY), the
// factor and the constant terms computed before
void importQLinearConv(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), scaleX = n.input(1), zeroX = n.input(2), w = n.input(3),
        scaleW = n.input(4), zeroW = n.input(5), scaleY = n.input(6),
        zeroY = n.input(7), bias = n.optional(8);
  if (n.failed())
    return;
  if (!isByte(zeroY.type) || (bias && bias.type != DataType::Int32))
    return n.malformed("the result must be bytes and the bias int32");
  for (const Array &scale : {scaleX, scaleW, scaleY})
    if (!isFloat(scale.type))
      return n.malformed("the scales must be floats");
  Products y = integerConv(n, t, x, w, zeroX, zeroW);
  if (!y.sums)
    return;
  int64_t spatial = x.rank() - 2;
  for (Array *scalar : {&scaleX, &scaleY, &zeroY})
    if (scalar->rank() == 1)
      *scalar = t.reshape(*scalar, {});
  for (Array *scale : {&scaleX, &scaleW, &scaleY})
    *scale = t.convert(*scale, DataType::Float);
  Array factor = t.div(t.mul(scaleX, scaleW), scaleY);
  // What is added to the sums: B less the correction.
  bool less = y.correction && !bias;
  Array shift = y.correction && bias ? t.sub(bias, y.correction)
                : bias               ? bias
                                     : y.correction;
  SmallVector<Array> inputs = {y.sums, perChannel(t, factor, spatial), zeroY};
  if (shift)
    inputs.push_back(perChannel(t, shift, spatial));
  DataType to = zeroY.type;
  n.set(0, t.elementwiseTo(to, y.sums.dims, inputs, [&](Code &c, ValueRange v) {
    Value sum = !shift ? v[0] : less ? c.sub(v[0], v[3]) : c.add(v[0], v[3]);
    Value real = c.cast(sum, DataType::Int32, DataType::Float);
    Value whole = c.roundEven(c.mul(real, v[1]));
    return c.saturate(c.add(whole, c.cast(v[2], to, DataType::Float)), to);
  }));
}

} // namespace nestor::onnx
