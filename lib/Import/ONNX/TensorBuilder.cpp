//===- TensorBuilder.cpp - Constants, contents and checks -----------------===//
//
// The part of TensorBuilder that knows what Arrays are: constants become SSA
// values only when an operator reads them as tensors, small contents are kept
// as numbers and sizes.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/TensorBuilder.h"
#include "nestor/Dialect/Model/Model.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// Constants of at most this many elements are written into the IR.
static constexpr int64_t kInlineLimit = 16;

TensorBuilder::TensorBuilder(OpBuilder &builder, Block *entry,
                             ConstantPool &pool)
    : builder(builder), entry(entry), pool(pool), dims(builder, entry),
      loc(builder.getUnknownLoc()) {}

TensorBuilder::~TensorBuilder() { release(); }

void TensorBuilder::release() {
  for (Operation *op : discarded)
    op->dropAllReferences();
  for (Operation *op : discarded)
    op->destroy();
  discarded.clear();
}

void TensorBuilder::discard(Operation *op) {
  op->remove();
  discarded.push_back(op);
}

Array TensorBuilder::fail(ErrorKind kind, const llvm::Twine &message) {
  if (!errorKind) {
    errorKind = kind;
    errorText = message.str();
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

template <typename T>
static T loadAs(const uint8_t *p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

static double halfToDouble(uint16_t bits, const llvm::fltSemantics &semantics) {
  return llvm::APFloat(semantics, llvm::APInt(16, bits)).convertToDouble();
}

/// Element `i` of a literal as a Dim element; null for types not kept.
static Dim literalElement(OpBuilder &b, const TensorData &data, DataType type,
                          int64_t i) {
  const uint8_t *p = data.bytes.data();
  auto integer = [&](int64_t v) -> Dim { return b.getIndexAttr(v); };
  auto real = [&](double v) -> Dim { return b.getF64FloatAttr(v); };
  switch (type) {
  case DataType::Bool:
    return integer(p[i] != 0);
  case DataType::UInt8:
    return integer(p[i]);
  case DataType::Int8:
    return integer(int8_t(p[i]));
  case DataType::UInt16:
    return integer(loadAs<uint16_t>(p + 2 * i));
  case DataType::Int16:
    return integer(loadAs<int16_t>(p + 2 * i));
  case DataType::UInt32:
    return integer(loadAs<uint32_t>(p + 4 * i));
  case DataType::Int32:
    return integer(loadAs<int32_t>(p + 4 * i));
  case DataType::UInt64:
  case DataType::Int64:
    return integer(loadAs<int64_t>(p + 8 * i));
  case DataType::Float:
    return real(loadAs<float>(p + 4 * i));
  case DataType::Double:
    return real(loadAs<double>(p + 8 * i));
  case DataType::Float16:
    return real(
        halfToDouble(loadAs<uint16_t>(p + 2 * i), llvm::APFloat::IEEEhalf()));
  case DataType::BFloat16:
    return real(
        halfToDouble(loadAs<uint16_t>(p + 2 * i), llvm::APFloat::BFloat()));
  default:
    return {};
  }
}

Array TensorBuilder::constant(TensorData data, llvm::ArrayRef<int64_t> shape,
                              DataType type) {
  if (!storageType(builder.getContext(), type))
    return unsupported("constants of type " + dataTypeName(type));
  Array array;
  array.type = type;
  array.dims = dims.constants(shape);
  array.literal = std::make_shared<Literal>();
  array.literal->data = data;
  array.literal->dims.assign(shape.begin(), shape.end());
  array.literal->type = type;
  int64_t count = 1;
  for (int64_t dim : shape)
    count *= dim;
  if (count <= kKnownLimit) {
    auto known = std::make_shared<Dims>();
    for (int64_t i = 0; i < count; ++i)
      known->push_back(literalElement(builder, data, type, i));
    array.known = known;
  }
  return array;
}

Array TensorBuilder::constant(const Tensor &tensor) {
  auto data = readTensor(tensor, externals);
  if (!data) {
    auto [kind, text] = takeError(data.takeError());
    return fail(kind, text);
  }
  if (!data->file.empty())
    pool.keepMapped(data->owner, data->file);
  else if (data->owner)
    pool.keepAlive(data->owner);
  return constant(*data, tensor.dims, tensor.type);
}

Array TensorBuilder::known(DataType type, llvm::ArrayRef<Dim> shape,
                           Dims elements) {
  Array array;
  array.type = type;
  array.dims.assign(shape.begin(), shape.end());
  array.known = std::make_shared<Dims>(std::move(elements));
  return array;
}

Array TensorBuilder::scalar(DataType type, double value) {
  Dim element = isFloat(type) ? Dim(builder.getF64FloatAttr(value))
                              : dims.constant(int64_t(value));
  return known(type, {}, {element});
}

Array TensorBuilder::ints(llvm::ArrayRef<Dim> values) {
  return known(DataType::Int64, {dims.constant(values.size())},
               Dims(values.begin(), values.end()));
}

/// The bytes of a number of storage type `type`.
static void appendElement(std::vector<uint8_t> &out, Type type, Dim element) {
  uint64_t bits = 0;
  unsigned width = std::max(8u, type.getIntOrFloatBitWidth());
  if (auto real = DimMath::real(element)) {
    llvm::APFloat v(*real);
    bool lost;
    v.convert(llvm::cast<FloatType>(type).getFloatSemantics(),
              llvm::APFloat::rmNearestTiesToEven, &lost);
    bits = v.bitcastToAPInt().getZExtValue();
  } else {
    bits = uint64_t(*DimMath::value(element));
  }
  for (unsigned i = 0; i < width; i += 8)
    out.push_back(uint8_t(bits >> i));
}

Array TensorBuilder::materializeKnown(const Array &array) {
  Type type = storageType(builder.getContext(), array.type);
  bool numbers =
      llvm::all_of(*array.known, [](Dim d) { return isa<mlir::Attribute>(d); });
  if (numbers) {
    auto bytes = std::make_shared<std::vector<uint8_t>>();
    for (Dim element : *array.known)
      appendElement(*bytes, type, element);
    pool.keepAlive(bytes);
    Array result = array;
    result.literal = std::make_shared<Literal>();
    result.literal->data = {Bytes(*bytes), bytes};
    result.literal->dims = *DimMath::values(array.dims);
    result.literal->type = array.type;
    return result;
  }
  // element i => a chain of selects on the linear index
  SmallVector<Value> elements = dims.toValues(*array.known);
  SmallVector<int64_t> shape = *DimMath::values(array.dims);
  return gather(array.type, array.dims, [&](Code &c) {
    Value linear = c.index(0);
    for (unsigned d = 0; d < shape.size(); ++d)
      linear = c.add(c.mul(linear, c.index(shape[d])), c.loop(d));
    Value result = elements.back();
    for (int64_t i = int64_t(elements.size()) - 2; i >= 0; --i)
      result = c.select(c.eq(linear, c.index(i)), elements[i], result);
    return c.fromIndex(result, computeType(builder.getContext(), array.type));
  });
}

Value TensorBuilder::literalValue(Literal &literal) {
  if (literal.value)
    return literal.value;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(entry);
  Type element = storageType(builder.getContext(), literal.type);
  auto type = RankedTensorType::get(literal.dims, element);
  Bytes bytes = literal.data.bytes;
  int64_t count = type.getNumElements();
  unsigned size = dataTypeBits(literal.type) / 8;
  bool splat = count > 1 && std::memcmp(bytes.data(), bytes.data() + size,
                                        bytes.size() - size) == 0;
  if (count == 0) {
    literal.value = tensor::EmptyOp::create(builder, loc, type, ValueRange{});
  } else if (splat || count <= kInlineLimit) {
    DenseElementsAttr attr;
    if (splat)
      bytes = bytes.take_front(size);
    if (literal.type == DataType::Bool) {
      SmallVector<bool> bits;
      for (uint8_t byte : bytes)
        bits.push_back(byte != 0);
      attr = DenseElementsAttr::get(type, llvm::ArrayRef<bool>(bits));
    } else {
      attr = DenseElementsAttr::getFromRawBuffer(
          type, {reinterpret_cast<const char *>(bytes.data()), bytes.size()});
    }
    literal.value = arith::ConstantOp::create(builder, loc, attr);
  } else {
    literal.value =
        model::ConstantOp::create(builder, loc, type, pool.addView(bytes));
  }
  return literal.value;
}

Array TensorBuilder::fill(DataType type, llvm::ArrayRef<Dim> shape,
                          double value) {
  Type compute = computeType(builder.getContext(), type);
  return gather(type, shape, [&](Code &c) { return c.number(value, compute); });
}

//===----------------------------------------------------------------------===//
// What an Array is
//===----------------------------------------------------------------------===//

RankedTensorType TensorBuilder::tensorType(DataType type,
                                           llvm::ArrayRef<Dim> shape) {
  return RankedTensorType::get(DimMath::shape(shape),
                               storageType(builder.getContext(), type));
}

bool TensorBuilder::fits(llvm::ArrayRef<Dim> shape) {
  SmallVector<int64_t> numbers{16}; // the widest element, in bytes
  for (Dim dim : shape)
    numbers.push_back(DimMath::value(dim).value_or(1));
  auto count = elementCount(numbers);
  if (count)
    return true;
  malformed(takeError(count.takeError()).second);
  return false;
}

Value TensorBuilder::value(Array &array) {
  if (!array || array.value)
    return array.value;
  if (!array.literal) {
    Array made = materializeKnown(array);
    array.literal = made.literal;
    array.value = made.value;
    if (array.value)
      return array.value;
  }
  array.value = literalValue(*array.literal);
  return array.value;
}

Array TensorBuilder::wrap(Value value, DataType type) {
  Array array;
  array.type = type;
  array.value = value;
  auto ranked = cast<RankedTensorType>(value.getType());
  for (int64_t i = 0; i < ranked.getRank(); ++i) {
    if (!ranked.isDynamicDim(i)) {
      array.dims.push_back(dims.constant(ranked.getDimSize(i)));
      continue;
    }
    Value size = tensor::DimOp::create(builder, loc, value,
                                       dims.toValue(dims.constant(i)));
    dims.setNonNegative(size);
    array.dims.push_back(size);
  }
  return array;
}

std::optional<Dims> TensorBuilder::elements(Array array,
                                            const llvm::Twine &what) {
  if (!array)
    return std::nullopt;
  if (isFloat(array.type)) {
    malformed(what + " must be integers, not " + dataTypeName(array.type));
    return std::nullopt;
  }
  if (array.known)
    return Dims(*array.known);
  auto shape = DimMath::values(array.dims);
  int64_t count = 1;
  if (shape)
    for (int64_t dim : *shape)
      count *= dim;
  if (!shape || count > kKnownLimit) {
    unsupported(what + " has no fixed small number of elements");
    return std::nullopt;
  }
  Value tensor = value(array);
  Dims result;
  for (int64_t i = 0; i < count; ++i) {
    SmallVector<Value> indices(array.rank());
    int64_t rest = i;
    for (int64_t d = array.rank() - 1; d >= 0; --d) {
      indices[d] = dims.toValue(dims.constant(rest % (*shape)[d]));
      rest /= (*shape)[d];
    }
    Value element = tensor::ExtractOp::create(builder, loc, tensor, indices);
    if (isUnsigned(array.type))
      element = arith::IndexCastUIOp::create(builder, loc,
                                             builder.getIndexType(), element);
    else
      element = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                           element);
    result.push_back(element);
  }
  return result;
}

std::optional<SmallVector<int64_t>>
TensorBuilder::integers(Array array, const llvm::Twine &what) {
  if (!array)
    return std::nullopt;
  if (!array.known && array.literal && !isFloat(array.type)) {
    SmallVector<int64_t> result;
    int64_t count = 1;
    for (int64_t dim : array.literal->dims)
      count *= dim;
    for (int64_t i = 0; i < count; ++i)
      result.push_back(*DimMath::value(
          literalElement(builder, array.literal->data, array.type, i)));
    return result;
  }
  if (!array.known) {
    unsupported(what + " must be known when the model is compiled");
    return std::nullopt;
  }
  if (isFloat(array.type)) {
    malformed(what + " must be integers, not " + dataTypeName(array.type));
    return std::nullopt;
  }
  auto result = DimMath::values(*array.known);
  if (!result)
    unsupported(what + " must be known when the model is compiled");
  return result;
}

std::optional<SmallVector<double>>
TensorBuilder::floats(Array array, const llvm::Twine &what) {
  if (!array)
    return std::nullopt;
  if (!isFloat(array.type)) {
    malformed(what + " must be floats, not " + dataTypeName(array.type));
    return std::nullopt;
  }
  SmallVector<double> result;
  if (array.known) {
    for (Dim element : *array.known)
      result.push_back(DimMath::real(element).value_or(0));
    return result;
  }
  if (!array.literal) {
    unsupported(what + " must be known when the model is compiled");
    return std::nullopt;
  }
  int64_t count = 1;
  for (int64_t dim : array.literal->dims)
    count *= dim;
  for (int64_t i = 0; i < count; ++i)
    result.push_back(DimMath::real(literalElement(builder, array.literal->data,
                                                  array.type, i))
                         .value_or(0));
  return result;
}

Value TensorBuilder::scalarValue(Array array) {
  if (!array)
    return {};
  Type type = storageType(builder.getContext(), array.type);
  if (array.known && array.known->size() == 1) {
    Code code(builder, loc);
    Dim element = (*array.known)[0];
    if (auto n = DimMath::value(element))
      return code.integer(*n, type);
    if (auto real = DimMath::real(element))
      return code.real(*real, type);
    return code.fromIndex(cast<Value>(element), type);
  }
  SmallVector<Value> zeros(array.rank(), dims.toValue(dims.constant(0)));
  return tensor::ExtractOp::create(builder, loc, value(array), zeros);
}

std::optional<double> TensorBuilder::number(const Array &array) {
  if (!array || !array.known || array.known->size() != 1)
    return std::nullopt;
  Dim element = (*array.known)[0];
  if (auto n = DimMath::value(element))
    return double(*n);
  return DimMath::real(element);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

void TensorBuilder::check(Value condition, const llvm::Twine &message) {
  if (failed())
    return;
  std::string where;
  if (auto name = dyn_cast<NameLoc>(loc))
    where = (name.getName().getValue() + ": ").str();
  model::CheckOp::create(builder, loc, condition, (where + message).str());
}

void TensorBuilder::require(Dim a, Dim b, const llvm::Twine &message) {
  if (failed() || dims.equal(a, b))
    return;
  auto na = DimMath::value(a), nb = DimMath::value(b);
  if (na && nb) {
    malformed(message + " (" + llvm::Twine(*na) + " and " + llvm::Twine(*nb) +
              ")");
    return;
  }
  Value equal = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                      dims.toValue(a), dims.toValue(b));
  check(equal, message);
  dims.assumeEqual(a, b);
}
