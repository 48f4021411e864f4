//===- Scalar.cpp - Element kinds and how they are held -------------------===//
//
// Conversions by hand: the interpreter depends on no hardware or library
// support for 16-bit floats.
//
//===----------------------------------------------------------------------===//
#include "Scalar.h"

#include "nestor/Interp/HostTensor.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;

std::optional<Kind> interp::kindOf(Type type) {
  if (isa<IndexType>(type))
    return Kind::Index;
  if (auto integer = dyn_cast<IntegerType>(type))
    switch (integer.getWidth()) {
    case 1:
      return Kind::I1;
    case 8:
      return Kind::I8;
    case 16:
      return Kind::I16;
    case 32:
      return Kind::I32;
    case 64:
      return Kind::I64;
    default:
      return std::nullopt;
    }
  if (type.isF16())
    return Kind::F16;
  if (type.isBF16())
    return Kind::BF16;
  if (type.isF32())
    return Kind::F32;
  if (type.isF64())
    return Kind::F64;
  return std::nullopt;
}

float interp::f16ToF32(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 31, fraction = bits & 0x3ff;
  if (exponent == 31)
    return llvm::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
  if (exponent == 0) // Zero or subnormal: fraction * 2^-24, exact.
    return llvm::bit_cast<float>(
        sign | llvm::bit_cast<uint32_t>(float(fraction) * 0x1p-24f));
  return llvm::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

uint16_t interp::f32ToF16(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  uint16_t sign = (bits >> 16) & 0x8000;
  uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return sign | 0x7e00 | ((magnitude >> 13) & 0x3ff);
  if (magnitude >= 0x47800000) // 2^16 and more, infinity.
    return sign | 0x7c00;
  if (magnitude < 0x38800000) { // Below 2^-14: a multiple of 2^-24.
    // nearbyint rounds ties to even in the default environment.
    float scaled = llvm::bit_cast<float>(magnitude) * 0x1p24f;
    return sign | static_cast<uint16_t>(std::nearbyint(scaled));
  }
  uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return sign | static_cast<uint16_t>((rounded >> 13) - (112 << 10));
}

float interp::bf16ToF32(uint16_t bits) {
  return llvm::bit_cast<float>(uint32_t(bits) << 16);
}

uint16_t interp::f32ToBF16(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return (bits >> 16) | 0x40;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

/// Rounds to f32 so that a second rounding to fewer digits gives what one
/// rounding would: towards zero, with the last bit set when inexact.
static float roundToOdd(double value) {
  float nearest = static_cast<float>(value);
  if (std::isnan(value) || nearest == value || std::isinf(value))
    return nearest;
  uint32_t bits = llvm::bit_cast<uint32_t>(nearest);
  if (std::fabs(double(nearest)) > std::fabs(value))
    --bits; // The magnitude below; from infinity the largest finite.
  return llvm::bit_cast<float>(bits | 1);
}

uint16_t interp::f64ToF16(double value) { return f32ToF16(roundToOdd(value)); }
uint16_t interp::f64ToBF16(double value) {
  return f32ToBF16(roundToOdd(value));
}

//===----------------------------------------------------------------------===//
// HostTensor
//===----------------------------------------------------------------------===//

unsigned nestor::elementBytes(Type type) {
  std::optional<Kind> kind = kindOf(type);
  return kind ? sizeOf(*kind) : 0;
}

double nestor::elementAsDouble(const HostTensor &tensor, int64_t index) {
  std::optional<Kind> kind = kindOf(tensor.elementType);
  if (!kind ||
      static_cast<size_t>(index + 1) * sizeOf(*kind) > tensor.bytes.size())
    return std::nan("");
  uint64_t cell =
      readElement(*kind, tensor.bytes.data() + index * sizeOf(*kind));
  if (isFloat(*kind))
    return floatOf(*kind, cell);
  if (*kind == Kind::I1)
    return static_cast<double>(cell);
  return static_cast<double>(signedOf(*kind, cell));
}

void nestor::setElement(HostTensor &tensor, int64_t index, double value) {
  std::optional<Kind> kind = kindOf(tensor.elementType);
  if (!kind)
    return;
  tensor.bytes.resize(tensor.getNumElements() * sizeOf(*kind));
  uint64_t cell =
      isFloat(*kind) ? roundTo(*kind, value)
      : *kind == Kind::I1
          ? value != 0
          : truncateTo(*kind,
                       static_cast<uint64_t>(static_cast<int64_t>(value)));
  writeElement(*kind, tensor.bytes.data() + index * sizeOf(*kind), cell);
}

HostTensor nestor::randomTensor(Type elementType, ArrayRef<int64_t> dims,
                                uint64_t seed, double low, double high,
                                bool integral) {
  HostTensor result = HostTensor::undefined(elementType, dims);
  // No std distribution: its results differ between libraries.
  std::mt19937_64 generator(seed);
  for (int64_t i = 0, e = result.getNumElements(); i < e; ++i) {
    double unit = static_cast<double>(generator() >> 11) * 0x1p-53;
    double value = low + unit * (high - low);
    if (integral)
      value = std::min(high, std::floor(low + unit * (high - low + 1)));
    setElement(result, i, value);
  }
  return result;
}

std::string nestor::describe(const HostTensor &tensor, int64_t limit) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (int64_t dim : tensor.dims)
    os << dim << 'x';
  os << tensor.elementType << " [";
  int64_t n = tensor.isDefined() ? tensor.getNumElements() : 0;
  for (int64_t i = 0; i < std::min(n, limit); ++i) {
    if (i != 0)
      os << ", ";
    if (std::optional<Kind> kind = kindOf(tensor.elementType);
        kind && !isFloat(*kind) && *kind != Kind::I1) {
      os << signedOf(
          *kind, readElement(*kind, tensor.bytes.data() + i * sizeOf(*kind)));
      continue;
    }
    double value = elementAsDouble(tensor, i);
    if (std::isnan(value)) // No sign: it says nothing.
      os << "nan";
    else
      os << llvm::format("%.7g", value);
  }
  if (n > limit)
    os << ", ...";
  os << ']';
  if (!tensor.isDefined())
    os << " undefined";
  return text;
}
