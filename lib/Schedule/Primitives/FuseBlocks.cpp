//===- FuseBlocks.cpp - fuse_blocks ---------------------------------------===//
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

Outcome sched::fuseBlocks(RewriterBase &rewriter, nest::BlockOp first,
                          nest::BlockOp second, ArrayRef<int64_t> shift) {
  return Outcome::refused("fuse_blocks is not there yet");
}

Outcome FuseBlocksOp::run(Invocation &at) {
  return at.call(sched::fuseBlocks, getFirst(), getSecond(), getShift());
}
