//===- StorageAlign.cpp - storage_align -----------------------------------===//
//
//   T = alloc 16 x 64                  ==> storage_align axis 0 factor 32
//   offset 8 T = alloc 16 x 64, rows 72 apart   (72 mod 32 = 8)
//
// An attribute of the alloc (nestor/Dialect/Nest/Padding.h): indices and
// meaning stay, addresses change.
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include "nestor/Dialect/Nest/Padding.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

/// A page of the smallest elements: more is waste.
static constexpr int64_t kMostFactor = 4096;

Outcome sched::storageAlign(RewriterBase &rewriter, nest::BlockOp block,
                            int64_t number, int64_t axis, int64_t factor,
                            int64_t offset) {
  Result<Value> buffer = nthBuffer(block, BufferRole::Write, number);
  if (!buffer)
    return buffer.getOutcome();
  auto alloc = (*buffer).getDefiningOp<nest::AllocOp>();
  if (!alloc)
    return Outcome::refused(describe(block) + " writes " + describe(*buffer))
        .note(block, "the strides of an argument are the caller's; cache_write "
                     "gives the block a buffer of its own");
  if (alloc.getScope() == nest::kRegisterScope)
    return Outcome::refused(describe(*buffer) + " lives in registers")
        .note(alloc, "these have no addresses; set_scope to \"shared\"");
  auto type = cast<MemRefType>(alloc.getType());
  if (axis < 0 || axis + 1 >= type.getRank())
    return Outcome::refused("dim " + Twine(axis) + " of " + describe(*buffer) +
                            " has no stride to choose")
        .note(alloc, "name a dim outside of the innermost one");
  if (factor < 1 || factor > kMostFactor)
    return Outcome::refused("factor " + Twine(factor) +
                            " is not between 1 and " + Twine(kMostFactor))
        .note(alloc, "strides are numbers of elements");
  if (offset < 0 || offset >= factor)
    return Outcome::refused("offset " + Twine(offset) +
                            " is not between 0 and factor " + Twine(factor))
        .note(alloc, "it is what is left of the stride modulo the factor");
  for (int64_t extent : type.getShape().drop_front(axis + 1))
    if (ShapedType::isDynamic(extent))
      return Outcome::refused("the dims inside dim " + Twine(axis) + " of " +
                              describe(*buffer) + " are not all constants")
          .note(alloc, "its stride is known at run time only; tile the buffer "
                       "with transform_layout first");
  // The last word on an axis counts.
  SmallVector<int64_t> numbers;
  if (auto old = alloc->getAttrOfType<DenseI64ArrayAttr>(nest::kAlignAttr))
    for (int64_t i = 0; i < old.size(); i += 3)
      if (old[i] != axis)
        numbers.append({old[i], old[i + 1], old[i + 2]});
  numbers.append({axis, factor, offset});
  rewriter.modifyOpInPlace(alloc, [&]() {
    alloc->setAttr(nest::kAlignAttr, rewriter.getDenseI64ArrayAttr(numbers));
  });
  return Outcome::done();
}

Outcome StorageAlignOp::run(Invocation &at) {
  return at.call(sched::storageAlign, getBlock(), getBuffer(), getAxis(),
                 getFactor(), getOffset());
}

NESTOR_PRIMITIVE(storage_align) = {
    .name = "storage_align",
    .family = "data",
    .does = "Pads the stride of a dim of a buffer.",
    .law = "Indices stay, so nothing can break.",
    .refuses = "arguments of the kernel and buffers in registers\n"
               "the innermost dim\n"
               "a factor below 1 or above 4096, an offset that is not "
               "below the factor\n"
               "dims whose stride is known at run time only",
    .syntax = "storage_align %block write NUMBER axis AXIS factor "
              "FACTOR offset OFFSET",
    .notes = R"(
The stride of the dim becomes OFFSET modulo FACTOR, in elements, so that rows do not meet
in the same cache sets, or start at whole vectors. `transform_layout` drops it.
)",
    .before = R"(
nest.func @f(%A: memref<16x64xf32>, %B: memref<16x64xf32>) {
  %T = nest.alloc : memref<16x64xf32>
  nest.for %i = 0 to 16 {
    nest.for %j = 0 to 64 {
      nest.block "T" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
        %a = memref.load %A[%vi, %vj] : memref<16x64xf32>
        memref.store %a, %T[%vi, %vj] : memref<16x64xf32>
      }
    }
  }
  nest.for %i = 0 to 16 {
    nest.for %j = 0 to 64 {
      nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
        %a = memref.load %T[%vi, %vj] : memref<16x64xf32>
        memref.store %a, %B[%vi, %vj] : memref<16x64xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%t = get_block "T" in %root
storage_align %t write 0 axis 0 factor 32 offset 8
)",
};
