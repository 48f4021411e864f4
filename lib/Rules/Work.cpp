//===- Work.cpp - How long nests take -------------------------------------===//
//
// The time of a piece of a scheduled nest on one core, from the rates of the
// target. A block's instance costs what its slowest part costs:
//
//   arithmetic   operations over the lanes that work at once
//   loads, stores  what the loops that became lanes and registers leave of
//                them: an access that does not move with an unrolled loop
//                happens once for all its iterations
//   latency      of a reduction, over the partial results that are independent
//
// Traffic is apart: bytes of the buffers over the rate of the level that holds
// them all.
//
// Assumes: the schedule stands, up to the loops that become parallel. Sizes
// that are known at run time only count as 64.
//
//===----------------------------------------------------------------------===//
#include "Work.h"

#include "nestor/Intrin/Intrin.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

int64_t rules::expectedTripCount(nest::ForOp loop) {
  if (std::optional<int64_t> known = loop.getConstantTripCount())
    return *known;
  int64_t least = kUnknownSize;
  for (AffineExpr end : loop.getUpperMap().getResults())
    if (auto constant = dyn_cast<AffineConstantExpr>(end))
      least = std::min(least, std::max<int64_t>(1, constant.getValue()));
  return least;
}

namespace {
/// The arithmetic of one instance, in operations of one vector unit.
struct Operations {
  double floats = 0, integers = 0;
  /// What runs as scalar code whatever is around it.
  double scalarCycles = 0;
  int64_t bits = 32;
};
} // namespace

/// Operations that a function of the vector library takes, about.
static double mathCost(Operation &op) {
  if (isa<math::FmaOp, math::AbsFOp, math::CopySignOp>(op))
    return 1;
  if (isa<math::SqrtOp, math::RsqrtOp, math::FloorOp, math::CeilOp,
          math::RoundEvenOp>(op))
    return 6;
  if (isa<math::ExpOp, math::Exp2Op, math::ExpM1Op>(op))
    return 14;
  if (isa<math::PowFOp>(op))
    return 45;
  return 25;
}

static void countOperation(Operation &op, Operations &count) {
  if (isa<memref::LoadOp, memref::StoreOp>(op) ||
      op.hasTrait<OpTrait::IsTerminator>() || isa<arith::ConstantOp>(op))
    return;
  if (op.getNumRegions() != 0) {
    // Branches and loops of a body: element by element.
    count.scalarCycles += 30;
    return;
  }
  for (Value result : op.getResults())
    if (result.getType().isIntOrFloat())
      count.bits = std::max<int64_t>(count.bits,
                                     result.getType().getIntOrFloatBitWidth());
  if (op.getName().getDialectNamespace() == "math")
    count.floats += mathCost(op);
  else if (isa<arith::DivFOp, arith::RemFOp>(op))
    count.floats += 5;
  else if (isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
               arith::FloorDivSIOp, arith::CeilDivSIOp>(op))
    count.scalarCycles += 12;
  else if (llvm::any_of(op.getResultTypes(),
                        [](Type type) { return isa<FloatType>(type); }))
    count.floats += 1;
  else if (!llvm::all_of(op.getResultTypes(),
                         [](Type type) { return type.isIndex(); }))
    count.integers += 1; // indices are worked out outside of the loops
}

static Operations operationsOf(nest::BlockOp block) {
  Operations count;
  double products = 0, sums = 0;
  for (Operation &op : *block.getBodyBlock()) {
    countOperation(op, count);
    products += isa<arith::MulFOp>(op);
    sums += isa<arith::AddFOp, arith::SubFOp>(op);
  }
  // A product that is added is one operation.
  count.floats -= std::min(products, sums);
  return count;
}

namespace {
/// The loops around a block that are lanes or registers.
struct Unrolled {
  nest::ForOp lanes;
  SmallVector<nest::ForOp> copies;
  double width = 1;  // of the lanes
  double points = 1; // lanes times copies
};
} // namespace

static Unrolled unrolledAround(nest::BlockOp block) {
  Unrolled result;
  for (nest::ForOp loop : loopsAround(block)) {
    auto trip = static_cast<double>(tripCount(loop, 1));
    if (loop.getKind() == nest::LoopKind::Vectorize) {
      result.lanes = loop;
      result.width = trip;
      result.points *= trip;
    } else if (loop.getKind() == nest::LoopKind::Unroll) {
      result.copies.push_back(loop);
      result.points *= trip;
    }
  }
  return result;
}

/// Whether an access moves with a loop.
static bool movesWith(const Access &access, const BlockForm &form,
                      AffineExpr variable) {
  for (AffineExpr index : access.indices) {
    if (!index)
      return true;
    for (auto [i, binding] : llvm::enumerate(form.bindings))
      if (index.isFunctionOfDim(i) && AffineSpace::uses(binding, variable))
        return true;
  }
  return false;
}

/// Whether lanes lie beside each other in memory.
static bool isBeside(const Access &access, const BlockForm &form,
                     AffineExpr variable) {
  for (auto [i, binding] : llvm::enumerate(form.bindings))
    if (AffineSpace::uses(binding, variable))
      if (!useOf(access, i).unitStride ||
          Linear::of(binding).coefficientOf(variable) != 1)
        return false;
  return true;
}

/// Bytes of one element in memory.
static double elementBytes(MemRefType type) {
  Type element = type.getElementType();
  return element.isIntOrFloat()
             ? std::max(1.0, element.getIntOrFloatBitWidth() / 8.0)
             : 8;
}

/// Cycles that the loads and stores of one instance take.
static double accessCycles(nest::BlockOp block, const Unrolled &unrolled,
                           const Rates &rates) {
  AffineSpace space(block->getParentOfType<nest::FuncOp>());
  BlockForm form = BlockForm::of(block, space);
  double cycles = 0;
  for (const Access &access : accessesOf(block)) {
    auto type = cast<MemRefType>(access.buffer.getType());
    auto scope = dyn_cast_or_null<StringAttr>(type.getMemorySpace());
    if (access.inInit || (scope && scope.getValue() == "register"))
      continue;
    double shared = 1;
    for (nest::ForOp loop : unrolled.copies)
      if (!movesWith(access, form, space.of(loop.getInductionVar())))
        shared *= static_cast<double>(tripCount(loop, 1));
    double one = 0.5; // two scalars or broadcasts a cycle
    if (nest::ForOp lanes = unrolled.lanes) {
      AffineExpr variable = space.of(lanes.getInductionVar());
      if (!movesWith(access, form, variable))
        shared *= unrolled.width;
      else if (isBeside(access, form, variable))
        one = elementBytes(type) / rates.l1Bytes;
      else
        one = 1.5; // one lane at a time
    }
    cycles += (access.isWrite ? 2 : 1) * one / shared;
  }
  return cycles;
}

/// Cycles of one instance of a block.
static double instanceCycles(nest::BlockOp block, const Target &target) {
  const Rates &rates = target.rates;
  Operations count = operationsOf(block);
  Unrolled unrolled = unrolledAround(block);
  // Two units, of vectors as of scalars.
  double perCycle =
      unrolled.lanes
          ? std::min(rates.fmaLanes * 32 / static_cast<double>(count.bits),
                     2 * unrolled.width)
          : 2;
  double arithmetic =
      (count.floats + 0.5 * count.integers) / perCycle + count.scalarCycles;
  double memory = accessCycles(block, unrolled, rates);
  double latency = 0;
  if (kindOf(block) == BlockKind::Reduction)
    latency = rates.fmaLatency / unrolled.points;
  // A loop's own counting is shared by what was unrolled in it.
  return std::max({arithmetic, memory, latency}) + 0.5 / unrolled.points;
}

static double cyclesOf(Operation *op, const Target &target) {
  if (auto block = dyn_cast<nest::BlockOp>(op)) {
    if (DictionaryAttr annotations = block.getAnnotationsAttr())
      if (auto name = annotations.getAs<StringAttr>(nest::kIntrinsic))
        if (const intrin::Record *record = intrin::find(name))
          return static_cast<double>(record->points()) /
                 record->macsPerCycle(target);
    // A block that holds a nest takes what the nest takes.
    double inside = 0;
    bool holds = false;
    for (Operation &inner : *block.getBodyBlock())
      if (isa<nest::ForOp, nest::BlockOp>(inner)) {
        holds = true;
        inside += cyclesOf(&inner, target);
      }
    return holds ? inside : instanceCycles(block, target);
  }
  auto loop = dyn_cast<nest::ForOp>(op);
  if (!loop)
    return 0;
  double inside = 0;
  for (Operation &inner : *loop.getBodyBlock())
    inside += cyclesOf(&inner, target);
  return inside * static_cast<double>(expectedTripCount(loop));
}

double rules::estimateWork(Operation *op, const Target &target) {
  return cyclesOf(op, target) / target.rates.clockGHz;
}

double rules::estimateTraffic(Operation *op, const Target &target) {
  // Of each argument what is touched, at most all of it.
  llvm::SmallDenseMap<Value, double> touched;
  op->walk([&](nest::BlockOp block) {
    double instances = 1;
    for (nest::ForOp loop : loopsAround(block))
      instances *= static_cast<double>(expectedTripCount(loop));
    for (const Access &access : accessesOf(block))
      if (isa<BlockArgument>(access.buffer))
        touched[access.buffer] += instances;
  });
  double bytes = 0;
  for (auto [buffer, elements] : touched) {
    auto type = cast<MemRefType>(buffer.getType());
    double size = 1;
    for (int64_t dim : type.getShape())
      size *=
          static_cast<double>(ShapedType::isDynamic(dim) ? kUnknownSize : dim);
    bytes += std::min(size, elements) * elementBytes(type);
  }
  const Rates &rates = target.rates;
  double rate = bytes > static_cast<double>(target.l3Bytes) ? rates.memoryBytes
                : bytes > static_cast<double>(target.l2Bytes) ? rates.l3Bytes
                                                              : rates.l2Bytes;
  return bytes / rate / rates.clockGHz;
}
