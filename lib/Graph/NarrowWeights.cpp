//===- NarrowWeights.cpp - Weights of bytes, data of floats ---------------===//
//
// sum_k x[m, k] * ((w[k, n] - z[n]) * s[n])
//     => (sum_k x[m, k] * float(w[k, n] - z[n])) * s[n]
//
// so that the program reads the bytes and no weight in floats exists. A scale
// that varies along the sum (one for a block of k) stays in it.
//
// Assumes: w is constant. Leaves true: sums of floats, rounded otherwise than
// before within the f32 tolerances.
//
//===----------------------------------------------------------------------===//
#include "ProductSum.h"

#include "nestor/Graph/Generic.h"
#include "nestor/Graph/Graph.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace nestor;

namespace {
struct NarrowWeights : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const final {
    if (!isPlainProductSum(op) || !startsAtZero(op))
      return failure();
    ProductSum sum(op);
    for (unsigned which : {1, 0}) {
      std::optional<Dequantized> w = sum.operand(which);
      if (!w || !isConstantTensor(w->data) ||
          !sum.infersLoops({sum.inputMap(1 - which), w->map}))
        continue;
      rewriter.setInsertionPoint(op);
      rewriter.replaceOp(op, rewrite(rewriter, op.getLoc(), sum, *w, which));
      return success();
    }
    return failure();
  }

private:
  static Value rewrite(OpBuilder &builder, Location loc, const ProductSum &sum,
                       const Dequantized &w, unsigned which) {
    std::optional<Parameter> scale = sum.toResult(w.scale);
    bool inside = w.scale && !scale;
    GenericInputs inputs;
    unsigned x, data;
    // The operands keep their places.
    if (which == 0)
      data = inputs.add(w.data, w.map);
    x = inputs.add(sum.input(1 - which), sum.inputMap(1 - which));
    if (which == 1)
      data = inputs.add(w.data, w.map);
    unsigned zero = w.zero ? inputs.add(w.zero) : 0;
    unsigned by = inside ? inputs.add(w.scale) : 0;
    Value empty = emptyLike(builder, loc, sum.result(), builder.getF32Type());
    Value result = sumGeneric(
        builder, loc, empty, inputs, sum.resultMap(), sum.kinds(),
        [&](OpBuilder &at, Location l, ValueRange args) -> Value {
          Value whole =
              widenByte(at, l, inputs.at(data, at, l, args), w.isUnsigned);
          if (w.zero)
            whole = arith::SubIOp::create(
                at, l, whole,
                widenByte(at, l, inputs.at(zero, at, l, args), w.isUnsigned));
          Value real = arith::SIToFPOp::create(at, l, at.getF32Type(), whole);
          if (inside)
            real =
                arith::MulFOp::create(at, l, real, inputs.at(by, at, l, args));
          return arith::MulFOp::create(at, l, inputs.at(x, at, l, args), real);
        });
    if (!w.scale || inside)
      return result;
    GenericInputs after;
    int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
    unsigned acc = after.add(result, builder.getMultiDimIdentityMap(rank));
    unsigned factor = after.add(*scale);
    return mapGeneric(builder, loc, result, builder.getF32Type(), after,
                      [&](OpBuilder &at, Location l, ValueRange args) -> Value {
                        return arith::MulFOp::create(
                            at, l, after.at(acc, at, l, args),
                            after.at(factor, at, l, args));
                      });
  }
};
} // namespace

void nestor::populateNarrowWeightPatterns(RewritePatternSet &patterns) {
  patterns.add<NarrowWeights>(patterns.getContext());
}
