// nestor check MODEL: reads and verifies a model, compiles nothing. All
// unsupported nodes are reported at once, with exit code 5.

#include "Command.h"

#include <cstdio>

namespace {

int check(const ModelOptions &options, const Common &common) {
  if (isArtefact(options.model)) {
    auto program = nestor::Program::load(options.model);
    if (!program)
      return complain(common, program.failure());
  } else {
    nestor::Compiler compiler(compilerOptions(common, options));
    auto done = compiler.check(options.model);
    finishProgress(common, {});
    if (!done)
      return complain(common, done.failure());
  }
  if (common.json)
    printf("%s\n", Json::object()
                       .add("model", options.model)
                       .add("supported", true)
                       .text()
                       .c_str());
  else
    printf("%s: ok\n", options.model.c_str());
  return ExitOk;
}

} // namespace

Body declareCheck(CLI::App &app, const Common &common) {
  auto options = std::make_shared<ModelOptions>();
  options->add(app);
  return [options, &common] { return check(*options, common); };
}
