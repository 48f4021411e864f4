//===- Activation.cpp - Activations with attributes, and Clip -------------===//
//
// Elementwise operators of one tensor whose formula has parameters. LSTM and
// friends use the same formulas through `activation`.
//
//===----------------------------------------------------------------------===//
#include "Activation.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

std::optional<float> onnx::defaultAlpha(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<float>>(name)
      .Case("leakyrelu", 0.01f)
      .Case("elu", 1.0f)
      .Case("hardsigmoid", 0.2f)
      .Case("thresholdedrelu", 1.0f)
      .Case("scaledtanh", 1.0f)
      .Case("affine", 1.0f)
      .Default(std::nullopt);
}

Value onnx::activation(Code &c, llvm::StringRef name, Value x, double alpha,
                       double beta) {
  Value zero = c.like(0, x), one = c.like(1, x), a = c.like(alpha, x),
        b = c.like(beta, x);
  if (name == "relu")
    return c.max(x, zero);
  if (name == "tanh")
    return c.tanh(x);
  if (name == "sigmoid")
    return c.sigmoid(x);
  if (name == "leakyrelu")
    return c.select(c.lt(x, zero), c.mul(x, a), x);
  if (name == "thresholdedrelu")
    return c.select(c.gt(x, a), x, zero);
  if (name == "scaledtanh")
    return c.mul(a, c.tanh(c.mul(b, x)));
  if (name == "affine")
    return c.add(c.mul(a, x), b);
  if (name == "hardsigmoid")
    return c.clamp(c.add(c.mul(a, x), b), zero, one);
  if (name == "elu")
    return c.select(c.lt(x, zero),
                    c.mul(a, math::ExpM1Op::create(c.b, c.loc, x).getResult()),
                    x);
  if (name == "softsign")
    return c.div(x, c.add(one, c.abs(x)));
  if (name == "softplus")
    return c.add(c.max(x, zero),
                 math::Log1pOp::create(c.b, c.loc, c.exp(c.neg(c.abs(x)))));
  return {};
}

/// One float tensor in, one out.
static void mapFloat(NodeContext &n, TensorBuilder &t,
                     llvm::function_ref<Value(Code &, Value)> body) {
  Array x = n.input(0);
  if (n.failed())
    return;
  if (!isFloat(x.type))
    return n.malformed("does not take " + dataTypeName(x.type));
  n.set(0, t.elementwise(x.type, {x},
                         [&](Code &c, ValueRange v) { return body(c, v[0]); }));
}

namespace nestor::onnx {

void importActivation(NodeContext &n, TensorBuilder &t) {
  std::string name = n.op().lower();
  double alpha = n.real("alpha", defaultAlpha(name).value_or(0));
  double beta = n.real("beta", 0.5);
  mapFloat(n, t, [&](Code &c, Value x) {
    return activation(c, name, x, alpha, beta);
  });
}

void importSelu(NodeContext &n, TensorBuilder &t) {
  double alpha = n.real("alpha", 1.67326319217681884765625);
  double gamma = n.real("gamma", 1.05070102214813232421875);
  mapFloat(n, t, [&](Code &c, Value x) {
    Value low = c.mul(c.like(alpha, x),
                      math::ExpM1Op::create(c.b, c.loc, x).getResult());
    return c.mul(c.like(gamma, x), c.select(c.gt(x, c.like(0, x)), x, low));
  });
}

void importCelu(NodeContext &n, TensorBuilder &t) {
  double alpha = n.real("alpha", 1);
  mapFloat(n, t, [&](Code &c, Value x) {
    Value zero = c.like(0, x), a = c.like(alpha, x);
    Value low =
        c.mul(a, math::ExpM1Op::create(c.b, c.loc, c.div(x, a)).getResult());
    return c.add(c.max(x, zero), c.min(low, zero));
  });
}

void importShrink(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  double bias = n.real("bias", 0), lambda = n.real("lambd", 0.5);
  if (n.failed())
    return;
  n.set(0, t.elementwise(x.type, {x}, [&](Code &c, ValueRange v) {
    DataType real = isFloat(x.type) ? x.type : DataType::Float;
    Value r = c.cast(v[0], x.type, real);
    Value shrunk =
        c.select(c.lt(r, c.like(-lambda, r)), c.add(r, c.like(bias, r)),
                 c.select(c.gt(r, c.like(lambda, r)), c.sub(r, c.like(bias, r)),
                          c.like(0, r)));
    return c.cast(shrunk, real, x.type);
  }));
}

void importGelu(NodeContext &n, TensorBuilder &t) {
  llvm::StringRef form = n.string("approximate", "none");
  mapFloat(n, t, [&](Code &c, Value x) {
    Value half = c.mul(c.like(0.5, x), x), one = c.like(1, x);
    if (form == "tanh") {
      Value cube = c.mul(c.mul(x, x), x);
      Value inner = c.mul(c.like(0.7978845608028654, x),
                          c.add(x, c.mul(c.like(0.044715, x), cube)));
      return c.mul(half, c.add(one, c.tanh(inner)));
    }
    return c.mul(half,
                 c.add(one, c.erf(c.mul(x, c.like(0.7071067811865476, x)))));
  });
}

void importSwish(NodeContext &n, TensorBuilder &t) {
  double alpha = n.real("alpha", 1);
  mapFloat(n, t, [&](Code &c, Value x) {
    return c.mul(x, c.sigmoid(c.mul(c.like(alpha, x), x)));
  });
}

void importIsNaN(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  if (!isFloat(x.type))
    return n.malformed("does not take " + dataTypeName(x.type));
  n.set(0, t.elementwise(DataType::Bool, {x},
                         [](Code &c, ValueRange v) { return c.isNan(v[0]); }));
}

void importIsInf(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  bool negative = n.integer("detect_negative", 1),
       positive = n.integer("detect_positive", 1);
  if (n.failed())
    return;
  if (!isFloat(x.type))
    return n.malformed("does not take " + dataTypeName(x.type));
  n.set(0, t.elementwise(DataType::Bool, {x}, [&](Code &c, ValueRange v) {
    Value result = c.boolean(false);
    if (positive)
      result = c.disj(result, c.eq(v[0], c.like(INFINITY, v[0])));
    if (negative)
      result = c.disj(result, c.eq(v[0], c.like(-INFINITY, v[0])));
    return result;
  }));
}

// Bounds are attributes up to opset 10, optional scalars from 11 on.
void importClip(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  Array low = n.optional(1), high = n.optional(2);
  if (n.version() < 11) {
    if (n.hasAttribute("min"))
      low = t.scalar(x.type, n.real("min", 0));
    if (n.hasAttribute("max"))
      high = t.scalar(x.type, n.real("max", 0));
  }
  bool u = isUnsigned(x.type);
  SmallVector<Array> inputs{x};
  for (Array *bound : {&low, &high}) {
    if (!*bound)
      continue;
    if (bound->type != x.type)
      return n.malformed("a bound has another type");
    *bound = t.reshape(*bound, {});
    inputs.push_back(*bound);
  }
  if (n.failed())
    return;
  if (inputs.size() == 1)
    return n.set(0, x);
  bool hasLow(low);
  n.set(0, t.elementwiseTo(x.type, x.dims, inputs, [&](Code &c, ValueRange v) {
    Value r = v[0];
    if (low)
      r = c.max(r, v[1], u);
    if (high)
      r = c.min(r, v[hasLow ? 2 : 1], u);
    return r;
  }));
}

} // namespace nestor::onnx
