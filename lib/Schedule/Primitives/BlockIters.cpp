//===- BlockIters.cpp - reorder_block_iters -------------------------------===//
//
//   B(u = i, v = j)  ==> [1, 0]  B(v = j, u = i)
//
// A permutation of what a block's iterators are called: instances and their
// order stay.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Outcome sched::reorderBlockIters(RewriterBase &rewriter, nest::BlockOp block,
                                 ArrayRef<int64_t> order) {
  unsigned count = block.getNumIterators();
  llvm::SmallDenseSet<int64_t> seen;
  for (int64_t position : order)
    if (position < 0 || position >= int64_t(count) ||
        !seen.insert(position).second)
      return Outcome::refused("position " + Twine(position) +
                              " is named twice, or " + describe(block) +
                              " has no such iterator")
          .note(block, "it has " + Twine(count));
  if (order.size() != count)
    return Outcome::refused("the order names " + Twine(order.size()) + " of " +
                            Twine(count) + " iterators of " + describe(block))
        .note(block, "every one has to be named");
  AffineSpace space(block);
  BlockForm form = BlockForm::of(block, space), permuted = form;
  SmallVector<int32_t> kinds(block.getKinds()), newKinds;
  for (auto [to, from] : llvm::enumerate(order)) {
    permuted.bindings[to] = form.bindings[from];
    permuted.extents[to] = form.extents[from];
    newKinds.push_back(kinds[from]);
  }
  rewriter.modifyOpInPlace(block, [&]() {
    for (Region *region : {&block.getBody(), &block.getInit()}) {
      if (region->empty())
        continue;
      Block &body = region->front();
      for (int64_t from : order) {
        BlockArgument old = body.getArgument(from);
        old.replaceAllUsesWith(body.addArgument(old.getType(), old.getLoc()));
      }
      body.eraseArguments(0, count);
    }
    block.setKinds(newKinds);
    permuted.write(block, space);
  });
  return Outcome::done();
}

Outcome ReorderBlockItersOp::run(Invocation &at) {
  return at.call(sched::reorderBlockIters, getBlock(), getOrder());
}

NESTOR_PRIMITIVE(reorder_block_iters) = {
    .name = "reorder_block_iters",
    .family = "loops",
    .does = "Writes the iterators of a block in another order.",
    .law = "Nothing runs in another order; later primitives that "
           "speak of positions do.",
    .refuses = "lists that do not name every position once",
    .syntax = "reorder_block_iters %block to [A, B, ...]",
    .notes = R"(
The iterator at position `order[i]` moves to position `i`.
)",
    .before = R"(
nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 4 {
      nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
        %a = memref.load %A[%u, %v] : memref<8x4xf32>
        memref.store %a, %B[%u, %v] : memref<8x4xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
reorder_block_iters %b to [1, 0]
)",
};
