//===- CodegenTest.cpp - Modules to objects to shared objects -------------===//
#include "nestor/Codegen/Codegen.h"
#include "nestor/Codegen/Link.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"

#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <gtest/gtest.h>

using namespace nestor;

namespace {

struct Context : mlir::MLIRContext {
  Context() { loadDialect<mlir::LLVM::LLVMDialect>(); }
  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef text) {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, this);
    EXPECT_TRUE(bool(module));
    return module;
  }
};

constexpr const char *addModule = R"mlir(
  llvm.func @nst_model(%x: f32) -> f32 {
    %0 = llvm.call @twice(%x) : (f32) -> f32
    llvm.return %0 : f32
  }
  llvm.func @twice(%x: f32) -> f32 attributes {no_inline} {
    %0 = llvm.fadd %x, %x : f32
    llvm.return %0 : f32
  }
)mlir";

template <typename T>
T must(llvm::Expected<T> value) {
  if (value)
    return std::move(*value);
  ADD_FAILURE() << takeError(value.takeError()).second;
  return T();
}

std::string textOf(llvm::Error error) {
  return error ? takeError(std::move(error)).second : "";
}

std::string temporaryPath() {
  llvm::SmallString<128> path;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("codegen", "nst", path));
  return path.str().str();
}

Target v3() { return must(Target::parse("x86-64-v3")); }

} // namespace

TEST(Codegen, CompilesLinksAndRuns) {
  Context context;
  auto module = context.parse(addModule);
  Target host = Target::host();
  std::vector<ObjectBytes> objects{must(emitObject(*module, host))};
  std::string path = temporaryPath();
  ASSERT_EQ(textOf(linkSharedFile(path, objects, {}, host)), "");
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  auto *f = reinterpret_cast<float (*)(float)>(dlsym(library, "nst_model"));
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(f(1.5f), 3.0f);
  EXPECT_EQ(dlsym(library, "twice"), nullptr) << "only the model is exported";
  dlclose(library);
  llvm::sys::fs::remove(path);
}

TEST(Codegen, WeightsLieBehindTheCodeReadOnly) {
  Context context;
  auto module = context.parse(addModule);
  Target host = Target::host();
  std::vector<ObjectBytes> objects{must(emitObject(*module, host))};
  std::vector<uint8_t> small(100, 7), big(3 << 20), empty;
  for (size_t i = 0; i < big.size(); ++i)
    big[i] = static_cast<uint8_t>(i * 31 >> 4);
  WeightsLayout layout = layoutWeights({small.size(), 0, big.size()});
  EXPECT_EQ(layout.offsets[0], 0u);
  EXPECT_EQ(layout.offsets[2] % 4096, 0u);
  std::string path = temporaryPath();
  ASSERT_EQ(textOf(linkSharedFile(path, objects, {small, empty, big}, host)),
            "");
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  auto *weights = static_cast<uint8_t *>(dlsym(library, "nst_weights"));
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(weights) % 4096, 0u);
  EXPECT_EQ(std::memcmp(weights, small.data(), small.size()), 0);
  EXPECT_EQ(std::memcmp(weights + layout.offsets[2], big.data(), big.size()),
            0);
  auto *f = reinterpret_cast<float (*)(float)>(dlsym(library, "nst_model"));
  EXPECT_EQ(f(2.0f), 4.0f);
  // Read only: the mapping's line says so.
  std::ifstream maps("/proc/self/maps");
  std::string line;
  uintptr_t begin = 0, end = 0, at = reinterpret_cast<uintptr_t>(weights);
  bool seen = false;
  while (std::getline(maps, line)) {
    char mode[5] = {};
    if (sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, mode) == 3 &&
        begin <= at && at < end) {
      EXPECT_STREQ(mode, "r--p");
      seen = true;
    }
  }
  EXPECT_TRUE(seen);
  dlclose(library);
  llvm::sys::fs::remove(path);
}

TEST(Codegen, SameBytesWhateverTheThreads) {
  Context context;
  std::string text;
  for (int i = 0; i < 20; ++i)
    text += "llvm.func @f" + std::to_string(i) +
            "(%x: f32) -> f32 { %0 = llvm.fmul %x, %x : f32 "
            "llvm.return %0 : f32 }\n";
  text += "llvm.func @nst_model(%x: f32) -> f32 {\n"
          "%0 = llvm.call @f3(%x) : (f32) -> f32\nllvm.return %0 : f32 }";
  auto module = context.parse(text);
  auto one = must(emitObjectsSplit(*module, v3(), {}, 1, 4));
  auto two = must(emitObjectsSplit(*module, v3(), {}, 2, 4));
  EXPECT_GT(one.size(), 2u);
  EXPECT_EQ(one, two);
  EXPECT_EQ(must(linkShared(one, v3())), must(linkShared(two, v3())));
}

TEST(Codegen, CompilesSeveralModulesAtOnce) {
  Context context;
  auto first = context.parse(addModule);
  auto second = context.parse(
      "llvm.func @other(%x: f32) -> f32 { llvm.return %x : f32 }");
  auto objects = must(emitObjects({*first, *second}, v3()));
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(objects[0], must(emitObject(*first, v3())));
}

TEST(Codegen, WideVectorsStayWideOnEveryTarget) {
  Context context;
  auto module = context.parse(R"mlir(
    llvm.func @nst_model(%a: !llvm.ptr, %b: !llvm.ptr) {
      %0 = llvm.load %a : !llvm.ptr -> vector<16xf32>
      %1 = llvm.load %b : !llvm.ptr -> vector<16xf32>
      %2 = llvm.intr.fma(%0, %1, %1)
         : (vector<16xf32>, vector<16xf32>, vector<16xf32>) -> vector<16xf32>
      llvm.store %2, %a : vector<16xf32>, !llvm.ptr
      llvm.return
    }
  )mlir");
  Target v4 = must(Target::parse("x86-64-v4"));
  std::string wide = must(emitAssembly(*module, v4));
  EXPECT_NE(wide.find("zmm"), std::string::npos) << wide;
  EXPECT_EQ(wide.find("ymm"), std::string::npos) << wide;
  std::string narrow = must(emitAssembly(*module, v3()));
  EXPECT_NE(narrow.find("ymm"), std::string::npos);
  EXPECT_EQ(narrow.find("zmm"), std::string::npos);
  std::string arm =
      must(emitAssembly(*module, must(Target::parse("armv8.6-a"))));
  EXPECT_NE(arm.find("fmla"), std::string::npos) << arm;
  EXPECT_NE(must(emitLLVMText(*module, v4)).find("prefer-vector-width"),
            std::string::npos);
}

TEST(Codegen, DumpsBothTexts) {
  Context context;
  auto module = context.parse(addModule);
  std::string phases;
  CodegenOptions options;
  options.dump = [&](llvm::StringRef phase, llvm::StringRef text) {
    EXPECT_NE(text.find("nst_model"), llvm::StringRef::npos);
    phases += (phase + ";").str();
  };
  ObjectBytes dumped = must(emitObject(*module, v3(), options));
  EXPECT_EQ(phases, "llvm;s;");
  EXPECT_EQ(dumped, must(emitObject(*module, v3()))) << "dumping changes bytes";
}

TEST(Codegen, RefusesWhatItCannotDo) {
  Context context;
  auto undefined = context.parse(R"mlir(
    llvm.func @__truncsfbf2(f32) -> i16
    llvm.func @nst_model(%x: f32) -> i16 {
      %0 = llvm.call @__truncsfbf2(%x) : (f32) -> i16
      llvm.return %0 : i16
    }
  )mlir");
  std::vector<ObjectBytes> objects{must(emitObject(*undefined, v3()))};
  auto linked = linkShared(objects, v3());
  ASSERT_FALSE(bool(linked));
  EXPECT_NE(takeError(linked.takeError()).second.find("__truncsfbf2"),
            std::string::npos);

  auto module = context.parse(addModule);
  objects = {must(emitObject(*module, v3()))};
  llvm::Error error = linkSharedFile("/nowhere/x.nst", objects, {}, v3());
  ASSERT_TRUE(bool(error));
  EXPECT_EQ(takeError(std::move(error)).first, ErrorKind::Unreadable);

  // Inline assembly that does not assemble is an error, not an exit.
  auto broken = context.parse(R"mlir(
    llvm.func @nst_model() {
      llvm.inline_asm has_side_effects "no such instruction", "" : () -> ()
      llvm.return
    }
  )mlir");
  auto object = emitObject(*broken, v3());
  ASSERT_FALSE(bool(object));
  llvm::consumeError(object.takeError());

  // A function that is not LLVM dialect does not translate.
  Context other;
  other.loadDialect<mlir::func::FuncDialect>();
  auto foreign = other.parse("func.func @f() { return }");
  auto text = emitLLVMText(*foreign, v3());
  ASSERT_FALSE(bool(text));
  llvm::consumeError(text.takeError());
}
