//===- Annotate.cpp - annotate --------------------------------------------===//
//
//   for i in 0..n parallel { S }  ==>  for i in 0..n parallel annotate {...} {
//   S }
//
// Annotations are hints for lowering; none changes the meaning. The table of
// those that exist is lib/Schedule/Annotations.def.
//
//===----------------------------------------------------------------------===//
#include "../Annotations.h"
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

namespace {
enum class ValueType { Positive, String, List, Any };
enum class Target { Loop, Both };
struct Annotation {
  StringRef key;
  ValueType type;
  Target target;
  StringRef setter, meaning;
};
} // namespace

static const Annotation kAnnotations[] = {
#define ANNOTATION(KEY, TYPE, TARGET, SETTER, MEANING)                         \
  {KEY, ValueType::TYPE, Target::TARGET, SETTER, MEANING},
#include "../Annotations.def"
#undef ANNOTATION
};

static bool fits(ValueType type, Attribute value) {
  switch (type) {
  case ValueType::Positive: {
    auto number = dyn_cast<IntegerAttr>(value);
    return number && number.getValue().isStrictlyPositive();
  }
  case ValueType::String:
    return isa<StringAttr>(value);
  case ValueType::List:
    return isa<ArrayAttr>(value);
  case ValueType::Any:
    return true;
  }
  return false;
}

static StringRef nameOf(ValueType type) {
  switch (type) {
  case ValueType::Positive:
    return "a positive integer";
  case ValueType::String:
    return "a string";
  case ValueType::List:
    return "a list";
  case ValueType::Any:
    return "anything";
  }
  return "";
}

Outcome sched::checkAnnotation(Operation *op, StringRef key, Attribute value) {
  if (!isa<nest::ForOp, nest::BlockOp>(op))
    return Outcome::refused("only loops and blocks carry annotations")
        .note(op, "this is neither");
  StringRef listed = key.starts_with("note.") ? "note" : key;
  const auto *known = llvm::find_if(
      kAnnotations, [&](const Annotation &one) { return one.key == listed; });
  if (known == std::end(kAnnotations)) {
    std::string keys;
    for (const Annotation &one : kAnnotations)
      if (one.setter == "annotate")
        keys += (keys.empty() ? "" : ", ") + ("'" + one.key + "'").str();
    return Outcome::refused("there is no annotation '" + key + "'")
        .note(op, "those that can be set are " + keys);
  }
  if (known->setter != "annotate")
    return Outcome::refused("the annotation '" + key + "' is not set by hand")
        .note(op, known->meaning + "; use " + known->setter);
  if (known->target == Target::Loop && !isa<nest::ForOp>(op))
    return Outcome::refused("the annotation '" + key + "' belongs to loops")
        .note(op, known->meaning);
  if (!fits(known->type, value))
    return Outcome::refused("the annotation '" + key + "' is " +
                            nameOf(known->type))
        .note(op, known->meaning);
  return Outcome::done();
}

void sched::setAnnotation(RewriterBase &rewriter, Operation *op, StringRef key,
                          Attribute value) {
  auto with = [&](DictionaryAttr old) {
    NamedAttrList list(old ? old.getValue() : ArrayRef<NamedAttribute>());
    list.set(key, value);
    return list.getDictionary(op->getContext());
  };
  rewriter.modifyOpInPlace(op, [&]() {
    if (auto loop = dyn_cast<nest::ForOp>(op))
      loop.setAnnotationsAttr(with(loop.getAnnotationsAttr()));
    else if (auto block = dyn_cast<nest::BlockOp>(op))
      block.setAnnotationsAttr(with(block.getAnnotationsAttr()));
  });
}

Outcome sched::annotate(RewriterBase &rewriter, Operation *op, StringRef key,
                        Attribute value) {
  if (Outcome outcome = checkAnnotation(op, key, value); !outcome.isDone())
    return outcome;
  setAnnotation(rewriter, op, key, value);
  return Outcome::done();
}

Outcome AnnotateOp::run(Invocation &at) {
  return at.call(sched::annotate, getTarget(), getKey(), getValue());
}

NESTOR_PRIMITIVE(annotate) = {
    .name = "annotate",
    .family = "kinds",
    .does = "Sets an annotation of a loop or a block.",
    .law = "Annotations are hints; none changes the meaning.",
    .refuses = "what is neither loop nor block\n"
               "keys that are not in the table, or that another "
               "primitive sets\n"
               "values of another type, and targets of another "
               "kind, than the table says",
    .syntax = "annotate %target : TYPE \"KEY\" = VALUE",
    .notes = "| key | value | on | set by | meaning |\n"
             "|---|---|---|---|---|\n"
#define ANNOTATION(KEY, TYPE, TARGET, SETTER, MEANING)                         \
  "| " KEY " | " #TYPE " | " #TARGET " | " SETTER " | " MEANING " |\n"
#include "../Annotations.def"
#undef ANNOTATION
    ,
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
annotate %j : !transform.op<"nest.for"> "note" = "the row"
)",
};
