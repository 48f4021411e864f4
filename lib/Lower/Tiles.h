//===- Tiles.h - Tiles carried through loops --------------------*- C++ -*-===//
//
// A buffer in scope "tile" lies on the stack; tile instructions see windows of
// it. Loops that touch it by tile instructions alone, always at the same
// windows, keep these in tile registers:
//
//   scf.for %k { %t = tile_load W; %u = tile_dot %t, ..; tile_store %u, W }
//   ==>
//   %i = tile_load W
//   %r = scf.for %k iter_args(%t = %i) { %u = tile_dot %t, ..; yield %u }
//   tile_store %r, W
//
// Assumes: the function is structured still.
// Leaves true: memory holds the same before and after each such loop.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_TILES_H
#define NESTOR_LIB_LOWER_TILES_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace nestor::lower {

/// Carries the windows of `slot` through all loops where that is possible.
void carryTiles(mlir::LLVM::AllocaOp slot);

} // namespace nestor::lower

#endif // NESTOR_LIB_LOWER_TILES_H
