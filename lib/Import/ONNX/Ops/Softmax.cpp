//===- Softmax.cpp - Softmax, LogSoftmax, Hardmax -------------------------===//
//
// before: softmax over one axis (opset 13) or over all axes from one on
//         (before; default axis 1)
// after:  max, subtract and exponentiate, sum, divide; in f32 for 16-bit types
//
//===----------------------------------------------------------------------===//
#include "Normalize.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

Array onnx::softmax(TensorBuilder &t, Array x, int64_t axis, bool logarithm) {
  if (!x)
    return {};
  DataType acc = TensorBuilder::accumulator(x.type);
  Array wide = t.convert(x, acc);
  Array m = t.maxKeep(wide, {axis});
  if (logarithm) {
    Array shifted = t.sub(wide, m);
    Array e = t.elementwise(acc, {shifted},
                            [](Code &c, ValueRange v) { return c.exp(v[0]); });
    Array s = t.sumKeep(e, {axis});
    return t.convert(t.elementwise(acc, {shifted, s},
                                   [](Code &c, ValueRange v) {
                                     return c.sub(v[0], c.log(v[1]));
                                   }),
                     x.type);
  }
  Array e = t.elementwise(acc, {wide, m}, [](Code &c, ValueRange v) {
    return c.exp(c.sub(v[0], v[1]));
  });
  return t.convert(t.div(e, t.sumKeep(e, {axis})), x.type);
}

namespace nestor::onnx {
void importSoftmax(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t axis = n.integer("axis", n.version() < 13 ? 1 : -1);
  if (n.failed())
    return;
  if (!isFloat(x.type))
    return n.malformed("does not take " + dataTypeName(x.type));
  Dims shape(x.dims);
  if (n.version() < 13) {
    if (axis < -x.rank() || axis > x.rank())
      return n.malformed("axis " + llvm::Twine(axis) + " is outside the rank");
    if (axis < 0)
      axis += x.rank();
    // Over the last axis the two meanings agree.
    if (axis != x.rank() - 1) {
      llvm::ArrayRef<Dim> dims(shape);
      x = t.reshape(x, {t.dims.product(dims.take_front(axis)),
                        t.dims.product(dims.drop_front(axis))});
      axis = 1;
    }
  } else {
    axis = n.axis(axis, x.rank());
  }
  if (n.failed())
    return;
  Array y;
  if (n.op() == "Hardmax") {
    // 1 at the first greatest element
    Dims outer(x.dims);
    outer.erase(outer.begin() + axis);
    Value size = t.dims.toValue(x.dims[axis]);
    SmallVector<int32_t> kinds(outer.size(), 0);
    Array first = t.loops(
        {x}, {t.undefined(DataType::Int64, outer)}, outer, kinds,
        [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
          auto at = [&](Code &code, Value k) {
            SmallVector<Value> indices(i.begin(), i.end());
            indices.insert(indices.begin() + axis, k);
            return code.widen(code.load(in[0], indices));
          };
          Value zero = c.index(0);
          auto found =
              c.loop(c.index(1), size, {zero, at(c, zero)},
                     [&](Code &b, Value k, ValueRange v) -> SmallVector<Value> {
                       Value element = at(b, k), better = b.gt(element, v[1]);
                       return {b.select(better, k, v[0]),
                               b.select(better, element, v[1])};
                     });
          c.store(c.fromIndex(found[0], c.b.getI64Type()), out[0], i);
        })[0];
    Array kept = t.keepDims(first, {axis});
    y = t.elementwiseTo(x.type, x.dims, {kept}, [&](Code &c, ValueRange v) {
      Type type = computeType(c.b.getContext(), x.type);
      return c.select(c.eq(c.toIndex(v[0]), c.loop(axis)), c.number(1, type),
                      c.number(0, type));
    });
  } else {
    y = softmax(t, x, axis, n.op() == "LogSoftmax");
  }
  n.set(0, t.reshape(y, shape));
}
} // namespace nestor::onnx
