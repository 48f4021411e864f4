//===- Normalization.cpp - Batch, layer, instance, group, LRN, Lp ---------===//
//
// Each is a few reductions and elementwise operators; moments are taken in f32
// for 16-bit types.
//
//===----------------------------------------------------------------------===//
#include "Normalize.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

Array onnx::meanKeep(TensorBuilder &t, Array x, llvm::ArrayRef<int64_t> axes) {
  if (!x)
    return {};
  Dim count = t.dims.constant(1);
  for (int64_t axis : axes)
    count = t.dims.mul(count, x.dims[axis]);
  Array divisor = t.convert(t.known(DataType::Int64, {}, {count}), x.type);
  return t.div(t.sumKeep(x, axes), divisor);
}

Normalized onnx::standardize(TensorBuilder &t, Array x,
                             llvm::ArrayRef<int64_t> axes, double epsilon) {
  if (!x)
    return {};
  Array mean = meanKeep(t, x, axes);
  Array centred = t.sub(x, mean);
  Array variance = meanKeep(t, t.mul(centred, centred), axes);
  Array inverse = t.elementwise(x.type, {variance}, [&](Code &c, ValueRange v) {
    return c.div(c.like(1, v[0]), c.sqrt(c.add(v[0], c.like(epsilon, v[0]))));
  });
  return {t.mul(centred, inverse), mean, inverse};
}

Array onnx::perChannel(TensorBuilder &t, Array v, int64_t rank) {
  if (!v)
    return {};
  Dims shape(v.dims);
  shape.resize(std::max<int64_t>(rank - 1, 1), t.dims.constant(1));
  return t.reshape(v, shape);
}

namespace nestor::onnx {

void importBatchNormalization(NodeContext &n, TensorBuilder &t) {
  Array x = n.realInput(0), scale = n.realInput(1), bias = n.realInput(2),
        mean = n.realInput(3), variance = n.realInput(4);
  double epsilon = n.real("epsilon", 1e-5);
  bool training = n.integer("training_mode", 0);
  double momentum = n.real("momentum", 0.9);
  if (n.failed())
    return;
  if (n.version() < 9 && n.integer("spatial", 1) == 0)
    return n.unsupported("batch normalisation that is not spatial");
  if (x.rank() < 2 || scale.rank() != 1)
    return n.malformed("the data must have channels, the scale rank 1");
  DataType acc = TensorBuilder::accumulator(x.type);
  auto channel = [&](Array v) {
    return perChannel(t, t.convert(v, acc), x.rank());
  };
  Array wide = t.convert(x, acc);
  Array m = channel(mean), v = channel(variance);
  if (training) {
    SmallVector<int64_t> axes;
    for (int64_t i = 0; i < x.rank(); ++i)
      if (i != 1)
        axes.push_back(i);
    Array current = meanKeep(t, wide, axes);
    Array centred = t.sub(wide, current);
    Array spread = meanKeep(t, t.mul(centred, centred), axes);
    auto running = [&](Array old, Array now) {
      Array flat = t.reshape(now, old.dims);
      return t.elementwise(
          old.type, {t.convert(old, acc), flat}, [&](Code &c, ValueRange e) {
            Value mixed = c.add(c.mul(e[0], c.like(momentum, e[0])),
                                c.mul(e[1], c.like(1 - momentum, e[1])));
            return c.cast(mixed, acc, old.type);
          });
    };
    if (n.wants(1))
      n.set(1, running(mean, current));
    if (n.wants(2))
      n.set(2, running(variance, spread));
    m = t.reshape(current, m ? m.dims : Dims());
    v = t.reshape(spread, v ? v.dims : Dims());
  }
  // y = x * a + b with one a and b a channel: constants in inference, which
  // Graph then folds into a convolution.
  Array a = t.elementwise(acc, {channel(scale), v}, [&](Code &c, ValueRange e) {
    return c.div(e[0], c.sqrt(c.add(e[1], c.like(epsilon, e[1]))));
  });
  Array b =
      t.elementwise(acc, {channel(bias), m, a}, [](Code &c, ValueRange e) {
        return c.sub(e[0], c.mul(e[1], e[2]));
      });
  n.set(0, t.elementwiseTo(x.type, x.dims, {wide, a, b},
                           [&](Code &c, ValueRange e) {
                             Value r = c.add(c.mul(e[0], e[1]), e[2]);
                             return c.cast(r, acc, x.type);
                           }));
}

void importLayerNormalization(NodeContext &n, TensorBuilder &t) {
  Array x = n.realInput(0), scale = n.realInput(1), bias = n.optional(2);
  int64_t axis = n.integer("axis", -1);
  double epsilon = n.real("epsilon", 1e-5);
  int64_t stash = n.integer("stash_type", 1);
  if (n.failed())
    return;
  axis = n.axis(axis, x.rank());
  if (n.failed())
    return;
  DataType acc = x.type == DataType::Double && stash != 1
                     ? x.type
                     : DataType(stash == 11 ? 11 : 1);
  if (x.type == DataType::Double)
    acc = x.type;
  SmallVector<int64_t> axes;
  for (int64_t i = axis; i < x.rank(); ++i)
    axes.push_back(i);
  Normalized r = standardize(t, t.convert(x, acc), axes, epsilon);
  SmallVector<Array> inputs{r.y, t.convert(scale, acc)};
  if (bias)
    inputs.push_back(t.convert(bias, acc));
  n.set(0, t.elementwiseTo(x.type, x.dims, inputs, [&](Code &c, ValueRange v) {
    Value y = c.mul(v[0], v[1]);
    if (v.size() > 2)
      y = c.add(y, v[2]);
    return c.cast(y, acc, x.type);
  }));
  if (n.wants(1))
    n.set(1, t.convert(r.mean, DataType(stash)));
  if (n.wants(2))
    n.set(2, t.convert(r.inverse, DataType(stash)));
}

void importRMSNormalization(NodeContext &n, TensorBuilder &t) {
  Array x = n.realInput(0), scale = n.realInput(1);
  int64_t axis = n.integer("axis", -1);
  double epsilon = n.real("epsilon", 1e-5);
  if (n.failed())
    return;
  axis = n.axis(axis, x.rank());
  if (n.failed())
    return;
  DataType acc = TensorBuilder::accumulator(x.type);
  SmallVector<int64_t> axes;
  for (int64_t i = axis; i < x.rank(); ++i)
    axes.push_back(i);
  Array wide = t.convert(x, acc);
  Array power = meanKeep(t, t.mul(wide, wide), axes);
  Array inverse = t.elementwise(acc, {power}, [&](Code &c, ValueRange v) {
    return c.div(c.like(1, v[0]), c.sqrt(c.add(v[0], c.like(epsilon, v[0]))));
  });
  n.set(0, t.elementwiseTo(
               x.type, x.dims, {wide, inverse, t.convert(scale, acc)},
               [&](Code &c, ValueRange v) {
                 return c.cast(c.mul(c.mul(v[0], v[1]), v[2]), acc, x.type);
               }));
}

void importInstanceNormalization(NodeContext &n, TensorBuilder &t) {
  Array x = n.realInput(0), scale = n.realInput(1), bias = n.realInput(2);
  double epsilon = n.real("epsilon", 1e-5);
  if (n.failed())
    return;
  if (x.rank() < 3)
    return n.malformed("the data must have spatial dims");
  DataType acc = TensorBuilder::accumulator(x.type);
  SmallVector<int64_t> axes;
  for (int64_t i = 2; i < x.rank(); ++i)
    axes.push_back(i);
  Normalized r = standardize(t, t.convert(x, acc), axes, epsilon);
  auto channel = [&](Array v) {
    return perChannel(t, t.convert(v, acc), x.rank());
  };
  n.set(0, t.elementwiseTo(x.type, x.dims, {r.y, channel(scale), channel(bias)},
                           [&](Code &c, ValueRange v) {
                             return c.cast(c.add(c.mul(v[0], v[1]), v[2]), acc,
                                           x.type);
                           }));
}

void importGroupNormalization(NodeContext &n, TensorBuilder &t) {
  Array x = n.realInput(0), scale = n.realInput(1), bias = n.realInput(2);
  double epsilon = n.real("epsilon", 1e-5);
  int64_t groups = n.requiredInteger("num_groups");
  if (n.failed())
    return;
  if (x.rank() < 2 || groups < 1)
    return n.malformed("the data must have channels in groups");
  DimMath &d = t.dims;
  auto channels = DimMath::value(x.dims[1]);
  if (channels && *channels % groups)
    return n.malformed("the groups do not divide the channels");
  DataType acc = TensorBuilder::accumulator(x.type);
  // [N, C, ...] => [N, G, C/G, ...]; moments over all but the first two
  Dims grouped{x.dims[0], d.constant(groups),
               d.floorDiv(x.dims[1], d.constant(groups))};
  grouped.append(x.dims.begin() + 2, x.dims.end());
  SmallVector<int64_t> axes;
  for (int64_t i = 2; i < int64_t(grouped.size()); ++i)
    axes.push_back(i);
  Normalized r =
      standardize(t, t.reshape(t.convert(x, acc), grouped), axes, epsilon);
  // Up to opset 20 there is one scale a group, later one a channel.
  auto parameter = [&](Array v) {
    v = t.convert(v, acc);
    if (!v)
      return v;
    if (n.version() < 21)
      return perChannel(t, v, grouped.size());
    Dims shape{grouped[1], grouped[2]};
    shape.resize(grouped.size() - 1, d.constant(1));
    return t.reshape(v, shape);
  };
  Array y = t.elementwiseTo(
      x.type, grouped, {r.y, parameter(scale), parameter(bias)},
      [&](Code &c, ValueRange v) {
        return c.cast(c.add(c.mul(v[0], v[1]), v[2]), acc, x.type);
      });
  n.set(0, t.reshape(y, x.dims));
}

void importMeanVarianceNormalization(NodeContext &n, TensorBuilder &t) {
  Array x = n.realInput(0);
  auto list = n.integers("axes");
  if (n.failed())
    return;
  auto axes = n.axes(list ? *list : SmallVector<int64_t>{0, 2, 3}, x.rank());
  if (!axes)
    return;
  DataType acc = TensorBuilder::accumulator(x.type);
  Array wide = t.convert(x, acc);
  Array mean = meanKeep(t, wide, *axes), centred = t.sub(wide, mean);
  Array variance = meanKeep(t, t.mul(centred, centred), *axes);
  n.set(0,
        t.elementwise(x.type, {centred, variance}, [&](Code &c, ValueRange v) {
          Value deviation = c.add(c.sqrt(v[1]), c.like(1e-9, v[1]));
          return c.cast(c.div(v[0], deviation), acc, x.type);
        }));
}

// before: Y = X / (bias + alpha / size * sum of squares in a channel
// window)^beta after:  a windowed sum over padded squares, then elementwise
void importLRN(NodeContext &n, TensorBuilder &t) {
  Array x = n.realInput(0);
  double alpha = n.real("alpha", 0.0001), beta = n.real("beta", 0.75),
         bias = n.real("bias", 1);
  int64_t size = n.requiredInteger("size");
  if (n.failed())
    return;
  if (size < 1 || size > (1 << 20) || x.rank() < 2)
    return n.malformed("size " + llvm::Twine(size) + " cannot be");
  DimMath &d = t.dims;
  DataType acc = TensorBuilder::accumulator(x.type);
  Array wide = t.convert(x, acc), squares = t.mul(wide, wide);
  Dims before(x.rank(), d.constant(0)), after(before);
  before[1] = d.constant((size - 1) / 2);
  after[1] = d.constant(size - 1 - (size - 1) / 2);
  Array padded = t.pad(squares, before, after, t.scalar(acc, 0));
  unsigned rank = x.rank(), loops = rank + 1;
  SmallVector<AffineExpr> exprs;
  for (unsigned i = 0; i < rank; ++i)
    exprs.push_back(i == 1 ? t.d(1) + t.d(rank) : t.d(i));
  Array window = t.undefined(acc, {d.constant(size)});
  Array sums = t.reduction(
      acc, x.dims, 1,
      {{padded, t.map(loops, exprs)}, {window, t.map(loops, {t.d(rank)})}},
      t.startValue(acc, 0),
      [](Code &c, ValueRange v) { return c.add(v[2], v[0]); });
  n.set(0, t.elementwise(x.type, {wide, sums}, [&](Code &c, ValueRange v) {
    Value base =
        c.add(c.like(bias, v[1]), c.mul(c.like(alpha / size, v[1]), v[1]));
    Value scale = beta == 0.75 ? c.sqrt(c.mul(base, c.sqrt(base)))
                               : c.pow(base, c.like(beta, base));
    return c.cast(c.div(v[0], scale), acc, x.type);
  }));
}

void importLpNormalization(NodeContext &n, TensorBuilder &t) {
  Array x = n.realInput(0);
  int64_t axis = n.integer("axis", -1), p = n.integer("p", 2);
  if (n.failed())
    return;
  axis = n.axis(axis, x.rank());
  if (n.failed())
    return;
  if (p != 1 && p != 2)
    return n.malformed("p must be 1 or 2");
  DataType acc = TensorBuilder::accumulator(x.type);
  Array wide = t.convert(x, acc);
  Array parts = t.elementwise(acc, {wide}, [&](Code &c, ValueRange v) {
    return p == 1 ? c.abs(v[0]) : c.mul(v[0], v[0]);
  });
  Array total = t.sumKeep(parts, {axis});
  n.set(0, t.elementwise(x.type, {wide, total}, [&](Code &c, ValueRange v) {
    Value norm = p == 1 ? v[1] : c.sqrt(v[1]);
    Value zero = c.eq(norm, c.like(0, norm));
    Value quotient = c.div(v[0], c.select(zero, c.like(1, norm), norm));
    return c.cast(c.select(zero, c.like(0, norm), quotient), acc, x.type);
  }));
}

} // namespace nestor::onnx
