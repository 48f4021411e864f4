//===- Bind.cpp - bind ----------------------------------------------------===//
//
//   for i in 0..n { S }  ==>  for i in 0..n bind {axis} { S }
//
// Legal when parallel is: positions of an axis run at once.
//
//===----------------------------------------------------------------------===//
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
  return annotate(rewriter, loop, "axis", rewriter.getStringAttr(axis));
}

Outcome BindOp::run(Invocation &at) {
  return at.call(sched::bind, getLoop(), getAxis());
}
