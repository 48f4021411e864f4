// What all programs over random kernels share: printing, the meaning of a
// kernel by the interpreter and by native code, differences.
#ifndef NESTOR_TEST_SEMANTICS_CHECKS_H
#define NESTOR_TEST_SEMANTICS_CHECKS_H

#include "NativeKernel.h"
#include "RandomNest.h"

#include "nestor/Interp/Interp.h"

namespace nestor {

/// Loads every dialect and translation that kernels need.
void loadDialects(mlir::MLIRContext &context);

std::string print(mlir::Operation *op);

/// The kernel's buffers: arguments in a new layout go through the kernels that
/// make it. Empty text: done.
std::string relayout(nest::FuncOp kernel, const Problem &problem,
                     std::vector<HostTensor> &buffers);

/// The results of the kernel as it was written; `why` when it fails. Which
/// elements it writes is noted in the problem.
std::vector<HostTensor> results(Problem &problem, std::string &why);

/// Not empty: how `got` differs from `want`, in the elements that `written`
/// names (all when it is empty).
std::string difference(llvm::ArrayRef<HostTensor> got,
                       llvm::ArrayRef<HostTensor> want, double tolerance = 0,
                       llvm::ArrayRef<std::vector<bool>> written = {});

/// What `meaning` says when the kernel became too large to run.
inline constexpr const char *kOverBudget = "over budget";

/// Empty when `kernel` is valid and computes `want` by the interpreter.
std::string meaning(nest::FuncOp kernel, const Problem &problem,
                    llvm::ArrayRef<HostTensor> want, uint64_t seed, bool races,
                    uint64_t maxSteps = 3'000'000);

/// Empty when native code computes `want`.
std::string native(nest::FuncOp kernel, const Problem &problem,
                   llvm::ArrayRef<HostTensor> want, uint64_t seed);

} // namespace nestor

#endif // NESTOR_TEST_SEMANTICS_CHECKS_H
