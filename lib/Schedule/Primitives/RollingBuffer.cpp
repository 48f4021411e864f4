//===- RollingBuffer.cpp - rolling_buffer ---------------------------------===//
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

Outcome sched::rollingBuffer(RewriterBase &rewriter, nest::BlockOp block,
                             int64_t buffer) {
  return Outcome::refused("rolling_buffer is not there yet");
}

Outcome RollingBufferOp::run(Invocation &at) {
  return at.call(sched::rollingBuffer, getBlock(), getBuffer());
}
