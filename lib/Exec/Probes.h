//===- Probes.h - Loops whose speed tells a rate ----------------*- C++ -*-===//
//
// Private to the room. Every probe is one loop of known work that is written
// in assembly, so that no compiler has a say. None allocates, and none knows
// the time.
//
// Assumes: the CPU has the feature that a row names ("" for none), and tile
// registers were granted before a row with `tiles` runs.
// Leaves true: vector and tile state as a caller without those features
// expects it.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_EXEC_PROBES_H
#define NESTOR_LIB_EXEC_PROBES_H

#include <cstdint>

namespace nestor::probes {

/// Runs the loop `steps` times.
using Loop = void (*)(int64_t steps);

/// A loop of multiply-adds.
struct Arithmetic {
  const char *feature;
  Loop loop;
  /// Multiply-adds of one step.
  double perStep;
  bool tiles = false;
};

/// A chain of `kChain` operations of one cycle each: what the clock does.
inline constexpr int kChain = 32;
void clockChain(int64_t steps);

/// One chain of `kLatencyChain` dependent FMAs; null without FMA.
inline constexpr int kLatencyChain = 12;
Loop latencyChain(bool fma);

/// The ways to multiply and add, best first; the first whose feature is there
/// counts. Each list ends with a null loop.
extern const Arithmetic fmaProbes[], bf16DotProbes[], int8DotProbes[],
    bf16TileProbes[], int8TileProbes[];

/// Reads [data, data + bytes) once by the widest loads of `vectorBits`; both
/// are multiples of 512.
void readMemory(const char *data, int64_t bytes, unsigned vectorBits);

/// Writes [data, data + bytes) back and takes it out of all caches.
void flushMemory(const char *data, int64_t bytes);

} // namespace nestor::probes

#endif // NESTOR_LIB_EXEC_PROBES_H
