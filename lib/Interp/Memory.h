//===- Memory.h - Buffers that know what was written ------------*- C++ -*-===//
//
// A Storage is bytes; a View is a typed, contiguous window of one. Every byte
// of a storage may carry a tag: 0 for never written, else the tag of the view
// that wrote it last. A view reads only bytes of its own tag, so a read before
// a write is found, and a read after another arena slice took the bytes too.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_INTERP_MEMORY_H
#define NESTOR_LIB_INTERP_MEMORY_H

#include "Scalar.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <algorithm>
#include <memory>
#include <vector>

namespace nestor::interp {

/// Who touched an element inside the running parallel loop: stamps of
/// iterations (0: nobody ever).
struct Touch {
  uint32_t writer = 0, reader = 0, otherReader = 0;
};

struct Storage {
  uint8_t *data = nullptr;
  uint64_t size = 0;
  std::vector<uint8_t> owned;
  /// Empty: every byte counts as written by the storage's only view.
  std::vector<uint16_t> tags;
  /// One an element, for storages with one element size; empty: no checks.
  std::vector<Touch> touches;
  /// For each block that wrote here: the spatial point by which it wrote each
  /// element; 0: none. Kept when contracts are checked.
  std::vector<std::pair<const void *, std::vector<uint64_t>>> points;
  /// Any point may write any element.
  bool anyPoint = false;

  /// Zeroed bytes that count as never written.
  static std::shared_ptr<Storage> fresh(uint64_t size) {
    auto storage = std::make_shared<Storage>();
    storage->owned.resize(size);
    storage->data = storage->owned.data();
    storage->size = size;
    storage->tags.resize(size);
    return storage;
  }
  /// A copy of `bytes`, all written.
  static std::shared_ptr<Storage> copyOf(llvm::ArrayRef<uint8_t> bytes) {
    auto storage = std::make_shared<Storage>();
    storage->owned.assign(bytes.begin(), bytes.end());
    storage->data = storage->owned.data();
    storage->size = bytes.size();
    return storage;
  }
  /// Borrows `bytes`, which outlive the storage; views of it are read only.
  static std::shared_ptr<Storage> borrow(llvm::ArrayRef<uint8_t> bytes) {
    auto storage = std::make_shared<Storage>();
    storage->data = const_cast<uint8_t *>(bytes.data());
    storage->size = bytes.size();
    return storage;
  }
};

struct View {
  std::shared_ptr<Storage> storage;
  uint64_t offset = 0;
  Kind kind = Kind::F32;
  bool readOnly = false;
  uint16_t tag = 1;
  llvm::SmallVector<int64_t, 4> dims;

  int64_t numElements() const {
    int64_t n = 1;
    for (int64_t dim : dims)
      n *= dim;
    return n;
  }
  uint64_t numBytes() const { return numElements() * sizeOf(kind); }
  uint8_t *element(int64_t linear) const {
    return storage->data + offset + linear * sizeOf(kind);
  }
  bool isWritten(int64_t linear) const {
    if (storage->tags.empty())
      return true;
    unsigned size = sizeOf(kind);
    const uint16_t *tags = storage->tags.data() + offset + linear * size;
    for (unsigned i = 0; i < size; ++i)
      if (tags[i] != tag)
        return false;
    return true;
  }
  void markWritten(int64_t linear) const {
    if (storage->tags.empty())
      return;
    unsigned size = sizeOf(kind);
    uint16_t *tags = storage->tags.data() + offset + linear * size;
    for (unsigned i = 0; i < size; ++i)
      tags[i] = tag;
  }
  void markUnwritten(int64_t linear) const {
    if (storage->tags.empty())
      storage->tags.resize(storage->size, tag);
    unsigned size = sizeOf(kind);
    std::fill_n(storage->tags.begin() +
                    static_cast<ptrdiff_t>(offset + linear * size),
                size, uint16_t(0));
  }
  /// The first element never written; -1 when there is none.
  int64_t firstUnwritten() const;
  /// Forgets the tags when all elements of the storage's only view are written.
  void seal() const;
};

using ViewRef = std::shared_ptr<View>;

/// "[3, 5]".
std::string listText(llvm::ArrayRef<int64_t> values);

/// Row-major coordinates of element `linear`.
llvm::SmallVector<int64_t, 4> coordinates(llvm::ArrayRef<int64_t> dims,
                                          int64_t linear);

} // namespace nestor::interp

#endif // NESTOR_LIB_INTERP_MEMORY_H
