//===- HostTensor.h - A tensor by value, for tests and oracles --*- C++ -*-===//
//
// Inputs and outputs of the interpreter: an element type, dims and bytes.
//
// Assumes: little-endian, row-major, bool (i1) one byte an element.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_INTERP_HOSTTENSOR_H
#define NESTOR_INTERP_HOSTTENSOR_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace nestor {

/// A dense tensor owned by the host. `bytes` empty with a positive number of
/// elements means: contents undefined (a buffer that a kernel is to fill).
struct HostTensor {
  mlir::Type elementType;
  llvm::SmallVector<int64_t, 4> dims;
  std::vector<uint8_t> bytes;

  int64_t getNumElements() const {
    int64_t n = 1;
    for (int64_t dim : dims)
      n *= dim;
    return n;
  }
  bool isDefined() const { return !bytes.empty() || getNumElements() == 0; }

  /// The elements as T; T must have the size of the element type.
  template <typename T>
  std::vector<T> as() const {
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty())
      std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }

  /// Makes a tensor of given elements.
  template <typename T>
  static HostTensor of(mlir::Type elementType, llvm::ArrayRef<int64_t> dims,
                       llvm::ArrayRef<T> values) {
    HostTensor result{elementType, llvm::SmallVector<int64_t, 4>(dims), {}};
    result.bytes.resize(values.size() * sizeof(T));
    if (!values.empty())
      std::memcpy(result.bytes.data(), values.data(), result.bytes.size());
    return result;
  }

  /// A tensor whose elements are undefined.
  static HostTensor undefined(mlir::Type elementType,
                              llvm::ArrayRef<int64_t> dims) {
    return {elementType, llvm::SmallVector<int64_t, 4>(dims), {}};
  }
};

/// Bytes of one element; 0 for a type that tensors of Nestor cannot hold.
unsigned elementBytes(mlir::Type type);

/// Element `index` (row-major) as a double; integers are signed (i1: 0 or 1).
double elementAsDouble(const HostTensor &tensor, int64_t index);

/// Overwrites element `index` with `value`, rounded to the element type.
void setElement(HostTensor &tensor, int64_t index, double value);

/// Elements uniform in [low, high] from `seed`; `integral` keeps them whole
/// (sums of products of small whole numbers are exact in every order).
HostTensor randomTensor(mlir::Type elementType, llvm::ArrayRef<int64_t> dims,
                        uint64_t seed, double low, double high, bool integral);

/// "2x3xf32 [0.5, 1, ...]", at most `limit` elements.
std::string describe(const HostTensor &tensor, int64_t limit = 32);

} // namespace nestor

#endif // NESTOR_INTERP_HOSTTENSOR_H
