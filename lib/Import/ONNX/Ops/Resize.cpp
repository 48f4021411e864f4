//===- Resize.cpp - Resize and Upsample -----------------------------------===//
//
// Reads which axes change, their sizes and scales (Resizer.cpp does the rest).
// Scales and sizes may be data: result sizes are then computed at run time.
//
//===----------------------------------------------------------------------===//
#include "Resize.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

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

/// A real as a size; what is no size becomes 0.
Dim Resizer::floorOf(Code &c, Value real) {
  Value low = arith::MaxNumFOp::create(c.b, c.loc, real, c.like(0, real));
  Value bounded = arith::MinNumFOp::create(c.b, c.loc, low, c.like(1e15, real));
  Value size =
      c.toIndex(arith::FPToSIOp::create(c.b, c.loc, c.b.getI64Type(), bounded));
  t.dims.setNonNegative(size);
  return size;
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
    ResizeAxis axis{dim, x.dims[dim], {}, {}, {}, 0, 0};
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
      DataType type = scales.type;
      axis.scaleCode = [tensor, i, type](Code &c) {
        return c.cast(c.extract(tensor, {c.index(i)}), type, DataType::Double);
      };
      Code c(t.builder, t.loc);
      Type f64 = t.builder.getF64Type();
      Value scale = axis.scaleCode(c);
      t.check(
          c.conj(c.gt(scale, c.real(0, f64)), c.lt(scale, c.real(1e6, f64))),
          "a scale is not a positive number");
      axis.out =
          floorOf(c, c.mul(c.fromIndex(t.dims.toValue(axis.in), f64), scale));
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
  // One scale for all axes when the aspect is kept.
  std::optional<double> common;
  std::function<Value(Code &)> commonCode;
  if (policy != "stretch") {
    bool larger = policy == "not_smaller", known = true;
    SmallVector<std::pair<Value, Value>> ratios;
    for (auto [dim, element] : llvm::zip(named, *elements)) {
      auto in = DimMath::value(x.dims[dim]), out = DimMath::value(element);
      ratios.push_back({t.dims.toValue(element), t.dims.toValue(x.dims[dim])});
      known &= in && out;
      if (!in || !out)
        continue;
      double scale = double(*out) / double(std::max<int64_t>(*in, 1));
      common = !common  ? scale
               : larger ? std::max(*common, scale)
                        : std::min(*common, scale);
    }
    if (!known) {
      common.reset();
      commonCode = [ratios, larger](Code &c) {
        Type f64 = c.b.getF64Type();
        Value scale;
        for (auto [out, in] : ratios) {
          Value ratio = c.div(c.fromIndex(out, f64),
                              c.fromIndex(c.max(in, c.index(1)), f64));
          scale = !scale   ? ratio
                  : larger ? c.max(scale, ratio)
                           : c.min(scale, ratio);
        }
        return scale;
      };
    }
  }
  for (auto [dim, element] : llvm::zip(named, *elements)) {
    ResizeAxis axis{dim, x.dims[dim], element, {}, {}, 0, 0};
    auto in = DimMath::value(axis.in), out = DimMath::value(element);
    if (out && *out < 0) {
      n.malformed("a size is negative");
      return false;
    }
    if (common) {
      axis.scale = *common;
      axis.out = t.dims.constant(int64_t(*common * double(*in) + 0.5));
    } else if (commonCode) {
      axis.scaleCode = commonCode;
      Code c(t.builder, t.loc);
      Type f64 = t.builder.getF64Type();
      Value wide =
          c.mul(c.fromIndex(t.dims.toValue(axis.in), f64), commonCode(c));
      axis.out = floorOf(c, c.add(wide, c.real(0.5, f64)));
    } else if (in && out && *in > 0) {
      axis.scale = double(*out) / double(*in);
    } else if (!out && !t.dims.atLeast(element, t.dims.constant(0))) {
      Value v = t.dims.toValue(element);
      t.check(arith::CmpIOp::create(t.builder, t.loc, arith::CmpIPredicate::sge,
                                    v, t.dims.toValue(t.dims.constant(0))),
              "a size is negative");
      t.dims.setNonNegative(v);
    }
    if (t.dims.equal(axis.in, axis.out) && !crops() && !axis.scaleCode &&
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
  for (ResizeAxis &axis : axes) {
    int64_t at = llvm::find(named, axis.dim) - named.begin();
    axis.roiStart = at;
    axis.roiEnd = at + named.size();
  }
  return bool(region);
}

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
