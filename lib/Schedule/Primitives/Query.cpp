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

NESTOR_PRIMITIVE(get_block) = {
    .name = "get_block",
    .family = "query",
    .does = "Finds a block by its name.",
    .law = "",
    .refuses = "a name that no block has, or more than one",
    .syntax = "%block = get_block \"NAME\" in %root",
    .notes = "",
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
annotate %b : !transform.op<"nest.block"> "note" = "found"
)",
};

NESTOR_PRIMITIVE(get_loops) = {
    .name = "get_loops",
    .family = "query",
    .does = "Gives the loops around a block, outermost first.",
    .law = "",
    .refuses = "another number of results than of loops",
    .syntax = "%loops:N = get_loops %block : N",
    .notes = "",
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
annotate %j : !transform.op<"nest.for"> "note" = "inner"
)",
};
