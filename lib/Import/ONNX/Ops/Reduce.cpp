//===- Reduce.cpp - Reduce*, ArgMax, ArgMin -------------------------------===//
//
// A row an operator: what each element becomes, how two combine, where the
// accumulator starts, what the result becomes. Axes that are data make a
// model.loops over the whole input that adds into the result's element.
//
//===----------------------------------------------------------------------===//
#include "Axes.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;
using P = arith::CmpIPredicate;

namespace {

enum class Start { Zero, One, Lowest, Highest };

struct Row {
  llvm::StringLiteral name;
  Start start;
  Value (*before)(Code &c, Value x);
  Value (*combine)(Code &c, Value acc, Value x, bool isUnsigned);
  Value (*after)(Code &c, Value acc);
};

Value sum(Code &c, Value acc, Value x, bool) { return c.add(acc, x); }
Value square(Code &c, Value x) { return c.mul(x, x); }

const Row kRows[] = {
    {"ReduceSum", Start::Zero, nullptr, sum, nullptr},
    {"ReduceMean", Start::Zero, nullptr, sum, nullptr},
    {"ReduceProd", Start::One, nullptr,
     [](Code &c, Value acc, Value x, bool) { return c.mul(acc, x); }, nullptr},
    {"ReduceMax", Start::Lowest, nullptr,
     [](Code &c, Value acc, Value x, bool u) { return c.max(acc, x, u); },
     nullptr},
    {"ReduceMin", Start::Highest, nullptr,
     [](Code &c, Value acc, Value x, bool u) { return c.min(acc, x, u); },
     nullptr},
    {"ReduceL1", Start::Zero, [](Code &c, Value x) { return c.abs(x); }, sum,
     nullptr},
    {"ReduceL2", Start::Zero, square, sum,
     [](Code &c, Value acc) { return c.sqrt(acc); }},
    {"ReduceSumSquare", Start::Zero, square, sum, nullptr},
    {"ReduceLogSum", Start::Zero, nullptr, sum,
     [](Code &c, Value acc) { return c.log(acc); }},
};

const Row *findRow(llvm::StringRef name) {
  const Row *row =
      llvm::find_if(kRows, [&](const Row &r) { return r.name == name; });
  return row == std::end(kRows) ? nullptr : row;
}

/// The reduction over the dims that `mask` (numbers or data) names, which stay
/// as 1.
Array reduceKeep(TensorBuilder &t, const Row &row, Array x, DataType acc,
                 llvm::ArrayRef<Dim> mask) {
  bool u = isUnsigned(x.type);
  auto start = [&]() -> TypedAttr {
    switch (row.start) {
    case Start::Zero:
      return t.startValue(acc, 0);
    case Start::One:
      return t.startValue(acc, 1);
    case Start::Lowest:
      return t.lowestValue(acc);
    case Start::Highest:
      return t.highestValue(acc);
    }
    return {};
  };
  auto step = [&](Code &c, Value accumulator, Value element) {
    Value v = c.cast(element, x.type, acc);
    if (row.before)
      v = row.before(c, v);
    return row.combine(c, accumulator, v, u);
  };
  if (auto numbers = DimMath::values(mask)) {
    SmallVector<int64_t> axes;
    for (auto [i, masked] : llvm::enumerate(*numbers))
      if (masked)
        axes.push_back(i);
    return t.keepDims(t.reduceAxes(acc, x, axes, start(),
                                   [&](Code &c, ValueRange v) {
                                     return step(c, v[1], v[0]);
                                   }),
                      axes);
  }
  Dims shape;
  for (auto [dim, masked] : llvm::zip(x.dims, mask))
    shape.push_back(t.dims.select(masked, t.dims.constant(1), dim));
  Array init = t.gather(acc, shape, [&](Code &c) -> Value {
    return arith::ConstantOp::create(c.b, c.loc, start());
  });
  SmallVector<Value> keep;
  for (Dim masked : mask)
    keep.push_back(t.dims.toValue(t.dims.sub(t.dims.constant(1), masked)));
  SmallVector<int32_t> kinds(x.rank(), 2);
  return t.loops({x}, {init}, x.dims, kinds,
                 [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
                   SmallVector<Value> at;
                   for (auto [index, kept] : llvm::zip(i, keep))
                     at.push_back(c.mul(index, kept));
                   Value next =
                       step(c, c.load(out[0], at), c.widen(c.load(in[0], i)));
                   c.store(next, out[0], at);
                 })[0];
}

} // namespace

namespace nestor::onnx {

void importReduce(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  bool keep = n.integer("keepdims", 1);
  bool noop = n.integer("noop_with_empty_axes", 0);
  if (n.failed())
    return;
  std::optional<Dims> axes;
  if (auto list = n.integers("axes"))
    axes = t.dims.constants(*list);
  else if (n.has(1))
    axes = t.elements(n.input(1), "the axes");
  if (n.failed())
    return;
  DimMath &d = t.dims;
  // An axes tensor of unknown (zero) length means all axes.
  bool all = !axes || axes->empty();
  if (x.type == DataType::Bool && n.op() != "ReduceMax" &&
      n.op() != "ReduceMin")
    return n.malformed("does not take bool");
  // Bools reduce as bytes.
  DataType type = x.type;
  if (type == DataType::Bool)
    x = t.convert(x, DataType::UInt8);
  Dims mask(x.rank(), d.constant(all && !noop));
  if (!all) {
    auto named = axisMask(n, t, *axes, x.rank());
    if (!named)
      return;
    mask = *named;
  }
  // Reductions of a known list of sizes stay sizes.
  if (x.known && x.rank() == 1 && x.type == DataType::Int64 &&
      DimMath::value(mask[0]) == 1 && !x.known->empty()) {
    Dim total = x.known->front();
    bool can = true;
    for (Dim size : llvm::ArrayRef<Dim>(*x.known).drop_front()) {
      if (n.op() == "ReduceSum")
        total = d.add(total, size);
      else if (n.op() == "ReduceProd")
        total = d.mul(total, size);
      else if (n.op() == "ReduceMax")
        total = d.max(total, size);
      else if (n.op() == "ReduceMin")
        total = d.min(total, size);
      else
        can = false;
    }
    if (can)
      return n.set(
          0, t.known(x.type, keep ? Dims{d.constant(1)} : Dims(), {total}));
  }
  DataType acc = TensorBuilder::accumulator(x.type);
  Array y;
  bool roots = n.op() == "ReduceL2" || n.op().starts_with("ReduceLog");
  if (roots && !isFloat(acc))
    acc = DataType::Double;
  if (n.op() == "ReduceLogSumExp") {
    // log(sum(exp(x))) = m + log(sum(exp(x - m))), m the finite maximum
    Array wide = t.convert(x, acc);
    Array m = reduceKeep(t, *findRow("ReduceMax"), wide, acc, mask);
    m = t.elementwise(acc, {m}, [](Code &c, ValueRange v) {
      Value finite = c.lt(c.abs(v[0]), c.like(INFINITY, v[0]));
      return c.select(finite, v[0], c.like(0, v[0]));
    });
    Array e = t.elementwise(acc, {wide, m}, [](Code &c, ValueRange v) {
      return c.exp(c.sub(v[0], v[1]));
    });
    Array s = reduceKeep(t, *findRow("ReduceSum"), e, acc, mask);
    y = t.elementwise(acc, {s, m}, [](Code &c, ValueRange v) {
      return c.add(c.log(v[0]), v[1]);
    });
  } else {
    const Row *row = findRow(n.op());
    y = reduceKeep(t, *row, x, acc, mask);
    if (row->after)
      y = t.elementwise(
          acc, {y}, [&](Code &c, ValueRange v) { return row->after(c, v[0]); });
  }
  if (!y)
    return;
  if (n.op() == "ReduceMean") {
    Dim count = d.constant(1);
    for (auto [dim, masked] : llvm::zip(x.dims, mask))
      count = d.mul(count, d.select(masked, dim, d.constant(1)));
    Array divisor = t.convert(t.known(DataType::Int64, {}, {count}), acc);
    y = t.elementwise(acc, {y, divisor}, [&](Code &c, ValueRange v) {
      return c.div(v[0], v[1], isUnsigned(acc));
    });
  }
  y = t.convert(y, type);
  if (!y)
    return;
  if (keep)
    return n.set(0, y);
  int64_t dropped = 0;
  if (auto numbers = DimMath::values(mask))
    for (int64_t bit : *numbers)
      dropped += bit;
  else
    dropped = axes->size();
  n.set(0, t.reshape(y, dropMasked(t, y.dims, mask, dropped)));
}

// before: the index of the greatest (least) element of an axis
// after:  model.loops: the axis is ordered, the best so far is kept in memory
void importArg(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t axis = n.integer("axis", 0);
  bool keep = n.integer("keepdims", 1),
       last = n.integer("select_last_index", 0);
  if (n.failed())
    return;
  axis = n.axis(axis, x.rank());
  if (n.failed())
    return;
  bool most = n.op() == "ArgMax", u = isUnsigned(x.type);
  Dims shape(x.dims);
  shape.erase(shape.begin() + axis);
  SmallVector<int32_t> kinds(shape.size(), 0);
  SmallVector<Value> size{t.dims.toValue(x.dims[axis])};
  Array best = t.loops(
      {x}, {t.undefined(DataType::Int64, shape)}, shape, kinds,
      [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
        auto at = [&](Code &code, Value k) {
          SmallVector<Value> indices(i.begin(), i.end());
          indices.insert(indices.begin() + axis, k);
          return code.widen(code.load(in[0], indices));
        };
        Value zero = c.index(0);
        SmallVector<Value> found = c.loop(
            c.index(1), size[0], {zero, at(c, zero)},
            [&](Code &b, Value k, ValueRange carried) -> SmallVector<Value> {
              Value element = at(b, k), champion = carried[1];
              Value better = most ? (last ? b.ge(element, champion, u)
                                          : b.gt(element, champion, u))
                                  : (last ? b.le(element, champion, u)
                                          : b.lt(element, champion, u));
              return {b.select(better, k, carried[0]),
                      b.select(better, element, champion)};
            });
        c.store(c.fromIndex(found[0], c.b.getI64Type()), out[0], i);
      })[0];
  n.set(0, keep ? t.keepDims(best, {axis}) : best);
}

} // namespace nestor::onnx
