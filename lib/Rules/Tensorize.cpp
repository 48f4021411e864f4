//===- Tensorize.cpp - Contractions that tensor instructions compute ------===//
//
// For a sum of products of small integers or short floats, every intrinsic of
// the target and every mapping of iterators to its axes is priced: its
// instances, what padding and copies cost. The cheapest is carried out
// (TensorSteps.cpp) if it is cheaper than the arithmetic as it is written.
//
//===----------------------------------------------------------------------===//
#include "TensorSteps.h"

#include "nestor/Rules/Tensorize.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

using intrin::kAcc;
using intrin::kK;
using intrin::kLhs;
using intrin::kM;
using intrin::kN;
using intrin::kRhs;

/// Iterations of a loop whose number depends on sizes.
static constexpr double kUnknownSteps = 64;
/// Cycles to copy an element to another place.
static constexpr double kCopyCycles = 1;
/// Cycles to take an operand apart that instructions want in several registers.
static constexpr double kSplitCycles = 0.7;
/// Cycles to load a tile register from the first cache.
static constexpr double kTileLoadCycles = 8;
/// No more mappings of one intrinsic are priced.
static constexpr size_t kMostMappings = 64;

static double extentOf(nest::BlockOp block, unsigned iterator) {
  std::optional<int64_t> extent = block.getConstantExtent(iterator);
  return extent ? static_cast<double>(*extent) : kUnknownSteps;
}

/// How many elements of an operand there are in the block's iteration space.
static double elementsOf(ArrayRef<AffineExpr> indices, nest::BlockOp block) {
  double elements = 1;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (isMovedBy(indices, i))
      elements *= extentOf(block, i);
  return elements;
}

static bool isConstant(Value buffer) {
  auto argument = dyn_cast<BlockArgument>(buffer);
  auto func = argument
                  ? dyn_cast<nest::FuncOp>(argument.getOwner()->getParentOp())
                  : nest::FuncOp();
  return func && func.getArgAttr(argument.getArgNumber(), kConstantArgument);
}

/// Whether lhs lies as the intrinsic wants it: the reduction runs through
/// memory one element at a time, and where it is padded its index can be.
static bool liesInPlace(const Contraction &c, const TensorPlan &plan) {
  ArrayRef<unsigned> k = plan.mapping.iterators[kK];
  for (const auto &axis : plan.mapping.iterators)
    if (&axis != &plan.mapping.iterators[kN] && axis.size() > 1)
      return false;
  const Contraction::Factor &factor = c.factors[plan.mapping.factorOf(kLhs)];
  Access access{factor.load, memref::LoadOp(factor.load).getMemRef(),
                false,       false,
                false,       factor.indices};
  // A reduction of one step at a time may come from anywhere.
  if (plan.record->axes[kK].extent > 1 &&
      (k.size() != 1 || !useOf(access, k.front()).unitStride))
    return false;
  nest::BlockOp block = c.block;
  for (unsigned axis : {kM, kK})
    for (unsigned i : plan.mapping.iterators[axis])
      if (block.getConstantExtent(i).value_or(1) % plan.steps[axis] != 0 &&
          llvm::none_of(factor.indices, [&](AffineExpr index) {
            return index == getAffineDimExpr(i, block.getContext());
          }))
        return false;
  return true;
}

/// Fills in steps, copies and the tile, and what it takes; false: not possible.
static bool price(const Contraction &c, const Target &target,
                  TensorPlan &plan) {
  const intrin::Record &record = *plan.record;
  nest::BlockOp block = c.block;
  double extents[3], padded[3], outside = 1;
  plan.steps.assign(3, 1);
  for (unsigned axis : {kM, kN, kK}) {
    extents[axis] = 1;
    for (unsigned i : plan.mapping.iterators[axis]) {
      // Unknown, or nothing to do at all.
      if (block.getConstantExtent(i).value_or(0) <= 0)
        return false;
      extents[axis] *= extentOf(block, i);
    }
    const intrin::Axis &known = record.axes[axis];
    plan.steps[axis] = known.extent;
    // As few instances as are needed, of as many rows each: less to pad.
    bool shrinks = known.tail == intrin::Tail::Shrink &&
                   (axis == kM || extents[axis] < double(known.extent));
    if (shrinks) {
      auto count = static_cast<int64_t>(extents[axis]);
      int64_t instances = llvm::divideCeil(count, known.extent);
      plan.steps[axis] =
          llvm::divideCeil(llvm::divideCeil(count, instances), known.multiple) *
          known.multiple;
    }
  }
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (llvm::none_of(plan.mapping.iterators,
                      [&](auto &axis) { return llvm::is_contained(axis, i); }))
      outside *= extentOf(block, i);
  int row = plan.mapping.iterators[kM].empty()
                ? rowIterator(block, c, plan.mapping)
                : -1;
  double rowExtent = row >= 0 ? extentOf(block, row) : 1;
  if (rowExtent <= 0)
    return false;
  auto roundUp = [](double value, double multiple) {
    return std::ceil(value / multiple) * multiple;
  };
  // Instances that share their loads: the tile with the least cycles.
  double instance =
             static_cast<double>(record.points()) / record.macsPerCycle(target),
         best = 1e300;
  for (const intrin::MacroTile &tile : record.macroTiles)
    for (int64_t rows = tile.rows; rows >= 1; --rows) {
      double m = plan.mapping.iterators[kM].empty()
                     ? rowExtent
                     : std::ceil(extents[kM] / double(plan.steps[kM]));
      double tiles = std::ceil(m / double(rows)),
             columns =
                 std::ceil(extents[kN] / double(plan.steps[kN] * tile.columns));
      // An instance that is narrower than the packed one stands alone.
      if ((rows > m && rows > 1) ||
          (tile.columns > 1 && plan.steps[kN] < record.axes[kN].extent))
        continue;
      // Rows of the last tile run in code of their own.
      double full = std::floor(m / double(rows)),
             rest = m - full * double(rows);
      // Operands that take more than a register are made of what is loaded.
      double made =
          record.accIsVector() &&
                  tile.registers > tile.rows * tile.columns +
                                       std::min(tile.rows, tile.columns) + 1
              ? kSplitCycles
              : 0;
      double load = record.accIsVector() ? 0.5 : kTileLoadCycles;
      auto cycles = [&](double r) {
        double operands = r + double(tile.columns);
        return r == 0
                   ? 0.0
                   : std::max(
                         {r * double(tile.columns) * instance + made * operands,
                          operands * load, double(record.cost.latency)});
      };
      double steps = extents[kK] ? std::ceil(extents[kK] / plan.steps[kK]) : 1;
      double total =
          columns * (full * cycles(double(rows)) + cycles(rest)) * steps +
          tiles * columns * 4;
      // Code of their own for the last rows has to pay.
      if (rest > 0)
        total *= 1.01;
      if (total < best) {
        best = total;
        plan.rows = rows;
        plan.columns = tile.columns;
      }
    }
  double others = outside / rowExtent;
  plan.cycles = best * others;
  for (unsigned axis : {kM, kN, kK})
    padded[axis] =
        roundUp(extents[axis], double(plan.steps[axis]) *
                                   (axis == kN ? double(plan.columns) : 1.0));
  // Copies.
  const Contraction::Factor &lhs = c.factors[plan.mapping.factorOf(kLhs)],
                            &rhs = c.factors[plan.mapping.factorOf(kRhs)];
  plan.copies[kLhs] = !liesInPlace(c, plan);
  if (plan.copies[kLhs])
    plan.cycles += elementsOf(lhs.indices, block) * kCopyCycles;
  if (padded[kK] != extents[kK] || padded[kM] != extents[kM])
    plan.cycles += elementsOf(lhs.indices, block) * kCopyCycles;
  bool packed = isConstant(memref::LoadOp(rhs.load).getMemRef()) &&
                plainIndices(rhs.indices).has_value();
  plan.copies[kRhs] = !packed;
  if (!packed) {
    bool isPadded = padded[kK] != extents[kK] || padded[kN] != extents[kN];
    plan.cycles +=
        elementsOf(rhs.indices, block) * kCopyCycles * (isPadded ? 2 : 1);
  }
  plan.copies[kAcc] = plan.mapping.iterators[kM].size() > 1 ||
                      plan.mapping.iterators[kN].size() > 1;
  if (plan.copies[kAcc] || padded[kM] != extents[kM])
    plan.cycles += elementsOf(c.sumIndices, block) * kCopyCycles;
  return true;
}

/// Cycles of the arithmetic as it is written: widened elements, one multiply
/// and one addition a step on full vectors.
static double plainCycles(const Contraction &c, const Target &target) {
  double steps = 1;
  nest::BlockOp block = c.block;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    steps *= extentOf(block, i);
  bool isFloat = isa<FloatType>(c.getSumType());
  return steps / (target.rates.fmaLanes * (isFloat ? 0.8 : 0.3));
}

std::optional<TensorPlan> rules::chooseTensorPlan(nest::BlockOp block,
                                                  const Target &target) {
  Obstacle obstacle;
  std::optional<Contraction> c = contractionOf(block, obstacle);
  if (!c || !block.getInitBlock() || c->factors.size() != 2)
    return std::nullopt;
  // Wide elements are the business of the register tiles.
  for (const Contraction::Factor &factor : c->factors)
    if (factor.widening == Widening::None)
      return std::nullopt;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (!loopOf(block, i))
      return std::nullopt;
  std::optional<TensorPlan> best;
  double limit = plainCycles(*c, target);
  for (const intrin::Record *record : intrin::available(target)) {
    std::vector<intrin::Mapping> all = intrin::mappings(*record, *c);
    for (auto [number, mapping] :
         llvm::enumerate(ArrayRef(all).take_front(kMostMappings))) {
      TensorPlan plan;
      plan.record = record;
      plan.mapping = mapping;
      plan.number = number;
      plan.ways = all.size();
      if (!price(*c, target, plan) || plan.cycles >= limit)
        continue;
      limit = plan.cycles;
      best = std::move(plan);
    }
  }
  return best;
}

void rules::tensorizeBlocks(RuleContext &context) {
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
    std::optional<TensorPlan> plan =
        found ? chooseTensorPlan(found, context.target) : std::nullopt;
    if (!plan)
      continue;
    auto ref = s.getBlock(name);
    if (context.accept("get_block", ref))
      applyTensorPlan(context, s, *ref, *plan);
  }
}

std::vector<TensorWay> nestor::tensorWays(nest::BlockOp block,
                                          const Target &target, size_t most) {
  std::vector<TensorWay> ways;
  Obstacle obstacle;
  std::optional<Contraction> c = contractionOf(block, obstacle);
  if (!c || !block.getInitBlock() || c->factors.size() != 2)
    return ways;
  for (const intrin::Record &record : intrin::records())
    for (auto [number, mapping] :
         llvm::enumerate(intrin::mappings(record, *c))) {
      if (number == most)
        break;
      TensorPlan plan;
      plan.record = &record;
      plan.mapping = mapping;
      if (price(*c, target, plan))
        ways.push_back({record.name, mapping.str(record),
                        static_cast<unsigned>(number), plan.cycles});
    }
  return ways;
}

sched::Outcome nestor::tensorizeBy(sched::Schedule &schedule,
                                   sched::BlockRef block, const TensorWay &way,
                                   const Target &target) {
  nest::BlockOp op = schedule.get(block);
  Obstacle obstacle;
  std::optional<Contraction> c =
      op ? contractionOf(op, obstacle) : std::nullopt;
  TensorPlan plan;
  plan.record = intrin::find(way.intrinsic);
  if (!c || !plan.record)
    return sched::Outcome::refused("the block is no contraction, or there is "
                                   "no such intrinsic");
  std::vector<intrin::Mapping> all = intrin::mappings(*plan.record, *c);
  if (way.number >= all.size())
    return sched::Outcome::refused("there is no such mapping");
  plan.mapping = all[way.number];
  plan.number = way.number;
  plan.ways = all.size();
  if (!price(*c, target, plan))
    return sched::Outcome::refused("an axis has no constant extent");
  DefaultSchedule result;
  RuleContext context{schedule, target, result, {}};
  if (applyTensorPlan(context, schedule, block, plan))
    return sched::Outcome::done();
  return sched::Outcome::refused(result.refusals.empty()
                                     ? "a step found nothing to work on"
                                     : result.refusals.back());
}
