//===- Cache.cpp - cache_read, cache_write, set_scope ---------------------===//
//
//   C = f(A[e])       ==> cache_read   T[x] = A[x] for all;  C = f(T[e])
//   C[e] = x          ==> cache_write  T[e] = x;  C[x] = T[x] for all
//
// Copies stand before (after) the nest of the block at the top level of the
// function, or in the outermost loop in which no other access comes between:
//
//   for i { A[i, *] = ...;  C = f(A[i, e]) }
//   ==>  for i { A[i, *] = ...;  T[i, x] = A[i, x] for all;  C = f(T[i, e]) }
//
// The new buffer has the shape of the old one.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Staging.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

static Outcome noPlace(Value buffer, nest::BlockOp block) {
  return Outcome::refused(describe(buffer) + " of " + describe(block) +
                          " lives inside a loop that does not run in order")
      .note(buffer.getDefiningOp(), "cache before giving loops a kind");
}

/// The first place that `check` likes; else what it says of the outermost one,
/// or why there are no more.
static Result<Place> choose(ArrayRef<Place> places, nest::BlockOp block,
                            llvm::function_ref<Outcome(const Place &)> check) {
  std::optional<Outcome> first;
  for (const Place &place : places) {
    Outcome outcome = check(place);
    if (outcome.isDone())
      return place;
    if (!first)
      first = std::move(outcome);
  }
  Outcome inside = whyNotInside(places.back(), block);
  // What is wrong further out might be right in there.
  return inside.isDone() || places.size() > 1 ? std::move(*first)
                                              : std::move(inside);
}

Result<nest::BlockOp> sched::cacheRead(RewriterBase &rewriter,
                                       nest::BlockOp block, int64_t number,
                                       StringRef scope,
                                       ArrayRef<nest::BlockOp> consumers) {
  if (Outcome outcome = checkScope(scope); !outcome.isDone())
    return outcome;
  Result<Value> buffer = nthBuffer(block, BufferRole::Read, number);
  if (!buffer)
    return buffer.getOutcome();
  Result<Blocks> blocks =
      withConsumers(block, consumers, *buffer, BufferRole::Read);
  if (!blocks)
    return blocks.getOutcome();
  AffineSpace space(funcOf(block));
  SmallVector<Place> places = placesFor(*buffer, *blocks);
  if (places.empty())
    return noPlace(*buffer, block);
  Result<Place> place = choose(places, block, [&](const Place &at) {
    return checkCopyIn(at, *blocks, *buffer, space);
  });
  if (!place)
    return place.getOutcome();

  auto reads = [](const Access &access) { return !access.isWrite; };
  Box box = *boxAt(place->level, *blocks, *buffer, reads, space);
  nest::AllocOp copy = makeLike(rewriter, *buffer, scope, space);
  redirect(rewriter, *blocks, *buffer, copy, reads);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(place->first);
  return makeCopy(rewriter, block.getLoc(),
                  (block.getName() + "_read" + Twine(number)).str(), *buffer,
                  copy, box, space);
}

Result<nest::BlockOp> sched::cacheWrite(RewriterBase &rewriter,
                                        nest::BlockOp block, int64_t number,
                                        StringRef scope,
                                        ArrayRef<nest::BlockOp> consumers) {
  if (Outcome outcome = checkScope(scope); !outcome.isDone())
    return outcome;
  Result<Value> buffer = nthBuffer(block, BufferRole::Write, number);
  if (!buffer)
    return buffer.getOutcome();
  Result<Blocks> blocks =
      withConsumers(block, consumers, *buffer, BufferRole::Write);
  if (!blocks)
    return blocks.getOutcome();
  AffineSpace space(funcOf(block));
  SmallVector<Place> places = placesFor(*buffer, *blocks);
  if (places.empty())
    return noPlace(*buffer, block);
  auto writes = [](const Access &access) { return access.isWrite; };
  Result<Place> place = choose(places, block, [&](const Place &at) {
    return checkCopyOut(at, *blocks, *buffer, space);
  });
  if (!place)
    return place.getOutcome();
  // Further inside, the copy would serve less: no remedy for these.
  if (Outcome outcome = checkReadsBack(*place, *blocks, *buffer, space);
      !outcome.isDone())
    return outcome;
  auto guards = guardsOf(*place, *blocks, *buffer, space);
  if (!guards)
    return guards.getOutcome();
  Box box = *boxAt(place->level, *blocks, *buffer, writes, space);
  if (!box.dense)
    return Outcome::refused(describe(block) + " leaves gaps in " +
                            describe(*buffer))
        .note(block, "the copy would overwrite what lies in between; "
                     "cache_inplace copies that in before");
  nest::AllocOp copy = makeLike(rewriter, *buffer, scope, space);
  redirect(rewriter, *blocks, *buffer, copy,
           [](const Access &) { return true; });
  OpBuilder::InsertionGuard insertion(rewriter);
  rewriter.setInsertionPointAfter(place->last);
  nest::BlockOp made =
      makeCopy(rewriter, block.getLoc(), (block.getName() + "_write").str(),
               copy, *buffer, box, space);
  guard(rewriter, made, *guards, space);
  return made;
}

Outcome sched::setScope(RewriterBase &rewriter, nest::BlockOp block,
                        int64_t number, StringRef scope) {
  if (Outcome outcome = checkScope(scope); !outcome.isDone())
    return outcome;
  Result<Value> buffer = nthBuffer(block, BufferRole::Write, number);
  if (!buffer)
    return buffer.getOutcome();
  auto alloc = (*buffer).getDefiningOp<nest::AllocOp>();
  if (!alloc)
    return Outcome::refused(describe(block) + " writes " + describe(*buffer))
        .note(block, "the scope of an argument is the caller's; cache_write "
                     "gives the block a buffer of its own");
  auto type = cast<MemRefType>(alloc.getType());
  rewriter.modifyOpInPlace(alloc, [&]() {
    alloc.getResult().setType(MemRefType::get(
        type.getShape(), type.getElementType(), MemRefLayoutAttrInterface(),
        scopeAttr(rewriter.getContext(), scope)));
  });
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

Outcome CacheReadOp::run(Invocation &at) {
  return at.call(sched::cacheRead, getBlock(), getBuffer(), getScope(),
                 getConsumers());
}

Outcome CacheWriteOp::run(Invocation &at) {
  return at.call(sched::cacheWrite, getBlock(), getBuffer(), getScope(),
                 getConsumers());
}

Outcome SetScopeOp::run(Invocation &at) {
  return at.call(sched::setScope, getBlock(), getBuffer(), getScope());
}

NESTOR_PRIMITIVE(set_scope) = {
    .name = "set_scope",
    .family = "data",
    .does = "Says where the buffer that a block writes lives.",
    .law = "",
    .refuses = "arguments of the kernel\n"
               "scopes other than \"shared\", \"register\" and \"tile\"",
    .syntax = "set_scope %block write NUMBER in \"SCOPE\"",
    .notes = "",
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
set_scope %p write 0 in "register"
)",
};

NESTOR_PRIMITIVE(cache_read) = {
    .name = "cache_read",
    .family = "data",
    .does = "Reads a buffer through a copy.",
    .law = "What is copied does not change before it is read.",
    .refuses = "buffers that are written inside or after the nest "
               "that reads them\n"
               "buffers that live inside a loop that does not run "
               "in order",
    .syntax = "%copy = cache_read %block read NUMBER in \"SCOPE\" "
              "for %consumer, ...",
    .notes = R"(
The copy stands before the nest and takes all that is read of the block's input of that
number; move it with `compute_at`.
)",
    .before = R"(
nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 4 {
      nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
        %a = memref.load %A[%u, %v] : memref<8x4xf32>
        memref.store %a, %B[%u, %v] : memref<8x4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%c = cache_read %b read 0 in "shared"
)",
};

NESTOR_PRIMITIVE(cache_write) = {
    .name = "cache_write",
    .family = "data",
    .does = "Writes a buffer through a copy.",
    .law = "The copy writes what the block would have written, and "
           "no more.",
    .refuses = "buffers with other writers or with readers in the "
               "same nest\n"
               "blocks that leave gaps in what they write\n"
               "updates of what was in the buffer before",
    .syntax = "%copy = cache_write %block write NUMBER in "
              "\"SCOPE\" for %consumer, ...",
    .notes = R"(
The block writes a buffer of its own; a copy after its nest writes the output. Move it
with `reverse_compute_at`.
)",
    .before = R"(
nest.func @f(%A: memref<4x8xf32>, %S: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    nest.for %k = 0 to 8 {
      nest.block "S" (%vi : spatial = %i to 4, %vk : reduce = %k to 8) init {
        %z = arith.constant 0.0 : f32
        memref.store %z, %S[%vi] : memref<4xf32>
      } {
        %a = memref.load %A[%vi, %vk] : memref<4x8xf32>
        %s = memref.load %S[%vi] : memref<4xf32>
        %t = arith.addf %s, %a : f32
        memref.store %t, %S[%vi] : memref<4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%s = get_block "S" in %root
%c = cache_write %s write 0 in "register"
)",
};
