//===- Normalize.h - Softmax and normalisation ------------------*- C++ -*-===//
//
// Formulas that several operators share (Attention, losses, RNN outputs).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_IMPORT_ONNX_OPS_NORMALIZE_H
#define NESTOR_LIB_IMPORT_ONNX_OPS_NORMALIZE_H

#include "nestor/Import/ONNX/ImportContext.h"

namespace nestor::onnx {

/// Softmax (or its logarithm) over one axis.
Array softmax(TensorBuilder &t, Array x, int64_t axis, bool logarithm = false);

struct Normalized {
  Array y, mean, inverse;
};

/// (x - mean) / sqrt(variance + epsilon) over `axes`, which the moments keep
/// as 1; all in x's type, which must not be a 16-bit one.
Normalized standardize(TensorBuilder &t, Array x, llvm::ArrayRef<int64_t> axes,
                       double epsilon);

/// The mean over axes, kept as 1.
Array meanKeep(TensorBuilder &t, Array x, llvm::ArrayRef<int64_t> axes);

/// A rank-1 array of channels as [C, 1, ..., 1] so that it broadcasts against
/// dim 1 of a tensor of rank `rank`.
Array perChannel(TensorBuilder &t, Array v, int64_t rank);

} // namespace nestor::onnx

#endif // NESTOR_LIB_IMPORT_ONNX_OPS_NORMALIZE_H
