//===- Columns.cpp - Columns of tiles in registers ------------------------===//
//
// See the header. Rows are paired; each stage keeps, of each pair, the half
// that holds the column and interleaves it, in pieces that double. First within
// 128 bits, as unpack instructions do, then across them.
//
//===----------------------------------------------------------------------===//
#include "Columns.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace nestor::lower;

/// One stage on all pairs: of every `span` lanes, those of the half with the
/// column at `position` (in pieces of `unit` lanes), interleaved.
static void halve(OpBuilder &builder, Location loc, SmallVector<Value> &rows,
                  int64_t lanes, int64_t span, int64_t unit,
                  int64_t &position) {
  int64_t pieces = span / unit / 2, half = position >= pieces;
  position %= pieces;
  SmallVector<int64_t> mask;
  for (int64_t base = 0; base < lanes; base += span)
    for (int64_t piece = 0; piece < pieces; ++piece)
      for (int64_t side : {int64_t(0), lanes})
        for (int64_t i = 0; i < unit; ++i)
          mask.push_back(side + base + (half * pieces + piece) * unit + i);
  SmallVector<Value> pairs;
  for (size_t i = 0; i < rows.size(); i += 2)
    pairs.push_back(
        vector::ShuffleOp::create(builder, loc, rows[i], rows[i + 1], mask));
  rows = std::move(pairs);
}

/// Whether `op` is a column: the same lane of as many vectors as it has lanes.
static std::optional<int64_t> readColumn(vector::FromElementsOp op,
                                         SmallVector<Value> &rows) {
  VectorType type = op.getDest().getType();
  if (type.getRank() != 1 || !llvm::isPowerOf2_64(type.getDimSize(0)) ||
      type.getDimSize(0) < 2)
    return std::nullopt;
  std::optional<int64_t> column;
  for (Value element : op.getElements()) {
    auto extract = element.getDefiningOp<vector::ExtractOp>();
    if (!extract || extract.getSource().getType() != type ||
        extract.hasDynamicPosition())
      return std::nullopt;
    int64_t lane = extract.getStaticPosition().front();
    if (column && *column != lane)
      return std::nullopt;
    column = lane;
    rows.push_back(extract.getSource());
  }
  return column;
}

void nestor::lower::shuffleColumns(Operation *root) {
  SmallVector<vector::FromElementsOp> ops;
  root->walk([&](vector::FromElementsOp op) { ops.push_back(op); });
  for (vector::FromElementsOp op : ops) {
    SmallVector<Value> rows;
    std::optional<int64_t> column = readColumn(op, rows);
    if (!column)
      continue;
    OpBuilder builder(op);
    VectorType type = op.getDest().getType();
    int64_t lanes = type.getDimSize(0), bits = type.getElementTypeBitWidth();
    int64_t group = std::clamp<int64_t>(128 / bits, 1, lanes), unit = 1;
    int64_t position = *column % group;
    for (; unit < group; unit *= 2)
      halve(builder, op.getLoc(), rows, lanes, group, unit, position);
    position = *column / group;
    for (; unit < lanes; unit *= 2)
      halve(builder, op.getLoc(), rows, lanes, lanes, unit, position);
    SmallVector<Value> elements(op.getElements());
    op.replaceAllUsesWith(rows.front());
    op.erase();
    for (Value element : elements)
      if (element.use_empty())
        element.getDefiningOp()->erase();
  }
}
