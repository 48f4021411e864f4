// peak threads=N seconds=S: GFLOP/s of f32 fused multiply-adds that N threads
// reach together, as {"gflops": median of rounds, "best":, "version": "avx2"}.
#include "peak.h"

#include "measure.h"

#include <atomic>
#include <thread>
#include <vector>

int main(int argc, char **argv) {
  const peer::Options options(argc, argv, 1);
  const int threads = int(options.number("threads", 1));
  const bool wide = __builtin_cpu_supports("avx512f");
  if (!__builtin_cpu_supports("fma"))
    return peer::fail("this CPU has no FMA");
  auto body = wide ? peak::runAvx512 : peak::runAvx2;
  const int64_t steps = 400'000; // about a millisecond
  std::vector<double> rates;
  std::atomic<int> arrived = 0;
  std::atomic<bool> stop = false;
  // Rounds in which all threads work at once; the first thread keeps time.
  auto round = [&] { return body(steps); };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i)
    others.emplace_back([&] {
      ++arrived;
      while (!stop)
        round();
    });
  while (arrived < threads - 1)
    std::this_thread::yield();
  round();
  for (double end = peer::now() + options.real("seconds", 0.3);
       peer::now() < end || rates.size() < 5;) {
    double start = peer::now();
    double flop = round();
    rates.push_back(threads * flop / (peer::now() - start) * 1e-9);
  }
  stop = true;
  for (std::thread &other : others)
    other.join();
  printf("{\"gflops\": %.4g, \"best\": %.4g, \"version\": \"%s\"}\n",
         peer::median(rates), *std::max_element(rates.begin(), rates.end()),
         wide ? "avx512" : "avx2");
}
