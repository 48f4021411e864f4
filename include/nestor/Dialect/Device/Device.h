//===- Device.h - The device dialect ----------------------------*- C++ -*-===//
//
// Tensor instructions as operations on vectors and tiles; described in
// DeviceOps.td. What a kind is made of stands in two tables here: the verifier,
// both lowerings and the records of Intrin read them.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_DIALECT_DEVICE_DEVICE_H
#define NESTOR_DIALECT_DEVICE_DEVICE_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "nestor/Dialect/Device/DeviceOpsEnums.h.inc"

#include "nestor/Dialect/Device/DeviceOpsDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "nestor/Dialect/Device/DeviceOpsTypes.h.inc"

#define GET_OP_CLASSES
#include "nestor/Dialect/Device/DeviceOps.h.inc"

namespace nestor::device {

/// What the elements of an operand are.
enum class Elements : uint8_t { S8, U8, S16, BF16 };

/// How the lanes of the operands meet.
enum class Shape : uint8_t {
  /// A lane of the accumulator with the same 32 bits of both operands.
  Lanes,
  /// 2 x 2 with 2 x k and 2 x k, in 128 bits.
  Matrix,
};

/// One width of a kind: its intrinsic, and the features that bring it ("a,b|c":
/// a and b, or c).
struct DotForm {
  unsigned bits;
  llvm::StringLiteral intrinsic;
  llvm::StringLiteral features;
};

struct DotInfo {
  DotKind kind;
  Elements lhs, rhs;
  Shape shape;
  std::vector<DotForm> forms;

  bool isFloat() const { return lhs == Elements::BF16; }
  /// Elements in 32 bits.
  unsigned group() const {
    return lhs == Elements::S8 || lhs == Elements::U8 ? 4 : 2;
  }
  /// The form of `bits`, or null.
  const DotForm *form(unsigned bits) const;
};

struct TileDotInfo {
  TileDotKind kind;
  Elements lhs, rhs;
  llvm::StringLiteral intrinsic;
  llvm::StringLiteral features;

  bool isFloat() const { return lhs == Elements::BF16; }
  unsigned group() const { return isFloat() ? 2 : 4; }
};

const DotInfo &infoOf(DotKind kind);
const TileDotInfo &infoOf(TileDotKind kind);

/// The features that tiles need whatever is done with them.
inline constexpr llvm::StringLiteral kTileFeatures = "amx-tile";

/// The type of an operand's elements in the IR.
mlir::Type elementType(Elements elements, mlir::MLIRContext *context);

} // namespace nestor::device

#endif // NESTOR_DIALECT_DEVICE_DEVICE_H
