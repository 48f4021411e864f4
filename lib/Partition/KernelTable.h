//===- KernelTable.h - Kernels by structure ---------------------*- C++ -*-===//
//
// Keeps one nest.func for each structure and names it by its kind and a
// counter, so that names are the same in every compilation.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_PARTITION_KERNELTABLE_H
#define NESTOR_LIB_PARTITION_KERNELTABLE_H

#include "nestor/Dialect/Nest/Nest.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

namespace nestor {

class KernelTable {
public:
  explicit KernelTable(mlir::ModuleOp module) : module(module) {}

  /// Takes a detached kernel. Returns the kernel of the same structure that is
  /// in the module already (and deletes this one), or puts this one there.
  nest::FuncOp intern(nest::FuncOp kernel, llvm::StringRef kind);

private:
  mlir::ModuleOp module;
  llvm::StringMap<nest::FuncOp> byText;
  llvm::StringMap<unsigned> counters;
};

} // namespace nestor

#endif // NESTOR_LIB_PARTITION_KERNELTABLE_H
