//===- Setup.h - Constants computed once, at build time ---------*- C++ -*-===//
//
// Compiles the host function @setup for this machine, runs it, and puts its
// results into the pool under the keys of its results (`host.key`). Folding
// and packing thus run as compiled Nestor code.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_PIPELINE_SETUP_H
#define NESTOR_LIB_PIPELINE_SETUP_H

#include "nestor/Support/ConstantPool.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace nestor {

/// Before: @setup in `module`, its sources in `pool`. After: no @setup; the
/// pool holds its results and the constants that @main names, nothing else.
llvm::Error runSetup(mlir::ModuleOp module, ConstantPool &pool);

} // namespace nestor

#endif // NESTOR_LIB_PIPELINE_SETUP_H
