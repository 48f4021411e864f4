//===- Reducers.cpp - Reductions into several accumulators ----------------===//
//
// See the header. Recognised are bodies that load each accumulator once, before
// they store it, unconditionally, and compute what they store from these loads
// and from addends that know nothing of the accumulators.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/Reducers.h"

#include "nestor/Analysis/InstanceSet.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

#include <array>

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

namespace {
/// The accumulators of a block: what it loads and stores at one element.
struct Accumulators {
  nest::BlockOp block;
  SmallVector<memref::StoreOp> stores;
  SmallVector<memref::LoadOp> loads;

  bool isAccumulator(Value buffer) const {
    return llvm::any_of(stores, [&](memref::StoreOp store) {
      return store.getMemRef() == buffer;
    });
  }
};
} // namespace

/// The operations of the body from which `values` are computed, up to `stops`.
static llvm::SetVector<Operation *> sliceOf(ArrayRef<Value> values,
                                            const llvm::DenseSet<Value> &stops,
                                            nest::BlockOp block) {
  llvm::SetVector<Operation *> slice;
  SmallVector<Value> work(values);
  while (!work.empty()) {
    Value value = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (stops.contains(value) || !op || !block->isProperAncestor(op) ||
        !slice.insert(op))
      continue;
    // Everything that a region uses counts.
    op->walk([&](Operation *inner) {
      llvm::append_range(work, inner->getOperands());
    });
  }
  return slice;
}

/// Whether `addends` are computed without a look at an accumulator.
static bool areIndependent(ArrayRef<Value> addends, const Accumulators &acc) {
  for (Operation *op : sliceOf(addends, {}, acc.block)) {
    bool reads = false;
    op->walk([&](memref::LoadOp load) {
      reads |= acc.isAccumulator(load.getMemRef());
    });
    if (reads)
      return false;
  }
  return true;
}

static std::optional<Accumulators> accumulatorsOf(nest::BlockOp block) {
  Accumulators acc{block, {}, {}};
  SmallVector<const Access *> loads;
  SmallVector<Access> accesses = accessesOf(block);
  const Access *first = nullptr;
  for (const Access &access : accesses) {
    if (!access.isWrite || access.inInit)
      continue;
    auto store = cast<memref::StoreOp>(access.op);
    if (access.conditional || acc.isAccumulator(store.getMemRef()))
      return std::nullopt;
    acc.stores.push_back(store);
    // One element for all: by value, or by affine index.
    if (first &&
        (llvm::is_contained(access.indices, AffineExpr()) ||
         access.indices != first->indices) &&
        store.getIndices() != cast<memref::StoreOp>(first->op).getIndices())
      return std::nullopt;
    first = first ? first : &access;
  }
  if (acc.stores.empty())
    return std::nullopt;
  for (memref::StoreOp store : acc.stores) {
    memref::LoadOp found;
    for (const Access &access : accesses) {
      if (access.isWrite || access.inInit || access.buffer != store.getMemRef())
        continue;
      auto load = cast<memref::LoadOp>(access.op);
      bool same = load.getIndices() == store.getIndices() ||
                  (!llvm::is_contained(access.indices, AffineExpr()) &&
                   access.indices == first->indices);
      if (found || !same || access.conditional ||
          !load->isBeforeInBlock(acc.stores.front()))
        return std::nullopt;
      found = load;
    }
    if (!found)
      return std::nullopt;
    acc.loads.push_back(found);
  }
  return acc;
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

static std::optional<TupleReducer> readElementwise(const Accumulators &acc) {
  TupleReducer reducer;
  for (auto [store, load] : llvm::zip_equal(acc.stores, acc.loads)) {
    Operation *combine =
        memref::StoreOp(store).getValueToStore().getDefiningOp();
    if (!combine || combine->getNumOperands() != 2 ||
        combine->getNumResults() != 1 || !combine->getResult(0).hasOneUse() ||
        !combine->hasTrait<OpTrait::IsCommutative>() ||
        !memref::LoadOp(load).getResult().hasOneUse())
      return std::nullopt;
    std::optional<TypedAttr> identity = arith::getNeutralElement(combine);
    int at = combine->getOperand(0) == memref::LoadOp(load).getResult()   ? 0
             : combine->getOperand(1) == memref::LoadOp(load).getResult() ? 1
                                                                          : -1;
    if (!identity || at < 0)
      return std::nullopt;
    reducer.addends.push_back(combine->getOperand(1 - at));
    reducer.identities.push_back(*identity);
    reducer.update.push_back(combine);
  }
  if (!areIndependent(reducer.addends, acc))
    return std::nullopt;
  reducer.stores = acc.stores;
  reducer.loads = acc.loads;
  return reducer;
}

//===----------------------------------------------------------------------===//
// Extreme
//===----------------------------------------------------------------------===//

namespace {
/// `left relation right`.
struct Comparison {
  enum Relation { Less, LessEqual, Greater, GreaterEqual, Equal };
  Value left, right;
  Relation relation;
  bool isUnsigned = false;

  Comparison swapped() const {
    static constexpr Relation kSwapped[] = {Greater, GreaterEqual, Less,
                                            LessEqual, Equal};
    return {right, left, kSwapped[relation], isUnsigned};
  }
};
} // namespace

static std::optional<Comparison> readComparison(Value condition) {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  using C = Comparison;
  if (auto compare = condition.getDefiningOp<arith::CmpFOp>()) {
    // With a NaN there is no order: only where that means "not better".
    auto make = [&](C::Relation relation) {
      return C{compare.getLhs(), compare.getRhs(), relation};
    };
    switch (compare.getPredicate()) {
    case F::OLT:
      return make(C::Less);
    case F::OLE:
      return make(C::LessEqual);
    case F::OGT:
      return make(C::Greater);
    case F::OGE:
      return make(C::GreaterEqual);
    case F::OEQ:
      return make(C::Equal);
    default:
      return std::nullopt;
    }
  }
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare)
    return std::nullopt;
  auto make = [&](C::Relation relation, bool isUnsigned) {
    return C{compare.getLhs(), compare.getRhs(), relation, isUnsigned};
  };
  switch (compare.getPredicate()) {
  case I::slt:
    return make(C::Less, false);
  case I::sle:
    return make(C::LessEqual, false);
  case I::sgt:
    return make(C::Greater, false);
  case I::sge:
    return make(C::GreaterEqual, false);
  case I::ult:
    return make(C::Less, true);
  case I::ule:
    return make(C::LessEqual, true);
  case I::ugt:
    return make(C::Greater, true);
  case I::uge:
    return make(C::GreaterEqual, true);
  case I::eq:
    return make(C::Equal, false);
  default:
    return std::nullopt;
  }
}

/// `condition` as a comparison of addend and accumulator of one component.
static std::optional<std::pair<unsigned, Comparison>>
compareOf(Value condition, ArrayRef<Value> addends,
          ArrayRef<memref::LoadOp> loads) {
  std::optional<Comparison> found = readComparison(condition);
  if (!found)
    return std::nullopt;
  for (auto [i, load] : llvm::enumerate(loads)) {
    Value old = memref::LoadOp(load).getResult();
    if (found->left == addends[i] && found->right == old)
      return std::pair(unsigned(i), *found);
    if (found->right == addends[i] && found->left == old)
      return std::pair(unsigned(i), found->swapped());
  }
  return std::nullopt;
}

/// The value that loses every comparison against others: the least where the
/// greatest wins.
static TypedAttr loserOf(Type type, bool greatestWins, bool isUnsigned) {
  if (auto floating = dyn_cast<FloatType>(type))
    return FloatAttr::get(
        type, APFloat::getInf(floating.getFloatSemantics(), greatestWins));
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  if (isUnsigned)
    return IntegerAttr::get(type, greatestWins ? APInt::getZero(width)
                                               : APInt::getAllOnes(width));
  return IntegerAttr::get(type, greatestWins ? APInt::getSignedMinValue(width)
                                             : APInt::getSignedMaxValue(width));
}

/// better(a, x) = a > x, or (a > x) | (a == x & j < i) with a rule for equal
/// values; then every component is select(better, addend, old).
static std::optional<TupleReducer> readExtreme(const Accumulators &acc) {
  if (acc.stores.size() < 2)
    return std::nullopt;
  TupleReducer reducer;
  reducer.form = TupleReducer::Form::Extreme;
  Value better;
  SmallVector<Value> stored, olds;
  for (auto [store, load] : llvm::zip_equal(acc.stores, acc.loads)) {
    auto select = memref::StoreOp(store)
                      .getValueToStore()
                      .getDefiningOp<arith::SelectOp>();
    if (!select || select.getFalseValue() != memref::LoadOp(load).getResult() ||
        (better && select.getCondition() != better))
      return std::nullopt;
    better = select.getCondition();
    reducer.addends.push_back(select.getTrueValue());
    stored.push_back(select.getResult());
  }
  auto relationOf = [&](Value condition) {
    return compareOf(condition, reducer.addends, acc.loads);
  };
  std::optional<std::pair<unsigned, Comparison>> key, tie;
  if (auto either = better.getDefiningOp<arith::OrIOp>()) {
    for (bool swap : {false, true}) {
      Value strict = swap ? either.getRhs() : either.getLhs(),
            other = swap ? either.getLhs() : either.getRhs();
      auto both = other.getDefiningOp<arith::AndIOp>();
      key = relationOf(strict);
      if (!both || !key)
        continue;
      auto equal = relationOf(both.getLhs()), rule = relationOf(both.getRhs());
      if (equal && equal->second.relation != Comparison::Equal)
        std::swap(equal, rule);
      if (!equal || !rule || equal->first != key->first ||
          equal->second.relation != Comparison::Equal ||
          rule->first == key->first)
        continue;
      tie = rule;
      break;
    }
    if (!tie)
      return std::nullopt;
  } else {
    key = relationOf(better);
  }
  auto isStrict = [](const Comparison &c) {
    return c.relation == Comparison::Less || c.relation == Comparison::Greater;
  };
  if (!key || key->second.relation == Comparison::Equal ||
      (tie && (!isStrict(tie->second) || !isStrict(key->second))))
    return std::nullopt;
  if (!areIndependent(reducer.addends, acc))
    return std::nullopt;
  // Equal values of equal index would leave a third component open.
  reducer.commutative = tie && acc.stores.size() == 2;
  auto winsGreater = [](const Comparison &c) {
    return c.relation == Comparison::Greater ||
           c.relation == Comparison::GreaterEqual;
  };
  for (auto [i, addend] : llvm::enumerate(reducer.addends)) {
    if (tie && i == tie->first && isa<FloatType>(addend.getType()))
      return std::nullopt;
    const Comparison *rule = i == key->first          ? &key->second
                             : tie && i == tie->first ? &tie->second
                                                      : nullptr;
    if (rule) {
      reducer.identities.push_back(
          loserOf(addend.getType(), winsGreater(*rule), rule->isUnsigned));
      continue;
    }
    auto zero = dyn_cast_or_null<TypedAttr>(
        Builder(addend.getContext()).getZeroAttr(addend.getType()));
    if (!zero)
      return std::nullopt;
    reducer.identities.push_back(zero);
  }
  llvm::DenseSet<Value> stops(reducer.addends.begin(), reducer.addends.end());
  for (memref::LoadOp load : acc.loads)
    stops.insert(load.getResult());
  llvm::append_range(reducer.update, sliceOf(stored, stops, acc.block));
  llvm::sort(reducer.update,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  reducer.stores = acc.stores;
  reducer.loads = acc.loads;
  return reducer;
}

//===----------------------------------------------------------------------===//
// MeanVariance
//===----------------------------------------------------------------------===//

/// The other operand of a commutative `Op` that makes `value` from `one`.
template <typename Op>
static Value otherOf(Value value, Value one) {
  auto op = value ? value.getDefiningOp<Op>() : Op();
  if (!op)
    return {};
  return op.getLhs() == one   ? op.getRhs()
         : op.getRhs() == one ? op.getLhs()
                              : Value();
}

static bool isOne(Value value) {
  FloatAttr real;
  return value && (matchPattern(value, m_One()) ||
                   (matchPattern(value, m_Constant(&real)) &&
                    real.getValue().isExactlyValue(1.0)));
}

/// n' = n + 1; d = x - mean; mean' = mean + d / n'; m2' = m2 + d * (x - mean').
static std::optional<TupleReducer> readWelford(const Accumulators &acc,
                                               ArrayRef<unsigned> roles) {
  auto stored = [&](unsigned role) {
    return memref::StoreOp(acc.stores[roles[role]]).getValueToStore();
  };
  auto old = [&](unsigned role) {
    return memref::LoadOp(acc.loads[roles[role]]).getResult();
  };
  Value count = stored(0), mean = stored(1);
  Type real = mean.getType();
  if (!isa<FloatType>(real) || stored(2).getType() != real ||
      (!isOne(otherOf<arith::AddFOp>(count, old(0))) &&
       !isOne(otherOf<arith::AddIOp>(count, old(0)))) ||
      (isa<FloatType>(count.getType()) && count.getType() != real) ||
      count.getType().isIndex())
    return std::nullopt;
  Value step = otherOf<arith::AddFOp>(mean, old(1)),
        square = otherOf<arith::AddFOp>(stored(2), old(2));
  auto quotient = step ? step.getDefiningOp<arith::DivFOp>() : arith::DivFOp();
  if (!quotient || !square)
    return std::nullopt;
  Value divisor = quotient.getRhs();
  if (divisor != count) {
    auto cast = divisor.getDefiningOp<arith::SIToFPOp>();
    if (!cast || cast.getIn() != count)
      return std::nullopt;
  }
  auto distance = quotient.getLhs().getDefiningOp<arith::SubFOp>();
  if (!distance || distance.getRhs() != old(1))
    return std::nullopt;
  Value rest = otherOf<arith::MulFOp>(square, distance.getResult());
  auto after = rest ? rest.getDefiningOp<arith::SubFOp>() : arith::SubFOp();
  if (!after || after.getLhs() != distance.getLhs() || after.getRhs() != mean ||
      !areIndependent(distance.getLhs(), acc))
    return std::nullopt;
  TupleReducer reducer;
  reducer.form = TupleReducer::Form::MeanVariance;
  Builder builder(real.getContext());
  for (unsigned role : roles) {
    reducer.stores.push_back(acc.stores[role]);
    reducer.loads.push_back(acc.loads[role]);
    reducer.addends.push_back(role == roles[1] ? distance.getLhs() : Value());
    reducer.identities.push_back(cast<TypedAttr>(builder.getZeroAttr(
        memref::LoadOp(acc.loads[role]).getResult().getType())));
  }
  return reducer;
}

static std::optional<TupleReducer> readMeanVariance(const Accumulators &acc) {
  if (acc.stores.size() != 3)
    return std::nullopt;
  std::array<unsigned, 3> roles = {0, 1, 2};
  do {
    if (auto reducer = readWelford(acc, roles))
      return reducer;
  } while (std::next_permutation(roles.begin(), roles.end()));
  return std::nullopt;
}

std::optional<TupleReducer> analysis::tupleReducerOf(nest::BlockOp block) {
  std::optional<Accumulators> acc = accumulatorsOf(block);
  if (!acc)
    return std::nullopt;
  if (auto reducer = readElementwise(*acc))
    return reducer;
  if (auto reducer = readExtreme(*acc))
    return reducer;
  return readMeanVariance(*acc);
}

bool TupleReducer::accumulates(Operation *op) const {
  return llvm::is_contained(stores, op) || llvm::is_contained(loads, op);
}

/// count = n + m; mean = a + d * m / count; m2 = p + q + d * d * n * m / count,
/// with d = b - a (Chan, Golub, LeVeque, "Updating formulae", 1979).
static SmallVector<Value> mergeMeans(OpBuilder &b, Location loc,
                                     ValueRange left, ValueRange right) {
  Type real = left[1].getType();
  bool isInteger = isa<IntegerType>(left[0].getType());
  auto toReal = [&](Value count) -> Value {
    return isInteger ? arith::SIToFPOp::create(b, loc, real, count).getResult()
                     : count;
  };
  Value count =
      isInteger ? arith::AddIOp::create(b, loc, left[0], right[0]).getResult()
                : arith::AddFOp::create(b, loc, left[0], right[0]).getResult();
  Value n = toReal(left[0]), m = toReal(right[0]), all = toReal(count);
  Value zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(real, 0.0));
  Value none =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, all, zero);
  Value part = arith::DivFOp::create(b, loc, m, all);
  part = arith::SelectOp::create(b, loc, none, zero, part);
  Value distance = arith::SubFOp::create(b, loc, right[1], left[1]);
  Value step = arith::MulFOp::create(b, loc, distance, part);
  Value mean = arith::AddFOp::create(b, loc, left[1], step);
  Value sum = arith::AddFOp::create(b, loc, left[2], right[2]);
  Value between = arith::MulFOp::create(b, loc, distance, step);
  between = arith::MulFOp::create(b, loc, between, n);
  Value squares = arith::AddFOp::create(b, loc, sum, between);
  return {count, mean, squares};
}

SmallVector<Value> TupleReducer::merge(OpBuilder &builder, Location loc,
                                       ValueRange left,
                                       ValueRange right) const {
  if (form == Form::MeanVariance)
    return mergeMeans(builder, loc, left, right);
  IRMapping mapping;
  for (unsigned i = 0; i < stores.size(); ++i) {
    memref::LoadOp load = loads[i];
    mapping.map(addends[i], right[i]);
    mapping.map(load.getResult(), left[i]);
  }
  for (Operation *op : update)
    builder.clone(*op, mapping);
  SmallVector<Value> result;
  for (memref::StoreOp store : stores)
    result.push_back(mapping.lookupOrDefault(store.getValueToStore()));
  return result;
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

/// Whether no element is written by both accesses in one iteration of what is
/// around `scope`.
static bool areApart(nest::BlockOp a, const Access &first, nest::BlockOp b,
                     const Access &second, Operation *scope,
                     AffineSpace &space) {
  InstanceSet set(space);
  set.addInstance(a, 0);
  set.addInstance(b, 1);
  for (nest::ForOp loop : loopsAround(a))
    if (loop->isProperAncestor(b) && loop->isAncestor(scope))
      set.addEqual(loop, 0, 1);
  BlockForm formA = BlockForm::of(a, space), formB = BlockForm::of(b, space);
  for (auto [x, y] : llvm::zip_equal(first.indices, second.indices))
    if (x && y)
      set.addZero(set.row(x.replaceDims(formA.bindings), 0)
                      .add(set.row(y.replaceDims(formB.bindings), 1), -1));
  return set.isEmpty();
}

ScopedKind analysis::kindWithin(nest::BlockOp block, Operation *scope,
                                AffineSpace &space) {
  BlockKind kind = kindOf(block);
  if (kind == BlockKind::Other)
    return ScopedKind::Other;
  bool isSole = true;
  SmallVector<Access> accesses = accessesOf(block);
  for (nest::BlockOp other : blocksIn(scope)) {
    if (other == block)
      continue;
    for (const Access &theirs : accessesOf(other)) {
      if (!theirs.isWrite || !writesBuffer(block, theirs.buffer))
        continue;
      isSole = false;
      for (const Access &mine : accesses)
        if (mine.isWrite && mine.buffer == theirs.buffer &&
            !areApart(block, mine, other, theirs, scope, space))
          return ScopedKind::Other;
    }
  }
  if (kind == BlockKind::Complete)
    return isSole ? ScopedKind::Complete : ScopedKind::LocalComplete;
  return isSole ? ScopedKind::Reduction : ScopedKind::LocalReduction;
}
