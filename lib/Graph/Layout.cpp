//===- Layout.cpp - Channels innermost around convolutions ----------------===//
//
// conv, pool, pad, concat, elementwise over [n, c, spatial...]
//     => the same over [n, spatial..., c], with the loops in that order and
//        the weights as [kernel..., c, m]
//
// Every tensor that convolutions and their neighbours exchange is turned;
// readers outside (reshapes, results) get a copy in the old order. Weights are
// turned by an operator on a constant, which @setup takes over.
//
// Assumes: verified tensor level. Leaves true: what every operator computes.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"
#include "nestor/Graph/TensorDims.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

/// New dim i is old dim order[i]: 0, 2, 3, ..., 1.
static SmallVector<int64_t> channelsLast(int64_t rank) {
  SmallVector<int64_t> order{0};
  for (int64_t d = 2; d < rank; ++d)
    order.push_back(d);
  order.push_back(1);
  return order;
}

template <typename Range>
static auto permute(const Range &values, ArrayRef<int64_t> order) {
  using T = std::decay_t<decltype(*values.begin())>;
  SmallVector<T> result;
  for (int64_t d : order)
    result.push_back(values[d]);
  return result;
}

static int64_t rankOf(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  return type ? type.getRank() : 0;
}

namespace {
class Turner {
public:
  explicit Turner(Block &block)
      : block(block), rewriter(block.getParentOp()->getContext()) {}
  LogicalResult run();

private:
  // Which tensors to turn.
  bool keepsPlane(model::ReshapeOp op);
  bool mayTurn(Value value);
  void add(Value value);
  void addAround(linalg::GenericOp op);
  void spread(Value value);

  // Turning them.
  LogicalResult turn(linalg::GenericOp op);
  LogicalResult turn(tensor::ConcatOp op);
  void turn(model::ReshapeOp op);
  void turnWeights(linalg::GenericOp op, Value &weights,
                   SmallVectorImpl<AffineMap> &maps);
  void restore(Operation *op);
  Value turned(Value value);
  Value original(Value value);
  Value moved(Value value, ArrayRef<int64_t> order, Location loc);
  Value turnedStart(Value outs);
  SmallVector<unsigned> loopOrder(linalg::GenericOp op);
  bool touches(linalg::GenericOp op);

  Block &block;
  IRRewriter rewriter;
  llvm::SetVector<Value> chosen;
  llvm::DenseMap<Value, Value> twin, back;
};
} // namespace

/// Whether `op` is a convolution that makes [n, c, ...] data: a windowed
/// product sum whose result is indexed by its batch, its channels, then the
/// loops of the window's positions.
static bool isConvolution(linalg::GenericOp op) {
  if (!isProductSum(op) || !isWindowed(op) || op->getNumResults() != 1)
    return false;
  AffineMap data = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (out.getNumResults() < 3)
    return false;
  auto inWindow = [&](AffineExpr expr) {
    return llvm::any_of(data.getResults(), [&](AffineExpr other) {
      return !isa<AffineDimExpr>(other) &&
             other.isFunctionOfDim(cast<AffineDimExpr>(expr).getPosition());
    });
  };
  // With one output position the window's loop may be gone: only channels
  // that are a window rule it out, and groups with channels of their own
  // behind them, [n, g, m, ...], which would have to move together.
  AffineMap weights = op.getMatchingIndexingMap(op.getDpsInputOperand(1));
  bool grouped = llvm::is_contained(data.getResults(), out.getResult(1)) &&
                 llvm::is_contained(weights.getResults(), out.getResult(2));
  return !inWindow(out.getResult(1)) && !grouped;
}

/// Whether `map` is [n, c, ...] where `out` has its own n and c first.
static bool sharesPlane(AffineMap map, AffineMap out) {
  return map.getNumResults() >= 3 && out.getNumResults() >= 3 &&
         map.getResult(0) == out.getResult(0) &&
         map.getResult(1) == out.getResult(1);
}

/// A sum over the channels of [n, c, ...] data alone, at each position: a
/// convolution without a window, an upsampling one whose windows do not meet.
static bool isPointwise(linalg::GenericOp op) {
  if (!isProductSum(op) || isWindowed(op) || op->getNumResults() != 1)
    return false;
  AffineMap data = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (data.getNumResults() < 3 || out.getNumResults() < 3 ||
      data.getResult(0) != out.getResult(0))
    return false;
  auto channel = dyn_cast<AffineDimExpr>(data.getResult(1));
  auto result = cast<AffineDimExpr>(out.getResult(1));
  return channel && op.getNumReductionLoops() == 1 &&
         op.getIteratorTypesArray()[channel.getPosition()] ==
             utils::IteratorType::reduction &&
         !data.isFunctionOfDim(result.getPosition());
}

static bool isPool(linalg::GenericOp op) {
  return op.getNumReductionLoops() && isWindowed(op) && !isProductSum(op) &&
         op->getNumResults() == 1 &&
         rankOf(op.getDpsInputOperand(0)->get()) == rankOf(op->getResult(0));
}

/// Whether `op` gains by channels innermost so much that copies at its borders
/// are worth their time: windows read each element several times; what is
/// sampled up has results of few elements next to each other.
static bool startsTurning(linalg::GenericOp op) {
  if (isConvolution(op) || isPool(op))
    return true;
  return isPointwise(op) &&
         rankOf(op->getResult(0)) > rankOf(op.getDpsInputOperand(0)->get()) &&
         op.getDpsInputOperand(1)->get().getDefiningOp<model::ConstantOp>();
}

/// Whether a reshape only regroups what follows [n, c].
bool Turner::keepsPlane(model::ReshapeOp op) {
  if (rankOf(op.getSource()) < 3 || rankOf(op.getResult()) < 3)
    return false;
  TensorDims dims;
  for (int64_t d : {0, 1})
    if (!(dims.of(op.getSource(), d) == dims.of(op.getResult(), d)))
      return false;
  return true;
}

bool Turner::mayTurn(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != &block || rankOf(value) < 3)
    return false;
  if (isa<tensor::ConcatOp>(op))
    return true;
  if (auto reshape = dyn_cast<model::ReshapeOp>(op))
    return keepsPlane(reshape);
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic->getNumResults() != 1 || yieldsConstant(generic))
    return false;
  // A start value must be one that can be made anew in the other order.
  Operation *start = generic.getOutputs()[0].getDefiningOp();
  auto fill = dyn_cast_or_null<linalg::GenericOp>(start);
  bool fresh = isa_and_nonnull<tensor::EmptyOp>(start) ||
               (fill && yieldsConstant(fill) && fill->getNumResults() == 1);
  return fresh && (isElementwise(generic) || isPool(generic) ||
                   isConvolution(generic) || isPointwise(generic));
}

void Turner::add(Value value) {
  if (mayTurn(value))
    chosen.insert(value);
}

/// What an operator with a chosen result reads in the same shape.
void Turner::addAround(linalg::GenericOp op) {
  int64_t rank = rankOf(op->getResult(0));
  if (isConvolution(op) || isPool(op) || isPointwise(op)) {
    Value data = op.getDpsInputOperand(0)->get();
    if (rankOf(data) == rank || isPointwise(op) || isConvolution(op))
      add(data);
    return;
  }
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  for (OpOperand *input : op.getDpsInputOperands())
    if (sharesPlane(op.getMatchingIndexingMap(input), out))
      add(input->get());
  op.getRegion().walk([&](tensor::ExtractOp extract) {
    if (rankOf(extract.getTensor()) == rank)
      add(extract.getTensor());
  });
}

void Turner::spread(Value value) {
  if (auto concat = value.getDefiningOp<tensor::ConcatOp>()) {
    for (Value input : concat.getInputs())
      add(input);
  } else if (auto reshape = value.getDefiningOp<model::ReshapeOp>()) {
    add(reshape.getSource());
  } else {
    addAround(value.getDefiningOp<linalg::GenericOp>());
  }
  for (OpOperand &use : value.getUses()) {
    Operation *user = block.findAncestorOpInBlock(*use.getOwner());
    if (auto concat = dyn_cast_or_null<tensor::ConcatOp>(user)) {
      add(concat.getResult());
      continue;
    }
    if (auto reshape = dyn_cast_or_null<model::ReshapeOp>(user)) {
      add(reshape.getResult());
      continue;
    }
    auto generic = dyn_cast_or_null<linalg::GenericOp>(user);
    if (!generic || generic->getNumResults() != 1)
      continue;
    bool sameRank = rankOf(generic->getResult(0)) == rankOf(value);
    bool follows;
    if (use.getOwner() != user) // an extract in its body
      follows = sameRank;
    else if (isPool(generic) || isConvolution(generic))
      follows = sameRank;
    else
      follows = isPointwise(generic) ||
                sharesPlane(generic.getMatchingIndexingMap(&use),
                            generic.getMatchingIndexingMap(
                                generic.getDpsInitOperand(0)));
    if (follows)
      add(generic->getResult(0));
  }
}

//===----------------------------------------------------------------------===//
// Copies at the borders
//===----------------------------------------------------------------------===//

/// `value` with its dims in another order: a copy.
Value Turner::moved(Value value, ArrayRef<int64_t> order, Location loc) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape = permute(type.getShape(), order);
  SmallVector<Value> sizes;
  for (int64_t d : order)
    if (type.isDynamicDim(d))
      sizes.push_back(tensor::DimOp::create(rewriter, loc, value, d));
  Value empty = tensor::EmptyOp::create(rewriter, loc, shape,
                                        type.getElementType(), sizes);
  SmallVector<AffineExpr> exprs(order.size());
  for (auto [i, d] : llvm::enumerate(order))
    exprs[d] = rewriter.getAffineDimExpr(i);
  AffineMap from =
      AffineMap::get(order.size(), 0, exprs, rewriter.getContext());
  AffineMap to = rewriter.getMultiDimIdentityMap(order.size());
  SmallVector<utils::IteratorType> kinds(order.size(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             rewriter, loc, empty.getType(), ValueRange(value),
             ValueRange(empty), ArrayRef<AffineMap>{from, to}, kinds,
             [](OpBuilder &b, Location l, ValueRange args) {
               linalg::YieldOp::create(b, l, args[0]);
             })
      .getResult(0);
}

Value Turner::turned(Value value) {
  Value &result = twin[value];
  if (!result)
    result = moved(value, channelsLast(rankOf(value)), value.getLoc());
  return result;
}

Value Turner::original(Value value) {
  Value &result = back[value];
  if (!result) {
    SmallVector<int64_t> order = channelsLast(rankOf(value));
    SmallVector<int64_t> inverse(order.size());
    for (auto [i, d] : llvm::enumerate(order))
      inverse[d] = i;
    result = moved(twin[value], inverse, value.getLoc());
  }
  return result;
}

/// An operator that stays as it is gets the old order back.
void Turner::restore(Operation *op) {
  op->walk([&](Operation *inner) {
    for (OpOperand &operand : inner->getOpOperands()) {
      if (!chosen.contains(operand.get()))
        continue;
      if (auto dim = dyn_cast<tensor::DimOp>(inner)) {
        // A size is there in either order.
        SmallVector<int64_t> order = channelsLast(rankOf(operand.get()));
        int64_t which =
            llvm::find(order, *dim.getConstantIndex()) - order.begin();
        OpBuilder::InsertionGuard guard(rewriter);
        rewriter.setInsertionPoint(inner);
        dim.getIndexMutable().assign(
            arith::ConstantIndexOp::create(rewriter, dim.getLoc(), which));
        operand.set(twin[operand.get()]);
        continue;
      }
      operand.set(original(operand.get()));
    }
  });
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

/// The start value of a turned result: the same constant, other dims.
Value Turner::turnedStart(Value outs) {
  auto type = cast<RankedTensorType>(outs.getType());
  SmallVector<int64_t> order = channelsLast(type.getRank());
  auto fill = outs.getDefiningOp<linalg::GenericOp>();
  Value base = fill ? fill.getOutputs()[0] : outs;
  SmallVector<Value> sizes;
  auto emptyOp = base.getDefiningOp<tensor::EmptyOp>();
  for (int64_t d : order) {
    if (!type.isDynamicDim(d))
      continue;
    if (emptyOp)
      sizes.push_back(emptyOp.getDynamicSize(d));
    else
      sizes.push_back(tensor::DimOp::create(rewriter, outs.getLoc(), base, d));
  }
  Value empty = tensor::EmptyOp::create(rewriter, outs.getLoc(),
                                        permute(type.getShape(), order),
                                        type.getElementType(), sizes);
  if (!fill)
    return empty;
  IRMapping mapping;
  mapping.map(fill.getOutputs()[0], empty);
  auto clone = cast<linalg::GenericOp>(rewriter.clone(*fill, mapping));
  clone->getResult(0).setType(cast<RankedTensorType>(empty.getType()));
  return clone->getResult(0);
}

bool Turner::touches(linalg::GenericOp op) {
  if (chosen.contains(op->getResult(0)))
    return true;
  for (Value operand : op->getOperands())
    if (chosen.contains(operand))
      return true;
  return op.getRegion()
      .walk([&](tensor::ExtractOp extract) {
        return chosen.contains(extract.getTensor()) ? WalkResult::interrupt()
                                                    : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Loops of the result in its order, then the window, then the rest.
SmallVector<unsigned> Turner::loopOrder(linalg::GenericOp op) {
  SmallVector<unsigned> order;
  for (AffineExpr expr :
       op.getMatchingIndexingMap(op.getDpsInitOperand(0)).getResults())
    order.push_back(cast<AffineDimExpr>(expr).getPosition());
  auto inWindow = [&](unsigned loop) {
    for (AffineMap map : op.getIndexingMapsArray())
      for (AffineExpr expr : map.getResults())
        if (!isa<AffineDimExpr>(expr) && expr.isFunctionOfDim(loop))
          return true;
    return false;
  };
  for (bool window : {true, false})
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
      if (!llvm::is_contained(order, loop) && inWindow(loop) == window)
        order.push_back(loop);
  return order;
}

/// Constant weights [m, c, kernel...] => [kernel..., c, m]: the order in which
/// the loops meet them.
void Turner::turnWeights(linalg::GenericOp op, Value &weights,
                         SmallVectorImpl<AffineMap> &maps) {
  if (!weights.getDefiningOp<model::ConstantOp>())
    return;
  AffineExpr channels =
      op.getMatchingIndexingMap(op.getDpsInitOperand(0)).getResult(1);
  AffineMap data = maps[0];
  auto place = [&](AffineExpr expr) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (expr == channels)
      return 2;
    bool window =
        !dim || llvm::any_of(data.getResults(), [&](AffineExpr other) {
          return !isa<AffineDimExpr>(other) &&
                 other.isFunctionOfDim(dim.getPosition());
        });
    bool reduction = dim && op.getIteratorTypesArray()[dim.getPosition()] ==
                                utils::IteratorType::reduction;
    return window || !reduction ? 0 : 1;
  };
  SmallVector<AffineExpr> exprs(maps[1].getResults());
  SmallVector<int64_t> order;
  for (int which : {0, 1, 2})
    for (auto [d, expr] : llvm::enumerate(exprs))
      if (place(expr) == which)
        order.push_back(d);
  if (llvm::is_sorted(order))
    return;
  weights = moved(weights, order, op.getLoc());
  maps[1] = AffineMap::get(maps[1].getNumDims(), 0, permute(exprs, order),
                           op.getContext());
}

LogicalResult Turner::turn(linalg::GenericOp op) {
  rewriter.setInsertionPoint(op);
  bool turnsResult = chosen.contains(op->getResult(0));
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  auto turnMap = [&](unsigned i) {
    SmallVector<AffineExpr> exprs(maps[i].getResults());
    maps[i] = AffineMap::get(maps[i].getNumDims(), 0,
                             permute(exprs, channelsLast(exprs.size())),
                             op.getContext());
  };
  SmallVector<Value> inputs, outputs(op.getOutputs());
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    if (chosen.contains(input)) {
      inputs.push_back(turned(input));
      turnMap(i);
    } else {
      inputs.push_back(input);
    }
  }
  SmallVector<Type> types(op.getResultTypes());
  if (turnsResult) {
    outputs[0] = turnedStart(op.getOutputs()[0]);
    types[0] = outputs[0].getType();
    turnMap(inputs.size());
  }
  if (turnsResult && (isConvolution(op) || isPointwise(op)))
    turnWeights(op, inputs[1], maps);
  auto result =
      linalg::GenericOp::create(rewriter, op.getLoc(), types, inputs, outputs,
                                maps, op.getIteratorTypesArray());
  IRMapping mapping;
  op.getRegion().cloneInto(&result.getRegion(), mapping);
  result.getRegion().walk([&](tensor::ExtractOp extract) {
    if (!chosen.contains(extract.getTensor()))
      return;
    SmallVector<Value> indices(extract.getIndices());
    indices = permute(indices, channelsLast(indices.size()));
    extract.getTensorMutable().assign(turned(extract.getTensor()));
    extract.getIndicesMutable().assign(indices);
  });
  result.getRegion().walk([&](tensor::DimOp dim) { restore(dim); });
  if (!turnsResult) {
    rewriter.replaceOp(op, result.getResults());
    return success();
  }
  SmallVector<unsigned> order = loopOrder(result);
  rewriter.setInsertionPoint(result);
  FailureOr<linalg::GenericOp> ordered =
      linalg::interchangeGenericOp(rewriter, result, order);
  if (failed(ordered))
    return op.emitOpError("cannot have its loops reordered");
  twin[op->getResult(0)] = (*ordered)->getResult(0);
  return success();
}

LogicalResult Turner::turn(tensor::ConcatOp op) {
  rewriter.setInsertionPoint(op);
  SmallVector<Value> inputs;
  for (Value input : op.getInputs())
    inputs.push_back(turned(input));
  SmallVector<int64_t> order = channelsLast(rankOf(op.getResult()));
  int64_t axis =
      llvm::find(order, static_cast<int64_t>(op.getDim())) - order.begin();
  auto type = cast<RankedTensorType>(op.getType());
  twin[op.getResult()] = tensor::ConcatOp::create(
      rewriter, op.getLoc(),
      RankedTensorType::get(permute(type.getShape(), order),
                            type.getElementType()),
      axis, inputs);
  return success();
}

void Turner::turn(model::ReshapeOp op) {
  rewriter.setInsertionPoint(op);
  auto type = cast<RankedTensorType>(op.getType());
  SmallVector<int64_t> order = channelsLast(type.getRank());
  SmallVector<Value> sizes;
  for (int64_t d : order)
    if (type.isDynamicDim(d))
      sizes.push_back(op.getDims()[type.getDynamicDimIndex(d)]);
  twin[op.getResult()] = model::ReshapeOp::create(
      rewriter, op.getLoc(),
      RankedTensorType::get(permute(type.getShape(), order),
                            type.getElementType()),
      turned(op.getSource()), sizes);
}

LogicalResult Turner::run() {
  for (auto op : block.getOps<linalg::GenericOp>())
    if (startsTurning(op) && mayTurn(op->getResult(0)))
      chosen.insert(op->getResult(0));
  for (size_t i = 0; i < chosen.size(); ++i)
    spread(chosen[i]);
  if (chosen.empty())
    return success();

  SmallVector<Operation *> ops;
  for (Operation &op : block)
    ops.push_back(&op);
  SmallVector<Operation *> dead;
  for (Operation *op : ops) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    auto concat = dyn_cast<tensor::ConcatOp>(op);
    if (generic && touches(generic)) {
      if (chosen.contains(generic->getResult(0)))
        dead.push_back(op);
      if (failed(turn(generic)))
        return failure();
    } else if (concat && chosen.contains(concat.getResult())) {
      dead.push_back(op);
      if (failed(turn(concat)))
        return failure();
    } else if (auto reshape = dyn_cast<model::ReshapeOp>(op);
               reshape && chosen.contains(reshape.getResult())) {
      dead.push_back(op);
      turn(reshape);
    } else {
      rewriter.setInsertionPoint(op);
      restore(op);
    }
  }
  for (Operation *op : llvm::reverse(dead)) {
    if (!op->use_empty())
      return op->emitOpError("is still read after its layout changed");
    rewriter.eraseOp(op);
  }
  return success();
}

LogicalResult nestor::chooseLayouts(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return success();
  // Each block by itself: what crosses control flow keeps its order.
  llvm::SetVector<Block *> blocks;
  main.walk([&](linalg::GenericOp op) {
    if (startsTurning(op))
      blocks.insert(op->getBlock());
  });
  for (Block *block : blocks)
    if (failed(Turner(*block).run()))
      return failure();
  return success();
}
