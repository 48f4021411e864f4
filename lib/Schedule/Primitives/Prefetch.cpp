//===- Prefetch.cpp - prefetch --------------------------------------------===//
//
//   for k { B: ... A[k, x] }
//   ==>  for k annotate {prefetch = [{block = "B", read = 0, distance = 4}]}
//
// Each iteration of the loop asks the cache for what the block reads `distance`
// iterations later; the meaning stays, so only what is to be asked for has to
// be known. Lowering makes one request a cache line of the box that an
// iteration reads.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// More requests an iteration than a core has places for are lost.
static constexpr int64_t kMaxBytes = 64 * 64;

/// The box of what one iteration of `loop` reads has to be of a known, small
/// size, and another one in the next iteration.
static Outcome checkBox(const Access &read, nest::BlockOp block,
                        nest::ForOp loop, AffineSpace &space) {
  auto type = cast<MemRefType>(read.buffer.getType());
  int64_t bytes = type.getElementType().isIntOrFloat()
                      ? (type.getElementType().getIntOrFloatBitWidth() + 7) / 8
                      : 8;
  Box box = boxOf(read, block, space, [&](nest::ForOp other) {
    return loop->isProperAncestor(other);
  });
  bool moves = false;
  AffineExpr var = space.of(loop.getInductionVar());
  for (auto [index, lower, extent] :
       llvm::zip_equal(read.indices, box.lower, box.extent)) {
    if (!index)
      return Outcome::refused(describe(block) + " reads " +
                              describe(read.buffer) +
                              " at indices that come from data")
          .note(read.op, "where a later iteration reads is not known before");
    moves |= AffineSpace::uses(lower, var);
    std::optional<int64_t> count = AffineSpace::constantOf(extent);
    if (!count || llvm::MulOverflow(bytes, *count, bytes) || bytes > kMaxBytes)
      return Outcome::refused("an iteration of " + describe(loop) +
                              " reads more of " + describe(read.buffer) +
                              " than " + Twine(kMaxBytes) +
                              " bytes, or it is not known how much")
          .note(read.op, "name a loop further inside, or split it");
  }
  if (!moves)
    return Outcome::refused("all iterations of " + describe(loop) +
                            " read the same of " + describe(read.buffer))
        .note(read.op, "the next one needs nothing new; name another loop");
  return Outcome::done();
}

Outcome sched::prefetch(RewriterBase &rewriter, nest::BlockOp block,
                        int64_t number, nest::ForOp loop, int64_t distance) {
  Result<Value> buffer = nthBuffer(block, BufferRole::Read, number);
  if (!buffer)
    return buffer.getOutcome();
  if (!loop->isProperAncestor(block))
    return Outcome::refused(describe(loop) + " is not around " +
                            describe(block))
        .note(block, "this block");
  if (distance <= 0)
    return Outcome::refused("the distance " + Twine(distance) +
                            " is not positive")
        .note(loop, "what this iteration reads comes too late to ask for");
  for (nest::ForOp around : loopsAround(loop.getBodyBlock()->getTerminator()))
    if (around.getKind() == nest::LoopKind::Vectorize)
      return Outcome::refused(describe(around) + " is vectorize")
          .note(around, "its lanes read at the same time; name a loop around "
                        "it");
  if (loop.getKind() == nest::LoopKind::Parallel)
    return Outcome::refused(describe(loop) + " is parallel")
        .note(loop, "a later iteration may be another worker's; name a loop "
                    "inside");
  if (Operation *alloc = (*buffer).getDefiningOp();
      alloc && loop->isProperAncestor(alloc))
    return Outcome::refused(describe(*buffer) + " lives in " + describe(loop))
        .note(alloc, "a later iteration has another one");
  AffineSpace space(funcOf(block));
  for (const Access &access : accessesOf(block))
    if (access.buffer == *buffer && !access.isWrite)
      if (Outcome outcome = checkBox(access, block, loop, space);
          !outcome.isDone())
        return outcome;

  Builder builder(rewriter.getContext());
  auto entry = builder.getDictionaryAttr(
      {builder.getNamedAttr("block", builder.getStringAttr(block.getName())),
       builder.getNamedAttr("distance", builder.getI64IntegerAttr(distance)),
       builder.getNamedAttr("read", builder.getI64IntegerAttr(number))});
  SmallVector<Attribute> entries;
  DictionaryAttr annotations = loop.getAnnotationsAttr();
  if (auto old =
          annotations ? annotations.getAs<ArrayAttr>("prefetch") : ArrayAttr())
    llvm::copy_if(old, std::back_inserter(entries), [&](Attribute other) {
      auto dict = cast<DictionaryAttr>(other);
      return dict.get("block") != entry.get("block") ||
             dict.get("read") != entry.get("read");
    });
  entries.push_back(entry);
  NamedAttrList list(annotations);
  list.set("prefetch", builder.getArrayAttr(entries));
  rewriter.modifyOpInPlace(loop, [&]() {
    loop.setAnnotationsAttr(list.getDictionary(rewriter.getContext()));
  });
  return Outcome::done();
}

Outcome PrefetchOp::run(Invocation &at) {
  return at.call(sched::prefetch, getBlock(), getBuffer(), getLoop(),
                 MixedParams{getDynamicDistance(), getDistance()});
}

NESTOR_PRIMITIVE(prefetch) = {
    .name = "prefetch",
    .family = "machine",
    .does =
        "Each iteration of a loop asks the cache for what a later one reads.",
    .law = "",
    .refuses =
        "buffers that the block does not read, or that live in the loop\n"
        "loops that are not around the block, are vectorize, inside of one, or "
        "parallel\n"
        "distances that are not positive\n"
        "indices that come from data\n"
        "iterations that read more than 4096 bytes, or all the same",
    .syntax = "prefetch %block read BUFFER in %loop distance [ITERATIONS]",
    .notes = R"(
Written as the annotation `prefetch` of the loop. Lowering asks for each cache line
of the box that the iteration reads, at most that of the last iteration.
)",
    .before = R"(
nest.func @f(%A: memref<8x32xf32>, %B: memref<8x32xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 32 {
      nest.block "B" (%v : spatial = %i to 8, %w : spatial = %j to 32) {
        %a = memref.load %A[%v, %w] : memref<8x32xf32>
        memref.store %a, %B[%v, %w] : memref<8x32xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i, %j = get_loops %b : 2
prefetch %b read 0 in %i distance [2]
)",
};
