//===- Scatter.cpp - Writing at indices that are data ---------------------===//
//
// before: Y = X with updates written at indices
// after:  model.loops over the updates on a copy of X; indices wrap when they
//         are negative and are clamped into range
//
// Loops whose iterations may write one element are ordered.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace {

/// Writes `update` at `at`, combined with what is there.
void combine(Code &c, llvm::StringRef reduction, DataType type, Value update,
             Value target, ValueRange at) {
  Type storage = cast<MemRefType>(target.getType()).getElementType();
  if (reduction == "none")
    return c.store(update, target, at);
  Value old = c.widen(c.load(target, at)), next = c.widen(update);
  bool u = isUnsigned(type);
  Value result = reduction == "add"   ? c.add(old, next)
                 : reduction == "mul" ? c.mul(old, next)
                 : reduction == "min" ? c.min(old, next, u)
                                      : c.max(old, next, u);
  c.store(c.narrow(result, storage), target, at);
}

/// The attribute, checked.
std::optional<llvm::StringRef> reductionOf(NodeContext &n) {
  llvm::StringRef reduction = n.string("reduction", "none");
  if (reduction != "none" && reduction != "add" && reduction != "mul" &&
      reduction != "min" && reduction != "max") {
    n.malformed("attribute 'reduction' has an unknown value");
    return std::nullopt;
  }
  return reduction;
}

} // namespace

namespace nestor::onnx {

// Y[.., indices[i, j, k], ..] = updates[i, j, k]
void importScatterElements(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), indices = n.input(1), updates = n.input(2);
  int64_t axis = n.integer("axis", 0);
  auto reduction = reductionOf(n);
  if (n.failed())
    return;
  axis = n.axis(axis, x.rank());
  if (n.failed())
    return;
  if (indices.rank() != x.rank() || updates.rank() != x.rank() ||
      !isInteger(indices.type) || updates.type != x.type)
    return n.malformed("the indices or the updates do not fit the data");
  for (int64_t i = 0; i < x.rank(); ++i) {
    t.require(indices.dims[i], updates.dims[i],
              "the indices and the updates have different dims");
    if (i == axis || t.dims.atLeast(x.dims[i], indices.dims[i]))
      continue;
    if (DimMath::value(x.dims[i]) && DimMath::value(indices.dims[i]))
      return n.malformed("the indices are larger than the data");
    t.check(arith::CmpIOp::create(t.builder, t.loc, arith::CmpIPredicate::sge,
                                  t.dims.toValue(x.dims[i]),
                                  t.dims.toValue(indices.dims[i])),
            "the indices are larger than the data");
  }
  Value extent = t.dims.toValue(x.dims[axis]);
  SmallVector<int32_t> kinds(x.rank(), 0);
  kinds[axis] = 2;
  n.set(0,
        t.loops({indices, updates}, {x}, indices.dims, kinds,
                [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
                  SmallVector<Value> at(loops.begin(), loops.end());
                  at[axis] =
                      c.wrapIndex(c.toIndex(c.load(in[0], loops)), extent);
                  combine(c, *reduction, x.type, c.load(in[1], loops), out[0],
                          at);
                })[0]);
}

// Y[indices[i, j, :], ...] = updates[i, j, ...]
void importScatterND(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), indices = n.input(1), updates = n.input(2);
  auto reduction = reductionOf(n);
  if (n.failed())
    return;
  if (indices.rank() < 1 || x.rank() < 1 || !isInteger(indices.type) ||
      updates.type != x.type)
    return n.malformed("the indices or the updates do not fit the data");
  auto depth = DimMath::value(indices.dims.back());
  if (!depth)
    return n.unsupported("an unknown last dim of the indices");
  int64_t outer = indices.rank() - 1;
  if (*depth > x.rank() || updates.rank() != outer + x.rank() - *depth)
    return n.malformed("the indices or the updates do not fit the data");
  for (int64_t i = 0; i < updates.rank(); ++i)
    t.require(updates.dims[i],
              i < outer ? indices.dims[i] : x.dims[i - outer + *depth],
              "the updates have the wrong dims");
  SmallVector<Value> extents = t.dims.toValues(x.dims);
  SmallVector<int32_t> kinds;
  Dims loopDims(updates.dims);
  for (int64_t i = 0; i < updates.rank(); ++i)
    kinds.push_back(i < outer ? 2 : 0);
  bool single = kinds.empty(); // a scalar update
  if (single) {
    loopDims.push_back(t.dims.constant(1));
    kinds.push_back(2);
  }
  n.set(0,
        t.loops({indices, updates}, {x}, loopDims, kinds,
                [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
                  if (single)
                    loops = loops.drop_front();
                  SmallVector<Value> at,
                      where(loops.begin(), loops.begin() + outer);
                  where.push_back({});
                  for (int64_t i = 0; i < *depth; ++i) {
                    where.back() = c.index(i);
                    at.push_back(c.wrapIndex(c.toIndex(c.load(in[0], where)),
                                             extents[i]));
                  }
                  at.append(loops.begin() + outer, loops.end());
                  combine(c, *reduction, x.type, c.load(in[1], loops), out[0],
                          at);
                })[0]);
}

// Y[b, ..., start[b] + i, ...] = update[b, ..., i, ...]
void importTensorScatter(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), updates = n.input(1), starts = n.optional(2);
  int64_t axis = n.integer("axis", -2);
  llvm::StringRef mode = n.string("mode", "linear");
  if (n.failed())
    return;
  axis = n.axis(axis, x.rank());
  if (n.failed())
    return;
  if (axis == 0 || updates.rank() != x.rank() || updates.type != x.type ||
      (starts && (starts.rank() != 1 || !isInteger(starts.type))) ||
      (mode != "linear" && mode != "circular"))
    return n.malformed("the update or the attributes do not fit the cache");
  for (int64_t i = 0; i < x.rank(); ++i)
    if (i != axis)
      t.require(updates.dims[i], x.dims[i], "the update has the wrong dims");
  if (starts)
    t.require(starts.dims[0], x.dims[0], "there must be one start a batch");
  Value extent = t.dims.toValue(x.dims[axis]);
  SmallVector<int32_t> kinds(x.rank(), 0);
  kinds[axis] = 2;
  SmallVector<Array> ins = {updates};
  if (starts)
    ins.push_back(starts);
  n.set(0,
        t.loops(ins, {x}, updates.dims, kinds,
                [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
                  SmallVector<Value> at(loops.begin(), loops.end());
                  if (starts)
                    at[axis] =
                        c.add(at[axis], c.toIndex(c.load(in[1], {loops[0]})));
                  if (mode == "circular")
                    at[axis] = c.floorMod(at[axis], extent);
                  at[axis] = c.wrapIndex(at[axis], extent);
                  c.store(c.load(in[0], loops), out[0], at);
                })[0]);
}

// Y = 0 with X's elements at the flat indices that MaxPool gave
void importMaxUnpool(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), indices = n.input(1), asked = n.optional(2);
  auto kernel = n.integers("kernel_shape"), strides = n.integers("strides"),
       pads = n.integers("pads");
  if (n.failed())
    return;
  int64_t spatial = x.rank() - 2;
  if (spatial < 1 || !kernel || int64_t(kernel->size()) != spatial ||
      (strides && int64_t(strides->size()) != spatial) ||
      (pads && int64_t(pads->size()) != 2 * spatial) ||
      indices.rank() != x.rank() || !isInteger(indices.type))
    return n.malformed("the attributes or the indices do not fit the data");
  DimMath &d = t.dims;
  Dims shape(x.dims);
  for (int64_t i = 0; i < spatial; ++i) {
    Dim steps = d.sub(x.dims[i + 2], d.constant(1));
    int64_t pad = pads ? (*pads)[i] + (*pads)[i + spatial] : 0;
    shape[i + 2] =
        d.max(d.add(d.mul(steps, d.constant(strides ? (*strides)[i] : 1)),
                    d.constant((*kernel)[i] - pad)),
              d.constant(0));
  }
  for (int64_t i = 0; i < x.rank(); ++i)
    t.require(indices.dims[i], x.dims[i], "the indices have other dims");
  Dim total = d.product(shape);
  Value extent = d.toValue(total);
  Array flat = t.fill(x.type, {total}, 0);
  SmallVector<int32_t> kinds(x.rank(), 2);
  Array y =
      t.loops({x, indices}, {flat}, x.dims, kinds,
              [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
                Value at = c.wrapIndex(c.toIndex(c.load(in[1], loops)), extent);
                c.store(c.load(in[0], loops), out[0], {at});
              })[0];
  y = t.reshape(y, shape);
  if (asked && y) {
    auto sizes = t.elements(asked, "the output shape");
    if (!sizes)
      return;
    if (int64_t(sizes->size()) != x.rank())
      return n.malformed("the output shape has the wrong rank");
    Dims before(x.rank(), d.constant(0)), after;
    for (auto [want, have] : llvm::zip(*sizes, shape))
      after.push_back(d.sub(d.max(want, d.constant(0)), have));
    y = t.pad(y, before, after, t.scalar(x.type, 0));
  }
  n.set(0, y);
}

} // namespace nestor::onnx
