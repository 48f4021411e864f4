// A program from a file: loaded when it is an artefact, compiled when it is a
// model, with progress on stderr.

#include "Child.h"
#include "Command.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

namespace {
/// Reads "NAME=SIZE"; false when it is not.
bool parseDim(const std::string &text, std::string &name, int64_t &size) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return false;
  const char *start = text.c_str() + equals + 1;
  char *end = nullptr;
  errno = 0;
  size = strtoll(start, &end, 10);
  name = text.substr(0, equals);
  return end != start && *end == 0 && errno == 0 && size >= 0;
}

std::string checkDim(const std::string &text) {
  std::string name;
  int64_t size;
  return parseDim(text, name, size) ? "" : "'" + text + "' is not NAME=SIZE";
}
} // namespace

void ModelOptions::add(CLI::App &verb) {
  verb.add_option("model", model,
                  "An .onnx or .mlir model, or an .nst artefact")
      ->required();
  verb.add_option("--target", target,
                  "CPU to compile for: host, x86-64-v3, x86-64-v4, ... with "
                  "+feature or -feature")
      ->capture_default_str();
  verb.add_option("--dims", dims,
                  "Fix named dimensions: NAME=SIZE[,NAME=SIZE...]")
      ->delimiter(',')
      ->check(checkDim);
  verb.add_option("--precision", precision,
                  "Products with weights of bytes: model (as it says), int8 "
                  "(data quantised as it comes: less accurate)")
      ->capture_default_str()
      ->check(CLI::IsMember({"model", "int8"}));
  verb.add_option("--threads", threads,
                  "Threads (default: CPU affinity and quota)")
      ->check(CLI::Range(1, 1024));
  verb.add_option("--dump-dir", dumpDir, "Write every phase into this folder");
  verb.add_option("--override-dir", overrideDir,
                  "Read hand-edited phases from this folder");
  verb.add_flag("--no-schedule", noSchedule,
                "Scalar loops, no schedules (for finding faults)");
}

std::map<std::string, int64_t> ModelOptions::parseDims() const {
  std::map<std::string, int64_t> result;
  std::string name;
  int64_t size;
  for (const std::string &text : dims)
    if (parseDim(text, name, size))
      result[name] = size;
  return result;
}

bool isArtefact(const std::string &path) {
  if (path.ends_with(".nst"))
    return true;
  // Opening a pipe would wait for its other end.
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
    return false;
  char magic[4] = {};
  FILE *file = fopen(path.c_str(), "rbe");
  if (!file)
    return false;
  size_t n = fread(magic, 1, 4, file);
  fclose(file);
  constexpr char elf[] = {0x7f, 'E', 'L', 'F'};
  return n == 4 && memcmp(magic, elf, 4) == 0;
}

namespace {

/// One line on a terminal, one line in ten seconds elsewhere.
struct Progress {
  bool terminal = isatty(STDERR_FILENO);
  double start = now(), last = start;
  bool shown = false;

  void phase(const Common &common, std::string_view name) {
    notePhase(name);
    if (common.quiet)
      return;
    double t = now();
    if (common.verbose) {
      fprintf(stderr, "%7.2fs %.*s\n", t - start, int(name.size()),
              name.data());
    } else if (terminal) {
      fprintf(stderr, "\r\033[K%.1fs %.*s ...", t - start, int(name.size()),
              name.data());
      shown = true;
    } else if (t - last >= 10) {
      fprintf(stderr, "compiling: %.0f s, in %.*s\n", t - start,
              int(name.size()), name.data());
      last = t;
    }
  }
  void clear() {
    if (shown)
      fprintf(stderr, "\r\033[K");
    shown = false;
  }
};
Progress progress;

} // namespace

nestor::Compiler::Options compilerOptions(const Common &common,
                                          const ModelOptions &options) {
  nestor::Compiler::Options result;
  result.target = options.target;
  result.dims = options.parseDims();
  result.threads = options.threads;
  result.dumpDir = options.dumpDir;
  result.overrideDir = options.overrideDir;
  result.noSchedule = options.noSchedule;
  result.precision = options.precision == "int8" ? nestor::Precision::Int8
                                                 : nestor::Precision::Model;
  progress = Progress();
  result.progress = [&common](std::string_view phase) {
    progress.phase(common, phase);
  };
  return result;
}

void finishProgress(const Common &common, const nestor::CompileReport &report) {
  progress.clear();
  notePhase("");
  if (common.quiet || (!common.verbose && !progress.terminal))
    return;
  std::string line;
  for (const auto &[phase, seconds] : report.phases) {
    char text[96];
    snprintf(text, sizeof text, "%s%s %.2fs", line.empty() ? "" : " · ",
             phase.c_str(), seconds);
    line += text;
  }
  fprintf(stderr, "%s · %zu kernels\n", line.c_str(), report.kernels.size());
}

nestor::Result<Source> openSource(const Common &common,
                                  const ModelOptions &options) {
  Source source;
  double start = now();
  if (isArtefact(options.model)) {
    auto program = nestor::Program::load(options.model);
    if (!program)
      return program.failure();
    source.program = std::move(*program);
  } else {
    auto program = nestor::Compiler(compilerOptions(common, options))
                       .compile(options.model);
    if (!program) {
      progress.clear();
      return program.failure();
    }
    source.program = std::move(*program);
    source.compiled = true;
    finishProgress(common, source.program.report());
  }
  source.seconds = now() - start;
  notePhase("run");
  return source;
}
