//===- Error.h - Errors that people see -------------------------*- C++ -*-===//
//
// One error type for every failure a user can cause or meet. Its kind is the
// exit code of the command (docs/reference/exit-codes.md), its message says
// what happened, where, and what to do. Libraries return it, only the command
// prints it.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SUPPORT_ERROR_H
#define NESTOR_SUPPORT_ERROR_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nestor {

/// What went wrong, as the exit code that the command ends with.
enum class ErrorKind : int {
  Internal = 1,
  Usage = 2,
  Unreadable = 3,
  Malformed = 4,
  Unsupported = 5,
  TargetMissing = 6,
  Budget = 7,
  RunTime = 8,
  Mismatch = 9,
  Damaged = 10,
  Interrupted = 130,
};

/// The payload of an llvm::Error that Nestor makes.
class NestorError : public llvm::ErrorInfo<NestorError> {
public:
  static char ID;

  NestorError(ErrorKind kind, std::string message)
      : kind(kind), text(std::move(message)) {}

  ErrorKind getKind() const { return kind; }
  const std::string &getText() const { return text; }

  void log(llvm::raw_ostream &os) const override { os << text; }
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

private:
  ErrorKind kind;
  std::string text;
};

/// An error of `kind` that says `message`.
llvm::Error makeError(ErrorKind kind, const llvm::Twine &message);

/// Takes an error apart; errors that are not Nestor's count as Internal.
std::pair<ErrorKind, std::string> takeError(llvm::Error error);

} // namespace nestor

#endif // NESTOR_SUPPORT_ERROR_H
