//===- Apply.h - Primitives as Transform-dialect operations -----*- C++ -*-===//
//
// The generated operation classes and what they share. Their `apply` calls the
// primitive through an Invocation and turns refusals into silenceable failures.
//
// Handles are never consumed: primitives read them and change the payload. A
// handle to something that vanished is empty, and using it is a refusal.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_APPLY_H
#define NESTOR_LIB_SCHEDULE_APPLY_H

#include "Invocation.h"

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Schedule/Info.h"
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

/// A question about the nest: of no effect on it.
template <typename ConcreteType>
class Query : public mlir::OpTrait::TraitBase<ConcreteType, Query> {};

/// `run` of every sample: the recorded decision, repaired, or the default.
Outcome runSample(mlir::Operation *op, Invocation &at);

} // namespace nestor::sched

#include "ScheduleOpsEnums.h.inc"

#include "PrimitiveInterface.h.inc"

#define GET_OP_CLASSES
#include "ScheduleOps.h.inc"

#endif // NESTOR_LIB_SCHEDULE_APPLY_H
