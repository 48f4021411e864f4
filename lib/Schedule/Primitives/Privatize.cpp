//===- Privatize.cpp - privatize ------------------------------------------===//
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

Outcome sched::privatize(RewriterBase &rewriter, nest::BlockOp block,
                         int64_t buffer, nest::ForOp loop) {
  return Outcome::refused("privatize is not there yet");
}

Outcome PrivatizeOp::run(Invocation &at) {
  return at.call(sched::privatize, getBlock(), getBuffer(), getLoop());
}
