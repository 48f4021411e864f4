//===- ComputeAt.cpp - compute_at -----------------------------------------===//
//
//   P for all;  for i { C(i) }  ==> compute_at P, i
//   for i { P for what C(i) reads; C(i) }
//
// What one iteration needs comes from the accesses. Where that is a box its
// loops start at 0, and where it may stick out of the block's domain the block
// gets a predicate; everything else (triangles, bands, elements in another
// order) are constraints from which bounds are made. The buffer between the two
// keeps its shape: compact_buffers shrinks it.
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

/// What `block` writes: buffers of the kernel, all at the same indices.
struct Outputs {
  SmallVector<Value> buffers;
  SmallVector<AffineExpr> indices;
};

static Outcome checkProducer(nest::BlockOp block, AffineSpace &space,
                             Outputs &outputs) {
  BlockKind kind = analysis::kindOf(block);
  if (kind == BlockKind::Other ||
      (kind == BlockKind::Reduction && !block.getInitBlock()))
    return Outcome::refused(describe(block) +
                            " is neither complete nor a reduction with init")
        .note(block, "it reads what it wrote, or its iterators are ordered, or "
                     "its reduction was decomposed");
  outputs.buffers = writtenBuffers(block);
  if (outputs.buffers.empty())
    return Outcome::refused(describe(block) + " writes nothing")
        .note(block, "there is no consumer to move it to");
  for (Value output : outputs.buffers) {
    if (!output.getDefiningOp<nest::AllocOp>())
      return Outcome::refused(describe(block) + " writes " + describe(output))
          .note(block,
                "an output of the kernel must be computed whole; move its "
                "consumers with reverse_compute_at instead");
    for (nest::BlockOp other : writersOf(output, space.getFunc()))
      if (other != block)
        return Outcome::refused(describe(output) + " of " + describe(block) +
                                " has another writer")
            .note(other, "here");
  }
  bool isFirst = true;
  for (const Access &access : accessesOf(block)) {
    if (!access.isWrite)
      continue;
    if (!isFirst && access.indices != outputs.indices)
      return Outcome::refused(describe(block) + " writes at different indices")
          .note(access.op, "all outputs must be written at the same ones");
    isFirst = false;
    outputs.indices = access.indices;
  }
  return Outcome::done();
}

/// Whether what `block` reads is the same at `place`.
static Outcome checkInputs(nest::BlockOp block, nest::ForOp loop,
                           ArrayRef<Value> outputs, AffineSpace &space) {
  Operation *common = commonAncestor({block, loop});
  Operation *home = childHolding(common, block);
  for (Value input : readBuffers(block)) {
    if (llvm::is_contained(outputs, input))
      continue;
    for (nest::BlockOp writer : writersOf(input, space.getFunc()))
      if (home->isAncestor(writer) || !isBefore(writer, block))
        return Outcome::refused(describe(block) + " reads " + describe(input) +
                                ", which changes before the new place")
            .note(writer, "written here");
  }
  return Outcome::done();
}

/// Whether what `reader` reads of `output` was computed in the same iteration
/// of all loops that change an input: elsewhere it would be another value now.
static Outcome checkShared(nest::BlockOp block, nest::BlockOp reader,
                           Value output, AffineSpace &space) {
  for (Value input : readBuffers(block)) {
    if (writesBuffer(block, input))
      continue;
    SmallVector<nest::BlockOp> writers = writersOf(input, space.getFunc());
    SmallVector<nest::ForOp> shared = sharedLoops(block, reader, writers);
    if (!meetInOneIteration(block, reader, output, shared, space))
      return Outcome::refused(describe(reader) + " reads " + describe(output) +
                              " of another iteration of " +
                              describe(shared.back()) + ", in which " +
                              describe(input) + " of " + describe(block) +
                              " changes")
          .note(reader, "it would be computed from other values; move blocks "
                        "before they share loops, or before rolling buffers");
  }
  return Outcome::done();
}

/// Whether boxes say all there is to say of what `readers` need of `block`: its
/// own loops fill its domain, and theirs inside `loop` do not lean.
static bool areBoxes(nest::BlockOp block, const Outputs &outputs,
                     ArrayRef<nest::BlockOp> readers, nest::ForOp loop,
                     AffineSpace &space) {
  if (outputs.buffers.size() != 1 || !plainIndices(outputs.indices) ||
      variesWithLoops(block) || !checkDomainOnly(block, space).isDone() ||
      leavesGaps(block, BlockForm::of(block, space), space))
    return false;
  for (nest::BlockOp reader : readers)
    for (nest::ForOp around : loopsAround(reader))
      if (loop->isProperAncestor(around) &&
          (around.getLowerMap().getNumDims() > 0 ||
           around.getUpperMap().getNumDims() > 0 ||
           around.getLowerMap().getNumResults() != 1 ||
           around.getUpperMap().getNumResults() != 1))
        return false;
  return true;
}

/// The loops of a producer as constraints: `accesses` read its outputs.
static Outcome planProducer(NewLoops &loops, nest::BlockOp block,
                            ArrayRef<AffineExpr> iterators,
                            ArrayRef<std::pair<nest::BlockOp, Access>> accesses,
                            nest::ForOp loop, Operation *place) {
  if (!loops.addDomain())
    return Outcome::refused("the loops of " + describe(block) +
                            " may skip points of its domain")
        .note(block, "which ones cannot be said of its iterators; move it "
                     "before fusing loops or changing layouts");
  if (!loops.startsEverywhere())
    return Outcome::refused("the reduction of " + describe(block) +
                            " starts elsewhere than at the first step")
        .note(block, "an element computed again would not start anew");
  loops.addOutside(place);
  // What is needed may be more than can be said: then it is the whole domain.
  loops.addElements({}, iterators, accesses, loop, /*exactly=*/false);
  if (!loops.scan())
    return Outcome::refused("there are no loops that run through what " +
                            describe(loop) + " needs of " + describe(block))
        .note(loop, "too many bounds, or none on some side");
  return Outcome::done();
}

Outcome sched::computeAt(RewriterBase &rewriter, nest::BlockOp block,
                         nest::ForOp loop) {
  nest::FuncOp func = funcOf(block);
  AffineSpace space(func);
  if (Outcome outcome = checkTarget(block, loop); !outcome.isDone())
    return outcome;
  if (Outcome outcome = checkBuffers(block); !outcome.isDone())
    return outcome;
  Outputs outputs;
  if (Outcome outcome = checkProducer(block, space, outputs); !outcome.isDone())
    return outcome;
  Operation *first = nullptr;
  SmallVector<nest::BlockOp> readers;
  SmallVector<std::pair<nest::BlockOp, Access>> accesses;
  for (Value output : outputs.buffers)
    for (nest::BlockOp reader : readersOf(output, func)) {
      if (reader == block)
        continue;
      if (!loop->isAncestor(reader))
        return Outcome::refused(describe(reader) + " reads " +
                                describe(output) + " outside of " +
                                describe(loop))
            .note(reader, "all consumers must be under the loop");
      readers.push_back(reader);
      for (const Access &access : accessesOf(reader))
        if (!access.isWrite && access.buffer == output)
          accesses.push_back({reader, access});
      Operation *child = childHolding(loop, reader);
      if (!first || child->isBeforeInBlock(first))
        first = child;
    }
  if (!first)
    return Outcome::refused("nothing under the loop reads what " +
                            describe(block) + " writes")
        .note(loop, "this loop");
  if (!isBefore(block, loop))
    return Outcome::refused(describe(block) + " comes after the loop")
        .note(loop, "use reverse_compute_at for consumers");
  if (Outcome outcome = checkInputs(block, loop, outputs.buffers, space);
      !outcome.isDone())
    return outcome;
  for (const auto &[reader, access] : accesses)
    if (Outcome outcome = checkShared(block, reader, access.buffer, space);
        !outcome.isDone())
      return outcome;
  BlockForm form = BlockForm::of(block, space);
  std::optional<SmallVector<AffineExpr>> iterators =
      iteratorsAt(outputs.indices, form, space);
  if (!iterators)
    return Outcome::refused(describe(block) + " writes " +
                            describe(outputs.buffers.front()) +
                            " at indices that do not tell its iterators")
        .note(block, "it cannot be told which iterations are needed");
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (block.getIteratorKind(i) == nest::IteratorKind::Spatial &&
        !(*iterators)[i] && form.extents[i] != space.constant(1))
      return Outcome::refused("iterator " + Twine(i) + " of " +
                              describe(block) + " indexes no dim of its output")
          .note(block, "it cannot be told which iterations are needed");

  if (!areBoxes(block, outputs, readers, loop, space)) {
    NewLoops loops(block, space);
    if (Outcome outcome =
            planProducer(loops, block, *iterators, accesses, loop, first);
        !outcome.isDone())
      return outcome;
    loops.make(rewriter, first);
    return Outcome::done();
  }
  SmallVector<int> indices = *plainIndices(outputs.indices);
  Box needed = *readBox(loop, outputs.buffers.front(), space);
  SmallVector<Span> spans;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    spans.push_back({space.constant(0), form.extents[i]});
    auto at = llvm::find(indices, int(i));
    if (block.getIteratorKind(i) != nest::IteratorKind::Spatial ||
        at == indices.end())
      continue;
    unsigned dim = at - indices.begin();
    spans.back() =
        clip({needed.lower[dim], needed.extent[dim]}, form.extents[i], space);
  }
  regenerate(rewriter, block, spans, first, space);
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

Outcome ComputeAtOp::run(Invocation &at) {
  if (getLoop())
    return at.call(sched::computeAt, getBlock(), getLoop());
  const int64_t dynamic[] = {ShapedType::kDynamic};
  if (getLocation())
    return at.call(sched::computeAtLocation, getBlock(),
                   MixedParams{getLocation(), dynamic});
  return Outcome::refused("compute_at needs a loop or a location");
}

NESTOR_PRIMITIVE(compute_at) = {
    .name = "compute_at",
    .family = "moving",
    .does = "Moves a producer under a loop of its consumer.",
    .law = "Everything that is read below the loop is computed "
           "there before, from inputs that have not changed.",
    .refuses = "blocks that are neither complete nor reductions, "
               "or skip points of their domain\n"
               "blocks that write an argument\n"
               "other writers of the output, or readers outside of "
               "the loop\n"
               "inputs that change before the new place, or between "
               "iterations of a shared loop that pass values on\n"
               "writes that do not tell the iterators",
    .syntax = "compute_at %block at %loop\n"
              "compute_at %block location %location",
    .notes = R"(
In each iteration of the loop the block computes what is read below; its own loops are
made anew. Reduction loops come along. The second form takes what
`sample_compute_location` chose.
)",
    .before = R"(
nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
  %T = nest.alloc : memref<16xf32>
  nest.for %a = 0 to 16 {
    nest.block "P" (%v : spatial = %a to 16) {
      %x = memref.load %A[%v] : memref<16xf32>
      %y = arith.addf %x, %x : f32
      memref.store %y, %T[%v] : memref<16xf32>
    }
  }
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 4 {
      nest.block "C" (%v : spatial = %i * 4 + %j to 16) {
        %t = memref.load %T[%v] : memref<16xf32>
        %c = arith.negf %t : f32
        memref.store %c, %B[%v] : memref<16xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
%c = get_block "C" in %root
%i, %j = get_loops %c : 2
compute_at %p at %i
)",
};
