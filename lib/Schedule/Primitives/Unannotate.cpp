//===- Unannotate.cpp - unannotate ----------------------------------------===//
//
// Takes away what annotate set; hints alone, so the meaning stays.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

Outcome sched::unannotate(RewriterBase &rewriter, Operation *op,
                          StringRef key) {
  auto loop = dyn_cast<nest::ForOp>(op);
  auto block = dyn_cast<nest::BlockOp>(op);
  if (!loop && !block)
    return Outcome::refused("only loops and blocks carry annotations")
        .note(op, "this is neither");
  DictionaryAttr old =
      loop ? loop.getAnnotationsAttr() : block.getAnnotationsAttr();
  if (!old || !old.contains(key))
    return Outcome::refused(describe(op) + " has no annotation '" + key + "'")
        .note(op, "here");
  if (loop && loop.getKind() == nest::LoopKind::Bind && key == "axis")
    return Outcome::refused("the axis of " + describe(op) +
                            " is part of its kind")
        .note(op, "a bound loop needs one; bind it to another");
  NamedAttrList list(old.getValue());
  list.erase(key);
  rewriter.modifyOpInPlace(op, [&]() {
    DictionaryAttr rest =
        list.empty() ? DictionaryAttr() : list.getDictionary(op->getContext());
    if (loop)
      rest ? loop.setAnnotationsAttr(rest) : (void)loop.removeAnnotationsAttr();
    else
      rest ? block.setAnnotationsAttr(rest)
           : (void)block.removeAnnotationsAttr();
  });
  return Outcome::done();
}

Outcome UnannotateOp::run(Invocation &at) {
  return at.call(sched::unannotate, getTarget(), getKey());
}

NESTOR_PRIMITIVE(unannotate) = {
    .name = "unannotate",
    .family = "kinds",
    .does = "Removes an annotation of a loop or a block.",
    .law = "",
    .refuses = "what is neither loop nor block\n"
               "a key that is not there\n"
               "the axis of a bound loop",
    .syntax = "unannotate %target : TYPE \"KEY\"",
    .notes = "",
    .before = R"(
nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 4 annotate {note = "old"} {
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
%i, %j = get_loops %b : 2
unannotate %j : !transform.op<"nest.for"> "note"
)",
};
