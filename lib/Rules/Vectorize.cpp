//===- Vectorize.cpp - One block at a time --------------------------------===//
//
// For blocks that no other rule took: the loop that moves through memory one
// element at a time becomes the innermost, and its iterations lanes.
//
//   for i: for j: Y[i, j] = f(X[i, j])
//   ==> for i: for jo: for jl (vectorize): Y[i, jo * 8 + jl] = ...
//
// For a reduction along the row the lanes are combined a few vectors at a time.
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
  bool whole; // the extent is known and a multiple
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
  Type element;
  for (const Access &access : accessesOf(block))
    if (access.isWrite)
      element = cast<MemRefType>(access.buffer.getType()).getElementType();
  int64_t bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  int64_t lanes =
      std::max<int64_t>(1, target.lanes(std::clamp<int64_t>(bits, 32, 64)));
  bool reduces = block.getIteratorKind(best) == nest::IteratorKind::Reduce;
  int64_t width = reduces ? lanes * 4 : lanes;
  int64_t extent = tripCount(loop, 1 << 20);
  if (extent < lanes)
    return std::nullopt;
  if (extent < width)
    width = lanes;
  return Lanes{static_cast<unsigned>(best), width,
               extent % width == 0 && loop.getConstantTripCount()};
}

/// All or nothing: lanes that are refused leave the loop as it was.
static bool vectorizeBlock(RuleContext &context, sched::Schedule &s,
                           sched::BlockRef ref, const Lanes &lanes) {
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
  if ((slanted && !separate()) ||
      !context.accept("vectorize", s.vectorize((*parts)[1])))
    return false;
  if (!slanted && !lanes.whole)
    separate();
  return true;
}

void rules::vectorizeBlocks(RuleContext &context) {
  sched::Schedule &s = context.schedule;
  SmallVector<std::string> names;
  for (nest::BlockOp block : blocksIn(s.getFunc()))
    if (!context.done.contains(block.getName()))
      names.push_back(block.getName().str());
  for (const std::string &name : names) {
    auto ref = s.getBlock(name);
    if (!context.accept("get_block", ref))
      continue;
    if (std::optional<Lanes> lanes = findLanes(s.get(*ref), context.target))
      context.attempt([&](sched::Schedule &on) {
        return vectorizeBlock(context, on, *ref, *lanes);
      });
  }
}
