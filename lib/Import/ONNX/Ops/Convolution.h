//===- Convolution.h - Sliding windows --------------------------*- C++ -*-===//
//
// What convolutions and poolings share: the geometry of a window that slides
// over the spatial dims, and the contraction itself.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_IMPORT_ONNX_OPS_CONVOLUTION_H
#define NESTOR_LIB_IMPORT_ONNX_OPS_CONVOLUTION_H

#include "Contraction.h"

namespace nestor::onnx {

/// A window over the spatial dims (all lists have one entry a spatial dim).
struct Window {
  Dims kernel;
  llvm::SmallVector<int64_t> strides, dilations;
  /// Padding as declared, and the padding at the end that the last window
  /// needs (more than declared when sizes are rounded up).
  Dims before, after, reach;
  Dims out;
  /// Output sizes are rounded up.
  bool ceil = false;
};

/// strides, dilations, pads and auto_pad of `n` for an input whose dims from 2
/// on are spatial.
std::optional<Window> windowOf(NodeContext &n, TensorBuilder &t, const Array &x,
                               llvm::ArrayRef<Dim> kernel);

/// The spatial padding applied to x (dims from 2 on), `reach` at the end.
Array padSpatial(TensorBuilder &t, Array x, const Window &window, Array value);

/// The convolution of x [N, C, ...] (padded already) with w [M, C/group, ...]:
/// one reduction whose loops are (n, m, out..., c, kernel...), with a loop for
/// the groups after n when there are several (none for m or c when a group has
/// one channel).
Array convolve(TensorBuilder &t, Array x, Array w, const Window &window,
               int64_t group, DataType acc, MultiplyFn multiply);

} // namespace nestor::onnx

#endif // NESTOR_LIB_IMPORT_ONNX_OPS_CONVOLUTION_H
