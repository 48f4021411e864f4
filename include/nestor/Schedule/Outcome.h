//===- Outcome.h - Done, refused or broken ----------------------*- C++ -*-===//
//
// What a primitive answers. Done: the nest was rewritten. Refused: it was left
// bit-identical, and the reason names the loop, the access and what to try.
// Broken: a bug; the nest may be in pieces.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SCHEDULE_OUTCOME_H
#define NESTOR_SCHEDULE_OUTCOME_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"

#include <optional>
#include <string>
#include <utility>

namespace nestor::sched {

class [[nodiscard]] Outcome {
public:
  enum class State { Done, Refused, Broken };
  struct Note {
    mlir::Location where;
    std::string text;
  };

  static Outcome done() { return Outcome(State::Done, {}); }
  static Outcome refused(const llvm::Twine &reason) {
    return Outcome(State::Refused, reason.str());
  }
  static Outcome broken(const llvm::Twine &reason) {
    return Outcome(State::Broken, reason.str());
  }

  /// Adds what the reason is about, or what to try instead.
  Outcome &&note(mlir::Operation *at, const llvm::Twine &text) && {
    notes.push_back({at->getLoc(), text.str()});
    return std::move(*this);
  }

  /// The same outcome, its reason preceded by where it came up.
  Outcome &&within(const llvm::Twine &where) && {
    reason = (where + ": " + reason).str();
    return std::move(*this);
  }

  State getState() const { return state; }
  bool isDone() const { return state == State::Done; }
  bool isRefused() const { return state == State::Refused; }
  const std::string &getReason() const { return reason; }
  llvm::ArrayRef<Note> getNotes() const { return notes; }

  /// Reason and notes in one line.
  std::string getText() const {
    std::string text = reason;
    for (const Note &note : notes)
      text += "; " + note.text;
    return text;
  }

private:
  Outcome(State state, std::string reason)
      : state(state), reason(std::move(reason)) {}

  State state;
  std::string reason;
  llvm::SmallVector<Note, 0> notes;
};

/// A value when the outcome is done.
template <typename T>
class [[nodiscard]] Result {
public:
  Result(T value) : value(std::move(value)), outcome(Outcome::done()) {}
  Result(Outcome outcome) : outcome(std::move(outcome)) {}

  explicit operator bool() const { return value.has_value(); }
  T &operator*() { return *value; }
  T *operator->() { return &*value; }
  const Outcome &getOutcome() const { return outcome; }
  bool isRefused() const { return outcome.isRefused(); }

private:
  std::optional<T> value;
  Outcome outcome;
};

} // namespace nestor::sched

#endif // NESTOR_SCHEDULE_OUTCOME_H
