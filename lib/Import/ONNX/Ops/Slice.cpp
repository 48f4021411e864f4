//===- Slice.cpp - Slice
//---------------------------------------------------===//
//
// before: Y = X[start:end:step] on some axes
// after:  a gather with index start + i * step; known contents are sliced as
//         numbers, so that sizes cut out of a shape stay sizes
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

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
    v = d.select(d.compare(arith::CmpIPredicate::slt, v, d.constant(0)),
                 d.add(v, size), v);
  return d.max(d.min(v, high), low);
}

namespace nestor::onnx {
void importSlice(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  DimMath &d = t.dims;
  std::optional<Dims> starts, ends, steps;
  std::optional<SmallVector<int64_t>> axes;
  if (n.version() < 10) {
    auto first = n.integers("starts"), last = n.integers("ends");
    if (!first || !last)
      return n.malformed("attributes 'starts' and 'ends' are needed");
    starts = d.constants(*first);
    ends = d.constants(*last);
    axes = n.integers("axes");
  } else {
    starts = t.elements(n.input(1), "starts");
    ends = t.elements(n.input(2), "ends");
    if (n.has(3))
      axes = t.integers(n.input(3), "axes");
    if (n.has(4))
      steps = t.elements(n.input(4), "steps");
  }
  if (n.failed())
    return;
  if (!axes) {
    axes.emplace();
    for (size_t i = 0; i < starts->size(); ++i)
      axes->push_back(i);
  }
  axes = n.axes(*axes, x.rank(), /*sort=*/false);
  if (n.failed())
    return;
  if (starts->size() != axes->size() || ends->size() != axes->size() ||
      (steps && steps->size() != axes->size()))
    return n.malformed("starts, ends, axes and steps differ in length");

  Dim zero = d.constant(0), one = d.constant(1);
  Dims from(x.rank(), zero), by(x.rank(), one), sizes(x.dims);
  for (auto [i, axis] : llvm::enumerate(*axes)) {
    Dim size = x.dims[axis], step = steps ? (*steps)[i] : one;
    auto stride = DimMath::value(step);
    if (!stride)
      return n.unsupported("steps must be known when the model is compiled");
    if (*stride == 0)
      return n.malformed("a step is 0");
    // No dim is longer than this, so a longer step takes one element.
    if (*stride > INT32_MAX)
      step = d.constant(*stride = INT32_MAX);
    if (*stride < -INT32_MAX)
      step = d.constant(*stride = -INT32_MAX);
    Dim start, span;
    if (*stride > 0) {
      start = bound(t, (*starts)[i], size, zero, size);
      span = d.sub(bound(t, (*ends)[i], size, zero, size), start);
    } else {
      Dim last = d.sub(size, one);
      start = bound(t, (*starts)[i], size, zero, last);
      span = d.sub(start, bound(t, (*ends)[i], size, d.constant(-1), last));
    }
    from[axis] = start;
    by[axis] = step;
    sizes[axis] = d.max(d.ceilDiv(span, d.constant(std::abs(*stride))), zero);
    if (*stride < 0) // an empty dim stays empty
      sizes[axis] = d.min(sizes[axis], size);
  }
  n.set(0, t.slice(x, from, by, sizes));
}
} // namespace nestor::onnx
