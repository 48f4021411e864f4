//===- FuseReductions.cpp - fuse_reductions -------------------------------===//
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

Result<nest::BlockOp> sched::fuseReductions(RewriterBase &rewriter,
                                            ArrayRef<nest::BlockOp> blocks,
                                            nest::ForOp loop) {
  return Outcome::refused("fuse_reductions is not there yet");
}

Outcome FuseReductionsOp::run(Invocation &at) {
  return at.call(sched::fuseReductions, getBlocks(), getLoop());
}
