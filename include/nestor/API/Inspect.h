//===- Inspect.h - Looking at models and machines ---------------*- C++ -*-===//
#ifndef NESTOR_API_INSPECT_H
#define NESTOR_API_INSPECT_H

#include "nestor/API/Program.h"

#include <map>
#include <string>
#include <vector>

namespace nestor {

/// What a model file holds, as written.
struct ModelSummary {
  std::string producer;
  /// Domain ("" is "ai.onnx") and version.
  std::vector<std::pair<std::string, int64_t>> opsets;
  struct Value {
    std::string name;
    std::string type;
  };
  std::vector<Value> inputs, outputs;
  /// Nodes by operator, subgraphs and functions included.
  std::map<std::string, int64_t> operators;
  int64_t nodes = 0;
  int64_t weights = 0;
  uint64_t weightsBytes = 0;
};

Result<ModelSummary> inspectModel(const std::string &path);

/// How fast this machine is, per cycle of a core, as schedules take it.
struct RateReport {
  /// Measured here before; otherwise the rates are those shipped for its kind.
  bool measured = false;
  /// Where a calibration is kept; empty without a cache directory.
  std::string file;
  /// Why a calibration that is there is not used.
  std::string note;
  struct Rate {
    std::string name;
    double value;
    std::string unit;
  };
  std::vector<Rate> rates;
};

/// The machine and the tool, for `doctor` and `version`.
struct HostReport {
  std::string arch, cpu, target, kind;
  std::vector<std::string> features;
  int cpus = 1;
  /// 0: no limit.
  double quota = 0;
  int defaultThreads = 1;
  bool amxGranted = false;
  uint64_t memoryBytes = 0;
  std::string version, llvmVersion;
  uint32_t abiVersion = 0;
  std::vector<std::string> targets;
  RateReport rates;
};
HostReport inspectHost();

/// Measures this machine (about a second) and keeps the rates in the cache
/// directory, where every later compilation for `host` finds them.
Result<void> calibrateHost();

/// "avx2", "avx512" or "amx": the kind of CPU, as benchmarks name it.
std::string cpuKind();

/// Makes fatal errors of the compiler end the process quietly with `code`
/// instead of a backtrace, after `report` has had the text. For a process that
/// exists to compile (the command's child).
void onFatalError(int code, void (*report)(const char *message));

} // namespace nestor

#endif // NESTOR_API_INSPECT_H
