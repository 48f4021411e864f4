//===- LoadTest.cpp - A hand-written model, compiled, loaded and run ------===//
#include "nestor/Exec/Load.h"
#include "nestor/Codegen/Link.h"
#include "nestor/Runtime/Instance.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace nestor;

namespace {

/// y[4] = x[4] + c[4]: nst_model as in Abi.h, written out by hand.
std::string modelText(llvm::StringRef features) {
  std::string text = R"mlir(
  llvm.mlir.global internal constant @empty("\00")
  llvm.mlir.global internal constant @x("x\00")
  llvm.mlir.global internal constant @y("y\00")
  llvm.mlir.global internal constant @key("bias\00")
  llvm.mlir.global internal constant @features("FEATURES\00")
  llvm.mlir.global internal constant @dims() : !llvm.array<2 x i64> {
    %0 = llvm.mlir.constant(dense<[4, -1]> : tensor<2xi64>) : !llvm.array<2 x i64>
    llvm.return %0 : !llvm.array<2 x i64>
  }
  llvm.mlir.global internal constant @shape(dense<4> : tensor<1xi64>) : !llvm.array<1 x i64>
  llvm.mlir.global internal constant @in() : !llvm.struct<(ptr, i32, i32, ptr)> {
    %s0 = llvm.mlir.undef : !llvm.struct<(ptr, i32, i32, ptr)>
    %n = llvm.mlir.addressof @x : !llvm.ptr
    %d = llvm.mlir.addressof @dims : !llvm.ptr
    %t = llvm.mlir.constant(11 : i32) : i32
    %r = llvm.mlir.constant(1 : i32) : i32
    %s1 = llvm.insertvalue %n, %s0[0] : !llvm.struct<(ptr, i32, i32, ptr)>
    %s2 = llvm.insertvalue %t, %s1[1] : !llvm.struct<(ptr, i32, i32, ptr)>
    %s3 = llvm.insertvalue %r, %s2[2] : !llvm.struct<(ptr, i32, i32, ptr)>
    %s4 = llvm.insertvalue %d, %s3[3] : !llvm.struct<(ptr, i32, i32, ptr)>
    llvm.return %s4 : !llvm.struct<(ptr, i32, i32, ptr)>
  }
  llvm.mlir.global internal constant @out() : !llvm.struct<(ptr, i32, i32, ptr)> {
    %s0 = llvm.mlir.undef : !llvm.struct<(ptr, i32, i32, ptr)>
    %n = llvm.mlir.addressof @y : !llvm.ptr
    %d = llvm.mlir.addressof @dims : !llvm.ptr
    %t = llvm.mlir.constant(11 : i32) : i32
    %r = llvm.mlir.constant(1 : i32) : i32
    %s1 = llvm.insertvalue %n, %s0[0] : !llvm.struct<(ptr, i32, i32, ptr)>
    %s2 = llvm.insertvalue %t, %s1[1] : !llvm.struct<(ptr, i32, i32, ptr)>
    %s3 = llvm.insertvalue %r, %s2[2] : !llvm.struct<(ptr, i32, i32, ptr)>
    %s4 = llvm.insertvalue %d, %s3[3] : !llvm.struct<(ptr, i32, i32, ptr)>
    llvm.return %s4 : !llvm.struct<(ptr, i32, i32, ptr)>
  }
  llvm.mlir.global internal constant @row() : !llvm.struct<(ptr, i64, i64)> {
    %s0 = llvm.mlir.undef : !llvm.struct<(ptr, i64, i64)>
    %k = llvm.mlir.addressof @key : !llvm.ptr
    %o = llvm.mlir.constant(0 : i64) : i64
    %b = llvm.mlir.constant(16 : i64) : i64
    %s1 = llvm.insertvalue %k, %s0[0] : !llvm.struct<(ptr, i64, i64)>
    %s2 = llvm.insertvalue %o, %s1[1] : !llvm.struct<(ptr, i64, i64)>
    %s3 = llvm.insertvalue %b, %s2[2] : !llvm.struct<(ptr, i64, i64)>
    llvm.return %s3 : !llvm.struct<(ptr, i64, i64)>
  }
  llvm.func @run(%call: !llvm.ptr) -> i32 {
    %services = llvm.load %call : !llvm.ptr -> !llvm.ptr
    %pi = llvm.getelementptr %call[0, 2] : (!llvm.ptr) -> !llvm.ptr, !llvm.struct<(ptr, ptr, ptr, ptr)>
    %inputs = llvm.load %pi : !llvm.ptr -> !llvm.ptr
    %data = llvm.load %inputs : !llvm.ptr -> !llvm.ptr
    %pc = llvm.getelementptr %call[0, 3] : (!llvm.ptr) -> !llvm.ptr, !llvm.struct<(ptr, ptr, ptr, ptr)>
    %constants = llvm.load %pc : !llvm.ptr -> !llvm.ptr
    %bias = llvm.load %constants : !llvm.ptr -> !llvm.ptr
    %po = llvm.getelementptr %services[0, 4] : (!llvm.ptr) -> !llvm.ptr, !llvm.struct<(i64, ptr, ptr, ptr, ptr)>
    %f = llvm.load %po : !llvm.ptr -> !llvm.ptr
    %zero = llvm.mlir.constant(0 : i32) : i32
    %one = llvm.mlir.constant(1 : i32) : i32
    %shape = llvm.mlir.addressof @shape : !llvm.ptr
    %out = llvm.call %f(%call, %zero, %shape, %one) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, i32) -> !llvm.ptr
    %a = llvm.load %data {alignment = 4 : i64} : !llvm.ptr -> vector<4xf32>
    %b = llvm.load %bias {alignment = 4 : i64} : !llvm.ptr -> vector<4xf32>
    %sum = llvm.fadd %a, %b : vector<4xf32>
    llvm.store %sum, %out {alignment = 4 : i64} : vector<4xf32>, !llvm.ptr
    llvm.return %zero : i32
  }
)mlir";
  // The table: ints and pointers in the order of struct nst_model; NST_MAGIC
  // and its size come first.
  const char *fields[][2] = {
      {"i32", "827609934"}, {"i32", "1"},     {"i64", "136"},
      {"ptr", "empty"},     {"ptr", "empty"}, {"ptr", "features"},
      {"ptr", "empty"},     {"i64", "1"},     {"ptr", "in"},
      {"i64", "1"},         {"ptr", "out"},   {"i64", "0"},
      {"ptr", ""},          {"i64", "1"},     {"ptr", "row"},
      {"ptr", "run"}};
  std::string type = "!llvm.struct<(";
  std::string body;
  int n = 0;
  std::string last = "%s";
  for (auto &[kind, value] : fields) {
    std::string id = std::to_string(n);
    type += (n ? ", " : "") + std::string(kind);
    bool isPointer = std::string(kind) == "ptr";
    if (!isPointer)
      body += "%v" + id + " = llvm.mlir.constant(" + value + " : " + kind +
              ") : " + kind + "\n";
    else if (*value)
      body += "%v" + id + " = llvm.mlir.addressof @" + value + " : !llvm.ptr\n";
    else
      body += "%v" + id + " = llvm.mlir.zero : !llvm.ptr\n";
    body += "%t" + id + " = llvm.insertvalue %v" + id + ", " + last + "[" + id +
            "] : TYPE\n";
    last = "%t" + id;
    ++n;
  }
  type += ")>";
  text += "llvm.mlir.global external constant @nst_model() : TYPE {\n"
          "%s = llvm.mlir.undef : TYPE\n" +
          body + "llvm.return " + last + " : TYPE\n}\n";
  for (auto [what, with] : {std::pair<std::string, std::string>{"TYPE", type},
                            {"FEATURES", features.str()}})
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos;
         at += with.size())
      text.replace(at, what.size(), with);
  return text;
}

struct Context : mlir::MLIRContext {
  Context() { loadDialect<mlir::LLVM::LLVMDialect>(); }
};

std::vector<ObjectBytes> compileModel(llvm::StringRef features) {
  Context context;
  auto module =
      mlir::parseSourceString<mlir::ModuleOp>(modelText(features), &context);
  EXPECT_TRUE(bool(module));
  std::vector<ObjectBytes> objects;
  if (!module)
    return objects;
  auto object = emitObject(*module, Target::host());
  if (object)
    objects.push_back(std::move(*object));
  else
    ADD_FAILURE() << takeError(object.takeError()).second;
  return objects;
}

alignas(64) const float bias[4] = {10, 20, 30, 40};
const void *resolve(const char *key, uint64_t bytes) {
  return llvm::StringRef(key) == "bias" && bytes == 16 ? bias : nullptr;
}

void runAndCheck(const rt::Program::Ptr &program) {
  std::unique_ptr<rt::Instance> instance;
  rt::Status status = rt::Instance::create(program, {}, instance);
  ASSERT_TRUE(status.ok()) << status.message;
  float x[4] = {1, 2, 3, 4};
  int64_t dims[1] = {4};
  nst_tensor input = {x, dims, 1, NST_F32};
  status = instance->run({&input, 1});
  ASSERT_TRUE(status.ok()) << status.message;
  const float *y = static_cast<const float *>(instance->output(0).data);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(y[i], x[i] + bias[i]);
}

} // namespace

TEST(Load, RunsAModelFromObjects) {
  auto program = load(compileModel(Target::host().requiredFeatures()),
                      Target::host(), resolve);
  ASSERT_TRUE(bool(program)) << takeError(program.takeError()).second;
  runAndCheck(*program);
}

TEST(Load, TheFileRunsTheSame) {
  std::vector<ObjectBytes> objects = compileModel("");
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("exec", "nst", path));
  llvm::ArrayRef<uint8_t> weights(reinterpret_cast<const uint8_t *>(bias), 16);
  llvm::Error error = linkSharedFile(path, objects, {weights}, Target::host());
  ASSERT_FALSE(bool(error)) << takeError(std::move(error)).second;
  rt::Program::Ptr program;
  rt::Status status = rt::Program::loadFile(path.c_str(), {}, program);
  ASSERT_TRUE(status.ok()) << status.message;
  runAndCheck(program);
  llvm::sys::fs::remove(path);
}

TEST(Load, RefusesWhatCannotRun) {
  auto lacking = load(compileModel("fma,sse99"), Target::host(), resolve);
  ASSERT_FALSE(bool(lacking));
  EXPECT_EQ(takeError(lacking.takeError()).first, ErrorKind::TargetMissing);
  // A constant that nobody gives.
  auto missing = load(compileModel(""), Target::host());
  ASSERT_FALSE(bool(missing));
  llvm::consumeError(missing.takeError());
  // No nst_model in it.
  Context context;
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "llvm.func @f() { llvm.return }", &context);
  auto object = emitObject(*module, Target::host());
  ASSERT_TRUE(bool(object));
  std::vector<ObjectBytes> objects{std::move(*object)};
  auto empty = load(objects, Target::host());
  ASSERT_FALSE(bool(empty));
  EXPECT_EQ(takeError(empty.takeError()).first, ErrorKind::Damaged);
}
