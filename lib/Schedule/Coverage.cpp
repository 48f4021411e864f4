//===- Coverage.cpp - Whether reads see what their iteration wrote --------===//
//
// See Coverage.h. The guess solves, for the loops u of the write inside `loop`,
//
//   index_d of the write (u) = index_d of the read     for each dim d
//
// one equation after the other, its loops by falling coefficient: in
// 16 * io + ii = e it takes io = e floordiv 16, then ii = e - 16 * io. A loop
// that no equation names takes its first iteration. The guess may be wrong; the
// points for which it is are left to the next write.
//
//===----------------------------------------------------------------------===//
#include "Coverage.h"

#include "nestor/Analysis/Dependence.h"
#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

namespace {
/// An access with its indices over loops.
struct Site {
  nest::BlockOp block;
  Access access;
  SmallVector<AffineExpr> indices;
  Time time;
};

class Coverage {
public:
  Coverage(nest::ForOp loop, Value buffer, AffineSpace &space)
      : loop(loop), space(space) {
    for (nest::BlockOp block : leavesIn(loop)) {
      BlockForm form = BlockForm::of(block, space);
      for (Access &access : accessesOf(block)) {
        if (access.buffer != buffer)
          continue;
        Site site{block, access, {}, timeOf(block, loop, space)};
        bool known = true;
        for (AffineExpr index : access.indices) {
          known &= bool(index);
          site.indices.push_back(index ? index.replaceDims(form.bindings)
                                       : AffineExpr());
        }
        if (!access.isWrite)
          reads.push_back(std::move(site));
        else if (known && !access.conditional)
          writes.push_back(std::move(site));
      }
    }
  }

  const Site *findUncovered() {
    for (const Site &read : reads) {
      InstanceSet set(space);
      set.addInstance(read.block, 0);
      guardInit(set, read);
      if (!isCovered(set, read, writes))
        return &read;
    }
    return nullptr;
  }

private:
  void guardInit(InstanceSet &set, const Site &site) {
    if (!site.access.inInit)
      return;
    nest::BlockOp block = site.block;
    BlockForm form = BlockForm::of(block, space);
    for (unsigned i = 0; i < block.getNumIterators(); ++i)
      if (block.getIteratorKind(i) == nest::IteratorKind::Reduce)
        set.addZero(set.row(form.bindings[i], 0));
  }

  /// Whether one of `left` has written, for every point of `set`.
  bool isCovered(InstanceSet set, const Site &read, ArrayRef<Site> left) {
    if (set.isEmpty())
      return true;
    if (left.empty() || llvm::is_contained(read.indices, AffineExpr()))
      return false;
    const Site &write = left.front();
    llvm::DenseMap<AffineExpr, AffineExpr> at;
    if (!guess(read, write, at))
      return isCovered(std::move(set), read, left.drop_front());
    // Of the points where a condition fails, another write has to take care.
    for (AffineExpr condition : conditions(read, write, at)) {
      InstanceSet fails = set;
      fails.addNonNegative(fails.row(-condition - 1, 0));
      if (!isCovered(std::move(fails), read, left.drop_front()))
        return false;
      set.addNonNegative(set.row(condition, 0));
    }
    return isBefore(std::move(set), read, write, at, left.drop_front());
  }

  bool guess(const Site &read, const Site &write,
             llvm::DenseMap<AffineExpr, AffineExpr> &at) {
    SmallVector<AffineExpr> open;
    for (nest::ForOp around : loopsAround(write.block, space))
      if (loop->isProperAncestor(around))
        open.push_back(space.of(around.getInductionVar()));
    for (auto [to, from] : llvm::zip_equal(write.indices, read.indices)) {
      Linear linear = Linear::of(space.canonical(to));
      SmallVector<std::pair<AffineExpr, int64_t>> digits;
      Linear rest;
      rest.constant = -linear.constant;
      for (auto [atom, factor] : linear.terms) {
        if (llvm::is_contained(open, atom) && !at.contains(atom))
          digits.push_back({atom, factor});
        else
          rest.add(atom, -factor);
      }
      AffineExpr value = from + rest.toExpr(space.getContext()).replace(at);
      llvm::sort(digits, [](auto &a, auto &b) {
        return std::abs(a.second) > std::abs(b.second);
      });
      for (auto [atom, factor] : digits) {
        AffineExpr digit =
            factor > 0 ? value.floorDiv(factor) : (-value).floorDiv(-factor);
        at[atom] = digit = space.canonical(digit);
        value = space.canonical(value - digit * factor);
      }
    }
    // What is left takes its first iteration; bounds may name other loops.
    for (AffineExpr var : open) {
      if (at.contains(var))
        continue;
      AffineExpr lower = space.lowerOf(space.getLoop(cast<AffineDimExpr>(var)));
      if (!lower)
        return false;
      at[var] = space.canonical(lower.replace(at));
    }
    return true;
  }

  /// What has to hold for the guessed write to be one: its loops' bounds, its
  /// predicate, its init, and that it is the same element.
  SmallVector<AffineExpr>
  conditions(const Site &read, const Site &write,
             const llvm::DenseMap<AffineExpr, AffineExpr> &at) {
    SmallVector<AffineExpr> result;
    auto add = [&](AffineExpr expr, bool equal = false) {
      expr = space.canonical(expr.replace(at));
      for (AffineExpr side : {expr, -expr}) {
        std::optional<int64_t> value = AffineSpace::constantOf(side);
        if (!value || *value < 0)
          result.push_back(side);
        if (!equal)
          break;
      }
    };
    for (nest::ForOp around : loopsAround(write.block, space))
      if (loop->isProperAncestor(around))
        for (AffineExpr constraint : constraintsOf(around, space))
          add(constraint);
    BlockForm form = BlockForm::of(write.block, space);
    for (const BlockForm::Constraint &constraint : form.constraints)
      add(constraint.expr, constraint.equal);
    nest::BlockOp block = write.block;
    for (unsigned i = 0; i < block.getNumIterators(); ++i)
      if (write.access.inInit &&
          block.getIteratorKind(i) == nest::IteratorKind::Reduce)
        add(form.bindings[i], true);
    for (auto [to, from] : llvm::zip_equal(write.indices, read.indices)) {
      AffineExpr value = space.canonical(to.replace(at));
      if (AffineExpr difference = space.canonical(value - from);
          difference != space.constant(0)) {
        result.push_back(difference);
        result.push_back(-difference);
      }
    }
    return result;
  }

  /// Whether the guessed write is in time, or another is, for all of `set`.
  bool isBefore(InstanceSet set, const Site &read, const Site &write,
                const llvm::DenseMap<AffineExpr, AffineExpr> &at,
                ArrayRef<Site> left) {
    size_t levels = std::min(read.time.size(), write.time.size());
    for (size_t l = 0; l < levels; ++l) {
      AffineExpr lead =
          space.canonical(read.time[l] - write.time[l].replace(at));
      InstanceSet late = set;
      late.addNonNegative(late.row(-lead - 1, 0));
      if (!isCovered(std::move(late), read, left))
        return false;
      set.addZero(set.row(lead, 0));
      if (set.isContradiction())
        return true;
    }
    // The same instance: by the order of its operations.
    bool inOrder = read.block == write.block &&
                   (write.access.inInit != read.access.inInit
                        ? write.access.inInit
                        : comesFirst(write.access.op, read.access.op));
    return inOrder || isCovered(std::move(set), read, left);
  }

  static bool comesFirst(Operation *a, Operation *b) {
    Operation *at = a->getBlock()->findAncestorOpInBlock(*b);
    return at && a->isBeforeInBlock(at);
  }

  nest::ForOp loop;
  AffineSpace &space;
  SmallVector<Site> reads, writes;
};
} // namespace

std::optional<std::pair<nest::BlockOp, Access>>
sched::findUncovered(nest::ForOp loop, Value buffer, AffineSpace &space) {
  if (isLocalTo(loop, buffer, space))
    return std::nullopt;
  Coverage coverage(loop, buffer, space);
  if (const Site *site = coverage.findUncovered())
    return std::make_pair(site->block, site->access);
  return std::nullopt;
}
