//===- Dependence.cpp - Which instances must keep their order -------------===//
//
// See the header. Instance 0 runs first, instance 1 second. "Before" is the
// disjunction, over the levels of the time vectors, of
//
//   time0[0..l) == time1[0..l) and time0[l] < time1[l]
//
// and each conjunction is one integer set.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/Dependence.h"

#include "nestor/Analysis/InstanceSet.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

Time analysis::timeOf(nest::BlockOp block, Operation *scope,
                      AffineSpace &space) {
  Time time;
  for (Operation *op = block; op != scope; op = op->getParentOp()) {
    if (auto loop = dyn_cast<nest::ForOp>(op))
      time.push_back(space.of(loop.getInductionVar()));
    int64_t position = 0;
    for (Operation *up = op->getPrevNode(); up; up = up->getPrevNode())
      ++position;
    time.push_back(space.constant(position));
  }
  std::reverse(time.begin(), time.end());
  return time;
}

namespace {
/// One access with what is asked of it again and again.
struct Site {
  nest::BlockOp block;
  Access access;
  SmallVector<AffineExpr> indices; // composed with the bindings
  bool accumulates;                // the load or store of its reducer
};

class Finder {
public:
  Finder(Operation *scope, AffineSpace &space, const DependenceOptions &options)
      : scope(scope), space(space), options(options) {
    for (nest::BlockOp block : blocksIn(scope))
      collect(block);
  }

  /// Calls `check(set, first, second)` for each pair that touches one element,
  /// with the set of its instances; stops at the first true.
  template <typename F>
  std::optional<Conflict> find(F check, nest::BlockOp initOf = {}) {
    for (const Site &first : sites)
      for (const Site &second : sites) {
        if (initOf && (second.block != initOf || !second.access.inInit ||
                       (first.block == initOf && first.access.inInit)))
          continue;
        if (first.access.buffer != second.access.buffer ||
            !(first.access.isWrite || second.access.isWrite))
          continue;
        if (options.reassociate && first.block == second.block &&
            first.accumulates && second.accumulates)
          continue;
        InstanceSet set = pairSet(first, second);
        if (check(set, first, second))
          return Conflict{first.block, second.block, first.access,
                          second.access};
      }
    return std::nullopt;
  }

private:
  void collect(nest::BlockOp block) {
    BlockForm form = BlockForm::of(block, space);
    std::optional<Reducer> reducer =
        options.reassociate ? reducerOf(block) : std::nullopt;
    for (Access &access : accessesOf(block)) {
      if (options.ignore && options.ignore(access.buffer))
        continue;
      Site site{block, access, {}, false};
      for (AffineExpr index : access.indices)
        site.indices.push_back(index ? index.replaceDims(form.bindings)
                                     : AffineExpr());
      site.accumulates =
          reducer && (access.op == reducer->load.getOperation() ||
                      access.op == reducer->store.getOperation());
      sites.push_back(std::move(site));
    }
  }

  InstanceSet pairSet(const Site &first, const Site &second) {
    InstanceSet set(space);
    set.addInstance(first.block, 0);
    set.addInstance(second.block, 1);
    for (nest::ForOp loop : loopsAround(first.block))
      if (loop->isProperAncestor(scope))
        set.addEqual(loop, 0, 1);
    // Another iteration around an allocation has another buffer.
    if (Operation *alloc = first.access.buffer.getDefiningOp())
      for (nest::ForOp loop : loopsAround(alloc))
        if (!loop->isProperAncestor(scope))
          set.addEqual(loop, 0, 1);
    for (auto [a, b] : llvm::zip_equal(first.indices, second.indices))
      if (a && b)
        set.addZero(set.row(a, 0).add(set.row(b, 1), -1));
    addInitGuard(set, first, 0);
    addInitGuard(set, second, 1);
    return set;
  }

  /// An init runs only where all reduce iterators are at their first value.
  void addInitGuard(InstanceSet &set, const Site &site, unsigned instance) {
    if (!site.access.inInit)
      return;
    nest::BlockOp block = site.block;
    BlockForm form = BlockForm::of(block, space);
    for (unsigned i = 0; i < block.getNumIterators(); ++i)
      if (block.getIteratorKind(i) == nest::IteratorKind::Reduce)
        set.addZero(set.row(form.bindings[i], instance));
  }

  Operation *scope;
  AffineSpace &space;
  const DependenceOptions &options;
  SmallVector<Site> sites;
};

/// Narrows `set` to where instance 0 is `direction` (-1: before, 1: after)
/// instance 1 at some level from `from` on, and calls `reached` for each; false
/// when none said true.
template <typename F>
bool anyLevel(const InstanceSet &set, ArrayRef<AffineExpr> first,
              ArrayRef<AffineExpr> second, int direction, F reached) {
  InstanceSet prefix = set;
  for (size_t level = 0; level < std::min(first.size(), second.size());
       ++level) {
    InstanceSet::Row difference =
        prefix.row(second[level], 1).add(prefix.row(first[level], 0), -1);
    InstanceSet here = prefix;
    InstanceSet::Row strict;
    strict.constant = -1;
    here.addNonNegative(strict.add(difference, -direction));
    if (reached(here))
      return true;
    if (difference.isConstant() && difference.constant != 0)
      return false;
    prefix.addZero(difference);
  }
  return false;
}
} // namespace

/// How many leading levels are one and the same.
static size_t commonPrefix(ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b) {
  size_t n = 0;
  while (n < a.size() && n < b.size() && a[n] == b[n])
    ++n;
  return n;
}

std::optional<Conflict>
analysis::findCarried(nest::ForOp loop, AffineSpace &space,
                      const DependenceOptions &options) {
  AffineExpr var = space.of(loop.getInductionVar());
  return Finder(loop, space, options)
      .find([&](InstanceSet &set, const Site &, const Site &) {
        // Pairs come in both orders, so "less" is enough.
        InstanceSet::Row less = set.row(var, 1).add(set.row(var, 0), -1);
        less.constant -= 1;
        set.addNonNegative(less);
        return !set.isEmpty();
      });
}

std::optional<Conflict>
analysis::findReversed(Operation *scope,
                       function_ref<Time(nest::BlockOp)> after,
                       AffineSpace &space, const DependenceOptions &options) {
  llvm::DenseMap<Operation *, std::pair<Time, Time>> times;
  for (nest::BlockOp block : blocksIn(scope))
    times[block] = {timeOf(block, scope, space), after(block)};
  return Finder(scope, space, options)
      .find([&](InstanceSet &set, const Site &first, const Site &second) {
        auto &[before0, after0] = times[first.block];
        auto &[before1, after1] = times[second.block];
        // Levels that stay as they are order the same pairs as before.
        size_t kept = std::min(commonPrefix(before0, after0),
                               commonPrefix(before1, after1));
        kept = std::min(kept, std::min(before0.size(), before1.size()));
        InstanceSet common = set;
        for (size_t i = 0; i < kept; ++i)
          common.addZero(
              common.row(before0[i], 0).add(common.row(before1[i], 1), -1));
        auto rest = [&](const Time &time) {
          return ArrayRef<AffineExpr>(time).drop_front(kept);
        };
        return anyLevel(
            common, rest(before0), rest(before1), -1,
            [&](InstanceSet &earlier) {
              if (anyLevel(earlier, rest(after0), rest(after1), 1,
                           [](InstanceSet &both) { return !both.isEmpty(); }))
                return true;
              // At the same time, nothing says which comes first.
              InstanceSet tie = earlier;
              size_t levels = std::min(after0.size(), after1.size()) - kept;
              for (size_t i = 0; i < levels; ++i)
                tie.addZero(tie.row(rest(after0)[i], 0)
                                .add(tie.row(rest(after1)[i], 1), -1));
              return !tie.isEmpty();
            });
      });
}

std::optional<Conflict> analysis::findBeforeInit(nest::BlockOp block,
                                                 nest::ForOp loop,
                                                 AffineSpace &space) {
  Operation *scope = loop->getParentOp();
  Time time = timeOf(block, scope, space);
  auto isElsewhere = [&](Value buffer) {
    return !readsBuffer(block, buffer) && !writesBuffer(block, buffer);
  };
  DependenceOptions options;
  options.ignore = isElsewhere;
  llvm::DenseMap<Operation *, Time> times;
  for (nest::BlockOp other : blocksIn(loop))
    times[other] = timeOf(other, scope, space);
  return Finder(loop, space, options)
      .find(
          [&](InstanceSet &set, const Site &first, const Site &) {
            return anyLevel(
                set, times[first.block], time, -1,
                [](InstanceSet &earlier) { return !earlier.isEmpty(); });
          },
          block);
}
