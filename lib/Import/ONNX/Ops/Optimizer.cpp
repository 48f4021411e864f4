//===- Optimizer.cpp - Steps of training ----------------------------------===//
//
// Adagrad, Adam and Momentum: for each tensor one elementwise operator a
// result. Inputs are the rate R, the step count T, then all X, all gradients,
// and all of each state; results are all X, then all of each state.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace {

/// The inputs of one tensor's step: rate, count, x, gradient, states.
using StepFn = llvm::function_ref<SmallVector<Array>(
    Array r, Array count, Array x, Array g, llvm::ArrayRef<Array> states)>;

void runSteps(NodeContext &n, TensorBuilder &t, unsigned states, StepFn step) {
  SmallVector<Array> inputs = n.allInputs();
  if (n.failed())
    return;
  unsigned group = states + 2;
  if (inputs.size() < 2 + group || (inputs.size() - 2) % group)
    return n.malformed("the number of inputs does not fit");
  Array rate = inputs[0], count = inputs[1];
  if (rate.rank() > 1 || !isFloat(rate.type) || count.rank() > 1 ||
      count.type != DataType::Int64)
    return n.malformed("the rate and the count must be scalars");
  unsigned tensors = (inputs.size() - 2) / group;
  for (unsigned i = 0; i < tensors; ++i) {
    auto at = [&](unsigned k) { return inputs[2 + k * tensors + i]; };
    SmallVector<Array> own;
    for (unsigned k = 0; k < group; ++k) {
      if (at(k).type != rate.type)
        return n.malformed("the inputs have different types");
      if (k >= 2)
        own.push_back(at(k));
    }
    SmallVector<Array> results = step(rate, count, at(0), at(1), own);
    for (auto [k, result] : llvm::enumerate(results))
      if (n.wants(k * tensors + i))
        n.set(k * tensors + i, result);
  }
}

} // namespace

namespace nestor::onnx {

void importAdagrad(NodeContext &n, TensorBuilder &t) {
  double decay = n.real("decay_factor", 0), epsilon = n.real("epsilon", 1e-6),
         norm = n.real("norm_coefficient", 0);
  runSteps(n, t, 1,
           [&](Array r, Array count, Array x, Array g,
               llvm::ArrayRef<Array> states) -> SmallVector<Array> {
             DataType type = x.type;
             auto slope = [&](Code &c, Value x, Value g) {
               return c.add(c.mul(c.like(norm, x), x), g);
             };
             Array h = t.elementwiseTo(type, x.dims, {x, g, states[0]},
                                       [&](Code &c, ValueRange v) {
                                         Value s = slope(c, v[0], v[1]);
                                         return c.add(v[2], c.mul(s, s));
                                       });
             Array next = t.elementwiseTo(
                 type, x.dims, {x, g, h, r, count}, [&](Code &c, ValueRange v) {
                   Value s = slope(c, v[0], v[1]);
                   Value steps = c.cast(v[4], DataType::Int64, type);
                   Value rate =
                       c.div(v[3], c.add(c.like(1, s),
                                         c.mul(steps, c.like(decay, s))));
                   Value root = c.add(c.sqrt(v[2]), c.like(epsilon, s));
                   return c.sub(v[0], c.div(c.mul(rate, s), root));
                 });
             return {next, h};
           });
}

void importAdam(NodeContext &n, TensorBuilder &t) {
  double alpha = n.real("alpha", 0.9), beta = n.real("beta", 0.999),
         epsilon = n.real("epsilon", 1e-6),
         norm = n.real("norm_coefficient", 0),
         after = n.real("norm_coefficient_post", 0);
  runSteps(
      n, t, 2,
      [&](Array r, Array count, Array x, Array g,
          llvm::ArrayRef<Array> states) -> SmallVector<Array> {
        DataType type = x.type;
        auto mix = [&](Code &c, Value old, double keep, Value fresh) {
          return c.add(c.mul(c.like(keep, old), old),
                       c.mul(c.like(1 - keep, old), fresh));
        };
        auto slope = [&](Code &c, Value x, Value g) {
          return c.add(c.mul(c.like(norm, x), x), g);
        };
        Array v1 = t.elementwiseTo(
            type, x.dims, {x, g, states[0]}, [&](Code &c, ValueRange v) {
              return mix(c, v[2], alpha, slope(c, v[0], v[1]));
            });
        Array h1 = t.elementwiseTo(type, x.dims, {x, g, states[1]},
                                   [&](Code &c, ValueRange v) {
                                     Value s = slope(c, v[0], v[1]);
                                     return mix(c, v[2], beta, c.mul(s, s));
                                   });
        Array next = t.elementwiseTo(
            type, x.dims, {x, v1, h1, r, count}, [&](Code &c, ValueRange v) {
              Value x = v[0], one = c.like(1, x), zero = c.like(0, x);
              Value steps = c.cast(v[4], DataType::Int64, type);
              // Bias correction, from the first step on.
              Value second = c.sqrt(c.sub(one, c.pow(c.like(beta, x), steps)));
              Value first = c.sub(one, c.pow(c.like(alpha, x), steps));
              Value rate = c.select(c.gt(steps, zero),
                                    c.div(c.mul(v[3], second), first), v[3]);
              Value root = c.add(c.sqrt(v[2]), c.like(epsilon, x));
              Value moved = c.sub(x, c.mul(rate, c.div(v[1], root)));
              return c.mul(c.like(1 - after, x), moved);
            });
        return {next, v1, h1};
      });
}

void importMomentum(NodeContext &n, TensorBuilder &t) {
  double alpha = n.real("alpha", 0), beta = n.real("beta", 0),
         norm = n.real("norm_coefficient", 0);
  llvm::StringRef mode = n.string("mode", "standard");
  if (mode != "standard" && mode != "nesterov")
    return n.malformed("attribute 'mode' has an unknown value");
  bool nesterov = mode == "nesterov";
  runSteps(
      n, t, 1,
      [&](Array r, Array count, Array x, Array g,
          llvm::ArrayRef<Array> states) -> SmallVector<Array> {
        DataType type = x.type;
        auto slope = [&](Code &c, Value x, Value g) {
          return c.add(c.mul(c.like(norm, x), x), g);
        };
        Array v1 = t.elementwiseTo(
            type, x.dims, {x, g, states[0], count}, [&](Code &c, ValueRange v) {
              Value s = slope(c, v[0], v[1]);
              Value factor = c.select(c.gt(v[3], c.like(0, v[3])),
                                      c.like(beta, s), c.like(1, s));
              return c.add(c.mul(c.like(alpha, s), v[2]), c.mul(factor, s));
            });
        Array next = t.elementwiseTo(
            type, x.dims, {x, g, v1, r}, [&](Code &c, ValueRange v) {
              Value step = v[2];
              if (nesterov)
                step = c.add(slope(c, v[0], v[1]),
                             c.mul(c.like(alpha, step), step));
              return c.sub(v[0], c.mul(v[3], step));
            });
        return {next, v1};
      });
}

} // namespace nestor::onnx
