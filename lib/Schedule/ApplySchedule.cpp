//===- ApplySchedule.cpp - A schedule file as a pass ----------------------===//
//
//   nestor-opt kernel.mlir --schedule=schedule.mlir
//
// Each kernel runs the sequence that has its name; the only kernel of a module
// may also run @__transform_main. A refusal is an error, with its notes.
//
//===----------------------------------------------------------------------===//
#include "nestor/Schedule/Passes.h"

#include "nestor/Schedule/Extension.h"
#include "nestor/Schedule/Schedule.h"

#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

namespace {
struct ApplySchedulePass
    : PassWrapper<ApplySchedulePass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ApplySchedulePass)
  ApplySchedulePass() = default;
  ApplySchedulePass(const ApplySchedulePass &other) : PassWrapper(other) {}

  StringRef getArgument() const final { return "apply-schedule"; }
  StringRef getDescription() const final {
    return "Run the schedule of a file on the kernels";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registerScheduleExtension(registry);
  }

  void runOnOperation() final {
    ModuleOp module = getOperation();
    auto sequence =
        parseSourceFile<ModuleOp>(file.getValue(), ParserConfig(&getContext()));
    if (!sequence)
      return signalPassFailure();
    SmallVector<nest::FuncOp> kernels;
    for (auto kernel : module.getOps<nest::FuncOp>())
      if (sequence->lookupSymbol(kernel.getSymName()))
        kernels.push_back(kernel);
    if (kernels.empty()) {
      kernels = llvm::to_vector(module.getOps<nest::FuncOp>());
      if (kernels.size() != 1) {
        module.emitError("there are ")
            << kernels.size()
            << " kernels; name each sequence as the kernel it is for";
        return signalPassFailure();
      }
    }
    for (nest::FuncOp kernel : kernels)
      if (failed(apply(*sequence, kernel)))
        return signalPassFailure();
  }

private:
  LogicalResult apply(ModuleOp sequence, nest::FuncOp kernel) {
    ReplayOptions options;
    std::vector<std::string> skipped;
    options.skipRefused = skipRefused;
    options.skipped = &skipped;
    Operation *refused = nullptr;
    options.refused = &refused;
    Result<std::unique_ptr<Schedule>> done =
        Schedule::replay(sequence, kernel, options);
    for (const std::string &text : skipped)
      emitRemark(kernel.getLoc(), "left out: ") << text;
    if (done)
      return success();
    const Outcome &outcome = done.getOutcome();
    InFlightDiagnostic error = emitError(
        refused ? refused->getLoc() : kernel.getLoc(), outcome.getReason());
    for (const Outcome::Note &note : outcome.getNotes())
      error.attachNote(note.where) << note.text;
    return error;
  }

  Option<std::string> file{*this, "file",
                           llvm::cl::desc("The schedule to run")};
  Option<bool> skipRefused{
      *this, "skip-refused",
      llvm::cl::desc("Go on after refused steps instead of failing"),
      llvm::cl::init(false)};
};
} // namespace

void nestor::registerSchedulePasses() { PassRegistration<ApplySchedulePass>(); }
