//===- MatMul.cpp - MatMul and Gemm ---------------------------------------===//
//
// before: Y = A @ B, batch dims broadcast, rank-1 inputs promoted
// after:  one linalg.generic, loops (batch..., m, n, k), the sum over k alone
//
//===----------------------------------------------------------------------===//
#include "Contraction.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

Array onnx::matmul(TensorBuilder &t, Array a, Array b, DataType acc,
                   MultiplyFn multiply) {
  if (!a || !b)
    return {};
  if (a.rank() == 0 || b.rank() == 0)
    return t.malformed("a scalar cannot be multiplied as a matrix");
  // Rank-1 inputs lose their loop (m or n); the batch loops come first.
  bool rows = a.rank() > 1, columns = b.rank() > 1;
  auto batchOf = [](const Array &x) {
    return x.rank() > 2 ? Dims(x.dims.begin(), x.dims.end() - 2) : Dims();
  };
  Dims batchA = batchOf(a), batchB = batchOf(b);
  Dim kA = a.dims.back();
  Dim kB = columns ? b.dims[b.rank() - 2] : b.dims[0];
  t.require(kA, kB, "the inner sizes of the matrices differ");
  auto batch = t.broadcast({batchA, batchB});
  if (!batch)
    return {};
  // A batch dim that may be 1 at run time is expanded first.
  auto expand = [&](Array x, const Dims &own) {
    bool same = true;
    size_t offset = batch->size() - own.size();
    for (auto [i, dim] : llvm::enumerate(own))
      same &= DimMath::isOne(dim) || t.dims.equal(dim, (*batch)[offset + i]);
    if (same)
      return x;
    Dims full(*batch);
    full.append(x.dims.end() - 2, x.dims.end());
    return t.broadcastTo(x, full);
  };
  a = expand(a, batchA);
  b = expand(b, batchB);
  if (!a || !b)
    return {};

  unsigned nb = batch->size();
  unsigned m = nb, n = m + rows, k = n + columns, loops = k + 1;
  Dims shape(*batch);
  if (rows)
    shape.push_back(a.dims[a.rank() - 2]);
  if (columns)
    shape.push_back(b.dims.back());
  auto exprsOf = [&](const Array &x) {
    SmallVector<AffineExpr> exprs;
    unsigned own = x.rank() > 2 ? x.rank() - 2 : 0;
    for (unsigned i = 0; i < own; ++i)
      exprs.push_back(DimMath::isOne(x.dims[i]) &&
                              !DimMath::isOne(shape[nb - own + i])
                          ? t.c(0)
                          : t.d(nb - own + i));
    return exprs;
  };
  SmallVector<AffineExpr> exprsA = exprsOf(a), exprsB = exprsOf(b);
  if (rows)
    exprsA.push_back(t.d(m));
  exprsA.push_back(t.d(k));
  exprsB.push_back(t.d(k));
  if (columns)
    exprsB.push_back(t.d(n));
  return t.reduction(acc, shape, 1,
                     {{a, t.map(loops, exprsA)}, {b, t.map(loops, exprsB)}},
                     t.startValue(acc, 0), [&](Code &c, ValueRange v) {
                       return c.add(v[2], multiply(c, v[0], v[1]));
                     });
}

Array onnx::matmul(TensorBuilder &t, Array a, Array b) {
  if (!a || !b)
    return {};
  if (a.type != b.type)
    return t.malformed("multiplies " + dataTypeName(a.type) + " with " +
                       dataTypeName(b.type));
  DataType acc = TensorBuilder::accumulator(a.type);
  Array product = matmul(t, a, b, acc,
                         [](Code &c, Value x, Value y) { return c.mul(x, y); });
  return t.convert(product, a.type);
}

namespace nestor::onnx {

void importMatMul(NodeContext &n, TensorBuilder &t) {
  Array a = n.input(0), b = n.input(1);
  if (n.failed())
    return;
  n.set(0, matmul(t, a, b));
}

// before: Y = alpha * A' @ B' + beta * C
// after:  transposes, one contraction, scaling and bias elementwise
void importGemm(NodeContext &n, TensorBuilder &t) {
  Array a = n.input(0), b = n.input(1), bias = n.optional(2);
  double alpha = n.real("alpha", 1), beta = n.real("beta", 1);
  bool transA = n.integer("transA", 0), transB = n.integer("transB", 0);
  if (n.failed())
    return;
  if (a.rank() != 2 || b.rank() != 2)
    return n.malformed("the matrices must have rank 2");
  if (transA)
    a = t.transpose(a, {1, 0});
  if (transB)
    b = t.transpose(b, {1, 0});
  Array y = matmul(t, a, b);
  if (!y)
    return;
  DataType type = y.type;
  if (alpha != 1)
    y = t.mul(y, t.scalar(type, alpha));
  if (bias && beta != 0) {
    if (beta != 1)
      bias = t.mul(bias, t.scalar(type, beta));
    if (!bias || bias.type != type)
      return n.malformed("the bias has another type");
    y = t.elementwiseTo(type, y.dims, {y, bias}, [](Code &c, ValueRange v) {
      return c.add(v[0], v[1]);
    });
  }
  n.set(0, y);
}

} // namespace nestor::onnx
