//===- HostEmitter.h - The host program to plain code -----------*- C++ -*-===//
//
// Emits the host function as
//   llvm.func @nst_run(%call: !llvm.ptr) -> i32
// Buffers become a pointer and their dynamic dims. The first failure is kept
// in a status slot. At the top level it leaves the function, so that a long
// program is a chain of calls, not of nested conditions; inside of scf
// operations, nothing that touches memory runs once the slot is set.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_HOSTEMITTER_H
#define NESTOR_LIB_LOWER_HOSTEMITTER_H

#include "nestor/Dialect/Host/Host.h"
#include "nestor/Lower/Lower.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringMap.h"

namespace nestor::lower {

class HostEmitter {
public:
  HostEmitter(mlir::func::FuncOp source, mlir::ModuleOp target,
              LoweredConstants &constants);

  mlir::LogicalResult emit();

private:
  struct Buffer {
    mlir::Value pointer;
    mlir::MemRefType type;
    llvm::SmallVector<mlir::Value> dynamicDims; // index, in order
  };

  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emitOp(mlir::Operation *op);
  mlir::LogicalResult emitStructured(mlir::Operation *op);
  mlir::LogicalResult emitLaunch(host::LaunchOp op);
  mlir::LogicalResult emitOutput(host::OutputOp op);
  void emitConstant(host::ConstantOp op);
  void emitInputs();

  /// Whether the next op goes outside of every scf operation.
  bool atTopLevel();
  mlir::Value isFine();
  /// After anything that may fail.
  void leaveIfFailed();
  void guarded(llvm::function_ref<void()> body);
  void fail(mlir::Value status);
  void requireNonNull(mlir::Value pointer);
  mlir::Value loadScalar(mlir::Value pointer, mlir::Type element);
  mlir::Value elementPointer(const Buffer &buffer, mlir::ValueRange indices);
  llvm::SmallVector<mlir::Value> allDims(const Buffer &buffer);
  mlir::Value byteSize(const Buffer &buffer);
  mlir::Value toI64(mlir::Value index);

  /// A value as the values that stand for it: a memref is its pointer and its
  /// dynamic dims.
  void flatten(mlir::Value v, llvm::SmallVectorImpl<mlir::Value> &into);
  void flattenType(mlir::Type type, llvm::SmallVectorImpl<mlir::Type> &into);
  /// The inverse: takes the values of `v` from the front of `from`.
  void unflatten(mlir::Value v, mlir::ValueRange &from);

  mlir::func::FuncOp source;
  mlir::ModuleOp target;
  LoweredConstants &constants;
  llvm::StringMap<size_t> constantIndex;
  mlir::OpBuilder builder;
  mlir::Location loc;
  mlir::Type pointerType;
  mlir::LLVM::LLVMFuncOp function;
  mlir::Block *exit = nullptr;
  /// `outputDims`: room on the stack for the dims of any output.
  mlir::Value call, status, outputDims;
  llvm::DenseMap<mlir::Value, Buffer> buffers;
  llvm::DenseMap<mlir::Value, mlir::Value> values;
};

/// Appends the nst_model table for `source` (ModelTable.cpp).
mlir::LogicalResult emitModelTable(mlir::func::FuncOp source,
                                   mlir::ModuleOp target,
                                   const LowerOptions &options,
                                   const LoweredConstants &constants,
                                   llvm::ArrayRef<uint64_t> constantBytes);

} // namespace nestor::lower

#endif // NESTOR_LIB_LOWER_HOSTEMITTER_H
