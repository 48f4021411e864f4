// Speed of hand-written schedules over the default one.
//
//   nestor-bench-gallery [--threads=N] [--time=SECONDS] [--sizes=fixed|open]
//                        [--sequence=NAME] [--busy] [--show] FILE...
//
// --busy: the processor's time instead of the clock's, with one thread, where
// others use the machine as well.
//
// A file holds one kernel and the schedule for it, as those in
// test/Schedule/gallery do. Comment lines say how it is run:
//
//   // BENCH: 1300 100    the kernel's sizes (else those of SIZES)
//   // INPUTS: dominant   square matrices get a large diagonal
//   // WRITES: 2          how many of its last buffers it writes (1)
//
// Both schedules run in turns, each from the same values and with caches full
// of something else; figures are medians. A line a file:
//
//   jacobi-2d  default 210.1 ms  gallery 64.2 ms  3.27 x  difference 0
//
// The difference is the largest of the buffers written, relative to the largest
// value; kernels whose schedule packs arguments are not compared.
#include "../polybench/Kernels.h"

#include "nestor/Interp/Interp.h"
#include "nestor/Pipeline/Dialects.h"
#include "nestor/Rules/Rules.h"
#include "nestor/Schedule/Schedule.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/Transform/IR/TransformOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <cmath>
#include <ctime>

using namespace mlir;
using namespace nestor;

namespace {
struct Options {
  int threads = 1;
  double seconds = 1;
  bool fixedSizes = true, show = false, busy = false;
  std::string sequence = "__transform_main";
  std::vector<std::string> files;
};

/// A kernel as native code, with buffers for it.
struct Candidate {
  OwningOpRef<ModuleOp> module;
  nest::FuncOp func;
  std::unique_ptr<polybench::NativeNest> native;
  std::vector<HostTensor> start, work;
  std::vector<double> times;
};
} // namespace

/// What stands behind `// KEY:` in the text.
static std::optional<llvm::StringRef> lineOf(llvm::StringRef text,
                                             llvm::StringRef key) {
  std::string mark = ("\n// " + key + ":").str();
  size_t at = text.find(mark);
  if (at == llvm::StringRef::npos)
    return std::nullopt;
  llvm::StringRef rest = text.drop_front(at + mark.size());
  return rest.take_until([](char c) { return c == '\n'; }).trim();
}

static bool parseOptions(llvm::ArrayRef<char *> arguments, Options &options) {
  for (llvm::StringRef argument : arguments) {
    auto [name, value] = argument.split('=');
    if (!name.starts_with("--"))
      options.files.push_back(argument.str());
    else if (name == "--sizes" && (value == "fixed" || value == "open"))
      options.fixedSizes = value == "fixed";
    else if (name == "--sequence")
      options.sequence = value.str();
    else if (name == "--busy")
      options.busy = true;
    else if (name == "--show")
      options.show = true;
    else if (name == "--threads" ? value.getAsInteger(10, options.threads)
             : name == "--time"  ? value.getAsDouble(options.seconds)
                                 : true)
      return false;
  }
  return !options.files.empty();
}

/// Whole numbers as floats, from the buffer's number.
static llvm::Error makeBuffers(Candidate &candidate, llvm::StringRef text,
                               llvm::ArrayRef<int64_t> sizes) {
  bool dominant = lineOf(text, "INPUTS") == "dominant";
  for (unsigned i = 0; i < candidate.func.getNumBuffers(); ++i) {
    llvm::SmallVector<int64_t> dims;
    if (!kernelDims(candidate.func, i, sizes, dims))
      return makeError(ErrorKind::Malformed, "a shape cannot be computed");
    Type type =
        cast<MemRefType>(candidate.func.getArgumentTypes()[i]).getElementType();
    HostTensor tensor = randomTensor(type, dims, 7 + i, -3, 3, true);
    if (dominant && dims.size() == 2 && dims[0] == dims[1])
      for (int64_t d = 0; d < dims[0]; ++d)
        setElement(tensor, d * dims[0] + d, 4.0 * static_cast<double>(dims[0]));
    candidate.start.push_back(tensor);
    candidate.work.push_back(std::move(tensor));
  }
  return llvm::Error::success();
}

static llvm::Expected<Candidate>
makeCandidate(ModuleOp original, const Options &options, llvm::StringRef text,
              llvm::ArrayRef<int64_t> sizes, bool byHand) {
  Candidate result;
  result.module = original.clone();
  result.func = *result.module->getOps<nest::FuncOp>().begin();
  if (options.fixedSizes)
    polybench::fixSizes(result.func, sizes);
  const static Target target = Target::host();
  if (byHand) {
    auto named =
        original.lookupSymbol<transform::NamedSequenceOp>(options.sequence);
    if (!named)
      return makeError(ErrorKind::Usage,
                       "there is no sequence @" + options.sequence);
    OwningOpRef<ModuleOp> sequence = ModuleOp::create(original.getLoc());
    sequence->getOperation()->setAttrs(original->getAttrs());
    transform::NamedSequenceOp copy = named.clone();
    copy.setSymName("__transform_main");
    sequence->push_back(copy);
    auto schedule = sched::Schedule::replay(*sequence, result.func);
    if (!schedule)
      return makeError(ErrorKind::Internal, schedule.getOutcome().getText());
  } else {
    scheduleKernel(result.func, target);
  }
  if (options.show)
    llvm::errs() << result.func << "\n";
  auto native = polybench::NativeNest::compile(result.func, target);
  if (!native)
    return native.takeError();
  result.native = std::move(*native);
  if (llvm::Error error = makeBuffers(result, text, sizes))
    return error;
  return result;
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

static double milliseconds(bool busy) {
  timespec now;
  clock_gettime(busy ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 +
         static_cast<double>(now.tv_nsec) * 1e-6;
}

static llvm::Error runOnce(Candidate &candidate, llvm::ArrayRef<int64_t> sizes,
                           rt::Executor &executor, bool busy) {
  std::vector<void *> pointers;
  for (auto [to, from] : llvm::zip_equal(candidate.work, candidate.start)) {
    llvm::copy(from.bytes, to.bytes.begin());
    pointers.push_back(to.bytes.data());
  }
  flushCaches();
  double start = milliseconds(busy);
  int32_t status = candidate.native->run(pointers.data(), sizes, executor);
  candidate.times.push_back(milliseconds(busy) - start);
  if (status != 0)
    return makeError(ErrorKind::RunTime, "status " + llvm::Twine(status));
  return llvm::Error::success();
}

static double median(std::vector<double> values) {
  llvm::sort(values);
  return values[values.size() / 2];
}

/// The largest difference of the last `writes` buffers.
static double difference(const Candidate &a, const Candidate &b,
                         unsigned writes) {
  double worst = 0, largest = 0;
  for (size_t i = a.work.size() - std::min<size_t>(writes, a.work.size());
       i < a.work.size(); ++i)
    for (int64_t e = 0; e < a.work[i].getNumElements(); ++e) {
      double x = elementAsDouble(a.work[i], e),
             y = elementAsDouble(b.work[i], e);
      if (std::isnan(x) && std::isnan(y))
        continue;
      worst = std::max(worst, std::isnan(x - y) ? HUGE_VAL : std::abs(x - y));
      largest = std::max(largest, std::abs(y));
    }
  return largest > 0 ? worst / largest : worst;
}

static llvm::Error measure(const std::string &path, const Options &options,
                           rt::Executor &executor) {
  auto file = llvm::MemoryBuffer::getFile(path, true);
  if (!file)
    return makeError(ErrorKind::Unreadable, path);
  llvm::StringRef text = (*file)->getBuffer();
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module || module->getOps<nest::FuncOp>().empty())
    return makeError(ErrorKind::Malformed, path + ": no nest.func");
  llvm::SmallVector<int64_t> sizes;
  auto line = lineOf(text, "BENCH");
  for (llvm::StringRef size :
       llvm::split(line.value_or(lineOf(text, "SIZES").value_or("")), ' '))
    if (int64_t number = 0; !size.getAsInteger(10, number))
      sizes.push_back(number);
  nest::FuncOp func = *module->getOps<nest::FuncOp>().begin();
  if (sizes.size() != func.getSizes().size())
    return makeError(ErrorKind::Malformed,
                     path + ": the kernel has " +
                         llvm::Twine(func.getSizes().size()) +
                         " sizes, BENCH gives " + llvm::Twine(sizes.size()));
  auto plain = makeCandidate(*module, options, text, sizes, false);
  if (!plain)
    return plain.takeError();
  auto byHand = makeCandidate(*module, options, text, sizes, true);
  if (!byHand)
    return byHand.takeError();
  double spent = 0;
  do {
    for (Candidate *candidate : {&*plain, &*byHand}) {
      if (llvm::Error error =
              runOnce(*candidate, sizes, executor, options.busy))
        return error;
      spent += candidate->times.back();
    }
  } while (spent < options.seconds * 1e3 && plain->times.size() < 50);
  double before = median(plain->times), after = median(byHand->times);
  llvm::outs() << llvm::left_justify(llvm::sys::path::stem(path), 16)
               << llvm::format("  default %.2f ms  gallery %.2f ms  %.2f x",
                               before, after, before / after);
  unsigned writes = 1;
  if (auto count = lineOf(text, "WRITES"))
    count->getAsInteger(10, writes);
  if (!plain->func->hasAttr("relayouts") && !byHand->func->hasAttr("relayouts"))
    llvm::outs() << llvm::format("  difference %.1e",
                                 difference(*plain, *byHand, writes));
  llvm::outs() << "\n";
  llvm::outs().flush();
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  Options options;
  if (!parseOptions(llvm::ArrayRef(argv + 1, argc - 1), options)) {
    llvm::errs() << "usage: nestor-bench-gallery [--threads=N] "
                    "[--time=SECONDS] [--sizes=fixed|open] [--sequence=NAME] "
                    "[--busy] [--show] FILE...\n";
    return static_cast<int>(ErrorKind::Usage);
  }
  rt::ThreadPool pool(options.threads);
  int status = 0;
  for (const std::string &path : options.files)
    if (llvm::Error error = measure(path, options, pool)) {
      auto [kind, why] = takeError(std::move(error));
      llvm::errs() << "error: " << path << ": " << why << "\n";
      status = static_cast<int>(kind);
    }
  return status;
}
