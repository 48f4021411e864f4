//===- Relayouts.h - Arguments in the layout that kernels want --*- C++ -*-===//
//
// A schedule may change the layout of a kernel's argument (transform_layout):
// the nest.func then carries `relayouts = [{arg, kernel}]`, naming the nest
// that makes the new layout from the old one. Before => after, for a constant:
//
//   main:  %w = host.constant "k"; host.launch @mm(%x, %w, %y)
//   ==>
//   setup: %w = host.constant "k"; host.launch @pack(%w, %p); return %p {key}
//   main:  %p = host.constant "k.pack"; host.launch @mm(%x, %p, %y)
//
// and for any other buffer the launch of @pack stands before the kernel's.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_PIPELINE_RELAYOUTS_H
#define NESTOR_LIB_PIPELINE_RELAYOUTS_H

#include "mlir/IR/BuiltinOps.h"

namespace nestor {

/// Marks the arguments of kernels that are constants of the model at every
/// launch (kConstantArgument).
void markConstantArguments(mlir::ModuleOp module);

/// Makes every launch match its kernel's layouts; no `relayouts` remain.
mlir::LogicalResult resolveRelayouts(mlir::ModuleOp module);

} // namespace nestor

#endif // NESTOR_LIB_PIPELINE_RELAYOUTS_H
