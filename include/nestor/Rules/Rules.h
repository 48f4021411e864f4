//===- Rules.h - Default schedules ------------------------------*- C++ -*-===//
//
// Proposes a schedule for a kernel on a target, with zero trials. Kernel
// classes come from Analysis (iterators and access maps), never from names,
// and every number that a rule chooses is a knob of the schedule it writes.
//
// The rules, in the order they look at a kernel (lib/Rules/<Rule>.cpp):
//   Tensorize     sums of products of bytes and short floats that an intrinsic
//                 of the target computes
//   RowBlocks     two products with row reductions between them: attention
//   Window        reductions over windows in which all operands move with the
//                 lanes: depthwise convolutions, pooling; their epilogue rides
//                 along
//   RegisterTile  reductions whose inner loop can run over a vector of outputs:
//                 matmul, convolution; the following elementwise block is
//                 finished in the same tile
//   Padding       tiles that read a padded copy read the original; what reaches
//                 over the border is left out, in code of its own
//   RowFusion     chains of row reductions and maps: softmax, layer norm
//   Transpose     blocks that write along one iterator and read along another
//   Vectorize     everything that is left, block by block
//   Parallel      the outermost loops, by estimated work
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_RULES_RULES_H
#define NESTOR_RULES_RULES_H

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Target/Target.h"

#include <string>
#include <vector>

namespace nestor {

/// An argument of a kernel with this unit attribute is a constant of the model
/// at every launch: a schedule may choose its layout.
inline constexpr llvm::StringLiteral kConstantArgument = "nest.constant";

/// What the rules did to one kernel.
struct DefaultSchedule {
  /// The Transform-dialect sequence, replayable on the original kernel.
  std::string sequence;
  /// What was tried and refused, with the primitive's reason.
  std::vector<std::string> refusals;
};

/// Schedules `kernel` in place. A refused step leaves it legal and the rest is
/// tried all the same, so there is always a result.
DefaultSchedule scheduleKernel(nest::FuncOp kernel, const Target &target);

} // namespace nestor

#endif // NESTOR_RULES_RULES_H
