//===- Pool.cpp - MaxPool, AveragePool, LpPool and the global ones --------===//
//
// before: a pooling over windows
// after:  the input padded with the neutral element, one reduction over the
//         window (an undefined tensor gives the loops their extents); averages
//         divide by a count computed from the position
//
//===----------------------------------------------------------------------===//
#include "Convolution.h"
#include "Normalize.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// Reduces the windows of x (padded already).
static Array reduceWindows(TensorBuilder &t, Array x, const Window &w,
                           DataType acc, TypedAttr start, ElementFn body) {
  if (!x)
    return {};
  unsigned spatial = w.kernel.size(), loops = 2 + 2 * spatial;
  Dims shape{x.dims[0], x.dims[1]};
  shape.append(w.out);
  SmallVector<AffineExpr> xExprs{t.d(0), t.d(1)}, kExprs;
  for (unsigned i = 0; i < spatial; ++i) {
    xExprs.push_back(t.d(2 + i) * w.strides[i] +
                     t.d(2 + spatial + i) * w.dilations[i]);
    kExprs.push_back(t.d(2 + spatial + i));
  }
  return t.reduction(acc, shape, spatial,
                     {{x, t.map(loops, xExprs)},
                      {t.undefined(x.type, w.kernel), t.map(loops, kExprs)}},
                     start, body);
}

static std::optional<Window> poolWindow(NodeContext &n, TensorBuilder &t,
                                        const Array &x) {
  auto shape = n.integers("kernel_shape");
  if (n.failed())
    return std::nullopt;
  if (!shape) {
    n.malformed("attribute 'kernel_shape' is missing");
    return std::nullopt;
  }
  return windowOf(n, t, x, t.dims.constants(*shape));
}

/// The index of the greatest element of each window in the whole tensor.
static Array maxIndices(TensorBuilder &t, Array x, const Window &w,
                        bool columnMajor) {
  DimMath &d = t.dims;
  unsigned spatial = w.kernel.size();
  Dims shape{x.dims[0], x.dims[1]};
  shape.append(w.out);
  SmallVector<int32_t> kinds(shape.size(), 0);
  SmallVector<Value> sizes = d.toValues(x.dims), kernel = d.toValues(w.kernel),
                     before = d.toValues(w.before);
  Value total = d.toValue(d.product(w.kernel));
  bool u = isUnsigned(x.type);
  return t.loops(
      {x}, {t.undefined(DataType::Int64, shape)}, shape, kinds,
      [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
        Value start = c.lowest(x.type), none = c.index(-1);
        auto found = c.loop(
            c.index(0), total, {none, start},
            [&](Code &b, Value k, ValueRange best) -> SmallVector<Value> {
              // k counts the window's elements in row-major order.
              SmallVector<Value> at(2 + spatial);
              at[0] = i[0];
              at[1] = i[1];
              Value rest = k, inside = b.boolean(true), zero = b.index(0);
              for (unsigned s = spatial; s-- > 0;) {
                Value own = b.rem(rest, kernel[s], true);
                rest = b.div(rest, kernel[s], true);
                Value p = b.sub(b.add(b.mul(i[2 + s], b.index(w.strides[s])),
                                      b.mul(own, b.index(w.dilations[s]))),
                                before[s]);
                inside = b.conj(inside,
                                b.conj(b.ge(p, zero), b.lt(p, sizes[2 + s])));
                at[2 + s] =
                    b.max(b.min(p, b.sub(sizes[2 + s], b.index(1))), zero);
              }
              Value v = b.widen(b.load(in[0], at));
              Value better = b.conj(inside, b.disj(b.gt(v, best[1], u),
                                                   b.lt(best[0], b.index(0))));
              Value linear = b.add(b.mul(at[0], sizes[1]), at[1]);
              if (columnMajor) {
                Value plane = zero, area = b.index(1);
                for (unsigned s = 0; s < spatial; ++s) {
                  plane = b.add(plane, b.mul(at[2 + s], area));
                  area = b.mul(area, sizes[2 + s]);
                }
                linear = b.add(b.mul(linear, area), plane);
              } else {
                for (unsigned s = 0; s < spatial; ++s)
                  linear = b.add(b.mul(linear, sizes[2 + s]), at[2 + s]);
              }
              return {b.select(better, linear, best[0]),
                      b.select(better, v, best[1])};
            });
        c.store(c.fromIndex(found[0], c.b.getI64Type()), out[0], i);
      })[0];
}

namespace nestor::onnx {

void importMaxPool(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t order = n.integer("storage_order", 0);
  if (n.failed())
    return;
  auto window = poolWindow(n, t, x);
  if (!window)
    return;
  bool u = isUnsigned(x.type);
  Array lowest;
  TypedAttr start = t.lowestValue(x.type);
  if (auto real = dyn_cast<FloatAttr>(start))
    lowest = t.scalar(x.type, real.getValueAsDouble());
  else
    lowest = t.known(
        x.type, {},
        {t.dims.constant(
            u ? 0 : llvm::cast<IntegerAttr>(start).getValue().getSExtValue())});
  Array padded = padSpatial(t, x, *window, lowest);
  n.set(0, reduceWindows(
               t, padded, *window, x.type, start,
               [&](Code &c, ValueRange v) { return c.max(v[2], v[0], u); }));
  if (n.wants(1))
    n.set(1, maxIndices(t, x, *window, order == 1));
}

void importAveragePool(NodeContext &n, TensorBuilder &t) {
  Array x = n.realInput(0);
  bool includePad = n.integer("count_include_pad", 0);
  if (n.failed())
    return;
  auto window = poolWindow(n, t, x);
  if (!window)
    return;
  DimMath &d = t.dims;
  DataType acc = TensorBuilder::accumulator(x.type);
  Array padded = padSpatial(t, x, *window, t.scalar(x.type, 0));
  Array sum =
      reduceWindows(t, padded, *window, acc, t.startValue(acc, 0),
                    [](Code &c, ValueRange v) { return c.add(v[2], v[0]); });
  if (!sum)
    return;
  unsigned spatial = window->kernel.size();
  // The elements of a window in dim i that count.
  bool whole = true;
  SmallVector<Value> low, high, kernel = d.toValues(window->kernel),
                                before = d.toValues(window->before);
  for (unsigned i = 0; i < spatial; ++i) {
    whole &= DimMath::value(window->before[i]) == 0 &&
             DimMath::value(window->reach[i]) == 0;
    Dim size = x.dims[2 + i];
    low.push_back(d.toValue(includePad ? d.sub(d.constant(0), window->before[i])
                                       : d.constant(0)));
    high.push_back(
        d.toValue(includePad ? d.add(size, window->after[i]) : size));
  }
  Dim area = d.product(window->kernel);
  if (whole && DimMath::value(area)) {
    // A division: what the reference does, bit for bit.
    Array divisor = t.scalar(acc, *DimMath::value(area));
    return n.set(0, t.convert(t.div(sum, divisor), x.type));
  }
  n.set(0, t.elementwise(x.type, {sum}, [&](Code &c, ValueRange v) {
    Value count = c.index(1), zero = c.index(0);
    for (unsigned i = 0; i < spatial; ++i) {
      Value first =
          c.sub(c.mul(c.loop(2 + i), c.index(window->strides[i])), before[i]);
      Value step = c.index(window->dilations[i]);
      auto ceilDiv = [&](Value a) {
        return window->dilations[i] == 1
                   ? a
                   : arith::CeilDivSIOp::create(c.b, c.loc, a, step)
                         .getResult();
      };
      Value from = ceilDiv(c.max(c.sub(low[i], first), zero));
      Value to = c.min(ceilDiv(c.sub(high[i], first)), kernel[i]);
      count = c.mul(count, c.max(c.sub(to, from), zero));
    }
    Value divisor = c.fromIndex(c.max(count, c.index(1)), v[0].getType());
    return c.cast(c.div(v[0], divisor), acc, x.type);
  }));
}

/// x^(1/p) of a sum of |x|^p.
static Value lpTerm(Code &c, Value x, int64_t p) {
  return p == 1   ? c.abs(x)
         : p == 2 ? c.mul(x, x)
                  : c.pow(c.abs(x), c.like(double(p), x));
}
static Value lpRoot(Code &c, Value x, int64_t p) {
  return p == 1 ? x : p == 2 ? c.sqrt(x) : c.pow(x, c.like(1.0 / double(p), x));
}

void importLpPool(NodeContext &n, TensorBuilder &t) {
  Array x = n.realInput(0);
  int64_t p = n.integer("p", 2);
  if (n.failed())
    return;
  if (p < 1)
    return n.malformed("p must be positive");
  auto window = poolWindow(n, t, x);
  if (!window)
    return;
  DataType acc = TensorBuilder::accumulator(x.type);
  Array padded = padSpatial(t, x, *window, t.scalar(x.type, 0));
  Array sum = reduceWindows(
      t, padded, *window, acc, t.startValue(acc, 0),
      [&](Code &c, ValueRange v) { return c.add(v[2], lpTerm(c, v[0], p)); });
  n.set(0, t.elementwise(x.type, {sum}, [&](Code &c, ValueRange v) {
    return c.cast(lpRoot(c, v[0], p), acc, x.type);
  }));
}

void importGlobalPool(NodeContext &n, TensorBuilder &t) {
  Array x = n.op() == "GlobalMaxPool" ? n.input(0) : n.realInput(0);
  int64_t p = n.integer("p", 2);
  if (n.failed())
    return;
  if (x.rank() < 2)
    return n.malformed("the data must have channels");
  SmallVector<int64_t> axes;
  for (int64_t i = 2; i < x.rank(); ++i)
    axes.push_back(i);
  DataType acc = TensorBuilder::accumulator(x.type);
  if (n.op() == "GlobalMaxPool")
    return n.set(0, t.maxKeep(x, axes));
  if (n.op() == "GlobalAveragePool")
    return n.set(0, t.convert(meanKeep(t, t.convert(x, acc), axes), x.type));
  Array sum = t.keepDims(t.reduceAxes(acc, x, axes, t.startValue(acc, 0),
                                      [&](Code &c, ValueRange v) {
                                        return c.add(v[1], lpTerm(c, v[0], p));
                                      }),
                         axes);
  n.set(0, t.elementwise(x.type, {sum}, [&](Code &c, ValueRange v) {
    return c.cast(lpRoot(c, v[0], p), acc, x.type);
  }));
}

} // namespace nestor::onnx
