//===- SplitK.cpp - split_k -----------------------------------------------===//
//
//   for k { S += f(k) }                     ==> split_k k into 4
//   for p in 0..4 { for q { R[p] += f(p * Q + q) } };  for p { S += R[p] }
//
// `split` into so many parts, a predicate where they are not equal, then
// `rfactor` of the outer loop. Tried on a copy first, so that a refusal of the
// second step leaves nothing behind.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "mlir/IR/OwningOpRef.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

static Result<nest::BlockOp> splitAndFactor(RewriterBase &rewriter,
                                            nest::ForOp loop, int64_t parts,
                                            int64_t axis) {
  Result<Loops> loops = sched::split(rewriter, loop, {parts, -1});
  if (!loops)
    return loops.getOutcome();
  return sched::rfactor(rewriter, loops->front(), axis);
}

Result<nest::BlockOp> sched::splitK(RewriterBase &rewriter, nest::ForOp loop,
                                    int64_t parts, int64_t axis) {
  if (parts < 2)
    return Outcome::refused("split_k makes two parts or more, not " +
                            Twine(parts))
        .note(loop, "of this loop");
  nest::FuncOp func = funcOf(loop);
  Operation *copied = nullptr;
  IRMapping mapping;
  OwningOpRef<Operation *> copy(func->clone(mapping));
  // The copy of the loop stands where the loop does.
  SmallVector<Operation *> mine, theirs;
  func->walk([&](nest::ForOp each) { mine.push_back(each); });
  (*copy)->walk([&](nest::ForOp each) { theirs.push_back(each); });
  for (auto [own, other] : llvm::zip_equal(mine, theirs))
    if (own == loop.getOperation())
      copied = other;
  {
    IRRewriter trial(loop->getContext());
    Result<nest::BlockOp> tried =
        splitAndFactor(trial, cast<nest::ForOp>(copied), parts, axis);
    if (!tried) {
      // The copy's operations go: the reason is about the loop.
      Outcome outcome = Outcome::refused(tried.getOutcome().getReason());
      for (const Outcome::Note &note : tried.getOutcome().getNotes())
        (void)std::move(outcome).note(loop, note.text);
      return outcome;
    }
  }
  return splitAndFactor(rewriter, loop, parts, axis);
}

Outcome SplitKOp::run(Invocation &at) {
  return at.call(sched::splitK, getLoop(),
                 MixedParams{getDynamicParts(), getParts()}, getAxis());
}

NESTOR_PRIMITIVE(split_k) = {
    .name = "split_k",
    .family = "reduction",
    .does = "Cuts a reduction into parts that can run side by side.",
    .law = "As for split and rfactor.",
    .refuses = "fewer than two parts\n"
               "what split refuses\n"
               "what rfactor refuses",
    .syntax = "PARTIAL = split_k %loop into [PARTS] axis AXIS",
    .notes = "`split` into so many parts and `rfactor` of the outer loop, or "
             "neither.",
    .before = R"(
nest.func @f(%A: memref<8x64xf32>, %C: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %k = 0 to 64 {
      nest.block "sum" (%v : spatial = %i to 8, %vk : reduce = %k to 64) init {
        %z = arith.constant 0.0 : f32
        memref.store %z, %C[%v] : memref<8xf32>
      } {
        %a = memref.load %A[%v, %vk] : memref<8x64xf32>
        %c = memref.load %C[%v] : memref<8xf32>
        %r = arith.addf %c, %a : f32
        memref.store %r, %C[%v] : memref<8xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%sum = get_block "sum" in %root
%i, %k = get_loops %sum : 2
%part = split_k %k into [4] axis 0
)",
};
