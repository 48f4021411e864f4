//===- Contraction.cpp - Sums of products ---------------------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/Contraction.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

/// Reads `value` back through its widenings to a load of the body.
static bool readFactor(Value value, Contraction::Factor &factor) {
  for (Operation *op = value.getDefiningOp(); op;
       op = op->getOperand(0).getDefiningOp()) {
    if (auto load = dyn_cast<memref::LoadOp>(op)) {
      factor.load = load;
      return true;
    }
    Widening how;
    if (isa<arith::ExtSIOp>(op))
      how = Widening::Signed;
    else if (isa<arith::ExtUIOp>(op))
      how = Widening::Unsigned;
    else if (isa<arith::ExtFOp>(op))
      how = Widening::Float;
    else
      return false;
    // Outermost first: zeros in front of what follows stay zeros, however they
    // are widened; copies of a sign do not become zeros.
    if (how == Widening::Signed && factor.widening == Widening::Unsigned)
      return false;
    factor.widening = how;
  }
  return false;
}

/// The factors of a product, in the order that they are written.
static bool readProduct(Value value, nest::BlockOp block,
                        SmallVectorImpl<Contraction::Factor> &factors) {
  Operation *op = value.getDefiningOp();
  if (!op || !block->isProperAncestor(op))
    return false;
  if (isa<arith::MulIOp, arith::MulFOp>(op))
    return readProduct(op->getOperand(0), block, factors) &&
           readProduct(op->getOperand(1), block, factors);
  Contraction::Factor factor;
  if (!readFactor(value, factor))
    return false;
  factors.push_back(std::move(factor));
  return true;
}

std::optional<Contraction> analysis::contractionOf(nest::BlockOp block,
                                                   Obstacle &obstacle) {
  auto fail = [&](const Twine &text, Operation *where, StringRef remedy) {
    obstacle = {text.str(), remedy.str(), where};
    return std::nullopt;
  };
  std::optional<Reducer> reducer =
      block.hasNest() ? std::nullopt : reducerOf(block);
  if (!reducer || !isa<arith::AddIOp, arith::AddFOp>(reducer->combine))
    return fail("is no sum", block, "its update has to be an addition");
  Contraction result;
  result.block = block;
  result.load = reducer->load;
  result.store = reducer->store;
  if (!readProduct(reducer->addend, block, result.factors))
    return fail("does not add a product of what it reads", reducer->combine,
                "move other arithmetic into blocks before it");
  for (const Access &access : accessesOf(block)) {
    if (access.inInit)
      continue;
    if (access.conditional || llvm::is_contained(access.indices, AffineExpr()))
      return fail("has an access that is not affine or may not happen",
                  access.op, "only sums over affine indices are read");
    if (access.op == result.store.getOperation()) {
      result.sumIndices = access.indices;
      continue;
    }
    if (access.op == result.load.getOperation())
      continue;
    auto factor =
        llvm::find_if(result.factors, [&](const Contraction::Factor &one) {
          return one.load == dyn_cast<memref::LoadOp>(access.op);
        });
    if (factor == result.factors.end() ||
        access.buffer == result.store.getMemRef())
      return fail("does not add a product of what it reads", access.op,
                  "this access is no factor");
    for (Contraction::Factor &one : result.factors)
      if (one.load == factor->load)
        one.indices = access.indices;
  }
  return result;
}

bool analysis::isMovedBy(ArrayRef<AffineExpr> indices, unsigned iterator) {
  return llvm::any_of(indices, [&](AffineExpr index) {
    return index.isFunctionOfDim(iterator);
  });
}
