// Buffers: copies, scopes, layouts, sizes.
#include "Steps.h"

#include "nestor/Analysis/Blocks.h"

#include "fmt/format.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::fuzz;
using namespace nestor::sched;

namespace {
Tried cacheRead(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  int64_t buffer = p.number(0, 3) % 3;
  return p.s.cacheRead(*at, buffer, p.scope()).getOutcome();
}

Tried cacheWrite(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  int64_t buffer = p.random.chance(90) ? 0 : 1;
  return p.s.cacheWrite(*at, buffer, p.scope()).getOutcome();
}

Tried setScope(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  return p.s.setScope(*at, p.random.chance(90) ? 0 : 1, p.scope());
}

Tried compact(Picker &p) { return p.s.compactBuffers(); }

/// A tiled or permuted form of one buffer of the block.
Tried layout(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  BufferRole role = p.random.chance(50) ? BufferRole::Read : BufferRole::Write;
  nest::BlockOp block = p.s.get(*at);
  SmallVector<Value> buffers = role == BufferRole::Read
                                   ? analysis::readBuffers(block)
                                   : analysis::writtenBuffers(block);
  if (buffers.empty())
    return std::nullopt;
  int64_t n = p.random.in(0, static_cast<int64_t>(buffers.size()) - 1);
  MLIRContext *context = block.getContext();
  int64_t rank = cast<MemRefType>(buffers[n].getType()).getRank();
  SmallVector<AffineExpr> results;
  for (int64_t d = 0; d < rank; ++d) {
    AffineExpr dim = getAffineDimExpr(d, context);
    int64_t factor = p.random.in(1, 4);
    if (factor > 1 && p.random.chance(50)) {
      results.push_back(dim.floorDiv(factor));
      results.push_back(dim % factor);
    } else {
      results.push_back(dim);
    }
  }
  // Two dims in one.
  auto type = cast<MemRefType>(buffers[n].getType());
  if (rank > 1 && p.random.chance(15) && !type.isDynamicDim(1)) {
    results.assign({getAffineDimExpr(0, context) * type.getDimSize(1) +
                    getAffineDimExpr(1, context)});
    for (int64_t d = 2; d < rank; ++d)
      results.push_back(getAffineDimExpr(d, context));
  }
  p.random.shuffle(results);
  // Digits that lose elements are refused.
  if (!results.empty() && p.random.chance(10))
    results.pop_back();
  AffineMap map = AffineMap::get(rank, 0, results, context);
  p.say(fmt::format("{} {}", role == BufferRole::Read ? "read" : "write", n));
  p.say(map);
  return p.s.transformLayout(*at, role, n, map);
}
BufferRole role(Picker &p) {
  bool read = p.random.chance(50);
  p.say(read ? "read" : "write");
  return read ? BufferRole::Read : BufferRole::Write;
}

Tried reindex(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  BufferRole r = role(p);
  return p.s.reindex(*at, r, r == BufferRole::Read ? p.number(0, 2) : 0)
      .getOutcome();
}

/// Iterators of the block in any order, sometimes in digits, sometimes too few.
AffineMap iteratorMap(Picker &p, nest::BlockOp block, bool spatial) {
  MLIRContext *context = block.getContext();
  SmallVector<AffineExpr> results;
  for (unsigned n = 0; n < block.getNumIterators(); ++n) {
    if (spatial && block.getIteratorKind(n) == nest::IteratorKind::Reduce &&
        !p.random.chance(5))
      continue;
    AffineExpr dim = getAffineDimExpr(n, context);
    int64_t factor = p.random.chance(20) ? p.random.in(2, 4) : 1;
    if (factor > 1)
      results.push_back(dim.floorDiv(factor));
    results.push_back(factor > 1 ? dim % factor : dim);
  }
  if (p.random.chance(50))
    p.random.shuffle(results);
  if (!results.empty() && p.random.chance(10))
    results.pop_back();
  AffineMap map = AffineMap::get(block.getNumIterators(), 0, results, context);
  p.say(map);
  return map;
}

Tried reindexCacheRead(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  int64_t buffer = p.number(0, 3) % 3;
  AffineMap map = iteratorMap(p, p.s.get(*at), false);
  return p.s.reindexCacheRead(*at, buffer, p.scope(), map).getOutcome();
}

Tried reindexCacheWrite(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  int64_t buffer = p.random.chance(90) ? 0 : 1;
  AffineMap map = iteratorMap(p, p.s.get(*at), true);
  return p.s.reindexCacheWrite(*at, buffer, p.scope(), map).getOutcome();
}

/// Mostly a block that `fits`, else any; where none does, any in `orAny` of 100
/// cases.
std::optional<BlockRef> blockThat(Picker &p,
                                  llvm::function_ref<bool(nest::BlockOp)> fits,
                                  int orAny = 100) {
  SmallVector<nest::BlockOp> found;
  for (nest::BlockOp block : analysis::blocksIn(p.s.getFunc()))
    if (fits(block))
      found.push_back(block);
  if (found.empty() && !p.random.chance(orAny))
    return std::nullopt;
  if (found.empty() || p.random.chance(20))
    return p.block();
  return p.handle(p.random.pick(found));
}

bool updates(nest::BlockOp block) {
  return llvm::any_of(analysis::writtenBuffers(block), [&](Value buffer) {
    return analysis::readsBuffer(block, buffer);
  });
}

Tried cacheInplace(Picker &p) {
  auto at = blockThat(p, updates);
  if (!at)
    return std::nullopt;
  return p.s.cacheInplace(*at, p.random.chance(90) ? 0 : 1, p.scope())
      .getOutcome();
}

Tried storageAlign(Picker &p) {
  auto at = blockThat(p, [](nest::BlockOp block) {
    SmallVector<Value> written = analysis::writtenBuffers(block);
    return !written.empty() && written[0].getDefiningOp<nest::AllocOp>() &&
           cast<MemRefType>(written[0].getType()).getRank() > 1;
  });
  if (!at)
    return std::nullopt;
  int64_t axis = p.random.chance(70) ? 0 : p.number(0, 2);
  int64_t factor = p.random.chance(10) ? 0 : p.number(1, 16);
  return p.s.storageAlign(*at, 0, axis, factor,
                          p.number(0, std::max<int64_t>(factor - 1, 1)));
}

/// Moves a producer into a loop of a reader of its buffer.
std::optional<BlockRef> producerInside(Picker &p) {
  SmallVector<std::pair<nest::BlockOp, nest::BlockOp>> pairs;
  for (nest::BlockOp block : analysis::blocksIn(p.s.getFunc())) {
    SmallVector<Value> written = analysis::writtenBuffers(block);
    if (written.empty() || !written[0].getDefiningOp<nest::AllocOp>())
      continue;
    for (nest::BlockOp reader : analysis::readersOf(written[0], p.s.getFunc()))
      if (reader != block)
        pairs.push_back({block, reader});
  }
  if (pairs.empty())
    return std::nullopt;
  auto [producer, reader] = p.random.pick(pairs);
  auto at = p.handle(producer), to = p.handle(reader);
  LoopRefs loops = to ? p.loopsOf(*to) : LoopRefs();
  if (!at || loops.empty() || !p.s.computeAt(*at, p.oneOf(loops)).isDone())
    return std::nullopt;
  return at;
}

/// A block in one loop with a reader of what it writes, mostly.
Tried rollingBuffer(Picker &p) {
  auto at = blockThat(
      p,
      [&](nest::BlockOp block) {
        SmallVector<Value> written = analysis::writtenBuffers(block);
        SmallVector<nest::ForOp> loops = analysis::loopsAround(block);
        if (written.empty() || !written[0].getDefiningOp<nest::AllocOp>() ||
            loops.size() < 2 ||
            analysis::writersOf(written[0], p.s.getFunc()).size() > 1)
          return false;
        return llvm::any_of(
            analysis::readersOf(written[0], loops.front()),
            [&](nest::BlockOp reader) { return reader != block; });
      },
      10);
  if (!at && p.random.chance(70) && (at = producerInside(p))) {
    sched::Outcome outcome = p.s.rollingBuffer(*at, 0);
    return outcome.isRefused() ? p.made(Picker::Count::Refused) : outcome;
  }
  if (!at)
    return std::nullopt;
  return p.s.rollingBuffer(*at, p.random.chance(95) ? 0 : 1);
}
} // namespace

llvm::ArrayRef<StepKind> nestor::fuzz::dataSteps() {
  static const StepKind table[] = {
      {"cache_read", 4, true, cacheRead},
      {"cache_write", 4, true, cacheWrite},
      {"set_scope", 2, true, setScope},
      {"transform_layout", 4, true, layout},
      {"compact_buffers", 1, false, compact},
      {"reindex", 3, true, reindex},
      {"reindex_cache_read", 3, true, reindexCacheRead},
      {"reindex_cache_write", 3, true, reindexCacheWrite},
      {"cache_inplace", 3, true, cacheInplace,
       "update trmm lu seidel syrk trisolv"},
      {"storage_align", 2, true, storageAlign},
      {"rolling_buffer", 16, true, rollingBuffer, "window",
       "compute_at|compute_at|compute_at|compute_at compact_buffers"},
  };
  return table;
}
