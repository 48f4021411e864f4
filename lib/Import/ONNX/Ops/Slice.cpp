//===- Slice.cpp - Slice --------------------------------------------------===//
//
// before: Y = X[start:end:step] on some axes
// after:  a gather with index start + i * step; known contents are sliced as
//         numbers, so that sizes cut out of a shape stay sizes
//
//===----------------------------------------------------------------------===//
#include "Axes.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;
using P = arith::CmpIPredicate;

/// "To the end" is written as a very large number.
static bool isInfinite(Dim dim) {
  auto n = DimMath::value(dim);
  return n && (*n >= INT32_MAX || *n <= INT32_MIN);
}

/// A bound of a slice brought into [low, high]; negative ones count from the
/// end.
static Dim bound(TensorBuilder &t, Dim v, Dim size, Dim low, Dim high) {
  DimMath &d = t.dims;
  if (isInfinite(v))
    return *DimMath::value(v) > 0 ? high : low;
  if (auto n = DimMath::value(v))
    v = *n < 0 ? d.add(v, size) : v;
  else if (!d.atLeast(v, d.constant(0)))
    v = d.select(d.compare(P::slt, v, d.constant(0)), d.add(v, size), v);
  return d.max(d.min(v, high), low);
}

namespace {
struct Cut {
  Dim start, step, count;
};
} // namespace

/// The elements that start:end:step takes of a dim.
static Cut cut(TensorBuilder &t, Dim start, Dim end, Dim step, Dim size) {
  DimMath &d = t.dims;
  Dim zero = d.constant(0), one = d.constant(1), last = d.sub(size, one);
  Dim forward = d.compare(P::sgt, step, zero);
  Dim from = d.select(forward, bound(t, start, size, zero, size),
                      bound(t, start, size, zero, last));
  Dim to = d.select(forward, bound(t, end, size, zero, size),
                    bound(t, end, size, d.constant(-1), last));
  Dim stride = d.select(forward, step, d.sub(zero, step));
  Dim span = d.select(forward, d.sub(to, from), d.sub(from, to));
  Dim count = d.max(d.ceilDiv(span, stride), zero);
  if (DimMath::value(forward) != 1) // an empty dim stays empty
    count = d.min(count, size);
  return {from, step, count};
}

namespace nestor::onnx {
void importSlice(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  DimMath &d = t.dims;
  std::optional<Dims> starts, ends, steps, axes;
  if (n.version() < 10) {
    auto first = n.integers("starts"), last = n.integers("ends");
    if (!first || !last)
      return n.malformed("attributes 'starts' and 'ends' are needed");
    starts = d.constants(*first);
    ends = d.constants(*last);
    if (auto list = n.integers("axes"))
      axes = d.constants(*list);
  } else {
    starts = t.elements(n.input(1), "starts");
    ends = t.elements(n.input(2), "ends");
    if (n.has(3))
      axes = t.elements(n.input(3), "axes");
    if (n.has(4))
      steps = t.elements(n.input(4), "steps");
  }
  if (n.failed())
    return;
  if (!axes) {
    axes.emplace();
    for (size_t i = 0; i < starts->size(); ++i)
      axes->push_back(d.constant(i));
  }
  if (starts->size() != axes->size() || ends->size() != axes->size() ||
      (steps && steps->size() != axes->size()))
    return n.malformed("starts, ends, axes and steps differ in length");
  // Checks the axes that are numbers.
  if (!axisMask(n, t, *axes, x.rank()))
    return;

  Dim zero = d.constant(0), one = d.constant(1);
  Dims from(x.rank(), zero), by(x.rank(), one), sizes(x.dims);
  for (size_t i = 0; i < axes->size(); ++i) {
    Dim step = steps ? (*steps)[i] : one;
    auto number = DimMath::value(step);
    if (number == 0)
      return n.malformed("a step is 0");
    // No dim is longer than this, so a longer step takes one element.
    if (number)
      step = d.constant(
          std::clamp<int64_t>(*number, -int64_t(INT32_MAX), INT32_MAX));
    else {
      Dim bad = d.compare(P::eq, step, zero);
      t.check(arith::CmpIOp::create(t.builder, t.loc, P::eq, d.toValue(bad),
                                    d.toValue(zero)),
              "a step is 0");
      step = d.select(bad, one, step);
      step = d.max(d.min(step, d.constant(INT32_MAX)), d.constant(-INT32_MAX));
    }
    auto axis = DimMath::value((*axes)[i]);
    if (axis) {
      int64_t at = n.axis(*axis, x.rank());
      Cut c = cut(t, (*starts)[i], (*ends)[i], step, x.dims[at]);
      from[at] = c.start;
      by[at] = c.step;
      sizes[at] = c.count;
      continue;
    }
    auto mask = axisMask(n, t, {(*axes)[i]}, x.rank());
    for (int64_t at = 0; at < x.rank(); ++at) {
      Cut c = cut(t, (*starts)[i], (*ends)[i], step, x.dims[at]);
      from[at] = d.select((*mask)[at], c.start, from[at]);
      by[at] = d.select((*mask)[at], c.step, by[at]);
      sizes[at] = d.select((*mask)[at], c.count, sizes[at]);
    }
  }
  n.set(0, t.slice(x, from, by, sizes));
}
} // namespace nestor::onnx
