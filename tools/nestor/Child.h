// Running a verb in a child process, so that whatever happens while compiling
// ends as an exit code with a text.
#ifndef NESTOR_TOOLS_CHILD_H
#define NESTOR_TOOLS_CHILD_H

#include "Command.h"

#include <string>

/// Runs `body` in a forked child and returns the exit code. A signal, a
/// time-out or exhausted memory becomes a code and, in `why`, a sentence.
struct ChildEnd {
  int code = 0;
  bool crashed = false;
  std::string why;
};
ChildEnd runInChild(const Body &body, double timeLimit, uint64_t memLimitMb);

/// Notes what the child is doing now, for the sentence about a crash.
void notePhase(std::string_view phase);

#endif // NESTOR_TOOLS_CHILD_H
