//===- Buffer.h - Aligned memory --------------------------------*- C++ -*-===//
#ifndef NESTOR_RUNTIME_BUFFER_H
#define NESTOR_RUNTIME_BUFFER_H

#include <cstdint>
#include <utility>

namespace nestor::rt {

/// Where memory comes from; both null: the runtime's own.
struct Allocator {
  void *(*allocate)(void *user, uint64_t bytes, uint64_t alignment) = nullptr;
  void (*free)(void *user, void *pointer, uint64_t bytes) = nullptr;
  void *user = nullptr;
};

/// Owned memory, 64-byte aligned; from 2 MB on aligned to, and advised as,
/// huge pages.
class Buffer {
public:
  Buffer() = default;
  Buffer(Buffer &&other) noexcept { swap(other); }
  Buffer &operator=(Buffer &&other) noexcept {
    Buffer moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Buffer() { reset(); }

  /// Replaces the memory by `bytes` new ones, not initialised. False: there
  /// are none, and the buffer is empty.
  bool allocate(uint64_t bytes, const Allocator &allocator);
  void reset();

  void *data() const { return pointer; }
  uint64_t size() const { return bytes; }

private:
  void swap(Buffer &other) noexcept {
    std::swap(pointer, other.pointer);
    std::swap(bytes, other.bytes);
    std::swap(allocator, other.allocator);
  }

  void *pointer = nullptr;
  uint64_t bytes = 0;
  Allocator allocator;
};

} // namespace nestor::rt

#endif // NESTOR_RUNTIME_BUFFER_H
