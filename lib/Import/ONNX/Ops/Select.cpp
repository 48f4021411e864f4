//===- Select.cpp - Results as large as the data says ---------------------===//
//
// NonZero, Compress and Unique: ordered loops count, the count is read to the
// host as a size, ordered loops write that many.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// A size from an int64 tensor of one element.
static Dim sizeOf(TensorBuilder &t, Array counter) {
  if (!counter)
    return t.dims.constant(0);
  Code c(t.builder, t.loc);
  Value size = c.toIndex(c.extract(t.value(counter), {c.index(0)}));
  t.dims.setNonNegative(size);
  return size;
}

static Array zeros(TensorBuilder &t, llvm::ArrayRef<Dim> shape) {
  return t.fill(DataType::Int64, shape, 0);
}

/// `counter[0]` as an index, then one more.
static Value next(Code &c, Value counter) {
  Value zero = c.index(0), count = c.load(counter, {zero});
  c.store(c.add(count, c.like(1, count)), counter, {zero});
  return c.toIndex(count);
}

static SmallVector<Value> many(ValueRange values) {
  return SmallVector<Value>(values);
}

namespace nestor::onnx {

void importNonZero(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  Dim one = t.dims.constant(1);
  int64_t rank = x.rank();
  if (rank == 0)
    x = t.reshape(x, {one});
  if (!x)
    return;
  SmallVector<int32_t> kinds(x.rank(), 2);
  auto nonZero = [&](Code &c, Value v) {
    v = c.widen(v);
    return c.ne(v, c.like(0, v));
  };
  Array count = t.loops(
      {x}, {zeros(t, {one})}, x.dims, kinds,
      [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
        c.when(nonZero(c, c.load(in[0], i)), [&](Code &c) { next(c, out[0]); });
      })[0];
  Dim found = sizeOf(t, count);
  Array places =
      t.undefined(DataType::Int64, {t.dims.constant(x.rank()), found});
  places = t.loops({x}, {places, zeros(t, {one})}, x.dims, kinds,
                   [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
                     c.when(nonZero(c, c.load(in[0], i)), [&](Code &c) {
                       Value at = next(c, out[1]);
                       for (int64_t k = 0; k < x.rank(); ++k)
                         c.store(c.fromIndex(i[k], c.b.getI64Type()), out[0],
                                 {c.index(k), at});
                     });
                   })[0];
  if (rank == 0) // a scalar has no coordinates
    places = t.undefined(DataType::Int64, {t.dims.constant(0), found});
  n.set(0, places);
}

void importCompress(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), condition = n.input(1);
  if (n.failed())
    return;
  if (condition.rank() != 1 || condition.type != DataType::Bool)
    return n.malformed("the condition must be a vector of bools");
  int64_t axis = 0;
  if (n.hasAttribute("axis"))
    axis = n.axis(n.integer("axis", 0), x.rank());
  else
    x = t.reshape(x, {t.dims.product(x.dims)});
  if (n.failed())
    return;
  Dim one = t.dims.constant(1);
  Dim limit = t.dims.min(condition.dims[0], x.dims[axis]);
  Array count =
      t.loops({condition}, {zeros(t, {one})}, {limit}, {2},
              [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
                c.when(c.load(in[0], i), [&](Code &c) { next(c, out[0]); });
              })[0];
  Dim found = sizeOf(t, count);
  Array places = t.undefined(DataType::Int64, {found});
  places = t.loops({condition}, {places, zeros(t, {one})}, {limit}, {2},
                   [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
                     c.when(c.load(in[0], i), [&](Code &c) {
                       c.store(c.fromIndex(i[0], c.b.getI64Type()), out[0],
                               {next(c, out[1])});
                     });
                   })[0];
  if (n.failed())
    return;
  Dims shape(x.dims);
  shape[axis] = found;
  Value data = t.value(x), extent = t.dims.toValue(x.dims[axis]);
  n.set(0, t.generic(x.type, shape, {{places, t.map(x.rank(), {t.d(axis)})}},
                     [&](Code &c, ValueRange v) {
                       SmallVector<Value> at;
                       for (int64_t i = 0; i < x.rank(); ++i)
                         at.push_back(i == axis
                                          ? c.wrapIndex(c.toIndex(v[0]), extent)
                                          : c.loop(i));
                       return c.widen(c.extract(data, at));
                     }));
}

// The rows of [N, M] (one axis against the others, or all elements) compared
// pairwise: first[i] is the first row equal to row i, rank[i] the place of a
// first row among the results.
void importUnique(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  bool sorted = n.integer("sorted", 1);
  if (n.failed())
    return;
  DimMath &d = t.dims;
  DataType i64 = DataType::Int64;
  std::optional<int64_t> axis;
  SmallVector<int64_t> perm;
  Dims rest;
  if (n.hasAttribute("axis")) {
    axis = n.axis(n.integer("axis", 0), x.rank());
    if (n.failed())
      return;
    perm.push_back(*axis);
    for (int64_t i = 0; i < x.rank(); ++i)
      if (i != *axis) {
        perm.push_back(i);
        rest.push_back(x.dims[i]);
      }
    x = t.transpose(x, perm);
  }
  if (!x)
    return;
  Dim one = d.constant(1), rows = axis ? x.dims[0] : d.product(x.dims),
      width = axis ? d.product(rest) : one;
  x = t.reshape(x, {rows, width});
  Value rowCount = d.toValue(rows), columns = d.toValue(width);
  bool u = isUnsigned(x.type);

  // -1, 0 or 1: how row i compares with row j
  auto compare = [&](Code &c, Value data, Value i, Value j) {
    Type i32 = c.b.getI32Type();
    return c.loop(c.index(0), columns, {c.integer(0, i32)},
                  [&](Code &c, Value m, ValueRange so) {
                    Value a = c.widen(c.load(data, {i, m}));
                    Value b = c.widen(c.load(data, {j, m}));
                    Value zero = c.integer(0, i32);
                    Value less = c.lt(a, b, u), more = c.lt(b, a, u);
                    Value here =
                        c.select(less, c.integer(-1, i32),
                                 c.select(more, c.integer(1, i32), zero));
                    if (isFloat(x.type)) // a NaN equals nothing
                      here = c.select(c.disj(c.isNan(a), c.isNan(b)),
                                      c.integer(1, i32), here);
                    return many(c.select(c.eq(so[0], zero), here, so[0]));
                  })[0];
  };
  Array first = t.loops(
      {x}, {t.undefined(i64, {rows})}, {rows}, {0},
      [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
        Value found = c.loop(
            c.index(0), i[0], {i[0]}, [&](Code &c, Value j, ValueRange so) {
              Value order = compare(c, in[0], i[0], j);
              Value better =
                  c.conj(c.eq(order, c.like(0, order)), c.lt(j, so[0]));
              return many(c.select(better, j, so[0]));
            })[0];
        c.store(c.fromIndex(found, c.b.getI64Type()), out[0], i);
      })[0];
  auto isFirst = [](Code &c, Value table, Value i) {
    return c.eq(c.toIndex(c.load(table, {i})), i);
  };
  Array rank = t.loops(
      {x, first}, {t.undefined(i64, {rows})}, {rows}, {0},
      [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
        Value place = c.loop(
            c.index(0), rowCount, {c.index(0)},
            [&](Code &c, Value j, ValueRange so) {
              Value before;
              if (sorted) {
                Value order = compare(c, in[0], j, i[0]);
                before = c.lt(order, c.like(0, order));
              } else {
                before = c.lt(j, i[0]);
              }
              before = c.conj(before, isFirst(c, in[1], j));
              return many(c.select(before, c.add(so[0], c.index(1)), so[0]));
            })[0];
        c.store(c.fromIndex(place, c.b.getI64Type()), out[0], i);
      })[0];
  Array count = t.loops(
      {first}, {zeros(t, {one})}, {rows}, {2},
      [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
        c.when(isFirst(c, in[0], i[0]), [&](Code &c) { next(c, out[0]); });
      })[0];
  Dim found = sizeOf(t, count);
  if (n.failed())
    return;
  Value limit = d.toValue(found);
  SmallVector<Array> made = t.loops(
      {x, first, rank},
      {t.undefined(x.type, {found, width}), zeros(t, {found}),
       t.undefined(i64, {rows}), zeros(t, {found})},
      {rows}, {2}, [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
        Type type = c.b.getI64Type();
        Value leader = c.wrapIndex(c.toIndex(c.load(in[1], i)), rowCount);
        Value raw = c.load(in[2], {leader});
        Value place = c.wrapIndex(c.toIndex(raw), limit);
        c.store(raw, out[2], i);
        Value so = c.load(out[3], {place});
        c.store(c.add(so, c.like(1, so)), out[3], {place});
        c.when(c.eq(leader, i[0]), [&](Code &c) {
          c.store(c.fromIndex(i[0], type), out[1], {place});
          c.loop(c.index(0), columns, {},
                 [&](Code &c, Value m, ValueRange) -> SmallVector<Value> {
                   c.store(c.load(in[0], {i[0], m}), out[0], {place, m});
                   return {};
                 });
        });
      });
  Array y = made[0];
  if (axis) {
    Dims shape(rest);
    shape.insert(shape.begin(), found);
    SmallVector<int64_t> back(perm.size());
    for (auto [i, p] : llvm::enumerate(perm))
      back[p] = i;
    y = t.transpose(t.reshape(y, shape), back);
  } else {
    y = t.reshape(y, {found});
  }
  n.set(0, y);
  for (unsigned i = 1; i < 4; ++i)
    if (n.wants(i))
      n.set(i, made[i]);
}

} // namespace nestor::onnx
