//===- Graph.h - Better tensor programs -------------------------*- C++ -*-===//
//
// Rewrites of the tensor level, one a file. The order of them is in Graph.cpp.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_GRAPH_GRAPH_H
#define NESTOR_GRAPH_GRAPH_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"

namespace nestor {

/// What a user may trade.
struct GraphOptions {
  /// Products with constant weights of bytes quantise their data too.
  bool int8 = false;
};

/// All of it: cleaning, integers, @setup, layout, fusion.
mlir::LogicalResult optimizeGraph(mlir::ModuleOp module,
                                  const GraphOptions &options = {});

/// Quantised programs in integers; weights of bytes stay bytes.
mlir::LogicalResult computeInIntegers(mlir::ModuleOp module,
                                      const GraphOptions &options = {});

/// The parts of it, a file each.
void populateQuantizedMovementPatterns(mlir::RewritePatternSet &patterns);
void populateQuantizeEarlyPatterns(mlir::RewritePatternSet &patterns);
void populateRequantizationPatterns(mlir::RewritePatternSet &patterns);
void populateIntegerProductPatterns(mlir::RewritePatternSet &patterns);
void populateDynamicQuantizationPatterns(mlir::RewritePatternSet &patterns);
void populateChannelPaddingPatterns(mlir::RewritePatternSet &patterns);
void populateNarrowWeightPatterns(mlir::RewritePatternSet &patterns);

/// Moves what depends on constants alone out of @main: into
/// `func.func @setup() -> (results)`, each result with a `host.key`; @main
/// names the result as `model.constant` of that key. May be called again.
mlir::LogicalResult splitSetup(mlir::ModuleOp module);

/// Multiplies constant scales of products' sums into the constant weights.
mlir::LogicalResult foldScales(mlir::ModuleOp module);

/// Quotients out of sums that do not run over them; reciprocals of what divides
/// many elements.
mlir::LogicalResult moveDivisions(mlir::ModuleOp module);

/// Merges elementwise operators and cheap data movement into their consumers.
mlir::LogicalResult fuseElementwise(mlir::ModuleOp module);

/// reshape(reshape(x)), reshapes that only add or drop dims of 1, and the like.
void populateReshapePatterns(mlir::RewritePatternSet &patterns);

/// Copies that are indexing maps or views.
void populateMovementPatterns(mlir::RewritePatternSet &patterns);

/// Convolutions and what surrounds them with the channels innermost.
mlir::LogicalResult chooseLayouts(mlir::ModuleOp module);

/// Registers nestor-graph and a pass for each of its steps.
void registerGraphPasses();

} // namespace nestor

#endif // NESTOR_GRAPH_GRAPH_H
