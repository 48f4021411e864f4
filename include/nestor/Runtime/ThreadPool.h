//===- ThreadPool.h - Parallel loops ----------------------------*- C++ -*-===//
//
// Runs the parallel loops of compiled models. The caller takes part, workers
// spin briefly (about 50 us) after a loop and then sleep, nested loops and
// loops that find the pool busy run serially on their caller; so do small loops
// that find all workers asleep.
//
// Assumes: bodies do not throw.
// Leaves true: when parallelFor returns, no worker runs the body any more.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_RUNTIME_THREADPOOL_H
#define NESTOR_RUNTIME_THREADPOOL_H

#include "nestor/Runtime/Abi.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <vector>

namespace nestor::rt {

/// Who runs parallel loops: a pool of ours, or a host's own threads.
class Executor {
public:
  virtual ~Executor() = default;

  /// Runs `body` over [0, n) in chunks of at least `grain` iterations, on at
  /// most `maxWorkers` workers (0: no limit). Returns 0 or a non-zero status
  /// of some chunk; after a failure the remaining chunks may be skipped.
  virtual int32_t parallelFor(int64_t n, int64_t grain, int32_t maxWorkers,
                              nst_body body, void *env) = 0;
  /// The most workers that a loop can have.
  virtual int32_t workers() const = 0;
};

/// Own threads, started at the first loop that needs them.
class ThreadPool final : public Executor {
public:
  /// A pool of `threads` workers, the caller included; 0: by affinity and
  /// control group quota.
  explicit ThreadPool(int32_t threads = 0);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int32_t parallelFor(int64_t n, int64_t grain, int32_t maxWorkers,
                      nst_body body, void *env) override;
  int32_t workers() const override { return numThreads; }

private:
  /// One loop. Written by its owner only while nobody can join.
  struct Job {
    nst_body body = nullptr;
    void *env = nullptr;
    int64_t n = 0;
    int64_t chunk = 1;  // iterations
    int64_t chunks = 0; // that are not empty
    int64_t each = 1;   // chunks of one share
    uint32_t tag = 0;   // tells this loop's takings from earlier ones'
    alignas(64) std::atomic<int32_t> status{0};
  };
  /// How many chunks of a worker's share were taken, below the loop's tag.
  struct alignas(64) Share {
    std::atomic<uint64_t> taken{0};
    /// Where its worker last began.
    std::atomic<int> cpu{-1};
  };

  static void *threadMain(void *self);
  void workerLoop();
  bool startThreads();
  /// What a loop took when it last found helpers asleep.
  struct Known {
    nst_body body = nullptr;
    int64_t n = 0;
    int64_t microseconds = 0;
  };
  /// Where that is kept; another loop may be there.
  Known &known(nst_body body, int64_t n);
  /// Whether helpers that sleep should be woken for this loop. One that was
  /// never seen is worth it.
  bool isWorthWaking(nst_body body, int64_t n, int64_t now);
  /// The next chunk of a share, or -1.
  int64_t take(int64_t share);
  /// Takes chunks until none is left.
  void work(int32_t worker);
  /// Takes one of the loop's free places; the worker number, or -1.
  int32_t join();
  void leave();

  const int32_t numThreads;
  int32_t spinMicroseconds;
  uint32_t forkCount;
  std::vector<pthread_t> threads;
  std::unique_ptr<Share[]> shares;
  bool started = false;

  /// Held by the caller whose loop is running.
  std::mutex owner;
  Job job;
  int32_t places = 0; // helpers of the current loop
  Known knownLoops[64];
  /// What the latest small loops took that left helpers asleep, and when.
  int64_t asleep = 0;
  int64_t lastAsleep = 0;
  /// Free places in the high half, helpers at work in the low half: one word,
  /// so that closing a loop and joining it cannot cross.
  alignas(64) std::atomic<uint64_t> seats{0};
  /// Counts loops; workers wait for it to change.
  alignas(64) std::atomic<uint32_t> epoch{0};
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> stopping{false};
  /// Where the owner began its last loop.
  std::atomic<int> ownerCpu{-1};
  /// 1 while the owner sleeps until the last helper leaves.
  std::atomic<uint32_t> ownerSleeps{0};
};

/// Runs loops on a host's threads through its own parallel_for.
class CallbackExecutor final : public Executor {
public:
  using Callback = int32_t (*)(void *user, int64_t n, int64_t grain,
                               int32_t maxWorkers, nst_body body, void *env);
  CallbackExecutor(Callback callback, void *user, int32_t maxWorkers)
      : callback(callback), user(user), maxWorkers(maxWorkers) {}

  int32_t parallelFor(int64_t n, int64_t grain, int32_t limit, nst_body body,
                      void *env) override;
  int32_t workers() const override { return maxWorkers; }

private:
  Callback callback;
  void *user;
  int32_t maxWorkers;
};

/// The pool that everything shares unless told otherwise.
std::shared_ptr<Executor> sharedPool();

} // namespace nestor::rt

#endif // NESTOR_RUNTIME_THREADPOOL_H
