//===- Patches.cpp - Col2Im and Det ---------------------------------------===//
//
// Col2Im adds the columns of patches into an image (ordered loops, patches may
// overlap); Det eliminates below the pivots of a copy.
//
//===----------------------------------------------------------------------===//
#include "GridSample.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace nestor::onnx {

// X [N, C * kernel, positions] => [N, C, image...]
void importCol2Im(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  auto image = t.elements(n.input(1), "the image's shape"),
       block = t.elements(n.input(2), "the block's shape");
  if (n.failed())
    return;
  size_t spatial = image->size();
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
  auto dilations = list("dilations", spatial, 1, 1),
       strides = list("strides", spatial, 1, 1),
       pads = list("pads", 2 * spatial, 0, 0);
  if (n.failed())
    return;
  if (spatial == 0 || spatial > 6 || block->size() != spatial || x.rank() != 3)
    return n.malformed("the shapes do not fit");
  DimMath &d = t.dims;
  Dim zero = d.constant(0), one = d.constant(1), area = one;
  // Loops: n, c, the kernel's dims, the positions' dims.
  Dims split, shape, positions;
  for (size_t i = 0; i < spatial; ++i) {
    (*image)[i] = d.max((*image)[i], zero);
    (*block)[i] = d.max((*block)[i], one);
    area = d.mul(area, (*block)[i]);
    Dim reach =
        d.add(d.mul(d.sub((*block)[i], one), d.constant(dilations[i])), one);
    Dim padded = d.add((*image)[i], d.constant(pads[i] + pads[i + spatial]));
    positions.push_back(d.max(
        d.add(d.floorDiv(d.sub(padded, reach), d.constant(strides[i])), one),
        zero));
  }
  Dim channels = d.floorDiv(x.dims[1], area);
  split = {x.dims[0], channels};
  split.append(*block);
  split.append(positions);
  shape = {x.dims[0], channels};
  shape.append(*image);
  x = t.reshape(x, split);
  Array init = t.fill(x.type, shape, 0);
  if (n.failed() || !x || !init)
    return;
  SmallVector<Value> extents = d.toValues(shape);
  SmallVector<int32_t> kinds(split.size(), 2);
  kinds[0] = kinds[1] = 0;
  Type storage = storageType(t.builder.getContext(), x.type);
  n.set(0, t.loops(
               {x}, {init}, split, kinds,
               [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
                 SmallVector<Value> at = {loops[0], loops[1]};
                 Value inside = c.boolean(true);
                 for (size_t i = 0; i < spatial; ++i) {
                   Value k = c.mul(loops[2 + i], c.index(dilations[i]));
                   Value p = c.mul(loops[2 + spatial + i], c.index(strides[i]));
                   Value place = c.sub(c.add(p, k), c.index(pads[i]));
                   inside = c.conj(inside, c.conj(c.ge(place, c.index(0)),
                                                  c.lt(place, extents[2 + i])));
                   at.push_back(place);
                 }
                 c.when(inside, [&](Code &c) {
                   Value sum = c.add(c.widen(c.load(out[0], at)),
                                     c.widen(c.load(in[0], loops)));
                   c.store(c.narrow(sum, storage), out[0], at);
                 });
               })[0]);
}

// Gaussian elimination with the largest pivot of each column.
void importDet(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  if (x.rank() < 2 || !isFloat(x.type))
    return n.malformed("needs floats of rank 2 at least");
  DimMath &d = t.dims;
  Dim size = x.dims.back();
  t.require(size, x.dims[x.rank() - 2], "the matrices are not square");
  DataType type = x.type, acc = TensorBuilder::accumulator(type);
  Dims batch(x.dims.begin(), x.dims.end() - 2);
  Dim count = d.product(batch);
  x = t.reshape(t.convert(x, acc), {count, size, size});
  if (n.failed() || !x)
    return;
  Value rows = d.toValue(size);
  auto results = t.loops(
      {}, {x, t.undefined(acc, {count})}, {count}, {0},
      [&](Code &c, ValueRange i, ValueRange, ValueRange out) {
        Value m = out[0], zero = c.index(0);
        Type real = computeType(c.b.getContext(), acc);
        Value product = c.loop(
            zero, rows, {c.real(1, real)},
            [&](Code &c, Value k, ValueRange so) -> SmallVector<Value> {
              Value pivot = c.loop(
                  k, rows, {k},
                  [&](Code &c, Value r, ValueRange best) -> SmallVector<Value> {
                    Value a = c.abs(c.load(m, {i[0], r, k}));
                    Value b = c.abs(c.load(m, {i[0], best[0], k}));
                    return {c.select(c.gt(a, b), r, best[0])};
                  })[0];
              c.loop(zero, rows, {},
                     [&](Code &c, Value j, ValueRange) -> SmallVector<Value> {
                       Value a = c.load(m, {i[0], k, j});
                       Value b = c.load(m, {i[0], pivot, j});
                       c.store(b, m, {i[0], k, j});
                       c.store(a, m, {i[0], pivot, j});
                       return {};
                     });
              Value head = c.load(m, {i[0], k, k});
              Value singular = c.eq(head, c.like(0, head));
              Value divisor = c.select(singular, c.like(1, head), head);
              c.loop(c.add(k, c.index(1)), rows, {},
                     [&](Code &c, Value r, ValueRange) -> SmallVector<Value> {
                       Value factor = c.div(c.load(m, {i[0], r, k}), divisor);
                       c.loop(k, rows, {},
                              [&](Code &c, Value j,
                                  ValueRange) -> SmallVector<Value> {
                                Value a = c.load(m, {i[0], r, j});
                                Value b = c.load(m, {i[0], k, j});
                                c.store(c.sub(a, c.mul(factor, b)), m,
                                        {i[0], r, j});
                                return {};
                              });
                       return {};
                     });
              Value signedHead = c.select(c.eq(pivot, k), head, c.neg(head));
              return {c.mul(so[0], signedHead)};
            })[0];
        c.store(product, out[1], i);
      });
  n.set(0, t.convert(t.reshape(results[1], batch), type));
}

} // namespace nestor::onnx
