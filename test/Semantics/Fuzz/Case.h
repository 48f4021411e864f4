// One random kernel under one random schedule.
#ifndef NESTOR_TEST_SEMANTICS_FUZZ_CASE_H
#define NESTOR_TEST_SEMANTICS_FUZZ_CASE_H

#include "RandomNest.h"
#include "Steps.h"

#include <map>

namespace nestor::fuzz {

/// A primitive (an index of stepKinds()) and the seed of its choices.
struct StepChoice {
  unsigned kind;
  uint64_t seed;
  /// See Picker.
  int64_t most = INT64_MAX;
};

/// Everything that decides a case; it follows from the seed alone.
struct CaseSpec {
  uint64_t seed = 0;
  NestStyle style;
  std::vector<StepChoice> steps;
  /// Steps that are done before the case ends.
  unsigned done = 0;
  bool nativeAlways = false;
  /// Tell what runs, for crashes.
  bool announce = false;
};

CaseSpec makeCase(uint64_t seed, unsigned maxSteps);

struct CaseResult {
  /// Empty: all is well. Else what kind of failure, one word.
  std::string failure;
  /// For people: why, kernel, schedule.
  std::string report;
  /// Indices of the steps that were done, and of the one that failed.
  std::vector<unsigned> done;
  /// Step kind -> done, refused.
  std::map<unsigned, std::pair<unsigned, unsigned>> counts;
};

/// Seconds of work that a case may take: more counts as a crash.
inline constexpr unsigned kLongestCase = 15;

/// The process ends by SIGPROF after so many seconds of work; 0: never.
void limitTime(unsigned seconds);

CaseResult runCase(mlir::MLIRContext &context, const CaseSpec &spec);

/// The smallest case found that fails in the same way; each trial runs in a
/// process of its own. `seconds`: after that no trial begins.
std::string shrink(CaseSpec spec, unsigned seconds);

} // namespace nestor::fuzz

#endif // NESTOR_TEST_SEMANTICS_FUZZ_CASE_H
