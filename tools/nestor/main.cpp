// nestor VERB ...: reads the command line and runs the verb in a child process.
// Results go to stdout; progress and errors go to stderr.

#include "Child.h"
#include "Command.h"

#include <cstdio>
#include <unistd.h>

Body declareRun(CLI::App &, const Common &);
Body declareCompile(CLI::App &, const Common &);
Body declareBench(CLI::App &, const Common &);
Body declareCheck(CLI::App &, const Common &);
Body declareVerify(CLI::App &, const Common &);
Body declareInspect(CLI::App &, const Common &);
Body declareDoctor(CLI::App &, const Common &);
Body declareVersion(CLI::App &, const Common &);

static const Verb verbs[] = {
    {"run", "Run a model once and show its outputs", declareRun},
    {"compile", "Compile a model to an artefact, or show a phase",
     declareCompile},
    {"bench", "Measure a model's latency", declareBench},
    {"check", "Say whether a model can be compiled, and what is missing",
     declareCheck},
    {"verify", "Compare a model's outputs with stored or computed ones",
     declareVerify},
    {"inspect", "Show what a model or an artefact holds", declareInspect},
    {"doctor", "Show what this machine offers", declareDoctor},
    {"version", "Show the version", declareVersion},
};

int complain(const Common &common, const nestor::Failure &failure) {
  bool color = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
  fprintf(stderr, "%serror:%s %s\n", color ? "\033[1;31m" : "",
          color ? "\033[0m" : "", failure.message.c_str());
  if (common.json)
    printf("%s\n", Json::object()
                       .add("error", Json::object()
                                         .add("code", failure.code)
                                         .add("message", failure.message))
                       .text()
                       .c_str());
  return failure.code;
}

int main(int argc, char **argv) {
  CLI::App app("Nestor compiles tensor programs (ONNX, MLIR) to native code.",
               "nestor");
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "Show this help");
  app.footer("Exit codes: 0 ok, 1 internal, 2 usage, 3 unreadable file, 4 "
             "malformed model,\n5 unsupported, 6 target missing, 7 budget "
             "exceeded, 8 run-time failure,\n9 mismatch, 10 damaged artefact, "
             "130 interrupted.");
  app.failure_message([](const CLI::App *, const CLI::Error &e) {
    return std::string("error: ") + e.what() +
           "\nRun with --help for more information.\n";
  });
  Common common;
  std::vector<std::pair<CLI::App *, Body>> bodies;
  for (const Verb &verb : verbs) {
    CLI::App *sub = app.add_subcommand(verb.name, verb.summary);
    sub->set_help_flag("-h,--help", "Show this help");
    sub->add_flag("--json", common.json, "Print results as JSON");
    sub->add_flag("-q,--quiet", common.quiet, "No progress on stderr");
    sub->add_flag("-v,--verbose", common.verbose, "More on stderr");
    sub->add_option("--time-limit", common.timeLimit,
                    "Stop after this many seconds (exit 7)");
    sub->add_option("--mem-limit", common.memLimit,
                    "Limit memory to this many MB (exit 7)");
    bodies.emplace_back(sub, verb.declare(*sub, common));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &e) {
    // Asked-for help is a result, everything else is a mistake.
    return app.exit(e) == 0 ? ExitOk : ExitUsage;
  }
  for (auto &[sub, body] : bodies) {
    if (!sub->parsed())
      continue;
    ChildEnd end = runInChild(body, common.timeLimit, common.memLimit);
    if (!end.why.empty()) {
      if (end.crashed)
        end.why += "\nThis is a fault of Nestor's. Please report it with the "
                   "model and this command; --dump-dir=DIR keeps what each "
                   "phase made.";
      return complain(common, {end.code, end.why});
    }
    return end.code;
  }
  return ExitUsage;
}
