//===- Corrections.cpp - Sums that follow what they were made with --------===//
//
// See the header. The form is read by following the source's value through the
// body to the addend.
//
//===----------------------------------------------------------------------===//
#include "Corrections.h"
#include "Rewrite.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

//===----------------------------------------------------------------------===//
// The same value in two blocks
//===----------------------------------------------------------------------===//

namespace {
/// Compares what two blocks compute; iterators of the first become known as
/// iterators of the second on the way.
class SameValue {
public:
  SameValue(nest::BlockOp first, nest::BlockOp second)
      : first(first), second(second),
        known(first.getNumIterators(), AffineExpr()) {}

  bool indices(OperandRange a, OperandRange b) {
    return llvm::all_of(llvm::zip_equal(a, b), [&](auto pair) {
      return index(std::get<0>(pair), std::get<1>(pair));
    });
  }

  bool values(Value a, Value b, SmallVectorImpl<Value> &buffers) {
    if (a == b)
      return true;
    if (a.getType() != b.getType())
      return false;
    if (a.getType().isIndex())
      return index(a, b);
    Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
    if (!x || !y || x->getName() != y->getName() || x->getNumRegions() != 0 ||
        x->getNumResults() != 1 ||
        x->getAttrDictionary() != y->getAttrDictionary() ||
        x->getNumOperands() != y->getNumOperands())
      return false;
    if (auto load = dyn_cast<memref::LoadOp>(x)) {
      auto other = cast<memref::LoadOp>(y);
      buffers.push_back(load.getMemRef());
      return load.getMemRef() == other.getMemRef() &&
             indices(load.getIndices(), other.getIndices());
    }
    return isMemoryEffectFree(x) &&
           llvm::all_of(llvm::zip_equal(x->getOperands(), y->getOperands()),
                        [&](auto pair) {
                          return values(std::get<0>(pair), std::get<1>(pair),
                                        buffers);
                        });
  }

private:
  bool index(Value a, Value b) {
    AffineExpr x = indexExpr(a, first), y = indexExpr(b, second);
    if (!x || !y)
      return false;
    if (auto dim = dyn_cast<AffineDimExpr>(x)) {
      AffineExpr &to = known[dim.getPosition()];
      to = to ? to : y;
      return to == y;
    }
    bool all = true;
    x.walk([&](AffineExpr e) {
      if (auto dim = dyn_cast<AffineDimExpr>(e))
        all &= bool(known[dim.getPosition()]);
    });
    return all && x.replaceDims(known) == y;
  }

  nest::BlockOp first, second;
  SmallVector<AffineExpr> known;
};
} // namespace

std::optional<Reducer> sched::accumulationInto(nest::BlockOp block,
                                               Value buffer) {
  memref::StoreOp store;
  for (const Access &access : accessesOf(block)) {
    if (!access.isWrite || access.inInit || access.buffer != buffer)
      continue;
    if (store || access.conditional)
      return std::nullopt;
    store = cast<memref::StoreOp>(access.op);
  }
  Operation *combine =
      store ? store.getValueToStore().getDefiningOp() : nullptr;
  if (!combine || combine->getNumOperands() != 2 ||
      !combine->hasTrait<OpTrait::IsCommutative>())
    return std::nullopt;
  std::optional<TypedAttr> identity = arith::getNeutralElement(combine);
  for (unsigned i = 0; identity && i < 2; ++i) {
    auto load = combine->getOperand(i).getDefiningOp<memref::LoadOp>();
    if (load && load.getMemRef() == buffer &&
        load.getIndices() == store.getIndices())
      return Reducer{combine, combine->getOperand(1 - i), load, store,
                     *identity};
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Reading the form
//===----------------------------------------------------------------------===//

static Outcome unknownUse(nest::BlockOp dependent, memref::LoadOp load,
                          nest::BlockOp source, Operation *at,
                          const Twine &remedy) {
  return Outcome::refused("no correction is known for what " +
                          describe(dependent) + " makes of " +
                          describe(load.getMemRef()))
      .note(at, remedy)
      .note(source, "it changes with every step of this block");
}

/// Whether all terms that `exponent` (of the dependent) gives in an iteration
/// went into the maximum `best` in that iteration or before.
static bool isMaximumOf(const Reducer &best, nest::BlockOp source,
                        nest::BlockOp dependent, memref::LoadOp load,
                        Value exponent) {
  SameValue same(source, dependent);
  SmallVector<Value> buffers;
  memref::StoreOp store = best.store;
  if (!isa<arith::MaximumFOp>(best.combine) ||
      !same.indices(store.getIndices(), load.getIndices()) ||
      !same.values(best.addend, exponent, buffers))
    return false;
  // The elements that both look at in one iteration.
  AffineSpace space(funcOf(source));
  Operation *common = commonAncestor({source, dependent});
  Operation *a = childHolding(common, source),
            *b = childHolding(common, dependent);
  auto loopA = dyn_cast<nest::ForOp>(a), loopB = dyn_cast<nest::ForOp>(b);
  for (Value buffer : buffers) {
    std::optional<Box> had = readBox(a, buffer, space),
                       needed = readBox(b, buffer, space);
    if (!had || !needed || !had->dense)
      return false;
    if (loopA && loopB)
      for (AffineExpr &lower : needed->lower)
        lower =
            AffineSpace::substitute(lower, space.of(loopB.getInductionVar()),
                                    space.of(loopA.getInductionVar()));
    if (!contains(*had, *needed, space))
      return false;
  }
  return true;
}

/// (e - M / N)^2 with M the sum of e, N times.
static std::optional<Correction> readCenter(const Reducer &reducer,
                                            Correction found) {
  auto square = reducer.addend.getDefiningOp<arith::MulFOp>();
  if (!square || square.getLhs() != square.getRhs())
    return std::nullopt;
  auto distance = square.getLhs().getDefiningOp<arith::SubFOp>();
  Operation *mean = distance ? distance.getRhs().getDefiningOp() : nullptr;
  if (!isa_and_nonnull<arith::DivFOp, arith::MulFOp>(mean) ||
      !mean->getResult(0).hasOneUse())
    return std::nullopt;
  bool swapped = mean->getOperand(1) == found.load.getResult();
  if (!found.load.getResult().hasOneUse() ||
      (isa<arith::DivFOp>(mean) && swapped) ||
      mean->getOperand(swapped ? 1 : 0) != found.load.getResult())
    return std::nullopt;
  std::optional<Reducer> sum =
      accumulationInto(found.source, found.getBuffer());
  if (!sum || !isa<arith::AddFOp>(sum->combine))
    return std::nullopt;
  SameValue same(found.source, found.dependent);
  SmallVector<Value> buffers;
  memref::StoreOp store = sum->store;
  memref::LoadOp load = found.load;
  if (!same.indices(store.getIndices(), load.getIndices()) ||
      !same.values(sum->addend, distance.getLhs(), buffers))
    return std::nullopt;
  found.form = Correction::Form::Center;
  found.op = mean;
  return found;
}

/// Follows `at`, made of the source's value, to `end` in the body of `block`.
static Outcome follow(nest::BlockOp block, Value at, Value end,
                      Correction &found) {
  nest::BlockOp source = found.source, dependent = found.dependent;
  memref::LoadOp load = found.load;
  while (at != end) {
    Operation *user = at.use_empty() ? nullptr : *at.user_begin();
    if (!at.hasOneUse() || user->getNumResults() != 1)
      return unknownUse(dependent, load, source, at.getDefiningOp(),
                        "it is used more than once");
    bool scales = found.form == Correction::Form::Scale;
    if (!scales && isa<arith::AddFOp, arith::AddIOp>(user)) {
      // The other side is a part of e.
    } else if (!scales && isa<arith::SubFOp, arith::SubIOp>(user)) {
      found.negated ^= user->getOperand(1) == at;
    } else if (!scales && isa<arith::NegFOp>(user)) {
      found.negated ^= true;
    } else if (!scales && isa<math::ExpOp, math::Exp2Op>(user)) {
      auto difference = at.getDefiningOp<arith::SubFOp>();
      std::optional<Reducer> best = accumulationInto(source, load.getMemRef());
      if (!difference || difference.getRhs() != load.getResult() || !best ||
          !isMaximumOf(*best, source, block, load, difference.getLhs()))
        return unknownUse(
            dependent, load, source, user,
            "exponentials need exp(e - m) with m the maximum of that e in the "
            "same iterations, or they overflow before it is known");
      found.form = Correction::Form::Scale;
      found.op = user;
    } else if (!(scales &&
                 (isa<arith::MulFOp, arith::NegFOp>(user) ||
                  (isa<arith::DivFOp>(user) && user->getOperand(0) == at)))) {
      return unknownUse(dependent, load, source, user,
                        "a sum of e - m, of exp(e - m) * v or of (e - m / n)^2 "
                        "could be corrected");
    }
    at = user->getResult(0);
  }
  return Outcome::done();
}

/// The indices of the source's value in terms of the dependent's iterators; a
/// null one if they are not made of spatial iterators alone.
static SmallVector<AffineExpr> indicesOf(const Correction &found,
                                         const Pointwise *through) {
  nest::BlockOp dependent = found.dependent;
  memref::LoadOp load = found.load;
  MLIRContext *context = dependent.getContext();
  // The iterators of the block between, by what is read of it.
  SmallVector<AffineExpr> known;
  if (through) {
    Pointwise between = *through;
    known.resize(between.block.getNumIterators());
    for (auto [made, read] : llvm::zip_equal(between.store.getIndices(),
                                             between.load.getIndices())) {
      AffineExpr index = indexExpr(made, between.block);
      if (auto dim = dyn_cast_or_null<AffineDimExpr>(index))
        known[dim.getPosition()] = indexExpr(read, dependent);
    }
  } else {
    for (unsigned i = 0; i < dependent.getNumIterators(); ++i)
      known.push_back(getAffineDimExpr(i, context));
  }
  SmallVector<AffineExpr> result;
  for (Value index : load.getIndices()) {
    AffineExpr expr =
        indexExpr(index, through ? nest::BlockOp(through->block) : dependent);
    bool isKnown = bool(expr);
    if (expr)
      expr.walk([&](AffineExpr e) {
        if (auto dim = dyn_cast<AffineDimExpr>(e))
          isKnown &= bool(known[dim.getPosition()]);
      });
    expr = isKnown ? expr.replaceDims(known) : AffineExpr();
    if (expr)
      expr.walk([&](AffineExpr e) {
        if (auto dim = dyn_cast<AffineDimExpr>(e))
          isKnown &= dependent.getIteratorKind(dim.getPosition()) ==
                     nest::IteratorKind::Spatial;
      });
    result.push_back(isKnown ? expr : AffineExpr());
  }
  return result;
}

Result<Correction> sched::correctionOf(const Reducer &reducer,
                                       nest::BlockOp dependent,
                                       memref::LoadOp load,
                                       nest::BlockOp source,
                                       const Pointwise *through) {
  Correction found;
  found.source = source;
  found.dependent = dependent;
  found.load = load;
  if (!isa<arith::AddFOp, arith::AddIOp>(reducer.combine))
    return unknownUse(dependent, load, source, reducer.combine,
                      "only sums can be corrected");
  if (!isa<nest::BlockOp>(load->getParentOp()))
    return unknownUse(dependent, load, source, load,
                      "this load may not happen");
  found.indices = indicesOf(found, through);
  if (llvm::is_contained(found.indices, AffineExpr()))
    return unknownUse(dependent, load, source, load,
                      "this index is not made of spatial iterators alone");
  if (!through) {
    if (std::optional<Correction> center = readCenter(reducer, found))
      return *center;
    Outcome outcome =
        follow(dependent, load.getResult(), reducer.addend, found);
    return outcome.isDone() ? Result<Correction>(found) : outcome;
  }
  Pointwise between = *through;
  if (!isa<nest::BlockOp>(between.load->getParentOp()))
    return unknownUse(dependent, load, source, between.load,
                      "this load may not happen");
  Outcome outcome = follow(between.block, load.getResult(),
                           between.store.getValueToStore(), found);
  if (outcome.isDone())
    outcome =
        follow(dependent, between.load.getResult(), reducer.addend, found);
  return outcome.isDone() ? Result<Correction>(found) : outcome;
}

//===----------------------------------------------------------------------===//
// Emitting it
//===----------------------------------------------------------------------===//

Value sched::toNumber(OpBuilder &builder, Location loc, Value index,
                      Type type) {
  if (type.isIndex())
    return index;
  if (isa<IntegerType>(type))
    return arith::IndexCastOp::create(builder, loc, type, index);
  Value wide =
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
  return arith::SIToFPOp::create(builder, loc, type, wide);
}

static Value subtract(OpBuilder &b, Location loc, Value x, Value y) {
  if (isa<FloatType>(x.getType()))
    return arith::SubFOp::create(b, loc, x, y);
  return arith::SubIOp::create(b, loc, x, y);
}
static Value add(OpBuilder &b, Location loc, Value x, Value y) {
  if (isa<FloatType>(x.getType()))
    return arith::AddFOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, x, y);
}
static Value multiply(OpBuilder &b, Location loc, Value x, Value y) {
  if (isa<FloatType>(x.getType()))
    return arith::MulFOp::create(b, loc, x, y);
  return arith::MulIOp::create(b, loc, x, y);
}

Value Correction::step(OpBuilder &builder, Location loc, Value old,
                       Value now) const {
  Value difference = negated || form == Form::Center
                         ? subtract(builder, loc, old, now)
                         : subtract(builder, loc, now, old);
  if (form == Form::Center)
    return multiply(builder, loc, difference, difference);
  if (form == Form::Shift)
    return difference;
  OperationState state(loc, op->getName(), difference, difference.getType(),
                       op->getAttrs());
  return builder.create(state)->getResult(0);
}

Value Correction::apply(OpBuilder &builder, Location loc, Value acc, Value old,
                        Value step, Value count) const {
  Type type = acc.getType();
  if (counts()) {
    Value number = toNumber(builder, loc, count, type);
    return add(builder, loc, acc, multiply(builder, loc, number, step));
  }
  auto real = cast<FloatType>(type);
  Value scaled = multiply(builder, loc, acc, step);
  Value none = arith::ConstantOp::create(
      builder, loc,
      builder.getFloatAttr(
          real, APFloat::getInf(real.getFloatSemantics(), /*Negative=*/true)));
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getFloatAttr(real, 0.0));
  Value isNone =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, old, none);
  return arith::SelectOp::create(builder, loc, isNone, zero, scaled);
}
