//===- Program.cpp - A model that can run ---------------------------------===//

#include "nestor/API/Program.h"

#include "Convert.h"
#include "ProgramImpl.h"

#include "llvm/Support/JSON.h"

namespace nestor {

std::string TensorInfo::describe() const {
  std::string text(dtypeName(dtype));
  text += '[';
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i)
      text += ',';
    text += !dims[i].name.empty() ? dims[i].name
            : dims[i].size < 0    ? "?"
                                  : std::to_string(dims[i].size);
  }
  return text += ']';
}

namespace {

/// The kernels that nst_model.build_info lists.
void readBuildInfo(const char *text, CompileReport &report) {
  llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(text);
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    return;
  }
  const llvm::json::Object *info = parsed->getAsObject();
  const llvm::json::Array *kernels = info ? info->getArray("kernels") : nullptr;
  if (!kernels)
    return;
  for (const llvm::json::Value &value : *kernels) {
    const llvm::json::Object *row = value.getAsObject();
    if (!row)
      continue;
    KernelRecord kernel;
    kernel.name = row->getString("name").value_or("").str();
    kernel.hash = row->getString("hash").value_or("").str();
    kernel.scheduleHash = row->getString("schedule_hash").value_or("").str();
    kernel.schedule = row->getString("schedule").value_or("").str();
    report.kernels.push_back(std::move(kernel));
  }
}

} // namespace

CompileReport makeReport(const CompiledModel &model) {
  CompileReport report;
  for (const PhaseTime &time : model.times) {
    report.phases.emplace_back(time.phase, time.seconds);
    report.seconds += time.seconds;
  }
  for (const KernelInfo &kernel : model.kernels)
    report.kernels.push_back({kernel.name, kernel.hash, "", kernel.schedule});
  return report;
}

std::shared_ptr<Program::Impl> Program::Impl::make(rt::Program::Ptr program) {
  auto impl = std::make_shared<Impl>();
  const nst_model &model = program->model();
  auto text = [](const char *s) { return std::string(s ? s : ""); };
  impl->name = text(model.name);
  impl->target = text(model.target);
  impl->features = text(model.features);
  for (int64_t i = 0; i < model.num_symbols; ++i)
    impl->symbols.push_back(
        {model.symbols[i].name, model.symbols[i].min, model.symbols[i].max});
  auto read = [&](const nst_io *rows, int64_t count,
                  std::vector<TensorInfo> &into) {
    for (int64_t i = 0; i < count; ++i) {
      TensorInfo info;
      info.name = rows[i].name;
      info.dtype = static_cast<DType>(rows[i].dtype);
      for (int32_t d = 0; d < rows[i].rank; ++d) {
        const nst_dim &dim = rows[i].dims[d];
        if (dim.symbol >= 0)
          info.dims.push_back({-1, model.symbols[dim.symbol].name});
        else
          info.dims.push_back(
              {dim.symbol == NST_DIM_FIXED ? dim.value : -1, ""});
      }
      into.push_back(std::move(info));
    }
  };
  read(model.inputs, model.num_inputs, impl->inputs);
  read(model.outputs, model.num_outputs, impl->outputs);
  if (model.build_info)
    readBuildInfo(model.build_info, impl->report);
  impl->loaded = std::move(program);
  return impl;
}

Result<Program> Program::load(const std::string &path, LoadOptions options) {
  rt::LoadOptions load;
  load.checkFeatures = !options.lookOnly;
  if (options.checkWeights)
    load.integrity = rt::Integrity::Full;
  rt::Program::Ptr loaded;
  if (rt::Status status = rt::Program::loadFile(path.c_str(), load, loaded);
      !status.ok())
    return toFailure(std::move(status));
  Program program;
  program.impl = Impl::make(std::move(loaded));
  return program;
}

const std::string &Program::name() const { return impl->name; }
const std::vector<TensorInfo> &Program::inputs() const { return impl->inputs; }
const std::vector<TensorInfo> &Program::outputs() const {
  return impl->outputs;
}
const std::vector<SymbolInfo> &Program::symbols() const {
  return impl->symbols;
}
const std::string &Program::target() const { return impl->target; }
const std::string &Program::features() const { return impl->features; }
const CompileReport &Program::report() const { return impl->report; }
uint64_t Program::weightsBytes() const {
  const nst_model &model = impl->loaded->model();
  uint64_t bytes = 0;
  for (int64_t i = 0; i < model.num_constants; ++i)
    bytes += model.constants[i].bytes;
  return bytes;
}
uint32_t Program::abiVersion() const {
  return impl->loaded->model().abi_version;
}

Result<void> Program::save(const std::string &path) const {
  if (!impl->compiled)
    return Failure{2, "a program that was loaded from an artefact is saved "
                      "already: copy its file"};
  if (llvm::Error error = writeArtefact(*impl->compiled, path))
    return toFailure(std::move(error));
  if (rt::Status status = rt::sealArtefact(path.c_str()); !status.ok())
    return toFailure(std::move(status));
  return {};
}

namespace {

rt::Status runOn(rt::Instance &instance, std::span<const Tensor> inputs) {
  llvm::SmallVector<nst_tensor, 8> views;
  for (const Tensor &tensor : inputs)
    views.push_back({const_cast<void *>(tensor.data()), tensor.dims().data(),
                     static_cast<int32_t>(tensor.dims().size()),
                     static_cast<int32_t>(tensor.dtype())});
  return instance.run({views.data(), views.size()});
}

std::vector<Tensor> takeOutputs(rt::Instance &instance, size_t count) {
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < count; ++i) {
    nst_tensor view = instance.output(i);
    std::vector<int64_t> dims(view.dims, view.dims + view.rank);
    auto buffer = std::make_shared<rt::Buffer>(instance.takeOutput(i));
    std::shared_ptr<void> data(buffer, buffer->data());
    outputs.push_back(Tensor::share(static_cast<DType>(view.dtype),
                                    std::move(dims), std::move(data)));
  }
  return outputs;
}

} // namespace

Result<std::vector<Tensor>> Program::run(std::span<const Tensor> inputs) const {
  std::unique_ptr<rt::Instance> instance;
  {
    std::lock_guard<std::mutex> guard(impl->lock);
    if (!impl->idle.empty()) {
      instance = std::move(impl->idle.back());
      impl->idle.pop_back();
    }
  }
  if (!instance)
    if (rt::Status status = rt::Instance::create(impl->loaded, {}, instance);
        !status.ok())
      return toFailure(std::move(status));
  rt::Status status = runOn(*instance, inputs);
  std::vector<Tensor> outputs;
  if (status.ok())
    outputs = takeOutputs(*instance, impl->outputs.size());
  {
    std::lock_guard<std::mutex> guard(impl->lock);
    impl->idle.push_back(std::move(instance));
  }
  if (!status.ok())
    return toFailure(std::move(status));
  return outputs;
}

struct Session::Impl {
  std::shared_ptr<Program::Impl> program;
  std::unique_ptr<rt::Instance> instance;
};

Session::Session(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Session::Session(Session &&) noexcept = default;
Session &Session::operator=(Session &&) noexcept = default;
Session::~Session() = default;

Result<Session> Program::session(RunOptions options) const {
  auto state = std::make_unique<Session::Impl>();
  state->program = impl;
  rt::InstanceOptions instance;
  if (options.threads > 0)
    instance.executor = std::make_shared<rt::ThreadPool>(options.threads);
  instance.memoryLimit = options.memoryLimit;
  if (rt::Status status =
          rt::Instance::create(impl->loaded, instance, state->instance);
      !status.ok())
    return toFailure(std::move(status));
  return Session(std::move(state));
}

Result<void> Session::runOnly(std::span<const Tensor> inputs) {
  if (rt::Status status = runOn(*impl->instance, inputs); !status.ok())
    return toFailure(std::move(status));
  return {};
}

Result<std::vector<Tensor>> Session::run(std::span<const Tensor> inputs) {
  if (Result<void> done = runOnly(inputs); !done)
    return done.failure();
  return takeOutputs(*impl->instance, impl->program->outputs.size());
}

Tensor Session::output(size_t index) const {
  nst_tensor view = impl->instance->output(index);
  return Tensor::borrow(static_cast<DType>(view.dtype),
                        {view.dims, view.dims + view.rank}, view.data);
}

} // namespace nestor
