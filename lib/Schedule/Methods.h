//===- Methods.h - What the methods of Schedule share -----------*- C++ -*-===//
//
// Each method: handles to operations, the primitive, then the recorded
// operation with handles for its results. A refusal records nothing.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_METHODS_H
#define NESTOR_LIB_SCHEDULE_METHODS_H

#include "Apply.h"

#include "nestor/Schedule/Schedule.h"

#include "mlir/Dialect/Transform/IR/TransformOps.h"

namespace nestor::sched {

inline llvm::SmallVector<unsigned> idsOf(llvm::ArrayRef<LoopRef> refs) {
  return llvm::map_to_vector(refs, [](LoopRef ref) { return ref.id; });
}

inline mlir::Value rootOf(mlir::ModuleOp sequence) {
  auto named = *sequence.getOps<mlir::transform::NamedSequenceOp>().begin();
  return named.getBody().getArgument(0);
}

inline mlir::Type blockHandle(mlir::MLIRContext *context) {
  return mlir::transform::OperationType::get(context,
                                             nest::BlockOp::getOperationName());
}
inline mlir::Type loopHandle(mlir::MLIRContext *context) {
  return mlir::transform::OperationType::get(context,
                                             nest::ForOp::getOperationName());
}
inline llvm::SmallVector<mlir::Type> loopHandles(mlir::MLIRContext *context,
                                                 size_t count) {
  return llvm::SmallVector<mlir::Type>(count, loopHandle(context));
}

/// Leaves with a refusal unless all handles hold something.
#define NESTOR_CHECK_HANDLES(...)                                              \
  if (Outcome outcome = check(__VA_ARGS__); !outcome.isDone())                 \
  return outcome
/// Leaves with the primitive's refusal.
#define NESTOR_APPLY(CALL)                                                     \
  if (Outcome outcome = (CALL); !outcome.isDone())                             \
  return outcome

/// Numbers and knobs as operands and attribute of an operation.
inline void mixParams(llvm::ArrayRef<Param> params,
                      llvm::ArrayRef<mlir::Value> knobs,
                      llvm::SmallVectorImpl<mlir::Value> &dynamic,
                      llvm::SmallVectorImpl<int64_t> &mixed,
                      llvm::SmallVectorImpl<int64_t> &values) {
  for (const Param &param : params) {
    values.push_back(param.value);
    if (param.knob < 0) {
      mixed.push_back(param.value);
      continue;
    }
    mixed.push_back(mlir::ShapedType::kDynamic);
    dynamic.push_back(knobs[param.knob]);
  }
}

template <typename OpT, typename... Args>
Result<OpT> Schedule::perform(Args &&...args) {
  mlir::OpBuilder builder = atEnd();
  auto op = OpT::create(builder, builder.getUnknownLoc(),
                        std::forward<Args>(args)...);
  Outcome outcome = run(op);
  if (outcome.isDone())
    return op;
  op->erase();
  return outcome;
}

template <typename OpT, typename... Args>
Result<BlockRef> Schedule::performBlock(Args &&...args) {
  Result<OpT> op = perform<OpT>(blockHandle(nest::FuncOp(func).getContext()),
                                std::forward<Args>(args)...);
  if (!op)
    return op.getOutcome();
  return BlockRef{idOf((*op)->getResult(0))};
}

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_METHODS_H
