//===- Rewrite.h - What primitives share ------------------------*- C++ -*-===//
//
// Small rewrites of loops, blocks and bodies, and the words of refusals.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_REWRITE_H
#define NESTOR_LIB_SCHEDULE_REWRITE_H

#include "nestor/Analysis/Blocks.h"
#include "nestor/Schedule/Primitives.h"

namespace nestor::sched {

using analysis::AffineSpace;
using analysis::BlockForm;
using analysis::BlockKind;

/// The function around `op`.
nest::FuncOp funcOf(mlir::Operation *op);
/// "block 'C'", "loop 2 of block 'C'" or "a loop": names for reasons.
std::string describe(mlir::Operation *op);
/// "argument 1", "the buffer of alloc 0": a name for a buffer.
std::string describe(mlir::Value buffer);

/// Writes single bounds to a loop: `lower` to `lower + extent`.
void setBounds(mlir::RewriterBase &rewriter, nest::ForOp loop,
               mlir::AffineExpr lower, mlir::AffineExpr upper,
               AffineSpace &space);
/// A serial loop `0 to extent` at the rewriter's insertion point.
nest::ForOp makeLoop(mlir::RewriterBase &rewriter, mlir::Location loc,
                     mlir::AffineExpr extent, AffineSpace &space);
/// Replaces variables of loops in all bounds, bindings and predicates below
/// `root`, simplified with the loops' ranges.
void replaceVariables(
    mlir::RewriterBase &rewriter, mlir::Operation *root,
    llvm::ArrayRef<std::pair<mlir::AffineExpr, mlir::AffineExpr>> replacements,
    AffineSpace &space);
/// A copy of `loop` after `after`; its blocks' names get the suffix.
nest::ForOp cloneAfter(mlir::RewriterBase &rewriter, nest::ForOp loop,
                       mlir::Operation *after, llvm::StringRef suffix);
/// Moves everything in the body of `from` before `before`.
void moveBody(mlir::RewriterBase &rewriter, nest::ForOp from,
              mlir::Operation *before);
/// Erases `loop` and its parents while they hold nothing.
void eraseEmptyLoops(mlir::RewriterBase &rewriter, mlir::Operation *loop);
/// Erases `block`, then the loops that held only it.
void eraseBlock(mlir::RewriterBase &rewriter, nest::BlockOp block);

/// Emits `expr` over `iterators` (dims) and the function's sizes (symbols).
mlir::Value emitIndex(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::AffineExpr expr, mlir::ValueRange iterators,
                      nest::FuncOp func);
/// Adds an iterator to both regions of `block`; the form has to be extended and
/// written by the caller.
unsigned appendIterator(mlir::RewriterBase &rewriter, nest::BlockOp block,
                        nest::IteratorKind kind);
/// The iterator of `block` that is bound to `binding`, made with `kind` and
/// `extent` where there is none (with `sameKind`: of that kind). Into a nest
/// the value enters as an iterator of each block around.
unsigned iteratorFor(mlir::RewriterBase &rewriter, nest::BlockOp block,
                     mlir::AffineExpr binding, mlir::AffineExpr extent,
                     nest::IteratorKind kind, bool sameKind,
                     AffineSpace &space);
/// A name no block of `func` has: `base`, `base_1`, ...
std::string uniqueBlockName(nest::FuncOp func, llvm::StringRef base);
/// Removes index arithmetic of `block` that nothing uses.
void eraseDeadIndices(mlir::RewriterBase &rewriter, nest::BlockOp block);
/// The buffer of `block` with this number among those it reads or writes.
Result<mlir::Value> nthBuffer(nest::BlockOp block, BufferRole role,
                              int64_t number);

/// Replaces iterator `i` by quotient and rest of a division by `divisor` if its
/// binding is seen to split that way, so that the body needs no division:
///   v = io * 16 + ii  ==>  (vq = io, vr = ii), v becomes vq * 16 + vr.
bool splitIterator(mlir::RewriterBase &rewriter, nest::BlockOp block,
                   unsigned i, int64_t divisor, AffineSpace &space);
/// Removes divisions of iterators from index arithmetic by splitIterator.
void simplifyIndices(mlir::RewriterBase &rewriter, nest::BlockOp block,
                     AffineSpace &space);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_REWRITE_H
