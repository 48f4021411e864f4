//===- ByteMovement.h - Gathers and maxima ----------------------*- C++ -*-===//
//
// What may stand between a quantiser and what it quantises, or a dequantiser
// and its reader: operators that choose among elements.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_GRAPH_BYTEMOVEMENT_H
#define NESTOR_LIB_GRAPH_BYTEMOVEMENT_H

#include "nestor/Graph/Dequantized.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace nestor {

/// What an elementwise operator yields: an element of a tensor, or a filler
/// outside of it.
struct Gathered {
  mlir::tensor::ExtractOp extract;
  mlir::arith::SelectOp select; // null: no filler
  mlir::Value filler;
};
std::optional<Gathered> gatheredBy(mlir::linalg::GenericOp op);

/// `op` over bytes: reads `extract(builder, indices)` instead of the element
/// and fills with `filler(builder)`.
mlir::Value gatherOfBytes(
    mlir::OpBuilder &builder, mlir::linalg::GenericOp op,
    const Gathered &gathered,
    llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::ValueRange)>
        extract,
    llvm::function_ref<mlir::Value(mlir::OpBuilder &)> filler);

/// Whether `op` takes the greatest of its first input, starting from -inf.
bool isMaximum(mlir::linalg::GenericOp op);
/// The same over `bytes`, read through `map`.
mlir::Value maximumOfBytes(mlir::OpBuilder &builder, mlir::linalg::GenericOp op,
                           mlir::Value bytes, mlir::AffineMap map,
                           bool isUnsigned);

/// The least byte, in a body.
mlir::Value lowestByte(mlir::OpBuilder &builder, mlir::Location loc,
                       bool isUnsigned);

} // namespace nestor

#endif // NESTOR_LIB_GRAPH_BYTEMOVEMENT_H
