// A kernel as native code: lowered, compiled, linked and loaded as a model
// whose host program launches it once, with guarded buffers around it.
#ifndef NESTOR_TEST_SEMANTICS_NATIVEKERNEL_H
#define NESTOR_TEST_SEMANTICS_NATIVEKERNEL_H

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Interp/HostTensor.h"

namespace nestor {

/// Runs `kernel` on `buffers`, whose last `writes` it fills, with `workers`
/// threads in its parallel loops. An error when it does not lower, fails,
/// or writes outside of a buffer.
llvm::Error runNative(nest::FuncOp kernel,
                      llvm::MutableArrayRef<HostTensor> buffers,
                      unsigned writes, llvm::ArrayRef<int64_t> sizes,
                      unsigned workers);

} // namespace nestor

#endif // NESTOR_TEST_SEMANTICS_NATIVEKERNEL_H
