//===- Methods.h - What the methods of Schedule share -----------*- C++ -*-===//
//
// Each method appends its operation to the sequence, runs it, and takes it away
// again when it is refused.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_METHODS_H
#define NESTOR_LIB_SCHEDULE_METHODS_H

#include "Apply.h"

#include "nestor/Schedule/Schedule.h"

#include "mlir/Dialect/Transform/IR/TransformOps.h"

namespace nestor::sched {

/// Handles and parameters of a Schedule.
class Schedule::TableInvocation : public Invocation {
public:
  TableInvocation(Schedule &schedule, mlir::Operation *op)
      : Invocation(*schedule.rewriter, op), schedule(schedule) {}
  bool records() const override { return true; }

protected:
  Outcome payloadOf(mlir::Value handle, mlir::Operation *&into) override;
  Outcome paramOf(mlir::Value param, int64_t &into) override;
  void bind(mlir::OpResult result, mlir::Operation *payload) override {
    schedule.add(payload, result);
  }
  void bindParam(mlir::OpResult result, int64_t value) override {
    schedule.addParam(value, result);
  }

private:
  Schedule &schedule;
};

inline mlir::transform::NamedSequenceOp mainOf(mlir::ModuleOp sequence) {
  return *sequence.getOps<mlir::transform::NamedSequenceOp>().begin();
}

inline mlir::Type blockHandle(mlir::MLIRContext *context) {
  return mlir::transform::OperationType::get(context,
                                             nest::BlockOp::getOperationName());
}
inline mlir::Type loopHandle(mlir::MLIRContext *context) {
  return mlir::transform::OperationType::get(context,
                                             nest::ForOp::getOperationName());
}
inline mlir::Type paramType(mlir::MLIRContext *context) {
  return mlir::transform::ParamType::get(context,
                                         mlir::IntegerType::get(context, 64));
}
inline llvm::StringRef nameOf(BufferRole role) {
  return role == BufferRole::Read ? "read" : "write";
}

template <typename OpT, typename... Args>
Result<OpT> Schedule::perform(Args &&...args) {
  if (std::exchange(foreign, false))
    return Outcome::refused(
        "a handle of another schedule, or one that was dropped as unused");
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
Outcome Schedule::performAlone(Args &&...args) {
  return perform<OpT>(std::forward<Args>(args)...).getOutcome();
}

template <typename OpT, typename... Args>
Result<BlockRef> Schedule::performBlock(Args &&...args) {
  Result<OpT> op =
      perform<OpT>(blockHandle(func.getContext()), std::forward<Args>(args)...);
  if (!op)
    return op.getOutcome();
  return BlockRef{idOf((*op)->getResult(0))};
}

template <typename OpT, typename... Args>
Result<LoopRef> Schedule::performLoop(Args &&...args) {
  Result<OpT> op =
      perform<OpT>(loopHandle(func.getContext()), std::forward<Args>(args)...);
  if (!op)
    return op.getOutcome();
  return LoopRef{idOf((*op)->getResult(0))};
}

template <typename OpT, typename... Args>
Result<LoopRefs> Schedule::performLoops(size_t count, Args &&...args) {
  llvm::SmallVector<mlir::Type> types(count, loopHandle(func.getContext()));
  Result<OpT> op =
      perform<OpT>(mlir::TypeRange(types), std::forward<Args>(args)...);
  if (!op)
    return op.getOutcome();
  LoopRefs refs;
  for (mlir::Value result : (*op)->getResults())
    refs.push_back({idOf(result)});
  return refs;
}

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_METHODS_H
