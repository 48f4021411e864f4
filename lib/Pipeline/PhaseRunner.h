//===- PhaseRunner.h - Every phase runs through here ------------*- C++ -*-===//
//
// Times a phase, verifies its result, writes it when asked, and reads a
// hand-edited result back. Diagnostics of the phase become its error.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_PIPELINE_PHASERUNNER_H
#define NESTOR_LIB_PIPELINE_PHASERUNNER_H

#include "nestor/Pipeline/Pipeline.h"
#include "nestor/Support/Error.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace nestor {

class PhaseRunner {
public:
  PhaseRunner(mlir::MLIRContext &context, const CompileOptions &options)
      : context(context), options(options) {}

  /// Runs `body` on `module`. `phase` is the name that dumps, overrides and
  /// error messages share.
  llvm::Error
  run(llvm::StringRef phase, mlir::OwningOpRef<mlir::ModuleOp> &module,
      llvm::function_ref<llvm::Error(mlir::OwningOpRef<mlir::ModuleOp> &)>
          body);

  /// The same for a body that reports by diagnostics.
  llvm::Error run(llvm::StringRef phase,
                  mlir::OwningOpRef<mlir::ModuleOp> &module,
                  llvm::function_ref<mlir::LogicalResult(mlir::ModuleOp)> body);

  /// A timed step without IR of its own.
  llvm::Error step(llvm::StringRef phase,
                   llvm::function_ref<llvm::Error()> body);

  /// Whether an edited result of the phase that runs `ahead` phases from now
  /// is there to be read back.
  bool isOverridden(llvm::StringRef phase, unsigned ahead = 1) const;

  const std::vector<PhaseTime> &getTimes() const { return times; }

private:
  llvm::Error dump(llvm::StringRef phase, mlir::ModuleOp module);
  llvm::Error readOverride(llvm::StringRef phase,
                           mlir::OwningOpRef<mlir::ModuleOp> &module);

  mlir::MLIRContext &context;
  const CompileOptions &options;
  std::vector<PhaseTime> times;
  unsigned number = 0;
};

} // namespace nestor

#endif // NESTOR_LIB_PIPELINE_PHASERUNNER_H
