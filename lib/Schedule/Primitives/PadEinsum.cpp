//===- PadEinsum.cpp - pad_einsum -----------------------------------------===//
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

Outcome sched::padEinsum(RewriterBase &rewriter, nest::BlockOp block,
                         ArrayRef<int64_t> multiples) {
  return Outcome::refused("pad_einsum is not there yet");
}

Outcome PadEinsumOp::run(Invocation &at) {
  return at.call(sched::padEinsum, getBlock(),
                 MixedParams{getDynamicMultiples(), getMultiples()});
}
