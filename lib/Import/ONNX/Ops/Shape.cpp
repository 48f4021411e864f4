//===- Shape.cpp - Operators that look at or change a shape ---------------===//
//
// No data moves here: Reshape and its kin become model.reshape, Shape and Size
// become known contents.
//
//===----------------------------------------------------------------------===//
#include "Axes.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;
using P = arith::CmpIPredicate;

namespace nestor::onnx {

void importIdentity(NodeContext &n, TensorBuilder &t) { n.set(0, n.input(0)); }

void importShape(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t start = n.integer("start", 0), end = n.integer("end", INT64_MAX);
  if (n.failed())
    return;
  auto clamp = [&](int64_t v) {
    if (v < 0)
      v = std::max<int64_t>(v, -x.rank()) + x.rank();
    return std::clamp<int64_t>(v, 0, x.rank());
  };
  start = clamp(start);
  end = std::max(clamp(end), start);
  n.set(0, t.ints(llvm::ArrayRef<Dim>(x.dims).slice(start, end - start)));
}

void importSize(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  n.set(0, t.known(DataType::Int64, {}, {t.dims.product(x.dims)}));
}

// before: Reshape with one -1, zeros copying dims
// after:  model.reshape; sizes that are data get the same rules by selects
void importReshape(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  std::optional<Dims> wanted = t.elements(n.input(1), "the shape");
  bool allowZero = n.integer("allowzero", 0);
  if (n.failed())
    return;
  if (wanted->size() > kMaxRank)
    return n.unsupported("a rank above " + llvm::Twine(kMaxRank));
  DimMath &d = t.dims;
  Dim zero = d.constant(0), one = d.constant(1);
  SmallVector<Dim> inferred;
  Dim rest = one;
  unsigned minusOnes = 0;
  for (auto [i, size] : llvm::enumerate(*wanted)) {
    auto number = DimMath::value(size);
    if (number && *number < -1)
      return n.malformed("the shape holds " + llvm::Twine(*number));
    if (number == -1 && ++minusOnes > 1)
      return n.malformed("the shape holds -1 twice");
    if (!allowZero && (number == 0 || !number)) {
      Dim copied = int64_t(i) < x.rank() ? x.dims[i] : zero;
      if (number && int64_t(i) >= x.rank())
        return n.malformed("the shape copies a dim that is not there");
      if (number)
        size = copied;
      else if (!d.atLeast(size, zero))
        size = d.select(d.compare(P::eq, size, zero), copied, size);
    }
    Dim negative = d.compare(P::slt, size, zero);
    inferred.push_back(negative);
    rest = d.mul(rest, d.select(negative, one, size));
  }
  Dim total = d.product(x.dims);
  bool any =
      llvm::any_of(inferred, [](Dim v) { return DimMath::value(v) != 0; });
  if (any) {
    if (DimMath::value(rest) == 0)
      return n.malformed("the shape holds both 0 and -1");
    // (b*s*768) / (b*s) is 768 although b*s may be 0: then anything fits.
    Dim missing;
    if (auto exact = d.exactQuotient(total, rest))
      missing = *exact;
    else
      missing = d.floorDiv(total, d.max(rest, one));
    for (auto [size, negative] : llvm::zip(*wanted, inferred))
      size = d.select(negative, missing, size);
  }
  for (Dim size : *wanted)
    if (!DimMath::value(size) && !d.atLeast(size, zero)) {
      Value v = d.toValue(size);
      t.check(
          arith::CmpIOp::create(t.builder, t.loc, P::sge, v, d.toValue(zero)),
          "the shape holds a negative size");
      d.setNonNegative(v);
    }
  n.set(0, t.reshape(x, *wanted));
}

void importFlatten(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t axis = n.integer("axis", 1);
  if (n.failed())
    return;
  if (axis < -x.rank() || axis > x.rank())
    return n.malformed("axis " + llvm::Twine(axis) + " is outside the rank");
  if (axis < 0)
    axis += x.rank();
  llvm::ArrayRef<Dim> dims(x.dims);
  n.set(0, t.reshape(x, {t.dims.product(dims.take_front(axis)),
                         t.dims.product(dims.drop_front(axis))}));
}

/// Axes from input 1 or the older attribute; null when neither is given.
static std::optional<Dims> axesOf(NodeContext &n, TensorBuilder &t) {
  if (auto list = n.integers("axes"))
    return t.dims.constants(*list);
  if (n.has(1))
    return t.elements(n.input(1), "the axes");
  return std::nullopt;
}

void importSqueeze(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  auto axes = axesOf(n, t);
  if (n.failed())
    return;
  if (!axes) {
    Dims shape;
    for (Dim dim : x.dims)
      if (!DimMath::isOne(dim))
        shape.push_back(dim);
    return n.set(0, t.reshape(x, shape));
  }
  auto mask = axisMask(n, t, *axes, x.rank());
  if (!mask)
    return;
  for (auto [dim, masked] : llvm::zip(x.dims, *mask))
    if (DimMath::isOne(masked))
      t.require(dim, t.dims.constant(1), "squeezes a dim that is not 1");
  n.set(0, t.reshape(x, dropMasked(t, x.dims, *mask, axes->size())));
}

void importUnsqueeze(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  auto axes = axesOf(n, t);
  if (n.failed())
    return;
  if (!axes)
    return n.malformed("the axes are missing");
  if (x.rank() + axes->size() > kMaxRank)
    return n.unsupported("a rank above " + llvm::Twine(kMaxRank));
  auto mask = axisMask(n, t, *axes, x.rank() + axes->size());
  if (!mask)
    return;
  n.set(0, t.reshape(x, insertOnes(t, x.dims, *mask)));
}

void importTranspose(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  auto perm = n.integers("perm");
  if (n.failed())
    return;
  if (!perm) {
    perm.emplace();
    for (int64_t i = x.rank(); i-- > 0;)
      perm->push_back(i);
  }
  if (int64_t(perm->size()) != x.rank())
    return n.malformed("perm has " + llvm::Twine(perm->size()) +
                       " entries for a tensor of rank " +
                       llvm::Twine(x.rank()));
  auto checked = n.axes(*perm, x.rank(), /*sort=*/false);
  if (!checked)
    return;
  n.set(0, t.transpose(x, *checked));
}

void importExpand(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  auto shape = sizesFrom(n, t, n.input(1), "the shape");
  if (n.failed())
    return;
  auto target = t.broadcast({x.dims, *shape});
  if (!target)
    return;
  n.set(0, t.broadcastTo(x, *target));
}

void importCast(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  int64_t to = n.requiredInteger("to");
  if (n.failed())
    return;
  if (dataTypeName(DataType(to)) == "unknown" || to == 0)
    return n.malformed("casts to the unknown type " + llvm::Twine(to));
  n.set(0, t.convert(x, DataType(to)));
}

void importCastLike(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), like = n.input(1);
  if (n.failed())
    return;
  n.set(0, t.convert(x, like.type));
}

// In inference Dropout is the identity; its mask is all true.
void importDropout(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0);
  if (n.failed())
    return;
  if (n.has(2)) {
    auto training = t.number(n.optional(2));
    auto ratio = n.has(1) ? t.number(n.optional(1)) : 0.5;
    if (training != 0 && ratio != 0)
      return n.unsupported("dropout in training mode");
  }
  n.set(0, x);
  // Up to opset 9 the mask has the data's type.
  if (n.wants(1))
    n.set(1, t.fill(n.version() < 10 ? x.type : DataType::Bool, x.dims, 1));
}

void importConstant(NodeContext &n, TensorBuilder &t) {
  if (const Tensor *value = n.tensor("value"))
    return n.set(0, t.constant(*value));
  auto real = [&](float v) { return Dim(t.builder.getF64FloatAttr(v)); };
  if (n.hasAttribute("value_float"))
    return n.set(0, t.scalar(DataType::Float, n.real("value_float", 0)));
  if (n.hasAttribute("value_int"))
    return n.set(0, t.known(DataType::Int64, {},
                            {t.dims.constant(n.integer("value_int", 0))}));
  if (auto values = n.integers("value_ints"))
    return n.set(0, t.ints(t.dims.constants(*values)));
  if (auto values = n.reals("value_floats")) {
    Dims elements;
    for (float v : *values)
      elements.push_back(real(v));
    return n.set(0, t.known(DataType::Float, {t.dims.constant(values->size())},
                            elements));
  }
  if (n.hasAttribute("value"))
    return;
  n.unsupported("sparse and string constants");
}

void importConstantOfShape(NodeContext &n, TensorBuilder &t) {
  auto shape = sizesFrom(n, t, n.input(0), "the shape");
  const Tensor *tensor = n.tensor("value");
  if (n.failed())
    return;
  if (shape->size() > kMaxRank)
    return n.unsupported("a rank above " + llvm::Twine(kMaxRank));
  Array value = tensor ? t.constant(*tensor) : t.scalar(DataType::Float, 0);
  if (!value)
    return;
  if (!value.known || value.known->size() != 1)
    return n.malformed("the value must have one element");
  n.set(0, t.broadcastTo(t.reshape(value, {}), *shape));
}

} // namespace nestor::onnx
