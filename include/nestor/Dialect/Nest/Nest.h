//===- Nest.h - The nest dialect --------------------------------*- C++ -*-===//
//
// Loops, blocks and buffers: the IR that schedules rewrite; described in
// NestOps.td.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_DIALECT_NEST_NEST_H
#define NESTOR_DIALECT_NEST_NEST_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/IntegerSet.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "nestor/Dialect/Nest/NestOpsEnums.h.inc"

#include "nestor/Dialect/Nest/NestOpsDialect.h.inc"

#define GET_OP_CLASSES
#include "nestor/Dialect/Nest/NestOps.h.inc"

namespace nestor::nest {

/// The scopes that nest.alloc knows (the memory space of its type).
inline constexpr llvm::StringLiteral kSharedScope = "shared";
inline constexpr llvm::StringLiteral kRegisterScope = "register";
inline constexpr llvm::StringLiteral kTileScope = "tile";

/// A kernel with this unit attribute runs only when some size is 0: there is
/// nothing to win by scheduling it.
inline constexpr llvm::StringLiteral kColdKernel = "nest.cold";

/// The annotation of a block that is one tensor instruction: its record's name.
inline constexpr llvm::StringLiteral kIntrinsic = "intrinsic";

/// Whether `value` is a size argument of the enclosing nest.func.
bool isSize(mlir::Value value);

/// Whether `value` is the variable of a nest.for.
bool isLoopVar(mlir::Value value);

/// Whether `value` is an iterator of a nest.block.
bool isIterator(mlir::Value value);

} // namespace nestor::nest

#endif // NESTOR_DIALECT_NEST_NEST_H
