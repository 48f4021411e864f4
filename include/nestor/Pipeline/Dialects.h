//===- Dialects.h - Every dialect that Nestor reads -------------*- C++ -*-===//
//
// One registry for the command, for nestor-opt and for tests.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_PIPELINE_DIALECTS_H
#define NESTOR_PIPELINE_DIALECTS_H

#include "mlir/IR/DialectRegistry.h"

namespace nestor {

/// Registers Nestor's dialects, the upstream ones it builds on, and their
/// translations to LLVM IR.
void registerDialects(mlir::DialectRegistry &registry);

} // namespace nestor

#endif // NESTOR_PIPELINE_DIALECTS_H
