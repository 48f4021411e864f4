// Takes steps away (halves, then single ones) and blocks, makes extents and the
// numbers of steps small, sizes static, elements plain and the kernel a core
// alone, as long as the case fails as it did.
#include "Case.h"

#include "Checks.h"

#include "fmt/format.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace nestor;
using namespace nestor::fuzz;

namespace {
/// Memory that a crash leaves behind.
struct Notes {
  char text[1 << 17], step[1 << 10];
};
Notes *notes = nullptr;

/// What a trial in a process of its own says.
struct Trial {
  std::string failure, report;
  std::vector<unsigned> done;
};

Trial tryIn(CaseSpec spec) {
  if (!notes) {
    void *memory = mmap(nullptr, sizeof(Notes), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED)
      notes = static_cast<Notes *>(memory);
  }
  if (notes)
    notes->text[0] = notes->step[0] = 0;
  spec.announce = true;
  int pipes[2];
  if (pipe(pipes) != 0)
    return {};
  std::fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    close(pipes[0]);
    limitTime(kLongestCase);
    mlir::MLIRContext context;
    loadDialects(context);
    CaseResult result = runCase(context, spec);
    std::string text = result.failure + "\n";
    for (unsigned n : result.done)
      text += std::to_string(n) + " ";
    text += "\n" + result.report;
    for (size_t at = 0; at < text.size();) {
      ssize_t wrote = write(pipes[1], text.data() + at, text.size() - at);
      if (wrote <= 0)
        break;
      at += static_cast<size_t>(wrote);
    }
    _exit(0);
  }
  close(pipes[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(pipes[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(n));
  close(pipes[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return {"crash",
            fmt::format("a process ended with signal {} in:{}\n{}",
                        WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                        notes ? notes->step : "", notes ? notes->text : ""),
            {}};
  auto [failure, rest] = llvm::StringRef(text).split('\n');
  auto [done, report] = rest.split('\n');
  Trial trial{failure.str(), report.str(), {}};
  llvm::SmallVector<llvm::StringRef> words;
  done.split(words, ' ', -1, false);
  for (llvm::StringRef word : words)
    trial.done.push_back(static_cast<unsigned>(std::stoul(word.str())));
  return trial;
}

class Shrinker {
public:
  Shrinker(CaseSpec spec, unsigned seconds) : best(std::move(spec)) {
    end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  }
  std::string run();

private:
  /// Keeps `spec` when it fails in the same way.
  bool keep(CaseSpec spec) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    Trial trial = tryIn(spec);
    if (trial.failure != last.failure)
      return false;
    if (trial.failure != "crash") {
      // Only what was done matters.
      std::vector<StepChoice> steps;
      for (unsigned n : trial.done)
        steps.push_back(spec.steps[n]);
      spec.steps = std::move(steps);
    }
    best = std::move(spec);
    last = std::move(trial);
    return true;
  }
  void steps();
  void blocks();
  void numbers();
  template <typename F>
  bool change(F edit) {
    CaseSpec spec = best;
    edit(spec);
    return keep(std::move(spec));
  }

  CaseSpec best;
  Trial last;
  std::chrono::steady_clock::time_point end;
};

void Shrinker::steps() {
  for (size_t size = std::max<size_t>(1, best.steps.size() / 2);; size /= 2) {
    for (size_t at = 0; at < best.steps.size();) {
      CaseSpec spec = best;
      auto from = spec.steps.begin() + static_cast<ptrdiff_t>(at);
      spec.steps.erase(from, from + static_cast<ptrdiff_t>(std::min(
                                        size, spec.steps.size() - at)));
      if (!keep(std::move(spec)))
        at += size;
    }
    if (size <= 1)
      return;
  }
}

/// The last blocks first: what reads goes before what is read.
void Shrinker::blocks() {
  mlir::MLIRContext context;
  loadDialects(context);
  Problem problem = randomProblem(context, best.seed, best.style);
  if (!problem.module)
    return;
  std::vector<std::string> names;
  problem.kernel.walk(
      [&](nest::BlockOp block) { names.push_back(block.getName().str()); });
  for (const std::string &name : llvm::reverse(names))
    change([&](CaseSpec &spec) { spec.style.without.push_back(name); });
}

void Shrinker::numbers() {
  for (size_t n = 0; n < best.steps.size(); ++n)
    for (int64_t most : {0, 1, 2, 3})
      if (n >= best.steps.size() ||
          change([&](CaseSpec &spec) { spec.steps[n].most = most; }))
        break;
}

std::string Shrinker::run() {
  last = tryIn(best);
  if (last.failure.empty())
    return "it does not fail again";
  change([&](CaseSpec &spec) {
    spec.nativeAlways = last.failure == "native" || last.failure == "crash";
  });
  steps();
  change([](CaseSpec &spec) { spec.style.alone = true; });
  change([](CaseSpec &spec) { spec.style.fixed = true; });
  change([](CaseSpec &spec) { spec.style.plain = true; });
  for (int64_t cap : {1, 2, 3, 4, 5, 6, 8, 12, 17, 33})
    if (change([&](CaseSpec &spec) { spec.style.cap = cap; }))
      break;
  blocks();
  steps();
  numbers();
  return fmt::format("{} steps, extents <= {}\n{}", best.steps.size(),
                     best.style.cap, last.report);
}
} // namespace

void nestor::fuzz::noteCase(const std::string &text) {
  if (notes)
    snprintf(notes->text, sizeof notes->text, "%s", text.c_str());
}

void nestor::fuzz::note(const std::string &step, bool append) {
  if (!notes)
    return;
  size_t at = append ? strnlen(notes->step, sizeof notes->step - 1) : 0;
  snprintf(notes->step + at, sizeof notes->step - at, "%s%s", append ? "" : " ",
           step.c_str());
}

void nestor::fuzz::limitTime(unsigned seconds) {
  itimerval limit = {};
  limit.it_value.tv_sec = seconds;
  setitimer(ITIMER_PROF, &limit, nullptr);
}

std::string nestor::fuzz::shrink(CaseSpec spec, unsigned seconds) {
  return Shrinker(std::move(spec), seconds).run();
}
