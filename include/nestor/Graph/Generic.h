//===- Generic.h - Kinds of linalg.generic ----------------------*- C++ -*-===//
//
// What a generic computes, read off its maps and body, never off names.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_GRAPH_GENERIC_H
#define NESTOR_GRAPH_GENERIC_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nestor {

/// Whether every result is a constant: a fill.
bool yieldsConstant(mlir::linalg::GenericOp op);
/// Whether the body only hands on its one input: transpose, broadcast, copy.
bool isMovement(mlir::linalg::GenericOp op);
/// Parallel loops only, results indexed by all of them in order.
bool isElementwise(mlir::linalg::GenericOp op);
/// Whether some input is read at more than one loop a dim: a window.
bool isWindowed(mlir::linalg::GenericOp op);
/// A sum of products of two inputs: matmul, convolution.
bool isProductSum(mlir::linalg::GenericOp op);
/// The body of a product sum is out + a * b, in one float type.
bool isPlainProductSum(mlir::linalg::GenericOp op);
/// Whether sums start from zero, so that they are linear in each input.
bool startsAtZero(mlir::linalg::GenericOp op);
/// A product sum or a windowed reduction: worth a schedule of its own, on
/// which elementwise readers ride.
bool isAnchor(mlir::linalg::GenericOp op);
/// Whether the body reads captured tensors at computed places.
bool gathers(mlir::linalg::GenericOp op);

} // namespace nestor

#endif // NESTOR_GRAPH_GENERIC_H
