//===- Buffers.cpp - Constants, reshapes, views, arena slices -------------===//
//
// What the model and host dialects say about buffers.
//
//===----------------------------------------------------------------------===//
#include "Code.h"

#include "nestor/Dialect/Host/Host.h"
#include "nestor/Dialect/Model/Model.h"

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

/// A constant is found when it is compiled: its bytes go into the image.
Error buildConstant(Compiler &compiler, Operation *op, Inst &inst) {
  auto type = cast<ShapedType>(op->getResult(0).getType());
  StringRef key = op->getAttrOfType<StringAttr>("key").getValue();
  std::optional<Kind> kind = kindOf(type.getElementType());
  if (!kind)
    return Compiler::unsupported(op, "its element type is unknown here");
  bool found = false;
  ArrayRef<uint8_t> bytes;
  if (compiler.program.pool)
    bytes = compiler.program.pool->lookup(key, found);
  auto view = std::make_shared<View>();
  view->kind = *kind;
  view->readOnly = true;
  view->dims.assign(type.getShape().begin(), type.getShape().end());
  if (!found || bytes.size() != view->numBytes())
    return makeError(ErrorKind::Internal, "interp: the pool has no " +
                                              Twine(view->numBytes()) +
                                              " bytes named '" + key + "'");
  view->storage = Storage::borrow(bytes);
  compiler.initial(compiler.cell(op->getResult(0))).view = view;
  return Error::success();
}

/// model.reshape and host.view: the same bytes under other dims.
bool reshape(State &s, const Inst &i) {
  const View &source = s.view(i.in[0]);
  auto type = cast<ShapedType>(i.op->getResult(0).getType());
  SmallVector<int64_t> dynamic, dims;
  for (uint32_t cell : i.in.drop_front())
    dynamic.push_back(s.index(cell));
  if (!resolveDims(s, i, type, dynamic, dims))
    return false;
  auto view = std::make_shared<View>(source);
  view->dims.assign(dims.begin(), dims.end());
  if (view->numElements() != source.numElements() || view->kind != source.kind)
    // host.view may change the element type as long as the bytes are the same.
    view->kind = *kindOf(type.getElementType());
  if (view->numBytes() != source.numBytes())
    return s.fail(i, ErrorKind::RunTime,
                  "dims " + listText(source.dims) +
                      " do not have as many elements as " + listText(dims));
  s.cells[i.out[0]].view = view;
  return true;
}

bool arena(State &s, const Inst &i) {
  int64_t size = s.index(i.in[0]);
  if (size < 0 ||
      static_cast<uint64_t>(size) > s.program.options.maxBufferBytes)
    return s.fail(i, ErrorKind::Budget,
                  "wants an arena of " + Twine(size) + " bytes");
  auto view = std::make_shared<View>();
  view->kind = Kind::I8;
  view->dims = {size};
  view->storage = Storage::fresh(size);
  s.cells[i.out[0]].view = view;
  return true;
}

bool slice(State &s, const Inst &i) {
  const View &arena = s.view(i.in[0]);
  int64_t offset = s.index(i.in[1]);
  auto type = cast<ShapedType>(i.op->getResult(0).getType());
  SmallVector<int64_t> dynamic, dims;
  for (uint32_t cell : i.in.drop_front(2))
    dynamic.push_back(s.index(cell));
  if (!resolveDims(s, i, type, dynamic, dims))
    return false;
  auto view = std::make_shared<View>();
  view->storage = arena.storage;
  view->kind = *kindOf(type.getElementType());
  view->dims.assign(dims.begin(), dims.end());
  view->offset = arena.offset + static_cast<uint64_t>(offset);
  uint64_t end = arena.offset + arena.numBytes();
  if (offset < 0 || view->offset + view->numBytes() > end)
    return s.broken(i, "takes " + Twine(view->numBytes()) + " bytes at " +
                           Twine(offset) + " of an arena of " +
                           Twine(arena.numBytes()));
  // The same slice made again (in a loop) is the same buffer.
  uint16_t next = static_cast<uint16_t>(2 + s.sliceTags.size() % 65000);
  view->tag = s.sliceTags.try_emplace({i.op, view->offset}, next).first->second;
  s.cells[i.out[0]].view = view;
  return true;
}
} // namespace

void interp::addModel(Table &table) {
  table["model.constant"] = {nullptr, buildConstant};
  table["model.reshape"] = {nullptr, custom<reshape>};
}

void interp::addHost(Table &table) {
  table["host.constant"] = {nullptr, buildConstant};
  table["host.view"] = {nullptr, custom<reshape>};
  table["host.arena"] = {nullptr, custom<arena>};
  table["host.slice"] = {nullptr, custom<slice>};
}
