//===- StorageAlign.cpp - storage_align -----------------------------------===//
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

Outcome sched::storageAlign(RewriterBase &rewriter, nest::BlockOp block,
                            int64_t buffer, int64_t axis, int64_t factor,
                            int64_t offset) {
  return Outcome::refused("storage_align is not there yet");
}

Outcome StorageAlignOp::run(Invocation &at) {
  return at.call(sched::storageAlign, getBlock(), getBuffer(), getAxis(),
                 getFactor(), getOffset());
}
