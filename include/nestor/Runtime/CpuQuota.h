//===- CpuQuota.h - How many threads this process may use -------*- C++ -*-===//
#ifndef NESTOR_RUNTIME_CPUQUOTA_H
#define NESTOR_RUNTIME_CPUQUOTA_H

#include <string>

namespace nestor::rt {

/// CPUs in the affinity mask of this process; at least 1.
int affinityCpus();

/// The CPU time per second that the control groups grant, in CPUs; 0 when
/// there is no limit. Reads v2 (cpu.max) and v1 (cpu.cfs_quota_us) of this
/// group and all above it. `root` is put before every path (tests).
double cgroupCpus(const std::string &root = "");

/// The default number of threads: affinity, cut by the quota rounded up.
int defaultThreads();

} // namespace nestor::rt

#endif // NESTOR_RUNTIME_CPUQUOTA_H
