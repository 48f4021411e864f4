//===- QuantizedMatMul.cpp - MatMulInteger and QLinearMatMul --------------===//
//
// before: Y = (A - za) @ (B - zb)
// after:  P = A @ B in int32, then
//         Y = P - za * colsum(B) - zb * rowsum(A - za),
//         terms of zero points that are known to be 0 left out
//
// The contraction stays one of bytes; the sums of a constant B are constants,
// and with a known za all of that term.
//
//===----------------------------------------------------------------------===//
#include "Contraction.h"
#include "Quantize.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// A zero point of A (B) as something that broadcasts to the product: one a
/// row (column) gets the dims for that.
static Array spread(TensorBuilder &t, Array zero, bool rows) {
  if (!zero || zero.rank() != 1 || DimMath::isOne(zero.dims[0]))
    return zero && zero.rank() == 1 ? t.reshape(zero, {}) : zero;
  Dims shape(zero.dims);
  shape.insert(rows ? shape.end() : shape.begin(), t.dims.constant(1));
  return t.reshape(zero, shape);
}

/// int32 sums over one axis, which stays as 1.
static Array sums(TensorBuilder &t, Array x, int64_t axis) {
  return t.keepDims(
      t.reduceAxes(DataType::Int32, x, {axis}, t.startValue(DataType::Int32, 0),
                   [&](Code &c, ValueRange v) {
                     return c.add(v[1], c.cast(v[0], x.type, DataType::Int32));
                   }),
      {axis});
}

/// The int32 product of rank at least 2 (vectors get a dim of 1).
static Array product(TensorBuilder &t, Array a, Array b, Array zeroA,
                     Array zeroB) {
  DataType i32 = DataType::Int32;
  Array p = matmul(t, a, b, i32, [&](Code &c, Value x, Value y) {
    return c.mul(c.cast(x, a.type, i32), c.cast(y, b.type, i32));
  });
  bool shiftA = !isZero(zeroA), shiftB = !isZero(zeroB);
  if (!p || (!shiftA && !shiftB))
    return p;
  zeroA = spread(t, zeroA, true);
  zeroB = spread(t, zeroB, false);
  SmallVector<Array> inputs = {p};
  // zero * sums: multiplied beforehand when one number is known.
  struct Term {
    unsigned at;
    DataType type; // of the zero point; Undefined: multiplied already
  };
  SmallVector<Term> terms;
  auto subtract = [&](Array zero, Array sums) {
    bool known = zero.rank() == 0 && zero.known;
    terms.push_back({static_cast<unsigned>(inputs.size()),
                     known ? DataType::Undefined : zero.type});
    inputs.push_back(known ? t.mul(sums, t.convert(zero, i32)) : sums);
    if (!known)
      inputs.push_back(zero);
  };
  if (shiftA)
    subtract(zeroA, sums(t, b, b.rank() - 2));
  if (shiftB) {
    Array rows = sums(t, a, a.rank() - 1);
    Value depth = t.dims.toValue(a.dims.back());
    if (shiftA)
      rows = t.elementwise(i32, {rows, zeroA}, [&](Code &c, ValueRange v) {
        return c.sub(v[0], c.mul(c.fromIndex(depth, v[0].getType()),
                                 c.cast(v[1], zeroA.type, i32)));
      });
    subtract(zeroB, rows);
  }
  return t.elementwiseTo(i32, p.dims, inputs, [&](Code &c, ValueRange v) {
    Value y = v[0];
    for (const Term &term : terms) {
      Value sum = v[term.at];
      if (term.type != DataType::Undefined)
        sum = c.mul(sum, c.cast(v[term.at + 1], term.type, i32));
      y = c.sub(y, sum);
    }
    return y;
  });
}

static bool isByte(DataType type) {
  return type == DataType::Int8 || type == DataType::UInt8;
}

/// The product with numpy's rules for vectors.
static Array integerMatMul(TensorBuilder &t, Array a, Array b, Array zeroA,
                           Array zeroB) {
  if (!a || !b)
    return {};
  if (!isByte(a.type) || !isByte(b.type) || (zeroA && zeroA.type != a.type) ||
      (zeroB && zeroB.type != b.type))
    return t.malformed("multiplies " + dataTypeName(a.type) + " with " +
                       dataTypeName(b.type) +
                       " or has zero points of other types");
  if (a.rank() == 0 || b.rank() == 0)
    return t.malformed("a scalar cannot be multiplied as a matrix");
  bool row = a.rank() == 1, column = b.rank() == 1;
  if (row)
    a = t.unsqueeze(a, 0);
  if (column)
    b = t.unsqueeze(b, 1);
  Array p = product(t, a, b, zeroA, zeroB);
  if (!p || (!row && !column))
    return p;
  Dims shape(p.dims);
  if (column)
    shape.pop_back();
  if (row)
    shape.erase(shape.end() - (column ? 1 : 2));
  return t.reshape(p, shape);
}

namespace nestor::onnx {

void importMatMulInteger(NodeContext &n, TensorBuilder &t) {
  Array a = n.input(0), b = n.input(1);
  if (n.failed())
    return;
  n.set(0, integerMatMul(t, a, b, n.optional(2), n.optional(3)));
}

// Y = saturate(round(product * (scaleA * scaleB / scaleY)) + zeroY), the factor
// computed before
void importQLinearMatMul(NodeContext &n, TensorBuilder &t) {
  Array a = n.input(0), scaleA = n.input(1), zeroA = n.input(2), b = n.input(3),
        scaleB = n.input(4), zeroB = n.input(5), scaleY = n.input(6),
        zeroY = n.input(7);
  if (n.failed())
    return;
  if (!isByte(zeroY.type))
    return n.malformed("the result's zero point is no byte");
  for (const Array &scale : {scaleA, scaleB, scaleY})
    if (!isFloat(scale.type))
      return n.malformed("the scales must be floats");
  Array p = integerMatMul(t, a, b, zeroA, zeroB);
  if (!p)
    return;
  // Parameters a row or column broadcast as the zero points do.
  scaleA = t.convert(spread(t, scaleA, true), DataType::Float);
  scaleB = t.convert(spread(t, scaleB, false), DataType::Float);
  scaleY = t.convert(spread(t, scaleY, true), DataType::Float);
  // One a row and one a column make a matrix: that is computed on the way.
  bool matrix = (scaleA.rank() > 0 || scaleY.rank() > 0) && scaleB.rank() > 0;
  SmallVector<Array> inputs = {p, spread(t, zeroY, true)};
  if (matrix)
    inputs.append({scaleA, scaleB, scaleY});
  else
    inputs.push_back(t.div(t.mul(scaleA, scaleB), scaleY));
  DataType to = zeroY.type;
  n.set(0, t.elementwiseTo(to, p.dims, inputs, [&](Code &c, ValueRange v) {
    Value real = c.cast(v[0], DataType::Int32, DataType::Float);
    Value factor = matrix ? c.div(c.mul(v[2], v[3]), v[4]) : v[2];
    Value whole = c.roundEven(c.mul(real, factor));
    Value zero = c.cast(v[1], to, DataType::Float);
    return c.saturate(c.add(whole, zero), to);
  }));
}

} // namespace nestor::onnx
