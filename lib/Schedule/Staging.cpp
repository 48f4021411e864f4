//===- Staging.cpp - Copies of buffers and their places -------------------===//
//
// See Staging.h.
//
//===----------------------------------------------------------------------===//
#include "Staging.h"

#include "Points.h"

#include "nestor/Analysis/Dependence.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Attribute sched::scopeAttr(MLIRContext *context, StringRef scope) {
  // "shared" is what a buffer without a scope means.
  return scope == nest::kSharedScope ? Attribute()
                                     : StringAttr::get(context, scope);
}

Outcome sched::checkScope(StringRef scope) {
  if (scope == nest::kSharedScope || scope == nest::kRegisterScope ||
      scope == nest::kTileScope)
    return Outcome::done();
  return Outcome::refused("there is no scope \"" + scope +
                          "\"; the scopes are \"shared\", \"register\" and "
                          "\"tile\"");
}

nest::AllocOp sched::makeBuffer(RewriterBase &rewriter, Value original,
                                ArrayRef<AffineExpr> extents, StringRef scope,
                                AffineSpace &space) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(&space.getFunc().getBody().front());
  if (Operation *alloc = original.getDefiningOp();
      alloc && alloc->getParentOp() != space.getFunc())
    rewriter.setInsertionPointAfter(alloc);
  Type element = cast<MemRefType>(original.getType()).getElementType();
  SmallVector<int64_t> dims;
  for (AffineExpr extent : extents)
    dims.push_back(
        AffineSpace::constantOf(extent).value_or(ShapedType::kDynamic));
  auto type = MemRefType::get(dims, element, MemRefLayoutAttrInterface(),
                              scopeAttr(rewriter.getContext(), scope));
  SmallVector<Value> operands;
  AffineMapAttr shape;
  if (!type.hasStaticShape())
    shape = AffineMapAttr::get(space.exportMap(extents, operands));
  return nest::AllocOp::create(rewriter, original.getLoc(), type, operands,
                               shape);
}

nest::AllocOp sched::makeLike(RewriterBase &rewriter, Value buffer,
                              StringRef scope, AffineSpace &space) {
  return makeBuffer(rewriter, buffer, space.shapeOf(buffer), scope, space);
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

bool Place::isFrom(Operation *op) const {
  if (!level->isProperAncestor(op))
    return false;
  Operation *child = childHolding(level, op);
  return child == first || first->isBeforeInBlock(child);
}

bool Place::isBetween(Operation *op) const {
  if (!isFrom(op))
    return false;
  Operation *child = childHolding(level, op);
  return child == last || child->isBeforeInBlock(last);
}

static bool runsInOrder(Operation *level) {
  auto loop = dyn_cast<nest::ForOp>(level);
  return !loop || loop.getKind() == nest::LoopKind::Serial ||
         loop.getKind() == nest::LoopKind::Unroll;
}

SmallVector<Place> sched::placesFor(Value buffer,
                                    ArrayRef<nest::BlockOp> blocks) {
  Operation *home = funcOf(blocks.front());
  if (Operation *alloc = buffer.getDefiningOp())
    home = alloc->getParentOp();
  SmallVector<Operation *> ops(blocks.begin(), blocks.end());
  SmallVector<Operation *> levels;
  for (Operation *up = commonAncestor(ops);; up = up->getParentOp()) {
    levels.push_back(up);
    if (up == home)
      break;
  }
  for (Operation *up = home->getParentOp(); isa<nest::ForOp>(home) && up;
       up = up->getParentOp())
    if (!runsInOrder(up))
      return {};
  SmallVector<Place> places;
  for (Operation *level : llvm::reverse(levels)) {
    if (!isa<nest::ForOp, nest::FuncOp>(level) || !runsInOrder(level))
      break;
    places.push_back({level, childHolding(level, blocks.front()),
                      childHolding(level, blocks.back())});
  }
  return places;
}

Outcome sched::whyNotInside(const Place &innermost, nest::BlockOp block) {
  auto next = dyn_cast<nest::ForOp>(innermost.first);
  if (innermost.first != innermost.last || !next || runsInOrder(next))
    return Outcome::done();
  return Outcome::refused(describe(next) + " is " +
                          stringifyLoopKind(next.getKind()))
      .note(block, "a copy inside of that loop would be for all iterations at "
                   "once; cache before giving loops a kind");
}

Result<Blocks> sched::withConsumers(nest::BlockOp block,
                                    ArrayRef<nest::BlockOp> more, Value buffer,
                                    BufferRole role) {
  Blocks all;
  for (nest::BlockOp candidate : blocksIn(funcOf(block))) {
    if (candidate != block && !llvm::is_contained(more, candidate))
      continue;
    bool uses = readsBuffer(candidate, buffer) ||
                (role == BufferRole::Write && writesBuffer(candidate, buffer));
    if (!uses)
      return Outcome::refused(describe(candidate) +
                              (role == BufferRole::Read ? " does not read "
                                                        : " does not use ") +
                              describe(buffer) + " of " + describe(block))
          .note(candidate, "name only blocks that could use the copy");
    all.push_back(candidate);
  }
  return all;
}

//===----------------------------------------------------------------------===//
// Regions and copies
//===----------------------------------------------------------------------===//

std::optional<Box> sched::boxAt(Operation *level,
                                ArrayRef<nest::BlockOp> blocks, Value buffer,
                                AccessFn which, AffineSpace &space) {
  auto relax = [&](nest::ForOp loop) { return level->isProperAncestor(loop); };
  std::optional<Box> result;
  for (nest::BlockOp block : blocks)
    for (nest::BlockOp leaf : leavesIn(block))
      for (const Access &access : accessesOf(leaf)) {
        if (access.buffer != buffer || !which(access))
          continue;
        Box box = boxOf(access, leaf, space, relax);
        result = result ? unite(*result, box, buffer, space) : box;
      }
  return result;
}

CopyLoops sched::loopsOver(const Box &box, Value buffer, AffineSpace &space) {
  CopyLoops loops{box.lower, box.extent, {}};
  SmallVector<AffineExpr> shape = space.shapeOf(buffer);
  for (auto [lower, extent, size] :
       llvm::zip_equal(box.lower, box.extent, shape))
    loops.domain.push_back(AffineSpace::isFreeOfLoops(lower)
                               ? space.canonical(lower + extent)
                               : size);
  return loops;
}

nest::BlockOp sched::makeCopy(RewriterBase &rewriter, Location loc,
                              StringRef name, const CopyLoops &loops,
                              Value from, ArrayRef<AffineExpr> fromIndices,
                              Value to, ArrayRef<AffineExpr> toIndices,
                              Value bounded, AffineSpace &space) {
  BlockForm form;
  SmallVector<nest::IteratorKind> kinds;
  OpBuilder::InsertionGuard guard(rewriter);
  for (auto [lower, extent, domain] :
       llvm::zip_equal(loops.lower, loops.extent, loops.domain)) {
    kinds.push_back(nest::IteratorKind::Spatial);
    if (extent == space.constant(1) && !AffineSpace::isFreeOfLoops(lower)) {
      form.bindings.push_back(lower);
      form.extents.push_back(domain);
      continue;
    }
    nest::ForOp loop = makeLoop(rewriter, loc, extent, space);
    rewriter.setInsertionPoint(loop.getBodyBlock()->getTerminator());
    form.bindings.push_back(
        space.canonical(lower + space.of(loop.getInductionVar())));
    form.extents.push_back(domain);
  }
  for (auto [binding, extent] : llvm::zip_equal(form.bindings, form.extents)) {
    addConstraint(form, binding, space);
    addConstraint(form, space.canonical(extent - 1 - binding), space);
  }
  if (bounded)
    for (auto [index, size] :
         llvm::zip_equal(bounded == from ? fromIndices : toIndices,
                         space.shapeOf(bounded))) {
      AffineExpr at = space.canonical(index.replaceDims(form.bindings));
      addConstraint(form, at, space);
      addConstraint(form, space.canonical(size - 1 - at), space);
    }
  SmallVector<AffineExpr> zeros(kinds.size(), space.constant(0));
  AffineMap placeholder = AffineMap::get(0, 0, zeros, rewriter.getContext());
  auto block = nest::BlockOp::create(
      rewriter, loc, uniqueBlockName(space.getFunc(), name), kinds, placeholder,
      placeholder, ValueRange());
  form.write(block, space);
  rewriter.setInsertionPoint(block.getBodyBlock()->getTerminator());
  ValueRange iterators = block.getBodyBlock()->getArguments();
  auto emit = [&](ArrayRef<AffineExpr> indices) {
    return llvm::map_to_vector(indices, [&](AffineExpr index) {
      return emitIndex(rewriter, loc, index, iterators, space.getFunc());
    });
  };
  Value value = memref::LoadOp::create(rewriter, loc, from, emit(fromIndices));
  memref::StoreOp::create(rewriter, loc, value, to, emit(toIndices));
  return block;
}

nest::BlockOp sched::makeCopy(RewriterBase &rewriter, Location loc,
                              StringRef name, Value from, Value to,
                              const Box &box, AffineSpace &space) {
  SmallVector<AffineExpr> same;
  for (unsigned d = 0; d < box.lower.size(); ++d)
    same.push_back(getAffineDimExpr(d, space.getContext()));
  return makeCopy(rewriter, loc, name, loopsOver(box, from, space), from, same,
                  to, same, Value(), space);
}

void sched::redirect(RewriterBase &rewriter, ArrayRef<nest::BlockOp> blocks,
                     Value from, Value to, AccessFn which) {
  for (nest::BlockOp block : blocks)
    for (const Access &access : accessesOf(block))
      if (access.buffer == from && which(access))
        rewriter.modifyOpInPlace(access.op, [&]() {
          access.op->setOperand(access.isWrite ? 1 : 0, to);
        });
}

//===----------------------------------------------------------------------===//
// Legality
//===----------------------------------------------------------------------===//

Outcome sched::checkCopyIn(const Place &place, ArrayRef<nest::BlockOp> blocks,
                           Value buffer, AffineSpace &space) {
  if (llvm::none_of(writersOf(buffer, place.level),
                    [&](nest::BlockOp writer) { return place.isFrom(writer); }))
    return Outcome::done();
  DependenceOptions options;
  auto isElsewhere = [&](Value other) { return other != buffer; };
  options.ignore = isElsewhere;
  std::optional<Conflict> conflict = findOrdered(
      place.level,
      [&](nest::BlockOp block, const Access &access) {
        return access.isWrite && place.isFrom(block);
      },
      [&](nest::BlockOp block, const Access &access) {
        return !access.isWrite && llvm::is_contained(blocks, block);
      },
      space, options);
  if (!conflict)
    return Outcome::done();
  return Outcome::refused(describe(buffer) + " of " +
                          describe(conflict->secondBlock) +
                          " is written between any place for a copy and this "
                          "read")
      .note(conflict->first.op, "written here; cache before moving blocks "
                                "together, or update it in a copy with "
                                "cache_inplace")
      .note(conflict->second.op, "read here");
}

Outcome sched::checkCopyOut(const Place &place, ArrayRef<nest::BlockOp> blocks,
                            Value buffer, AffineSpace &space) {
  auto isOther = [&](nest::BlockOp block) {
    return !llvm::is_contained(blocks, block) && place.isBetween(block);
  };
  if (llvm::none_of(readersOf(buffer, place.level), isOther) &&
      llvm::none_of(writersOf(buffer, place.level), isOther))
    return Outcome::done();
  DependenceOptions options;
  auto isElsewhere = [&](Value other) { return other != buffer; };
  options.ignore = isElsewhere;
  std::optional<Conflict> conflict = findOrdered(
      place.level,
      [&](nest::BlockOp block, const Access &access) {
        return access.isWrite && llvm::is_contained(blocks, block);
      },
      [&](nest::BlockOp block, const Access &) { return isOther(block); },
      space, options);
  if (!conflict)
    return Outcome::done();
  return Outcome::refused(describe(conflict->secondBlock) + " uses " +
                          describe(buffer) + " of " +
                          describe(conflict->firstBlock) +
                          " before any place for a copy")
      .note(conflict->second.op,
            "here; cache before moving blocks together, or let it use the copy "
            "too");
}

Result<SmallVector<BlockForm::Constraint>>
sched::guardsOf(const Place &place, ArrayRef<nest::BlockOp> blocks,
                Value buffer, AffineSpace &space) {
  SmallVector<BlockForm::Constraint> guards;
  if (isa<nest::FuncOp>(place.level))
    return guards;
  for (auto [n, block] : llvm::enumerate(blocks)) {
    SmallVector<BlockForm::Constraint> own =
        BlockForm::of(block, space).constraints;
    bool runsInside = llvm::any_of(own, [&](BlockForm::Constraint &constraint) {
      bool found = false;
      constraint.expr.walk([&](AffineExpr e) {
        if (auto dim = dyn_cast<AffineDimExpr>(e))
          found |= place.level->isProperAncestor(space.getLoop(dim));
      });
      return found;
    });
    auto isSame = [](auto &a, auto &b) {
      return a.expr == b.expr && a.equal == b.equal;
    };
    if (runsInside ||
        (n > 0 && !std::equal(own.begin(), own.end(), guards.begin(),
                              guards.end(), isSame)))
      return Outcome::refused(describe(block) + " leaves gaps in " +
                              describe(buffer) + " by its predicate")
          .note(block, "the copy would overwrite what lies in between; "
                       "cache before splitting loops by factors that do not "
                       "divide them");
    guards = std::move(own);
  }
  return guards;
}

void sched::guard(RewriterBase &rewriter, nest::BlockOp copy,
                  ArrayRef<BlockForm::Constraint> constraints,
                  AffineSpace &space) {
  if (constraints.empty())
    return;
  BlockForm form = BlockForm::of(copy, space);
  for (const BlockForm::Constraint &constraint : constraints)
    if (llvm::none_of(form.constraints, [&](const BlockForm::Constraint &old) {
          return old.expr == constraint.expr && old.equal == constraint.equal;
        }))
      form.constraints.push_back(constraint);
  rewriter.modifyOpInPlace(copy, [&]() { form.write(copy, space); });
}

/// Whether the read of an accumulator finds what the init of its own block
/// wrote.
static bool readsItsInit(const Access &read, ArrayRef<Access> accesses) {
  return llvm::any_of(accesses, [&](const Access &write) {
    return write.isWrite && write.inInit && !read.inInit &&
           !write.conditional && write.buffer == read.buffer &&
           write.indices == read.indices &&
           !llvm::is_contained(write.indices, AffineExpr());
  });
}

Outcome sched::checkReadsBack(const Place &place,
                              ArrayRef<nest::BlockOp> blocks, Value buffer,
                              AffineSpace &space) {
  auto relax = [&](nest::ForOp loop) {
    return place.level->isProperAncestor(loop);
  };
  auto isElsewhere = [&](Value other) { return other != buffer; };
  DependenceOptions options;
  options.ignore = isElsewhere;
  /// What the blocks so far write for certain.
  SmallVector<std::pair<nest::BlockOp, Box>> written;
  for (nest::BlockOp block : blocks) {
    SmallVector<Access> accesses = accessesOf(block);
    nest::ForOp offender;
    bool starts = !block.getInitBlock() ||
                  startsInside(block, place.level, space, offender);
    SmallVector<Box> now;
    for (const Access &access : accesses) {
      if (access.buffer != buffer)
        continue;
      if (access.isWrite) {
        Box box = boxOf(access, block, space, relax);
        if (box.dense && (!access.inInit || starts))
          now.push_back(box);
        continue;
      }
      if (readsItsInit(access, accesses)) {
        if (starts)
          continue;
        return Outcome::refused("the first step of the reduction of " +
                                describe(block) + " may not be in its nest")
            .note(block, "the copy would overwrite elements that it leaves "
                         "alone");
      }
      Box box = boxOf(access, block, space, relax);
      bool found = llvm::any_of(written, [&](auto &earlier) {
        // All of it, and never only after the read.
        return contains(earlier.second, box, space) &&
               !findOrdered(
                   place.level,
                   [&](nest::BlockOp, const Access &a) {
                     return a.op == access.op;
                   },
                   [&](nest::BlockOp other, const Access &a) {
                     return a.isWrite && other == earlier.first;
                   },
                   space, options);
      });
      if (!found)
        return Outcome::refused(describe(block) + " updates what stands in " +
                                describe(buffer))
            .note(access.op, "this read would find nothing in a new buffer; "
                             "give the block an init, or use cache_inplace");
    }
    if (!starts && llvm::any_of(accesses, [&](const Access &access) {
          return access.isWrite && access.buffer == buffer;
        }))
      return Outcome::refused("the first step of the reduction of " +
                              describe(block) + " may not be in its nest")
          .note(block,
                "the copy would overwrite elements that it leaves alone");
    for (Box &box : now)
      written.push_back({block, std::move(box)});
  }
  return Outcome::done();
}
