// Each primitive's example: it runs, keeps the meaning, and is replayed from
// its own record. Each operation has a record.
#include "nestor/Schedule/Info.h"

#include "nestor/Interp/Interp.h"
#include "nestor/Schedule/Extension.h"
#include "nestor/Schedule/Schedule.h"

#include "mlir/Dialect/Transform/IR/TransformOps.h"
#include "mlir/Dialect/Transform/Transforms/TransformInterpreterUtils.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

namespace {
class InfoTest : public testing::TestWithParam<const PrimitiveInfo *> {
protected:
  InfoTest() {
    DialectRegistry registry;
    registry.insert<nest::NestDialect, scf::SCFDialect, math::MathDialect>();
    registerScheduleExtension(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  OwningOpRef<ModuleOp> kernel() {
    return parseSourceString<ModuleOp>(GetParam()->before, &context);
  }
  static nest::FuncOp funcIn(ModuleOp module) {
    return *module.getOps<nest::FuncOp>().begin();
  }
  static std::string print(Operation *op) {
    std::string text;
    llvm::raw_string_ostream(text) << *op;
    return text;
  }

  /// All buffers after a run on numbers that depend on the position alone.
  static std::vector<std::string> results(nest::FuncOp func) {
    SmallVector<int64_t> sizes;
    std::vector<HostTensor> buffers;
    for (Type type : func.getArgumentTypes())
      if (type.isIndex())
        sizes.push_back(13);
    for (auto [i, type] : llvm::enumerate(func.getArgumentTypes()))
      if (auto memref = dyn_cast<MemRefType>(type)) {
        SmallVector<int64_t> dims;
        EXPECT_TRUE(kernelDims(func, i, sizes, dims));
        buffers.push_back(
            randomTensor(memref.getElementType(), dims, i + 1, -4, 4, true));
      }
    llvm::Error error = Interp::runKernel(func, buffers, sizes);
    std::string problem = llvm::toString(std::move(error));
    EXPECT_EQ(problem, "");
    std::vector<std::string> bytes;
    for (const HostTensor &buffer : buffers)
      bytes.emplace_back(reinterpret_cast<const char *>(buffer.bytes.data()),
                         buffer.bytes.size());
    return bytes;
  }

  MLIRContext context;
};

TEST_P(InfoTest, TheExampleKeepsTheMeaningAndIsReplayed) {
  OwningOpRef<ModuleOp> module = kernel(), other = kernel();
  ASSERT_TRUE(module);
  std::vector<std::string> before = results(funcIn(*module));
  auto done = Schedule::parse(exampleSequence(*GetParam()), funcIn(*module));
  ASSERT_TRUE(bool(done)) << done.getOutcome().getText();
  ASSERT_TRUE(succeeded(verify(*module))) << print(*module);
  EXPECT_EQ(before, results(funcIn(*module))) << print(*module);
  EXPECT_NE((*done)->print().find(("transform.nest." + GetParam()->name).str()),
            std::string::npos);
  auto again = Schedule::parse((*done)->print(), funcIn(*other));
  ASSERT_TRUE(bool(again)) << again.getOutcome().getText();
  EXPECT_EQ(print(*module), print(*other));
}

/// Both callers of a primitive give the same.
TEST_P(InfoTest, TheTransformInterpreterAgrees) {
  OwningOpRef<ModuleOp> module = kernel(), other = kernel();
  ASSERT_TRUE(module);
  ASSERT_TRUE(
      bool(Schedule::parse(exampleSequence(*GetParam()), funcIn(*module))));
  OwningOpRef<ModuleOp> sequence =
      parseSourceString<ModuleOp>(exampleSequence(*GetParam()), &context);
  auto named = *sequence->getOps<transform::NamedSequenceOp>().begin();
  ASSERT_TRUE(succeeded(transform::applyTransformNamedSequence(
      funcIn(*other), named, ModuleOp(), transform::TransformOptions())));
  EXPECT_EQ(print(*module), print(*other));
}

TEST_P(InfoTest, TheRecordIsComplete) {
  const PrimitiveInfo &info = *GetParam();
  EXPECT_FALSE(info.does.empty());
  EXPECT_TRUE(info.does.ends_with("."));
  EXPECT_FALSE(info.syntax.empty());
  EXPECT_FALSE(info.family.empty());
  EXPECT_EQ(info.law.empty() ? "." : info.law.take_back(), ".");
}

INSTANTIATE_TEST_SUITE_P(
    Primitives, InfoTest, testing::ValuesIn(primitiveInfos()),
    [](const testing::TestParamInfo<const PrimitiveInfo *> &info) {
      return info.param->name.str();
    });

TEST(InfoListTest, EveryOperationHasARecord) {
  DialectRegistry registry;
  registry.insert<nest::NestDialect>();
  registerScheduleExtension(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  std::set<std::string> recorded;
  for (const PrimitiveInfo *info : primitiveInfos())
    EXPECT_TRUE(recorded.insert("transform.nest." + info->name.str()).second)
        << info->name.str();
  for (RegisteredOperationName name : context.getRegisteredOperations())
    if (name.getStringRef().starts_with("transform.nest."))
      EXPECT_TRUE(recorded.count(name.getStringRef().str()))
          << name.getStringRef().str() << " has no record in List.def";
}
} // namespace
