//===- Quantize.cpp - QuantizeLinear and its relatives --------------------===//
//
// before: Y = saturate(round(X / scale) + zero), X = (Y - zero) * scale
// after:  one pointwise operator; a scale an axis is read through that axis'
//         loop, a scale a block by an index
//
//===----------------------------------------------------------------------===//
#include "Quantize.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

bool onnx::isZero(const Array &zeroPoint) {
  if (!zeroPoint)
    return true;
  return zeroPoint.known && llvm::all_of(*zeroPoint.known, [](Dim d) {
           return DimMath::value(d) == 0 || DimMath::real(d) == 0.0;
         });
}

Value onnx::quantized(Code &c, Value x, Value scale, Value zero, DataType to) {
  Value scaled = c.roundEven(c.div(x, scale));
  return c.saturate(c.add(scaled, zero), to);
}

namespace {

/// How a scale or a zero point is spread over X.
enum class Spread { Tensor, Axis, Block };

/// Reads parameters (scale, zero point) at X's element.
class Parameters {
public:
  /// Checks `scale` against X; records an error.
  Parameters(NodeContext &n, TensorBuilder &t, const Array &x,
             const Array &scale)
      : n(n), t(t), x(x), scale(scale) {
    block = n.integer("block_size", 0);
    axis = n.integer("axis", 1);
    bool single = scale.rank() == 0 ||
                  (scale.rank() == 1 && DimMath::isOne(scale.dims[0]));
    if (n.failed())
      return;
    if (block > 0) {
      spread = Spread::Block;
      axis = n.axis(axis, x.rank());
      if (scale.rank() != x.rank())
        n.malformed("the scale of blocks must have X's rank");
    } else if (!single) {
      spread = Spread::Axis;
      axis = n.axis(axis, x.rank());
      if (scale.rank() != 1)
        n.malformed("the scale must be a scalar or a vector");
      else if (!n.failed())
        t.require(scale.dims[0], x.dims[axis],
                  "the scale does not fit X's axis");
    }
    if (n.failed() || spread != Spread::Block)
      return;
    for (int64_t i = 0; i < x.rank(); ++i)
      t.require(scale.dims[i],
                i == axis ? t.dims.ceilDiv(x.dims[i], t.dims.constant(block))
                          : x.dims[i],
                "the scale does not fit X's blocks");
  }

  /// The operand that reads `array`; nothing when the body must (blocks).
  std::optional<Operand> operand(Array array) {
    unsigned loops = x.rank();
    if (spread == Spread::Axis)
      return Operand{array, t.map(loops, {t.d(axis)})};
    if (spread == Spread::Tensor)
      return Operand{
          array, t.map(loops, SmallVector<AffineExpr>(array.rank(), t.c(0)))};
    return std::nullopt;
  }

  /// In the body: the element of `tensor` for the current block.
  Value atBlock(Code &c, Value tensor) {
    SmallVector<Value> at;
    for (int64_t i = 0; i < x.rank(); ++i)
      at.push_back(i == axis ? arith::DivUIOp::create(c.b, c.loc, c.loop(i),
                                                      c.index(block))
                                   .getResult()
                             : c.loop(i));
    return c.widen(c.extract(tensor, at));
  }

  /// The generic over X: body(x, scale, zero or null).
  Array run(DataType out, Array zero,
            llvm::function_ref<Value(Code &, Value, Value, Value)> body) {
    if (zero)
      checkZero(zero);
    if (t.failed())
      return {};
    SmallVector<Operand> operands = {
        {x, t.builder.getMultiDimIdentityMap(x.rank())}};
    Value scaleTensor, zeroTensor;
    if (auto o = operand(scale))
      operands.push_back(*o);
    else
      scaleTensor = t.value(scale);
    if (zero) {
      if (auto o = operand(zero))
        operands.push_back(*o);
      else
        zeroTensor = t.value(zero);
    }
    return t.generic(out, x.dims, operands, [&](Code &c, ValueRange v) {
      Value s = scaleTensor ? atBlock(c, scaleTensor) : v[1];
      Value z;
      if (zero)
        z = zeroTensor ? atBlock(c, zeroTensor) : v[2];
      return body(c, v[0], s, z);
    });
  }

private:
  NodeContext &n;
  TensorBuilder &t;
  Array x, scale;
  int64_t block = 0, axis = 0;
  Spread spread = Spread::Tensor;

  void checkZero(Array &zero) {
    if (zero.rank() != scale.rank()) {
      if (spread != Spread::Tensor)
        n.malformed("the zero point has another rank than the scale");
      return;
    }
    for (auto [a, b] : llvm::zip(zero.dims, scale.dims))
      t.require(a, b, "the zero point has other dims than the scale");
  }
};

/// The smallest and largest element, and 0.
Array extreme(TensorBuilder &t, Array x, bool largest) {
  SmallVector<int64_t> axes;
  for (int64_t i = 0; i < x.rank(); ++i)
    axes.push_back(i);
  return t.reduceAxes(x.type, x, axes, t.startValue(x.type, 0),
                      [&](Code &c, ValueRange v) {
                        return largest ? c.max(v[1], v[0]) : c.min(v[1], v[0]);
                      });
}

} // namespace

namespace nestor::onnx {

void importQuantizeLinear(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), scale = n.input(1), zero = n.optional(2);
  auto asked = DataType(n.integer("output_dtype", 0));
  bool saturate = n.integer("saturate", 1);
  if (n.failed())
    return;
  DataType to = zero                           ? zero.type
                : asked != DataType::Undefined ? asked
                                               : DataType::UInt8;
  if (zero && asked != DataType::Undefined && asked != to)
    return n.malformed("'output_dtype' differs from the zero point's type");
  if (!isFloat(scale.type) || scale.type == DataType::Double ||
      (!isFloat(x.type) && x.type != DataType::Int32))
    return n.unsupported("quantises " + dataTypeName(x.type) + " by " +
                         dataTypeName(scale.type));
  bool toFloat = isFloat(to);
  if (!toFloat && (!isInteger(to) || dataTypeBits(to) > 16))
    return n.malformed("quantises to " + dataTypeName(to));
  if (!storageType(t.builder.getContext(), to))
    return n.unsupported("quantises to " + dataTypeName(to));
  (void)saturate;
  Parameters parameters(n, t, x, scale);
  if (isZero(zero) || toFloat)
    zero = Array();
  n.set(0, parameters.run(to, zero, [&](Code &c, Value v, Value s, Value z) {
    Value real = c.cast(v, x.type, DataType::Float);
    Value unit = c.cast(s, scale.type, DataType::Float);
    if (toFloat)
      return c.cast(c.div(real, unit), DataType::Float, to);
    Value offset = z ? c.cast(z, to, DataType::Float) : c.like(0, real);
    return quantized(c, real, unit, offset, to);
  }));
}

void importDequantizeLinear(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), scale = n.input(1), zero = n.optional(2);
  auto asked = DataType(n.integer("output_dtype", 0));
  if (n.failed())
    return;
  DataType to = asked != DataType::Undefined ? asked : scale.type;
  if (!isFloat(scale.type) || !isFloat(to))
    return n.malformed("the scale and the result must be floats");
  if (zero && zero.type != x.type)
    return n.malformed("the zero point has another type than X");
  Parameters parameters(n, t, x, scale);
  if (isZero(zero) || isFloat(x.type))
    zero = Array();
  n.set(0, parameters.run(to, zero, [&](Code &c, Value v, Value s, Value z) {
    Value real;
    if (isFloat(x.type)) {
      real = c.cast(v, x.type, DataType::Float);
    } else {
      Value whole = c.cast(v, x.type, DataType::Int32);
      if (z)
        whole = c.sub(whole, c.cast(z, x.type, DataType::Int32));
      real = c.cast(whole, DataType::Int32, DataType::Float);
    }
    Value unit = c.cast(s, scale.type, DataType::Float);
    return c.cast(c.mul(real, unit), DataType::Float, to);
  }));
}

// scale = (max(X, 0) - min(X, 0)) / 255, zero = round(-min / scale)
void importDynamicQuantizeLinear(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  if (x.type != DataType::Float)
    return n.malformed("quantises only float32");
  Array high = extreme(t, x, true), low = extreme(t, x, false);
  Array scale = t.elementwise(x.type, {high, low}, [](Code &c, ValueRange v) {
    return c.div(c.sub(v[0], v[1]), c.like(255, v[0]));
  });
  Array zero =
      t.elementwise(DataType::UInt8, {low, scale}, [](Code &c, ValueRange v) {
        // 0 / 0, for a tensor of zeros, saturates to 0.
        return c.saturate(c.neg(c.div(v[0], v[1])), DataType::UInt8);
      });
  n.set(1, scale);
  n.set(2, zero);
  n.set(0, t.elementwise(
               DataType::UInt8, {x, scale, zero}, [](Code &c, ValueRange v) {
                 Value z = c.cast(v[2], DataType::UInt8, DataType::Float);
                 return quantized(c, v[0], v[1], z, DataType::UInt8);
               }));
}

} // namespace nestor::onnx
