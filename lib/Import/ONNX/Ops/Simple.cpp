//===- Simple.cpp - Small operators of other kinds ------------------------===//
//
// Optionals that are tensors or absent when the model is compiled, and the
// elementwise operators of ai.onnx.ml.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace nestor::onnx {

void importOptionalHasElement(NodeContext &n, TensorBuilder &t) {
  n.set(0, t.scalar(DataType::Bool, n.has(0)));
}

void importOptionalGetElement(NodeContext &n, TensorBuilder &) {
  Array x = n.input(0);
  if (!n.failed())
    n.set(0, x);
}

void importBinarizer(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  double threshold = n.real("threshold", 0);
  if (n.failed())
    return;
  n.set(0, t.elementwise(x.type, {x}, [&](Code &c, ValueRange v) {
    Value above = c.gt(v[0], c.like(threshold, v[0]), isUnsigned(x.type));
    return c.select(above, c.like(1, v[0]), c.like(0, v[0]));
  }));
}

// Y[..., j] = X[..., indices[j]]; a vector gives a matrix of one row
void importArrayFeatureExtractor(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), indices = n.input(1);
  if (n.failed())
    return;
  if (x.rank() < 1 || !isInteger(indices.type))
    return n.malformed("needs a tensor and integer indices");
  Dim count = t.dims.product(indices.dims);
  indices = t.reshape(indices, {count});
  if (!indices)
    return;
  Dims shape(x.dims);
  shape.back() = count;
  int64_t last = x.rank() - 1;
  Value data = t.value(x), extent = t.dims.toValue(x.dims.back());
  Array y = t.generic(x.type, shape, {{indices, t.map(x.rank(), {t.d(last)})}},
                      [&](Code &c, ValueRange v) {
                        SmallVector<Value> at;
                        for (int64_t i = 0; i < last; ++i)
                          at.push_back(c.loop(i));
                        at.push_back(c.wrapIndex(c.toIndex(v[0]), extent));
                        return c.widen(c.extract(data, at));
                      });
  n.set(0, last ? y : t.unsqueeze(y, 0));
}

} // namespace nestor::onnx
