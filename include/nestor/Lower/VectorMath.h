//===- VectorMath.h - Math functions as inline arithmetic -------*- C++ -*-===//
//
// Expands math.* on scalars and vectors of any width into FMAs, integer steps
// and selects, so that no f32 kernel calls a library. Also makes f16 and bf16
// arithmetic and conversions explicit: computed in f32, rounded once.
//
//   %y = math.exp %x : vector<8xf32>
//   =>  range reduction, a polynomial of degree 6, an exact scaling by 2^k
//
// f32 results are within the ULP bounds of docs/reference/vector-math.md (the
// table of test/Unit/Lower/VectorMathTest.cpp), special values and denormals
// included. f64 functions become calls of libm, one lane at a time.
//
// Assumes: the target has FMA (else math.fma becomes a call); runs while scf is
// still there (sine and cosine of huge arguments, integer powers take scf).
// Leaves true: branch-free code except where noted; applying it twice changes
// nothing; floor, ceil, round, sqrt, fma, abs and copysign stay as they are, on
// f32 and f64, for their single instructions.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LOWER_VECTORMATH_H
#define NESTOR_LOWER_VECTORMATH_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace nestor {

/// The dialects whose operations the expansion makes.
void registerVectorMathDialects(mlir::DialectRegistry &registry);

/// Expands everything below `root` (any operation with regions). Declares the
/// libm functions that f64 needs in the closest symbol table (as llvm.func for
/// code in an llvm.func, else as func.func), so `root` must not be a function
/// processed beside others of its module when the program has f64 functions.
mlir::LogicalResult expandVectorMath(mlir::Operation *root);

/// The same rewrites as patterns, for a greedy driver.
void populateVectorMathPatterns(mlir::RewritePatternSet &patterns);

/// 1 / (1 + exp(-x)) for f32 scalars or vectors.
mlir::Value buildSigmoid(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value x);

} // namespace nestor

#endif // NESTOR_LOWER_VECTORMATH_H
