//===- SampleMethods.cpp - Schedule's methods of samples ------------------===//
//
// See Methods.h. What is told is recorded before the sample runs, what is drawn
// likewise; a sample that runs repairs its record.
//
//===----------------------------------------------------------------------===//
#include "Methods.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

Outcome Schedule::drawFor(Operation *op, Random &random) {
  TableInvocation at(*this, op);
  auto sample = cast<SampleOpInterface>(op);
  Numbers drawn;
  Outcome outcome = sample.draw(at, random, drawn);
  if (outcome.isDone())
    sample.setDecided(drawn);
  return outcome;
}

template <typename OpT, typename... Args>
Result<Params> Schedule::performSample(size_t count, Choice &choice,
                                       Args &&...args) {
  if (std::exchange(foreign, false))
    return Outcome::refused(
        "a handle of another schedule, or one that was dropped as unused");
  OpBuilder builder = atEnd();
  SmallVector<Type> types(count, paramType(builder.getContext()));
  auto op = OpT::create(builder, builder.getUnknownLoc(), TypeRange(types),
                        std::forward<Args>(args)..., nullptr);
  Outcome outcome = Outcome::done();
  if (choice.getDecision())
    op.setDecided(*choice.getDecision());
  else if (choice.getRandom())
    outcome = drawFor(op, *choice.getRandom());
  if (outcome.isDone())
    outcome = run(op);
  if (!outcome.isDone()) {
    op->erase();
    return outcome;
  }
  return Params(llvm::map_range(op->getResults(), [&](Value result) {
    unsigned id = idOf(result);
    return Param(params[id].value, id);
  }));
}

static Result<Param> only(Result<Params> found) {
  if (!found)
    return found.getOutcome();
  return found->front();
}

Result<Param> Schedule::sampleCategorical(ArrayRef<int64_t> candidates,
                                          ArrayRef<double> probabilities,
                                          Choice choice) {
  Builder builder(func.getContext());
  return only(performSample<SampleCategoricalOp>(
      1, choice, builder.getDenseI64ArrayAttr(candidates),
      builder.getDenseF64ArrayAttr(probabilities)));
}

Result<Params> Schedule::samplePerfectTile(LoopRef loop, unsigned parts,
                                           int64_t maxInnermost,
                                           Choice choice) {
  Builder builder(func.getContext());
  return performSample<SamplePerfectTileOp>(
      parts, choice, recorded(loop), builder.getI64IntegerAttr(maxInnermost));
}

Result<Params> Schedule::samplePartitionedTile(LoopRef loop, unsigned parts,
                                               int64_t partition,
                                               int64_t innerMultiple,
                                               Choice choice) {
  Builder builder(func.getContext());
  return performSample<SamplePartitionedTileOp>(
      parts, choice, recorded(loop), builder.getI64IntegerAttr(partition),
      builder.getI64IntegerAttr(innerMultiple));
}

Result<Param> Schedule::sampleComputeLocation(BlockRef block, Choice choice) {
  return only(
      performSample<SampleComputeLocationOp>(1, choice, recorded(block)));
}
