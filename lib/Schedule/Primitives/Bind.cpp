//===- Bind.cpp - bind ----------------------------------------------------===//
//
//   for i in 0..n { S }  ==>  for i in 0..n bind {axis} { S }
//
// Legal when parallel is: positions of an axis run at once.
//
//===----------------------------------------------------------------------===//
#include "../Annotations.h"
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

static bool hasAxis(nest::ForOp loop, StringRef axis) {
  DictionaryAttr annotations = loop.getAnnotationsAttr();
  auto name =
      annotations ? annotations.getAs<StringAttr>("axis") : StringAttr();
  return loop.getKind() == nest::LoopKind::Bind && name &&
         name.getValue() == axis;
}

Outcome sched::bind(RewriterBase &rewriter, nest::ForOp loop, StringRef axis) {
  auto [unit, dim] = axis.split('.');
  if ((unit != "block" && unit != "thread") ||
      (dim != "x" && dim != "y" && dim != "z"))
    return Outcome::refused("there is no axis \"" + axis +
                            "\"; the axes are block and thread .x, .y and .z")
        .note(loop, "of this loop");
  nest::ForOp other;
  for (nest::ForOp around : analysis::loopsAround(loop))
    if (hasAxis(around, axis))
      other = around;
  loop->walk([&](nest::ForOp inner) {
    if (inner != loop && hasAxis(inner, axis))
      other = inner;
  });
  if (other)
    return Outcome::refused(describe(other) + " has the axis \"" + axis +
                            "\" already")
        .note(other, "loops inside each other need axes of their own");
  if (Outcome outcome = setLoopKind(rewriter, loop, nest::LoopKind::Bind);
      !outcome.isDone())
    return outcome;
  setAnnotation(rewriter, loop, "axis", rewriter.getStringAttr(axis));
  return Outcome::done();
}

Outcome BindOp::run(Invocation &at) {
  return at.call(sched::bind, getLoop(), getAxis());
}

NESTOR_PRIMITIVE(bind) = {
    .name = "bind",
    .family = "kinds",
    .does = "Makes positions on an axis of a GPU of the iterations "
            "of a loop.",
    .law = "As for `parallel`: positions run at once.",
    .refuses = "axes other than block.x, .y, .z and thread.x, .y, "
               ".z\n"
               "an axis that a loop around or inside has\n"
               "what `parallel` refuses",
    .syntax = "bind %loop to \"AXIS\"",
    .notes = R"(
Where there is no such machine the loop runs in order.
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
%i, %j = get_loops %b : 2
bind %i to "block.x"
)",
};
