//===- Pipeline.cpp - The order of everything -----------------------------===//
//
// The table of contents of the compiler. Read it from top to bottom:
//
//   import     model file          -> linalg, tensor, scf, model
//   graph      tensor program      -> a better tensor program
//   partition  tensor program      -> nest kernels + host program
//   schedule   nest kernels        -> nest kernels, rewritten by schedules
//   loops      nests, host program -> loops over bare pointers
//   llvm       loops               -> LLVM dialect
//   object     LLVM module         -> native code
//
// Constants: whatever depends on constants alone is the program @setup. It goes
// through the same phases for this machine, runs once, and its results are the
// constants of @main.
//
//===----------------------------------------------------------------------===//
#include "nestor/Pipeline/Pipeline.h"

#include "Objects.h"
#include "PhaseRunner.h"
#include "Relayouts.h"
#include "Setup.h"

#include "nestor/Analysis/StructuralHash.h"
#include "nestor/Codegen/Link.h"
#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Exec/Load.h"
#include "nestor/Graph/Graph.h"
#include "nestor/Import/Import.h"
#include "nestor/Lower/Lower.h"
#include "nestor/Partition/Partition.h"
#include "nestor/Pipeline/Dialects.h"
#include "nestor/Rules/Rules.h"
#include "nestor/Schedule/Schedule.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace nestor;

namespace {
/// One compilation: its context, its options, and what the phases leave.
class Compilation {
public:
  Compilation(StringRef path, const CompileOptions &options, Target target)
      : path(path), options(options), target(std::move(target)),
        context(makeRegistry(), MLIRContext::Threading::DISABLED),
        runner(context, options), constants(std::make_shared<ConstantPool>()) {
    context.loadAllAvailableDialects();
  }

  llvm::Error toImport();
  llvm::Error toGraph();
  llvm::Error toPartition();
  llvm::Error toSchedule();
  llvm::Error toSetup();
  llvm::Error toObjects();
  llvm::Error toLoops();
  llvm::Error toLLVM();
  llvm::Error toObject();

  std::string text() const;

  StringRef path;
  const CompileOptions &options;
  Target target;
  MLIRContext context;
  PhaseRunner runner;
  OwningOpRef<ModuleOp> module;
  std::shared_ptr<ConstantPool> constants;
  LoweredConstants lowered;
  std::vector<KernelInfo> kernels;
  std::vector<ObjectBytes> objects;

private:
  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registerDialects(registry);
    return registry;
  }
  std::string buildInfo() const;
  LowerOptions lowerOptions() const;
  LogicalResult scheduleOne(nest::FuncOp kernel, KernelInfo &info);
};
} // namespace

static std::optional<std::string> readIfExists(StringRef directory,
                                               StringRef name) {
  if (directory.empty())
    return std::nullopt;
  SmallString<128> path(directory);
  llvm::sys::path::append(path, name);
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return std::nullopt;
  return (*buffer)->getBuffer().str();
}

static bool writeText(StringRef directory, StringRef name, StringRef text) {
  if (llvm::sys::fs::create_directories(directory))
    return false;
  SmallString<128> path(directory);
  llvm::sys::path::append(path, name);
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  if (code)
    return false;
  file << text;
  return true;
}

std::string Compilation::text() const {
  std::string result;
  llvm::raw_string_ostream os(result);
  module.get()->print(os);
  return result;
}

std::string Compilation::buildInfo() const {
  llvm::json::Array list;
  for (const KernelInfo &kernel : kernels)
    list.push_back(llvm::json::Object{{"name", kernel.name},
                                      {"hash", kernel.hash},
                                      {"schedule", kernel.schedule}});
  std::string result;
  llvm::raw_string_ostream os(result);
  os << llvm::json::Value(
      llvm::json::Object{{"nestor", "0.1"}, {"kernels", std::move(list)}});
  return result;
}

llvm::Error Compilation::toImport() {
  return runner.run(
      "import", module, [&](OwningOpRef<ModuleOp> &out) -> llvm::Error {
        if (path.ends_with(".mlir")) {
          out = parseSourceFile<ModuleOp>(path, ParserConfig(&context));
          if (!out)
            return makeError(ErrorKind::Malformed, path + " is not valid MLIR");
          return llvm::Error::success();
        }
        ImportOptions import;
        import.symbols = options.dims;
        auto imported = importOnnx(path, import, context, *constants);
        if (!imported)
          return imported.takeError();
        out = std::move(*imported);
        return llvm::Error::success();
      });
}

llvm::Error Compilation::toGraph() {
  return runner.run("graph", module, [&](ModuleOp m) {
    return optimizeGraph(m, {options.int8});
  });
}

llvm::Error Compilation::toPartition() {
  return runner.run("partition", module,
                    [&](ModuleOp m) { return partition(m, *constants); });
}

/// The default schedule, or the one that a file of the override directory says;
/// both leave the same two files in the dump directory.
LogicalResult Compilation::scheduleOne(nest::FuncOp kernel, KernelInfo &info) {
  std::optional<std::string> given =
      readIfExists(options.overrideDir, info.hash + ".sequence.mlir");
  if (given) {
    OwningOpRef<ModuleOp> sequence =
        parseSourceString<ModuleOp>(*given, ParserConfig(&context));
    if (!sequence)
      return kernel.emitError("the schedule ")
             << info.hash << ".sequence.mlir cannot be read";
    sched::Outcome outcome =
        sched::Schedule::replay(*sequence, kernel).getOutcome();
    if (!outcome.isDone())
      return kernel.emitError("the schedule ")
             << info.hash << ".sequence.mlir: " << outcome.getText();
    info.schedule = std::move(*given);
  } else {
    DefaultSchedule schedule = scheduleKernel(kernel, target);
    info.schedule = std::move(schedule.sequence);
    info.refusals = std::move(schedule.refusals);
  }
  if (options.dumpDir.empty())
    return success();
  std::string nest;
  llvm::raw_string_ostream os(nest);
  // Alone: launches of the other kernels may not fit them yet, and text of an
  // invalid module is generic.
  kernel.print(os, OpPrintingFlags().useLocalScope());
  if (!writeText(options.dumpDir, info.hash + ".sequence.mlir",
                 info.schedule) ||
      !writeText(options.dumpDir, info.hash + ".schedule.mlir", nest))
    return kernel.emitError("cannot write into ") << options.dumpDir;
  return success();
}

llvm::Error Compilation::toSchedule() {
  return runner.run("schedule", module, [&](ModuleOp m) -> LogicalResult {
    // Rules may choose the layout of what is constant at every launch.
    markConstantArguments(m);
    SmallVector<nest::FuncOp> all(m.getOps<nest::FuncOp>());
    for (nest::FuncOp kernel : all) {
      KernelInfo &info = kernels.emplace_back();
      info.name = kernel.getSymName().str();
      info.hash = analysis::structuralHash(kernel);
      if (options.noSchedule)
        continue;
      if (failed(scheduleOne(kernel, info)))
        return failure();
    }
    // Schedules may change the layout of arguments: constants are packed by
    // @setup, everything else by a kernel before the launch.
    if (failed(resolveRelayouts(m)))
      return failure();
    // Only now are all buffers of the host program known.
    return planMemory(m);
  });
}

llvm::Error Compilation::toSetup() {
  return runner.step("setup", [&] { return runSetup(*module, *constants); });
}

LowerOptions Compilation::lowerOptions() const {
  LowerOptions lower;
  lower.modelName = llvm::sys::path::stem(path).str();
  lower.target = target.describe();
  lower.features = target.requiredFeatures();
  lower.buildInfo = buildInfo();
  return lower;
}

/// loops, llvm and object for a few kernels at a time, for less memory. The
/// first two in one piece only for whoever wants to see or has edited them; the
/// bytes are those of the parts unless they are edited.
llvm::Error Compilation::toObjects() {
  bool isEdited =
      runner.isOverridden("loops") || runner.isOverridden("llvm", 2);
  if (isEdited || !options.dumpDir.empty()) {
    OwningOpRef<ModuleOp> parts = isEdited ? nullptr : module->clone();
    if (llvm::Error error = toLoops())
      return error;
    if (llvm::Error error = toLLVM())
      return error;
    if (isEdited)
      return toObject();
    module = std::move(parts);
    lowered = LoweredConstants();
  }
  return runner.run(
      "object", module, [&](OwningOpRef<ModuleOp> &m) -> llvm::Error {
        auto result =
            makeObjects(*m, lowerOptions(), target, options.threads, lowered);
        if (!result)
          return result.takeError();
        objects = std::move(*result);
        m = OwningOpRef<ModuleOp>();
        return llvm::Error::success();
      });
}

llvm::Error Compilation::toLoops() {
  return runner.run(
      "loops", module, [&](OwningOpRef<ModuleOp> &m) -> llvm::Error {
        auto loops = lowerToLoops(*m, lowerOptions(), lowered);
        if (failed(loops))
          return makeError(ErrorKind::Internal, "the loops phase failed");
        m = std::move(*loops);
        return llvm::Error::success();
      });
}

llvm::Error Compilation::toLLVM() {
  return runner.run("llvm", module,
                    [&](ModuleOp m) { return lowerToLLVM(m, &target); });
}

llvm::Error Compilation::toObject() {
  return runner.step("object", [&]() -> llvm::Error {
    auto result =
        emitObjectsSplit(*module, target, CodegenOptions(), options.threads);
    if (!result)
      return result.takeError();
    objects = std::move(*result);
    return llvm::Error::success();
  });
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

llvm::Expected<CompiledModel>
nestor::compileFile(StringRef path, const CompileOptions &options) {
  auto target = Target::parse(options.target);
  if (!target)
    return target.takeError();
  Compilation c(path, options, *target);
  using Phase = llvm::Error (Compilation::*)();
  for (Phase phase : {&Compilation::toImport, &Compilation::toGraph,
                      &Compilation::toPartition, &Compilation::toSchedule,
                      &Compilation::toSetup, &Compilation::toObjects})
    if (llvm::Error error = (c.*phase)())
      return error;
  CompiledModel model;
  model.name = llvm::sys::path::stem(path).str();
  model.target = c.target;
  model.objects = std::move(c.objects);
  model.constants = c.constants;
  model.constantKeys = std::move(c.lowered.keys);
  model.kernels = std::move(c.kernels);
  model.times = c.runner.getTimes();
  return model;
}

llvm::Expected<std::string>
nestor::emitText(StringRef path, const CompileOptions &options, EmitKind kind) {
  auto target = Target::parse(options.target);
  if (!target)
    return target.takeError();
  Compilation c(path, options, *target);
  using Phase = llvm::Error (Compilation::*)();
  const std::pair<EmitKind, Phase> order[] = {
      {EmitKind::Import, &Compilation::toImport},
      {EmitKind::Graph, &Compilation::toGraph},
      {EmitKind::Partition, &Compilation::toPartition},
      {EmitKind::Nest, &Compilation::toSchedule},
      {EmitKind::Loops, &Compilation::toSetup},
      {EmitKind::Loops, &Compilation::toLoops},
      {EmitKind::LLVM, &Compilation::toLLVM}};
  for (auto [name, phase] : order) {
    if (llvm::Error error = (c.*phase)())
      return error;
    if (name == kind && phase != &Compilation::toSetup)
      break;
    if (kind == EmitKind::Schedule && name == EmitKind::Nest) {
      std::string all;
      for (const KernelInfo &kernel : c.kernels)
        all += "// kernel " + kernel.name + " " + kernel.hash + "\n" +
               kernel.schedule + "\n";
      return all;
    }
  }
  if (kind == EmitKind::LLVM)
    return emitLLVMText(*c.module, c.target);
  if (kind == EmitKind::Assembly)
    return emitAssembly(*c.module, c.target);
  return c.text();
}

llvm::Error nestor::writeArtefact(const CompiledModel &model, StringRef path) {
  std::vector<llvm::ArrayRef<uint8_t>> weights;
  for (const std::string &key : model.constantKeys) {
    bool found = false;
    weights.push_back(model.constants->lookup(key, found));
    if (!found)
      return makeError(ErrorKind::Internal,
                       "constant " + key + " has no bytes");
  }
  return linkSharedFile(path, model.objects, weights, model.target);
}

llvm::Expected<rt::Program::Ptr> nestor::loadModel(const CompiledModel &model) {
  return load(model.objects, model.target,
              [pool = model.constants](const char *key,
                                       uint64_t bytes) -> const void * {
                bool found = false;
                llvm::ArrayRef<uint8_t> data = pool->lookup(key, found);
                return found && data.size() >= bytes ? data.data() : nullptr;
              });
}
