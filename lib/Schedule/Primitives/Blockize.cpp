//===- Blockize.cpp - blockize --------------------------------------------===//
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

Result<nest::BlockOp> sched::blockize(RewriterBase &rewriter,
                                      nest::ForOp loop) {
  return Outcome::refused("blockize is not there yet");
}

Outcome BlockizeOp::run(Invocation &at) {
  return at.call(sched::blockize, getLoop());
}
