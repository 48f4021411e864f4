//===- Model.h - The model dialect ------------------------------*- C++ -*-===//
//
// Tensor operators that linalg cannot say; described in ModelOps.td.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_DIALECT_MODEL_MODEL_H
#define NESTOR_DIALECT_MODEL_MODEL_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace nestor::model {

/// The kinds of an iterator, as numbers in `model.loops`; equal to
/// nest::IteratorKind.
enum LoopsIterator : int32_t { Spatial = 0, Reduce = 1, Ordered = 2 };

} // namespace nestor::model

#include "nestor/Dialect/Model/ModelOpsDialect.h.inc"

#define GET_OP_CLASSES
#include "nestor/Dialect/Model/ModelOps.h.inc"

#endif // NESTOR_DIALECT_MODEL_MODEL_H
