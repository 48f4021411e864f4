//===- Registers.h - Records whose values are vector registers --*- C++ -*-===//
//
// What the register families share: lhs is a group of consecutive k, broadcast
// from memory to all lanes; rhs has such a group a lane; acc has a lane a
// column. A family brings its `compute`, and its own types of values where it
// works on other ones than the operands' own.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_INTRIN_REGISTERS_H
#define NESTOR_LIB_INTRIN_REGISTERS_H

#include "nestor/Intrin/Intrin.h"

namespace nestor::intrin {

/// 1 x (bits / acc bits) x `group`, with maps, axes and macro-tiles filled in.
/// A macro-tile takes `perColumn` registers for each column, `perRow` for the
/// row at work and `spare` more.
Record registerRecord(llvm::StringRef name, unsigned bits, int64_t group,
                      Element lhs, Element rhs, Element acc);

/// Macro-tiles that fit `registers`, the best ratio of products to loads first.
std::vector<MacroTile> registerTiles(unsigned registers, unsigned perColumn,
                                     unsigned perRow, unsigned spare);

// The emitter's functions, except for `compute`.
mlir::Type registerValueType(const Record &, unsigned operand,
                             llvm::ArrayRef<int64_t> extents,
                             mlir::MLIRContext *);
mlir::Value registerZero(const Record &, mlir::OpBuilder &, mlir::Location,
                         llvm::ArrayRef<int64_t> extents);
mlir::Value registerLoad(const Record &, mlir::OpBuilder &, mlir::Location,
                         unsigned operand, const Window &);
void registerStore(const Record &, mlir::OpBuilder &, mlir::Location,
                   mlir::Value acc, const Window &);

/// A mask of `count` lanes, the first `lanes` set.
mlir::Value lanesMask(mlir::OpBuilder &builder, mlir::Location loc,
                      int64_t count, mlir::Value lanes);

/// A pointer `offset` elements (i64) behind `base`.
mlir::Value elementPointer(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Value base, mlir::Type element,
                           mlir::Value offset);

} // namespace nestor::intrin

#endif // NESTOR_LIB_INTRIN_REGISTERS_H
