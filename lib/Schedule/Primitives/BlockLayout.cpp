//===- BlockLayout.cpp - transform_block_layout ---------------------------===//
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

Outcome sched::transformBlockLayout(RewriterBase &rewriter, nest::BlockOp block,
                                    AffineMap map) {
  return Outcome::refused("transform_block_layout is not there yet");
}

Outcome TransformBlockLayoutOp::run(Invocation &at) {
  return at.call(sched::transformBlockLayout, getBlock(), getMap());
}
