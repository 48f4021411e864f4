//===- Loss.cpp - NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss ------===//
//
// before: a loss over X [N, C, ...] and class numbers T [N, ...]
// after:  a gather of -X at the classes times their weights, then sums
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// The sum of all elements, a scalar.
static Array total(TensorBuilder &t, Array x) {
  if (!x)
    return {};
  SmallVector<int64_t> axes;
  for (int64_t i = 0; i < x.rank(); ++i)
    axes.push_back(i);
  return t.reduceAxes(x.type, x, axes, t.startValue(x.type, 0),
                      [](Code &c, ValueRange v) { return c.add(v[1], v[0]); });
}

/// The loss of log probabilities `x`.
static Array likelihoodLoss(NodeContext &n, TensorBuilder &t, Array x,
                            Array target, Array weight) {
  llvm::StringRef reduction = n.string("reduction", "mean");
  std::optional<int64_t> ignored;
  if (n.hasAttribute("ignore_index"))
    ignored = n.integer("ignore_index", 0);
  if (n.failed() || !x)
    return {};
  if (reduction != "mean" && reduction != "sum" && reduction != "none")
    return t.malformed("attribute 'reduction' must be mean, sum or none");
  if (x.rank() < 2 || target.rank() != x.rank() - 1)
    return t.malformed("the classes must have the input's dims without the "
                       "second");
  if (!isFloat(x.type) || !isInteger(target.type) ||
      (weight && (weight.rank() != 1 || weight.type != x.type)))
    return t.malformed("the inputs have the wrong types or ranks");
  for (int64_t i = 0; i < target.rank(); ++i)
    t.require(target.dims[i], x.dims[i ? i + 1 : 0],
              "the classes' dims differ from the input's");
  if (weight)
    t.require(weight.dims[0], x.dims[1], "there must be one weight a class");
  if (n.failed())
    return {};

  DataType acc = TensorBuilder::accumulator(x.type);
  Value data = t.value(x), weights = weight ? t.value(weight) : Value();
  Value classes = t.dims.toValue(x.dims[1]);
  Operand targets = {target, t.builder.getMultiDimIdentityMap(target.rank())};
  auto weightAt = [&](Code &c, Value raw) -> Value {
    Type type = computeType(t.builder.getContext(), acc);
    Value w = c.number(1, type);
    if (weight)
      w = c.widen(c.extract(weights, {c.wrapIndex(c.toIndex(raw), classes)}));
    if (ignored)
      w = c.select(c.eq(raw, c.like(*ignored, raw)), c.number(0, type), w);
    return w;
  };
  Array loss =
      t.generic(acc, target.dims, {targets}, [&](Code &c, ValueRange v) {
        SmallVector<Value> at = {c.loop(0),
                                 c.wrapIndex(c.toIndex(v[0]), classes)};
        for (int64_t i = 1; i < target.rank(); ++i)
          at.push_back(c.loop(i));
        Value term = c.neg(c.widen(c.extract(data, at)));
        Value zero = c.like(0, term);
        if (ignored) // an infinite term times a weight of 0 would be NaN
          term = c.select(c.eq(v[0], c.like(*ignored, v[0])), zero, term);
        return c.mul(term, weightAt(c, v[0]));
      });
  if (reduction == "none")
    return t.convert(loss, x.type);
  Array sum = total(t, loss);
  if (reduction == "mean") {
    Array count =
        t.generic(acc, target.dims, {targets},
                  [&](Code &c, ValueRange v) { return weightAt(c, v[0]); });
    if (!sum || !count)
      return {};
    sum = t.div(sum, total(t, count));
  }
  return t.convert(sum, x.type);
}

namespace nestor::onnx {

void importNegativeLogLikelihoodLoss(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), target = n.input(1), weight = n.optional(2);
  if (n.failed())
    return;
  n.set(0, likelihoodLoss(n, t, x, target, weight));
}

void importSoftmaxCrossEntropyLoss(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), target = n.input(1), weight = n.optional(2);
  if (n.failed())
    return;
  if (x.rank() < 2 || !isFloat(x.type))
    return n.malformed("the scores must be floats of rank 2 at least");
  DataType type = x.type;
  x = t.convert(x, TensorBuilder::accumulator(type));
  if (!x)
    return;
  Array top = t.maxKeep(x, {1});
  Array shifted = t.sub(x, top);
  Array powers = t.elementwise(
      x.type, {shifted}, [](Code &c, ValueRange v) { return c.exp(v[0]); });
  if (!powers)
    return;
  Array logs = t.elementwise(
      x.type, {shifted, t.sumKeep(powers, {1})},
      [](Code &c, ValueRange v) { return c.sub(v[0], c.log(v[1])); });
  logs = t.convert(logs, type);
  n.set(0, likelihoodLoss(n, t, logs, target, weight));
  if (n.wants(1))
    n.set(1, logs);
}

} // namespace nestor::onnx
