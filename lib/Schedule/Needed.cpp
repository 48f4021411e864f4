//===- Needed.cpp - Loops through the points that are needed --------------===//
//
// See Needed.h. The loops come in the order of the iterators.
//
//===----------------------------------------------------------------------===//
#include "Needed.h"
#include "Gaps.h"

#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Analysis/IterMap.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

std::optional<SmallVector<AffineExpr>>
sched::iteratorsAt(ArrayRef<AffineExpr> indices, const BlockForm &form,
                   AffineSpace &space) {
  if (llvm::is_contained(indices, AffineExpr()))
    return std::nullopt;
  SmallVector<AffineExpr> result(form.extents.size()), images;
  SmallVector<IterVar> vars;
  SmallVector<unsigned> position;
  for (auto [i, var] : llvm::enumerate(iterVarsOf(form, space)))
    if (llvm::any_of(indices, [&](AffineExpr index) {
          return AffineSpace::uses(index, var.dim);
        })) {
      vars.push_back(var);
      position.push_back(i);
    }
  for (unsigned d = 0; d < indices.size(); ++d)
    images.push_back(getAffineDimExpr(d, space.getContext()));
  std::optional<SmallVector<AffineExpr>> values =
      invert(detectIterMap(indices, vars, space), images, vars, space);
  if (!values)
    return std::nullopt;
  for (auto [i, value] : llvm::zip_equal(position, *values))
    result[i] = value;
  return result;
}

NewLoops::NewLoops(nest::BlockOp block, AffineSpace &space)
    : block(block), space(space), form(BlockForm::of(block, space)) {
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    vars.push_back(space.fresh());
}

/// Whether each iterator is bound by the loops `kept` alone, or not by them: in
/// one iteration of them these are fixed, and the others run as they do.
static bool splitsAt(const BlockForm &form, ArrayRef<nest::ForOp> kept,
                     AffineSpace &space) {
  return llvm::all_of(form.bindings, [&](AffineExpr binding) {
    bool inside = false, outside = false;
    binding.walk([&](AffineExpr e) {
      if (auto dim = dyn_cast<AffineDimExpr>(e))
        (llvm::is_contained(kept, space.getLoop(dim)) ? outside : inside) =
            true;
    });
    return !inside || !outside;
  });
}

bool NewLoops::addDomain(ArrayRef<nest::ForOp> kept) {
  bool isBox = !variesWithLoops(block) && fillsPlainly(block, form, space) &&
               llvm::all_of(form.constraints,
                            [&](auto &constraint) {
                              return followsFromDomain(form, constraint, space);
                            }) &&
               splitsAt(form, kept, space);
  if (isBox) {
    for (auto [var, extent, binding] :
         llvm::zip_equal(vars, form.extents, form.bindings)) {
      domain.push_back(var);
      domain.push_back(space.canonical(extent - 1 - var));
      if (llvm::any_of(kept, [&, binding = binding](nest::ForOp loop) {
            return AffineSpace::uses(binding, space.of(loop.getInductionVar()));
          })) {
        domain.push_back(space.canonical(var - binding));
        domain.push_back(space.canonical(binding - var));
      }
    }
  } else {
    // Everything that some iteration says.
    SmallVector<BlockForm::Constraint> given(form.constraints);
    SmallVector<AffineExpr> gone;
    for (nest::ForOp loop : loopsAround(block)) {
      if (!llvm::is_contained(kept, loop))
        gone.push_back(space.of(loop.getInductionVar()));
      for (AffineExpr expr : constraintsOf(loop, space))
        given.push_back({expr, false});
    }
    for (auto [i, var] : llvm::enumerate(vars)) {
      given.push_back({var - form.bindings[i], true});
      given.push_back({var, false});
      given.push_back({form.extents[i] - 1 - var, false});
    }
    std::optional<Projection> left = project(given, gone, space);
    if (!left || !left->exact)
      return false;
    domain = std::move(left->constraints);
  }
  return true;
}

bool NewLoops::startsEverywhere() {
  llvm::DenseMap<AffineExpr, AffineExpr> first;
  for (auto [i, var] : llvm::enumerate(vars))
    if (block.getIteratorKind(i) == nest::IteratorKind::Reduce)
      first[var] = space.constant(0);
  return llvm::all_of(domain, [&](AffineExpr expr) {
    AffineExpr start = expr.replace(first);
    if (start == expr)
      return true;
    InstanceSet set(space);
    for (AffineExpr other : domain)
      set.addNonNegative(set.row(other, 0));
    set.addNonNegative(set.row(-start - 1, 0));
    return set.isEmpty();
  });
}

void NewLoops::addOutside(Operation *place) {
  for (nest::ForOp loop : loopsAround(place))
    llvm::append_range(outside, constraintsOf(loop, space));
}

bool NewLoops::addElements(ArrayRef<AffineExpr> indices,
                           ArrayRef<AffineExpr> iterators,
                           ArrayRef<std::pair<nest::BlockOp, Access>> accesses,
                           Operation *root, bool exactly) {
  Footprint points;
  for (const auto &[user, access] : accesses) {
    SmallVector<BlockForm::Constraint> given = instancesOf(access, user, space);
    SmallVector<AffineExpr> gone, element = elementOf(access, user, space);
    for (nest::ForOp loop : loopsAround(user))
      if (root->isProperAncestor(loop))
        gone.push_back(space.of(loop.getInductionVar()));
    if (exactly && access.conditional)
      return false;
    for (auto [index, size] :
         llvm::zip_equal(element, space.shapeOf(access.buffer)))
      if (!index) {
        if (exactly)
          return false;
        index = space.fresh();
        gone.push_back(index);
        given.push_back({index, false});
        given.push_back({size - 1 - index, false});
      }
    for (auto [var, iterator] : llvm::zip_equal(vars, iterators))
      if (iterator)
        given.push_back({var - iterator.replaceDims(element), true});
    // The way back is one for elements that the indices name; of others, as
    // the odd ones of 2 * v, it makes points all the same.
    if (exactly)
      for (auto [index, at] : llvm::zip_equal(indices, element)) {
        AffineExpr named = index.replaceDims(iterators).replaceDims(element);
        AffineExpr off = space.simplify(at - named);
        if (off != space.constant(0))
          given.push_back({off, true});
      }
    std::optional<Projection> left = project(given, gone, space);
    if (!left || (exactly && !left->exact))
      return false;
    points.pieces.push_back({std::move(left->constraints), left->exact});
  }
  if (exactly) {
    // One piece has to hold the others.
    auto holdsAll = [&](const Footprint::Piece &piece) {
      Footprint one;
      one.pieces.push_back(piece);
      return covers(one, points, space);
    };
    auto whole = llvm::find_if(points.pieces, holdsAll);
    if (whole == points.pieces.end())
      return false;
    llvm::append_range(elements, whole->constraints);
    return true;
  }
  llvm::append_range(elements, commonConstraints(points, space));
  return true;
}

bool NewLoops::scan() {
  // Of what others imply the last ones go first: the domain, where what is
  // needed is inside of it for certain.
  SmallVector<AffineExpr> all(outside);
  llvm::append_range(all, elements);
  llvm::append_range(all, domain);
  std::optional<SmallVector<LoopBounds>> found =
      analysis::scan(all, vars, space);
  if (!found)
    return false;
  bounds = std::move(*found);
  return true;
}

void NewLoops::make(RewriterBase &rewriter, Operation *before) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(before);
  Operation *place = before;
  form.constraints.clear();
  llvm::DenseMap<AffineExpr, AffineExpr> names;
  for (auto [i, var] : llvm::enumerate(vars)) {
    LoopBounds &range = bounds[i];
    for (auto *list : {&range.lowers, &range.uppers})
      for (AffineExpr &expr : *list)
        expr = space.simplify(expr.replace(names));
    // A single value needs no loop; what else is said becomes a predicate.
    AffineExpr only;
    for (AffineExpr lower : range.lowers)
      for (AffineExpr upper : range.uppers)
        if (space.isEqual(upper, lower + 1))
          only = lower;
    if (only) {
      names[var] = form.bindings[i] = only;
      for (AffineExpr lower : range.lowers)
        if (lower != only)
          form.constraints.push_back({space.canonical(only - lower), false});
      for (AffineExpr upper : range.uppers)
        if (!space.isEqual(upper, only + 1))
          form.constraints.push_back(
              {space.canonical(upper - 1 - only), false});
      continue;
    }
    nest::ForOp loop =
        makeLoop(rewriter, block.getLoc(), space.constant(1), space);
    range.write(loop, space);
    names[var] = form.bindings[i] = space.of(loop.getInductionVar());
    place = loop.getBodyBlock()->getTerminator();
    rewriter.setInsertionPoint(place);
  }
  Operation *oldParent = block->getParentOp();
  rewriter.moveOpBefore(block, place);
  // What the loops say already need not be asked again. Bounds leave out what
  // concerns the loops outside alone, and what that implied.
  for (auto *list : {&elements, &domain})
    for (AffineExpr expr : *list)
      form.constraints.push_back({space.canonical(expr.replace(names)), false});
  SmallVector<AffineExpr> known;
  for (nest::ForOp loop : loopsAround(block))
    llvm::append_range(known, constraintsOf(loop, space));
  BlockForm kept = form;
  kept.constraints.clear();
  for (const BlockForm::Constraint &constraint : form.constraints) {
    InstanceSet set(space);
    for (AffineExpr expr : known)
      set.addNonNegative(set.row(expr, 0));
    for (const BlockForm::Constraint &other : kept.constraints)
      set.addNonNegative(set.row(other.expr, 0));
    set.addNonNegative(set.row(-constraint.expr - 1, 0));
    if (!set.isEmpty())
      addConstraint(kept, constraint.expr, space);
  }
  rewriter.modifyOpInPlace(block, [&]() { kept.write(block, space); });
  eraseEmptyLoops(rewriter, oldParent);
}
