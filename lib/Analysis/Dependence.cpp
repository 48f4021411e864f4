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
#include "nestor/Analysis/Reducers.h"

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
    // An init comes before its body.
    if (auto around = dyn_cast<nest::BlockOp>(op->getParentOp()))
      time.push_back(space.constant(isInInit(op, around) ? 0 : 1));
  }
  std::reverse(time.begin(), time.end());
  return time;
}

namespace {
/// One access with what is asked of it again and again.
struct Site {
  nest::BlockOp block;  // that computes
  nest::BlockOp holder; // the block of the scope that it is in
  Access access;
  SmallVector<AffineExpr> indices; // composed with the bindings
  bool accumulates;                // the load or store of its reducer
};

class Finder {
public:
  Finder(Operation *scope, AffineSpace &space, const DependenceOptions &options)
      : scope(scope), space(space), options(options) {
    for (nest::BlockOp block : leavesIn(scope))
      collect(block);
  }

  /// Calls `check(set, first, second)` for each pair that touches one element
  /// and that `may` does not rule out at once, with the set of its instances;
  /// stops at the first true.
  template <typename F>
  std::optional<Conflict>
  find(F check, nest::BlockOp initOf = {},
       function_ref<bool(const Site &, const Site &)> may = nullptr) {
    for (const Site &first : sites)
      for (const Site &second : sites) {
        if (initOf && (second.holder != initOf || !isInitOf(second) ||
                       (first.holder == initOf && isInitOf(first))))
          continue;
        if (first.access.buffer != second.access.buffer ||
            !(first.access.isWrite || second.access.isWrite))
          continue;
        if (options.reassociate && first.block == second.block &&
            first.accumulates && second.accumulates)
          continue;
        if (may && !may(first, second))
          continue;
        InstanceSet set = pairSet(first, second);
        if (check(set, first, second))
          return Conflict{first.holder, second.holder, first.access,
                          second.access};
      }
    return std::nullopt;
  }

  /// The block that holds `block` and is in no other block of the scope.
  static nest::BlockOp holderOf(nest::BlockOp block, Operation *scope) {
    nest::BlockOp holder = block;
    for (nest::BlockOp around = blockAround(block);
         around && scope->isProperAncestor(around);
         around = blockAround(around))
      holder = around;
    return holder;
  }

private:
  /// Whether the access runs with the init of what the scope holds.
  static bool isInitOf(const Site &site) {
    return isInInit(site.access.op, site.holder);
  }

  void collect(nest::BlockOp block) {
    BlockForm form = BlockForm::of(block, space);
    std::optional<Reducer> single;
    std::optional<TupleReducer> tuple;
    if (options.reassociate && !(single = reducerOf(block)))
      tuple = tupleReducerOf(block);
    for (Access &access : accessesOf(block)) {
      if (options.ignore && options.ignore(access.buffer))
        continue;
      Site site{block, holderOf(block, scope), access, {}, false};
      for (AffineExpr index : access.indices)
        site.indices.push_back(index ? index.replaceDims(form.bindings)
                                     : AffineExpr());
      site.accumulates =
          single ? access.op == single->load.getOperation() ||
                       access.op == single->store.getOperation()
                 : tuple && tuple->commutative && tuple->accumulates(access.op);
      sites.push_back(std::move(site));
    }
  }

  InstanceSet pairSet(const Site &first, const Site &second) {
    InstanceSet set(space);
    set.addInstance(first.block, 0);
    set.addInstance(second.block, 1);
    for (nest::ForOp loop : loopsAround(first.block, space))
      if (loop->isProperAncestor(scope))
        set.addEqual(loop, 0, 1);
    // Another iteration around an allocation has another buffer.
    if (Operation *alloc = first.access.buffer.getDefiningOp())
      for (nest::ForOp loop : loopsAround(alloc, space))
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
/// instance 1 at one of the levels and calls `reached` for each; false when
/// none said true.
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
    if (!here.isContradiction() && reached(here))
      return true;
    prefix.addZero(difference);
    // Nothing is equal so far: deeper levels do not matter.
    if (prefix.isContradiction() ||
        (!difference.isConstant() && prefix.isEmpty()))
      return false;
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

namespace {
/// The times of one block before and after.
struct Times {
  Time before, after;

  /// The first level from which on nothing changes and before which `after`
  /// names no loop that `before` does not: where the levels in front are equal
  /// for two instances, both orders agree.
  size_t changedLevels() const {
    if (before.size() != after.size())
      return before.size();
    size_t end = before.size();
    while (end > 0 && before[end - 1] == after[end - 1])
      --end;
    for (size_t i = 0; i < end; ++i) {
      bool known = true;
      after[i].walk([&](AffineExpr e) {
        if (isa<AffineDimExpr>(e))
          known &= llvm::is_contained(ArrayRef(before).take_front(end), e);
      });
      if (!known)
        return before.size();
    }
    return end;
  }
};
} // namespace

/// Whether the times of two blocks have the same form on the first levels.
static bool shareLevels(const Times &a, const Times &b, size_t levels) {
  return a.before.size() >= levels && b.before.size() >= levels &&
         a.after.size() >= levels && b.after.size() >= levels &&
         commonPrefix(a.before, b.before) >= levels &&
         commonPrefix(a.after, b.after) >= levels;
}

std::optional<Conflict>
analysis::findReversed(Operation *scope,
                       function_ref<Time(nest::BlockOp)> after,
                       AffineSpace &space, const DependenceOptions &options) {
  llvm::DenseMap<Operation *, Times> times;
  for (nest::BlockOp block : leavesIn(scope)) {
    nest::BlockOp holder = Finder::holderOf(block, scope);
    Times &at = times[block] = {timeOf(block, scope, space), after(holder)};
    // What a block holds keeps its order.
    llvm::append_range(at.after, timeOf(block, holder, space));
  }
  // Levels that stay as they are order the same pairs as before.
  auto keptLevels = [&](const Times &a, const Times &b) {
    size_t kept = std::min(commonPrefix(a.before, a.after),
                           commonPrefix(b.before, b.after));
    return std::min(kept, std::min(a.before.size(), b.before.size()));
  };
  auto may = [&](const Site &first, const Site &second) {
    const Times &a = times[first.block], &b = times[second.block];
    size_t kept = keptLevels(a, b);
    if (kept == a.before.size() || kept == b.before.size())
      return false;
    // Apart for good by a position.
    for (size_t i = 0; i < kept; ++i)
      if (isa<AffineConstantExpr>(a.before[i]) &&
          isa<AffineConstantExpr>(b.before[i]) && a.before[i] != b.before[i])
        return false;
    return true;
  };
  auto reverses = [&](InstanceSet &set, const Site &first, const Site &second) {
    const Times &a = times[first.block], &b = times[second.block];
    size_t kept = keptLevels(a, b);
    InstanceSet common = set;
    // Different iterations of the scope stay in their order.
    if (auto loop = dyn_cast<nest::ForOp>(scope))
      common.addEqual(loop, 0, 1);
    for (size_t i = 0; i < kept; ++i)
      common.addZero(
          common.row(a.before[i], 0).add(common.row(b.before[i], 1), -1));
    if (common.isContradiction())
      return false;
    auto rest = [&](const Time &time) {
      return ArrayRef<AffineExpr>(time).drop_front(kept);
    };
    ArrayRef<AffineExpr> before0 = rest(a.before), before1 = rest(b.before);
    size_t changed = std::max(a.changedLevels(), b.changedLevels());
    if (changed > kept && shareLevels(a, b, changed)) {
      before0 = before0.take_front(changed - kept);
      before1 = before1.take_front(changed - kept);
    }
    return anyLevel(common, before0, before1, -1, [&](InstanceSet &earlier) {
      if (anyLevel(earlier, rest(a.after), rest(b.after), 1,
                   [](InstanceSet &both) { return !both.isEmpty(); }))
        return true;
      // At the same time, nothing says which comes first.
      InstanceSet tie = earlier;
      size_t levels = std::min(a.after.size(), b.after.size()) - kept;
      for (size_t i = 0; i < levels; ++i)
        tie.addZero(
            tie.row(rest(a.after)[i], 0).add(tie.row(rest(b.after)[i], 1), -1));
      return !tie.isEmpty();
    });
  };
  return Finder(scope, space, options).find(reverses, {}, may);
}

/// Whether `first` can come before `second` in one run of their block.
static bool isEarlierInBody(const Access &first, const Access &second) {
  if (first.inInit != second.inInit)
    return first.inInit;
  // Loops of the body may run both in any order.
  if (first.conditional && second.conditional)
    return true;
  auto topOf = [](Operation *op) {
    while (!isa<nest::BlockOp>(op->getParentOp()))
      op = op->getParentOp();
    return op;
  };
  return topOf(first.op)->isBeforeInBlock(topOf(second.op));
}

std::optional<Conflict>
analysis::findOrdered(Operation *scope, PickFn first, PickFn second,
                      AffineSpace &space, const DependenceOptions &options) {
  llvm::DenseMap<Operation *, Time> times;
  for (nest::BlockOp block : leavesIn(scope))
    times[block] = timeOf(block, scope, space);
  auto may = [&](const Site &a, const Site &b) {
    return first(a.holder, a.access) && second(b.holder, b.access);
  };
  auto ordered = [&](InstanceSet &set, const Site &a, const Site &b) {
    if (auto loop = dyn_cast<nest::ForOp>(scope))
      set.addEqual(loop, 0, 1);
    const Time &before = times[a.block], &after = times[b.block];
    if (anyLevel(set, before, after, -1,
                 [](InstanceSet &earlier) { return !earlier.isEmpty(); }))
      return true;
    if (a.block != b.block || a.access.op == b.access.op ||
        !isEarlierInBody(a.access, b.access))
      return false;
    for (AffineExpr level : before)
      set.addZero(set.row(level, 0).add(set.row(level, 1), -1));
    return !set.isEmpty();
  };
  return Finder(scope, space, options).find(ordered, {}, may);
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
  for (nest::BlockOp other : leavesIn(loop))
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
