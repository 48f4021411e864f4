//===- Tolerance.h - How far results may be apart ---------------*- C++ -*-===//
//
// The one table of tolerances (docs/reference/tolerances.md) and the one
// comparison that every test, the tuner and `nestor verify` use.
//
// Two elements match when |got - want| <= atol + rtol * |want| + scaled * M,
// where M is the largest finite |want|; NaN matches NaN, an infinity itself.
// Integers match exactly unless a tolerance is given.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SUPPORT_TOLERANCE_H
#define NESTOR_SUPPORT_TOLERANCE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace nestor {

/// Element types, numbered as nst_dtype is.
enum class Element : uint8_t {
  Bool,
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  U64,
  I64,
  F16,
  BF16,
  F32,
  F64
};

/// "f32"; the names of nst_dtype.
llvm::StringRef elementName(Element element);
std::optional<Element> elementByName(llvm::StringRef name);
unsigned elementSize(Element element);
bool isFloatElement(Element element);

struct Tolerance {
  double rtol = 0, atol = 0, scaled = 0;
};

/// What the table says for results of type `element` that each combine
/// `reductionLength` products or terms (1: elementwise).
Tolerance toleranceFor(Element element, int64_t reductionLength = 1);

/// How two tensors differ.
struct Comparison {
  int64_t count = 0, mismatches = 0;
  /// The element that misses its tolerance most (or comes nearest to it).
  int64_t worst = -1;
  double got = 0, want = 0;
  double maxAbs = 0, maxRel = 0;
  /// Largest distance in units in the last place, over finite floats; for
  /// integers the largest difference.
  uint64_t maxUlp = 0;
  /// The factor on the given tolerance that would have made all match; at most
  /// 1 when they do; infinite where a NaN or an infinity stands alone.
  double needed = 0;
  /// Not empty: they cannot be compared at all.
  std::string problem;

  bool matches() const { return problem.empty() && mismatches == 0; }
  /// One line for people.
  std::string summary() const;
};

/// Compares `got` with `want`, both dense arrays of `element`.
Comparison compare(Element element, llvm::ArrayRef<uint8_t> got,
                   llvm::ArrayRef<uint8_t> want, Tolerance tolerance);

/// The distance of two floats of one type in units in the last place (0 for
/// equal values and for two NaNs; the largest number where only one is a NaN).
uint64_t ulpDistance(Element element, const uint8_t *a, const uint8_t *b);

} // namespace nestor

#endif // NESTOR_SUPPORT_TOLERANCE_H
