//===- DoubleBuffer.cpp - double_buffer -----------------------------------===//
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

Outcome sched::doubleBuffer(RewriterBase &rewriter, nest::BlockOp block,
                            int64_t buffer) {
  return Outcome::refused("double_buffer is not there yet");
}

Outcome DoubleBufferOp::run(Invocation &at) {
  return at.call(sched::doubleBuffer, getBlock(), getBuffer());
}
