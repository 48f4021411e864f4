// nestor compile MODEL -o FILE: an artefact, or the text of a phase.

#include "Command.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace {

struct Options {
  ModelOptions model;
  std::string output;
  std::string emit = "nst";
};

std::string defaultOutput(const std::string &model, const char *extension) {
  std::string stem = model.substr(model.rfind('/') + 1);
  size_t dot = stem.rfind('.');
  return (dot == std::string::npos || dot == 0 ? stem : stem.substr(0, dot)) +
         extension;
}

nestor::Result<void> writeFile(const std::string &path,
                               const std::string &text) {
  FILE *file = path.empty() || path == "-" ? stdout : fopen(path.c_str(), "we");
  bool good = file && fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file && file != stdout)
    good &= fclose(file) == 0;
  if (!good)
    return nestor::Failure{ExitUnreadable,
                           "cannot write " + path + ": " + strerror(errno)};
  return {};
}

int emitText(const Options &options, const Common &common,
             const nestor::Compiler &compiler) {
  auto text = compiler.emit(options.model.model, options.emit);
  finishProgress(common, {});
  if (!text)
    return complain(common, text.failure());
  if (auto written = writeFile(options.output, *text); !written)
    return complain(common, written.failure());
  return ExitOk;
}

int emitObjects(const Options &options, const Common &common,
                const nestor::Compiler &compiler) {
  auto objects = compiler.emitObjects(options.model.model);
  finishProgress(common, {});
  if (!objects)
    return complain(common, objects.failure());
  std::string base = options.output.empty()
                         ? defaultOutput(options.model.model, ".o")
                         : options.output;
  for (size_t i = 0; i < objects->size(); ++i) {
    // Several objects are numbered: m.o, m.1.o, m.2.o.
    std::string path = base;
    if (i) {
      size_t dot = path.rfind('.');
      path.insert(dot == std::string::npos ? path.size() : dot,
                  "." + std::to_string(i));
    }
    if (auto written = writeFile(path, (*objects)[i]); !written)
      return complain(common, written.failure());
    printf("%s\n", path.c_str());
  }
  return ExitOk;
}

int compile(const Options &options, const Common &common) {
  nestor::Compiler compiler(compilerOptions(common, options.model));
  if (options.emit == "obj")
    return emitObjects(options, common, compiler);
  if (options.emit != "nst")
    return emitText(options, common, compiler);

  std::string output = options.output.empty()
                           ? defaultOutput(options.model.model, ".nst")
                           : options.output;
  // Written beside its place and moved there whole: a reader never sees half.
  std::string temporary = output + ".tmp" + std::to_string(getpid());
  double start = now();
  auto report = compiler.compileTo(options.model.model, temporary);
  double seconds = now() - start;
  if (!report) {
    finishProgress(common, {});
    unlink(temporary.c_str());
    return complain(common, report.failure());
  }
  finishProgress(common, *report);
  if (rename(temporary.c_str(), output.c_str()) != 0) {
    int error = errno;
    unlink(temporary.c_str());
    return complain(common, {ExitUnreadable, "cannot write " + output + ": " +
                                                 strerror(error)});
  }
  struct stat info = {};
  stat(output.c_str(), &info);
  if (common.json) {
    Json phases = Json::object();
    for (const auto &[phase, time] : report->phases)
      phases.add(phase, time);
    printf("%s\n", Json::object()
                       .add("output", output)
                       .add("bytes", int64_t(info.st_size))
                       .add("compile_s", seconds)
                       .add("kernels", report->kernels.size())
                       .add("phases", phases)
                       .text()
                       .c_str());
  } else if (!common.quiet) {
    fprintf(stderr, "%s: %.2f MB, %zu kernels, %.2f s\n", output.c_str(),
            double(info.st_size) / (1 << 20), report->kernels.size(), seconds);
  }
  return ExitOk;
}

} // namespace

Body declareCompile(CLI::App &app, const Common &common) {
  auto options = std::make_shared<Options>();
  options->model.add(app);
  app.add_option("-o,--output", options->output,
                 "Where to write (default: MODEL.nst here; texts: stdout)");
  std::vector<std::string> kinds = {"nst", "obj"};
  for (const std::string &kind : nestor::Compiler::emitKinds())
    kinds.push_back(kind);
  app.add_option("--emit", options->emit, "What to write")
      ->check(CLI::IsMember(kinds))
      ->capture_default_str();
  return [options, &common] { return compile(*options, common); };
}
