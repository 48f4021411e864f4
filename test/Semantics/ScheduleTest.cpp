// Random kernels under random schedules. After each step the kernel means what
// it meant; a refused step leaves it as it was; the recorded sequence, printed,
// parsed and replayed, gives the same nest; native code agrees at the end.
#include "RandomSchedule.h"
#include "SemanticsBase.h"

#include "mlir/Parser/Parser.h"

#include <array>
#include <cstdio>
#include <map>

using namespace nestor;

namespace {
class Schedules : public Semantics {
protected:
  std::string oneCase(uint64_t seed);

  /// Primitive -> how often refused, done.
  std::map<std::string, std::array<long, 2>> counts;
};

std::string Schedules::oneCase(uint64_t seed) {
  Problem problem = randomProblem(context, seed, NestStyle{});
  if (!problem.module)
    return "the generator wrote invalid text\n" + problem.text;
  std::vector<HostTensor> buffers = problem.buffers;
  if (llvm::Error error =
          Interp::runKernel(problem.kernel, buffers, problem.sizes))
    return text(std::move(error)) + "\n" + problem.text;
  HostTensor want = buffers.back();
  mlir::OwningOpRef<mlir::ModuleOp> original = problem.module->clone();

  sched::Schedule schedule(problem.kernel);
  Random random(seed + 77);
  std::string trace;
  auto report = [&](const std::string &why, const std::string &before) {
    return why + "\nafter" + trace + "\n--- original\n" + problem.text +
           "--- before the last step\n" + before + "\n--- now\n" +
           print(problem.kernel) + "\n--- sequence\n" + schedule.print();
  };
  int64_t steps = random.in(1, 8), last = random.in(0, 5);
  for (int64_t n = 0; n < 3 * (steps + last); ++n) {
    std::string what, before = print(*problem.module);
    bool final = n >= 3 * steps;
    sched::Outcome outcome = final ? randomLastStep(schedule, random, what)
                                   : randomStep(schedule, random, what);
    ++counts[what.substr(0, what.find(' '))][outcome.isDone()];
    if (!outcome.isDone()) {
      if (!outcome.isRefused())
        return report("broken: " + outcome.getText(), before);
      if (print(*problem.module) != before) {
        trace += "\n  " + what + " (refused: " + outcome.getText() + ")";
        return report("a refused step changed the kernel", before);
      }
      continue;
    }
    trace += "\n  " + what;
    std::string why = meaning(problem.kernel, problem, want, seed, false);
    if (!why.empty())
      return report(why, before);
    if (what == "compact_buffers")
      break;
  }
  // The last step of a schedule: what iterations share is private after it.
  std::string before = print(*problem.module);
  trace += "\n  compact_buffers";
  sched::Outcome compacted = schedule.compactBuffers();
  std::string why = compacted.isDone()
                        ? meaning(problem.kernel, problem, want, seed, true)
                        : compacted.getText();
  if (!why.empty())
    return report(why, before);
  mlir::OwningOpRef<mlir::ModuleOp> sequence =
      mlir::parseSourceString<mlir::ModuleOp>(schedule.print(), &context);
  if (!sequence)
    return report("the sequence does not parse", "");
  nest::FuncOp again = *original->getOps<nest::FuncOp>().begin();
  sched::Outcome replayed = sched::Schedule::replay(*sequence, again);
  if (!replayed.isDone())
    return report("replay: " + replayed.getText(), "");
  for (auto func : original->getOps<nest::FuncOp>())
    if (func.getSymName() == problem.kernel.getSymName() &&
        print(func) != print(problem.kernel))
      return report("the replay differs", print(func));
  why = native(problem.kernel, problem, want, seed);
  return why.empty() ? "" : report("native: " + why, "");
}

TEST_F(Schedules, PreserveMeaning) {
  forSeeds(150, [&](uint64_t seed) { return oneCase(seed); });
  // A primitive that is never done is not tested.
  for (const auto &entry : counts)
    std::printf("%-24s done %6ld refused %6ld\n", entry.first.c_str(),
                entry.second[1], entry.second[0]);
}
} // namespace
