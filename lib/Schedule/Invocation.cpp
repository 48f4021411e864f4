//===- Invocation.cpp - Calling a primitive from its operation ------------===//
//
// See Invocation.h.
//
//===----------------------------------------------------------------------===//
#include "Invocation.h"

#include "nestor/Analysis/Blocks.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

static llvm::SmallDenseSet<Value> buffersIn(Operation *root) {
  llvm::SmallDenseSet<Value> buffers;
  root->walk([&](Operation *op) {
    if (auto load = dyn_cast<memref::LoadOp>(op))
      buffers.insert(load.getMemRef());
    else if (auto store = dyn_cast<memref::StoreOp>(op))
      buffers.insert(store.getMemRef());
  });
  return buffers;
}

Outcome Invocation::checkNests() const {
  if (op->hasTrait<InsideNests>())
    return Outcome::done();
  for (Operation *payload : payloads) {
    if (nest::BlockOp around = analysis::blockAround(payload))
      return Outcome::refused("'" + op->getName().getStringRef() +
                              "' does not work inside of block '" +
                              around.getName() + "'")
          .note(payload, "do this before blockize");
    if (op->hasTrait<AroundNests>())
      continue;
    Operation *root = payload, *top = payload;
    for (; !isa<nest::FuncOp>(root) && root->getParentOp();
         root = root->getParentOp())
      top = root;
    std::optional<llvm::SmallDenseSet<Value>> touched;
    for (nest::BlockOp block : analysis::blocksIn(root)) {
      if (!block.hasNest())
        continue;
      if (!touched)
        touched = buffersIn(top);
      if (top->isAncestor(block) ||
          llvm::any_of(buffersIn(block),
                       [&](Value buffer) { return touched->contains(buffer); }))
        return Outcome::refused(
                   "block '" + block.getName() + "' holds a nest, which '" +
                   op->getName().getStringRef() + "' does not look into")
            .note(block, "do this before blockize");
    }
  }
  return Outcome::done();
}

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

Outcome Invocation::wrongCount(size_t found, StringRef what) const {
  return Outcome::refused("there are " + Twine(found) + " " + what +
                          ", the schedule expects " +
                          Twine(op->getNumResults()));
}
