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
