//===- Vectorizable.cpp - May a loop's iterations be lanes? ---------------===//
//
// True when each statement of each block under the loop can run once for all
// iterations. Conservative: a false answer makes the loop serial, never wrong.
//
//===----------------------------------------------------------------------===//
#include "KernelEmitter.h"

#include "nestor/Analysis/Blocks.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

/// By value, or as expressions of the block's iterators.
static bool haveSameIndices(memref::LoadOp load, memref::StoreOp store) {
  if (load.getIndices() == store.getIndices())
    return true;
  auto block = store->getParentOfType<nest::BlockOp>();
  return llvm::all_of(
      llvm::zip_equal(load.getIndices(), store.getIndices()), [&](auto pair) {
        AffineExpr read = analysis::indexExpr(std::get<0>(pair), block);
        return read && read == analysis::indexExpr(std::get<1>(pair), block);
      });
}

std::optional<Accumulation>
nestor::lower::matchAccumulation(memref::StoreOp store) {
  Operation *combine = store.getValueToStore().getDefiningOp();
  if (!combine || combine->getNumOperands() != 2 ||
      combine->getNumResults() != 1 || !combine->getResult(0).hasOneUse())
    return std::nullopt;
  for (unsigned i = 0; i < 2; ++i) {
    auto load = combine->getOperand(i).getDefiningOp<memref::LoadOp>();
    if (!load || load.getMemRef() != store.getMemRef() ||
        !haveSameIndices(load, store) || !load.getResult().hasOneUse() ||
        !combine->hasTrait<OpTrait::IsCommutative>())
      continue;
    return Accumulation{combine, load, combine->getOperand(1 - i)};
  }
  return std::nullopt;
}

namespace {
/// Follows one block for the loop variable `lane`.
class LaneCheck {
public:
  explicit LaneCheck(Value lane) : lane(lane) {}

  bool check(nest::BlockOp block) {
    if (!checkDivisions(block))
      return false;
    for (Region *region : {&block.getInit(), &block.getBody()}) {
      if (region->empty())
        continue;
      for (auto [i, arg] : llvm::enumerate(region->getArguments()))
        if (dependsOnLane(block, block.getBinding(i))) {
          varying.insert(arg);
          // Lanes of an ordered iterator may depend on each other.
          if (block.getIteratorKind(i) == nest::IteratorKind::Ordered)
            return false;
          reduceVaries |=
              block.getIteratorKind(i) == nest::IteratorKind::Reduce;
        }
    }
    return (block.getInit().empty() || checkBody(block.getInit().front())) &&
           checkBody(block.getBody().front());
  }

private:
  bool dependsOnLane(nest::BlockOp block, AffineExpr expr) {
    unsigned numDims = block.getBindings().getNumDims();
    for (auto [i, operand] : llvm::enumerate(block.getLoopOperands()))
      if (operand == lane && i < numDims && expr.isFunctionOfDim(i))
        return true;
    return false;
  }

  bool dividesLane(nest::BlockOp block, AffineExpr expr) {
    bool found = false;
    expr.walk([&](AffineExpr e) {
      bool divides = e.getKind() == AffineExprKind::FloorDiv ||
                     e.getKind() == AffineExprKind::CeilDiv ||
                     e.getKind() == AffineExprKind::Mod;
      found |= divides && dependsOnLane(block, e);
    });
    return found;
  }

  /// Whether the bindings tell which value `expr` has: it is one of them, or
  /// its digits are.
  static bool isTold(AffineExpr expr, ArrayRef<AffineExpr> bindings) {
    if (llvm::is_contained(bindings, expr))
      return true;
    for (AffineExpr binding : bindings) {
      auto mod = dyn_cast<AffineBinaryOpExpr>(binding);
      auto divisor = mod ? dyn_cast<AffineConstantExpr>(mod.getRHS())
                         : AffineConstantExpr();
      if (divisor && mod.getKind() == AffineExprKind::Mod &&
          mod.getLHS() == expr && divisor.getValue() > 1)
        return isTold(expr.floorDiv(divisor), bindings);
    }
    return false;
  }

  /// Lanes may meet in one value of a divided iterator. That is fine for what
  /// is written once, not for what is updated.
  bool checkDivisions(nest::BlockOp block) {
    bool divides = false, injective = false;
    SmallVector<AffineExpr> bindings(block.getBindings().getResults());
    for (auto [i, binding] : llvm::enumerate(bindings)) {
      if (!dependsOnLane(block, binding))
        continue;
      if (!dividesLane(block, binding)) {
        injective = true;
        continue;
      }
      divides = true;
      if (block.getIteratorKind(i) != nest::IteratorKind::Spatial)
        return false;
      if (auto mod = dyn_cast<AffineBinaryOpExpr>(binding))
        injective |= mod.getKind() == AffineExprKind::Mod &&
                     !dividesLane(block, mod.getLHS()) &&
                     isTold(mod.getLHS(), bindings);
    }
    if (!divides || injective)
      return true;
    llvm::DenseSet<Value> stored;
    block->walk([&](memref::StoreOp op) { stored.insert(op.getMemRef()); });
    return !block
                ->walk([&](memref::LoadOp op) {
                  return stored.contains(op.getMemRef())
                             ? WalkResult::interrupt()
                             : WalkResult::advance();
                })
                .wasInterrupted();
  }

  bool varies(ValueRange operands) {
    return llvm::any_of(operands, [&](Value v) { return varying.contains(v); });
  }

  bool checkStore(memref::StoreOp store) {
    if (varies(store.getIndices()))
      return true;
    // One address for all lanes: the same value, or a sum over the lanes.
    if (!varying.contains(store.getValueToStore()))
      return !reduceVaries ||
             !store->getParentOfType<nest::BlockOp>().getBody().isAncestor(
                 store->getParentRegion());
    std::optional<Accumulation> match = matchAccumulation(store);
    return match && canCombineLanes(match->combine);
  }

  bool checkBody(Block &body) {
    for (Operation &op : body.without_terminator()) {
      if (auto store = dyn_cast<memref::StoreOp>(op)) {
        if (!checkStore(store))
          return false;
        continue;
      }
      if (auto branch = dyn_cast<scf::IfOp>(op)) {
        if (!checkBody(*branch.thenBlock()) ||
            (branch.elseBlock() && !checkBody(*branch.elseBlock())))
          return false;
        varying.insert_range(branch.getResults());
        continue;
      }
      if (op.getNumRegions() != 0 || isa<cf::AssertOp>(op))
        return false;
      bool elementwise = isa<memref::LoadOp, memref::DimOp>(op) ||
                         op.hasTrait<OpTrait::ConstantLike>() ||
                         OpTrait::hasElementwiseMappableTraits(&op);
      if (!elementwise)
        return false;
      if (varies(op.getOperands()))
        varying.insert_range(op.getResults());
    }
    return true;
  }

  Value lane;
  llvm::DenseSet<Value> varying;
  bool reduceVaries = false;
};
} // namespace

bool nestor::lower::canVectorize(nest::ForOp loop) {
  WalkResult result = loop.getBody().walk([&](Operation *op) {
    if (isa<nest::AllocOp>(op))
      return WalkResult::interrupt();
    if (auto inner = dyn_cast<nest::ForOp>(op)) {
      // Trip counts must be the same for all lanes.
      if (llvm::is_contained(inner->getOperands(), loop.getInductionVar()))
        return WalkResult::interrupt();
      return WalkResult::advance();
    }
    if (auto block = dyn_cast<nest::BlockOp>(op)) {
      if (block.hasNest() || !LaneCheck(loop.getInductionVar()).check(block))
        return WalkResult::interrupt();
      return WalkResult::skip();
    }
    return WalkResult::advance();
  });
  return !result.wasInterrupted();
}
