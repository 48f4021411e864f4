//===- Registers.cpp - Records whose values are vector registers ----------===//
//
// See the header. The group of a lane moves as one integer of its width, so
// that a mask has one bit a column whatever the elements are.
//
//===----------------------------------------------------------------------===//
#include "Registers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

std::vector<MacroTile> intrin::registerTiles(unsigned registers,
                                             unsigned perColumn,
                                             unsigned perRow, unsigned spare) {
  std::vector<MacroTile> tiles;
  // The shorter side stays, the longer one passes by.
  auto live = [&](unsigned rows, unsigned columns) {
    unsigned sides = rows < columns ? rows * perRow + perColumn
                                    : columns * perColumn + perRow;
    return rows * columns + sides + spare;
  };
  // For each number of columns the most rows that fit.
  for (unsigned columns = 1; columns <= 6; ++columns) {
    unsigned rows = 0;
    while (live(rows + 1, columns) <= registers)
      ++rows;
    if (rows)
      tiles.push_back({rows, columns, live(rows, columns)});
  }
  // Products for each load, and enough of them to hide the latency.
  auto score = [](const MacroTile &t) {
    return double(t.rows * t.columns) / double(t.rows + t.columns);
  };
  llvm::sort(tiles, [&](const MacroTile &a, const MacroTile &b) {
    double x = score(a), y = score(b);
    return x != y ? x > y : a.columns < b.columns;
  });
  return tiles;
}

Record intrin::registerRecord(StringRef name, unsigned bits, int64_t group,
                              Element lhs, Element rhs, Element acc) {
  Record record;
  record.name = name.str();
  record.vectorBits = bits;
  int64_t lanes = bits / bitsOf(acc);
  record.axes = {{"m", AxisKind::Spatial, 1, Tail::Pad},
                 {"n", AxisKind::Spatial, lanes, Tail::Mask},
                 {"k", AxisKind::Reduce, group, Tail::Pad}};
  record.operands = {
      {"lhs", lhs, Place::Broadcast, {kM, kK}, "(m, n, k) -> (k)", {group}},
      {"rhs",
       rhs,
       Place::Register,
       {kK, kN},
       "(m, n, k) -> (n, k)",
       {lanes, group}},
      {"acc", acc, Place::Register, {kM, kN}, "(m, n, k) -> (n)", {lanes}}};
  return record;
}

/// Elements of `operand` in a lane.
static int64_t groupOf(const Record &record, unsigned operand) {
  return operand == kAcc ? 1 : record.axes[kK].extent;
}

Type intrin::registerValueType(const Record &record, unsigned operand,
                               ArrayRef<int64_t>, MLIRContext *context) {
  int64_t count = record.axes[kN].extent * groupOf(record, operand);
  return VectorType::get({count},
                         typeOf(record.operands[operand].element, context));
}

Value intrin::registerZero(const Record &record, OpBuilder &builder,
                           Location loc, ArrayRef<int64_t>) {
  Type type = record.valueType(kAcc, builder.getContext());
  return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
}

Value intrin::lanesMask(OpBuilder &builder, Location loc, int64_t count,
                        Value lanes) {
  auto type = VectorType::get({count}, builder.getI32Type());
  auto numbers = llvm::to_vector(llvm::seq<int32_t>(0, count));
  Value number = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(type, ArrayRef(numbers)));
  Value limit = vector::BroadcastOp::create(
      builder, loc, type,
      arith::IndexCastOp::create(builder, loc, builder.getI32Type(), lanes));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, number,
                               limit);
}

Value intrin::elementPointer(OpBuilder &builder, Location loc, Value base,
                             Type element, Value offset) {
  return LLVM::GEPOp::create(builder, loc, base.getType(), element, base,
                             ArrayRef<LLVM::GEPArg>{offset},
                             LLVM::GEPNoWrapFlags::inbounds);
}

Value intrin::registerLoad(const Record &record, OpBuilder &builder,
                           Location loc, unsigned index, const Window &window) {
  const Operand &operand = record.operands[index];
  Type element = typeOf(operand.element, builder.getContext());
  unsigned align = bitsOf(operand.element) / 8;
  int64_t group = groupOf(record, index), lanes = record.axes[kN].extent;
  Type word = group == 1
                  ? element
                  : builder.getIntegerType(group * bitsOf(operand.element));
  auto words = VectorType::get({lanes}, word);
  Value value;
  if (operand.place == Place::Broadcast) {
    Value one = LLVM::LoadOp::create(builder, loc, word, window.base, align);
    value = vector::BroadcastOp::create(builder, loc, words, one);
  } else if (window.lanes) {
    Value zero =
        arith::ConstantOp::create(builder, loc, builder.getZeroAttr(words));
    value = LLVM::MaskedLoadOp::create(
        builder, loc, words, window.base,
        lanesMask(builder, loc, lanes, window.lanes), zero, align);
  } else {
    value = LLVM::LoadOp::create(builder, loc, words, window.base, align);
  }
  Type type = record.valueType(index, builder.getContext());
  if (value.getType() != type)
    value = vector::BitCastOp::create(builder, loc, type, value);
  return value;
}

void intrin::registerStore(const Record &record, OpBuilder &builder,
                           Location loc, Value acc, const Window &window) {
  unsigned align = bitsOf(record.acc().element) / 8;
  if (!window.lanes) {
    LLVM::StoreOp::create(builder, loc, acc, window.base, align);
    return;
  }
  int64_t lanes = record.axes[kN].extent;
  LLVM::MaskedStoreOp::create(builder, loc, acc, window.base,
                              lanesMask(builder, loc, lanes, window.lanes),
                              align);
}
