//===- Buffer.cpp - Aligned memory ----------------------------------------===//

#include "nestor/Runtime/Buffer.h"

#include "nestor/Runtime/Abi.h"

#include <cstdlib>
#include <sys/mman.h>

namespace nestor::rt {
namespace {
constexpr uint64_t hugePage = uint64_t(2) << 20;
} // namespace

bool Buffer::allocate(uint64_t wanted, const Allocator &from) {
  reset();
  if (wanted > uint64_t(1) << 62)
    return false;
  bool huge = wanted >= hugePage;
  uint64_t unit = huge ? hugePage : NST_ALIGNMENT;
  // Whole units: kernels may load a full vector at the end.
  uint64_t rounded = (wanted + unit - 1) / unit * unit;
  if (rounded == 0)
    rounded = NST_ALIGNMENT;
  void *memory;
  if (from.allocate) {
    memory = from.allocate(from.user, rounded, NST_ALIGNMENT);
    if (reinterpret_cast<uintptr_t>(memory) % NST_ALIGNMENT) {
      if (from.free)
        from.free(from.user, memory, rounded);
      memory = nullptr;
    }
  } else {
    memory = aligned_alloc(unit, rounded);
    if (memory && huge)
      madvise(memory, rounded, MADV_HUGEPAGE);
  }
  if (!memory)
    return false;
  pointer = memory;
  bytes = rounded;
  allocator = from;
  return true;
}

void Buffer::reset() {
  if (!pointer)
    return;
  if (!allocator.allocate)
    ::free(pointer);
  else if (allocator.free)
    allocator.free(allocator.user, pointer, bytes);
  pointer = nullptr;
  bytes = 0;
}

} // namespace nestor::rt
