//===- Columns.h - Columns of tiles in registers ----------------*- C++ -*-===//
//
// The rows of a tile are vectors; what lanes read across them is a column:
//
//   %a = extract %r0[c]  ...  %h = extract %r7[c]
//   %column = vector.from_elements %a, ..., %h
//   ==>
//   log2(8) shuffles of two vectors each; neighbouring columns share all but
//   the last, so that a transpose of n vectors takes n log2(n) of them
//
// Assumes: n rows of n lanes, n a power of two. Leaves true: everything else
// stays as it is.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_COLUMNS_H
#define NESTOR_LIB_LOWER_COLUMNS_H

#include "mlir/IR/Operation.h"

namespace nestor::lower {

/// Rewrites the columns below `root`.
void shuffleColumns(mlir::Operation *root);

} // namespace nestor::lower

#endif // NESTOR_LIB_LOWER_COLUMNS_H
