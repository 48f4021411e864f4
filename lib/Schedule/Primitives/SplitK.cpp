//===- SplitK.cpp - split_k -----------------------------------------------===//
//
//   TODO(owner)
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Result<nest::BlockOp> sched::splitK(RewriterBase &rewriter, nest::ForOp loop,
                                    int64_t parts, int64_t axis) {
  return Outcome::refused("split_k is not there yet");
}

Outcome SplitKOp::run(Invocation &at) {
  return at.call(sched::splitK, getLoop(),
                 MixedParams{getDynamicParts(), getParts()}, getAxis());
}
