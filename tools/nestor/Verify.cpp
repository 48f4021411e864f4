// nestor verify MODEL --data DIR: compares with stored outputs (input_i.pb,
// output_i.pb), without --data with the interpreter's; says what tolerance
// would have been needed. --list FILE does so for many models, each in a
// process of its own.

#include "Child.h"
#include "Command.h"
#include "Compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace {

struct Options {
  ModelOptions model;
  InputOptions inputs;
  std::string data, list;
  double rtol = 1e-3, atol = -1;
  double timeout = 60;
  int jobs = 1;

  /// An atol that nobody gave scales with the output.
  Tolerance tolerance() const {
    return {rtol, atol < 0 ? 1e-5 : atol, atol < 0};
  }
};

using nestor::Failure;
using nestor::NamedTensor;
using nestor::Result;
using nestor::Tensor;

/// prefix0.pb, prefix1.pb, ... (or .npy) in `folder`, in order.
Result<std::vector<Tensor>> readSet(const fs::path &folder,
                                    const std::string &prefix) {
  std::vector<Tensor> tensors;
  for (size_t i = 0;; ++i) {
    fs::path file;
    for (const char *extension : {".pb", ".npy"}) {
      fs::path candidate = folder / (prefix + std::to_string(i) + extension);
      std::error_code error;
      if (fs::exists(candidate, error))
        file = candidate;
    }
    if (file.empty())
      return tensors;
    auto read = nestor::readTensors(file.string());
    if (!read)
      return read.failure();
    tensors.push_back(std::move((*read)[0].tensor));
  }
}

/// The data sets of `data`: itself, or its folders test_data_set_*.
std::vector<fs::path> dataSets(const std::string &data) {
  std::vector<fs::path> sets;
  std::error_code error;
  for (const auto &entry : fs::directory_iterator(data, error))
    if (entry.path().filename().string().starts_with("test_data_set_"))
      sets.push_back(entry.path());
  std::sort(sets.begin(), sets.end());
  if (sets.empty())
    sets.push_back(data);
  return sets;
}

/// What a comparison of all outputs of all data sets came to.
struct Outcome {
  int code = ExitOk;
  std::string message;
  double maxAbs = 0, maxRel = 0, neededRtol = 0, neededAtol = 0;
  int64_t outputs = 0;
  double seconds = 0;

  void add(const std::string &name, const Difference &d,
           const Tolerance &tolerance) {
    ++outputs;
    maxAbs = std::max(maxAbs, d.maxAbs);
    maxRel = std::max(maxRel, d.maxRel);
    neededRtol = std::max(neededRtol, d.neededRtol);
    neededAtol = std::max(neededAtol, d.neededAtol);
    if (d.matches || code != ExitOk)
      return;
    code = ExitMismatch;
    char text[512];
    if (!d.shape.empty())
      snprintf(text, sizeof text, "output '%s': %s", name.c_str(),
               d.shape.c_str());
    else
      snprintf(text, sizeof text,
               "output '%s': %lld of %lld elements differ by more than rtol "
               "%g atol %g%s; first at %lld: got %.9g, expected %.9g; needed: "
               "rtol %.3g (at this atol) or atol %.3g (at this rtol)",
               name.c_str(), (long long)d.wrong, (long long)d.count,
               tolerance.rtol, tolerance.atol,
               tolerance.scaled ? " x magnitude" : "", (long long)d.firstWrong,
               d.got, d.expected, d.neededRtol, d.neededAtol);
    message = text;
  }
  void fail(const Failure &failure) {
    code = failure.code;
    message = failure.message;
  }
};

void compareSets(const nestor::Program &program, const std::string &data,
                 int threads, const Tolerance &tolerance, Outcome &outcome) {
  auto session = program.session({threads});
  if (!session)
    return outcome.fail(session.failure());
  for (const fs::path &set : dataSets(data)) {
    auto inputs = readSet(set, "input_");
    auto expected = readSet(set, "output_");
    if (!inputs)
      return outcome.fail(inputs.failure());
    if (!expected)
      return outcome.fail(expected.failure());
    if (expected->empty())
      return outcome.fail(
          {ExitUnreadable, set.string() + ": there is no output_0.pb"});
    // Stored inputs beyond the model's are of optional ones that it dropped.
    if (inputs->size() > program.inputs().size())
      inputs->resize(program.inputs().size());
    auto got = session->run(*inputs);
    if (!got)
      return outcome.fail(got.failure());
    if (got->size() < expected->size())
      return outcome.fail({ExitMismatch, "the model has fewer outputs than "
                                         "were stored"});
    for (size_t i = 0; i < expected->size(); ++i)
      outcome.add(program.outputs()[i].name,
                  compare((*got)[i], (*expected)[i], tolerance), tolerance);
  }
}

/// Compares one run with the interpreter's, on given or random inputs.
void compareWithInterpreter(const Source &source, const Options &options,
                            const Common &common, Outcome &outcome) {
  if (!source.compiled)
    return outcome.fail({ExitUsage, "an artefact holds no model to interpret: "
                                    "give --data, or verify the model"});
  const nestor::Program &program = source.program;
  auto inputs = makeInputs(program, options.inputs, options.model.parseDims());
  if (!inputs)
    return outcome.fail(inputs.failure());
  auto session = program.session({options.model.threads});
  if (!session)
    return outcome.fail(session.failure());
  auto got = session->run(*inputs);
  if (!got)
    return outcome.fail(got.failure());
  notePhase("interpret");
  auto expected =
      nestor::Compiler(compilerOptions(common, options.model))
          .interpret(options.model.model, *inputs, program.outputs());
  if (!expected)
    return outcome.fail(expected.failure());
  for (size_t i = 0; i < expected->size(); ++i)
    outcome.add(program.outputs()[i].name,
                compare((*got)[i], (*expected)[i], options.tolerance()),
                options.tolerance());
}

Outcome verifyOne(const Options &options, const Common &common) {
  Outcome outcome;
  double start = now();
  auto source = openSource(common, options.model);
  if (!source)
    outcome.fail(source.failure());
  else if (!options.data.empty())
    compareSets(source->program, options.data, options.model.threads,
                options.tolerance(), outcome);
  else
    compareWithInterpreter(*source, options, common, outcome);
  outcome.seconds = now() - start;
  return outcome;
}

const char *statusName(const ChildEnd &end) {
  switch (end.code) {
  case 0:
    return "passed";
  case 5:
    return "unsupported";
  case 4:
  case 8:
  case 9:
    return "failed";
  case 7:
    return end.why.empty() ? "failed" : "timeout";
  default:
    return "crashed";
  }
}

Json outcomeJson(const Outcome &outcome) {
  return Json::object()
      .add("code", outcome.code)
      .add("message", outcome.message)
      .add("outputs", outcome.outputs)
      .add("max_abs", outcome.maxAbs)
      .add("max_rel", outcome.maxRel)
      .add("needed_rtol", outcome.neededRtol)
      .add("needed_atol", outcome.neededAtol)
      .add("seconds", outcome.seconds);
}

int verifySingle(const Options &options, const Common &common) {
  Outcome outcome = verifyOne(options, common);
  if (outcome.code != ExitOk && outcome.outputs == 0)
    return complain(common, {outcome.code, outcome.message});
  if (common.json)
    printf(
        "%s\n",
        outcomeJson(outcome).add("model", options.model.model).text().c_str());
  else
    printf("%lld outputs: max abs %.3g, max rel %.3g; needed: rtol %.3g or "
           "atol %.3g\n",
           (long long)outcome.outputs, outcome.maxAbs, outcome.maxRel,
           outcome.neededRtol, outcome.neededAtol);
  if (outcome.code != ExitOk) {
    Common plain = common;
    plain.json = false; // its twin is printed already
    return complain(plain, {outcome.code, outcome.message});
  }
  return ExitOk;
}

/// One line of a list: model, data folder, rtol, atol, by tabs.
bool parseLine(const std::string &line, Options &options) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');)
    fields.push_back(field);
  if (fields.size() < 2)
    return false;
  options.model.model = fields[0];
  options.data = fields[1];
  if (fields.size() > 2 && !fields[2].empty())
    options.rtol = atof(fields[2].c_str());
  if (fields.size() > 3 && !fields[3].empty())
    options.atol = atof(fields[3].c_str());
  return true;
}

/// Runs a line in a child that prints its own JSON; prints for it otherwise.
void verifyLine(const Options &options, const Common &common) {
  double start = now();
  ChildEnd end = runInChild(
      [&] {
        Outcome outcome = verifyOne(options, common);
        printf("%s\n", outcomeJson(outcome)
                           .add("model", options.model.model)
                           .add("status", statusName({outcome.code, false, ""}))
                           .text()
                           .c_str());
        return outcome.code;
      },
      options.timeout, common.memLimit);
  if (end.why.empty())
    return;
  Outcome outcome;
  outcome.code = end.code;
  outcome.message = end.why;
  outcome.seconds = now() - start;
  printf("%s\n", outcomeJson(outcome)
                     .add("model", options.model.model)
                     .add("status", statusName(end))
                     .text()
                     .c_str());
}

int verifyList(const Options &options, const Common &common) {
  std::ifstream file(options.list);
  if (!file)
    return complain(common, {ExitUnreadable, "cannot read " + options.list});
  Common quiet = common;
  quiet.quiet = true;
  std::set<pid_t> running;
  int code = ExitOk;
  auto wait = [&] {
    int status = 0;
    pid_t done = waitpid(-1, &status, 0);
    running.erase(done);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != ExitOk)
      code = ExitInternal;
  };
  size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#')
      continue;
    Options one = options;
    if (!parseLine(line, one))
      return complain(common,
                      {ExitUsage, options.list + ":" + std::to_string(number) +
                                      ": expected MODEL, DATA[, RTOL[, ATOL]] "
                                      "separated by tabs"});
    while (int(running.size()) >= options.jobs)
      wait();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
      verifyLine(one, quiet);
      fflush(stdout);
      _exit(ExitOk);
    }
    if (pid < 0)
      return complain(common, {ExitBudget, "cannot start a process"});
    running.insert(pid);
  }
  while (!running.empty())
    wait();
  return code;
}

int verify(const Options &options, const Common &common) {
  if (!options.list.empty())
    return verifyList(options, common);
  if (options.model.model.empty())
    return complain(common, {ExitUsage, "verify: a model or --list is "
                                        "required"});
  return verifySingle(options, common);
}

} // namespace

Body declareVerify(CLI::App &app, const Common &common) {
  auto options = std::make_shared<Options>();
  options->model.add(app);
  options->inputs.add(app);
  app.get_option("model")->required(false);
  CLI::Option *data = app.add_option(
      "--data", options->data,
      "Folder of input_i.pb and output_i.pb, or of test_data_set_* folders");
  app.add_option("--list", options->list,
                 "File of lines: model, data folder, rtol, atol (by tabs); one "
                 "JSON line each on stdout")
      ->excludes(data);
  app.add_option("--rtol", options->rtol, "Relative tolerance")
      ->capture_default_str();
  app.add_option("--atol", options->atol,
                 "Absolute tolerance (default: 1e-5 times the output's "
                 "magnitude)");
  app.add_option("--timeout", options->timeout, "Seconds for a line of a list")
      ->capture_default_str();
  app.add_option("--jobs,-j", options->jobs, "Lines at a time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  return [options, &common] { return verify(*options, common); };
}
