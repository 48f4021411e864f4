//===- CpuQuota.cpp - Affinity and control group limits -------------------===//
//
// A pool larger than the quota is throttled by the kernel in the middle of a
// parallel loop, which costs far more than the missing threads.
//
//===----------------------------------------------------------------------===//

#include "nestor/Runtime/CpuQuota.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sched.h>

namespace nestor::rt {
namespace {

/// The first `size - 1` bytes of a small file; false when it cannot be read.
bool readSmall(const std::string &path, char *buffer, size_t size) {
  FILE *file = fopen(path.c_str(), "re");
  if (!file)
    return false;
  size_t n = fread(buffer, 1, size - 1, file);
  buffer[n] = 0;
  fclose(file);
  return n > 0;
}

double smaller(double a, double b) {
  return a == 0 ? b : b == 0 ? a : (a < b ? a : b);
}

/// "max 100000" or "150000 100000".
double readV2(const std::string &dir) {
  char text[128];
  if (!readSmall(dir + "/cpu.max", text, sizeof text))
    return 0;
  double quota = 0, period = 0;
  if (sscanf(text, "%lf %lf", &quota, &period) != 2 || period <= 0)
    return 0;
  return quota > 0 ? quota / period : 0;
}

double readV1(const std::string &dir) {
  char text[128];
  if (!readSmall(dir + "/cpu.cfs_quota_us", text, sizeof text))
    return 0;
  double quota = atof(text);
  if (quota <= 0 || !readSmall(dir + "/cpu.cfs_period_us", text, sizeof text))
    return 0;
  double period = atof(text);
  return period > 0 ? quota / period : 0;
}

/// The least limit on the way from `base + path` up to `base`.
template <typename Read>
double walkUp(const std::string &base, std::string path, Read read) {
  double limit = read(base);
  while (path.size() > 1) {
    limit = smaller(limit, read(base + path));
    path.resize(path.rfind('/'));
  }
  return limit;
}

} // namespace

int affinityCpus() {
  // A fixed cpu_set_t holds 1024 CPUs; larger machines need a larger mask.
  for (int cpus = 1024; cpus <= 1 << 16; cpus *= 4) {
    cpu_set_t *set = CPU_ALLOC(cpus);
    if (!set)
      return 1;
    size_t size = CPU_ALLOC_SIZE(cpus);
    CPU_ZERO_S(size, set);
    bool done = sched_getaffinity(0, size, set) == 0;
    int count = done ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (done)
      return count > 0 ? count : 1;
  }
  return 1;
}

double cgroupCpus(const std::string &root) {
  FILE *file = fopen((root + "/proc/self/cgroup").c_str(), "re");
  if (!file)
    return 0;
  double limit = 0;
  char line[4096];
  while (fgets(line, sizeof line, file)) {
    // "0::/path" (v2) or "4:cpu,cpuacct:/path" (v1).
    line[strcspn(line, "\n")] = 0;
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : nullptr;
    if (!path || path[1] != '/')
      continue;
    *controllers++ = 0;
    *path++ = 0;
    if (*controllers == 0) {
      for (const char *mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"})
        limit = smaller(limit, walkUp(root + mount, path, readV2));
      continue;
    }
    std::string list = std::string(",") + controllers + ",";
    if (list.find(",cpu,") != std::string::npos)
      for (std::string mount : {std::string("cpu"), std::string("cpu,cpuacct"),
                                std::string(controllers)})
        limit = smaller(limit,
                        walkUp(root + "/sys/fs/cgroup/" + mount, path, readV1));
  }
  fclose(file);
  return limit;
}

int defaultThreads() {
  int cpus = affinityCpus();
  double quota = cgroupCpus();
  if (quota > 0 && std::ceil(quota) < cpus)
    cpus = static_cast<int>(std::ceil(quota));
  return cpus > 0 ? cpus : 1;
}

} // namespace nestor::rt
