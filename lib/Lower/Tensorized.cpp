//===- Tensorized.cpp - Blocks that are one tensor instruction ------------===//
//
// The record emits the instruction; here its operands become windows:
//
//   C_o(vo) annotate {intrinsic = "x86.vpdpbusd.512"} { for n { for k { .. } }
//   }
//   ==>
//   %acc = load C; %b = load B; %a = load A
//   %r = device.dot vpdpbusd %acc, %a, %b; store %r, C
//
// An accumulator in scope "register" or "tile" is carried by values afterwards
// (Registers.cpp, Tiles.cpp), and a window that several instructions load is
// loaded once (CSE). A block whose nest is no instance of its record any more
// runs as that nest.
//
//===----------------------------------------------------------------------===//
#include "KernelEmitter.h"

#include "nestor/Intrin/Match.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

struct KernelEmitter::Tensorized {
  const intrin::Record *record;
  intrin::Match match;
};

const KernelEmitter::Tensorized *
KernelEmitter::tensorized(nest::BlockOp block) {
  DictionaryAttr annotations = block.getAnnotationsAttr();
  auto name = annotations ? annotations.getAs<StringAttr>(nest::kIntrinsic)
                          : StringAttr();
  if (!name || mode.lanes > 0 || mode.mask)
    return nullptr;
  auto [entry, isNew] = instances.try_emplace(block);
  if (isNew)
    if (const intrin::Record *record = intrin::find(name)) {
      analysis::Obstacle obstacle;
      if (auto match = intrin::match(*record, block, obstacle))
        entry->second = std::make_shared<const Tensorized>(
            Tensorized{record, std::move(*match)});
    }
  return entry->second.get();
}

/// One step of each free dim of an operand, in elements.
SmallVector<Value>
KernelEmitter::windowStrides(const Buffer &buffer,
                             ArrayRef<SmallVector<int64_t>> steps) {
  SmallVector<LinearIndex> strides(buffer.dims.size(),
                                   LinearIndex::ofConstant(1));
  for (int64_t d = static_cast<int64_t>(strides.size()) - 1; d > 0; --d)
    strides[d - 1] = outerStride(buffer, d, strides[d]);
  SmallVector<Value> result;
  for (ArrayRef<int64_t> step : steps) {
    LinearIndex sum;
    for (auto [stride, count] : llvm::zip_equal(strides, step))
      if (count != 0)
        sum = sum + stride * count;
    result.push_back(sum.isConstant() ? Value(arith::ConstantIntOp::create(
                                            builder, loc, sum.constant, 64))
                                      : Value(arith::IndexCastOp::create(
                                            builder, loc, builder.getI64Type(),
                                            sum.materialize(builder, loc))));
  }
  return result;
}

LogicalResult KernelEmitter::emitTensorized(const Tensorized &instance) {
  const auto &[record, match] = instance;
  nest::BlockOp leaf = match.leaf;
  // The windows begin where all loops inside are at 0.
  for (nest::ForOp loop : match.loops)
    linears[loop.getInductionVar()] = LinearIndex::ofConstant(0);
  AffineMap bindings = leaf.getBindings();
  for (auto [i, binding] : llvm::enumerate(bindings.getResults()))
    linears[leaf.getBodyBlock()->getArgument(i)] =
        evaluate(binding, bindings.getNumDims(), leaf.getLoopOperands());
  for (Operation &op : leaf.getBodyBlock()->without_terminator())
    if (op.getNumResults() == 1 && op.getResult(0).getType().isIndex() &&
        failed(emitOp(&op)))
      return failure();
  SmallVector<intrin::Window, 3> windows;
  for (auto [i, operand] : llvm::enumerate(match.windows)) {
    auto known = buffers.find(operand.buffer);
    if (known == buffers.end())
      return operand.access->emitError("uses a buffer that is no argument and "
                                       "no nest.alloc in scope");
    const Buffer &buffer = known->second;
    ValueRange indices =
        isa<memref::StoreOp>(operand.access)
            ? ValueRange(cast<memref::StoreOp>(operand.access).getIndices())
            : ValueRange(cast<memref::LoadOp>(operand.access).getIndices());
    std::optional<LinearIndex> offset = elementOffset(buffer, indices);
    if (!offset || !offset->isUniform())
      return operand.access->emitError("has an index that cannot be lowered");
    intrin::Window window;
    window.base = pointerTo(buffer, *offset);
    window.strides = windowStrides(buffer, operand.steps);
    for (auto [axis, extent] : llvm::zip_equal(record->axes, match.extents)) {
      // Points that a mask leaves out are no part of the extent.
      bool masked = axis.tail == intrin::Tail::Mask && extent < axis.extent;
      window.extents.push_back(masked ? axis.extent : extent);
      if (masked)
        window.lanes = indexConstant(builder, loc, extent);
    }
    windows.push_back(std::move(window));
  }
  Value lhs = record->load(builder, loc, intrin::kLhs, windows[intrin::kLhs]),
        rhs = record->load(builder, loc, intrin::kRhs, windows[intrin::kRhs]),
        acc = record->load(builder, loc, intrin::kAcc, windows[intrin::kAcc]);
  Value sum = record->compute(builder, loc, lhs, rhs, acc);
  record->store(builder, loc, sum, windows[intrin::kAcc]);
  return success();
}
