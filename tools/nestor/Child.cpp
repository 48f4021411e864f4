// The child shares one page with its parent: the phase it is in.

#include "Child.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Shared {
  char phase[64];
  char fatal[1024];
};
Shared *shared = nullptr;
volatile sig_atomic_t childPid = 0;
volatile sig_atomic_t interrupted = 0;

void forward(int signal) {
  interrupted = signal;
  if (childPid > 0)
    kill(childPid, signal);
}

void outOfMemory() {
  if (shared)
    snprintf(shared->fatal, sizeof shared->fatal, "out of memory");
  _exit(ExitBudget);
}

void keepFatal(const char *message) {
  if (shared)
    snprintf(shared->fatal, sizeof shared->fatal, "%s", message);
}

[[noreturn]] void childMain(const Body &body, uint64_t memLimitMb) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A crash is reported by the parent; a core file of a compiler is large.
  rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  if (memLimitMb) {
    rlimit limit = {memLimitMb << 20, memLimitMb << 20};
    setrlimit(RLIMIT_DATA, &limit);
  }
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  std::set_new_handler(outOfMemory);
  nestor::onFatalError(ExitInternal, keepFatal);
  int code = ExitInternal;
  try {
    code = body();
  } catch (const std::exception &e) {
    keepFatal(e.what());
  }
  fflush(stdout);
  fflush(stderr);
  // No destructors: the memory goes with the process, at once.
  _exit(code);
}

const char *signalName(int signal) {
  switch (signal) {
  case SIGSEGV:
    return "SIGSEGV";
  case SIGABRT:
    return "SIGABRT";
  case SIGBUS:
    return "SIGBUS";
  case SIGILL:
    return "SIGILL";
  case SIGFPE:
    return "SIGFPE";
  default:
    return strsignal(signal);
  }
}

std::string inPhase() {
  return shared->phase[0] ? std::string(" while in '") + shared->phase + "'"
                          : std::string();
}

} // namespace

void notePhase(std::string_view phase) {
  if (shared)
    snprintf(shared->phase, sizeof shared->phase, "%.*s", int(phase.size()),
             phase.data());
}

ChildEnd runInChild(const Body &body, double timeLimit, uint64_t memLimitMb) {
  // A page of its own for every child: a child may have children that run side
  // by side.
  void *page = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return {ExitBudget, false, "no memory to start"};
  shared = static_cast<Shared *>(page);
  fflush(stdout);
  fflush(stderr);

  // SIGCHLD is waited for with a time-out, so it must be blocked first.
  sigset_t block, before;
  sigemptyset(&block);
  sigaddset(&block, SIGCHLD);
  sigprocmask(SIG_BLOCK, &block, &before);
  pid_t pid = fork();
  if (pid < 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return {ExitBudget, false,
            std::string("cannot start a process: ") + strerror(errno)};
  }
  if (pid == 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    childMain(body, memLimitMb);
  }
  childPid = pid;
  struct sigaction action = {}, oldInt, oldTerm;
  action.sa_handler = forward;
  sigaction(SIGINT, &action, &oldInt);
  sigaction(SIGTERM, &action, &oldTerm);

  bool timedOut = false;
  int status = 0;
  double end = timeLimit > 0 ? now() + timeLimit : 0;
  for (;;) {
    pid_t done = waitpid(pid, &status, end > 0 && !timedOut ? WNOHANG : 0);
    if (done == pid)
      break;
    if (done < 0 && errno != EINTR)
      break;
    if (done != 0)
      continue;
    double left = end - now();
    if (left <= 0) {
      timedOut = true;
      kill(pid, SIGKILL);
      continue;
    }
    timespec wait = {time_t(left), long((left - double(time_t(left))) * 1e9)};
    sigtimedwait(&block, nullptr, &wait);
  }
  childPid = 0;
  sigaction(SIGINT, &oldInt, nullptr);
  sigaction(SIGTERM, &oldTerm, nullptr);
  sigprocmask(SIG_SETMASK, &before, nullptr);

  char limit[64];
  snprintf(limit, sizeof limit, "%g s", timeLimit);
  if (timedOut)
    return {ExitBudget, false,
            std::string("not done after ") + limit + inPhase()};
  if (WIFEXITED(status)) {
    int code = WEXITSTATUS(status);
    if (!shared->fatal[0] || code == ExitOk)
      return {code, false, ""};
    if (code == ExitBudget)
      return {code, false, shared->fatal + inPhase()};
    return {code, true,
            std::string("internal error") + inPhase() + ": " + shared->fatal};
  }
  int signal = WTERMSIG(status);
  if (signal == SIGINT || signal == SIGTERM || interrupted)
    return {ExitInterrupted, false, "interrupted"};
  if (signal == SIGKILL || signal == SIGXCPU)
    return {ExitBudget, false,
            "killed" + inPhase() + ": the system is out of memory or time"};
  return {ExitInternal, true,
          std::string("internal error: the process stopped with ") +
              signalName(signal) + inPhase()};
}
