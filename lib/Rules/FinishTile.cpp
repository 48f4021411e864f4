//===- FinishTile.cpp - What else runs on a tile of registers -------------===//
//
// The init and the epilogue of a tile: loops of a few iterations become copies
// of the code, the one that the written elements follow becomes lanes.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

/// Loops of more iterations stay loops.
static constexpr int64_t kMaxCopies = 16;

/// The loop whose variable moves the last index that `block` writes by one.
static nest::ForOp laneLoop(nest::BlockOp block) {
  AffineSpace space(block);
  BlockForm form = BlockForm::of(block, space);
  nest::ForOp found;
  for (const Access &access : accessesOf(block)) {
    if (!access.isWrite)
      continue;
    for (nest::ForOp loop : loopsAround(block)) {
      AffineExpr variable = space.of(loop.getInductionVar());
      for (unsigned i = 0; i < block.getNumIterators(); ++i)
        if (useOf(access, i).unitStride &&
            Linear::of(form.bindings[i]).coefficientOf(variable) == 1)
          found = loop;
    }
  }
  return found;
}

void rules::finishTile(RuleContext &context, sched::Schedule &s,
                       sched::BlockRef ref, unsigned outerLoops,
                       int64_t lanes) {
  auto loops = s.getLoops(ref);
  if (!context.accept("get_loops", loops))
    return;
  nest::ForOp vectorLoop = laneLoop(s.get(ref));
  std::optional<sched::LoopRef> vector;
  for (sched::LoopRef loop :
       llvm::drop_begin(*loops, std::min<size_t>(outerLoops, loops->size()))) {
    nest::ForOp op = s.get(loop);
    if (op == vectorLoop)
      vector = loop;
    else if (op.getKind() == nest::LoopKind::Serial &&
             op.getConstantTripCount().value_or(kMaxCopies + 1) <= kMaxCopies)
      context.accept("unroll", s.unroll(loop));
  }
  std::optional<int64_t> count =
      vector ? vectorLoop.getConstantTripCount() : std::nullopt;
  if (!count)
    return;
  if (*count <= lanes) {
    context.accept("vectorize", s.vectorize(*vector));
    return;
  }
  auto parts = s.split(*vector, {-1, lanes});
  if (!context.accept("split", parts))
    return;
  context.accept("vectorize", s.vectorize((*parts)[1]));
  if (*count <= kMaxCopies * lanes)
    context.accept("unroll", s.unroll((*parts)[0]));
}
