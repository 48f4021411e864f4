//===- Sizes.cpp - Index values as affine expressions ---------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "Sizes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

AffineExpr SizeTable::symbol(Value value) {
  bases.insert(value);
  unsigned index = llvm::find(bases, value) - bases.begin();
  return known[value] = getAffineSymbolExpr(index, context);
}

AffineExpr SizeTable::get(OpFoldResult size) {
  if (auto attr = dyn_cast<Attribute>(size))
    return getAffineConstantExpr(cast<IntegerAttr>(attr).getInt(), context);
  return get(cast<Value>(size));
}

AffineExpr SizeTable::get(Value size) {
  if (AffineExpr expr = known.lookup(size))
    return expr;
  AffineExpr expr = compute(size);
  if (!expr)
    return symbol(size);
  return known[size] = expr;
}

/// Whether no assignment of the bases makes `expr` negative. A base counts as
/// non-negative only when it is a dim.
bool SizeTable::isNonNegative(AffineExpr expr) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr))
    return c.getValue() >= 0;
  if (auto s = dyn_cast<AffineSymbolExpr>(expr)) {
    Operation *op = bases[s.getPosition()].getDefiningOp();
    return isa_and_nonnull<memref::DimOp, tensor::DimOp, arith::MaxUIOp>(op);
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (expr.getKind() == AffineExprKind::Mod)
    return true;
  return isNonNegative(binary.getLHS()) && isNonNegative(binary.getRHS());
}

/// The constant of `expr` when it is one above zero.
static std::optional<int64_t> positive(AffineExpr expr) {
  auto c = dyn_cast<AffineConstantExpr>(expr);
  if (!c || c.getValue() <= 0)
    return std::nullopt;
  return c.getValue();
}

AffineExpr SizeTable::compute(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return getAffineConstantExpr(constant.getSExtValue(), context);
  Operation *op = value.getDefiningOp();
  if (!op || !value.getType().isIndex())
    return {};
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<AffineExpr> dims, symbols;
    AffineMap map = apply.getAffineMap();
    for (auto [i, operand] : llvm::enumerate(apply.getMapOperands()))
      (i < map.getNumDims() ? dims : symbols).push_back(get(operand));
    return map.getResult(0).replaceDimsAndSymbols(dims, symbols);
  }
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::FloorDivSIOp,
           arith::CeilDivSIOp, arith::CeilDivUIOp, arith::DivUIOp,
           arith::DivSIOp, arith::RemUIOp, arith::RemSIOp>(op))
    return {};

  AffineExpr lhs = get(op->getOperand(0)), rhs = get(op->getOperand(1));
  if (isa<arith::AddIOp>(op))
    return lhs + rhs;
  if (isa<arith::SubIOp>(op))
    return lhs - rhs;
  if (isa<arith::MulIOp>(op)) {
    if (isa<AffineConstantExpr>(lhs) || isa<AffineConstantExpr>(rhs))
      return lhs * rhs;
    return {};
  }
  std::optional<int64_t> divisor = positive(rhs);
  if (!divisor)
    return {};
  // Signs matter for all but the floor and ceiling forms.
  if (isa<arith::FloorDivSIOp>(op))
    return lhs.floorDiv(*divisor);
  if (isa<arith::CeilDivSIOp>(op))
    return lhs.ceilDiv(*divisor);
  if (!isNonNegative(lhs))
    return {};
  if (isa<arith::CeilDivUIOp>(op))
    return lhs.ceilDiv(*divisor);
  if (isa<arith::DivUIOp, arith::DivSIOp>(op))
    return lhs.floorDiv(*divisor);
  return lhs % *divisor;
}
