//===- Quantize.h - Scales and zero points ----------------------*- C++ -*-===//
//
// What the quantised operators share.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_IMPORT_ONNX_OPS_QUANTIZE_H
#define NESTOR_LIB_IMPORT_ONNX_OPS_QUANTIZE_H

#include "nestor/Import/ONNX/ImportContext.h"

namespace nestor::onnx {

/// True when the zero points are not given or known to be 0.
bool isZero(const Array &zeroPoint);

/// `round(x / scale) + zero` saturated into `to`; all three in f32.
mlir::Value quantized(Code &c, mlir::Value x, mlir::Value scale,
                      mlir::Value zero, DataType to);

} // namespace nestor::onnx

#endif // NESTOR_LIB_IMPORT_ONNX_OPS_QUANTIZE_H
