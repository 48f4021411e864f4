//===- TileSteps.h - A blocked reduction in a register tile -----*- C++ -*-===//
//
// The steps that give a reduction the form that a Blocking says:
//
//   for jo: for outer: for io:              blocks of columns, of rows
//     for ko:                               blocks of the reduction
//       copy of A[io, ko]
//       for ji: for it:                     panels, tiles
//         tile[MR][NV * lanes] = 0          in registers
//         for k: for mi, vn (unroll): for vl (vectorize): tile += A * B
//         tile -> output, or output += tile where ko is a loop
//
// Loops of one iteration are left out.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_RULES_TILESTEPS_H
#define NESTOR_LIB_RULES_TILESTEPS_H

#include "Roles.h"

namespace nestor::rules {

class TileSteps {
public:
  TileSteps(RuleContext &context, sched::Schedule &on, sched::BlockRef ref,
            const Roles &roles, const Reduction &reduction,
            const Blocking &blocking);

  /// False: a step without which the rest makes no sense was refused.
  bool run();

private:
  using Loop = std::optional<sched::LoopRef>;
  /// The loops of an axis of the tile, outermost first.
  struct Axis {
    Loop block, tiles, registers, lanes;
  };

  bool prepareOperands();
  void findEpilogue();
  bool cutReduction();
  bool splitSpatial();
  bool order();
  bool finish();
  bool finishPart();
  void placeCopies();
  void separate();
  void markDone(llvm::StringRef name) { context.done.insert(name); }

  nest::BlockOp block() { return s.get(ref); }
  Loop handleOf(unsigned iterator);
  bool panels(sched::BlockRef copy);

  RuleContext &context;
  sched::Schedule &s;
  sched::BlockRef ref;
  std::string name;
  const Roles &roles;
  const Reduction &r;
  const Blocking &b;
  int64_t m, n, panel;
  bool cut, inPlace;
  sched::Param mr, nv, vl;

  sched::LoopRefs allLoops;
  Axis rows, columns;
  llvm::SmallVector<sched::LoopRef> outer, shared, reduce;
  Loop steps;     // ko
  Loop tileLoop;  // what a tile is one iteration of
  Loop blockLoop; // the innermost around all of a block
  unsigned aroundTile = 0;
  std::optional<sched::BlockRef> epilogue, part, rowsCopy;
  bool viaCopy = false;
};

} // namespace nestor::rules

#endif // NESTOR_LIB_RULES_TILESTEPS_H
