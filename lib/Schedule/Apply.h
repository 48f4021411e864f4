//===- Apply.h - Primitives as Transform-dialect operations -----*- C++ -*-===//
//
// The generated operation classes and what their `apply` methods share: reading
// handles and parameters, turning refusals into silenceable failures.
//
// Handles are never consumed: primitives read them and change the payload. A
// handle to something that vanished is empty, and using it is a refusal.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_APPLY_H
#define NESTOR_LIB_SCHEDULE_APPLY_H

#include "Invocation.h"

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Schedule/Primitives.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/Dialect/Transform/IR/TransformTypes.h"
#include "mlir/Dialect/Transform/Interfaces/TransformInterfaces.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace nestor::sched {

/// The effects of every primitive: reads its operands, makes its results,
/// changes the payload.
void primitiveEffects(
    mlir::Operation *op,
    llvm::SmallVectorImpl<mlir::MemoryEffects::EffectInstance> &effects);
void nameLoops(mlir::Operation *op, mlir::OpAsmSetValueNameFn setName);

/// `3` for three loops.
mlir::ParseResult parseLoopCount(mlir::OpAsmParser &parser,
                                 llvm::SmallVectorImpl<mlir::Type> &types);
void printLoopCount(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                    mlir::TypeRange types);

/// The same for blocks.
mlir::ParseResult parseBlockCount(mlir::OpAsmParser &parser,
                                  llvm::SmallVectorImpl<mlir::Type> &types);
void printBlockCount(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                     mlir::TypeRange types);

/// The same for parameters.
mlir::ParseResult parseParamCount(mlir::OpAsmParser &parser,
                                  llvm::SmallVectorImpl<mlir::Type> &types);
void printParamCount(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                     mlir::TypeRange types);

/// Runs a primitive's operation on what the interpreter's state holds.
mlir::DiagnosedSilenceableFailure
applyPrimitive(mlir::Operation *op, mlir::RewriterBase &rewriter,
               mlir::transform::TransformResults &results,
               mlir::transform::TransformState &state);
/// "read" or "write".
Result<BufferRole> roleOf(llvm::StringRef text);

mlir::DiagnosedSilenceableFailure toFailure(mlir::Operation *op,
                                            const Outcome &outcome);
mlir::DiagnosedSilenceableFailure
readHandle(mlir::Operation *op, mlir::transform::TransformState &state,
           mlir::Value handle, mlir::Operation *&into);
template <typename T>
mlir::DiagnosedSilenceableFailure
readHandle(mlir::Operation *op, mlir::transform::TransformState &state,
           mlir::Value handle, T &into) {
  mlir::Operation *found = nullptr;
  auto result = readHandle(op, state, handle, found);
  if (!result.succeeded())
    return result;
  into = llvm::dyn_cast<T>(found);
  if (!into)
    return toFailure(op, Outcome::refused("the handle holds '" +
                                          found->getName().getStringRef() +
                                          "', not '" + T::getOperationName() +
                                          "'"));
  return result;
}
/// All loops of several handles, in order.
mlir::DiagnosedSilenceableFailure
readLoops(mlir::Operation *op, mlir::transform::TransformState &state,
          mlir::ValueRange handles, Loops &into);
/// A list that mixes numbers and parameters.
mlir::DiagnosedSilenceableFailure
readParams(mlir::Operation *op, mlir::transform::TransformState &state,
           mlir::ValueRange dynamic, llvm::ArrayRef<int64_t> mixed,
           llvm::SmallVectorImpl<int64_t> &into);
/// Binds the loops of `loops` to `results`, one each.
mlir::DiagnosedSilenceableFailure
setLoops(mlir::Operation *op, mlir::transform::TransformResults &table,
         mlir::ResultRange results, Result<Loops> &loops);
mlir::DiagnosedSilenceableFailure
setBlocks(mlir::Operation *op, mlir::transform::TransformResults &table,
          mlir::ResultRange results, Result<Blocks> &blocks);
/// Binds the one result.
template <typename T>
mlir::DiagnosedSilenceableFailure
setResult(mlir::Operation *op, mlir::transform::TransformResults &table,
          Result<T> &result) {
  if (!result)
    return toFailure(op, result.getOutcome());
  table.set(op->getOpResult(0), {(*result).getOperation()});
  return mlir::DiagnosedSilenceableFailure::success();
}

} // namespace nestor::sched

#include "ScheduleOpsEnums.h.inc"

#include "PrimitiveInterface.h.inc"

#define GET_OP_CLASSES
#include "ScheduleOps.h.inc"

#endif // NESTOR_LIB_SCHEDULE_APPLY_H
