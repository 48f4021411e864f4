//===- Tensorize.h - Contractions on tensor instructions --------*- C++ -*-===//
//
// Which ways there are to compute a contraction by tensor instructions, and how
// one of them is carried out. The default schedule takes the cheapest; a search
// may take any.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_RULES_TENSORIZE_H
#define NESTOR_RULES_TENSORIZE_H

#include "nestor/Schedule/Schedule.h"
#include "nestor/Target/Target.h"

#include <string>
#include <vector>

namespace nestor {

/// One way: an intrinsic, and which iterators are fused to its axes.
struct TensorWay {
  std::string intrinsic;
  /// "m: 1 2; n: 3; k: 4 5 6", by the block's iterators.
  std::string mapping;
  /// The number of the mapping among those of this intrinsic.
  unsigned number = 0;
  /// Estimated for the target it was asked for.
  double cycles = 0;
};

/// All ways for `block`, also by intrinsics that the target emulates; at most
/// `most` an intrinsic. None: it is no contraction, or none fits.
std::vector<TensorWay> tensorWays(nest::BlockOp block, const Target &target,
                                  size_t most = 64);

/// Carries out a way: copies, padding and packing where operands need them, a
/// macro-tile of instances in registers or tiles, what follows fused.
sched::Outcome tensorizeBy(sched::Schedule &schedule, sched::BlockRef block,
                           const TensorWay &way, const Target &target);

} // namespace nestor

#endif // NESTOR_RULES_TENSORIZE_H
