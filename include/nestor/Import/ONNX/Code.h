//===- Code.h - Writing the scalar body of an operator ----------*- C++ -*-===//
//
// Short names for the arith and math operations that bodies of linalg.generic
// and model.loops are made of. The type of the operands chooses between the
// integer and the float form; signedness is said where it matters.
//
// Assumes: operands of a binary operation have equal types.
// Leaves true: no operation traps (integer division by 0 gives 0).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_IMPORT_ONNX_CODE_H
#define NESTOR_IMPORT_ONNX_CODE_H

#include "nestor/Import/ONNX/DataType.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

namespace nestor::onnx {

/// The type that tensors of `type` store (signless; null when unsupported).
mlir::Type storageType(mlir::MLIRContext *context, DataType type);
/// The type that bodies compute `type` in: f32 for 16-bit floats.
mlir::Type computeType(mlir::MLIRContext *context, DataType type);

class Code {
public:
  using Value = mlir::Value;
  using Type = mlir::Type;

  Code(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  mlir::OpBuilder &b;
  mlir::Location loc;

  // Constants.
  Value index(int64_t v);
  Value integer(int64_t v, Type type);
  Value real(double v, Type type);
  /// A number of any type; bools and integers are rounded to.
  Value number(double v, Type type);
  Value like(double v, Value other) { return number(v, other.getType()); }
  Value boolean(bool v);
  /// The least and greatest finite-or-infinite value of a type.
  Value lowest(DataType type);
  Value highest(DataType type);

  // Arithmetic.
  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value div(Value a, Value b, bool isUnsigned = false);
  /// The remainder with the sign of the dividend (C's % and fmod).
  Value rem(Value a, Value b, bool isUnsigned = false);
  /// Floor division and its remainder (Python's // and %), signed.
  Value floorDiv(Value a, Value b);
  Value floorMod(Value a, Value b);
  Value neg(Value a);
  Value abs(Value a);
  /// NaN wins, as in NumPy.
  Value min(Value a, Value b, bool isUnsigned = false);
  Value max(Value a, Value b, bool isUnsigned = false);
  Value clamp(Value v, Value low, Value high) { return min(max(v, low), high); }

  // Logic; comparisons give i1.
  Value eq(Value a, Value b);
  Value ne(Value a, Value b);
  Value lt(Value a, Value b, bool isUnsigned = false);
  Value le(Value a, Value b, bool isUnsigned = false);
  Value gt(Value a, Value b, bool u = false) { return lt(b, a, u); }
  Value ge(Value a, Value b, bool u = false) { return le(b, a, u); }
  Value conj(Value a, Value b);
  Value disj(Value a, Value b);
  Value exclusive(Value a, Value b);
  Value negate(Value a);
  Value select(Value condition, Value a, Value b);

  // Floats.
  Value exp(Value a) { return mlir::math::ExpOp::create(b, loc, a); }
  Value log(Value a) { return mlir::math::LogOp::create(b, loc, a); }
  Value sqrt(Value a) { return mlir::math::SqrtOp::create(b, loc, a); }
  Value tanh(Value a) { return mlir::math::TanhOp::create(b, loc, a); }
  Value erf(Value a) { return mlir::math::ErfOp::create(b, loc, a); }
  Value floor(Value a) { return mlir::math::FloorOp::create(b, loc, a); }
  Value ceil(Value a) { return mlir::math::CeilOp::create(b, loc, a); }
  Value roundEven(Value a) {
    return mlir::math::RoundEvenOp::create(b, loc, a);
  }
  Value pow(Value a, Value e) {
    return mlir::math::PowFOp::create(b, loc, a, e);
  }
  Value sigmoid(Value a);
  Value isNan(Value a);

  // Conversions. `from` and `to` are ONNX types; the value has from's compute
  // or storage type, the result has to's compute type.
  Value cast(Value v, DataType from, DataType to);
  /// Between a storage type and its compute type.
  Value widen(Value v);
  Value narrow(Value v, Type storage);
  /// An integer or bool as index.
  Value toIndex(Value v, bool isUnsigned = false);
  Value fromIndex(Value v, Type type);
  /// Rounds to the nearest even and saturates into an 8-bit type.
  Value saturate(Value v, DataType to);

  // Inside linalg.generic.
  Value loop(unsigned dim) {
    return mlir::linalg::IndexOp::create(b, loc, dim);
  }
  /// Reads an element; indices must be in range.
  Value extract(Value tensor, mlir::ValueRange indices) {
    return mlir::tensor::ExtractOp::create(b, loc, tensor, indices);
  }
  /// A possibly negative index of data, brought into [0, size).
  Value wrapIndex(Value v, Value size);

  // Inside model.loops.
  Value load(Value memref, mlir::ValueRange indices) {
    return mlir::memref::LoadOp::create(b, loc, memref, indices);
  }
  void store(Value v, Value memref, mlir::ValueRange indices) {
    mlir::memref::StoreOp::create(b, loc, v, memref, indices);
  }
  /// `if (condition) then()`.
  void when(Value condition, llvm::function_ref<void(Code &)> then);
  /// A serial loop carrying values; `body` returns their next ones.
  mlir::SmallVector<Value>
  loop(Value low, Value high, mlir::ValueRange start,
       llvm::function_ref<mlir::SmallVector<Value>(Code &, Value,
                                                   mlir::ValueRange)>
           body);

private:
  bool isFloat(Value v) { return mlir::isa<mlir::FloatType>(v.getType()); }
};

} // namespace nestor::onnx

#endif // NESTOR_IMPORT_ONNX_CODE_H
