// Libraries in C and buffers. See Kernels.h.
#include "Kernels.h"

#include "nestor/Support/Error.h"

#include <cmath>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>

using namespace nestor;
using namespace nestor::polybench;

llvm::Expected<llvm::ArrayRef<const pb_kernel *>>
polybench::loadKernels(llvm::StringRef library) {
  void *handle = dlopen(library.str().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return makeError(ErrorKind::Unreadable, dlerror());
  auto *table =
      static_cast<const pb_kernel *const *>(dlsym(handle, "pb_kernels"));
  if (!table)
    return makeError(ErrorKind::Malformed, library + " has no pb_kernels");
  size_t count = 0;
  while (table[count])
    ++count;
  return llvm::ArrayRef(table, count);
}

std::vector<int64_t> polybench::sizesOf(const pb_kernel &kernel) {
  std::vector<int64_t> sizes;
  for (const int64_t *size = kernel.sizes; *size; ++size)
    sizes.push_back(*size);
  return sizes;
}

static uint64_t elementsOf(const pb_buffer &buffer) {
  uint64_t count = 1;
  for (const int64_t *dim = buffer.dims; *dim; ++dim)
    count *= static_cast<uint64_t>(*dim);
  return count;
}

static constexpr uint64_t kLargePage = 2 << 20;

static uint64_t allocated(uint64_t bytes) {
  return (bytes + kLargePage - 1) / kLargePage * kLargePage;
}

Buffers::Buffers(const pb_kernel &kernel) {
  for (const pb_buffer *buffer = kernel.buffers; buffer->name; ++buffer) {
    uint64_t bytes = elementsOf(*buffer) * buffer->element;
    void *memory = std::aligned_alloc(kLargePage, allocated(bytes));
    madvise(memory, allocated(bytes), MADV_HUGEPAGE);
    std::memset(memory, 0, bytes);
    data.push_back(memory);
    sizes.push_back(bytes);
  }
}

Buffers::~Buffers() {
  for (void *memory : data)
    std::free(memory);
}

void Buffers::copyFrom(const Buffers &other) {
  for (size_t i = 0; i < data.size(); ++i)
    std::memcpy(data[i], other.data[i], sizes[i]);
}

double polybench::difference(const pb_kernel &kernel, const Buffers &got,
                             const Buffers &want, std::string &where) {
  double worst = 0;
  for (size_t i = 0; i < got.count(); ++i) {
    const pb_buffer &buffer = kernel.buffers[i];
    double error = 0;
    if (buffer.element != 8) {
      if (std::memcmp(got.pointers()[i], want.pointers()[i], got.bytes(i)) != 0)
        error = INFINITY;
    } else {
      auto *a = static_cast<const double *>(got.pointers()[i]);
      auto *b = static_cast<const double *>(want.pointers()[i]);
      double largest = 0;
      uint64_t count = elementsOf(buffer);
      for (uint64_t n = 0; n < count; ++n)
        largest = std::fmax(largest, std::fabs(b[n]));
      for (uint64_t n = 0; n < count; ++n)
        if (std::memcmp(&a[n], &b[n], 8) != 0) {
          double off = std::fabs(a[n] - b[n]);
          // Where all is 0, sizes are those of 1.
          error = off <= INFINITY && std::isfinite(off)
                      ? std::fmax(error, off / (largest > 0 ? largest : 1))
                      : INFINITY;
        }
    }
    if (error > worst) {
      worst = error;
      where = buffer.name;
    }
  }
  return worst;
}
