//===- Movement.cpp - Reshape, transpose, slice, concat, pad --------------===//
//
// Known contents move with the data; constants are reshaped without an
// operation.
//
//===----------------------------------------------------------------------===//
#include "nestor/Dialect/Model/Model.h"
#include "nestor/Import/ONNX/TensorBuilder.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

Array TensorBuilder::reshape(Array array, llvm::ArrayRef<Dim> shape) {
  if (!array || failed())
    return {};
  bool same = array.dims.size() == shape.size();
  for (size_t i = 0; same && i < shape.size(); ++i)
    same = array.dims[i] == shape[i];
  if (same)
    return array;
  require(dims.product(array.dims), dims.product(shape),
          "a reshape changes the number of elements");
  if (failed() || !fits(shape))
    return {};
  Array result;
  result.type = array.type;
  result.dims.assign(shape.begin(), shape.end());
  result.known = array.known;
  auto numbers = DimMath::values(shape);
  if (array.literal && numbers) {
    result.literal = std::make_shared<Literal>();
    result.literal->data = array.literal->data;
    result.literal->type = array.type;
    result.literal->dims = *numbers;
    return result;
  }
  if (result.known && numbers)
    return result;
  result.known = nullptr;
  result.value =
      model::ReshapeOp::create(builder, loc, tensorType(array.type, shape),
                               value(array), dims.dynamic(shape));
  return result;
}

Array TensorBuilder::unsqueeze(Array array, int64_t axis) {
  if (!array)
    return {};
  Dims shape(array.dims);
  shape.insert(shape.begin() + axis, dims.constant(1));
  return reshape(array, shape);
}

/// The elements of a known array for which `source` gives the linear index of
/// each result element; null when the array is not known or sizes are not.
template <typename Fn>
static std::shared_ptr<Dims> moveKnown(const Array &array,
                                       llvm::ArrayRef<Dim> shape, Fn source) {
  auto from = DimMath::values(array.dims);
  auto to = DimMath::values(shape);
  if (!array.known || !from || !to)
    return nullptr;
  int64_t count = 1;
  for (int64_t size : *to)
    count = std::min<int64_t>(count * size, kKnownLimit + 1);
  if (count > kKnownLimit)
    return nullptr;
  auto result = std::make_shared<Dims>();
  SmallVector<int64_t> index(to->size());
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    for (int64_t k = int64_t(to->size()) - 1; k >= 0; --k) {
      index[k] = rest % (*to)[k];
      rest /= (*to)[k];
    }
    SmallVector<int64_t> at = source(index);
    int64_t linear = 0;
    for (size_t k = 0; k < from->size(); ++k)
      linear = linear * (*from)[k] + at[k];
    result->push_back((*array.known)[linear]);
  }
  return result;
}

Array TensorBuilder::transpose(Array array, llvm::ArrayRef<int64_t> perm) {
  if (!array)
    return {};
  Dims shape;
  bool identity = true;
  for (auto [i, p] : llvm::enumerate(perm)) {
    shape.push_back(array.dims[p]);
    identity &= int64_t(i) == p;
  }
  if (identity)
    return array;
  SmallVector<AffineExpr> exprs(perm.size());
  for (auto [i, p] : llvm::enumerate(perm))
    exprs[p] = d(i);
  if (auto elements = moveKnown(array, shape, [&](llvm::ArrayRef<int64_t> at) {
        SmallVector<int64_t> from(perm.size());
        for (auto [i, p] : llvm::enumerate(perm))
          from[p] = at[i];
        return from;
      }))
    return known(array.type, shape, *elements);
  return generic(array.type, shape, {{array, map(perm.size(), exprs)}},
                 [](Code &, ValueRange v) { return v[0]; });
}

Array TensorBuilder::slice(Array array, llvm::ArrayRef<Dim> starts,
                           llvm::ArrayRef<Dim> steps,
                           llvm::ArrayRef<Dim> sizes) {
  if (!array)
    return {};
  bool whole = true;
  for (int64_t i = 0; i < array.rank(); ++i)
    whole &= DimMath::value(starts[i]) == 0 && DimMath::isOne(steps[i]) &&
             dims.equal(sizes[i], array.dims[i]);
  if (whole)
    return array;
  auto from = DimMath::values(starts), step = DimMath::values(steps);
  if (from && step)
    if (auto elements =
            moveKnown(array, sizes, [&](llvm::ArrayRef<int64_t> at) {
              SmallVector<int64_t> index;
              for (size_t i = 0; i < at.size(); ++i)
                index.push_back((*from)[i] + at[i] * (*step)[i]);
              return index;
            }))
      return known(array.type, sizes, *elements);
  Value tensor = value(array);
  SmallVector<Value> first = dims.toValues(starts);
  SmallVector<Value> stride = dims.toValues(steps);
  Dims from0(starts.begin(), starts.end());
  return gather(array.type, sizes, [&](Code &code) {
    SmallVector<Value> indices;
    for (int64_t i = 0; i < array.rank(); ++i) {
      Value index = code.loop(i);
      if (!DimMath::isOne(steps[i]))
        index = code.mul(index, stride[i]);
      if (DimMath::value(from0[i]) != 0)
        index = code.add(index, first[i]);
      indices.push_back(index);
    }
    return code.widen(code.extract(tensor, indices));
  });
}

Array TensorBuilder::concat(llvm::ArrayRef<Array> arrays, int64_t axis) {
  if (failed())
    return {};
  if (arrays.size() == 1)
    return arrays[0];
  Dims shape;
  bool allKnown = true;
  for (const Array &array : arrays) {
    if (!array)
      return {};
    if (array.rank() != arrays[0].rank())
      return malformed("concatenates tensors of different ranks");
    if (array.type != arrays[0].type)
      return malformed("concatenates " + dataTypeName(arrays[0].type) +
                       " with " + dataTypeName(array.type));
    allKnown &= bool(array.known);
  }
  for (int64_t i = 0; i < arrays[0].rank(); ++i) {
    Dim size = arrays[0].dims[i];
    for (const Array &array : arrays.drop_front()) {
      if (i == axis) {
        size = dims.add(size, array.dims[i]);
        continue;
      }
      require(size, array.dims[i], "concatenates tensors of different sizes");
      if (DimMath::value(array.dims[i]))
        size = array.dims[i];
    }
    shape.push_back(size);
  }
  if (failed())
    return {};
  if (allKnown && arrays[0].rank() == 1) {
    Dims elements;
    for (const Array &array : arrays)
      elements.append(array.known->begin(), array.known->end());
    if (int64_t(elements.size()) <= kKnownLimit)
      return known(arrays[0].type, shape, elements);
  }
  SmallVector<Value> values;
  Array last;
  for (Array array : arrays) {
    if (DimMath::value(array.dims[axis]) == 0)
      continue;
    values.push_back(value(array));
    last = array;
  }
  if (values.empty())
    return undefined(arrays[0].type, shape);
  if (values.size() == 1)
    return last;
  // The type that tensor.concat infers must be the one that we know.
  auto type = tensorType(arrays[0].type, shape);
  RankedTensorType inferred =
      tensor::ConcatOp::inferResultType(axis, ValueRange(values).getTypes());
  Array result;
  result.type = arrays[0].type;
  if (inferred == type) {
    result.dims = shape;
    result.value = tensor::ConcatOp::create(builder, loc, type, axis, values);
    return result;
  }
  Array wide = result;
  for (size_t i = 0; i < shape.size(); ++i)
    wide.dims.push_back(inferred.isDynamicDim(i) ? Dim(dims.toValue(shape[i]))
                                                 : shape[i]);
  wide.value = tensor::ConcatOp::create(builder, loc, inferred, axis, values);
  result.dims = shape;
  result.value = model::ReshapeOp::create(builder, loc, type, wide.value,
                                          dims.dynamic(shape));
  return result;
}

Array TensorBuilder::pad(Array array, llvm::ArrayRef<Dim> before,
                         llvm::ArrayRef<Dim> after, Array padValue) {
  if (!array || !padValue)
    return {};
  Dims shape;
  bool none = true;
  SmallVector<bool> padded;
  for (int64_t i = 0; i < array.rank(); ++i) {
    shape.push_back(dims.add(array.dims[i], dims.add(before[i], after[i])));
    bool touched =
        DimMath::value(before[i]) != 0 || DimMath::value(after[i]) != 0;
    padded.push_back(touched);
    none &= !touched;
  }
  if (none)
    return array;
  Value tensor = value(array);
  SmallVector<Value> offset = dims.toValues(before);
  SmallVector<Value> size = dims.toValues(array.dims);
  Dims before0(before.begin(), before.end());
  // A pad value that is not a number now is read in the body.
  auto number = this->number(padValue);
  Value padTensor = number ? Value() : value(padValue);
  int64_t padRank = padValue.rank();
  return gather(array.type, shape, [&](Code &code) {
    SmallVector<Value> indices;
    Value inside;
    for (int64_t i = 0; i < array.rank(); ++i) {
      Value index = code.loop(i);
      if (!padded[i]) {
        indices.push_back(index);
        continue;
      }
      if (DimMath::value(before0[i]) != 0)
        index = code.sub(index, offset[i]);
      Value zero = code.index(0);
      Value within = code.conj(code.ge(index, zero), code.lt(index, size[i]));
      inside = inside ? code.conj(inside, within) : within;
      indices.push_back(
          code.max(code.min(index, code.sub(size[i], code.index(1))), zero));
    }
    Value read = code.widen(code.extract(tensor, indices));
    Value filler =
        number ? code.number(*number, read.getType())
               : code.widen(code.extract(
                     padTensor, SmallVector<Value>(padRank, code.index(0))));
    return code.select(inside, read, filler);
  });
}
