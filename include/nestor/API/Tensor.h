//===- Tensor.h - Data that goes into and comes out of a model --*- C++ -*-===//
#ifndef NESTOR_API_TENSOR_H
#define NESTOR_API_TENSOR_H

#include "nestor/API/Result.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nestor {

/// Element types; the values are those of enum nst_dtype.
enum class DType : int32_t {
  Bool,
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  U64,
  I64,
  F16,
  BF16,
  F32,
  F64,
};

/// "f32".
std::string_view dtypeName(DType dtype);
/// Bytes of one element.
size_t dtypeSize(DType dtype);
bool isFloat(DType dtype);
/// Takes "f32" and NumPy's "float32"; false when it is no name.
bool parseDType(std::string_view text, DType &dtype);

/// A contiguous row-major tensor that owns its bytes, shares them with copies
/// of itself, or borrows the caller's.
class Tensor {
public:
  /// An f32 scalar, 0.
  Tensor();

  /// Zeroed memory of its own, 64-byte aligned. Fails with code 7 when there
  /// is none, with 8 when the dims are impossible.
  static Result<Tensor> allocate(DType dtype, std::vector<int64_t> dims);
  /// A view: `data` must outlive it and every copy of it.
  static Tensor borrow(DType dtype, std::vector<int64_t> dims,
                       const void *data);
  /// Takes part in the ownership of `data`.
  static Tensor share(DType dtype, std::vector<int64_t> dims,
                      std::shared_ptr<void> data);

  DType dtype() const { return type; }
  std::span<const int64_t> dims() const { return sizes; }
  int64_t numElements() const;
  size_t numBytes() const { return size_t(numElements()) * dtypeSize(type); }
  const void *data() const { return bytes.get(); }
  void *mutableData() { return bytes.get(); }
  template <typename T>
  std::span<const T> values() const {
    return {static_cast<const T *>(data()), numBytes() / sizeof(T)};
  }
  template <typename T>
  std::span<T> mutableValues() {
    return {static_cast<T *>(mutableData()), numBytes() / sizeof(T)};
  }

  /// Element `index` in row-major order, as a double.
  double at(int64_t index) const;
  /// "f32[1,2048]".
  std::string describe() const;

private:
  DType type = DType::F32;
  std::vector<int64_t> sizes;
  std::shared_ptr<void> bytes;
};

/// f16 and bf16, for those who must look into them.
float halfToFloat(uint16_t bits);
uint16_t floatToHalf(float value);
inline float bfloatToFloat(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}

} // namespace nestor

#endif // NESTOR_API_TENSOR_H
