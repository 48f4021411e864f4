//===- Services.h - Calls from generated code to its caller -----*- C++ -*-===//
//
// Generated code reaches the run's services (nestor/Runtime/Abi.h) through the
// nst_call pointer that every function takes first.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_SERVICES_H
#define NESTOR_LIB_LOWER_SERVICES_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

#include <cstddef>

namespace nestor::lower {

/// A pointer `bytes` behind `base`.
mlir::Value byteOffset(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value base, int64_t bytes);

/// `count` elements of `type` on the stack of the whole function.
mlir::Value entryAlloca(mlir::LLVM::LLVMFuncOp function,
                        mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Type type, int64_t count, int64_t alignment);

/// Loads a value of `type` that lies `bytes` behind `base`.
mlir::Value loadField(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Type type, mlir::Value base, int64_t bytes);

/// Calls the service at byte `offset` of nst_services; `operands` follow the
/// call pointer. Returns its result (null when `result` is void).
mlir::Value callService(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value call, size_t offset, mlir::Type result,
                        mlir::ValueRange operands);

/// The address of a private constant string, zero terminated.
mlir::Value stringAddress(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Operation *module, llvm::StringRef text);

} // namespace nestor::lower

#endif // NESTOR_LIB_LOWER_SERVICES_H
