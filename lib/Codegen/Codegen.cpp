//===- Codegen.cpp - From LLVM modules to objects -------------------------===//
//
// Translation, attributes, the optimiser and the code generator. LLVM reports
// trouble through handlers; each is turned into an llvm::Error.
//
//===----------------------------------------------------------------------===//
#include "nestor/Codegen/Codegen.h"

#include "Bf16Routine.h"
#include "nestor/Support/Error.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/SplitModule.h"

#include <mutex>

using namespace nestor;
using llvm::StringRef;

extern "C" {
void LLVMInitializeX86Target();
void LLVMInitializeX86TargetInfo();
void LLVMInitializeX86TargetMC();
void LLVMInitializeX86AsmPrinter();
void LLVMInitializeX86AsmParser();
void LLVMInitializeAArch64Target();
void LLVMInitializeAArch64TargetInfo();
void LLVMInitializeAArch64TargetMC();
void LLVMInitializeAArch64AsmPrinter();
void LLVMInitializeAArch64AsmParser();
}

namespace {

void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
  });
}

/// Collects the errors that LLVM reports while it works in one context, so
/// that none of them reaches the default handler, which exits.
class ErrorCollector {
public:
  explicit ErrorCollector(llvm::LLVMContext &context) : context(context) {
    context.setDiagnosticHandlerCallBack(&ErrorCollector::handle, this);
  }
  ~ErrorCollector() { context.setDiagnosticHandlerCallBack(nullptr, nullptr); }

  llvm::Error take() {
    if (text.empty())
      return llvm::Error::success();
    return makeError(ErrorKind::Internal, "code generation: " + text);
  }

private:
  static void handle(const llvm::DiagnosticInfo *info, void *self) {
    if (info->getSeverity() != llvm::DS_Error)
      return;
    std::string &text = static_cast<ErrorCollector *>(self)->text;
    if (!text.empty())
      text += "; ";
    llvm::raw_string_ostream os(text);
    llvm::DiagnosticPrinterRawOStream printer(os);
    info->print(printer);
  }

  llvm::LLVMContext &context;
  std::string text;
};

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
makeMachine(const Target &target, const CodegenOptions &options) {
  initializeTargets();
  llvm::Triple triple(target.triple);
  std::string why;
  const llvm::Target *found = llvm::TargetRegistry::lookupTarget(triple, why);
  if (!found)
    return makeError(ErrorKind::TargetMissing,
                     "LLVM cannot generate code for " + target.name + ": " +
                         why);
  llvm::TargetOptions machineOptions;
  machineOptions.FunctionSections = true;
  machineOptions.DataSections = true;
  static constexpr llvm::CodeGenOptLevel levels[] = {
      llvm::CodeGenOptLevel::None, llvm::CodeGenOptLevel::Less,
      llvm::CodeGenOptLevel::Default, llvm::CodeGenOptLevel::Aggressive};
  std::unique_ptr<llvm::TargetMachine> machine(found->createTargetMachine(
      triple, target.cpu, target.llvmFeatures(), machineOptions,
      llvm::Reloc::PIC_, llvm::CodeModel::Small,
      levels[std::min(options.optLevel, 3u)]));
  if (!machine)
    return makeError(ErrorKind::TargetMissing,
                     "LLVM has no code generator for " + target.name);
  return machine;
}

/// True for a function whose stack should be aligned for its widest vector:
/// one that touches wide vectors or keeps arrays on the stack.
bool wantsAlignedStack(const llvm::Function &function) {
  for (const llvm::BasicBlock &block : function)
    for (const llvm::Instruction &inst : block) {
      if (llvm::isa<llvm::AllocaInst>(inst))
        return true;
      auto *vector = llvm::dyn_cast<llvm::FixedVectorType>(inst.getType());
      if (vector && vector->getPrimitiveSizeInBits().getFixedValue() > 128)
        return true;
    }
  return false;
}

/// True for a function with AMX tiles.
bool holdsTiles(const llvm::Function &function) {
  for (const llvm::BasicBlock &block : function)
    for (const llvm::Instruction &inst : block)
      if (inst.getType()->isX86_AMXTy())
        return true;
  return false;
}

/// What LLVM takes for a property of a CPU by name, and is one of the feature.
std::string tuningOf(const Target &target) {
  // Else a product and an addition take the place of one vpdpwssd.
  return target.has("avx512vnni") || target.has("avxvnni") ? ",+fast-dpwssd"
                                                           : "";
}

/// Uniform attributes: two functions with different vector widths disagree
/// about how a vector is passed, without a diagnostic.
void setAttributes(llvm::Module &module, const Target &target,
                   const CodegenOptions &options) {
  unsigned bits = options.vectorBits ? options.vectorBits : target.vectorBits;
  std::string width = std::to_string(bits);
  std::string features = target.llvmFeatures() + tuningOf(target);
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.cpu);
    function.addFnAttr("target-features", features);
    function.addFnAttr("prefer-vector-width", width);
    function.addFnAttr("min-legal-vector-width",
                       std::to_string(std::max(bits, target.vectorBits)));
    function.addFnAttr(llvm::Attribute::NoUnwind);
    // A loop that LLVM made a call of memset or memcpy would have the tiles
    // configured once more after it.
    if (holdsTiles(function))
      function.addFnAttr("no-builtins");
    if (target.isX86() && wantsAlignedStack(function))
      function.addFnAttr(llvm::Attribute::getWithStackAlignment(
          module.getContext(), llvm::Align(64)));
    bool isExported = llvm::is_contained(options.exports, function.getName());
    if (!function.hasLocalLinkage())
      function.setVisibility(isExported ? llvm::GlobalValue::DefaultVisibility
                                        : llvm::GlobalValue::HiddenVisibility);
  }
  for (llvm::GlobalVariable &global : module.globals())
    if (!global.hasLocalLinkage() && !global.isDeclaration())
      global.setVisibility(llvm::is_contained(options.exports, global.getName())
                               ? llvm::GlobalValue::DefaultVisibility
                               : llvm::GlobalValue::HiddenVisibility);
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              const CodegenOptions &options) {
  llvm::PipelineTuningOptions tuning;
  // Schedules decide about loops and vectors; LLVM cleans up after them.
  tuning.LoopVectorization = false;
  tuning.LoopInterleaving = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  static const llvm::OptimizationLevel levels[] = {
      llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1,
      llvm::OptimizationLevel::O2, llvm::OptimizationLevel::O3};
  unsigned level = std::min(options.optLevel, 3u);
  llvm::ModulePassManager passes =
      level == 0 ? builder.buildO0DefaultPipeline(levels[0])
                 : builder.buildPerModuleDefaultPipeline(levels[level]);
  passes.run(module, modules);
}

llvm::Error emit(llvm::Module &module, llvm::TargetMachine &machine,
                 llvm::CodeGenFileType type, ObjectBytes &out) {
  llvm::raw_svector_ostream os(out);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, os, nullptr, type))
    return makeError(ErrorKind::Internal,
                     "LLVM cannot emit this kind of file for the target");
  passes.run(module);
  return llvm::Error::success();
}

/// Optimises and calls `emitter(module, machine)`, with every LLVM error
/// caught.
llvm::Error
compile(llvm::Module &module, const Target &target,
        const CodegenOptions &options,
        llvm::function_ref<llvm::Error(llvm::Module &, llvm::TargetMachine &)>
            emitter) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      makeMachine(target, options);
  if (!machine)
    return machine.takeError();
  ErrorCollector errors(module.getContext());
  std::string why;
  llvm::raw_string_ostream os(why);
  if (llvm::verifyModule(module, &os))
    return makeError(ErrorKind::Internal, "invalid LLVM IR: " + why);
  optimize(module, **machine, options);
  defineBf16Routine(module);
  if (llvm::Error error = emitter(module, **machine)) {
    llvm::consumeError(errors.take());
    return error;
  }
  return errors.take();
}

std::mutex dumpMutex;

void dumpText(const CodegenOptions &options, llvm::Module &module,
              llvm::TargetMachine &machine) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os, nullptr);
  // Code generation changes the module (lowered intrinsics): dump a copy.
  std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);
  ObjectBytes assembly;
  llvm::Error error =
      emit(*copy, machine, llvm::CodeGenFileType::AssemblyFile, assembly);
  llvm::consumeError(std::move(error));
  std::lock_guard<std::mutex> lock(dumpMutex);
  options.dump("llvm", text);
  options.dump("s", StringRef(assembly.data(), assembly.size()));
}

} // namespace

llvm::Expected<std::unique_ptr<llvm::Module>>
nestor::translate(mlir::ModuleOp module, llvm::LLVMContext &context,
                  const Target &target, const CodegenOptions &options) {
  mlir::MLIRContext *mlirContext = module.getContext();
  mlir::registerBuiltinDialectTranslation(*mlirContext);
  mlir::registerLLVMDialectTranslation(*mlirContext);
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      makeMachine(target, options);
  if (!machine)
    return machine.takeError();

  std::string why;
  std::unique_ptr<llvm::Module> translated;
  {
    mlir::ScopedDiagnosticHandler handler(
        mlirContext, [&](mlir::Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
            why += (why.empty() ? "" : "; ") + diagnostic.str();
          return mlir::success();
        });
    StringRef name = module.getName().value_or("model");
    translated = mlir::translateModuleToLLVMIR(module, context, name);
  }
  if (!translated)
    return makeError(ErrorKind::Internal,
                     "translation to LLVM IR failed: " +
                         (why.empty() ? std::string("no reason given") : why));
  translated->setTargetTriple(llvm::Triple(target.triple));
  translated->setDataLayout((*machine)->createDataLayout());
  translated->setPICLevel(llvm::PICLevel::BigPIC);
  setAttributes(*translated, target, options);
  return translated;
}

llvm::Expected<ObjectBytes> nestor::emitObject(llvm::Module &module,
                                               const Target &target,
                                               const CodegenOptions &options) {
  ObjectBytes bytes;
  llvm::Error error = compile(
      module, target, options,
      [&](llvm::Module &m, llvm::TargetMachine &machine) {
        if (options.dump)
          dumpText(options, m, machine);
        return emit(m, machine, llvm::CodeGenFileType::ObjectFile, bytes);
      });
  if (error)
    return error;
  return bytes;
}

llvm::Expected<ObjectBytes> nestor::emitObject(mlir::ModuleOp module,
                                               const Target &target,
                                               const CodegenOptions &options) {
  llvm::LLVMContext context;
  auto translated = translate(module, context, target, options);
  if (!translated)
    return translated.takeError();
  return emitObject(**translated, target, options);
}

llvm::Expected<std::string>
nestor::emitLLVMText(mlir::ModuleOp module, const Target &target,
                     const CodegenOptions &options) {
  llvm::LLVMContext context;
  auto translated = translate(module, context, target, options);
  if (!translated)
    return translated.takeError();
  std::string text;
  llvm::Error error = compile(**translated, target, options,
                              [&](llvm::Module &m, llvm::TargetMachine &) {
                                llvm::raw_string_ostream os(text);
                                m.print(os, nullptr);
                                return llvm::Error::success();
                              });
  if (error)
    return error;
  return text;
}

llvm::Expected<std::string>
nestor::emitAssembly(mlir::ModuleOp module, const Target &target,
                     const CodegenOptions &options) {
  llvm::LLVMContext context;
  auto translated = translate(module, context, target, options);
  if (!translated)
    return translated.takeError();
  ObjectBytes text;
  llvm::Error error = compile(
      **translated, target, options,
      [&](llvm::Module &m, llvm::TargetMachine &machine) {
        return emit(m, machine, llvm::CodeGenFileType::AssemblyFile, text);
      });
  if (error)
    return error;
  return std::string(text.data(), text.size());
}

namespace {

/// Runs jobs on a pool and keeps their results in the order of submission.
class ObjectJobs {
public:
  ObjectJobs(unsigned threads, const Target &target,
             const CodegenOptions &options)
      : pool(llvm::hardware_concurrency(std::max(threads, 1u))), target(target),
        options(options) {}

  /// Compiles a module that lives in its own context.
  void add(std::unique_ptr<llvm::LLVMContext> context,
           std::unique_ptr<llvm::Module> module) {
    Slot *slot = slots.emplace_back(std::make_unique<Slot>()).get();
    slot->context = std::move(context);
    slot->module = std::move(module);
    pool.async([this, slot] {
      finish(*slot, emitObject(*slot->module, target, options));
    });
  }

  /// Compiles a module given as bitcode, parsed where it is compiled.
  void addBitcode(llvm::SmallVector<char, 0> bitcode) {
    Slot *slot = slots.emplace_back(std::make_unique<Slot>()).get();
    slot->bitcode = std::move(bitcode);
    pool.async([this, slot] {
      slot->context = std::make_unique<llvm::LLVMContext>();
      auto parsed = llvm::parseBitcodeFile(
          llvm::MemoryBufferRef(
              StringRef(slot->bitcode.data(), slot->bitcode.size()), "part"),
          *slot->context);
      if (!parsed)
        return finish(*slot, parsed.takeError());
      slot->module = std::move(*parsed);
      finish(*slot, emitObject(*slot->module, target, options));
    });
  }

  llvm::Expected<std::vector<ObjectBytes>> wait() {
    pool.wait();
    std::vector<ObjectBytes> objects;
    llvm::Error errors = llvm::Error::success();
    for (std::unique_ptr<Slot> &slot : slots) {
      errors = llvm::joinErrors(std::move(errors), std::move(slot->error));
      objects.push_back(std::move(slot->bytes));
    }
    if (errors)
      return errors;
    return objects;
  }

private:
  struct Slot {
    std::unique_ptr<llvm::LLVMContext> context;
    std::unique_ptr<llvm::Module> module;
    llvm::SmallVector<char, 0> bitcode;
    ObjectBytes bytes;
    llvm::Error error = llvm::Error::success();

    Slot() { llvm::consumeError(std::move(error)); }
    ~Slot() { llvm::consumeError(std::move(error)); }
  };

  void finish(Slot &slot, llvm::Expected<ObjectBytes> result) {
    if (result)
      slot.bytes = std::move(*result);
    else
      slot.error = result.takeError();
    slot.module.reset();
    slot.context.reset();
    slot.bitcode.clear();
  }

  llvm::DefaultThreadPool pool;
  const Target &target;
  const CodegenOptions &options;
  std::vector<std::unique_ptr<Slot>> slots;
};

} // namespace

llvm::Expected<std::vector<ObjectBytes>>
nestor::emitObjects(llvm::ArrayRef<mlir::ModuleOp> modules,
                    const Target &target, const CodegenOptions &options,
                    unsigned threads) {
  ObjectJobs jobs(threads, target, options);
  llvm::Error error = llvm::Error::success();
  for (mlir::ModuleOp module : modules) {
    auto context = std::make_unique<llvm::LLVMContext>();
    auto translated = translate(module, *context, target, options);
    if (!translated) {
      error = llvm::joinErrors(std::move(error), translated.takeError());
      break;
    }
    jobs.add(std::move(context), std::move(*translated));
  }
  llvm::Expected<std::vector<ObjectBytes>> objects = jobs.wait();
  if (error) {
    llvm::consumeError(objects.takeError());
    return error;
  }
  return objects;
}

llvm::Expected<std::vector<ObjectBytes>>
nestor::emitObjectsSplit(mlir::ModuleOp module, const Target &target,
                         const CodegenOptions &options, unsigned threads,
                         unsigned functionsPerPart) {
  llvm::LLVMContext context;
  auto translated = translate(module, context, target, options);
  if (!translated)
    return translated.takeError();
  unsigned functions = 0;
  for (const llvm::Function &function : **translated)
    functions += !function.isDeclaration();
  unsigned parts = std::max(1u, functions / std::max(1u, functionsPerPart));
  ObjectJobs jobs(threads, target, options);
  llvm::SplitModule(
      **translated, parts,
      [&](std::unique_ptr<llvm::Module> part) {
        llvm::SmallVector<char, 0> bitcode;
        llvm::raw_svector_ostream os(bitcode);
        llvm::WriteBitcodeToFile(*part, os);
        jobs.addBitcode(std::move(bitcode));
      },
      /*PreserveLocals=*/false, /*RoundRobin=*/true);
  return jobs.wait();
}
