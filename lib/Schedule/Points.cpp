//===- Points.cpp - Which iterations are one point of a block -------------===//
//
// See Points.h.
//
//===----------------------------------------------------------------------===//
#include "Points.h"

#include "nestor/Analysis/InstanceSet.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// The loops of `free` that `binding` tells: each stride passes what smaller
/// ones reach. Nothing where that is not seen.
static void readStrides(AffineExpr binding, ArrayRef<nest::ForOp> free,
                        AffineSpace &space,
                        llvm::SmallDenseSet<Operation *> &told) {
  struct Stride {
    int64_t step;
    std::optional<int64_t> trips;
    Operation *loop;
  };
  SmallVector<Stride> strides;
  for (auto [atom, coefficient] : Linear::of(binding).terms) {
    if (auto dim = dyn_cast<AffineDimExpr>(atom)) {
      nest::ForOp loop = space.getLoop(dim);
      if (llvm::is_contained(free, loop))
        strides.push_back(
            {std::abs(coefficient), loop.getConstantTripCount(), loop});
      continue;
    }
    // A division of a loop that stands is a constant.
    for (nest::ForOp loop : free)
      if (AffineSpace::uses(atom, space.of(loop.getInductionVar())))
        return;
  }
  llvm::sort(strides,
             [](const Stride &a, const Stride &b) { return a.step < b.step; });
  int64_t reach = 0;
  for (auto [i, stride] : llvm::enumerate(strides)) {
    if (stride.step <= reach)
      return;
    if (!stride.trips && i + 1 != strides.size())
      return;
    if (stride.trips)
      reach += stride.step * std::max<int64_t>(*stride.trips - 1, 0);
  }
  for (const Stride &stride : strides)
    told.insert(stride.loop);
}

bool sched::tellByStrides(nest::BlockOp block, ArrayRef<nest::ForOp> free,
                          ArrayRef<nest::ForOp> wanted, AffineSpace &space) {
  llvm::SmallDenseSet<Operation *> told;
  BlockForm form = BlockForm::of(block, space);
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (block.getIteratorKind(i) == nest::IteratorKind::Spatial)
      readStrides(form.bindings[i], free, space, told);
  return llvm::all_of(wanted, [&](nest::ForOp loop) {
    return told.contains(loop) || loop.getConstantTripCount() == 1;
  });
}

bool sched::iterationsAreApart(nest::BlockOp block, nest::ForOp loop,
                               AffineSpace &space) {
  SmallVector<nest::ForOp> around = loopsAround(block), free;
  llvm::copy_if(around, std::back_inserter(free),
                [&](nest::ForOp other) { return loop->isAncestor(other); });
  if (tellByStrides(block, free, loop, space))
    return true;
  InstanceSet set(space);
  set.addInstance(block, 0);
  set.addInstance(block, 1);
  for (nest::ForOp other : around)
    if (other->isProperAncestor(loop))
      set.addEqual(other, 0, 1);
  BlockForm form = BlockForm::of(block, space);
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (block.getIteratorKind(i) == nest::IteratorKind::Spatial)
      set.addZero(
          set.row(form.bindings[i], 0).add(set.row(form.bindings[i], 1), -1));
  AffineExpr var = space.of(loop.getInductionVar());
  InstanceSet::Row less = set.row(var, 1).add(set.row(var, 0), -1);
  less.constant -= 1;
  set.addNonNegative(less);
  return set.isEmpty();
}

bool sched::startsInside(nest::BlockOp block, Operation *scope,
                         AffineSpace &space, nest::ForOp &offender) {
  BlockForm form = BlockForm::of(block, space);
  llvm::DenseMap<AffineExpr, AffineExpr> first;
  for (nest::ForOp loop : loopsAround(block)) {
    if (!scope->isProperAncestor(loop) ||
        !feeds(loop, block, nest::IteratorKind::Reduce))
      continue;
    AffineExpr lower = space.lowerOf(loop), extent = space.extentOf(loop);
    offender = loop;
    if (!lower || !extent ||
        !(AffineSpace::isFreeOfLoops(extent)
              ? AffineSpace::constantOf(extent).value_or(1) >= 1
              : space.isNonNegative(extent - 1)))
      return false;
    first[space.of(loop.getInductionVar())] = lower.replace(first);
  }
  offender = {};
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (block.getIteratorKind(i) == nest::IteratorKind::Reduce &&
        !space.isEqual(form.bindings[i].replace(first), space.constant(0)))
      return false;
  return true;
}

SmallVector<nest::ForOp> sched::sharedLoops(nest::BlockOp first,
                                            nest::BlockOp second,
                                            ArrayRef<nest::BlockOp> others) {
  SmallVector<nest::ForOp> result;
  for (nest::ForOp loop : loopsAround(first))
    if (loop->isAncestor(second) &&
        llvm::any_of(others, [&](nest::BlockOp other) {
          return loop->isAncestor(other);
        }))
      result.push_back(loop);
  return result;
}

bool sched::meetInOneIteration(nest::BlockOp writer, nest::BlockOp reader,
                               Value buffer, ArrayRef<nest::ForOp> loops,
                               AffineSpace &space) {
  if (loops.empty())
    return true;
  InstanceSet pair(space);
  pair.addInstance(writer, 0);
  pair.addInstance(reader, 1);
  // Another iteration around an allocation has another buffer.
  if (Operation *alloc = buffer.getDefiningOp())
    for (nest::ForOp loop : loopsAround(alloc))
      pair.addEqual(loop, 0, 1);
  BlockForm from = BlockForm::of(writer, space),
            to = BlockForm::of(reader, space);
  for (const Access &write : accessesOf(writer))
    for (const Access &read : accessesOf(reader)) {
      if (!write.isWrite || read.isWrite || write.buffer != buffer ||
          read.buffer != buffer)
        continue;
      InstanceSet same = pair;
      for (auto [a, b] : llvm::zip_equal(write.indices, read.indices))
        if (a && b)
          same.addZero(same.row(a.replaceDims(from.bindings), 0)
                           .add(same.row(b.replaceDims(to.bindings), 1), -1));
      for (nest::ForOp loop : loops) {
        AffineExpr var = space.of(loop.getInductionVar());
        InstanceSet::Row apart = same.row(var, 1).add(same.row(var, 0), -1);
        for (int64_t direction : {1, -1}) {
          InstanceSet other = same;
          InstanceSet::Row strict;
          strict.constant = -1;
          other.addNonNegative(strict.add(apart, direction));
          if (!other.isEmpty())
            return false;
        }
        same.addZero(apart);
      }
    }
  return true;
}
