// nestor-polybench check|time: PolyBench as nests against PolyBench in C.
//
//   check --library=FILE      every nest against the library's kernel, as it is
//                             written and under the default schedule
//   time ours --library=FILE  one JSON line a kernel: {"case", "median_ms",
//   ...};
//                             the library only gives the initial values
//   time c --library=FILE     the same for the library's own kernels
//
// With --interp a check also runs in the interpreter, which sees reads of what
// nobody wrote, wrong indices and races. Each run starts from the initial
// values, with caches full of something else. Exit status 9: a result differs.
#include "Kernels.h"

#include "nestor/Interp/Interp.h"
#include "nestor/Pipeline/Dialects.h"
#include "nestor/Rules/Rules.h"
#include "nestor/Support/Error.h"

#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Regex.h"

#include <chrono>

using namespace nestor;
using namespace nestor::polybench;

/// The command's words and its flags. Not llvm::cl: the compiler's libraries
/// fill its one table of names.
struct Options {
  std::string what, library, nests = NESTOR_NESTS, filter = ".", schedule;
  bool fixedSizes = true, show = false, interp = false;
  int threads = 1;
  double seconds = 1, tolerance = 1e-10;
};
static Options options;

static constexpr llvm::StringLiteral kUsage =
    "usage: nestor-polybench check|time ours|time c --library=FILE\n"
    "  --library=FILE        kernels in C, as a shared object\n"
    "  --nests=FOLDER        the nests\n"
    "  --filter=REGEX        only kernels whose name matches\n"
    "  --schedule=none|default   check: both unless given\n"
    "  --sizes=fixed|open    compiled in, or given to each call\n"
    "  --threads=N           of our parallel loops\n"
    "  --time=SECONDS        how long to measure; at least one run\n"
    "  --tolerance=X         largest difference, by the buffer's largest "
    "value\n"
    "  --interp              check: in the interpreter too, with its checks\n"
    "  --show                print scheduled nests and refusals\n";

static bool parseOptions(llvm::ArrayRef<char *> arguments) {
  for (llvm::StringRef argument : arguments) {
    auto [name, value] = argument.split('=');
    if (!name.starts_with("--"))
      options.what += (options.what.empty() ? "" : " ") + name.str();
    else if (name == "--library")
      options.library = value.str();
    else if (name == "--nests")
      options.nests = value.str();
    else if (name == "--filter")
      options.filter = value.str();
    else if (name == "--schedule" && (value == "none" || value == "default"))
      options.schedule = value.str();
    else if (name == "--sizes" && (value == "fixed" || value == "open"))
      options.fixedSizes = value == "fixed";
    else if (name == "--show")
      options.show = true;
    else if (name == "--interp")
      options.interp = true;
    else if (name == "--threads"     ? value.getAsInteger(10, options.threads)
             : name == "--time"      ? value.getAsDouble(options.seconds)
             : name == "--tolerance" ? value.getAsDouble(options.tolerance)
                                     : true)
      return false;
  }
  return !options.library.empty() &&
         (options.what == "check" || options.what == "time ours" ||
          options.what == "time c");
}

static int fail(llvm::Error error) {
  auto [kind, text] = takeError(std::move(error));
  llvm::errs() << "error: " << text << "\n";
  return static_cast<int>(kind);
}

namespace {
/// A kernel's nest in a context of its own: what 30 kernels leave behind adds
/// up.
struct Nest {
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  nest::FuncOp func;
};
} // namespace

static const Target &hostTarget() {
  static const Target target = Target::host();
  return target;
}

/// The kernel's nest under `schedule`.
static llvm::Expected<Nest> makeNest(const pb_kernel &kernel,
                                     llvm::StringRef schedule) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  Nest nest;
  nest.context = std::make_unique<mlir::MLIRContext>(registry);
  auto module = parseNest(*nest.context, options.nests, kernel);
  if (!module)
    return module.takeError();
  nest.module = std::move(*module);
  nest.func = *nest.module->getOps<nest::FuncOp>().begin();
  if (options.fixedSizes)
    fixSizes(nest.func, sizesOf(kernel));
  if (schedule == "default") {
    DefaultSchedule result = scheduleKernel(nest.func, hostTarget());
    if (options.show)
      for (const std::string &refusal : result.refusals)
        llvm::errs() << "// refused: " << refusal << "\n";
  }
  if (options.show)
    llvm::errs() << *nest.module << "\n";
  if (mlir::failed(mlir::verify(*nest.module)))
    return makeError(ErrorKind::Internal, "invalid nest");
  return nest;
}

/// The nest in the interpreter, on `buffers` in place.
static llvm::Error interpret(const pb_kernel &kernel, nest::FuncOp func,
                             const Buffers &buffers) {
  std::vector<HostTensor> tensors;
  for (size_t i = 0; i < buffers.count(); ++i) {
    auto type = llvm::cast<mlir::MemRefType>(func.getArgumentTypes()[i]);
    HostTensor &tensor = tensors.emplace_back();
    tensor.elementType = type.getElementType();
    for (const int64_t *dim = kernel.buffers[i].dims; *dim; ++dim)
      tensor.dims.push_back(*dim);
    auto *bytes = static_cast<const uint8_t *>(buffers.pointers()[i]);
    tensor.bytes.assign(bytes, bytes + buffers.bytes(i));
  }
  InterpOptions checks;
  checks.checkRaces = true;
  checks.shuffleSeed = 1;
  if (llvm::Error error =
          Interp::runKernel(func, tensors, sizesOf(kernel), checks))
    return error;
  for (size_t i = 0; i < buffers.count(); ++i)
    llvm::copy(tensors[i].bytes, static_cast<uint8_t *>(buffers.pointers()[i]));
  return llvm::Error::success();
}

/// True when every schedule of this kernel gives the C kernel's results.
static bool check(const pb_kernel &kernel, rt::Executor &executor) {
  Buffers start(kernel), want(kernel), got(kernel);
  kernel.init(start.pointers());
  want.copyFrom(start);
  kernel.run(want.pointers());
  bool fine = true;
  auto report = [&](llvm::StringRef how, llvm::Error failure) {
    llvm::outs() << llvm::left_justify(kernel.name, 16)
                 << llvm::left_justify(how, 16);
    std::string where;
    double error = 0;
    bool right = !failure;
    if (failure) {
      llvm::outs() << "FAILED: " << takeError(std::move(failure)).second
                   << "\n";
    } else {
      error = kernel.residual
                  ? kernel.residual(start.pointers(), got.pointers())
                  : difference(kernel, got, want, where);
      right = error <= options.tolerance;
      if (error == 0)
        llvm::outs() << "exact\n";
      else
        llvm::outs() << (right ? "off by " : "WRONG by ")
                     << llvm::format("%.1e", error)
                     << (where.empty() ? " (residual)" : " in " + where)
                     << "\n";
    }
    llvm::outs().flush();
    fine &= right;
  };
  for (llvm::StringRef schedule : {"none", "default"}) {
    if (!options.schedule.empty() && schedule != options.schedule)
      continue;
    auto nest = makeNest(kernel, schedule);
    if (!nest) {
      report(schedule, nest.takeError());
      continue;
    }
    if (options.interp) {
      got.copyFrom(start);
      report((schedule + ", interp").str(), interpret(kernel, nest->func, got));
    }
    auto native = NativeNest::compile(nest->func, hostTarget());
    if (!native) {
      report(schedule, native.takeError());
      continue;
    }
    got.copyFrom(start);
    int32_t status = (*native)->run(got.pointers(), sizesOf(kernel), executor);
    report(schedule, status == 0 ? llvm::Error::success()
                                 : makeError(ErrorKind::RunTime,
                                             "status " + llvm::Twine(status)));
  }
  return fine;
}

/// Reads more than the caches hold.
static void flushCaches() {
  static std::vector<double> other(8 << 20, 1.0);
  static volatile double sink;
  double sum = 0;
  for (double x : other)
    sum += x;
  sink = sum;
  (void)sink;
}

static llvm::Error measure(const pb_kernel &kernel, bool ours,
                           rt::Executor &executor) {
  std::unique_ptr<NativeNest> native;
  using Clock = std::chrono::steady_clock;
  auto since = [](Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start)
        .count();
  };
  Clock::time_point began = Clock::now();
  if (ours) {
    auto nest = makeNest(kernel, options.schedule.empty() ? "default"
                                                          : options.schedule);
    if (!nest)
      return nest.takeError();
    auto compiled = NativeNest::compile(nest->func, hostTarget());
    if (!compiled)
      return compiled.takeError();
    native = std::move(*compiled);
  }
  double compileMs = since(began), spent = 0;
  Buffers start(kernel), work(kernel);
  kernel.init(start.pointers());
  std::vector<int64_t> sizes = sizesOf(kernel);
  std::vector<double> times;
  do {
    work.copyFrom(start);
    flushCaches();
    Clock::time_point run = Clock::now();
    if (!ours)
      kernel.run(work.pointers());
    else if (int32_t status = native->run(work.pointers(), sizes, executor))
      return makeError(ErrorKind::RunTime, "status " + llvm::Twine(status));
    times.push_back(since(run));
    spent += times.back();
  } while (spent < options.seconds * 1e3 && times.size() < 1000);
  llvm::sort(times);
  llvm::outs() << llvm::format("{\"case\": \"%s\", \"median_ms\": %.4f, "
                               "\"min_ms\": %.4f, \"runs\": %zu, "
                               "\"compile_ms\": %.1f}\n",
                               kernel.name, times[times.size() / 2], times[0],
                               times.size(), compileMs);
  llvm::outs().flush();
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  if (!parseOptions(llvm::ArrayRef(argv + 1, argc - 1))) {
    llvm::errs() << kUsage;
    return static_cast<int>(ErrorKind::Usage);
  }
  auto kernels = loadKernels(options.library);
  if (!kernels)
    return fail(kernels.takeError());
  rt::ThreadPool pool(options.threads);
  llvm::Regex pattern(options.filter);
  int wrong = 0, count = 0;
  for (const pb_kernel *kernel : *kernels) {
    if (!pattern.match(kernel->name))
      continue;
    ++count;
    if (options.what == "check")
      wrong += !check(*kernel, pool);
    else if (llvm::Error error =
                 measure(*kernel, options.what == "time ours", pool))
      return fail(std::move(error));
  }
  if (options.what == "check")
    llvm::outs() << "polybench: " << count << " kernels, " << wrong
                 << " wrong, sizes " << (options.fixedSizes ? "fixed" : "open")
                 << "\n";
  return wrong ? static_cast<int>(ErrorKind::Mismatch) : 0;
}
