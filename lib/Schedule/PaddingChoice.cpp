//===- PaddingChoice.cpp - A value inside, a constant outside -------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "PaddingChoice.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

std::optional<PaddingChoice> PaddingChoice::of(Value value) {
  PaddingChoice choice{value ? value.getDefiningOp() : nullptr, {}, {}};
  Value outside;
  if (auto branch = dyn_cast_or_null<scf::IfOp>(choice.op);
      branch && branch.getNumResults() == 1) {
    choice.condition = branch.getCondition();
    outside = branch.elseYield().getOperand(0);
  } else if (auto select = dyn_cast_or_null<arith::SelectOp>(choice.op)) {
    choice.condition = select.getCondition();
    outside = select.getFalseValue();
  } else {
    return std::nullopt;
  }
  if (!matchPattern(outside, m_Constant(&choice.outside)))
    choice.outside = {};
  return choice;
}

bool sched::readCondition(Value condition, nest::BlockOp block,
                          SmallVectorImpl<BlockForm::Constraint> &into) {
  if (auto both = condition.getDefiningOp<arith::AndIOp>())
    return readCondition(both.getLhs(), block, into) &&
           readCondition(both.getRhs(), block, into);
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare || !compare.getLhs().getType().isIndex())
    return false;
  AffineExpr a = indexExpr(compare.getLhs(), block),
             b = indexExpr(compare.getRhs(), block);
  if (!a || !b)
    return false;
  using P = arith::CmpIPredicate;
  switch (compare.getPredicate()) {
  case P::sge:
    into.push_back({a - b, false});
    return true;
  case P::sgt:
    into.push_back({a - b - 1, false});
    return true;
  case P::sle:
    into.push_back({b - a, false});
    return true;
  case P::slt:
    into.push_back({b - a - 1, false});
    return true;
  case P::eq:
    into.push_back({a - b, true});
    return true;
  default:
    return false;
  }
}

Value sched::takeInside(RewriterBase &rewriter, const PaddingChoice &choice) {
  auto branch = dyn_cast<scf::IfOp>(choice.op);
  if (!branch)
    return cast<arith::SelectOp>(choice.op).getTrueValue();
  Value value = branch.thenYield().getOperand(0);
  for (Operation &op :
       llvm::make_early_inc_range(branch.thenBlock()->without_terminator()))
    rewriter.moveOpBefore(&op, branch);
  return value;
}

void sched::eraseUnused(RewriterBase &rewriter, Operation *op,
                        nest::BlockOp block) {
  llvm::SetVector<Operation *> dead;
  dead.insert(op);
  while (!dead.empty()) {
    Operation *last = dead.pop_back_val();
    if (!last->use_empty())
      continue; // comes again with its last user
    for (Value operand : last->getOperands())
      if (Operation *maker = operand.getDefiningOp();
          maker && block->isProperAncestor(maker) && isMemoryEffectFree(maker))
        dead.insert(maker);
    rewriter.eraseOp(last);
  }
}
