//===- Dequantized.h - Tensors that stand for scaled bytes ------*- C++ -*-===//
//
// Finds generics that compute (data - zero) * scale from bytes, and makes them:
// what the rewrites of quantised programs have in common.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_GRAPH_DEQUANTIZED_H
#define NESTOR_GRAPH_DEQUANTIZED_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

#include <optional>

namespace nestor {

/// A number, or a tensor read through a map from the loops of its reader.
struct Parameter {
  mlir::TypedAttr number;
  mlir::Value tensor;
  mlir::AffineMap map;
  /// What bytes of the tensor are.
  bool isUnsigned = false;

  explicit operator bool() const { return number || tensor; }
  /// Whether it is one number for all elements.
  bool isUniform() const {
    return !tensor || map.getNumResults() == 0 || map.isConstant();
  }
  friend bool operator==(const Parameter &a, const Parameter &b) {
    return a.number == b.number && a.tensor == b.tensor && a.map == b.map;
  }
};

/// (data - zero) * scale in f32, data being bytes.
struct Dequantized {
  mlir::Value data;
  /// From the loops of the reader (the dims of the f32 tensor) to data's dims.
  mlir::AffineMap map;
  bool isUnsigned = false;
  /// An i32 number or bytes of data's signedness; absent: 0.
  Parameter zero;
  /// f32; absent: 1.
  Parameter scale;

  /// The same seen by who reads the f32 tensor through `outer`.
  Dequantized through(mlir::AffineMap outer) const;
  bool isUniform() const { return zero.isUniform() && scale.isUniform(); }
};

/// What `value` is, when it is the result of an elementwise generic that only
/// dequantises.
std::optional<Dequantized> dequantizedOf(mlir::Value value);

/// The same for a value inside the body of `op`; maps are from op's loops.
std::optional<Dequantized> dequantizedIn(mlir::linalg::GenericOp op,
                                         mlir::Value value);

/// Whether `value` depends on constants alone: one of the model, or a view or a
/// rearrangement of one.
bool isConstantTensor(mlir::Value value);

/// Inputs of a generic under construction. Scalars that are numbers become
/// constants of the body.
class GenericInputs {
public:
  /// Returns what `at` takes.
  unsigned add(mlir::Value tensor, mlir::AffineMap map);
  unsigned add(const Parameter &parameter);
  /// The value of input `index` inside a body with the arguments `args`.
  mlir::Value at(unsigned index, mlir::OpBuilder &builder, mlir::Location loc,
                 mlir::ValueRange args) const;

  llvm::SmallVector<mlir::Value> tensors;
  llvm::SmallVector<mlir::AffineMap> maps;

private:
  struct Entry {
    mlir::TypedAttr number;
    unsigned argument;
  };
  llvm::SmallVector<Entry> entries;
};

using BodyFn = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                              mlir::ValueRange)>;

/// tensor.empty with the dims of `like`, of another element type.
mlir::Value emptyLike(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value like, mlir::Type element);

/// out[i] = body(inputs), the shape of `like`.
mlir::Value mapGeneric(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value like, mlir::Type element,
                       const GenericInputs &inputs, BodyFn body);

/// A sum that starts at zero over `empty`, whose map is `result`; body(inputs)
/// is what each iteration adds.
mlir::Value sumGeneric(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value empty, const GenericInputs &inputs,
                       mlir::AffineMap result,
                       llvm::ArrayRef<mlir::utils::IteratorType> kinds,
                       BodyFn body);

/// A byte as i32.
mlir::Value widenByte(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value byte, bool isUnsigned);

/// The tensor (data - zero) * scale with the dims of `like`; the maps of
/// `what` are from these dims.
mlir::Value dequantize(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value like, const Dequantized &what);

} // namespace nestor

#endif // NESTOR_GRAPH_DEQUANTIZED_H
