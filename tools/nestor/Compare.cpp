#include "Compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using nestor::DType;
using nestor::Tensor;

namespace {

/// |a - b| of 64-bit integers, exact where a double is not.
double distance(const Tensor &a, const Tensor &b, int64_t i) {
  if (a.dtype() == DType::I64) {
    int64_t x = a.values<int64_t>()[i], y = b.values<int64_t>()[i];
    return double(x > y ? uint64_t(x) - uint64_t(y)
                        : uint64_t(y) - uint64_t(x));
  }
  if (a.dtype() == DType::U64) {
    uint64_t x = a.values<uint64_t>()[i], y = b.values<uint64_t>()[i];
    return double(x > y ? x - y : y - x);
  }
  return std::fabs(a.at(i) - b.at(i));
}

} // namespace

Difference compare(const Tensor &got, const Tensor &expected,
                   const Tolerance &tolerance) {
  Difference result;
  if (got.dtype() != expected.dtype() ||
      !std::ranges::equal(got.dims(), expected.dims())) {
    result.matches = false;
    result.shape =
        "got " + got.describe() + ", expected " + expected.describe();
    return result;
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  int64_t count = got.numElements();
  result.count = count;
  double atol = tolerance.atol;
  if (tolerance.scaled) {
    double magnitude = 0;
    for (int64_t i = 0; i < count; ++i)
      if (double v = std::fabs(expected.at(i)); std::isfinite(v))
        magnitude = std::max(magnitude, v);
    atol *= magnitude;
  }
  size_t size = dtypeSize(got.dtype());
  auto *a = static_cast<const char *>(got.data());
  auto *b = static_cast<const char *>(expected.data());
  for (int64_t i = 0; i < count; ++i) {
    if (memcmp(a + i * size, b + i * size, size) == 0)
      continue;
    double x = got.at(i), y = expected.at(i);
    if (std::isnan(x) && std::isnan(y))
      continue;
    bool comparable = std::isfinite(x) && std::isfinite(y);
    if (!comparable && x == y)
      continue;
    double apart = comparable ? distance(got, expected, i) : infinity;
    double scale = std::fabs(y);
    result.maxAbs = std::max(result.maxAbs, apart);
    if (apart > 0)
      result.maxRel =
          std::max(result.maxRel, scale > 0 ? apart / scale : infinity);
    if (apart > atol)
      result.neededRtol = std::max(
          result.neededRtol, scale > 0 ? (apart - atol) / scale : infinity);
    if (apart > tolerance.rtol * scale)
      result.neededAtol =
          std::max(result.neededAtol, apart - tolerance.rtol * scale);
    if (apart <= atol + tolerance.rtol * scale)
      continue;
    if (result.wrong++ == 0) {
      result.firstWrong = i;
      result.got = x;
      result.expected = y;
    }
    result.matches = false;
  }
  return result;
}
