//===- Passes.h - Default schedules as a pass -------------------*- C++ -*-===//
//
// For nestor-opt; the pipeline calls scheduleKernel of Rules.h.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_RULES_PASSES_H
#define NESTOR_RULES_PASSES_H

namespace nestor {

/// --schedule-default="target=NAME print=nest|sequence refusals".
void registerRulesPasses();

} // namespace nestor

#endif // NESTOR_RULES_PASSES_H
