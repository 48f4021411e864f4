//===- Instance.h - One thread's use of a program ---------------*- C++ -*-===//
//
// Holds what a run needs: the arena (grown only for a larger shape), scratch,
// outputs and threads. Inputs are always checked against the symbolic
// signature before the model runs.
//
// Assumes: one run at a time; another thread takes another instance.
// Leaves true: after a run, failed or not, the instance can run again; output
// views stay valid until the next run.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_RUNTIME_INSTANCE_H
#define NESTOR_RUNTIME_INSTANCE_H

#include "nestor/Runtime/Buffer.h"
#include "nestor/Runtime/DType.h"
#include "nestor/Runtime/Program.h"
#include "nestor/Runtime/ThreadPool.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace nestor::rt {

/// A buffer of the caller that takes an output; null data: the instance
/// allocates.
struct OutputBuffer {
  void *data = nullptr;
  uint64_t bytes = 0;
};

struct InstanceOptions {
  /// Null: the pool that everything shares.
  std::shared_ptr<Executor> executor;
  Allocator allocator;
  /// Limit of arena, scratch and outputs together, in bytes; 0: none.
  uint64_t memoryLimit = 0;
};

class Instance {
public:
  static Status create(Program::Ptr program, InstanceOptions options,
                       std::unique_ptr<Instance> &instance);
  ~Instance();

  /// Runs the model. `buffers` is empty or has one entry per output.
  Status run(std::span<const nst_tensor> inputs,
             std::span<const OutputBuffer> buffers = {});

  /// Checks `inputs` against the signature without running.
  Status check(std::span<const nst_tensor> inputs);

  const Program &getProgram() const { return *program; }

  /// Output `index` of the last successful run.
  nst_tensor output(size_t index) const;
  /// Takes its memory along; empty when the caller had given the buffer.
  Buffer takeOutput(size_t index);

  uint64_t arenaBytes() const { return arena.size(); }
  /// Gives back the arena, scratch and the outputs.
  void trim();

private:
  struct Output {
    void *data = nullptr;
    int64_t dims[kMaxRank];
    bool given = false;
    Buffer owned;
  };
  struct Scratch;
  friend struct Services;

  Instance(Program::Ptr program, InstanceOptions options);
  Status bindInputs(std::span<const nst_tensor> inputs);
  Status refuse(const nst_tensor &tensor, const nst_io &io, const char *why);
  void *giveArena(uint64_t bytes);
  void *giveScratch(uint64_t bytes);
  void *giveOutput(int32_t index, const int64_t *dims, int32_t rank);
  void recordFailure(int32_t code, const char *message);
  bool withinLimit(uint64_t bytes);
  Scratch *spareScratch(uint64_t bytes);
  void keepScratch();
  static void freeScratch(Scratch *&list);

  Program::Ptr program;
  InstanceOptions options;
  std::shared_ptr<Executor> executor;

  Buffer arena;
  std::vector<Output> outputs;
  /// Values of the symbols in this run; -1: not bound yet.
  std::vector<int64_t> symbols;

  // State of the run that is on.
  std::span<const nst_tensor> inputs;
  std::span<const OutputBuffer> buffers;
  bool arenaGiven = false;
  std::atomic<uint64_t> bytesInUse{0};
  std::mutex lock; // scratch and failure: bodies may ask from any worker
  Scratch *scratch = nullptr;
  /// Scratch of the run before, for this one.
  Scratch *spare = nullptr;
  Status failure;
};

} // namespace nestor::rt

#endif // NESTOR_RUNTIME_INSTANCE_H
