//===- Quantizer.h - Bodies that end in a quantiser -------------*- C++ -*-===//
#ifndef NESTOR_LIB_GRAPH_QUANTIZER_H
#define NESTOR_LIB_GRAPH_QUANTIZER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace nestor {

/// round(real / scale) + zero, saturated into a byte.
struct Quantizer {
  mlir::Value real;
  float scale, zero;
  /// The least number: 0 or -128.
  float least;

  bool isUnsigned() const { return least == 0; }
};

/// What the bytes that `op` yields are, when they are quantised by numbers and
/// the scale is positive and of ordinary size.
std::optional<Quantizer> quantizerOf(mlir::linalg::GenericOp op);

} // namespace nestor

#endif // NESTOR_LIB_GRAPH_QUANTIZER_H
