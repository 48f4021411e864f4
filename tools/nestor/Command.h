// What the verbs share: options, talking to people, and ending.
#ifndef NESTOR_TOOLS_COMMAND_H
#define NESTOR_TOOLS_COMMAND_H

#include "Json.h"

#include "nestor/API/nestor.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

/// The exit codes that the command itself gives.
enum ExitCode {
  ExitOk = 0,
  ExitInternal = 1,
  ExitUsage = 2,
  ExitUnreadable = 3,
  ExitBudget = 7,
  ExitMismatch = 9,
  ExitInterrupted = 130,
};

/// Options that every verb takes.
struct Common {
  bool json = false;
  bool quiet = false;
  int verbose = 0;
  double timeLimit = 0;  // seconds; 0: none
  uint64_t memLimit = 0; // MB; 0: none
};

/// Options of verbs that compile a model or load an artefact.
struct ModelOptions {
  std::string model;
  std::string target = "host";
  std::vector<std::string> dims;
  int threads = 0;
  std::string dumpDir, overrideDir;
  bool noSchedule = false;
  std::string precision = "model";

  void add(CLI::App &verb);
  /// --dims as names and sizes.
  std::map<std::string, int64_t> parseDims() const;
};

/// Options of verbs that need inputs.
struct InputOptions {
  std::vector<std::string> inputs;
  uint64_t seed = 0;

  void add(CLI::App &verb);
};

/// A verb: declares its options on `app` and returns what runs it. The result
/// is the exit code.
using Body = std::function<int()>;
struct Verb {
  const char *name;
  const char *summary;
  Body (*declare)(CLI::App &app, const Common &common);
};

/// Prints "error: ..." (and its JSON twin) and returns the exit code.
int complain(const Common &common, const nestor::Failure &failure);

/// A program from an artefact, or compiled with progress on stderr.
struct Source {
  nestor::Program program;
  bool compiled = false;
  double seconds = 0; // of compiling or loading
};
nestor::Result<Source> openSource(const Common &common,
                                  const ModelOptions &options);

/// Compiler options that show progress on stderr.
nestor::Compiler::Options compilerOptions(const Common &common,
                                          const ModelOptions &options);
/// Ends the progress display; says how long each phase took.
void finishProgress(const Common &common, const nestor::CompileReport &report);

/// True for a file that starts as an artefact, or is named as one.
bool isArtefact(const std::string &path);

/// The inputs of `program`: from --input where given, else random.
nestor::Result<std::vector<nestor::Tensor>>
makeInputs(const nestor::Program &program, const InputOptions &options,
           const std::map<std::string, int64_t> &dims);

/// Seconds of a clock that only goes forward.
double now();

#endif // NESTOR_TOOLS_COMMAND_H
