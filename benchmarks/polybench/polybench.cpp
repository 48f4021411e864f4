// nestor-polybench check|time: PolyBench as nests against PolyBench in C.
//
//   check --library=FILE      every nest against the library's kernel, as it is
//                             written and under the default schedule
//   time ours --library=FILE  one JSON line a kernel: {"case", "median_ms",
//   ...};
//                             the library only gives the initial values
//   time c --library=FILE     the same for the library's own kernels
//
// Each run starts from the initial values, with caches full of something else.
// Exit status 9: a result differs.
#include "Kernels.h"

#include "nestor/Pipeline/Dialects.h"
#include "nestor/Rules/Rules.h"
#include "nestor/Support/Error.h"

#include "mlir/IR/Verifier.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Regex.h"

#include <chrono>

using namespace nestor;
using namespace nestor::polybench;
namespace cl = llvm::cl;

static cl::OptionCategory category("PolyBench");
static cl::list<std::string> words(cl::Positional,
                                   cl::desc("check | time ours | time c"),
                                   cl::cat(category));
static cl::opt<std::string>
    library("library", cl::desc("kernels in C, as a shared object"),
            cl::Required, cl::cat(category));
static cl::opt<std::string> nests("nests", cl::desc("folder of the nests"),
                                  cl::init(NESTOR_NESTS), cl::cat(category));
static cl::opt<std::string> filter("filter",
                                   cl::desc("only kernels whose name matches"),
                                   cl::cat(category));
static cl::opt<std::string> schedules("schedule",
                                      cl::desc("none | default; check: both"),
                                      cl::cat(category));
static cl::opt<std::string> sizeKind("sizes",
                                     cl::desc("fixed (compiled in) | open"),
                                     cl::init("fixed"), cl::cat(category));
static cl::opt<int> threads("threads", cl::desc("of our parallel loops"),
                            cl::init(1), cl::cat(category));
static cl::opt<double> seconds("time",
                               cl::desc("seconds to measure; at least one run"),
                               cl::init(1), cl::cat(category));
static cl::opt<double> tolerance(
    "tolerance",
    cl::desc("largest difference, relative to the buffer's largest element"),
    cl::init(1e-10), cl::cat(category));
static cl::opt<bool> show("show",
                          cl::desc("print scheduled nests and refusals"),
                          cl::cat(category));

static int fail(llvm::Error error) {
  auto [kind, text] = takeError(std::move(error));
  llvm::errs() << "error: " << text << "\n";
  return static_cast<int>(kind);
}

/// The kernel's nest under `schedule`, compiled.
static llvm::Expected<std::unique_ptr<NativeNest>>
compile(const pb_kernel &kernel, llvm::StringRef schedule) {
  static const Target target = Target::host();
  // A context each: what 30 kernels leave behind adds up.
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = parseNest(context, nests, kernel);
  if (!module)
    return module.takeError();
  nest::FuncOp func = *(*module)->getOps<nest::FuncOp>().begin();
  if (sizeKind == "fixed")
    fixSizes(func, sizesOf(kernel));
  if (schedule == "default") {
    DefaultSchedule result = scheduleKernel(func, target);
    if (show)
      for (const std::string &refusal : result.refusals)
        llvm::errs() << "// refused: " << refusal << "\n";
  }
  if (show)
    llvm::errs() << **module << "\n";
  if (mlir::failed(mlir::verify(**module)))
    return makeError(ErrorKind::Internal, "invalid nest");
  return NativeNest::compile(func, target);
}

/// True when every schedule of this kernel gives the C kernel's results.
static bool check(const pb_kernel &kernel, rt::Executor &executor) {
  Buffers start(kernel), want(kernel), got(kernel);
  kernel.init(start.pointers());
  want.copyFrom(start);
  kernel.run(want.pointers());
  bool fine = true;
  for (llvm::StringRef schedule : {"none", "default"}) {
    if (!schedules.empty() && schedule != schedules)
      continue;
    llvm::outs() << llvm::left_justify(kernel.name, 16)
                 << llvm::left_justify(schedule, 8);
    auto native = compile(kernel, schedule);
    if (!native) {
      llvm::outs() << "FAILED: " << takeError(native.takeError()).second
                   << "\n";
      fine = false;
      continue;
    }
    got.copyFrom(start);
    int32_t status = (*native)->run(got.pointers(), sizesOf(kernel), executor);
    std::string where;
    double error = kernel.residual
                       ? kernel.residual(start.pointers(), got.pointers())
                       : difference(kernel, got, want, where);
    bool right = status == 0 && error <= tolerance;
    fine &= right;
    if (status != 0)
      llvm::outs() << "FAILED: status " << status << "\n";
    else if (error == 0)
      llvm::outs() << "exact\n";
    else
      llvm::outs() << (right ? "off by " : "WRONG by ")
                   << llvm::format("%.1e", error)
                   << (where.empty() ? " (residual)" : " in " + where) << "\n";
    llvm::outs().flush();
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
    auto compiled = compile(
        kernel, schedules.empty() ? llvm::StringRef("default") : schedules);
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
  } while (spent < seconds * 1e3 && times.size() < 1000);
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
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv);
  std::string what = llvm::join(words, " ");
  if ((what != "check" && what != "time ours" && what != "time c") ||
      (sizeKind != "fixed" && sizeKind != "open") ||
      (!schedules.empty() && schedules != "none" && schedules != "default"))
    return fail(makeError(ErrorKind::Usage, "see --help"));
  auto kernels = loadKernels(library);
  if (!kernels)
    return fail(kernels.takeError());
  rt::ThreadPool pool(threads);
  llvm::Regex pattern(filter);
  int wrong = 0, count = 0;
  for (const pb_kernel *kernel : *kernels) {
    if (!pattern.match(kernel->name))
      continue;
    ++count;
    if (what == "check")
      wrong += !check(*kernel, pool);
    else if (llvm::Error error = measure(*kernel, what == "time ours", pool))
      return fail(std::move(error));
  }
  if (what == "check")
    llvm::outs() << "polybench: " << count << " kernels, " << wrong
                 << " wrong, sizes " << sizeKind << "\n";
  return wrong ? static_cast<int>(ErrorKind::Mismatch) : 0;
}
