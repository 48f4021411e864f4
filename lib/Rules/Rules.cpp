//===- Rules.cpp - Default schedules --------------------------------------===//
//
// The order of the rules; see the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Rules/Rules.h"

#include "Rule.h"

using namespace mlir;
using namespace nestor;

DefaultSchedule nestor::scheduleKernel(nest::FuncOp kernel,
                                       const Target &target) {
  DefaultSchedule result;
  sched::Schedule schedule(kernel);
  rules::RuleContext context{schedule, target, result, {}};
  rules::registerTile(context);
  rules::rowFusion(context);
  rules::vectorizeBlocks(context);
  rules::parallelize(context);
  // Last: it adds iterators that later steps would have to see through.
  context.accept("compact_buffers", schedule.compactBuffers());
  result.sequence = schedule.print();
  return result;
}
