//===- ThreadPool.cpp - Parallel loops on own threads ---------------------===//
//
// Joining a loop is a compare-and-swap on `seats`; the owner closes the loop by
// clearing the free places in the same word and then waits for the helpers
// that had joined. A worker that wakes late finds no place and sleeps again, so
// the owner never waits for a thread that the kernel has not scheduled.
//
// Each worker begins with its own share of the iterations, the same part of
// every loop, so that it finds in its cache what it wrote in the loop before.
// When its share is empty it takes from the others'.
//
// Where more threads want to run than there are cores, a helper may be woken on
// the very core of the owner. Whoever then spins there keeps the other from
// what it waits for, so both look where the other one was last.
//
//===----------------------------------------------------------------------===//

#include "nestor/Runtime/ThreadPool.h"

#include "nestor/Runtime/CpuQuota.h"

#include <climits>
#include <ctime>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace nestor::rt {
namespace {

/// True inside a body: a loop started there runs serially.
thread_local bool insideLoop = false;

/// A forked child has none of its parent's threads.
std::atomic<uint32_t> forks{0};

void countFork() { forks.fetch_add(1, std::memory_order_relaxed); }

void registerForkHandler() {
  static const int registered = pthread_atfork(nullptr, nullptr, countFork);
  (void)registered;
}

void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAIT_PRIVATE,
          expected, nullptr, nullptr, 0);
}

void futexWake(std::atomic<uint32_t> &word, int32_t count) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAKE_PRIVATE,
          count, nullptr, nullptr, 0);
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

int64_t nowMicroseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/// Spins until `done()` or for `microseconds`; whether it is done. Every now
/// and then gives the core away when `isInTheWay()`.
template <typename Done, typename InTheWay>
bool spin(int32_t microseconds, Done done, InTheWay isInTheWay) {
  if (done())
    return true;
  if (microseconds == 0)
    return false;
  int64_t end = nowMicroseconds() + microseconds;
  do {
    if (isInTheWay())
      sched_yield();
    for (int i = 0; i < 32; ++i) {
      pause();
      if (done())
        return true;
    }
  } while (nowMicroseconds() < end);
  return done();
}

constexpr uint64_t onePlace = uint64_t(1) << 32;

/// Waking a thread costs its owner some 5 us, and it comes 20 us late: so much
/// a loop must take for it, alone or with those just before it.
constexpr int64_t wakeMicroseconds = 50;
constexpr int64_t togetherMicroseconds = 200;

int32_t serial(int64_t n, nst_body body, void *env) {
  return body(env, 0, n, 0);
}

} // namespace

ThreadPool::ThreadPool(int32_t wanted)
    : numThreads(wanted > 0 ? (wanted < 1024 ? wanted : 1024)
                            : defaultThreads()) {
  // More threads than CPUs: spinning would take time from those that work.
  spinMicroseconds = numThreads <= affinityCpus() ? 50 : 0;
  registerForkHandler();
  forkCount = forks.load(std::memory_order_relaxed);
}

ThreadPool::~ThreadPool() {
  // After a fork the threads do not exist here.
  if (forkCount != forks.load(std::memory_order_relaxed))
    return;
  stopping.store(true);
  epoch.fetch_add(1);
  futexWake(epoch, INT_MAX);
  for (pthread_t thread : threads)
    pthread_join(thread, nullptr);
}

bool ThreadPool::startThreads() {
  started = true;
  try {
    threads.reserve(numThreads - 1);
    shares = std::make_unique<Share[]>(numThreads);
  } catch (...) {
    return false;
  }
  for (int32_t i = 1; i < numThreads; ++i) {
    pthread_t thread;
    // With fewer threads than asked for, loops run on those there are.
    if (pthread_create(&thread, nullptr, threadMain, this) != 0)
      break;
    threads.push_back(thread);
  }
  return !threads.empty();
}

void *ThreadPool::threadMain(void *self) {
  static_cast<ThreadPool *>(self)->workerLoop();
  return nullptr;
}

int32_t ThreadPool::join() {
  uint64_t current = seats.load(std::memory_order_acquire);
  while (current >> 32) {
    if (seats.compare_exchange_weak(current, current - onePlace + 1,
                                    std::memory_order_acq_rel,
                                    std::memory_order_acquire))
      return places - static_cast<int32_t>(current >> 32) + 1;
  }
  return -1;
}

void ThreadPool::leave() {
  uint64_t before = seats.fetch_sub(1, std::memory_order_seq_cst);
  if (static_cast<uint32_t>(before) == 1 &&
      ownerSleeps.load(std::memory_order_seq_cst)) {
    ownerSleeps.store(0, std::memory_order_seq_cst);
    futexWake(ownerSleeps, 1);
  }
}

int64_t ThreadPool::take(int64_t share) {
  std::atomic<uint64_t> &word = shares[share].taken;
  uint64_t current = word.load(std::memory_order_relaxed);
  for (;;) {
    // What an earlier loop left there counts as nothing taken.
    uint64_t taken = current >> 32 == job.tag ? current & UINT32_MAX : 0;
    if (static_cast<int64_t>(taken) >= job.each)
      return -1;
    if (word.compare_exchange_weak(current,
                                   uint64_t(job.tag) << 32 | (taken + 1),
                                   std::memory_order_relaxed))
      return share * job.each + static_cast<int64_t>(taken);
  }
}

void ThreadPool::work(int32_t worker) {
  int64_t width = places + 1;
  for (int64_t other = 0; other < width; ++other) {
    int64_t share = (worker + other) % width;
    for (;;) {
      if (job.status.load(std::memory_order_relaxed) != 0)
        return;
      int64_t index = take(share);
      if (index < 0)
        break;
      // Rounding up leaves the last chunks empty.
      if (index >= job.chunks)
        continue;
      int64_t begin = index * job.chunk;
      int64_t end = job.n - begin > job.chunk ? begin + job.chunk : job.n;
      if (int32_t status = job.body(job.env, begin, end, worker)) {
        int32_t none = 0;
        job.status.compare_exchange_strong(none, status);
      }
    }
  }
}

void ThreadPool::workerLoop() {
  // Everything a worker runs is the body of some loop.
  insideLoop = true;
  uint32_t seen = 0;
  for (;;) {
    auto changed = [&] {
      return epoch.load(std::memory_order_acquire) != seen;
    };
    auto isInTheWay = [&] {
      return sched_getcpu() == ownerCpu.load(std::memory_order_relaxed);
    };
    if (!spin(spinMicroseconds, changed, isInTheWay)) {
      sleepers.fetch_add(1, std::memory_order_seq_cst);
      while (epoch.load(std::memory_order_seq_cst) == seen)
        futexWait(epoch, seen);
      sleepers.fetch_sub(1, std::memory_order_seq_cst);
    }
    if (stopping.load())
      return;
    seen = epoch.load(std::memory_order_acquire);
    int32_t worker = join();
    if (worker < 0)
      continue;
    shares[worker].cpu.store(sched_getcpu(), std::memory_order_relaxed);
    work(worker);
    leave();
  }
}

ThreadPool::Known &ThreadPool::known(nst_body body, int64_t n) {
  auto hash = reinterpret_cast<uintptr_t>(body) / 16 + static_cast<uint64_t>(n);
  return knownLoops[hash % (sizeof knownLoops / sizeof *knownLoops)];
}

bool ThreadPool::isWorthWaking(nst_body body, int64_t n, int64_t now) {
  const Known &loop = known(body, n);
  if (loop.body != body || loop.n != n || loop.microseconds >= wakeMicroseconds)
    return true;
  if (now - lastAsleep > togetherMicroseconds)
    asleep = 0;
  lastAsleep = now;
  asleep += loop.microseconds;
  return asleep >= wakeMicroseconds;
}

int32_t ThreadPool::parallelFor(int64_t n, int64_t grain, int32_t maxWorkers,
                                nst_body body, void *env) {
  if (n <= 0)
    return 0;
  if (grain < 1)
    grain = 1;
  // A worker with less than a grain costs more than it brings: what is left
  // over goes to the others.
  int64_t grains = n / grain;
  int64_t width =
      maxWorkers > 0 && maxWorkers < numThreads ? maxWorkers : numThreads;
  if (grains < width)
    width = grains;
  if (width <= 1 || insideLoop ||
      forkCount != forks.load(std::memory_order_relaxed) || !owner.try_lock())
    return serial(n, body, env);
  if (!started && !startThreads()) {
    owner.unlock();
    return serial(n, body, env);
  }
  if (threads.empty()) {
    owner.unlock();
    return serial(n, body, env);
  }

  // Helpers that sleep are woken for what is worth it, as far as that is known;
  // with nobody awake, the rest is the caller's alone.
  uint32_t sleeping = sleepers.load(std::memory_order_seq_cst);
  int64_t start = sleeping ? nowMicroseconds() : 0;
  bool wakes = sleeping && isWorthWaking(body, n, start);
  auto finish = [&](int32_t status) {
    if (sleeping)
      known(body, n) = {body, n, nowMicroseconds() - start};
    owner.unlock();
    return status;
  };
  if (!wakes && sleeping == threads.size())
    return finish(serial(n, body, env));

  job.body = body;
  job.env = env;
  job.n = n;
  // The same number of chunks for each worker, so that none waits for the
  // last one of another. Eight: enough to even out what the kernel takes away,
  // few enough that taking one costs nothing.
  job.each = grains / width < 8 ? grains / width : 8;
  int64_t parts = width * job.each;
  job.chunk = n / parts + (n % parts != 0);
  job.chunks = n / job.chunk + (n % job.chunk != 0);
  job.tag = epoch.load(std::memory_order_relaxed) + 1;
  job.status.store(0, std::memory_order_relaxed);
  places = static_cast<int32_t>(width) - 1;
  ownerCpu.store(sched_getcpu(), std::memory_order_relaxed);
  seats.store(uint64_t(places) << 32, std::memory_order_seq_cst);
  epoch.fetch_add(1, std::memory_order_seq_cst);
  if (wakes)
    futexWake(epoch, places);

  insideLoop = true;
  work(0);
  insideLoop = false;

  // Close: nobody joins from here on; then wait for those who had.
  seats.fetch_and(UINT32_MAX, std::memory_order_seq_cst);
  auto idle = [&] { return seats.load(std::memory_order_acquire) == 0; };
  auto isInTheWay = [&] {
    int here = sched_getcpu();
    for (int32_t helper = 1; helper <= places; ++helper)
      if (shares[helper].cpu.load(std::memory_order_relaxed) == here)
        return true;
    return false;
  };
  if (!spin(spinMicroseconds ? spinMicroseconds : 1, idle, isInTheWay)) {
    for (;;) {
      ownerSleeps.store(1, std::memory_order_seq_cst);
      if (seats.load(std::memory_order_seq_cst) == 0)
        break;
      futexWait(ownerSleeps, 1);
      if (idle())
        break;
    }
    ownerSleeps.store(0, std::memory_order_seq_cst);
  }
  return finish(job.status.load(std::memory_order_relaxed));
}

namespace {
/// A body on a host's thread, which must know that it is inside a loop.
struct Wrapped {
  nst_body body;
  void *env;

  static int32_t run(void *self, int64_t begin, int64_t end, int32_t worker) {
    auto *wrapped = static_cast<Wrapped *>(self);
    bool outer = insideLoop;
    insideLoop = true;
    int32_t status = wrapped->body(wrapped->env, begin, end, worker);
    insideLoop = outer;
    return status;
  }
};
} // namespace

int32_t CallbackExecutor::parallelFor(int64_t n, int64_t grain, int32_t limit,
                                      nst_body body, void *env) {
  if (n <= 0)
    return 0;
  if (grain < 1)
    grain = 1;
  if (limit <= 0 || limit > maxWorkers)
    limit = maxWorkers;
  if (limit <= 1 || n <= grain || insideLoop)
    return serial(n, body, env);
  Wrapped wrapped{body, env};
  return callback(user, n, grain, limit, Wrapped::run, &wrapped);
}

std::shared_ptr<Executor> sharedPool() {
  static std::shared_ptr<Executor> pool = std::make_shared<ThreadPool>();
  return pool;
}

} // namespace nestor::rt
