//===- Primitives.h - Legal rewrites of a nest ------------------*- C++ -*-===//
//
// Every schedule primitive as one plain function: check, then rewrite in place.
// Schedule calls them and records; the operations of the Transform dialect call
// them on replay. What each does and refuses stands in
// lib/Schedule/Primitives/<Name>.{td,cpp}.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SCHEDULE_PRIMITIVES_H
#define NESTOR_SCHEDULE_PRIMITIVES_H

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Schedule/Outcome.h"
#include "nestor/Schedule/Trace.h"

namespace nestor::sched {

using Loops = llvm::SmallVector<nest::ForOp>;
using Blocks = llvm::SmallVector<nest::BlockOp>;

// --- query
Result<nest::BlockOp> getBlock(mlir::Operation *root, llvm::StringRef name);
Result<Loops> getLoops(nest::BlockOp block);
Result<Blocks> getChildBlocks(nest::ForOp loop);
Result<Blocks> getProducers(nest::BlockOp block);
Result<Blocks> getConsumers(nest::BlockOp block);
Result<Blocks> getOutputBlocks(mlir::Operation *root);

// --- sample
/// All ways to write `extent` as a product of `parts` numbers, the last of them
/// at most `maxInnermost` (0: no limit).
Domain perfectTiles(int64_t extent, unsigned parts, int64_t maxInnermost);
/// Those where the product from position `partition` on is a multiple.
Domain partitionedTiles(int64_t extent, unsigned parts, unsigned partition,
                        int64_t multiple);
/// The locations at which `computeAtLocation` is not refused.
Numbers computeLocations(nest::BlockOp block);

// --- loops
/// What becomes of iterations that fill no tile.
enum class Tail { Predicate, Peel, Perfect };
Result<Loops> split(mlir::RewriterBase &rewriter, nest::ForOp loop,
                    llvm::ArrayRef<int64_t> factors,
                    Tail tail = Tail::Predicate);
Result<nest::ForOp> fuse(mlir::RewriterBase &rewriter,
                         llvm::ArrayRef<nest::ForOp> loops);
Outcome reorder(mlir::RewriterBase &rewriter,
                llvm::ArrayRef<nest::ForOp> loops);
Result<nest::ForOp> addUnitLoop(mlir::RewriterBase &rewriter,
                                mlir::Operation *inner);
Result<Loops> separateFullPartial(mlir::RewriterBase &rewriter,
                                  nest::ForOp loop);
Result<Loops> loopPartition(mlir::RewriterBase &rewriter, nest::ForOp loop,
                            llvm::ArrayRef<int64_t> parts);
Result<nest::ForOp> merge(mlir::RewriterBase &rewriter, nest::ForOp first,
                          nest::ForOp second);
Outcome reorderBlockIters(mlir::RewriterBase &rewriter, nest::BlockOp block,
                          llvm::ArrayRef<int64_t> order);

// --- kinds
Outcome setLoopKind(mlir::RewriterBase &rewriter, nest::ForOp loop,
                    nest::LoopKind kind);
Outcome parallel(mlir::RewriterBase &rewriter, nest::ForOp loop, int64_t grain);
Outcome bind(mlir::RewriterBase &rewriter, nest::ForOp loop,
             llvm::StringRef axis);
Outcome unannotate(mlir::RewriterBase &rewriter, mlir::Operation *op,
                   llvm::StringRef key);
Outcome annotate(mlir::RewriterBase &rewriter, mlir::Operation *op,
                 llvm::StringRef key, mlir::Attribute value);

// --- moving
Outcome computeAt(mlir::RewriterBase &rewriter, nest::BlockOp block,
                  nest::ForOp loop);
/// At the `location`-th loop around the first consumer, outermost 0; -1 leaves
/// the block where it is, -2 inlines it.
Outcome computeAtLocation(mlir::RewriterBase &rewriter, nest::BlockOp block,
                          int64_t location);
Outcome reverseComputeAt(mlir::RewriterBase &rewriter, nest::BlockOp block,
                         nest::ForOp loop);
Outcome computeInline(mlir::RewriterBase &rewriter, nest::BlockOp block);
Outcome reverseComputeInline(mlir::RewriterBase &rewriter, nest::BlockOp block);
Outcome fuseEpilogue(mlir::RewriterBase &rewriter, nest::BlockOp epilogue,
                     nest::BlockOp reduction);

// --- data
enum class BufferRole { Read, Write };
Result<nest::BlockOp> reindex(mlir::RewriterBase &rewriter, nest::BlockOp block,
                              BufferRole role, int64_t buffer);
/// `map`: from the block's iterators to indices of the copy.
Result<nest::BlockOp> reindexCache(mlir::RewriterBase &rewriter,
                                   nest::BlockOp block, BufferRole role,
                                   int64_t buffer, llvm::StringRef scope,
                                   mlir::AffineMap map);
/// The copy in and the copy out.
Result<std::pair<nest::BlockOp, nest::BlockOp>>
cacheInplace(mlir::RewriterBase &rewriter, nest::BlockOp block, int64_t buffer,
             llvm::StringRef scope);
Outcome storageAlign(mlir::RewriterBase &rewriter, nest::BlockOp block,
                     int64_t buffer, int64_t axis, int64_t factor,
                     int64_t offset);
Outcome rollingBuffer(mlir::RewriterBase &rewriter, nest::BlockOp block,
                      int64_t buffer);
/// `consumers`: blocks that use the copy besides `block`.
Result<nest::BlockOp> cacheRead(mlir::RewriterBase &rewriter,
                                nest::BlockOp block, int64_t buffer,
                                llvm::StringRef scope,
                                llvm::ArrayRef<nest::BlockOp> consumers = {});
Result<nest::BlockOp> cacheWrite(mlir::RewriterBase &rewriter,
                                 nest::BlockOp block, int64_t buffer,
                                 llvm::StringRef scope,
                                 llvm::ArrayRef<nest::BlockOp> consumers = {});
Outcome setScope(mlir::RewriterBase &rewriter, nest::BlockOp block,
                 int64_t buffer, llvm::StringRef scope);
Outcome compactBuffers(mlir::RewriterBase &rewriter, nest::FuncOp func);

// --- reduction
Result<nest::BlockOp> decomposeReduction(mlir::RewriterBase &rewriter,
                                         nest::BlockOp block, nest::ForOp loop);
Result<nest::BlockOp> rfactor(mlir::RewriterBase &rewriter, nest::ForOp loop,
                              int64_t axis);

Result<nest::BlockOp> splitK(mlir::RewriterBase &rewriter, nest::ForOp loop,
                             int64_t parts, int64_t axis);
Result<nest::BlockOp> fuseReductions(mlir::RewriterBase &rewriter,
                                     llvm::ArrayRef<nest::BlockOp> blocks,
                                     nest::ForOp loop);
Outcome skipPadding(mlir::RewriterBase &rewriter, nest::BlockOp block);

// --- tensor
Result<nest::BlockOp> blockize(mlir::RewriterBase &rewriter, nest::ForOp loop);
/// `intrinsic`: the name of a record of Intrin.
Outcome tensorize(mlir::RewriterBase &rewriter, nest::BlockOp block,
                  llvm::StringRef intrinsic);
/// `map`: from the old iterators to the new ones.
Outcome transformBlockLayout(mlir::RewriterBase &rewriter, nest::BlockOp block,
                             mlir::AffineMap map);
Outcome padEinsum(mlir::RewriterBase &rewriter, nest::BlockOp block,
                  llvm::ArrayRef<int64_t> multiples);
Result<nest::BlockOp> decomposePadding(mlir::RewriterBase &rewriter,
                                       nest::BlockOp block, nest::ForOp loop);
Outcome transformLayout(mlir::RewriterBase &rewriter, nest::BlockOp block,
                        BufferRole role, int64_t buffer, mlir::AffineMap map);

// --- machine
Outcome pipeline(mlir::RewriterBase &rewriter, nest::ForOp loop,
                 llvm::ArrayRef<int64_t> stages, llvm::ArrayRef<int64_t> order);
Outcome doubleBuffer(mlir::RewriterBase &rewriter, nest::BlockOp block,
                     int64_t buffer);
Outcome prefetch(mlir::RewriterBase &rewriter, nest::BlockOp block,
                 int64_t buffer, nest::ForOp loop, int64_t distance);

// --- affine
Outcome skew(mlir::RewriterBase &rewriter, nest::ForOp loop, nest::ForOp outer,
             int64_t factor);
Outcome reverse(mlir::RewriterBase &rewriter, nest::ForOp loop);
Outcome shift(mlir::RewriterBase &rewriter, nest::BlockOp block,
              nest::ForOp loop, int64_t by);
/// `condition`: one expression of the loops down to `loop` and the sizes.
Result<Loops> splitDomain(mlir::RewriterBase &rewriter, nest::ForOp loop,
                          mlir::AffineMap condition);
Outcome wavefront(mlir::RewriterBase &rewriter, nest::ForOp outer,
                  nest::ForOp inner, int64_t grain);
/// `shift`: for each loop that becomes one, how much later `second` runs.
Outcome fuseBlocks(mlir::RewriterBase &rewriter, nest::BlockOp first,
                   nest::BlockOp second, llvm::ArrayRef<int64_t> shift);
Outcome privatize(mlir::RewriterBase &rewriter, nest::BlockOp block,
                  int64_t buffer, nest::ForOp loop);

} // namespace nestor::sched

#endif // NESTOR_SCHEDULE_PRIMITIVES_H
