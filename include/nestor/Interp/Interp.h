//===- Interp.h - What a program means --------------------------*- C++ -*-===//
//
// A plain, slow, independent interpreter of tensor-, nest- and host-level IR:
// the oracle of all tests. It shares no code with Lower.
//
// What it checks while it runs: every access is in bounds, no element is read
// before it is written, block iterators stay in their domains, kernels write
// only what they may, buffers of a launch do not overlap, arena slices are not
// read after another slice overwrote them. A load that only feeds a store may
// copy an unwritten element: the copy is unwritten too. Arithmetic rounds after
// each operation to the type of its result; fast-math flags change nothing.
//
// Where LLVM leaves a result undefined: an integer division by zero or that
// overflows is an error; a shift by too much gives 0; a float that does not fit
// its integer gives the lowest integer, as x86 does.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_INTERP_INTERP_H
#define NESTOR_INTERP_INTERP_H

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Interp/HostTensor.h"
#include "nestor/Support/ConstantPool.h"

#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <vector>

namespace nestor {

/// Limits and extra checks of a run.
struct InterpOptions {
  /// Scalar operations before the run ends with ErrorKind::Budget; 0: no limit.
  uint64_t maxSteps = 0;
  /// Bytes that one buffer may have.
  uint64_t maxBufferBytes = uint64_t(1) << 32;
  /// Not 0: iterations of parallel and bound loops run in an order drawn from
  /// this seed.
  uint64_t shuffleSeed = 0;
  /// Reports two iterations of a parallel loop that touch one element when one
  /// of them writes it.
  bool checkRaces = false;
  /// Reports two spatial points of one block that write one element.
  bool checkContract = false;
  /// Only in arguments: schedules let iterations use a buffer of the kernel in
  /// turn (double_buffer, rolling_buffer).
  bool contractOfArguments = false;
  /// Not null: a kernel may leave elements of its buffers unwritten (a
  /// reduction over nothing does); here it is told for each buffer which ones
  /// were written. The others are 0.
  std::vector<std::vector<bool>> *written = nullptr;
};

/// Runs the functions of one module; what is compiled once serves all calls.
class Interp {
public:
  Interp(mlir::ModuleOp module, const ConstantPool &pool,
         InterpOptions options = {});
  ~Interp();
  Interp(const Interp &) = delete;
  Interp &operator=(const Interp &) = delete;

  /// Runs a func.func over tensors or memrefs and returns its results.
  llvm::Expected<std::vector<HostTensor>>
  run(llvm::StringRef function, llvm::ArrayRef<HostTensor> inputs);

  /// As above, for one call.
  static llvm::Expected<std::vector<HostTensor>>
  run(mlir::ModuleOp module, llvm::StringRef function,
      llvm::ArrayRef<HostTensor> inputs, const ConstantPool &pool,
      InterpOptions options = {});

  /// Runs a kernel on `buffers` in place. Undefined buffers must be written
  /// entirely (unless options.written is there to say what was); their bytes
  /// are there afterwards.
  static llvm::Error runKernel(nest::FuncOp kernel,
                               llvm::MutableArrayRef<HostTensor> buffers,
                               llvm::ArrayRef<int64_t> sizes,
                               InterpOptions options = {});

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

/// The dims of buffer `buffer` of `kernel` under these sizes, appended to
/// `dims`; false when an expression of its shape has no value.
bool kernelDims(nest::FuncOp kernel, unsigned buffer,
                llvm::ArrayRef<int64_t> sizes,
                llvm::SmallVectorImpl<int64_t> &dims);

} // namespace nestor

#endif // NESTOR_INTERP_INTERP_H
