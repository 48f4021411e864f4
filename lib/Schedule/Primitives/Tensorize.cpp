//===- Tensorize.cpp - tensorize ------------------------------------------===//
//
//   C_o(..) { for n < 16 { for k < 4 { C += A * B } } }
//     ==> tensorize C_o with "x86.vpdpbusd.512"
//   C_o(..) annotate {intrinsic = "x86.vpdpbusd.512"} { the same }
//
// The nest inside stays: it is what the block means. Which loop is which axis
// and where the operands lie is read from it again when code is made.
//
//===----------------------------------------------------------------------===//
#include "../Annotations.h"
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Intrin/Match.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

/// Some names, for those who mistyped one.
static std::string knownIntrinsics(StringRef wanted) {
  std::vector<std::pair<unsigned, StringRef>> near;
  for (const intrin::Record &record : intrin::records())
    near.push_back({wanted.edit_distance(record.name), record.name});
  llvm::sort(near);
  std::string text;
  for (auto [distance, name] : ArrayRef(near).take_front(4))
    text += (text.empty() ? "'" : ", '") + name.str() + "'";
  return text;
}

Outcome sched::tensorize(RewriterBase &rewriter, nest::BlockOp block,
                         StringRef intrinsic) {
  const intrin::Record *record = intrin::find(intrinsic);
  if (!record)
    return Outcome::refused("there is no intrinsic '" + intrinsic + "'")
        .note(block, "near to it are " + knownIntrinsics(intrinsic));
  analysis::Obstacle obstacle;
  if (!intrin::match(*record, block, obstacle))
    return Outcome::refused(describe(block) + " is no '" + intrinsic +
                            "': it " + obstacle.text)
        .note(obstacle.where ? obstacle.where : block.getOperation(),
              obstacle.remedy);
  setAnnotation(rewriter, block, nest::kIntrinsic,
                rewriter.getStringAttr(intrinsic));
  return Outcome::done();
}

Outcome TensorizeOp::run(Invocation &at) {
  return at.call(sched::tensorize, getBlock(), getIntrinsic());
}

NESTOR_PRIMITIVE(tensorize) = {
    .name = "tensorize",
    .family = "tensor",
    .does = "Makes one tensor instruction of a block that holds a nest.",
    .law =
        "The nest inside computes what the intrinsic's record says: a sum of "
        "products over its axes, of its types and signs, with every operand "
        "in memory as the record wants it.",
    .refuses = "names of no intrinsic\n"
               "blocks that hold no nest, more than one chain of loops, a "
               "buffer, loops with a kind or without constant bounds from 0, "
               "or the start of the sum\n"
               "a predicate inside that may cut the instance\n"
               "what is no sum of products, or a product of more than two "
               "factors\n"
               "factors and sums of another type, or widened by another sign\n"
               "loops that move other operands than the record's axes, or run "
               "another number of steps\n"
               "operands that lie in memory in another way",
    .syntax = "tensorize %block with \"NAME\"",
    .notes = R"(
The nest stays and is what the block means; a block whose nest was changed afterwards
and is no such instruction any more runs as the nest that it is. Whether the target
has the instruction is no question of legality: where it has not, code that computes
the same takes its place.
)",
    .before = R"(
nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
  nest.for %j = 0 to 16 {
    nest.for %k = 0 to 4 {
      nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
        %a = memref.load %A[%vk] : memref<4xi8>
        %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
        %c = memref.load %C[%vj] : memref<16xi32>
        %x = arith.extui %a : i8 to i32
        %y = arith.extsi %b : i8 to i32
        %p = arith.muli %x, %y : i32
        %s = arith.addi %c, %p : i32
        memref.store %s, %C[%vj] : memref<16xi32>
      }
    }
  }
}
)",
    .schedule = R"(
%c = get_block "C" in %root
%j, %k = get_loops %c : 2
%o = blockize %j
tensorize %o with "x86.vpdpbusd.512"
)",
};
