//===- Passes.h - The interpreter in nestor-opt -----------------*- C++ -*-===//
#ifndef NESTOR_INTERP_PASSES_H
#define NESTOR_INTERP_PASSES_H

namespace nestor {

/// Registers `test-interpret`: runs one function of a module on seeded inputs
/// and prints its results.
void registerInterpPasses();

} // namespace nestor

#endif // NESTOR_INTERP_PASSES_H
