// nestor inspect FILE: what a model or an artefact holds.

#include "Command.h"

#include <algorithm>
#include <cstdio>

namespace {

struct Options {
  ModelOptions model;
  bool kernels = false;
  bool checkWeights = false;
};

Json ioJson(const std::vector<nestor::TensorInfo> &rows) {
  Json list = Json::array();
  for (const nestor::TensorInfo &row : rows)
    list.push(Json::object().add("name", row.name).add("type", row.describe()));
  return list;
}

Json kernelsJson(const nestor::CompileReport &report) {
  Json list = Json::array();
  for (const nestor::KernelRecord &kernel : report.kernels)
    list.push(Json::object()
                  .add("name", kernel.name)
                  .add("hash", kernel.hash)
                  .add("schedule_hash", kernel.scheduleHash)
                  .add("schedule", kernel.schedule));
  return list;
}

void printKernels(const nestor::CompileReport &report) {
  for (const nestor::KernelRecord &kernel : report.kernels) {
    printf("kernel %s hash %s", kernel.name.c_str(), kernel.hash.c_str());
    if (!kernel.scheduleHash.empty())
      printf(" schedule %s", kernel.scheduleHash.c_str());
    printf("\n");
    if (!kernel.schedule.empty())
      printf("%s\n", kernel.schedule.c_str());
  }
}

void printIo(const char *what, const std::vector<nestor::TensorInfo> &rows) {
  for (const nestor::TensorInfo &row : rows)
    printf("%-9s %s %s\n", what, row.name.c_str(), row.describe().c_str());
}

int inspectProgram(const nestor::Program &program, const Options &options,
                   const Common &common) {
  const nestor::CompileReport &report = program.report();
  if (common.json) {
    Json symbols = Json::array();
    for (const nestor::SymbolInfo &symbol : program.symbols())
      symbols.push(Json::object()
                       .add("name", symbol.name)
                       .add("min", symbol.min)
                       .add("max", symbol.max));
    printf("%s\n", Json::object()
                       .add("file", options.model.model)
                       .add("name", program.name())
                       .add("target", program.target())
                       .add("features", program.features())
                       .add("abi", program.abiVersion())
                       .add("inputs", ioJson(program.inputs()))
                       .add("outputs", ioJson(program.outputs()))
                       .add("symbols", symbols)
                       .add("weights_bytes", program.weightsBytes())
                       .add("kernels", kernelsJson(report))
                       .text()
                       .c_str());
    return ExitOk;
  }
  if (options.kernels) {
    printKernels(report);
    return ExitOk;
  }
  printf("name      %s\n", program.name().c_str());
  printf("target    %s\n", program.target().c_str());
  printf("features  %s\n", program.features().c_str());
  printf("contract  %u\n", program.abiVersion());
  printIo("input", program.inputs());
  printIo("output", program.outputs());
  for (const nestor::SymbolInfo &symbol : program.symbols()) {
    printf("dimension %s from %lld", symbol.name.c_str(),
           (long long)symbol.min);
    if (symbol.max >= 0)
      printf(" to %lld", (long long)symbol.max);
    printf("\n");
  }
  printf("weights   %.2f MB\n", double(program.weightsBytes()) / (1 << 20));
  printf("kernels   %zu (--kernels lists them)\n", report.kernels.size());
  return ExitOk;
}

int inspectModel(const Options &options, const Common &common) {
  auto model = nestor::inspectModel(options.model.model);
  if (!model)
    return complain(common, model.failure());
  using Count = std::pair<std::string, int64_t>;
  std::vector<Count> ops(model->operators.begin(), model->operators.end());
  std::sort(ops.begin(), ops.end(), [](const Count &a, const Count &b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (common.json) {
    auto values = [](const std::vector<nestor::ModelSummary::Value> &rows) {
      Json list = Json::array();
      for (const auto &row : rows)
        list.push(Json::object().add("name", row.name).add("type", row.type));
      return list;
    };
    Json opsets = Json::object(), operators = Json::object();
    for (const auto &[domain, version] : model->opsets)
      opsets.add(domain.empty() ? "ai.onnx" : domain, version);
    for (const auto &[op, count] : ops)
      operators.add(op, count);
    printf("%s\n", Json::object()
                       .add("file", options.model.model)
                       .add("producer", model->producer)
                       .add("opsets", opsets)
                       .add("inputs", values(model->inputs))
                       .add("outputs", values(model->outputs))
                       .add("nodes", model->nodes)
                       .add("operators", operators)
                       .add("weights", model->weights)
                       .add("weights_bytes", model->weightsBytes)
                       .text()
                       .c_str());
    return ExitOk;
  }
  if (!model->producer.empty())
    printf("producer  %s\n", model->producer.c_str());
  for (const auto &[domain, version] : model->opsets)
    printf("opset     %s %lld\n", domain.empty() ? "ai.onnx" : domain.c_str(),
           (long long)version);
  for (const auto &row : model->inputs)
    printf("input     %s %s\n", row.name.c_str(), row.type.c_str());
  for (const auto &row : model->outputs)
    printf("output    %s %s\n", row.name.c_str(), row.type.c_str());
  printf("weights   %lld tensors, %.2f MB\n", (long long)model->weights,
         double(model->weightsBytes) / (1 << 20));
  printf("nodes     %lld\n", (long long)model->nodes);
  for (const auto &[op, count] : ops)
    printf("%9lld %s\n", (long long)count, op.c_str());
  return ExitOk;
}

int inspect(const Options &options, const Common &common) {
  bool artefact = isArtefact(options.model.model);
  bool mlir = options.model.model.ends_with(".mlir");
  if (!artefact && !mlir && !options.kernels)
    return inspectModel(options, common);
  if (artefact) {
    auto program = nestor::Program::load(options.model.model,
                                         {options.checkWeights, true});
    if (!program)
      return complain(common, program.failure());
    return inspectProgram(*program, options, common);
  }
  // The kernels of a model are known once it is compiled.
  auto source = openSource(common, options.model);
  if (!source)
    return complain(common, source.failure());
  return inspectProgram(source->program, options, common);
}

} // namespace

Body declareInspect(CLI::App &app, const Common &common) {
  auto options = std::make_shared<Options>();
  options->model.add(app);
  app.add_flag("--kernels", options->kernels,
               "List each loop nest with its hash and schedule");
  app.add_flag("--check-weights", options->checkWeights,
               "Check the weights of an artefact for damage, whatever their "
               "size");
  return [options, &common] { return inspect(*options, common); };
}
