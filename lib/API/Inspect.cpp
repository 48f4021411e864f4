//===- Inspect.cpp - Looking at models and machines -----------------------===//

#include "nestor/API/Inspect.h"

#include "Convert.h"

#include "nestor/Exec/Calibrate.h"
#include "nestor/Import/ONNX/Model.h"
#include "nestor/Runtime/Abi.h"
#include "nestor/Runtime/CpuFeatures.h"
#include "nestor/Runtime/CpuQuota.h"
#include "nestor/Target/Calibration.h"
#include "nestor/Target/Target.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/ErrorHandling.h"

#include <unistd.h>

namespace nestor {
namespace {

std::string describeType(const onnx::TypeInfo &type) {
  std::string text;
  switch (type.kind) {
  case onnx::TypeInfo::None:
    return "?";
  case onnx::TypeInfo::Sequence:
    return "sequence";
  case onnx::TypeInfo::Optional:
    return "optional";
  case onnx::TypeInfo::Map:
    return "map";
  case onnx::TypeInfo::Sparse:
    return "sparse";
  case onnx::TypeInfo::Opaque:
    return "opaque";
  case onnx::TypeInfo::TensorType:
    break;
  }
  text = onnx::dataTypeName(type.element).str();
  if (!type.hasShape)
    return text + "[...]";
  text += '[';
  for (size_t i = 0; i < type.dims.size(); ++i) {
    if (i)
      text += ',';
    const onnx::Dimension &dim = type.dims[i];
    text += dim.value           ? std::to_string(*dim.value)
            : dim.param.empty() ? "?"
                                : dim.param.str();
  }
  return text + "]";
}

/// Adds the nodes and weights of `graph` and of the graphs inside it; nesting
/// is bounded by the reader.
void addGraph(const onnx::Graph &graph, ModelSummary &summary);

void addNodes(const std::vector<onnx::Node> &nodes, ModelSummary &summary) {
  for (const onnx::Node &node : nodes) {
    std::string op = node.op.str();
    if (!node.domain.empty() && node.domain != "ai.onnx")
      op = node.domain.str() + "." + op;
    ++summary.operators[op];
    ++summary.nodes;
    for (const onnx::NodeAttribute &attribute : node.attributes)
      if (attribute.graph)
        addGraph(*attribute.graph, summary);
  }
}

void addGraph(const onnx::Graph &graph, ModelSummary &summary) {
  addNodes(graph.nodes, summary);
  for (const onnx::Tensor &tensor : graph.initializers) {
    ++summary.weights;
    llvm::Expected<int64_t> count = onnx::elementCount(tensor.dims);
    llvm::Expected<int64_t> bytes =
        count ? onnx::byteCount(*count, tensor.type)
              : llvm::Expected<int64_t>(count.takeError());
    if (bytes)
      summary.weightsBytes += static_cast<uint64_t>(*bytes);
    else
      llvm::consumeError(bytes.takeError());
  }
}

} // namespace

Result<ModelSummary> inspectModel(const std::string &path) {
  llvm::Expected<onnx::Model> model = onnx::readModel(path);
  if (!model)
    return toFailure(model.takeError());
  ModelSummary summary;
  summary.producer = model->producer.str();
  for (const onnx::Opset &opset : model->opsets)
    summary.opsets.emplace_back(opset.domain.str(), opset.version);
  // Initializers may be listed as inputs; those are no inputs to give.
  llvm::StringMap<bool> constants;
  for (const onnx::Tensor &tensor : model->graph.initializers)
    constants[tensor.name] = true;
  for (const onnx::ValueInfo &value : model->graph.inputs)
    if (!constants.contains(value.name))
      summary.inputs.push_back({value.name.str(), describeType(value.type)});
  for (const onnx::ValueInfo &value : model->graph.outputs)
    summary.outputs.push_back({value.name.str(), describeType(value.type)});
  addGraph(model->graph, summary);
  for (const onnx::Function &function : model->functions)
    addNodes(function.nodes, summary);
  return summary;
}

std::string cpuKind() { return Target::host().kind().str(); }

static RateReport inspectRates(const Target &host) {
  Calibration calibration = readCalibration(host);
  RateReport report;
  report.measured = calibration.state == Calibration::Used;
  report.file = calibration.file;
  report.note = calibration.state == Calibration::Off
                    ? "left aside by NESTOR_CALIBRATION=off"
                    : calibration.note;
  for (const RateField &field : rateFields())
    report.rates.push_back(
        {field.name.str(), host.rates.*field.field, field.unit.str()});
  return report;
}

Result<void> calibrateHost() {
  Target host = Target::host();
  llvm::Expected<std::string> file = writeCalibration(host, measureRates(host));
  if (!file)
    return toFailure(file.takeError());
  return {};
}

HostReport inspectHost() {
  HostReport report;
  Target host = Target::host();
  report.arch = rt::hostArch();
  report.cpu = rt::hostCpuName();
  report.target = host.describe();
  report.kind = host.kind().str();
  for (std::string_view feature : rt::hostFeatures())
    report.features.emplace_back(feature);
  report.cpus = rt::affinityCpus();
  report.quota = rt::cgroupCpus();
  report.defaultThreads = rt::defaultThreads();
  report.amxGranted = host.has("amx-tile") && rt::requestAmx().ok();
  report.memoryBytes =
      uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE));
  report.version = NESTOR_VERSION;
  report.llvmVersion = LLVM_VERSION_STRING;
  report.abiVersion = NST_ABI_VERSION;
  for (llvm::StringRef name : Target::knownNames())
    report.targets.push_back(name.str());
  report.rates = inspectRates(host);
  return report;
}

namespace {
int fatalCode = 1;
void (*fatalReport)(const char *) = nullptr;

void onFatal(void *, const char *reason, bool) {
  if (fatalReport)
    fatalReport(reason);
  _exit(fatalCode);
}

void onBadAlloc(void *, const char *, bool) {
  if (fatalReport)
    fatalReport("out of memory");
  _exit(static_cast<int>(ErrorKind::Budget));
}
} // namespace

void onFatalError(int code, void (*report)(const char *)) {
  fatalCode = code;
  fatalReport = report;
  llvm::install_fatal_error_handler(onFatal);
  llvm::install_bad_alloc_error_handler(onBadAlloc);
}

} // namespace nestor
