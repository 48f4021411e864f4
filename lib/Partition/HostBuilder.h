//===- HostBuilder.h - Tensor function to host function ---------*- C++ -*-===//
//
// Walks a tensor-level function in order and writes the host function: sizes
// and scalars are cloned, tensors become buffers, groups of tensor operators
// become launches.
//
// Assumes: verified tensor-level IR. Leaves true: the source function is only
// read; a tensor's buffer holds its value from its launch on, except where a
// single later operator was proven free to overwrite it.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_PARTITION_HOSTBUILDER_H
#define NESTOR_LIB_PARTITION_HOSTBUILDER_H

#include "Groups.h"
#include "KernelTable.h"
#include "Sizes.h"

#include "nestor/Dialect/Host/Host.h"
#include "nestor/Dialect/Model/Model.h"
#include "nestor/Support/ConstantPool.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace nestor {

/// The memref type that holds a tensor of `type`.
mlir::MemRefType bufferType(mlir::Type type);

/// The one value that every element of `tensor` has, if that is known: a splat
/// constant, a generic that yields a constant, a reshape of such.
mlir::TypedAttr splatOf(mlir::Value tensor);

/// Whether `tensor` is a tensor.empty (or a reshape of one).
bool isUndefined(mlir::Value tensor);

class HostBuilder {
public:
  HostBuilder(mlir::ModuleOp module, ConstantPool &pool, KernelTable &kernels)
      : module(module), pool(pool), kernels(kernels),
        builder(module.getContext()), global(module.getContext()) {}

  /// Replaces `func` by its host-level twin.
  mlir::LogicalResult convert(mlir::func::FuncOp func);

  // What kernels ask for, at the current point of the host function.

  /// The buffer of `tensor`; emits a fill for a splat.
  mlir::Value bufferOf(mlir::Value tensor);
  /// The dims of `tensor`: attributes or host values, equal sizes as the same
  /// value where that can be seen.
  llvm::SmallVector<mlir::OpFoldResult> dimsOf(mlir::Value tensor);
  mlir::Value scalarOf(mlir::Value scalar) { return scalars.lookup(scalar); }
  /// A new buffer for the result of a kernel: an output's own buffer, a loop's
  /// carried buffer, or a host.alloc.
  mlir::Value resultBuffer(mlir::Value tensor, const Group *group = nullptr);
  void setBuffer(mlir::Value tensor, mlir::Value buffer) {
    buffers[tensor] = buffer;
  }
  /// Whether `op`, which uses `tensor` as an `outs`, may write into its buffer.
  bool mayOverwrite(mlir::Value tensor, mlir::Operation *op);
  mlir::OpBuilder &getBuilder() { return builder; }
  KernelTable &getKernels() { return kernels; }

private:
  /// Where a tensor must live: output `index`, whose tensor is `value`.
  struct Output {
    unsigned index;
    mlir::Value value;
  };
  /// A buffer that a loop carries, and the iteration argument that reads it.
  struct Carried {
    mlir::Value argument, buffer;
  };

  mlir::LogicalResult convertBlock(mlir::Block &block);
  mlir::LogicalResult convertOp(mlir::Operation *op);
  mlir::LogicalResult convertReshape(mlir::Operation *op,
                                     mlir::ValueRange dims);
  mlir::LogicalResult convertExtract(mlir::tensor::ExtractOp op);
  mlir::LogicalResult convertSelect(mlir::arith::SelectOp op);
  mlir::LogicalResult convertIf(mlir::scf::IfOp op);
  mlir::LogicalResult convertFor(mlir::scf::ForOp op);
  mlir::LogicalResult convertWhile(mlir::scf::WhileOp op);
  mlir::LogicalResult convertReturn(mlir::func::ReturnOp op);

  void placeOutputs(mlir::func::FuncOp func);
  /// Whether nobody reads `argument` any more when `group` writes.
  bool isDead(mlir::Value argument, const Group &group);
  /// Settles the dims of `values` here, where they dominate all uses.
  void settleDims(mlir::ValueRange values);
  void bindArguments(mlir::func::FuncOp from, mlir::func::FuncOp to);
  /// Maps iteration arguments to buffers that stay put, filled with `inits`.
  void bindCarried(mlir::ValueRange args, mlir::ValueRange inits,
                   mlir::ValueRange results,
                   llvm::SmallVectorImpl<mlir::Value> &carried);
  /// Writes what an iteration yields into the carried buffers.
  void storeCarried(mlir::ValueRange yields,
                    llvm::ArrayRef<mlir::Value> carried);
  void copyInto(mlir::Value tensor, mlir::Value buffer);
  mlir::Value alloc(mlir::MemRefType type,
                    llvm::ArrayRef<mlir::OpFoldResult> dims);
  mlir::Value view(mlir::Value buffer, mlir::MemRefType type,
                   llvm::ArrayRef<mlir::OpFoldResult> dims);
  mlir::OpFoldResult canonicalDim(mlir::OpFoldResult dim);
  mlir::Value index(mlir::OpFoldResult size);
  llvm::SmallVector<mlir::Value>
  dynamicDims(mlir::MemRefType type, llvm::ArrayRef<mlir::OpFoldResult> dims);
  llvm::SmallVector<mlir::OpFoldResult> computeDims(mlir::Value tensor);
  llvm::SmallVector<mlir::OpFoldResult> bufferDims(mlir::Value buffer);
  mlir::Value constantBuffer(llvm::StringRef key, mlir::MemRefType type,
                             mlir::Location loc);
  /// A host value for a scalar of a region argument or op, when it is mapped.
  bool isMapped(mlir::Value scalar) { return scalars.contains(scalar); }

  mlir::ModuleOp module;
  ConstantPool &pool;
  KernelTable &kernels;
  mlir::OpBuilder builder;
  mlir::func::FuncOp target;
  mlir::IRMapping scalars;
  llvm::DenseMap<mlir::Value, mlir::Value> buffers;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::OpFoldResult>> dims;
  llvm::DenseMap<mlir::Value, Output> outputs;
  llvm::DenseMap<mlir::Value, Carried> carriedResults;
  /// Tensors whose buffer nobody else may read or write later.
  llvm::DenseSet<mlir::Value> owned;
  /// One value for each size that has been seen.
  SizeTable global;
  llvm::DenseMap<mlir::AffineExpr, llvm::SmallVector<mlir::Value, 1>> sizes;
  llvm::StringMap<mlir::Value> constants;
};

/// Emits the kernel of `group` and its launch at the builder's point.
mlir::LogicalResult emitKernel(HostBuilder &host, const Group &group);

/// Emits a kernel that fills `buffer` with `value`.
void emitFill(HostBuilder &host, mlir::Value buffer,
              llvm::ArrayRef<mlir::OpFoldResult> dims, mlir::TypedAttr value,
              mlir::Location loc);

/// Emits a kernel that stores scalar `elements` (source values) in row-major
/// order into the buffer of `op`'s result.
mlir::LogicalResult emitElements(HostBuilder &host,
                                 mlir::tensor::FromElementsOp op);

} // namespace nestor

#endif // NESTOR_LIB_PARTITION_HOSTBUILDER_H
