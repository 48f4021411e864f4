// Random kernels with data on which every order of evaluation gives the same
// bits: small whole numbers, few terms.
#ifndef NESTOR_TEST_SEMANTICS_RANDOMNEST_H
#define NESTOR_TEST_SEMANTICS_RANDOMNEST_H

#include "Random.h"

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Interp/HostTensor.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace nestor {

struct NestStyle {
  /// Loops are split, fused, reordered and given kinds in the text already.
  bool scheduled = false;
  /// Extents that several register tiles fit into.
  bool large = false;
  /// An index of nestKinds(); -1: the mixture of the tests of native code.
  int kind = -1;
  /// What shrinking turns: no extent above `cap`, static sizes alone, nothing
  /// around the core.
  int64_t cap = 1000;
  bool fixed = false;
  bool alone = false;
  /// 32-bit elements.
  bool plain = false;
  /// Blocks that are left out (see DropBlocks.cpp).
  std::vector<std::string> without = {};
};

/// Names of the families that NestStyle::kind picks.
llvm::ArrayRef<const char *> nestKinds();

/// A module with one nest.func and arguments for it.
struct Problem {
  std::string text;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  nest::FuncOp kernel;
  /// The last `writes` start undefined and are the results.
  std::vector<HostTensor> buffers;
  unsigned writes = 0;
  llvm::SmallVector<int64_t> sizes;
  /// Which elements of each buffer the kernel as written does write; the others
  /// are nobody's business. Empty: all. Filled by results().
  std::vector<std::vector<bool>> written;
  /// Relative; 0: every order of evaluation gives the same bits.
  double tolerance = 0;
};

/// Null module: the text did not parse (a bug of the generator).
Problem randomProblem(mlir::MLIRContext &context, uint64_t seed,
                      NestStyle style);

/// Takes a block out of the kernel: what it wrote becomes an input with data
/// from `seed`, what nobody reads any more an output. False: nothing would be
/// left.
bool dropBlock(Problem &problem, llvm::StringRef name, uint64_t seed);

} // namespace nestor

#endif // NESTOR_TEST_SEMANTICS_RANDOMNEST_H
