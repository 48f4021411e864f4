// Matmul fp32 1024^3 by the hand-written schedules of the gallery, one thread,
// beside the rate of fused multiply-adds that this CPU reaches here and now.
//
//   nestor-bench-gemm [--rounds=N] [--schedule=FILE] [--only=avx2|avx512]
//
// Peak and matmul run in turns, so that both meet the same clock; the figures
// are the best of the rounds, which other programs disturbed least, with the
// median of the rounds' ratios beside them, in time of this thread. Packing is
// inside the time. The result is compared with double sums on a sample of
// elements. A line a width:
//
//   gemm 1024 avx2: peak P GF, matmul M GF, S % (median of N rounds R %)
//
// Assumes: an x86 CPU with FMA; widths that it lacks are told and left out.
#include "../peers/peak.h"

#include "nestor/Codegen/Codegen.h"
#include "nestor/Codegen/Link.h"
#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Lower/Lower.h"
#include "nestor/Pipeline/Dialects.h"
#include "nestor/Runtime/Abi.h"
#include "nestor/Schedule/Schedule.h"

#include "mlir/Dialect/Transform/IR/TransformOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace nestor;

static constexpr int64_t kSize = 1024;

/// Seconds that this thread has run, whoever else wanted the core.
static double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) * 1e-9;
}

static double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

//===----------------------------------------------------------------------===//
// The peak
//===----------------------------------------------------------------------===//

/// GFLOP/s of `run`, which does `steps` steps.
static double rateOf(double (*run)(int64_t), int64_t steps) {
  double start = now();
  double flop = run(steps);
  return flop / (now() - start) * 1e-9;
}

//===----------------------------------------------------------------------===//
// The matmul
//===----------------------------------------------------------------------===//

namespace {
/// A width: the sequence of the gallery file, what it is compiled for, and
/// how the peak is measured.
struct Width {
  const char *name, *sequence, *target;
  double (*peak)(int64_t steps);
};

/// Memory with large pages, so that the figures do not depend on where single
/// pages came to lie.
struct Memory {
  explicit Memory(size_t bytes)
      : data(std::aligned_alloc(2 << 20, (bytes + (2 << 20) - 1) >> 21 << 21)) {
    madvise(data, bytes, MADV_HUGEPAGE);
    memset(data, 0, bytes);
  }
  ~Memory() { std::free(data); }
  Memory(const Memory &) = delete;
  void *data;
};

/// What a kernel asks of its caller: scratch, the same in every call.
struct Caller {
  Memory memory{64 << 20};
  size_t used = 0;

  static void *scratch(nst_call *call, uint64_t bytes) {
    auto &self = *static_cast<Caller *>(call->context);
    char *result = static_cast<char *>(self.memory.data) + self.used;
    self.used += (bytes + 63) / 64 * 64;
    return self.used <= (64 << 20) ? result : nullptr;
  }
};
} // namespace

static const Width kWidths[] = {
    {"avx2", "__transform_main", "x86-64-v3", peak::runAvx2},
    {"avx512", "avx512", "x86-64-v4", peak::runAvx512}};

using Entry = int32_t (*)(nst_call *, const float *, const float *, float *);

/// The kernel of `module` as code of this process; null after a message.
static Entry compile(ModuleOp module, const Width &width,
                     const Target &target) {
  auto func = *module.getOps<nest::FuncOp>().begin();
  // Only the sequence of this width is run.
  OwningOpRef<ModuleOp> sequence = ModuleOp::create(module.getLoc());
  sequence->getOperation()->setAttr("transform.with_named_sequence",
                                    UnitAttr::get(module.getContext()));
  auto named = module.lookupSymbol<transform::NamedSequenceOp>(width.sequence);
  if (!named) {
    llvm::errs() << "no sequence @" << width.sequence << "\n";
    return nullptr;
  }
  transform::NamedSequenceOp copy = named.clone();
  copy.setSymName("__transform_main");
  sequence->push_back(copy);
  auto scheduled = sched::Schedule::replay(*sequence, func);
  if (!scheduled) {
    llvm::errs() << scheduled.getOutcome().getText() << "\n";
    return nullptr;
  }
  auto lowered = lowerKernels({func.getOperation()});
  if (failed(lowered) || failed(lowerToLLVM(**lowered)))
    return nullptr;
  CodegenOptions options;
  options.exports = {func.getSymName().str()};
  if (const char *file = std::getenv("NESTOR_GEMM_ASM"))
    options.dump = [=](llvm::StringRef phase, llvm::StringRef text) {
      std::error_code error;
      llvm::raw_fd_ostream(std::string(file) + "." + phase.str(), error)
          << text;
    };
  auto object = emitObject(**lowered, target, options);
  auto image = object ? linkShared(*object, target)
                      : llvm::Expected<ObjectBytes>(object.takeError());
  if (!image) {
    llvm::errs() << toString(image.takeError()) << "\n";
    return nullptr;
  }
  int fd = memfd_create("gemm", MFD_CLOEXEC);
  if (write(fd, image->data(), image->size()) !=
      static_cast<ssize_t>(image->size()))
    return nullptr;
  void *library = dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(),
                         RTLD_NOW | RTLD_LOCAL);
  close(fd);
  return library ? reinterpret_cast<Entry>(
                       dlsym(library, options.exports.front().c_str()))
                 : nullptr;
}

/// The largest relative error of 1000 elements against double sums.
static double worstError(const float *a, const float *b, const float *c) {
  double worst = 0;
  for (int64_t sample = 0; sample < 1000; ++sample) {
    int64_t i = sample * 7919 % kSize, j = sample * 104729 % kSize;
    double sum = 0, size = 0;
    for (int64_t k = 0; k < kSize; ++k) {
      double product = double(a[i * kSize + k]) * b[k * kSize + j];
      sum += product;
      size += std::abs(product);
    }
    worst = std::max(worst, std::abs(c[i * kSize + j] - sum) / size);
  }
  return worst;
}

static bool runWidth(const Width &width, const std::string &file, int rounds) {
  llvm::Expected<Target> target = Target::parse(width.target);
  if (!target) {
    llvm::errs() << toString(target.takeError()) << "\n";
    return false;
  }
  if (!target->runsHere()) {
    printf("gemm %d %s: skipped: no %s\n", int(kSize), width.name,
           target->missingHere().c_str());
    return true;
  }
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(file, ParserConfig(&context));
  Entry gemm = module ? compile(*module, width, *target) : nullptr;
  if (!gemm)
    return false;

  size_t bytes = kSize * kSize * sizeof(float);
  Memory memory(3 * bytes);
  float *a = static_cast<float *>(memory.data), *b = a + kSize * kSize,
        *c = b + kSize * kSize;
  for (int64_t i = 0; i < kSize * kSize; ++i) {
    a[i] = static_cast<float>((i * 2654435761u >> 8) % 2000) * 1e-3f - 1;
    b[i] = static_cast<float>((i * 2246822519u >> 8) % 2000) * 1e-3f - 1;
  }
  Caller caller;
  nst_services services = {};
  services.struct_size = sizeof services;
  services.scratch = Caller::scratch;
  nst_call call = {&services, &caller, nullptr, nullptr};
  auto run = [&] {
    caller.used = 0;
    double start = now();
    int32_t status = gemm(&call, a, b, c);
    double flop = 2.0 * kSize * kSize * kSize;
    return status == 0 ? flop / (now() - start) * 1e-9 : 0;
  };
  if (run() == 0) {
    llvm::errs() << "the kernel failed\n";
    return false;
  }
  double error = worstError(a, b, c);
  if (!(error < 1e-5)) {
    llvm::errs() << "wrong: relative error " << error << "\n";
    return false;
  }
  std::vector<double> peaks, rates, shares;
  for (int round = 0; round < rounds; ++round) {
    peaks.push_back(rateOf(width.peak, 10'000'000));
    rates.push_back(run());
    shares.push_back(100 * rates.back() / peaks.back());
  }
  double peak = *std::max_element(peaks.begin(), peaks.end());
  double rate = *std::max_element(rates.begin(), rates.end());
  printf("gemm %d %s: peak %.1f GF, matmul %.1f GF, %.1f %% (median of %d "
         "rounds %.1f %%)\n",
         int(kSize), width.name, peak, rate, 100 * rate / peak, rounds,
         median(shares));
  return true;
}

int main(int argc, char **argv) {
  std::string file = NESTOR_SOURCE_DIR "/test/Schedule/gallery/gemm.mlir", only;
  int rounds = 21;
  for (llvm::StringRef argument : llvm::ArrayRef(argv + 1, argc - 1)) {
    if (argument.consume_front("--schedule="))
      file = argument.str();
    else if (argument.consume_front("--only="))
      only = argument.str();
    else if (!argument.consume_front("--rounds=") ||
             argument.getAsInteger(10, rounds) || rounds < 1) {
      llvm::errs() << "usage: nestor-bench-gemm [--rounds=N] "
                      "[--schedule=FILE] [--only=avx2|avx512]\n";
      return 2;
    }
  }
  bool ok = true;
  for (const Width &width : kWidths)
    if (only.empty() || only == width.name)
      ok &= runWidth(width, file, rounds);
  return ok ? 0 : 1;
}
