//===- Amx.cpp - Products of tiles ----------------------------------------===//
//
// 16 x 16 results from 64 bytes of k. Fewer rows and columns make the tiles
// smaller; a k that does not divide is padded when it is packed, since another
// shape would be another configuration. Results leave by memory only.
//
//===----------------------------------------------------------------------===//
#include "../Families.h"
#include "../Registers.h"

#include "nestor/Dialect/Device/Device.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

static constexpr int64_t kRows = 16, kRowBytes = 64;

static Type tileType(const Record &record, unsigned index,
                     ArrayRef<int64_t> extents, MLIRContext *context) {
  const Operand &operand = record.operands[index];
  int64_t group = 32 / bitsOf(operand.element);
  int64_t rows = extents[kM], columns = extents[kN];
  if (index == kLhs)
    columns = extents[kK];
  if (index == kRhs) {
    rows = extents[kK] / group;
    columns = extents[kN] * group;
  }
  return device::TileType::get(context, rows, columns,
                               typeOf(operand.element, context));
}

static Value zeroTile(const Record &record, OpBuilder &builder, Location loc,
                      ArrayRef<int64_t> extents) {
  return device::TileZeroOp::create(
      builder, loc, tileType(record, kAcc, extents, builder.getContext()));
}

/// The row stride of a window in bytes.
static Value rowBytes(const Record &record, OpBuilder &builder, Location loc,
                      unsigned operand, const Window &window) {
  Value bytes = arith::ConstantOp::create(
      builder, loc,
      builder.getI64IntegerAttr(bitsOf(record.operands[operand].element) / 8));
  return arith::MulIOp::create(builder, loc, window.strides[0], bytes);
}

static Value loadTile(const Record &record, OpBuilder &builder, Location loc,
                      unsigned operand, const Window &window) {
  Type type = record.valueType(operand, builder.getContext(), window.extents);
  return device::TileLoadOp::create(
      builder, loc, type, window.base,
      rowBytes(record, builder, loc, operand, window), /*streaming=*/false);
}

static void storeTile(const Record &record, OpBuilder &builder, Location loc,
                      Value acc, const Window &window) {
  device::TileStoreOp::create(builder, loc, acc, window.base,
                              rowBytes(record, builder, loc, kAcc, window));
}

template <device::TileDotKind Kind>
static Value computeTiles(const Record &, OpBuilder &builder, Location loc,
                          Value lhs, Value rhs, Value acc) {
  return device::TileDotOp::create(builder, loc, acc.getType(), Kind, acc, lhs,
                                   rhs);
}

template <device::TileDotKind Kind>
static constexpr Emitter tileEmitter = {tileType, zeroTile, loadTile,
                                        computeTiles<Kind>, storeTile};

static Record tileRecord(StringRef name, Element lhs, Element rhs) {
  bool bytes = bitsOf(lhs) == 8;
  int64_t group = bytes ? 4 : 2, k = kRowBytes * 8 / bitsOf(lhs);
  std::string half = llvm::utostr(group);
  Record record;
  record.name = ("x86.amx." + name).str();
  record.mnemonic = name.str();
  record.features = bytes ? "amx-int8" : "amx-bf16";
  record.axes = {{"m", AxisKind::Spatial, kRows, Tail::Shrink},
                 {"n", AxisKind::Spatial, kRows, Tail::Shrink},
                 {"k", AxisKind::Reduce, k, Tail::Pad}};
  record.operands = {
      {"lhs", lhs, Place::Tile, {kM, kK}, "(m, n, k) -> (m, k)", {kRows, k}, 1},
      {"rhs",
       rhs,
       Place::Tile,
       {kK, kN},
       "(m, n, k) -> (k floordiv " + half + ", n, k mod " + half + ")",
       {k / group, kRows, group},
       1},
      {"acc",
       bytes ? Element::S32 : Element::F32,
       Place::Tile,
       {kM, kN},
       "(m, n, k) -> (m, n)",
       {kRows, kRows},
       1}};
  record.numerics = bytes ? Numerics::Exact : Numerics::Grouped;
  // Eight tiles: the accumulators, the shared operands and one at work.
  record.macroTiles = {{2, 2, 8}, {1, 4, 6}, {4, 1, 6}, {1, 3, 5},
                       {3, 1, 5}, {1, 2, 4}, {2, 1, 4}, {1, 1, 3}};
  record.cost = {bytes ? &Rates::int8Tile : &Rates::bf16Tile, 1, 52};
  return record;
}

void intrin::addAmx(Records &records) {
  auto add = [&](StringRef name, Element lhs, Element rhs,
                 const Emitter &emitter) {
    records.push_back(tileRecord(name, lhs, rhs));
    records.back().emitter = &emitter;
  };
  using Kind = device::TileDotKind;
  add("tdpbssd", Element::S8, Element::S8, tileEmitter<Kind::Tdpbssd>);
  add("tdpbsud", Element::S8, Element::U8, tileEmitter<Kind::Tdpbsud>);
  add("tdpbusd", Element::U8, Element::S8, tileEmitter<Kind::Tdpbusd>);
  add("tdpbuud", Element::U8, Element::U8, tileEmitter<Kind::Tdpbuud>);
  add("tdpbf16ps", Element::BF16, Element::BF16, tileEmitter<Kind::Tdpbf16ps>);
}
