//===- Registers.cpp - Register buffers to SSA values ---------------------===//
//
// See the header. In two steps: `Accesses` finds every use of the slot and cuts
// its elements into pieces, one for each range that is accessed together;
// `Promoter` walks the code in order with the value that each piece holds.
//
//===----------------------------------------------------------------------===//
#include "Registers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nestor::lower;

namespace {
/// One load or store: elements [begin, begin + size) of the slot.
struct Access {
  int64_t begin = 0, size = 0;
  Type type; // of the value, a scalar or a vector
  unsigned piece = 0;
  bool isStore = false;
};

/// Elements that live in one value.
struct Piece {
  int64_t begin = 0, end = 0;
  Type type;
};

/// Every use of a slot.
struct Accesses {
  llvm::DenseMap<Operation *, Access> accesses;
  llvm::SmallVector<Operation *> lifetimes;
  llvm::SmallVector<Operation *> addresses; // GEPs, users first
  Operation *start = nullptr;
  std::vector<Piece> pieces;
  /// For each operation with regions that an access or the start is in.
  llvm::DenseMap<Operation *, llvm::SetVector<unsigned>> stored;
  llvm::DenseSet<Operation *> holdsAccess;

  bool collect(LLVM::AllocaOp slot, Type element);

private:
  bool follow(Value pointer, int64_t offset, Type element);
  bool add(Operation *op, Type type, int64_t offset, bool isStore);
  bool cut();
  bool noteParents(Operation *function);
};
} // namespace

/// The constant that a GEP adds, in elements of `element`.
static std::optional<int64_t> constantStep(LLVM::GEPOp gep, Type element) {
  if (gep.getElemType() != element || gep.getIndices().size() != 1)
    return std::nullopt;
  LLVM::GEPIndicesAdaptor<ValueRange> indices = gep.getIndices();
  if (auto constant = dyn_cast<IntegerAttr>(indices[0]))
    return constant.getInt();
  return getConstantIntValue(cast<Value>(indices[0]));
}

static unsigned widthOf(Type element) {
  return element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
}

bool Accesses::add(Operation *op, Type type, int64_t offset, bool isStore) {
  Access access;
  access.begin = offset;
  access.size = 1;
  if (auto vector = dyn_cast<VectorType>(type)) {
    if (vector.getRank() != 1 || vector.isScalable())
      return false;
    access.size = vector.getDimSize(0);
  }
  access.type = type;
  access.isStore = isStore;
  return accesses.try_emplace(op, access).second;
}

bool Accesses::follow(Value pointer, int64_t offset, Type element) {
  auto isElement = [&](Type type) {
    return widthOf(getElementTypeOrSelf(type)) == widthOf(element);
  };
  for (Operation *user : pointer.getUsers()) {
    bool ok = false;
    if (auto gep = dyn_cast<LLVM::GEPOp>(user)) {
      std::optional<int64_t> step = constantStep(gep, element);
      ok = step && gep.getBase() == pointer &&
           follow(gep.getResult(), offset + *step, element);
      addresses.push_back(gep);
    } else if (auto load = dyn_cast<LLVM::LoadOp>(user)) {
      ok = isElement(load.getType()) &&
           add(load, load.getType(), offset, /*isStore=*/false);
    } else if (auto load = dyn_cast<LLVM::MaskedLoadOp>(user)) {
      ok = isElement(load.getType()) &&
           add(load, load.getType(), offset, /*isStore=*/false);
    } else if (auto store = dyn_cast<LLVM::StoreOp>(user)) {
      Type type = store.getValue().getType();
      ok = store.getValue() != pointer && isElement(type) &&
           add(store, type, offset, /*isStore=*/true);
    } else if (auto store = dyn_cast<LLVM::MaskedStoreOp>(user)) {
      Type type = store.getValue().getType();
      ok = store.getValue() != pointer && isElement(type) &&
           add(store, type, offset, /*isStore=*/true);
    } else if (isa<LLVM::LifetimeStartOp, LLVM::LifetimeEndOp>(user)) {
      ok = isa<LLVM::LifetimeEndOp>(user) || !start;
      if (isa<LLVM::LifetimeStartOp>(user))
        start = user;
      lifetimes.push_back(user);
    }
    if (!ok)
      return false;
  }
  return true;
}

/// Ranges that overlap are one piece; its type is that of an access to all of
/// it.
bool Accesses::cut() {
  std::vector<Access *> sorted;
  for (auto &entry : accesses)
    sorted.push_back(&entry.second);
  llvm::sort(sorted, [](const Access *a, const Access *b) {
    return std::pair(a->begin, -a->size) < std::pair(b->begin, -b->size);
  });
  for (Access *access : sorted) {
    int64_t end = access->begin + access->size;
    if (pieces.empty() || access->begin >= pieces.back().end)
      pieces.push_back({access->begin, end,
                        access->size == 1 ? getElementTypeOrSelf(access->type)
                                          : access->type});
    else if (end > pieces.back().end)
      return false;
    access->piece = pieces.size() - 1;
  }
  return true;
}

bool Accesses::noteParents(Operation *function) {
  auto walkUp = [&](Operation *op, function_ref<void(Operation *)> visit) {
    for (Operation *parent = op->getParentOp(); parent != function;
         parent = parent->getParentOp()) {
      if (!isa<scf::ForOp, scf::IfOp>(parent))
        return false;
      visit(parent);
    }
    return true;
  };
  for (auto &[op, access] : accesses) {
    unsigned piece = access.piece;
    bool isStore = access.isStore;
    // Every access is where the start reaches.
    if (!start->getBlock()->findAncestorOpInBlock(*op))
      return false;
    if (!walkUp(op, [&](Operation *parent) {
          holdsAccess.insert(parent);
          if (isStore)
            stored[parent].insert(piece);
        }))
      return false;
  }
  for (Operation *op : lifetimes)
    if (!walkUp(op, [&](Operation *parent) { holdsAccess.insert(parent); }))
      return false;
  return true;
}

bool Accesses::collect(LLVM::AllocaOp slot, Type element) {
  return follow(slot.getResult(), 0, element) && start && cut() &&
         noteParents(slot->getParentOp());
}

namespace {
/// Rewrites the code in its order.
class Promoter {
public:
  Promoter(Accesses &all, LLVM::AllocaOp slot)
      : all(all), builder(slot), loc(slot.getLoc()) {
    for (const Piece &piece : all.pieces)
      zeros.push_back(arith::ConstantOp::create(
          builder, loc, cast<TypedAttr>(builder.getZeroAttr(piece.type))));
    current = zeros;
  }

  void run(Block &block);

private:
  void rewriteLoop(scf::ForOp loop);
  void rewriteIf(scf::IfOp branch);
  void rewriteAccess(Operation *op, Access access);
  void erase(Operation *op);
  Value read(const Access &access);
  void write(const Access &access, Value stored);
  Value convert(Value value, Type type);
  /// The pieces that hold other values after `op` than before, in order.
  SmallVector<unsigned> changedBy(Operation *op);

  Accesses &all;
  OpBuilder builder;
  Location loc;
  SmallVector<Value> zeros, current;
};
} // namespace

/// The bits of `value` as another type of the same width.
Value Promoter::convert(Value value, Type type) {
  return value.getType() == type
             ? value
             : arith::BitcastOp::create(builder, loc, type, value).getResult();
}

Value Promoter::read(const Access &access) {
  const Piece &piece = all.pieces[access.piece];
  Value result = current[access.piece];
  auto whole = dyn_cast<VectorType>(piece.type);
  bool isVector = isa<VectorType>(access.type);
  int64_t first = access.begin - piece.begin;
  if (!whole && isVector) {
    auto type = VectorType::get({1}, piece.type);
    result = vector::BroadcastOp::create(builder, loc, type, result);
  } else if (whole && !isVector) {
    result = vector::ExtractOp::create(builder, loc, result, first);
  } else if (whole && access.size != whole.getDimSize(0)) {
    auto lanes = llvm::to_vector(llvm::seq(first, first + access.size));
    result = vector::ShuffleOp::create(builder, loc, result, result, lanes);
  }
  return convert(result, access.type);
}

void Promoter::write(const Access &access, Value stored) {
  const Piece &piece = all.pieces[access.piece];
  Value &result = current[access.piece];
  auto whole = dyn_cast<VectorType>(piece.type);
  auto part = dyn_cast<VectorType>(stored.getType());
  Type element = getElementTypeOrSelf(piece.type);
  stored = convert(stored,
                   part ? VectorType::get(part.getShape(), element) : element);
  int64_t first = access.begin - piece.begin;
  if (stored.getType() == piece.type) {
    result = stored;
  } else if (!whole) {
    result = vector::ExtractOp::create(builder, loc, stored, 0);
  } else if (!part) {
    result = vector::InsertOp::create(builder, loc, stored, result, first);
  } else {
    // Widen, then blend.
    int64_t size = whole.getDimSize(0);
    SmallVector<int64_t> widen, blend;
    for (int64_t i = 0; i < size; ++i) {
      bool inside = i >= first && i < first + access.size;
      widen.push_back(inside ? i - first : 0);
      blend.push_back(inside ? size + i : i);
    }
    Value wide = vector::ShuffleOp::create(builder, loc, stored, stored, widen);
    result = vector::ShuffleOp::create(builder, loc, result, wide, blend);
  }
}

void Promoter::rewriteAccess(Operation *op, Access access) {
  builder.setInsertionPoint(op);
  if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
    load.replaceAllUsesWith(read(access));
  } else if (auto load = dyn_cast<LLVM::MaskedLoadOp>(op)) {
    Value loaded = read(access);
    if (Value rest = load.getPassThru())
      loaded =
          arith::SelectOp::create(builder, loc, load.getMask(), loaded, rest);
    load.replaceAllUsesWith(loaded);
  } else if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
    write(access, store.getValue());
  } else {
    auto masked = cast<LLVM::MaskedStoreOp>(op);
    write(access, arith::SelectOp::create(builder, loc, masked.getMask(),
                                          masked.getValue(), read(access)));
  }
  erase(op);
}

/// New operations may come to lie where erased ones were: the tables forget
/// these.
void Promoter::erase(Operation *op) {
  all.accesses.erase(op);
  all.holdsAccess.erase(op);
  op->erase();
}

SmallVector<unsigned> Promoter::changedBy(Operation *op) {
  // The life that begins inside ends there too.
  if (op->isProperAncestor(all.start))
    return {};
  SmallVector<unsigned> changed(all.stored[op].begin(), all.stored[op].end());
  llvm::sort(changed);
  return changed;
}

void Promoter::rewriteLoop(scf::ForOp loop) {
  SmallVector<unsigned> changed = changedBy(loop);
  if (changed.empty())
    return run(*loop.getBody());
  SmallVector<Value> inits(loop.getInitArgs());
  for (unsigned piece : changed)
    inits.push_back(current[piece]);
  builder.setInsertionPoint(loop);
  auto carried =
      scf::ForOp::create(builder, loop.getLoc(), loop.getLowerBound(),
                         loop.getUpperBound(), loop.getStep(), inits);
  carried->setAttrs(loop->getAttrs());
  carried.getRegion().takeBody(loop.getRegion());
  Block &body = *carried.getBody();
  for (unsigned piece : changed)
    current[piece] = body.addArgument(all.pieces[piece].type, loc);
  run(body);
  Operation *yield = body.getTerminator();
  SmallVector<Value> results(yield->getOperands());
  for (unsigned piece : changed)
    results.push_back(current[piece]);
  yield->setOperands(results);
  unsigned old = loop.getNumResults();
  for (auto [i, piece] : llvm::enumerate(changed))
    current[piece] = carried.getResult(old + i);
  loop.replaceAllUsesWith(carried.getResults().take_front(old));
  erase(loop);
}

void Promoter::rewriteIf(scf::IfOp branch) {
  SmallVector<unsigned> changed = changedBy(branch);
  auto runBoth = [&](scf::IfOp op) {
    SmallVector<Value> before = current;
    for (Region *region : {&op.getThenRegion(), &op.getElseRegion()}) {
      current = before;
      if (region->empty())
        continue;
      run(region->front());
      if (changed.empty())
        continue;
      Operation *yield = region->front().getTerminator();
      SmallVector<Value> results(yield->getOperands());
      for (unsigned piece : changed)
        results.push_back(current[piece]);
      yield->setOperands(results);
    }
    current = before;
  };
  if (changed.empty())
    return runBoth(branch);
  SmallVector<Type> types(branch.getResultTypes());
  for (unsigned piece : changed)
    types.push_back(all.pieces[piece].type);
  builder.setInsertionPoint(branch);
  auto carried =
      scf::IfOp::create(builder, branch.getLoc(), types, branch.getCondition(),
                        /*addThenBlock=*/false, /*addElseBlock=*/false);
  carried.getThenRegion().takeBody(branch.getThenRegion());
  if (branch.getElseRegion().empty()) {
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&carried.getElseRegion());
    scf::YieldOp::create(builder, loc);
  } else {
    carried.getElseRegion().takeBody(branch.getElseRegion());
  }
  runBoth(carried);
  unsigned old = branch.getNumResults();
  for (auto [i, piece] : llvm::enumerate(changed))
    current[piece] = carried.getResult(old + i);
  branch.replaceAllUsesWith(carried.getResults().take_front(old));
  erase(branch);
}

void Promoter::run(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    auto access = all.accesses.find(&op);
    if (access != all.accesses.end()) {
      rewriteAccess(&op, access->second);
    } else if (&op == all.start) {
      current = zeros;
    } else if (all.holdsAccess.contains(&op)) {
      if (auto loop = dyn_cast<scf::ForOp>(op))
        rewriteLoop(loop);
      else
        rewriteIf(cast<scf::IfOp>(op));
    }
  }
}

bool nestor::lower::promoteToValues(LLVM::AllocaOp slot, Type element) {
  Accesses all;
  if (!all.collect(slot, element))
    return false;
  Promoter(all, slot).run(*slot->getBlock());
  for (Operation *op : all.lifetimes)
    op->erase();
  for (Operation *op : all.addresses)
    op->erase();
  slot.erase();
  return true;
}
