//===- Codegen.h - From LLVM modules to objects -----------------*- C++ -*-===//
//
// The last steps of compilation: LLVM dialect → LLVM IR → machine code. The
// same object bytes serve the JIT and the artefact.
//
// Assumes: the module is valid LLVM dialect; vector widths are already chosen
// (LLVM's loop and SLP vectorisers and its unroller are off); no vector is
// passed between functions by value.
// Leaves true: every function of an object carries the same CPU, features and
// vector width; the bytes depend on the module and the target only, never on
// the number of threads. Safe to call from several threads at once, as long as
// each call has its own MLIR module.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_CODEGEN_CODEGEN_H
#define NESTOR_CODEGEN_CODEGEN_H

#include "nestor/Target/Target.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm
namespace mlir {
class ModuleOp;
} // namespace mlir

namespace nestor {

/// The bytes of one relocatable object.
using ObjectBytes = llvm::SmallVector<char, 0>;

struct CodegenOptions {
  /// 0 (fast to compile) to 3.
  unsigned optLevel = 2;
  /// The widest vector that LLVM may form by itself; 0: the target's.
  unsigned vectorBits = 0;
  /// Definitions that stay visible outside of the linked image.
  std::vector<std::string> exports = {"nst_model", "nst_weights"};
  /// Called with ("llvm", text) after optimisation and ("s", assembly) when
  /// set; costs one more code generation. Never called from two threads at
  /// once.
  std::function<void(llvm::StringRef phase, llvm::StringRef text)> dump;
};

/// LLVM dialect → LLVM IR in `context`, with the target's triple, data layout
/// and function attributes set. Fails with the translation's diagnostics.
llvm::Expected<std::unique_ptr<llvm::Module>>
translate(mlir::ModuleOp module, llvm::LLVMContext &context,
          const Target &target, const CodegenOptions &options = {});

/// Optimises `module` in place and returns its object code.
llvm::Expected<ObjectBytes> emitObject(llvm::Module &module,
                                       const Target &target,
                                       const CodegenOptions &options = {});
llvm::Expected<ObjectBytes> emitObject(mlir::ModuleOp module,
                                       const Target &target,
                                       const CodegenOptions &options = {});

/// Objects of several modules, on up to `threads` threads, in input order.
/// Translation runs on the calling thread (MLIR contexts may be
/// single-threaded), optimisation and code generation in parallel.
llvm::Expected<std::vector<ObjectBytes>>
emitObjects(llvm::ArrayRef<mlir::ModuleOp> modules, const Target &target,
            const CodegenOptions &options = {}, unsigned threads = 2);

/// Objects of one big module, cut into pieces of about `functionsPerPart`
/// functions. The cut depends on the module only.
llvm::Expected<std::vector<ObjectBytes>>
emitObjectsSplit(mlir::ModuleOp module, const Target &target,
                 const CodegenOptions &options = {}, unsigned threads = 2,
                 unsigned functionsPerPart = 8);

/// The optimised module as LLVM IR text or as assembly.
llvm::Expected<std::string> emitLLVMText(mlir::ModuleOp module,
                                         const Target &target,
                                         const CodegenOptions &options = {});
llvm::Expected<std::string> emitAssembly(mlir::ModuleOp module,
                                         const Target &target,
                                         const CodegenOptions &options = {});

} // namespace nestor

#endif // NESTOR_CODEGEN_CODEGEN_H
