//===- PadEinsum.cpp - pad_einsum -----------------------------------------===//
//
//   C[7, 30] += A[7, 10] * B[10, 30]            ==> pad_einsum C to [16, 16, 4]
//   A1[16, 12] = A, then 0;  B1[12, 32] = B, then 0
//   C1[16, 32] += A1 * B1;  C = C1[0:7, 0:30]
//
// A step beyond the end adds what changes nothing: a product with a factor 0 in
// a sum, or the neutral element itself where the addend is a single value. All
// factors are 0 there, as 0 times infinity is no number.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Relayout.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

using nest::IteratorKind;

namespace {
/// A read of the block, by its iterators.
struct Operand {
  memref::LoadOp load;
  SmallVector<int> iterators; // of each dim that is padded
  TypedAttr pad;
};
struct Plan {
  BlockForm form;
  Reducer reducer;
  SmallVector<Operand> operands;
  SmallVector<int> result;        // iterators of the accumulator's dims
  SmallVector<AffineExpr> padded; // extents; null where they stay
  Operation *top = nullptr;
};
} // namespace

static Outcome notPlain(nest::BlockOp block, Operation *access) {
  return Outcome::refused("an index of " + describe(block) +
                          " is not a single iterator")
      .note(access, "only dims that are iterators can be padded");
}

/// Gathers the factors of the addend; false: it is something else.
static bool readFactors(Value value, nest::BlockOp block, Plan &plan) {
  Operation *op = value.getDefiningOp();
  if (!op || !block->isProperAncestor(op))
    return false;
  if (auto load = dyn_cast<memref::LoadOp>(op)) {
    if (llvm::none_of(plan.operands,
                      [&](Operand &o) { return o.load == load; }))
      plan.operands.push_back({load, {}, {}});
    return true;
  }
  if (isa<arith::MulFOp, arith::MulIOp, arith::ExtFOp, arith::ExtSIOp,
          arith::ExtUIOp, arith::SIToFPOp, arith::UIToFPOp, arith::TruncFOp,
          arith::TruncIOp, arith::NegFOp>(op))
    return llvm::all_of(op->getOperands(), [&](Value operand) {
      return readFactors(operand, block, plan);
    });
  return false;
}

/// The iterator that an index is when it is padded; kWhole where no padded
/// iterator has to do with the index, kMixed where one is a part of it.
static constexpr int kWhole = -1, kMixed = -2;
static int dimOf(AffineExpr index, const Plan &plan) {
  if (!index)
    return kMixed;
  auto dim = dyn_cast<AffineDimExpr>(index);
  for (auto [i, padded] : llvm::enumerate(plan.padded)) {
    if (!padded || !index.isFunctionOfDim(i))
      continue;
    return dim ? static_cast<int>(i) : kMixed;
  }
  return kWhole;
}

static Outcome check(nest::BlockOp block, ArrayRef<int64_t> multiples,
                     AffineSpace &space, Plan &plan) {
  if (multiples.size() > block.getNumIterators())
    return Outcome::refused(Twine(multiples.size()) + " multiples for the " +
                            Twine(block.getNumIterators()) + " iterators of " +
                            describe(block))
        .note(block, "name one for each iterator, 1 where it stays");
  for (int64_t multiple : multiples)
    if (multiple < 1)
      return Outcome::refused("multiples are positive, not " + Twine(multiple))
          .note(block, "of an iterator of this block");
  std::optional<Reducer> reducer = reducerOf(block);
  if (analysis::kindOf(block) != BlockKind::Reduction ||
      !block.getInitBlock() || !reducer)
    return Outcome::refused(describe(block) +
                            " is no reduction with init and a known operation")
        .note(block, "nothing says what its steps beyond the end may add");
  plan.reducer = *reducer;
  plan.form = BlockForm::of(block, space);
  bool any = false;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    AffineExpr extent = plan.form.extents[i], padded;
    if (i < multiples.size()) {
      padded = space.canonical(extent.ceilDiv(multiples[i]) * multiples[i]);
      if (space.isEqual(padded, extent))
        padded = {};
    }
    any |= bool(padded);
    plan.padded.push_back(padded);
  }
  if (!any)
    return Outcome::refused("the iterators of " + describe(block) +
                            " are such multiples already")
        .note(block, "nothing to pad");
  // Loops and iterators are the same.
  SmallVector<nest::ForOp> loops = loopsAround(block);
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    auto dim = dyn_cast<AffineDimExpr>(plan.form.bindings[i]);
    nest::ForOp loop = dim ? space.getLoop(dim) : nest::ForOp();
    if (!plan.padded[i] && !loop)
      continue;
    if (!loop || space.lowerOf(loop) != space.constant(0) ||
        !space.extentOf(loop) ||
        !space.isEqual(space.extentOf(loop), plan.form.extents[i]))
      return Outcome::refused("iterator " + Twine(i) + " of " +
                              describe(block) + " is no loop of its own")
          .note(loop ? loop.getOperation() : block.getOperation(),
                "pad before splitting or fusing loops");
  }
  for (auto [i, binding] : llvm::enumerate(plan.form.bindings))
    for (auto [j, other] : llvm::enumerate(plan.form.bindings))
      if (i < j && binding == other && isa<AffineDimExpr>(binding))
        return Outcome::refused("iterator " + Twine(j) + " of " +
                                describe(block) + " is no loop of its own")
            .note(block, "pad before splitting or fusing loops");
  if (!plan.form.constraints.empty())
    return Outcome::refused(describe(block) + " has a predicate")
        .note(block, "pad before splitting loops");
  plan.top = loops.empty() ? block.getOperation() : loops.front();
  if (blocksIn(plan.top).size() > 1)
    return Outcome::refused(describe(plan.top) + " holds other blocks than " +
                            describe(block))
        .note(plan.top, "pad before moving blocks together");
  for (const Access &access : accessesOf(block))
    if (Operation *alloc = access.buffer.getDefiningOp();
        alloc && plan.top->isAncestor(alloc))
      return Outcome::refused(describe(access.buffer) + " lives inside " +
                              describe(plan.top))
          .note(alloc, "pad before buffers move");
  for (nest::ForOp loop : loops)
    if (!feeds(loop, block) || loop.getKind() != nest::LoopKind::Serial)
      return Outcome::refused(describe(loop) + " repeats " + describe(block) +
                              " or has a kind")
          .note(loop, "pad first");
  if (!readFactors(reducer->addend, block, plan))
    return Outcome::refused("what " + describe(block) +
                            " adds is no product of what it reads")
        .note(reducer->combine, "move other arithmetic into blocks before it");
  bool isSum = isa<arith::AddFOp, arith::AddIOp>(reducer->combine);
  bool isSingle = reducer->addend.getDefiningOp<memref::LoadOp>() != nullptr;
  bool pads = false; // steps beyond the end
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    pads |= plan.padded[i] && block.getIteratorKind(i) == IteratorKind::Reduce;
  if (!isSum && !isSingle && pads)
    return Outcome::refused("the update of " + describe(block) +
                            " has no step that changes nothing")
        .note(reducer->combine, "only sums of products and reductions of a "
                                "single value can be padded");
  Builder builder(block.getContext());
  for (Operand &operand : plan.operands) {
    SmallVector<AffineExpr> indices;
    for (Value index : operand.load.getIndices())
      indices.push_back(indexExpr(index, block));
    for (AffineExpr index : indices) {
      int place = dimOf(index, plan);
      if (place == kMixed ||
          (place >= 0 && llvm::is_contained(operand.iterators, place)))
        return notPlain(block, operand.load);
      operand.iterators.push_back(place);
    }
    Type type = operand.load.getType();
    operand.pad = isSingle && !isSum
                      ? reducer->identity
                      : cast<TypedAttr>(builder.getZeroAttr(type));
    for (unsigned i = 0; i < block.getNumIterators(); ++i)
      if (plan.padded[i] && block.getIteratorKind(i) == IteratorKind::Reduce &&
          !llvm::is_contained(operand.iterators, int(i)))
        return Outcome::refused("iterator " + Twine(i) + " of " +
                                describe(block) + " indexes no dim of " +
                                describe(operand.load.getMemRef()))
            .note(operand.load, "a value that is not 0 there may be no number "
                                "times 0");
    if (operand.load.getMemRef() == reducer->store.getMemRef())
      return Outcome::refused(describe(block) +
                              " reads its accumulator in another place")
          .note(operand.load, "this access");
  }
  SmallVector<AffineExpr> indices;
  for (const Access &access : accessesOf(block)) {
    if (access.buffer == reducer->store.getMemRef()) {
      bool moves = llvm::any_of(access.indices, [&](AffineExpr index) {
        return dimOf(index, plan) != kWhole;
      });
      std::optional<SmallVector<int>> plain = plainIndices(access.indices);
      if (moves && (!plain || (!plan.result.empty() && plan.result != *plain)))
        return notPlain(block, access.op);
      if (plain)
        plan.result = *plain;
    } else if (llvm::none_of(plan.operands,
                             [&](Operand &o) { return o.load == access.op; })) {
      return notPlain(block, access.op);
    }
  }
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (plan.padded[i] && block.getIteratorKind(i) != IteratorKind::Reduce &&
        !llvm::is_contained(plan.result, int(i)))
      return Outcome::refused("iterator " + Twine(i) + " of " +
                              describe(block) + " indexes no dim of " +
                              describe(reducer->store.getMemRef()))
          .note(reducer->store, "more of its steps would be summed up again");
  return Outcome::done();
}

static Value allocPadded(RewriterBase &rewriter, Value buffer,
                         ArrayRef<int> iterators, const Plan &plan,
                         Location loc, AffineSpace &space) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(&space.getFunc().getBody().front());
  SmallVector<AffineExpr> shape = space.shapeOf(buffer);
  SmallVector<int64_t> dims;
  for (auto [extent, i] : llvm::zip_equal(shape, iterators)) {
    if (i >= 0)
      extent = plan.padded[i] ? plan.padded[i] : plan.form.extents[i];
    dims.push_back(
        AffineSpace::constantOf(extent).value_or(ShapedType::kDynamic));
  }
  auto type = MemRefType::get(
      dims, cast<MemRefType>(buffer.getType()).getElementType());
  SmallVector<Value> operands;
  AffineMap map = space.exportMap(shape, operands);
  return nest::AllocOp::create(rewriter, loc, type, operands,
                               type.hasStaticShape() ? AffineMapAttr()
                                                     : AffineMapAttr::get(map));
}

/// A complete block with loops of its own through `box`, at the rewriter's
/// place; leaves the place in its body.
static nest::BlockOp makeCopyBlock(RewriterBase &rewriter, Location loc,
                                   StringRef name, const Box &box,
                                   AffineSpace &space) {
  BlockForm form;
  SmallVector<IteratorKind> kinds(box.extent.size(), IteratorKind::Spatial);
  for (auto [lower, extent] : llvm::zip_equal(box.lower, box.extent)) {
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
  rewriter.setInsertionPointToStart(block.getBodyBlock());
  return block;
}

static Box wholeOf(Value buffer, AffineSpace &space) {
  Box box{{}, space.shapeOf(buffer), /*dense=*/true};
  box.lower.assign(box.extent.size(), space.constant(0));
  return box;
}

/// A block that makes `into` of `from` in `box`, with what lies beyond the ends
/// of the padded dims; at the rewriter's place.
static void emitPadding(RewriterBase &rewriter, Location loc, Value from,
                        Value into, const Box &box, const Operand &operand,
                        const Plan &plan, StringRef name, AffineSpace &space) {
  nest::BlockOp pad = makeCopyBlock(rewriter, loc, name, box, space);
  ValueRange at = pad.getBodyBlock()->getArguments();
  Value inside;
  for (auto [d, i] : llvm::enumerate(operand.iterators)) {
    if (i < 0 || !plan.padded[i])
      continue;
    Value end =
        emitIndex(rewriter, loc, plan.form.extents[i], {}, space.getFunc());
    Value here = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt,
                                       at[d], end);
    inside = inside ? Value(arith::AndIOp::create(rewriter, loc, inside, here))
                    : here;
  }
  auto branch = scf::IfOp::create(rewriter, loc, operand.pad.getType(), inside,
                                  /*withElse=*/true);
  memref::StoreOp::create(rewriter, loc, branch.getResult(0), into, at);
  rewriter.setInsertionPointToStart(branch.thenBlock());
  Value value = memref::LoadOp::create(rewriter, loc, from, at);
  scf::YieldOp::create(rewriter, loc, value);
  rewriter.setInsertionPointToStart(branch.elseBlock());
  Value outside = arith::ConstantOp::create(rewriter, loc, operand.pad);
  scf::YieldOp::create(rewriter, loc, outside);
}

/// A constant of the model gets its padding once and for all: whatever else
/// reads it stays within its old ends.
static bool padConstant(RewriterBase &rewriter, const Operand &operand,
                        const Plan &plan, nest::BlockOp block,
                        AffineSpace &space) {
  nest::FuncOp func = space.getFunc();
  Value buffer = memref::LoadOp(operand.load).getMemRef();
  auto argument = dyn_cast<BlockArgument>(buffer);
  auto type = cast<MemRefType>(buffer.getType());
  if (!argument || !type.hasStaticShape() ||
      !func.getArgAttr(argument.getArgNumber(), "nest.constant") ||
      !checkRelayout(block, buffer).isDone())
    return false;
  SmallVector<int64_t> dims(type.getShape());
  for (auto [d, i] : llvm::enumerate(operand.iterators)) {
    if (i < 0 || !plan.padded[i])
      continue;
    std::optional<int64_t> padded = AffineSpace::constantOf(plan.padded[i]);
    // Beyond the iterators' ends there are elements of others.
    if (!padded || AffineSpace::constantOf(plan.form.extents[i]) != dims[d])
      return false;
    dims[d] = *padded;
  }
  auto newType = MemRefType::get(dims, type.getElementType());
  SmallVector<AffineExpr> shape = space.shapeOf(buffer), extents;
  for (int64_t dim : dims)
    extents.push_back(space.constant(dim));
  unsigned arg = argument.getArgNumber();
  nest::FuncOp kernel =
      makeRelayoutKernel(rewriter, func, arg, type, shape, newType, extents);
  OpBuilder::InsertionGuard guard(rewriter);
  Block &entry = kernel.getBody().front();
  AffineSpace inside(kernel);
  rewriter.setInsertionPoint(entry.getTerminator());
  emitPadding(rewriter, block.getLoc(), entry.getArgument(0),
              entry.getArgument(1), wholeOf(entry.getArgument(1), inside),
              operand, plan, "pad", inside);
  setRelayout(rewriter, func, arg, kernel, extents);
  return true;
}

/// `buffer` by the iterators of its dims, with what lies beyond their ends.
static Value makePadded(RewriterBase &rewriter, const Operand &operand,
                        const Plan &plan, nest::BlockOp block,
                        AffineSpace &space) {
  OpBuilder::InsertionGuard guard(rewriter);
  Location loc = block.getLoc();
  Value buffer = memref::LoadOp(operand.load).getMemRef();
  Value into =
      allocPadded(rewriter, buffer, operand.iterators, plan, loc, space);
  // Of the other dims what is read: the rest may never have been written.
  Box box = wholeOf(into, space);
  for (const Access &access : accessesOf(block)) {
    if (access.op != operand.load)
      continue;
    Box read = boxOf(access, block, space, [](nest::ForOp) { return true; });
    for (auto [d, i] : llvm::enumerate(operand.iterators))
      if (i < 0) {
        box.lower[d] = read.lower[d];
        box.extent[d] = read.extent[d];
      }
  }
  rewriter.setInsertionPoint(plan.top);
  emitPadding(rewriter, loc, buffer, into, box, operand, plan,
              (block.getName() + "_pad").str(), space);
  return into;
}

Outcome sched::padEinsum(RewriterBase &rewriter, nest::BlockOp block,
                         ArrayRef<int64_t> multiples) {
  nest::FuncOp func = funcOf(block);
  AffineSpace space(func);
  Plan plan;
  if (Outcome outcome = check(block, multiples, space, plan); !outcome.isDone())
    return outcome;
  OpBuilder::InsertionGuard guard(rewriter);
  Location loc = block.getLoc();
  auto isPadded = [&](ArrayRef<int> iterators) {
    return llvm::any_of(iterators,
                        [&](int i) { return i >= 0 && plan.padded[i]; });
  };
  for (Operand &operand : plan.operands)
    if (isPadded(operand.iterators) &&
        !padConstant(rewriter, operand, plan, block, space)) {
      Value into = makePadded(rewriter, operand, plan, block, space);
      rewriter.modifyOpInPlace(operand.load, [&]() {
        operand.load.getMemrefMutable().assign(into);
      });
    }
  Value result = plan.reducer.store.getMemRef();
  if (isPadded(plan.result)) {
    Value into = allocPadded(rewriter, result, plan.result, plan, loc, space);
    for (const Access &access : accessesOf(block))
      if (access.buffer == result)
        rewriter.modifyOpInPlace(
            access.op, [&]() { access.op->replaceUsesOfWith(result, into); });
    // The wanted part, over the iterators' domains.
    Box wanted;
    for (int i : plan.result) {
      wanted.lower.push_back(space.constant(0));
      wanted.extent.push_back(i >= 0 ? plan.form.extents[i]
                                     : space.constant(1));
    }
    rewriter.setInsertionPointAfter(plan.top);
    nest::BlockOp crop = makeCopyBlock(
        rewriter, loc, (block.getName() + "_crop").str(), wanted, space);
    ValueRange at = crop.getBodyBlock()->getArguments();
    Value value = memref::LoadOp::create(rewriter, loc, into, at);
    memref::StoreOp::create(rewriter, loc, value, result, at);
  }
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (!plan.padded[i])
      continue;
    nest::ForOp loop =
        space.getLoop(cast<AffineDimExpr>(plan.form.bindings[i]));
    setBounds(rewriter, loop, space.constant(0), plan.padded[i], space);
    plan.form.extents[i] = plan.padded[i];
  }
  rewriter.modifyOpInPlace(block, [&]() { plan.form.write(block, space); });
  return Outcome::done();
}

Outcome PadEinsumOp::run(Invocation &at) {
  return at.call(sched::padEinsum, getBlock(),
                 MixedParams{getDynamicMultiples(), getMultiples()});
}

NESTOR_PRIMITIVE(pad_einsum) = {
    .name = "pad_einsum",
    .family = "tensor",
    .does = "Pads the iterators of a product to multiples.",
    .law = "Steps beyond the end add what changes nothing, elements beyond the "
           "end are dropped.",
    .refuses =
        "more multiples than iterators, or none that is needed, or one "
        "below 1\n"
        "blocks that are no reduction with init and a known operation\n"
        "iterators that are no loops of their own, predicates, loops with "
        "a kind or other blocks\n"
        "indices that a padded iterator is a part of, buffers that live "
        "inside\n"
        "addends that are no product of what is read, updates without a "
        "step that changes nothing\n"
        "a factor that is not padded, or the accumulator among them",
    .syntax = "pad_einsum %block to [MULTIPLES]",
    .notes = "Copies of the operands come before the block, the wanted part of "
             "the result is copied after it: `NAME_pad`, `NAME_crop`. A "
             "constant of the model is padded by the kernel that packs it.",
    .before = R"(
nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
  nest.for %i = 0 to 7 {
    nest.for %j = 0 to 30 {
      nest.for %k = 0 to 10 {
        nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
          %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
          %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
          %p = arith.mulf %a, %b : f32
          %r = arith.addf %c, %p : f32
          memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
        }
      }
    }
  }
}
)",
    .schedule = R"(
%mm = get_block "mm" in %root
pad_einsum %mm to [8, 16, 4]
)",
};
