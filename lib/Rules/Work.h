//===- Work.h - How long nests take -----------------------------*- C++ -*-===//
//
// What the choice of threads asks of a scheduled nest (estimateWork is in
// Rule.h).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_RULES_WORK_H
#define NESTOR_LIB_RULES_WORK_H

#include "Rule.h"

namespace nestor::rules {

/// What a length that shows at run time only counts as.
inline constexpr int64_t kUnknownSize = 64;
/// The length to expect of a loop: the exact one, the constant among its upper
/// bounds, or kUnknownSize.
int64_t expectedTripCount(nest::ForOp loop);
/// Time that the arguments which `op` touches need to come from memory, in ns
/// on one core.
double estimateTraffic(mlir::Operation *op, const Target &target);

} // namespace nestor::rules

#endif // NESTOR_LIB_RULES_WORK_H
