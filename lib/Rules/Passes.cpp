//===- Passes.cpp - Default schedules as a pass ---------------------------===//
//
// See the header. With print=sequence the kernel stays as it was and the module
// gets the schedule, ready for --transform-interpreter.
//
//===----------------------------------------------------------------------===//
#include "nestor/Rules/Passes.h"

#include "nestor/Rules/Rules.h"

#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace nestor;

namespace {
struct ScheduleDefaultPass
    : PassWrapper<ScheduleDefaultPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ScheduleDefaultPass)
  ScheduleDefaultPass() = default;
  ScheduleDefaultPass(const ScheduleDefaultPass &other) : PassWrapper(other) {}

  StringRef getArgument() const final { return "schedule-default"; }
  StringRef getDescription() const final {
    return "Schedule every kernel by the default rules";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<transform::TransformDialect>();
  }

  void runOnOperation() final {
    llvm::Expected<Target> machine = Target::parse(target);
    if (!machine) {
      getOperation().emitError(llvm::toString(machine.takeError()));
      return signalPassFailure();
    }
    if (print != "nest" && print != "sequence") {
      getOperation().emitError("print= is 'nest' or 'sequence', not '")
          << print << "'";
      return signalPassFailure();
    }
    SmallVector<nest::FuncOp> kernels(getOperation().getOps<nest::FuncOp>());
    if (print == "sequence" && kernels.size() != 1) {
      getOperation().emitError("print=sequence needs one kernel");
      return signalPassFailure();
    }
    // Relayouts come along with a schedule: they belong to the copy.
    OwningOpRef<ModuleOp> copy;
    if (print == "sequence") {
      copy = getOperation().clone();
      kernels = llvm::to_vector(copy->getOps<nest::FuncOp>());
    }
    for (nest::FuncOp kernel : kernels)
      if (failed(schedule(kernel, *machine)))
        return signalPassFailure();
  }

private:
  LogicalResult schedule(nest::FuncOp kernel, const Target &machine) {
    DefaultSchedule result = scheduleKernel(kernel, machine);
    if (refusals)
      for (const std::string &refusal : result.refusals)
        emitRemark(kernel.getLoc(), "refused: ") << refusal;
    if (print == "nest")
      return success();
    auto sequence = parseSourceString<ModuleOp>(result.sequence, &getContext());
    if (!sequence)
      return kernel.emitError("its sequence does not parse");
    ModuleOp module = getOperation();
    module->setDiscardableAttrs((*sequence)->getDiscardableAttrDictionary());
    module.getBody()->getOperations().splice(
        module.getBody()->end(), sequence->getBody()->getOperations());
    return success();
  }

  Option<std::string> target{*this, "target", llvm::cl::init("host"),
                             llvm::cl::desc("The machine to schedule for")};
  Option<std::string> print{
      *this, "print", llvm::cl::init("nest"),
      llvm::cl::desc("What the module then holds: the scheduled 'nest', or the "
                     "nest as it was and the 'sequence' that schedules it")};
  Option<bool> refusals{
      *this, "refusals", llvm::cl::init(false),
      llvm::cl::desc("Remark on each step that was refused, and why")};
};
} // namespace

void nestor::registerRulesPasses() { PassRegistration<ScheduleDefaultPass>(); }
