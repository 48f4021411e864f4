//===- nestor-opt.cpp - Runs every pass, prints every phase ---------------===//
//
// mlir-opt for Nestor's dialects and passes; the tool of the lit tests.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Graph.h"
#include "nestor/Interp/Passes.h"
#include "nestor/Lower/Passes.h"
#include "nestor/Partition/Partition.h"
#include "nestor/Pipeline/Dialects.h"
#include "nestor/Rules/Passes.h"

#include "mlir/Dialect/Transform/Transforms/Passes.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

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
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Nestor's optimizer driver\n", registry));
}
