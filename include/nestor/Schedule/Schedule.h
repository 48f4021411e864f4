//===- Schedule.h - A kernel and the schedule applied to it -----*- C++ -*-===//
//
// Applies primitives to one nest.func, in place, and writes each down as an
// operation of a Transform-dialect sequence: what is printed, stored, replayed
// and mutated is that sequence.
//
//   Schedule s(func);
//   auto block = s.getBlock("matmul");
//   auto loops = s.getLoops(*block);
//   Param mr = s.knob("mr", 4, {1, 2, 4, 6, 8});
//   auto split = s.split((*loops)[0], {-1, mr});
//   if (!split) // split.getOutcome().getText() says why
//
// Handles are numbers into the schedule's table and never die: a handle to a
// loop that vanished is empty, and using it is a refusal.
//
// Assumes: the function is in a module (transform_layout adds kernels there)
// and nobody else changes it meanwhile.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SCHEDULE_SCHEDULE_H
#define NESTOR_SCHEDULE_SCHEDULE_H

#include "nestor/Schedule/Primitives.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/PatternMatch.h"

#include <memory>
#include <string>

namespace nestor::sched {

/// A handle to a block or a loop of the kernel.
struct BlockRef {
  unsigned id;
};
struct LoopRef {
  unsigned id;
};
using LoopRefs = llvm::SmallVector<LoopRef>;
using BlockRefs = llvm::SmallVector<BlockRef>;

/// A number that a primitive takes: written out, or the value of a knob.
struct Param {
  int64_t value;
  int knob = -1;

  Param(int64_t value) : value(value) {}
  Param(int64_t value, int knob) : value(value), knob(knob) {}
};

class Schedule {
public:
  explicit Schedule(nest::FuncOp func);
  ~Schedule();
  Schedule(const Schedule &) = delete;
  Schedule &operator=(const Schedule &) = delete;

  nest::FuncOp getFunc() const { return func; }
  /// What a handle holds now; null when it vanished.
  nest::BlockOp get(BlockRef ref) const;
  nest::ForOp get(LoopRef ref) const;

  /// A choice of the schedule's author: recorded with its domain, read by every
  /// primitive it is passed to. `value` is one of `options`.
  Param knob(llvm::StringRef name, int64_t value,
             llvm::ArrayRef<int64_t> options);

  // --- query
  Result<BlockRef> getBlock(llvm::StringRef name);
  Result<LoopRefs> getLoops(BlockRef block);
  Result<BlockRefs> getChildBlocks(LoopRef loop);
  Result<BlockRefs> getProducers(BlockRef block);
  Result<BlockRefs> getConsumers(BlockRef block);
  Result<BlockRefs> getOutputBlocks();

  // --- loops
  Result<LoopRefs> split(LoopRef loop, llvm::ArrayRef<Param> factors,
                         Tail tail = Tail::Predicate);
  Result<LoopRef> fuse(llvm::ArrayRef<LoopRef> loops);
  Outcome reorder(llvm::ArrayRef<LoopRef> loops);
  Result<LoopRef> addUnitLoop(BlockRef block);
  Result<LoopRef> addUnitLoop(LoopRef loop);
  Result<LoopRefs> loopPartition(LoopRef loop, llvm::ArrayRef<Param> parts);
  Result<LoopRef> merge(LoopRef first, LoopRef second);
  Outcome reorderBlockIters(BlockRef block, llvm::ArrayRef<int64_t> order);
  /// The full part and the rest.
  Result<LoopRefs> separateFullPartial(LoopRef loop);

  // --- kinds
  Outcome vectorize(LoopRef loop);
  Outcome unroll(LoopRef loop);
  Outcome parallel(LoopRef loop, Param grain = 1);
  Outcome bind(LoopRef loop, llvm::StringRef axis);
  Outcome unannotate(LoopRef loop, llvm::StringRef key);
  Outcome unannotate(BlockRef block, llvm::StringRef key);
  Outcome annotate(LoopRef loop, llvm::StringRef key, mlir::Attribute value);
  Outcome annotate(BlockRef block, llvm::StringRef key, mlir::Attribute value);

  // --- moving
  Outcome computeAt(BlockRef block, LoopRef loop);
  Outcome reverseComputeAt(BlockRef block, LoopRef loop);
  Outcome computeInline(BlockRef block);
  Outcome reverseComputeInline(BlockRef block);
  Outcome fuseEpilogue(BlockRef epilogue, BlockRef reduction);

  // --- data
  Result<BlockRef> cacheRead(BlockRef block, int64_t buffer,
                             llvm::StringRef scope);
  Result<BlockRef> cacheWrite(BlockRef block, int64_t buffer,
                              llvm::StringRef scope);
  Outcome setScope(BlockRef block, int64_t buffer, llvm::StringRef scope);
  Result<BlockRef> reindex(BlockRef block, BufferRole role, int64_t buffer);
  Result<BlockRef> reindexCacheRead(BlockRef block, int64_t buffer,
                                    llvm::StringRef scope, mlir::AffineMap map);
  Result<BlockRef> reindexCacheWrite(BlockRef block, int64_t buffer,
                                     llvm::StringRef scope,
                                     mlir::AffineMap map);
  /// The copy in and the copy out.
  Result<BlockRefs> cacheInplace(BlockRef block, int64_t buffer,
                                 llvm::StringRef scope);
  Outcome storageAlign(BlockRef block, int64_t buffer, int64_t axis,
                       int64_t factor, int64_t offset);
  Outcome rollingBuffer(BlockRef block, int64_t buffer);
  /// The last step: buffers shrink to what one iteration touches.
  Outcome compactBuffers();

  // --- reduction
  Result<BlockRef> decomposeReduction(BlockRef block, LoopRef loop);
  Result<BlockRef> rfactor(LoopRef loop, int64_t axis);
  Result<BlockRef> splitK(LoopRef loop, Param parts, int64_t axis);
  Result<BlockRef> fuseReductions(llvm::ArrayRef<BlockRef> blocks,
                                  LoopRef loop);

  // --- tensor
  Outcome transformLayout(BlockRef block, BufferRole role, int64_t buffer,
                          mlir::AffineMap map);
  Result<BlockRef> blockize(LoopRef loop);
  Outcome transformBlockLayout(BlockRef block, mlir::AffineMap map);
  Outcome padEinsum(BlockRef block, llvm::ArrayRef<Param> multiples);
  /// The fill.
  Result<BlockRef> decomposePadding(BlockRef block, LoopRef loop);

  // --- machine
  Outcome pipeline(LoopRef loop, llvm::ArrayRef<int64_t> stages,
                   llvm::ArrayRef<int64_t> order);
  Outcome doubleBuffer(BlockRef block, int64_t buffer);
  Outcome prefetch(BlockRef block, int64_t buffer, LoopRef loop,
                   Param distance);

  // --- affine
  Outcome skew(LoopRef loop, LoopRef outer, int64_t factor);
  Outcome reverse(LoopRef loop);
  Outcome shift(BlockRef block, LoopRef loop, int64_t by);
  /// The loop that runs first and the other.
  Result<LoopRefs> splitDomain(LoopRef loop, mlir::AffineMap condition);
  Outcome wavefront(LoopRef outer, LoopRef inner, int64_t grain);
  Outcome fuseBlocks(BlockRef first, BlockRef second,
                     llvm::ArrayRef<int64_t> shift);
  Outcome privatize(BlockRef block, int64_t buffer, LoopRef loop);

  // --- the sequence
  /// A module with one transform.named_sequence, @__transform_main.
  mlir::ModuleOp getSequence() const { return *sequence; }
  std::string print() const;
  /// Runs a sequence on `func` through the Transform interpreter.
  static Outcome replay(mlir::ModuleOp sequence, nest::FuncOp func);
  /// A copy of kernel, handles and sequence; the kernel is in a module of the
  /// copy's own.
  std::unique_ptr<Schedule> fork() const;

private:
  struct Entry {
    mlir::Operation *op;
    mlir::Value recorded;
  };
  class Watcher;
  class TableInvocation;
  struct Fork {};
  Schedule(Fork, nest::FuncOp func);

  /// Appends an operation and runs it; takes it away again when refused.
  template <typename OpT, typename... Args>
  Result<OpT> perform(Args &&...args);
  /// `perform`, and the handles of its results.
  template <typename OpT, typename... Args>
  Result<BlockRef> performBlock(Args &&...args);
  Outcome run(mlir::Operation *op);
  unsigned idOf(mlir::Value recorded) const { return ids.lookup(recorded); }

  Outcome check(llvm::ArrayRef<unsigned> ids) const;
  unsigned add(mlir::Operation *op, mlir::Value recorded);
  LoopRefs addLoops(Loops &loops, mlir::ResultRange recorded);
  /// Records a query, an `OpT` of `from`, and gives its answer handles.
  template <typename OpT>
  Result<BlockRefs> recordBlocks(Result<Blocks> found, mlir::Value from);
  Loops loopsOf(llvm::ArrayRef<LoopRef> refs) const;
  mlir::Value recorded(unsigned id) const { return table[id].recorded; }
  llvm::SmallVector<mlir::Value> recordedOf(llvm::ArrayRef<LoopRef> refs) const;
  mlir::OpBuilder atEnd() const;

  nest::FuncOp func;
  mlir::OwningOpRef<mlir::ModuleOp> owned; // of a fork
  mlir::OwningOpRef<mlir::ModuleOp> sequence;
  llvm::SmallVector<Entry, 0> table;
  llvm::DenseMap<mlir::Value, unsigned> ids; // of recorded handles
  llvm::SmallVector<mlir::Value, 0> knobs;
  std::unique_ptr<Watcher> watcher;
  std::unique_ptr<mlir::IRRewriter> rewriter;
};

} // namespace nestor::sched

#endif // NESTOR_SCHEDULE_SCHEDULE_H
