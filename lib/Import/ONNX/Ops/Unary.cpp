//===- Unary.cpp - Elementwise operators of one input ---------------------===//
//
// A row an operator: its body on one element, and its value on a number that
// is known when the model is compiled (sizes are computed with these).
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace {

struct Row {
  llvm::StringLiteral name;
  Value (*body)(Code &c, Value x, DataType type);
  /// On a known float, or null.
  double (*fold)(double);
};

template <typename Op>
Value one(Code &c, Value x, DataType) {
  return Op::create(c.b, c.loc, x);
}

Value sign(Code &c, Value x, DataType type) {
  Value zero = c.like(0, x), one = c.like(1, x);
  if (isUnsigned(type))
    return c.select(c.eq(x, zero), zero, one);
  Value positive = c.select(c.gt(x, zero), one,
                            c.select(c.lt(x, zero), c.like(-1, x), zero));
  return positive;
}

Value softplus(Code &c, Value x, DataType) {
  // log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)), which does not overflow
  Value tail = math::Log1pOp::create(c.b, c.loc, c.exp(c.neg(c.abs(x))));
  return c.add(c.max(x, c.like(0, x)), tail);
}

const Row kRows[] = {
    {"Abs",
     [](Code &c, Value x, DataType t) { return isUnsigned(t) ? x : c.abs(x); },
     std::fabs},
    {"Acos", one<math::AcosOp>, nullptr},
    {"Acosh", one<math::AcoshOp>, nullptr},
    {"Asin", one<math::AsinOp>, nullptr},
    {"Asinh", one<math::AsinhOp>, nullptr},
    {"Atan", one<math::AtanOp>, nullptr},
    {"Atanh", one<math::AtanhOp>, nullptr},
    {"BitwiseNot", [](Code &c, Value x, DataType) { return c.negate(x); },
     nullptr},
    {"Ceil", one<math::CeilOp>, std::ceil},
    {"Cos", one<math::CosOp>, nullptr},
    {"Cosh", one<math::CoshOp>, nullptr},
    {"Erf", one<math::ErfOp>, nullptr},
    {"Exp", one<math::ExpOp>, nullptr},
    {"Floor", one<math::FloorOp>, std::floor},
    {"HardSwish",
     [](Code &c, Value x, DataType) {
       Value gate = c.add(c.div(x, c.like(6, x)), c.like(0.5, x));
       return c.mul(x, c.clamp(gate, c.like(0, x), c.like(1, x)));
     },
     nullptr},
    {"Log", one<math::LogOp>, nullptr},
    {"Mish",
     [](Code &c, Value x, DataType t) {
       return c.mul(x, c.tanh(softplus(c, x, t)));
     },
     nullptr},
    {"Neg", [](Code &c, Value x, DataType) { return c.neg(x); },
     [](double v) { return -v; }},
    {"Not", [](Code &c, Value x, DataType) { return c.negate(x); }, nullptr},
    {"Reciprocal",
     [](Code &c, Value x, DataType) { return c.div(c.like(1, x), x); },
     [](double v) { return 1 / v; }},
    {"Relu",
     [](Code &c, Value x, DataType t) {
       return c.max(x, c.like(0, x), isUnsigned(t));
     },
     nullptr},
    {"Round", one<math::RoundEvenOp>, std::nearbyint},
    {"Sigmoid", [](Code &c, Value x, DataType) { return c.sigmoid(x); },
     nullptr},
    {"Sign", sign, nullptr},
    {"Sin", one<math::SinOp>, nullptr},
    {"Sinh", one<math::SinhOp>, nullptr},
    {"Softplus", softplus, nullptr},
    {"Softsign",
     [](Code &c, Value x, DataType) {
       return c.div(x, c.add(c.like(1, x), c.abs(x)));
     },
     nullptr},
    {"Sqrt", one<math::SqrtOp>, std::sqrt},
    {"Tan", one<math::TanOp>, nullptr},
    {"Tanh", one<math::TanhOp>, nullptr},
};

/// The operators that also take integers.
bool takesIntegers(llvm::StringRef op) {
  return op == "Abs" || op == "Neg" || op == "Sign" || op == "Relu" ||
         op == "BitwiseNot";
}

/// The known result, when the input's elements are known and the row can.
Array folded(TensorBuilder &t, const Row &row, const Array &x) {
  if (!x.known)
    return {};
  Dims elements;
  for (Dim element : *x.known) {
    auto n = DimMath::value(element);
    if (row.name == "Neg" && isInteger(x.type))
      elements.push_back(t.dims.sub(t.dims.constant(0), element));
    else if (row.name == "Abs" && isInteger(x.type) && n)
      elements.push_back(t.dims.constant(std::abs(*n)));
    else if (row.name == "Not" && x.type == DataType::Bool)
      elements.push_back(t.dims.sub(t.dims.constant(1), element));
    else if (auto real = DimMath::real(element); real && row.fold) {
      double v = row.fold(*real);
      if (x.type == DataType::Float)
        v = float(v);
      else if (x.type != DataType::Double)
        return {};
      elements.push_back(Dim(t.builder.getF64FloatAttr(v)));
    } else
      return {};
  }
  return t.known(x.type, x.dims, elements);
}

} // namespace

namespace nestor::onnx {
void importUnary(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  const Row *row =
      llvm::find_if(kRows, [&](const Row &r) { return r.name == n.op(); });
  if (row == std::end(kRows))
    return n.unsupported("no such elementwise operator");
  bool fits =
      row->name == "Not" ? x.type == DataType::Bool
      : row->name == "BitwiseNot"
          ? isInteger(x.type)
          : isFloat(x.type) || (takesIntegers(n.op()) && isInteger(x.type));
  if (!fits)
    return n.malformed("does not take " + dataTypeName(x.type));
  if (Array known = folded(t, *row, x))
    return n.set(0, known);
  n.set(0, t.elementwise(x.type, {x}, [&](Code &c, ValueRange v) {
    return row->body(c, v[0], x.type);
  }));
}
} // namespace nestor::onnx
