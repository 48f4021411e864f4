//===- RegisterTile.cpp - Reductions over a register tile -----------------===//
//
// For a reduction block C[.., v] += f(A, B) where v, the iterator of the last
// output index, moves through an operand one element at a time (or can be made
// to: a constant operand is packed, another one is copied):
//
//   for b, m, v, k: C[m, v] += A[m, k] * B[k, v]
//   ==>  the form of TileSteps.h
//
// Who plays which part is in Roles.cpp; the register tile and the blocks for
// the caches are the best of CostModel.cpp whose steps are all accepted.
//
//===----------------------------------------------------------------------===//
#include "TileSteps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

/// Blockings to try before one without cuts and copies is taken.
static constexpr size_t kTries = 3;

/// The best blockings, of different forms: what is refused for one size is for
/// all.
static SmallVector<Blocking> choose(const Reduction &reduction,
                                    const Target &target) {
  SmallVector<Blocking> result;
  auto form = [](const Blocking &b) {
    return std::tuple(b.reduceSteps != 0, b.copyRows, b.copyVector,
                      b.rowTiles == 0, b.columnPanels == 0);
  };
  std::optional<Blocking> plain;
  for (const Candidate &candidate : rankBlockings(reduction, target)) {
    const Blocking &blocking = candidate.blocking;
    if (!plain && !blocking.reduceSteps && !blocking.copyRows &&
        !blocking.copyVector)
      plain = blocking;
    if (result.size() < kTries &&
        llvm::none_of(result, [&](const Blocking &other) {
          return form(other) == form(blocking);
        }))
      result.push_back(blocking);
  }
  if (plain && !llvm::is_contained(result, *plain))
    result.push_back(*plain);
  return result;
}

static void tileBlock(RuleContext &context, sched::BlockRef ref,
                      const Roles &roles) {
  nest::BlockOp block = context.schedule.get(ref);
  Reduction reduction =
      reductionOf(context.schedule.getFunc(), block, roles, context.target);
  if (reduction.extents[reduction.vector] < reduction.lanes / 2 &&
      roles.how != Roles::Pack)
    return; // too narrow for a vector: the general rules do better
  for (const Blocking &blocking : choose(reduction, context.target)) {
    auto done = context.done;
    auto run = [&](sched::Schedule &on) {
      return TileSteps(context, on, ref, roles, reduction, blocking).run();
    };
    // Tiles alone are hardly ever refused, and a trial costs as much as they.
    bool isPlain =
        !blocking.reduceSteps && !blocking.copyRows && !blocking.copyVector;
    if (isPlain ? run(context.schedule) : context.attempt(run))
      return;
    // What is left in order is the other rules' business.
    context.done = done;
    if (isPlain)
      return;
  }
}

void rules::registerTile(RuleContext &context) {
  sched::Schedule &s = context.schedule;
  SmallVector<std::string> names;
  for (nest::BlockOp block : blocksIn(s.getFunc()))
    names.push_back(block.getName().str());
  for (const std::string &name : names) {
    if (context.done.contains(name))
      continue;
    nest::BlockOp found;
    for (nest::BlockOp block : blocksIn(s.getFunc()))
      if (block.getName() == name)
        found = block;
    if (!found)
      continue;
    std::optional<Roles> roles = findRoles(s.getFunc(), found);
    if (!roles)
      continue;
    auto ref = s.getBlock(name);
    if (context.accept("get_block", ref))
      tileBlock(context, *ref, *roles);
  }
}
