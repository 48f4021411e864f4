//===- Query.cpp - get_block, get_loops -----------------------------------===//
//
// Pure: they find blocks and loops, and change nothing.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Result<nest::BlockOp> sched::getBlock(Operation *root, StringRef name) {
  SmallVector<nest::BlockOp> found;
  std::string names;
  for (nest::BlockOp block : allBlocksIn(root)) {
    if (block.getName() == name)
      found.push_back(block);
    names += (names.empty() ? "'" : ", '") + block.getName().str() + "'";
  }
  if (found.size() == 1)
    return found.front();
  if (found.empty())
    return Outcome::refused("there is no block '" + name + "'")
        .note(root, "it has the blocks " + names);
  return Outcome::refused("there are " + Twine(found.size()) +
                          " blocks named '" + name + "'")
      .note(found[0], "here")
      .note(found[1], "and here; give the kernel as root, or rename one");
}

Result<Loops> sched::getLoops(nest::BlockOp block) {
  return loopsAround(block);
}

Outcome GetBlockOp::run(Invocation &at) {
  return at.ask(sched::getBlock, getRoot(), getName());
}

Outcome GetLoopsOp::run(Invocation &at) {
  return at.ask(sched::getLoops, getBlock());
}
