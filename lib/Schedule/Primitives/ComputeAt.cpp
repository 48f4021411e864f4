//===- ComputeAt.cpp - compute_at, reverse_compute_at ---------------------===//
//
//   P for all;  for i { C(i) }  ==> compute_at P, i
//   for i { P for what C(i) reads; C(i) }
//
//   for i { P(i) };  C for all  ==> reverse_compute_at C, i
//   for i { P(i); C for what P(i) wrote }
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
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

namespace {
/// What an iterator runs through at its new place.
struct Span {
  AffineExpr lower, extent;
};
} // namespace

/// Gives `block` new loops at `before`, one for each iterator whose span is
/// longer than 1.
static void regenerate(RewriterBase &rewriter, nest::BlockOp block,
                       ArrayRef<Span> spans, Operation *before,
                       AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  form.constraints.clear();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(before);
  Operation *place = before;
  for (auto [i, span] : llvm::enumerate(spans)) {
    form.bindings[i] = span.lower;
    if (span.extent == space.constant(1))
      continue;
    nest::ForOp loop = makeLoop(rewriter, block.getLoc(), span.extent, space);
    form.bindings[i] =
        space.canonical(span.lower + space.of(loop.getInductionVar()));
    place = loop.getBodyBlock()->getTerminator();
    rewriter.setInsertionPoint(place);
  }
  Operation *oldParent = block->getParentOp();
  rewriter.moveOpBefore(block, place);
  for (auto [binding, extent] : llvm::zip_equal(form.bindings, form.extents)) {
    addConstraint(form, binding, space);
    addConstraint(form, extent - 1 - binding, space);
  }
  rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
  eraseEmptyLoops(rewriter, oldParent);
}

/// Clips a span to an iterator's domain where that is known statically.
static Span clip(Span span, AffineExpr extent, AffineSpace &space) {
  std::optional<int64_t> have = AffineSpace::constantOf(span.extent),
                         all = AffineSpace::constantOf(extent);
  if (have && all && *have >= *all)
    return {space.constant(0), extent};
  return span;
}

static Outcome checkDomainOnly(nest::BlockOp block, AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  for (const BlockForm::Constraint &constraint : form.constraints)
    if (!followsFromDomain(form, constraint, space))
      return Outcome::refused("the predicate of " + describe(block) +
                              " says more than its iterators' domains")
          .note(block, "such a block cannot be given new loops");
  return Outcome::done();
}

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

static Outcome checkTarget(nest::BlockOp block, nest::ForOp loop) {
  if (loop->isAncestor(block))
    return Outcome::refused(describe(block) + " is inside that loop already")
        .note(loop, "choose a loop of another block");
  for (Operation *up = loop; up; up = up->getParentOp()) {
    auto around = dyn_cast<nest::ForOp>(up);
    if (!around || around->isAncestor(block))
      break;
    if (around.getKind() == nest::LoopKind::Vectorize ||
        around.getKind() == nest::LoopKind::Parallel ||
        around.getKind() == nest::LoopKind::Bind)
      return Outcome::refused(describe(around) + " is " +
                              stringifyLoopKind(around.getKind()))
          .note(around, "move blocks before giving loops this kind");
  }
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// compute_at
//===----------------------------------------------------------------------===//

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
  loops.addElements(iterators, accesses, loop, /*exactly=*/false);
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
// reverse_compute_at
//===----------------------------------------------------------------------===//

/// Whether the other blocks leave `block` free to move up under `loop`.
static Outcome checkOthers(nest::BlockOp block, nest::ForOp loop,
                           AffineSpace &space) {
  Operation *common = commonAncestor({block, loop});
  Operation *top = childHolding(common, loop);
  SmallVector<Value> reads = readBuffers(block), writes = writtenBuffers(block);
  for (nest::BlockOp other : blocksIn(space.getFunc())) {
    bool inside = top->isAncestor(other);
    if (other == block ||
        (!inside && (isBefore(other, top) || isBefore(block, other))))
      continue;
    for (Value buffer : writes)
      if (readsBuffer(other, buffer) || writesBuffer(other, buffer))
        return Outcome::refused(describe(other) + " uses " + describe(buffer) +
                                ", which " + describe(block) + " writes")
            .note(other, "it would see another order");
    for (Value buffer : reads)
      if (!inside && writesBuffer(other, buffer))
        return Outcome::refused(describe(other) + " writes " +
                                describe(buffer) + ", which " +
                                describe(block) + " reads")
            .note(other, "it comes after the loop");
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
  if (variesWithLoops(block) || leavesGaps(block, form, space))
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

/// The loops of a consumer of one buffer as constraints; false where what an
/// iteration wrote cannot be said exactly.
static bool planConsumer(NewLoops &loops, nest::BlockOp block, nest::ForOp loop,
                         const Inputs &inputs, AffineSpace &space) {
  if (inputs.buffers.size() != 1 || !loops.addDomain())
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
  return loops.addElements(*iterators, writes, loop, /*exactly=*/true) &&
         loops.scan();
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
  if (!inputs.last)
    return Outcome::refused("nothing under the loop writes what " +
                            describe(block) + " reads")
        .note(loop, "this loop");
  if (Outcome outcome = checkOthers(block, loop, space); !outcome.isDone())
    return outcome;
  Result<SmallVector<Span>> spans = planBoxes(block, loop, inputs, space);
  NewLoops loops(block, space);
  if (!spans && !planConsumer(loops, block, loop, inputs, space))
    return spans.getOutcome();
  hoistAllocs(rewriter, block, loop);
  Operation *place = inputs.last->getNextNode();
  if (spans)
    regenerate(rewriter, block, *spans, place, space);
  else
    loops.make(rewriter, place);
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

Outcome ReverseComputeAtOp::run(Invocation &at) {
  return at.call(sched::reverseComputeAt, getBlock(), getLoop());
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
               "inputs that change before the new place\n"
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
