//===- Pad.cpp - Pad ------------------------------------------------------===//
//
// before: Y = Pad(X), constant, reflect, edge or wrap; negative pads crop
// after:  a gather whose index is folded back into X (a select for constant)
//
//===----------------------------------------------------------------------===//
#include "Axes.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;
using P = arith::CmpIPredicate;

namespace nestor::onnx {
void importPad(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  llvm::StringRef mode = n.string("mode", "constant");
  if (n.failed())
    return;
  DimMath &d = t.dims;
  std::optional<Dims> pads, axes;
  Array value;
  if (n.version() < 11) {
    auto list = n.integers("pads");
    if (!list)
      return n.malformed("attribute 'pads' is missing");
    pads = d.constants(*list);
    value = t.scalar(x.type, n.real("value", 0));
  } else {
    pads = t.elements(n.input(1), "pads");
    value = n.has(2) ? n.input(2) : t.scalar(x.type, 0);
    if (n.has(3))
      axes = t.elements(n.input(3), "axes");
  }
  if (n.failed())
    return;
  int64_t count = axes ? int64_t(axes->size()) : x.rank();
  if (int64_t(pads->size()) != 2 * count)
    return n.malformed("pads has " + llvm::Twine(pads->size()) +
                       " entries, not two for each of " + llvm::Twine(count) +
                       " dims");
  if (value.type != x.type)
    return n.malformed("the pad value has another type");
  Dim zero = d.constant(0);
  Dims before(x.rank(), zero), after(x.rank(), zero);
  for (int64_t i = 0; i < count; ++i) {
    Dim first = (*pads)[i], last = (*pads)[count + i];
    if (!axes) {
      before[i] = first;
      after[i] = last;
    } else if (auto axis = DimMath::value((*axes)[i])) {
      int64_t at = n.axis(*axis, x.rank());
      if (n.failed())
        return;
      before[at] = first;
      after[at] = last;
    } else {
      auto mask = axisMask(n, t, {(*axes)[i]}, x.rank());
      if (!mask)
        return;
      for (int64_t k = 0; k < x.rank(); ++k) {
        before[k] = d.select((*mask)[k], first, before[k]);
        after[k] = d.select((*mask)[k], last, after[k]);
      }
    }
  }
  Dims shape;
  for (int64_t i = 0; i < x.rank(); ++i) {
    Dim size = d.add(x.dims[i], d.add(before[i], after[i]));
    auto number = DimMath::value(size);
    if (number && *number < 0)
      return n.malformed("pads crop more than there is");
    shape.push_back(size);
  }
  if (mode == "constant")
    return n.set(0, t.pad(x, before, after, value));
  if (mode != "reflect" && mode != "edge" && mode != "wrap")
    return n.malformed("unknown mode '" + mode.take_front(40) + "'");

  Value data = t.value(x);
  SmallVector<Value> offset = d.toValues(before), size = d.toValues(x.dims);
  n.set(0, t.gather(x.type, shape, [&](Code &c) {
    SmallVector<Value> at;
    for (int64_t i = 0; i < x.rank(); ++i) {
      Value index = c.loop(i), none = c.index(0), one = c.index(1);
      if (DimMath::value(before[i]) == 0 && DimMath::value(after[i]) == 0) {
        at.push_back(index);
        continue;
      }
      index = c.sub(index, offset[i]);
      Value last = c.sub(size[i], one);
      if (mode == "reflect") {
        Value period = c.add(last, last);
        Value folded = c.floorMod(index, c.max(period, one));
        index = c.select(c.gt(folded, last), c.sub(period, folded), folded);
      } else if (mode == "wrap") {
        index = c.floorMod(index, c.max(size[i], one));
      }
      at.push_back(c.max(c.min(index, last), none));
    }
    return c.widen(c.extract(data, at));
  }));
}
} // namespace nestor::onnx
