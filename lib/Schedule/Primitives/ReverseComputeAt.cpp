//===- ReverseComputeAt.cpp - reverse_compute_at --------------------------===//
//
//   for i { P(i) };  C for all  ==> reverse_compute_at C, i
//   for i { P(i); C for what P(i) wrote }
//
// What one iteration wrote comes from the accesses: a box, or constraints from
// which bounds are made (see ComputeAt.cpp).
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Gaps.h"
#include "../Needed.h"
#include "../Points.h"
#include "../Rewrite.h"
#include "../Spans.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// The plain indices with which `block` accesses `buffer`, if they are the same
/// for all accesses of this kind.
static Result<SmallVector<int>> indicesOf(nest::BlockOp block, Value buffer,
                                          bool write) {
  std::optional<SmallVector<int>> indices;
  for (const Access &access : accessesOf(block)) {
    if (access.buffer != buffer || access.isWrite != write)
      continue;
    std::optional<SmallVector<int>> now = plainIndices(access.indices);
    if (!now || (indices && *now != *indices))
      return Outcome::refused(
                 describe(block) + (write ? " writes " : " reads ") +
                 describe(buffer) + " at something else than its own iterators")
          .note(access.op, "this access");
    indices = now;
  }
  return *indices;
}

/// Moves allocs that `block` uses in front of everything, unless they are
/// around `place` already.
static void hoistAllocs(RewriterBase &rewriter, nest::BlockOp block,
                        Operation *place) {
  Operation *first = &funcOf(block).getBody().front().front();
  for (const Access &access : accessesOf(block)) {
    auto alloc = access.buffer.getDefiningOp<nest::AllocOp>();
    if (!alloc || alloc.getOperation() == first || isBefore(alloc, place))
      continue;
    rewriter.moveOpBefore(alloc, first);
  }
}

/// Whether the other blocks leave `block` free to move up under `loop`.
static Outcome checkOthers(nest::BlockOp block, nest::ForOp loop,
                           AffineSpace &space) {
  Operation *common = commonAncestor({block, loop});
  Operation *top = childHolding(common, loop);
  // What stands in a loop that the block leaves runs before its next iteration.
  Operation *left = childHolding(common, block);
  SmallVector<Value> reads = readBuffers(block), writes = writtenBuffers(block);
  for (nest::BlockOp other : blocksIn(space.getFunc())) {
    bool inside = top->isAncestor(other), after = isBefore(block, other);
    if (other == block || (!inside && (isBefore(other, top) ||
                                       (after && !left->isAncestor(other)))))
      continue;
    for (Value buffer : writes)
      // Who reads after the block sees what it wrote, unless others write, too.
      if (writesBuffer(other, buffer) ||
          (readsBuffer(other, buffer) &&
           (inside || !after || writersOf(buffer, space.getFunc()).size() > 1)))
        return Outcome::refused(describe(other) + " uses " + describe(buffer) +
                                ", which " + describe(block) + " writes")
            .note(other, "it would see another order");
    for (Value buffer : reads)
      if (!loop->isAncestor(other) && writesBuffer(other, buffer))
        return Outcome::refused(describe(other) + " writes " +
                                describe(buffer) + ", which " +
                                describe(block) + " reads")
            .note(other, inside ? "it is not in the loop; choose a loop that "
                                  "holds all producers"
                                : "it comes after the loop");
  }
  return Outcome::done();
}

/// Whether all of `buffer` that an iteration of `loop` writes is final then.
static Outcome checkFinished(Value buffer, nest::ForOp loop, Operation *common,
                             AffineSpace &space) {
  for (nest::BlockOp writer : writersOf(buffer, space.getFunc())) {
    if (!loop->isAncestor(writer))
      return Outcome::refused(describe(writer) + " writes " + describe(buffer) +
                              " outside of " + describe(loop))
          .note(writer, "all producers must be under the loop");
    for (nest::ForOp around : loopsAround(writer)) {
      if (!around->isAncestor(loop) || !common->isProperAncestor(around))
        continue;
      for (nest::IteratorKind kind :
           {nest::IteratorKind::Reduce, nest::IteratorKind::Ordered})
        if (feeds(around, writer, kind))
          return Outcome::refused(describe(writer) +
                                  " is finished only after " + describe(around))
              .note(around, "this loop feeds its " +
                                stringifyIteratorKind(kind) +
                                " iterators; choose a loop outside of it");
    }
  }
  return Outcome::done();
}

namespace {
/// The buffers that `block` reads and blocks under the loop write.
struct Inputs {
  SmallVector<Value> buffers;
  Operation *last = nullptr; // the child of the loop after which all is there
};
} // namespace

/// The parts of the iterators by boxes. A refusal may be for want of boxes.
static Result<SmallVector<Span>> planBoxes(nest::BlockOp block,
                                           nest::ForOp loop,
                                           const Inputs &inputs,
                                           AffineSpace &space) {
  if (Outcome outcome = checkDomainOnly(block, space); !outcome.isDone())
    return outcome;
  BlockForm form = BlockForm::of(block, space);
  if (variesWithLoops(block) || !fillsPlainly(block, form, space))
    return Outcome::refused("the loops of " + describe(block) +
                            " may skip points of its domain")
        .note(block, "new loops would run through all of it");
  SmallVector<std::optional<Span>> found(block.getNumIterators());
  for (Value buffer : inputs.buffers) {
    Result<SmallVector<int>> indices = indicesOf(block, buffer, false);
    if (!indices)
      return indices.getOutcome();
    Box box = *writeBox(loop, buffer, space);
    if (!box.dense)
      return Outcome::refused("an iteration of " + describe(loop) +
                              " leaves gaps in " + describe(buffer))
          .note(writersOf(buffer, loop).front(), "written here");
    for (auto [dim, i] : llvm::enumerate(*indices)) {
      if (i < 0)
        continue;
      // Only where all of it is there: an iteration may have written less than
      // its box, the part outside of the domain being longer than the domain.
      Span span = {box.lower[dim], box.extent[dim]};
      if (space.isNonNegative(-span.lower) &&
          space.isNonNegative(span.lower + span.extent - form.extents[i]))
        span = clip(span, form.extents[i], space);
      if (found[i] && (!space.isEqual(found[i]->lower, span.lower) ||
                       !space.isEqual(found[i]->extent, span.extent)))
        return Outcome::refused("the producers of " + describe(block) +
                                " give different parts of its iterator " +
                                Twine(i))
            .note(loop, "in an iteration of this loop");
      found[i] = span;
    }
  }
  SmallVector<Span> spans;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    spans.push_back(
        found[i].value_or(Span{space.constant(0), form.extents[i]}));
  return spans;
}

/// The loops of a consumer of one buffer as constraints, in one iteration of
/// the loops `shared`; false where what an iteration wrote cannot be said
/// exactly.
static bool planConsumer(NewLoops &loops, nest::BlockOp block, nest::ForOp loop,
                         const Inputs &inputs, ArrayRef<nest::ForOp> shared,
                         AffineSpace &space) {
  if (inputs.buffers.size() != 1 || !loops.addDomain(shared))
    return false;
  Value buffer = inputs.buffers.front();
  std::optional<SmallVector<AffineExpr>> indices;
  for (const Access &access : accessesOf(block)) {
    if (access.isWrite || access.buffer != buffer)
      continue;
    if (indices && *indices != access.indices)
      return false;
    indices = access.indices;
  }
  std::optional<SmallVector<AffineExpr>> iterators =
      iteratorsAt(*indices, BlockForm::of(block, space), space);
  if (!iterators)
    return false;
  SmallVector<std::pair<nest::BlockOp, Access>> writes;
  for (nest::BlockOp writer : writersOf(buffer, loop))
    for (const Access &access : accessesOf(writer))
      if (access.isWrite && access.buffer == buffer)
        writes.push_back({writer, access});
  loops.addOutside(inputs.last);
  return loops.addElements(*indices, *iterators, writes, loop,
                           /*exactly=*/true) &&
         loops.scan();
}

/// Whether every element of an argument that `block` reads is written under the
/// loop: points that read others would get lost. Buffers of the kernel hold
/// nothing else.
static Outcome checkWritten(nest::BlockOp block, const Inputs &inputs,
                            AffineSpace &space) {
  for (const Access &access : accessesOf(block)) {
    if (access.isWrite || access.buffer.getDefiningOp() ||
        !llvm::is_contained(inputs.buffers, access.buffer))
      continue;
    Footprint may;
    may.buffer = access.buffer;
    for (size_t i = 0; i < access.indices.size(); ++i)
      may.dims.push_back(space.fresh());
    std::optional<Footprint::Piece> piece = pieceOf(
        access, block, may.dims, [](nest::ForOp) { return true; }, space);
    if (piece)
      may.pieces.push_back(std::move(*piece));
    if (!piece ||
        !covers(mustWrite(space.getFunc(), access.buffer, space), may, space))
      return Outcome::refused(describe(block) + " may read elements of " +
                              describe(access.buffer) +
                              " that nothing under the loop writes")
          .note(access.op, "this read; no iteration would run its point");
  }
  return Outcome::done();
}

/// Whether all that `block` reads of the inputs in one iteration of the loops
/// `shared` was written in it.
static Outcome checkShared(nest::BlockOp block, const Inputs &inputs,
                           ArrayRef<nest::ForOp> shared, AffineSpace &space) {
  for (const Access &access : accessesOf(block))
    if (!access.isWrite && llvm::is_contained(inputs.buffers, access.buffer) &&
        !isWrittenBefore(access, block, shared.back(), space))
      return Outcome::refused(describe(block) + " may read elements of " +
                              describe(access.buffer) +
                              " from an earlier iteration of " +
                              describe(shared.back()))
          .note(access.op, "this read; move the block before rolling buffers");
  return Outcome::done();
}

Outcome sched::reverseComputeAt(RewriterBase &rewriter, nest::BlockOp block,
                                nest::ForOp loop) {
  nest::FuncOp func = funcOf(block);
  AffineSpace space(func);
  if (Outcome outcome = checkTarget(block, loop); !outcome.isDone())
    return outcome;
  if (analysis::kindOf(block) != BlockKind::Complete)
    return Outcome::refused(describe(block) + " is not complete")
        .note(block, "only blocks without reduction that do not read what they "
                     "write can be moved to their producer");
  if (!isBefore(loop, block))
    return Outcome::refused(describe(block) + " comes before the loop")
        .note(loop, "use compute_at for producers");
  Inputs inputs;
  Operation *common = commonAncestor({block, loop});
  for (Value buffer : readBuffers(block)) {
    SmallVector<nest::BlockOp> writers = writersOf(buffer, loop);
    if (writers.empty())
      continue;
    inputs.buffers.push_back(buffer);
    Operation *child = childHolding(loop, writers.back());
    if (!inputs.last || inputs.last->isBeforeInBlock(child))
      inputs.last = child;
    if (Outcome outcome = checkFinished(buffer, loop, common, space);
        !outcome.isDone())
      return outcome;
  }
  // Where it reads nothing, no iteration wrote what it reads.
  for (const Access &access : accessesOf(block)) {
    if (!access.isWrite && access.conditional &&
        llvm::is_contained(inputs.buffers, access.buffer))
      return Outcome::refused(describe(block) + " reads " +
                              describe(access.buffer) + " only sometimes")
          .note(access.op, "it runs also where it does not read; "
                           "decompose_padding takes such a block apart");
    if (!access.isWrite && llvm::is_contained(inputs.buffers, access.buffer))
      for (auto [index, size] :
           llvm::zip_equal(access.indices, space.shapeOf(access.buffer)))
        if (index && AffineSpace::constantOf(index) &&
            size != space.constant(1))
          return Outcome::refused(describe(block) + " reads " +
                                  describe(access.buffer) +
                                  " at a place that is the same for all of "
                                  "its iterations")
              .note(access.op, "not every iteration of the loop writes it");
    auto home = dyn_cast_or_null<nest::ForOp>(
        Value(access.buffer).getParentBlock()->getParentOp());
    if (home && !home->isAncestor(loop))
      return Outcome::refused(describe(access.buffer) + " of " +
                              describe(block) + " lives in " + describe(home))
          .note(block, "its iterations would share one buffer outside; move "
                       "blocks before compact_buffers");
  }
  if (Outcome outcome = checkBuffers(block); !outcome.isDone())
    return outcome;
  if (!inputs.last)
    return Outcome::refused("nothing under the loop writes what " +
                            describe(block) + " reads")
        .note(loop, "this loop");
  if (Outcome outcome = checkOthers(block, loop, space); !outcome.isDone())
    return outcome;
  if (Outcome outcome = checkWritten(block, inputs, space); !outcome.isDone())
    return outcome;
  // Blocks that stand in a loop together stay in its iterations, where what
  // they read meets them only there or not.
  SmallVector<nest::ForOp> shared;
  for (Value buffer : inputs.buffers)
    for (nest::BlockOp writer : writersOf(buffer, loop))
      if (shared.empty()) {
        SmallVector<nest::ForOp> around = sharedLoops(writer, block, writer);
        if (!meetInOneIteration(writer, block, buffer, around, space))
          shared = std::move(around);
      }
  Result<SmallVector<Span>> spans = planBoxes(block, loop, inputs, space);
  NewLoops loops(block, space);
  if (!shared.empty()) {
    if (Outcome outcome = checkShared(block, inputs, shared, space);
        !outcome.isDone())
      return outcome;
    spans = Outcome::refused("points of " + describe(block) +
                             " would run in another iteration of " +
                             describe(shared.back()))
                .note(loop, "not all of what is written under this loop is "
                            "read in the same iteration");
  }
  if (!spans && !planConsumer(loops, block, loop, inputs, shared, space))
    return spans.getOutcome();
  hoistAllocs(rewriter, block, loop);
  Operation *place = inputs.last->getNextNode();
  if (spans)
    regenerate(rewriter, block, *spans, place, space);
  else
    loops.make(rewriter, place);
  return Outcome::done();
}

Outcome ReverseComputeAtOp::run(Invocation &at) {
  return at.call(sched::reverseComputeAt, getBlock(), getLoop());
}

NESTOR_PRIMITIVE(reverse_compute_at) = {
    .name = "reverse_compute_at",
    .family = "moving",
    .does = "Moves a consumer under a loop of its producer.",
    .law = "What an iteration handles is finished in it, and "
           "nothing in between sees another order.",
    .refuses = "blocks that are not complete, or skip points of "
               "their domain\n"
               "producers outside of the loop, or finished only by "
               "an outer one\n"
               "iterations that leave gaps\n"
               "elements of an argument that only the caller wrote\n"
               "points that would leave their iteration of a shared loop\n"
               "reads that happen only sometimes, or at one place\n"
               "buffers that live in a loop of the block\n"
               "blocks in between that would see another order",
    .syntax = "reverse_compute_at %block at %loop",
    .notes = R"(
In each iteration of the loop the block handles what was produced there; dims that no
produced buffer has are run through whole.
)",
    .before = R"(
nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
  %T = nest.alloc : memref<16xf32>
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 4 {
      nest.block "P" (%v : spatial = %i * 4 + %j to 16) {
        %x = memref.load %A[%v] : memref<16xf32>
        %y = arith.addf %x, %x : f32
        memref.store %y, %T[%v] : memref<16xf32>
      }
    }
  }
  nest.for %a = 0 to 16 {
    nest.block "C" (%v : spatial = %a to 16) {
      %t = memref.load %T[%v] : memref<16xf32>
      %c = arith.negf %t : f32
      memref.store %c, %B[%v] : memref<16xf32>
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
%c = get_block "C" in %root
%i, %j = get_loops %p : 2
reverse_compute_at %c at %i
)",
};
