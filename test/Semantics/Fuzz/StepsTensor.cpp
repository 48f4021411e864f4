// Blocks in blocks, other iterators, padding; pipelines and prefetches.
#include "Steps.h"

#include "nestor/Analysis/Blocks.h"
#include "nestor/Intrin/Match.h"

#include "fmt/format.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::fuzz;
using namespace nestor::sched;

namespace {
Tried blockize(Picker &p) {
  auto target = p.loop(p.random.chance(60));
  if (!target)
    return std::nullopt;
  return p.s.blockize(*target).getOutcome();
}

/// The innermost loops of a sum, one or two, as a block; the sum starts in
/// front of the loops that add.
std::optional<BlockRef> innermostOf(Picker &p, BlockRef sum) {
  LoopRefs loops = p.loopsOf(sum);
  auto inside = static_cast<size_t>(p.number(1, 2));
  if (loops.size() < inside)
    return std::nullopt;
  LoopRef target = loops[loops.size() - inside];
  if (!p.s.get(sum).getInit().empty()) {
    auto first = llvm::find_if(loops, [&](LoopRef loop) {
      return analysis::feeds(p.s.get(loop), p.s.get(sum),
                             nest::IteratorKind::Reduce);
    });
    if (first == loops.end() || !p.s.decomposeReduction(sum, *first))
      return std::nullopt;
  }
  auto block = p.s.blockize(target);
  return block ? std::optional<BlockRef>(*block) : std::nullopt;
}

/// Makes an instance of a few columns of a sum of products: its innermost
/// loop, cut and alone inside of a block.
std::optional<BlockRef> instanceOf(Picker &p, BlockRef sum) {
  LoopRefs loops = p.loopsOf(sum);
  if (loops.empty())
    return std::nullopt;
  size_t at = p.random.chance(70)
                  ? loops.size() - 1
                  : p.random.in(0, static_cast<int64_t>(loops.size()) - 1);
  auto parts = p.s.split(loops[at], {-1, p.number(1, 8)});
  if (!parts)
    return std::nullopt;
  LoopRefs order{(*parts)[0]};
  order.append(loops.begin() + static_cast<ptrdiff_t>(at) + 1, loops.end());
  order.push_back((*parts)[1]);
  if (order.size() > 2 && !p.s.reorder(order).isDone())
    return std::nullopt;
  if (!p.s.get(sum).getInit().empty())
    (void)p.s.decomposeReduction(sum, order.front());
  auto block = p.s.blockize((*parts)[1]);
  return block ? std::optional<BlockRef>(*block) : std::nullopt;
}

/// A block that holds a nest, and mostly an intrinsic that it is.
Tried tensorize(Picker &p) {
  bool makes = p.random.chance(80);
  auto at = p.blockThat([&](nest::BlockOp block) {
    analysis::Obstacle obstacle;
    return makes ? analysis::contractionOf(block, obstacle).has_value()
                 : block.hasNest();
  });
  if (!at)
    return std::nullopt;
  // What was made on the way stays, whatever becomes of the last step.
  bool made = makes && !p.s.get(*at).hasNest();
  if (made &&
      !(at = p.random.chance(60) ? innermostOf(p, *at) : instanceOf(p, *at)))
    return p.made(Picker::Count::Nothing);
  std::vector<const intrin::Record *> fitting;
  for (const intrin::Record &record : intrin::records()) {
    analysis::Obstacle obstacle;
    if (intrin::match(record, p.s.get(*at), obstacle))
      fitting.push_back(&record);
  }
  llvm::ArrayRef<intrin::Record> all = intrin::records();
  const intrin::Record &record =
      fitting.empty() || p.random.chance(10)
          ? all[p.random.in(0, static_cast<int64_t>(all.size()) - 1)]
          : *p.random.pick(fitting);
  p.say(record.name);
  sched::Outcome outcome = p.s.tensorize(*at, record.name);
  return made && outcome.isRefused() ? p.made(Picker::Count::Refused) : outcome;
}

/// Iterators permuted, joined two by two, cut into digits; sometimes lost.
Tried blockLayout(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  nest::BlockOp block = p.s.get(*at);
  MLIRContext *context = block.getContext();
  SmallVector<AffineExpr> results;
  unsigned count = block.getNumIterators();
  for (unsigned n = 0; n < count; ++n) {
    AffineExpr dim = getAffineDimExpr(n, context);
    bool same = n + 1 < count &&
                (block.getIteratorKind(n) == block.getIteratorKind(n + 1) ||
                 p.random.chance(5));
    std::optional<int64_t> extent =
        same ? block.getConstantExtent(n + 1) : std::nullopt;
    if (extent && p.random.chance(40)) {
      results.push_back(dim * *extent + getAffineDimExpr(++n, context));
      continue;
    }
    int64_t factor = p.random.chance(25) ? p.random.in(2, 4) : 1;
    if (factor > 1)
      results.push_back(dim.floorDiv(factor));
    results.push_back(factor > 1 ? dim % factor : dim);
  }
  if (p.random.chance(40))
    p.random.shuffle(results);
  if (!results.empty() && p.random.chance(8))
    results.pop_back();
  AffineMap map = AffineMap::get(count, 0, results, context);
  p.say(map);
  return p.s.transformBlockLayout(*at, map);
}

Tried padEinsum(Picker &p) {
  auto at =
      p.blockThat([](nest::BlockOp block) { return !block.getInit().empty(); });
  if (!at)
    return std::nullopt;
  SmallVector<Param> multiples;
  for (unsigned n = p.s.get(*at).getNumIterators(); n > 0; --n)
    multiples.push_back(Param(p.random.chance(40) ? 1 : p.number(1, 8)));
  if (p.random.chance(5))
    multiples.push_back(Param(2));
  return p.s.padEinsum(*at, multiples);
}

Tried decomposePadding(Picker &p) {
  auto at = p.blockThat([](nest::BlockOp block) {
    return block.getInit().empty() &&
           !block.getBodyBlock()->getOps<scf::IfOp>().empty();
  });
  LoopRefs loops = at ? p.loopsOf(*at) : LoopRefs();
  if (loops.empty())
    return std::nullopt;
  return p.s.decomposePadding(*at, p.oneOf(loops)).getOutcome();
}

bool chooses(nest::BlockOp block) {
  Block &body = *block.getBodyBlock();
  return !block.hasNest() && (!body.getOps<scf::IfOp>().empty() ||
                              !body.getOps<arith::SelectOp>().empty());
}

bool reduces(nest::BlockOp block) {
  return analysis::kindOf(block) == analysis::BlockKind::Reduction;
}

/// A padded copy and a reduction that reads it.
std::optional<std::pair<nest::BlockOp, nest::BlockOp>> paddedSum(Picker &p) {
  SmallVector<std::pair<nest::BlockOp, nest::BlockOp>> pairs;
  auto blocks = analysis::blocksIn(p.s.getFunc());
  for (nest::BlockOp copy : blocks) {
    SmallVector<Value> written = analysis::writtenBuffers(copy);
    if (!copy.getInit().empty() || !chooses(copy) || written.size() != 1)
      continue;
    for (nest::BlockOp sum : blocks)
      if (sum != copy && reduces(sum) &&
          analysis::readsBuffer(sum, written.front()))
        pairs.push_back({copy, sum});
  }
  if (pairs.empty())
    return std::nullopt;
  return p.random.pick(pairs);
}

/// A reduction that chooses what it adds. Where there is a padded copy in front
/// of one, or pad_einsum makes one, mostly that one, with the copy inside and
/// its start in front.
Tried skipPadding(Picker &p) {
  auto pair = p.random.chance(80) ? paddedSum(p) : std::nullopt;
  bool made = false;
  if (!pair && p.random.chance(50)) {
    auto at = p.blockThat([](nest::BlockOp block) {
      return reduces(block) && !block.getInit().empty();
    });
    SmallVector<Param> multiples;
    if (at)
      for (unsigned n = p.s.get(*at).getNumIterators(); n > 0; --n)
        multiples.push_back(Param(p.number(1, 4)));
    made = at && p.s.padEinsum(*at, multiples).isDone();
    if (made)
      pair = paddedSum(p);
  }
  if (!pair) {
    auto at = p.blockThat(
        [&](nest::BlockOp block) { return reduces(block) && chooses(block); });
    if (made || !at)
      return made ? Tried(p.made(Picker::Count::Nothing)) : std::nullopt;
    return p.s.skipPadding(*at);
  }
  auto copy = p.handle(pair->first), sum = p.handle(pair->second);
  if (!copy || !sum || !p.s.computeInline(*copy).isDone())
    return made ? Tried(p.made(Picker::Count::Nothing)) : std::nullopt;
  if (!p.s.get(*sum).getInit().empty() && p.random.chance(90)) {
    LoopRefs loops = p.loopsOf(*sum);
    auto first = llvm::find_if(loops, [&](LoopRef loop) {
      return analysis::feeds(p.s.get(loop), p.s.get(*sum),
                             nest::IteratorKind::Reduce);
    });
    if (first != loops.end())
      (void)p.s.decomposeReduction(*sum, *first);
  }
  sched::Outcome outcome = p.s.skipPadding(*sum);
  return outcome.isRefused() ? p.made(Picker::Count::Refused) : outcome;
}

/// A loop with several things in its body, mostly.
std::optional<LoopRef> fullLoop(Picker &p) {
  SmallVector<nest::ForOp> full;
  p.s.getFunc().walk([&](nest::ForOp loop) {
    unsigned things = 0;
    for (Operation &op : *loop.getBodyBlock())
      things += isa<nest::ForOp, nest::BlockOp>(op);
    if (things > 1)
      full.push_back(loop);
  });
  if (full.empty() || p.random.chance(10))
    return p.loop();
  return p.handle(p.random.pick(full));
}

Tried pipeline(Picker &p) {
  auto target = fullLoop(p);
  if (!target)
    return std::nullopt;
  SmallVector<int64_t> stages, order;
  int64_t stage = 0;
  for (Operation &op : p.s.get(*target).getBodyBlock()->without_terminator()) {
    if (isa<nest::AllocOp>(op))
      continue;
    order.push_back(static_cast<int64_t>(order.size()));
    stages.push_back(stage);
    stage += p.random.chance(60) ? 1 : 0;
  }
  if (p.random.chance(60))
    std::reverse(order.begin(), order.end());
  else if (p.random.chance(30))
    p.random.shuffle(order);
  if (p.random.chance(10))
    p.random.shuffle(stages);
  if (p.random.chance(5))
    stages.push_back(0);
  for (auto [s, o] : llvm::zip(stages, order))
    p.say(fmt::format("{}/{}", s, o));
  return p.s.pipeline(*target, stages, order);
}

/// A block that writes a buffer of a loop, mostly.
Tried doubleBuffer(Picker &p) {
  auto at = p.blockThat([](nest::BlockOp block) {
    return llvm::any_of(analysis::writtenBuffers(block), [](Value buffer) {
      Operation *alloc = buffer.getDefiningOp();
      return alloc && isa<nest::ForOp>(alloc->getParentOp());
    });
  });
  if (!at)
    return std::nullopt;
  return p.s.doubleBuffer(*at, p.random.chance(95) ? 0 : 1);
}

Tried prefetch(Picker &p) {
  LoopRefs loops;
  auto at = p.blockIn(loops);
  if (!at)
    return std::nullopt;
  int64_t buffer = p.number(0, 2);
  return p.s.prefetch(*at, buffer, p.oneOf(loops), p.number(0, 5));
}
} // namespace

llvm::ArrayRef<StepKind> nestor::fuzz::tensorSteps() {
  static const StepKind table[] = {
      {"blockize", 3, true, blockize, "", "split|split reorder"},
      {"tensorize", 4, true, tensorize, "products products products matmuls"},
      {"transform_block_layout", 3, true, blockLayout},
      {"pad_einsum", 3, true, padEinsum, "einsum matmuls matmuls attention"},
      {"decompose_padding", 4, true, decomposePadding, "padded"},
      {"skip_padding", 8, true, skipPadding, "padded",
       "compute_inline decompose_reduction|compute_inline split "
       "decompose_reduction"},
      {"pipeline", 3, true, pipeline, "",
       "compute_at|cache_read compute_at|reverse_compute_at|compute_at "
       "compact_buffers"},
      {"double_buffer", 3, true, doubleBuffer, "",
       "compute_at compact_buffers|compute_at|compute_at privatize"},
      {"prefetch", 2, true, prefetch},
  };
  return table;
}
