//===- Prefetch.cpp - prefetch --------------------------------------------===//
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

Outcome sched::prefetch(RewriterBase &rewriter, nest::BlockOp block,
                        int64_t buffer, nest::ForOp loop, int64_t distance) {
  return Outcome::refused("prefetch is not there yet");
}

Outcome PrefetchOp::run(Invocation &at) {
  return at.call(sched::prefetch, getBlock(), getBuffer(), getLoop(),
                 MixedParams{getDynamicDistance(), getDistance()});
}
