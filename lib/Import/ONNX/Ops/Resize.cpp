//===- Resize.cpp - Resize and Upsample
//------------------------------------===//
//
// before: Y = X resized on some axes
// after:  a table of indices and one of coefficients for each axis, then
//           nearest:        one gather through the tables
//           linear, cubic:  for each axis one generic that sums its taps
//         Whole enlargements by the nearest element become a broadcast.
//
// The tables depend on sizes only and are constants when those are known.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace {

/// Coordinates are computed in this type.
constexpr DataType kReal = DataType::Float;

/// One axis that changes.
struct Axis {
  int64_t dim;
  Dim in, out;
  /// Output over input, when it is a number now.
  std::optional<double> scale;
  /// Else: where the scales are read from, at `place` (null: out / in).
  Value scales;
  int64_t place = 0;
  /// Where the region's bounds stand in roi.
  int64_t roiStart = 0, roiEnd = 0;
};

class Resizer {
public:
  Resizer(NodeContext &n, TensorBuilder &t, Array x) : n(n), t(t), x(x) {}

  bool readAttributes();
  /// Reads scales or sizes: the axes that change.
  bool readScales(Array scales);
  bool readSizes(Array sizes);
  bool readRegion(Array roi);
  Array run();

  llvm::StringRef mode = "nearest", nearest = "round_prefer_floor",
                  coordinates = "half_pixel", policy = "stretch";

private:
  NodeContext &n;
  TensorBuilder &t;
  Array x;
  double cubicA = -0.75, extrapolation = 0;
  bool excludeOutside = false, antialias = false;
  SmallVector<int64_t> named;
  SmallVector<Axis> axes;
  Value region;

  bool crops() const { return coordinates == "tf_crop_and_resize"; }
  Value real(Code &c, double v) {
    return c.real(v, computeType(t.builder.getContext(), kReal));
  }
  Value size(Code &c, Dim dim) {
    if (auto number = DimMath::value(dim))
      return real(c, *number);
    return c.fromIndex(t.dims.toValue(dim),
                       computeType(t.builder.getContext(), kReal));
  }
  Value scaleOf(Code &c, const Axis &axis);
  Value sourceOf(Code &c, const Axis &axis, Value index);
  Value nearestOf(Code &c, Value source);
  Value weight(Code &c, const Axis &axis, Value distance);
  std::optional<int64_t> tapsOf(const Axis &axis);
  int64_t repeats(const Axis &axis);
  Array indices(const Axis &axis, int64_t taps);
  Array coefficients(const Axis &axis, int64_t taps);
  Array inside(const Axis &axis);
  Array resizeNearest();
  Array resizeAxis(Array from, const Axis &axis);
};

bool Resizer::readAttributes() {
  mode = n.string("mode", "nearest");
  if (n.version() >= 11) {
    nearest = n.string("nearest_mode", "round_prefer_floor");
    coordinates = n.string("coordinate_transformation_mode", "half_pixel");
    policy = n.string("keep_aspect_ratio_policy", "stretch");
    cubicA = n.real("cubic_coeff_a", -0.75);
    extrapolation = n.real("extrapolation_value", 0);
    excludeOutside = n.integer("exclude_outside", 0);
    antialias = n.integer("antialias", 0);
  } else {
    nearest = "floor";
    coordinates = "asymmetric";
  }
  if (auto list = n.integers("axes")) {
    auto checked = n.axes(*list, x.rank(), /*sort=*/false);
    if (!checked)
      return false;
    named = *checked;
  } else {
    for (int64_t i = 0; i < x.rank(); ++i)
      named.push_back(i);
  }
  if (mode == "bilinear")
    mode = "linear";
  static const llvm::StringLiteral kCoordinates[] = {
      "half_pixel",          "half_pixel_symmetric", "pytorch_half_pixel",
      "align_corners",       "asymmetric",           "tf_crop_and_resize",
      "tf_half_pixel_for_nn"};
  if ((mode != "nearest" && mode != "linear" && mode != "cubic") ||
      !llvm::is_contained(kCoordinates, coordinates) ||
      (policy != "stretch" && policy != "not_larger" &&
       policy != "not_smaller") ||
      (nearest != "round_prefer_floor" && nearest != "round_prefer_ceil" &&
       nearest != "floor" && nearest != "ceil")) {
    n.malformed("a mode has an unknown value");
    return false;
  }
  return !n.failed();
}

/// floor(in * scale); exact in integers when the scale is a simple fraction.
static Dim scaledSize(TensorBuilder &t, Dim in, double scale) {
  for (int64_t q = 1; q <= 256; q *= 2)
    if (double p = scale * double(q); p == std::floor(p) && p < 1e9)
      return t.dims.floorDiv(t.dims.mul(in, t.dims.constant(int64_t(p))),
                             t.dims.constant(q));
  if (auto number = DimMath::value(in))
    return t.dims.constant(int64_t(std::floor(double(*number) * scale)));
  Code c(t.builder, t.loc);
  Type f64 = t.builder.getF64Type();
  Value product =
      c.mul(c.fromIndex(t.dims.toValue(in), f64), c.real(scale, f64));
  Value out = c.toIndex(arith::FPToSIOp::create(
      t.builder, t.loc, t.builder.getI64Type(), product));
  t.dims.setNonNegative(out);
  return out;
}

bool Resizer::readScales(Array scales) {
  auto count = scales.rank() == 1 ? DimMath::value(scales.dims[0])
                                  : std::optional<int64_t>();
  if (count != int64_t(named.size()) || !isFloat(scales.type)) {
    n.malformed("there must be one scale an axis");
    return false;
  }
  std::optional<SmallVector<double>> numbers;
  if (scales.known || scales.literal)
    numbers = t.floats(scales, "scales");
  Value tensor = numbers ? Value() : t.value(scales);
  for (auto [i, dim] : llvm::enumerate(named)) {
    Axis axis{dim, x.dims[dim], {}, {}, {}, int64_t(i), 0, 0};
    if (numbers) {
      double scale = (*numbers)[i];
      if (!(scale > 0) || scale > 1e6) {
        n.malformed("a scale is not a positive number");
        return false;
      }
      axis.scale = scale;
      axis.out = scaledSize(t, axis.in, scale);
      if (scale == 1 && !crops())
        continue;
    } else {
      // out = floor(in * scale), read at run time and bounded
      Code c(t.builder, t.loc);
      Type f64 = t.builder.getF64Type();
      axis.scales = tensor;
      Value scale = c.cast(c.extract(tensor, {c.index(i)}), scales.type,
                           DataType::Double);
      t.check(
          c.conj(c.gt(scale, c.real(0, f64)), c.lt(scale, c.real(1e6, f64))),
          "a scale is not a positive number");
      Value product = c.mul(c.fromIndex(t.dims.toValue(axis.in), f64), scale);
      Value out = c.toIndex(arith::FPToSIOp::create(
          t.builder, t.loc, t.builder.getI64Type(), c.floor(product)));
      t.dims.setNonNegative(out);
      axis.out = out;
    }
    axes.push_back(axis);
  }
  return true;
}

bool Resizer::readSizes(Array sizes) {
  auto elements = t.elements(sizes, "the sizes");
  if (!elements)
    return false;
  if (elements->size() != named.size()) {
    n.malformed("there must be one size an axis");
    return false;
  }
  std::optional<double> common;
  if (policy != "stretch") {
    for (auto [dim, element] : llvm::zip(named, *elements)) {
      auto in = DimMath::value(x.dims[dim]), out = DimMath::value(element);
      if (!in || !out) {
        n.unsupported("'keep_aspect_ratio_policy' with sizes known only at "
                      "run time");
        return false;
      }
      double scale = double(*out) / double(std::max<int64_t>(*in, 1));
      common = !common                  ? scale
               : policy == "not_larger" ? std::min(*common, scale)
                                        : std::max(*common, scale);
    }
  }
  for (auto [dim, element] : llvm::zip(named, *elements)) {
    Axis axis{dim, x.dims[dim], element, {}, {}, 0, 0, 0};
    auto in = DimMath::value(axis.in), out = DimMath::value(element);
    if (out && *out < 0) {
      n.malformed("a size is negative");
      return false;
    }
    if (common) {
      axis.scale = *common;
      axis.out = t.dims.constant(int64_t(*common * double(*in) + 0.5));
    } else if (in && out && *in > 0) {
      axis.scale = double(*out) / double(*in);
    } else if (!out && !t.dims.atLeast(element, t.dims.constant(0))) {
      Value v = t.dims.toValue(element);
      t.check(arith::CmpIOp::create(t.builder, t.loc, arith::CmpIPredicate::sge,
                                    v, t.dims.toValue(t.dims.constant(0))),
              "a size is negative");
      t.dims.setNonNegative(v);
    }
    if (t.dims.equal(axis.in, axis.out) && !crops() &&
        (!axis.scale || *axis.scale == 1))
      continue;
    axes.push_back(axis);
  }
  return true;
}

bool Resizer::readRegion(Array roi) {
  if (!crops())
    return true;
  auto count = roi && roi.rank() == 1 ? DimMath::value(roi.dims[0])
                                      : std::optional<int64_t>();
  if (count != int64_t(2 * named.size()) || !isFloat(roi.type)) {
    n.malformed("roi must have two numbers an axis");
    return false;
  }
  Array converted = t.convert(roi, kReal);
  region = t.value(converted);
  for (Axis &axis : axes) {
    int64_t at = llvm::find(named, axis.dim) - named.begin();
    axis.roiStart = at;
    axis.roiEnd = at + named.size();
  }
  return bool(region);
}

//===----------------------------------------------------------------------===//
// Coordinates
//===----------------------------------------------------------------------===//

Value Resizer::scaleOf(Code &c, const Axis &axis) {
  if (axis.scale)
    return real(c, *axis.scale);
  if (axis.scales) {
    Value scale = c.widen(c.extract(axis.scales, {c.index(axis.place)}));
    DataType from =
        scale.getType().isF64() ? DataType::Double : DataType::Float;
    return c.cast(scale, from, kReal);
  }
  return c.div(size(c, axis.out), size(c, axis.in));
}

/// Where output element `index` (a real) lies in the input.
Value Resizer::sourceOf(Code &c, const Axis &axis, Value index) {
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
Value Resizer::weight(Code &c, const Axis &axis, Value distance) {
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

/// How many elements an output element is made of.
std::optional<int64_t> Resizer::tapsOf(const Axis &axis) {
  if (mode == "nearest")
    return 1;
  int64_t radius = mode == "linear" ? 1 : 2;
  if (!antialias)
    return 2 * radius;
  if (!axis.scale) {
    n.unsupported("'antialias' with a scale known only at run time");
    return std::nullopt;
  }
  double scale = std::min(*axis.scale, 1.0);
  double reach = std::ceil(radius / scale);
  if (reach > 128) {
    n.unsupported("'antialias' with a scale below 1/64");
    return std::nullopt;
  }
  return 2 * int64_t(reach);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// [out, taps]: the input elements, clamped into range.
Array Resizer::indices(const Axis &axis, int64_t taps) {
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
Array Resizer::coefficients(const Axis &axis, int64_t taps) {
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
Array Resizer::inside(const Axis &axis) {
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
int64_t Resizer::repeats(const Axis &axis) {
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
  if (llvm::all_of(axes, [&](const Axis &a) { return repeats(a) > 0; })) {
    Dims wide, shape;
    SmallVector<unsigned> loops;
    for (int64_t i = 0; i < x.rank(); ++i) {
      loops.push_back(wide.size());
      wide.push_back(x.dims[i]);
      shape.push_back(x.dims[i]);
      for (const Axis &axis : axes)
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
  for (const Axis &axis : axes) {
    shape[axis.dim] = axis.out;
    where[axis.dim] = operands.size();
    operands.push_back(
        {indices(axis, 1), t.map(x.rank(), {t.d(axis.dim), t.c(0)})});
  }
  unsigned tables = operands.size();
  if (crops())
    for (const Axis &axis : axes)
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

Array Resizer::resizeAxis(Array from, const Axis &axis) {
  auto taps = tapsOf(axis);
  if (!taps || !from)
    return {};
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

Array Resizer::run() {
  if (axes.empty())
    return x;
  // An empty input has no element to read.
  for (const Axis &axis : axes)
    if (DimMath::value(axis.in) == 0 && DimMath::value(axis.out) != 0)
      return t.malformed("resizes an empty dim");
  if (mode == "nearest")
    return resizeNearest();
  DataType type = x.type;
  Array result = isFloat(type) ? x : t.convert(x, DataType::Float);
  for (const Axis &axis : axes)
    result = resizeAxis(result, axis);
  if (isFloat(type) || !result)
    return result;
  return t.elementwise(type, {result}, [&](Code &c, ValueRange v) {
    return dataTypeBits(type) <= 16 ? c.saturate(v[0], type)
                                    : c.cast(v[0], DataType::Float, type);
  });
}

} // namespace

namespace nestor::onnx {

void importResize(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  Resizer resizer(n, t, x);
  if (!resizer.readAttributes())
    return;
  auto given = [&](unsigned i) {
    Array array = n.optional(i);
    // An empty tensor stands for an input that is not given.
    if (array && array.rank() == 1 && DimMath::value(array.dims[0]) == 0)
      return Array();
    return array;
  };
  bool old = n.version() < 11;
  Array scales = given(old ? 1 : 2), sizes = old ? Array() : given(3);
  if (bool(scales) == bool(sizes))
    return n.malformed("either scales or sizes must be given");
  if (!(scales ? resizer.readScales(scales) : resizer.readSizes(sizes)) ||
      !resizer.readRegion(old ? Array() : given(1)))
    return;
  n.set(0, resizer.run());
}

void importUpsample(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  Array scales;
  if (n.version() >= 9) {
    scales = n.input(1);
  } else {
    auto list = n.reals("scales");
    if (!list)
      return n.malformed("attribute 'scales' is missing");
    Dims elements;
    for (float scale : *list)
      elements.push_back(Dim(t.builder.getF64FloatAttr(scale)));
    scales =
        t.known(DataType::Float, {t.dims.constant(list->size())}, elements);
  }
  Resizer resizer(n, t, x);
  if (n.failed() || !resizer.readAttributes())
    return;
  resizer.nearest = "floor";
  resizer.coordinates = "asymmetric";
  if (resizer.readScales(scales))
    n.set(0, resizer.run());
}

} // namespace nestor::onnx
