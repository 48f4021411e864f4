//===- Convolution.cpp - Conv and ConvTranspose ---------------------------===//
//
// before: Conv(X, W, B)
// after:  X padded by a gather, one linalg.generic reduction, B added
//
//===----------------------------------------------------------------------===//
#include "Convolution.h"

#include "Normalize.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// Sizes above this cannot be meant and would overflow.
static constexpr int64_t kSizeLimit = int64_t(1) << 31;

std::optional<Window> onnx::windowOf(NodeContext &n, TensorBuilder &t,
                                     const Array &x,
                                     llvm::ArrayRef<Dim> kernel) {
  DimMath &d = t.dims;
  int64_t spatial = x.rank() - 2;
  Window w;
  w.kernel.assign(kernel.begin(), kernel.end());
  auto fail = [&](const llvm::Twine &why) {
    n.malformed(why);
    return std::nullopt;
  };
  if (spatial < 1 || int64_t(kernel.size()) != spatial)
    return fail("the kernel has " + llvm::Twine(kernel.size()) +
                " dims, the data " + llvm::Twine(spatial) + " spatial ones");
  auto list = [&](llvm::StringRef name, SmallVector<int64_t> &out) {
    auto given = n.integers(name);
    out = given ? *given : SmallVector<int64_t>(spatial, 1);
    if (int64_t(out.size()) != spatial)
      n.malformed("attribute '" + name + "' must have one entry a dim");
    for (int64_t v : out)
      if (v < 1 || v > kSizeLimit)
        n.malformed("attribute '" + name + "' holds " + llvm::Twine(v));
  };
  list("strides", w.strides);
  list("dilations", w.dilations);
  llvm::StringRef autoPad = n.string("auto_pad", "NOTSET");
  auto pads = n.integers("pads");
  w.ceil = n.integer("ceil_mode", 0);
  if (n.failed())
    return std::nullopt;
  for (Dim size : kernel)
    if (auto k = DimMath::value(size); k && (*k < 1 || *k > kSizeLimit))
      return fail("a kernel dim is " + llvm::Twine(*k));
  if (pads && int64_t(pads->size()) != 2 * spatial)
    return fail("pads must have two entries a spatial dim");
  if (pads)
    for (int64_t pad : *pads)
      if (pad < 0 || pad > kSizeLimit)
        return fail("a pad is " + llvm::Twine(pad));
  bool same = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
  if (!same && autoPad != "NOTSET" && autoPad != "VALID" && !autoPad.empty())
    return fail("unknown auto_pad '" + autoPad.take_front(40) + "'");

  Dim zero = d.constant(0), one = d.constant(1);
  for (int64_t i = 0; i < spatial; ++i) {
    Dim in = x.dims[2 + i], stride = d.constant(w.strides[i]);
    Dim span =
        d.add(d.mul(d.sub(kernel[i], one), d.constant(w.dilations[i])), one);
    Dim before = zero, after = zero, out;
    if (same) {
      out = d.ceilDiv(in, stride);
      Dim total =
          d.max(d.sub(d.add(d.mul(d.sub(out, one), stride), span), in), zero);
      Dim half = d.floorDiv(total, d.constant(2));
      before = autoPad == "SAME_UPPER" ? half : d.sub(total, half);
      after = d.sub(total, before);
    } else {
      if (pads && autoPad != "VALID") {
        before = d.constant((*pads)[i]);
        after = d.constant((*pads)[spatial + i]);
      }
      Dim room = d.sub(d.add(in, d.add(before, after)), span);
      out = d.add(w.ceil ? d.ceilDiv(room, stride) : d.floorDiv(room, stride),
                  one);
      if (w.ceil) {
        // A last window that would start in the end padding is dropped.
        Dim lastStart = d.mul(d.sub(out, one), stride);
        Dim dropped =
            d.compare(arith::CmpIPredicate::sge, lastStart, d.add(in, before));
        out = d.sub(out, dropped);
      }
    }
    if (auto size = DimMath::value(out)) {
      if (*size < 0 || (*size == 0 && DimMath::value(in) != 0))
        return fail("the kernel is larger than the padded input");
    } else if (!d.atLeast(out, zero)) {
      out = d.max(out, zero);
    }
    Dim needed =
        d.sub(d.add(d.mul(d.sub(out, one), stride), span), d.add(in, before));
    w.before.push_back(before);
    w.after.push_back(after);
    w.reach.push_back(w.ceil ? d.max(after, needed) : after);
    w.out.push_back(out);
  }
  return w;
}

Array onnx::padSpatial(TensorBuilder &t, Array x, const Window &window,
                       Array value) {
  if (!x)
    return {};
  Dims before(2, t.dims.constant(0)), after(before);
  before.append(window.before);
  after.append(window.reach);
  return t.pad(x, before, after, value);
}

Array onnx::convolve(TensorBuilder &t, Array x, Array w, const Window &window,
                     int64_t group, DataType acc, MultiplyFn multiply) {
  if (!x || !w)
    return {};
  DimMath &d = t.dims;
  unsigned spatial = window.kernel.size();
  Dim groups = d.constant(group);
  Dim inner = w.dims[1], outer = d.floorDiv(w.dims[0], groups);
  bool grouped = group > 1;
  bool hasInner = !grouped || !DimMath::isOne(inner);
  bool hasOuter = !grouped || !DimMath::isOne(outer);
  // Loops: n, [g], [m], out..., [c], kernel...
  unsigned next = 1, g = 0, m = 0;
  if (grouped)
    g = next++;
  if (hasOuter)
    m = next++;
  unsigned o = next, c = o + spatial, k = c + hasInner, loops = k + spatial;

  Dims shape{x.dims[0]}, xShape{x.dims[0]}, wShape;
  SmallVector<AffineExpr> xExprs{t.d(0)}, wExprs;
  if (grouped) {
    shape.push_back(groups);
    xShape.push_back(groups);
    wShape.push_back(groups);
    xExprs.push_back(t.d(g));
    wExprs.push_back(t.d(g));
  }
  if (hasOuter) {
    shape.push_back(outer);
    wShape.push_back(outer);
    wExprs.push_back(t.d(m));
  }
  if (hasInner) {
    xShape.push_back(inner);
    wShape.push_back(inner);
    xExprs.push_back(t.d(c));
    wExprs.push_back(t.d(c));
  }
  for (unsigned i = 0; i < spatial; ++i) {
    shape.push_back(window.out[i]);
    xShape.push_back(x.dims[2 + i]);
    wShape.push_back(window.kernel[i]);
    xExprs.push_back(t.d(o + i) * window.strides[i] +
                     t.d(k + i) * window.dilations[i]);
    wExprs.push_back(t.d(k + i));
  }
  Array y = t.reduction(acc, shape, loops - c,
                        {{t.reshape(x, xShape), t.map(loops, xExprs)},
                         {t.reshape(w, wShape), t.map(loops, wExprs)}},
                        t.startValue(acc, 0), [&](Code &code, ValueRange v) {
                          return code.add(v[2], multiply(code, v[0], v[1]));
                        });
  Dims result{x.dims[0], w.dims[0]};
  result.append(window.out);
  return t.reshape(y, result);
}

/// Checks the channels of x [N, C, ...] against w and the groups.
static bool fits(NodeContext &n, TensorBuilder &t, const Array &x,
                 const Array &w, int64_t group) {
  if (x.rank() < 3 || w.rank() != x.rank()) {
    n.malformed("the data and the weights must have equal ranks, 3 or more");
    return false;
  }
  if (x.type != w.type) {
    n.malformed("the data and the weights have different types");
    return false;
  }
  if (group < 1) {
    n.malformed("group " + llvm::Twine(group) + " cannot be");
    return false;
  }
  return true;
}

/// What phasedTranspose needs to know of a dim.
struct Phase {
  int64_t stride, taps, pad, kernel; // taps: of one phase
  Dim count;                         // outputs of one phase
};

/// The outputs of each phase, where each tap has the stride 1 and no zeros
/// between the inputs are multiplied:
///
///   y[q * s + f] = sum over t of x[q + (f + pad) / s - t] w[t * s + (f + pad)
///   % s]
///
/// Taps that the last phases do not have are 0. Loops: n, m, (q, f)..., c, t...
static Array phasedTranspose(TensorBuilder &t, Array x, Array w,
                             llvm::ArrayRef<Phase> phases, DataType acc) {
  DimMath &d = t.dims;
  unsigned spatial = phases.size(), c = 2 + 2 * spatial,
           loops = c + 1 + spatial;
  Dims shape{x.dims[0], w.dims[1]}, result(shape), wShape{w.dims[0], w.dims[1]},
      before(2, d.constant(0)), after(before);
  SmallVector<AffineExpr> xExprs{t.d(0), t.d(c)}, wExprs{t.d(c), t.d(1)};
  for (auto [i, phase] : llvm::enumerate(phases)) {
    Dim in = x.dims[2 + i], stride = d.constant(phase.stride);
    int64_t whole = phase.pad / phase.stride, rest = phase.pad % phase.stride;
    int64_t first = phase.taps - 1 - whole;
    shape.append({phase.count, stride});
    result.push_back(d.mul(phase.count, stride));
    AffineExpr at = t.d(2 + 2 * i) + t.d(c + 1 + i);
    int64_t reach = phase.taps - 1;
    if (rest) {
      at = at + (t.d(3 + 2 * i) + rest).floorDiv(phase.stride);
      ++reach;
    }
    xExprs.push_back(at);
    before.push_back(d.constant(first));
    // The last input that a phase reads is number count - 1 + reach.
    after.push_back(d.max(d.sub(d.add(phase.count, d.constant(reach)),
                                d.add(in, d.constant(first))),
                          d.constant(0)));
  }
  for (auto [i, phase] : llvm::enumerate(phases)) {
    wShape.push_back(d.constant(phase.taps));
    wExprs.push_back(t.d(c + 1 + i));
  }
  for (auto [i, phase] : llvm::enumerate(phases)) {
    wShape.push_back(d.constant(phase.stride));
    wExprs.push_back(t.d(3 + 2 * i));
  }
  Value weights = t.value(w);
  Array taps = t.gather(w.type, wShape, [&](Code &code) {
    SmallVector<Value> at{code.loop(0), code.loop(1)};
    Value inside = code.boolean(true);
    for (auto [i, phase] : llvm::enumerate(phases)) {
      Value back = code.sub(code.index(phase.taps - 1), code.loop(2 + i));
      Value offset = code.rem(code.add(code.loop(2 + spatial + i),
                                       code.index(phase.pad % phase.stride)),
                              code.index(phase.stride), true);
      Value tap = code.add(code.mul(back, code.index(phase.stride)), offset);
      inside = code.conj(inside, code.lt(tap, code.index(phase.kernel)));
      at.push_back(code.min(tap, code.index(phase.kernel - 1)));
    }
    Value v = code.widen(code.extract(weights, at));
    return code.select(inside, v, code.like(0, v));
  });
  Array padded = t.pad(x, before, after, t.scalar(x.type, 0));
  Array y = t.reduction(
      acc, shape, 1 + spatial,
      {{padded, t.map(loops, xExprs)}, {taps, t.map(loops, wExprs)}},
      t.startValue(acc, 0), [&](Code &code, ValueRange v) {
        return code.add(v[2], code.mul(v[0], v[1]));
      });
  return t.reshape(y, result);
}

namespace nestor::onnx {

void importConv(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), w = n.input(1), bias = n.optional(2);
  int64_t group = n.integer("group", 1);
  if (n.failed() || !fits(n, t, x, w, group))
    return;
  auto outputs = DimMath::value(w.dims[0]);
  if (outputs && *outputs % group)
    return n.malformed("the groups do not divide the output channels");
  t.require(x.dims[1], t.dims.mul(w.dims[1], t.dims.constant(group)),
            "the channels of data and weights differ");
  if (auto shape = n.integers("kernel_shape"))
    for (auto [i, size] : llvm::enumerate(*shape))
      if (int64_t(i) < w.rank() - 2)
        t.require(w.dims[2 + i], t.dims.constant(size),
                  "kernel_shape is not the weights'");
  if (n.failed())
    return;
  auto window = windowOf(n, t, x, llvm::ArrayRef<Dim>(w.dims).drop_front(2));
  if (!window)
    return;
  DataType acc = TensorBuilder::accumulator(x.type);
  Array padded = padSpatial(t, x, *window, t.scalar(x.type, 0));
  Array y = convolve(t, padded, w, *window, group, acc,
                     [](Code &c, Value a, Value b) { return c.mul(a, b); });
  if (bias) {
    if (bias.rank() != 1 || bias.type != x.type)
      return n.malformed("the bias must have rank 1 and the data's type");
    y = t.add(y, perChannel(t, t.convert(bias, acc), x.rank()));
  }
  n.set(0, t.convert(y, x.type));
}

// before: ConvTranspose
// after:  when the windows do not overlap (kernel = stride, no pads), one
//         contraction; with strides, one for the outputs of each phase; else a
//         convolution of stride 1 with the kernel turned round, zeros between
//         the inputs
void importConvTranspose(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), w = n.input(1), bias = n.optional(2);
  int64_t group = n.integer("group", 1);
  if (n.failed() || !fits(n, t, x, w, group))
    return;
  DimMath &d = t.dims;
  unsigned spatial = x.rank() - 2;
  t.require(x.dims[1], w.dims[0], "the channels of data and weights differ");
  auto list = [&](llvm::StringRef name, int64_t fallback, int64_t low) {
    auto given = n.integers(name);
    SmallVector<int64_t> out =
        given ? *given : SmallVector<int64_t>(spatial, fallback);
    if (out.size() != spatial)
      n.malformed("attribute '" + name + "' must have one entry a dim");
    for (int64_t v : out)
      if (v < low || v > kSizeLimit)
        n.malformed("attribute '" + name + "' holds " + llvm::Twine(v));
    return out;
  };
  SmallVector<int64_t> strides = list("strides", 1, 1),
                       dilations = list("dilations", 1, 1),
                       extra = list("output_padding", 0, 0);
  auto wanted = n.integers("output_shape"), pads = n.integers("pads");
  llvm::StringRef autoPad = n.string("auto_pad", "NOTSET");
  auto channels = DimMath::value(w.dims[0]);
  if (channels && *channels % group)
    n.malformed("the groups do not divide the channels");
  if (n.failed())
    return;
  if (wanted && wanted->size() == spatial + 2)
    wanted->erase(wanted->begin(), wanted->begin() + 2);
  if ((wanted && wanted->size() != spatial) ||
      (pads && pads->size() != 2 * spatial))
    return n.malformed("output_shape and pads must have entries for each dim");
  bool same = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";

  Dim zero = d.constant(0), one = d.constant(1);
  Dims kernel(w.dims.begin() + 2, w.dims.end()), before, out, span;
  bool apart = true;
  for (unsigned i = 0; i < spatial; ++i) {
    Dim in = x.dims[2 + i], stride = d.constant(strides[i]);
    span.push_back(
        d.add(d.mul(d.sub(kernel[i], one), d.constant(dilations[i])), one));
    Dim full = d.add(d.add(d.mul(d.sub(in, one), stride), span[i]),
                     d.constant(extra[i]));
    Dim first = zero, last = zero;
    if (wanted || same) {
      Dim size = wanted ? d.constant((*wanted)[i]) : d.mul(in, stride);
      Dim total = d.max(d.sub(full, size), zero);
      Dim half = d.floorDiv(total, d.constant(2));
      first = autoPad == "SAME_UPPER" || !same ? half : d.sub(total, half);
      if (wanted && !same)
        first = d.sub(total, half);
      out.push_back(size);
    } else {
      if (pads && autoPad != "VALID") {
        first = d.constant((*pads)[i]);
        last = d.constant((*pads)[spatial + i]);
      }
      out.push_back(d.sub(full, d.add(first, last)));
    }
    before.push_back(first);
    if (auto size = DimMath::value(out.back()); size && *size < 0)
      return n.malformed("the pads are larger than the output");
    apart &= DimMath::value(kernel[i]) == strides[i] && dilations[i] == 1 &&
             d.equal(out.back(), d.mul(in, stride)) &&
             DimMath::value(first) == 0;
  }

  SmallVector<Phase> phases;
  bool strided = llvm::any_of(strides, [](int64_t s) { return s > 1; });
  for (unsigned i = 0; i < spatial && strided && group == 1; ++i) {
    auto size = DimMath::value(kernel[i]), pad = DimMath::value(before[i]);
    if (!size || !pad || *size < 1 || dilations[i] != 1)
      break;
    int64_t taps = (*size + strides[i] - 1) / strides[i];
    if (*pad / strides[i] > taps - 1)
      break; // all that the first outputs read is outside
    phases.push_back({strides[i], taps, *pad, *size,
                      d.ceilDiv(out[i], d.constant(strides[i]))});
  }
  if (phases.size() != spatial)
    phases.clear();

  DataType acc = TensorBuilder::accumulator(x.type);
  auto multiply = [](Code &c, Value a, Value b) { return c.mul(a, b); };
  Array y;
  if (apart && group == 1) {
    // Loops: n, m, (i, k)..., c; the result is [N, M, I*K, ...] already.
    unsigned c = 2 + 2 * spatial, loops = c + 1;
    Dims shape{x.dims[0], w.dims[1]}, result(shape);
    SmallVector<AffineExpr> xExprs{t.d(0), t.d(c)}, wExprs{t.d(c), t.d(1)};
    for (unsigned i = 0; i < spatial; ++i) {
      shape.push_back(x.dims[2 + i]);
      shape.push_back(kernel[i]);
      xExprs.push_back(t.d(2 + 2 * i));
      wExprs.push_back(t.d(3 + 2 * i));
      result.push_back(out[i]);
    }
    y = t.reduction(acc, shape, 1,
                    {{x, t.map(loops, xExprs)}, {w, t.map(loops, wExprs)}},
                    t.startValue(acc, 0), [&](Code &code, ValueRange v) {
                      return code.add(v[2], multiply(code, v[0], v[1]));
                    });
    y = t.reshape(y, result);
  } else if (!phases.empty()) {
    y = phasedTranspose(t, x, w, phases, acc);
    Dims starts(x.rank(), zero), steps(x.rank(), one),
        sizes{x.dims[0], w.dims[1]};
    sizes.append(out);
    if (y && !llvm::all_of_zip(y.dims, sizes,
                               [&](Dim a, Dim b) { return d.equal(a, b); }))
      y = t.slice(y, starts, steps, sizes);
  } else {
    // [C, M/G, k...] => [M, C/G, turned k...]
    Dims split{d.constant(group), d.floorDiv(w.dims[0], d.constant(group)),
               w.dims[1]};
    split.append(kernel);
    SmallVector<int64_t> perm{0, 2, 1};
    Dims starts(w.rank(), zero), steps(w.rank(), one), sizes;
    for (unsigned i = 0; i < spatial; ++i) {
      perm.push_back(3 + i);
      starts[2 + i] = d.sub(kernel[i], one);
      steps[2 + i] = d.constant(-1);
    }
    sizes = {d.mul(split[0], split[2]), split[1]};
    sizes.append(kernel);
    Array turned =
        t.slice(t.reshape(t.transpose(t.reshape(w, split), perm), sizes),
                starts, steps, sizes);
    Window window;
    window.kernel = kernel;
    window.strides.assign(spatial, 1);
    window.dilations = dilations;
    window.out = out;
    Dims spread{x.dims[0], x.dims[1]};
    SmallVector<Value> offset, size;
    for (unsigned i = 0; i < spatial; ++i) {
      spread.push_back(d.sub(d.add(out[i], span[i]), one));
      offset.push_back(d.toValue(d.sub(d.sub(span[i], one), before[i])));
      size.push_back(d.toValue(x.dims[2 + i]));
    }
    Value data = t.value(x);
    Array z = t.gather(x.type, spread, [&](Code &c) {
      SmallVector<Value> at{c.loop(0), c.loop(1)};
      Value inside = c.boolean(true), none = c.index(0);
      for (unsigned i = 0; i < spatial; ++i) {
        Value p = c.sub(c.loop(2 + i), offset[i]);
        Value q = p;
        if (strides[i] != 1) {
          Value stride = c.index(strides[i]);
          q = arith::DivSIOp::create(c.b, c.loc, p, stride);
          inside = c.conj(inside, c.eq(c.mul(q, stride), p));
        }
        inside = c.conj(inside, c.conj(c.ge(p, none), c.lt(q, size[i])));
        at.push_back(c.max(c.min(q, c.sub(size[i], c.index(1))), none));
      }
      Value v = c.widen(c.extract(data, at));
      return c.select(inside, v, c.like(0, v));
    });
    y = convolve(t, z, turned, window, group, acc, multiply);
  }
  if (bias)
    y = t.add(y, perChannel(t, t.convert(bias, acc), x.rank()));
  n.set(0, t.convert(y, x.type));
}

} // namespace nestor::onnx
