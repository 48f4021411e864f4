//===- CostModel.h - What a blocking of a reduction costs -------*- C++ -*-===//
//
// An analytic model of C[.., m, v] += A[.., m, k] * B[.., k, v] and its kin
// (convolutions, batches, einsums) in a register tile of `rows` x `vectors`,
// blocked for the caches:
//
//   for jo: for outer: for io: for ko: for ji: for it: for k: tile
//
// jo and io are blocks of columns and rows, ji the panels of a block, it its
// tiles, ko blocks of the reduction that add up in memory. The time is the
// longest of computing and of moving bytes between the levels of memory, plus
// what happens at the edges of tiles, copies, and threads that wait:
//
//   T = max(compute, L2, L3, memory) + edges + copies + waiting
//
// Bytes are counted from footprints: an operand comes into a cache again in
// every iteration of the loops outside of the largest part of the nest that
// fits it, unless it is the same as in the iteration before (the way BLIS and
// Roller count). Rates are those of the target; all times are cycles of one
// core.
//
// Assumes: extents are known or guessed by the caller; indices are linear.
// Leaves true: no blocking with more vectors than registers is proposed, and
// none is missing because of the name of an operator or a shape.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_RULES_COSTMODEL_H
#define NESTOR_LIB_RULES_COSTMODEL_H

#include "nestor/Target/Target.h"

#include "llvm/ADT/SmallVector.h"

#include <vector>

namespace nestor::rules {

/// What one access of the reduction touches.
struct Operand {
  enum Kind {
    Vector,    // a vector of v for each step: B
    Broadcast, // one element for all lanes: A
    Output     // the accumulator's home: C
  };
  Kind kind = Broadcast;
  int64_t elementBytes = 4;
  /// Operations that make a number to compute with of each value read.
  int64_t conversions = 0;
  /// [dim][axis]: how far the index moves with the axis.
  llvm::SmallVector<llvm::SmallVector<int64_t>> indices;
  /// Of the buffer; the last dim lies together.
  llvm::SmallVector<int64_t> shape;
  /// Packed in the order in which tiles read it.
  bool packed = false;

  bool uses(unsigned axis) const;
};

/// A reduction: its axes are the iterators of its block.
struct Reduction {
  llvm::SmallVector<int64_t> extents;
  unsigned vector = 0;
  int row = -1;
  /// Spatial axes around the tile; the vector operand moves with the first
  /// ones, which stay outermost, and not with the shared ones.
  llvm::SmallVector<unsigned> outer, shared;
  /// The innermost last; that one is cut into blocks.
  llvm::SmallVector<unsigned> reduce;
  llvm::SmallVector<Operand> operands;
  int64_t lanes = 8;
  /// Registers for what a step computes on the way: products that are added by
  /// an instruction of their own, values that are converted before they are
  /// repeated in all lanes.
  int64_t temporaries = 0;
  /// Blocks of the reduction may add up in memory; extents of the axes that
  /// are cut are exact.
  bool mayCutReduce = false, mayCutRows = false, mayCutColumns = false;
  /// What may be copied into the order of the tiles first.
  bool mayCopyRows = false, mayCopyVector = false;
};

/// A point of the space.
struct Blocking {
  int64_t rows = 1, vectors = 1; // the register tile
  /// Tiles in a block of rows, panels in a block of columns; 0: all.
  int64_t rowTiles = 0, columnPanels = 0;
  /// Steps of the innermost reduction axis in a block; 0: all.
  int64_t reduceSteps = 0;
  bool copyRows = false, copyVector = false;

  bool operator==(const Blocking &) const = default;
};

struct Cost {
  double compute = 0, l2 = 0, l3 = 0, memory = 0;
  double edges = 0, copies = 0, waiting = 0;
  double total() const;
};

/// Whether accumulators, the vectors of a step, what stays the same in all of
/// them and the values on the way fit into the registers: such a tile is never
/// spilled (test/Unit/Rules/SpillTest.cpp looks at each).
bool fitsRegisters(const Reduction &reduction, int64_t rows, int64_t vectors,
                   const Target &target);

/// The register tiles that the model chooses from: rows and vectors alone.
llvm::SmallVector<Blocking> registerTilesOf(const Reduction &reduction,
                                            const Target &target);

Cost costOf(const Reduction &reduction, const Blocking &blocking,
            const Target &target);

struct Candidate {
  Blocking blocking;
  Cost cost;
};
/// All that the space holds, best first.
std::vector<Candidate> rankBlockings(const Reduction &reduction,
                                     const Target &target);

} // namespace nestor::rules

#endif // NESTOR_LIB_RULES_COSTMODEL_H
