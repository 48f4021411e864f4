//===- GridSample.h - Reading between elements ------------------*- C++ -*-===//
//
// Scalar code that several sampling operators share.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_IMPORT_ONNX_OPS_GRIDSAMPLE_H
#define NESTOR_LIB_IMPORT_ONNX_OPS_GRIDSAMPLE_H

#include "nestor/Import/ONNX/ImportContext.h"

namespace nestor::onnx {

/// A real as an index, bounded first: the conversion is undefined for NaN and
/// numbers that do not fit.
mlir::Value boundedIndex(Code &c, mlir::Value real);

/// An index brought into [0, size).
mlir::Value clampIndex(Code &c, mlir::Value index, mlir::Value size);

/// The bilinear (trilinear, ...) mean of the elements around `place`; `read`
/// gives the element at indices, in range or not.
mlir::Value
interpolate(Code &c, llvm::ArrayRef<mlir::Value> place,
            llvm::function_ref<mlir::Value(llvm::ArrayRef<mlir::Value>)> read);

} // namespace nestor::onnx

#endif // NESTOR_LIB_IMPORT_ONNX_OPS_GRIDSAMPLE_H
