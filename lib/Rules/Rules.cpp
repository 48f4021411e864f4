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
  if (kernel->hasAttr(nest::kColdKernel)) {
    result.sequence = schedule.print();
    return result;
  }
  // Before rules that would lay the operands out for another inner loop.
  rules::tensorizeBlocks(context);
  rules::rowBlocks(context);
  rules::tileWindows(context);
  rules::registerTile(context);
  // Tiles first: what they skip depends on their loops.
  rules::skipPaddings(context);
  rules::rowFusion(context);
  rules::transposeTiles(context);
  rules::vectorizeBlocks(context);
  rules::parallelize(context);
  // Last: it adds iterators that later steps would have to see through.
  context.accept("compact_buffers", schedule.compactBuffers());
  result.sequence = schedule.print();
  return result;
}
