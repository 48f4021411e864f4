//===- AffineSpace.cpp - One coordinate system for a nest.func ------------===//
//
// See the header. What cannot be bounded gets a null end, never a guess.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/AffineSpace.h"

#include "mlir/IR/IntegerSet.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

//===----------------------------------------------------------------------===//
// Linear
//===----------------------------------------------------------------------===//

void Linear::add(AffineExpr atom, int64_t coefficient) {
  auto it =
      llvm::find_if(terms, [&](auto &term) { return term.first == atom; });
  if (it == terms.end()) {
    if (coefficient != 0)
      terms.push_back({atom, coefficient});
    return;
  }
  it->second += coefficient;
  if (it->second == 0)
    terms.erase(it);
}

static void collect(AffineExpr expr, int64_t factor, Linear &into) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr)) {
    into.constant += factor * c.getValue();
    return;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (binary && expr.getKind() == AffineExprKind::Add) {
    collect(binary.getLHS(), factor, into);
    collect(binary.getRHS(), factor, into);
    return;
  }
  if (binary && expr.getKind() == AffineExprKind::Mul)
    if (auto c = dyn_cast<AffineConstantExpr>(binary.getRHS())) {
      collect(binary.getLHS(), factor * c.getValue(), into);
      return;
    }
  into.add(expr, factor);
}

Linear Linear::of(AffineExpr expr) {
  Linear result;
  collect(expr, 1, result);
  return result;
}

AffineExpr Linear::toExpr(MLIRContext *context) const {
  AffineExpr sum;
  for (auto [atom, coefficient] : terms)
    sum = sum ? sum + atom * coefficient : atom * coefficient;
  if (!sum)
    return getAffineConstantExpr(constant, context);
  return sum + constant;
}

int64_t Linear::coefficientOf(AffineExpr atom) const {
  for (auto [a, coefficient] : terms)
    if (a == atom)
      return coefficient;
  return 0;
}

//===----------------------------------------------------------------------===//
// Values and expressions
//===----------------------------------------------------------------------===//

/// The region of a function or a block that holds `op`.
static Region &rootOf(Operation *op) {
  if (auto func = dyn_cast<nest::FuncOp>(op))
    return func.getBody();
  Region *region = op->getParentRegion();
  while (!isa<nest::FuncOp, nest::BlockOp>(region->getParentOp()))
    region = region->getParentRegion();
  return *region;
}

AffineSpace::AffineSpace(Operation *at) : AffineSpace(rootOf(at)) {}

AffineSpace::AffineSpace(Region &region)
    : func(dyn_cast<nest::FuncOp>(region.getParentOp())), root(&region),
      context(region.getContext()) {
  if (!func)
    func = region.getParentOfType<nest::FuncOp>();
  numSizes = numSymbols = func.getSizes().size();
  if (func.getOperation() != getRoot())
    numSymbols += region.getNumArguments();
}

AffineExpr AffineSpace::constant(int64_t value) const {
  return getAffineConstantExpr(value, context);
}

AffineExpr AffineSpace::of(Value value) {
  if (nest::isSize(value))
    return getAffineSymbolExpr(cast<BlockArgument>(value).getArgNumber() -
                                   func.getNumBuffers(),
                               context);
  if (nest::isIterator(value)) {
    auto arg = cast<BlockArgument>(value);
    auto block = cast<nest::BlockOp>(arg.getOwner()->getParentOp());
    if (block.getOperation() == getRoot())
      return getAffineSymbolExpr(numSizes + arg.getArgNumber(), context);
    return import(block.getBinding(arg.getArgNumber()),
                  block.getBindings().getNumDims(), block.getLoopOperands());
  }
  auto [it, isNew] = dimOf.try_emplace(value, dims.size());
  if (isNew)
    dims.push_back(value);
  return getAffineDimExpr(it->second, context);
}

AffineExpr AffineSpace::fresh() {
  dims.push_back(Value());
  return getAffineDimExpr(dims.size() - 1, context);
}

nest::ForOp AffineSpace::getLoop(AffineDimExpr dim) const {
  if (dim.getPosition() >= dims.size() || !dims[dim.getPosition()])
    return {};
  auto arg = cast<BlockArgument>(dims[dim.getPosition()]);
  return cast<nest::ForOp>(arg.getOwner()->getParentOp());
}

AffineExpr AffineSpace::import(AffineExpr expr, unsigned numDims,
                               ValueRange operands) {
  SmallVector<AffineExpr> dimReplacements, symbolReplacements;
  for (auto [i, operand] : llvm::enumerate(operands))
    (i < numDims ? dimReplacements : symbolReplacements).push_back(of(operand));
  return expr.replaceDimsAndSymbols(dimReplacements, symbolReplacements);
}

SmallVector<AffineExpr> AffineSpace::import(AffineMap map,
                                            ValueRange operands) {
  SmallVector<AffineExpr> result;
  for (AffineExpr expr : map.getResults())
    result.push_back(import(expr, map.getNumDims(), operands));
  return result;
}

static unsigned depthOf(Value loopVar) {
  unsigned depth = 0;
  for (Operation *op = cast<BlockArgument>(loopVar).getOwner()->getParentOp();
       op && !isa<nest::FuncOp>(op); op = op->getParentOp())
    ++depth;
  return depth;
}

AffineMap AffineSpace::exportMap(ArrayRef<AffineExpr> exprs,
                                 SmallVectorImpl<Value> &operands) const {
  nest::FuncOp function = func;
  llvm::SmallBitVector usedDims(dims.size()), usedSymbols(numSymbols);
  for (AffineExpr expr : exprs)
    expr.walk([&](AffineExpr e) {
      if (auto dim = dyn_cast<AffineDimExpr>(e))
        usedDims.set(dim.getPosition());
      else if (auto symbol = dyn_cast<AffineSymbolExpr>(e))
        usedSymbols.set(symbol.getPosition());
    });
  SmallVector<unsigned> order(usedDims.set_bits());
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return depthOf(dims[a]) < depthOf(dims[b]);
  });
  SmallVector<AffineExpr> dimMap(dims.size(), constant(0)),
      symbolMap(numSymbols, constant(0));
  operands.clear();
  // Iterators of the root are outside of all loops.
  for (unsigned symbol : usedSymbols.set_bits())
    if (symbol >= numSizes) {
      symbolMap[symbol] = getAffineDimExpr(operands.size(), context);
      operands.push_back(root->getArgument(symbol - numSizes));
    }
  for (unsigned dim : order) {
    dimMap[dim] = getAffineDimExpr(operands.size(), context);
    operands.push_back(dims[dim]);
  }
  unsigned numUsedDims = operands.size(), numUsedSymbols = 0;
  for (unsigned symbol : usedSymbols.set_bits())
    if (symbol < numSizes) {
      symbolMap[symbol] = getAffineSymbolExpr(numUsedSymbols++, context);
      operands.push_back(function.getSizes()[symbol]);
    }
  SmallVector<AffineExpr> results;
  for (AffineExpr expr : exprs)
    results.push_back(expr.replaceDimsAndSymbols(dimMap, symbolMap));
  return AffineMap::get(numUsedDims, numUsedSymbols, results, context);
}

AffineExpr AffineSpace::canonical(AffineExpr expr) const {
  if (isa<AffineConstantExpr, AffineDimExpr, AffineSymbolExpr>(expr))
    return expr;
  AffineExpr &known = canonicalForms[expr];
  if (!known) {
    // Iterators of blocks are dims too, and may be more than there are loops.
    unsigned numDims = dims.size();
    expr.walk([&](AffineExpr e) {
      if (auto dim = dyn_cast<AffineDimExpr>(e))
        numDims = std::max(numDims, dim.getPosition() + 1);
    });
    known = simplifyAffineExpr(expr, numDims, numSymbols);
  }
  return known;
}

bool AffineSpace::isEqual(AffineExpr a, AffineExpr b) const {
  return a == b || canonical(a - b) == constant(0);
}

bool AffineSpace::isFreeOfLoops(AffineExpr expr) {
  bool found = false;
  expr.walk([&](AffineExpr e) { found |= isa<AffineDimExpr>(e); });
  return !found;
}

bool AffineSpace::uses(AffineExpr expr, AffineExpr atom) {
  bool found = false;
  expr.walk([&](AffineExpr e) { found |= e == atom; });
  return found;
}

std::optional<int64_t> AffineSpace::constantOf(AffineExpr expr) {
  if (auto c = dyn_cast_or_null<AffineConstantExpr>(expr))
    return c.getValue();
  return std::nullopt;
}

AffineExpr AffineSpace::substitute(AffineExpr expr, AffineExpr from,
                                   AffineExpr to) {
  return expr.replace(from, to);
}

SmallVector<AffineExpr> AffineSpace::shapeOf(Value buffer) {
  if (auto alloc = buffer.getDefiningOp<nest::AllocOp>())
    return import(alloc.getShapeMap(), alloc.getSizes());
  unsigned index = cast<BlockArgument>(buffer).getArgNumber();
  ArrayRef<AffineExpr> dims = func.getBufferShape(index).getResults();
  return SmallVector<AffineExpr>(dims);
}

AffineExpr AffineSpace::lowerOf(nest::ForOp loop) {
  if (loop.getLowerMap().getNumResults() != 1)
    return {};
  return import(loop.getLowerMap(), loop.getLowerOperands()).front();
}

AffineExpr AffineSpace::extentOf(nest::ForOp loop) {
  AffineExpr lower = lowerOf(loop);
  if (!lower || loop.getUpperMap().getNumResults() != 1)
    return {};
  return canonical(import(loop.getUpperMap(), loop.getUpperOperands()).front() -
                   lower);
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

static bool relaxAll(nest::ForOp) { return true; }

Interval AffineSpace::loopBounds(nest::ForOp loop, RelaxFn relax) {
  // Of several bounds any one holds; a constant one says most.
  Interval result;
  for (AffineExpr expr : import(loop.getLowerMap(), loop.getLowerOperands())) {
    AffineExpr end = bounds(expr, relax).lower;
    std::optional<int64_t> value = constantOf(end),
                           best = constantOf(result.lower);
    if (!result.lower || (value && (!best || *value > *best)))
      result.lower = end;
  }
  for (AffineExpr expr : import(loop.getUpperMap(), loop.getUpperOperands())) {
    AffineExpr end = bounds(expr - 1, relax).upper;
    std::optional<int64_t> value = constantOf(end),
                           best = constantOf(result.upper);
    if (!result.upper || (value && (!best || *value < *best)))
      result.upper = end;
  }
  return result;
}

Interval AffineSpace::atomBounds(AffineExpr atom, RelaxFn relax) {
  if (auto dim = dyn_cast<AffineDimExpr>(atom)) {
    nest::ForOp loop = getLoop(dim);
    if (!loop)
      return {};
    return relax(loop) ? loopBounds(loop, relax) : Interval{atom, atom};
  }
  bool relaxed = false, known = true;
  atom.walk([&](AffineExpr e) {
    auto dim = dyn_cast<AffineDimExpr>(e);
    nest::ForOp loop = dim ? getLoop(dim) : nest::ForOp();
    known &= !dim || loop;
    relaxed |= loop && relax(loop);
  });
  if (!relaxed && known)
    return {atom, atom};
  auto binary = cast<AffineBinaryOpExpr>(atom);
  std::optional<int64_t> divisor = constantOf(binary.getRHS());
  if (!divisor || *divisor <= 0 || atom.getKind() == AffineExprKind::Mul)
    return {};
  Interval inner = bounds(binary.getLHS(), relax);
  auto divide = [&](AffineExpr expr) -> AffineExpr {
    if (!expr)
      return {};
    return canonical(atom.getKind() == AffineExprKind::CeilDiv
                         ? expr.ceilDiv(*divisor)
                         : expr.floorDiv(*divisor));
  };
  if (atom.getKind() != AffineExprKind::Mod)
    return {divide(inner.lower), divide(inner.upper)};
  // Within one period mod only shifts.
  std::optional<int64_t> lower = constantOf(inner.lower),
                         upper = constantOf(inner.upper);
  if (lower && upper && *lower >= 0 && *lower / *divisor == *upper / *divisor)
    return {constant(*lower % *divisor), constant(*upper % *divisor)};
  return {constant(0), constant(*divisor - 1)};
}

/// a - c * (a floordiv c) => a mod c, which has a tight range.
static void foldMods(Linear &linear) {
  for (auto [atom, factor] : llvm::to_vector(linear.terms)) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
    auto divisor = binary ? dyn_cast<AffineConstantExpr>(binary.getRHS())
                          : AffineConstantExpr();
    if (!divisor || atom.getKind() != AffineExprKind::FloorDiv ||
        divisor.getValue() <= 0 || factor % divisor.getValue() != 0)
      continue;
    int64_t times = -factor / divisor.getValue();
    Linear numerator = Linear::of(binary.getLHS());
    if (llvm::any_of(numerator.terms, [&](auto &term) {
          return linear.coefficientOf(term.first) != times * term.second;
        }))
      continue;
    for (auto [inner, coefficient] : numerator.terms)
      linear.add(inner, -times * coefficient);
    linear.constant -= times * numerator.constant;
    linear.add(atom, -factor);
    linear.add(binary.getLHS() % divisor.getValue(), times);
  }
}

Interval AffineSpace::bounds(AffineExpr expr, RelaxFn relax) {
  Linear linear = Linear::of(canonical(expr));
  foldMods(linear);
  Linear lower, upper;
  lower.constant = upper.constant = linear.constant;
  bool hasLower = true, hasUpper = true;
  auto accumulate = [](Linear &into, bool &has, AffineExpr end,
                       int64_t factor) {
    if (!end) {
      has = false;
      return;
    }
    collect(end, factor, into);
  };
  for (auto [atom, factor] : linear.terms) {
    Interval range = atomBounds(atom, relax);
    accumulate(lower, hasLower, factor > 0 ? range.lower : range.upper, factor);
    accumulate(upper, hasUpper, factor > 0 ? range.upper : range.lower, factor);
  }
  Interval result;
  if (hasLower)
    result.lower = canonical(lower.toExpr(context));
  if (hasUpper)
    result.upper = canonical(upper.toExpr(context));
  return result;
}

std::optional<int64_t> AffineSpace::sizeFact(unsigned symbol, StringRef name) {
  if (symbol >= numSizes) {
    std::optional<int64_t> extent =
        cast<nest::BlockOp>(getRoot()).getConstantExtent(symbol - numSizes);
    return extent && name == "nest.max" ? std::optional(*extent - 1)
                                        : std::nullopt;
  }
  unsigned arg = func.getNumBuffers() + symbol;
  if (auto fact = func.getArgAttrOfType<IntegerAttr>(arg, name))
    return fact.getInt();
  return std::nullopt;
}

int64_t AffineSpace::getSizeMin(unsigned symbol) {
  // Sizes are never negative.
  return std::max<int64_t>(0, sizeFact(symbol, "nest.min").value_or(0));
}

std::optional<int64_t> AffineSpace::getSizeMax(unsigned symbol) {
  return sizeFact(symbol, "nest.max");
}

int64_t AffineSpace::getSizeDivisor(unsigned symbol) {
  return std::max<int64_t>(1, sizeFact(symbol, "nest.divisor").value_or(1));
}

/// Bounds a sum over sizes from below. `k * (a floordiv c)` is replaced by a
/// linear bound where c divides k, so that it can cancel against `a`.
bool AffineSpace::sizesProveNonNegative(AffineExpr expr) {
  Linear linear = Linear::of(expr), flat;
  flat.constant = linear.constant;
  // a floordiv c <= a ceildiv c: the pair cancels, whatever a is.
  for (auto [atom, factor] : llvm::to_vector(linear.terms)) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
    if (factor > 0 || !binary || atom.getKind() != AffineExprKind::FloorDiv)
      continue;
    AffineExpr ceil = getAffineBinaryOpExpr(AffineExprKind::CeilDiv,
                                            binary.getLHS(), binary.getRHS());
    int64_t both = std::min(-factor, linear.coefficientOf(ceil));
    if (both <= 0)
      continue;
    linear.add(atom, both);
    linear.add(ceil, -both);
  }
  for (auto [atom, factor] : linear.terms) {
    if (isa<AffineSymbolExpr>(atom)) {
      flat.add(atom, factor);
      continue;
    }
    auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
    std::optional<int64_t> divisor =
        binary ? constantOf(binary.getRHS()) : std::nullopt;
    if (!divisor || *divisor <= 0)
      return false;
    if (atom.getKind() == AffineExprKind::Mod) {
      flat.constant += factor < 0 ? factor * (*divisor - 1) : 0;
      continue;
    }
    bool ceil = atom.getKind() == AffineExprKind::CeilDiv;
    if (factor % *divisor != 0) {
      // At least it has the sign of its numerator.
      if (factor > 0 && isNonNegative(binary.getLHS()))
        continue;
      return false;
    }
    // a - c + 1 <= c * (a floordiv c) <= a <= c * (a ceildiv c) <= a + c - 1.
    AffineExpr bound = binary.getLHS();
    if (factor > 0 && !ceil)
      bound = bound - (*divisor - 1);
    if (factor < 0 && ceil)
      bound = bound + (*divisor - 1);
    collect(bound, factor / *divisor, flat);
  }
  int64_t least = flat.constant;
  for (auto [atom, factor] : flat.terms) {
    auto symbol = dyn_cast<AffineSymbolExpr>(atom);
    if (!symbol)
      return false;
    std::optional<int64_t> end =
        sizeFact(symbol.getPosition(), factor > 0 ? "nest.min" : "nest.max");
    if (factor > 0 && !end)
      end = 0; // sizes are never negative
    if (!end)
      return false;
    least += factor * *end;
  }
  return least >= 0;
}

bool AffineSpace::isNonNegative(AffineExpr expr) {
  AffineExpr lower = bounds(expr, relaxAll).lower;
  if (!lower)
    return false;
  if (std::optional<int64_t> value = constantOf(lower))
    return *value >= 0;
  return sizesProveNonNegative(lower);
}

AffineExpr AffineSpace::simplify(AffineExpr expr) {
  expr = canonical(expr);
  Linear linear = Linear::of(expr), result;
  result.constant = linear.constant;
  bool changed = false;
  for (auto [atom, factor] : linear.terms) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
    std::optional<int64_t> divisor =
        binary ? constantOf(binary.getRHS()) : std::nullopt;
    if (!divisor || *divisor <= 0 || atom.getKind() == AffineExprKind::Mul) {
      result.add(atom, factor);
      continue;
    }
    // numerator = divisor * quotient + rest.
    AffineExpr numerator = simplify(binary.getLHS());
    Linear quotient, rest;
    for (auto [inner, coefficient] : Linear::of(numerator).terms)
      if (coefficient % *divisor == 0)
        quotient.add(inner, coefficient / *divisor);
      else
        rest.add(inner, coefficient);
    int64_t c = Linear::of(numerator).constant;
    int64_t whole = c >= 0 ? c / *divisor : -((-c + *divisor - 1) / *divisor);
    quotient.constant = whole;
    rest.constant = c - whole * *divisor;
    AffineExpr restExpr = rest.toExpr(context);
    bool small = atom.getKind() != AffineExprKind::CeilDiv
                     ? isNonNegative(restExpr) &&
                           isNonNegative(-restExpr + (*divisor - 1))
                     : restExpr == constant(0);
    AffineExpr replacement;
    if (small)
      replacement = atom.getKind() == AffineExprKind::Mod
                        ? restExpr
                        : quotient.toExpr(context);
    else
      replacement =
          getAffineBinaryOpExpr(atom.getKind(), numerator, constant(*divisor));
    changed |= replacement != atom;
    collect(replacement, factor, result);
  }
  return changed ? canonical(result.toExpr(context)) : expr;
}
