//===- Tiles.cpp - Tiles carried through loops ----------------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "Tiles.h"

#include "nestor/Dialect/Device/Device.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

namespace {
/// A window of the slot, in bytes.
struct Window {
  int64_t offset = 0, stride = 0;
  Type type;

  bool operator==(const Window &other) const {
    return offset == other.offset && stride == other.stride &&
           type == other.type;
  }
  /// Whether no byte is in both. Windows with one stride are rectangles.
  bool isApart(const Window &other) const {
    auto tile = cast<device::TileType>(type),
         others = cast<device::TileType>(other.type);
    if (stride != other.stride || stride <= 0)
      return false;
    auto bytes = [](device::TileType t) {
      return t.getColumns() * t.getElementType().getIntOrFloatBitWidth() / 8;
    };
    int64_t row = offset / stride, column = offset % stride,
            otherRow = other.offset / stride,
            otherColumn = other.offset % stride;
    if (column + bytes(tile) > stride || otherColumn + bytes(others) > stride)
      return false;
    return row + tile.getRows() <= otherRow ||
           otherRow + others.getRows() <= row ||
           column + bytes(tile) <= otherColumn ||
           otherColumn + bytes(others) <= column;
  }
};

class Carrier {
public:
  explicit Carrier(LLVM::AllocaOp slot)
      : slot(slot), builder(slot.getContext()) {}
  void run();

private:
  void follow(Value pointer, std::optional<int64_t> offset);
  bool canCarry(scf::ForOp loop);
  void carry(scf::ForOp loop);
  void rewrite(Block &block);
  void rewriteLoop(scf::ForOp loop);
  SmallVector<unsigned> storedIn(Operation *op);
  Value address(const Window &window, Location loc);

  LLVM::AllocaOp slot;
  OpBuilder builder;
  SmallVector<Window> windows;
  /// The window of each tile access; others have none.
  llvm::MapVector<Operation *, std::optional<unsigned>> users;
  SmallVector<Value> current;
};
} // namespace

/// The constant that a value is, as products of constants too: nothing has been
/// folded yet.
static std::optional<int64_t> constantOf(Value value) {
  if (auto product = value.getDefiningOp<arith::MulIOp>()) {
    std::optional<int64_t> lhs = constantOf(product.getLhs()),
                           rhs = constantOf(product.getRhs());
    return lhs && rhs ? std::optional<int64_t>(*lhs * *rhs) : std::nullopt;
  }
  return getConstantIntValue(value);
}

void Carrier::follow(Value pointer, std::optional<int64_t> offset) {
  for (Operation *user : pointer.getUsers()) {
    if (auto gep = dyn_cast<LLVM::GEPOp>(user)) {
      std::optional<int64_t> next;
      LLVM::GEPIndicesAdaptor<ValueRange> indices = gep.getIndices();
      if (offset && indices.size() == 1 && gep.getElemType().isIntOrFloat()) {
        std::optional<int64_t> step;
        if (auto constant = dyn_cast<IntegerAttr>(indices[0]))
          step = constant.getInt();
        else
          step = getConstantIntValue(cast<Value>(indices[0]));
        if (step)
          next =
              *offset + *step * gep.getElemType().getIntOrFloatBitWidth() / 8;
      }
      follow(gep.getResult(), next);
      continue;
    }
    Window window;
    std::optional<int64_t> stride;
    if (auto load = dyn_cast<device::TileLoadOp>(user)) {
      stride = constantOf(load.getStride());
      window.type = load.getType();
    } else if (auto store = dyn_cast<device::TileStoreOp>(user)) {
      stride = constantOf(store.getStride());
      window.type = store.getTile().getType();
    }
    if (!window.type || !offset || !stride) {
      users[user] = std::nullopt;
      continue;
    }
    window.offset = *offset;
    window.stride = *stride;
    auto at = llvm::find(windows, window);
    users[user] = at - windows.begin();
    if (at == windows.end())
      windows.push_back(window);
  }
}

/// Whether everything that `loop` does to the slot goes through windows that
/// lie apart, in loops directly.
bool Carrier::canCarry(scf::ForOp loop) {
  SmallVector<unsigned> used;
  for (auto &[op, window] : users) {
    if (!loop->isProperAncestor(op))
      continue;
    if (!window)
      return false;
    for (Operation *parent = op->getParentOp(); parent != loop;
         parent = parent->getParentOp())
      if (!isa<scf::ForOp>(parent))
        return false;
    for (unsigned other : used)
      if (other != *window && !windows[other].isApart(windows[*window]))
        return false;
    used.push_back(*window);
  }
  return true;
}

SmallVector<unsigned> Carrier::storedIn(Operation *op) {
  SmallVector<unsigned> result;
  for (auto &[user, window] : users)
    if (window && isa<device::TileStoreOp>(user) && op->isAncestor(user) &&
        !llvm::is_contained(result, *window))
      result.push_back(*window);
  llvm::sort(result);
  return result;
}

Value Carrier::address(const Window &window, Location loc) {
  if (window.offset == 0)
    return slot.getResult();
  return LLVM::GEPOp::create(
      builder, loc, slot.getType(), builder.getI8Type(), slot.getResult(),
      ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(static_cast<int32_t>(window.offset))},
      LLVM::GEPNoWrapFlags::inbounds);
}

void Carrier::rewriteLoop(scf::ForOp loop) {
  SmallVector<unsigned> stored = storedIn(loop);
  SmallVector<Value> inits(loop.getInitArgs());
  for (unsigned window : stored)
    inits.push_back(current[window]);
  builder.setInsertionPoint(loop);
  auto carried =
      scf::ForOp::create(builder, loop.getLoc(), loop.getLowerBound(),
                         loop.getUpperBound(), loop.getStep(), inits);
  carried->setAttrs(loop->getAttrs());
  carried.getRegion().takeBody(loop.getRegion());
  Block &body = *carried.getBody();
  SmallVector<Value> outside = current;
  for (unsigned window : stored)
    current[window] = body.addArgument(windows[window].type, loop.getLoc());
  rewrite(body);
  Operation *yield = body.getTerminator();
  SmallVector<Value> results(yield->getOperands());
  for (unsigned window : stored)
    results.push_back(current[window]);
  yield->setOperands(results);
  current = std::move(outside);
  unsigned old = loop.getNumResults();
  for (auto [i, window] : llvm::enumerate(stored))
    current[window] = carried.getResult(old + i);
  loop.replaceAllUsesWith(carried.getResults().take_front(old));
  loop.erase();
}

void Carrier::rewrite(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    auto at = users.find(&op);
    if (at != users.end() && at->second) {
      unsigned window = *at->second;
      if (auto load = dyn_cast<device::TileLoadOp>(op))
        load.replaceAllUsesWith(current[window]);
      else
        current[window] = cast<device::TileStoreOp>(op).getTile();
      users.erase(&op);
      op.erase();
      continue;
    }
    if (auto loop = dyn_cast<scf::ForOp>(op);
        loop && llvm::any_of(users, [&](auto &user) {
          return loop->isProperAncestor(user.first);
        }))
      rewriteLoop(loop);
  }
}

void Carrier::carry(scf::ForOp loop) {
  Location loc = loop.getLoc();
  SmallVector<unsigned> stored = storedIn(loop);
  builder.setInsertionPoint(loop);
  SmallVector<unsigned> used(stored);
  for (auto &[user, window] : users)
    if (loop->isProperAncestor(user) && !llvm::is_contained(used, *window))
      used.push_back(*window);
  current.assign(windows.size(), Value());
  auto strideOf = [&](unsigned window) {
    return arith::ConstantIntOp::create(builder, loc, windows[window].stride,
                                        64);
  };
  for (unsigned window : used) {
    Value from = address(windows[window], loc);
    auto load = device::TileLoadOp::create(builder, loc, windows[window].type,
                                           from, strideOf(window));
    current[window] = load;
    users[load] = window;
  }
  Operation *next = loop->getNextNode();
  rewriteLoop(loop);
  builder.setInsertionPoint(next);
  for (unsigned window : stored) {
    Value to = address(windows[window], loc);
    users[device::TileStoreOp::create(builder, loc, current[window], to,
                                      strideOf(window))] = window;
  }
}

void Carrier::run() {
  follow(slot.getResult(), 0);
  for (;;) {
    // The outermost loop around some access that can carry all of its windows.
    scf::ForOp found;
    for (auto &[op, window] : users) {
      if (!window)
        continue;
      scf::ForOp best;
      for (Operation *parent = op->getParentOp();
           parent && isa<scf::ForOp>(parent); parent = parent->getParentOp()) {
        if (!canCarry(cast<scf::ForOp>(parent)))
          break;
        // Where the slot's life begins inside, its windows do not outlive it.
        best = cast<scf::ForOp>(parent);
      }
      if (best) {
        found = best;
        break;
      }
    }
    if (!found)
      return;
    carry(found);
  }
}

void nestor::lower::carryTiles(LLVM::AllocaOp slot) { Carrier(slot).run(); }
