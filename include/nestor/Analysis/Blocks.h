//===- Blocks.h - What blocks compute and touch -----------------*- C++ -*-===//
//
// True statements about the blocks of a nest.func: the affine form of their
// bindings, what they read and write, the boxes that this covers while some
// loops run, their kind, their reducer. Nothing is stored; all of it is derived
// from the IR at the time of the question.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_BLOCKS_H
#define NESTOR_ANALYSIS_BLOCKS_H

#include "nestor/Analysis/AffineSpace.h"

namespace nestor::analysis {

//===----------------------------------------------------------------------===//
// Loops around operations
//===----------------------------------------------------------------------===//

/// The loops around `op`, up to the block whose nest holds it, outermost first.
llvm::SmallVector<nest::ForOp> loopsAround(mlir::Operation *op);
/// The loops around `op` in a space: blocks between do not end them.
llvm::SmallVector<nest::ForOp> loopsAround(mlir::Operation *op,
                                           const AffineSpace &space);
/// The block whose nest holds `op`, or null.
nest::BlockOp blockAround(mlir::Operation *op);
/// The blocks below `root` that are in no other block below `root`, in program
/// order: what can be scheduled there. A `root` that holds statements is its
/// own.
llvm::SmallVector<nest::BlockOp> blocksIn(mlir::Operation *root);
/// The blocks below `root` that hold statements, in program order: what
/// computes. The same as blocksIn where no block holds a nest.
llvm::SmallVector<nest::BlockOp> leavesIn(mlir::Operation *root);
/// Every block below `root`.
llvm::SmallVector<nest::BlockOp> allBlocksIn(mlir::Operation *root);
/// Whether `op` is in the init of `block`.
bool isInInit(mlir::Operation *op, nest::BlockOp block);
/// The only operation in the body of `loop` besides the terminator, or null.
mlir::Operation *onlyChild(nest::ForOp loop);
/// The child of `ancestor` (a loop, or the function) that holds `op`.
mlir::Operation *childHolding(mlir::Operation *ancestor, mlir::Operation *op);
/// The deepest loop or function that holds all of `ops`.
mlir::Operation *commonAncestor(llvm::ArrayRef<mlir::Operation *> ops);
/// Whether `a` comes before `b` in program order and does not hold it.
bool isBefore(mlir::Operation *a, mlir::Operation *b);

//===----------------------------------------------------------------------===//
// The affine form of a block
//===----------------------------------------------------------------------===//

/// Bindings, extents and predicate of a block, in a space. What guards blocks
/// around it, inside the root of the space, is part of the predicate, and so is
/// that an init runs at the first step only.
struct BlockForm {
  llvm::SmallVector<mlir::AffineExpr> bindings, extents;
  /// `expr >= 0`, or `expr == 0` where `equal`.
  struct Constraint {
    mlir::AffineExpr expr;
    bool equal;
  };
  llvm::SmallVector<Constraint> constraints;

  static BlockForm of(nest::BlockOp block, AffineSpace &space);
  /// Writes the form back: operands, maps and predicate. The number of
  /// iterators must fit `kinds` of the block, which is in no block inside the
  /// root of the space.
  void write(nest::BlockOp block, AffineSpace &space);
};

/// Whether `constraint` follows from the iterators' domains alone.
bool followsFromDomain(const BlockForm &form,
                       const BlockForm::Constraint &constraint,
                       AffineSpace &space);
/// Whether `expr >= 0` follows from `known >= 0` (and the loops' ranges).
bool follows(mlir::AffineExpr expr, mlir::AffineExpr known, AffineSpace &space);
/// Adds `expr >= 0` unless it is implied; drops what it implies.
void addConstraint(BlockForm &form, mlir::AffineExpr expr, AffineSpace &space);

/// Whether the loop feeds a binding of an iterator of `kind`.
bool feeds(nest::ForOp loop, nest::BlockOp block, nest::IteratorKind kind);
/// Whether the loop feeds any binding.
bool feeds(nest::ForOp loop, nest::BlockOp block);

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

/// One memref.load or memref.store of a block.
struct Access {
  mlir::Operation *op;
  mlir::Value buffer;
  bool isWrite, inInit;
  /// Under an scf.if or a loop of the body: it may not happen.
  bool conditional;
  /// Over the iterators (dims) and the function's sizes (symbols); null where
  /// the index is not affine.
  llvm::SmallVector<mlir::AffineExpr> indices;

  mlir::OperandRange getIndexValues() const;
};

/// The accesses of a block in order, init first. For a block that holds a nest:
/// those of the blocks inside, by its own iterators; an index that varies while
/// loops inside run is null.
llvm::SmallVector<Access> accessesOf(nest::BlockOp block);
/// Whether the block does something with memory besides loads and stores, or
/// has other effects that forbid to move or repeat it.
bool hasUnknownEffects(nest::BlockOp block);
/// An index of the body as an expression of iterators and sizes, or null.
mlir::AffineExpr indexExpr(mlir::Value index, nest::BlockOp block);
/// Whether every use of the iterators in `exprs` is a plain, distinct iterator
/// (or the constant 0): dim => iterator, -1 for a constant.
std::optional<llvm::SmallVector<int>>
plainIndices(llvm::ArrayRef<mlir::AffineExpr> indices);

bool readsBuffer(nest::BlockOp block, mlir::Value buffer);
bool writesBuffer(nest::BlockOp block, mlir::Value buffer);
/// In order of first access; init counts.
llvm::SmallVector<mlir::Value> readBuffers(nest::BlockOp block);
llvm::SmallVector<mlir::Value> writtenBuffers(nest::BlockOp block);
/// Blocks of `root` that write (read) `buffer`, in program order.
llvm::SmallVector<nest::BlockOp> writersOf(mlir::Value buffer,
                                           mlir::Operation *root);
llvm::SmallVector<nest::BlockOp> readersOf(mlir::Value buffer,
                                           mlir::Operation *root);

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

/// A box of a buffer: for each dim `[lower, lower + extent)`. `dense` is true
/// when every element of the box is touched.
struct Box {
  llvm::SmallVector<mlir::AffineExpr> lower, extent;
  bool dense = true;
};

/// What `access` touches while the loops that `relax` picks run. Extents name
/// no loop; where that is impossible the whole dim is taken.
Box boxOf(const Access &access, nest::BlockOp block, AffineSpace &space,
          RelaxFn relax);
/// The smallest provable box around both.
Box unite(const Box &a, const Box &b, mlir::Value buffer, AffineSpace &space);
/// Whether `outer` provably holds `inner`.
bool contains(const Box &outer, const Box &inner, AffineSpace &space);
/// The region of all reads (writes) of `buffer` below `root` while the loops
/// inside `root` run; nullopt when there is none.
std::optional<Box> readBox(mlir::Operation *root, mlir::Value buffer,
                           AffineSpace &space);
std::optional<Box> writeBox(mlir::Operation *root, mlir::Value buffer,
                            AffineSpace &space);

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

/// Complete: spatial iterators only, and nothing that it writes is read by it.
/// Reduction: spatial and reduce iterators, the latter index no write.
enum class BlockKind { Complete, Reduction, Other };
BlockKind kindOf(nest::BlockOp block);

/// `x = combine(x, value)`, the body of a reduction.
struct Reducer {
  mlir::Operation *combine;
  mlir::Value addend;
  mlir::memref::LoadOp load;
  mlir::memref::StoreOp store;
  mlir::TypedAttr identity;
};
/// The reducer of a block with a single store, if it is a known one.
std::optional<Reducer> reducerOf(nest::BlockOp block);

/// Whether every element of `buffer` (a nest.alloc) that is read in one
/// iteration of `scope` (a loop) was written before in that iteration.
bool isLocalTo(nest::ForOp scope, mlir::Value buffer, AffineSpace &space);

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_BLOCKS_H
