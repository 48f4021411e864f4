//===- Scalar.h - Element kinds and how they are held -----------*- C++ -*-===//
//
// A scalar is 64 bits in a cell: integers and index zero-extended from their
// width, f64 as itself, f32 as itself in the low half, f16 and bf16 as the f32
// of the same value (always rounded to their own type).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_INTERP_SCALAR_H
#define NESTOR_LIB_INTERP_SCALAR_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/bit.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace nestor::interp {

enum class Kind : uint8_t { I1, I8, I16, I32, I64, Index, F16, BF16, F32, F64 };

/// The kind of a scalar type; none for types that cells cannot hold.
std::optional<Kind> kindOf(mlir::Type type);

inline bool isFloat(Kind kind) { return kind >= Kind::F16; }

inline unsigned sizeOf(Kind kind) {
  constexpr uint8_t sizes[] = {1, 1, 2, 4, 8, 8, 2, 2, 4, 8};
  return sizes[static_cast<unsigned>(kind)];
}

inline unsigned widthOf(Kind kind) {
  constexpr uint8_t widths[] = {1, 8, 16, 32, 64, 64, 16, 16, 32, 64};
  return widths[static_cast<unsigned>(kind)];
}

/// The low bits of `value` that an integer of `kind` has.
inline uint64_t truncateTo(Kind kind, uint64_t value) {
  unsigned width = widthOf(kind);
  return width == 64 ? value : value & ((uint64_t(1) << width) - 1);
}

inline int64_t signedOf(Kind kind, uint64_t value) {
  unsigned shift = 64 - widthOf(kind);
  return static_cast<int64_t>(value << shift) >> shift;
}

inline float f32Of(uint64_t bits) {
  return llvm::bit_cast<float>(static_cast<uint32_t>(bits));
}
inline double f64Of(uint64_t bits) { return llvm::bit_cast<double>(bits); }
inline uint64_t bitsOf(float value) { return llvm::bit_cast<uint32_t>(value); }
inline uint64_t bitsOf(double value) { return llvm::bit_cast<uint64_t>(value); }

/// Conversions of 16-bit floats; to 16 bits round to nearest, ties to even.
float f16ToF32(uint16_t bits);
uint16_t f32ToF16(float value);
float bf16ToF32(uint16_t bits);
uint16_t f32ToBF16(float value);
/// Rounds once, straight from the double.
uint16_t f64ToF16(double value);
uint16_t f64ToBF16(double value);

/// The value of a float cell.
inline double floatOf(Kind kind, uint64_t bits) {
  return kind == Kind::F64 ? f64Of(bits) : f32Of(bits);
}

/// The cell of `value` rounded to `kind`.
inline uint64_t roundTo(Kind kind, double value) {
  switch (kind) {
  case Kind::F16:
    return bitsOf(f16ToF32(f64ToF16(value)));
  case Kind::BF16:
    return bitsOf(bf16ToF32(f64ToBF16(value)));
  case Kind::F32:
    return bitsOf(static_cast<float>(value));
  default:
    return bitsOf(value);
  }
}

/// As above from f32: exact for the results of f32 +, -, *, / on 16-bit floats,
/// since f32 holds more than twice their digits plus two.
inline uint64_t roundTo(Kind kind, float value) {
  switch (kind) {
  case Kind::F16:
    return bitsOf(f16ToF32(f32ToF16(value)));
  case Kind::BF16:
    return bitsOf(bf16ToF32(f32ToBF16(value)));
  default:
    return bitsOf(value);
  }
}

/// The cell of the element at `p`.
inline uint64_t readElement(Kind kind, const uint8_t *p) {
  auto as = [p]<typename T>(T) {
    T value;
    std::memcpy(&value, p, sizeof(T));
    return value;
  };
  switch (kind) {
  case Kind::I1:
    return *p != 0;
  case Kind::I8:
    return *p;
  case Kind::I16:
    return as(uint16_t());
  case Kind::I32:
  case Kind::F32:
    return as(uint32_t());
  case Kind::I64:
  case Kind::Index:
  case Kind::F64:
    return as(uint64_t());
  case Kind::F16:
    return bitsOf(f16ToF32(as(uint16_t())));
  case Kind::BF16:
    return bitsOf(bf16ToF32(as(uint16_t())));
  }
  return 0;
}

/// Stores a cell at `p`.
inline void writeElement(Kind kind, uint8_t *p, uint64_t cell) {
  switch (kind) {
  case Kind::F16:
    cell = f32ToF16(f32Of(cell));
    break;
  case Kind::BF16:
    cell = f32ToBF16(f32Of(cell));
    break;
  default:
    break;
  }
  std::memcpy(p, &cell, sizeOf(kind));
}

} // namespace nestor::interp

#endif // NESTOR_LIB_INTERP_SCALAR_H
