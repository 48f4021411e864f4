// Random kernels with data on which every order of evaluation gives the same
// bits: small whole numbers, few terms.
#ifndef NESTOR_TEST_SEMANTICS_RANDOMNEST_H
#define NESTOR_TEST_SEMANTICS_RANDOMNEST_H

#include "Random.h"

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Interp/HostTensor.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace nestor {

struct NestStyle {
  /// Loops are split, fused, reordered and given kinds in the text already.
  bool scheduled = false;
  /// Extents that several register tiles fit into.
  bool large = false;
};

/// A module with one nest.func and arguments for it.
struct Problem {
  std::string text;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  nest::FuncOp kernel;
  /// The last `writes` start undefined.
  std::vector<HostTensor> buffers;
  unsigned writes = 0;
  llvm::SmallVector<int64_t> sizes;
};

/// Null module: the text did not parse (a bug of the generator).
Problem randomProblem(mlir::MLIRContext &context, uint64_t seed,
                      NestStyle style);

} // namespace nestor

#endif // NESTOR_TEST_SEMANTICS_RANDOMNEST_H
