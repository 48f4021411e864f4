//===- Kernels.cpp - Compiled loops over one math operation ---------------===//
#include "Kernels.h"

#include "nestor/Codegen/Codegen.h"
#include "nestor/Codegen/Link.h"
#include "nestor/Lower/VectorMath.h"
#include "nestor/Support/Error.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

using namespace nestor;
using namespace nestor::test;

static std::string replaceAll(std::string text, const std::string &what,
                              const std::string &with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos;
       at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

static std::string loopText(const KernelText &k) {
  std::string n = std::to_string(chunk);
  bool isScalar = k.lanes == 1;
  auto shaped = [&](const std::string &element) {
    return isScalar ? element
                    : "vector<" + std::to_string(k.lanes) + "x" + element + ">";
  };
  auto access = [&](const std::string &element) {
    return ": memref<" + n + "x" + element + ">" +
           (isScalar ? "" : ", " + shaped(element));
  };
  std::string load = isScalar ? "memref.load" : "vector.load";
  std::string store = isScalar ? "memref.store" : "vector.store";
  std::string text = "func.func @" + k.name + "(%in0: memref<" + n + "x" +
                     k.operand + ">, %in1: memref<" + n + "x" + k.operand +
                     ">, %out: memref<" + n + "x" + k.result + ">) {\n" +
                     "%c0 = arith.constant 0 : index\n" +
                     "%n = arith.constant " + n + " : index\n" +
                     "%step = arith.constant " + std::to_string(k.lanes) +
                     " : index\nscf.for %i = %c0 to %n step %step {\n" +
                     "%x = " + load + " %in0[%i] " + access(k.operand) + "\n";
  if (k.isBinary)
    text += "%y = " + load + " %in1[%i] " + access(k.operand) + "\n";
  text += replaceAll(replaceAll(k.body, "T", shaped(k.operand)), "R",
                     shaped(k.result)) +
          "\n" + store + " %r, %out[%i] " + access(k.result) +
          "\n}\nreturn\n}\n";
  return text;
}

namespace {

/// The kernels as LLVM dialect.
struct Lowered {
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  CodegenOptions options;

  explicit Lowered(llvm::ArrayRef<KernelText> texts);
};

mlir::DialectRegistry &allDialects() {
  static mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registerVectorMathDialects(registry);
  return registry;
}

Lowered::Lowered(llvm::ArrayRef<KernelText> texts) : context(allDialects()) {
  context.loadAllAvailableDialects();
  std::string text;
  for (const KernelText &k : texts) {
    text += loopText(k);
    options.exports.push_back(k.name);
  }
  auto parsed = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!parsed) {
    ADD_FAILURE() << text;
    return;
  }
  if (mlir::failed(expandVectorMath(*parsed)) ||
      mlir::failed(mlir::verify(*parsed))) {
    ADD_FAILURE() << "expansion failed";
    return;
  }
  // Twice changes nothing.
  std::string once, twice;
  llvm::raw_string_ostream(once) << *parsed;
  EXPECT_TRUE(mlir::succeeded(expandVectorMath(*parsed)));
  llvm::raw_string_ostream(twice) << *parsed;
  EXPECT_EQ(once, twice);

  mlir::PassManager passes(&context);
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  passes.addPass(mlir::createSCFToControlFlowPass());
  passes.addPass(mlir::createConvertVectorToLLVMPass());
  passes.addPass(mlir::createConvertMathToLLVMPass());
  passes.addPass(mlir::createArithToLLVMConversionPass());
  passes.addPass(mlir::createConvertIndexToLLVMPass());
  passes.addPass(mlir::createFinalizeMemRefToLLVMConversionPass());
  mlir::ConvertFuncToLLVMPassOptions bare;
  bare.useBarePtrCallConv = true;
  passes.addPass(mlir::createConvertFuncToLLVMPass(bare));
  passes.addPass(mlir::createConvertControlFlowToLLVMPass());
  passes.addPass(mlir::createReconcileUnrealizedCastsPass());
  if (mlir::failed(passes.run(*parsed)))
    ADD_FAILURE() << "lowering failed";
  else
    module = std::move(parsed);
}

} // namespace

std::string Kernels::assemble(llvm::ArrayRef<KernelText> texts,
                              llvm::StringRef target) {
  Lowered lowered(texts);
  auto machine = Target::parse(target);
  if (!lowered.module || !machine) {
    ADD_FAILURE() << takeError(machine.takeError()).second;
    return "";
  }
  auto text = emitAssembly(*lowered.module, *machine, lowered.options);
  if (text)
    return *text;
  ADD_FAILURE() << takeError(text.takeError()).second;
  return "";
}

std::unique_ptr<Kernels> Kernels::compile(llvm::ArrayRef<KernelText> texts) {
  Lowered lowered(texts);
  if (!lowered.module)
    return nullptr;
  auto kernels = std::make_unique<Kernels>();
  Target host = Target::host();
  auto object = emitObject(*lowered.module, host, lowered.options);
  llvm::SmallString<128> path;
  if (!object ||
      llvm::sys::fs::createTemporaryFile("vector-math", "so", path)) {
    ADD_FAILURE() << takeError(object.takeError()).second;
    return nullptr;
  }
  std::vector<ObjectBytes> objects{std::move(*object)};
  if (llvm::Error error = linkSharedFile(path, objects, {}, host)) {
    ADD_FAILURE() << takeError(std::move(error)).second;
    return nullptr;
  }
  kernels->library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  llvm::sys::fs::remove(path);
  if (!kernels->library) {
    ADD_FAILURE() << dlerror();
    return nullptr;
  }
  return kernels;
}

Kernels::~Kernels() {
  if (library)
    dlclose(library);
}

void Kernels::run(llvm::StringRef name, const void *x, const void *y,
                  void *out) const {
  using Loop = void (*)(const void *, const void *, void *);
  auto loop = reinterpret_cast<Loop>(dlsym(library, name.str().c_str()));
  ASSERT_NE(loop, nullptr) << name.str();
  loop(x, y, out);
}
