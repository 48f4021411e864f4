//===- Inline.cpp - compute_inline, reverse_compute_inline ----------------===//
//
//   T[i] = f(i);  C = ... T[e] ...      ==>  C = ... f(e) ...
//   T[i] = x;     C[i] = g(T[i], i)     ==>  C[i] = g(x, i)
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Gaps.h"
#include "../Needed.h"
#include "../Points.h"
#include "../Rewrite.h"

#include "nestor/Analysis/IterMap.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// The single store of `block`, when it stands at the top of the body.
static memref::StoreOp onlyStore(nest::BlockOp block) {
  memref::StoreOp store;
  for (const Access &access : accessesOf(block)) {
    if (!access.isWrite)
      continue;
    if (store || access.conditional || access.inInit)
      return {};
    store = cast<memref::StoreOp>(access.op);
  }
  return store;
}

static Outcome checkPure(nest::BlockOp block, AffineSpace &space) {
  if (analysis::kindOf(block) != BlockKind::Complete)
    return Outcome::refused(describe(block) + " is not complete")
        .note(block, "only blocks without reduction that do not read what they "
                     "write can be inlined");
  if (!onlyStore(block))
    return Outcome::refused(describe(block) + " has not exactly one store")
        .note(block, "an inlined block computes one element an iteration");
  BlockForm form = BlockForm::of(block, space);
  for (const BlockForm::Constraint &constraint : form.constraints)
    if (!followsFromDomain(form, constraint, space))
      return Outcome::refused("the predicate of " + describe(block) +
                              " says more than its iterators' domains")
          .note(block, "what it skips would be computed");
  return Outcome::done();
}

/// What the indices of an access run through while the iterators do: from 0,
/// without gaps. Nullopt where that is not so.
static std::optional<SmallVector<AffineExpr>>
rangesOf(ArrayRef<AffineExpr> indices, const BlockForm &form,
         AffineSpace &space) {
  if (llvm::is_contained(indices, AffineExpr()))
    return std::nullopt;
  IterMap map = detectIterMap(indices, iterVarsOf(form, space), space);
  if (!map.isSurjective())
    return std::nullopt;
  SmallVector<AffineExpr> result;
  for (const IterSum &sum : map.sums) {
    if (sum.base != space.constant(0))
      return std::nullopt;
    result.push_back(sum.extent);
  }
  return result;
}

/// The iterators' values at the element `indices`: `iterators` are functions of
/// the indices, null ones are 0.
static SmallVector<Value> emitIterators(OpBuilder &builder, Location loc,
                                        ArrayRef<AffineExpr> iterators,
                                        ValueRange indices, nest::FuncOp func) {
  SmallVector<Value> values;
  for (AffineExpr iterator : iterators)
    values.push_back(emitIndex(
        builder, loc, iterator ? iterator : builder.getAffineConstantExpr(0),
        indices, func));
  return values;
}

/// Clones the body of `block` but its store at the insertion point; returns the
/// stored value.
static Value cloneBody(RewriterBase &rewriter, nest::BlockOp block,
                       ValueRange iterators, memref::StoreOp store,
                       IRMapping &mapping) {
  for (auto [arg, value] :
       llvm::zip_equal(block.getBodyBlock()->getArguments(), iterators))
    mapping.map(arg, value);
  for (Operation &op : block.getBodyBlock()->without_terminator())
    if (&op != store.getOperation())
      rewriter.clone(op, mapping);
  return mapping.lookupOrDefault(store.getValueToStore());
}

//===----------------------------------------------------------------------===//
// compute_inline
//===----------------------------------------------------------------------===//

Outcome sched::computeInline(RewriterBase &rewriter, nest::BlockOp block) {
  nest::FuncOp func = funcOf(block);
  AffineSpace space(func);
  if (Outcome outcome = checkPure(block, space); !outcome.isDone())
    return outcome;
  memref::StoreOp store = onlyStore(block);
  Value buffer = store.getMemRef();
  auto alloc = buffer.getDefiningOp<nest::AllocOp>();
  if (!alloc)
    return Outcome::refused(describe(block) + " writes " + describe(buffer))
        .note(block, "an output of the kernel cannot be inlined");
  for (nest::BlockOp writer : writersOf(buffer, func))
    if (writer != block)
      return Outcome::refused(describe(buffer) + " has another writer")
          .note(writer, "here");
  SmallVector<AffineExpr> indices;
  for (Value index : store.getIndices())
    indices.push_back(indexExpr(index, block));
  BlockForm form = BlockForm::of(block, space);
  std::optional<SmallVector<AffineExpr>> iterators =
      iteratorsAt(indices, form, space);
  bool isPlain = plainIndices(indices).has_value();
  if (iterators && !isPlain) {
    // Every element comes from a point of the domain.
    std::optional<SmallVector<AffineExpr>> ranges =
        rangesOf(indices, form, space);
    SmallVector<AffineExpr> shape = space.shapeOf(buffer);
    for (unsigned d = 0; iterators && d < shape.size(); ++d)
      if (!ranges || !space.isEqual((*ranges)[d], shape[d]))
        iterators.reset();
  }
  if (!iterators)
    return Outcome::refused(describe(block) + " writes " + describe(buffer) +
                            " at indices that do not tell its iterators")
        .note(store, "this store");
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (!(*iterators)[i] && form.extents[i] != space.constant(1))
      return Outcome::refused("iterator " + Twine(i) + " of " +
                              describe(block) + " indexes no dim of its output")
          .note(store, "this store");
  if (leavesGaps(block, form, space))
    return Outcome::refused("the loops of " + describe(block) +
                            " may skip elements of " + describe(buffer))
        .note(block, "a reader could compute what was never computed; inline "
                     "before fusing loops or changing layouts");
  SmallVector<nest::BlockOp> readers = readersOf(buffer, func);
  if (readers.empty())
    return Outcome::refused("nothing reads what " + describe(block) + " writes")
        .note(block, "it would vanish");
  SmallVector<Value> inputs = readBuffers(block);
  for (nest::BlockOp reader : readers) {
    if (!isBefore(block, reader))
      return Outcome::refused(describe(reader) + " reads before " +
                              describe(block) + " writes")
          .note(reader, "here");
    for (Value input : inputs)
      for (nest::BlockOp writer : writersOf(input, func))
        if (!isBefore(writer, block))
          return Outcome::refused(describe(block) + " reads " +
                                  describe(input) + ", which changes before " +
                                  describe(reader) + " runs")
              .note(writer, "written here");
    // The inputs must still be the same buffers' contents in every loop that
    // producer and consumer share: a writer inside would overwrite them.
    Operation *common = commonAncestor({block, reader});
    Operation *home = childHolding(common, block);
    for (Value input : inputs)
      for (nest::BlockOp writer : writersOf(input, func))
        if (home->isProperAncestor(writer))
          return Outcome::refused(describe(block) + " shares loops with " +
                                  describe(writer) + ", which writes " +
                                  describe(input))
              .note(writer, "inline or move that block first");
    for (Value input : inputs) {
      SmallVector<nest::ForOp> shared =
          sharedLoops(block, reader, writersOf(input, func));
      if (!meetInOneIteration(block, reader, buffer, shared, space))
        return Outcome::refused(
                   describe(reader) + " reads what " + describe(block) +
                   " wrote in another iteration of " + describe(shared.back()))
            .note(shared.back(), describe(input) +
                                     ", which it reads, changes in this loop; "
                                     "inline before rolling buffers");
    }
  }

  for (nest::BlockOp reader : readers) {
    SmallVector<memref::LoadOp> loads;
    for (const Access &access : accessesOf(reader))
      if (!access.isWrite && access.buffer == buffer)
        loads.push_back(cast<memref::LoadOp>(access.op));
    for (memref::LoadOp load : loads) {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPoint(load);
      SmallVector<Value> values = emitIterators(
          rewriter, load.getLoc(), *iterators, load.getIndices(), func);
      IRMapping mapping;
      Value value = cloneBody(rewriter, block, values, store, mapping);
      rewriter.replaceOp(load, value);
    }
    eraseDeadIndices(rewriter, reader);
    if (!isPlain)
      simplifyIndices(rewriter, reader, space);
  }
  eraseBlock(rewriter, block);
  rewriter.eraseOp(alloc);
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// reverse_compute_inline
//===----------------------------------------------------------------------===//

/// The indices of the loads of `buffer` in `block`, when they are the same.
static Result<SmallVector<AffineExpr>> matchingLoads(nest::BlockOp block,
                                                     Value buffer) {
  std::optional<SmallVector<AffineExpr>> found;
  for (const Access &access : accessesOf(block)) {
    if (access.isWrite || access.buffer != buffer)
      continue;
    if (llvm::is_contained(access.indices, AffineExpr()) ||
        (found && *found != access.indices))
      return Outcome::refused(describe(block) + " reads " + describe(buffer) +
                              " at different indices, or such from data")
          .note(access.op, "this access");
    found = access.indices;
  }
  return *found;
}

/// Whether the elements that the domain of one block names by `ours` are those
/// that the other's names by `theirs`.
static bool nameTheSame(ArrayRef<AffineExpr> ours, const BlockForm &form,
                        ArrayRef<AffineExpr> theirs, const BlockForm &other,
                        AffineSpace &space) {
  std::optional<SmallVector<AffineExpr>> a = rangesOf(ours, form, space),
                                         b = rangesOf(theirs, other, space);
  return a && b && llvm::all_of(llvm::zip_equal(*a, *b), [&](auto pair) {
           return space.isEqual(std::get<0>(pair), std::get<1>(pair));
         });
}

/// Whether the loops provably run through every element of `buffer` that the
/// iterators' domains span: triangles and parts of a domain do not.
static bool readsAll(nest::BlockOp block, Value buffer, const BlockForm &form,
                     ArrayRef<AffineExpr> indices, AffineSpace &space) {
  if (fillsDomain(block, space))
    return true;
  std::optional<SmallVector<int>> plain = plainIndices(indices);
  if (!plain || leavesGaps(block, form, space))
    return false;
  for (Access &access : accessesOf(block)) {
    if (access.isWrite || access.buffer != buffer)
      continue;
    access.conditional = false; // what counts is that the block is there
    Box box = boxOf(access, block, space, [](nest::ForOp) { return true; });
    if (!box.dense)
      return false;
    for (auto [d, i] : llvm::enumerate(*plain))
      if (i >= 0 && (!space.isNonNegative(-box.lower[d]) ||
                     !space.isNonNegative(box.lower[d] + box.extent[d] -
                                          form.extents[i])))
        return false;
    return true;
  }
  return false;
}

Outcome sched::reverseComputeInline(RewriterBase &rewriter,
                                    nest::BlockOp block) {
  nest::FuncOp func = funcOf(block);
  AffineSpace space(func);
  if (Outcome outcome = checkPure(block, space); !outcome.isDone())
    return outcome;
  // The one buffer that a block of the kernel writes and only this one reads.
  Value buffer;
  for (Value candidate : readBuffers(block)) {
    if (!candidate.getDefiningOp<nest::AllocOp>())
      continue;
    if (buffer)
      return Outcome::refused(describe(block) + " reads two buffers of the "
                                                "kernel")
          .note(block, "inline one of their producers forward instead");
    buffer = candidate;
  }
  if (!buffer)
    return Outcome::refused(describe(block) + " reads no buffer of the kernel")
        .note(block, "there is no producer to take it");
  for (nest::BlockOp reader : readersOf(buffer, func))
    if (reader != block)
      return Outcome::refused(describe(buffer) + " has another reader")
          .note(reader, "here");
  SmallVector<nest::BlockOp> writers = writersOf(buffer, func);
  if (writers.size() != 1)
    return Outcome::refused(describe(buffer) + " has " + Twine(writers.size()) +
                            " writers")
        .note(block, "it can be inlined into one only");
  nest::BlockOp producer = writers.front();
  if (Outcome outcome = checkPure(producer, space); !outcome.isDone())
    return outcome;
  memref::StoreOp into = onlyStore(producer);
  Result<SmallVector<AffineExpr>> indices = matchingLoads(block, buffer);
  if (!indices)
    return indices.getOutcome();
  SmallVector<AffineExpr> written;
  for (Value index : into.getIndices())
    written.push_back(indexExpr(index, producer));
  BlockForm form = BlockForm::of(block, space),
            producerForm = BlockForm::of(producer, space);
  std::optional<SmallVector<AffineExpr>> points =
      iteratorsAt(*indices, form, space);
  if (!points)
    return Outcome::refused(describe(block) + " reads " + describe(buffer) +
                            " at indices that do not tell its iterators")
        .note(block, "elements would be read that this block never asks for");
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (!(*points)[i] && form.extents[i] != space.constant(1))
      return Outcome::refused(describe(block) + " and " + describe(producer) +
                              " do not run over the same elements")
          .note(block, "iterator " + Twine(i) + " has no equal there");
  if (!nameTheSame(*indices, form, written, producerForm, space))
    return Outcome::refused(describe(block) + " and " + describe(producer) +
                            " do not run over the same elements")
        .note(block,
              "what they read and write of " + describe(buffer) + " differs");
  if (!readsAll(block, buffer, form, *indices, space))
    return Outcome::refused("the loops of " + describe(block) +
                            " may skip elements of " + describe(buffer))
        .note(block, "the producer would compute what this block never does; "
                     "inline before fusing or cutting loops");
  Operation *first = producer;
  for (nest::BlockOp other : blocksIn(func)) {
    if (other == block || other == producer || isBefore(other, first) ||
        isBefore(block, other))
      continue;
    for (Value output : writtenBuffers(block))
      if (readsBuffer(other, output) || writesBuffer(other, output))
        return Outcome::refused(describe(other) + " uses " + describe(output) +
                                " in between")
            .note(other, "it would see another order");
    for (Value input : readBuffers(block))
      if (writesBuffer(other, input))
        return Outcome::refused(describe(other) + " writes " + describe(input) +
                                " in between")
            .note(other, "it would be read too early");
  }
  SmallVector<nest::BlockOp> concerned;
  for (nest::BlockOp other : blocksIn(func)) {
    auto uses = [&](Value output) {
      return readsBuffer(other, output) || writesBuffer(other, output);
    };
    auto changes = [&](Value input) {
      return input != buffer && writesBuffer(other, input);
    };
    if (other != block && (llvm::any_of(writtenBuffers(block), uses) ||
                           llvm::any_of(readBuffers(block), changes)))
      concerned.push_back(other);
  }
  if (SmallVector<nest::ForOp> shared = sharedLoops(producer, block, concerned);
      !meetInOneIteration(producer, block, buffer, shared, space))
    return Outcome::refused(
               describe(block) + " reads what " + describe(producer) +
               " wrote in another iteration of " + describe(shared.back()))
        .note(shared.back(),
              "what else it reads, or what it writes, is used in this loop");
  for (Value output : writtenBuffers(block)) {
    if (readsBuffer(producer, output))
      return Outcome::refused(describe(producer) + " reads " +
                              describe(output) + ", which " + describe(block) +
                              " writes")
          .note(producer, "it would read what it wrote");
    auto home =
        dyn_cast_or_null<nest::ForOp>(output.getParentBlock()->getParentOp());
    if (home && !home->isAncestor(producer))
      return Outcome::refused(describe(output) + " of " + describe(block) +
                              " lives in " + describe(home))
          .note(producer, "its iterations would share one buffer outside; "
                          "inline before compact_buffers");
  }

  // x = ...; T[i] = x   ==>   x = ...; C[i] = g(x, i)
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(into);
  bool isPlain = plainIndices(*indices).has_value();
  SmallVector<Value> iterators =
      emitIterators(rewriter, into.getLoc(), *points, into.getIndices(), func);
  for (Value output : writtenBuffers(block))
    if (auto alloc = output.getDefiningOp<nest::AllocOp>();
        alloc && !isBefore(alloc, producer))
      rewriter.moveOpBefore(alloc, &func.getBody().front().front());
  IRMapping mapping;
  Block *body = block.getBodyBlock();
  for (auto [arg, value] : llvm::zip_equal(body->getArguments(), iterators))
    mapping.map(arg, value);
  for (Operation &op : body->without_terminator()) {
    auto load = dyn_cast<memref::LoadOp>(op);
    if (load && load.getMemRef() == buffer) {
      mapping.map(load.getResult(), into.getValueToStore());
      continue;
    }
    Operation *copy = rewriter.clone(op, mapping);
    copy->walk([&](memref::LoadOp inner) {
      if (inner.getMemRef() == buffer)
        rewriter.replaceOp(inner, into.getValueToStore());
    });
  }
  rewriter.eraseOp(into);
  eraseDeadIndices(rewriter, producer);
  if (!isPlain)
    simplifyIndices(rewriter, producer, space);
  eraseBlock(rewriter, block);
  rewriter.eraseOp(buffer.getDefiningOp());
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

Outcome ComputeInlineOp::run(Invocation &at) {
  return at.call(sched::computeInline, getBlock());
}

Outcome ReverseComputeInlineOp::run(Invocation &at) {
  return at.call(sched::reverseComputeInline, getBlock());
}

NESTOR_PRIMITIVE(compute_inline) = {
    .name = "compute_inline",
    .family = "moving",
    .does = "Substitutes a block into its consumers.",
    .law = "The block computes each element from inputs that have "
           "not changed when it is read.",
    .refuses = "blocks that are not complete, skip points, or have "
               "more than one store\n"
               "blocks that write an argument, or share their "
               "output with another writer\n"
               "readers before the block, or none\n"
               "inputs that change before the consumer reads them, or "
               "between iterations of a shared loop that pass values on",
    .syntax = "compute_inline %block",
    .notes = R"(
Block and buffer vanish.
)",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
  %T = nest.alloc : memref<8xf32>
  nest.for %i = 0 to 8 {
    nest.block "P" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      %t = arith.addf %a, %a : f32
      memref.store %t, %T[%v] : memref<8xf32>
    }
  }
  nest.for %i = 0 to 8 {
    nest.block "C" (%v : spatial = %i to 8) {
      %t = memref.load %T[%v] : memref<8xf32>
      %c = arith.negf %t : f32
      memref.store %c, %B[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
compute_inline %p
)",
};

NESTOR_PRIMITIVE(reverse_compute_inline) = {
    .name = "reverse_compute_inline",
    .family = "moving",
    .does = "Substitutes a block into its producer.",
    .law = "Both run over the same elements, and nothing in "
           "between sees another order.",
    .refuses = "blocks or producers that are not complete, or skip "
               "points\n"
               "buffers with further readers or writers\n"
               "domains that differ\n"
               "blocks in between that use what either writes, also between "
               "iterations of a shared loop that pass values on",
    .syntax = "reverse_compute_inline %block",
    .notes = R"(
The consumer and the buffer vanish.
)",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
  %T = nest.alloc : memref<8xf32>
  nest.for %i = 0 to 8 {
    nest.block "P" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      %t = arith.addf %a, %a : f32
      memref.store %t, %T[%v] : memref<8xf32>
    }
  }
  nest.for %i = 0 to 8 {
    nest.block "C" (%v : spatial = %i to 8) {
      %t = memref.load %T[%v] : memref<8xf32>
      %c = arith.negf %t : f32
      memref.store %c, %B[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%c = get_block "C" in %root
reverse_compute_inline %c
)",
};
