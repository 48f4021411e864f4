//===- KernelBuilder.h - One group of operators as a nest -------*- C++ -*-===//
//
// Builds the nest.func of a group and the host.launch that runs it. Arguments
// appear as operators ask for them: read buffers, written buffers, sizes.
//
// Assumes: the group's inputs have host buffers (or are splats). Leaves true:
// a buffer is an argument once; results that only the group uses are
// nest.alloc; every result used outside has its host buffer set.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_PARTITION_KERNELBUILDER_H
#define NESTOR_LIB_PARTITION_KERNELBUILDER_H

#include "HostBuilder.h"

#include "nestor/Dialect/Nest/Nest.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nestor {

class KernelBuilder {
public:
  KernelBuilder(HostBuilder &host, mlir::Location loc);
  ~KernelBuilder();

  /// Emits every operator of `group`.
  mlir::LogicalResult emit(const Group &group);

  /// A block that stores `value` everywhere in a written buffer.
  void emitFill(mlir::Value kernelBuffer, llvm::ArrayRef<mlir::AffineExpr> dims,
                mlir::TypedAttr value, mlir::Location loc);
  mlir::LogicalResult emitElements(mlir::tensor::FromElementsOp op);

  /// Makes `hostBuffer` a written argument.
  mlir::Value writtenArgument(mlir::Value hostBuffer,
                              llvm::ArrayRef<mlir::OpFoldResult> dims);
  llvm::SmallVector<mlir::AffineExpr>
  exprs(llvm::ArrayRef<mlir::OpFoldResult> sizes);

  /// Closes the kernel, interns it and emits its launch.
  void finish(llvm::StringRef kind);

private:
  /// A loop nest under construction: its iterators' kinds and extents.
  struct Domain {
    llvm::SmallVector<nest::IteratorKind> kinds;
    llvm::SmallVector<mlir::AffineExpr> extents;
    void add(nest::IteratorKind kind, mlir::AffineExpr extent) {
      kinds.push_back(kind);
      extents.push_back(extent);
    }
  };

  mlir::LogicalResult emitGeneric(mlir::linalg::GenericOp op);
  mlir::LogicalResult emitLoops(model::LoopsOp op);
  mlir::LogicalResult emitConcat(mlir::tensor::ConcatOp op);

  /// Loops around one empty block over `domain`; the builder stands in its
  /// body.
  nest::BlockOp openBlock(llvm::StringRef name, const Domain &domain,
                          bool hasInit, mlir::Location loc);
  void emitCopy(mlir::Value from, mlir::Value to,
                llvm::ArrayRef<mlir::AffineExpr> dims, mlir::Location loc);
  Domain spatial(llvm::ArrayRef<mlir::AffineExpr> extents);

  /// The kernel's buffer that holds `tensor`.
  mlir::Value readBuffer(mlir::Value tensor);
  /// The buffer for a result; fills it with what `outs` holds unless undefined,
  /// or takes over the buffer of `outs`. `skipSplat`: the caller's init does
  /// it.
  mlir::Value resultFor(mlir::OpResult result);
  mlir::Value updatedResult(mlir::OpResult result, mlir::Value outs,
                            bool skipSplat);
  bool isInternal(mlir::Value result);

  /// `expr` over `dims` and the sizes, as arith at the builder's point.
  mlir::Value emitExpr(mlir::AffineExpr expr, mlir::ValueRange dims,
                       mlir::Location loc);
  llvm::SmallVector<mlir::Value>
  emitMap(mlir::AffineMap map, mlir::ValueRange dims, mlir::Location loc);
  /// The value of a scalar of the tensor level inside the current block.
  mlir::Value emitScalar(mlir::Value scalar, mlir::IRMapping &mapping);
  mlir::Value emitExtract(mlir::tensor::ExtractOp op, mlir::ValueRange indices);
  /// Clones the body of `from` to the builder's point, everything it captures
  /// included.
  void cloneBody(mlir::Block &from, mlir::IRMapping &mapping,
                 mlir::ValueRange iterators);
  mlir::Value element(mlir::OpOperand &operand, mlir::AffineMap map,
                      mlir::ValueRange iterators);

  /// The kernel for a run in which some reduction has no steps.
  nest::FuncOp withStartsApart();

  mlir::Value sizeArgument(unsigned symbol);
  void preferBases(const Group &group);
  std::string uniqueName(llvm::StringRef kind);

  HostBuilder &host;
  mlir::OpBuilder builder;
  nest::FuncOp kernel;
  const Group *group = nullptr;
  SizeTable sizes;
  llvm::SmallVector<mlir::Value> reads, writes;
  llvm::SmallVector<llvm::SmallVector<mlir::OpFoldResult>> readDims, writeDims;
  llvm::DenseMap<mlir::Value, mlir::Value> arguments; // host buffer -> argument
  llvm::DenseMap<mlir::Value, mlir::Value> locals;    // tensor -> kernel buffer
  llvm::StringMap<unsigned> names;
  /// Reductions that set their start themselves although a run may find that
  /// they have no steps; and the extents that say so by being 0.
  llvm::SmallVector<std::pair<nest::BlockOp, Domain>> mayBeEmpty;
  llvm::SetVector<mlir::AffineExpr> emptyWhenZero;
};

} // namespace nestor

#endif // NESTOR_LIB_PARTITION_KERNELBUILDER_H
