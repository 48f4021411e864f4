// Seeded choices: the same on every machine, so that a seed names a case.
#ifndef NESTOR_TEST_SEMANTICS_RANDOM_H
#define NESTOR_TEST_SEMANTICS_RANDOM_H

#include <cstdint>
#include <random>

namespace nestor {

class Random {
public:
  explicit Random(uint64_t seed) : engine(seed * 0x9e3779b97f4a7c15u + 1) {}

  /// A whole number of [low, high].
  int64_t in(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine() % uint64_t(high - low + 1));
  }
  bool chance(int percent) { return in(1, 100) <= percent; }
  template <typename Range>
  auto &pick(Range &range) {
    return range[in(0, static_cast<int64_t>(std::size(range)) - 1)];
  }
  template <typename Range>
  void shuffle(Range &range) {
    for (int64_t n = static_cast<int64_t>(std::size(range)); n > 1; --n)
      std::swap(range[n - 1], range[in(0, n - 1)]);
  }

private:
  std::mt19937_64 engine;
};

} // namespace nestor

#endif // NESTOR_TEST_SEMANTICS_RANDOM_H
