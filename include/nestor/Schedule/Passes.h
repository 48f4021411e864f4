//===- Passes.h - Schedules as a pass ---------------------------*- C++ -*-===//
//
// apply-schedule runs a file that holds a schedule on the kernels of a module.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SCHEDULE_PASSES_H
#define NESTOR_SCHEDULE_PASSES_H

namespace nestor {

void registerSchedulePasses();

} // namespace nestor

#endif // NESTOR_SCHEDULE_PASSES_H
