// A case applies its steps in order. A refused step leaves the printed module
// as it was. After each step that is done the kernel is valid and means what
// it meant. At the end the recorded sequence, printed, parsed and replayed,
// gives the same kernel, and so does a fork; native code agrees.
#include "Case.h"

#include "Checks.h"

#include "nestor/Analysis/Blocks.h"

#include "mlir/Parser/Parser.h"

#include "fmt/format.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::fuzz;

/// By weight.
static unsigned pickKind(Random &random, const std::vector<StepKind> &kinds) {
  int64_t total = 0;
  for (const StepKind &kind : kinds)
    total += kind.weight;
  int64_t at = random.in(0, total - 1);
  for (unsigned i = 0; i < kinds.size(); ++i)
    if ((at -= kinds[i].weight) < 0)
      return i;
  return 0;
}

/// `kind`, sometimes behind the steps that make what it needs.
static void addSteps(std::vector<StepChoice> &steps, Random &random,
                     unsigned kind) {
  const std::vector<StepKind> &kinds = stepKinds();
  auto seed = static_cast<uint64_t>(random.in(0, 1ll << 40));
  llvm::SmallVector<llvm::StringRef> ways, names;
  llvm::StringRef(kinds[kind].needs).split(ways, '|', -1, false);
  if (!ways.empty() && random.chance(60))
    random.pick(ways).split(names, ' ', -1, false);
  for (llvm::StringRef name : names)
    for (auto [i, needed] : llvm::enumerate(kinds))
      if (name == needed.name)
        steps.push_back({static_cast<unsigned>(i), seed});
  steps.push_back({kind, seed});
}

CaseSpec nestor::fuzz::makeCase(uint64_t seed, unsigned maxSteps) {
  const std::vector<StepKind> &kinds = stepKinds();
  Random random(seed ^ 0x5eed);
  CaseSpec spec;
  spec.seed = seed;
  // Every primitive is the favourite of every so many cases, in nests that it
  // is for: the rare ones come as often as the others.
  unsigned favourite = seed % kinds.size();
  // What many laws stand against needs more than that.
  if (random.chance(5)) {
    const char *rare = random.chance(50) ? "rolling_buffer" : "fuse_reductions";
    for (auto [i, kind] : llvm::enumerate(kinds))
      if (llvm::StringRef(kind.name) == rare)
        favourite = static_cast<unsigned>(i);
  }
  llvm::ArrayRef<const char *> nests = nestKinds();
  spec.style.kind = static_cast<int>(random.in(0, int64_t(nests.size()) - 1));
  llvm::SmallVector<llvm::StringRef> likes;
  llvm::StringRef(kinds[favourite].likes).split(likes, ' ', -1, false);
  if (!likes.empty() && random.chance(80)) {
    llvm::StringRef name = random.pick(likes);
    for (auto [i, nest] : llvm::enumerate(nests))
      if (name == nest)
        spec.style.kind = static_cast<int>(i);
  }
  // Short schedules as often as long ones.
  int64_t most = random.chance(50) ? std::min<int64_t>(8, maxSteps) : maxSteps;
  spec.done = static_cast<unsigned>(random.in(1, most));
  // Some laws hold before the first other step only.
  if (random.chance(40))
    addSteps(spec.steps, random, favourite);
  while (spec.steps.size() < 3 * spec.done + 3)
    addSteps(spec.steps, random,
             random.chance(40) ? favourite : pickKind(random, kinds));
  spec.nativeAlways = seed % 50 == 7;
  return spec;
}

/// More would test the same for much longer: pairs of accesses are compared.
static constexpr int64_t kMaxCode = 6000;
static constexpr size_t kMaxBlocks = 32, kMaxDepth = 16;

/// Operations after unrolling, about; many when there are too many blocks or
/// loops.
static int64_t codeSize(nest::FuncOp func) {
  int64_t total = 0;
  analysis::AffineSpace space(func);
  auto blocks = analysis::leavesIn(func);
  if (blocks.size() > kMaxBlocks)
    return kMaxCode + 1;
  for (nest::BlockOp block : blocks) {
    if (analysis::loopsAround(block, space).size() > kMaxDepth)
      return kMaxCode + 1;
    int64_t copies = 1;
    for (nest::ForOp loop : analysis::loopsAround(block, space))
      if (loop.getKind() == nest::LoopKind::Unroll)
        copies = std::min<int64_t>(
            1 << 20, copies * loop.getConstantTripCount().value_or(1));
    total += copies *
             static_cast<int64_t>(block.getBodyBlock()->getOperations().size());
  }
  return total;
}

namespace {
class Runner {
public:
  Runner(MLIRContext &context, const CaseSpec &spec)
      : context(context), spec(spec) {}
  CaseResult run();

private:
  void fail(const char *kind, const std::string &why) {
    result.failure = kind;
    result.report = fmt::format(
        "{}: {}\nseed {}, nest {}, sizes [{}]\n--- steps{}\n--- original\n{}"
        "--- before the last step\n{}\n--- now\n{}",
        kind, why, spec.seed, nestKinds()[spec.style.kind],
        fmt::join(problem.sizes, ", "), trace, problem.text, before,
        schedule ? print(*problem.module) : "");
    if (schedule)
      result.report += "\n--- sequence\n" + schedule->print();
  }
  /// For the case that the next thing crashes.
  void announce(const std::string &next) {
    if (spec.announce)
      noteCase(fmt::format("seed {}, nest {}\n--- steps{}\n--- original\n{}"
                           "--- before the last step\n{}\n--- sequence\n{}",
                           spec.seed, nestKinds()[spec.style.kind], trace,
                           problem.text, before, schedule->print()));
    note(next);
  }
  bool step(unsigned n);
  /// Too many iterations or too much code: the case ends without the rest.
  bool tooLarge = false;
  bool replays();
  bool replaysOtherwise(ModuleOp sequence);
  nest::FuncOp kernelOf(ModuleOp module);

  MLIRContext &context;
  const CaseSpec &spec;
  Problem problem;
  std::vector<HostTensor> want;
  OwningOpRef<ModuleOp> original, unscheduled;
  std::unique_ptr<sched::Schedule> schedule;
  std::string trace, before;
  CaseResult result;
};

/// False: the case ends here.
bool Runner::step(unsigned n) {
  const StepKind &kind = stepKinds()[spec.steps[n].kind];
  announce(kind.name);
  Picker picker(*schedule, spec.steps[n].seed, spec.steps[n].most);
  Tried tried = kind.apply(picker);
  if (!tried)
    return true;
  std::string what = kind.name + picker.what;
  auto &[done, refused] = result.counts[spec.steps[n].kind];
  if (picker.count != Picker::Count::Nothing)
    ++(tried->isDone() && picker.count == Picker::Count::Outcome ? done
                                                                 : refused);
  if (!tried->isDone()) {
    if (tried->isRefused() && print(*problem.module) == before)
      return true;
    result.done.push_back(n);
    trace += fmt::format("\n  {} => {}", what, tried->getText());
    fail(tried->isRefused() ? "refusal" : "broken",
         tried->isRefused() ? "a refused step changed the kernel"
                            : tried->getText());
    return false;
  }
  result.done.push_back(n);
  trace += "\n  " + what;
  tooLarge = codeSize(problem.kernel) > kMaxCode;
  if (tooLarge)
    return false;
  if (std::string why =
          meaning(problem.kernel, problem, want, spec.seed, false);
      !why.empty()) {
    if (why == kOverBudget)
      tooLarge = true;
    else
      fail("meaning", why);
    return false;
  }
  // What takes seconds to compile is compiled once, at the end.
  if (spec.nativeAlways && codeSize(problem.kernel) < 1000)
    if (std::string why = native(problem.kernel, problem, want, spec.seed);
        !why.empty()) {
      fail("native", why);
      return false;
    }
  before = print(*problem.module);
  return true;
}

nest::FuncOp Runner::kernelOf(ModuleOp module) {
  for (auto func : module.getOps<nest::FuncOp>())
    if (func.getSymName() == problem.kernel.getSymName())
      return func;
  return nest::FuncOp();
}

/// With other decisions, as far as their steps are legal, the kernel still
/// means the same.
bool Runner::replaysOtherwise(ModuleOp sequence) {
  if (schedule->decisions().empty() || spec.seed % 2 != 0)
    return true;
  sched::Random random(spec.seed);
  sched::ReplayOptions options;
  options.random = &random;
  options.skipRefused = true;
  auto other =
      sched::Schedule::replay(sequence, kernelOf(*unscheduled), options);
  if (!other)
    return fail("decisions", other.getOutcome().getText()), false;
  nest::FuncOp kernel = kernelOf(*unscheduled);
  if (codeSize(kernel) > kMaxCode)
    return true;
  std::string why = meaning(kernel, problem, want, spec.seed, false);
  if (why.empty() || why == kOverBudget)
    return true;
  fail("decisions",
       why + "\n" + print(*unscheduled) + "\n--- by\n" + (*other)->print());
  return false;
}

bool Runner::replays() {
  OwningOpRef<ModuleOp> sequence =
      parseSourceString<ModuleOp>(schedule->print(), &context);
  if (!sequence)
    return fail("replay", "the sequence does not parse"), false;
  sched::Outcome replayed =
      sched::Schedule::replay(*sequence, kernelOf(*original)).getOutcome();
  if (!replayed.isDone())
    return fail("replay", replayed.getText()), false;
  if (print(kernelOf(*original)) != print(problem.kernel))
    return fail("replay", "it differs:\n" + print(*original)), false;
  if (!replaysOtherwise(*sequence))
    return false;
  std::unique_ptr<sched::Schedule> copy = schedule->fork();
  if (print(copy->getFunc()) != print(problem.kernel) ||
      copy->print() != schedule->print())
    return fail("fork", "it differs:\n" + print(copy->getFunc())), false;
  return true;
}

CaseResult Runner::run() {
  problem = randomProblem(context, spec.seed, spec.style);
  if (!problem.module) {
    fail("generator", "the text does not parse");
    return result;
  }
  std::string why;
  want = results(problem, why);
  if (!why.empty()) {
    fail("generator", why);
    return result;
  }
  original = problem.module->clone();
  unscheduled = problem.module->clone();
  schedule = std::make_unique<sched::Schedule>(problem.kernel);
  before = print(*problem.module);
  for (unsigned n = 0; n < spec.steps.size(); ++n)
    if (result.done.size() < spec.done && !step(n))
      return result;
  // Buffers that iterations share are their own after this.
  announce("compact_buffers");
  sched::Outcome compacted = schedule->compactBuffers();
  if (!compacted.isDone()) {
    fail("broken", "compact_buffers: " + compacted.getText());
    return result;
  }
  trace += "\n  compact_buffers";
  why = meaning(problem.kernel, problem, want, spec.seed, true);
  if (why == kOverBudget)
    return result;
  if (!why.empty()) {
    fail("meaning", why);
    return result;
  }
  if (!replays())
    return result;
  announce("native code");
  why = native(problem.kernel, problem, want, spec.seed);
  if (!why.empty())
    fail("native", why);
  return result;
}
} // namespace

CaseResult nestor::fuzz::runCase(MLIRContext &context, const CaseSpec &spec) {
  return Runner(context, spec).run();
}
