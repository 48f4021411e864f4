//===- Partition.h - Tensors to kernels and a host program ------*- C++ -*-===//
//
// The wall between tensors and loops. Above it values are tensors; below it a
// host function moves buffers between kernels (nest.func).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_PARTITION_PARTITION_H
#define NESTOR_PARTITION_PARTITION_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LogicalResult.h"

namespace nestor {

class ConstantPool;

/// Turns every tensor-level function of `module` (linalg.generic, the model
/// operators, scf over tensors) into a host function over memrefs plus one
/// nest.func for each group of operators. Dense constants that are no splats
/// move into `pool`. Structurally equal kernels are emitted once.
mlir::LogicalResult partition(mlir::ModuleOp module, ConstantPool &pool);

/// Gives every host.alloc a place: slices of one host.arena with offsets that
/// are functions of the sizes, or host.scratch where the size depends on data.
mlir::LogicalResult planMemory(mlir::ModuleOp module);

/// Registers nestor-partition and nestor-plan-memory for nestor-opt.
void registerPartitionPasses();

} // namespace nestor

#endif // NESTOR_PARTITION_PARTITION_H
