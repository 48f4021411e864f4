//===- Pipeline.cpp - pipeline --------------------------------------------===//
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

Outcome sched::pipeline(RewriterBase &rewriter, nest::ForOp loop,
                        ArrayRef<int64_t> stages, ArrayRef<int64_t> order) {
  return Outcome::refused("pipeline is not there yet");
}

Outcome PipelineOp::run(Invocation &at) {
  return at.call(sched::pipeline, getLoop(), getStages(), getOrder());
}
