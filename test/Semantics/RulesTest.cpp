// Random kernels under the default schedule of several targets: same meaning,
// no races, a sequence that replays to the same nest, native code that agrees.
#include "SemanticsBase.h"

#include "nestor/Rules/Rules.h"
#include "nestor/Schedule/Schedule.h"

#include "mlir/Parser/Parser.h"

using namespace nestor;

namespace {
class Rules : public Semantics {
protected:
  std::string oneCase(uint64_t seed);
};

std::string Rules::oneCase(uint64_t seed) {
  Problem problem =
      randomProblem(context, seed, NestStyle{.large = seed % 4 != 0});
  if (!problem.module)
    return "the generator wrote invalid text\n" + problem.text;
  std::vector<HostTensor> buffers = problem.buffers;
  if (llvm::Error error =
          Interp::runKernel(problem.kernel, buffers, problem.sizes))
    return text(std::move(error)) + "\n" + problem.text;
  std::vector<HostTensor> want = {buffers.back()};
  Random random(seed + 5);
  for (unsigned i = 0; i + problem.writes < buffers.size(); ++i)
    if (random.chance(50))
      problem.kernel.setArgAttr(i, kConstantArgument,
                                mlir::UnitAttr::get(&context));
  static const char *names[] = {"host", "host", "x86-64-v3", "x86-64-v4"};
  llvm::Expected<Target> target = Target::parse(random.pick(names));
  if (!target)
    return text(target.takeError());
  mlir::OwningOpRef<mlir::ModuleOp> original = problem.module->clone();
  DefaultSchedule result = scheduleKernel(problem.kernel, *target);
  auto report = [&](const std::string &why) {
    std::string text = why + "\ntarget " + target->name + "\n--- original\n" +
                       print(*original) + "--- now\n" + print(problem.kernel) +
                       "\n--- sequence\n" + result.sequence;
    for (const std::string &refusal : result.refusals)
      text += "\nrefused: " + refusal;
    return text;
  };
  std::string why = meaning(problem.kernel, problem, want, seed, true);
  if (!why.empty())
    return report(why);
  mlir::OwningOpRef<mlir::ModuleOp> sequence =
      mlir::parseSourceString<mlir::ModuleOp>(result.sequence, &context);
  if (!sequence)
    return report("the sequence does not parse");
  mlir::OwningOpRef<mlir::ModuleOp> copy = original->clone();
  nest::FuncOp again = *copy->getOps<nest::FuncOp>().begin();
  sched::Outcome replayed =
      sched::Schedule::replay(*sequence, again).getOutcome();
  if (!replayed.isDone())
    return report("replay: " + replayed.getText());
  if (print(again) != print(problem.kernel))
    return report("the replay differs:\n" + print(again));
  if (!target->runsHere())
    return "";
  why = native(problem.kernel, problem, want, seed);
  return why.empty() ? "" : report("native: " + why);
}

TEST_F(Rules, DefaultSchedulesPreserveMeaning) {
  forSeeds(100, [&](uint64_t seed) { return oneCase(seed); });
}
} // namespace
