//===- GridSample.cpp - GridSample and AffineGrid -------------------------===//
//
// before: Y[n, c, p] = X[n, c] read at the place grid[n, p]
// after:  one generic over Y; the taps of all spatial dims unrolled
//
//===----------------------------------------------------------------------===//
#include "GridSample.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

Value onnx::boundedIndex(Code &c, Value real) {
  Value low = arith::MaxNumFOp::create(c.b, c.loc, real, c.like(-1e6, real));
  Value bounded = arith::MinNumFOp::create(c.b, c.loc, low, c.like(1e6, real));
  return c.toIndex(
      arith::FPToSIOp::create(c.b, c.loc, c.b.getI64Type(), bounded));
}

Value onnx::clampIndex(Code &c, Value index, Value size) {
  return c.max(c.min(index, c.sub(size, c.index(1))), c.index(0));
}

/// Sums weight * element over all combinations of one tap a dim.
static Value
tensorProduct(Code &c, llvm::ArrayRef<SmallVector<Value>> indices,
              llvm::ArrayRef<SmallVector<Value>> weights,
              llvm::function_ref<Value(llvm::ArrayRef<Value>)> read,
              SmallVectorImpl<Value> &at) {
  size_t dim = at.size();
  if (dim == indices.size())
    return read(at);
  Value sum;
  for (auto [index, weight] : llvm::zip(indices[dim], weights[dim])) {
    at.push_back(index);
    Value term = tensorProduct(c, indices, weights, read, at);
    at.pop_back();
    if (weight)
      term = c.mul(weight, term);
    sum = sum ? c.add(sum, term) : term;
  }
  return sum;
}

Value onnx::interpolate(Code &c, llvm::ArrayRef<Value> place,
                        llvm::function_ref<Value(llvm::ArrayRef<Value>)> read) {
  SmallVector<SmallVector<Value>> indices, weights;
  for (Value x : place) {
    Value base = c.floor(x), fraction = c.sub(x, base);
    Value first = boundedIndex(c, base);
    indices.push_back({first, c.add(first, c.index(1))});
    weights.push_back({c.sub(c.like(1, x), fraction), fraction});
  }
  SmallVector<Value> at;
  return tensorProduct(c, indices, weights, read, at);
}

/// `x` mirrored at the borders until it lies between them.
static Value reflect(Code &c, Value x, Value low, Value high) {
  Value range = c.sub(high, low), zero = c.like(0, x);
  // A range of 0 would divide by it.
  Value safe = c.select(c.gt(range, zero), range, c.like(1, x));
  Value below = c.lt(x, low);
  Value distance = c.select(below, c.sub(low, x), c.sub(x, high));
  Value turns = c.floor(c.div(distance, safe));
  Value rest = c.sub(distance, c.mul(turns, safe));
  Value half = c.mul(turns, c.like(0.5, x));
  Value even = c.eq(c.floor(half), half);
  Value fromLow = c.add(low, rest), fromHigh = c.sub(high, rest);
  Value mirrored = c.select(arith::XOrIOp::create(c.b, c.loc, below, even),
                            fromHigh, fromLow);
  Value outside = c.disj(below, c.gt(x, high));
  return c.select(outside, mirrored, x);
}

namespace nestor::onnx {

void importGridSample(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), grid = n.input(1);
  llvm::StringRef mode = n.string("mode", "linear"),
                  padding = n.string("padding_mode", "zeros");
  bool corners = n.integer("align_corners", 0);
  if (n.failed())
    return;
  if (mode == "bilinear")
    mode = "linear";
  if (mode == "bicubic")
    mode = "cubic";
  int64_t spatial = x.rank() - 2;
  if ((mode != "linear" && mode != "nearest" && mode != "cubic") ||
      (padding != "zeros" && padding != "border" && padding != "reflection"))
    return n.malformed("a mode has an unknown value");
  if (spatial < 1 || grid.rank() != x.rank() || !isFloat(grid.type))
    return n.malformed("the grid does not fit the data");
  if (spatial > 3)
    return n.unsupported("more than three spatial dims");
  if (!isFloat(x.type) && mode != "nearest")
    return n.unsupported("interpolates " + dataTypeName(x.type));
  t.require(grid.dims[0], x.dims[0], "the batch sizes differ");
  t.require(grid.dims.back(), t.dims.constant(spatial),
            "the grid's last dim is not the number of spatial dims");
  if (n.failed())
    return;
  Dims shape = {x.dims[0], x.dims[1]};
  shape.append(grid.dims.begin() + 1, grid.dims.end() - 1);
  Value data = t.value(x), places = t.value(grid);
  SmallVector<Value> extents = t.dims.toValues(x.dims);
  bool isZeros = padding == "zeros", isReflection = padding == "reflection";
  n.set(0, t.gather(x.type, shape, [&](Code &c) -> Value {
    Type real = c.b.getF32Type();
    Type type = computeType(c.b.getContext(), x.type);
    auto number = [&](double v) { return c.real(v, real); };
    SmallVector<SmallVector<Value>> indices, weights;
    SmallVector<Value> lows, highs;
    for (int64_t i = 0; i < spatial; ++i) {
      SmallVector<Value> where = {c.loop(0)};
      for (int64_t k = 0; k < spatial; ++k)
        where.push_back(c.loop(2 + k));
      where.push_back(c.index(spatial - 1 - i)); // the last dim comes first
      Value g =
          c.cast(c.widen(c.extract(places, where)), grid.type, DataType::Float);
      Value length = c.fromIndex(extents[2 + i], real), one = number(1);
      Value last = c.sub(length, one), half = number(0.5);
      Value low = corners ? number(0) : number(-0.5);
      Value high = corners ? last : c.sub(length, half);
      lows.push_back(low);
      highs.push_back(high);
      Value place = corners
                        ? c.mul(c.mul(c.add(g, one), half), last)
                        : c.mul(c.sub(c.mul(c.add(g, one), length), one), half);
      if (mode == "nearest")
        place = c.roundEven(place);
      if (padding == "border") {
        Value outside = c.disj(c.lt(place, low), c.gt(place, high));
        place = c.select(outside, c.clamp(place, number(0), last), place);
      } else if (isReflection) {
        place = reflect(c, place, low, high);
      }
      Value base = c.floor(place), f = c.sub(place, base);
      Value first = boundedIndex(c, base);
      auto tap = [&](int64_t k) { return c.add(first, c.index(k)); };
      auto weight = [&](Value w) {
        return c.cast(w, DataType::Float,
                      type.isF64() ? DataType::Double : DataType::Float);
      };
      if (mode == "nearest") {
        // After reflection the place may lie between two elements.
        indices.push_back({boundedIndex(
            c, c.select(c.lt(place, number(0)), c.ceil(place), base))});
        weights.push_back({Value()});
      } else if (mode == "linear") {
        indices.push_back({tap(0), tap(1)});
        weights.push_back({weight(c.sub(one, f)), weight(f)});
      } else {
        indices.push_back({tap(-1), tap(0), tap(1), tap(2)});
        auto near = [&](Value x) { // a = -0.75: ((a+2)x - (a+3))x^2 + 1
          return c.add(
              c.mul(c.sub(c.mul(number(1.25), x), number(2.25)), c.mul(x, x)),
              one);
        };
        auto far = [&](Value x) { // ((a x - 5a) x + 8a) x - 4a
          Value y = c.add(c.mul(number(-0.75), x), number(3.75));
          y = c.sub(c.mul(y, x), number(6));
          return c.add(c.mul(y, x), number(3));
        };
        Value g1 = c.sub(one, f);
        weights.push_back({weight(far(c.add(f, one))), weight(near(f)),
                           weight(near(g1)), weight(far(c.add(g1, one)))});
      }
    }
    SmallVector<Value> at;
    return tensorProduct(
        c, indices, weights,
        [&](llvm::ArrayRef<Value> index) {
          SmallVector<Value> from = {c.loop(0), c.loop(1)};
          Value inside;
          for (int64_t i = 0; i < spatial; ++i) {
            Value k = index[i], extent = extents[2 + i];
            if (isZeros) {
              Value in = c.conj(c.ge(k, c.index(0)), c.lt(k, extent));
              inside = inside ? c.conj(inside, in) : in;
            } else if (isReflection) {
              k = boundedIndex(
                  c, reflect(c, c.fromIndex(k, real), lows[i], highs[i]));
            }
            from.push_back(clampIndex(c, k, extent));
          }
          Value element = c.widen(c.extract(data, from));
          return inside ? c.select(inside, element, c.like(0, element))
                        : element;
        },
        at);
  }));
}

// grid[n, (d,) h, w, :] = theta[n] (x, y, (z,) 1), coordinates from -1 to 1
void importAffineGrid(NodeContext &n, TensorBuilder &t) {
  Array theta = n.input(0);
  auto sizes = t.elements(n.input(1), "the size");
  bool corners = n.integer("align_corners", 0);
  if (n.failed())
    return;
  int64_t spatial = int64_t(sizes->size()) - 2;
  if ((spatial != 2 && spatial != 3) || theta.rank() != 3 ||
      !isFloat(theta.type))
    return n.malformed("theta or the size has the wrong form");
  t.require(theta.dims[1], t.dims.constant(spatial), "theta has wrong dims");
  t.require(theta.dims[2], t.dims.constant(spatial + 1),
            "theta has wrong dims");
  Dims shape = {theta.dims[0]};
  for (Dim size : llvm::drop_begin(*sizes, 2))
    shape.push_back(t.dims.max(size, t.dims.constant(0)));
  SmallVector<Value> extents = t.dims.toValues(shape);
  shape.push_back(t.dims.constant(spatial));
  if (n.failed())
    return;
  Value matrix = t.value(theta);
  n.set(0, t.gather(theta.type, shape, [&](Code &c) {
    Value row = c.loop(spatial + 1), sum;
    for (int64_t j = 0; j <= spatial; ++j) {
      Value term = c.widen(c.extract(matrix, {c.loop(0), row, c.index(j)}));
      if (j < spatial) {
        int64_t dim = spatial - j; // x is the last dim
        Type type = term.getType();
        Value i = c.fromIndex(c.loop(dim), type),
              length = c.fromIndex(extents[dim], type);
        Value one = c.real(1, type), two = c.real(2, type);
        Value steps = c.max(c.sub(length, one), one);
        Value place =
            corners ? c.sub(c.div(c.mul(two, i), steps), one)
                    : c.sub(c.div(c.add(c.mul(two, i), one), length), one);
        term = c.mul(term, place);
      }
      sum = sum ? c.add(sum, term) : term;
    }
    return sum;
  }));
}

} // namespace nestor::onnx
