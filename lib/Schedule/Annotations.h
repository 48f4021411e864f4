//===- Annotations.h - What loops and blocks may carry ----------*- C++ -*-===//
//
// The table of Annotations.def, and the one way to write an annotation.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_ANNOTATIONS_H
#define NESTOR_LIB_SCHEDULE_ANNOTATIONS_H

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Schedule/Outcome.h"

namespace nestor::sched {

/// Refuses keys and values that the table does not allow to be set by hand.
Outcome checkAnnotation(mlir::Operation *op, llvm::StringRef key,
                        mlir::Attribute value);
/// Sets an annotation of a loop or a block, unchecked.
void setAnnotation(mlir::RewriterBase &rewriter, mlir::Operation *op,
                   llvm::StringRef key, mlir::Attribute value);

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_ANNOTATIONS_H
