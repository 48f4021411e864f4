//===- Attention.cpp - Attention and RotaryEmbedding ----------------------===//
//
// before: Attention(Q, K, V, mask, past...)
// after:  a contraction over the head's elements, one pointwise operator that
//         scales and masks, a softmax over the keys, a contraction over them
//
// Query heads that share a key head are a dim of their own, so that the
// contractions read K and V once for all of them.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// [batch, length, heads * size] => [batch, heads, length, size].
static Array splitHeads(NodeContext &n, TensorBuilder &t, Array x,
                        int64_t heads) {
  if (!x || x.rank() == 4)
    return x;
  if (heads <= 0)
    return t.malformed("the number of heads must be given for inputs of rank "
                       "3");
  Dim count = t.dims.constant(heads);
  Dim size = t.dims.floorDiv(x.dims[2], count);
  x = t.reshape(x, {x.dims[0], x.dims[1], count, size});
  return t.transpose(x, {0, 2, 1, 3});
}

/// The mask as [batch, key heads, group, queries, keys] or with ones, padded
/// to all keys with what forbids.
static Array spreadMask(TensorBuilder &t, Array mask, Dim heads, Dim keyHeads,
                        Dim group, Dim keys) {
  if (!mask)
    return {};
  if (mask.rank() < 2 || mask.rank() > 4)
    return t.malformed("the mask must have rank 2 to 4");
  DimMath &d = t.dims;
  if (!d.equal(mask.dims.back(), keys) && !DimMath::isOne(mask.dims.back())) {
    Dims none(mask.rank(), d.constant(0)), after = none;
    after.back() = d.sub(keys, mask.dims.back());
    bool isBool = mask.type == DataType::Bool;
    mask =
        t.pad(mask, none, after, t.scalar(mask.type, isBool ? 0 : -INFINITY));
  }
  if (!mask)
    return {};
  Dims shape(mask.dims);
  while (shape.size() < 4)
    shape.insert(shape.begin(), d.constant(1));
  if (DimMath::isOne(shape[1])) {
    shape.insert(shape.begin() + 1, d.constant(1));
  } else {
    t.require(shape[1], heads, "the mask has the wrong number of heads");
    shape[1] = keyHeads;
    shape.insert(shape.begin() + 2, group);
  }
  return t.reshape(mask, shape);
}

namespace nestor::onnx {

void importAttention(NodeContext &n, TensorBuilder &t) {
  Array q = n.input(0), k = n.input(1), v = n.input(2), mask = n.optional(3),
        pastKey = n.optional(4), pastValue = n.optional(5),
        lengths = n.optional(6);
  bool causal = n.integer("is_causal", 0);
  int64_t qHeads = n.integer("q_num_heads", 0);
  int64_t kvHeads = n.integer("kv_num_heads", 0);
  double softcap = n.real("softcap", 0);
  int64_t mode = n.integer("qk_matmul_output_mode", 0);
  auto precision = DataType(n.integer("softmax_precision", 0));
  std::optional<double> scale;
  if (n.hasAttribute("scale"))
    scale = n.real("scale", 1);
  if (n.failed())
    return;
  DimMath &d = t.dims;
  if (q.rank() != k.rank() || k.rank() != v.rank() ||
      (q.rank() != 3 && q.rank() != 4))
    return n.malformed("Q, K and V must all have rank 3 or all rank 4");
  if (!isFloat(q.type) || k.type != q.type)
    return n.malformed("Q and K must be floats of one type");
  if (bool(pastKey) != bool(pastValue))
    return n.malformed("past_key and past_value go together");
  bool flat = q.rank() == 3;
  q = splitHeads(n, t, q, qHeads);
  k = splitHeads(n, t, k, kvHeads);
  v = splitHeads(n, t, v, kvHeads);
  Dim past = d.constant(0);
  if (pastKey) {
    if (pastKey.rank() != 4 || pastValue.rank() != 4)
      return n.malformed("past_key and past_value must have rank 4");
    past = pastKey.dims[2];
    k = t.concat({pastKey, k}, 2);
    v = t.concat({pastValue, v}, 2);
  }
  if (n.failed() || !q || !k || !v)
    return;
  if (n.wants(1))
    n.set(1, k);
  if (n.wants(2))
    n.set(2, v);

  Dim batch = q.dims[0], heads = q.dims[1], queries = q.dims[2],
      size = q.dims[3], keyHeads = k.dims[1], keys = k.dims[2];
  t.require(k.dims[0], batch, "the batch sizes differ");
  t.require(v.dims[0], batch, "the batch sizes differ");
  t.require(v.dims[1], keyHeads, "K and V have different numbers of heads");
  t.require(v.dims[2], keys, "K and V have different lengths");
  t.require(k.dims[3], size, "Q and K have heads of different sizes");
  Dim group = d.floorDiv(heads, keyHeads);
  q = t.reshape(q, {batch, keyHeads, group, queries, size});
  mask = spreadMask(t, mask, heads, keyHeads, group, keys);
  if (n.failed())
    return;

  // Loops: batch 0, key head 1, group 2, query 3, key 4, element 5.
  DataType acc = TensorBuilder::accumulator(q.type);
  if (precision == DataType::Double && acc == DataType::Float)
    acc = DataType::Double;
  auto product = [&](Array a, DataType typeA, Array b, DataType typeB,
                     llvm::ArrayRef<Dim> shape, AffineMap mapA, AffineMap mapB,
                     DataType sum) {
    return t.reduction(sum, shape, 1, {{a, mapA}, {b, mapB}},
                       t.startValue(sum, 0), [&](Code &c, ValueRange in) {
                         return c.add(in[2], c.mul(c.cast(in[0], typeA, sum),
                                                   c.cast(in[1], typeB, sum)));
                       });
  };
  Dims shape = {batch, keyHeads, group, queries, keys};
  DataType dot = TensorBuilder::accumulator(q.type);
  Array scores = product(q, dot, k, dot, shape,
                         t.map(6, {t.d(0), t.d(1), t.d(2), t.d(3), t.d(5)}),
                         t.map(6, {t.d(0), t.d(1), t.d(4), t.d(5)}), dot);
  Dims flatShape = {batch, heads, queries, keys};
  auto report = [&](int64_t which, Array value) {
    if (mode == which && n.wants(3) && value)
      n.set(3, t.reshape(t.convert(value, q.type), flatShape));
  };
  if (!scores)
    return;

  // scores * scale + mask, in one pointwise operator
  Value scaleValue;
  if (!scale) {
    auto known = DimMath::value(size);
    if (known)
      scale = 1 / std::sqrt(double(*known));
    else
      scaleValue = d.toValue(size);
  }
  auto scaled = [&](Code &c, Value x) {
    if (scale)
      return c.mul(x, c.like(*scale, x));
    return c.div(x, c.sqrt(c.fromIndex(scaleValue, x.getType())));
  };
  if (mode == 0 && n.wants(3))
    report(0, t.elementwise(dot, {scores}, [&](Code &c, ValueRange in) {
      return scaled(c, in[0]);
    }));
  SmallVector<Array> inputs = {scores};
  unsigned maskAt = 0, lengthAt = 0;
  if (mask) {
    maskAt = inputs.size();
    inputs.push_back(mask);
  }
  if (lengths) {
    if (lengths.rank() != 1 || !isInteger(lengths.type))
      return n.malformed("nonpad_kv_seqlen must be a vector of integers");
    Dim one = d.constant(1);
    lengthAt = inputs.size();
    inputs.push_back(t.reshape(lengths, {lengths.dims[0], one, one, one, one}));
  }
  DataType maskType = mask ? mask.type : DataType::Bool;
  if (mask && maskType != DataType::Bool && !isFloat(maskType))
    return n.malformed("the mask must be bools or floats");
  Value before = d.toValue(past);
  auto biased = [&](Code &c, ValueRange in) {
    Value x = scaled(c, in[0]), forbidden = c.like(-INFINITY, x);
    if (maskAt)
      x = maskType == DataType::Bool
              ? c.select(in[maskAt], x, forbidden)
              : c.add(x, c.cast(in[maskAt], maskType, dot));
    if (causal)
      x = c.select(c.le(c.loop(4), c.add(before, c.loop(3))), x, forbidden);
    if (lengthAt)
      x = c.select(c.lt(c.loop(4), c.toIndex(in[lengthAt])), x, forbidden);
    return x;
  };
  auto capped = [&](Code &c, Value x) {
    if (softcap <= 0)
      return x;
    Value cap = c.like(softcap, x);
    return c.mul(c.tanh(c.div(x, cap)), cap);
  };
  if (mode == 1 && n.wants(3))
    report(1, t.elementwiseTo(dot, shape, inputs, biased));
  Array logits =
      t.elementwiseTo(dot, shape, inputs, [&](Code &c, ValueRange in) {
        return capped(c, biased(c, in));
      });
  report(2, logits);
  logits = t.convert(logits, acc);
  if (!logits)
    return;

  Array top = t.maxKeep(logits, {4});
  Array powers = t.elementwise(acc, {logits, top}, [](Code &c, ValueRange in) {
    return c.exp(c.sub(in[0], in[1]));
  });
  if (!powers)
    return;
  Array weights = t.div(powers, t.sumKeep(powers, {4}));
  report(3, weights);
  Dim valueSize = v.dims[3];
  // Loops: batch 0, key head 1, group 2, query 3, element 4, key 5.
  Array y = product(weights, acc, v, TensorBuilder::accumulator(v.type),
                    {batch, keyHeads, group, queries, valueSize},
                    t.map(6, {t.d(0), t.d(1), t.d(2), t.d(3), t.d(5)}),
                    t.map(6, {t.d(0), t.d(1), t.d(5), t.d(4)}), acc);
  y = t.reshape(t.convert(y, q.type), {batch, heads, queries, valueSize});
  if (flat) {
    y = t.transpose(y, {0, 2, 1, 3});
    y = t.reshape(y, {batch, queries, d.mul(heads, valueSize)});
  }
  n.set(0, y);
}

// before: the first elements of each head, in pairs (a, b), are turned by an
//         angle a position: (a cos - b sin, a sin + b cos)
// after:  one generic over the result that reads both elements of its pair
void importRotaryEmbedding(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), cosines = n.input(1), sines = n.input(2),
        positions = n.optional(3);
  bool interleaved = n.integer("interleaved", 0);
  int64_t heads = n.integer("num_heads", 0);
  int64_t rotary = n.integer("rotary_embedding_dim", 0);
  if (n.failed())
    return;
  DimMath &d = t.dims;
  bool flat = x.rank() == 3;
  if ((!flat && x.rank() != 4) || (flat && heads <= 0) || rotary < 0 ||
      rotary % 2)
    return n.malformed("X must have rank 4, or rank 3 and 'num_heads'; "
                       "'rotary_embedding_dim' must be even");
  if (cosines.type != x.type || sines.type != x.type)
    return n.malformed("the caches have another type than X");
  if (cosines.rank() != (positions ? 2 : 3) || cosines.rank() != sines.rank() ||
      (positions && (positions.rank() != 2 || !isInteger(positions.type))))
    return n.malformed("the caches or the positions have the wrong rank");
  Dims original(x.dims);
  if (flat) {
    Dim count = d.constant(heads);
    x = t.reshape(x,
                  {x.dims[0], x.dims[1], count, d.floorDiv(x.dims[2], count)});
  }
  if (!x)
    return;
  // Where the dims stand: [batch, length, head, size] when flat.
  unsigned length = flat ? 1 : 2;
  Dim half =
      rotary ? d.constant(rotary / 2) : d.floorDiv(x.dims[3], d.constant(2));
  if (auto size = DimMath::value(x.dims[3]); size && rotary > *size)
    return n.malformed("'rotary_embedding_dim' is larger than a head");
  for (Array *cache : {&cosines, &sines}) {
    t.require(cache->dims.back(), half, "a cache has the wrong last dim");
    if (!positions) {
      t.require(cache->dims[0], x.dims[0], "a cache has the wrong batch size");
      t.require(cache->dims[1], x.dims[length], "a cache has the wrong length");
    }
  }
  if (positions) {
    t.require(positions.dims[0], x.dims[0],
              "the positions' batch size differs");
    t.require(positions.dims[1], x.dims[length],
              "the positions' length differs");
    t.require(cosines.dims[0], sines.dims[0], "the caches' sizes differ");
  }
  if (n.failed())
    return;
  Value data = t.value(x), cosTable = t.value(cosines),
        sinTable = t.value(sines);
  Value places = positions ? t.value(positions) : Value();
  Value halfValue = d.toValue(half), sizeValue = d.toValue(x.dims[3]);
  Value rotated = d.toValue(d.mul(half, d.constant(2)));
  Value table = d.toValue(cosines.dims[0]);
  Array y = t.gather(x.type, x.dims, [&](Code &c) {
    SmallVector<Value> at = {c.loop(0), c.loop(1), c.loop(2), c.loop(3)};
    Value e = at[3], one = c.index(1), two = c.index(2), zero = c.index(0);
    // Which angle, the pair's other element, and whether this is its first.
    Value angle, other, first;
    if (interleaved) {
      angle = arith::DivUIOp::create(c.b, c.loc, e, two);
      Value odd = arith::RemUIOp::create(c.b, c.loc, e, two);
      first = c.eq(odd, zero);
      other = c.select(first, c.add(e, one), c.sub(e, one));
    } else {
      first = c.lt(e, halfValue);
      angle = c.select(first, e, c.sub(e, halfValue));
      other = c.select(first, c.add(e, halfValue), c.sub(e, halfValue));
    }
    Value last = c.sub(sizeValue, one);
    other = c.max(c.min(other, last), zero);
    angle = c.max(c.min(angle, c.sub(halfValue, one)), zero);
    SmallVector<Value> where;
    if (positions) {
      Value place = c.toIndex(c.extract(places, {at[0], at[length]}));
      where = {c.wrapIndex(place, table), angle};
    } else {
      where = {at[0], at[length], angle};
    }
    Value cosine = c.widen(c.extract(cosTable, where));
    Value sine = c.widen(c.extract(sinTable, where));
    Value mine = c.widen(c.extract(data, at));
    at[3] = other;
    Value theirs = c.widen(c.extract(data, at));
    Value turn = c.mul(sine, theirs);
    Value kept = c.mul(cosine, mine);
    Value result = c.select(first, c.sub(kept, turn), c.add(turn, kept));
    return c.select(c.lt(e, rotated), result, mine);
  });
  n.set(0, t.reshape(y, original));
}

} // namespace nestor::onnx
