//===- Dequantized.cpp - Tensors that stand for scaled bytes --------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Dequantized.h"

#include "nestor/Graph/Generic.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

//===----------------------------------------------------------------------===//
// Finding
//===----------------------------------------------------------------------===//

/// The one number that all elements of a constant tensor are.
static TypedAttr splatNumber(Value tensor) {
  DenseElementsAttr elements;
  if (!matchPattern(tensor, m_Constant(&elements)) || !elements.isSplat())
    return {};
  return cast<TypedAttr>(elements.getSplatValue<Attribute>());
}

/// `number` as the i32 that it stands for.
static TypedAttr asI32(TypedAttr number, bool isUnsigned) {
  auto integer = dyn_cast<IntegerAttr>(number);
  if (!integer)
    return {};
  APInt value = integer.getValue();
  if (value.getBitWidth() < 32)
    value = isUnsigned ? value.zext(32) : value.sext(32);
  return IntegerAttr::get(IntegerType::get(number.getContext(), 32),
                          value.sextOrTrunc(32));
}

namespace {
/// Reads the body of a generic from its end.
class BodyReader {
public:
  explicit BodyReader(linalg::GenericOp op) : op(op) {}

  std::optional<Dequantized> read(Value result) {
    if (!result.getType().isF32())
      return std::nullopt;
    if (auto mul = result.getDefiningOp<arith::MulFOp>()) {
      for (bool swap : {false, true}) {
        Value real = swap ? mul.getRhs() : mul.getLhs();
        Value scale = swap ? mul.getLhs() : mul.getRhs();
        if (readReal(real) && readScale(scale))
          return found;
      }
      return std::nullopt;
    }
    if (readReal(result))
      return found;
    return std::nullopt;
  }

private:
  linalg::GenericOp op;
  Dequantized found;

  OpOperand *inputOf(Value v) {
    auto arg = dyn_cast<BlockArgument>(v);
    if (!arg || arg.getOwner() != op.getBlock() ||
        arg.getArgNumber() >= op.getNumDpsInputs())
      return nullptr;
    OpOperand *input = op.getDpsInputOperand(arg.getArgNumber());
    return isa<RankedTensorType>(input->get().getType()) ? input : nullptr;
  }

  /// float(int).
  bool readReal(Value v) {
    found = Dequantized();
    Operation *def = v.getDefiningOp();
    if (!isa_and_nonnull<arith::SIToFPOp, arith::UIToFPOp>(def))
      return false;
    Value whole = def->getOperand(0);
    if (whole.getType().isInteger(8))
      return readData(whole, isa<arith::UIToFPOp>(def));
    if (!whole.getType().isInteger(32))
      return false;
    if (auto sub = whole.getDefiningOp<arith::SubIOp>())
      return readByte(sub.getLhs()) && readZero(sub.getRhs());
    if (auto add = whole.getDefiningOp<arith::AddIOp>()) {
      APInt shift;
      if (!readByte(add.getLhs()) ||
          !matchPattern(add.getRhs(), m_ConstantInt(&shift)))
        return false;
      found.zero.number =
          IntegerAttr::get(IntegerType::get(op.getContext(), 32), -shift);
      return true;
    }
    return readByte(whole);
  }

  bool readByte(Value v) {
    Operation *def = v.getDefiningOp();
    return isa_and_nonnull<arith::ExtSIOp, arith::ExtUIOp>(def) &&
           readData(def->getOperand(0), isa<arith::ExtUIOp>(def));
  }

  bool readData(Value v, bool isUnsigned) {
    OpOperand *input = inputOf(v);
    if (!input || !v.getType().isInteger(8))
      return false;
    found.data = input->get();
    found.map = op.getMatchingIndexingMap(input);
    found.isUnsigned = isUnsigned;
    return true;
  }

  bool readZero(Value v) {
    TypedAttr number;
    if (matchPattern(v, m_Constant(&number))) {
      found.zero.number = asI32(number, found.isUnsigned);
      return bool(found.zero.number);
    }
    Operation *def = v.getDefiningOp();
    if (!isa_and_nonnull<arith::ExtSIOp, arith::ExtUIOp>(def) ||
        isa<arith::ExtUIOp>(def) != found.isUnsigned)
      return false;
    Value byte = def->getOperand(0);
    if (matchPattern(byte, m_Constant(&number))) {
      found.zero.number = asI32(number, found.isUnsigned);
      return bool(found.zero.number);
    }
    OpOperand *input = inputOf(byte);
    if (!input || !byte.getType().isInteger(8))
      return false;
    if (TypedAttr splat = splatNumber(input->get()))
      found.zero.number = asI32(splat, found.isUnsigned);
    else
      found.zero = {
          {}, input->get(), op.getMatchingIndexingMap(input), found.isUnsigned};
    return true;
  }

  bool readScale(Value v) {
    TypedAttr number;
    if (matchPattern(v, m_Constant(&number))) {
      found.scale.number = number;
      return true;
    }
    OpOperand *input = inputOf(v);
    if (!input)
      return false;
    if (TypedAttr splat = splatNumber(input->get()))
      found.scale.number = splat;
    else
      found.scale = {{}, input->get(), op.getMatchingIndexingMap(input), false};
    return true;
  }
};
} // namespace

std::optional<Dequantized> nestor::dequantizedIn(linalg::GenericOp op,
                                                 Value value) {
  std::optional<Dequantized> found = BodyReader(op).read(value);
  if (!found)
    return std::nullopt;
  if (auto number = dyn_cast_or_null<IntegerAttr>(found->zero.number))
    if (number.getValue().isZero())
      found->zero = Parameter();
  return found;
}

std::optional<Dequantized> nestor::dequantizedOf(Value value) {
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || op->getNumResults() != 1 || !isElementwise(op))
    return std::nullopt;
  return dequantizedIn(op, op.getBlock()->getTerminator()->getOperand(0));
}

Dequantized Dequantized::through(AffineMap outer) const {
  Dequantized result = *this;
  result.map = map.compose(outer);
  for (Parameter *parameter : {&result.zero, &result.scale})
    if (parameter->tensor)
      parameter->map = parameter->map.compose(outer);
  return result;
}

bool nestor::isConstantTensor(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (isa<model::ConstantOp>(op) || op->hasTrait<OpTrait::ConstantLike>())
    return true;
  if (auto reshape = dyn_cast<model::ReshapeOp>(op))
    return isConstantTensor(reshape.getSource());
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && isMovement(generic) &&
         isConstantTensor(generic.getDpsInputOperand(0)->get());
}

//===----------------------------------------------------------------------===//
// Making
//===----------------------------------------------------------------------===//

unsigned GenericInputs::add(Value tensor, AffineMap map) {
  entries.push_back({{}, static_cast<unsigned>(tensors.size())});
  tensors.push_back(tensor);
  maps.push_back(map);
  return entries.size() - 1;
}

unsigned GenericInputs::add(const Parameter &parameter) {
  if (parameter.tensor)
    return add(parameter.tensor, parameter.map);
  entries.push_back({parameter.number, 0});
  return entries.size() - 1;
}

Value GenericInputs::at(unsigned index, OpBuilder &builder, Location loc,
                        ValueRange args) const {
  const Entry &entry = entries[index];
  if (entry.number)
    return arith::ConstantOp::create(builder, loc, entry.number);
  return args[entry.argument];
}

Value nestor::emptyLike(OpBuilder &builder, Location loc, Value like,
                        Type element) {
  auto type = cast<RankedTensorType>(like.getType());
  // The values that decided the sizes of `like` keep them comparable.
  Value start = like;
  while (auto generic = start.getDefiningOp<linalg::GenericOp>())
    start = generic.getOutputs()[cast<OpResult>(start).getResultNumber()];
  SmallVector<Value> sizes;
  if (auto empty = start.getDefiningOp<tensor::EmptyOp>())
    llvm::append_range(sizes, empty.getDynamicSizes());
  else if (auto reshape = start.getDefiningOp<model::ReshapeOp>())
    llvm::append_range(sizes, reshape.getDims());
  else
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (type.isDynamicDim(d))
        sizes.push_back(tensor::DimOp::create(builder, loc, like, d));
  return tensor::EmptyOp::create(builder, loc, type.getShape(), element, sizes);
}

Value nestor::mapGeneric(OpBuilder &builder, Location loc, Value like,
                         Type element, const GenericInputs &inputs,
                         BodyFn body) {
  Value empty = emptyLike(builder, loc, like, element);
  int64_t rank = cast<RankedTensorType>(like.getType()).getRank();
  SmallVector<AffineMap> maps(inputs.maps);
  maps.push_back(builder.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, empty.getType(), inputs.tensors, ValueRange{empty},
             maps, kinds,
             [&](OpBuilder &b, Location l, ValueRange args) {
               linalg::YieldOp::create(b, l, body(b, l, args));
             })
      .getResult(0);
}

Value nestor::sumGeneric(OpBuilder &builder, Location loc, Value empty,
                         const GenericInputs &inputs, AffineMap result,
                         ArrayRef<utils::IteratorType> kinds, BodyFn body) {
  auto type = cast<RankedTensorType>(empty.getType());
  Type element = type.getElementType();
  SmallVector<utils::IteratorType> flat(type.getRank(),
                                        utils::IteratorType::parallel);
  Value zero = linalg::GenericOp::create(
                   builder, loc, type, ValueRange(), ValueRange{empty},
                   {builder.getMultiDimIdentityMap(type.getRank())}, flat,
                   [&](OpBuilder &b, Location l, ValueRange) {
                     Value none = arith::ConstantOp::create(
                         b, l, b.getZeroAttr(element));
                     linalg::YieldOp::create(b, l, none);
                   })
                   .getResult(0);
  SmallVector<AffineMap> maps(inputs.maps);
  maps.push_back(result);
  return linalg::GenericOp::create(
             builder, loc, type, inputs.tensors, ValueRange{zero}, maps, kinds,
             [&](OpBuilder &b, Location l, ValueRange args) {
               Value term = body(b, l, args);
               Value next = isa<FloatType>(element)
                                ? arith::AddFOp::create(b, l, args.back(), term)
                                      .getResult()
                                : arith::AddIOp::create(b, l, args.back(), term)
                                      .getResult();
               linalg::YieldOp::create(b, l, next);
             })
      .getResult(0);
}

Value nestor::widenByte(OpBuilder &builder, Location loc, Value byte,
                        bool isUnsigned) {
  Type type = builder.getI32Type();
  if (byte.getType() == type)
    return byte;
  if (isUnsigned)
    return arith::ExtUIOp::create(builder, loc, type, byte);
  return arith::ExtSIOp::create(builder, loc, type, byte);
}

Value nestor::dequantize(OpBuilder &builder, Location loc, Value like,
                         const Dequantized &what) {
  GenericInputs inputs;
  unsigned data = inputs.add(what.data, what.map), zero = 0, scale = 0;
  if (what.zero)
    zero = inputs.add(what.zero);
  if (what.scale)
    scale = inputs.add(what.scale);
  return mapGeneric(
      builder, loc, like, builder.getF32Type(), inputs,
      [&](OpBuilder &b, Location l, ValueRange args) -> Value {
        Value whole =
            widenByte(b, l, inputs.at(data, b, l, args), what.isUnsigned);
        if (what.zero)
          whole = arith::SubIOp::create(
              b, l, whole,
              widenByte(b, l, inputs.at(zero, b, l, args), what.isUnsigned));
        Value real = arith::SIToFPOp::create(b, l, b.getF32Type(), whole);
        if (what.scale)
          real =
              arith::MulFOp::create(b, l, real, inputs.at(scale, b, l, args));
        return real;
      });
}
