//===- Resizer.cpp - Tables and taps of a resize --------------------------===//
//
// A table of indices and one of coefficients for each axis, then
//   nearest:        one gather through the tables
//   linear, cubic:  for each axis one generic that sums its taps
// Whole enlargements by the nearest element become a broadcast; antialiasing by
// a scale known only at run time loops over its taps.
//
// The tables depend on sizes only and are constants when those are known.
//
//===----------------------------------------------------------------------===//
#include "GridSample.h"
#include "Resize.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

//===----------------------------------------------------------------------===//
// Coordinates
//===----------------------------------------------------------------------===//

Value Resizer::scaleOf(Code &c, const ResizeAxis &axis) {
  if (axis.scale)
    return real(c, *axis.scale);
  if (axis.scaleCode)
    return c.cast(axis.scaleCode(c), DataType::Double, kReal);
  return c.div(size(c, axis.out), size(c, axis.in));
}

/// Where output element `index` (a real) lies in the input.
Value Resizer::sourceOf(Code &c, const ResizeAxis &axis, Value index) {
  Value scale = scaleOf(c, axis), half = real(c, 0.5), one = real(c, 1);
  Value in = size(c, axis.in), width = c.mul(scale, in);
  auto halfPixel = [&] {
    return c.sub(c.div(c.add(index, half), scale), half);
  };
  if (coordinates == "half_pixel")
    return halfPixel();
  if (coordinates == "tf_half_pixel_for_nn")
    return c.div(c.add(index, half), scale);
  if (coordinates == "asymmetric")
    return c.div(index, scale);
  Value single = c.le(width, one);
  // Where the divisor would be 0 another value is chosen.
  Value steps = c.select(single, one, c.sub(width, one));
  Value last = c.sub(in, one);
  if (coordinates == "align_corners")
    return c.select(single, real(c, 0), c.div(c.mul(index, last), steps));
  if (coordinates == "pytorch_half_pixel")
    return c.select(c.eq(size(c, axis.out), one), real(c, -0.5), halfPixel());
  if (coordinates == "half_pixel_symmetric") {
    Value adjustment = c.div(size(c, axis.out), width);
    Value offset = c.mul(c.mul(in, half), c.sub(one, adjustment));
    return c.add(offset, halfPixel());
  }
  Value start = c.extract(region, {c.index(axis.roiStart)});
  Value end = c.extract(region, {c.index(axis.roiEnd)});
  Value span = c.mul(c.sub(end, start), last);
  Value at =
      c.select(single, c.mul(span, half), c.div(c.mul(index, span), steps));
  return c.add(at, c.mul(start, last));
}

Value Resizer::nearestOf(Code &c, Value source) {
  if (nearest == "floor")
    return c.floor(source);
  if (nearest == "ceil")
    return c.ceil(source);
  if (nearest == "round_prefer_ceil")
    return c.floor(c.add(source, real(c, 0.5)));
  return c.ceil(c.sub(source, real(c, 0.5)));
}

/// The kernel's value at a distance from the source.
Value Resizer::weight(Code &c, const ResizeAxis &axis, Value distance) {
  Value x = c.abs(distance), one = real(c, 1), zero = real(c, 0);
  if (antialias)
    x = c.mul(x, c.min(scaleOf(c, axis), one));
  if (mode == "linear")
    return c.max(c.sub(one, x), zero);
  Value a = real(c, cubicA);
  Value square = c.mul(x, x);
  // ((a + 2) x - (a + 3)) x^2 + 1 up to 1, a (x^3 - 5 x^2 + 8 x - 4) up to 2
  Value near = c.add(
      c.mul(c.sub(c.mul(real(c, cubicA + 2), x), real(c, cubicA + 3)), square),
      one);
  Value far = c.mul(
      a, c.sub(c.mul(c.add(c.mul(c.sub(x, real(c, 5)), x), real(c, 8)), x),
               real(c, 4)));
  return c.select(c.le(x, one), near, c.select(c.lt(x, real(c, 2)), far, zero));
}

std::optional<int64_t> Resizer::tapsOf(const ResizeAxis &axis) {
  if (mode == "nearest")
    return 1;
  int64_t radius = mode == "linear" ? 1 : 2;
  if (!antialias)
    return 2 * radius;
  if (!axis.scale)
    return 0;
  double scale = std::min(*axis.scale, 1.0);
  double reach = std::ceil(radius / scale);
  if (reach > 16)
    return 0;
  return 2 * int64_t(reach);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// [out, taps]: the input elements, clamped into range.
Array Resizer::indices(const ResizeAxis &axis, int64_t taps) {
  Type i64 = t.builder.getI64Type(),
       realType = computeType(t.builder.getContext(), kReal);
  Value in = t.dims.toValue(axis.in);
  return t.gather(
      DataType::Int64, {axis.out, t.dims.constant(taps)}, [&](Code &c) {
        Value source = sourceOf(c, axis, c.fromIndex(c.loop(0), realType));
        Value first =
            mode == "nearest" ? nearestOf(c, source) : c.floor(source);
        // Bounded before the conversion, which is undefined far outside.
        first = c.clamp(first, real(c, -1e6),
                        c.add(size(c, axis.in), real(c, 1e6)));
        Value index =
            c.toIndex(arith::FPToSIOp::create(c.b, c.loc, i64, first));
        index = c.add(index, c.loop(1));
        if (taps > 1)
          index = c.sub(index, c.index(taps / 2 - 1));
        index = c.max(c.min(index, c.sub(in, c.index(1))), c.index(0));
        return c.fromIndex(index, i64);
      });
}

/// [out, taps]: their factors.
Array Resizer::coefficients(const ResizeAxis &axis, int64_t taps) {
  Type realType = computeType(t.builder.getContext(), kReal);
  Array raw = t.gather(kReal, {axis.out, t.dims.constant(taps)}, [&](Code &c) {
    Value source = sourceOf(c, axis, c.fromIndex(c.loop(0), realType));
    Value tap = c.fromIndex(c.loop(1), realType);
    Value at = c.add(c.floor(source), c.sub(tap, real(c, taps / 2 - 1)));
    Value factor = weight(c, axis, c.sub(at, source));
    if (excludeOutside)
      factor =
          c.select(c.conj(c.ge(at, real(c, 0)), c.lt(at, size(c, axis.in))),
                   factor, real(c, 0));
    return factor;
  });
  if (!raw || (!excludeOutside && !antialias))
    return raw;
  return t.div(raw, t.sumKeep(raw, {1}));
}

/// [out]: whether the source lies in the input (tf_crop_and_resize).
Array Resizer::inside(const ResizeAxis &axis) {
  Type realType = computeType(t.builder.getContext(), kReal);
  return t.gather(DataType::Bool, {axis.out}, [&](Code &c) {
    Value source = sourceOf(c, axis, c.fromIndex(c.loop(0), realType));
    return c.conj(c.ge(source, real(c, 0)),
                  c.le(source, c.sub(size(c, axis.in), real(c, 1))));
  });
}

//===----------------------------------------------------------------------===//
// Resizing
//===----------------------------------------------------------------------===//

/// How often each element is repeated when that is all; else 0.
int64_t Resizer::repeats(const ResizeAxis &axis) {
  if (!axis.scale || *axis.scale != std::floor(*axis.scale) ||
      *axis.scale > 1024)
    return 0;
  bool centered =
      (coordinates == "half_pixel" || coordinates == "half_pixel_symmetric" ||
       coordinates == "pytorch_half_pixel") &&
      (nearest == "round_prefer_floor" || nearest == "round_prefer_ceil");
  bool cornered = coordinates == "asymmetric" && nearest == "floor";
  return centered || cornered ? int64_t(*axis.scale) : 0;
}

Array Resizer::resizeNearest() {
  // Every element repeated: out[h, a, w, b] = in[h, w] under other dims.
  if (llvm::all_of(axes, [&](const ResizeAxis &a) { return repeats(a) > 0; })) {
    Dims wide, shape;
    SmallVector<unsigned> loops;
    for (int64_t i = 0; i < x.rank(); ++i) {
      loops.push_back(wide.size());
      wide.push_back(x.dims[i]);
      shape.push_back(x.dims[i]);
      for (const ResizeAxis &axis : axes)
        if (axis.dim == i) {
          wide.push_back(t.dims.constant(repeats(axis)));
          shape.back() = axis.out;
        }
    }
    SmallVector<AffineExpr> exprs;
    for (unsigned loop : loops)
      exprs.push_back(t.d(loop));
    return t.reshape(t.generic(x.type, wide, {{x, t.map(wide.size(), exprs)}},
                               [](Code &, ValueRange v) { return v[0]; }),
                     shape);
  }
  Dims shape(x.dims);
  SmallVector<Operand> operands;
  SmallVector<int64_t> where(x.rank(), -1);
  for (const ResizeAxis &axis : axes) {
    shape[axis.dim] = axis.out;
    where[axis.dim] = operands.size();
    operands.push_back(
        {indices(axis, 1), t.map(x.rank(), {t.d(axis.dim), t.c(0)})});
  }
  unsigned tables = operands.size();
  if (crops())
    for (const ResizeAxis &axis : axes)
      operands.push_back({inside(axis), t.map(x.rank(), {t.d(axis.dim)})});
  Value data = t.value(x);
  return t.generic(x.type, shape, operands, [&](Code &c, ValueRange v) {
    SmallVector<Value> at;
    for (int64_t i = 0; i < x.rank(); ++i)
      at.push_back(where[i] < 0 ? c.loop(i) : c.toIndex(v[where[i]]));
    Value result = c.widen(c.extract(data, at));
    for (Value within : v.drop_front(tables))
      result = c.select(within, result, c.like(extrapolation, result));
    return result;
  });
}

Array Resizer::resizeAxis(Array from, const ResizeAxis &axis) {
  auto taps = tapsOf(axis);
  if (!taps || !from)
    return {};
  if (*taps == 0)
    return resizeAxisLoops(from, axis);
  Dims shape(from.dims);
  shape[axis.dim] = axis.out;
  Array index = indices(axis, *taps), factor = coefficients(axis, *taps);
  SmallVector<Operand> operands;
  for (int64_t k = 0; k < *taps; ++k) {
    AffineMap map = t.map(from.rank(), {t.d(axis.dim), t.c(k)});
    operands.push_back({index, map});
    operands.push_back({factor, map});
  }
  if (crops())
    operands.push_back({inside(axis), t.map(from.rank(), {t.d(axis.dim)})});
  Value data = t.value(from);
  return t.generic(from.type, shape, operands, [&](Code &c, ValueRange v) {
    Value sum;
    for (int64_t k = 0; k < *taps; ++k) {
      SmallVector<Value> at;
      for (int64_t i = 0; i < from.rank(); ++i)
        at.push_back(i == axis.dim ? c.toIndex(v[2 * k]) : c.loop(i));
      Value element = c.widen(c.extract(data, at));
      Value term = c.mul(
          element, c.cast(v[2 * k + 1], kReal,
                          from.type == DataType::Double ? from.type : kReal));
      sum = sum ? c.add(sum, term) : term;
    }
    if (crops())
      sum = c.select(v.back(), sum, c.like(extrapolation, sum));
    return sum;
  });
}

Array Resizer::resizeAxisLoops(Array from, const ResizeAxis &axis) {
  Dims shape(from.dims);
  shape[axis.dim] = axis.out;
  SmallVector<int32_t> kinds(shape.size(), 0);
  Value extent = t.dims.toValue(axis.in);
  Type realType = computeType(t.builder.getContext(), kReal);
  Type storage = storageType(t.builder.getContext(), from.type);
  return t.loops(
      {from}, {t.undefined(from.type, shape)}, shape, kinds,
      [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
        Value source =
            sourceOf(c, axis, c.fromIndex(loops[axis.dim], realType));
        Value scale = c.min(scaleOf(c, axis), real(c, 1));
        Value reach = boundedIndex(
            c, c.ceil(c.div(real(c, mode == "linear" ? 1 : 2), scale)));
        Value base = boundedIndex(c, c.floor(source));
        Value zero = real(c, 0);
        auto sums = c.loop(
            c.add(c.sub(base, reach), c.index(1)),
            c.add(c.add(base, reach), c.index(1)), {zero, zero},
            [&](Code &c, Value k, ValueRange so) -> SmallVector<Value> {
              Value factor =
                  weight(c, axis, c.sub(c.fromIndex(k, realType), source));
              if (excludeOutside) {
                Value inside = c.conj(c.ge(k, c.index(0)), c.lt(k, extent));
                factor = c.select(inside, factor, real(c, 0));
              }
              SmallVector<Value> at(loops.begin(), loops.end());
              at[axis.dim] = clampIndex(c, k, extent);
              Value element = c.cast(c.load(in[0], at), from.type, kReal);
              return {c.add(so[0], c.mul(factor, element)),
                      c.add(so[1], factor)};
            });
        Value mean = c.div(sums[0], sums[1]);
        if (crops()) {
          Value last = c.sub(size(c, axis.in), real(c, 1));
          Value inside = c.conj(c.ge(source, real(c, 0)), c.le(source, last));
          mean = c.select(inside, mean, real(c, extrapolation));
        }
        c.store(c.narrow(c.cast(mean, kReal, from.type), storage), out[0],
                loops);
      })[0];
}

Array Resizer::run() {
  if (axes.empty())
    return x;
  // An empty input has no element to read.
  for (const ResizeAxis &axis : axes)
    if (DimMath::value(axis.in) == 0 && DimMath::value(axis.out) != 0)
      return t.malformed("resizes an empty dim");
  if (mode == "nearest")
    return resizeNearest();
  DataType type = x.type;
  Array result = isFloat(type) ? x : t.convert(x, DataType::Float);
  for (const ResizeAxis &axis : axes)
    result = resizeAxis(result, axis);
  if (isFloat(type) || !result)
    return result;
  return t.elementwise(type, {result}, [&](Code &c, ValueRange v) {
    return dataTypeBits(type) <= 16 ? c.saturate(v[0], type)
                                    : c.cast(v[0], DataType::Float, type);
  });
}
