//===- AssemblyTest.cpp - The instructions are there, nothing spills ------===//
#include "RecordKernel.h"

#include "nestor/Lower/Lower.h"
#include "nestor/Support/Error.h"

#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;
using llvm::StringRef;

namespace {
/// The lines of the innermost loop: from a label to the branch back to it.
SmallVector<StringRef> hotLoop(StringRef assembly) {
  SmallVector<StringRef> lines;
  llvm::SplitString(assembly, lines, "\n");
  SmallVector<StringRef> best;
  for (size_t i = 0; i < lines.size(); ++i) {
    StringRef label = lines[i].split(':').first;
    if (!label.starts_with(".LBB"))
      continue;
    for (size_t j = i + 1; j < lines.size(); ++j) {
      if (lines[j].starts_with(".LBB"))
        break;
      StringRef line = lines[j].ltrim();
      if ((line.starts_with("j") || line.starts_with("b.") ||
           line.starts_with("cb")) &&
          line.rtrim().ends_with(label)) {
        best.assign(lines.begin() + i + 1, lines.begin() + j + 1);
        break;
      }
    }
  }
  return best;
}

size_t countOf(ArrayRef<StringRef> lines, const Twine &text) {
  std::string word = text.str();
  return llvm::count_if(
      lines, [&](StringRef line) { return line.ltrim().starts_with(word); });
}

bool touchesStack(StringRef line) {
  return line.contains("(%rsp") || line.contains("(%rbp") ||
         line.contains("[sp");
}

/// As many instances as a macro-tile has, and one step of k.
Plan planOf(const MacroTile &tile) {
  return {tile.rows, tile.columns, 1, 0, 0};
}

struct RecordAssembly : testing::TestWithParam<const Record *> {
  MLIRContext context;
  const Record &record = *GetParam();
  RecordAssembly() { intrin::loadDialects(context); }

  std::string assembly(const Plan &plan) {
    auto text = kernelAssembly(context, record, plan, targetOf(record));
    if (text)
      return std::move(*text);
    ADD_FAILURE() << takeError(text.takeError()).second;
    return "";
  }
};
} // namespace

INSTANTIATE_TEST_SUITE_P(All, RecordAssembly, testing::ValuesIn(allRecords()),
                         testName);

// Every macro-tile: its instructions are in the loop, its accumulators stay in
// registers.
TEST_P(RecordAssembly, HotLoopsHoldTheInstructionAndNoSpill) {
  for (const MacroTile &tile : record.macroTiles) {
    std::string text = assembly(planOf(tile));
    SmallVector<StringRef> loop = hotLoop(text);
    std::string what = record.name + " " + std::to_string(tile.rows) + " x " +
                       std::to_string(tile.columns);
    ASSERT_FALSE(loop.empty()) << what << "\n" << text;
    EXPECT_GE(countOf(loop, record.mnemonic),
              static_cast<size_t>(tile.rows * tile.columns))
        << what << "\n"
        << text;
    for (StringRef line : loop)
      EXPECT_FALSE(touchesStack(line)) << what << ": " << line.str();
  }
}

TEST(Amx, TilesAreConfiguredOnceAndNeverMoved) {
  MLIRContext context;
  intrin::loadDialects(context);
  const Record &record = *find("x86.amx.tdpbusd");
  auto text =
      kernelAssembly(context, record, {2, 2, 1, 0, 0}, targetOf(record));
  ASSERT_TRUE(bool(text)) << takeError(text.takeError()).second;
  SmallVector<StringRef> lines;
  llvm::SplitString(*text, lines, "\n");
  EXPECT_EQ(countOf(lines, "ldtilecfg"), 1u);
  SmallVector<StringRef> loop = hotLoop(*text);
  EXPECT_EQ(countOf(loop, "tileloadd"), 4u) << *text;
  EXPECT_EQ(countOf(loop, "tdpbusd"), 4u);
  EXPECT_EQ(countOf(loop, "tilestored"), 0u);
}

// What the target lacks is emulated: the same kernel, no such instruction.
TEST(Amx, IsEmulatedWhereItIsAbsent) {
  MLIRContext context;
  intrin::loadDialects(context);
  Target v3 = llvm::cantFail(Target::parse("x86-64-v3"));
  for (const char *name : {"x86.amx.tdpbf16ps", "x86.vpdpbusd.512"}) {
    auto text = kernelAssembly(context, *find(name), {1, 1, 1, 0, 0}, v3);
    ASSERT_TRUE(bool(text)) << takeError(text.takeError()).second;
    EXPECT_FALSE(StringRef(*text).contains("tdp"));
    EXPECT_FALSE(StringRef(*text).contains("vpdpbusd"));
  }
}

// The other alternative of a record's features: the same instruction in its
// older encoding.
TEST(Vnni, WithoutAvx512) {
  MLIRContext context;
  intrin::loadDialects(context);
  Target target = llvm::cantFail(Target::parse("x86-64-v3+avxvnni"));
  for (const char *name : {"x86.vpdpbusd.256", "x86.vpdpwssd.256"}) {
    const Record &record = *find(name);
    auto text = kernelAssembly(context, record, {2, 2, 1, 0, 0}, target);
    ASSERT_TRUE(bool(text)) << takeError(text.takeError()).second;
    SmallVector<StringRef> loop = hotLoop(*text);
    EXPECT_EQ(countOf(loop, "{vex}\t" + record.mnemonic), 4u) << *text;
  }
}

// LLVM would rather have vpmaddwd and vpaddd on a CPU that it knows by level
// only.
TEST(Vnni, WordsAreOneInstruction) {
  MLIRContext context;
  intrin::loadDialects(context);
  for (const char *name : {"x86.vpdpwssd.512", "x86.vpdpwssd_s8s8.512"}) {
    const Record &record = *find(name);
    auto text =
        kernelAssembly(context, record, {2, 2, 1, 0, 0}, targetOf(record));
    ASSERT_TRUE(bool(text)) << takeError(text.takeError()).second;
    EXPECT_FALSE(StringRef(*text).contains("vpmaddwd")) << *text;
  }
}

// A call between tile instructions would configure the tiles again.
TEST(Amx, LoopsBesideTilesBecomeNoCalls) {
  MLIRContext context;
  intrin::loadDialects(context);
  auto module = parseSourceString<ModuleOp>(R"mlir(
    llvm.func @nst_model(%p: !llvm.ptr, %q: !llvm.ptr, %n: i64) {
      %stride = arith.constant 64 : i64
      %zero = arith.constant 0 : i64
      %one = arith.constant 1 : i64
      %zeros = arith.constant dense<0> : vector<16xi32>
      scf.for %i = %zero to %n step %one : i64 {
        %t = device.tile_load %p, %stride : !device.tile<16x16xi32>
        scf.for %j = %zero to %n step %one : i64 {
          %at = arith.muli %j, %stride : i64
          %row = llvm.getelementptr %q[%at] : (!llvm.ptr, i64) -> !llvm.ptr, i8
          llvm.store %zeros, %row : vector<16xi32>, !llvm.ptr
        }
        device.tile_store %t, %q, %stride : !device.tile<16x16xi32>
      }
      llvm.return
  })mlir",
                                            &context);
  ASSERT_TRUE(module);
  Target target = llvm::cantFail(Target::parse("sapphirerapids"));
  ASSERT_TRUE(succeeded(lowerToLLVM(*module, &target)));
  auto text = emitAssembly(*module, target);
  ASSERT_TRUE(bool(text)) << takeError(text.takeError()).second;
  EXPECT_FALSE(StringRef(*text).contains("memset")) << *text;
  SmallVector<StringRef> lines;
  llvm::SplitString(*text, lines, "\n");
  EXPECT_EQ(countOf(lines, "ldtilecfg"), 1u);
}
