//===- Tolerance.cpp - How far results may be apart -----------------------===//
//
// The table and the comparison; see the header. Numbers are explained in
// docs/reference/tolerances.md; change both together (a test compares them).
//
//===----------------------------------------------------------------------===//
#include "nestor/Support/Tolerance.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace nestor;

namespace {
struct Row {
  Element element;
  /// The row holds for reductions of at most this length.
  int64_t length;
  Tolerance tolerance;
};

constexpr int64_t kAny = std::numeric_limits<int64_t>::max();

constexpr Row kTable[] = {
    {Element::F64, 1, {1e-14, 0, 0}},
    {Element::F64, 1024, {1e-13, 0, 1e-14}},
    {Element::F64, kAny, {1e-12, 0, 1e-13}},
    {Element::F32, 1, {2e-6, 1e-37, 0}},
    {Element::F32, 64, {4e-6, 1e-37, 1e-6}},
    {Element::F32, 1024, {2e-5, 1e-37, 4e-6}},
    {Element::F32, 16384, {1e-4, 1e-37, 2e-5}},
    {Element::F32, kAny, {5e-4, 1e-37, 1e-4}},
    {Element::F16, 1, {2e-3, 1e-7, 0}},
    {Element::F16, 1024, {2e-3, 1e-7, 1e-3}},
    {Element::F16, kAny, {4e-3, 1e-7, 2e-3}},
    {Element::BF16, 1, {1.6e-2, 1e-38, 0}},
    {Element::BF16, 1024, {1.6e-2, 1e-38, 8e-3}},
    {Element::BF16, kAny, {3.2e-2, 1e-38, 1.6e-2}},
};

constexpr struct {
  const char *name;
  uint8_t size;
} kElements[] = {{"bool", 1}, {"u8", 1},  {"i8", 1},  {"u16", 2}, {"i16", 2},
                 {"u32", 4},  {"i32", 4}, {"u64", 8}, {"i64", 8}, {"f16", 2},
                 {"bf16", 2}, {"f32", 4}, {"f64", 8}};

template <typename T>
T load(const uint8_t *p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

double halfToDouble(uint16_t bits) {
  int exponent = (bits >> 10) & 31;
  double fraction = bits & 0x3ff, value;
  if (exponent == 31)
    value = fraction != 0 ? std::nan("") : INFINITY;
  else if (exponent == 0)
    value = std::ldexp(fraction, -24);
  else
    value = std::ldexp(fraction + 1024, exponent - 25);
  return bits & 0x8000 ? -value : value;
}

double valueOf(Element element, const uint8_t *p) {
  switch (element) {
  case Element::Bool:
  case Element::U8:
    return *p;
  case Element::I8:
    return load<int8_t>(p);
  case Element::U16:
    return load<uint16_t>(p);
  case Element::I16:
    return load<int16_t>(p);
  case Element::U32:
    return load<uint32_t>(p);
  case Element::I32:
    return load<int32_t>(p);
  case Element::U64:
    return static_cast<double>(load<uint64_t>(p));
  case Element::I64:
    return static_cast<double>(load<int64_t>(p));
  case Element::F16:
    return halfToDouble(load<uint16_t>(p));
  case Element::BF16:
    return llvm::bit_cast<float>(uint32_t(load<uint16_t>(p)) << 16);
  case Element::F32:
    return load<float>(p);
  case Element::F64:
    return load<double>(p);
  }
  return 0;
}

/// The float's place in the order of all floats of its type: neighbours differ
/// by one, both zeros are 0.
int64_t placeOf(Element element, const uint8_t *p) {
  auto place = [](auto bits) {
    using U = decltype(bits);
    constexpr unsigned top = sizeof(U) * 8 - 1;
    auto magnitude = static_cast<int64_t>(bits & ~(U(1) << top));
    return bits >> top ? -magnitude : magnitude;
  };
  switch (elementSize(element)) {
  case 2:
    return place(load<uint16_t>(p));
  case 4:
    return place(load<uint32_t>(p));
  default:
    return place(load<uint64_t>(p));
  }
}

/// The exact difference of two integers of up to 64 bits.
uint64_t integerDistance(Element element, const uint8_t *a, const uint8_t *b) {
  if (element == Element::U64) {
    uint64_t x = load<uint64_t>(a), y = load<uint64_t>(b);
    return x > y ? x - y : y - x;
  }
  if (element == Element::I64) {
    int64_t x = load<int64_t>(a), y = load<int64_t>(b);
    return x > y ? uint64_t(x) - uint64_t(y) : uint64_t(y) - uint64_t(x);
  }
  return static_cast<uint64_t>(
      std::fabs(valueOf(element, a) - valueOf(element, b)));
}
} // namespace

llvm::StringRef nestor::elementName(Element element) {
  return kElements[static_cast<unsigned>(element)].name;
}

std::optional<Element> nestor::elementByName(llvm::StringRef name) {
  for (unsigned i = 0; i < std::size(kElements); ++i)
    if (name == kElements[i].name)
      return static_cast<Element>(i);
  return std::nullopt;
}

unsigned nestor::elementSize(Element element) {
  return kElements[static_cast<unsigned>(element)].size;
}

bool nestor::isFloatElement(Element element) { return element >= Element::F16; }

Tolerance nestor::toleranceFor(Element element, int64_t reductionLength) {
  for (const Row &row : kTable)
    if (row.element == element && reductionLength <= row.length)
      return row.tolerance;
  return {};
}

uint64_t nestor::ulpDistance(Element element, const uint8_t *a,
                             const uint8_t *b) {
  bool nanA = std::isnan(valueOf(element, a));
  bool nanB = std::isnan(valueOf(element, b));
  if (nanA || nanB)
    return nanA && nanB ? 0 : std::numeric_limits<uint64_t>::max();
  int64_t x = placeOf(element, a), y = placeOf(element, b);
  return x > y ? uint64_t(x) - uint64_t(y) : uint64_t(y) - uint64_t(x);
}

Comparison nestor::compare(Element element, llvm::ArrayRef<uint8_t> got,
                           llvm::ArrayRef<uint8_t> want, Tolerance tolerance) {
  Comparison result;
  unsigned size = elementSize(element);
  if (got.size() != want.size() || got.size() % size != 0) {
    result.problem = "sizes differ: " + std::to_string(got.size()) +
                     " bytes for " + std::to_string(want.size());
    return result;
  }
  result.count = static_cast<int64_t>(got.size() / size);
  double magnitude = 0;
  for (int64_t i = 0; i < result.count; ++i)
    if (double w = std::fabs(valueOf(element, want.data() + i * size));
        std::isfinite(w))
      magnitude = std::max(magnitude, w);
  for (int64_t i = 0; i < result.count; ++i) {
    const uint8_t *p = got.data() + i * size, *q = want.data() + i * size;
    double g = valueOf(element, p), w = valueOf(element, q);
    double factor = 0;
    if (std::memcmp(p, q, size) != 0 && !(std::isnan(g) && std::isnan(w))) {
      double difference;
      if (!isFloatElement(element)) {
        uint64_t distance = integerDistance(element, p, q);
        result.maxUlp = std::max(result.maxUlp, distance);
        difference = static_cast<double>(distance);
      } else if (!std::isfinite(g) || !std::isfinite(w)) {
        difference = g == w ? 0 : INFINITY;
      } else {
        result.maxUlp = std::max(result.maxUlp, ulpDistance(element, p, q));
        difference = std::fabs(g - w);
      }
      double allowed = tolerance.atol + tolerance.rtol * std::fabs(w) +
                       tolerance.scaled * magnitude;
      if (!std::isfinite(allowed))
        allowed = 0;
      factor = difference == 0 ? 0
               : allowed > 0   ? difference / allowed
                               : INFINITY;
      if (std::isfinite(difference)) {
        result.maxAbs = std::max(result.maxAbs, difference);
        if (w != 0)
          result.maxRel = std::max(result.maxRel, difference / std::fabs(w));
      }
    }
    // A bare `factor > 1` would let a NaN pass.
    if (!(factor <= 1))
      ++result.mismatches;
    if (result.worst < 0 || factor > result.needed) {
      result.worst = i;
      result.got = g;
      result.want = w;
      result.needed = factor;
    }
  }
  return result;
}

std::string Comparison::summary() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (!problem.empty()) {
    os << problem;
    return text;
  }
  if (mismatches == 0)
    os << "all " << count << " elements match";
  else
    os << mismatches << " of " << count << " elements differ";
  os << llvm::format(": max abs %.3g, max rel %.3g, max ulp ", maxAbs, maxRel)
     << maxUlp;
  if (mismatches != 0)
    os << "; worst at " << worst
       << llvm::format(": got %.9g, want %.9g (%.3g times the tolerance)", got,
                       want, needed);
  return text;
}
