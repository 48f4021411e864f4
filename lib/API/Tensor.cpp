//===- Tensor.cpp - Data that goes into and comes out of a model ----------===//

#include "nestor/API/Tensor.h"

#include "nestor/Runtime/DType.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

namespace nestor {

static_assert(int(DType::F64) == NST_F64 && int(DType::F16) == NST_F16);

std::string_view dtypeName(DType dtype) {
  return rt::dtypeName(static_cast<int32_t>(dtype));
}

size_t dtypeSize(DType dtype) {
  return rt::dtypeSize(static_cast<int32_t>(dtype));
}

bool isFloat(DType dtype) {
  return dtype == DType::F16 || dtype == DType::BF16 || dtype == DType::F32 ||
         dtype == DType::F64;
}

bool parseDType(std::string_view text, DType &dtype) {
  static constexpr std::string_view numpy[] = {
      "bool",   "uint8", "int8",    "uint16",   "int16",   "uint32", "int32",
      "uint64", "int64", "float16", "bfloat16", "float32", "float64"};
  for (int32_t i = 0; i < rt::kNumDTypes; ++i)
    if (text == numpy[i] || text == rt::dtypeName(i)) {
      dtype = static_cast<DType>(i);
      return true;
    }
  return false;
}

Tensor::Tensor() : bytes(std::make_shared<double>(0)) {}

Result<Tensor> Tensor::allocate(DType dtype, std::vector<int64_t> dims) {
  uint64_t size;
  if (!rt::tensorBytes(static_cast<int32_t>(dtype), dims.data(),
                       static_cast<int32_t>(dims.size()), size))
    return Failure{8, "a tensor has a negative or impossible size"};
  // Whole units: kernels may load a full vector at the end.
  uint64_t rounded = (size + 63) / 64 * 64 + 64;
  void *memory = nullptr;
  // Fresh pages are zero already.
  constexpr uint64_t large = uint64_t(1) << 20;
  if (rounded >= large) {
    memory = mmap(nullptr, rounded, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      memory = nullptr;
  } else if ((memory = aligned_alloc(64, rounded))) {
    memset(memory, 0, rounded);
  }
  if (!memory)
    return Failure{7, "no memory for a tensor of " + std::to_string(size) +
                          " bytes"};
  std::shared_ptr<void> owner(memory, [rounded](void *p) {
    if (rounded >= large)
      munmap(p, rounded);
    else
      free(p);
  });
  return share(dtype, std::move(dims), std::move(owner));
}

Tensor Tensor::borrow(DType dtype, std::vector<int64_t> dims,
                      const void *data) {
  return share(
      dtype, std::move(dims),
      std::shared_ptr<void>(std::shared_ptr<void>(), const_cast<void *>(data)));
}

Tensor Tensor::share(DType dtype, std::vector<int64_t> dims,
                     std::shared_ptr<void> data) {
  Tensor tensor;
  tensor.type = dtype;
  tensor.sizes = std::move(dims);
  tensor.bytes = std::move(data);
  return tensor;
}

int64_t Tensor::numElements() const {
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  return count;
}

double Tensor::at(int64_t index) const {
  auto get = [&]<typename T>(T) {
    return static_cast<double>(static_cast<const T *>(data())[index]);
  };
  switch (type) {
  case DType::Bool:
  case DType::U8:
    return get(uint8_t());
  case DType::I8:
    return get(int8_t());
  case DType::U16:
    return get(uint16_t());
  case DType::I16:
    return get(int16_t());
  case DType::U32:
    return get(uint32_t());
  case DType::I32:
    return get(int32_t());
  case DType::U64:
    return get(uint64_t());
  case DType::I64:
    return get(int64_t());
  case DType::F16:
    return halfToFloat(static_cast<const uint16_t *>(data())[index]);
  case DType::BF16:
    return bfloatToFloat(static_cast<const uint16_t *>(data())[index]);
  case DType::F32:
    return get(float());
  case DType::F64:
    return get(double());
  }
  return 0;
}

std::string Tensor::describe() const {
  return rt::describe(static_cast<int32_t>(type), sizes.data(),
                      static_cast<int32_t>(sizes.size()));
}

float halfToFloat(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = bits >> 10 & 31, mantissa = bits & 1023;
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent == 0) {
    float value = std::ldexp(static_cast<float>(mantissa), -24);
    return sign ? -value : value;
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t floatToHalf(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint16_t sign = uint16_t(bits >> 16 & 0x8000);
  bits &= 0x7fffffff;
  if (bits >= 0x7f800000) // infinity, NaN stays quiet NaN
    return uint16_t(sign | 0x7c00 | (bits > 0x7f800000 ? 0x200 : 0));
  if (bits >= 0x477ff000) // rounds past the largest half
    return uint16_t(sign | 0x7c00);
  if (bits < 0x38800000) { // subnormal: let the FPU round to multiples of 2^-24
    float scaled = std::bit_cast<float>(bits) + 0.5f;
    return uint16_t(sign | (std::bit_cast<uint32_t>(scaled) - 0x3f000000));
  }
  uint32_t odd = bits >> 13 & 1;
  return uint16_t(sign | (bits - 0x38000000 + 0xfff + odd) >> 13);
}

} // namespace nestor
