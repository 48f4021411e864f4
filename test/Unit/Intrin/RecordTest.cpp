//===- RecordTest.cpp - Properties of every record ------------------------===//
#include "RecordKernel.h"

#include "nestor/Dialect/Nest/Nest.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringSet.h"

#include <gtest/gtest.h>
#include <set>

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

namespace {
struct EachRecord : testing::TestWithParam<const Record *> {
  MLIRContext context;
  const Record &record = *GetParam();
  EachRecord() { intrin::loadDialects(context); }

  /// Calls `body` for every point of the axes.
  void forPoints(function_ref<void(ArrayRef<int64_t>)> body) {
    for (int64_t m = 0; m < record.axes[kM].extent; ++m)
      for (int64_t n = 0; n < record.axes[kN].extent; ++n)
        for (int64_t k = 0; k < record.axes[kK].extent; ++k)
          body({m, n, k});
  }
};
} // namespace

INSTANTIATE_TEST_SUITE_P(All, EachRecord, testing::ValuesIn(allRecords()),
                         testName);

TEST_P(EachRecord, IsWellFormed) {
  ASSERT_EQ(record.axes.size(), 3u);
  ASSERT_EQ(record.operands.size(), 3u);
  EXPECT_EQ(record.axes[kK].kind, AxisKind::Reduce);
  EXPECT_EQ(record.lhs().axes, (SmallVector<unsigned, 2>{kM, kK}));
  EXPECT_EQ(record.rhs().axes, (SmallVector<unsigned, 2>{kK, kN}));
  EXPECT_EQ(record.acc().axes, (SmallVector<unsigned, 2>{kM, kN}));
  EXPECT_FALSE(record.mnemonic.empty());
  EXPECT_EQ(find(record.name), &record);
  Target target = targetOf(record);
  EXPECT_TRUE(record.availableOn(target)) << target.name;
  EXPECT_GT(record.macsPerCycle(target), 0);
  EXPECT_FALSE(record.availableOn(llvm::cantFail(Target::parse(
      record.arch == Arch::AArch64 ? "x86-64-v4" : "armv8.6-a"))));
  ASSERT_FALSE(record.macroTiles.empty());
  for (const MacroTile &tile : record.macroTiles)
    EXPECT_LE(tile.registers, record.registers(target));
}

// Where an operand lies: every place of its shape once, and no other.
TEST_P(EachRecord, OperandsCoverTheirShapesOnce) {
  for (const Operand &operand : record.operands) {
    AffineMap lies = operand.liesMap(&context);
    ASSERT_TRUE(lies);
    ASSERT_EQ(lies.getNumResults(), operand.shape.size());
    ASSERT_LE(operand.freeDims, operand.shape.size());
    std::set<std::vector<int64_t>> places, indices;
    forPoints([&](ArrayRef<int64_t> point) {
      auto at = lies.compose(point);
      for (auto [v, dim] : llvm::zip_equal(at, operand.shape)) {
        EXPECT_GE(v, 0);
        EXPECT_LT(v, dim);
      }
      auto index = operand.accessMap(&context).compose(point);
      bool isNew = indices.emplace(index.begin(), index.end()).second;
      // One place for an element, whatever the other axes say.
      EXPECT_EQ(places.emplace(at.begin(), at.end()).second, isNew);
    });
    int64_t size = 1;
    for (int64_t dim : operand.shape)
      size *= dim;
    EXPECT_EQ(static_cast<int64_t>(places.size()), size) << operand.name.str();
  }
}

TEST_P(EachRecord, PackingCoversTheMatrixOnce) {
  constexpr int64_t copies = 3, steps = 2;
  for (unsigned index : {kLhs, kRhs}) {
    const Operand &operand = record.operands[index];
    HostTensor matrix{typeOf(operand.element, &context), {}, {}};
    for (unsigned axis : operand.axes)
      matrix.dims.push_back(record.axes[axis].extent *
                            (axis == kK ? steps : copies));
    matrix.bytes.assign(matrix.getNumElements() * bitsOf(operand.element) / 8,
                        1);
    // Places that nothing was moved to keep another mark.
    EXPECT_EQ(llvm::count(pack(context, record, index, matrix, copies), 1),
              static_cast<int64_t>(matrix.bytes.size()));
  }
}

// A window into packed memory is one; a wrong inner order is not.
TEST_P(EachRecord, WindowsAreRecognised) {
  for (unsigned index : {kLhs, kRhs, kAcc}) {
    const Operand &operand = record.operands[index];
    AffineMap lies = operand.liesMap(&context);
    auto offset = [&](ArrayRef<int64_t> point, int64_t outer) {
      int64_t at = 0;
      for (auto [d, v] : llvm::enumerate(lies.compose(point)))
        at = d < operand.freeDims
                 ? at + outer * v
                 : at * (d > operand.freeDims ? operand.shape[d] : 1) + v;
      return at;
    };
    if (operand.freeDims <= 1 && operand.shape.size() - operand.freeDims <= 1) {
      auto strides =
          record.windowStrides(index, &context, [&](ArrayRef<int64_t> point) {
            return offset(point, 1000);
          });
      ASSERT_TRUE(strides) << operand.name.str();
      for (int64_t stride : *strides)
        EXPECT_EQ(stride, 1000);
    }
    if (operand.shape.back() > 1)
      EXPECT_FALSE(
          record.windowStrides(index, &context, [&](ArrayRef<int64_t> point) {
            return 2 * offset(point, 1000);
          }));
  }
}

TEST_P(EachRecord, SemanticsIsANest) {
  auto module = parseSourceString<ModuleOp>(record.semantics(), &context);
  ASSERT_TRUE(module) << record.semantics();
  EXPECT_TRUE(succeeded(verify(*module)));
}

TEST(Records, NamesAreUnique) {
  llvm::StringSet<> names;
  for (const Record &record : records())
    EXPECT_TRUE(names.insert(record.name).second) << record.name;
  EXPECT_EQ(find("x86.nothing"), nullptr);
}

TEST(Records, FeaturesHaveAlternatives) {
  Target vnni = llvm::cantFail(Target::parse("x86-64-v3+avxvnni"));
  EXPECT_TRUE(hasFeatures(vnni, "avx512vnni,avx512vl|avxvnni"));
  EXPECT_FALSE(hasFeatures(vnni, "avx512vnni"));
  EXPECT_FALSE(hasFeatures(vnni, "avxvnni,amx-int8"));
  EXPECT_TRUE(find("x86.vpdpbusd.256")->availableOn(vnni));
  EXPECT_FALSE(find("x86.vpdpbusd.512")->availableOn(vnni));
}

TEST(Records, TheFastestComesFirst) {
  Target amx = llvm::cantFail(Target::parse("sapphirerapids"));
  std::vector<const Record *> found = available(amx);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front()->name.substr(0, 7), "x86.amx");
  for (size_t i = 1; i < found.size(); ++i)
    EXPECT_GE(found[i - 1]->macsPerCycle(amx), found[i]->macsPerCycle(amx));
}

// A rate of the best instruction is not that of the others.
TEST(Records, DotProductsAreHalfOfMatrixProducts) {
  Target dot = llvm::cantFail(Target::parse("armv8.2-a"));
  Target matrix = llvm::cantFail(Target::parse("armv8.6-a"));
  const Record &sdot = *find("arm.sdot"), &smmla = *find("arm.smmla");
  EXPECT_EQ(2 * sdot.macsPerCycle(matrix), smmla.macsPerCycle(matrix));
  EXPECT_EQ(sdot.macsPerCycle(dot), dot.rates.fmaLanes * dot.rates.int8Dot);
}
