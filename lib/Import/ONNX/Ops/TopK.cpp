//===- TopK.cpp - TopK ----------------------------------------------------===//
//
// before: the K greatest (or least) elements of an axis, in order
// after:  model.loops over the other dims; each result is the best element
//         after the one before it, equal ones by index
//
// Takes K passes over the axis and no memory.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace nestor::onnx {

void importTopK(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t axis = n.integer("axis", -1);
  bool largest = n.integer("largest", 1);
  Dim k;
  if (n.version() < 10) {
    k = t.dims.constant(n.requiredInteger("k"));
  } else {
    auto elements = t.elements(n.input(1), "K");
    if (!elements)
      return;
    if (elements->size() != 1)
      return n.malformed("K must be one number");
    k = (*elements)[0];
  }
  if (n.failed())
    return;
  axis = n.axis(axis, x.rank());
  if (n.failed())
    return;
  if (x.type == DataType::Bool)
    return n.malformed("does not order bools");
  DimMath &d = t.dims;
  auto number = DimMath::value(k), have = DimMath::value(x.dims[axis]);
  if ((number && *number < 0) || (number && have && *number > *have))
    return n.malformed("K is outside of the axis");
  if (!number || !have) {
    Value kValue = d.toValue(k);
    Code c(t.builder, t.loc);
    t.check(
        c.conj(c.ge(kValue, c.index(0)), c.le(kValue, d.toValue(x.dims[axis]))),
        "K is outside of the axis");
    d.setNonNegative(kValue);
  }
  Dims shape(x.dims), outer;
  shape[axis] = k;
  for (int64_t i = 0; i < x.rank(); ++i)
    if (i != axis)
      outer.push_back(x.dims[i]);
  if (outer.empty())
    outer.push_back(d.constant(1));
  SmallVector<int32_t> kinds(outer.size(), 0);
  Value count = d.toValue(k), extent = d.toValue(x.dims[axis]);
  bool u = isUnsigned(x.type);
  auto results = t.loops(
      {x}, {t.undefined(x.type, shape), t.undefined(DataType::Int64, shape)},
      outer, kinds,
      [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
        auto at = [&](Value i) {
          SmallVector<Value> where;
          for (int64_t dim = 0, next = 0; dim < x.rank(); ++dim)
            where.push_back(dim == axis ? i : loops[next++]);
          return where;
        };
        // Whether (a, i) stands before (b, j); a NaN counts as greatest.
        auto before = [&](Code &c, Value a, Value i, Value b, Value j) {
          Value better = largest ? c.gt(a, b, u) : c.lt(a, b, u);
          Value same = c.eq(a, b);
          if (isFloat(x.type)) {
            Value nanA = c.isNan(a), nanB = c.isNan(b);
            Value one =
                c.conj(largest ? nanA : nanB, c.negate(largest ? nanB : nanA));
            better = c.disj(better, one);
            same = c.disj(same, c.conj(nanA, nanB));
          }
          return c.disj(better, c.conj(same, c.lt(i, j)));
        };
        Value zero = c.index(0), none = c.index(-1);
        Type type = computeType(c.b.getContext(), x.type);
        Value start = c.number(0, type);
        c.loop(zero, count, {start, none},
               [&](Code &c, Value r, ValueRange last) {
                 Value isFirst = c.eq(r, c.index(0));
                 auto best = c.loop(
                     c.index(0), extent, {start, none},
                     [&](Code &c, Value j, ValueRange so) {
                       Value v = c.widen(c.load(in[0], at(j)));
                       Value open =
                           c.disj(isFirst, before(c, last[0], last[1], v, j));
                       Value better = c.disj(c.lt(so[1], c.index(0)),
                                             before(c, v, j, so[0], so[1]));
                       Value take = c.conj(open, better);
                       return SmallVector<Value>{c.select(take, v, so[0]),
                                                 c.select(take, j, so[1])};
                     });
                 Type storage = storageType(c.b.getContext(), x.type);
                 c.store(c.narrow(best[0], storage), out[0], at(r));
                 c.store(c.fromIndex(best[1], c.b.getI64Type()), out[1], at(r));
                 return best;
               });
      });
  n.set(0, results[0]);
  n.set(1, results[1]);
}

} // namespace nestor::onnx
