//===- FuseEpilogue.cpp - fuse_epilogue -----------------------------------===//
//
//   for i { for k { C[i] += f(i, k) } };  for i { D[i] = g(C[i]) }
//                                               ==> fuse_epilogue D into C
//   for i { for k { C[i] += f(i, k);  if (k == K - 1) { D[i] = g(C[i]) } } }
//
// The epilogue sees the sum when it is complete, not the partial ones. Legal
// when both blocks run through the same elements, the step with all reduce
// iterators at their last value is the last to run for its element, and nothing
// in between has to do with what the epilogue reads and writes.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/IterMap.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

using nest::IteratorKind;

namespace {
struct Plan {
  /// What the reduction stores last, by buffer.
  llvm::DenseMap<Value, memref::StoreOp> results;
  /// Iterator of the epilogue => iterator of the reduction, -1: the value 0.
  SmallVector<int> from;
};
} // namespace

/// Narrows `set` to instances of which the first is later, level by level.
template <typename F>
static bool anyLater(const InstanceSet &set, ArrayRef<nest::ForOp> loops,
                     AffineSpace &space, F isPossible) {
  InstanceSet prefix = set;
  for (nest::ForOp loop : loops) {
    AffineExpr var = space.of(loop.getInductionVar());
    InstanceSet here = prefix;
    InstanceSet::Row later = here.row(var, 0).add(here.row(var, 1), -1);
    later.constant -= 1;
    here.addNonNegative(later);
    if (isPossible(here))
      return true;
    prefix.addEqual(loop, 0, 1);
  }
  return false;
}

/// The step at the last value of all reduce iterators ends an element.
static Outcome checkLastStep(nest::BlockOp reduction, AffineSpace &space) {
  BlockForm form = BlockForm::of(reduction, space);
  InstanceSet set(space);
  set.addInstance(reduction, 0);
  set.addInstance(reduction, 1);
  for (unsigned i = 0; i < reduction.getNumIterators(); ++i) {
    if (reduction.getIteratorKind(i) == IteratorKind::Reduce)
      set.addZero(set.row(form.extents[i] - 1 - form.bindings[i], 1));
    else
      set.addZero(
          set.row(form.bindings[i], 0).add(set.row(form.bindings[i], 1), -1));
  }
  if (anyLater(set, loopsAround(reduction), space,
               [](InstanceSet &later) { return !later.isEmpty(); }))
    return Outcome::refused("the last step of " + describe(reduction) +
                            " is not the last to run")
        .note(reduction, "its loops run through the steps in another order, or "
                         "more than once; fuse before reordering them");
  return Outcome::done();
}

/// No element is read by the epilogue in an iteration of the loops around both
/// that comes before its last step.
static Outcome checkOrder(nest::BlockOp epilogue, nest::BlockOp reduction,
                          const Access &read, const Access &write,
                          AffineSpace &space) {
  Loops common;
  for (nest::ForOp loop : loopsAround(epilogue))
    if (loop->isProperAncestor(reduction))
      common.push_back(loop);
  if (common.empty())
    return Outcome::done();
  InstanceSet set(space);
  set.addInstance(reduction, 0);
  set.addInstance(epilogue, 1);
  BlockForm first = BlockForm::of(reduction, space),
            second = BlockForm::of(epilogue, space);
  for (auto [a, b] : llvm::zip_equal(write.indices, read.indices))
    set.addZero(set.row(a.replaceDims(first.bindings), 0)
                    .add(set.row(b.replaceDims(second.bindings), 1), -1));
  auto isPossible = [](InstanceSet &other) { return !other.isEmpty(); };
  bool differs = anyLater(set, common, space, isPossible);
  if (!differs) {
    // Earlier is as bad where other blocks of the loop run in between.
    InstanceSet prefix = set;
    for (nest::ForOp loop : common) {
      AffineExpr var = space.of(loop.getInductionVar());
      InstanceSet here = prefix;
      InstanceSet::Row less = here.row(var, 1).add(here.row(var, 0), -1);
      less.constant -= 1;
      here.addNonNegative(less);
      differs |= isPossible(here);
      prefix.addEqual(loop, 0, 1);
    }
  }
  if (!differs)
    return Outcome::done();
  return Outcome::refused(describe(epilogue) +
                          " reads elements in other "
                          "iterations of " +
                          describe(common.back()) + " than " +
                          describe(reduction) + " finishes them in")
      .note(common.back(), "fuse before moving blocks together");
}

/// Matches the elements of both blocks.
static Outcome checkElements(nest::BlockOp epilogue, nest::BlockOp reduction,
                             AffineSpace &space, Plan &plan) {
  BlockForm form = BlockForm::of(epilogue, space),
            into = BlockForm::of(reduction, space);
  bool found = false;
  SmallVector<Access> writes;
  for (const Access &access : accessesOf(reduction)) {
    if (!access.isWrite || access.inInit)
      continue;
    if (access.conditional || plan.results.contains(access.buffer))
      return Outcome::refused(describe(reduction) +
                              " does not store its result once a step")
          .note(access.op, "this store");
    plan.results[access.buffer] = cast<memref::StoreOp>(access.op);
    writes.push_back(access);
  }
  for (const Access &read : accessesOf(epilogue)) {
    if (read.isWrite || !plan.results.contains(read.buffer))
      continue;
    const Access &write = *llvm::find_if(
        writes, [&](const Access &w) { return w.buffer == read.buffer; });
    std::optional<SmallVector<int>> here = plainIndices(read.indices),
                                    there = plainIndices(write.indices);
    if (!here || !there)
      return Outcome::refused("the indices of " + describe(read.buffer) +
                              " are not plain iterators in both blocks")
          .note(read.op, "here it is read")
          .note(write.op, "here it is written");
    SmallVector<int> from(epilogue.getNumIterators(), -1);
    for (auto [a, b] : llvm::zip_equal(*here, *there))
      if (a >= 0)
        from[a] = b;
    if (found && from != plan.from)
      return Outcome::refused(describe(epilogue) +
                              " reads several elements "
                              "that " +
                              describe(reduction) + " makes")
          .note(read.op, "here another one");
    plan.from = from;
    found = true;
    for (unsigned i = 0; i < epilogue.getNumIterators(); ++i)
      if (from[i] < 0 ? form.extents[i] != space.constant(1)
                      : !space.isEqual(form.extents[i], into.extents[from[i]]))
        return Outcome::refused(describe(epilogue) + " and " +
                                describe(reduction) +
                                " do not run over the same elements")
            .note(epilogue, "iterator " + Twine(i) + " has no equal there");
    // Elements that the epilogue never looks at would be computed.
    for (unsigned i = 0; i < reduction.getNumIterators(); ++i)
      if (reduction.getIteratorKind(i) == IteratorKind::Spatial &&
          !llvm::is_contained(from, int(i)) &&
          into.extents[i] != space.constant(1))
        return Outcome::refused(describe(epilogue) + " and " +
                                describe(reduction) +
                                " do not run over the same elements")
            .note(reduction, "iterator " + Twine(i) + " has no equal there");
    if (Outcome outcome = checkOrder(epilogue, reduction, read, write, space);
        !outcome.isDone())
      return outcome;
  }
  if (!found)
    return Outcome::refused(describe(epilogue) + " reads nothing that " +
                            describe(reduction) + " writes")
        .note(epilogue, "name the block that makes what it reads");
  for (nest::BlockOp block : {epilogue, reduction})
    if (!fillsDomain(block, space))
      return Outcome::refused("the loops of " + describe(block) +
                              " may skip points of its domain")
          .note(block, "the other block would be run for them; fuse before "
                       "cutting loops");
  return Outcome::done();
}

/// What runs between the last step and the epilogue.
static Outcome checkBetween(nest::BlockOp epilogue, nest::BlockOp reduction,
                            const Plan &plan, AffineSpace &space) {
  SmallVector<Value> reads = readBuffers(epilogue),
                     writes = writtenBuffers(epilogue);
  for (Value output : writes)
    if (readsBuffer(reduction, output) || writesBuffer(reduction, output))
      return Outcome::refused(describe(reduction) + " uses " +
                              describe(output) + ", which " +
                              describe(epilogue) + " writes")
          .note(reduction, "it would see the new values");
  for (nest::BlockOp other : blocksIn(space.getFunc())) {
    if (other == epilogue || other == reduction || isBefore(other, reduction) ||
        isBefore(epilogue, other))
      continue;
    for (Value output : writes)
      if (readsBuffer(other, output) || writesBuffer(other, output))
        return Outcome::refused(describe(other) + " uses " + describe(output) +
                                " in between")
            .note(other, "it would see another order");
    for (Value input : reads)
      if (writesBuffer(other, input))
        return Outcome::refused(describe(other) + " writes " + describe(input) +
                                " in between")
            .note(other, "it would be read too early");
  }
  for (Value input : reads)
    if (Operation *alloc = input.getDefiningOp();
        alloc && !plan.results.contains(input) && !isBefore(alloc, reduction))
      return Outcome::refused(describe(input) + " is not there where " +
                              describe(reduction) + " runs")
          .note(alloc, "fuse before moving buffers");
  // Outside of its loop the iterations would share the buffer.
  for (Value output : writes) {
    auto home =
        dyn_cast_or_null<nest::ForOp>(output.getParentBlock()->getParentOp());
    if (home && !home->isAncestor(reduction))
      return Outcome::refused(describe(output) + " of " + describe(epilogue) +
                              " lives in " + describe(home))
          .note(home, "fuse before moving buffers");
  }
  return Outcome::done();
}

static Outcome check(nest::BlockOp epilogue, nest::BlockOp reduction,
                     AffineSpace &space, Plan &plan) {
  if (analysis::kindOf(epilogue) != BlockKind::Complete)
    return Outcome::refused(describe(epilogue) + " is not complete")
        .note(epilogue, "an epilogue does not reduce and does not read what it "
                        "writes");
  if (analysis::kindOf(reduction) != BlockKind::Reduction)
    return Outcome::refused(describe(reduction) + " is no reduction")
        .note(reduction, "use reverse_compute_inline for complete blocks");
  if (!isBefore(reduction, epilogue))
    return Outcome::refused(describe(epilogue) + " comes before " +
                            describe(reduction))
        .note(epilogue, "this block");
  if (Outcome outcome = checkElements(epilogue, reduction, space, plan);
      !outcome.isDone())
    return outcome;
  if (Outcome outcome = checkBetween(epilogue, reduction, plan, space);
      !outcome.isDone())
    return outcome;
  return checkLastStep(reduction, space);
}

Outcome sched::fuseEpilogue(RewriterBase &rewriter, nest::BlockOp epilogue,
                            nest::BlockOp reduction) {
  nest::FuncOp func = funcOf(reduction);
  AffineSpace space(func);
  Plan plan;
  if (Outcome outcome = check(epilogue, reduction, space, plan);
      !outcome.isDone())
    return outcome;
  OpBuilder::InsertionGuard guard(rewriter);
  for (Value output : writtenBuffers(epilogue))
    if (Operation *alloc = output.getDefiningOp();
        alloc && !isBefore(alloc, reduction))
      rewriter.moveOpBefore(alloc, &func.getBody().front().front());
  BlockForm form = BlockForm::of(reduction, space);
  Block *body = reduction.getBodyBlock();
  Location loc = epilogue.getLoc();
  rewriter.setInsertionPoint(body->getTerminator());
  Value last;
  for (unsigned i = 0; i < reduction.getNumIterators(); ++i) {
    if (reduction.getIteratorKind(i) != IteratorKind::Reduce ||
        form.extents[i] == space.constant(1))
      continue;
    Value end = emitIndex(rewriter, loc, space.canonical(form.extents[i] - 1),
                          body->getArguments(), func);
    Value here = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq,
                                       body->getArgument(i), end);
    last =
        last ? Value(arith::AndIOp::create(rewriter, loc, last, here)) : here;
  }
  IRMapping mapping;
  for (auto [arg, from] :
       llvm::zip_equal(epilogue.getBodyBlock()->getArguments(), plan.from))
    mapping.map(
        arg,
        from >= 0
            ? Value(body->getArgument(from))
            : arith::ConstantIndexOp::create(rewriter, loc, 0).getResult());
  if (last) {
    auto branch = scf::IfOp::create(rewriter, loc, last, /*withElse=*/false);
    rewriter.setInsertionPointToStart(branch.thenBlock());
  }
  auto resultOf = [&](memref::LoadOp load) {
    memref::StoreOp store = plan.results.lookup(load.getMemRef());
    return store ? store.getValueToStore() : Value();
  };
  for (Operation &op : epilogue.getBodyBlock()->without_terminator()) {
    auto load = dyn_cast<memref::LoadOp>(op);
    if (Value result = load ? resultOf(load) : Value()) {
      mapping.map(load.getResult(), result);
      continue;
    }
    Operation *copy = rewriter.clone(op, mapping);
    SmallVector<memref::LoadOp> inner;
    copy->walk([&](memref::LoadOp nested) { inner.push_back(nested); });
    for (memref::LoadOp nested : inner)
      if (Value result =
              nested.getOperation() != copy ? resultOf(nested) : Value())
        rewriter.replaceOp(nested, result);
  }
  eraseBlock(rewriter, epilogue);
  eraseDeadIndices(rewriter, reduction);
  return Outcome::done();
}

Outcome FuseEpilogueOp::run(Invocation &at) {
  return at.call(sched::fuseEpilogue, getEpilogue(), getReduction());
}

NESTOR_PRIMITIVE(fuse_epilogue) = {
    .name = "fuse_epilogue",
    .family = "moving",
    .does = "Applies a pointwise block after the last step of a reduction.",
    .law = "Both run through the same elements, the last step of an element is "
           "the last to run, and nothing in between has to do with the "
           "epilogue.",
    .refuses =
        "an epilogue that reduces, or reads nothing that the reduction "
        "makes, or comes before it\n"
        "indices that are not plain iterators, several elements, or "
        "other elements\n"
        "loops that skip points of a domain\n"
        "a block in between that uses what the epilogue writes, or "
        "writes what it reads; also the reduction itself\n"
        "elements that are finished in other iterations of common loops\n"
        "reductions whose last step is not the last to run",
    .syntax = "fuse_epilogue %epilogue into %reduction",
    .notes =
        "The epilogue is never inside of the update: a ReLU of partial "
        "sums is another program. Other readers of the reduction see it as "
        "before.",
    .before = R"(
nest.func @f(%A: memref<8x6xf32>, %D: memref<8xf32>) {
  %C = nest.alloc : memref<8xf32>
  nest.for %i = 0 to 8 {
    nest.for %k = 0 to 6 {
      nest.block "sum" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
        %z = arith.constant 0.0 : f32
        memref.store %z, %C[%v] : memref<8xf32>
      } {
        %a = memref.load %A[%v, %vk] : memref<8x6xf32>
        %c = memref.load %C[%v] : memref<8xf32>
        %r = arith.addf %c, %a : f32
        memref.store %r, %C[%v] : memref<8xf32>
      }
    }
  }
  nest.for %i = 0 to 8 {
    nest.block "relu" (%v : spatial = %i to 8) {
      %c = memref.load %C[%v] : memref<8xf32>
      %z = arith.constant 0.0 : f32
      %r = arith.maximumf %c, %z : f32
      memref.store %r, %D[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%sum = get_block "sum" in %root
%relu = get_block "relu" in %root
fuse_epilogue %relu into %sum
)",
};
