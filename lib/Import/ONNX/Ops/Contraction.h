//===- Contraction.h - Products that several operators share ----*- C++ -*-===//
//
// MatMul for MatMul, Gemm, the recurrent and the quantised operators.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_IMPORT_ONNX_OPS_CONTRACTION_H
#define NESTOR_LIB_IMPORT_ONNX_OPS_CONTRACTION_H

#include "nestor/Import/ONNX/ImportContext.h"

namespace nestor::onnx {

/// The product of two elements, in the accumulator's compute type.
using MultiplyFn =
    llvm::function_ref<mlir::Value(Code &, mlir::Value, mlir::Value)>;

/// numpy.matmul of equal types, rounded to that type.
Array matmul(TensorBuilder &t, Array a, Array b);

/// The same with a chosen accumulator, which is the result's type.
Array matmul(TensorBuilder &t, Array a, Array b, DataType acc,
             MultiplyFn multiply);

} // namespace nestor::onnx

#endif // NESTOR_LIB_IMPORT_ONNX_OPS_CONTRACTION_H
