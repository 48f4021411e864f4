// check-nestor-semantics: random kernels under random schedules.
//
// Batches of cases run in processes of their own (a crash costs its case, and
// attributes, which a context keeps for ever, end with the batch). A child
// writes lines into a pipe:
//   case SEED KIND        a case begins
//   count KIND done refused   of one step kind in it
//   fail SEED WORD        it failed
//   end SEED
#include "Case.h"
#include "Checks.h"

#include "fmt/format.h"

#include "llvm/Support/CommandLine.h"

#include <chrono>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace nestor;
using namespace nestor::fuzz;

namespace {
struct Settings {
  uint64_t cases = 1000, seed = 0, from = 0, to = 0;
  unsigned steps = 30, jobs = 2, failures = 5, batch = 200, shrink = 60;
  bool quiet = false;
};

constexpr uint64_t kFullRun = 10000;

struct Child {
  pid_t pid = 0;
  int pipe = -1;
  uint64_t next, end; // seeds
  std::string text;
  std::optional<uint64_t> current;
};

class Run {
public:
  explicit Run(Settings settings) : settings(settings) {}
  int operator()();

private:
  void spawn(uint64_t from, uint64_t to);
  void child(int pipe, uint64_t from, uint64_t to);
  void line(Child &child, llvm::StringRef text);
  void finish(Child &child);
  void report(uint64_t seed, const std::string &word);
  int summary();

  Settings settings;
  std::vector<Child> children;
  std::vector<std::pair<uint64_t, uint64_t>> pending;
  uint64_t cases = 0, mismatches = 0, crashes = 0;
  bool stopped = false;
  /// Step kind, nest kind -> done, refused.
  std::map<std::pair<unsigned, int>, std::pair<uint64_t, uint64_t>> counts;
};

void put(int pipe, const std::string &text) {
  for (size_t at = 0; at < text.size();) {
    ssize_t n = write(pipe, text.data() + at, text.size() - at);
    if (n <= 0)
      _exit(3);
    at += static_cast<size_t>(n);
  }
}

void Run::child(int pipe, uint64_t from, uint64_t to) {
  mlir::MLIRContext context;
  loadDialects(context);
  for (uint64_t seed = from; seed < to; ++seed) {
    CaseSpec spec = makeCase(seed, settings.steps);
    put(pipe, fmt::format("case {} {}\n", seed, spec.style.kind));
    limitTime(kLongestCase);
    CaseResult result = runCase(context, spec);
    limitTime(0);
    std::string text;
    for (auto [kind, count] : result.counts)
      text += fmt::format("count {} {} {} {}\n", kind, spec.style.kind,
                          count.first, count.second);
    if (!result.failure.empty())
      text += fmt::format("fail {} {}\n", seed, result.failure);
    put(pipe, text + fmt::format("end {}\n", seed));
  }
}

void Run::spawn(uint64_t from, uint64_t to) {
  int pipes[2];
  if (pipe(pipes) != 0) {
    std::perror("pipe");
    std::exit(1);
  }
  std::fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    close(pipes[0]);
    child(pipes[1], from, to);
    std::fflush(stdout);
    _exit(0);
  }
  close(pipes[1]);
  children.push_back({pid, pipes[0], from, to, "", std::nullopt});
}

void Run::report(uint64_t seed, const std::string &word) {
  std::printf("seed %llu fails: %s\n", static_cast<unsigned long long>(seed),
              word.c_str());
  if (settings.shrink > 0)
    std::printf(
        "%s\n",
        fuzz::shrink(makeCase(seed, settings.steps), settings.shrink).c_str());
  std::fflush(stdout);
  if (mismatches + crashes >= settings.failures)
    stopped = true;
}

void Run::line(Child &child, llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> words;
  text.split(words, ' ');
  auto number = [&](size_t n) { return std::stoull(words[n].str()); };
  if (words[0] == "case") {
    child.current = number(1);
  } else if (words[0] == "count") {
    auto &[done, refused] = counts[{number(1), int(number(2))}];
    done += number(3);
    refused += number(4);
  } else if (words[0] == "fail") {
    ++mismatches;
    report(number(1), words[2].str());
  } else if (words[0] == "end") {
    ++cases;
    child.next = number(1) + 1;
    child.current.reset();
  }
}

void Run::finish(Child &child) {
  int status = 0;
  waitpid(child.pid, &status, 0);
  close(child.pipe);
  child.pipe = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return;
  ++crashes;
  ++cases;
  uint64_t seed = child.current.value_or(child.next);
  int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (seed + 1 < child.end)
    pending.push_back({seed + 1, child.end});
  report(seed, signal == SIGPROF ? std::string("it does not end")
                                 : fmt::format("crash, signal {}", signal));
}

int Run::operator()() {
  auto begin = std::chrono::steady_clock::now();
  uint64_t from = settings.from ? settings.from : settings.seed;
  uint64_t to = settings.to ? settings.to : from + settings.cases;
  for (uint64_t at = from; at < to; at += settings.batch)
    pending.insert(pending.begin(),
                   {at, std::min<uint64_t>(to, at + settings.batch)});
  uint64_t told = 0;
  while (true) {
    while (!stopped && !pending.empty() && children.size() < settings.jobs) {
      auto [first, last] = pending.back();
      pending.pop_back();
      spawn(first, last);
    }
    if (children.empty())
      break;
    std::vector<pollfd> polls;
    for (Child &child : children)
      polls.push_back({child.pipe, POLLIN, 0});
    if (poll(polls.data(), polls.size(), -1) < 0)
      continue;
    for (size_t i = 0; i < polls.size(); ++i) {
      if (!polls[i].revents)
        continue;
      char buffer[65536];
      ssize_t n = read(polls[i].fd, buffer, sizeof buffer);
      if (n <= 0) {
        finish(children[i]);
        continue;
      }
      children[i].text.append(buffer, static_cast<size_t>(n));
      size_t end;
      while ((end = children[i].text.find('\n')) != std::string::npos) {
        std::string text = children[i].text.substr(0, end);
        children[i].text.erase(0, end + 1);
        line(children[i], text);
      }
    }
    llvm::erase_if(children, [](Child &child) { return child.pipe < 0; });
    if (stopped) {
      for (Child &child : children) {
        kill(child.pid, SIGKILL);
        waitpid(child.pid, nullptr, 0);
        close(child.pipe);
      }
      children.clear();
    }
    if (cases / 500 > told && !settings.quiet) {
      told = cases / 500;
      std::chrono::duration<double> spent =
          std::chrono::steady_clock::now() - begin;
      std::fprintf(stderr, "%llu cases, %.1f a second\n",
                   static_cast<unsigned long long>(cases),
                   double(cases) / spent.count());
    }
  }
  std::chrono::duration<double> spent =
      std::chrono::steady_clock::now() - begin;
  std::printf("%.1f seconds, %.1f cases a second\n", spent.count(),
              double(cases) / spent.count());
  settings.seed = from;
  return summary();
}

int Run::summary() {
  llvm::ArrayRef<const char *> nests = nestKinds();
  std::printf("\n%-24s %16s", "done/refused", "all");
  for (const char *nest : nests)
    std::printf(" %11s", nest);
  std::printf("\n");
  unsigned applied = 0;
  std::vector<std::string> lacking;
  for (auto [i, kind] : llvm::enumerate(stepKinds())) {
    uint64_t done = 0, refused = 0;
    std::string row;
    for (int nest = 0; nest < static_cast<int>(nests.size()); ++nest) {
      auto [d, r] = counts[{unsigned(i), nest}];
      done += d;
      refused += r;
      row += fmt::format(" {:>11}", fmt::format("{}/{}", d, r));
    }
    std::printf("%-24s %16s%s\n", kind.name,
                fmt::format("{}/{}", done, refused).c_str(), row.c_str());
    applied += done > 0;
    if (done < 100)
      lacking.push_back(
          fmt::format("{} was applied {} times", kind.name, done));
    if (kind.canRefuse && refused < 20)
      lacking.push_back(
          fmt::format("{} was refused {} times", kind.name, refused));
  }
  mlir::MLIRContext context;
  loadDialects(context);
  for (mlir::RegisteredOperationName op : context.getRegisteredOperations()) {
    llvm::StringRef name = op.getStringRef();
    // Queries are part of every step.
    if (name.consume_front("transform.nest.") && !name.starts_with("get_") &&
        llvm::none_of(stepKinds(),
                      [&](const StepKind &kind) { return kind.name == name; }))
      lacking.push_back(name.str() + " has no steps here");
  }
  bool thin = cases >= kFullRun && !lacking.empty();
  if (cases >= kFullRun)
    for (const std::string &text : lacking)
      std::printf("too few: %s\n", text.c_str());
  std::printf("semantics: %llu cases, %llu mismatches, %llu crashes, %u "
              "primitives applied, seed %llu\n",
              static_cast<unsigned long long>(cases),
              static_cast<unsigned long long>(mismatches),
              static_cast<unsigned long long>(crashes), applied,
              static_cast<unsigned long long>(settings.seed));
  return mismatches || crashes || thin ? 1 : 0;
}
} // namespace

static llvm::cl::OptionCategory category("check-nestor-semantics");

template <typename T>
static void option(T &value, llvm::StringRef name, llvm::StringRef text) {
  // Options live as long as the program.
  new llvm::cl::opt<T, true>(name, llvm::cl::location(value),
                             llvm::cl::init(value), llvm::cl::desc(text),
                             llvm::cl::cat(category));
}

int main(int argc, char **argv) {
  static Settings settings;
  option(settings.cases, "cases", "how many");
  option(settings.seed, "seed", "of the first case");
  option(settings.from, "from", "the first seed, with --to");
  option(settings.to, "to", "the seed after the last one");
  option(settings.steps, "steps", "most steps of a schedule (30)");
  option(settings.jobs, "jobs", "processes at a time (2)");
  option(settings.failures, "failures", "stop after so many (5)");
  option(settings.shrink, "shrink",
         "seconds for making a failure smaller (60); 0: do not");
  option(settings.batch, "batch", "cases of a process (200)");
  option(settings.quiet, "quiet", "no progress");
  llvm::cl::HideUnrelatedOptions(category);
  llvm::cl::ParseCommandLineOptions(
      argc, argv, "Random kernels under random schedules keep their meaning.");
  return Run(settings)();
}
