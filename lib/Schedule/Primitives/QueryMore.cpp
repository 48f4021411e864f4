//===- QueryMore.cpp - Blocks by what they have to do with others ---------===//
//
// Pure: get_child_blocks, get_producers, get_consumers, get_output_blocks.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Result<Blocks> sched::getChildBlocks(nest::ForOp loop) {
  return Blocks(blocksIn(loop));
}

/// Whether `consumer` reads what `producer` writes.
static bool passesTo(nest::BlockOp producer, nest::BlockOp consumer) {
  return llvm::any_of(writtenBuffers(producer), [&](Value buffer) {
    return readsBuffer(consumer, buffer);
  });
}

/// The blocks of the nest that holds `block`.
static Blocks blocksBeside(nest::BlockOp block) {
  nest::BlockOp around = blockAround(block);
  return blocksIn(around ? around.getOperation() : funcOf(block));
}

Result<Blocks> sched::getProducers(nest::BlockOp block) {
  Blocks found;
  for (nest::BlockOp other : blocksBeside(block))
    if (other != block && isBefore(other, block) && passesTo(other, block))
      found.push_back(other);
  return found;
}

Result<Blocks> sched::getConsumers(nest::BlockOp block) {
  Blocks found;
  for (nest::BlockOp other : blocksBeside(block))
    if (other != block && isBefore(block, other) && passesTo(block, other))
      found.push_back(other);
  return found;
}

Result<Blocks> sched::getOutputBlocks(Operation *root) {
  Blocks found;
  for (nest::BlockOp block : blocksIn(root))
    if (llvm::any_of(writtenBuffers(block),
                     [](Value buffer) { return isa<BlockArgument>(buffer); }))
      found.push_back(block);
  return found;
}

Outcome GetChildBlocksOp::run(Invocation &at) {
  return at.ask(sched::getChildBlocks, getLoop());
}

Outcome GetProducersOp::run(Invocation &at) {
  return at.ask(sched::getProducers, getBlock());
}

Outcome GetConsumersOp::run(Invocation &at) {
  return at.ask(sched::getConsumers, getBlock());
}

Outcome GetOutputBlocksOp::run(Invocation &at) {
  return at.ask(sched::getOutputBlocks, getRoot());
}

NESTOR_PRIMITIVE(get_child_blocks) = {
    .name = "get_child_blocks",
    .family = "query",
    .does = "Gives the blocks below a loop, in program order.",
    .law = "",
    .refuses = "another number of results than of blocks",
    .syntax = "%blocks:N = get_child_blocks %loop : N",
    .notes = "",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>, %C: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.block "S" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %B[%v] : memref<8xf32>
    }
    nest.block "T" (%v : spatial = %i to 8) {
      %b = memref.load %B[%v] : memref<8xf32>
      memref.store %b, %C[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%s = get_block "S" in %root
%i = get_loops %s : 1
%x, %y = get_child_blocks %i : 2
annotate %y : !transform.op<"nest.block"> "note" = "second"
)",
};

NESTOR_PRIMITIVE(get_producers) = {
    .name = "get_producers",
    .family = "query",
    .does = "Gives the blocks before a block that write what it "
            "reads.",
    .law = "",
    .refuses = "another number of results than of blocks",
    .syntax = "%blocks:N = get_producers %block : N",
    .notes = "",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
  %T = nest.alloc : memref<8xf32>
  nest.for %i = 0 to 8 {
    nest.block "P" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      %t = arith.addf %a, %a : f32
      memref.store %t, %T[%v] : memref<8xf32>
    }
  }
  nest.for %i = 0 to 8 {
    nest.block "C" (%v : spatial = %i to 8) {
      %t = memref.load %T[%v] : memref<8xf32>
      %c = arith.negf %t : f32
      memref.store %c, %B[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%c = get_block "C" in %root
%p = get_producers %c : 1
annotate %p : !transform.op<"nest.block"> "note" = "producer"
)",
};

NESTOR_PRIMITIVE(get_consumers) = {
    .name = "get_consumers",
    .family = "query",
    .does = "Gives the blocks after a block that read what it "
            "writes.",
    .law = "",
    .refuses = "another number of results than of blocks",
    .syntax = "%blocks:N = get_consumers %block : N",
    .notes = "",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
  %T = nest.alloc : memref<8xf32>
  nest.for %i = 0 to 8 {
    nest.block "P" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      %t = arith.addf %a, %a : f32
      memref.store %t, %T[%v] : memref<8xf32>
    }
  }
  nest.for %i = 0 to 8 {
    nest.block "C" (%v : spatial = %i to 8) {
      %t = memref.load %T[%v] : memref<8xf32>
      %c = arith.negf %t : f32
      memref.store %c, %B[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
%c = get_consumers %p : 1
annotate %c : !transform.op<"nest.block"> "note" = "consumer"
)",
};

NESTOR_PRIMITIVE(get_output_blocks) = {
    .name = "get_output_blocks",
    .family = "query",
    .does = "Gives the blocks that write an argument of the "
            "kernel, in program order.",
    .law = "",
    .refuses = "another number of results than of blocks",
    .syntax = "%blocks:N = get_output_blocks in %root, N",
    .notes = "",
    .before = R"(
nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
  %T = nest.alloc : memref<8xf32>
  nest.for %i = 0 to 8 {
    nest.block "P" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      %t = arith.addf %a, %a : f32
      memref.store %t, %T[%v] : memref<8xf32>
    }
  }
  nest.for %i = 0 to 8 {
    nest.block "C" (%v : spatial = %i to 8) {
      %t = memref.load %T[%v] : memref<8xf32>
      %c = arith.negf %t : f32
      memref.store %c, %B[%v] : memref<8xf32>
    }
  }
}
)",
    .schedule = R"(
%c = get_output_blocks in %root, 1
annotate %c : !transform.op<"nest.block"> "note" = "output"
)",
};
