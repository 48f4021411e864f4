// What the tests of random kernels share.
//
// NESTOR_SEMANTICS_SEED=N starts at that seed (and runs it alone),
// NESTOR_SEMANTICS_CASES=N sets how many run, NESTOR_SEMANTICS_FAILURES=N after
// how many failures to stop. A failure prints its seed and the kernel.
#ifndef NESTOR_TEST_SEMANTICS_SEMANTICSBASE_H
#define NESTOR_TEST_SEMANTICS_SEMANTICSBASE_H

#include "Checks.h"

#include "nestor/Support/Error.h"

#include "mlir/IR/Verifier.h"
#include "gtest/gtest.h"

#include <cstdlib>

namespace nestor {

inline uint64_t setting(const char *name, uint64_t otherwise) {
  const char *text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Semantics : public testing::Test {
protected:
  Semantics() { loadDialects(context); }

  /// Calls `check` with each seed until NESTOR_SEMANTICS_FAILURES (3) have
  /// failed.
  template <typename F>
  void forSeeds(uint64_t cases, F check) {
    uint64_t first = setting("NESTOR_SEMANTICS_SEED", 0);
    if (std::getenv("NESTOR_SEMANTICS_SEED"))
      cases = 1;
    cases = setting("NESTOR_SEMANTICS_CASES", cases);
    uint64_t failures = 0, limit = setting("NESTOR_SEMANTICS_FAILURES", 3);
    for (uint64_t seed = first; seed < first + cases && failures < limit;
         ++seed) {
      std::string problem = check(seed);
      if (problem.empty())
        continue;
      ++failures;
      ADD_FAILURE() << "seed " << seed << ": " << problem;
    }
  }

  static std::string text(llvm::Error error) {
    return takeError(std::move(error)).second;
  }

  /// Makes loops serial as long as `check` still fails; the last message and
  /// the nest that it is about.
  template <typename F>
  static std::string shrink(nest::FuncOp kernel, F check, std::string message) {
    mlir::OwningOpRef<nest::FuncOp> copy = kernel.clone();
    copy->walk([&](nest::ForOp loop) {
      nest::LoopKind kind = loop.getKind();
      if (kind == nest::LoopKind::Serial)
        return;
      loop.setKind(nest::LoopKind::Serial);
      std::string now = check(*copy);
      if (now.empty())
        loop.setKind(kind);
      else
        message = now;
    });
    llvm::raw_string_ostream os(message);
    os << '\n' << **copy << '\n';
    return message;
  }

  mlir::MLIRContext context;
};

} // namespace nestor

#endif // NESTOR_TEST_SEMANTICS_SEMANTICSBASE_H
