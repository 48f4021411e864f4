//===- PhaseRunner.cpp - Every phase runs through here --------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "PhaseRunner.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace mlir;
using namespace nestor;

namespace {
using Clock = std::chrono::steady_clock;

/// Collects errors instead of printing them.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(MLIRContext &context)
      : handler(&context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
            return;
          if (!text.empty())
            text += '\n';
          text += diagnostic.str();
          for (Diagnostic &note : diagnostic.getNotes())
            text += "\n  note: " + note.str();
        }) {}

  std::string take() { return std::move(text); }

private:
  std::string text;
  ScopedDiagnosticHandler handler;
};
} // namespace

static std::string fileName(unsigned number, StringRef phase) {
  return (number < 10 ? "0" : "") + std::to_string(number) + "-" + phase.str() +
         ".mlir";
}

llvm::Error PhaseRunner::dump(StringRef phase, ModuleOp module) {
  if (options.dumpDir.empty())
    return llvm::Error::success();
  if (std::error_code code = llvm::sys::fs::create_directories(options.dumpDir))
    return makeError(ErrorKind::Unreadable, "cannot create dump directory " +
                                                options.dumpDir + ": " +
                                                code.message());
  SmallString<128> path(options.dumpDir);
  llvm::sys::path::append(path, fileName(number, phase));
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  if (code)
    return makeError(ErrorKind::Unreadable,
                     "cannot write " + path + ": " + code.message());
  module.print(file);
  return llvm::Error::success();
}

bool PhaseRunner::isOverridden(StringRef phase, unsigned ahead) const {
  SmallString<128> path(options.overrideDir);
  llvm::sys::path::append(path, fileName(number + ahead, phase));
  return !options.overrideDir.empty() && llvm::sys::fs::exists(path);
}

llvm::Error PhaseRunner::readOverride(StringRef phase,
                                      OwningOpRef<ModuleOp> &module) {
  if (options.overrideDir.empty())
    return llvm::Error::success();
  SmallString<128> path(options.overrideDir);
  llvm::sys::path::append(path, fileName(number, phase));
  if (!llvm::sys::fs::exists(path))
    return llvm::Error::success();
  DiagnosticCollector diagnostics(context);
  OwningOpRef<ModuleOp> edited =
      parseSourceFile<ModuleOp>(path, ParserConfig(&context));
  if (!edited)
    return makeError(ErrorKind::Malformed, "override " + path +
                                               " cannot be read:\n" +
                                               diagnostics.take());
  module = std::move(edited);
  return llvm::Error::success();
}

llvm::Error
PhaseRunner::run(StringRef phase, OwningOpRef<ModuleOp> &module,
                 function_ref<llvm::Error(OwningOpRef<ModuleOp> &)> body) {
  if (options.progress)
    options.progress(phase);
  auto start = Clock::now();
  ++number;
  {
    DiagnosticCollector diagnostics(context);
    if (llvm::Error error = body(module)) {
      auto [kind, text] = takeError(std::move(error));
      if (std::string details = diagnostics.take(); !details.empty())
        text += ":\n" + details;
      return makeError(kind, text);
    }
    if (module && failed(verify(*module)))
      return makeError(ErrorKind::Internal, "the " + phase +
                                                " phase made invalid IR:\n" +
                                                diagnostics.take());
  }
  if (llvm::Error error = readOverride(phase, module))
    return error;
  times.push_back(
      {phase.str(),
       std::chrono::duration<double>(Clock::now() - start).count()});
  return module ? dump(phase, *module) : llvm::Error::success();
}

llvm::Error PhaseRunner::run(StringRef phase, OwningOpRef<ModuleOp> &module,
                             function_ref<LogicalResult(ModuleOp)> body) {
  return run(phase, module, [&](OwningOpRef<ModuleOp> &m) -> llvm::Error {
    DiagnosticCollector diagnostics(context);
    if (succeeded(body(*m)))
      return llvm::Error::success();
    return makeError(ErrorKind::Internal,
                     "the " + phase + " phase failed:\n" + diagnostics.take());
  });
}

llvm::Error PhaseRunner::step(StringRef phase,
                              function_ref<llvm::Error()> body) {
  if (options.progress)
    options.progress(phase);
  auto start = Clock::now();
  llvm::Error error = body();
  times.push_back(
      {phase.str(),
       std::chrono::duration<double>(Clock::now() - start).count()});
  return error;
}
