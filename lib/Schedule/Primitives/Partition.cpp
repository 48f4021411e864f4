//===- Partition.cpp - separate_full_partial ------------------------------===//
//
//   for i in 0..ceil(n / 4) { for ii in 0..4 { S where 4 * i + ii < n } }
//   ==>  for i in 0..floor(n / 4) { for ii in 0..4 { S } }
//        for i in floor(n / 4)..ceil(n / 4) { ... S where 4 * i + ii < n }
//
//   for i in 0..m { for ii in 0..4 { for jj in 0..min(4, 4 * i + ii - j) { S }
//   } }
//   ==>  the first i with 4 * i + ii - j < 4 for some ii, as they are
//        for i in ceil((j + 4) / 4)..m { for ii in 0..4 { for jj in 0..4 { S }
//        } }
//
// An iteration is full when all predicates below hold, and all bounds that make
// tiles smaller stay out of the way, whatever the loops inside do: for a linear
// form that is so when it holds at the corner of the tile where it is least.
// The full iterations are cut out of the loop as a range; the order of
// iterations stays, so that nothing else has to be checked.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// Each cut is one more copy of what the loop holds.
static constexpr size_t kMaxCuts = 4;

namespace {
/// The bounds between which a loop is a tile: the only ones, or two that are a
/// constant apart.
struct Tile {
  AffineExpr lower, upper;
};

/// Something that holds in a full iteration: `expr >= 0`, from a predicate of a
/// block or from one of several bounds of a loop.
struct Need {
  Operation *owner;
  AffineExpr expr;  // of a predicate, as it stands there
  AffineExpr bound; // of a loop, one to go
  bool ofUpper;     // among its upper ones
  AffineExpr cut;   // holds from (upper: below) this iteration on
  bool upper = false;
};

class Partition {
public:
  Partition(nest::ForOp loop, AffineSpace &space)
      : loop(loop), space(space), var(space.of(loop.getInductionVar())),
        bounds(LoopBounds::of(loop, space)) {}

  /// What can be taken out of the full part.
  void collect() {
    auto add = [&](Operation *op) {
      if (auto block = dyn_cast<nest::BlockOp>(op)) {
        for (const BlockForm::Constraint &constraint :
             BlockForm::of(block, space).constraints)
          if (!constraint.equal)
            consider({block, constraint.expr, {}, false, {}}, constraint.expr);
        return;
      }
      auto inner = dyn_cast<nest::ForOp>(op);
      std::optional<Tile> tile =
          inner && inner != loop ? tileOf(inner) : std::nullopt;
      if (!tile)
        return;
      LoopBounds all = LoopBounds::of(inner, space);
      // A bound stays out of the way when the ends of the tile satisfy it; as a
      // constraint it has no division.
      SmallVector<AffineExpr> constraints = constraintsOf(inner, space);
      AffineExpr inside = space.of(inner.getInductionVar());
      for (auto [n, constraint] : llvm::enumerate(constraints)) {
        bool upper = n >= all.lowers.size();
        AffineExpr bound =
            upper ? all.uppers[n - all.lowers.size()] : all.lowers[n];
        if (bound != (upper ? tile->upper : tile->lower))
          consider({inner, {}, bound, upper, {}},
                   constraint.replace(inside,
                                      upper ? tile->upper - 1 : tile->lower));
      }
    };
    loop->walk<WalkOrder::PreOrder>([&](Operation *op) {
      add(op);
      // Nests inside of blocks know nothing of the loop.
      return isa<nest::BlockOp>(op) ? WalkResult::skip()
                                    : WalkResult::advance();
    });
  }

  /// The distinct iterations to cut at, last ones first.
  SmallVector<AffineExpr> cuts(bool upper) {
    SmallVector<AffineExpr> result;
    auto implies = [&](AffineExpr a, AffineExpr b) {
      return space.isNonNegative(upper ? b - a : a - b);
    };
    for (const Need &need : needs) {
      if (!need.cut || need.upper != upper ||
          llvm::any_of(result,
                       [&](AffineExpr c) { return implies(c, need.cut); }))
        continue;
      llvm::erase_if(result,
                     [&](AffineExpr c) { return implies(need.cut, c); });
      result.push_back(need.cut);
    }
    return result;
  }

  /// Cuts `loop` at an iteration; the other part is a copy.
  nest::ForOp cut(RewriterBase &rewriter, AffineExpr at, bool upper) {
    LoopBounds other = bounds;
    nest::ForOp copy =
        cloneAfter(rewriter, loop, loop, upper ? "_tail" : "_head");
    if (!upper)
      rewriter.moveOpBefore(copy, loop);
    tighten(upper ? other.lowers : other.uppers, at, !upper);
    tighten(upper ? bounds.uppers : bounds.lowers, at, upper);
    rewriter.modifyOpInPlace(copy, [&]() {
      copy.setKind(nest::LoopKind::Serial);
      other.write(copy, space);
    });
    rewriter.modifyOpInPlace(loop, [&]() { bounds.write(loop, space); });
    return copy;
  }

  /// Drops from the full part what holds there.
  void simplify(RewriterBase &rewriter) {
    for (nest::BlockOp block : blocksIn(loop)) {
      BlockForm form = BlockForm::of(block, space);
      size_t before = form.constraints.size();
      llvm::erase_if(form.constraints, [&](const BlockForm::Constraint &c) {
        return !c.equal && llvm::any_of(needs, [&](const Need &need) {
          return need.owner == block && need.expr == c.expr;
        });
      });
      if (form.constraints.size() != before)
        rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
    }
    for (const Need &need : needs) {
      auto inner = dyn_cast<nest::ForOp>(need.owner);
      if (!inner)
        continue;
      LoopBounds all = LoopBounds::of(inner, space);
      llvm::erase_if(need.ofUpper ? all.uppers : all.lowers,
                     [&](AffineExpr e) { return e == need.bound; });
      rewriter.modifyOpInPlace(inner, [&]() { all.write(inner, space); });
    }
  }

  /// A need that no iteration, or perhaps none, meets.
  bool neverFull = false;

private:
  std::optional<Tile> tileOf(nest::ForOp inner) {
    LoopBounds all = LoopBounds::of(inner, space);
    if (all.lowers.size() == 1 && all.uppers.size() == 1)
      return Tile{all.lowers[0], all.uppers[0]};
    std::optional<Tile> best;
    int64_t least = 0;
    for (AffineExpr lower : all.lowers)
      for (AffineExpr upper : all.uppers) {
        std::optional<int64_t> extent =
            AffineSpace::constantOf(space.canonical(upper - lower));
        if (extent && *extent > 0 && (!best || *extent < least)) {
          best = Tile{lower, upper};
          least = *extent;
        }
      }
    return best;
  }

  /// The least value of `expr` at `owner` while the loops inside `loop` run
  /// through their tiles; null when it is not linear in them.
  AffineExpr leastOf(AffineExpr expr, Operation *owner) {
    Loops around = loopsAround(owner);
    for (nest::ForOp inner : llvm::reverse(around)) {
      if (!loop->isProperAncestor(inner))
        break;
      AffineExpr inside = space.of(inner.getInductionVar());
      Linear linear = Linear::of(space.canonical(expr));
      int64_t factor = linear.coefficientOf(inside);
      linear.add(inside, -factor);
      expr = linear.toExpr(space.getContext());
      if (AffineSpace::uses(expr, inside)) {
        // Inside a division: the range of that.
        expr = space
                   .bounds(expr + inside * factor,
                           [&](nest::ForOp other) { return other == inner; })
                   .lower;
        if (!expr)
          return {};
        continue;
      }
      if (factor == 0)
        continue;
      std::optional<Tile> tile = tileOf(inner);
      if (!tile)
        return {};
      expr = expr + (factor > 0 ? tile->lower : tile->upper - 1) * factor;
    }
    return space.canonical(expr);
  }

  void consider(Need need, AffineExpr expr) {
    AffineExpr least = leastOf(expr, need.owner);
    if (!least)
      return;
    if (space.isNonNegative(least)) {
      needs.push_back(need); // holds everywhere
      return;
    }
    Linear linear = Linear::of(least);
    int64_t factor = linear.coefficientOf(var);
    linear.add(var, -factor);
    AffineExpr rest = linear.toExpr(space.getContext());
    if (factor == 0 || AffineSpace::uses(rest, var))
      return;
    // rest + factor * v >= 0.
    need.upper = factor < 0;
    // Rounded up is rounded down a bit further: multiples leave the division.
    need.cut =
        space.simplify(factor < 0 ? rest.floorDiv(-factor) + 1
                                  : (-rest + (factor - 1)).floorDiv(factor));
    auto isPast = [&](AffineExpr end, bool before) {
      return space.isNonNegative(before ? need.cut - end : end - need.cut);
    };
    if (llvm::any_of(need.upper ? bounds.uppers : bounds.lowers,
                     [&](AffineExpr e) { return isPast(e, need.upper); })) {
      need.cut = {}; // the loop ends before
    } else if (llvm::any_of(
                   need.upper ? bounds.lowers : bounds.uppers,
                   [&](AffineExpr e) { return isPast(e, !need.upper); })) {
      neverFull = true;
      return;
    }
    needs.push_back(need);
  }

  /// Adds an end to a list, unless it follows from one that is there; drops
  /// what follows from it.
  void tighten(SmallVectorImpl<AffineExpr> &list, AffineExpr end, bool upper) {
    auto implies = [&](AffineExpr a, AffineExpr b) {
      return space.isNonNegative(upper ? b - a : a - b);
    };
    if (llvm::any_of(list, [&](AffineExpr e) { return implies(e, end); }))
      return;
    llvm::erase_if(list, [&](AffineExpr e) { return implies(end, e); });
    list.push_back(end);
  }

  nest::ForOp loop;
  AffineSpace &space;
  AffineExpr var;
  LoopBounds bounds;
  SmallVector<Need> needs;
};
} // namespace

/// Tiles that are left without a cut count their iterations, so that they have
/// a constant number of them:
///   for j in 4 * i..4 * i + 4 { S(j) }  ==>  for j in 0..4 { S(4 * i + j) }
static void countFromZero(RewriterBase &rewriter, nest::ForOp around) {
  SmallVector<nest::ForOp> tiles;
  around->walk<WalkOrder::PreOrder>([&](Operation *op) {
    auto loop = dyn_cast<nest::ForOp>(op);
    if (loop && loop != around && !loop.getConstantTripCount())
      tiles.push_back(loop);
    return isa<nest::BlockOp>(op) ? WalkResult::skip() : WalkResult::advance();
  });
  for (nest::ForOp tile : tiles) {
    AffineSpace space(funcOf(tile));
    AffineExpr lower = space.lowerOf(tile), extent = space.extentOf(tile);
    if (!lower || !extent || !AffineSpace::constantOf(extent))
      continue;
    AffineExpr var = space.of(tile.getInductionVar());
    setBounds(rewriter, tile, space.constant(0), extent, space);
    for (Operation &inside : tile.getBodyBlock()->without_terminator())
      replaceVariables(rewriter, &inside, {{var, lower + var}}, space);
  }
}

Result<Loops> sched::separateFullPartial(RewriterBase &rewriter,
                                         nest::ForOp loop) {
  AffineSpace space(funcOf(loop));
  Partition partition(loop, space);
  partition.collect();
  SmallVector<AffineExpr> uppers = partition.cuts(true),
                          lowers = partition.cuts(false);
  if (uppers.empty() && lowers.empty()) {
    if (partition.neverFull)
      return Outcome::refused("a predicate touches every iteration of " +
                              describe(loop))
          .note(loop, "there is no full part; a smaller tile would have one");
    return Outcome::refused("no predicate or bound below " + describe(loop) +
                            " cuts off its first or last iterations")
        .note(loop, "there is nothing to separate");
  }
  if (uppers.size() + lowers.size() > kMaxCuts)
    return Outcome::refused("what is below " + describe(loop) + " cuts it at " +
                            Twine(uppers.size() + lowers.size()) +
                            " different iterations")
        .note(loop, "each would be one more copy; separate a loop inside");
  // First from above: what is left of the range is then cut from below.
  nest::ForOp partial;
  for (AffineExpr at : uppers) {
    nest::ForOp tail = partition.cut(rewriter, at, true);
    partial = partial ? partial : tail;
  }
  for (AffineExpr at : lowers) {
    nest::ForOp head = partition.cut(rewriter, at, false);
    partial = partial ? partial : head;
  }
  partition.simplify(rewriter);
  countFromZero(rewriter, loop);
  return Loops{loop, partial};
}

Outcome SeparateFullPartialOp::run(Invocation &at) {
  return at.call(sched::separateFullPartial, getLoop());
}

NESTOR_PRIMITIVE(separate_full_partial) = {
    .name = "separate_full_partial",
    .family = "affine",
    .does = "Takes the iterations that a predicate or a bound cuts "
            "out of a loop.",
    .law = "The order of iterations stays.",
    .refuses = "loops below which no predicate or bound depends on "
               "them in that way\n"
               "predicates that touch every iteration\n"
               "more than four different places to cut",
    .syntax = "%full, %partial = separate_full_partial %loop",
    .notes = R"(
Full are the iterations in which all predicates below hold and the loops inside run
through whole tiles, whatever the others do: of several bounds of a loop, two a
constant apart are the tile's, the others have to stay out of the way. Blocks of the
part after them get the suffix `_tail`, of a part before them `_head`; `%partial` is
what runs last, or the head if there is no tail.
)",
    .before = R"(
nest.func @f(%A: memref<10xf32>, %B: memref<10xf32>) {
  nest.for %i = 0 to 10 {
    nest.block "B" (%v : spatial = %i to 10) {
      %a = memref.load %A[%v] : memref<10xf32>
      memref.store %a, %B[%v] : memref<10xf32>
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i = get_loops %b : 1
%io, %ii = split %i by [-1, 4] : 2
%full, %rest = separate_full_partial %io
)",
};
