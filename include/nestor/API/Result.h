//===- Result.h - A value or a failure --------------------------*- C++ -*-===//
#ifndef NESTOR_API_RESULT_H
#define NESTOR_API_RESULT_H

#include <string>
#include <utility>
#include <variant>

namespace nestor {

/// Why something failed. `code` is the exit code of the command for it:
/// 1 internal, 2 usage, 3 unreadable file, 4 malformed model, 5 unsupported,
/// 6 target missing, 7 budget exceeded, 8 run-time failure, 9 mismatch,
/// 10 damaged artefact, 130 interrupted.
struct Failure {
  int code = 1;
  std::string message;
};

/// A `T` or a Failure; look before taking.
template <typename T>
class [[nodiscard]] Result {
public:
  Result(T value) : content(std::in_place_index<0>, std::move(value)) {}
  Result(Failure failure)
      : content(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return content.index() == 0; }
  explicit operator bool() const { return ok(); }
  T &operator*() { return *std::get_if<0>(&content); }
  const T &operator*() const { return *std::get_if<0>(&content); }
  T *operator->() { return std::get_if<0>(&content); }
  const T *operator->() const { return std::get_if<0>(&content); }
  const Failure &failure() const { return *std::get_if<1>(&content); }

private:
  std::variant<T, Failure> content;
};

/// Done, or a Failure.
template <>
class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Failure failure) : reason(std::move(failure)), good(false) {}

  bool ok() const { return good; }
  explicit operator bool() const { return good; }
  const Failure &failure() const { return reason; }

private:
  Failure reason;
  bool good = true;
};

} // namespace nestor

#endif // NESTOR_API_RESULT_H
