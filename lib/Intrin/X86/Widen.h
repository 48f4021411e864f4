//===- Widen.h - Bytes widened to 16 bits in registers ----------*- C++ -*-===//
//
// Four bytes of a lane become two pairs of 16-bit integers, the even bytes and
// the odd ones: no byte changes its lane, so both operands of a dot product are
// split the same way and their layout is that of vpdpbusd. All instances of a
// macro-tile that share an operand share its split (CSE joins them).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_INTRIN_X86_WIDEN_H
#define NESTOR_LIB_INTRIN_X86_WIDEN_H

#include "nestor/Dialect/Device/Device.h"
#include "nestor/Intrin/Intrin.h"

namespace nestor::intrin {

/// The forms that widening covers, and their names.
struct WidenedForm {
  llvm::StringLiteral name;
  Element lhs, rhs;
};
inline constexpr WidenedForm kWidenedForms[] = {
    {"u8s8", Element::U8, Element::S8},
    {"s8s8", Element::S8, Element::S8},
    {"s8u8", Element::S8, Element::U8},
    {"u8u8", Element::U8, Element::U8},
};

/// The even and the odd bytes of `bytes` (vector<4n x i8>), as vector<2n x
/// i16>.
std::pair<mlir::Value, mlir::Value> splitBytes(mlir::OpBuilder &builder,
                                               mlir::Location loc,
                                               mlir::Value bytes,
                                               bool isSigned);

/// acc + even · even + odd · odd, by a dot product `kind` of s16 pairs.
mlir::Value computeWidenedWith(device::DotKind kind, const Record &record,
                               mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::Value lhs, mlir::Value rhs,
                               mlir::Value acc);

template <device::DotKind Kind>
mlir::Value computeWidened(const Record &record, mlir::OpBuilder &builder,
                           mlir::Location loc, mlir::Value lhs, mlir::Value rhs,
                           mlir::Value acc) {
  return computeWidenedWith(Kind, record, builder, loc, lhs, rhs, acc);
}

} // namespace nestor::intrin

#endif // NESTOR_LIB_INTRIN_X86_WIDEN_H
