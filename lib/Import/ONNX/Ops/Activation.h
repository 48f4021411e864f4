//===- Activation.h - Activation formulas by name ---------------*- C++ -*-===//
//
// The activations that ONNX names in lower case here: relu, tanh, sigmoid,
// leakyrelu, thresholdedrelu, scaledtanh, affine, hardsigmoid, elu, softsign,
// softplus. Used by the activation operators and by RNN, GRU, LSTM.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_IMPORT_ONNX_OPS_ACTIVATION_H
#define NESTOR_LIB_IMPORT_ONNX_OPS_ACTIVATION_H

#include "nestor/Import/ONNX/ImportContext.h"

#include "llvm/ADT/StringSwitch.h"

namespace nestor::onnx {

/// The formula on one float; null for an unknown name.
mlir::Value activation(Code &c, llvm::StringRef name, mlir::Value x,
                       double alpha, double beta);

/// The default of `alpha`, for the names that have one.
std::optional<float> defaultAlpha(llvm::StringRef name);

} // namespace nestor::onnx

#endif // NESTOR_LIB_IMPORT_ONNX_OPS_ACTIVATION_H
