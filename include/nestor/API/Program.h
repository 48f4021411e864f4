//===- Program.h - A model that can run -------------------------*- C++ -*-===//
//
// A Program is immutable and may be shared by threads and copied for nothing.
// `run` is enough for most; a Session keeps its memory between runs and is the
// fast way on one thread.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_API_PROGRAM_H
#define NESTOR_API_PROGRAM_H

#include "nestor/API/Tensor.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace nestor {

/// A dimension: a size, a name (size -1), or neither (known after a run).
struct Dim {
  int64_t size = -1;
  std::string name;
};

struct TensorInfo {
  std::string name;
  DType dtype = DType::F32;
  std::vector<Dim> dims;

  /// "f32[batch,2048]".
  std::string describe() const;
};

/// The range of a named dimension; max -1: no limit.
struct SymbolInfo {
  std::string name;
  int64_t min = 0;
  int64_t max = -1;
};

/// One loop nest of a program.
struct KernelRecord {
  std::string name;
  std::string hash;
  /// Hash of the schedule's text, or the text itself where it is at hand.
  std::string scheduleHash;
  std::string schedule;
};

/// How a program came to be; empty for what is not known.
struct CompileReport {
  double seconds = 0;
  std::vector<std::pair<std::string, double>> phases;
  std::vector<KernelRecord> kernels;
};

struct LoadOptions {
  /// Hash weights of any size again.
  bool checkWeights = false;
  /// Load for looking only: a CPU that lacks features is no reason to refuse.
  bool lookOnly = false;
};

struct RunOptions {
  /// 0: by CPU affinity and control group quota.
  int threads = 0;
  /// Limit of working memory and outputs in bytes; 0: none.
  uint64_t memoryLimit = 0;
};

class Session;

class Program {
public:
  Program() = default;

  /// Loads an .nst file.
  static Result<Program> load(const std::string &path,
                              LoadOptions options = {});

  const std::string &name() const;
  const std::vector<TensorInfo> &inputs() const;
  const std::vector<TensorInfo> &outputs() const;
  const std::vector<SymbolInfo> &symbols() const;
  /// For people: the target's name and its features.
  const std::string &target() const;
  /// CPU features that a machine must have, comma separated.
  const std::string &features() const;
  const CompileReport &report() const;
  uint64_t weightsBytes() const;
  uint32_t abiVersion() const;

  /// Runs once. Safe from any number of threads.
  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs) const;
  Result<Session> session(RunOptions options = {}) const;

  /// Writes the artefact of a compiled program.
  Result<void> save(const std::string &path) const;

private:
  friend class Compiler;
  friend class Session;
  struct Impl;
  std::shared_ptr<Impl> impl;
};

/// One thread's use of a program.
class Session {
public:
  Session(Session &&) noexcept;
  Session &operator=(Session &&) noexcept;
  ~Session();

  /// Runs; the outputs own their memory.
  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs);
  /// Runs without handing out memory: the fast way.
  Result<void> runOnly(std::span<const Tensor> inputs);
  /// A view of an output of the last run, valid until the next.
  Tensor output(size_t index) const;

private:
  friend class Program;
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace nestor

#endif // NESTOR_API_PROGRAM_H
