//===- Spectral.cpp - DFT, STFT and windows -------------------------------===//
//
// before: a discrete Fourier transform of one axis
// after:  model.loops that sum over the axis; sines and cosines come from one
//         table of the transform's length
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// The one size in an integer tensor.
static std::optional<Dim> oneSize(NodeContext &n, TensorBuilder &t, Array array,
                                  const llvm::Twine &what) {
  auto elements = t.elements(array, what);
  if (!elements)
    return std::nullopt;
  if (elements->size() != 1) {
    n.malformed(what + " must be one number");
    return std::nullopt;
  }
  return t.dims.max((*elements)[0], t.dims.constant(0));
}

/// [length, 2]: cos and sin of 2 pi k / length.
static Array rootsOfUnity(TensorBuilder &t, DataType type, Dim length) {
  Value size = t.dims.toValue(length);
  return t.gather(type, {length, t.dims.constant(2)}, [&](Code &c) -> Value {
    // In f64: the table is small and its errors would add up.
    Type f64 = c.b.getF64Type();
    Value k = c.fromIndex(c.loop(0), f64), count = c.fromIndex(size, f64);
    Value angle = c.div(c.mul(c.real(2 * M_PI, f64), k), count);
    Value cosine = math::CosOp::create(c.b, c.loc, angle);
    Value sine = math::SinOp::create(c.b, c.loc, angle);
    Value v = c.select(c.eq(c.loop(1), c.index(0)), cosine, sine);
    return c.cast(v, DataType::Double, type);
  });
}

namespace nestor::onnx {

void importDFT(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), length = n.optional(1);
  bool inverse = n.integer("inverse", 0), onesided = n.integer("onesided", 0);
  if (n.failed())
    return;
  DimMath &d = t.dims;
  int64_t rank = x.rank();
  auto parts = rank ? DimMath::value(x.dims.back()) : std::optional<int64_t>();
  if (rank < 2 || !isFloat(x.type) || (parts && *parts != 1 && *parts != 2))
    return n.malformed("needs floats whose last dim is 1 or 2");
  if (!parts)
    return n.unsupported("an unknown last dim");
  Dim axis = d.constant(n.integer("axis", 1));
  if (n.version() >= 20) {
    axis = d.constant(-2);
    if (Array given = n.optional(2)) {
      auto elements = t.elements(given, "the axis");
      if (!elements)
        return;
      if (elements->size() != 1)
        return n.malformed("the axis must be one number");
      axis = (*elements)[0];
    }
  }
  std::optional<int64_t> fixed;
  if (auto number = DimMath::value(axis)) {
    fixed = n.axis(*number, rank);
    if (n.failed())
      return;
    if (*fixed == rank - 1)
      return n.malformed("the last dim cannot be transformed");
  }
  // For each dim whether it is the axis: 0, 1 or a value.
  using P = arith::CmpIPredicate;
  SmallVector<Dim> isAxis;
  Dim extent = d.constant(1);
  for (int64_t i = 0; i < rank; ++i) {
    isAxis.push_back(fixed
                         ? d.constant(*fixed == i)
                         : d.max(d.compare(P::eq, axis, d.constant(i)),
                                 d.compare(P::eq, axis, d.constant(i - rank))));
    extent = d.select(isAxis[i], x.dims[i], extent);
  }
  bool half = inverse && onesided;
  Dim count =
      half ? d.mul(d.constant(2), d.sub(extent, d.constant(1))) : extent;
  if (length) {
    auto size = oneSize(n, t, length, "dft_length");
    if (!size)
      return;
    count = *size;
  }
  Dim made = onesided && !inverse
                 ? d.add(d.floorDiv(count, d.constant(2)), d.constant(1))
                 : count;
  Dims shape(x.dims);
  for (int64_t i = 0; i + 1 < rank; ++i)
    shape[i] = d.select(isAxis[i], made, shape[i]);
  shape.back() = d.constant(half ? 1 : 2);

  DataType acc = DataType::Double; // sums that cancel must come out as 0
  Array table = rootsOfUnity(t, acc, count);
  if (!table || n.failed())
    return;
  Value terms = d.toValue(half ? count : d.min(extent, count)),
        period = d.toValue(count), have = d.toValue(extent);
  SmallVector<Value> masks = d.toValues(isAxis);
  SmallVector<int32_t> kinds(rank, 0);
  Type type = computeType(t.builder.getContext(), acc);
  auto real = [&](Code &c, Value v) { return c.cast(v, x.type, acc); };
  n.set(
      0,
      t.loops({x, table}, {t.undefined(x.type, shape)}, shape, kinds,
              [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
                Value zero = c.index(0), k = zero;
                SmallVector<Value> hits;
                for (int64_t i = 0; i + 1 < rank; ++i) {
                  hits.push_back(c.ne(masks[i], zero));
                  k = c.select(hits[i], loops[i], k);
                }
                Value sum = c.loop(
                    zero, terms, {c.number(0, type)},
                    [&](Code &c, Value m, ValueRange so) -> SmallVector<Value> {
                      // One-sided input: the other half is the mirrored
                      // conjugate.
                      Value mirrored, source = m;
                      if (half) {
                        mirrored = c.ge(m, have);
                        source = c.select(mirrored, c.sub(period, m), m);
                        source = c.wrapIndex(source, have);
                      }
                      SmallVector<Value> at;
                      for (int64_t i = 0; i + 1 < rank; ++i)
                        at.push_back(c.select(hits[i], source, loops[i]));
                      at.push_back(c.index(0));
                      Value re = real(c, c.load(in[0], at)), im = c.like(0, re);
                      if (*parts == 2) {
                        at.back() = c.index(1);
                        im = real(c, c.load(in[0], at));
                      }
                      if (half)
                        im = c.select(mirrored, c.neg(im), im);
                      Value phase = c.rem(c.mul(k, m), period, true);
                      Value cosine = c.load(in[1], {phase, c.index(0)});
                      Value sine = c.load(in[1], {phase, c.index(1)});
                      if (!inverse)
                        sine = c.neg(sine);
                      Value first = c.sub(c.mul(re, cosine), c.mul(im, sine));
                      Value second = c.add(c.mul(re, sine), c.mul(im, cosine));
                      Value term =
                          half ? first
                               : c.select(c.eq(loops[rank - 1], c.index(0)),
                                          first, second);
                      return {c.add(so[0], term)};
                    })[0];
                if (inverse)
                  sum = c.div(sum, c.fromIndex(period, type));
                Type storage = storageType(c.b.getContext(), x.type);
                c.store(c.narrow(c.cast(sum, acc, x.type), storage), out[0],
                        loops);
              })[0]);
}

// Y[b, f, k] = sum over i of window[i] X[b, f * step + i] exp(-2 pi i k / L)
void importSTFT(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), step = n.input(1), window = n.optional(2),
        length = n.optional(3);
  bool onesided = n.integer("onesided", 1);
  if (n.failed())
    return;
  DimMath &d = t.dims;
  if (!isFloat(x.type) || (x.rank() != 2 && x.rank() != 3) ||
      (window && (window.rank() != 1 || window.type != x.type)))
    return n.malformed("the signal or the window has the wrong form");
  if (x.rank() == 2)
    x = t.unsqueeze(x, 2);
  auto parts = DimMath::value(x.dims[2]);
  if (!parts || (*parts != 1 && *parts != 2))
    return n.malformed("the signal's last dim must be 1 or 2");
  auto hop = oneSize(n, t, step, "frame_step");
  if (!hop)
    return;
  Dim frame = window ? window.dims[0] : x.dims[1];
  if (length) {
    auto size = oneSize(n, t, length, "frame_length");
    if (!size)
      return;
    frame = *size;
  }
  if (window)
    t.require(window.dims[0], frame, "the window is not as long as a frame");
  Value hopValue = d.toValue(*hop);
  if (DimMath::value(*hop) == 0)
    return n.malformed("frame_step is 0");
  if (!DimMath::value(*hop)) {
    Code c(t.builder, t.loc);
    t.check(c.gt(hopValue, c.index(0)), "frame_step is 0");
  }
  Dim safe = d.max(*hop, d.constant(1)), one = d.constant(1);
  Dim frames = d.max(d.add(d.floorDiv(d.sub(x.dims[1], frame), safe), one),
                     d.constant(0));
  Dim bins = onesided ? d.add(d.floorDiv(frame, d.constant(2)), one) : frame;
  Dims shape = {x.dims[0], frames, bins, d.constant(2)};
  DataType acc = DataType::Double;
  Array table = rootsOfUnity(t, acc, frame);
  if (!table || n.failed())
    return;
  Value period = d.toValue(frame), extent = d.toValue(x.dims[1]),
        stride = d.toValue(safe);
  SmallVector<Array> ins = {x, table};
  if (window)
    ins.push_back(window);
  Type type = computeType(t.builder.getContext(), acc);
  auto real = [&](Code &c, Value v) { return c.cast(v, x.type, acc); };
  n.set(
      0,
      t.loops(ins, {t.undefined(x.type, shape)}, shape, {0, 0, 0, 0},
              [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
                Value start = c.mul(loops[1], stride);
                Value sum = c.loop(
                    c.index(0), period, {c.number(0, type)},
                    [&](Code &c, Value i, ValueRange so) -> SmallVector<Value> {
                      Value at = c.wrapIndex(c.add(start, i), extent);
                      Value re =
                          real(c, c.load(in[0], {loops[0], at, c.index(0)}));
                      Value im = c.like(0, re);
                      if (*parts == 2)
                        im = real(c, c.load(in[0], {loops[0], at, c.index(1)}));
                      Value phase = c.rem(c.mul(loops[2], i), period, true);
                      Value cosine = c.load(in[1], {phase, c.index(0)});
                      Value sine = c.neg(c.load(in[1], {phase, c.index(1)}));
                      Value first = c.sub(c.mul(re, cosine), c.mul(im, sine));
                      Value second = c.add(c.mul(re, sine), c.mul(im, cosine));
                      Value term =
                          c.select(c.eq(loops[3], c.index(0)), first, second);
                      if (window)
                        term = c.mul(term, real(c, c.load(in[2], {i})));
                      return {c.add(so[0], term)};
                    })[0];
                Type storage = storageType(c.b.getContext(), x.type);
                c.store(c.narrow(c.cast(sum, acc, x.type), storage), out[0],
                        loops);
              })[0]);
}

// w[i] = a - b cos(2 pi i / N) + c cos(4 pi i / N)
void importWindow(NodeContext &n, TensorBuilder &t) {
  bool periodic = n.integer("periodic", 1);
  auto type = DataType(n.integer("output_datatype", int64_t(DataType::Float)));
  auto size = oneSize(n, t, n.input(0), "the size");
  if (n.failed() || !size)
    return;
  if (!storageType(t.builder.getContext(), type))
    return n.unsupported("makes " + dataTypeName(type));
  double a = 0.5, b = 0.5, second = 0;
  if (n.op() == "HammingWindow") {
    a = 25.0 / 46.0;
    b = 1 - a;
  } else if (n.op() == "BlackmanWindow") {
    a = 0.42;
    second = 0.08;
  }
  Dim steps = periodic ? *size : t.dims.sub(*size, t.dims.constant(1));
  Value count = t.dims.toValue(t.dims.max(steps, t.dims.constant(1)));
  n.set(0, t.gather(type, {*size}, [&](Code &c) {
    Type real = c.b.getF64Type();
    Value angle =
        c.div(c.mul(c.real(2 * M_PI, real), c.fromIndex(c.loop(0), real)),
              c.fromIndex(count, real));
    Value cosine = math::CosOp::create(c.b, c.loc, angle);
    Value w = c.sub(c.real(a, real), c.mul(c.real(b, real), cosine));
    if (second != 0) {
      Value twice =
          math::CosOp::create(c.b, c.loc, c.mul(c.real(2, real), angle));
      w = c.add(w, c.mul(c.real(second, real), twice));
    }
    return c.cast(w, DataType::Double, type);
  }));
}

// Triangles over the bins of a spectrum, evenly spaced on the mel scale.
void importMelWeightMatrix(NodeContext &n, TensorBuilder &t) {
  auto type = DataType(n.integer("output_datatype", int64_t(DataType::Float)));
  auto mels = oneSize(n, t, n.input(0), "num_mel_bins"),
       length = oneSize(n, t, n.input(1), "dft_length"),
       rate = oneSize(n, t, n.input(2), "sample_rate");
  Array low = n.input(3), high = n.input(4);
  if (n.failed() || !mels || !length || !rate)
    return;
  if (!storageType(t.builder.getContext(), type))
    return n.unsupported("makes " + dataTypeName(type));
  if (!isFloat(low.type) || high.type != low.type || low.rank() > 1 ||
      high.rank() > 1)
    return n.malformed("the edges must be floats");
  DimMath &d = t.dims;
  Dim bins = d.add(d.floorDiv(*length, d.constant(2)), d.constant(1));
  Value lowEdge = t.value(low), highEdge = t.value(high),
        count = d.toValue(*length), hertz = d.toValue(*rate),
        points = d.toValue(d.add(*mels, d.constant(2)));
  n.set(0, t.gather(type, {bins, *mels}, [&](Code &c) {
    Type real = c.b.getF64Type();
    auto number = [&](double v) { return c.real(v, real); };
    auto mel = [&](Value edge, int64_t rank) {
      SmallVector<Value> at(rank, c.index(0));
      Value f = c.cast(c.extract(edge, at), low.type, DataType::Double);
      Value ratio = c.add(c.div(f, number(700)), number(1));
      return c.mul(number(2595),
                   math::Log10Op::create(c.b, c.loc, ratio).getResult());
    };
    Value first = mel(lowEdge, low.rank()), last = mel(highEdge, high.rank());
    Value step = c.div(c.sub(last, first), c.fromIndex(points, real));
    // The spectrum's bin of point i, a whole number.
    auto bin = [&](int64_t offset) {
      Value i = c.fromIndex(c.add(c.loop(1), c.index(offset)), real);
      Value m = c.add(c.mul(i, step), first);
      Value power = c.pow(number(10), c.div(m, number(2595)));
      Value f = c.mul(number(700), c.sub(power, number(1)));
      Value scaled = c.mul(c.add(c.fromIndex(count, real), number(1)), f);
      return c.floor(c.div(scaled, c.fromIndex(hertz, real)));
    };
    Value left = bin(0), center = bin(1), right = bin(2);
    Value j = c.fromIndex(c.loop(0), real), zero = number(0);
    auto within = [&](Value from, Value to) {
      return c.conj(c.ge(j, from), c.le(j, to));
    };
    Value width = c.sub(center, left), rest = c.sub(right, center);
    Value rising =
        c.select(c.eq(width, zero), number(1), c.div(c.sub(j, left), width));
    Value falling = c.div(c.sub(right, j), rest);
    Value w = c.select(within(left, center), rising, zero);
    Value beyond =
        c.conj(c.conj(c.ge(j, center), c.lt(j, right)), c.gt(rest, zero));
    return c.cast(c.select(beyond, falling, w), DataType::Double, type);
  }));
}

} // namespace nestor::onnx
