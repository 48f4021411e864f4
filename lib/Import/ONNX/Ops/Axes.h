//===- Axes.h - Axes that may only be known at run time ---------*- C++ -*-===//
//
// ONNX moved many attributes to inputs, so that axes can be data. Rank stays
// static (the number of axes is), which dims they name becomes arithmetic.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_IMPORT_ONNX_OPS_AXES_H
#define NESTOR_LIB_IMPORT_ONNX_OPS_AXES_H

#include "nestor/Import/ONNX/ImportContext.h"

namespace nestor::onnx {

/// For every dim, 1 when `axes` names it (negative ones count from the end).
/// Checked against repetition and range when the axes are numbers.
std::optional<Dims> axisMask(NodeContext &n, TensorBuilder &t,
                             llvm::ArrayRef<Dim> axes, int64_t rank);

/// The dims that the mask does not name; `dropped` is how many it does.
Dims dropMasked(TensorBuilder &t, llvm::ArrayRef<Dim> shape,
                llvm::ArrayRef<Dim> mask, int64_t dropped);

/// `shape` with ones at the places (of the result) that the mask names.
Dims insertOnes(TensorBuilder &t, llvm::ArrayRef<Dim> shape,
                llvm::ArrayRef<Dim> mask);

/// Sizes given by an integer tensor: never negative afterwards (checked).
std::optional<Dims> sizesFrom(NodeContext &n, TensorBuilder &t, Array array,
                              const llvm::Twine &what);

} // namespace nestor::onnx

#endif // NESTOR_LIB_IMPORT_ONNX_OPS_AXES_H
