// The hand-written schedules of test/Schedule/gallery: each is replayed on its
// kernel, which must mean the same before and after, by the interpreter and by
// native code.
//
// Comment lines of a file say how it is run:
//   // SIZES: 37 5       the kernel's sizes
//   // AS: 1024=96 512=32  numbers of the text that are others in the test
//   // WRITES: 2         how many of its last buffers it writes (1)
//   // UPDATES           they start with data
//   // INPUTS: dominant  square matrices get a large diagonal
//   // TOLERANCE: 1e-5   relative; without it results are equal
#include "SemanticsBase.h"

#include "nestor/Schedule/Schedule.h"

#include "mlir/Dialect/Transform/IR/TransformOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <cmath>

using namespace mlir;
using namespace nestor;

namespace {
/// What stands behind `// KEY` in the text.
std::optional<llvm::StringRef> lineOf(llvm::StringRef text,
                                      llvm::StringRef key) {
  std::string mark = ("\n// " + key).str();
  size_t at = text.find(mark);
  if (at == llvm::StringRef::npos)
    return std::nullopt;
  llvm::StringRef rest = text.drop_front(at + mark.size());
  return rest.take_until([](char c) { return c == '\n'; }).ltrim(": ").trim();
}

/// Whole numbers for each buffer; a large diagonal where it is asked for.
void makeBuffers(Problem &problem, llvm::StringRef text) {
  nest::FuncOp kernel = problem.kernel;
  bool dominant = lineOf(text, "INPUTS") == "dominant";
  bool updates = lineOf(text, "UPDATES").has_value();
  for (unsigned i = 0; i < kernel.getNumBuffers(); ++i) {
    llvm::SmallVector<int64_t> dims;
    ASSERT_TRUE(kernelDims(kernel, i, problem.sizes, dims));
    Type type = cast<MemRefType>(kernel.getArgumentTypes()[i]).getElementType();
    if (!updates && i + problem.writes >= kernel.getNumBuffers()) {
      problem.buffers.push_back(HostTensor::undefined(type, dims));
      continue;
    }
    HostTensor tensor = randomTensor(type, dims, 7 + i, -3, 3, true);
    if (dominant && dims.size() == 2 && dims[0] == dims[1])
      for (int64_t d = 0; d < dims[0]; ++d)
        setElement(tensor, d * dims[0] + d, 4.0 * static_cast<double>(dims[0]));
    problem.buffers.push_back(std::move(tensor));
  }
}

class Gallery : public Semantics,
                public testing::WithParamInterface<std::string> {};

/// The text with numbers exchanged as its line AS says.
std::string exchangeNumbers(llvm::StringRef text) {
  std::string result = text.str();
  for (llvm::StringRef pair :
       llvm::split(lineOf(text, "AS").value_or(""), ' ')) {
    auto [from, to] = pair.split('=');
    if (to.empty())
      continue;
    std::string old = std::move(result);
    for (size_t at = 0; at < old.size();) {
      size_t end = at;
      while (end < old.size() && llvm::isDigit(old[end]))
        ++end;
      llvm::StringRef number = llvm::StringRef(old).slice(at, end);
      result += number == from ? to : number;
      result += llvm::StringRef(old).substr(end, 1);
      at = end + 1;
    }
  }
  return result;
}

TEST_P(Gallery, MeansTheSameUnderItsSchedule) {
  auto file = llvm::MemoryBuffer::getFile(
      std::string(NESTOR_GALLERY) + "/" + GetParam() + ".mlir", true);
  ASSERT_TRUE(bool(file));
  std::string text = exchangeNumbers((*file)->getBuffer());
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  // Files may hold several schedules of their kernel.
  for (auto named : module->getOps<transform::NamedSequenceOp>()) {
    SCOPED_TRACE(named.getSymName().str());
    Problem problem;
    problem.module = module->clone();
    problem.kernel = *problem.module->getOps<nest::FuncOp>().begin();
    if (auto sizes = lineOf(text, "SIZES"))
      for (llvm::StringRef size : llvm::split(*sizes, ' '))
        problem.sizes.push_back(std::stoll(size.str()));
    ASSERT_EQ(problem.sizes.size(), problem.kernel.getSizes().size());
    if (auto tolerance = lineOf(text, "TOLERANCE"))
      problem.tolerance = std::stod(tolerance->str());
    problem.writes = 1;
    if (auto writes = lineOf(text, "WRITES"))
      problem.writes = std::stoul(writes->str());
    ASSERT_NO_FATAL_FAILURE(makeBuffers(problem, text));
    std::string why;
    std::vector<HostTensor> want = results(problem, why);
    ASSERT_EQ(why, "");
    // What is not finite would equal anything that is not finite.
    for (const HostTensor &result : want)
      for (int64_t e = 0; e < result.getNumElements(); ++e)
        ASSERT_TRUE(std::isfinite(elementAsDouble(result, e))) << e;

    OwningOpRef<ModuleOp> sequence =
        ModuleOp::create(UnknownLoc::get(&context));
    sequence->getOperation()->setAttrs(module->getOperation()->getAttrs());
    sequence->push_back(named->clone());
    auto schedule = sched::Schedule::replay(*sequence, problem.kernel);
    ASSERT_TRUE(bool(schedule)) << schedule.getOutcome().getText();
    EXPECT_EQ(meaning(problem.kernel, problem, want, 1, true, 100'000'000), "");
    EXPECT_EQ(native(problem.kernel, problem, want, 1), "");
  }
}

std::vector<std::string> gallery() {
  std::vector<std::string> names;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(NESTOR_GALLERY, error), end;
       it != end && !error; it.increment(error))
    if (llvm::sys::path::extension(it->path()) == ".mlir")
      names.push_back(llvm::sys::path::stem(it->path()).str());
  llvm::sort(names);
  return names;
}

TEST(GalleryFolder, IsThere) { EXPECT_GE(gallery().size(), 9u); }

INSTANTIATE_TEST_SUITE_P(Schedules, Gallery, testing::ValuesIn(gallery()),
                         [](const testing::TestParamInfo<std::string> &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });
} // namespace
