//===- Calibrate.cpp - Measuring the machine ------------------------------===//
//
// See the header. A figure is the median over rounds of a probe's time in
// cycles; time is that of this thread, so that other programs which take the
// core in between do not count. Only a parallel region is measured by the
// clock on the wall, and there the fastest ones count.
//
//===----------------------------------------------------------------------===//
#include "nestor/Exec/Calibrate.h"

#include "Probes.h"
#include "nestor/Runtime/CpuFeatures.h"
#include "nestor/Runtime/CpuQuota.h"
#include "nestor/Runtime/ThreadPool.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/mman.h>

using namespace nestor;

namespace {

double seconds(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Seconds that `work` takes this thread.
double timeOf(llvm::function_ref<void()> work) {
  double start = seconds(CLOCK_THREAD_CPUTIME_ID);
  work();
  return seconds(CLOCK_THREAD_CPUTIME_ID) - start;
}

/// The value with `part` of all values below it.
double quantile(std::vector<double> values, double part) {
  llvm::sort(values);
  return values[static_cast<size_t>(static_cast<double>(values.size() - 1) *
                                    part)];
}

constexpr int kRounds = 9;
/// What one run of a probe should take, and so a whole figure 18 times that.
constexpr double kProbeSeconds = 1e-3;

/// Seconds of one cycle, now.
double cycleSeconds() {
  constexpr int64_t steps = 20000;
  return timeOf([] { probes::clockChain(steps); }) / (steps * probes::kChain);
}

/// Cycles that `work` takes, which takes about a millisecond. `prepare` comes
/// before each round and does not count.
double cyclesOf(llvm::function_ref<void()> work,
                llvm::function_ref<void()> prepare = nullptr) {
  std::vector<double> rounds;
  for (int i = 0; i < kRounds; ++i) {
    if (prepare)
      prepare();
    double before = cycleSeconds();
    double time = timeOf(work);
    rounds.push_back(time / ((before + cycleSeconds()) / 2));
  }
  return quantile(rounds, 0.5);
}

/// Steps per cycle of a loop.
double stepsPerCycle(probes::Loop loop) {
  int64_t steps = 64;
  while (steps < (int64_t(1) << 40) &&
         timeOf([&] { loop(steps); }) < kProbeSeconds / 2)
    steps *= 2;
  return static_cast<double>(steps) / cyclesOf([&] { loop(steps); });
}

/// Multiply-adds per cycle of the best probe that this machine has; 0 for none.
double measure(const Target &host, const probes::Arithmetic *probe) {
  for (; probe->loop; ++probe)
    if (host.has(probe->feature) && (!probe->tiles || rt::requestAmx().ok()))
      return probe->perStep * stepsPerCycle(probe->loop);
  return 0;
}

/// Memory with large pages, so that the figures are of caches and not of
/// address translation.
struct Memory {
  explicit Memory(size_t bytes)
      : data(static_cast<char *>(std::aligned_alloc(2 << 20, bytes))) {
    if (!data)
      return;
    madvise(data, bytes, MADV_HUGEPAGE);
    memset(data, 1, bytes);
  }
  ~Memory() { std::free(data); }
  Memory(const Memory &) = delete;
  char *data;
};

/// Bytes per cycle of reading `bytes` at `data` again and again.
double readRate(const Target &host, const char *data, uint64_t bytes) {
  auto size = static_cast<int64_t>(bytes / 512 * 512);
  auto times = std::max<int64_t>(1, (16 << 20) / size);
  double cycles = cyclesOf(
      [&] {
        for (int64_t i = 0; i < times; ++i)
          probes::readMemory(data, size, host.vectorBits);
      },
      [&] { probes::readMemory(data, size, host.vectorBits); });
  return static_cast<double>(size * times) / cycles;
}

void measureMemory(const Target &host, Rates &rates) {
  constexpr uint64_t all = 64 << 20, streamed = 32 << 20;
  Memory memory(all);
  if (!memory.data)
    return;
  rates.l1Bytes = readRate(host, memory.data, host.l1Bytes / 2);
  rates.l2Bytes = readRate(host, memory.data, host.l2Bytes / 2);
  // Well beyond the second level, well within a share of the last.
  uint64_t inLast = std::max(2 * host.l2Bytes,
                             std::min<uint64_t>(host.l3Bytes / 4, 16 << 20));
  if (host.l3Bytes > host.l2Bytes)
    rates.l3Bytes = readRate(host, memory.data, std::min(inLast, all));
  // A last level may be larger than any buffer: what was flushed is in none.
  double cycles = cyclesOf(
      [&] { probes::readMemory(memory.data, streamed, host.vectorBits); },
      [&] { probes::flushMemory(memory.data, streamed); });
  rates.memoryBytes = static_cast<double>(streamed) / cycles;
}

/// Iterations of this take a fixed time.
int32_t chainBody(void *env, int64_t begin, int64_t end, int32_t) {
  for (int64_t i = begin; i < end; ++i)
    probes::clockChain(*static_cast<int64_t *>(env));
  return 0;
}

/// What a region of one piece a worker takes longer than one piece.
void measureFork(const Target &host, Rates &rates) {
  // What two threads cost each other holds for each pair of many.
  if (host.cores < 2 || rt::defaultThreads() < 2)
    return;
  rt::ThreadPool pool(2);
  int64_t steps = 500; // 16,000 cycles
  auto time = [&](int64_t pieces) {
    double start = seconds(CLOCK_MONOTONIC);
    if (pieces == 1)
      chainBody(&steps, 0, 1, 0);
    else
      pool.parallelFor(pieces, 1, 2, chainBody, &steps);
    return seconds(CLOCK_MONOTONIC) - start;
  };
  std::vector<double> one, two;
  for (int i = 0; i < 2000; ++i) {
    two.push_back(time(2));
    one.push_back(time(1));
  }
  double piece = quantile(one, 0.25), fork = quantile(two, 0.05) - piece;
  double cycle = piece / (double(steps) * probes::kChain);
  // A machine whose second core was never free tells nothing.
  if (fork < 0.7 * piece)
    rates.forkCycles = std::clamp(fork / cycle, 500.0, 100000.0);
}

/// Three digits: what a second run repeats, and the nearest number to them.
double rounded(double value) {
  char text[32];
  snprintf(text, sizeof text, "%.3g", value);
  return std::strtod(text, nullptr);
}

} // namespace

Rates nestor::measureRates(const Target &host) {
  Rates rates = host.rates;
  // The clock needs a moment to rise.
  for (int i = 0; i < 20; ++i)
    cycleSeconds();
  std::vector<double> cycles;
  for (int i = 0; i < 3 * kRounds; ++i)
    cycles.push_back(cycleSeconds());
  rates.clockGHz = 1e-9 / quantile(cycles, 0.5);

  if (double lanes = measure(host, probes::fmaProbes); lanes > 0) {
    rates.fmaLanes = lanes;
    if (double rate = measure(host, probes::bf16DotProbes); rate > 0)
      rates.bf16Dot = rate / lanes;
    if (double rate = measure(host, probes::int8DotProbes); rate > 0)
      rates.int8Dot = rate / lanes;
    if (double rate = measure(host, probes::bf16TileProbes); rate > 0)
      rates.bf16Tile = rate / lanes;
    if (double rate = measure(host, probes::int8TileProbes); rate > 0)
      rates.int8Tile = rate / lanes;
  }
  if (probes::Loop chain =
          probes::latencyChain(host.has("fma") || !host.isX86()))
    rates.fmaLatency = 1 / (probes::kLatencyChain * stepsPerCycle(chain));
  measureMemory(host, rates);
  measureFork(host, rates);
  for (double Rates::*field :
       {&Rates::fmaLanes, &Rates::bf16Dot, &Rates::int8Dot, &Rates::bf16Tile,
        &Rates::int8Tile, &Rates::l1Bytes, &Rates::l2Bytes, &Rates::l3Bytes,
        &Rates::memoryBytes, &Rates::fmaLatency, &Rates::forkCycles,
        &Rates::clockGHz})
    rates.*field = rounded(rates.*field);
  return rates;
}
