//===- Resize.h - Resizing along axes ---------------------------*- C++ -*-===//
//
// What Resize and Upsample are made of: Resize.cpp reads the node, Resizer.cpp
// makes tables and results from what was read.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_IMPORT_ONNX_OPS_RESIZE_H
#define NESTOR_LIB_IMPORT_ONNX_OPS_RESIZE_H

#include "nestor/Import/ONNX/ImportContext.h"

#include <functional>

namespace nestor::onnx {

/// Coordinates are computed in this type.
constexpr DataType kReal = DataType::Float;

/// One axis that changes.
struct ResizeAxis {
  int64_t dim;
  Dim in, out;
  /// Output over input, when it is a number now.
  std::optional<double> scale;
  /// Else: emits it (null: out / in).
  std::function<mlir::Value(Code &)> scaleCode;
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
  llvm::SmallVector<int64_t> named;
  llvm::SmallVector<ResizeAxis> axes;
  mlir::Value region;

  bool crops() const { return coordinates == "tf_crop_and_resize"; }
  mlir::Value real(Code &c, double v) {
    return c.real(v, computeType(t.builder.getContext(), kReal));
  }
  mlir::Value size(Code &c, Dim dim) {
    if (auto number = DimMath::value(dim))
      return real(c, *number);
    return c.fromIndex(t.dims.toValue(dim),
                       computeType(t.builder.getContext(), kReal));
  }
  Dim floorOf(Code &c, mlir::Value real);
  mlir::Value scaleOf(Code &c, const ResizeAxis &axis);
  mlir::Value sourceOf(Code &c, const ResizeAxis &axis, mlir::Value index);
  mlir::Value nearestOf(Code &c, mlir::Value source);
  mlir::Value weight(Code &c, const ResizeAxis &axis, mlir::Value distance);
  /// How many elements an output element is made of; 0 when only the run
  /// knows.
  std::optional<int64_t> tapsOf(const ResizeAxis &axis);
  int64_t repeats(const ResizeAxis &axis);
  Array indices(const ResizeAxis &axis, int64_t taps);
  Array coefficients(const ResizeAxis &axis, int64_t taps);
  Array inside(const ResizeAxis &axis);
  Array resizeNearest();
  Array resizeAxis(Array from, const ResizeAxis &axis);
  /// The same with as many taps as the scale says at run time.
  Array resizeAxisLoops(Array from, const ResizeAxis &axis);
};

} // namespace nestor::onnx

#endif // NESTOR_LIB_IMPORT_ONNX_OPS_RESIZE_H
