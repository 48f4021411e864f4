//===- QuantizedConv.cpp - ConvInteger and QLinearConv --------------------===//
//
// before: Y = conv(X - zx, W - zw) in int32, QLinearConv then scales it
// after:  the zero points subtracted into int16 tensors (W's is a constant),
//         zeros around X, one contraction in int32, a pointwise end
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

/// x - zero as int16.
static Array shifted(TensorBuilder &t, Array x, Array zero, int64_t trailing) {
  if (isZero(zero))
    return t.convert(x, DataType::Int16);
  if (zero.type != x.type)
    return t.malformed("a zero point has another type than its data");
  return t.elementwiseTo(DataType::Int16, x.dims,
                         {x, perChannel(t, zero, trailing)},
                         [&](Code &c, ValueRange v) {
                           return c.sub(c.cast(v[0], x.type, DataType::Int16),
                                        c.cast(v[1], x.type, DataType::Int16));
                         });
}

static bool isByte(DataType type) {
  return type == DataType::Int8 || type == DataType::UInt8;
}

/// The int32 convolution.
static Array integerConv(NodeContext &n, TensorBuilder &t, Array x, Array w,
                         Array zeroX, Array zeroW) {
  int64_t group = n.integer("group", 1);
  if (n.failed())
    return {};
  if (x.rank() < 3 || w.rank() != x.rank() || !isByte(x.type) ||
      !isByte(w.type))
    return t.malformed("the data and the weights must be bytes of one rank, 3 "
                       "at least");
  auto outputs = DimMath::value(w.dims[0]);
  if (group < 1 || (outputs && *outputs % group))
    return t.malformed("the groups do not divide the output channels");
  t.require(x.dims[1], t.dims.mul(w.dims[1], t.dims.constant(group)),
            "the channels of data and weights differ");
  auto window = windowOf(n, t, x, llvm::ArrayRef<Dim>(w.dims).drop_front(2));
  if (!window || n.failed())
    return {};
  int64_t spatial = x.rank() - 2;
  // One zero point a channel of X does not exist; W's stand in its first dim.
  if (zeroX && zeroX.rank() == 1)
    zeroX = t.reshape(zeroX, {});
  x = shifted(t, x, zeroX, 0);
  w = shifted(t, w, zeroW, spatial + 1);
  if (!x || !w)
    return {};
  Array padded = padSpatial(t, x, *window, t.scalar(DataType::Int16, 0));
  return convolve(t, padded, w, *window, group, DataType::Int32,
                  [](Code &c, Value a, Value b) {
                    return c.mul(c.cast(a, DataType::Int16, DataType::Int32),
                                 c.cast(b, DataType::Int16, DataType::Int32));
                  });
}

namespace nestor::onnx {

void importConvInteger(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), w = n.input(1);
  if (n.failed())
    return;
  n.set(0, integerConv(n, t, x, w, n.optional(2), n.optional(3)));
}

// Y = saturate(round((conv + B) * (scaleX * scaleW / scaleY)) + zeroY)
void importQLinearConv(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), scaleX = n.input(1), zeroX = n.input(2), w = n.input(3),
        scaleW = n.input(4), zeroW = n.input(5), scaleY = n.input(6),
        zeroY = n.input(7), bias = n.optional(8);
  if (n.failed())
    return;
  if (!isByte(zeroY.type) || (bias && bias.type != DataType::Int32))
    return n.malformed("the result must be bytes and the bias int32");
  Array y = integerConv(n, t, x, w, zeroX, zeroW);
  if (!y)
    return;
  int64_t spatial = x.rank() - 2;
  for (Array *scalar : {&scaleX, &scaleY, &zeroY})
    if (scalar->rank() == 1)
      *scalar = t.reshape(*scalar, {});
  SmallVector<Array> inputs = {y, scaleX, perChannel(t, scaleW, spatial),
                               scaleY, zeroY};
  if (bias)
    inputs.push_back(perChannel(t, bias, spatial));
  DataType to = zeroY.type;
  n.set(0, t.elementwiseTo(to, y.dims, inputs, [&](Code &c, ValueRange v) {
    Value sum = bias ? c.add(v[0], v[5]) : v[0];
    Value real = c.cast(sum, DataType::Int32, DataType::Float);
    Value factor = c.div(c.mul(v[1], v[2]), v[3]);
    Value whole = c.roundEven(c.mul(real, factor));
    return c.saturate(c.add(whole, c.cast(v[4], to, DataType::Float)), to);
  }));
}

} // namespace nestor::onnx
