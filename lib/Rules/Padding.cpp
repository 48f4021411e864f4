//===- Padding.cpp - Windows that reach over the border -------------------===//
//
// A tiled reduction that reads a copy with a border of neutral elements reads
// the original instead:
//
//   P = X with zeros around it
//   for h, wo: for r, s: tile += P[h + r, ..] * W
//   ==>
//   for h
//     for wo at a border: for r that stay inside: for s that do: tile += X * W
//     for wo between:     for r that stay inside: for s: tile += X * W
//
// Rows outside are left out by the bounds of loops, columns by the copies of
// the code that only borders run.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

/// Loops of more iterations are not copied for a border.
static constexpr int64_t kMaxCopies = 8;

/// Whether `block` stores a choice between a value and something else, as
/// paddings do; primitives look closer.
static bool mayPad(nest::BlockOp block) {
  if (kindOf(block) != BlockKind::Complete)
    return false;
  for (const Access &access : accessesOf(block))
    if (access.isWrite && !access.conditional) {
      Value stored = cast<memref::StoreOp>(access.op).getValueToStore();
      return isa_and_nonnull<arith::SelectOp, scf::IfOp>(
          stored.getDefiningOp());
    }
  return false;
}

/// The reductions that read what `block` makes, when nobody else does.
static SmallVector<std::string> reductionsOf(nest::BlockOp block,
                                             nest::FuncOp func) {
  SmallVector<std::string> names;
  Value buffer = writtenBuffers(block).front();
  if (!buffer.getDefiningOp<nest::AllocOp>())
    return {};
  for (nest::BlockOp reader : readersOf(buffer, func)) {
    if (kindOf(reader) != BlockKind::Reduction || reader.getInitBlock())
      return {};
    names.push_back(reader.getName().str());
  }
  return names;
}

/// The loops that the predicate of `block` names, outermost first.
static SmallVector<nest::ForOp> guardedLoops(nest::BlockOp block) {
  AffineSpace space(block);
  BlockForm form = BlockForm::of(block, space);
  SmallVector<nest::ForOp> result;
  for (nest::ForOp loop : loopsAround(block)) {
    AffineExpr variable = space.of(loop.getInductionVar());
    if (llvm::any_of(form.constraints, [&](const BlockForm::Constraint &c) {
          return AffineSpace::uses(c.expr, variable);
        }))
      result.push_back(loop);
  }
  return result;
}

/// Calls `visit` with a handle of each serial loop that guards the block.
static void forEachGuarded(RuleContext &context, llvm::StringRef name,
                           llvm::function_ref<bool(sched::LoopRef)> visit) {
  sched::Schedule &s = context.schedule;
  auto ref = s.getBlock(name);
  if (!context.accept("get_block", ref))
    return;
  SmallVector<nest::ForOp> guarded = guardedLoops(s.get(*ref));
  llvm::erase_if(guarded, [](nest::ForOp loop) {
    return loop.getKind() != nest::LoopKind::Serial;
  });
  if (guarded.empty())
    return;
  auto loops = s.getLoops(*ref);
  if (!context.accept("get_loops", loops))
    return;
  for (sched::LoopRef loop : *loops)
    if (llvm::is_contained(guarded, s.get(loop)) && !visit(loop))
      return;
}

/// Whether `loop` runs over tiles: its iterations hold code for several
/// positions at once.
static bool holdsTile(nest::ForOp loop) {
  for (nest::BlockOp block : blocksIn(loop))
    if (feeds(loop, block, nest::IteratorKind::Reduce))
      return false; // taps
  return loop
      .walk([&](nest::ForOp inner) {
        return inner.getKind() != nest::LoopKind::Serial
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

static void separateBorders(RuleContext &context, llvm::StringRef name) {
  sched::Schedule &s = context.schedule;
  llvm::StringSet<llvm::MallocAllocator> before;
  for (nest::BlockOp block : blocksIn(s.getFunc()))
    before.insert(block.getName());
  forEachGuarded(context, name, [&](sched::LoopRef loop) {
    nest::ForOp op = s.get(loop);
    if (!holdsTile(op) || op.getConstantTripCount() == 1)
      return true;
    return !context.accept("separate_full_partial",
                           s.separateFullPartial(loop));
  });
  // At a border, positions and columns are numbers.
  SmallVector<std::string> names{name.str()};
  for (nest::BlockOp block : blocksIn(s.getFunc()))
    if (!before.contains(block.getName())) {
      context.done.insert(block.getName());
      names.push_back(block.getName().str());
    }
  for (const std::string &block : names)
    forEachGuarded(context, block, [&](sched::LoopRef loop) {
      std::optional<int64_t> count = s.get(loop).getConstantTripCount();
      if (count && *count > 1 && *count <= kMaxCopies)
        context.accept("unroll", s.unroll(loop));
      return true;
    });
}

void rules::skipPaddings(RuleContext &context) {
  sched::Schedule &s = context.schedule;
  SmallVector<std::string> paddings;
  for (nest::BlockOp block : blocksIn(s.getFunc()))
    if (mayPad(block))
      paddings.push_back(block.getName().str());
  for (const std::string &padding : paddings) {
    auto ref = s.getBlock(padding);
    if (!context.accept("get_block", ref))
      continue;
    SmallVector<std::string> readers = reductionsOf(s.get(*ref), s.getFunc());
    if (readers.empty())
      continue;
    auto inlineIt = [&](sched::Schedule &on) {
      if (!context.accept("compute_inline", on.computeInline(*ref)))
        return false;
      return llvm::all_of(readers, [&](const std::string &name) {
        auto reader = on.getBlock(name);
        return context.accept("get_block", reader) &&
               context.accept("skip_padding", on.skipPadding(*reader));
      });
    };
    if (context.attempt(inlineIt))
      for (const std::string &name : readers)
        separateBorders(context, name);
  }
}
