//===- StoragePlan.h - Which buffers share memory ---------------*- C++ -*-===//
//
// A buffer lives from the first operation of its region that uses it to the
// last one; loops count whole. Buffers of one worker whose lives do not overlap
// may lie in the same memory:
//
//   %T = alloc; %U = alloc                T: [loop 1, loop 2]
//   for { T = A } for { B = T }      =>   U: [loop 3, loop 4]
//   for { U = B } for { C = U }           one memory of max(|T|, |U|)
//
// Assumes: what a buffer holds is undefined before its life and at the start of
// each iteration of the loop that it is in.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_STORAGEPLAN_H
#define NESTOR_LIB_LOWER_STORAGEPLAN_H

#include "nestor/Dialect/Nest/Nest.h"

#include <optional>

namespace nestor::lower {

class StoragePlan {
public:
  explicit StoragePlan(nest::FuncOp kernel);

  /// The buffers whose lives begin right before `op` and end right after it.
  llvm::ArrayRef<nest::AllocOp> startingAt(mlir::Operation *op) const;
  llvm::ArrayRef<nest::AllocOp> endingAt(mlir::Operation *op) const;

  /// A number for the memory that `alloc` shares with others.
  unsigned memoryOf(nest::AllocOp alloc) const;
  /// All buffers in that memory, in program order.
  llvm::ArrayRef<nest::AllocOp> buffersIn(unsigned memory) const {
    return memories[memory].buffers;
  }

private:
  using Buffers = llvm::SmallVector<nest::AllocOp, 2>;
  /// Positions in the kernel's text, both included.
  struct Life {
    unsigned begin, end;
    bool overlaps(const Life &other) const {
      return begin <= other.end && other.begin <= end;
    }
  };
  struct Memory {
    mlir::Operation *worker; // the parallel loop around, or null
    Buffers buffers;
    llvm::SmallVector<Life, 2> lives;
  };
  void place(nest::AllocOp alloc, Life life);

  llvm::DenseMap<mlir::Operation *, Buffers> starts, ends;
  llvm::DenseMap<mlir::Operation *, unsigned> memory;
  std::vector<Memory> memories;
};

/// Bytes of one element in memory; booleans are bytes.
int64_t elementBytes(mlir::Type element);

/// How many elements a buffer of a fixed size takes, padding included.
std::optional<int64_t> storedElements(nest::AllocOp alloc);

/// Kernel-local buffers of a fixed, small size live on the worker's stack.
bool livesOnStack(nest::AllocOp alloc);

} // namespace nestor::lower

#endif // NESTOR_LIB_LOWER_STORAGEPLAN_H
