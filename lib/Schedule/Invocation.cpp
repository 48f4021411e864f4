//===- Invocation.cpp - Calling a primitive from its operation ------------===//
//
// See Invocation.h.
//
//===----------------------------------------------------------------------===//
#include "Invocation.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

Outcome Invocation::read(MixedParams params, SmallVector<int64_t> &into) {
  unsigned next = 0;
  for (int64_t number : params.numbers) {
    into.push_back(number);
    if (!ShapedType::isDynamic(number))
      continue;
    if (Outcome outcome = paramOf(params.dynamic[next++], into.back());
        !outcome.isDone())
      return outcome;
  }
  return Outcome::done();
}

Outcome Invocation::read(MixedParams params, int64_t &into) {
  SmallVector<int64_t> numbers;
  if (Outcome outcome = read(params, numbers); !outcome.isDone())
    return outcome;
  if (numbers.size() != 1)
    return Outcome::refused("expected one number, there are " +
                            Twine(numbers.size()));
  into = numbers.front();
  return Outcome::done();
}

Outcome Invocation::wrongKind(Operation *found, StringRef wanted) const {
  return Outcome::refused("the handle holds '" +
                          found->getName().getStringRef() + "', not '" +
                          wanted + "'");
}

Outcome Invocation::wrongCount(size_t found) const {
  return Outcome::refused("there are " + Twine(found) +
                          " of them, the schedule expects " +
                          Twine(op->getNumResults()));
}
