//===- Pipeline.h - From a model file to native code ------------*- C++ -*-===//
//
// The order of everything. Pipeline.cpp is the table of contents: one function
// a phase, each a straight line.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_PIPELINE_PIPELINE_H
#define NESTOR_PIPELINE_PIPELINE_H

#include "nestor/Codegen/Codegen.h"
#include "nestor/Runtime/Program.h"
#include "nestor/Support/ConstantPool.h"
#include "nestor/Target/Target.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace nestor {

struct CompileOptions {
  /// A name that Target::parse knows.
  std::string target = "host";
  /// Values for named dimensions of the inputs: the code is made for them.
  llvm::StringMap<int64_t> dims;
  /// Every phase that changed something is written here as
  /// NN-<phase>.<extension>; the schedule phase also writes, per kernel,
  /// HASH.sequence.mlir and HASH.schedule.mlir.
  std::string dumpDir;
  /// Files of the same names found here replace the phase's result.
  std::string overrideDir;
  /// Threads that code generation may use.
  unsigned threads = 2;
  /// Leave every nest as Partition made it: scalar loops.
  bool noSchedule = false;
  /// Data that meets constant weights of bytes is quantised as it comes.
  bool int8 = false;
  /// Called when a phase begins.
  std::function<void(llvm::StringRef phase)> progress;
};

/// One kernel of a compiled model.
struct KernelInfo {
  std::string name;
  /// Structural hash of the nest before scheduling.
  std::string hash;
  /// The schedule as a Transform-dialect sequence; empty: none.
  std::string schedule;
  /// Steps that the rules tried and a primitive refused.
  std::vector<std::string> refusals;
};

struct PhaseTime {
  std::string phase;
  double seconds = 0;
};

/// Native code and everything that it needs to run or to be saved.
struct CompiledModel {
  std::string name;
  Target target;
  std::vector<ObjectBytes> objects;
  std::shared_ptr<ConstantPool> constants;
  /// The pool's keys in the order of nst_model.constants.
  std::vector<std::string> constantKeys;
  std::vector<KernelInfo> kernels;
  std::vector<PhaseTime> times;
};

/// What `--emit` can print instead of an artefact.
enum class EmitKind {
  Import,
  Graph,
  Partition,
  Schedule,
  Nest,
  Loops,
  LLVM,
  Assembly
};

/// Compiles the model at `path` (.onnx, or .mlir at the tensor level).
llvm::Expected<CompiledModel> compileFile(llvm::StringRef path,
                                          const CompileOptions &options);

/// Runs the phases up to the one that `kind` names and returns its text.
llvm::Expected<std::string>
emitText(llvm::StringRef path, const CompileOptions &options, EmitKind kind);

/// Writes an .nst file: code and weights.
llvm::Error writeArtefact(const CompiledModel &model, llvm::StringRef path);

/// Links in memory and loads; the program keeps the constants alive.
llvm::Expected<rt::Program::Ptr> loadModel(const CompiledModel &model);

} // namespace nestor

#endif // NESTOR_PIPELINE_PIPELINE_H
