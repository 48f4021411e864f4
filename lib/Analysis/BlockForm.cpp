//===- BlockForm.cpp - Loops around blocks, and their affine form ---------===//
//
// See Blocks.h.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/Blocks.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

static SmallVector<nest::ForOp> loopsUpTo(Operation *op, Operation *root) {
  SmallVector<nest::ForOp> loops;
  for (Operation *up = op->getParentOp(); up && up != root;
       up = up->getParentOp())
    if (auto loop = dyn_cast<nest::ForOp>(up))
      loops.push_back(loop);
  std::reverse(loops.begin(), loops.end());
  return loops;
}

SmallVector<nest::ForOp> analysis::loopsAround(Operation *op) {
  return loopsUpTo(op, blockAround(op));
}

SmallVector<nest::ForOp> analysis::loopsAround(Operation *op,
                                               const AffineSpace &space) {
  return loopsUpTo(op, space.getRoot());
}

nest::BlockOp analysis::blockAround(Operation *op) {
  return op->getParentOfType<nest::BlockOp>();
}

SmallVector<nest::BlockOp> analysis::blocksIn(Operation *root) {
  SmallVector<nest::BlockOp> blocks;
  root->walk<WalkOrder::PreOrder>([&](nest::BlockOp block) {
    if (block.getOperation() == root && block.hasNest())
      return WalkResult::advance();
    blocks.push_back(block);
    return WalkResult::skip();
  });
  return blocks;
}

/// Init before body, though the regions are the other way round.
static void collectBlocks(Operation *root, bool leavesOnly,
                          SmallVectorImpl<nest::BlockOp> &blocks) {
  root->walk<WalkOrder::PreOrder>([&](nest::BlockOp block) {
    bool leaf = !block.hasNest();
    if (leaf || !leavesOnly)
      blocks.push_back(block);
    if (leaf)
      return WalkResult::skip();
    for (Region *region : {&block.getInit(), &block.getBody()})
      for (Operation &op : region->getOps())
        collectBlocks(&op, leavesOnly, blocks);
    return WalkResult::skip();
  });
}

SmallVector<nest::BlockOp> analysis::leavesIn(Operation *root) {
  SmallVector<nest::BlockOp> blocks;
  collectBlocks(root, true, blocks);
  return blocks;
}

SmallVector<nest::BlockOp> analysis::allBlocksIn(Operation *root) {
  SmallVector<nest::BlockOp> blocks;
  collectBlocks(root, false, blocks);
  return blocks;
}

bool analysis::isInInit(Operation *op, nest::BlockOp block) {
  return block.getInit().isAncestor(op->getParentRegion());
}

Operation *analysis::onlyChild(nest::ForOp loop) {
  Block *body = loop.getBodyBlock();
  Operation *first = &body->front();
  if (first == body->getTerminator() ||
      first->getNextNode() != body->getTerminator())
    return nullptr;
  return first;
}

Operation *analysis::childHolding(Operation *ancestor, Operation *op) {
  while (op && op->getParentOp() != ancestor)
    op = op->getParentOp();
  return op;
}

Operation *analysis::commonAncestor(ArrayRef<Operation *> ops) {
  Operation *common = ops.front()->getParentOp();
  for (Operation *op : ops.drop_front())
    while (!common->isProperAncestor(op))
      common = common->getParentOp();
  return common;
}

bool analysis::isBefore(Operation *a, Operation *b) {
  Operation *common = commonAncestor({a, b});
  Operation *holderA = childHolding(common, a),
            *holderB = childHolding(common, b);
  // An init comes before its body.
  if (holderA->getBlock() != holderB->getBlock())
    return isInInit(holderA, cast<nest::BlockOp>(common));
  return holderA != holderB && holderA->isBeforeInBlock(holderB);
}

//===----------------------------------------------------------------------===//
// BlockForm
//===----------------------------------------------------------------------===//

static void addPredicate(BlockForm &form, nest::BlockOp block,
                         AffineSpace &space) {
  std::optional<IntegerSet> set = block.getPredicate();
  if (!set)
    return;
  for (unsigned i = 0; i < set->getNumConstraints(); ++i)
    form.constraints.push_back(
        {space.import(set->getConstraint(i), set->getNumDims(),
                      block.getLoopOperands()),
         set->isEq(i)});
}

BlockForm BlockForm::of(nest::BlockOp block, AffineSpace &space) {
  BlockForm form;
  ValueRange operands = block.getLoopOperands();
  form.bindings = space.import(block.getBindings(), operands);
  form.extents = space.import(block.getDomain(), operands);
  addPredicate(form, block, space);
  for (nest::BlockOp around = blockAround(block);
       around && around.getOperation() != space.getRoot();
       around = blockAround(around)) {
    addPredicate(form, around, space);
    if (!isInInit(block, around))
      continue;
    for (unsigned i = 0; i < around.getNumIterators(); ++i)
      if (around.getIteratorKind(i) == nest::IteratorKind::Reduce)
        form.constraints.push_back(
            {space.import(around.getBinding(i),
                          around.getBindings().getNumDims(),
                          around.getLoopOperands()),
             true});
  }
  return form;
}

void BlockForm::write(nest::BlockOp block, AffineSpace &space) {
  SmallVector<AffineExpr> all(bindings);
  llvm::append_range(all, extents);
  for (const Constraint &constraint : constraints)
    all.push_back(constraint.expr);
  SmallVector<Value> operands;
  AffineMap map = space.exportMap(all, operands);
  auto slice = [&](size_t from, size_t count) {
    return map.getResults().slice(from, count);
  };
  auto mapOf = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(map.getNumDims(), map.getNumSymbols(), exprs,
                          block.getContext());
  };
  block.getLoopOperandsMutable().assign(operands);
  block.setBindings(mapOf(slice(0, bindings.size())));
  block.setDomain(mapOf(slice(bindings.size(), extents.size())));
  if (constraints.empty()) {
    block.removePredicateAttr();
    return;
  }
  SmallVector<bool> equal;
  for (const Constraint &constraint : constraints)
    equal.push_back(constraint.equal);
  block.setPredicateAttr(IntegerSetAttr::get(IntegerSet::get(
      map.getNumDims(), map.getNumSymbols(),
      slice(bindings.size() + extents.size(), constraints.size()), equal)));
}

bool analysis::follows(AffineExpr expr, AffineExpr known, AffineSpace &space) {
  if (space.isNonNegative(expr - known))
    return true;
  // known = k * expr + rest with rest <= k - 1 gives k * expr >= 1 - k, and
  // expr is an integer.
  Linear want = Linear::of(space.canonical(expr)),
         have = Linear::of(space.canonical(known));
  llvm::SmallDenseSet<int64_t> tried;
  for (auto [atom, coefficient] : want.terms) {
    int64_t other = have.coefficientOf(atom);
    if (other == 0 || other % coefficient != 0)
      continue;
    int64_t k = other / coefficient;
    if (k < 2 || !tried.insert(k).second)
      continue;
    AffineExpr rest = known - expr * k;
    if (space.isNonNegative(space.constant(k - 1) - rest))
      return true;
  }
  return false;
}

bool analysis::followsFromDomain(const BlockForm &form,
                                 const BlockForm::Constraint &constraint,
                                 AffineSpace &space) {
  if (constraint.equal)
    return false;
  if (space.isNonNegative(constraint.expr))
    return true;
  for (auto [binding, extent] : llvm::zip_equal(form.bindings, form.extents))
    if (follows(constraint.expr, extent - 1 - binding, space) ||
        follows(constraint.expr, binding, space))
      return true;
  return false;
}

void analysis::addConstraint(BlockForm &form, AffineExpr expr,
                             AffineSpace &space) {
  expr = space.simplify(expr);
  if (space.isNonNegative(expr))
    return;
  for (const BlockForm::Constraint &old : form.constraints)
    if (!old.equal && follows(expr, old.expr, space))
      return;
  llvm::erase_if(form.constraints, [&](const BlockForm::Constraint &old) {
    return !old.equal && follows(old.expr, expr, space);
  });
  form.constraints.push_back({expr, false});
}

bool analysis::feeds(nest::ForOp loop, nest::BlockOp block) {
  for (nest::IteratorKind kind :
       {nest::IteratorKind::Spatial, nest::IteratorKind::Reduce,
        nest::IteratorKind::Ordered})
    if (feeds(loop, block, kind))
      return true;
  return false;
}

/// Whether the loop feeds `operand` of `block`: it is its variable, or an
/// iterator of the block around that it feeds.
static bool feedsOperand(nest::ForOp loop, nest::BlockOp block, Value operand) {
  if (operand == loop.getInductionVar())
    return true;
  if (!nest::isIterator(operand) || block->isAncestor(loop))
    return false;
  auto arg = cast<BlockArgument>(operand);
  auto around = cast<nest::BlockOp>(arg.getOwner()->getParentOp());
  AffineExpr binding = around.getBinding(arg.getArgNumber());
  unsigned numDims = around.getBindings().getNumDims();
  for (auto [d, outer] :
       llvm::enumerate(around.getLoopOperands().take_front(numDims)))
    if (binding.isFunctionOfDim(d) && feedsOperand(loop, around, outer))
      return true;
  return false;
}

bool analysis::feeds(nest::ForOp loop, nest::BlockOp block,
                     nest::IteratorKind kind) {
  unsigned numDims = block.getBindings().getNumDims();
  for (auto [d, operand] :
       llvm::enumerate(block.getLoopOperands().take_front(numDims))) {
    if (!feedsOperand(loop, block, operand))
      continue;
    for (unsigned i = 0; i < block.getNumIterators(); ++i)
      if (block.getIteratorKind(i) == kind &&
          block.getBinding(i).isFunctionOfDim(d))
        return true;
  }
  return false;
}
