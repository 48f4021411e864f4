// The kernels of a library in C, the buffers they work on, and a kernel's nest
// as native code: the three things that the program of this folder puts
// together.
#ifndef NESTOR_BENCHMARKS_POLYBENCH_KERNELS_H
#define NESTOR_BENCHMARKS_POLYBENCH_KERNELS_H

#include "c/polybench.h"

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Runtime/ThreadPool.h"
#include "nestor/Target/Target.h"

#include <memory>
#include <string>
#include <vector>

namespace nestor::polybench {

/// The table of a library made from c/*.c; it stays loaded.
llvm::Expected<llvm::ArrayRef<const pb_kernel *>>
loadKernels(llvm::StringRef library);

/// A kernel's buffers in fresh memory, large pages where there are any, since
/// those change speed more than most schedules do.
class Buffers {
public:
  explicit Buffers(const pb_kernel &kernel);
  Buffers(const Buffers &) = delete;
  ~Buffers();

  void *const *pointers() const { return data.data(); }
  size_t count() const { return data.size(); }
  uint64_t bytes(size_t i) const { return sizes[i]; }
  void copyFrom(const Buffers &other);

private:
  std::vector<void *> data;
  std::vector<uint64_t> sizes;
};

/// How far `got` is from `want`, relative to the largest element of each
/// buffer; `where` names the buffer. Integers: 0 or infinity, as are floats
/// that are not finite in one of the two.
double difference(const pb_kernel &kernel, const Buffers &got,
                  const Buffers &want, std::string &where);

/// The kernel's nest, from NAME.mlir in `folder`. Checked: its buffers have the
/// dims that the C kernel says.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
parseNest(mlir::MLIRContext &context, llvm::StringRef folder,
          const pb_kernel &kernel);

/// Puts numbers for the sizes everywhere: the nest of a compiler that knows
/// them, as the C compilers do. The size arguments stay, without use.
void fixSizes(nest::FuncOp func, llvm::ArrayRef<int64_t> sizes);

std::vector<int64_t> sizesOf(const pb_kernel &kernel);

/// A nest as native code of this process.
class NativeNest {
public:
  static llvm::Expected<std::unique_ptr<NativeNest>>
  compile(nest::FuncOp func, const Target &target);
  ~NativeNest();

  /// The kernel's status: 0, or what failed.
  int32_t run(void *const *buffers, llvm::ArrayRef<int64_t> sizes,
              rt::Executor &executor) const;

private:
  NativeNest() = default;
  int file = -1;
  void *library = nullptr;
  void *entry = nullptr;
  unsigned numBuffers = 0;
};

} // namespace nestor::polybench

#endif // NESTOR_BENCHMARKS_POLYBENCH_KERNELS_H
