//===- Status.h - What a run-time call came to ------------------*- C++ -*-===//
//
// The runtime's only error type: a code, which is the command's exit code of
// the same meaning, and a text for people. No exception leaves the runtime.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_RUNTIME_STATUS_H
#define NESTOR_RUNTIME_STATUS_H

#include <cstdarg>
#include <string>
#include <utility>

namespace nestor::rt {

/// Values equal the command's exit codes (Support/Error.h has the full list).
enum class Code : int {
  Ok = 0,
  Internal = 1,
  Usage = 2,
  Unreadable = 3,
  TargetMissing = 6,
  Budget = 7,
  RunTime = 8,
  Damaged = 10,
};

/// Ok, or a code with a reason.
struct [[nodiscard]] Status {
  Code code = Code::Ok;
  std::string message;

  bool ok() const { return code == Code::Ok; }
  static Status success() { return {}; }
};

/// A failed status with a printf-style text.
[[gnu::format(printf, 2, 3)]] Status fail(Code code, const char *format, ...);

} // namespace nestor::rt

#endif // NESTOR_RUNTIME_STATUS_H
