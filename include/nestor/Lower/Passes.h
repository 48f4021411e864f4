//===- Passes.h - Lowering as passes ----------------------------*- C++ -*-===//
//
// For nestor-opt; the pipeline calls the functions of Lower.h.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LOWER_PASSES_H
#define NESTOR_LOWER_PASSES_H

namespace nestor {

/// --lower-to-loops and --lower-to-llvm.
void registerLowerPasses();

} // namespace nestor

#endif // NESTOR_LOWER_PASSES_H
