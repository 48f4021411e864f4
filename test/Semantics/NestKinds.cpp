// Kernels for random schedules: reductions that follow each other, products,
// convolutions. Whole numbers stay small, so that every order gives the same
// bits; only softmax, which has exp, is compared with a tolerance.
#include "NestWriter.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::semantics;

static std::vector<Iterator> over(const std::vector<Extent> &dims) {
  std::vector<Iterator> its;
  for (const Extent &dim : dims)
    its.push_back({dim, "spatial"});
  return its;
}

/// Types in which long sums of whole numbers are exact.
void Writer::wholeType() {
  if (dataType == "f16" || dataType == "bf16")
    dataType = "f32";
  if (dataType == "i8")
    dataType = "i32";
}

Buffer Writer::copyOf(Buffer input, const char *name) {
  Buffer result = temporary(input.type, input.dims);
  std::vector<std::string> at = iteratorNames(input.dims.size());
  block(name, over(input.dims), nullptr,
        [&] { store(load(input, at), result, at); });
  return result;
}

/// to[i] = fold over j of from[i, j]
Buffer
Writer::fold(const std::string &name, Buffer from, int64_t start,
             llvm::function_ref<std::string(std::string, std::string)> step) {
  Buffer to = temporary(from.type, {from.dims[0]});
  block(
      name, {{from.dims[0], "spatial"}, {from.dims[1], "reduce"}},
      [&] { store(number(from.type, start), to, {"%v0"}); },
      [&] {
        std::string x = load(from, {"%v0", "%v1"}), old = load(to, {"%v0"});
        store(step(old, x), to, {"%v0"});
      });
  return to;
}

/// to[i, j] = op(a[i, j], row[i])
Buffer
Writer::against(const std::string &name, Buffer a, Buffer row,
                llvm::function_ref<std::string(std::string, std::string)> op) {
  Buffer to = temporary(a.type, a.dims);
  block(name, over(a.dims), nullptr, [&] {
    std::string x = load(a, {"%v0", "%v1"}), y = load(row, {"%v0"});
    store(op(x, y), to, {"%v0", "%v1"});
  });
  return to;
}

/// m = max x, e = exp(x - m), s = sum e, out = e / s; sometimes exp stands in
/// the sum and in the quotient.
Buffer Writer::softmax() {
  dataType = random.chance(70) ? "f32" : "f64";
  Extent rows = randomExtent(9), columns = randomExtent(40, false);
  Buffer x = argument(dataType, {rows, columns});
  Buffer max = fold("max", x, -100, [&](std::string old, std::string a) {
    return larger(dataType, old, a);
  });
  auto exponent = [&](std::string a, std::string m) {
    return op(fmt::format("math.exp {} : {}", binary("sub", dataType, a, m),
                          dataType));
  };
  auto add = [&](std::string old, std::string a) {
    return binary("add", dataType, old, a);
  };
  auto divide = [&](std::string a, std::string s) {
    return binary("div", dataType, a, s);
  };
  if (random.chance(60)) {
    Buffer e = against("exp", x, max, exponent);
    return against("div", e, fold("sum", e, 0, add), divide);
  }
  Buffer sum = temporary(dataType, {rows});
  block(
      "sum", {{rows, "spatial"}, {columns, "reduce"}},
      [&] { store(number(dataType, 0), sum, {"%v0"}); },
      [&] {
        std::string a = load(x, {"%v0", "%v1"}), m = load(max, {"%v0"});
        std::string e = exponent(a, m), old = load(sum, {"%v0"});
        store(add(old, e), sum, {"%v0"});
      });
  Buffer out = temporary(dataType, x.dims);
  block("div", over(x.dims), nullptr, [&] {
    std::string a = load(x, {"%v0", "%v1"}), m = load(max, {"%v0"});
    std::string e = exponent(a, m), s = load(sum, {"%v0"});
    store(divide(e, s), out, {"%v0", "%v1"});
  });
  return out;
}

/// s = sum x, d = x - s, q = sum d * d, out = d - q.
Buffer Writer::layernorm() {
  wholeType();
  Extent rows = randomExtent(9), columns = randomExtent(40, false);
  Buffer x = argument(dataType, {rows, columns});
  Buffer sum = fold("sum", x, 0, [&](std::string old, std::string a) {
    return binary("add", dataType, old, a);
  });
  auto less = [&](std::string a, std::string b) {
    return binary("sub", dataType, a, b);
  };
  Buffer d = against("shift", x, sum, less);
  Buffer squares = fold("squares", d, 0, [&](std::string old, std::string a) {
    return binary("add", dataType, old, binary("mul", dataType, a, a));
  });
  return against("scale", d, squares, less);
}

/// The largest (smallest) element of each row and where it is. Without a rule
/// for ties the first wins: then the order of the reduction matters.
Buffer Writer::argmax() {
  Extent rows = randomExtent(9), columns = randomExtent(40, false);
  bool real = isFloatType(dataType), min = random.chance(40),
       ties = random.chance(50);
  std::string index = random.chance(50) ? "i64" : "i32";
  Buffer x = argument(dataType, {rows, columns});
  Buffer best = temporary(dataType, {rows}), where = temporary(index, {rows});
  auto compare = [&](const char *name, const std::string &a,
                     const std::string &b) {
    return op(fmt::format("arith.{} {}{}, {}, {} : {}", real ? "cmpf" : "cmpi",
                          real ? "o" : (name[0] == 'e' ? "" : "s"), name, a, b,
                          dataType));
  };
  block(
      "arg", {{rows, "spatial"}, {columns, "reduce"}},
      [&] {
        store(number(dataType, min ? 100 : -100), best, {"%v0"});
        store(number(index, 1 << 20), where, {"%v0"});
      },
      [&] {
        std::string a = load(x, {"%v0", "%v1"}), b = load(best, {"%v0"});
        std::string i =
            op(fmt::format("arith.index_cast %v1 : index to {}", index));
        std::string old = load(where, {"%v0"});
        std::string c = compare(min ? "lt" : "gt", a, b);
        if (ties) {
          std::string same = compare(real ? "eq" : "eq", a, b);
          std::string first =
              op(fmt::format("arith.cmpi slt, {}, {} : {}", i, old, index));
          same = op(fmt::format("arith.andi {}, {} : i1", same, first));
          c = op(fmt::format("arith.ori {}, {} : i1", c, same));
        }
        std::string v =
            op(fmt::format("arith.select {}, {}, {} : {}", c, a, b, dataType));
        std::string n =
            op(fmt::format("arith.select {}, {}, {} : {}", c, i, old, index));
        store(v, best, {"%v0"});
        store(n, where, {"%v0"});
      });
  outputs.push_back(best);
  return where;
}

/// `input` with `by` zeros on both sides of its last two dims.
Buffer Writer::pad(Buffer input, int64_t by) {
  std::vector<Extent> dims = input.dims;
  for (size_t d = dims.size() - 2; d < dims.size(); ++d)
    dims[d].constant += 2 * by;
  Buffer out = temporary(input.type, dims);
  std::vector<std::string> at = iteratorNames(dims.size());
  block("pad", over(dims), nullptr, [&] {
    std::vector<std::string> from = at;
    std::string inside;
    for (size_t d = dims.size() - 2; d < dims.size(); ++d) {
      std::string c = constantIndex(by), zero = constantIndex(0);
      from[d] = op(fmt::format("arith.subi {}, {} : index", at[d], c));
      std::string low =
          op(fmt::format("arith.cmpi sge, {}, {} : index", from[d], zero));
      std::string end = constantIndex(input.dims[d].constant);
      std::string high =
          op(fmt::format("arith.cmpi slt, {}, {} : index", from[d], end));
      std::string both = op(fmt::format("arith.andi {}, {} : i1", low, high));
      inside = inside.empty()
                   ? both
                   : op(fmt::format("arith.andi {}, {} : i1", inside, both));
    }
    std::string name = fresh();
    line(fmt::format("{} = scf.if {} -> {} {{", name, inside, input.type));
    ++depth;
    line(fmt::format("scf.yield {} : {}", load(input, from), input.type));
    --depth;
    line("} else {");
    ++depth;
    line(fmt::format("scf.yield {} : {}", number(input.type, 0), input.type));
    close();
    store(name, out, at);
  });
  return out;
}

/// Standard, depthwise or pointwise; strided; padded or not.
Buffer Writer::convolution() {
  wholeType();
  bool depthwise = random.chance(40), padded = random.chance(40);
  auto size = [&](int64_t high) { return Extent{length(high), 0, -1}; };
  auto few = [&](int64_t low, int64_t high) {
    return Extent{std::min(random.in(low, high), style.cap), 0, -1};
  };
  Extent h = size(9), w = size(9), r = few(1, 3), s = few(1, 3), c = few(1, 4),
         k = few(1, 5);
  int64_t stride = random.in(1, 2);
  auto span = [&](Extent out, Extent window) {
    return Extent{(out.constant - 1) * stride + window.constant, 0, -1};
  };
  Extent height = span(h, r), width = span(w, s);
  padded &= height.constant > 2 && width.constant > 2;
  if (padded) {
    height.constant -= 2;
    width.constant -= 2;
  }
  Buffer x = argument(dataType, {c, height, width});
  Buffer weights = depthwise ? argument(dataType, {c, r, s})
                             : argument(dataType, {k, c, r, s});
  if (padded)
    x = pad(x, 1);
  Buffer out = temporary(dataType, {depthwise ? c : k, h, w});
  // Iterators: channel, row, column, window, and the input's channel.
  std::vector<Iterator> its = {{depthwise ? c : k, "spatial"},
                               {h, "spatial"},
                               {w, "spatial"},
                               {r, "reduce"},
                               {s, "reduce"}};
  if (!depthwise)
    its.push_back({c, "reduce"});
  block(
      "conv", its,
      [&] { store(number(dataType, 0), out, {"%v0", "%v1", "%v2"}); },
      [&] {
        Index row{1, 3, stride, 1}, column{2, 4, stride, 1};
        std::string channel = depthwise ? "%v0" : "%v5";
        std::string i = indexText(row, its), j = indexText(column, its);
        std::string a = load(x, {channel, i, j});
        std::string b = depthwise ? load(weights, {"%v0", "%v3", "%v4"})
                                  : load(weights, {"%v0", "%v5", "%v3", "%v4"});
        std::string p = binary("mul", dataType, a, b);
        std::string old = load(out, {"%v0", "%v1", "%v2"});
        store(binary("add", dataType, old, p), out, {"%v0", "%v1", "%v2"});
      });
  return out;
}

/// out[i, j] = sum over k of a[i, k] * b[k, j]
Buffer Writer::product(const std::string &name, Buffer a, Buffer b) {
  Buffer out = temporary(a.type, {a.dims[0], b.dims[1]});
  block(
      name,
      {{a.dims[0], "spatial"}, {b.dims[1], "spatial"}, {a.dims[1], "reduce"}},
      [&] { store(number(a.type, 0), out, {"%v0", "%v1"}); },
      [&] {
        std::string x = load(a, {"%v0", "%v2"}), y = load(b, {"%v2", "%v1"});
        std::string p = binary("mul", a.type, x, y);
        std::string old = load(out, {"%v0", "%v1"});
        store(binary("add", a.type, old, p), out, {"%v0", "%v1"});
      });
  return out;
}

/// One product of matrices feeds the next.
Buffer Writer::matmuls() {
  wholeType();
  Extent i = randomExtent(9), k = randomExtent(9), l = randomExtent(9),
         j = randomExtent(9);
  Buffer a = argument(dataType, {i, k}), b = argument(dataType, {k, l}),
         c = argument(dataType, {l, j});
  Buffer first = product("first", a, b);
  return product("second", first, c);
}

/// s = q k, m = max s, p = s - m, n = sum p, out = (p v) - n.
Buffer Writer::attention() {
  wholeType();
  Extent i = randomExtent(9), k = randomExtent(9), l = randomExtent(9, false),
         j = randomExtent(9);
  Buffer q = argument(dataType, {i, k}), keys = argument(dataType, {k, l}),
         v = argument(dataType, {l, j});
  Buffer s = product("scores", q, keys);
  Buffer m = fold("max", s, -10000, [&](std::string old, std::string a) {
    return larger(dataType, old, a);
  });
  auto less = [&](std::string a, std::string b) {
    return binary("sub", dataType, a, b);
  };
  Buffer p = against("shift", s, m, less);
  Buffer n = fold("sum", p, 0, [&](std::string old, std::string a) {
    return binary("add", dataType, old, a);
  });
  return against("scale", product("values", p, v), n, less);
}

Buffer Writer::elementwise() {
  std::vector<Extent> dims;
  for (int64_t n = random.in(1, 4); n > 0; --n)
    dims.push_back(randomExtent(9));
  Buffer last = argument(dataType, dims);
  for (int64_t n = random.in(1, 3); n > 0; --n)
    last = epilogue(last);
  return last;
}
