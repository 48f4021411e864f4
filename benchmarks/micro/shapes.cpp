// Matrix products and convolutions by their default schedules, beside the rate
// of fused multiply-adds that this CPU reaches here and now.
//
//   nestor-bench-shapes [--rounds=N] [--threads=N] [--target=NAME]
//                       [--sequence=FILE] [--print] [--cold] SHAPE...
//
// A shape is MxNxK, a product by a constant matrix, or
// HxWxC:O:k=3:s=1:d=1, a convolution over channels-last data that was padded
// before, H x W pixels of output. All shapes run in turns, so that all meet the
// same clock; a figure is the best of the rounds, which other programs
// disturbed least, in time of this process with one thread. Constants are
// packed outside of the time. --sequence replays a schedule instead; --print
// shows the one in use. --cold reads other memory before each run. A line a
// shape:
//
//   256x256x256  12.3 us  101.2 GF  98.7 %  error 1.2e-07
//
// Assumes: an x86 CPU with AVX2 and FMA.
#include "nestor/Codegen/Codegen.h"
#include "nestor/Codegen/Link.h"
#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Lower/Lower.h"
#include "nestor/Pipeline/Dialects.h"
#include "nestor/Rules/Rules.h"
#include "nestor/Runtime/Abi.h"
#include "nestor/Runtime/ThreadPool.h"
#include "nestor/Schedule/Schedule.h"

#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
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

static double secondsOf(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) * 1e-9;
}

namespace {
struct Options {
  int rounds = 15, threads = 1;
  std::string target = "host", sequence;
  bool print = false, cold = false;
  std::vector<std::string> shapes;
};

/// Memory with large pages, so that the figures do not depend on where single
/// pages came to lie.
struct Memory {
  explicit Memory(size_t bytes)
      : size(bytes),
        data(std::aligned_alloc(2 << 20, (bytes + (2 << 20) - 1) >> 21 << 21)) {
    madvise(data, bytes, MADV_HUGEPAGE);
    memset(data, 0, bytes);
  }
  ~Memory() { std::free(data); }
  Memory(const Memory &) = delete;
  float *floats() const { return static_cast<float *>(data); }
  size_t size;
  void *data;
};

/// What a kernel asks of its caller: scratch, the same in every call.
struct Caller {
  explicit Caller(int threads) : pool(threads) {}
  rt::ThreadPool pool;
  Memory memory{256 << 20};
  std::atomic<size_t> used = 0;

  static Caller &of(nst_call *call) {
    return *static_cast<Caller *>(call->context);
  }
  static void *scratch(nst_call *call, uint64_t bytes) {
    Caller &self = of(call);
    size_t at = self.used.fetch_add((bytes + 4159) / 64 * 64);
    return at + bytes <= self.memory.size
               ? static_cast<char *>(self.memory.data) + at
               : nullptr;
  }
  static int32_t parallelFor(nst_call *call, int64_t n, int64_t grain,
                             int32_t limit, nst_body body, void *env) {
    return of(call).pool.parallelFor(n, grain, limit, body, env);
  }
  static int32_t workers(nst_call *call) { return of(call).pool.workers(); }
};

/// A product or a convolution.
struct Shape {
  std::string text;
  int64_t m = 0, n = 0, k = 0;                // a product
  int64_t h = 0, w = 0, c = 0, o = 0;         // a convolution
  int64_t taps = 0, stride = 1, dilation = 1; // where taps > 0

  int64_t rows() const { return (h - 1) * stride + (taps - 1) * dilation + 1; }
  int64_t columns() const {
    return (w - 1) * stride + (taps - 1) * dilation + 1;
  }
  double flop() const {
    return taps ? 2.0 * double(h * w * c * o * taps * taps)
                : 2.0 * double(m * n * k);
  }
  std::string nest() const;
};

using Entry = int32_t (*)(nst_call *, const float *, const float *, float *);
using Pack = int32_t (*)(nst_call *, const float *, float *);

struct Kernel {
  Shape shape;
  std::unique_ptr<Memory> a, b, packed, c;
  Entry entry = nullptr;
  double best = 1e300;
};
} // namespace

std::string Shape::nest() const {
  if (!taps)
    return llvm::formatv(R"(
nest.func @kernel(%A: memref<{0}x{2}xf32>, %B: memref<{2}x{1}xf32> {{nest.constant}, %C: memref<{0}x{1}xf32>) {{
  nest.for %i = 0 to {0} {{
    nest.for %j = 0 to {1} {{
      nest.for %k = 0 to {2} {{
        nest.block "mm" (%vi : spatial = %i to {0}, %vj : spatial = %j to {1}, %vk : reduce = %k to {2}) init {{
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi, %vj] : memref<{0}x{1}xf32>
        } {{
          %a = memref.load %A[%vi, %vk] : memref<{0}x{2}xf32>
          %b = memref.load %B[%vk, %vj] : memref<{2}x{1}xf32>
          %c = memref.load %C[%vi, %vj] : memref<{0}x{1}xf32>
          %m = arith.mulf %a, %b : f32
          %s = arith.addf %c, %m : f32
          memref.store %s, %C[%vi, %vj] : memref<{0}x{1}xf32>
        }
      }
    }
  }
})",
                         m, n, k)
        .str();
  return llvm::formatv(R"(
nest.func @kernel(%X: memref<{0}x{1}x{2}xf32>, %W: memref<{3}x{3}x{2}x{4}xf32> {{nest.constant}, %Y: memref<{5}x{6}x{4}xf32>) {{
  nest.for %h = 0 to {5} {{
    nest.for %w = 0 to {6} {{
      nest.for %o = 0 to {4} {{
        nest.for %r = 0 to {3} {{
          nest.for %s = 0 to {3} {{
            nest.for %c = 0 to {2} {{
              nest.block "conv" (%vh : spatial = %h to {5}, %vw : spatial = %w to {6}, %vo : spatial = %o to {4},
                                 %vr : reduce = %r to {3}, %vs : reduce = %s to {3}, %vc : reduce = %c to {2}) init {{
                %z = arith.constant 0.0 : f32
                memref.store %z, %Y[%vh, %vw, %vo] : memref<{5}x{6}x{4}xf32>
              } {{
                %stride = arith.constant {7} : index
                %dilation = arith.constant {8} : index
                %hs = arith.muli %vh, %stride : index
                %rd = arith.muli %vr, %dilation : index
                %y = arith.addi %hs, %rd : index
                %ws = arith.muli %vw, %stride : index
                %sd = arith.muli %vs, %dilation : index
                %x = arith.addi %ws, %sd : index
                %a = memref.load %X[%y, %x, %vc] : memref<{0}x{1}x{2}xf32>
                %f = memref.load %W[%vr, %vs, %vc, %vo] : memref<{3}x{3}x{2}x{4}xf32>
                %d = memref.load %Y[%vh, %vw, %vo] : memref<{5}x{6}x{4}xf32>
                %m = arith.mulf %a, %f : f32
                %t = arith.addf %d, %m : f32
                memref.store %t, %Y[%vh, %vw, %vo] : memref<{5}x{6}x{4}xf32>
              }
            }
          }
        }
      }
    }
  }
})",
                       rows(), columns(), c, taps, o, h, w, stride, dilation)
      .str();
}

static std::optional<Shape> parseShape(llvm::StringRef text) {
  Shape shape;
  shape.text = text.str();
  auto [box, rest] = text.split(':');
  llvm::SmallVector<llvm::StringRef> parts;
  box.split(parts, 'x');
  int64_t dims[3];
  if (parts.size() != 3)
    return std::nullopt;
  for (auto [part, dim] : llvm::zip_equal(parts, dims))
    if (part.getAsInteger(10, dim) || dim < 1)
      return std::nullopt;
  if (rest.empty()) {
    std::tie(shape.m, shape.n, shape.k) = std::tie(dims[0], dims[1], dims[2]);
    return shape;
  }
  std::tie(shape.h, shape.w, shape.c) = std::tie(dims[0], dims[1], dims[2]);
  shape.taps = 1;
  for (llvm::StringRef field : llvm::split(rest, ':')) {
    auto [key, value] = field.split('=');
    int64_t *into = key == "k"      ? &shape.taps
                    : key == "s"    ? &shape.stride
                    : key == "d"    ? &shape.dilation
                    : value.empty() ? &shape.o
                                    : nullptr;
    if (!into || (value.empty() ? key : value).getAsInteger(10, *into) ||
        *into < 1)
      return std::nullopt;
  }
  return shape;
}

/// GFLOP/s of 12 independent chains, `steps` long.
static double peak(int64_t steps) {
  double start = secondsOf(CLOCK_THREAD_CPUTIME_ID);
  int64_t left = steps;
#define CHAIN(R) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #R "\n"
  asm volatile("vzeroall\n"
               "1:\n" CHAIN(0) CHAIN(1) CHAIN(2) CHAIN(3) CHAIN(4) CHAIN(5)
                   CHAIN(6) CHAIN(7) CHAIN(8) CHAIN(9) CHAIN(10)
                       CHAIN(11) "dec %0\n"
                                 "jnz 1b\n"
                                 "vzeroupper\n"
               : "+r"(left)
               :
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                 "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm14", "xmm15");
#undef CHAIN
  return 12 * 8 * 2 * static_cast<double>(steps) /
         (secondsOf(CLOCK_THREAD_CPUTIME_ID) - start) * 1e-9;
}

/// All functions of `module` as code of this process.
static void *load(ModuleOp module, const Target &target) {
  llvm::SmallVector<Operation *> funcs;
  CodegenOptions options;
  for (auto func : module.getOps<nest::FuncOp>()) {
    funcs.push_back(func);
    options.exports.push_back(func.getSymName().str());
  }
  auto lowered = lowerKernels(funcs);
  if (failed(lowered) || failed(lowerToLLVM(**lowered)))
    return nullptr;
  if (const char *file = std::getenv("NESTOR_SHAPES_ASM"))
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
  int fd = memfd_create("shapes", MFD_CLOEXEC);
  if (write(fd, image->data(), image->size()) !=
      static_cast<ssize_t>(image->size()))
    return nullptr;
  // The file stays open: the loader knows libraries by their paths.
  return dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(),
                RTLD_NOW | RTLD_LOCAL);
}

static std::unique_ptr<Memory> random(int64_t count, uint32_t factor) {
  auto memory = std::make_unique<Memory>(count * sizeof(float));
  for (int64_t i = 0; i < count; ++i)
    memory->floats()[i] =
        static_cast<float>((uint32_t(i) * factor >> 8) % 2000) * 1e-3f - 1;
  return memory;
}

/// The largest relative error of 200 elements against double sums.
static double worstError(const Kernel &kernel) {
  const Shape &s = kernel.shape;
  const float *a = kernel.a->floats(), *b = kernel.b->floats(),
              *c = kernel.c->floats();
  int64_t total = s.taps ? s.h * s.w * s.o : s.m * s.n;
  double worst = 0;
  for (int64_t sample = 0; sample < 200; ++sample) {
    int64_t at = sample == 0 ? total - 1 : sample * 1046527 % total;
    double sum = 0, size = 0;
    auto add = [&](float x, float y) {
      sum += double(x) * y;
      size += std::abs(double(x) * y);
    };
    if (!s.taps) {
      for (int64_t k = 0; k < s.k; ++k)
        add(a[at / s.n * s.k + k], b[k * s.n + at % s.n]);
    } else {
      int64_t o = at % s.o, x = at / s.o % s.w, y = at / s.o / s.w;
      for (int64_t tap = 0; tap < s.taps * s.taps; ++tap)
        for (int64_t c = 0; c < s.c; ++c)
          add(a[((y * s.stride + tap / s.taps * s.dilation) * s.columns() +
                 x * s.stride + tap % s.taps * s.dilation) *
                    s.c +
                c],
              b[(tap * s.c + c) * s.o + o]);
    }
    worst = std::max(worst, std::abs(c[at] - sum) / std::max(size, 1e-30));
  }
  return worst;
}

static std::optional<Kernel> make(const Shape &shape, MLIRContext &context,
                                  const Target &target, const Options &options,
                                  Caller &caller, nst_call &call) {
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(shape.nest(), &context);
  if (!module)
    return std::nullopt;
  auto func = *module->getOps<nest::FuncOp>().begin();
  if (options.sequence.empty()) {
    DefaultSchedule schedule = scheduleKernel(func, target);
    if (options.print) {
      llvm::outs() << schedule.sequence << func << "\n";
      for (const std::string &refusal : schedule.refusals)
        llvm::outs() << "refused: " << refusal << "\n";
    }
  } else {
    auto file = llvm::MemoryBuffer::getFile(options.sequence, true);
    if (!file) {
      llvm::errs() << "cannot read " << options.sequence << "\n";
      return std::nullopt;
    }
    auto schedule = sched::Schedule::parse((*file)->getBuffer(), func);
    if (!schedule) {
      llvm::errs() << schedule.getOutcome().getText() << "\n";
      return std::nullopt;
    }
    if (options.print)
      llvm::outs() << func << "\n";
  }
  void *library = load(*module, target);
  if (!library)
    return std::nullopt;
  Kernel kernel;
  kernel.shape = shape;
  kernel.entry = reinterpret_cast<Entry>(dlsym(library, "kernel"));
  kernel.a = random(shape.taps ? shape.rows() * shape.columns() * shape.c
                               : shape.m * shape.k,
                    2654435761u);
  kernel.b = random(shape.taps ? shape.taps * shape.taps * shape.c * shape.o
                               : shape.k * shape.n,
                    2246822519u);
  kernel.c =
      random(shape.taps ? shape.h * shape.w * shape.o : shape.m * shape.n, 1);
  auto type = cast<MemRefType>(func.getArgumentTypes()[1]);
  kernel.packed = random(type.getNumElements(), 1);
  auto pack = reinterpret_cast<Pack>(dlsym(library, "pack_kernel_1"));
  if (pack)
    pack(&call, kernel.b->floats(), kernel.packed->floats());
  else
    memcpy(kernel.packed->data, kernel.b->data, kernel.b->size);
  caller.used = 0;
  return kernel;
}

static double runOnce(Kernel &kernel, Caller &caller, nst_call &call,
                      const Options &options) {
  static std::vector<double> other(options.cold ? 8 << 20 : 0, 1.0);
  volatile double sum = 0;
  for (double x : other)
    sum = sum + x;
  clockid_t clock =
      options.threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
  // Many runs of a short kernel: its time is far above the clock's.
  auto repeat = options.cold
                    ? int64_t(1)
                    : std::max<int64_t>(
                          1, static_cast<int64_t>(4e7 / kernel.shape.flop()));
  double start = secondsOf(clock);
  for (int64_t i = 0; i < repeat; ++i) {
    caller.used = 0;
    if (kernel.entry(&call, kernel.a->floats(), kernel.packed->floats(),
                     kernel.c->floats()) != 0)
      return 1e300;
  }
  return (secondsOf(clock) - start) / static_cast<double>(repeat);
}

static bool parseOptions(llvm::ArrayRef<char *> arguments, Options &options) {
  for (llvm::StringRef argument : arguments) {
    auto [name, value] = argument.split('=');
    if (!name.starts_with("--"))
      options.shapes.push_back(argument.str());
    else if (name == "--print")
      options.print = true;
    else if (name == "--cold")
      options.cold = true;
    else if (name == "--target")
      options.target = value.str();
    else if (name == "--sequence")
      options.sequence = value.str();
    else if (name == "--rounds"    ? value.getAsInteger(10, options.rounds)
             : name == "--threads" ? value.getAsInteger(10, options.threads)
                                   : true)
      return false;
  }
  return !options.shapes.empty() && options.rounds > 0 && options.threads > 0;
}

int main(int argc, char **argv) {
  Options options;
  if (!parseOptions(llvm::ArrayRef(argv + 1, argc - 1), options)) {
    llvm::errs() << "usage: nestor-bench-shapes [--rounds=N] [--threads=N] "
                    "[--target=NAME] [--sequence=FILE] [--print] [--cold] "
                    "SHAPE...\n";
    return 2;
  }
  llvm::Expected<Target> target = Target::parse(options.target);
  if (!target) {
    llvm::errs() << toString(target.takeError()) << "\n";
    return 2;
  }
  DialectRegistry registry;
  registerDialects(registry);
  Caller caller(options.threads);
  nst_services services = {};
  services.struct_size = sizeof services;
  services.scratch = Caller::scratch;
  services.parallel_for = Caller::parallelFor;
  services.workers = Caller::workers;
  nst_call call = {&services, &caller, nullptr, nullptr};
  std::vector<Kernel> kernels;
  for (const std::string &text : options.shapes) {
    std::optional<Shape> shape = parseShape(text);
    if (!shape) {
      llvm::errs() << "no shape: " << text << "\n";
      return 2;
    }
    MLIRContext context(registry, MLIRContext::Threading::DISABLED);
    std::optional<Kernel> kernel =
        make(*shape, context, *target, options, caller, call);
    if (!kernel)
      return 1;
    kernels.push_back(std::move(*kernel));
  }
  double best = 0;
  for (int round = 0; round < options.rounds; ++round) {
    best = std::max(best, peak(5'000'000));
    for (Kernel &kernel : kernels)
      kernel.best =
          std::min(kernel.best, runOnce(kernel, caller, call, options));
  }
  printf("peak %.1f GF a core\n", best);
  bool ok = true;
  for (const Kernel &kernel : kernels) {
    double rate = kernel.shape.flop() / kernel.best * 1e-9;
    double error = worstError(kernel);
    ok &= error < 1e-5;
    printf("%-24s %10.1f us %7.1f GF %6.1f %%  error %.0e\n",
           kernel.shape.text.c_str(), kernel.best * 1e6, rate,
           100 * rate / best / options.threads, error);
  }
  return ok ? 0 : 1;
}
