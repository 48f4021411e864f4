//===- PaddingChoice.h - A value inside, a constant outside -----*- C++ -*-===//
//
// How blocks say that a buffer has a border: they choose between a value and a
// constant, by scf.if or arith.select, under an affine condition.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_PADDINGCHOICE_H
#define NESTOR_LIB_SCHEDULE_PADDINGCHOICE_H

#include "nestor/Analysis/Blocks.h"

#include "mlir/IR/PatternMatch.h"

namespace nestor::sched {

struct PaddingChoice {
  mlir::Operation *op;
  mlir::Value condition;
  /// What is chosen outside; null when that is no constant.
  mlir::Attribute outside;

  static std::optional<PaddingChoice> of(mlir::Value value);
};

/// Adds what `condition` says of the block's iterators (dims) and the sizes;
/// false where it is not affine.
bool readCondition(
    mlir::Value condition, nest::BlockOp block,
    llvm::SmallVectorImpl<analysis::BlockForm::Constraint> &into);

/// The value inside, computed where the choice stands.
mlir::Value takeInside(mlir::RewriterBase &rewriter,
                       const PaddingChoice &choice);

/// Erases `op` and what only it used, in `block`.
void eraseUnused(mlir::RewriterBase &rewriter, mlir::Operation *op,
                 nest::BlockOp block);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_PADDINGCHOICE_H
