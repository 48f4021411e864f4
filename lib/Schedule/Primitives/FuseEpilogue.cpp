//===- FuseEpilogue.cpp - fuse_epilogue -----------------------------------===//
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

Outcome sched::fuseEpilogue(RewriterBase &rewriter, nest::BlockOp epilogue,
                            nest::BlockOp reduction) {
  return Outcome::refused("fuse_epilogue is not there yet");
}

Outcome FuseEpilogueOp::run(Invocation &at) {
  return at.call(sched::fuseEpilogue, getEpilogue(), getReduction());
}
