//===- Cumulative.cpp - CumSum and CumProd --------------------------------===//
//
// before: y[i] = x[0] + ... + x[i] on one axis
// after:  ordered loops, y[i] = y[i - 1] + x[i]
//
// The axis may be data: every dim then asks whether it is the axis.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace nestor::onnx {

void importCumulative(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  auto axes = t.elements(n.input(1), "the axis");
  bool exclusive = n.integer("exclusive", 0), reverse = n.integer("reverse", 0);
  if (n.failed())
    return;
  if (axes->size() != 1 || x.rank() == 0 || x.type == DataType::Bool)
    return n.malformed("needs a tensor of numbers and one axis");
  bool product = n.op() == "CumProd";
  std::optional<int64_t> axis;
  if (auto number = DimMath::value((*axes)[0])) {
    axis = n.axis(*number, x.rank());
    if (n.failed())
      return;
  }
  Value chosen = t.dims.toValue((*axes)[0]);
  SmallVector<Value> extents = t.dims.toValues(x.dims);
  SmallVector<int32_t> kinds;
  for (int64_t i = 0; i < x.rank(); ++i)
    kinds.push_back(!axis || *axis == i ? 2 : 0);
  Array out = t.undefined(x.type, x.dims);
  n.set(0,
        t.loops(
            {x}, {out}, x.dims, kinds,
            [&](Code &c, ValueRange loops, ValueRange in, ValueRange result) {
              SmallVector<Value> at, previous;
              Value first = c.boolean(false);
              for (int64_t i = 0; i < x.rank(); ++i) {
                if (axis && *axis != i) {
                  at.push_back(loops[i]);
                  previous.push_back(loops[i]);
                  continue;
                }
                Value here, last = c.sub(extents[i], c.index(1));
                if (!axis)
                  here = c.disj(c.eq(chosen, c.index(i)),
                                c.eq(chosen, c.index(i - x.rank())));
                Value place = reverse ? c.sub(last, loops[i]) : loops[i];
                Value before = reverse ? c.add(place, c.index(1))
                                       : c.sub(place, c.index(1));
                before = c.max(c.min(before, last), c.index(0));
                Value start = c.eq(loops[i], c.index(0));
                if (here) {
                  place = c.select(here, place, loops[i]);
                  before = c.select(here, before, loops[i]);
                  start = c.conj(here, start);
                }
                at.push_back(place);
                previous.push_back(before);
                first = c.disj(first, start);
              }
              Type type = computeType(t.builder.getContext(), x.type);
              Type storage = storageType(t.builder.getContext(), x.type);
              auto sum = scf::IfOp::create(
                  c.b, c.loc, first,
                  [&](OpBuilder &b, Location loc) {
                    Code then(b, loc);
                    Value value = exclusive ? then.number(product ? 1 : 0, type)
                                            : then.widen(then.load(in[0], at));
                    scf::YieldOp::create(b, loc, value);
                  },
                  [&](OpBuilder &b, Location loc) {
                    Code other(b, loc);
                    Value next = other.widen(
                        other.load(in[0], exclusive ? previous : at));
                    Value before = other.widen(other.load(result[0], previous));
                    scf::YieldOp::create(b, loc,
                                         product ? other.mul(before, next)
                                                 : other.add(before, next));
                  });
              c.store(c.narrow(sum.getResult(0), storage), result[0], at);
            })[0]);
}

} // namespace nestor::onnx
