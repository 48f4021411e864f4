//===- Relayout.h - New forms of arguments ----------------------*- C++ -*-===//
//
// A kernel may want an argument in another form: the argument's type changes,
// and `relayouts = [{arg = 1, kernel = @pack_f_1}]` names the kernel that makes
// the new form of the old one. Forms on top of forms are made by one kernel.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_RELAYOUT_H
#define NESTOR_LIB_SCHEDULE_RELAYOUT_H

#include "nestor/Analysis/AffineSpace.h"
#include "nestor/Schedule/Outcome.h"

#include "mlir/IR/PatternMatch.h"

namespace nestor::sched {

/// Refuses arguments that the kernel writes, and kernels in no module.
Outcome checkRelayout(nest::BlockOp block, mlir::Value buffer);

/// An empty kernel from `from` to `to`, both with dims over the sizes of
/// `func`, beside `func`.
nest::FuncOp makeRelayoutKernel(mlir::RewriterBase &rewriter, nest::FuncOp func,
                                unsigned arg, mlir::MemRefType from,
                                llvm::ArrayRef<mlir::AffineExpr> fromShape,
                                mlir::MemRefType to,
                                llvm::ArrayRef<mlir::AffineExpr> toShape);

/// Gives argument `arg` of `func` the form that `kernel` makes. Uses of the
/// argument are the caller's business.
void setRelayout(mlir::RewriterBase &rewriter, nest::FuncOp func, unsigned arg,
                 nest::FuncOp kernel, llvm::ArrayRef<mlir::AffineExpr> shape);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_RELAYOUT_H
