//===- Host.h - The host dialect --------------------------------*- C++ -*-===//
//
// What the host does between kernels; described in HostOps.td.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_DIALECT_HOST_HOST_H
#define NESTOR_DIALECT_HOST_HOST_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "nestor/Dialect/Host/HostOpsDialect.h.inc"

#define GET_OP_CLASSES
#include "nestor/Dialect/Host/HostOps.h.inc"

#endif // NESTOR_DIALECT_HOST_HOST_H
