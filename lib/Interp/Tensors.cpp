//===- Tensors.cpp - Tensors by value -------------------------------------===//
//
// The tensor dialect. A tensor never changes once made: operations that write
// copy first. Elements that were never written stay so through copies and are
// found when something reads them.
//
//===----------------------------------------------------------------------===//
#include "Code.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;
using llvm::Error;
using llvm::Twine;

namespace {
template <Handler Run>
Error custom(Compiler &, Operation *, Inst &inst) {
  inst.run = Run;
  return Error::success();
}

ShapedType resultType(const Inst &i) {
  return cast<ShapedType>(i.op->getResult(0).getType());
}

bool empty(State &s, const Inst &i) {
  SmallVector<int64_t> dims;
  for (uint32_t cell : i.in)
    dims.push_back(s.index(cell));
  ViewRef view = makeBuffer(s, i, resultType(i), dims);
  s.cells[i.out[0]].view = view;
  return view != nullptr;
}

bool dim(State &s, const Inst &i) {
  const View &view = s.view(i.in[0]);
  int64_t n = s.index(i.in[1]);
  if (n < 0 || n >= static_cast<int64_t>(view.dims.size()))
    return s.broken(i, "asks for dim " + Twine(n) + " of " +
                           Twine(view.dims.size()));
  s.bits(i.out[0]) = static_cast<uint64_t>(view.dims[n]);
  return true;
}

bool rank(State &s, const Inst &i) {
  s.bits(i.out[0]) = s.view(i.in[0]).dims.size();
  return true;
}

bool extract(State &s, const Inst &i) {
  const View &view = s.view(i.in[0]);
  int64_t linear;
  return flatten(s, i, view, i.in.drop_front(), linear) &&
         readChecked(s, i, view, linear, s.bits(i.out[0]));
}

bool insert(State &s, const Inst &i) {
  ViewRef copy = copyView(s.view(i.in[1]));
  int64_t linear;
  if (!flatten(s, i, *copy, i.in.drop_front(2), linear) ||
      !writeChecked(s, i, *copy, linear, s.bits(i.in[0])))
    return false;
  copy->seal();
  s.cells[i.out[0]].view = copy;
  return true;
}

/// The same tensor under a type that knows more or fewer dims.
bool castTensor(State &s, const Inst &i) {
  ViewRef view = s.cells[i.in[0]].view;
  for (auto [have, want] : llvm::zip(view->dims, resultType(i).getShape()))
    if (!ShapedType::isDynamic(want) && want != have)
      return s.broken(i, "casts dims " + listText(view->dims) + " to " +
                             listText(resultType(i).getShape()));
  s.cells[i.out[0]].view = view;
  return true;
}

bool fromElements(State &s, const Inst &i) {
  ViewRef view = makeBuffer(s, i, resultType(i), {});
  if (!view)
    return false;
  for (auto [n, cell] : llvm::enumerate(i.in))
    if (!writeChecked(s, i, *view, n, s.bits(cell)))
      return false;
  view->seal();
  s.cells[i.out[0]].view = view;
  return true;
}

bool splat(State &s, const Inst &i) {
  SmallVector<int64_t> dims;
  for (uint32_t cell : i.in.drop_front())
    dims.push_back(s.index(cell));
  ViewRef view = makeBuffer(s, i, resultType(i), dims);
  if (!view)
    return false;
  for (int64_t n = 0, e = view->numElements(); n < e; ++n)
    if (!writeChecked(s, i, *view, n, s.bits(i.in[0])))
      return false;
  view->seal();
  s.cells[i.out[0]].view = view;
  return true;
}

/// Copies one element with what is known of it: an unwritten one stays so.
bool copyElement(State &s, const Inst &i, const View &from, int64_t source,
                 View &to, int64_t target) {
  if (!from.isWritten(source))
    return true;
  uint64_t cell;
  return readChecked(s, i, from, source, cell) &&
         writeChecked(s, i, to, target, cell);
}

bool concat(State &s, const Inst &i) {
  size_t axis = static_cast<size_t>(i.number);
  SmallVector<int64_t, 4> dims = s.view(i.in[0]).dims;
  dims[axis] = 0;
  for (uint32_t cell : i.in) {
    ArrayRef<int64_t> have = s.view(cell).dims;
    for (size_t d = 0; d < dims.size(); ++d)
      if (d != axis && have[d] != dims[d])
        return s.fail(i, ErrorKind::RunTime,
                      "joins tensors of different dims: " + listText(have) +
                          " and " + listText(s.view(i.in[0]).dims));
    dims[axis] += have[axis];
  }
  auto type = RankedTensorType::get(dims, resultType(i).getElementType());
  ViewRef view = makeBuffer(s, i, type, {});
  if (!view)
    return false;
  for (auto [have, want] : llvm::zip_equal(dims, resultType(i).getShape()))
    if (!ShapedType::isDynamic(want) && want != have)
      return s.broken(i, "makes dims " + listText(dims) + ", its type says " +
                             listText(resultType(i).getShape()));
  int64_t inner = 1, outer = 1, at = 0;
  for (size_t d = 0; d < dims.size(); ++d)
    (d < axis ? outer : d > axis ? inner : at) *= dims[d];
  at = 0;
  for (uint32_t cell : i.in) {
    const View &part = s.view(cell);
    int64_t length = part.dims[axis] * inner;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t n = 0; n < length; ++n)
        if (!copyElement(s, i, part, o * length + n, *view,
                         o * dims[axis] * inner + at + n))
          return false;
    at += length;
  }
  view->seal();
  s.cells[i.out[0]].view = view;
  return true;
}

Error buildConcat(Compiler &, Operation *op, Inst &inst) {
  inst.run = concat;
  inst.number = static_cast<int64_t>(cast<tensor::ConcatOp>(op).getDim());
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

struct Range {
  SmallVector<int64_t> offsets, sizes, strides;
};

/// Reads a slice's mixed static and dynamic numbers; `next` is its first
/// dynamic operand.
template <typename OpTy>
Range readRange(State &s, const Inst &i, OpTy op, size_t next) {
  Range range;
  auto fill = [&](ArrayRef<int64_t> numbers, SmallVectorImpl<int64_t> &out) {
    for (int64_t number : numbers)
      out.push_back(ShapedType::isDynamic(number) ? s.index(i.in[next++])
                                                  : number);
  };
  fill(op.getStaticOffsets(), range.offsets);
  fill(op.getStaticSizes(), range.sizes);
  fill(op.getStaticStrides(), range.strides);
  return range;
}

/// Calls `visit(whole, part)` for each element of the slice.
template <typename F>
bool forRange(State &s, const Inst &i, const Range &range, const View &whole,
              F visit) {
  int64_t count = 1;
  for (auto [offset, size, stride, dim] :
       llvm::zip_equal(range.offsets, range.sizes, range.strides, whole.dims)) {
    count *= size;
    int64_t last = offset + (size - 1) * stride;
    if (size < 0 ||
        (size > 0 && (offset < 0 || offset >= dim || last < 0 || last >= dim)))
      return s.broken(i, "takes sizes " + listText(range.sizes) + " at " +
                             listText(range.offsets) + " by " +
                             listText(range.strides) + " of dims " +
                             listText(whole.dims));
  }
  for (int64_t n = 0; n < count; ++n) {
    SmallVector<int64_t, 4> at = coordinates(range.sizes, n);
    int64_t linear = 0;
    for (size_t d = 0; d < at.size(); ++d)
      linear =
          linear * whole.dims[d] + range.offsets[d] + at[d] * range.strides[d];
    if (!visit(linear, n))
      return false;
  }
  return true;
}

bool extractSlice(State &s, const Inst &i) {
  const View &whole = s.view(i.in[0]);
  Range range = readRange(s, i, cast<tensor::ExtractSliceOp>(i.op), 1);
  // The result may drop unit dims: take its static dims, fill the others in
  // order from the sizes that are left.
  auto slice = cast<tensor::ExtractSliceOp>(i.op);
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  SmallVector<int64_t> dims;
  for (size_t d = 0; d < range.sizes.size(); ++d)
    if (!dropped.test(d))
      dims.push_back(range.sizes[d]);
  if (llvm::any_of(dims, [](int64_t dim) { return dim < 0; }))
    return s.fail(i, ErrorKind::RunTime, "has a negative size");
  ViewRef view = makeBuffer(
      s, i, RankedTensorType::get(dims, slice.getType().getElementType()), {});
  if (!view || !forRange(s, i, range, whole, [&](int64_t from, int64_t to) {
        return copyElement(s, i, whole, from, *view, to);
      }))
    return false;
  view->seal();
  s.cells[i.out[0]].view = view;
  return true;
}

bool insertSlice(State &s, const Inst &i) {
  const View &part = s.view(i.in[0]);
  ViewRef whole = copyView(s.view(i.in[1]));
  Range range = readRange(s, i, cast<tensor::InsertSliceOp>(i.op), 2);
  int64_t count = 1;
  for (int64_t size : range.sizes)
    count *= size;
  if (count != part.numElements())
    return s.broken(i, "puts dims " + listText(part.dims) + " into sizes " +
                           listText(range.sizes));
  if (!forRange(s, i, range, *whole, [&](int64_t to, int64_t from) {
        return copyElement(s, i, part, from, *whole, to);
      }))
    return false;
  whole->seal();
  s.cells[i.out[0]].view = whole;
  return true;
}

//===----------------------------------------------------------------------===//
// Other dims for the same elements
//===----------------------------------------------------------------------===//

bool collapse(State &s, const Inst &i) {
  const ViewRef &source = s.cells[i.in[0]].view;
  auto op = cast<tensor::CollapseShapeOp>(i.op);
  auto view = std::make_shared<View>(*source);
  view->dims.clear();
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    int64_t dim = 1;
    for (int64_t d : group)
      dim *= source->dims[d];
    view->dims.push_back(dim);
  }
  s.cells[i.out[0]].view = view;
  return true;
}

bool expand(State &s, const Inst &i) {
  const ViewRef &source = s.cells[i.in[0]].view;
  auto op = cast<tensor::ExpandShapeOp>(i.op);
  auto view = std::make_shared<View>(*source);
  view->dims.clear();
  size_t next = 1;
  for (int64_t dim : op.getStaticOutputShape())
    view->dims.push_back(ShapedType::isDynamic(dim) ? s.index(i.in[next++])
                                                    : dim);
  for (auto [n, group] : llvm::enumerate(op.getReassociationIndices())) {
    int64_t product = 1;
    for (int64_t d : group)
      product *= view->dims[d];
    if (product != source->dims[n])
      return s.broken(i, "expands dims " + listText(source->dims) + " to " +
                             listText(view->dims));
  }
  s.cells[i.out[0]].view = view;
  return true;
}

struct GenerateExtra : Extra {
  RegionCode body;
};

bool generate(State &s, const Inst &i) {
  SmallVector<int64_t> dims;
  for (uint32_t cell : i.in)
    dims.push_back(s.index(cell));
  ViewRef view = makeBuffer(s, i, resultType(i), dims);
  if (!view)
    return false;
  const RegionCode &body = i.as<GenerateExtra>().body;
  for (int64_t n = 0, e = view->numElements(); n < e; ++n) {
    for (auto [cell, value] :
         llvm::zip_equal(body.args, coordinates(view->dims, n)))
      s.bits(cell) = static_cast<uint64_t>(value);
    if (!checkSteps(s, i) || !runCode(s, body.code) ||
        !writeChecked(s, i, *view, n, s.bits(body.yields[0])))
      return false;
  }
  view->seal();
  s.cells[i.out[0]].view = view;
  return true;
}

Error buildGenerate(Compiler &compiler, Operation *op, Inst &inst) {
  auto extra = std::make_unique<GenerateExtra>();
  if (Error error = compiler.region(op->getRegion(0), extra->body))
    return error;
  inst.extra = std::move(extra);
  inst.run = generate;
  return Error::success();
}
} // namespace

void interp::addTensor(Table &table) {
  table["tensor.empty"] = {nullptr, custom<empty>};
  table["tensor.dim"] = {nullptr, custom<dim>};
  table["memref.dim"] = {nullptr, custom<dim>};
  table["tensor.rank"] = {nullptr, custom<rank>};
  table["tensor.extract"] = {nullptr, custom<extract>};
  table["tensor.insert"] = {nullptr, custom<insert>};
  table["tensor.cast"] = {nullptr, custom<castTensor>};
  table["tensor.from_elements"] = {nullptr, custom<fromElements>};
  table["tensor.splat"] = {nullptr, custom<splat>};
  table["tensor.concat"] = {nullptr, buildConcat};
}

void interp::addTensorShapes(Table &table) {
  table["tensor.extract_slice"] = {nullptr, custom<extractSlice>};
  table["tensor.insert_slice"] = {nullptr, custom<insertSlice>};
  table["tensor.collapse_shape"] = {nullptr, custom<collapse>};
  table["tensor.expand_shape"] = {nullptr, custom<expand>};
  table["tensor.generate"] = {nullptr, buildGenerate};
}
