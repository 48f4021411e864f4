//===- Compiler.cpp - From a model file to a program ----------------------===//

#include "nestor/API/Compiler.h"

#include "Convert.h"
#include "ProgramImpl.h"

#include "nestor/Runtime/CpuQuota.h"

namespace nestor {
namespace {

CompileOptions lowerOptions(const Compiler::Options &options) {
  CompileOptions result;
  result.target = options.target;
  for (const auto &[name, size] : options.dims)
    result.dims[name] = size;
  result.dumpDir = options.dumpDir;
  result.overrideDir = options.overrideDir;
  result.threads = static_cast<unsigned>(
      options.threads > 0 ? options.threads : rt::defaultThreads());
  result.noSchedule = options.noSchedule;
  result.int8 = options.precision == Precision::Int8;
  if (options.progress)
    result.progress = [progress = options.progress](llvm::StringRef phase) {
      progress({phase.data(), phase.size()});
    };
  return result;
}

struct EmitName {
  const char *name;
  EmitKind kind;
};
constexpr EmitName emitNames[] = {
    {"import", EmitKind::Import},       {"graph", EmitKind::Graph},
    {"partition", EmitKind::Partition}, {"schedule", EmitKind::Schedule},
    {"nest", EmitKind::Nest},           {"loops", EmitKind::Loops},
    {"llvm", EmitKind::LLVM},           {"asm", EmitKind::Assembly},
};

} // namespace

Result<Program> Compiler::compile(const std::string &path) const {
  llvm::Expected<CompiledModel> model =
      compileFile(path, lowerOptions(options));
  if (!model)
    return toFailure(model.takeError());
  llvm::Expected<rt::Program::Ptr> loaded = loadModel(*model);
  if (!loaded)
    return toFailure(loaded.takeError());
  Program program;
  program.impl = Program::Impl::make(std::move(*loaded));
  program.impl->report = makeReport(*model);
  program.impl->compiled = std::move(*model);
  return program;
}

Result<CompileReport> Compiler::compileTo(const std::string &path,
                                          const std::string &output) const {
  llvm::Expected<CompiledModel> model =
      compileFile(path, lowerOptions(options));
  if (!model)
    return toFailure(model.takeError());
  if (llvm::Error error = writeArtefact(*model, output))
    return toFailure(std::move(error));
  // The seal reads all of the file: its copy in memory goes first.
  model->constants.reset();
  // An artefact for another architecture cannot be read as one of ours here;
  // it stays without a seal.
  if (rt::Status status = rt::sealArtefact(output.c_str());
      !status.ok() && status.code != rt::Code::TargetMissing)
    return toFailure(std::move(status));
  return makeReport(*model);
}

Result<std::string> Compiler::emit(const std::string &path,
                                   const std::string &kind) const {
  for (const EmitName &row : emitNames)
    if (kind == row.name) {
      llvm::Expected<std::string> text =
          emitText(path, lowerOptions(options), row.kind);
      if (!text)
        return toFailure(text.takeError());
      return std::move(*text);
    }
  return Failure{2, "there is no phase '" + kind + "' to emit"};
}

Result<std::vector<std::string>>
Compiler::emitObjects(const std::string &path) const {
  llvm::Expected<CompiledModel> model =
      compileFile(path, lowerOptions(options));
  if (!model)
    return toFailure(model.takeError());
  std::vector<std::string> objects;
  for (const ObjectBytes &bytes : model->objects)
    objects.emplace_back(bytes.begin(), bytes.end());
  return objects;
}

Result<void> Compiler::check(const std::string &path) const {
  llvm::Expected<std::string> text =
      emitText(path, lowerOptions(options), EmitKind::Import);
  if (!text)
    return toFailure(text.takeError());
  return {};
}

const std::vector<std::string> &Compiler::emitKinds() {
  static const std::vector<std::string> kinds = [] {
    std::vector<std::string> names;
    for (const EmitName &row : emitNames)
      names.push_back(row.name);
    return names;
  }();
  return kinds;
}

} // namespace nestor
