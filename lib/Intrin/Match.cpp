//===- Match.cpp - Is a nest what an instruction computes? ----------------===//
//
// See the header. Tried are both orders of the factors, every way to give each
// loop an axis that moves the same operands, and every order of several loops
// on one axis as digits. What got furthest says what is missing.
//
// Strides that depend on sizes stand for themselves as large, different
// numbers, so that one enumeration of a window's elements
// (Record::windowStrides) answers for all sizes.
//
//===----------------------------------------------------------------------===//
#include "nestor/Intrin/Match.h"

#include "nestor/Dialect/Nest/Padding.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;
using namespace nestor::analysis;

namespace {
/// An operand of the contraction while the loops inside run.
struct Side {
  Operation *access = nullptr;
  Value buffer;
  /// For each dim: the index over the loops (dims), from 0 where all are 0.
  SmallVector<AffineExpr> indices;
  /// For each dim the elements from one index to the next.
  SmallVector<int64_t> strides;
  llvm::SmallBitVector moves; // loops
};

class Matcher {
public:
  Matcher(const Record &record, nest::BlockOp block, Obstacle &obstacle)
      : record(record), block(block), obstacle(obstacle),
        space(block.getBody()) {}

  std::optional<Match> run();

private:
  bool fail(int stage, const Twine &text, Operation *where, const Twine &hint);
  bool readNest();
  bool readSide(Operation *access, Value buffer, ArrayRef<AffineExpr> indices,
                const BlockForm &form, Side &side);
  bool checkTypes(ArrayRef<unsigned> order);
  bool assign(unsigned loop);
  bool checkAxes();
  bool checkWindow(unsigned operand, OperandWindow &window);

  const Record &record;
  nest::BlockOp block, leaf;
  Obstacle &obstacle;
  int furthest = -1;
  AffineSpace space;
  SmallVector<nest::ForOp> loops;
  SmallVector<int64_t> trips;
  std::optional<Contraction> contraction;
  SmallVector<Side> factors;
  Side sum;
  const Side *sides[3] = {};    // lhs, rhs, acc
  SmallVector<unsigned> axisOf; // of each loop
  SmallVector<unsigned> digits; // loops, larger steps first
  llvm::SmallBitVector has[3];  // axes of each operand
  std::optional<Match> found;
};
} // namespace

static constexpr unsigned kNoAxis = ~0u;
/// More loops on one axis are digits in their order only.
static constexpr unsigned kMostDigits = 4;

/// Later stages know better what is missing.
bool Matcher::fail(int stage, const Twine &text, Operation *where,
                   const Twine &hint) {
  if (stage > furthest) {
    furthest = stage;
    obstacle = {text.str(), hint.str(), where};
  }
  return false;
}

bool Matcher::readNest() {
  if (!block.hasNest())
    return fail(0, "holds no nest", block, "blockize its inner loops first");
  Block *body = block.getBodyBlock();
  for (;;) {
    auto inside = body->without_terminator();
    if (!llvm::hasSingleElement(inside))
      return fail(0, "holds more than one chain of loops", block,
                  "loops around one block are matched");
    Operation *only = &*inside.begin();
    if ((leaf = dyn_cast<nest::BlockOp>(only)))
      break;
    auto loop = dyn_cast<nest::ForOp>(only);
    if (!loop)
      return fail(0, "holds a buffer", only, "buffers have to live outside");
    if (loop.getConstantLower() != 0 ||
        loop.getConstantTripCount().value_or(0) == 0)
      return fail(0, "has a loop without constant bounds from 0", loop,
                  "an instance has a fixed size; pad or cut the loop first");
    if (loop.getKind() != nest::LoopKind::Serial)
      return fail(0, "has a loop with a kind", loop,
                  "the instruction says how its axes run");
    loops.push_back(loop);
    trips.push_back(*loop.getConstantTripCount());
    body = loop.getBodyBlock();
  }
  if (leaf.hasNest())
    return fail(0, "holds a block that holds a nest", leaf,
                "the block inside has to hold statements");
  if (leaf.getInitBlock())
    return fail(0, "starts its sum inside", leaf,
                "decompose the reduction, or leave a part of it outside");
  return true;
}

/// The elements from one index of each dim to the next; numbers that no offset
/// inside a window reaches where sizes decide.
static SmallVector<int64_t> stridesOf(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> padding, strides(type.getRank(), 1);
  if (auto alloc = buffer.getDefiningOp<nest::AllocOp>())
    padding = nest::paddingOf(alloc);
  bool known = true;
  for (int64_t d = type.getRank() - 2; d >= 0; --d) {
    known &= !type.isDynamicDim(d + 1);
    strides[d] = known ? strides[d + 1] * type.getDimSize(d + 1) +
                             (padding.empty() ? 0 : padding[d])
                       : int64_t(1) << std::min<int64_t>(
                             40 + 4 * (type.getRank() - 2 - d), 60);
  }
  return strides;
}

bool Matcher::readSide(Operation *access, Value buffer,
                       ArrayRef<AffineExpr> indices, const BlockForm &form,
                       Side &side) {
  side = {access,
          buffer,
          {},
          stridesOf(buffer),
          llvm::SmallBitVector(loops.size())};
  MLIRContext *context = block.getContext();
  unsigned numSizes = space.getFunc().getSizes().size();
  SmallVector<AffineExpr> sizes, dims;
  for (unsigned i = 0; i < numSizes; ++i)
    sizes.push_back(getAffineSymbolExpr(i, context));
  llvm::DenseMap<AffineExpr, AffineExpr> table;
  for (auto [l, loop] : llvm::enumerate(loops))
    table[space.of(loop.getInductionVar())] = getAffineDimExpr(l, context);
  for (auto [d, index] : llvm::enumerate(indices)) {
    AffineExpr here =
        space.simplify(index.replaceDimsAndSymbols(form.bindings, sizes));
    // What moves with the loops, without what stands still.
    AffineExpr moving = space.constant(0);
    for (auto [atom, factor] : Linear::of(here).terms) {
      bool varies = false, mixes = false;
      atom.walk([&](AffineExpr e) {
        if (isa<AffineDimExpr>(e))
          varies |= table.contains(e), mixes |= !table.contains(e);
        mixes |= isa<AffineSymbolExpr>(e);
      });
      if (!varies)
        continue;
      if (mixes)
        return fail(1,
                    "index " + Twine(d) +
                        " divides a sum of loops inside and outside",
                    access, "split the loop where the layout splits");
      moving = moving + atom.replace(table) * factor;
    }
    for (unsigned l = 0; l < loops.size(); ++l)
      if (trips[l] > 1 && moving.isFunctionOfDim(l))
        side.moves.set(l);
    side.indices.push_back(moving);
  }
  return true;
}

bool intrin::takes(const Operand &operand, const Contraction::Factor &factor) {
  Type type = factor.getElementType();
  if (type != typeOf(operand.element, type.getContext()))
    return false;
  switch (factor.widening) {
  case Widening::None:
    // A product in the type of its factors.
    return bitsOf(operand.element) >= 32;
  case Widening::Float:
    return isFloat(operand.element);
  case Widening::Signed:
    return !isFloat(operand.element) && isSigned(operand.element);
  case Widening::Unsigned:
    return !isFloat(operand.element) && !isSigned(operand.element);
  }
  return false;
}

bool Matcher::checkTypes(ArrayRef<unsigned> order) {
  Type sumType = contraction->getSumType();
  if (sumType != typeOf(record.acc().element, sumType.getContext()))
    return fail(2,
                "sums up in another type than " + nameOf(record.acc().element),
                contraction->store, "another intrinsic may have it");
  for (unsigned i : {kLhs, kRhs}) {
    const Contraction::Factor &factor = contraction->factors[order[i]];
    if (!takes(record.operands[i], factor))
      return fail(2,
                  "has no factor " + nameOf(record.operands[i].element) +
                      " for operand " + record.operands[i].name,
                  factor.load,
                  "the type, or the sign by which it is widened, "
                  "is another one");
    sides[i] = &factors[order[i]];
  }
  sides[kAcc] = &sum;
  return true;
}

/// Gives each loop from `loop` on an axis that the same operands have.
bool Matcher::assign(unsigned loop) {
  if (loop == loops.size())
    return checkAxes();
  if (trips[loop] == 1) {
    axisOf[loop] = kNoAxis;
    return assign(loop + 1);
  }
  bool any = false;
  for (unsigned axis = 0; axis < record.axes.size(); ++axis) {
    bool same = true;
    for (unsigned i = 0; i < 3; ++i)
      same &= has[i].test(axis) == sides[i]->moves.test(loop);
    if (!same)
      continue;
    any = true;
    axisOf[loop] = axis;
    if (assign(loop + 1))
      return true;
  }
  if (!any)
    return fail(3, "has a loop that is no axis of the intrinsic", loops[loop],
                "no axis moves the same operands; leave the loop outside");
  return false;
}

bool Matcher::checkAxes() {
  Match result;
  result.extents.assign(record.axes.size(), 1);
  for (unsigned l = 0; l < loops.size(); ++l)
    if (axisOf[l] != kNoAxis)
      result.extents[axisOf[l]] *= trips[l];
  for (auto [axis, extent] : llvm::zip_equal(record.axes, result.extents)) {
    bool shrinks = axis.tail != Tail::Pad;
    bool fits = extent == axis.extent ||
                (shrinks && extent < axis.extent &&
                 (axis.tail == Tail::Mask || extent % axis.multiple == 0));
    if (!fits)
      return fail(4,
                  "runs " + Twine(extent) + " steps along axis " + axis.name +
                      " instead of " + Twine(axis.extent),
                  block, "split the loop by that, and pad it (pad_einsum)");
  }
  result.leaf = leaf;
  result.loops = loops;
  // Loops that share an axis are its digits, in any order.
  SmallVector<unsigned> shared, rest;
  for (unsigned l = 0; l < loops.size(); ++l)
    (llvm::count(axisOf, axisOf[l]) > 1 && axisOf[l] != kNoAxis ? shared : rest)
        .push_back(l);
  do {
    digits.assign(rest.begin(), rest.end());
    digits.append(shared.begin(), shared.end());
    result.windows.assign(3, {});
    bool fits = true;
    for (unsigned i = 0; fits && i < 3; ++i)
      fits = checkWindow(i, result.windows[i]);
    if (fits) {
      found = std::move(result);
      return true;
    }
  } while (shared.size() <= kMostDigits &&
           std::next_permutation(shared.begin(), shared.end()));
  return false;
}

/// `expr` at a point of its dims; it has no symbols.
static int64_t evaluate(AffineExpr expr, ArrayRef<int64_t> dims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t lhs = evaluate(binary.getLHS(), dims),
          rhs = evaluate(binary.getRHS(), dims);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return lhs + rhs;
  case AffineExprKind::Mul:
    return lhs * rhs;
  case AffineExprKind::FloorDiv:
    return llvm::divideFloorSigned(lhs, rhs);
  case AffineExprKind::CeilDiv:
    return llvm::divideCeilSigned(lhs, rhs);
  default:
    return llvm::mod(lhs, rhs);
  }
}

bool Matcher::checkWindow(unsigned operand, OperandWindow &window) {
  const Side &side = *sides[operand];
  const Operand &wanted = record.operands[operand];
  // Loops at a point of the axes: its digits, the last one first; what is
  // beyond the end of the first digit goes on.
  auto loopsAt = [&](ArrayRef<int64_t> point) {
    SmallVector<int64_t> at(loops.size(), 0), rest(point);
    for (unsigned i = digits.size(); i-- > 0;) {
      unsigned l = digits[i];
      if (axisOf[l] == kNoAxis)
        continue;
      bool first =
          llvm::none_of(ArrayRef(digits).take_front(i),
                        [&](unsigned o) { return axisOf[o] == axisOf[l]; });
      int64_t &left = rest[axisOf[l]];
      at[l] = first ? left : left % trips[l];
      left /= trips[l];
    }
    return at;
  };
  auto offsetAt = [&](ArrayRef<int64_t> point) {
    SmallVector<int64_t> at = loopsAt(point);
    int64_t offset = 0;
    for (unsigned d = 0; d < side.indices.size(); ++d)
      offset += evaluate(side.indices[d], at) * side.strides[d];
    return offset;
  };
  if (!record.windowStrides(operand, block.getContext(), offsetAt))
    return fail(5,
                "does not find operand " + wanted.name +
                    " in memory as it has to lie, " + wanted.lies,
                side.access,
                "give the buffer such a layout "
                "(transform_layout, or a copy)");
  window.access = side.access;
  window.buffer = side.buffer;
  // One step of each free dim: from the points at which `lies` is 0 and 1
  // there.
  AffineMap lies = wanted.liesMap(block.getContext());
  for (unsigned f = 0; f < wanted.freeDims; ++f) {
    SmallVector<int64_t> steps(side.indices.size(), 0), point(3, 0);
    // The first point that lies one step further, among those of one axis.
    bool one = false;
    for (unsigned axis = 0; axis < record.axes.size() && !one; ++axis)
      for (int64_t p = 1; p < record.axes[axis].extent && !one; ++p) {
        point.assign(3, 0);
        point[axis] = p;
        one = true;
        for (auto [d, result] : llvm::enumerate(lies.getResults()))
          one &= evaluate(result, point) == (d == f ? 1 : 0);
      }
    if (one) {
      SmallVector<int64_t> from = loopsAt({0, 0, 0}), to = loopsAt(point);
      for (unsigned d = 0; d < side.indices.size(); ++d)
        steps[d] =
            evaluate(side.indices[d], to) - evaluate(side.indices[d], from);
    }
    window.steps.push_back(std::move(steps));
  }
  return true;
}

std::optional<Match> Matcher::run() {
  if (!readNest())
    return std::nullopt;
  contraction = contractionOf(leaf, obstacle);
  if (!contraction)
    return std::nullopt;
  BlockForm form = BlockForm::of(leaf, space);
  // Wherever the loops are: a domain that a loop runs beyond cuts as well.
  for (const BlockForm::Constraint &constraint : form.constraints)
    if (constraint.equal || !space.isNonNegative(constraint.expr)) {
      fail(1, "has a predicate that may cut the instance", leaf,
           "pad the loops (pad_einsum), or separate full tiles first");
      return std::nullopt;
    }
  memref::StoreOp store = contraction->store;
  if (contraction->factors.size() != 2) {
    fail(1,
         "multiplies " + Twine(contraction->factors.size()) +
             " factors instead of 2",
         store, "multiply the others in a block before it");
    return std::nullopt;
  }
  factors.resize(2);
  for (auto [factor, side] : llvm::zip_equal(contraction->factors, factors)) {
    memref::LoadOp load = factor.load;
    if (!readSide(load, load.getMemRef(), factor.indices, form, side))
      return std::nullopt;
  }
  if (!readSide(store, store.getMemRef(), contraction->sumIndices, form, sum))
    return std::nullopt;
  for (unsigned i = 0; i < 3; ++i) {
    has[i].resize(record.axes.size());
    for (unsigned axis = 0; axis < record.axes.size(); ++axis)
      has[i][axis] = record.operands[i].has(axis);
  }
  axisOf.assign(loops.size(), kNoAxis);
  for (auto order : {std::array<unsigned, 2>{0, 1}, {1, 0}})
    if (checkTypes(order) && assign(0))
      break;
  return std::move(found);
}

std::optional<Match> intrin::match(const Record &record, nest::BlockOp block,
                                   Obstacle &obstacle) {
  return Matcher(record, block, obstacle).run();
}
