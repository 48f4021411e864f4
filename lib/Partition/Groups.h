//===- Groups.h - Which operators share a kernel ----------------*- C++ -*-===//
//
// Cuts the operators of one block into groups; each group becomes one kernel,
// launched where its last operator stands.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_PARTITION_GROUPS_H
#define NESTOR_LIB_PARTITION_GROUPS_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallVector.h"

namespace nestor {

struct Group {
  /// In the order of the block.
  llvm::SmallVector<mlir::Operation *> ops;
  bool contains(mlir::Operation *op) const {
    return llvm::is_contained(ops, op);
  }
};

/// Whether `op` computes tensors inside a kernel.
bool isKernelOp(mlir::Operation *op);

/// The groups of `block`, ordered by their last operator. Every kernel op is
/// in exactly one; no outside user of a group's results stands before the
/// group's last operator.
llvm::SmallVector<Group> formGroups(mlir::Block &block);

/// What kind of computation `op` is, in a word: matmul, conv, reduce, ...
std::string kindOf(mlir::Operation *op);

} // namespace nestor

#endif // NESTOR_LIB_PARTITION_GROUPS_H
