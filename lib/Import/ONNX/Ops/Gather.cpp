//===- Gather.cpp - Gather, GatherElements, GatherND ----------------------===//
//
// before: Y = X[.., I, ..]
// after:  one generic over the result; the index is read from I, wrapped when
//         negative, clamped into range, and X is read there
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace nestor::onnx {

void importGather(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), indices = n.input(1);
  int64_t axis = n.integer("axis", 0);
  if (n.failed())
    return;
  axis = n.axis(axis, x.rank());
  if (n.failed())
    return;
  if (!isInteger(indices.type))
    return n.malformed("the indices must be integers");
  Dims shape(x.dims.begin(), x.dims.begin() + axis);
  shape.append(indices.dims);
  shape.append(x.dims.begin() + axis + 1, x.dims.end());

  Dim size = x.dims[axis];
  // Sizes picked out of a shape stay sizes.
  if (x.known && x.rank() == 1 && indices.known) {
    auto picks = DimMath::values(*indices.known);
    int64_t count = *DimMath::value(size);
    if (picks) {
      Dims elements;
      for (int64_t pick : *picks) {
        if (pick < -count || pick >= count)
          return n.malformed("index " + llvm::Twine(pick) +
                             " is outside a dim of " + llvm::Twine(count));
        elements.push_back((*x.known)[pick < 0 ? pick + count : pick]);
      }
      return n.set(0, t.known(x.type, shape, elements));
    }
  }
  // One known index is a slice.
  if (indices.known && indices.known->size() == 1) {
    if (auto pick = DimMath::value((*indices.known)[0])) {
      Dims starts(x.rank(), t.dims.constant(0)),
          steps(x.rank(), t.dims.constant(1)), sizes(x.dims);
      auto count = DimMath::value(size);
      if (count && (*pick < -*count || *pick >= *count))
        return n.malformed("index " + llvm::Twine(*pick) +
                           " is outside a dim of " + llvm::Twine(*count));
      starts[axis] = *pick < 0 ? t.dims.add(size, t.dims.constant(*pick))
                               : t.dims.constant(*pick);
      if (!count)
        starts[axis] = t.dims.max(
            t.dims.min(starts[axis], t.dims.sub(size, t.dims.constant(1))),
            t.dims.constant(0));
      sizes[axis] = t.dims.constant(1);
      return n.set(0, t.reshape(t.slice(x, starts, steps, sizes), shape));
    }
  }
  Value data = t.value(x), extent = t.dims.toValue(size);
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < indices.rank(); ++i)
    exprs.push_back(t.d(axis + i));
  n.set(0, t.generic(x.type, shape, {{indices, t.map(shape.size(), exprs)}},
                     [&](Code &c, ValueRange v) {
                       Value pick = c.wrapIndex(c.toIndex(v[0]), extent);
                       SmallVector<Value> at;
                       for (int64_t i = 0; i < x.rank(); ++i)
                         at.push_back(i == axis ? pick
                                      : i < axis
                                          ? c.loop(i)
                                          : c.loop(i - 1 + indices.rank()));
                       return c.widen(c.extract(data, at));
                     }));
}

void importGatherElements(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), indices = n.input(1);
  int64_t axis = n.integer("axis", 0);
  if (n.failed())
    return;
  axis = n.axis(axis, x.rank());
  if (n.failed())
    return;
  if (!isInteger(indices.type) || indices.rank() != x.rank())
    return n.malformed("the indices must be integers of the data's rank");
  Value data = t.value(x), extent = t.dims.toValue(x.dims[axis]);
  // The indices' other dims may be smaller than the data's, never larger.
  for (int64_t i = 0; i < x.rank(); ++i) {
    auto have = DimMath::value(x.dims[i]),
         want = DimMath::value(indices.dims[i]);
    if (i == axis || t.dims.atLeast(x.dims[i], indices.dims[i]))
      continue;
    if (have && want)
      return n.malformed("the indices are larger than the data");
    t.check(arith::CmpIOp::create(t.builder, t.loc, arith::CmpIPredicate::sge,
                                  t.dims.toValue(x.dims[i]),
                                  t.dims.toValue(indices.dims[i])),
            "the indices are larger than the data");
  }
  n.set(0, t.generic(x.type, indices.dims,
                     {{indices, t.builder.getMultiDimIdentityMap(x.rank())}},
                     [&](Code &c, ValueRange v) {
                       SmallVector<Value> at;
                       for (int64_t i = 0; i < x.rank(); ++i)
                         at.push_back(i == axis
                                          ? c.wrapIndex(c.toIndex(v[0]), extent)
                                          : c.loop(i));
                       return c.widen(c.extract(data, at));
                     }));
}

void importGatherND(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), indices = n.input(1);
  int64_t batch = n.integer("batch_dims", 0);
  if (n.failed())
    return;
  if (indices.rank() < 1 || x.rank() < 1)
    return n.malformed("the data and the indices must have dims");
  auto depth = DimMath::value(indices.dims.back());
  if (!depth)
    return n.unsupported("an unknown last dim of the indices");
  if (batch < 0 || *depth < 0 || batch >= indices.rank() ||
      batch + *depth > x.rank() || !isInteger(indices.type))
    return n.malformed("the indices do not fit the data");
  Dims shape(indices.dims.begin(), indices.dims.end() - 1);
  int64_t outer = shape.size();
  shape.append(x.dims.begin() + batch + *depth, x.dims.end());
  for (int64_t i = 0; i < batch; ++i)
    t.require(x.dims[i], indices.dims[i], "the batch dims differ");
  Value data = t.value(x), picks = t.value(indices);
  SmallVector<Value> extents;
  for (int64_t i = 0; i < *depth; ++i)
    extents.push_back(t.dims.toValue(x.dims[batch + i]));
  n.set(0, t.gather(x.type, shape, [&](Code &c) {
    SmallVector<Value> at, where;
    for (int64_t i = 0; i < outer; ++i)
      where.push_back(c.loop(i));
    for (int64_t i = 0; i < batch; ++i)
      at.push_back(c.loop(i));
    where.push_back({});
    for (int64_t i = 0; i < *depth; ++i) {
      where.back() = c.index(i);
      at.push_back(c.wrapIndex(c.toIndex(c.extract(picks, where)), extents[i]));
    }
    for (int64_t i = outer; i < int64_t(shape.size()); ++i)
      at.push_back(c.loop(i));
    return c.widen(c.extract(data, at));
  }));
}

} // namespace nestor::onnx
