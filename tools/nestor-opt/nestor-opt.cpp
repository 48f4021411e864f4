//===- nestor-opt.cpp - Runs every pass, prints every phase ---------------===//
//
// mlir-opt for Nestor's dialects and passes; the tool of the lit tests.
//
//   --schedule=FILE          runs a schedule file; short for
//                            --apply-schedule=file=FILE
//   --emit-schedule-docs     prints docs/reference/primitives.md
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Graph.h"
#include "nestor/Interp/Passes.h"
#include "nestor/Lower/Passes.h"
#include "nestor/Partition/Partition.h"
#include "nestor/Pipeline/Dialects.h"
#include "nestor/Rules/Passes.h"
#include "nestor/Schedule/Info.h"
#include "nestor/Schedule/Passes.h"

#include "mlir/Dialect/Transform/Transforms/Passes.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"

static int emitScheduleDocs(const mlir::DialectRegistry &registry) {
  mlir::MLIRContext context(registry);
  context.loadAllAvailableDialects();
  std::string text;
  llvm::raw_string_ostream stream(text);
  bool done = nestor::sched::writeReference(stream, &context);
  (done ? llvm::outs() : llvm::errs()) << text;
  return done ? 0 : 1;
}

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  nestor::registerDialects(registry);
  mlir::registerTransformsPasses();
  mlir::transform::registerTransformPasses();
  nestor::registerGraphPasses();
  nestor::registerInterpPasses();
  nestor::registerLowerPasses();
  nestor::registerPartitionPasses();
  nestor::registerRulesPasses();
  nestor::registerSchedulePasses();

  // For --help; both are handled here.
  llvm::cl::opt<std::string> schedule(
      "schedule", llvm::cl::value_desc("file"),
      llvm::cl::desc("Run a schedule file (--apply-schedule=file=<file>)"));
  llvm::cl::opt<bool> docs(
      "emit-schedule-docs",
      llvm::cl::desc("Print the reference of the schedule primitives"));

  // Passes keep their order on the command line: the short form is spelled out.
  std::vector<std::string> spelled;
  for (llvm::StringRef arg : llvm::ArrayRef(argv, argc)) {
    llvm::StringRef rest = arg;
    if (arg == "--emit-schedule-docs")
      return emitScheduleDocs(registry);
    if (rest.consume_front("--schedule="))
      spelled.push_back(("--apply-schedule=file=" + rest).str());
    else
      spelled.push_back(arg.str());
  }
  std::vector<char *> args;
  for (std::string &arg : spelled)
    args.push_back(arg.data());
  args.push_back(nullptr);
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, args.data(), "Nestor's optimizer driver\n", registry));
}
