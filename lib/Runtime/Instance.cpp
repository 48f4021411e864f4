//===- Instance.cpp - Checked runs ----------------------------------------===//

#include "nestor/Runtime/Instance.h"

#include "nestor/Runtime/CpuFeatures.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace nestor::rt {

/// What the model may ask, as the C table of the contract.
struct Services {
  static Instance &self(nst_call *call) {
    return *static_cast<Instance *>(call->context);
  }
  static int32_t parallelFor(nst_call *call, int64_t n, int64_t grain,
                             int32_t maxWorkers, nst_body body, void *env) {
    return self(call).executor->parallelFor(n, grain, maxWorkers, body, env);
  }
  static void *arena(nst_call *call, uint64_t bytes) {
    return self(call).giveArena(bytes);
  }
  static void *scratch(nst_call *call, uint64_t bytes) {
    return self(call).giveScratch(bytes);
  }
  static void *output(nst_call *call, int32_t index, const int64_t *dims,
                      int32_t rank) {
    return self(call).giveOutput(index, dims, rank);
  }
  static void fail(nst_call *call, int32_t code, const char *message) {
    self(call).recordFailure(code, message);
  }
  static int32_t workers(nst_call *call) {
    return self(call).executor->workers();
  }
  static const nst_services table;
};

const nst_services Services::table = {
    sizeof(nst_services), Services::parallelFor, Services::arena,
    Services::scratch,    Services::output,      Services::fail,
    Services::workers};

/// A scratch block's header, in front of its bytes.
struct alignas(NST_ALIGNMENT) Instance::Scratch {
  Scratch *next = nullptr;
  uint64_t bytes = 0; // with this header
};

std::string describe(int32_t dtype, const int64_t *dims, int32_t rank) {
  std::string text = dtypeName(dtype);
  text += '[';
  for (int32_t i = 0; i < rank; ++i) {
    if (i)
      text += ',';
    text += std::to_string(dims[i]);
  }
  return text += ']';
}

std::string describe(const nst_model &model, const nst_io &io) {
  std::string text = dtypeName(io.dtype);
  text += '[';
  for (int32_t i = 0; i < io.rank; ++i) {
    const nst_dim &dim = io.dims[i];
    if (i)
      text += ',';
    if (dim.symbol >= 0)
      text += model.symbols[dim.symbol].name;
    else if (dim.symbol == NST_DIM_UNKNOWN)
      text += '?';
    else
      text += std::to_string(dim.value);
  }
  return text += ']';
}

Instance::Instance(Program::Ptr p, InstanceOptions o)
    : program(std::move(p)), options(std::move(o)),
      executor(options.executor ? options.executor : sharedPool()),
      outputs(program->model().num_outputs),
      symbols(program->model().num_symbols) {}

Instance::~Instance() {
  freeScratch(scratch);
  freeScratch(spare);
}

Status Instance::create(Program::Ptr program, InstanceOptions options,
                        std::unique_ptr<Instance> &instance) try {
  if (!program->runnable())
    return requireFeatures(program->features());
  instance.reset(new Instance(std::move(program), std::move(options)));
  return Status::success();
} catch (const std::bad_alloc &) {
  return fail(Code::Budget, "out of memory");
}

Status Instance::refuse(const nst_tensor &tensor, const nst_io &io,
                        const char *why) {
  bool printable = tensor.rank >= 0 && tensor.rank <= kMaxRank &&
                   (tensor.rank == 0 || tensor.dims);
  return fail(Code::RunTime, "input '%s' must be %s but is %s: %s", io.name,
              describe(program->model(), io).c_str(),
              printable
                  ? describe(tensor.dtype, tensor.dims, tensor.rank).c_str()
                  : "malformed",
              why);
}

Status Instance::bindInputs(std::span<const nst_tensor> given) {
  const nst_model &model = program->model();
  if (given.size() != static_cast<size_t>(model.num_inputs))
    return fail(Code::RunTime, "the model takes %lld inputs, %zu were given",
                static_cast<long long>(model.num_inputs), given.size());
  for (int64_t &value : symbols)
    value = -1;
  for (size_t i = 0; i < given.size(); ++i) {
    const nst_tensor &tensor = given[i];
    const nst_io &io = model.inputs[i];
    if (tensor.dtype != io.dtype)
      return refuse(tensor, io, "the element types differ");
    if (tensor.rank != io.rank)
      return refuse(tensor, io, "the numbers of dimensions differ");
    if (io.rank > 0 && !tensor.dims)
      return refuse(tensor, io, "its dimensions are null");
    for (int32_t d = 0; d < io.rank; ++d) {
      int64_t size = tensor.dims[d];
      const nst_dim &dim = io.dims[d];
      char why[256];
      if (size < 0)
        return refuse(tensor, io, "a dimension is negative");
      if (dim.symbol < 0) {
        if (size == dim.value)
          continue;
        snprintf(why, sizeof why, "dimension %d must be %lld", d,
                 static_cast<long long>(dim.value));
        return refuse(tensor, io, why);
      }
      const nst_symbol &symbol = model.symbols[dim.symbol];
      int64_t &value = symbols[dim.symbol];
      // A maximum below zero means that there is none.
      if (size < symbol.min || (symbol.max >= 0 && size > symbol.max)) {
        snprintf(why, sizeof why, "'%.100s' must lie in %lld..%lld",
                 symbol.name, static_cast<long long>(symbol.min),
                 static_cast<long long>(symbol.max));
        return refuse(tensor, io, why);
      }
      if (value >= 0 && value != size) {
        snprintf(why, sizeof why,
                 "dimension %d is '%.100s', which is %lld in an earlier place",
                 d, symbol.name, static_cast<long long>(value));
        return refuse(tensor, io, why);
      }
      value = size;
    }
    uint64_t bytes;
    if (!tensorBytes(io.dtype, tensor.dims, io.rank, bytes))
      return refuse(tensor, io, "it has too many elements");
    if (bytes != 0 && !tensor.data)
      return refuse(tensor, io, "its data is null");
    if (reinterpret_cast<uintptr_t>(tensor.data) % dtypeSize(io.dtype))
      return refuse(tensor, io, "its data is not aligned to its elements");
  }
  return Status::success();
}

bool Instance::withinLimit(uint64_t bytes) {
  uint64_t used = bytesInUse.fetch_add(bytes, std::memory_order_relaxed);
  return options.memoryLimit == 0 || used + bytes <= options.memoryLimit;
}

void Instance::recordFailure(int32_t code, const char *message) {
  std::lock_guard<std::mutex> guard(lock);
  if (!failure.ok())
    return; // the first reason is the one that explains the others
  Code kind =
      code == NST_BUDGET || code == NST_DAMAGED ? Code(code) : Code::RunTime;
  failure = fail(kind, "%s", message ? message : "no reason given");
}

void *Instance::giveArena(uint64_t bytes) {
  if (arenaGiven) {
    recordFailure(NST_DAMAGED, "the model asked for its arena twice");
    return nullptr;
  }
  arenaGiven = true;
  bool allowed = withinLimit(bytes);
  if (allowed && arena.data() && bytes <= arena.size())
    return arena.data();
  if (allowed && arena.allocate(bytes, options.allocator))
    return arena.data();
  char text[128];
  snprintf(text, sizeof text, "no memory for the arena of %llu bytes%s",
           static_cast<unsigned long long>(bytes),
           allowed ? "" : ": over the memory limit");
  recordFailure(NST_BUDGET, text);
  return nullptr;
}

void *Instance::giveScratch(uint64_t bytes) {
  bool allowed = withinLimit(bytes) && bytes <= uint64_t(1) << 62;
  uint64_t rounded =
      (bytes + NST_ALIGNMENT - 1) / NST_ALIGNMENT * NST_ALIGNMENT +
      sizeof(Scratch);
  Scratch *block = allowed ? spareScratch(rounded) : nullptr;
  if (allowed && !block) {
    if (void *memory = aligned_alloc(NST_ALIGNMENT, rounded)) {
      block = new (memory) Scratch;
      block->bytes = rounded;
    }
  }
  if (!block) {
    char text[128];
    snprintf(text, sizeof text, "no memory for %llu bytes of scratch%s",
             static_cast<unsigned long long>(bytes),
             allowed ? "" : ": over the memory limit");
    recordFailure(NST_BUDGET, text);
    return nullptr;
  }
  std::lock_guard<std::mutex> guard(lock);
  block->next = scratch;
  scratch = block;
  return block + 1;
}

Instance::Scratch *Instance::spareScratch(uint64_t bytes) {
  std::lock_guard<std::mutex> guard(lock);
  for (Scratch **at = &spare; *at; at = &(*at)->next)
    if ((*at)->bytes >= bytes && (*at)->bytes / 2 <= bytes) {
      Scratch *block = *at;
      *at = block->next;
      return block;
    }
  return nullptr;
}

/// What this run asked for serves the next one, whose pages are then there.
void Instance::keepScratch() {
  freeScratch(spare);
  std::swap(spare, scratch);
}

void Instance::freeScratch(Scratch *&list) {
  while (list) {
    Scratch *next = list->next;
    free(list);
    list = next;
  }
}

void *Instance::giveOutput(int32_t index, const int64_t *dims, int32_t rank) {
  const nst_model &model = program->model();
  char text[512];
  auto refuseOutput = [&](int32_t code) -> void * {
    recordFailure(code, text);
    return nullptr;
  };
  snprintf(text, sizeof text, "the model made a wrong request for output %d",
           index);
  if (index < 0 || index >= model.num_outputs || outputs[index].given)
    return refuseOutput(NST_DAMAGED);
  const nst_io &io = model.outputs[index];
  if (rank != io.rank || (rank > 0 && !dims))
    return refuseOutput(NST_DAMAGED);
  Output &out = outputs[index];
  for (int32_t d = 0; d < rank; ++d) {
    const nst_dim &dim = io.dims[d];
    int64_t expected = -1;
    if (dim.symbol == NST_DIM_FIXED)
      expected = dim.value;
    else if (dim.symbol >= 0)
      expected = symbols[dim.symbol];
    if (expected >= 0 && dims[d] != expected) {
      snprintf(text, sizeof text,
               "output '%.100s' is declared %.100s but dimension %d came out "
               "as %lld",
               io.name, describe(model, io).c_str(), d,
               static_cast<long long>(dims[d]));
      return refuseOutput(NST_RUN_TIME);
    }
    if (expected < 0 && dim.symbol >= 0)
      symbols[dim.symbol] = dims[d];
    out.dims[d] = dims[d];
  }
  uint64_t bytes;
  if (!tensorBytes(io.dtype, dims, rank, bytes)) {
    snprintf(text, sizeof text, "output '%.100s' has an impossible size",
             io.name);
    return refuseOutput(NST_RUN_TIME);
  }
  out.given = true;
  if (!buffers.empty() && buffers[index].data) {
    const OutputBuffer &buffer = buffers[index];
    if (buffer.bytes < bytes) {
      snprintf(text, sizeof text,
               "the buffer for output '%.100s' has %llu bytes, %llu are needed",
               io.name, static_cast<unsigned long long>(buffer.bytes),
               static_cast<unsigned long long>(bytes));
      return refuseOutput(NST_RUN_TIME);
    }
    return out.data = buffer.data;
  }
  bool allowed = withinLimit(bytes);
  if (allowed && (bytes <= out.owned.size() && out.owned.data()))
    return out.data = out.owned.data();
  if (allowed && out.owned.allocate(bytes, options.allocator))
    return out.data = out.owned.data();
  snprintf(text, sizeof text, "no memory for output '%.100s' of %llu bytes%s",
           io.name, static_cast<unsigned long long>(bytes),
           allowed ? "" : ": over the memory limit");
  return refuseOutput(NST_BUDGET);
}

Status Instance::check(std::span<const nst_tensor> given) try {
  return bindInputs(given);
} catch (const std::bad_alloc &) {
  return fail(Code::Budget, "out of memory");
}

namespace {
bool overlap(const void *a, uint64_t aBytes, const void *b, uint64_t bBytes) {
  auto x = reinterpret_cast<uintptr_t>(a), y = reinterpret_cast<uintptr_t>(b);
  return aBytes && bBytes && x < y + bBytes && y < x + aBytes;
}
} // namespace

Status Instance::run(std::span<const nst_tensor> given,
                     std::span<const OutputBuffer> into) try {
  const nst_model &model = program->model();
  if (Status status = bindInputs(given); !status.ok())
    return status;
  if (!into.empty() && into.size() != outputs.size())
    return fail(Code::RunTime,
                "the model has %zu outputs, %zu buffers were "
                "given",
                outputs.size(), into.size());
  // Kernels assume that an output is neither an input nor another output.
  for (size_t o = 0; o < into.size(); ++o) {
    if (reinterpret_cast<uintptr_t>(into[o].data) %
        dtypeSize(model.outputs[o].dtype))
      return fail(Code::RunTime,
                  "the buffer for output '%s' is not aligned to "
                  "its elements",
                  model.outputs[o].name);
    for (size_t p = 0; p < o; ++p)
      if (overlap(into[o].data, into[o].bytes, into[p].data, into[p].bytes))
        return fail(Code::RunTime,
                    "the buffers of outputs '%s' and '%s' "
                    "overlap",
                    model.outputs[o].name, model.outputs[p].name);
    for (size_t i = 0; i < given.size(); ++i) {
      uint64_t bytes = 0;
      tensorBytes(given[i].dtype, given[i].dims, given[i].rank, bytes);
      if (overlap(into[o].data, into[o].bytes, given[i].data, bytes))
        return fail(Code::RunTime,
                    "the buffer of output '%s' overlaps input "
                    "'%s'",
                    model.outputs[o].name, model.inputs[i].name);
    }
  }

  inputs = given;
  buffers = into;
  arenaGiven = false;
  bytesInUse.store(0, std::memory_order_relaxed);
  if (!failure.ok())
    failure = {};
  for (Output &out : outputs) {
    out.given = false;
    out.data = nullptr;
  }
  nst_call call = {&Services::table, this, given.data(), program->constants()};
  int32_t code = model.run(&call);
  keepScratch();
  if (!failure.ok())
    return failure;
  if (code != 0)
    return fail(code == NST_BUDGET || code == NST_DAMAGED ? Code(code)
                                                          : Code::RunTime,
                "the model stopped with status %d", code);
  for (size_t i = 0; i < outputs.size(); ++i)
    if (!outputs[i].given)
      return fail(Code::Damaged, "the model did not write output '%s'",
                  model.outputs[i].name);
  return Status::success();
} catch (const std::bad_alloc &) {
  freeScratch(scratch);
  return fail(Code::Budget, "out of memory");
}

nst_tensor Instance::output(size_t index) const {
  const nst_io &io = program->model().outputs[index];
  const Output &out = outputs[index];
  return {out.data, out.dims, io.rank, io.dtype};
}

Buffer Instance::takeOutput(size_t index) {
  return std::move(outputs[index].owned);
}

void Instance::trim() {
  arena.reset();
  freeScratch(spare);
  for (Output &out : outputs) {
    out.owned.reset();
    out.data = nullptr;
  }
}

} // namespace nestor::rt
