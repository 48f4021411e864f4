//===- Rearrange.cpp - Operators that only move elements ------------------===//
//
// DepthToSpace and SpaceToDepth are reshapes around a transpose; the others are
// one generic whose body says which element goes where.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace nestor::onnx {

void importDepthToSpace(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t block = n.requiredInteger("blocksize");
  llvm::StringRef mode = n.string("mode", "DCR");
  if (n.failed())
    return;
  if (x.rank() != 4 || block <= 0 || block > 65536 ||
      (mode != "DCR" && mode != "CRD"))
    return n.malformed("needs rank 4, a positive block size and a known mode");
  DimMath &d = t.dims;
  Dim b = d.constant(block), area = d.constant(block * block);
  Dim batch = x.dims[0], h = x.dims[2], w = x.dims[3];
  Dim channels = d.floorDiv(x.dims[1], area);
  t.require(d.mul(channels, area), x.dims[1],
            "the channels are no multiple of the block's area");
  Array y;
  if (mode == "DCR")
    y = t.transpose(t.reshape(x, {batch, b, b, channels, h, w}),
                    {0, 3, 4, 1, 5, 2});
  else
    y = t.transpose(t.reshape(x, {batch, channels, b, b, h, w}),
                    {0, 1, 4, 2, 5, 3});
  n.set(0, t.reshape(y, {batch, channels, d.mul(h, b), d.mul(w, b)}));
}

void importSpaceToDepth(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t block = n.requiredInteger("blocksize");
  if (n.failed())
    return;
  if (x.rank() != 4 || block <= 0 || block > 65536)
    return n.malformed("needs rank 4 and a positive block size");
  DimMath &d = t.dims;
  Dim b = d.constant(block);
  Dim h = d.floorDiv(x.dims[2], b), w = d.floorDiv(x.dims[3], b);
  t.require(d.mul(h, b), x.dims[2], "the height is no multiple of the block");
  t.require(d.mul(w, b), x.dims[3], "the width is no multiple of the block");
  Array y = t.transpose(t.reshape(x, {x.dims[0], x.dims[1], h, b, w, b}),
                        {0, 3, 5, 1, 2, 4});
  n.set(0, t.reshape(y, {x.dims[0], d.mul(x.dims[1], d.constant(block * block)),
                         h, w}));
}

// y[t, b] = x[length[b] - 1 - t, b] for t < length[b]
void importReverseSequence(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), lengths = n.input(1);
  int64_t batch = n.integer("batch_axis", 1), time = n.integer("time_axis", 0);
  if (n.failed())
    return;
  batch = n.axis(batch, x.rank());
  time = n.axis(time, x.rank());
  if (n.failed())
    return;
  if (batch == time || lengths.rank() != 1 || !isInteger(lengths.type))
    return n.malformed("the axes are equal or the lengths are no vector of "
                       "integers");
  t.require(lengths.dims[0], x.dims[batch],
            "there must be one length a batch "
            "entry");
  Value data = t.value(x), extent = t.dims.toValue(x.dims[time]);
  n.set(0,
        t.generic(x.type, x.dims, {{lengths, t.map(x.rank(), {t.d(batch)})}},
                  [&](Code &c, ValueRange v) {
                    SmallVector<Value> at;
                    for (int64_t i = 0; i < x.rank(); ++i)
                      at.push_back(c.loop(i));
                    Value last = c.sub(c.toIndex(v[0]), c.index(1));
                    Value turned = c.sub(last, at[time]);
                    turned = c.select(c.le(at[time], last), turned, at[time]);
                    at[time] = c.max(c.min(turned, c.sub(extent, c.index(1))),
                                     c.index(0));
                    return c.widen(c.extract(data, at));
                  }));
}

void importCenterCropPad(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  auto sizes = t.elements(n.input(1), "the shape");
  if (n.failed())
    return;
  SmallVector<int64_t> axes;
  if (auto list = n.integers("axes")) {
    auto checked = n.axes(*list, x.rank(), /*sort=*/false);
    if (!checked)
      return;
    axes = *checked;
  } else {
    for (int64_t i = 0; i < x.rank(); ++i)
      axes.push_back(i);
  }
  if (sizes->size() != axes.size())
    return n.malformed("there must be one size an axis");
  DimMath &d = t.dims;
  Dim zero = d.constant(0), two = d.constant(2);
  Dims shape(x.dims), padded(x.rank(), zero), cropped(x.rank(), zero);
  for (auto [axis, size] : llvm::zip(axes, *sizes)) {
    if (auto number = DimMath::value(size); number && *number < 0)
      return n.malformed("a size is negative");
    size = d.max(size, zero);
    shape[axis] = size;
    padded[axis] = d.floorDiv(d.max(d.sub(size, x.dims[axis]), zero), two);
    cropped[axis] = d.floorDiv(d.max(d.sub(x.dims[axis], size), zero), two);
  }
  Value data = t.value(x);
  SmallVector<Value> extents = d.toValues(x.dims), before = d.toValues(padded),
                     skipped = d.toValues(cropped);
  n.set(0, t.gather(x.type, shape, [&](Code &c) {
    SmallVector<Value> at;
    Value inside = c.boolean(true);
    for (int64_t i = 0; i < x.rank(); ++i) {
      Value from = c.add(c.sub(c.loop(i), before[i]), skipped[i]);
      inside = c.conj(inside,
                      c.conj(c.ge(from, c.index(0)), c.lt(from, extents[i])));
      at.push_back(
          c.max(c.min(from, c.sub(extents[i], c.index(1))), c.index(0)));
    }
    Value element = c.widen(c.extract(data, at));
    return c.select(inside, element, c.like(0, element));
  }));
}

void importTrilu(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), k = n.optional(1);
  bool upper = n.integer("upper", 1);
  if (n.failed())
    return;
  if (x.rank() < 2)
    return n.malformed("needs rank 2 at least");
  Dim shift = t.dims.constant(0);
  if (k) {
    auto elements = t.elements(k, "the diagonal");
    if (!elements)
      return;
    if (elements->size() != 1)
      return n.malformed("the diagonal must be one number");
    shift = (*elements)[0];
  }
  Value offset = t.dims.toValue(shift);
  int64_t rank = x.rank();
  n.set(0,
        t.generic(x.type, x.dims, {{x, t.builder.getMultiDimIdentityMap(rank)}},
                  [&](Code &c, ValueRange v) {
                    Value diagonal = c.add(c.loop(rank - 2), offset);
                    Value keep = upper ? c.ge(c.loop(rank - 1), diagonal)
                                       : c.le(c.loop(rank - 1), diagonal);
                    return c.select(keep, v[0], c.like(0, v[0]));
                  }));
}

void importEyeLike(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t k = n.integer("k", 0);
  auto type = DataType(n.integer("dtype", 0));
  if (n.failed())
    return;
  if (type == DataType::Undefined)
    type = x.type;
  Type element = computeType(t.builder.getContext(), type);
  if (x.rank() != 2)
    return n.malformed("needs rank 2");
  if (!element)
    return n.unsupported("makes " + dataTypeName(type));
  n.set(0, t.gather(type, x.dims, [&](Code &c) {
    Value diagonal = c.eq(c.loop(1), c.add(c.loop(0), c.index(k)));
    return c.select(diagonal, c.number(1, element), c.number(0, element));
  }));
}

void importOneHot(NodeContext &n, TensorBuilder &t) {
  Array indices = n.input(0), depth = n.input(1), values = n.input(2);
  int64_t axis = n.integer("axis", -1);
  if (n.failed())
    return;
  axis = n.axis(axis, indices.rank() + 1);
  auto sizes = t.elements(t.convert(depth, DataType::Int64), "the depth");
  if (n.failed() || !sizes)
    return;
  if (sizes->size() != 1 || values.rank() != 1 ||
      indices.type == DataType::Bool)
    return n.malformed("the depth must be one number, the values two");
  t.require(values.dims[0], t.dims.constant(2), "the values must be two");
  Dim size = t.dims.max((*sizes)[0], t.dims.constant(0));
  Dims shape(indices.dims);
  shape.insert(shape.begin() + axis, size);
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < indices.rank(); ++i)
    exprs.push_back(t.d(i < axis ? i : i + 1));
  unsigned rank = shape.size();
  Value extent = t.dims.toValue(size);
  n.set(0, t.generic(values.type, shape,
                     {{indices, t.map(rank, exprs)},
                      {values, t.map(rank, {t.c(0)})},
                      {values, t.map(rank, {t.c(1)})}},
                     [&](Code &c, ValueRange v) {
                       Value index = c.toIndex(
                           c.cast(v[0], indices.type, DataType::Int64));
                       index = c.select(c.lt(index, c.index(0)),
                                        c.add(index, extent), index);
                       return c.select(c.eq(index, c.loop(axis)), v[2], v[1]);
                     }));
}

void importBitCast(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  auto to = DataType(n.requiredInteger("to"));
  if (n.failed())
    return;
  Type from = storageType(t.builder.getContext(), x.type);
  Type type = storageType(t.builder.getContext(), to);
  if (!type)
    return n.unsupported("makes " + dataTypeName(to));
  if (dataTypeBits(x.type) != dataTypeBits(to))
    return n.malformed("the types have different sizes");
  Value data = t.value(x);
  n.set(0, t.gather(to, x.dims, [&](Code &c) -> Value {
    SmallVector<Value> at;
    for (int64_t i = 0; i < x.rank(); ++i)
      at.push_back(c.loop(i));
    Value bits = c.extract(data, at);
    if (from == type)
      return bits;
    if (x.type == DataType::Bool)
      return arith::ExtUIOp::create(c.b, c.loc, type, bits);
    if (to == DataType::Bool)
      return c.ne(bits, c.like(0, bits));
    return arith::BitcastOp::create(c.b, c.loc, type, bits);
  }));
}

} // namespace nestor::onnx
