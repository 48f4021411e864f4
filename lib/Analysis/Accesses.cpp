//===- Accesses.cpp - What a block reads and writes -----------------------===//
//
// See Blocks.h. Index arithmetic of a body is read back as affine expressions
// where it is affine; signed division counts as floordiv only when its
// dividend cannot be negative.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/Blocks.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

/// Whether `expr` is not negative when its dims and symbols are not.
static bool isNatural(AffineExpr expr) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr))
    return c.getValue() >= 0;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  return !binary || expr.getKind() == AffineExprKind::Mod ||
         (isNatural(binary.getLHS()) && isNatural(binary.getRHS()));
}

static AffineExpr readIndex(Value index, nest::BlockOp block, int depth) {
  MLIRContext *context = block.getContext();
  if (auto arg = dyn_cast<BlockArgument>(index)) {
    Region *region = arg.getParentRegion();
    if (region == &block.getBody() || region == &block.getInit())
      return getAffineDimExpr(arg.getArgNumber(), context);
    if (nest::isSize(arg)) {
      auto func = cast<nest::FuncOp>(arg.getOwner()->getParentOp());
      return getAffineSymbolExpr(arg.getArgNumber() - func.getNumBuffers(),
                                 context);
    }
    return {};
  }
  Operation *op = index.getDefiningOp();
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (auto value = dyn_cast<IntegerAttr>(constant.getValue()))
      return getAffineConstantExpr(value.getInt(), context);
    return {};
  }
  if (depth > 32 || !index.getType().isIndex() || op->getNumOperands() != 2)
    return {};
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::FloorDivSIOp,
           arith::CeilDivSIOp, arith::DivUIOp, arith::DivSIOp, arith::RemUIOp,
           arith::RemSIOp>(op))
    return {};
  AffineExpr lhs = readIndex(op->getOperand(0), block, depth + 1);
  AffineExpr rhs =
      lhs ? readIndex(op->getOperand(1), block, depth + 1) : AffineExpr();
  if (!rhs)
    return {};
  if (isa<arith::AddIOp>(op))
    return lhs + rhs;
  if (isa<arith::SubIOp>(op))
    return lhs - rhs;
  if (isa<arith::MulIOp>(op))
    return isa<AffineConstantExpr>(lhs) || isa<AffineConstantExpr>(rhs)
               ? lhs * rhs
               : AffineExpr();
  auto divisor = dyn_cast<AffineConstantExpr>(rhs);
  if (!divisor || divisor.getValue() <= 0)
    return {};
  if (isa<arith::FloorDivSIOp>(op))
    return lhs.floorDiv(rhs);
  if (isa<arith::CeilDivSIOp>(op))
    return lhs.ceilDiv(rhs);
  if (!isNatural(lhs))
    return {};
  return isa<arith::DivUIOp, arith::DivSIOp>(op) ? lhs.floorDiv(rhs)
                                                 : lhs % rhs;
}

AffineExpr analysis::indexExpr(Value index, nest::BlockOp block) {
  return readIndex(index, block, 0);
}

OperandRange Access::getIndexValues() const {
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return store.getIndices();
  return cast<memref::LoadOp>(op).getIndices();
}

/// The accesses of the leaves inside one region of a block that holds a nest.
/// Indices are over the region's iterators (dims, as in the block), the sizes
/// and, from there on, the loops inside (dims).
static SmallVector<Access> nestAccesses(nest::BlockOp block, Region &region) {
  SmallVector<Access> result;
  if (region.empty())
    return result;
  AffineSpace space(region);
  unsigned numSizes = space.getFunc().getSizes().size();
  MLIRContext *context = block.getContext();
  SmallVector<AffineExpr> dims, symbols;
  for (unsigned i = 0; i < numSizes; ++i)
    symbols.push_back(getAffineSymbolExpr(i, context));
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    symbols.push_back(getAffineDimExpr(i, context));
  for (Operation &op : region.getOps())
    for (nest::BlockOp leaf : leavesIn(&op)) {
      BlockForm form = BlockForm::of(leaf, space);
      for (Access &access : accessesOf(leaf)) {
        access.inInit = &region == &block.getInit();
        access.conditional = true;
        for (AffineExpr &index : access.indices) {
          if (!index)
            continue;
          index = index.replaceDims(form.bindings);
          index.walk([&](AffineExpr e) {
            if (auto dim = dyn_cast<AffineDimExpr>(e))
              while (dims.size() <= dim.getPosition())
                dims.push_back(getAffineDimExpr(
                    block.getNumIterators() + dims.size(), context));
          });
          index = index.replaceDimsAndSymbols(dims, symbols);
        }
        result.push_back(std::move(access));
      }
    }
  return result;
}

/// Whether `index` is a function of the block's own iterators.
static bool isOwnIndex(AffineExpr index, nest::BlockOp block) {
  bool own = true;
  index.walk([&](AffineExpr e) {
    if (auto dim = dyn_cast<AffineDimExpr>(e))
      own &= dim.getPosition() < block.getNumIterators();
  });
  return own;
}

SmallVector<Access> analysis::accessesOf(nest::BlockOp block) {
  SmallVector<Access> result;
  for (Region *region : {&block.getInit(), &block.getBody()}) {
    if (block.hasNest()) {
      for (Access &access : nestAccesses(block, *region)) {
        for (AffineExpr &index : access.indices)
          if (index && !isOwnIndex(index, block))
            index = {};
        result.push_back(std::move(access));
      }
      continue;
    }
    region->walk([&](Operation *op) {
      Access access{op,
                    Value(),
                    isa<memref::StoreOp>(op),
                    region == &block.getInit(),
                    op->getParentRegion() != region,
                    {}};
      if (auto load = dyn_cast<memref::LoadOp>(op))
        access.buffer = load.getMemRef();
      else if (auto store = dyn_cast<memref::StoreOp>(op))
        access.buffer = store.getMemRef();
      else
        return;
      for (Value index : access.getIndexValues())
        access.indices.push_back(indexExpr(index, block));
      result.push_back(std::move(access));
    });
  }
  return result;
}

bool analysis::hasUnknownEffects(nest::BlockOp block) {
  return block
      .walk([&](Operation *op) {
        if (op == block.getOperation() ||
            isa<memref::LoadOp, memref::StoreOp>(op) ||
            isMemoryEffectFree(op) ||
            op->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
          return WalkResult::advance();
        return WalkResult::interrupt();
      })
      .wasInterrupted();
}

std::optional<SmallVector<int>>
analysis::plainIndices(ArrayRef<AffineExpr> indices) {
  SmallVector<int> result;
  for (AffineExpr index : indices) {
    if (index && index == getAffineConstantExpr(0, index.getContext())) {
      result.push_back(-1);
      continue;
    }
    auto dim = dyn_cast_or_null<AffineDimExpr>(index);
    if (!dim || llvm::is_contained(result, int(dim.getPosition())))
      return std::nullopt;
    result.push_back(dim.getPosition());
  }
  return result;
}

static bool touches(nest::BlockOp block, Value buffer, bool write) {
  for (Operation *user : buffer.getUsers())
    if ((write ? isa<memref::StoreOp>(user) : isa<memref::LoadOp>(user)) &&
        block->isProperAncestor(user))
      return true;
  return false;
}

bool analysis::readsBuffer(nest::BlockOp block, Value buffer) {
  return touches(block, buffer, false);
}
bool analysis::writesBuffer(nest::BlockOp block, Value buffer) {
  return touches(block, buffer, true);
}

static SmallVector<Value> buffersOf(nest::BlockOp block, bool write) {
  SmallVector<Value> result;
  for (const Access &access : accessesOf(block))
    if (access.isWrite == write && !llvm::is_contained(result, access.buffer))
      result.push_back(access.buffer);
  return result;
}

SmallVector<Value> analysis::readBuffers(nest::BlockOp block) {
  return buffersOf(block, false);
}
SmallVector<Value> analysis::writtenBuffers(nest::BlockOp block) {
  return buffersOf(block, true);
}

static SmallVector<nest::BlockOp> usersOf(Value buffer, Operation *root,
                                          bool write) {
  SmallVector<nest::BlockOp> result;
  for (nest::BlockOp block : blocksIn(root))
    if (touches(block, buffer, write))
      result.push_back(block);
  return result;
}

SmallVector<nest::BlockOp> analysis::writersOf(Value buffer, Operation *root) {
  return usersOf(buffer, root, true);
}
SmallVector<nest::BlockOp> analysis::readersOf(Value buffer, Operation *root) {
  return usersOf(buffer, root, false);
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

BlockKind analysis::kindOf(nest::BlockOp block) {
  if (hasUnknownEffects(block))
    return BlockKind::Other;
  bool reduces = false;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (block.getIteratorKind(i) == nest::IteratorKind::Ordered)
      return BlockKind::Other;
    reduces |= block.getIteratorKind(i) == nest::IteratorKind::Reduce;
  }
  SmallVector<Value> written = writtenBuffers(block);
  if (!reduces) {
    for (Value buffer : written)
      if (readsBuffer(block, buffer))
        return BlockKind::Other;
    return BlockKind::Complete;
  }
  // Indices that only loops inside vary do not count as unknown here.
  SmallVector<Access> accesses;
  if (block.hasNest()) {
    accesses = nestAccesses(block, block.getInit());
    llvm::append_range(accesses, nestAccesses(block, block.getBody()));
  } else {
    accesses = accessesOf(block);
  }
  for (const Access &access : accesses) {
    if (!access.isWrite)
      continue;
    for (AffineExpr index : access.indices) {
      if (!index)
        return BlockKind::Other;
      for (unsigned i = 0; i < block.getNumIterators(); ++i)
        if (block.getIteratorKind(i) == nest::IteratorKind::Reduce &&
            index.isFunctionOfDim(i))
          return BlockKind::Other;
    }
  }
  return BlockKind::Reduction;
}

/// Whether two accesses of one buffer are at the same element, in the same
/// words or in the same affine form.
static bool sameIndices(ValueRange a, ValueRange b, nest::BlockOp block) {
  return llvm::all_of(llvm::zip_equal(a, b), [&](auto pair) {
    auto [x, y] = pair;
    if (x == y)
      return true;
    AffineExpr first = indexExpr(x, block), second = indexExpr(y, block);
    return first && first == second;
  });
}

std::optional<Reducer> analysis::reducerOf(nest::BlockOp block) {
  memref::StoreOp store;
  for (const Access &access : accessesOf(block)) {
    if (!access.isWrite || access.inInit)
      continue;
    if (store || access.conditional)
      return std::nullopt;
    store = cast<memref::StoreOp>(access.op);
  }
  if (!store)
    return std::nullopt;
  Operation *combine = store.getValueToStore().getDefiningOp();
  if (!combine || combine->getNumOperands() != 2 ||
      combine->getNumResults() != 1 || !combine->getResult(0).hasOneUse() ||
      !combine->hasTrait<OpTrait::IsCommutative>())
    return std::nullopt;
  std::optional<TypedAttr> identity = arith::getNeutralElement(combine);
  if (!identity)
    return std::nullopt;
  for (unsigned i = 0; i < 2; ++i) {
    auto load = combine->getOperand(i).getDefiningOp<memref::LoadOp>();
    if (load && load.getMemRef() == store.getMemRef() &&
        sameIndices(load.getIndices(), store.getIndices(), block) &&
        load.getResult().hasOneUse())
      return Reducer{combine, combine->getOperand(1 - i), load, store,
                     *identity};
  }
  return std::nullopt;
}
