// The host program gets every size as an i64 scalar input behind the buffers.
// Buffers end and begin at words that must not change; outputs start as
// garbage unless they have data. Parallel loops are cut into uneven chunks and
// run by threads.
#include "NativeKernel.h"

#include "nestor/Codegen/Codegen.h"
#include "nestor/Codegen/Link.h"
#include "nestor/Dialect/Host/Host.h"
#include "nestor/Lower/Lower.h"
#include "nestor/Runtime/Abi.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Verifier.h"

#include <dlfcn.h>
#include <mutex>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

using namespace mlir;
using namespace nestor;
using llvm::Error;
using llvm::Twine;

namespace {
Error internal(const Twine &text) {
  return makeError(ErrorKind::Internal, "native: " + text);
}

/// @main(reads..., sizes as memref<i64>...) -> written buffers.
OwningOpRef<ModuleOp> hostProgram(nest::FuncOp kernel, unsigned writes) {
  MLIRContext *context = kernel.getContext();
  OpBuilder builder(context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  builder.clone(*kernel);
  unsigned reads = kernel.getNumBuffers() - writes;
  SmallVector<Type> inputs, outputs;
  for (unsigned i = 0; i < kernel.getNumBuffers(); ++i)
    (i < reads ? inputs : outputs).push_back(kernel.getArgumentTypes()[i]);
  inputs.append(kernel.getSizes().size(),
                MemRefType::get({}, builder.getI64Type()));
  auto main = func::FuncOp::create(builder, loc, "main",
                                   builder.getFunctionType(inputs, outputs));
  Block *entry = main.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  SmallVector<Value> buffers(entry->getArguments().take_front(reads));
  SmallVector<Value> sizes;
  for (Value scalar : entry->getArguments().drop_front(reads))
    sizes.push_back(arith::IndexCastOp::create(
        builder, loc, builder.getIndexType(),
        memref::LoadOp::create(builder, loc, scalar)));
  SmallVector<Value> results;
  for (unsigned i = reads; i < kernel.getNumBuffers(); ++i) {
    auto type = cast<MemRefType>(kernel.getArgumentTypes()[i]);
    SmallVector<Value> dims;
    for (auto [expr, dim] : llvm::zip_equal(
             kernel.getBufferShape(i).getResults(), type.getShape()))
      if (ShapedType::isDynamic(dim))
        dims.push_back(affine::expandAffineExpr(builder, loc, expr, {}, sizes));
    results.push_back(
        host::OutputOp::create(builder, loc, type, i - reads, dims));
  }
  llvm::append_range(buffers, results);
  host::LaunchOp::create(builder, loc, kernel.getSymName(), buffers, sizes,
                         writes);
  func::ReturnOp::create(builder, loc, results);
  return module;
}

/// Bytes with guard words on both sides.
struct Guarded {
  static constexpr size_t kGuard = 256;
  static constexpr uint8_t kFill = 0xa5;
  std::unique_ptr<uint8_t, decltype(&std::free)> storage{nullptr, std::free};
  size_t size = 0;

  uint8_t *make(size_t bytes) {
    size = bytes;
    size_t all = (bytes + 2 * kGuard + 63) / 64 * 64;
    storage.reset(static_cast<uint8_t *>(std::aligned_alloc(64, all)));
    std::memset(storage.get(), kFill, all);
    return data();
  }
  uint8_t *data() { return storage.get() + kGuard; }
  bool intact() {
    for (size_t i = 0; i < kGuard; ++i)
      if (storage.get()[i] != kFill || data()[size + i] != kFill)
        return false;
    return true;
  }
};

/// What the model asks of its caller.
struct Run {
  std::vector<Guarded> outputs;
  std::vector<unsigned> elementSizes;
  ArrayRef<HostTensor> initial; // of the outputs
  std::vector<Guarded> scratch;
  unsigned workers = 1;
  std::string failure;
  std::mutex lock; // scratch and failure: bodies ask from any worker

  static Run &of(nst_call *call) { return *static_cast<Run *>(call->context); }

  static int32_t parallelFor(nst_call *call, int64_t n, int64_t grain,
                             int32_t limit, nst_body body, void *env) {
    int64_t workers = of(call).workers;
    if (limit > 0)
      workers = std::min<int64_t>(workers, limit);
    workers = std::max<int64_t>(1, std::min(workers, n));
    std::vector<std::thread> threads;
    std::atomic<int32_t> status = 0;
    int64_t begin = 0;
    for (int64_t w = 0; w < workers; ++w) {
      int64_t end = w + 1 == workers ? n : n * (2 * w + 1) / (2 * workers);
      threads.emplace_back([=, &status] {
        // One chunk is cut again: bodies must start anywhere.
        int64_t middle = begin + (end - begin) / 3;
        for (auto [from, to] : {std::pair(begin, middle), {middle, end}})
          if (from < to)
            if (int32_t code = body(env, from, to, static_cast<int32_t>(w)))
              status = code;
      });
      begin = end;
    }
    for (std::thread &thread : threads)
      thread.join();
    return status;
  }
  static void *memory(nst_call *call, uint64_t bytes) {
    Run &run = of(call);
    std::lock_guard<std::mutex> guard(run.lock);
    return run.scratch.emplace_back().make(bytes);
  }
  static void *output(nst_call *call, int32_t index, const int64_t *dims,
                      int32_t rank) {
    Run &run = of(call);
    uint64_t bytes = run.elementSizes[index];
    for (int32_t d = 0; d < rank; ++d)
      bytes *= static_cast<uint64_t>(dims[d]);
    uint8_t *data = run.outputs[index].make(bytes);
    llvm::copy(run.initial[index].bytes, data);
    return data;
  }
  static void fail(nst_call *call, int32_t, const char *message) {
    Run &run = of(call);
    std::lock_guard<std::mutex> guard(run.lock);
    run.failure = message;
  }
  static int32_t workerCount(nst_call *call) {
    return static_cast<int32_t>(of(call).workers);
  }
};

/// A shared object in memory, loaded.
struct Library {
  void *handle = nullptr;
  ~Library() {
    if (handle)
      dlclose(handle);
  }
  Error load(const ObjectBytes &bytes) {
    int fd = memfd_create("nestor-semantics", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes.data(), bytes.size()) !=
                      static_cast<ssize_t>(bytes.size()))
      return internal("cannot write the image");
    handle = dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(),
                    RTLD_NOW | RTLD_LOCAL);
    close(fd);
    return handle ? Error::success() : internal(dlerror());
  }
};

std::string textOf(Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  op->print(os);
  return text;
}
} // namespace

Error nestor::runNative(nest::FuncOp kernel,
                        MutableArrayRef<HostTensor> buffers, unsigned writes,
                        ArrayRef<int64_t> sizes, unsigned workers) {
  std::string diagnostics;
  ScopedDiagnosticHandler handler(kernel.getContext(), [&](Diagnostic &d) {
    diagnostics += d.str() + "\n";
    return success();
  });
  OwningOpRef<ModuleOp> module = hostProgram(kernel, writes);
  if (failed(verify(*module)))
    return internal("the host program is invalid: " + diagnostics);
  static const Target target = Target::host();
  LowerOptions options;
  options.target = target.name;
  options.features = target.requiredFeatures();
  LoweredConstants constants;
  auto lowered = lowerToLoops(*module, options, constants);
  if (failed(lowered))
    return internal("lower-to-loops: " + diagnostics);
  if (failed(verify(**lowered)))
    return internal("lower-to-loops left invalid IR: " + diagnostics +
                    textOf(**lowered));
  std::string loops = textOf(**lowered);
  if (failed(lowerToLLVM(**lowered, &target)))
    return internal("lower-to-llvm: " + diagnostics + loops);
  auto object = emitObject(**lowered, target);
  if (!object)
    return object.takeError();
  auto image = linkShared(*object, target);
  if (!image)
    return image.takeError();
  Library library;
  if (Error error = library.load(*image))
    return error;
  auto *model =
      static_cast<const nst_model *>(dlsym(library.handle, NST_MODEL_SYMBOL));
  if (!model)
    return internal("exports no model");

  size_t reads = buffers.size() - writes;
  Run run;
  run.workers = workers;
  run.outputs.resize(writes);
  run.initial = buffers.take_back(writes);
  for (const HostTensor &buffer : run.initial)
    run.elementSizes.push_back(elementBytes(buffer.elementType));
  std::vector<Guarded> inputs(reads + sizes.size());
  std::vector<nst_tensor> tensors(inputs.size());
  for (size_t i = 0; i < reads; ++i) {
    uint8_t *data = inputs[i].make(buffers[i].bytes.size());
    std::copy(buffers[i].bytes.begin(), buffers[i].bytes.end(), data);
    tensors[i] = {data, buffers[i].dims.data(),
                  static_cast<int32_t>(buffers[i].dims.size()),
                  model->inputs[i].dtype};
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    uint8_t *data = inputs[reads + i].make(8);
    std::memcpy(data, &sizes[i], 8);
    tensors[reads + i] = {data, nullptr, 0, NST_I64};
  }
  nst_services services = {sizeof(nst_services), Run::parallelFor, Run::memory,
                           Run::memory,          Run::output,      Run::fail,
                           Run::workerCount};
  nst_call call = {&services, &run, tensors.data(), nullptr};
  if (int32_t code = model->run(&call))
    return internal("the run ended with status " + Twine(code) + ": " +
                    run.failure);
  for (auto [i, input] : llvm::enumerate(inputs)) {
    if (!input.intact())
      return internal("wrote outside of input " + Twine(i));
    if (i < reads && std::memcmp(input.data(), buffers[i].bytes.data(),
                                 buffers[i].bytes.size()) != 0)
      return internal("changed input " + Twine(i));
  }
  for (Guarded &memory : run.scratch)
    if (!memory.intact())
      return internal("wrote outside of its scratch memory");
  for (size_t i = 0; i < writes; ++i) {
    Guarded &output = run.outputs[i];
    if (!output.storage)
      return internal("never asked for output " + Twine(i));
    if (!output.intact())
      return internal("wrote outside of output " + Twine(i));
    buffers[reads + i].bytes.assign(output.data(), output.data() + output.size);
  }
  return Error::success();
}
