//===- DeformConv.cpp - DeformConv ----------------------------------------===//
//
// before: a convolution whose kernel elements read X at places of their own
// after:  one generic that samples X bilinearly for every kernel element and
//         place, then a contraction with the weights
//
//===----------------------------------------------------------------------===//
#include "GridSample.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace nestor::onnx {

void importDeformConv(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), w = n.input(1), offset = n.input(2),
        bias = n.optional(3), mask = n.optional(4);
  int64_t group = n.integer("group", 1), offsets = n.integer("offset_group", 1);
  if (n.failed())
    return;
  auto list = [&](llvm::StringRef name, size_t size, int64_t fallback,
                  int64_t low) {
    auto given = n.integers(name);
    SmallVector<int64_t> values =
        given ? *given : SmallVector<int64_t>(size, fallback);
    if (values.size() != size ||
        llvm::any_of(values, [&](int64_t v) { return v < low || v > 1 << 24; }))
      n.malformed("attribute '" + name + "' does not fit");
    return values;
  };
  if (x.rank() != 4)
    return n.unsupported("other than two spatial dims");
  auto dilations = list("dilations", 2, 1, 1),
       strides = list("strides", 2, 1, 1), pads = list("pads", 4, 0, 0);
  if (n.failed())
    return;
  if (w.rank() != 4 || offset.rank() != 4 || !isFloat(x.type) || group < 1 ||
      offsets < 1 || (mask && mask.rank() != 4) || (bias && bias.rank() != 1))
    return n.malformed("the inputs have the wrong ranks");
  for (const Array &other : {w, offset, bias, mask})
    if (other && other.type != x.type)
      return n.malformed("the inputs have different types");
  DimMath &d = t.dims;
  Dim groups = d.constant(group), one = d.constant(1), two = d.constant(2);
  Dim kh = w.dims[2], kw = w.dims[3], area = d.mul(kh, kw);
  Dims places;
  for (int64_t i = 0; i < 2; ++i) {
    Dim reach =
        d.add(d.mul(d.sub(w.dims[2 + i], one), d.constant(dilations[i])), one);
    Dim room =
        d.sub(d.add(x.dims[2 + i], d.constant(pads[i] + pads[i + 2])), reach);
    places.push_back(d.max(d.add(d.floorDiv(room, d.constant(strides[i])), one),
                           d.constant(0)));
    t.require(offset.dims[2 + i], places[i], "the offsets' dims do not fit");
    if (mask)
      t.require(mask.dims[2 + i], places[i], "the mask's dims do not fit");
  }
  Dim taps = d.mul(d.constant(offsets), area);
  t.require(x.dims[1], d.mul(w.dims[1], groups),
            "the channels of data and weights differ");
  t.require(offset.dims[0], x.dims[0], "the batch sizes differ");
  t.require(offset.dims[1], d.mul(taps, two), "the offsets do not fit");
  Dim perOffset = d.floorDiv(x.dims[1], d.constant(offsets));
  t.require(d.mul(perOffset, d.constant(offsets)), x.dims[1],
            "the offset groups do not divide the channels");
  Dim outputs = d.floorDiv(w.dims[0], groups);
  t.require(d.mul(outputs, groups), w.dims[0],
            "the groups do not divide the output channels");
  if (mask) {
    t.require(mask.dims[0], x.dims[0], "the batch sizes differ");
    t.require(mask.dims[1], taps, "the mask does not fit");
  }
  if (n.failed())
    return;
  // Loops: batch, channel, kernel row and column, row, column.
  Value data = t.value(x), moves = t.value(offset),
        factors = mask ? t.value(mask) : Value();
  SmallVector<Value> extents = d.toValues(x.dims);
  Value columns = d.toValue(kw), kernel = d.toValue(area),
        shared = d.toValue(perOffset);
  Dims sampled = {x.dims[0], x.dims[1], kh, kw, places[0], places[1]};
  Array samples = t.gather(x.type, sampled, [&](Code &c) {
    Value batch = c.loop(0), channel = c.loop(1);
    Value set = c.div(channel, shared, true);
    Value tap =
        c.add(c.mul(set, kernel), c.add(c.mul(c.loop(2), columns), c.loop(3)));
    SmallVector<Value> place;
    for (int64_t i = 0; i < 2; ++i) {
      Value at = c.add(c.mul(tap, c.index(2)), c.index(i));
      Value move = c.widen(c.extract(moves, {batch, at, c.loop(4), c.loop(5)}));
      Value base = c.sub(c.add(c.mul(c.loop(4 + i), c.index(strides[i])),
                               c.mul(c.loop(2 + i), c.index(dilations[i]))),
                         c.index(pads[i]));
      place.push_back(c.add(c.fromIndex(base, move.getType()), move));
    }
    Value result = interpolate(c, place, [&](llvm::ArrayRef<Value> index) {
      SmallVector<Value> from = {batch, channel};
      Value inside = c.boolean(true);
      for (int64_t i = 0; i < 2; ++i) {
        Value in =
            c.conj(c.ge(index[i], c.index(0)), c.lt(index[i], extents[2 + i]));
        inside = c.conj(inside, in);
        from.push_back(clampIndex(c, index[i], extents[2 + i]));
      }
      Value element = c.widen(c.extract(data, from));
      return c.select(inside, element, c.like(0, element));
    });
    if (mask)
      result = c.mul(result, c.widen(c.extract(
                                 factors, {batch, tap, c.loop(4), c.loop(5)})));
    return result;
  });
  samples = t.reshape(
      samples, {x.dims[0], groups, w.dims[1], kh, kw, places[0], places[1]});
  Array weights = t.reshape(w, {groups, outputs, w.dims[1], kh, kw});
  DataType acc = TensorBuilder::accumulator(x.type);
  // Loops: batch 0, group 1, output 2, row 3, column 4, then the reduced
  // channel 5, kernel row 6 and column 7.
  Array y = t.reduction(
      acc, {x.dims[0], groups, outputs, places[0], places[1]}, 3,
      {{samples,
        t.map(8, {t.d(0), t.d(1), t.d(5), t.d(6), t.d(7), t.d(3), t.d(4)})},
       {weights, t.map(8, {t.d(1), t.d(2), t.d(5), t.d(6), t.d(7)})}},
      t.startValue(acc, 0),
      [](Code &c, ValueRange v) { return c.add(v[2], c.mul(v[0], v[1])); });
  y = t.reshape(y, {x.dims[0], w.dims[0], places[0], places[1]});
  if (bias) {
    t.require(bias.dims[0], w.dims[0], "the bias does not fit");
    bias = t.reshape(t.convert(bias, acc), {w.dims[0], one, one});
    y = t.add(y, bias);
  }
  n.set(0, t.convert(y, x.type));
}

} // namespace nestor::onnx
