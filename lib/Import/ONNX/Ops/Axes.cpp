//===- Axes.cpp - Axes that may only be known at run time -----------------===//
//
// See the header. With numbers everything folds; with data each dim becomes a
// chain of selects.
//
//===----------------------------------------------------------------------===//
#include "Axes.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;
using P = arith::CmpIPredicate;

std::optional<Dims> onnx::axisMask(NodeContext &n, TensorBuilder &t,
                                   llvm::ArrayRef<Dim> axes, int64_t rank) {
  DimMath &d = t.dims;
  if (int64_t(axes.size()) > rank) {
    n.malformed(llvm::Twine(axes.size()) + " axes for a rank of " +
                llvm::Twine(rank));
    return std::nullopt;
  }
  if (auto numbers = DimMath::values(axes)) {
    auto checked = n.axes(*numbers, rank);
    if (!checked)
      return std::nullopt;
    Dims mask(rank, d.constant(0));
    for (int64_t axis : *checked)
      mask[axis] = d.constant(1);
    return mask;
  }
  Dims mask(rank, d.constant(0));
  for (Dim axis : axes) {
    Dim at = d.select(d.compare(P::slt, axis, d.constant(0)),
                      d.add(axis, d.constant(rank)), axis);
    for (int64_t k = 0; k < rank; ++k)
      mask[k] = d.max(mask[k], d.compare(P::eq, at, d.constant(k)));
  }
  return mask;
}

Dims onnx::dropMasked(TensorBuilder &t, llvm::ArrayRef<Dim> shape,
                      llvm::ArrayRef<Dim> mask, int64_t dropped) {
  DimMath &d = t.dims;
  if (auto numbers = DimMath::values(mask)) {
    Dims result;
    for (auto [dim, masked] : llvm::zip(shape, *numbers))
      if (!masked)
        result.push_back(dim);
    return result;
  }
  // place[k] counts the dims kept before k; result[j] is the kept dim placed j.
  Dims result(shape.size() - dropped, d.constant(1));
  Dim place = d.constant(0);
  for (auto [dim, masked] : llvm::zip(shape, mask)) {
    Dim kept = d.sub(d.constant(1), masked);
    for (size_t j = 0; j < result.size(); ++j) {
      Dim here = d.mul(kept, d.compare(P::eq, place, d.constant(j)));
      result[j] = d.select(here, dim, result[j]);
    }
    place = d.add(place, kept);
  }
  return result;
}

Dims onnx::insertOnes(TensorBuilder &t, llvm::ArrayRef<Dim> shape,
                      llvm::ArrayRef<Dim> mask) {
  DimMath &d = t.dims;
  Dims result;
  Dim place = d.constant(0);
  for (Dim masked : mask) {
    Dim here = d.constant(1);
    if (auto at = DimMath::value(place))
      here = *at < int64_t(shape.size()) ? shape[*at] : here;
    else
      for (size_t i = 0; i < shape.size(); ++i)
        here = d.select(d.compare(P::eq, place, d.constant(i)), shape[i], here);
    result.push_back(d.select(masked, d.constant(1), here));
    place = d.add(place, d.sub(d.constant(1), masked));
  }
  return result;
}

std::optional<Dims> onnx::sizesFrom(NodeContext &n, TensorBuilder &t,
                                    Array array, const llvm::Twine &what) {
  auto elements = t.elements(array, what);
  if (!elements)
    return std::nullopt;
  DimMath &d = t.dims;
  for (Dim &element : *elements) {
    if (d.atLeast(element, d.constant(0)))
      continue;
    if (auto number = DimMath::value(element)) {
      n.malformed(what + " holds the negative size " + llvm::Twine(*number));
      return std::nullopt;
    }
    Value v = d.toValue(element);
    t.check(arith::CmpIOp::create(t.builder, t.loc, P::sge, v,
                                  d.toValue(d.constant(0))),
            what + " holds a negative size");
    d.setNonNegative(v);
  }
  return elements;
}
