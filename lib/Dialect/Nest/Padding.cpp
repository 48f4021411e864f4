//===- Padding.cpp - Strides of a buffer that are not its shape -----------===//
//
// See Padding.h.
//
//===----------------------------------------------------------------------===//
#include "nestor/Dialect/Nest/Padding.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::nest;

LogicalResult nest::verifyAlign(AllocOp alloc) {
  Attribute attr = alloc->getAttr(kAlignAttr);
  if (!attr)
    return success();
  auto numbers = dyn_cast<DenseI64ArrayAttr>(attr);
  if (!numbers || numbers.size() % 3 != 0)
    return alloc.emitOpError(
        "has an align that is no list of axis, factor and offset");
  int64_t rank = cast<MemRefType>(alloc.getType()).getRank();
  for (int64_t i = 0; i < numbers.size(); i += 3) {
    int64_t axis = numbers[i], factor = numbers[i + 1], offset = numbers[i + 2];
    if (axis < 0 || axis + 1 >= rank)
      return alloc.emitOpError("aligns dim ")
             << axis << ", which has no stride of its own";
    if (factor < 1 || offset < 0 || offset >= factor)
      return alloc.emitOpError("aligns to ") << offset << " modulo " << factor;
  }
  return success();
}

SmallVector<int64_t> nest::paddingOf(AllocOp alloc) {
  auto type = cast<MemRefType>(alloc.getType());
  SmallVector<int64_t> padding(type.getRank(), 0);
  auto numbers = alloc->getAttrOfType<DenseI64ArrayAttr>(kAlignAttr);
  if (!numbers)
    return padding;
  int64_t stride = 1;
  for (int64_t d = type.getRank() - 2; d >= 0; --d) {
    if (type.isDynamicDim(d + 1))
      break;
    stride *= type.getDimSize(d + 1);
    for (int64_t i = 0; i + 2 < numbers.size(); i += 3)
      if (numbers[i] == d)
        padding[d] = llvm::mod(numbers[i + 2] - stride, numbers[i + 1]);
    stride += padding[d];
  }
  return padding;
}
