//===- Concat.cpp - Concat, Split, Tile, Where, Range ---------------------===//
//
// Operators that put tensors together and take them apart.
//
//===----------------------------------------------------------------------===//
#include "Axes.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace nestor::onnx {

void importConcat(NodeContext &n, TensorBuilder &t) {
  SmallVector<Array> inputs = n.allInputs();
  int64_t axis = n.requiredInteger("axis");
  if (n.failed())
    return;
  axis = n.axis(axis, inputs[0].rank());
  if (n.failed())
    return;
  n.set(0, t.concat(inputs, axis));
}

void importSplit(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t axis = n.integer("axis", 0);
  if (n.failed())
    return;
  axis = n.axis(axis, x.rank());
  if (n.failed())
    return;
  DimMath &d = t.dims;
  std::optional<Dims> sizes;
  if (auto list = n.integers("split")) {
    for (int64_t size : *list)
      if (size < 0)
        return n.malformed("a part has a negative size");
    sizes = d.constants(*list);
  } else if (n.has(1)) {
    sizes = sizesFrom(n, t, n.input(1), "split");
  } else {
    int64_t parts = n.outputCount();
    if (n.integer("num_outputs", parts) != parts || parts == 0)
      return n.malformed("num_outputs is not the number of outputs");
    Dim part = d.ceilDiv(x.dims[axis], d.constant(parts));
    sizes.emplace(parts, part);
    Dim rest = d.sub(x.dims[axis], d.mul(part, d.constant(parts - 1)));
    if (n.version() < 18)
      t.require(rest, part, "the dim does not split evenly");
    else if (!d.equal(rest, part))
      sizes->back() = d.max(rest, d.constant(0));
  }
  if (n.failed())
    return;
  if (sizes->size() != n.outputCount())
    return n.malformed("split has " + llvm::Twine(sizes->size()) +
                       " sizes for " + llvm::Twine(n.outputCount()) +
                       " outputs");
  Dim total = d.constant(0);
  for (Dim size : *sizes)
    total = d.add(total, size);
  t.require(total, x.dims[axis], "the parts do not make up the whole");
  Dims starts(x.rank(), d.constant(0)), steps(x.rank(), d.constant(1)),
      shape(x.dims);
  for (auto [i, size] : llvm::enumerate(*sizes)) {
    shape[axis] = size;
    if (n.wants(i))
      n.set(i, t.slice(x, starts, steps, shape));
    starts[axis] = d.add(starts[axis], size);
  }
}

void importTile(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  auto repeats = sizesFrom(n, t, n.input(1), "repeats");
  if (n.failed())
    return;
  if (int64_t(repeats->size()) != x.rank())
    return n.malformed("repeats must have one entry a dim");
  Dims shape;
  bool none = true;
  for (auto [dim, repeat] : llvm::zip(x.dims, *repeats)) {
    shape.push_back(t.dims.mul(dim, repeat));
    none &= DimMath::isOne(repeat);
  }
  if (none)
    return n.set(0, x);
  Value data = t.value(x);
  SmallVector<Value> sizes = t.dims.toValues(x.dims);
  n.set(0, t.gather(x.type, shape, [&](Code &c) {
    SmallVector<Value> at;
    for (int64_t i = 0; i < x.rank(); ++i) {
      if (DimMath::isOne((*repeats)[i]))
        at.push_back(c.loop(i));
      else if (DimMath::isOne(x.dims[i]))
        at.push_back(c.index(0));
      else
        at.push_back(c.rem(c.loop(i), sizes[i], /*isUnsigned=*/true));
    }
    return c.widen(c.extract(data, at));
  }));
}

void importWhere(NodeContext &n, TensorBuilder &t) {
  Array condition = n.input(0), a = n.input(1), b = n.input(2);
  if (n.failed())
    return;
  if (condition.type != DataType::Bool || a.type != b.type)
    return n.malformed("the condition must be bool, the others of one type");
  if (condition.known && a.known && b.known && !isFloat(a.type)) {
    auto shape = t.broadcast({condition.dims, a.dims, b.dims});
    if (!shape)
      return;
    Array c = t.broadcastTo(condition, *shape), x = t.broadcastTo(a, *shape),
          y = t.broadcastTo(b, *shape);
    if (c && x && y && c.known && x.known && y.known) {
      Dims elements;
      for (auto [bit, u, v] : llvm::zip(*c.known, *x.known, *y.known))
        elements.push_back(t.dims.select(bit, u, v));
      return n.set(0, t.known(a.type, *shape, elements));
    }
  }
  n.set(0, t.elementwise(a.type, {condition, a, b}, [](Code &c, ValueRange v) {
    return c.select(v[0], v[1], v[2]);
  }));
}

/// The number of elements of a float Range.
static Dim countFloat(TensorBuilder &t, Array start, Array limit, Array delta) {
  auto a = t.number(start), b = t.number(limit), s = t.number(delta);
  if (a && b && s) {
    double count = std::ceil((*b - *a) / *s);
    return t.dims.constant(count > 0 && count < 9e15 ? int64_t(count) : 0);
  }
  Code c(t.builder, t.loc);
  auto wide = [&](Array v) {
    return c.cast(t.scalarValue(v), v.type, DataType::Double);
  };
  Value count = c.ceil(c.div(c.sub(wide(limit), wide(start)), wide(delta)));
  count = arith::MaxNumFOp::create(c.b, c.loc, count, c.like(0, count));
  count = arith::MinNumFOp::create(c.b, c.loc, count, c.like(9e15, count));
  Value whole = c.cast(count, DataType::Double, DataType::Int64);
  Value size = c.toIndex(whole);
  t.dims.setNonNegative(size);
  return size;
}

void importRange(NodeContext &n, TensorBuilder &t) {
  Array start = n.input(0), limit = n.input(1), delta = n.input(2);
  if (n.failed())
    return;
  if (start.type != limit.type || start.type != delta.type)
    return n.malformed("start, limit and delta must have one type");
  DimMath &d = t.dims;
  auto scalar = [&](Array &v) {
    t.require(d.product(v.dims), d.constant(1), "must be a scalar");
    v = t.reshape(v, {});
  };
  scalar(start);
  scalar(limit);
  scalar(delta);
  if (n.failed())
    return;
  if (t.number(delta) == 0)
    return n.malformed("the step is 0");
  if (isFloat(start.type)) {
    Dim count = countFloat(t, start, limit, delta);
    return n.set(0, t.elementwiseTo(start.type, {count}, {start, delta},
                                    [&](Code &c, ValueRange v) {
                                      Value i = c.fromIndex(c.loop(0),
                                                            v[0].getType());
                                      return c.add(v[0], c.mul(i, v[1]));
                                    }));
  }
  auto a = t.elements(start, "start"), b = t.elements(limit, "limit"),
       s = t.elements(delta, "delta");
  if (n.failed())
    return;
  using P = arith::CmpIPredicate;
  Dim zero = d.constant(0), one = d.constant(1), step = (*s)[0];
  if (!DimMath::value(step)) {
    Dim bad = d.compare(P::eq, step, zero);
    t.check(arith::CmpIOp::create(t.builder, t.loc, P::eq, d.toValue(bad),
                                  d.toValue(zero)),
            "the step is 0");
    step = d.select(bad, one, step);
  }
  Dim span = d.sub((*b)[0], (*a)[0]);
  Dim count = d.select(d.compare(P::sgt, step, zero),
                       d.floorDiv(d.add(span, d.sub(step, one)), step),
                       d.floorDiv(d.add(span, d.add(step, one)), step));
  count = d.max(count, zero);
  auto number = DimMath::value(count);
  if (number && *number <= kKnownLimit) {
    Dims elements;
    for (int64_t i = 0; i < *number; ++i)
      elements.push_back(d.add((*a)[0], d.mul(d.constant(i), step)));
    return n.set(0, t.known(start.type, {count}, elements));
  }
  Value first = d.toValue((*a)[0]), by = d.toValue(step);
  Type type = storageType(t.builder.getContext(), start.type);
  n.set(0, t.gather(start.type, {count}, [&](Code &c) {
    return c.fromIndex(c.add(first, c.mul(c.loop(0), by)), type);
  }));
}

} // namespace nestor::onnx
