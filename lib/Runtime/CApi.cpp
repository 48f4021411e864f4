//===- CApi.cpp - The C face of the runtime -------------------------------===//

#include "nestor/Runtime/nestor_rt.h"

#include "nestor/Runtime/Instance.h"

#include <cstring>
#include <new>

using namespace nestor;

struct nst_status {
  rt::Status status;
  bool borrowed = false; // the one for "no memory for a status"
};

struct nst_context {
  std::shared_ptr<rt::Executor> executor;
  rt::InstanceOptions options;
};

struct nst_program {
  rt::Program::Ptr program;
  rt::InstanceOptions options;
  /// The signature in the face's own form: sizes and names by row.
  std::vector<std::vector<int64_t>> sizes;
  std::vector<std::vector<const char *>> names;
};

struct nst_instance {
  std::unique_ptr<rt::Instance> instance;
  std::vector<nst_tensor> inputs;
  std::vector<rt::OutputBuffer> outputs;
  std::vector<std::vector<int64_t>> outputDims;
};

namespace {

nst_status noMemory{{rt::Code::Budget, {}}, true};

nst_status *give(rt::Status &&status) {
  if (status.ok())
    return nullptr;
  auto *result = new (std::nothrow) nst_status{std::move(status)};
  return result ? result : &noMemory;
}

nst_status *usage(const char *what) {
  return give(rt::fail(rt::Code::Usage, "%s", what));
}

/// Runs `body`, turning exhausted memory into a status.
template <typename Body>
nst_status *guarded(Body body) try {
  return give(body());
} catch (const std::bad_alloc &) {
  return give(rt::fail(rt::Code::Budget, "out of memory"));
} catch (...) {
  return give(rt::fail(rt::Code::Internal, "unexpected exception"));
}

/// The caller's options in a struct of our size: what it does not know is 0.
template <typename T>
T adapt(const T *given) {
  T result = {};
  if (given)
    memcpy(&result, given,
           given->struct_size < sizeof(T) ? given->struct_size : sizeof(T));
  return result;
}

struct DlType {
  uint8_t code, bits;
};
constexpr DlType dlTypes[rt::kNumDTypes] = {
    {6, 8},  {1, 8},  {0, 8},  {1, 16}, {0, 16}, {1, 32}, {0, 32},
    {1, 64}, {0, 64}, {2, 16}, {4, 16}, {2, 32}, {2, 64}};

rt::Status fromDl(const nst_dl_tensor *dl, const char *what, uint32_t index,
                  nst_tensor &tensor) {
  if (!dl)
    return rt::fail(rt::Code::RunTime, "%s %u is null", what, index);
  if (dl->device.device_type != 1)
    return rt::fail(rt::Code::RunTime, "%s %u is not in CPU memory", what,
                    index);
  int32_t dtype = 0;
  while (dtype < rt::kNumDTypes && (dlTypes[dtype].code != dl->dtype.code ||
                                    dlTypes[dtype].bits != dl->dtype.bits))
    ++dtype;
  if (dtype == rt::kNumDTypes || dl->dtype.lanes != 1)
    return rt::fail(rt::Code::RunTime,
                    "%s %u has an element type that no model takes", what,
                    index);
  if (dl->ndim < 0 || dl->ndim > rt::kMaxRank || (dl->ndim && !dl->shape))
    return rt::fail(rt::Code::RunTime, "%s %u has an impossible shape", what,
                    index);
  if (dl->strides) {
    int64_t expected = 1;
    for (int32_t d = dl->ndim; d-- > 0;) {
      if (dl->shape[d] != 1 && dl->strides[d] != expected)
        return rt::fail(rt::Code::RunTime,
                        "%s %u is not contiguous; copy it first", what, index);
      if (__builtin_mul_overflow(expected, dl->shape[d], &expected))
        return rt::fail(rt::Code::RunTime, "%s %u has an impossible shape",
                        what, index);
    }
  }
  tensor.data =
      dl->data ? static_cast<char *>(dl->data) + dl->byte_offset : nullptr;
  tensor.dims = dl->shape;
  tensor.rank = dl->ndim;
  tensor.dtype = dtype;
  return rt::Status::success();
}

int32_t statusCode(const nst_status *status) {
  return status ? static_cast<int32_t>(status->status.code) : 0;
}

const char *statusMessage(const nst_status *status) {
  if (!status)
    return "";
  return status->borrowed ? "out of memory" : status->status.message.c_str();
}

void statusFree(nst_status *status) {
  if (status && !status->borrowed)
    delete status;
}

nst_status *contextCreate(const nst_context_options *given,
                          nst_context **context) {
  if (!context)
    return usage("context_create: null result pointer");
  return guarded([&] {
    auto options = adapt(given);
    auto result = std::make_unique<nst_context>();
    if (options.parallel_for)
      result->executor = std::make_shared<rt::CallbackExecutor>(
          options.parallel_for, options.parallel_user,
          options.threads > 0 ? options.threads : 1);
    else if (options.threads > 0)
      result->executor = std::make_shared<rt::ThreadPool>(options.threads);
    else
      result->executor = rt::sharedPool();
    result->options.executor = result->executor;
    result->options.allocator = {options.allocate, options.free,
                                 options.memory_user};
    result->options.memoryLimit = options.memory_limit;
    *context = result.release();
    return rt::Status::success();
  });
}

void contextFree(nst_context *context) { delete context; }

rt::Status makeProgram(nst_context *context, rt::Program::Ptr loaded,
                       nst_program **program) {
  auto result = std::make_unique<nst_program>();
  result->options = context->options;
  const nst_model &model = loaded->model();
  auto addRow = [&](const nst_io &io) {
    std::vector<int64_t> sizes;
    std::vector<const char *> names;
    for (int32_t d = 0; d < io.rank; ++d) {
      int64_t symbol = io.dims[d].symbol;
      sizes.push_back(symbol == NST_DIM_FIXED ? io.dims[d].value : -1);
      names.push_back(symbol >= 0 ? model.symbols[symbol].name : nullptr);
    }
    result->sizes.push_back(std::move(sizes));
    result->names.push_back(std::move(names));
  };
  for (int64_t i = 0; i < model.num_inputs; ++i)
    addRow(model.inputs[i]);
  for (int64_t i = 0; i < model.num_outputs; ++i)
    addRow(model.outputs[i]);
  result->program = std::move(loaded);
  *program = result.release();
  return rt::Status::success();
}

rt::LoadOptions loadOptions(const nst_load_options *given) {
  auto options = adapt(given);
  rt::LoadOptions result;
  if (options.constant)
    result.resolver = [options](const char *key, uint64_t bytes) {
      return options.constant(options.constant_user, key, bytes);
    };
  return result;
}

nst_status *loadFile(nst_context *context, const char *path,
                     const nst_load_options *options, nst_program **program) {
  if (!context || !path || !program)
    return usage("load_file: null argument");
  return guarded([&] {
    rt::Program::Ptr loaded;
    rt::Status status =
        rt::Program::loadFile(path, loadOptions(options), loaded);
    return status.ok() ? makeProgram(context, std::move(loaded), program)
                       : std::move(status);
  });
}

nst_status *load(nst_context *context, const void *bytes, size_t size,
                 const nst_load_options *options, nst_program **program) {
  if (!context || !bytes || !program)
    return usage("load: null argument");
  return guarded([&] {
    rt::Program::Ptr loaded;
    rt::Status status =
        rt::Program::loadBytes(static_cast<const uint8_t *>(bytes), size,
                               loadOptions(options), loaded);
    return status.ok() ? makeProgram(context, std::move(loaded), program)
                       : std::move(status);
  });
}

void programFree(nst_program *program) { delete program; }

void ioCount(const nst_program *program, uint32_t *inputs, uint32_t *outputs) {
  if (!program)
    return;
  const nst_model &model = program->program->model();
  if (inputs)
    *inputs = static_cast<uint32_t>(model.num_inputs);
  if (outputs)
    *outputs = static_cast<uint32_t>(model.num_outputs);
}

nst_status *ioInfo(const nst_program *program, uint32_t index, bool input,
                   nst_io_info *info) {
  if (!program || !info || info->struct_size < sizeof(nst_io_info))
    return usage("io info: null or too small a result");
  const nst_model &model = program->program->model();
  if (index >= (input ? model.num_inputs : model.num_outputs))
    return usage("io info: no such input or output");
  const nst_io &io = input ? model.inputs[index] : model.outputs[index];
  size_t row = input ? index : model.num_inputs + index;
  info->name = io.name;
  info->dtype = io.dtype;
  info->rank = io.rank;
  info->dims = program->sizes[row].data();
  info->dim_names = program->names[row].data();
  return nullptr;
}

nst_status *inputInfo(const nst_program *program, uint32_t index,
                      nst_io_info *info) {
  return ioInfo(program, index, true, info);
}

nst_status *outputInfo(const nst_program *program, uint32_t index,
                       nst_io_info *info) {
  return ioInfo(program, index, false, info);
}

nst_status *instanceCreate(nst_program *program, nst_instance **instance) {
  if (!program || !instance)
    return usage("instance_create: null argument");
  return guarded([&] {
    auto result = std::make_unique<nst_instance>();
    const nst_model &model = program->program->model();
    result->inputs.resize(model.num_inputs);
    result->outputs.resize(model.num_outputs);
    result->outputDims.resize(model.num_outputs);
    rt::Status status = rt::Instance::create(program->program, program->options,
                                             result->instance);
    if (status.ok())
      *instance = result.release();
    return status;
  });
}

void instanceFree(nst_instance *instance) { delete instance; }

nst_status *run(nst_instance *instance, const nst_dl_tensor *const *inputs,
                uint32_t numInputs, const nst_dl_tensor *const *outputs,
                uint32_t numOutputs) {
  if (!instance || (numInputs && !inputs))
    return usage("run: null argument");
  if (numInputs != instance->inputs.size() ||
      (outputs && numOutputs != instance->outputs.size()))
    return give(rt::fail(rt::Code::RunTime,
                         "the model has %zu inputs and %zu outputs, %u and %u "
                         "were given",
                         instance->inputs.size(), instance->outputs.size(),
                         numInputs, numOutputs));
  for (uint32_t i = 0; i < numInputs; ++i)
    if (rt::Status status = fromDl(inputs[i], "input", i, instance->inputs[i]);
        !status.ok())
      return give(std::move(status));
  for (uint32_t i = 0; outputs && i < numOutputs; ++i) {
    instance->outputs[i] = {};
    if (!outputs[i] || !outputs[i]->data)
      continue;
    nst_tensor tensor;
    rt::Status status = fromDl(outputs[i], "output", i, tensor);
    uint64_t bytes = 0;
    const nst_io &io = instance->instance->getProgram().model().outputs[i];
    if (status.ok() &&
        (tensor.dtype != io.dtype ||
         !rt::tensorBytes(tensor.dtype, tensor.dims, tensor.rank, bytes)))
      status = rt::fail(rt::Code::RunTime,
                        "the buffer for output '%s' has another element type "
                        "or an impossible shape",
                        io.name);
    if (!status.ok())
      return give(std::move(status));
    instance->outputs[i] = {tensor.data, bytes};
  }
  std::span<const rt::OutputBuffer> buffers;
  if (outputs)
    buffers = instance->outputs;
  return give(instance->instance->run(instance->inputs, buffers));
}

nst_status *output(nst_instance *instance, uint32_t index,
                   nst_dl_tensor *view) {
  if (!instance || !view || index >= instance->outputs.size())
    return usage("output: null argument or no such output");
  return guarded([&] {
    nst_tensor tensor = instance->instance->output(index);
    std::vector<int64_t> &dims = instance->outputDims[index];
    dims.assign(tensor.dims, tensor.dims + tensor.rank);
    *view = {};
    view->data = tensor.data;
    view->device.device_type = 1;
    view->ndim = tensor.rank;
    view->dtype.code = dlTypes[tensor.dtype].code;
    view->dtype.bits = dlTypes[tensor.dtype].bits;
    view->dtype.lanes = 1;
    view->shape = dims.data();
    return rt::Status::success();
  });
}

void trim(nst_instance *instance) {
  if (instance)
    instance->instance->trim();
}

constexpr nst_api table = {
    sizeof(nst_api), statusCode, statusMessage,  statusFree,   contextCreate,
    contextFree,     loadFile,   load,           programFree,  ioCount,
    inputInfo,       outputInfo, instanceCreate, instanceFree, run,
    output,          trim};

} // namespace

extern "C" const nst_api *nst_get_api(uint32_t version) {
  return version == NST_API_1 ? &table : nullptr;
}
