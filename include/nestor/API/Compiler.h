//===- Compiler.h - From a model file to a program --------------*- C++ -*-===//
#ifndef NESTOR_API_COMPILER_H
#define NESTOR_API_COMPILER_H

#include "nestor/API/Program.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace nestor {

/// The arithmetic of products whose weights are bytes in the model.
enum class Precision {
  /// As the model says: weights times f32 data in f32.
  Model,
  /// In integers: data is quantised to 8 bits, row by row, as it comes.
  Int8,
};

class Compiler {
public:
  struct Options {
    /// "host", a level such as "x86-64-v3", with +feature or -feature.
    std::string target = "host";
    /// Fixes named dimensions: the code is made for these sizes.
    std::map<std::string, int64_t> dims;
    /// Threads of the compiler itself; 0: by affinity and quota.
    int threads = 0;
    Precision precision = Precision::Model;
    /// Where every phase is written, and where hand-edited phases are read.
    std::string dumpDir;
    std::string overrideDir;
    /// Scalar loops, no schedules: for finding faults.
    bool noSchedule = false;
    /// Called when a phase begins.
    std::function<void(std::string_view phase)> progress;
  };

  Compiler() = default;
  explicit Compiler(Options options) : options(std::move(options)) {}

  /// Compiles the model at `path` (.onnx or .mlir) into memory.
  Result<Program> compile(const std::string &path) const;
  /// Compiles and writes the artefact at `output`, for any target.
  Result<CompileReport> compileTo(const std::string &path,
                                  const std::string &output) const;
  /// The text that a phase leaves: import graph partition schedule nest loops
  /// llvm asm.
  Result<std::string> emit(const std::string &path,
                           const std::string &kind) const;
  /// The relocatable objects, as `-r` would link them, one file each.
  Result<std::vector<std::string>> emitObjects(const std::string &path) const;
  /// Reads and verifies the model without compiling it; fails with code 5 and
  /// all unsupported nodes.
  Result<void> check(const std::string &path) const;

  /// What the model means: runs it by the plain interpreter, slowly.
  /// `outputs` is the signature of the compiled program. More than `maxSteps`
  /// scalar operations (0: no limit) fail with code 7.
  Result<std::vector<Tensor>> interpret(const std::string &path,
                                        std::span<const Tensor> inputs,
                                        std::span<const TensorInfo> outputs,
                                        uint64_t maxSteps = 0) const;

  static const std::vector<std::string> &emitKinds();

private:
  Options options;
};

} // namespace nestor

#endif // NESTOR_API_COMPILER_H
