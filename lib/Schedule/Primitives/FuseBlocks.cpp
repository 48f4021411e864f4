//===- FuseBlocks.cpp - fuse_blocks ---------------------------------------===//
//
//   for i in a..b { P(i) }   for i in c..d { Q(i) }     ==> shifted by s
//   for i in min(a, c + s)..max(b, d + s) { P(i) where a <= i < b
//                                           Q(i - s) where c <= i - s < d }
//
// The bounds of the common loops are those of either nest that hold for both,
// asked exactly; each nest keeps its own iterations by predicates where the
// common loops run through more. Legal when every dependence keeps its order:
// one question, with the new times of all blocks.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Dependence.h"
#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

namespace {
/// The outermost loops of one nest, with what their bounds say in terms of the
/// common loops.
struct Chain {
  Loops loops;
  SmallVector<LoopBounds> bounds;
  SmallVector<AffineExpr> constraints;
};
} // namespace

/// The loops around `block` from `top` on, each alone in the one around it but
/// for what the last one holds.
static Outcome findChain(Operation *top, nest::BlockOp block, size_t depth,
                         Chain &chain) {
  Operation *at = top;
  for (size_t l = 0; l < depth; ++l) {
    auto loop = dyn_cast_or_null<nest::ForOp>(at);
    if (!loop)
      return Outcome::refused("the nest of " + describe(block) + " has " +
                              Twine(l) + " loops directly inside each other, " +
                              Twine(depth) + " are to be fused")
          .note(block, "give fewer shifts, or move what else is in its loops "
                       "out first");
    if (loop.getKind() != nest::LoopKind::Serial)
      return Outcome::refused(describe(loop) + " is " +
                              stringifyLoopKind(loop.getKind()))
          .note(loop, "fuse blocks before giving loops a kind");
    chain.loops.push_back(loop);
    at = onlyChild(loop);
  }
  return Outcome::done();
}

/// Reads the bounds of `chain` with its variables replaced.
static void
readChain(Chain &chain,
          const llvm::DenseMap<AffineExpr, AffineExpr> &replacements,
          ArrayRef<int64_t> shift, AffineSpace &space) {
  for (auto [l, loop] : llvm::enumerate(chain.loops)) {
    LoopBounds bounds = LoopBounds::of(loop, space);
    for (SmallVector<AffineExpr> *list : {&bounds.lowers, &bounds.uppers})
      for (AffineExpr &bound : *list)
        bound = space.canonical(bound.replace(replacements) + shift[l]);
    chain.bounds.push_back(std::move(bounds));
    for (AffineExpr constraint : constraintsOf(loop, space))
      chain.constraints.push_back(
          space.canonical(constraint.replace(replacements)));
  }
}

static InstanceSet setOf(ArrayRef<AffineExpr> constraints, AffineSpace &space) {
  InstanceSet set(space);
  for (AffineExpr constraint : constraints)
    set.addNonNegative(set.row(constraint, 0));
  return set;
}

/// Whether `expr >= 0` on all points of `set`.
static bool holds(const InstanceSet &set, AffineExpr expr) {
  InstanceSet against = set;
  against.addNonNegative(against.row(-expr - 1, 0));
  return against.isEmpty();
}

/// The bounds of either chain that hold for both, or else the ends of their
/// ranges; none when there are no such.
static SmallVector<AffineExpr>
commonBounds(ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b, bool upper,
             AffineExpr var, ArrayRef<InstanceSet> sets, AffineSpace &space) {
  SmallVector<AffineExpr> all(a), found;
  llvm::append_range(all, b);
  auto take = [&](AffineExpr bound) {
    AffineExpr inside = upper ? bound - 1 - var : var - bound;
    if (!llvm::all_of(
            sets, [&](const InstanceSet &set) { return holds(set, inside); }))
      return;
    auto implies = [&](AffineExpr x, AffineExpr y) {
      return space.isNonNegative(upper ? y - x : x - y);
    };
    if (llvm::any_of(found, [&](AffineExpr x) { return implies(x, bound); }))
      return;
    llvm::erase_if(found, [&](AffineExpr x) { return implies(bound, x); });
    found.push_back(bound);
  };
  llvm::for_each(all, take);
  if (!found.empty())
    return found;
  for (AffineExpr bound : all) {
    Interval range = space.bounds(bound, [](nest::ForOp) { return true; });
    if (AffineExpr end = upper ? range.upper : range.lower)
      take(space.canonical(end));
  }
  return found;
}

static Outcome checkOrder(const Chain &first, const Chain &second,
                          ArrayRef<int64_t> shift, AffineSpace &space) {
  nest::ForOp top = first.loops.front(), otherTop = second.loops.front(),
              bottom = first.loops.back();
  Operation *scope = top->getParentOp();
  auto positionOf = [](Operation *op) {
    int64_t position = 0;
    for (Operation *up = op->getPrevNode(); up; up = up->getPrevNode())
      ++position;
    return position;
  };
  int64_t at = positionOf(top),
          length = positionOf(bottom.getBodyBlock()->getTerminator());
  auto isElsewhere = [&](Value buffer) {
    auto touches = [&](Operation *nest) {
      return llvm::any_of(buffer.getUsers(), [&](Operation *user) {
        return nest->isProperAncestor(user);
      });
    };
    return !touches(top) || !touches(otherTop);
  };
  DependenceOptions options;
  options.ignore = isElsewhere;
  std::optional<Conflict> conflict = findReversed(
      scope,
      [&](nest::BlockOp block) {
        Time time = timeOf(block, scope, space);
        if (!otherTop->isProperAncestor(block))
          return time;
        // Position, variable, position, ..., position in the last body.
        time[0] = space.constant(at);
        for (auto [l, by] : llvm::enumerate(shift))
          time[2 * l + 1] = time[2 * l + 1] + by;
        time[2 * shift.size()] =
            space.canonical(time[2 * shift.size()] + length);
        return time;
      },
      space, options);
  if (!conflict)
    return Outcome::done();
  return Outcome::refused(describe(conflict->secondBlock) + " needs " +
                          describe(conflict->first.buffer) + " of " +
                          describe(conflict->firstBlock) +
                          " from iterations that would come later")
      .note(conflict->firstBlock, "this access comes first now")
      .note(conflict->secondBlock,
            "and would not after this one; shift it further");
}

/// Predicates for the blocks below `nest`: what the common loops do not say.
static void keepIterations(RewriterBase &rewriter, Operation *nest,
                           ArrayRef<AffineExpr> constraints,
                           ArrayRef<AffineExpr> common, AffineSpace &space) {
  SmallVector<AffineExpr> missing;
  InstanceSet set = setOf(common, space);
  for (AffineExpr constraint : constraints) {
    if (holds(set, constraint))
      continue;
    missing.push_back(constraint);
    set.addNonNegative(set.row(constraint, 0));
  }
  if (missing.empty())
    return;
  SmallVector<nest::BlockOp> blocks = blocksIn(nest);
  if (auto block = dyn_cast<nest::BlockOp>(nest))
    blocks = {block};
  for (nest::BlockOp block : blocks)
    rewriter.modifyOpInPlace(block, [&]() {
      BlockForm form = BlockForm::of(block, space);
      for (AffineExpr constraint : missing)
        addConstraint(form, constraint, space);
      form.write(block, space);
    });
}

Outcome sched::fuseBlocks(RewriterBase &rewriter, nest::BlockOp first,
                          nest::BlockOp second, ArrayRef<int64_t> shift) {
  if (shift.empty())
    return Outcome::refused("fuse_blocks needs a shift for each loop to fuse")
        .note(second, "0 where this block is not to be shifted");
  Operation *scope = commonAncestor({first, second});
  Operation *top = childHolding(scope, first),
            *otherTop = childHolding(scope, second);
  if (top == otherTop ||
      (isa<nest::ForOp>(scope) && top == first && otherTop == second))
    return Outcome::refused(describe(first) + " and " + describe(second) +
                            " are in one nest already")
        .note(second, "fuse_blocks takes blocks of two nests; shift moves "
                      "blocks of one");
  Operation *next = top->getNextNode();
  while (isa<nest::AllocOp>(next))
    next = next->getNextNode();
  if (next != otherTop)
    return Outcome::refused("the nest of " + describe(second) +
                            " does not follow directly after that of " +
                            describe(first))
        .note(second, "what stands in between has to move first; or name the "
                      "blocks in their order");
  Chain chains[2];
  if (Outcome outcome = findChain(top, first, shift.size(), chains[0]);
      !outcome.isDone())
    return outcome;
  if (Outcome outcome = findChain(otherTop, second, shift.size(), chains[1]);
      !outcome.isDone())
    return outcome;

  AffineSpace space(funcOf(first));
  SmallVector<AffineExpr> vars, around;
  SmallVector<std::pair<AffineExpr, AffineExpr>> renamed;
  llvm::DenseMap<AffineExpr, AffineExpr> replacements, same;
  for (auto [l, loop] : llvm::enumerate(chains[0].loops)) {
    vars.push_back(space.of(nest::ForOp(loop).getInductionVar()));
    renamed.push_back({space.of(chains[1].loops[l].getInductionVar()),
                       space.canonical(vars[l] - shift[l])});
    replacements[renamed[l].first] = renamed[l].second;
  }
  readChain(chains[0], same, SmallVector<int64_t>(shift.size(), 0), space);
  readChain(chains[1], replacements, shift, space);
  for (nest::ForOp loop : loopsAround(top))
    llvm::append_range(around, constraintsOf(loop, space));
  SmallVector<InstanceSet, 2> sets;
  for (const Chain &chain : chains) {
    SmallVector<AffineExpr> all(around);
    llvm::append_range(all, chain.constraints);
    sets.push_back(setOf(all, space));
  }
  SmallVector<LoopBounds> common(shift.size());
  for (size_t l = 0; l < shift.size(); ++l) {
    const LoopBounds &a = chains[0].bounds[l], &b = chains[1].bounds[l];
    common[l] = {commonBounds(a.lowers, b.lowers, false, vars[l], sets, space),
                 commonBounds(a.uppers, b.uppers, true, vars[l], sets, space)};
    if (common[l].lowers.empty() || common[l].uppers.empty())
      return Outcome::refused("no bound of " + describe(chains[0].loops[l]) +
                              " or " + describe(chains[1].loops[l]) +
                              " is shown to hold for both")
          .note(chains[1].loops[l],
                "facts about sizes can tell which ends later; or cut both with "
                "split_domain");
  }
  if (Outcome outcome = checkOrder(chains[0], chains[1], shift, space);
      !outcome.isDone())
    return outcome;

  // Buffers of the second nest have to be there before both.
  for (Operation *op = top->getNextNode(); op != otherTop;) {
    Operation *after = op->getNextNode();
    rewriter.moveOpBefore(op, top);
    op = after;
  }
  SmallVector<AffineExpr> ranges(around);
  for (auto [loop, bounds] : llvm::zip_equal(chains[0].loops, common)) {
    rewriter.modifyOpInPlace(
        loop, [&, l = loop, &b = bounds]() { b.write(l, space); });
    llvm::append_range(ranges, constraintsOf(loop, space));
  }
  keepIterations(rewriter, top, chains[0].constraints, ranges, space);
  nest::ForOp bottom = chains[0].loops.back(),
              otherBottom = chains[1].loops.back();
  SmallVector<Operation *> moved;
  for (Operation &op : otherBottom.getBodyBlock()->without_terminator())
    moved.push_back(&op);
  replaceVariables(rewriter, otherBottom, renamed, space);
  moveBody(rewriter, otherBottom, bottom.getBodyBlock()->getTerminator());
  eraseEmptyLoops(rewriter, otherBottom);
  for (Operation *op : moved)
    keepIterations(rewriter, op, chains[1].constraints, ranges, space);
  return Outcome::done();
}

Outcome FuseBlocksOp::run(Invocation &at) {
  return at.call(sched::fuseBlocks, getFirst(), getSecond(), getShift());
}

NESTOR_PRIMITIVE(fuse_blocks) = {
    .name = "fuse_blocks",
    .family = "affine",
    .does = "Two nests share their loops, the second shifted.",
    .law = "Every dependence keeps its order, with the second nest as many "
           "iterations later as the shift says.",
    .refuses =
        "blocks of one nest, or of nests that do not follow each other "
        "directly\n"
        "nests with fewer loops, alone inside each other, than the shift has "
        "numbers\n"
        "loops that are not serial\n"
        "bounds of which none is shown to hold for both nests\n"
        "a shift after which the second needs what the first has not done yet",
    .syntax = "fuse_blocks %first, %second shift [BY, ...]",
    .notes = R"(
The loops of the first nest stay, those of the second vanish. What stands inside
of the last fused loops moves as it is. Each block gets a predicate where the
common loops run through more than its own did.
)",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %B: memref<7xf32>) {
  %T = nest.alloc : memref<8xf32>
  nest.for %i = 0 to 8 {
    nest.block "P" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      %b = arith.negf %a : f32
      memref.store %b, %T[%v] : memref<8xf32>
    }
  }
  nest.for %i = 0 to 7 {
    nest.block "C" (%v : spatial = %i to 7) {
      %c1 = arith.constant 1 : index
      %next = arith.addi %v, %c1 : index
      %a = memref.load %T[%v] : memref<8xf32>
      %b = memref.load %T[%next] : memref<8xf32>
      %c = arith.addf %a, %b : f32
      memref.store %c, %B[%v] : memref<7xf32>
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
%c = get_block "C" in %root
fuse_blocks %p, %c shift [1]
)",
};
