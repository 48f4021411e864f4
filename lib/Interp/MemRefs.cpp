//===- MemRefs.cpp - Buffers in place -------------------------------------===//
//
// The memref dialect's contiguous part: load, store, dim, copy, alloc, cast.
//
//===----------------------------------------------------------------------===//
#include "Code.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;
using llvm::Error;
using llvm::Twine;

namespace {
bool load(State &s, const Inst &i) {
  const View &view = s.view(i.in[0]);
  int64_t linear;
  return flatten(s, i, view, i.in.drop_front(), linear) &&
         readChecked(s, i, view, linear, s.bits(i.out[0]));
}

/// A load whose value only goes into another buffer: copying what was never
/// written (the padding of a layout) leaves the copy unwritten.
bool loadForCopy(State &s, const Inst &i) {
  const View &view = s.view(i.in[0]);
  int64_t linear;
  if (!flatten(s, i, view, i.in.drop_front(), linear))
    return false;
  Cell &cell = s.cells[i.out[0]];
  cell.undefined = !view.isWritten(linear);
  return cell.undefined || readChecked(s, i, view, linear, cell.bits);
}

bool store(State &s, const Inst &i) {
  View &view = s.view(i.in[1]);
  int64_t linear;
  if (!flatten(s, i, view, i.in.drop_front(2), linear))
    return false;
  const Cell &cell = s.cells[i.in[0]];
  return writeChecked(s, i, view, linear, cell.bits) &&
         (!cell.undefined || (view.markUnwritten(linear), true));
}

Error buildLoad(Compiler &, Operation *op, Inst &inst) {
  if (!cast<MemRefType>(op->getOperand(0).getType()).getLayout().isIdentity())
    return Compiler::unsupported(op, "buffers must be contiguous");
  inst.run = load;
  if (op->hasOneUse())
    if (auto user = dyn_cast<memref::StoreOp>(*op->user_begin());
        user && user.getValueToStore() == op->getResult(0))
      inst.run = loadForCopy;
  return Error::success();
}

bool rank(State &s, const Inst &i) {
  s.bits(i.out[0]) = s.view(i.in[0]).dims.size();
  return true;
}

bool alloc(State &s, const Inst &i) {
  SmallVector<int64_t> dims;
  for (uint32_t cell : i.in)
    dims.push_back(s.index(cell));
  ViewRef view =
      makeBuffer(s, i, cast<ShapedType>(i.op->getResult(0).getType()), dims);
  s.cells[i.out[0]].view = view;
  return view != nullptr;
}

bool copy(State &s, const Inst &i) {
  const View &from = s.view(i.in[0]);
  View &to = s.view(i.in[1]);
  if (from.dims != to.dims)
    return s.broken(i, "copies dims " + listText(from.dims) + " to " +
                           listText(to.dims));
  for (int64_t n = 0, e = from.numElements(); n < e; ++n) {
    uint64_t cell;
    if (!readChecked(s, i, from, n, cell) || !writeChecked(s, i, to, n, cell))
      return false;
  }
  return true;
}

/// The same buffer under a type that knows more or fewer dims.
bool castBuffer(State &s, const Inst &i) {
  ViewRef view = s.cells[i.in[0]].view;
  auto type = cast<ShapedType>(i.op->getResult(0).getType());
  for (auto [have, want] : llvm::zip(view->dims, type.getShape()))
    if (!ShapedType::isDynamic(want) && want != have)
      return s.broken(i, "casts dims " + listText(view->dims) + " to " +
                             listText(type.getShape()));
  s.cells[i.out[0]].view = view;
  return true;
}

template <Handler Run>
Error custom(Compiler &, Operation *op, Inst &inst) {
  for (Type type : op->getOperandTypes())
    if (auto memref = dyn_cast<MemRefType>(type);
        memref && !memref.getLayout().isIdentity())
      return Compiler::unsupported(op, "buffers must be contiguous");
  inst.run = Run;
  return Error::success();
}

Error nothing(Compiler &, Operation *, Inst &) { return Error::success(); }
} // namespace

void interp::addMemRef(Table &table) {
  table["memref.load"] = {nullptr, buildLoad};
  table["memref.store"] = {nullptr, custom<store>};
  table["memref.rank"] = {nullptr, custom<rank>};
  table["memref.alloc"] = {nullptr, custom<alloc>};
  table["memref.alloca"] = {nullptr, custom<alloc>};
  table["memref.dealloc"] = {nullptr, nothing};
  table["memref.copy"] = {nullptr, custom<copy>};
  table["memref.cast"] = {nullptr, custom<castBuffer>};
  table["host.copy"] = {nullptr, custom<copy>};
  table["host.alloc"] = {nullptr, custom<alloc>};
  table["host.scratch"] = {nullptr, custom<alloc>};
  table["host.output"] = {nullptr, custom<alloc>};
}
