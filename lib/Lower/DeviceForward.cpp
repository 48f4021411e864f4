//===- DeviceForward.cpp - Tiles that need no memory in between -----------===//
//
// A tile buffer on the stack is memory for what is no tile instruction. Where
// one tile instruction only hands over to the next, the value goes by itself:
//
//   fill the buffer with 0 ; %c = tile_load W      =>  %c = tile_zero
//   tile_store %t, W ; %c = tile_load W            =>  %c is %t
//   tile_store %t, W ; tile_store %u, W            =>  tile_store %u, W
//   a fill that tiles overwrite before it is read  =>  nothing
//
// A fill costs more than its stores: LLVM makes a call of it, and configures
// the tiles once more after each call.
//
// Assumes: canonical code without duplicates, so that windows have constant
// offsets and strides; iterations of a fill write different elements (it comes
// from a spatial block).
// Leaves true: a tile_zero has one use; what other code reads is in memory.
//
//===----------------------------------------------------------------------===//
#include "DeviceLowering.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

namespace {
/// Rows of bytes of a slot.
struct Window {
  int64_t offset = 0, stride = 0;
  device::TileType type;

  bool operator==(const Window &other) const {
    return offset == other.offset && stride == other.stride &&
           type == other.type;
  }
  int64_t bytes() const {
    return device::TileType(type).getRowBytes() * type.getRows();
  }
  /// Whether no byte is in both. Windows of one stride are rectangles.
  bool isApart(const Window &other) const {
    if (stride != other.stride || stride <= 0)
      return false;
    auto spans = [](int64_t a, int64_t n, int64_t b, int64_t m) {
      return a + n <= b || b + m <= a;
    };
    int64_t width = device::TileType(type).getRowBytes(),
            otherWidth = device::TileType(other.type).getRowBytes();
    int64_t column = offset % stride, otherColumn = other.offset % stride;
    if (column + width > stride || otherColumn + otherWidth > stride)
      return false;
    return spans(column, width, otherColumn, otherWidth) ||
           spans(offset / stride, type.getRows(), other.offset / stride,
                 other.type.getRows());
  }
};

class Forwarder {
public:
  explicit Forwarder(LLVM::AllocaOp slot) : slot(slot) {}
  void run();

private:
  void collect(Value pointer, std::optional<int64_t> offset);
  void visit(Block &block);
  bool touches(Operation &op) const;
  bool isFill(Operation &op) const;
  void replace(device::TileLoadOp load, Value value);
  /// What is in memory may be read now.
  void settle();
  void forget();

  LLVM::AllocaOp slot;
  int64_t slotBytes = 0;
  /// All that uses the slot; tile accesses with their windows.
  llvm::DenseMap<Operation *, std::optional<Window>> users;

  // What is known at a place of a block.
  /// Values that windows hold.
  SmallVector<std::pair<Window, Value>> known;
  /// Stores that nobody has read yet.
  SmallVector<std::pair<Window, device::TileStoreOp>> unread;
  /// The fill that everything comes from but what is in `written`.
  Operation *fill = nullptr;
  SmallVector<Window> written;
};
} // namespace

void Forwarder::collect(Value pointer, std::optional<int64_t> offset) {
  for (Operation *user : pointer.getUsers()) {
    if (auto gep = dyn_cast<LLVM::GEPOp>(user)) {
      std::optional<int64_t> next;
      LLVM::GEPIndicesAdaptor<ValueRange> indices = gep.getIndices();
      if (offset && indices.size() == 1 && gep.getElemType().isIntOrFloat())
        if (auto index = dyn_cast<IntegerAttr>(indices[0]))
          next = *offset +
                 index.getInt() * gep.getElemType().getIntOrFloatBitWidth() / 8;
      collect(gep.getResult(), next);
      continue;
    }
    Window window;
    std::optional<int64_t> stride;
    if (auto load = dyn_cast<device::TileLoadOp>(user)) {
      stride = getConstantIntValue(load.getStride());
      window.type = load.getType();
    } else if (auto store = dyn_cast<device::TileStoreOp>(user)) {
      stride = getConstantIntValue(store.getStride());
      window.type = store.getTile().getType();
    }
    std::optional<Window> &entry = users[user];
    if (!window.type || !offset || !stride)
      continue;
    window.offset = *offset;
    window.stride = *stride;
    entry = window;
  }
}

bool Forwarder::touches(Operation &op) const {
  return llvm::any_of(
      users, [&](const auto &user) { return op.isAncestor(user.first); });
}

/// Loops that store zeros to the slot as often as it has places, and do nothing
/// else.
bool Forwarder::isFill(Operation &op) const {
  int64_t bytes = 0;
  WalkResult walked = op.walk<WalkOrder::PreOrder>([&](Operation *inner) {
    if (auto loop = dyn_cast<scf::ForOp>(inner))
      return loop.getNumResults() == 0 ? WalkResult::advance()
                                       : WalkResult::interrupt();
    auto store = dyn_cast<LLVM::StoreOp>(inner);
    if (!store)
      return isMemoryEffectFree(inner) || isa<scf::YieldOp>(inner)
                 ? WalkResult::advance()
                 : WalkResult::interrupt();
    Value value = store.getValue();
    auto vector = dyn_cast<VectorType>(value.getType());
    Type element = vector ? vector.getElementType() : value.getType();
    if (!users.count(inner) || !element.isIntOrFloat() ||
        (!matchPattern(value, m_Zero()) &&
         !matchPattern(value, m_PosZeroFloat())))
      return WalkResult::interrupt();
    int64_t times = 1;
    for (Operation *at = inner; at != &op;) {
      at = at->getParentOp();
      std::optional<llvm::APInt> trips =
          cast<scf::ForOp>(at).getStaticTripCount();
      if (!trips)
        return WalkResult::interrupt();
      times *= trips->getSExtValue();
    }
    bytes += times * (vector ? vector.getNumElements() : 1) *
             element.getIntOrFloatBitWidth() / 8;
    return WalkResult::advance();
  });
  return !walked.wasInterrupted() && bytes == slotBytes;
}

void Forwarder::replace(device::TileLoadOp load, Value value) {
  if (value.getDefiningOp<device::TileZeroOp>()) {
    OpBuilder builder(load);
    value = device::TileZeroOp::create(builder, load.getLoc(), load.getType());
  }
  load.replaceAllUsesWith(value);
  users.erase(load);
  load.erase();
}

void Forwarder::settle() {
  unread.clear();
  if (!fill)
    return;
  int64_t bytes = 0;
  for (auto [i, window] : llvm::enumerate(written)) {
    for (const Window &other : ArrayRef(written).take_front(i))
      if (!window.isApart(other))
        return forget();
    bytes += window.bytes();
  }
  if (bytes == slotBytes) {
    fill->walk([&](Operation *inner) { users.erase(inner); });
    fill->erase();
  }
  fill = nullptr;
  written.clear();
}

void Forwarder::forget() {
  known.clear();
  unread.clear();
  written.clear();
  fill = nullptr;
}

void Forwarder::visit(Block &block) {
  forget();
  for (Operation &op : llvm::make_early_inc_range(block)) {
    auto user = users.find(&op);
    bool isWindow = user != users.end() && user->second;
    if (!isWindow) {
      if (!touches(op))
        continue;
      bool isAFill = isa<scf::ForOp, LLVM::StoreOp>(op) && isFill(op);
      if (!isAFill && !isa<LLVM::LifetimeEndOp>(op))
        settle();
      forget();
      if (isAFill)
        fill = &op;
      continue;
    }
    Window window = *user->second;
    auto overlaps = [&](const auto &entry) {
      return !(entry.first == window) && !entry.first.isApart(window);
    };
    auto same = [&](const auto &entry) { return entry.first == window; };
    auto *value = llvm::find_if(known, same);
    if (auto load = dyn_cast<device::TileLoadOp>(op)) {
      if (value != known.end()) {
        replace(load, value->second);
        continue;
      }
      if (fill && llvm::all_of(written, [&](const Window &other) {
            return other.isApart(window);
          })) {
        OpBuilder builder(load);
        Value zero =
            device::TileZeroOp::create(builder, load.getLoc(), load.getType());
        load.replaceAllUsesWith(zero);
        users.erase(load);
        load.erase();
        continue;
      }
      settle();
      known.push_back({window, load.getResult()});
      continue;
    }
    auto store = cast<device::TileStoreOp>(op);
    llvm::erase_if(known, overlaps);
    value = llvm::find_if(known, same);
    if (value != known.end())
      value->second = store.getTile();
    else
      known.push_back({window, store.getTile()});
    auto *before = llvm::find_if(unread, same);
    if (before != unread.end()) {
      users.erase(before->second);
      before->second.erase();
      before->second = store;
    } else {
      unread.push_back({window, store});
    }
    if (!llvm::is_contained(written, window))
      written.push_back(window);
  }
  settle();
}

void Forwarder::run() {
  auto array = dyn_cast<LLVM::LLVMArrayType>(slot.getElemType());
  if (!array || !array.getElementType().isIntOrFloat() ||
      !isConstantIntValue(slot.getArraySize(), 1))
    return;
  slotBytes = array.getNumElements() *
              array.getElementType().getIntOrFloatBitWidth() / 8;
  collect(slot.getResult(), 0);
  llvm::SetVector<Block *> blocks;
  for (auto &[user, window] : users)
    if (window)
      blocks.insert(user->getBlock());
  for (Block *block : blocks)
    visit(*block);
}

void lower::forwardTiles(LLVM::LLVMFuncOp function) {
  SmallVector<LLVM::AllocaOp> slots;
  function.walk([&](LLVM::AllocaOp slot) { slots.push_back(slot); });
  for (LLVM::AllocaOp slot : slots)
    Forwarder(slot).run();
}
