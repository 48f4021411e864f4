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
// A printed schedule runs again on the same kernel or on another shape of it
// (`parse`, `replay`), with the same decisions or others; what comes back is a
// Schedule to go on with.
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

/// A number that a primitive takes: written out, or the value of a knob or a
/// sample.
struct Param {
  int64_t value;
  int recorded = -1; // its place among the schedule's parameters

  Param(int64_t value) : value(value) {}
  Param(int64_t value, int recorded) : value(value), recorded(recorded) {}
};
using Params = llvm::SmallVector<Param>;

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

  // --- sample: choices with a domain that the nest decides. Told, drawn, or by
  // default the likeliest candidate, all iterations in the outermost factor, or
  // no move. What is told and does not fit moves to the nearest that does.
  Result<Param> sampleCategorical(llvm::ArrayRef<int64_t> candidates,
                                  llvm::ArrayRef<double> probabilities,
                                  Choice choice = {});
  Result<Params> samplePerfectTile(LoopRef loop, unsigned parts,
                                   int64_t maxInnermost, Choice choice = {});
  Result<Params> samplePartitionedTile(LoopRef loop, unsigned parts,
                                       int64_t partition, int64_t innerMultiple,
                                       Choice choice = {});
  Result<Param> sampleComputeLocation(BlockRef block, Choice choice = {});

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
  /// At what sampleComputeLocation gave.
  Outcome computeAt(BlockRef block, Param location);
  Outcome reverseComputeAt(BlockRef block, LoopRef loop);
  Outcome computeInline(BlockRef block);
  Outcome reverseComputeInline(BlockRef block);
  Outcome fuseEpilogue(BlockRef epilogue, BlockRef reduction);

  // --- data
  Result<BlockRef> cacheRead(BlockRef block, int64_t buffer,
                             llvm::StringRef scope,
                             llvm::ArrayRef<BlockRef> consumers = {});
  Result<BlockRef> cacheWrite(BlockRef block, int64_t buffer,
                              llvm::StringRef scope,
                              llvm::ArrayRef<BlockRef> consumers = {});
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
  Outcome skipPadding(BlockRef block);

  // --- tensor
  Outcome transformLayout(BlockRef block, BufferRole role, int64_t buffer,
                          mlir::AffineMap map);
  Result<BlockRef> blockize(LoopRef loop);
  Outcome tensorize(BlockRef block, llvm::StringRef intrinsic);
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
  /// Drops questions and choices that nothing uses, backwards. Their handles
  /// still say what they hold, but no primitive takes them any more.
  void simplify();
  /// A copy of kernel, handles and sequence; the kernel is in a module of the
  /// copy's own.
  std::unique_ptr<Schedule> fork() const;

  /// Runs the sequence called as `func`, or else @__transform_main, on `func`.
  /// A refused step is named, and the kernel stays as the steps before left it.
  static Result<std::unique_ptr<Schedule>>
  replay(mlir::ModuleOp sequence, nest::FuncOp func,
         const ReplayOptions &options = {});
  /// The same from text.
  static Result<std::unique_ptr<Schedule>>
  parse(llvm::StringRef text, nest::FuncOp func,
        const ReplayOptions &options = {});

  // --- decisions, in the order they were made
  std::vector<Decision> decisions() const;
  static std::vector<Decision> decisionsOf(mlir::ModuleOp sequence);
  /// All that decision `index` may be when `func` is replayed up to it. `func`
  /// is left as it is.
  static Result<Domain> domainOf(mlir::ModuleOp sequence, nest::FuncOp func,
                                 unsigned index);
  /// The decisions with one of them, drawn, drawn anew; equal to the old ones
  /// when there is nothing to choose. `func` is left as it is.
  static Result<std::vector<Decision>>
  mutate(mlir::ModuleOp sequence, nest::FuncOp func, Random &random);

private:
  struct Entry {
    mlir::Operation *op;
    mlir::Value recorded;
  };
  struct Parameter {
    int64_t value;
    mlir::Value recorded;
  };
  class Watcher;
  class TableInvocation;
  class Replayer;
  struct Prefix;
  struct Fork {};
  Schedule(Fork, nest::FuncOp func);

  /// Appends an operation and runs it; takes it away again when refused.
  template <typename OpT, typename... Args>
  Result<OpT> perform(Args &&...args);
  /// `perform`, and the handles of its results.
  template <typename OpT, typename... Args>
  Outcome performAlone(Args &&...args);
  template <typename OpT, typename... Args>
  Result<BlockRef> performBlock(Args &&...args);
  template <typename OpT, typename... Args>
  Result<LoopRef> performLoop(Args &&...args);
  template <typename OpT, typename... Args>
  Result<LoopRefs> performLoops(size_t count, Args &&...args);
  template <typename OpT, typename... Args>
  Result<Params> performSample(size_t count, Choice &choice, Args &&...args);
  Outcome run(mlir::Operation *op);
  Outcome drawFor(mlir::Operation *op, Random &random);

  /// A copy of `func`, scheduled up to decision `index`.
  static Result<Prefix> before(mlir::ModuleOp sequence, nest::FuncOp func,
                               unsigned index);

  unsigned add(mlir::Operation *op, mlir::Value recorded);
  Param addParam(int64_t value, mlir::Value recorded);
  unsigned idOf(mlir::Value recorded) const { return ids.lookup(recorded); }
  /// Records a question whose answers are already known.
  template <typename OpT, typename T>
  Result<llvm::SmallVector<unsigned>> record(Result<llvm::SmallVector<T>> found,
                                             mlir::Value from);
  /// The value that stands for a handle. Of one that this schedule did not
  /// record, the root; `perform` then refuses.
  mlir::Value recorded(unsigned id) const;
  template <typename Ref>
  mlir::Value recorded(Ref ref) const {
    return recorded(ref.id);
  }
  template <typename Ref>
  llvm::SmallVector<mlir::Value> recordedAll(llvm::ArrayRef<Ref> refs) const {
    return llvm::map_to_vector(refs, [&](Ref ref) { return recorded(ref); });
  }
  /// Numbers and parameters as operands and attribute of an operation.
  struct Mixed {
    llvm::SmallVector<mlir::Value> dynamic;
    llvm::SmallVector<int64_t> numbers;
  };
  Mixed mix(llvm::ArrayRef<Param> params) const;
  mlir::Value root() const;
  mlir::OpBuilder atEnd() const;

  nest::FuncOp func;
  mlir::OwningOpRef<mlir::ModuleOp> owned; // of a fork
  mlir::OwningOpRef<mlir::ModuleOp> sequence;
  llvm::SmallVector<Entry, 0> table;
  llvm::SmallVector<Parameter, 0> params;
  llvm::DenseMap<mlir::Value, unsigned>
      ids;                      // of recorded handles and parameters
  mutable bool foreign = false; // a handle of elsewhere was asked for
  std::unique_ptr<Watcher> watcher;
  std::unique_ptr<mlir::IRRewriter> rewriter;
};

} // namespace nestor::sched

#endif // NESTOR_SCHEDULE_SCHEDULE_H
