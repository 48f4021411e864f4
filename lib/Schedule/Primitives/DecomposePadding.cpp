//===- DecomposePadding.cpp - decompose_padding ---------------------------===//
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

Result<nest::BlockOp> sched::decomposePadding(RewriterBase &rewriter,
                                              nest::BlockOp block,
                                              nest::ForOp loop) {
  return Outcome::refused("decompose_padding is not there yet");
}

Outcome DecomposePaddingOp::run(Invocation &at) {
  return at.call(sched::decomposePadding, getBlock(), getLoop());
}
