//===- Divisions.cpp - Quotients where they cost least --------------------===//
//
// A quotient or product by what a sum does not run over leaves the sum, so that
// softmax divides the results of attention and not its weights:
//
//   sum_k (x[m, k] / s[m]) * v[k, n]  =>  (sum_k x[m, k] * v[k, n]) / s[m]
//
// and a division by what serves many elements is done once for all of them:
//
//   y[m, n] = x[m, n] / s[m]  =>  r[m] = 1 / s[m];  y[m, n] = x[m, n] * r[m]
//
// Floating point rounds otherwise than before, within the f32 tolerances.
//
// Leaves true: what something else reads too stays as it is; so does a quotient
// that is rounded to a whole number, cast or compared, where one bit decides
// (QuantizeLinear, x / c == n). Divisors below 2^-126 have no reciprocal: the
// quotient by one of them, if not 0, becomes infinite.
//
//===----------------------------------------------------------------------===//
#include "nestor/Dialect/Model/Model.h"
#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"
#include "nestor/Graph/TensorDims.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace nestor;

/// A generic of parallel loops over `shape`'s tensor, written to a new tensor
/// of the same sizes.
static linalg::GenericOp
mapOver(PatternRewriter &rewriter, Location loc, Value shape, ValueRange inputs,
        ArrayRef<AffineMap> maps,
        function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  auto type = cast<RankedTensorType>(shape.getType());
  SmallVector<Value> sizes;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d))
      sizes.push_back(tensor::DimOp::create(rewriter, loc, shape, d));
  Value empty = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                        type.getElementType(), sizes);
  SmallVector<AffineMap> all(maps);
  all.push_back(rewriter.getMultiDimIdentityMap(type.getRank()));
  return linalg::GenericOp::create(
      rewriter, loc, TypeRange(type), inputs, ValueRange(empty), all,
      SmallVector<utils::IteratorType>(type.getRank(),
                                       utils::IteratorType::parallel),
      [&](OpBuilder &builder, Location at, ValueRange args) {
        linalg::YieldOp::create(builder, at, body(builder, at, args));
      });
}

namespace {
/// A generic that is x / s or x * s, element by element.
struct Scaled {
  linalg::GenericOp op;
  OpOperand *data = nullptr, *factor = nullptr;
  Operation *combine = nullptr;
};
} // namespace

static std::optional<Scaled> readScaled(Value value) {
  Scaled found{value.getDefiningOp<linalg::GenericOp>()};
  if (!found.op || !value.hasOneUse() || !isElementwise(found.op) ||
      found.op->getNumResults() != 1 || found.op.getNumDpsInputs() != 2)
    return std::nullopt;
  Block &body = *found.op.getBlock();
  if (body.getOperations().size() != 2)
    return std::nullopt;
  found.combine = &body.front();
  if (!isa<arith::DivFOp, arith::MulFOp>(found.combine) ||
      body.getTerminator()->getOperand(0) != found.combine->getResult(0))
    return std::nullopt;
  OpOperand *inputs[2];
  for (unsigned i = 0; i < 2; ++i) {
    auto arg = dyn_cast<BlockArgument>(found.combine->getOperand(i));
    if (!arg || arg.getOwner() != &body || arg.getArgNumber() >= 2 ||
        !isa<RankedTensorType>(
            found.op.getDpsInputOperand(arg.getArgNumber())->get().getType()))
      return std::nullopt;
    inputs[i] = found.op.getDpsInputOperand(arg.getArgNumber());
  }
  if (inputs[0] == inputs[1])
    return std::nullopt;
  if (isa<arith::MulFOp>(found.combine) &&
      !found.op.getMatchingIndexingMap(inputs[0]).isIdentity())
    std::swap(inputs[0], inputs[1]);
  if (!found.op.getMatchingIndexingMap(inputs[0]).isIdentity())
    return std::nullopt;
  found.data = inputs[0];
  found.factor = inputs[1];
  return found;
}

namespace {
struct LeaveSum : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp sum,
                                PatternRewriter &rewriter) const final {
    if (!isPlainProductSum(sum) || !startsAtZero(sum))
      return failure();
    AffineMap result = sum.getMatchingIndexingMap(sum.getDpsInitOperand(0));
    for (OpOperand *operand : sum.getDpsInputOperands()) {
      std::optional<Scaled> scaled = readScaled(operand->get());
      if (!scaled || scaled->op->getBlock() != sum->getBlock())
        continue;
      // The factor's indices by the loops of the sum, then by its result.
      AffineMap read = sum.getMatchingIndexingMap(operand);
      AffineMap map =
          scaled->op.getMatchingIndexingMap(scaled->factor).compose(read);
      SmallVector<AffineExpr> indices;
      for (AffineExpr index : map.getResults()) {
        if (isa<AffineConstantExpr>(index)) {
          indices.push_back(index);
          continue;
        }
        auto loop = dyn_cast<AffineDimExpr>(index);
        std::optional<unsigned> dim =
            loop ? result.getResultPosition(loop) : std::nullopt;
        if (!dim)
          break;
        indices.push_back(rewriter.getAffineDimExpr(*dim));
      }
      if (indices.size() != map.getNumResults())
        continue;
      Value data = scaled->data->get(), factor = scaled->factor->get();
      rewriter.modifyOpInPlace(sum, [&] { operand->set(data); });
      rewriter.setInsertionPointAfter(sum);
      unsigned rank = result.getNumResults();
      StringRef name = scaled->combine->getName().getStringRef();
      linalg::GenericOp after =
          mapOver(rewriter, sum.getLoc(), sum->getResult(0),
                  {sum->getResult(0), factor},
                  {rewriter.getMultiDimIdentityMap(rank),
                   AffineMap::get(rank, 0, indices, rewriter.getContext())},
                  [&](OpBuilder &builder, Location at, ValueRange args) {
                    OperationState state(at, name, args.take_front(2),
                                         args[0].getType());
                    return builder.create(state)->getResult(0);
                  });
      rewriter.replaceUsesWithIf(sum->getResult(0), after->getResult(0),
                                 [&](OpOperand &use) {
                                   return use.getOwner() != after &&
                                          !isa<tensor::DimOp>(use.getOwner());
                                 });
      return success();
    }
    return failure();
  }
};

/// Whether `map` leaves out a loop that runs more than once.
static bool repeats(linalg::GenericOp op, AffineMap map) {
  for (auto [loop, extent] : llvm::enumerate(TensorDims().loopExtents(op)))
    if (!extent.isConstant(1) && !map.isFunctionOfDim(loop))
      return true;
  return false;
}

struct DivideOnce : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (op.getNumReductionLoops() != 0)
      return failure();
    for (arith::DivFOp div : op.getBlock()->getOps<arith::DivFOp>()) {
      llvm::SmallPtrSet<Value, 16> seen;
      if (div.getType().isF32() && !isRounded(div.getResult(), seen) &&
          succeeded(rewrite(op, div, rewriter)))
        return success();
    }
    return failure();
  }

private:
  /// Whether one bit of `value` may decide: it is rounded, cut or compared,
  /// behind sums, products and choices or in an operator that reads it. What
  /// runs through anything else, or is summed up, is not exact anyway.
  static bool isRounded(Value value, llvm::SmallPtrSetImpl<Value> &seen) {
    if (!seen.insert(value).second)
      return false;
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      if (isa<math::RoundEvenOp, math::RoundOp, math::FloorOp, math::CeilOp,
              math::TruncOp, arith::FPToSIOp, arith::FPToUIOp, arith::CmpFOp>(
              user))
        return true;
      // Sums round each term anyway.
      if (auto around = user->getParentOfType<linalg::GenericOp>();
          around && around.getNumReductionLoops() != 0 &&
          isa<arith::AddFOp>(user))
        continue;
      Value next;
      if (auto generic = dyn_cast<linalg::GenericOp>(user))
        next = generic.getMatchingBlockArgument(&use);
      else if (isa<linalg::YieldOp>(user) ||
               (isa<scf::YieldOp>(user) && isa<scf::IfOp>(user->getParentOp())))
        next = user->getParentOp()->getResult(use.getOperandNumber());
      else if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::NegFOp,
                   arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
                   arith::MinNumFOp, arith::SelectOp, math::AbsFOp,
                   tensor::ExtractOp, tensor::ConcatOp>(user) ||
               isa<model::ReshapeOp>(user))
        next = user->getResult(0);
      if (next && isRounded(next, seen))
        return true;
    }
    return false;
  }

  static LogicalResult rewrite(linalg::GenericOp op, arith::DivFOp div,
                               PatternRewriter &rewriter) {
    Value by = div.getRhs();
    auto arg = dyn_cast<BlockArgument>(by);
    if (!arg || arg.getOwner() != op.getBlock() ||
        arg.getArgNumber() >= op.getNumDpsInputs() ||
        matchPattern(div.getLhs(), m_Constant()))
      return failure();
    OpOperand *divisor = op.getDpsInputOperand(arg.getArgNumber());
    auto type = dyn_cast<RankedTensorType>(divisor->get().getType());
    if (!type || !arg.hasOneUse() ||
        !repeats(op, op.getMatchingIndexingMap(divisor)))
      return failure();
    rewriter.setInsertionPoint(op);
    linalg::GenericOp inverse = mapOver(
        rewriter, div.getLoc(), divisor->get(), divisor->get(),
        rewriter.getMultiDimIdentityMap(type.getRank()),
        [&](OpBuilder &builder, Location at, ValueRange args) -> Value {
          Value one = arith::ConstantOp::create(
              builder, at, builder.getFloatAttr(args[0].getType(), 1.0));
          return arith::DivFOp::create(builder, at, one, args[0]);
        });
    rewriter.modifyOpInPlace(op, [&] { divisor->set(inverse->getResult(0)); });
    rewriter.setInsertionPoint(div);
    rewriter.replaceOpWithNewOp<arith::MulFOp>(div, div.getLhs(), arg);
    return success();
  }
};
} // namespace

LogicalResult nestor::moveDivisions(ModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  patterns.add<LeaveSum>(module.getContext(), /*benefit=*/2);
  patterns.add<DivideOnce>(module.getContext());
  return applyPatternsGreedily(module, std::move(patterns));
}
