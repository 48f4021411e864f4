//===- Pipeline.cpp - pipeline --------------------------------------------===//
//
//   for i in a..b { P(i)  C(i) }        ==> stages [0, 1] order [1, 0]
//   P(a)
//   for i in a..b - 1 { C(i)  P(i + 1) }
//   C(b - 1)
//
// What has stage s runs s iterations later. The iterations in which only some
// stages run stand unrolled before and after the loop, under a predicate where
// there may be fewer iterations than stages. A buffer that lives in the loop
// moves out and gets one version for each iteration that is on its way at a
// time: the last stage that uses it minus the first, plus one. Legal when every
// dependence keeps its order; versions keep iterations apart.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Versions.h"

#include "nestor/Analysis/Dependence.h"
#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// More iterations than that are not worth unrolling around the loop.
static constexpr int64_t kMaxStage = 16;

namespace {
/// One thing in the body of the loop.
struct Part {
  Operation *op;
  int64_t stage, position;
};
} // namespace

static SmallVector<nest::BlockOp> blocksOf(Operation *op) {
  if (auto block = dyn_cast<nest::BlockOp>(op))
    return {block};
  return blocksIn(op);
}

static Outcome readParts(nest::ForOp loop, ArrayRef<int64_t> stages,
                         ArrayRef<int64_t> order, SmallVectorImpl<Part> &parts,
                         SmallVectorImpl<nest::AllocOp> &allocs) {
  for (Operation &op : loop.getBodyBlock()->without_terminator())
    if (auto alloc = dyn_cast<nest::AllocOp>(op))
      allocs.push_back(alloc);
    else
      parts.push_back({&op, 0, 0});
  if (stages.size() != parts.size() || order.size() != parts.size())
    return Outcome::refused(describe(loop) + " holds " + Twine(parts.size()) +
                            " loops and blocks, there are " +
                            Twine(stages.size()) + " stages and " +
                            Twine(order.size()) + " positions")
        .note(loop, "give one of each to everything directly inside");
  bool changes = false;
  for (auto [i, part] : llvm::enumerate(parts)) {
    part.stage = stages[i];
    part.position = order[i];
    changes |= part.stage != 0 || part.position != int64_t(i);
    if (part.stage < 0 || part.stage > kMaxStage)
      return Outcome::refused("stage " + Twine(part.stage) + " of " +
                              describe(part.op) + " is not between 0 and " +
                              Twine(kMaxStage))
          .note(part.op,
                "each stage is one more iteration outside of the loop");
    if (llvm::count(order, int64_t(i)) != 1)
      return Outcome::refused("the order is no permutation of 0 to " +
                              Twine(parts.size() - 1))
          .note(loop,
                "position " + std::to_string(i) + " is not taken exactly once");
  }
  if (!parts.empty() && !llvm::is_contained(stages, int64_t(0)))
    return Outcome::refused("nothing in " + describe(loop) + " has stage 0")
        .note(loop, "the first iteration would be empty; count stages from 0");
  if (!changes)
    return Outcome::refused("all stages are 0 and the order is the same")
        .note(loop, "there is nothing to overlap");
  return Outcome::done();
}

static Outcome checkOrder(nest::ForOp loop, ArrayRef<Part> parts,
                          AffineSpace &space) {
  Operation *scope = loop->getParentOp();
  auto isElsewhere = [&](Value buffer) {
    return llvm::none_of(buffer.getUsers(), [&](Operation *user) {
      return loop->isProperAncestor(user);
    });
  };
  DependenceOptions options;
  options.reassociate = true;
  options.ignore = isElsewhere;
  std::optional<Conflict> conflict = findReversed(
      scope,
      [&](nest::BlockOp block) {
        Time time = timeOf(block, scope, space);
        for (const Part &part : parts)
          if (part.op->isAncestor(block)) {
            // Position of the loop, its variable, position in its body.
            time[1] = time[1] + part.stage;
            time[2] = space.constant(part.position);
          }
        return time;
      },
      space, options);
  if (!conflict)
    return Outcome::done();
  return Outcome::refused(describe(conflict->secondBlock) + " needs " +
                          describe(conflict->first.buffer) + " after " +
                          describe(conflict->firstBlock))
      .note(conflict->firstBlock, "this access comes first")
      .note(conflict->secondBlock,
            conflict->first.buffer.getDefiningOp()
                ? "this one would not follow it any more; give it a later "
                  "stage or position, or privatize the buffer first"
                : "this one would not follow it any more; give it a later "
                  "stage or position");
}

/// `var` becomes `at` below `op`. Which version of a buffer is read stays a
/// remainder, as it was made, since that is how it is understood.
static void replaceIteration(RewriterBase &rewriter, Operation *op,
                             AffineExpr var, AffineExpr at,
                             AffineSpace &space) {
  SmallVector<nest::BlockOp> blocks = blocksOf(op);
  SmallVector<std::tuple<nest::BlockOp, unsigned, AffineExpr>> versions;
  for (nest::BlockOp block : blocks)
    for (auto [i, binding] :
         llvm::enumerate(BlockForm::of(block, space).bindings))
      if (auto mod = dyn_cast<AffineBinaryOpExpr>(binding);
          mod && mod.getKind() == AffineExprKind::Mod && mod.getLHS() == var)
        versions.push_back({block, i, at % mod.getRHS()});
  replaceVariables(rewriter, op, {{var, at}}, space);
  for (auto [block, i, version] : versions) {
    BlockForm form = BlockForm::of(block, space);
    if (AffineSpace::constantOf(form.bindings[i]))
      continue;
    form.bindings[i] = version;
    form.write(block, space);
  }
}

/// A copy of `part` before `before` that runs one iteration, `at`, if
/// `condition >= 0`.
static void copyIteration(RewriterBase &rewriter, const Part &part,
                          Operation *before, AffineExpr var, AffineExpr at,
                          AffineExpr condition, StringRef suffix,
                          AffineSpace &space) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(before);
  Operation *copy = rewriter.clone(*part.op);
  replaceIteration(rewriter, copy, var, at, space);
  // The copies have the originals' names, which are taken.
  auto rename = [&](nest::BlockOp block) {
    std::string name = (block.getName() + suffix).str();
    block.setName(uniqueBlockName(funcOf(copy), name));
  };
  copy->walk(rename);
  for (nest::BlockOp block : blocksOf(copy)) {
    BlockForm form = BlockForm::of(block, space);
    // It may take the place of a weaker one.
    SmallVector<BlockForm::Constraint> before = form.constraints;
    addConstraint(form, condition, space);
    if (!llvm::equal(form.constraints, before,
                     [](const auto &a, const auto &b) {
                       return a.expr == b.expr && a.equal == b.equal;
                     }))
      form.write(block, space);
  }
}

Outcome sched::pipeline(RewriterBase &rewriter, nest::ForOp loop,
                        ArrayRef<int64_t> stages, ArrayRef<int64_t> order) {
  if (loop.getKind() != nest::LoopKind::Serial)
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()))
        .note(loop, "its iterations are not one after the other");
  SmallVector<Part> parts;
  SmallVector<nest::AllocOp> allocs;
  if (Outcome outcome = readParts(loop, stages, order, parts, allocs);
      !outcome.isDone())
    return outcome;
  AffineSpace space(funcOf(loop));
  LoopBounds bounds = LoopBounds::of(loop, space);
  if (bounds.lowers.size() != 1 || bounds.uppers.size() != 1)
    return Outcome::refused("the bounds of " + describe(loop) + " are lists")
        .note(loop, "its first and last iteration are no single expressions; "
                    "split its domain first");
  int64_t depth = 0;
  for (const Part &part : parts)
    depth = std::max(depth, part.stage);
  if (std::optional<int64_t> count = loop.getConstantTripCount();
      count && *count <= depth)
    return Outcome::refused(describe(loop) + " has " + Twine(*count) +
                            " iterations, the last stage is " + Twine(depth))
        .note(loop, "nothing would be left in the loop; take fewer stages");
  if (Outcome outcome = checkOrder(loop, parts, space); !outcome.isDone())
    return outcome;

  for (nest::AllocOp alloc : allocs) {
    std::optional<int64_t> first, last;
    for (const Part &part : parts)
      if (llvm::any_of(alloc.getResult().getUsers(), [&](Operation *user) {
            return part.op->isProperAncestor(user);
          })) {
        first = std::min(first.value_or(part.stage), part.stage);
        last = std::max(last.value_or(part.stage), part.stage);
      }
    hoistVersions(rewriter, alloc, loop, first ? *last - *first + 1 : 1, space);
  }
  llvm::sort(parts, [](const Part &a, const Part &b) {
    return a.position < b.position;
  });
  AffineExpr var = space.of(loop.getInductionVar()), lower = bounds.lowers[0],
             upper = bounds.uppers[0];
  Operation *after = loop->getNextNode();
  // Step p before the loop runs iteration lower + p - stage of each part, step
  // p after it iteration upper + p - stage; those that the loop leaves out.
  auto unrolled = [&](bool before) {
    for (int64_t p = 0; p < depth; ++p)
      for (const Part &part : parts) {
        if (before != (part.stage <= p))
          continue;
        AffineExpr at =
            space.canonical((before ? lower : upper) + (p - part.stage));
        AffineExpr condition = space.canonical(
            before ? upper - 1 - at : upper + p - lower - depth);
        if (AffineSpace::constantOf(condition).value_or(0) < 0)
          continue;
        copyIteration(rewriter, part, before ? loop.getOperation() : after, var,
                      at, condition, before ? "_prologue" : "_epilogue", space);
      }
  };
  unrolled(true);
  unrolled(false);
  bounds.uppers[0] = space.canonical(upper - depth);
  rewriter.modifyOpInPlace(loop, [&]() { bounds.write(loop, space); });
  for (const Part &part : parts) {
    rewriter.moveOpBefore(part.op, loop.getBodyBlock()->getTerminator());
    if (part.stage != depth)
      replaceIteration(rewriter, part.op, var, var + (depth - part.stage),
                       space);
  }
  return Outcome::done();
}

Outcome PipelineOp::run(Invocation &at) {
  return at.call(sched::pipeline, getLoop(), getStages(), getOrder());
}

NESTOR_PRIMITIVE(pipeline) = {
    .name = "pipeline",
    .family = "machine",
    .does = "Overlaps the iterations of a loop: what has stage s runs s "
            "iterations later.",
    .law =
        "Every dependence keeps its order under the new times; buffers that "
        "live in the loop get as many versions as iterations are on their way.",
    .refuses =
        "loops that are not serial, or have lists of bounds\n"
        "lists that do not give each thing in the body a stage and a position\n"
        "stages that are negative, above 16, or all above 0\n"
        "a loop of no more iterations than stages\n"
        "a part that would run before what it needs",
    .syntax = "pipeline %loop stages [STAGE, ...] order [POSITION, ...]",
    .notes = R"(
Allocations in the body do not count as things. Iterations in which not all stages
run are unrolled before (suffix `_prologue`) and after the loop (`_epilogue`), under
a predicate where there may be fewer iterations than stages.
)",
    .before = R"(
nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
  nest.for %i = 0 to 8 {
    %T = nest.alloc : memref<4xf32>
    nest.for %j = 0 to 4 {
      nest.block "P" (%v : spatial = %i to 8, %w : spatial = %j to 4) {
        %a = memref.load %A[%v, %w] : memref<8x4xf32>
        memref.store %a, %T[%w] : memref<4xf32>
      }
    }
    nest.for %j = 0 to 4 {
      nest.block "C" (%v : spatial = %i to 8, %w : spatial = %j to 4) {
        %c3 = arith.constant 3 : index
        %w1 = arith.subi %c3, %w : index
        %a = memref.load %T[%w1] : memref<4xf32>
        memref.store %a, %B[%v, %w] : memref<8x4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
%i, %j = get_loops %p : 2
pipeline %i stages [0, 1] order [1, 0]
)",
};
