//===- Rates.cpp - How fast machines are, by kind -------------------------===//
//
// The rates that are shipped, for named targets and for hosts that were never
// measured. A row is chosen by features, never by a name. Where machines of
// one kind differ, the row holds the slower figure: a model that takes memory
// or a unit for slower than it is still makes good code, one that takes it for
// faster does not.
//
//   avx2    measured: an EPYC with two 256-bit FMA units
//   avx512  the slower of each figure of a CPU with two 512-bit FMA units and
//           of one that runs 512 bits in two halves; features do not tell them
//           apart
//   amx     measured: a Xeon with a large and slow last level
//   neon    two 128-bit FMA units; not measured
//
//===----------------------------------------------------------------------===//
#include "Tables.h"

using namespace nestor;

namespace {
struct KindRates {
  llvm::StringLiteral kind;
  Rates rates;
};
} // namespace

// fmaLanes, bf16Dot, int8Dot, bf16Tile, int8Tile, L1, L2, L3, memory,
// fmaLatency, forkCycles, clockGHz
static const KindRates kinds[] = {
    {"sse", {4, 1, 1, 0, 0, 32, 16, 8, 4, 8, 7000, 2.5}},
    {"avx2", {16, 1, 1, 0, 0, 59, 30, 12, 6.5, 4, 3000, 3.2}},
    {"avx512", {16, 1, 4, 0, 0, 54, 29, 8.5, 4.6, 4, 7000, 3.4}},
    {"amx", {32, 0.5, 4, 14, 28, 128, 47, 8.5, 4.6, 4, 7000, 3.2}},
    {"neon", {8, 1, 1, 0, 0, 32, 16, 8, 4, 4, 7000, 2.5}},
};

Rates nestor::shippedRates(const Target &target) {
  Rates rates;
  for (const KindRates &row : kinds)
    if (row.kind == target.kind())
      rates = row.rates;
  // The kind says what units there may be, the features which there are.
  if (!target.has("avx512bf16") && !target.has("bf16"))
    rates.bf16Dot = 1;
  else if (target.has("bf16"))
    rates.bf16Dot = 2;
  bool dot8 = target.has("avx512vnni") || target.has("avxvnni") ||
              target.has("dotprod");
  rates.int8Dot = target.has("i8mm") ? 8 : dot8 ? 4 : 1;
  if (!target.has("amx-bf16"))
    rates.bf16Tile = 0;
  if (!target.has("amx-int8"))
    rates.int8Tile = 0;
  return rates;
}
