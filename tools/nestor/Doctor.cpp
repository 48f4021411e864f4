// nestor doctor: what this machine offers; nestor version.

#include "Command.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <unistd.h>

namespace {

/// The folder of PATH that holds the program `name`.
std::string findProgram(const std::string &name) {
  const char *path = getenv("PATH");
  std::string rest = path ? path : "";
  while (!rest.empty()) {
    size_t colon = rest.find(':');
    std::string file = rest.substr(0, colon) + "/" + name;
    if (access(file.c_str(), X_OK) == 0)
      return file;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return "";
}

std::string format(double value) {
  char text[32];
  snprintf(text, sizeof text, "%.3g", value);
  return value < 1000 ? text : std::to_string(int64_t(value));
}

Json rateFacts(const nestor::RateReport &report) {
  Json values = Json::object();
  for (const nestor::RateReport::Rate &rate : report.rates)
    values.add(rate.name, rate.value);
  return Json::object()
      .add("measured", report.measured)
      .add("file", report.file)
      .add("note", report.note)
      .add("values", values);
}

void printRates(const nestor::HostReport &host) {
  const nestor::RateReport &report = host.rates;
  if (report.measured)
    printf("rates     measured here (%s)\n", report.file.c_str());
  else if (report.note.empty())
    printf("rates     as shipped for %s; --calibrate measures this machine\n",
           host.kind.c_str());
  else
    printf("rates     as shipped for %s: %s%s%s\n", host.kind.c_str(),
           report.file.c_str(),
           report.file.empty() ? "" : " is ignored: ", report.note.c_str());
  for (const nestor::RateReport::Rate &rate : report.rates)
    printf("  %-12s  %s %s\n", rate.name.c_str(), format(rate.value).c_str(),
           rate.unit.c_str());
}

int doctor(const Common &common, bool calibrate) {
  if (calibrate)
    if (nestor::Result<void> result = nestor::calibrateHost(); !result)
      return complain(common, result.failure());
  nestor::HostReport host = nestor::inspectHost();
  const char *tools[] = {"ptxas", "nvcc", "qemu-x86_64", "qemu-aarch64",
                         "perf"};
  if (common.json) {
    Json features = Json::array(), targets = Json::array();
    for (const std::string &feature : host.features)
      features.push(feature);
    for (const std::string &target : host.targets)
      targets.push(target);
    Json found = Json::object();
    for (const char *tool : tools)
      found.add(tool, findProgram(tool));
    printf("%s\n", Json::object()
                       .add("arch", host.arch)
                       .add("cpu", host.cpu)
                       .add("kind", host.kind)
                       .add("target", host.target)
                       .add("features", features)
                       .add("cpus", host.cpus)
                       .add("quota", host.quota)
                       .add("threads", host.defaultThreads)
                       .add("amx_granted", host.amxGranted)
                       .add("memory_mb", host.memoryBytes >> 20)
                       .add("targets", targets)
                       .add("tools", found)
                       .add("rates", rateFacts(host.rates))
                       .text()
                       .c_str());
    return ExitOk;
  }
  printf("cpu       %s (%s, %s)\n", host.cpu.c_str(), host.arch.c_str(),
         host.kind.c_str());
  printf("target    %s\n", host.target.c_str());
  std::string line;
  for (const std::string &feature : host.features)
    line += (line.empty() ? "" : " ") + feature;
  printf("features  %s\n", line.c_str());
  printf("cpus      %d by affinity, quota %s, %d threads by default\n",
         host.cpus,
         host.quota > 0 ? std::to_string(host.quota).c_str() : "none",
         host.defaultThreads);
  printf("amx       %s\n", host.amxGranted ? "granted" : "not available");
  printf("memory    %llu MB\n", (unsigned long long)(host.memoryBytes >> 20));
  printRates(host);
  line.clear();
  for (const std::string &target : host.targets)
    line += (line.empty() ? "" : " ") + target;
  printf("targets   %s\n", line.c_str());
  for (const char *tool : tools) {
    std::string path = findProgram(tool);
    printf("%-12s %s\n", tool, path.empty() ? "not found" : path.c_str());
  }
  return ExitOk;
}

int version(const Common &common) {
  nestor::HostReport host = nestor::inspectHost();
  if (common.json)
    printf("%s\n", Json::object()
                       .add("version", host.version)
                       .add("llvm", host.llvmVersion)
                       .add("abi", host.abiVersion)
                       .text()
                       .c_str());
  else
    printf("nestor %s (LLVM %s, artefact contract %u)\n", host.version.c_str(),
           host.llvmVersion.c_str(), host.abiVersion);
  return ExitOk;
}

} // namespace

Body declareDoctor(CLI::App &verb, const Common &common) {
  auto calibrate = std::make_shared<bool>(false);
  verb.add_flag("--calibrate", *calibrate,
                "Measure this machine (about a second) and keep its rates for "
                "every later compilation for host");
  return [&common, calibrate] { return doctor(common, *calibrate); };
}

Body declareVersion(CLI::App &, const Common &common) {
  return [&common] { return version(common); };
}
