//===- Memory.cpp - Buffers that know what was written --------------------===//
//
// The parts of Memory.h that need no speed, and checked element access.
//
//===----------------------------------------------------------------------===//
#include "Code.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;
using llvm::Twine;

int64_t View::firstUnwritten() const {
  if (storage->tags.empty())
    return -1;
  for (int64_t i = 0, e = numElements(); i < e; ++i)
    if (!isWritten(i))
      return i;
  return -1;
}

void View::seal() const {
  if (!storage->tags.empty() && offset == 0 && numBytes() == storage->size &&
      firstUnwritten() < 0)
    std::vector<uint16_t>().swap(storage->tags);
}

std::string interp::listText(ArrayRef<int64_t> values) {
  std::string text = "[";
  for (auto [i, value] : llvm::enumerate(values))
    text += (i ? ", " : "") + std::to_string(value);
  return text + "]";
}

SmallVector<int64_t, 4> interp::coordinates(ArrayRef<int64_t> dims,
                                            int64_t linear) {
  SmallVector<int64_t, 4> result(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    result[i] = dims[i] ? linear % dims[i] : 0;
    linear = dims[i] ? linear / dims[i] : 0;
  }
  return result;
}

bool interp::resolveDims(State &state, const Inst &inst, ShapedType type,
                         ArrayRef<int64_t> dynamic,
                         SmallVectorImpl<int64_t> &dims) {
  dims.clear();
  if (dynamic.size() != static_cast<size_t>(type.getNumDynamicDims()))
    return state.broken(inst, "has " + Twine(dynamic.size()) +
                                  " dims for the dynamic ones of its type");
  std::optional<Kind> kind = kindOf(type.getElementType());
  if (!kind)
    return state.fail(inst, ErrorKind::Unsupported,
                      "its element type is unknown here");
  uint64_t bytes = sizeOf(*kind);
  bool empty = false, large = false;
  size_t next = 0;
  for (int64_t dim : type.getShape()) {
    if (ShapedType::isDynamic(dim))
      dim = dynamic[next++];
    dims.push_back(dim);
    if (dim < 0)
      return state.fail(inst, ErrorKind::RunTime,
                        "has a negative dim: " + listText(dynamic));
    empty |= dim == 0;
    large |= dim != 0 && __builtin_mul_overflow(bytes, uint64_t(dim), &bytes);
  }
  if (!empty && (large || bytes > state.program.options.maxBufferBytes))
    return state.fail(inst, ErrorKind::Budget,
                      "would need a buffer of dims " + listText(dims));
  return true;
}

ViewRef interp::makeBuffer(State &state, const Inst &inst, ShapedType type,
                           ArrayRef<int64_t> dynamic) {
  SmallVector<int64_t> dims;
  if (!resolveDims(state, inst, type, dynamic, dims))
    return nullptr;
  auto view = std::make_shared<View>();
  view->kind = *kindOf(type.getElementType());
  view->dims.assign(dims.begin(), dims.end());
  view->storage = Storage::fresh(view->numBytes());
  return view;
}

ViewRef interp::copyView(const View &view) {
  auto copy = std::make_shared<View>();
  copy->kind = view.kind;
  copy->dims = view.dims;
  uint64_t bytes = view.numBytes();
  copy->storage = Storage::copyOf(
      ArrayRef<uint8_t>(view.storage->data + view.offset, bytes));
  if (!view.storage->tags.empty()) {
    copy->storage->tags.resize(bytes);
    for (uint64_t i = 0; i < bytes; ++i)
      copy->storage->tags[i] = view.storage->tags[view.offset + i] == view.tag;
  }
  return copy;
}

static std::string elementText(const View &view, int64_t linear) {
  return "element " + listText(coordinates(view.dims, linear));
}

/// Two iterations of the running parallel loop meet in one element.
static bool race(State &state, const Inst &inst, const View &view,
                 int64_t linear, StringRef what, uint32_t other) {
  return state.broken(
      inst, Twine(what) + " " + elementText(view, linear) + " in iteration " +
                Twine(state.stamp - state.firstStamp) +
                " of a parallel loop, which iteration " +
                Twine(other - state.firstStamp) + " also touches");
}

bool interp::readChecked(State &state, const Inst &inst, const View &view,
                         int64_t linear, uint64_t &cell) {
  if (!view.isWritten(linear))
    return state.broken(inst, "reads " + elementText(view, linear) +
                                  ", which was never written");
  if (state.stamp && !view.storage->touches.empty()) {
    Touch &touch =
        view.storage->touches[view.offset / sizeOf(view.kind) + linear];
    if (touch.writer >= state.firstStamp && touch.writer != state.stamp)
      return race(state, inst, view, linear, "reads", touch.writer);
    if (touch.reader != state.stamp) {
      touch.otherReader = touch.reader;
      touch.reader = state.stamp;
    }
  }
  cell = readElement(view.kind, view.element(linear));
  return true;
}

/// Whether the running block may write this element: no other spatial point of
/// it did.
static bool keepsContract(State &state, const Inst &inst, const View &view,
                          int64_t linear) {
  auto &points = view.storage->points;
  auto it = llvm::find_if(
      points, [&](const auto &entry) { return entry.first == state.block; });
  if (it == points.end()) {
    points.emplace_back(state.block, std::vector<uint64_t>());
    it = points.end() - 1;
  }
  auto element = static_cast<size_t>(
      view.offset / std::max(1u, sizeOf(view.kind)) + linear);
  if (it->second.size() <= element)
    it->second.resize(view.storage->size / std::max(1u, sizeOf(view.kind)) + 1);
  uint64_t &point = it->second[element];
  if (point != 0 && point != state.point)
    return state.broken(inst, "writes " + elementText(view, linear) +
                                  ", which another spatial point of block \"" +
                                  cast<nest::BlockOp>(state.block).getName() +
                                  "\" wrote");
  point = state.point;
  return true;
}

bool interp::writeChecked(State &state, const Inst &inst, View &view,
                          int64_t linear, uint64_t cell) {
  if (view.readOnly)
    return state.broken(inst, "writes " + elementText(view, linear) +
                                  " of a buffer that is read only here");
  if (state.stamp && !view.storage->touches.empty()) {
    Touch &touch =
        view.storage->touches[view.offset / sizeOf(view.kind) + linear];
    for (uint32_t other : {touch.writer, touch.reader, touch.otherReader})
      if (other >= state.firstStamp && other != state.stamp)
        return race(state, inst, view, linear, "writes", other);
    touch.writer = state.stamp;
  }
  if (state.block && !view.storage->anyPoint &&
      !keepsContract(state, inst, view, linear))
    return false;
  writeElement(view.kind, view.element(linear), cell);
  view.markWritten(linear);
  return true;
}

bool interp::flatten(State &state, const Inst &inst, const View &view,
                     ArrayRef<uint32_t> indices, int64_t &linear) {
  linear = 0;
  for (auto [cell, dim] : llvm::zip_equal(indices, view.dims)) {
    int64_t index = state.index(cell);
    if (index < 0 || index >= dim) {
      SmallVector<int64_t> all;
      for (uint32_t c : indices)
        all.push_back(state.index(c));
      return state.broken(inst, "index " + listText(all) +
                                    " is outside a buffer of dims " +
                                    listText(view.dims));
    }
    linear = linear * dim + index;
  }
  return true;
}
