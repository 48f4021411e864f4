//===- RollingBuffer.cpp - rolling_buffer ---------------------------------===//
//
//   for i in 0..8 { for r in 0..3 { P[i + r] = f(i + r) }
//                   C[i] = P[i] + P[i + 1] + P[i + 2] }
//   ==>
//   for r in 0..2 { P[r mod 3] = f(r) }
//   for i in 0..8 { for r in 2..3 { P[(i + r) mod 3] = f(i + r) }
//                   C[i] = P[i mod 3] + P[(i + 1) mod 3] + P[(i + 2) mod 3] }
//
// In one iteration of `i` the block writes a window of rows and others read
// them; the next window begins `step` rows later. Rows that both hold are
// computed once, and the buffer has as many rows as a window: a row stands at
// its number modulo that. What the first window has more than its last `step`
// rows is computed before the loop.
//
// That keeps meaning where an instance of the block is the same one iteration
// later, `step` rows further: nothing but the row may depend on the loop, and
// the rows of a window have no gap.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/Scan.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

namespace {
struct Plan {
  nest::BlockOp block;
  nest::AllocOp alloc;
  nest::ForOp loop;  // in which the window moves
  nest::ForOp child; // of it, with the block
  unsigned dim = 0;  // the rows
  unsigned iterator = 0;
  int64_t step = 0, window = 0;
  AffineExpr rest, low; // row = step * loop + rest, rest in [low, low + window)
  Loops rowLoops;       // that rest names
};
} // namespace

static bool usesAny(AffineExpr expr, ArrayRef<nest::ForOp> loops,
                    AffineSpace &space) {
  return llvm::any_of(loops, [&](nest::ForOp loop) {
    return AffineSpace::uses(expr, space.of(loop.getInductionVar()));
  });
}

/// Whether `expr` takes every value between its ends: no stride is longer than
/// what smaller ones fill.
static bool hasNoGap(AffineExpr expr, ArrayRef<nest::ForOp> loops,
                     AffineSpace &space) {
  SmallVector<std::pair<int64_t, int64_t>> strides;
  for (auto [atom, factor] : Linear::of(expr).terms) {
    if (!usesAny(atom, loops, space))
      continue;
    auto dim = dyn_cast<AffineDimExpr>(atom);
    if (!dim)
      return false;
    strides.push_back(
        {std::abs(factor), *space.getLoop(dim).getConstantTripCount()});
  }
  llvm::sort(strides);
  int64_t covered = 1;
  for (auto [stride, count] : strides) {
    if (stride > covered || count < 1)
      return false;
    covered += stride * (count - 1);
  }
  return true;
}

/// Buffer, loop and block: who uses what, and where.
static Outcome findLoop(nest::BlockOp block, Value buffer, AffineSpace &space,
                        Plan &plan) {
  plan.block = block;
  plan.alloc = buffer.getDefiningOp<nest::AllocOp>();
  if (!plan.alloc)
    return Outcome::refused(describe(block) + " writes " + describe(buffer))
        .note(block, "all rows of an argument are the caller's; cache_write "
                     "gives the block a buffer of its own");
  if (size_t count = writtenBuffers(block).size(); count != 1)
    return Outcome::refused(describe(block) + " writes " + Twine(count) +
                            " buffers")
        .note(block, "rows of the others would be missing");
  SmallVector<Operation *> users;
  for (nest::BlockOp user : blocksIn(space.getFunc())) {
    if (user != block && writesBuffer(user, buffer))
      return Outcome::refused(describe(buffer) + " of " + describe(block) +
                              " has another writer")
          .note(user, "here; roll before decomposing reductions");
    if (user == block || readsBuffer(user, buffer))
      users.push_back(user);
  }
  plan.loop = dyn_cast<nest::ForOp>(commonAncestor(users));
  if (!plan.loop || users.size() == 1)
    return Outcome::refused("no loop holds " + describe(block) +
                            " and all readers of " + describe(buffer))
        .note(block, "move it into the loop of its consumer with compute_at");
  nest::ForOp loop = plan.loop;
  if (loop.getKind() != nest::LoopKind::Serial)
    return Outcome::refused(describe(loop) + " is " +
                            stringifyLoopKind(loop.getKind()))
        .note(loop, "rows stay from one iteration to the next; roll before "
                    "giving loops a kind");
  if (loop->isProperAncestor(plan.alloc))
    return Outcome::refused(describe(buffer) + " of " + describe(block) +
                            " lives in " + describe(loop))
        .note(plan.alloc, "its rows do not outlive an iteration; roll before "
                          "compacting buffers");
  plan.child = dyn_cast<nest::ForOp>(childHolding(loop, block));
  if (!plan.child || blocksIn(plan.child).size() != 1)
    return Outcome::refused(describe(block) + " has no loops of its own in " +
                            describe(loop))
        .note(block, "a window is what such loops run through");
  if (space.lowerOf(loop) == AffineExpr())
    return Outcome::refused(describe(loop) + " has several bounds")
        .note(loop, "its first iteration cannot be told; split its domain");
  if (BlockKind kind = analysis::kindOf(block);
      kind == BlockKind::Other || hasUnknownEffects(block))
    return Outcome::refused(describe(block) +
                            " is neither complete nor a reduction")
        .note(block, "it cannot be told whether a row is the same each time");
  for (Value input : readBuffers(block))
    if (input != buffer)
      for (nest::BlockOp writer : writersOf(input, loop))
        return Outcome::refused(describe(block) + " reads " + describe(input) +
                                ", which changes in " + describe(loop))
            .note(writer, "here: a row computed again would be another one");
  return Outcome::done();
}

/// The dim of the rows and how they move.
static Outcome findWindow(Plan &plan, AffineSpace &space) {
  nest::BlockOp block = plan.block;
  nest::ForOp loop = plan.loop;
  AffineExpr var = space.of(loop.getInductionVar());
  BlockForm form = BlockForm::of(block, space);
  SmallVector<unsigned> moving;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (AffineSpace::uses(form.bindings[i], var))
      moving.push_back(i);
  if (moving.size() != 1 ||
      block.getIteratorKind(moving.front()) != nest::IteratorKind::Spatial)
    return Outcome::refused(Twine(moving.size()) + " iterators of " +
                            describe(block) + " move with " + describe(loop))
        .note(loop, "a window of rows is one spatial iterator; roll before "
                    "splitting it");
  plan.iterator = moving.front();
  AffineExpr row = getAffineDimExpr(plan.iterator, space.getContext());
  std::optional<unsigned> dim;
  std::optional<SmallVector<AffineExpr>> common;
  for (const Access &access : accessesOf(block)) {
    if (access.buffer != plan.alloc.getResult())
      continue;
    bool same = (!common || *common == access.indices) &&
                !llvm::is_contained(access.indices, AffineExpr());
    common = access.indices;
    for (auto [d, index] : llvm::enumerate(access.indices)) {
      if (!index || !index.isFunctionOfDim(plan.iterator))
        continue;
      same &= (!dim || *dim == d) &&
              AffineSpace::constantOf(space.canonical(index - row));
      dim = d;
    }
    if (!same || !dim)
      return Outcome::refused(describe(block) + " accesses " +
                              describe(plan.alloc.getResult()) +
                              " at something else than one row")
          .note(access.op, "the index of one dim has to be the iterator that "
                           "moves");
  }
  plan.dim = *dim;

  AffineExpr binding = space.canonical(form.bindings[plan.iterator]);
  Linear linear = Linear::of(binding);
  plan.step = linear.coefficientOf(var);
  linear.add(var, -plan.step);
  plan.rest = space.canonical(linear.toExpr(space.getContext()));
  if (plan.step < 1 || AffineSpace::uses(plan.rest, var))
    return Outcome::refused("the window of " + describe(block) +
                            " does not move on by a constant in " +
                            describe(loop))
        .note(loop, "rows go up with the iterations: reverse the loop, or roll "
                    "before splitting it");
  auto inside = [&](nest::ForOp other) {
    return loop->isProperAncestor(other);
  };
  for (nest::ForOp other : loopsAround(block))
    if (inside(other) && usesAny(plan.rest, other, space))
      plan.rowLoops.push_back(other);
  auto dependsOnWindow = [&](AffineExpr expr) {
    return AffineSpace::uses(expr, var) || usesAny(expr, plan.rowLoops, space);
  };
  for (nest::ForOp other : loopsAround(block)) {
    if (!inside(other))
      continue;
    LoopBounds bounds = LoopBounds::of(other, space);
    bool varies = llvm::any_of(bounds.lowers, dependsOnWindow) ||
                  llvm::any_of(bounds.uppers, dependsOnWindow);
    if (llvm::is_contained(plan.rowLoops, other))
      varies |= !other.getConstantTripCount();
    if (varies)
      return Outcome::refused("the bounds of " + describe(other) +
                              " are not the same for every window")
          .note(other, "rows of one window could be missing in the last");
  }
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (i != plan.iterator && dependsOnWindow(form.bindings[i]))
      return Outcome::refused("iterator " + Twine(i) + " of " +
                              describe(block) + " depends on a loop of rows")
          .note(block, "a row would not be the same each time");
  for (const BlockForm::Constraint &constraint : form.constraints) {
    int64_t factor =
        Linear::of(space.canonical(constraint.expr)).coefficientOf(var);
    AffineExpr other =
        space.canonical(constraint.expr - binding * (factor / plan.step));
    // Rows of an iteration further out might be read where it says no.
    bool isDomain = false;
    for (unsigned i = 0; i < block.getNumIterators(); ++i) {
      bool counts = block.getIteratorKind(i) == nest::IteratorKind::Reduce ||
                    llvm::any_of(*common, [&](AffineExpr index) {
                      return index.isFunctionOfDim(i);
                    });
      isDomain |=
          counts && (space.isEqual(constraint.expr, form.bindings[i]) ||
                     space.isEqual(constraint.expr,
                                   form.extents[i] - 1 - form.bindings[i]));
    }
    if (factor % plan.step != 0 || dependsOnWindow(other) || !isDomain ||
        constraint.equal)
      return Outcome::refused("the predicate of " + describe(block) +
                              " says more than its iterators' domains")
          .note(block, "a row could be there in one window and not in another");
  }
  Interval range = space.bounds(plan.rest, inside);
  std::optional<int64_t> window;
  if (range.lower && range.upper)
    window =
        AffineSpace::constantOf(space.canonical(range.upper - range.lower + 1));
  if (!window || !hasNoGap(plan.rest, plan.rowLoops, space))
    return Outcome::refused("the rows of " + describe(block) +
                            " in one iteration of " + describe(loop) +
                            " leave gaps")
        .note(block, "a row could be missing in one window and not in another");
  plan.low = range.lower;
  plan.window = *window;
  if (plan.window <= plan.step)
    return Outcome::refused("windows of " + Twine(plan.window) +
                            " rows that move on by " + Twine(plan.step) +
                            " share none")
        .note(loop, "there is nothing to keep; compact_buffers makes the "
                    "buffer small");
  for (nest::BlockOp reader : readersOf(plan.alloc.getResult(), loop))
    for (const Access &access : accessesOf(reader))
      if (access.buffer == plan.alloc.getResult() && !access.indices[plan.dim])
        return Outcome::refused(describe(reader) + " reads rows of " +
                                describe(plan.alloc.getResult()) +
                                " at an index that is not affine")
            .note(access.op, "this read");
  return Outcome::done();
}

/// Loops around that do not run in order may tell their rows apart by the
/// number alone, which a row gives up.
static Outcome checkAround(const Plan &plan, AffineSpace &space) {
  nest::BlockOp block = plan.block;
  Value buffer = plan.alloc->getResult(0);
  BlockForm form = BlockForm::of(block, space);
  SmallVector<nest::ForOp> around = loopsAround(plan.loop);
  for (auto [i, outer] : llvm::enumerate(around)) {
    if (outer->isProperAncestor(plan.alloc) ||
        outer.getKind() == nest::LoopKind::Serial ||
        outer.getKind() == nest::LoopKind::Unroll)
      continue;
    InstanceSet set(space);
    set.addInstance(block, 0);
    set.addInstance(block, 1);
    for (nest::ForOp further : ArrayRef(around).take_front(i))
      set.addEqual(further, 0, 1);
    for (const Access &access : accessesOf(block)) {
      if (access.buffer != buffer)
        continue;
      for (auto [d, index] : llvm::enumerate(access.indices))
        if (d != plan.dim) {
          AffineExpr at = index.replaceDims(form.bindings);
          set.addZero(set.row(at, 0).add(set.row(at, 1), -1));
        }
      break; // all are the same
    }
    AffineExpr var = space.of(outer.getInductionVar());
    InstanceSet::Row later = set.row(var, 1).add(set.row(var, 0), -1);
    later.constant -= 1;
    set.addNonNegative(later);
    if (!set.isEmpty())
      return Outcome::refused(
                 describe(outer) + " is " + stringifyLoopKind(outer.getKind()) +
                 ", its iterations would share rows of " + describe(buffer))
          .note(outer, "only the number of a row tells them apart; roll and "
                       "privatize before giving loops a kind");
  }
  return Outcome::done();
}

/// index => index mod window in every access.
static void wrap(RewriterBase &rewriter, const Plan &plan, AffineSpace &space) {
  Value buffer = plan.alloc->getResult(0);
  for (nest::BlockOp block : blocksIn(plan.loop)) {
    for (const Access &access : accessesOf(block)) {
      if (access.buffer != buffer)
        continue;
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPoint(access.op);
      Region &region = access.inInit ? block.getInit() : block.getBody();
      Value index = emitIndex(rewriter, access.op->getLoc(),
                              access.indices[plan.dim] % plan.window,
                              region.getArguments(), space.getFunc());
      unsigned operand = (access.isWrite ? 2 : 1) + plan.dim;
      rewriter.modifyOpInPlace(
          access.op, [&]() { access.op->setOperand(operand, index); });
    }
    eraseDeadIndices(rewriter, block);
  }
  SmallVector<AffineExpr> shape = space.shapeOf(buffer);
  shape[plan.dim] = space.constant(plan.window);
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> dims(type.getShape());
  dims[plan.dim] = plan.window;
  nest::AllocOp alloc = plan.alloc;
  rewriter.modifyOpInPlace(alloc, [&]() {
    auto newType =
        MemRefType::get(dims, type.getElementType(),
                        MemRefLayoutAttrInterface(), type.getMemorySpace());
    buffer.setType(newType);
    SmallVector<Value> operands;
    AffineMap map = space.exportMap(shape, operands);
    if (newType.hasStaticShape()) {
      alloc.getSizesMutable().clear();
      alloc.removeShapeAttr();
    } else {
      alloc.getSizesMutable().assign(operands);
      alloc.setShapeAttr(AffineMapAttr::get(map));
    }
  });
}

/// Leaves of the rows of a window those before (from) number `cut`. `rest` is
/// what plan.rest is for `block`, which one of the loops around makes alone.
static void keepRows(RewriterBase &rewriter, nest::BlockOp block,
                     AffineExpr rest, AffineExpr cut, bool before,
                     AffineSpace &space) {
  AffineExpr end = space.canonical(cut - rest);
  for (nest::ForOp loop : loopsAround(block)) {
    // rest = loop + something: a bound of the loop, else a predicate.
    AffineExpr bound = space.canonical(end + space.of(loop.getInductionVar()));
    if (!AffineSpace::constantOf(bound) || !loop.getConstantTripCount())
      continue;
    rewriter.modifyOpInPlace(loop, [&, loop = loop]() mutable {
      LoopBounds bounds = LoopBounds::of(loop, space);
      (before ? bounds.uppers : bounds.lowers) = {bound};
      bounds.write(loop, space);
    });
    return;
  }
  BlockForm form = BlockForm::of(block, space);
  addConstraint(form, before ? space.canonical(end - 1) : space.canonical(-end),
                space);
  rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
}

Outcome sched::rollingBuffer(RewriterBase &rewriter, nest::BlockOp block,
                             int64_t number) {
  Result<Value> buffer = nthBuffer(block, BufferRole::Write, number);
  if (!buffer)
    return buffer.getOutcome();
  AffineSpace space(funcOf(block));
  Plan plan;
  if (Outcome outcome = findLoop(block, *buffer, space, plan);
      !outcome.isDone())
    return outcome;
  if (Outcome outcome = findWindow(plan, space); !outcome.isDone())
    return outcome;
  if (Outcome outcome = checkAround(plan, space); !outcome.isDone())
    return outcome;
  if (!isLocalTo(plan.loop, *buffer, space))
    return Outcome::refused("an iteration of " + describe(plan.loop) +
                            " may read rows of " + describe(*buffer) +
                            " that it did not write")
        .note(block, "they would have to outlive the window");

  nest::ForOp loop = plan.loop;
  AffineExpr var = space.of(loop.getInductionVar());
  wrap(rewriter, plan, space);
  nest::ForOp first = cloneAfter(rewriter, plan.child, plan.child, "_first");
  rewriter.moveOpBefore(first, loop);
  AffineExpr begin = space.lowerOf(loop);
  nest::BlockOp firstBlock = blocksIn(first).front();
  // As the original is bound: before its own loops are renamed.
  BlockForm form = BlockForm::of(firstBlock, space);
  AffineExpr firstRest =
      space.canonical(form.bindings[plan.iterator] - var * plan.step);
  replaceVariables(rewriter, first, {{var, begin}}, space);
  AffineExpr cut = space.canonical(plan.low + (plan.window - plan.step));
  keepRows(rewriter, firstBlock, firstRest, cut, true, space);
  // Only where there is a first iteration.
  form = BlockForm::of(firstBlock, space);
  for (AffineExpr upper : LoopBounds::of(loop, space).uppers)
    addConstraint(form, space.canonical(upper - 1 - begin), space);
  rewriter.modifyOpInPlace(firstBlock,
                           [&]() { form.write(firstBlock, space); });
  keepRows(rewriter, block, plan.rest, cut, false, space);
  return Outcome::done();
}

Outcome RollingBufferOp::run(Invocation &at) {
  return at.call(sched::rollingBuffer, getBlock(), getBuffer());
}

NESTOR_PRIMITIVE(rolling_buffer) = {
    .name = "rolling_buffer",
    .family = "data",
    .does = "Keeps only the rows of a buffer that are still read, and "
            "computes each once.",
    .law = "Windows of rows move on by a constant and have no gap; a "
           "row is the same in every window that holds it; nobody "
           "reads rows outside of the window.",
    .refuses = "buffers of the caller, with other writers, or that live "
               "in the loop\n"
               "loops that are not serial or have several bounds\n"
               "iterations at once of a loop around, told apart by rows alone\n"
               "iterations that may read rows which they did not write\n"
               "windows that move backwards, by no constant, or so far "
               "that they share no row\n"
               "blocks that are neither complete nor a reduction, or "
               "whose inputs change in the loop\n"
               "bounds, predicates and iterators that mix rows with "
               "other things",
    .syntax = "rolling_buffer %block write NUMBER",
    .notes = R"(
For a producer in the loop of its consumer, where `compute_at` put it, in the deepest
loop that holds all users of the buffer. Rows stand at their number modulo the length of
a window. What the first window has more than its last rows is computed before the loop,
by a block with the suffix `_first`.
)",
    .before = R"(
nest.func @f(%A: memref<10xf32>, %C: memref<8xf32>) {
  %P = nest.alloc : memref<10xf32>
  nest.for %i = 0 to 8 {
    nest.for %r = 0 to 3 {
      nest.block "P" (%v : spatial = %i + %r to 10) {
        %a = memref.load %A[%v] : memref<10xf32>
        %m = arith.mulf %a, %a : f32
        memref.store %m, %P[%v] : memref<10xf32>
      }
    }
    nest.block "C" (%v : spatial = %i to 8) {
      %two = arith.constant 2 : index
      %v2 = arith.addi %v, %two : index
      %a = memref.load %P[%v] : memref<10xf32>
      %b = memref.load %P[%v2] : memref<10xf32>
      %c = arith.addf %a, %b : f32
      memref.store %c, %C[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
rolling_buffer %p write 0
)",
};
