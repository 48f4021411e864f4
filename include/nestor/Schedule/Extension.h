//===- Extension.h - Schedules in the Transform dialect ---------*- C++ -*-===//
//
// Registers transform.nest.* and transform.tune.*.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SCHEDULE_EXTENSION_H
#define NESTOR_SCHEDULE_EXTENSION_H

#include "mlir/IR/DialectRegistry.h"

namespace nestor {

/// Adds the primitives to the Transform dialect of `registry`.
void registerScheduleExtension(mlir::DialectRegistry &registry);

} // namespace nestor

#endif // NESTOR_SCHEDULE_EXTENSION_H
