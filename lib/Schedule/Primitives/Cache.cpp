//===- Cache.cpp - cache_read, cache_write, set_scope ---------------------===//
//
//   C = f(A[e])       ==> cache_read   T[x] = A[x] for all;  C = f(T[e])
//   C[e] = x          ==> cache_write  T[e] = x;  C[x] = T[x] for all
//
// Copies stand at the top level of the function, before or after the nest of
// the block; the new buffer has the shape of the old one.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Points.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

static Attribute scopeAttr(MLIRContext *context, StringRef scope) {
  // "shared" is what a buffer without a scope means.
  return scope == nest::kSharedScope ? Attribute()
                                     : StringAttr::get(context, scope);
}

static Outcome checkScope(StringRef scope) {
  if (scope == nest::kSharedScope || scope == nest::kRegisterScope)
    return Outcome::done();
  return Outcome::refused("there is no scope \"" + scope +
                          "\"; the scopes are \"shared\" and \"register\"");
}

/// A buffer like `buffer` in `scope`, at the start of the function.
static nest::AllocOp makeLike(RewriterBase &rewriter, Value buffer,
                              StringRef scope, AffineSpace &space) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(&space.getFunc().getBody().front());
  auto type = cast<MemRefType>(buffer.getType());
  auto newType = MemRefType::get(type.getShape(), type.getElementType(),
                                 MemRefLayoutAttrInterface(),
                                 scopeAttr(rewriter.getContext(), scope));
  SmallVector<Value> operands;
  AffineMapAttr shape;
  if (!type.hasStaticShape())
    shape =
        AffineMapAttr::get(space.exportMap(space.shapeOf(buffer), operands));
  return nest::AllocOp::create(rewriter, buffer.getLoc(), newType, operands,
                               shape);
}

/// `to[x] = from[x]` for all x of `box`, at the insertion point.
static nest::BlockOp makeCopy(RewriterBase &rewriter, Location loc,
                              StringRef name, Value from, Value to,
                              const Box &box, AffineSpace &space) {
  BlockForm form;
  SmallVector<nest::IteratorKind> kinds;
  OpBuilder::InsertionGuard guard(rewriter);
  for (auto [lower, extent] : llvm::zip_equal(box.lower, box.extent)) {
    kinds.push_back(nest::IteratorKind::Spatial);
    nest::ForOp loop = makeLoop(rewriter, loc, extent, space);
    rewriter.setInsertionPoint(loop.getBodyBlock()->getTerminator());
    form.bindings.push_back(
        space.canonical(lower + space.of(loop.getInductionVar())));
    form.extents.push_back(space.canonical(lower + extent));
  }
  SmallVector<AffineExpr> zeros(kinds.size(), space.constant(0));
  AffineMap placeholder = AffineMap::get(0, 0, zeros, rewriter.getContext());
  auto block = nest::BlockOp::create(
      rewriter, loc, uniqueBlockName(space.getFunc(), name), kinds, placeholder,
      placeholder, ValueRange());
  form.write(block, space);
  rewriter.setInsertionPoint(block.getBodyBlock()->getTerminator());
  ValueRange iterators = block.getBodyBlock()->getArguments();
  Value value = memref::LoadOp::create(rewriter, loc, from, iterators);
  memref::StoreOp::create(rewriter, loc, value, to, iterators);
  return block;
}

/// The box of all reads or writes of `buffer` in `block`, over all loops.
static Box wholeBox(nest::BlockOp block, Value buffer, bool write,
                    AffineSpace &space) {
  std::optional<Box> result;
  for (const Access &access : accessesOf(block)) {
    if (access.buffer != buffer || access.isWrite != write)
      continue;
    Box box = boxOf(access, block, space, [](nest::ForOp) { return true; });
    result = result ? unite(*result, box, buffer, space) : box;
  }
  return *result;
}

static void redirect(RewriterBase &rewriter, nest::BlockOp block, Value from,
                     Value to) {
  for (const Access &access : accessesOf(block))
    if (access.buffer == from)
      rewriter.modifyOpInPlace(access.op, [&]() {
        access.op->setOperand(access.isWrite ? 1 : 0, to);
      });
}

Result<nest::BlockOp> sched::cacheRead(RewriterBase &rewriter,
                                       nest::BlockOp block, int64_t number,
                                       StringRef scope) {
  if (Outcome outcome = checkScope(scope); !outcome.isDone())
    return outcome;
  Result<Value> buffer = nthBuffer(block, BufferRole::Read, number);
  if (!buffer)
    return buffer.getOutcome();
  nest::FuncOp func = funcOf(block);
  Operation *top = childHolding(func, block);
  for (nest::BlockOp writer : writersOf(*buffer, func))
    if (!isBefore(writer, top))
      return Outcome::refused(describe(*buffer) + " of " + describe(block) +
                              " is written in or after its nest")
          .note(writer, "written here; cache before moving blocks together");
  AffineSpace space(func);
  Box box = wholeBox(block, *buffer, false, space);
  nest::AllocOp copy = makeLike(rewriter, *buffer, scope, space);
  redirect(rewriter, block, *buffer, copy);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(top);
  return makeCopy(rewriter, block.getLoc(),
                  (block.getName() + "_read" + Twine(number)).str(), *buffer,
                  copy, box, space);
}

Result<nest::BlockOp> sched::cacheWrite(RewriterBase &rewriter,
                                        nest::BlockOp block, int64_t number,
                                        StringRef scope) {
  if (Outcome outcome = checkScope(scope); !outcome.isDone())
    return outcome;
  Result<Value> buffer = nthBuffer(block, BufferRole::Write, number);
  if (!buffer)
    return buffer.getOutcome();
  nest::FuncOp func = funcOf(block);
  Operation *top = childHolding(func, block);
  for (nest::BlockOp writer : writersOf(*buffer, func))
    if (writer != block)
      return Outcome::refused(describe(*buffer) + " of " + describe(block) +
                              " has another writer")
          .note(writer, "here; cache before decomposing reductions");
  for (nest::BlockOp reader : readersOf(*buffer, top))
    if (reader != block)
      return Outcome::refused(describe(reader) + " reads " + describe(*buffer) +
                              " in the same nest")
          .note(reader, "here; cache before moving blocks together");
  if (Operation *alloc = (*buffer).getDefiningOp();
      alloc && alloc->getParentOp() != func)
    return Outcome::refused(describe(*buffer) + " of " + describe(block) +
                            " lives inside a loop")
        .note(alloc, "cache before buffers move");
  // What the block reads back must be what its init wrote.
  SmallVector<Access> accesses = accessesOf(block);
  for (const Access &read : accesses)
    if (read.buffer == *buffer && !read.isWrite &&
        llvm::none_of(accesses, [&](const Access &write) {
          return write.isWrite && write.inInit && !read.inInit &&
                 !write.conditional && write.buffer == *buffer &&
                 write.indices == read.indices &&
                 !llvm::is_contained(write.indices, AffineExpr());
        }))
      return Outcome::refused(describe(block) + " updates what stands in " +
                              describe(*buffer))
          .note(read.op, "this read would find nothing in a new buffer; give "
                         "the block an init, or cache what it reads");
  AffineSpace space(func);
  nest::ForOp offender;
  if (block.getInitBlock() && !startsInside(block, func, space, offender))
    return Outcome::refused("the first step of the reduction of " +
                            describe(block) + " may not be in its nest")
        .note(block, "the copy would overwrite elements that it leaves alone");
  Box box = wholeBox(block, *buffer, true, space);
  if (!box.dense)
    return Outcome::refused(describe(block) + " leaves gaps in " +
                            describe(*buffer))
        .note(block, "the copy would overwrite what lies in between");
  nest::AllocOp copy = makeLike(rewriter, *buffer, scope, space);
  redirect(rewriter, block, *buffer, copy);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfter(top);
  return makeCopy(rewriter, block.getLoc(), (block.getName() + "_write").str(),
                  copy, *buffer, box, space);
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
  return at.call(sched::cacheRead, getBlock(), getBuffer(), getScope());
}

Outcome CacheWriteOp::run(Invocation &at) {
  return at.call(sched::cacheWrite, getBlock(), getBuffer(), getScope());
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
               "scopes other than \"global\", \"shared\" and "
               "\"register\"",
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
