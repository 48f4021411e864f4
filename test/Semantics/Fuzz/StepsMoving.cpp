// Where blocks stand, and what becomes of reductions.
#include "Steps.h"

#include "nestor/Analysis/Blocks.h"

using namespace nestor;
using namespace nestor::fuzz;
using namespace nestor::sched;

namespace {
/// A block that reads what `ref` writes (or writes what it reads), mostly; any
/// block otherwise.
std::optional<BlockRef> neighbour(Picker &p, BlockRef ref, bool reads) {
  nest::BlockOp block = p.s.get(ref);
  llvm::SmallVector<nest::BlockOp> found;
  if (p.random.chance(85))
    for (nest::BlockOp other : analysis::blocksIn(p.s.getFunc())) {
      auto mine = reads ? analysis::writtenBuffers(block)
                        : analysis::readBuffers(block);
      auto theirs = reads ? analysis::readBuffers(other)
                          : analysis::writtenBuffers(other);
      if (other != block && llvm::any_of(mine, [&](mlir::Value buffer) {
            return llvm::is_contained(theirs, buffer);
          }))
        found.push_back(other);
    }
  return found.empty() ? p.block() : p.handle(p.random.pick(found));
}

std::optional<LoopRef> loopNear(Picker &p, BlockRef ref, bool reads) {
  auto other = neighbour(p, ref, reads);
  LoopRefs loops = other ? p.loopsOf(*other) : LoopRefs();
  if (loops.empty())
    return std::nullopt;
  return p.oneOf(loops);
}

Tried computeAt(Picker &p) {
  auto at = p.block();
  auto target = at ? loopNear(p, *at, true) : std::nullopt;
  if (!target)
    return std::nullopt;
  return p.s.computeAt(*at, *target);
}

Tried reverseComputeAt(Picker &p) {
  auto at = p.block();
  auto target = at ? loopNear(p, *at, false) : std::nullopt;
  if (!target)
    return std::nullopt;
  return p.s.reverseComputeAt(*at, *target);
}

Tried computeInline(Picker &p) {
  // A padded copy, if there is one: skip_padding is for what reads it.
  auto pads = [](nest::BlockOp block) {
    return block.getInit().empty() && !block.hasNest() &&
           !block.getBodyBlock()->getOps<mlir::scf::IfOp>().empty();
  };
  auto at = p.random.chance(50) ? p.blockThat(pads) : p.block();
  if (!at)
    return std::nullopt;
  return p.s.computeInline(*at);
}

Tried reverseComputeInline(Picker &p) {
  auto at = p.block();
  if (!at)
    return std::nullopt;
  return p.s.reverseComputeInline(*at);
}

/// A reduction and a block that reads what it makes, mostly.
Tried fuseEpilogue(Picker &p) {
  llvm::SmallVector<std::pair<nest::BlockOp, nest::BlockOp>> pairs;
  auto isReduction = [](nest::BlockOp block) {
    return analysis::kindOf(block) == analysis::BlockKind::Reduction;
  };
  auto blocks = analysis::blocksIn(p.s.getFunc());
  for (nest::BlockOp first : blocks)
    for (nest::BlockOp second : blocks)
      if (isReduction(first) && !isReduction(second) &&
          llvm::any_of(analysis::writtenBuffers(first), [&](mlir::Value b) {
            return analysis::readsBuffer(second, b);
          }))
        pairs.push_back({first, second});
  std::optional<BlockRef> at, other;
  if (!pairs.empty() && p.random.chance(80)) {
    auto [first, second] = p.random.pick(pairs);
    at = p.handle(first);
    other = p.handle(second);
  } else {
    at = p.block();
    other = at ? neighbour(p, *at, p.random.chance(80)) : std::nullopt;
  }
  if (!at || !other)
    return std::nullopt;
  return p.s.fuseEpilogue(*other, *at);
}

Tried fuseBlocks(Picker &p) {
  auto at = p.block();
  auto other = at ? neighbour(p, *at, true) : std::nullopt;
  if (!other)
    return std::nullopt;
  llvm::SmallVector<int64_t> shift;
  auto most = static_cast<int64_t>(
      std::min(p.loopsOf(*at).size(), p.loopsOf(*other).size()));
  for (int64_t n = p.random.in(1, std::max<int64_t>(1, most)); n > 0; --n)
    shift.push_back(p.random.chance(50) ? 0 : p.number(0, 3));
  return p.s.fuseBlocks(*at, *other, shift);
}

/// A block that writes a buffer of the kernel which others under one of its
/// loops read, mostly.
Tried privatize(Picker &p) {
  auto at = p.blockThat([&](nest::BlockOp block) {
    auto written = analysis::writtenBuffers(block);
    auto loops = analysis::loopsAround(block);
    return !written.empty() && !loops.empty() &&
           written[0].getDefiningOp<nest::AllocOp>() &&
           llvm::all_of(written[0].getUsers(), [&](mlir::Operation *user) {
             return loops.front()->isAncestor(user);
           });
  });
  LoopRefs loops = at ? p.loopsOf(*at) : LoopRefs();
  if (loops.empty())
    return std::nullopt;
  return p.s.privatize(*at, 0, p.oneOf(loops));
}

Tried decompose(Picker &p) {
  LoopRefs loops;
  auto at = p.blockIn(loops);
  if (!at)
    return std::nullopt;
  return p.s.decomposeReduction(*at, p.oneOf(loops)).getOutcome();
}

/// A loop that a reduction with an init reduces over, mostly.
std::optional<LoopRef> reduceLoop(Picker &p) {
  auto at = p.blockThat([](nest::BlockOp block) {
    return !block.getInit().empty() &&
           analysis::kindOf(block) == analysis::BlockKind::Reduction;
  });
  LoopRefs loops = at ? p.loopsOf(*at) : LoopRefs();
  if (loops.empty())
    return std::nullopt;
  LoopRefs found;
  for (LoopRef loop : loops)
    if (analysis::feeds(p.s.get(loop), p.s.get(*at),
                        nest::IteratorKind::Reduce))
      found.push_back(loop);
  return p.oneOf(found.empty() || p.random.chance(25) ? loops : found);
}

Tried rfactor(Picker &p) {
  auto target = reduceLoop(p);
  if (!target)
    return std::nullopt;
  return p.s.rfactor(*target, p.number(0, 2)).getOutcome();
}

Tried splitK(Picker &p) {
  auto target = reduceLoop(p);
  if (!target)
    return std::nullopt;
  int64_t parts = p.number(1, 5);
  return p.s.splitK(*target, parts, p.number(0, 2)).getOutcome();
}

/// Reductions one after the other, mostly at a loop beside which the others
/// stand.
Tried fuseReductions(Picker &p) {
  LoopRefs loops;
  auto at = p.blockIn(loops);
  if (!at)
    return std::nullopt;
  LoopRef loop = p.oneOf(loops, p.random.chance(70));
  llvm::SmallVector<BlockRef> blocks = {*at};
  mlir::Operation *parent = p.s.getFunc();
  if (p.random.chance(80)) {
    // Up from the block to where more than one reduction is.
    auto reductions = [](mlir::Operation *root) {
      return llvm::count_if(analysis::blocksIn(root), [](nest::BlockOp block) {
        return !block.getInit().empty();
      });
    };
    for (size_t i = loops.size(); i-- > 0;) {
      nest::ForOp here = p.s.get(loops[i]);
      if (reductions(here->getParentOp()) < 2)
        continue;
      loop = loops[i];
      parent = here->getParentOp();
      break;
    }
  }
  for (nest::BlockOp other : analysis::blocksIn(parent)) {
    if (other == p.s.get(*at) || other.getInit().empty() || blocks.size() == 3)
      continue;
    if (auto ref = p.handle(other); ref && p.random.chance(85))
      blocks.push_back(*ref);
  }
  return p.s.fuseReductions(blocks, loop).getOutcome();
}
} // namespace

llvm::ArrayRef<StepKind> nestor::fuzz::movingSteps() {
  static const StepKind table[] = {
      {"compute_at", 5, true, computeAt},
      {"reverse_compute_at", 5, true, reverseComputeAt},
      {"compute_inline", 3, true, computeInline},
      {"reverse_compute_inline", 5, true, reverseComputeInline},
      {"decompose_reduction", 4, true, decompose,
       "einsum conv matmuls rows layernorm attention argmax update syrk"},
      {"rfactor", 4, true, rfactor,
       "einsum conv matmuls rows layernorm attention syrk"},
      {"fuse_epilogue", 4, true, fuseEpilogue,
       "einsum conv matmuls update attention"},
      {"fuse_blocks", 3, true, fuseBlocks, "map window stencil rows halves"},
      {"privatize", 2, true, privatize, "", "compute_at|reverse_compute_at"},
      {"split_k", 4, true, splitK,
       "einsum conv matmuls rows layernorm attention syrk"},
      {"fuse_reductions", 8, true, fuseReductions, "online flash flash"},
  };
  return table;
}
