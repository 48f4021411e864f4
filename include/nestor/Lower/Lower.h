//===- Lower.h - Scheduled nests and the host program to LLVM ---*- C++ -*-===//
//
// Turns a module of host program and kernels into the LLVM dialect. It takes no
// decisions: loop kinds, scopes and annotations say everything, and a nest that
// nobody scheduled lowers too, slowly and correctly.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LOWER_LOWER_H
#define NESTOR_LOWER_LOWER_H

#include "nestor/Target/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace nestor {

struct LowerOptions {
  /// The host function that becomes nst_model.run.
  std::string entry = "main";
  /// The model's name, for people.
  std::string modelName;
  /// What the code needs: nst_model.target and nst_model.features.
  std::string target, features;
  /// JSON for nst_model.build_info.
  std::string buildInfo = "{}";
};

/// What the loader must provide, in the order of nst_model.constants.
struct LoweredConstants {
  std::vector<std::string> keys;
};

/// The `loops` phase: every nest.func of `module` as llvm.func over bare
/// pointers with scf, arith, math and vector bodies, the host function `entry`
/// likewise, and the nst_model table. `module` is not changed.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
lowerToLoops(mlir::ModuleOp module, const LowerOptions &options,
             LoweredConstants &constants);

/// The same in parts, for less memory: the kernels that `entry` launches, in
/// the order of their first launch ...
mlir::FailureOr<llvm::SmallVector<mlir::Operation *>>
launchedKernels(mlir::ModuleOp module, llvm::StringRef entry);
/// ... a module with some of them ...
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
lowerKernels(llvm::ArrayRef<mlir::Operation *> kernels);
/// ... and a module with the host function and the table, which declares them.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
lowerProgram(mlir::ModuleOp module, const LowerOptions &options,
             LoweredConstants &constants);

/// The `llvm` phase: writes device operations as the instructions of `target`
/// or, where it lacks them (no target: everywhere), as plain code; expands
/// vector math and converts everything to the LLVM dialect, in place.
mlir::LogicalResult lowerToLLVM(mlir::ModuleOp module,
                                const Target *target = nullptr);

} // namespace nestor

#endif // NESTOR_LOWER_LOWER_H
