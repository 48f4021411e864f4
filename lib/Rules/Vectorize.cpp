//===- Vectorize.cpp - One block at a time --------------------------------===//
//
// For blocks that no other rule took: the loop that moves through memory one
// element at a time becomes the innermost, and its iterations lanes.
//
//   for i: for j: Y[i, j] = f(X[i, j])
//   ==> for i: for jo: for jl (vectorize): Y[i, jo * 8 + jl] = ...
//
// A reduction along the row keeps a few vectors of partial results in
// registers, which are combined once at its end:
//
//   for k: S[i] += X[i, k]
//   ==> R[32] = 0 (registers);  for ko: for kl (vectorize): R[kl] += X[i, ..]
//       for kl (vectorize): S[i] += R[kl]
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

/// Whether every access moves by one or not at all with the iterator.
static bool isStreaming(nest::BlockOp block, unsigned iterator) {
  for (const Access &access : accessesOf(block)) {
    if (llvm::any_of(access.indices, [](AffineExpr e) { return !e; }))
      return false;
    Use use = useOf(access, iterator);
    if (use.used && !use.unitStride)
      return false;
  }
  return true;
}

namespace {
/// The iterator that becomes lanes.
struct Lanes {
  unsigned iterator;
  int64_t width;
  bool whole;   // the extent is known and a multiple
  bool reduces; // lanes hold partial results
};
} // namespace

static std::optional<Lanes> findLanes(nest::BlockOp block,
                                      const Target &target) {
  // scf in a body runs lane by lane: nothing to gain.
  for (Operation &op : *block.getBodyBlock())
    if (isa<scf::ForOp, scf::WhileOp, cf::AssertOp>(op))
      return std::nullopt;
  int best = -1;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (block.getIteratorKind(i) == nest::IteratorKind::Ordered)
      continue; // never lanes; points beside each other still may be
    bool unit = false;
    for (const Access &access : accessesOf(block))
      unit |= useOf(access, i).unitStride;
    if (unit && isStreaming(block, i) && block.getConstantExtent(i) != 1 &&
        loopOf(block, i))
      best = i;
  }
  if (best < 0)
    return std::nullopt;
  nest::ForOp loop = loopOf(block, best);
  // Lanes of one block are no lanes of all that shares its loop.
  if (blocksIn(loop).size() != 1)
    return std::nullopt;
  Type element;
  for (const Access &access : accessesOf(block))
    if (access.isWrite)
      element = cast<MemRefType>(access.buffer.getType()).getElementType();
  int64_t bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  int64_t lanes =
      std::max<int64_t>(1, target.lanes(std::clamp<int64_t>(bits, 32, 64)));
  bool reduces = block.getIteratorKind(best) == nest::IteratorKind::Reduce;
  // Functions are long: two vectors share their constants and hide latencies.
  bool functions = llvm::any_of(*block.getBodyBlock(), [](Operation &op) {
    return isa<math::MathDialect>(op.getDialect());
  });
  int64_t width = reduces ? lanes * 4 : functions ? lanes * 2 : lanes;
  int64_t extent = tripCount(loop, 1 << 20);
  if (extent < lanes)
    return std::nullopt;
  if (extent < width)
    width = lanes;
  return Lanes{static_cast<unsigned>(best), width,
               extent % width == 0 && loop.getConstantTripCount(),
               reduces && extent > width};
}

/// Vectorizes the innermost loop around a block.
static bool vectorizeInnermost(RuleContext &context, sched::Schedule &s,
                               sched::BlockRef ref) {
  auto loops = s.getLoops(ref);
  return context.accept("get_loops", loops) &&
         context.accept("vectorize", s.vectorize(loops->back()));
}

/// Partial results in registers: `steps` runs over vectors, `inner` over the
/// lanes of one.
static bool keepLanesApart(RuleContext &context, sched::Schedule &s,
                           sched::BlockRef ref, sched::LoopRef steps,
                           sched::LoopRef inner, bool whole) {
  std::string name = s.get(ref).getName().str();
  auto partial = s.rfactor(inner, -1);
  if (!context.accept("rfactor", partial) ||
      !context.accept("set_scope", s.setScope(*partial, 0, "register")))
    return false;
  auto combined = s.getBlock(name);
  if (!context.accept("get_block", combined))
    return false;
  // Where a part may lack its last step, the first one starts it.
  if (whole) {
    nest::BlockOp block = s.get(*partial);
    auto loops = s.getLoops(*partial);
    if (!context.accept("get_loops", loops))
      return false;
    std::optional<sched::LoopRef> outermost;
    for (sched::LoopRef loop : *loops)
      if (!outermost && feeds(s.get(loop), block, nest::IteratorKind::Reduce))
        outermost = loop;
    auto init = s.decomposeReduction(*partial, *outermost);
    if (!context.accept("decompose_reduction", init) ||
        !vectorizeInnermost(context, s, *init))
      return false;
  }
  if (!vectorizeInnermost(context, s, *partial) ||
      !vectorizeInnermost(context, s, *combined))
    return false;
  if (!whole)
    context.accept("separate_full_partial", s.separateFullPartial(steps));
  return true;
}

/// All or nothing: lanes that are refused leave the loop as it was.
static bool vectorizeBlock(RuleContext &context, sched::Schedule &s,
                           sched::BlockRef ref, const Lanes &lanes,
                           bool apart) {
  auto loops = s.getLoops(ref);
  if (!context.accept("get_loops", loops))
    return false;
  nest::ForOp loop = loopOf(s.get(ref), lanes.iterator);
  std::optional<sched::LoopRef> target;
  sched::LoopRefs others;
  for (sched::LoopRef candidate : *loops)
    if (s.get(candidate) == loop)
      target = candidate;
    else if (target) // those outside stay, whatever else they hold
      others.push_back(candidate);
  if (!target)
    return false;
  if (s.get(loops->back()) != loop) {
    sched::LoopRefs order(others);
    order.push_back(*target);
    // Only the loops of this block's own chain can change places.
    if (!context.accept("reorder", s.reorder(order)))
      return false;
  }
  sched::Param width = s.knob("lanes", lanes.width, {4, 8, 16, 32, 64});
  auto parts = s.split(*target, {-1, width});
  if (!context.accept("split", parts))
    return false;
  // Tiles of a slanted loop are cut on both sides: only full ones are lanes.
  bool slanted = !s.get((*parts)[1]).getConstantTripCount();
  auto separate = [&] {
    return context.accept("separate_full_partial",
                          s.separateFullPartial((*parts)[0]));
  };
  if (apart)
    return !slanted && keepLanesApart(context, s, ref, (*parts)[0], (*parts)[1],
                                      lanes.whole);
  if ((slanted && !separate()) ||
      !context.accept("vectorize", s.vectorize((*parts)[1])))
    return false;
  if (!slanted && !lanes.whole)
    separate();
  return true;
}

void rules::vectorizeAlone(RuleContext &context, sched::Schedule &s,
                           llvm::StringRef name) {
  auto ref = s.getBlock(name);
  if (!context.accept("get_block", ref))
    return;
  std::optional<Lanes> lanes = findLanes(s.get(*ref), context.target);
  if (!lanes)
    return;
  auto with = [&](bool apart) {
    return vectorizeBlock(context, *s.fork(), *ref, *lanes, apart) &&
           vectorizeBlock(context, s, *ref, *lanes, apart);
  };
  if (!lanes->reduces || !with(/*apart=*/true))
    with(/*apart=*/false);
}

void rules::vectorizeBlocks(RuleContext &context) {
  SmallVector<std::string> names;
  for (nest::BlockOp block : blocksIn(context.schedule.getFunc()))
    if (!context.done.contains(block.getName()))
      names.push_back(block.getName().str());
  for (const std::string &name : names)
    vectorizeAlone(context, context.schedule, name);
}
