//===- CacheInplace.cpp - cache_inplace -----------------------------------===//
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

Result<std::pair<nest::BlockOp, nest::BlockOp>>
sched::cacheInplace(RewriterBase &rewriter, nest::BlockOp block, int64_t buffer,
                    StringRef scope) {
  return Outcome::refused("cache_inplace is not there yet");
}

Outcome CacheInplaceOp::run(Invocation &at) {
  return at.call(sched::cacheInplace, getBlock(), getBuffer(), getScope());
}
