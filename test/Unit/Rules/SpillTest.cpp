// Every register tile that the cost model may choose, in assembly: the loop
// with the multiply-adds never touches the stack with a vector. For both vector
// widths and each kind of element, with operands packed and as they lie.
#include "../../../lib/Rules/TileSteps.h"

#include "nestor/Codegen/Codegen.h"
#include "nestor/Lower/Lower.h"
#include "nestor/Schedule/Extension.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/ADT/StringExtras.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using llvm::StringRef;

namespace {
/// sum += convert(a) * convert(b).
struct Element {
  const char *name, *a, *convertA, *b, *convertB, *sum;
};
const Element kElements[] = {
    {"f32", "f32", "", "f32", "", "f32"},
    {"f64", "f64", "", "f64", "", "f64"},
    {"bf16", "bf16", "extf", "bf16", "extf", "f32"},
    {"f16", "f16", "extf", "f16", "extf", "f32"},
    {"s8", "i8", "extsi", "i8", "extsi", "i32"},
    {"u8s8", "i8", "extui", "i8", "extsi", "i32"},
    // Narrow weights of f32 activations.
    {"f32s8", "f32", "", "i8", "sitofp", "f32"},
    {"f32bf16", "f32", "", "bf16", "extf", "f32"},
};

std::string productText(const std::string &name, const Element &element,
                        int64_t m, int64_t n, int64_t k, bool packed) {
  auto memref = [](int64_t rows, int64_t columns, const char *type) {
    return "memref<" + std::to_string(rows) + "x" + std::to_string(columns) +
           "x" + type + ">";
  };
  std::string ta = memref(m, k, element.a), tb = memref(k, n, element.b),
              tc = memref(m, n, element.sum), sum = element.sum;
  bool isFloat = element.sum[0] == 'f';
  std::string f = isFloat ? "f" : "i", text;
  auto convert = [&](const char *to, const char *from, const char *how,
                     const char *type) -> std::string {
    if (!*how)
      return "";
    return std::string(to) + " = arith." + how + " " + from + " : " + type +
           " to " + sum + "\n";
  };
  std::string x = *element.convertA ? "%x" : "%a",
              y = *element.convertB ? "%y" : "%b";
  return "nest.func @" + name + "(%A: " + ta + ", %B: " + tb +
         (packed ? " {nest.constant}" : "") + ", %C: " + tc +
         ") {\n"
         "nest.for %i = 0 to " +
         std::to_string(m) + " {\nnest.for %j = 0 to " + std::to_string(n) +
         " {\nnest.for %k = 0 to " + std::to_string(k) +
         " {\n"
         "nest.block \"C\" (%vi : spatial = %i to " +
         std::to_string(m) + ", %vj : spatial = %j to " + std::to_string(n) +
         ", %vk : reduce = %k to " + std::to_string(k) +
         ") init {\n"
         "%z = arith.constant " +
         (isFloat ? "0.0" : "0") + " : " + sum +
         "\nmemref.store %z, %C[%vi, %vj] : " + tc +
         "\n} {\n"
         "%a = memref.load %A[%vi, %vk] : " +
         ta + "\n%b = memref.load %B[%vk, %vj] : " + tb +
         "\n%c = memref.load %C[%vi, %vj] : " + tc + "\n" +
         convert("%x", "%a", element.convertA, element.a) +
         convert("%y", "%b", element.convertB, element.b) + "%p = arith.mul" +
         f + " " + x + ", " + y + " : " + sum + "\n%s = arith.add" + f +
         " %c, %p : " + sum + "\nmemref.store %s, %C[%vi, %vj] : " + tc +
         "\n}\n}\n}\n}\n}\n";
}

/// The loops of a function without loops inside, as lines.
SmallVector<SmallVector<StringRef>> innerLoops(ArrayRef<StringRef> lines) {
  SmallVector<SmallVector<StringRef>> loops;
  for (size_t i = 0; i < lines.size(); ++i) {
    StringRef label = lines[i].split(':').first;
    if (!label.starts_with(".LBB"))
      continue;
    for (size_t j = i + 1; j < lines.size(); ++j) {
      if (lines[j].starts_with(".LBB"))
        break;
      StringRef line = lines[j].ltrim();
      if (line.starts_with("j") && line.rtrim().ends_with(label)) {
        loops.emplace_back(lines.begin() + i + 1, lines.begin() + j + 1);
        break;
      }
    }
  }
  return loops;
}

bool isMultiplyAdd(StringRef line) {
  line = line.ltrim();
  line.consume_front("{vex}");
  line = line.ltrim();
  return line.starts_with("vfmadd") || line.starts_with("vpmulld") ||
         line.starts_with("vpmaddwd") || line.starts_with("vpdp");
}

/// Whether a vector goes to the stack or comes from there.
bool spills(StringRef line) {
  bool stack = line.contains("(%rsp") || line.contains("(%rbp");
  return stack && line.ltrim().starts_with("v");
}

struct Case {
  const char *target;
  Element element;
};

struct RegisterTiles : testing::TestWithParam<Case> {
  MLIRContext context;
  RegisterTiles() {
    DialectRegistry registry;
    registry
        .insert<arith::ArithDialect, math::MathDialect, memref::MemRefDialect,
                scf::SCFDialect, LLVM::LLVMDialect, vector::VectorDialect,
                cf::ControlFlowDialect, nest::NestDialect>();
    registerScheduleExtension(registry);
    registerBuiltinDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// Gives `kernel` the tile and nothing else.
  bool schedule(nest::FuncOp kernel, const Blocking &tile,
                const Target &target) {
    sched::Schedule s(kernel);
    DefaultSchedule result;
    RuleContext rules{s, target, result, {}};
    nest::BlockOp block = analysis::blocksIn(kernel).front();
    std::optional<Roles> roles = findRoles(kernel, block);
    auto ref = s.getBlock("C");
    if (!roles || !ref)
      return false;
    Reduction reduction = reductionOf(kernel, block, *roles, target);
    return TileSteps(rules, s, *ref, *roles, reduction, tile).run();
  }

  void scan(bool packed, bool rests);
};

void RegisterTiles::scan(bool packed, bool rests) {
  Target target = llvm::cantFail(Target::parse(GetParam().target));
  const Element &element = GetParam().element;
  // What the model sees of a large product of these elements.
  auto parse = [&](const std::string &text) {
    return parseSourceString<ModuleOp>(text, &context);
  };
  OwningOpRef<ModuleOp> large =
      parse(productText("f", element, 512, 1024, 256, packed));
  ASSERT_TRUE(large);
  nest::FuncOp whole = *large->getOps<nest::FuncOp>().begin();
  nest::BlockOp block = analysis::blocksIn(whole).front();
  std::optional<Roles> roles = findRoles(whole, block);
  ASSERT_TRUE(roles);
  Reduction reduction = reductionOf(whole, block, *roles, target);
  SmallVector<Blocking> tiles = registerTilesOf(reduction, target);
  ASSERT_GE(tiles.size(), 10u);

  OwningOpRef<ModuleOp> kernels;
  std::string text;
  for (const Blocking &tile : tiles) {
    int64_t columns = tile.vectors * reduction.lanes;
    text += productText("tile_" + std::to_string(tile.rows) + "x" +
                            std::to_string(tile.vectors),
                        element, 2 * tile.rows + (rests ? tile.rows / 2 : 0),
                        2 * columns + (rests ? columns - 3 : 0), 48, packed);
  }
  kernels = parse(text);
  ASSERT_TRUE(kernels);
  SmallVector<Operation *> funcs;
  for (auto [kernel, tile] :
       llvm::zip_equal(kernels->getOps<nest::FuncOp>(), tiles))
    funcs.push_back(kernel);
  for (auto [kernel, tile] : llvm::zip_equal(funcs, tiles))
    ASSERT_TRUE(schedule(cast<nest::FuncOp>(kernel), tile, target))
        << tile.rows << " x " << tile.vectors;
  auto lowered = lowerKernels(funcs);
  ASSERT_TRUE(succeeded(lowered));
  ASSERT_TRUE(succeeded(lowerToLLVM(**lowered, &target)));
  auto assembly = emitAssembly(**lowered, target);
  ASSERT_TRUE(bool(assembly)) << takeError(assembly.takeError()).second;
  SmallVector<StringRef> lines;
  llvm::SplitString(*assembly, lines, "\n");
  for (const Blocking &tile : tiles) {
    std::string name = "tile_" + std::to_string(tile.rows) + "x" +
                       std::to_string(tile.vectors);
    auto begin = llvm::find_if(
        lines, [&](StringRef line) { return line.starts_with(name + ":"); });
    ASSERT_NE(begin, lines.end()) << name;
    auto end = std::find_if(begin, lines.end(), [](StringRef line) {
      return line.starts_with(".Lfunc_end");
    });
    int64_t most = 0;
    for (auto &loop : innerLoops(ArrayRef(begin, end))) {
      int64_t adds = llvm::count_if(loop, isMultiplyAdd);
      most = std::max(most, adds);
      if (int64_t count = adds ? llvm::count_if(loop, spills) : 0)
        ADD_FAILURE() << element.name << (packed ? " packed" : "") << " for "
                      << GetParam().target << ", " << tile.rows << " x "
                      << tile.vectors << ": " << count << " vectors spilled\n"
                      << llvm::join(loop, "\n");
    }
    EXPECT_GE(most, tile.rows * tile.vectors) << name;
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char *target : {"x86-64-v3", "x86-64-v4", "x86-64-v3+avxvnni",
                             "x86-64-v4+avx512bf16+avx512vnni"})
    for (const Element &element : kElements)
      // Instructions change nothing for elements that compute as they are.
      if (*element.convertA || !StringRef(target).contains('+'))
        all.push_back({target, element});
  return all;
}

std::string nameOf(const testing::TestParamInfo<Case> &info) {
  std::string name =
      std::string(info.param.element.name) + "_" + info.param.target;
  for (char &c : name)
    if (!llvm::isAlnum(c))
      c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, RegisterTiles, testing::ValuesIn(cases()),
                         nameOf);

TEST_P(RegisterTiles, OfPackedOperandsStayInRegisters) { scan(true, false); }
TEST_P(RegisterTiles, OfOperandsAsTheyLieStayInRegisters) {
  scan(false, false);
}
} // namespace
