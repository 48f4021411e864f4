//===- StoragePlan.cpp - Which buffers share memory -----------------------===//
//
// See the header. Buffers are placed in program order, each into the memory
// that is free and nearest in size. Stack slots are not placed: they get
// lifetime markers, by which LLVM shares what is left of them.
//
//===----------------------------------------------------------------------===//
#include "StoragePlan.h"

#include "nestor/Dialect/Nest/Padding.h"

#include <cstdlib>
#include <limits>

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

static constexpr int64_t kStackLimit = 256 * 1024;

int64_t nestor::lower::elementBytes(Type element) {
  return element.isIndex()
             ? 8
             : std::max<int64_t>(1, (element.getIntOrFloatBitWidth() + 7) / 8);
}

std::optional<int64_t> nestor::lower::storedElements(nest::AllocOp alloc) {
  auto type = cast<MemRefType>(alloc.getType());
  if (!type.hasStaticShape())
    return std::nullopt;
  SmallVector<int64_t> padding = nest::paddingOf(alloc);
  int64_t elements = 1;
  for (int64_t d = type.getRank() - 1; d >= 0; --d)
    elements = elements * type.getDimSize(d) + (d > 0 ? padding[d - 1] : 0);
  return elements;
}

bool nestor::lower::livesOnStack(nest::AllocOp alloc) {
  std::optional<int64_t> elements = storedElements(alloc);
  Type element = cast<MemRefType>(alloc.getType()).getElementType();
  return elements && *elements * elementBytes(element) <= kStackLimit;
}

/// The parallel loop around: each of its workers has buffers of its own.
static Operation *workerOf(Operation *op) {
  for (auto loop = op->getParentOfType<nest::ForOp>(); loop;
       loop = loop->getParentOfType<nest::ForOp>())
    if (loop.getKind() == nest::LoopKind::Parallel)
      return loop;
  return nullptr;
}

StoragePlan::StoragePlan(nest::FuncOp kernel) {
  llvm::DenseMap<Operation *, Life> textOf;
  unsigned position = 0;
  std::function<void(Operation *)> number = [&](Operation *op) {
    unsigned begin = position++;
    for (Region &region : op->getRegions())
      for (Operation &inner : region.getOps())
        number(&inner);
    textOf[op] = {begin, position - 1};
  };
  number(kernel);
  kernel.walk<WalkOrder::PreOrder>([&](nest::AllocOp alloc) {
    Operation *first = nullptr, *last = nullptr;
    for (Operation *user : alloc->getUsers()) {
      Operation *op = alloc->getBlock()->findAncestorOpInBlock(*user);
      if (!first || textOf[op].begin < textOf[first].begin)
        first = op;
      if (!last || textOf[op].begin > textOf[last].begin)
        last = op;
    }
    if (!first)
      return;
    starts[first].push_back(alloc);
    ends[last].push_back(alloc);
    if (!livesOnStack(alloc))
      place(alloc, {textOf[first].begin, textOf[last].end});
  });
}

/// How far two buffers are apart in size; dynamic sizes are near when they are
/// the same expression.
static int64_t distance(nest::AllocOp a, nest::AllocOp b) {
  auto width = [](nest::AllocOp alloc) {
    return elementBytes(cast<MemRefType>(alloc.getType()).getElementType());
  };
  std::optional<int64_t> fixedA = storedElements(a), fixedB = storedElements(b);
  if (fixedA && fixedB)
    return std::abs(*fixedA * width(a) - *fixedB * width(b));
  bool same = a.getShapeMap() == b.getShapeMap() &&
              a.getSizes() == b.getSizes() && width(a) == width(b);
  return same ? 0 : std::numeric_limits<int64_t>::max() - 1;
}

void StoragePlan::place(nest::AllocOp alloc, Life life) {
  Operation *worker = workerOf(alloc);
  Memory *best = nullptr;
  int64_t bestDistance = std::numeric_limits<int64_t>::max();
  for (Memory &candidate : memories) {
    if (candidate.worker != worker ||
        llvm::any_of(candidate.lives,
                     [&](const Life &l) { return l.overlaps(life); }))
      continue;
    int64_t far = distance(alloc, candidate.buffers.front());
    if (far < bestDistance) {
      best = &candidate;
      bestDistance = far;
    }
  }
  if (!best) {
    memories.push_back({worker, {}, {}});
    best = &memories.back();
  }
  best->buffers.push_back(alloc);
  best->lives.push_back(life);
  memory[alloc] = best - memories.data();
}

ArrayRef<nest::AllocOp> StoragePlan::startingAt(Operation *op) const {
  auto it = starts.find(op);
  return it == starts.end() ? ArrayRef<nest::AllocOp>() : it->second;
}

ArrayRef<nest::AllocOp> StoragePlan::endingAt(Operation *op) const {
  auto it = ends.find(op);
  return it == ends.end() ? ArrayRef<nest::AllocOp>() : it->second;
}

unsigned StoragePlan::memoryOf(nest::AllocOp alloc) const {
  return memory.at(alloc);
}
