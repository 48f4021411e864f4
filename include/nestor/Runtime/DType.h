//===- DType.h - Element types of the run-time contract ---------*- C++ -*-===//
#ifndef NESTOR_RUNTIME_DTYPE_H
#define NESTOR_RUNTIME_DTYPE_H

#include "nestor/Runtime/Abi.h"

#include <cstdint>
#include <string>

namespace nestor::rt {

inline constexpr int32_t kNumDTypes = 13;
/// More dimensions than any model has; a bound for fixed arrays.
inline constexpr int32_t kMaxRank = 32;

/// Bytes of one element; 0 for a value that is no nst_dtype.
inline uint32_t dtypeSize(int32_t dtype) {
  constexpr uint8_t sizes[kNumDTypes] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8};
  return dtype >= 0 && dtype < kNumDTypes ? sizes[dtype] : 0;
}

/// "f32"; "?" for a value that is no nst_dtype.
inline const char *dtypeName(int32_t dtype) {
  constexpr const char *names[kNumDTypes] = {"bool", "u8",  "i8",  "u16", "i16",
                                             "u32",  "i32", "u64", "i64", "f16",
                                             "bf16", "f32", "f64"};
  return dtype >= 0 && dtype < kNumDTypes ? names[dtype] : "?";
}

/// The product of `dims` in elements times the element size, or false when a
/// dimension is negative or the product passes 2^62 bytes.
inline bool tensorBytes(int32_t dtype, const int64_t *dims, int32_t rank,
                        uint64_t &bytes) {
  constexpr uint64_t limit = uint64_t(1) << 62;
  uint64_t product = dtypeSize(dtype);
  bool empty = false;
  for (int32_t i = 0; i < rank; ++i) {
    if (dims[i] < 0)
      return false;
    if (dims[i] == 0) {
      empty = true;
      continue;
    }
    if (__builtin_mul_overflow(product, uint64_t(dims[i]), &product) ||
        product > limit)
      return false;
  }
  bytes = empty ? 0 : product;
  return true;
}

/// "f32[1,2048]".
std::string describe(int32_t dtype, const int64_t *dims, int32_t rank);
/// "f32[batch,2048]", names from `model`.
std::string describe(const nst_model &model, const nst_io &io);

} // namespace nestor::rt

#endif // NESTOR_RUNTIME_DTYPE_H
