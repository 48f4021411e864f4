//===- ProductSum.cpp - The loops of a sum of products --------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "ProductSum.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace nestor;

AffineMap ProductSum::resultMap() const {
  return op.getMatchingIndexingMap(op.getDpsInitOperand(0));
}

std::optional<Dequantized> ProductSum::operand(unsigned i) const {
  std::optional<Dequantized> found = dequantizedOf(input(i));
  if (!found)
    return std::nullopt;
  return found->through(inputMap(i));
}

/// `map` from the loops as a map from what `dims` says of the loops, when each
/// index is a number or a loop that `dims` has alone.
static std::optional<AffineMap> reread(AffineMap map, AffineMap dims) {
  SmallVector<AffineExpr> exprs;
  for (AffineExpr index : map.getResults()) {
    if (isa<AffineConstantExpr>(index)) {
      exprs.push_back(index);
      continue;
    }
    if (!isa<AffineDimExpr>(index))
      return std::nullopt;
    std::optional<unsigned> at = dims.getResultPosition(index);
    if (!at)
      return std::nullopt;
    exprs.push_back(getAffineDimExpr(*at, map.getContext()));
  }
  return AffineMap::get(dims.getNumResults(), 0, exprs, map.getContext());
}

static std::optional<Parameter> reread(const Parameter &parameter,
                                       AffineMap dims) {
  if (!parameter.tensor)
    return parameter;
  std::optional<AffineMap> map = reread(parameter.map, dims);
  if (!map)
    return std::nullopt;
  Parameter result = parameter;
  result.map = *map;
  return result;
}

std::optional<Parameter>
ProductSum::toResult(const Parameter &parameter) const {
  return reread(parameter, resultMap());
}

std::optional<Parameter> ProductSum::toOperand(const Parameter &parameter,
                                               AffineMap map) const {
  return reread(parameter, map);
}

bool ProductSum::isPlain(AffineMap map) {
  return map.isProjectedPermutation(/*allowZeroInResults=*/true);
}

bool ProductSum::canSum(AffineMap map) const {
  if (!isPlain(map))
    return false;
  AffineMap result = resultMap();
  for (unsigned loop = 0; loop < map.getNumDims(); ++loop)
    if (kinds()[loop] == utils::IteratorType::reduction
            ? !map.isFunctionOfDim(loop)
            : map.isFunctionOfDim(loop) &&
                  !result.getResultPosition(
                      getAffineDimExpr(loop, map.getContext())))
      return false;
  return true;
}

bool ProductSum::infersLoops(ArrayRef<AffineMap> maps) const {
  SmallVector<AffineMap> all(maps);
  all.push_back(resultMap());
  return bool(
      inversePermutation(concatAffineMaps(all, resultMap().getContext())));
}

Parameter ProductSum::sumOf(OpBuilder &builder, Location loc,
                            const Dequantized &what,
                            const Parameter &zero) const {
  MLIRContext *context = builder.getContext();
  // The loops that `what` has: those of the result in their order, then the
  // sum's.
  unsigned count = what.map.getNumDims();
  SmallVector<AffineExpr> loops(count, builder.getAffineConstantExpr(0)), kept;
  SmallVector<utils::IteratorType> iterators;
  auto type = cast<RankedTensorType>(what.data.getType());
  SmallVector<int64_t> shape;
  SmallVector<Value> sizes;
  for (auto kind :
       {utils::IteratorType::parallel, utils::IteratorType::reduction})
    for (unsigned loop = 0; loop < count; ++loop) {
      AffineExpr dim = builder.getAffineDimExpr(loop);
      std::optional<unsigned> at = what.map.getResultPosition(dim);
      if (kinds()[loop] != kind || !at)
        continue;
      loops[loop] = builder.getAffineDimExpr(iterators.size());
      iterators.push_back(kind);
      if (kind == utils::IteratorType::reduction)
        continue;
      kept.push_back(dim);
      shape.push_back(type.getDimSize(*at));
      if (type.isDynamicDim(*at))
        sizes.push_back(tensor::DimOp::create(builder, loc, what.data, *at));
    }
  unsigned total = iterators.size();
  auto narrowed = [&](AffineMap map) {
    return map.replaceDimsAndSymbols(loops, {}, total, 0);
  };
  Value empty =
      tensor::EmptyOp::create(builder, loc, shape, builder.getI32Type(), sizes);
  GenericInputs inputs;
  unsigned data = inputs.add(what.data, narrowed(what.map)), shift = 0;
  if (zero) {
    Parameter own = zero;
    if (own.tensor)
      own.map = narrowed(own.map);
    shift = inputs.add(own);
  }
  AffineMap result = AffineMap::getMultiDimIdentityMap(total, context)
                         .getMajorSubMap(static_cast<unsigned>(shape.size()));
  Parameter sums;
  sums.tensor = sumGeneric(
      builder, loc, empty, inputs, result, iterators,
      [&](OpBuilder &at, Location l, ValueRange args) -> Value {
        Value x =
            widenByte(at, l, inputs.at(data, at, l, args), what.isUnsigned);
        if (zero)
          x = arith::SubIOp::create(
              at, l, x,
              widenByte(at, l, inputs.at(shift, at, l, args), zero.isUnsigned));
        return x;
      });
  sums.map = AffineMap::get(count, 0, kept, context);
  return sums;
}

Parameter nestor::multiplied(OpBuilder &builder, Location loc,
                             const Parameter &a, const Parameter &b) {
  if (!a)
    return b;
  if (!b)
    return a;
  if (a.number && b.number) {
    APFloat product = cast<FloatAttr>(a.number).getValue();
    product.multiply(cast<FloatAttr>(b.number).getValue(),
                     APFloat::rmNearestTiesToEven);
    return {builder.getFloatAttr(a.number.getType(), product), {}, {}, false};
  }
  const Parameter &tensor = a.tensor ? a : b;
  const Parameter &number = a.tensor ? b : a;
  if (!number.number || !isConstantTensor(tensor.tensor))
    return {};
  GenericInputs inputs;
  int64_t rank = cast<RankedTensorType>(tensor.tensor.getType()).getRank();
  unsigned data =
      inputs.add(tensor.tensor, builder.getMultiDimIdentityMap(rank));
  Parameter result = tensor;
  result.tensor = mapGeneric(
      builder, loc, tensor.tensor, builder.getF32Type(), inputs,
      [&](OpBuilder &at, Location l, ValueRange args) -> Value {
        Value by = arith::ConstantOp::create(at, l, number.number);
        return arith::MulFOp::create(at, l, inputs.at(data, at, l, args), by);
      });
  return result;
}
