//===- Padding.h - Strides of a buffer that are not its shape ---*- C++ -*-===//
//
// A nest.alloc may ask for strides of its dims by the attribute
//
//   align = array<i64: axis, factor, offset, ...>
//
// the stride of dim `axis` is offset modulo factor. Elements stay where the
// indices say; only Lower's addresses know of it.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_DIALECT_NEST_PADDING_H
#define NESTOR_DIALECT_NEST_PADDING_H

#include "nestor/Dialect/Nest/Nest.h"

namespace nestor::nest {

inline constexpr llvm::StringLiteral kAlignAttr = "align";

/// What `align` has to look like.
mlir::LogicalResult verifyAlign(AllocOp alloc);

/// For each dim: how many elements its stride is longer than the dims inside
/// make it. Where those are no constants, there is no padding.
llvm::SmallVector<int64_t> paddingOf(AllocOp alloc);

} // namespace nestor::nest

#endif // NESTOR_DIALECT_NEST_PADDING_H
