//===- Transpose.cpp - Memory order crossed -------------------------------===//
//
// A block that writes along one iterator and reads along another: transposes,
// packing, elementwise operators on transposed operands.
//
//   for a: for b: Y[a, b] = f(X[b, a])
//   ==>
//   for ao, bo, ah (unroll)                ah: the vectors of a cache line
//     for bl (unroll): for al (vectorize): R[bl, al] = X[..]     in registers
//     for al (unroll): for bl (vectorize): Y[..] = f(R[bl, al])  shuffles
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

namespace {
struct Crossing {
  unsigned along;                // a: what the operands are read along
  unsigned across;               // b: what the result is written along
  SmallVector<int64_t> operands; // crossed ones, among the buffers read
  int64_t lanes = 0;
};
} // namespace

static std::optional<Crossing> findCrossing(nest::BlockOp block,
                                            const Target &target) {
  if (kindOf(block) != BlockKind::Complete || block.hasNest())
    return std::nullopt;
  for (Operation &op : *block.getBodyBlock())
    if (op.getNumRegions() != 0 || isa<cf::AssertOp>(op))
      return std::nullopt;
  std::optional<Access> write;
  SmallVector<Access> reads;
  for (const Access &access : accessesOf(block)) {
    if (llvm::any_of(access.indices, [](AffineExpr e) { return !e; }))
      return std::nullopt;
    if (!access.isWrite)
      reads.push_back(access);
    else if (write)
      return std::nullopt;
    else
      write = access;
  }
  if (!write)
    return std::nullopt;
  auto isUnit = [&](const Access &access, unsigned i) {
    return useOf(access, i).unitStride && loopOf(block, i) &&
           block.getIteratorKind(i) == nest::IteratorKind::Spatial;
  };
  auto elementBits = [](const Access &access) -> int64_t {
    Type element = cast<MemRefType>(access.buffer.getType()).getElementType();
    return element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  };
  int along = -1, across = -1;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (isUnit(*write, i) && block.getConstantExtent(i) != 1)
      across = i;
  if (across < 0)
    return std::nullopt;
  Crossing found;
  SmallVector<Value> buffers = readBuffers(block);
  for (const Access &read : reads) {
    Use use = useOf(read, across);
    if (!use.used || use.unitStride)
      continue;
    int unit = -1;
    for (unsigned i = 0; i < block.getNumIterators(); ++i)
      if (isUnit(read, i) && block.getConstantExtent(i) != 1)
        unit = i;
    // One read of each buffer: two would not share a tile.
    if (unit < 0 || (along >= 0 && along != unit) ||
        elementBits(read) != elementBits(*write) ||
        llvm::count_if(
            reads,
            [&](const Access &other) { return other.buffer == read.buffer; }) !=
            1)
      return std::nullopt;
    along = unit;
    found.operands.push_back(llvm::find(buffers, read.buffer) -
                             buffers.begin());
  }
  int64_t bits = elementBits(*write);
  if (along < 0 || (bits != 32 && bits != 64))
    return std::nullopt;
  found.lanes = target.lanes(bits);
  for (int i : {along, across})
    if (found.lanes < 2 || tripCount(loopOf(block, i), 1 << 20) < found.lanes)
      return std::nullopt;
  found.along = along;
  found.across = across;
  return found;
}

static bool tile(RuleContext &context, sched::Schedule &s, sched::BlockRef ref,
                 const Crossing &crossing) {
  auto loops = s.getLoops(ref);
  if (!context.accept("get_loops", loops))
    return false;
  nest::BlockOp block = s.get(ref);
  nest::ForOp along = loopOf(block, crossing.along),
              across = loopOf(block, crossing.across);
  std::optional<sched::LoopRef> a, b;
  sched::LoopRefs order;
  for (sched::LoopRef loop : *loops) {
    if (s.get(loop) == along)
      a = loop;
    else if (s.get(loop) == across)
      b = loop;
    else
      order.push_back(loop);
  }
  if (!a || !b)
    return false;
  int64_t lanes = crossing.lanes;
  int64_t line = std::max<int64_t>(1, context.target.cacheLine * 8 /
                                          context.target.vectorBits);
  if (tripCount(along, 1 << 20) < line * lanes)
    line = 1;
  std::optional<int64_t> lengths[] = {along.getConstantTripCount(),
                                      across.getConstantTripCount()};
  sched::Param width = s.knob("lanes", lanes, {2, 4, 8, 16});
  sched::Param vectors = s.knob("vectors", line, {1, 2, 4});
  auto as = s.split(*a, {-1, vectors, width});
  if (!context.accept("split", as))
    return false;
  auto bs = s.split(*b, {-1, width});
  if (!context.accept("split", bs))
    return false;
  order.append({(*as)[0], (*bs)[0], (*as)[1], (*as)[2], (*bs)[1]});
  if (!context.accept("reorder", s.reorder(order)))
    return false;
  SmallVector<sched::BlockRef> copies;
  for (int64_t operand : crossing.operands) {
    auto copy = s.cacheRead(ref, operand, "register");
    if (!context.accept("cache_read", copy) ||
        !context.accept("compute_at", s.computeAt(*copy, (*as)[1])))
      return false;
    copies.push_back(*copy);
    auto inner = s.getLoops(*copy);
    if (!context.accept("get_loops", inner))
      return false;
    // Rows along memory, the others one by one.
    std::optional<sched::LoopRef> lane;
    for (sched::LoopRef loop : ArrayRef(*inner).drop_front(order.size() - 2)) {
      nest::ForOp op = s.get(loop);
      if (op.getConstantTripCount() == lanes)
        lane = loop;
      if (op.getConstantTripCount().value_or(lanes + 1) > lanes)
        return false;
    }
    if (!lane || lane->id != inner->back().id)
      return false;
    for (sched::LoopRef loop : ArrayRef(*inner).drop_front(order.size() - 2))
      if (!context.accept("kind", loop.id == lane->id ? s.vectorize(loop)
                                                      : s.unroll(loop)))
        return false;
  }
  if (!context.accept("unroll", s.unroll((*as)[2])) ||
      !context.accept("vectorize", s.vectorize((*bs)[1])) ||
      !context.accept("unroll", s.unroll((*as)[1])))
    return false;
  context.accept("compact_buffers", s.compactBuffers());
  if (!lengths[0] || *lengths[0] % (line * lanes) != 0)
    context.accept("separate_full_partial", s.separateFullPartial((*as)[0]));
  if (!lengths[1] || *lengths[1] % lanes != 0)
    context.accept("separate_full_partial", s.separateFullPartial((*bs)[0]));
  return true;
}

void rules::transposeTiles(RuleContext &context) {
  sched::Schedule &s = context.schedule;
  SmallVector<std::string> names;
  for (nest::BlockOp block : blocksIn(s.getFunc()))
    if (!context.done.contains(block.getName()))
      names.push_back(block.getName().str());
  for (const std::string &name : names) {
    auto ref = s.getBlock(name);
    if (!context.accept("get_block", ref))
      continue;
    std::optional<Crossing> crossing =
        findCrossing(s.get(*ref), context.target);
    if (!crossing)
      continue;
    llvm::StringSet<llvm::MallocAllocator> before;
    for (nest::BlockOp any : blocksIn(s.getFunc()))
      before.insert(any.getName());
    if (!context.attempt([&](sched::Schedule &on) {
          return tile(context, on, *ref, *crossing);
        }))
      continue;
    context.done.insert(name);
    for (nest::BlockOp any : blocksIn(s.getFunc()))
      if (!before.contains(any.getName()))
        context.done.insert(any.getName());
  }
}
