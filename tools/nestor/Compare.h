// How far two tensors are apart, and what tolerance would have been needed.
#ifndef NESTOR_TOOLS_COMPARE_H
#define NESTOR_TOOLS_COMPARE_H

#include "nestor/API/nestor.h"

#include <string>

struct Tolerance {
  double rtol = 1e-3;
  double atol = 1e-5;
  /// Multiply atol by the largest magnitude of the reference.
  bool scaled = false;
};

struct Difference {
  bool matches = true;
  /// Why nothing was compared: types or sizes differ.
  std::string shape;
  int64_t count = 0, wrong = 0;
  double maxAbs = 0, maxRel = 0;
  /// The least rtol at the given atol, and the least atol at the given rtol,
  /// with which all elements match; infinite when none does (NaN, infinities).
  double neededRtol = 0, neededAtol = 0;
  int64_t firstWrong = -1;
  double got = 0, expected = 0;
};

/// Compares as numpy.testing.assert_allclose does: |got - expected| <= atol +
/// rtol * |expected|, NaN equals NaN, infinities must be equal.
Difference compare(const nestor::Tensor &got, const nestor::Tensor &expected,
                   const Tolerance &tolerance);

#endif // NESTOR_TOOLS_COMPARE_H
