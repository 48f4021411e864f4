//===- Local.cpp - Buffers that live within an iteration ------------------===//
//
// See Blocks.h. Boxes first: what a block reads is among what one before it
// writes, in the same iteration of all loops that they share. Where boxes do
// not tell, each read is asked for exactly.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/Blocks.h"
#include "nestor/Analysis/Footprints.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

/// Whether the iterations of `block` inside `scope` hold the first step of its
/// reduction, which runs the init.
static bool startsIn(nest::BlockOp block, nest::ForOp scope,
                     AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  llvm::DenseMap<AffineExpr, AffineExpr> first;
  for (nest::ForOp loop : loopsAround(block, space)) {
    if (!feeds(loop, block, nest::IteratorKind::Reduce) &&
        !feeds(loop, block, nest::IteratorKind::Ordered))
      continue;
    AffineExpr lower = space.lowerOf(loop);
    if (!scope->isProperAncestor(loop) || !lower)
      return false;
    first[space.of(loop.getInductionVar())] = lower.replace(first);
  }
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (block.getIteratorKind(i) == nest::IteratorKind::Reduce &&
        !space.isEqual(form.bindings[i].replace(first), space.constant(0)))
      return false;
  return true;
}

namespace {
/// A store that happens whenever its block runs.
struct Write {
  nest::BlockOp block;
  Access access;
};
} // namespace

/// Whether the predicate lets `block` run in some iteration of the loops to
/// relax, wherever the others stand: a dense box says nothing of that where
/// iterators are concerned that index nothing.
static bool runsSomewhere(nest::BlockOp block, RelaxFn relax,
                          AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  return llvm::all_of(
      form.constraints, [&](const BlockForm::Constraint &constraint) {
        if (constraint.equal)
          return false;
        AffineExpr most = space.bounds(constraint.expr, relax).upper;
        return most && space.isNonNegative(most);
      });
}

/// Whether the box of `read` is in that of an earlier write.
static bool isInEarlierBox(const Access &read, nest::BlockOp block,
                           ArrayRef<Write> writes, nest::ForOp scope,
                           AffineSpace &space) {
  return llvm::any_of(writes, [&](const Write &write) {
    // Shared loops stand: what later iterations write comes too late.
    auto relax = [&](nest::ForOp loop) {
      return scope->isProperAncestor(loop) &&
             !(loop->isAncestor(block) && loop->isAncestor(write.block));
    };
    Box written = boxOf(write.access, write.block, space, relax);
    return written.dense && runsSomewhere(write.block, relax, space) &&
           contains(written, boxOf(read, block, space, relax), space);
  });
}

bool analysis::isLocalTo(nest::ForOp scope, Value buffer, AffineSpace &space) {
  if (!buffer.getDefiningOp<nest::AllocOp>())
    return false;
  for (Operation *user : buffer.getUsers())
    if (!scope->isProperAncestor(user))
      return false;
  // What was written so far in this iteration.
  SmallVector<Write> writes;
  for (nest::BlockOp block : leavesIn(scope)) {
    SmallVector<Write> now;
    // The elements of an init that runs in this iteration.
    SmallVector<SmallVector<AffineExpr>> accumulators;
    bool starts = block.getInitBlock() && startsIn(block, scope, space);
    for (const Access &access : accessesOf(block)) {
      if (access.buffer != buffer)
        continue;
      if (access.isWrite) {
        bool known = !llvm::is_contained(access.indices, AffineExpr());
        if (access.inInit && starts && known && !access.conditional)
          accumulators.push_back(access.indices);
        if (!access.inInit || starts)
          now.push_back({block, access});
        continue;
      }
      if (!access.inInit && llvm::is_contained(accumulators, access.indices))
        continue; // its own accumulator
      if (!isInEarlierBox(access, block, writes, scope, space) &&
          !isWrittenBefore(access, block, scope, space))
        return false;
    }
    llvm::append_range(writes, now);
  }
  return true;
}
