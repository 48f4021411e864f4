// nestor run MODEL: one run, its outputs as numbers or as an .npz file.

#include "Command.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace {

struct Options {
  ModelOptions model;
  InputOptions inputs;
  std::string saveOutputs;
};

struct Summary {
  double min = std::numeric_limits<double>::infinity();
  double max = -min;
  double mean = 0;
  int64_t nan = 0, inf = 0;
  std::vector<double> first;
};

Summary summarize(const nestor::Tensor &tensor) {
  Summary s;
  int64_t count = tensor.numElements(), finite = 0;
  for (int64_t i = 0; i < count; ++i) {
    double v = tensor.at(i);
    if (i < 6)
      s.first.push_back(v);
    s.nan += std::isnan(v);
    s.inf += std::isinf(v);
    if (!std::isfinite(v))
      continue;
    s.min = std::min(s.min, v);
    s.max = std::max(s.max, v);
    s.mean += v;
    ++finite;
  }
  if (finite)
    s.mean /= double(finite);
  else
    s.min = s.max = s.mean = std::nan("");
  return s;
}

void printText(const nestor::TensorInfo &info, const nestor::Tensor &tensor) {
  Summary s = summarize(tensor);
  printf("%s %s", info.name.c_str(), tensor.describe().c_str());
  if (tensor.numElements())
    printf("  min %.6g max %.6g mean %.6g", s.min, s.max, s.mean);
  if (s.nan || s.inf)
    printf("  NaN %lld Inf %lld", (long long)s.nan, (long long)s.inf);
  printf("  [");
  for (size_t i = 0; i < s.first.size(); ++i)
    printf("%s%.6g", i ? ", " : "", s.first[i]);
  printf("%s]\n",
         tensor.numElements() > int64_t(s.first.size()) ? ", ..." : "");
}

Json toJson(const nestor::TensorInfo &info, const nestor::Tensor &tensor) {
  Summary s = summarize(tensor);
  Json dims = Json::array(), first = Json::array();
  for (int64_t dim : tensor.dims())
    dims.push(dim);
  for (double v : s.first)
    first.push(v);
  return Json::object()
      .add("name", info.name)
      .add("dtype", nestor::dtypeName(tensor.dtype()))
      .add("dims", dims)
      .add("min", s.min)
      .add("max", s.max)
      .add("mean", s.mean)
      .add("nan", s.nan)
      .add("inf", s.inf)
      .add("first", first);
}

int run(const Options &options, const Common &common) {
  auto source = openSource(common, options.model);
  if (!source)
    return complain(common, source.failure());
  const nestor::Program &program = source->program;
  auto inputs = makeInputs(program, options.inputs, options.model.parseDims());
  if (!inputs)
    return complain(common, inputs.failure());
  auto session = program.session({options.model.threads});
  if (!session)
    return complain(common, session.failure());
  double start = now();
  auto outputs = session->run(*inputs);
  double seconds = now() - start;
  if (!outputs)
    return complain(common, outputs.failure());

  if (!options.saveOutputs.empty()) {
    std::vector<nestor::NamedTensor> named;
    for (size_t i = 0; i < outputs->size(); ++i)
      named.push_back({program.outputs()[i].name, (*outputs)[i]});
    if (auto saved = nestor::writeNpz(options.saveOutputs, named); !saved)
      return complain(common, saved.failure());
  }
  if (common.json) {
    Json list = Json::array();
    for (size_t i = 0; i < outputs->size(); ++i)
      list.push(toJson(program.outputs()[i], (*outputs)[i]));
    Json result = Json::object();
    result.add("model", options.model.model)
        .add("target", program.target())
        .add(source->compiled ? "compile_s" : "load_s", source->seconds)
        .add("first_ms", seconds * 1e3)
        .add("outputs", list);
    printf("%s\n", result.text().c_str());
    return ExitOk;
  }
  for (size_t i = 0; i < outputs->size(); ++i)
    printText(program.outputs()[i], (*outputs)[i]);
  if (!common.quiet)
    fprintf(stderr, "%s in %.3f s, first run %.3f ms\n",
            source->compiled ? "compiled" : "loaded", source->seconds,
            seconds * 1e3);
  return ExitOk;
}

} // namespace

Body declareRun(CLI::App &app, const Common &common) {
  auto options = std::make_shared<Options>();
  options->model.add(app);
  options->inputs.add(app);
  app.add_option("--save-outputs", options->saveOutputs,
                 "Write all outputs to this .npz file, by name");
  return [options, &common] { return run(*options, common); };
}
