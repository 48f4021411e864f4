//===- Binary.cpp - Elementwise operators of two and more inputs ----------===//
//
// A row an operator: its body on two elements and its value on sizes, which is
// how shapes are computed while importing.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace {

using Body = Value (*)(Code &c, Value a, Value b, bool isUnsigned);
using SizeFold = Dim (*)(DimMath &d, Dim a, Dim b);
using RealFold = double (*)(double a, double b);

struct Row {
  llvm::StringLiteral name;
  Body body;
  bool makesBool;
  SizeFold onSizes;
  RealFold onReals;
};

using P = arith::CmpIPredicate;
template <P predicate>
Dim compared(DimMath &d, Dim a, Dim b) {
  return d.compare(predicate, a, b);
}

/// Division of sizes truncates; it equals the floor for what is not negative.
Dim dividedSizes(DimMath &d, Dim a, Dim b) {
  auto x = DimMath::value(a), y = DimMath::value(b);
  if (x && y && *y != 0 && *y != -1)
    return d.constant(*x / *y);
  if (d.atLeast(a, d.constant(0)) && d.atLeast(b, d.constant(0)))
    return d.floorDiv(a, b);
  return {};
}

const Row kRows[] = {
    {"Add", [](Code &c, Value a, Value b, bool) { return c.add(a, b); }, false,
     [](DimMath &d, Dim a, Dim b) { return d.add(a, b); },
     [](double a, double b) { return a + b; }},
    {"Sub", [](Code &c, Value a, Value b, bool) { return c.sub(a, b); }, false,
     [](DimMath &d, Dim a, Dim b) { return d.sub(a, b); },
     [](double a, double b) { return a - b; }},
    {"Mul", [](Code &c, Value a, Value b, bool) { return c.mul(a, b); }, false,
     [](DimMath &d, Dim a, Dim b) { return d.mul(a, b); },
     [](double a, double b) { return a * b; }},
    {"Div", [](Code &c, Value a, Value b, bool u) { return c.div(a, b, u); },
     false, dividedSizes, [](double a, double b) { return a / b; }},
    {"And", [](Code &c, Value a, Value b, bool) { return c.conj(a, b); }, true,
     [](DimMath &d, Dim a, Dim b) { return d.mul(a, b); }, nullptr},
    {"Or", [](Code &c, Value a, Value b, bool) { return c.disj(a, b); }, true,
     [](DimMath &d, Dim a, Dim b) { return d.max(a, b); }, nullptr},
    {"Xor", [](Code &c, Value a, Value b, bool) { return c.exclusive(a, b); },
     true, compared<P::ne>, nullptr},
    {"BitwiseAnd", [](Code &c, Value a, Value b, bool) { return c.conj(a, b); },
     false, nullptr, nullptr},
    {"BitwiseOr", [](Code &c, Value a, Value b, bool) { return c.disj(a, b); },
     false, nullptr, nullptr},
    {"BitwiseXor",
     [](Code &c, Value a, Value b, bool) { return c.exclusive(a, b); }, false,
     nullptr, nullptr},
    {"Equal", [](Code &c, Value a, Value b, bool) { return c.eq(a, b); }, true,
     compared<P::eq>, nullptr},
    {"Greater", [](Code &c, Value a, Value b, bool u) { return c.gt(a, b, u); },
     true, compared<P::sgt>, nullptr},
    {"GreaterOrEqual",
     [](Code &c, Value a, Value b, bool u) { return c.ge(a, b, u); }, true,
     compared<P::sge>, nullptr},
    {"Less", [](Code &c, Value a, Value b, bool u) { return c.lt(a, b, u); },
     true, compared<P::slt>, nullptr},
    {"LessOrEqual",
     [](Code &c, Value a, Value b, bool u) { return c.le(a, b, u); }, true,
     compared<P::sle>, nullptr},
    {"Max", [](Code &c, Value a, Value b, bool u) { return c.max(a, b, u); },
     false, [](DimMath &d, Dim a, Dim b) { return d.max(a, b); },
     [](double a, double b) { return std::fmax(a, b); }},
    {"Min", [](Code &c, Value a, Value b, bool u) { return c.min(a, b, u); },
     false, [](DimMath &d, Dim a, Dim b) { return d.min(a, b); },
     [](double a, double b) { return std::fmin(a, b); }},
};

const Row *findRow(llvm::StringRef op) {
  const Row *row =
      llvm::find_if(kRows, [&](const Row &r) { return r.name == op; });
  return row == std::end(kRows) ? nullptr : row;
}

/// The known result of two small known inputs, or a false Array.
Array folded(TensorBuilder &t, const Row &row, Array a, Array b) {
  if (!a.known || !b.known)
    return {};
  auto shape = t.broadcast({a.dims, b.dims});
  if (!shape)
    return {};
  a = t.broadcastTo(a, *shape);
  b = t.broadcastTo(b, *shape);
  if (!a || !b || !a.known || !b.known)
    return {};
  bool sized = a.type == DataType::Int64 || a.type == DataType::Int32 ||
               a.type == DataType::Bool;
  Dims elements;
  for (auto [x, y] : llvm::zip(*a.known, *b.known)) {
    Dim element;
    if (sized && row.onSizes) {
      element = row.onSizes(t.dims, x, y);
    } else if (a.type == DataType::Float && row.onReals) {
      auto u = DimMath::real(x), v = DimMath::real(y);
      if (u && v)
        element = Dim(t.builder.getF64FloatAttr(
            float(row.onReals(float(*u), float(*v)))));
    }
    if (!element)
      return {};
    elements.push_back(element);
  }
  return t.known(row.makesBool ? DataType::Bool : a.type, *shape, elements);
}

/// Before opset 7 broadcasting was asked for, and `axis` said where the
/// second input's dims stand.
Array legacyOperand(NodeContext &n, TensorBuilder &t, const Array &a, Array b) {
  if (n.version() >= 7 || !n.integer("broadcast", 0) || !n.hasAttribute("axis"))
    return b;
  int64_t axis = n.axis(n.integer("axis", 0), a.rank());
  if (n.failed())
    return {};
  Dims shape(b.dims);
  while (int64_t(shape.size()) + axis < a.rank())
    shape.push_back(t.dims.constant(1));
  return t.reshape(b, shape);
}

Array apply(NodeContext &n, TensorBuilder &t, const Row &row, Array a,
            Array b) {
  if (!a || !b)
    return {};
  if (a.type != b.type)
    return t.malformed("its inputs have different types, " +
                       dataTypeName(a.type) + " and " + dataTypeName(b.type));
  if (Array known = folded(t, row, a, b))
    return known;
  bool u = isUnsigned(a.type);
  return t.elementwise(
      row.makesBool ? DataType::Bool : a.type, {a, b},
      [&](Code &c, ValueRange v) { return row.body(c, v[0], v[1], u); });
}

} // namespace

namespace nestor::onnx {

void importBinary(NodeContext &n, TensorBuilder &t) {
  Array a = n.input(0), b = n.input(1);
  if (n.failed())
    return;
  const Row *row = findRow(n.op());
  bool logical = n.op() == "And" || n.op() == "Or" || n.op() == "Xor";
  bool bits = n.op().starts_with("Bitwise");
  if ((logical && a.type != DataType::Bool) || (bits && !isInteger(a.type)) ||
      (!logical && a.type == DataType::Bool && n.op() != "Equal"))
    return n.malformed("does not take " + dataTypeName(a.type));
  b = legacyOperand(n, t, a, b);
  n.set(0, apply(n, t, *row, a, b));
}

void importVariadic(NodeContext &n, TensorBuilder &t) {
  SmallVector<Array> inputs = n.allInputs();
  if (n.failed())
    return;
  bool mean = n.op() == "Mean";
  const Row *row = findRow(mean || n.op() == "Sum" ? "Add" : n.op());
  Array result = inputs[0];
  for (Array &input : llvm::drop_begin(inputs))
    result = apply(n, t, *row, result, input);
  if (mean)
    result = t.div(result, t.scalar(inputs[0].type, inputs.size()));
  n.set(0, result);
}

void importMod(NodeContext &n, TensorBuilder &t) {
  Array a = n.input(0), b = n.input(1);
  bool truncated = n.integer("fmod", 0);
  if (n.failed())
    return;
  if (a.type != b.type)
    return n.malformed("its inputs have different types");
  bool u = isUnsigned(a.type);
  if (a.known && b.known && isInteger(a.type) && a.known->size() == 1 &&
      b.known->size() == 1 &&
      t.dims.atLeast((*a.known)[0], t.dims.constant(0)) &&
      t.dims.atLeast((*b.known)[0], t.dims.constant(1)))
    if (auto shape = t.broadcast({a.dims, b.dims}))
      return n.set(0, t.known(a.type, *shape,
                              {t.dims.mod((*a.known)[0], (*b.known)[0])}));
  n.set(0, t.elementwise(a.type, {a, b}, [&](Code &c, ValueRange v) {
    if (isFloat(a.type) || truncated || u)
      return c.rem(v[0], v[1], u);
    return c.floorMod(v[0], v[1]);
  }));
}

void importPow(NodeContext &n, TensorBuilder &t) {
  Array a = n.input(0), b = n.input(1);
  if (n.failed())
    return;
  b = legacyOperand(n, t, a, b);
  if (!b)
    return;
  // Powers that are one or two multiplications.
  auto exponent = t.number(b);
  if (exponent && isFloat(a.type) &&
      (*exponent == 2 || *exponent == 3 || *exponent == 1 ||
       *exponent == 0.5)) {
    auto shape = t.broadcast({a.dims, b.dims});
    if (!shape)
      return;
    return n.set(0, t.elementwiseTo(a.type, *shape, {a},
                                    [&](Code &c, ValueRange v) -> Value {
                                      if (*exponent == 1)
                                        return v[0];
                                      if (*exponent == 0.5)
                                        return c.sqrt(v[0]);
                                      Value square = c.mul(v[0], v[0]);
                                      return *exponent == 2
                                                 ? square
                                                 : c.mul(square, v[0]);
                                    }));
  }
  bool narrow = isFloat(a.type) && a.type != DataType::Double &&
                b.type != DataType::Double;
  DataType type = narrow ? DataType::Float : DataType::Double;
  n.set(0, t.elementwise(a.type, {a, b}, [&](Code &c, ValueRange v) {
    Value power = c.pow(c.cast(v[0], a.type, type), c.cast(v[1], b.type, type));
    return c.cast(power, type, a.type);
  }));
}

void importBitShift(NodeContext &n, TensorBuilder &t) {
  Array a = n.input(0), b = n.input(1);
  llvm::StringRef direction = n.string("direction", "");
  if (n.failed())
    return;
  if (direction != "LEFT" && direction != "RIGHT")
    return n.malformed("attribute 'direction' must be LEFT or RIGHT");
  if (a.type != b.type || !isInteger(a.type))
    return n.malformed("shifts only equal integer types");
  n.set(0, t.elementwise(a.type, {a, b}, [&](Code &c, ValueRange v) -> Value {
    // A shift by the width or more gives 0, as in C++ it would be undefined.
    unsigned width = v[0].getType().getIntOrFloatBitWidth();
    Value bad = c.ge(v[1], c.like(width, v[1]), true);
    Value amount = c.select(bad, c.like(0, v[1]), v[1]);
    Value shifted =
        direction == "LEFT"
            ? arith::ShLIOp::create(c.b, c.loc, v[0], amount).getResult()
            : arith::ShRUIOp::create(c.b, c.loc, v[0], amount).getResult();
    return c.select(bad, c.like(0, v[0]), shifted);
  }));
}

void importPRelu(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), slope = n.input(1);
  if (n.failed())
    return;
  if (slope.type != x.type || x.type == DataType::Bool)
    return n.malformed("does not take " + dataTypeName(x.type) + " and " +
                       dataTypeName(slope.type));
  // Before opset 7 a rank-1 slope is one a channel.
  if (n.version() < 7 && slope.rank() == 1 && x.rank() > 1 &&
      !DimMath::isOne(slope.dims[0])) {
    Dims shape(slope.dims);
    shape.resize(x.rank() - 1, t.dims.constant(1));
    slope = t.reshape(slope, shape);
  }
  if (!slope)
    return;
  n.set(0,
        t.elementwiseTo(x.type, x.dims, {x, slope}, [&](Code &c, ValueRange v) {
          Value zero = c.like(0, v[0]);
          return c.select(c.lt(v[0], zero), c.mul(v[0], v[1]), v[0]);
        }));
}

} // namespace nestor::onnx
