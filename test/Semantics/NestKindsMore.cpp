// Kernels for random schedules that one primitive or other is made for: windows
// over a producer, padding, reductions in one loop, truth values, a recurrence,
// products for tensor instructions.
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

/// p = f(x); out[i] = the largest (the sum) of p[stride * i + 0, 1, ...].
Buffer Writer::window() {
  wholeType();
  bool plane = random.chance(40);
  int64_t taps = random.in(2, 4), stride = random.in(1, 2);
  Extent n{length(9), 0, -1};
  std::vector<Extent> dims(plane ? 2 : 1, n), from = dims;
  for (Extent &dim : from)
    dim.constant = (dim.constant - 1) * stride + taps;
  Buffer x = argument(dataType, from);
  Buffer p = temporary(dataType, from);
  std::vector<std::string> at = iteratorNames(from.size());
  Buffer out = temporary(dataType, dims);
  bool sum = random.chance(50);
  if (random.chance(65)) {
    // As compute_at leaves it: each iteration makes the rows that it reads.
    std::string d = n.inNest();
    open(fmt::format("nest.for %i = 0 to {}", d));
    std::vector<Buffer> rows{p};
    while (rows.size() < 3 && random.chance(50))
      rows.push_back(temporary(dataType, from));
    for (auto [k, row] : llvm::enumerate(rows)) {
      open(fmt::format("nest.for %r = 0 to {}", taps));
      if (plane)
        open(fmt::format("nest.for %j = 0 to {}", from[1].inNest()));
      open(fmt::format(
          "nest.block \"produce{}\" (%v0 : spatial = %i * {} + %r to {}{})",
          k == 0 ? "" : std::to_string(k), stride, from[0].inNest(),
          plane ? ", %v1 : spatial = %j to " + from[1].inNest() : ""));
      store(unary(dataType, load(x, at)), row, at);
      close(plane ? 3 : 2);
    }
    if (plane)
      open(fmt::format("nest.for %j = 0 to {}", d));
    open(fmt::format("nest.block \"window\" (%v0 : spatial = %i to {}{})", d,
                     plane ? ", %v1 : spatial = %j to " + d : ""));
    std::vector<Iterator> its = over(dims);
    std::string value;
    for (int64_t tap = 0; tap < taps; ++tap) {
      std::vector<std::string> index = {
          indexText({0, -1, stride, 1, tap}, its)};
      if (plane)
        index.push_back("%v1");
      std::string a = load(rows[tap % rows.size()], index);
      if (tap > 0)
        a = sum ? binary("add", dataType, value, a)
                : larger(dataType, value, a);
      value = a;
    }
    store(value, out, at);
    close(plane ? 3 : 2);
    return out;
  }
  block("produce", over(from), nullptr,
        [&] { store(unary(dataType, load(x, at)), p, at); });
  auto join = [&](const std::string &a, const std::string &b) {
    return sum ? binary("add", dataType, a, b) : larger(dataType, a, b);
  };
  // Written out, or as a reduction.
  if (random.chance(60)) {
    std::vector<Iterator> its = over(dims);
    block("window", its, nullptr, [&] {
      std::string value;
      for (int64_t tap = 0; tap < taps; ++tap) {
        std::vector<std::string> index = {
            indexText({0, -1, stride, 1, tap}, its)};
        if (plane)
          index.push_back(indexText({1, -1, stride, 1, tap / 2}, its));
        std::string a = load(p, index);
        value = value.empty() ? a : join(value, a);
      }
      store(value, out, at);
    });
    return out;
  }
  std::vector<Iterator> its = over(dims);
  its.push_back({{taps, 0, -1}, "reduce"});
  int tap = static_cast<int>(its.size()) - 1;
  block(
      "window", its, [&] { store(number(dataType, sum ? 0 : -100), out, at); },
      [&] {
        std::vector<std::string> index = {indexText({0, tap, stride, 1}, its)};
        if (plane)
          index.push_back(indexText({1, tap, stride, 1}, its));
        std::string a = load(p, index), old = load(out, at);
        store(join(old, a), out, at);
      });
  return out;
}

/// A copy with a border, alone or under a sum over windows.
Buffer Writer::padded() {
  wholeType();
  Extent h{length(9), 0, -1}, w{length(9), 0, -1};
  int64_t by = random.in(1, 2);
  Buffer x = pad(argument(dataType, {h, w}), by);
  if (random.chance(15))
    return x;
  int64_t taps = random.in(1, 2 * by + 1);
  Extent r{taps, 0, -1};
  std::vector<Extent> dims = x.dims;
  for (Extent &dim : dims)
    dim.constant -= taps - 1;
  Buffer out = temporary(dataType, dims);
  std::vector<Iterator> its = over(dims);
  its.push_back({r, "reduce"});
  its.push_back({r, "reduce"});
  block(
      "pool", its, [&] { store(number(dataType, 0), out, {"%v0", "%v1"}); },
      [&] {
        std::string i = indexText({0, 2}, its), j = indexText({1, 3}, its);
        std::string a = load(x, {i, j}), old = load(out, {"%v0", "%v1"});
        store(binary("add", dataType, old, a), out, {"%v0", "%v1"});
      });
  return out;
}

/// Two reductions in the loop of a row, the second with the result of the
/// first: s += x - max (whole numbers), s += exp(x - max),
/// s += (x - mean)^2.
Buffer Writer::online() {
  int64_t form = random.in(0, 2);
  if (form == 0)
    wholeType();
  else
    dataType = random.chance(70) ? "f32" : "f64";
  Extent rows = randomExtent(9), columns = randomExtent(40, false);
  if (form == 2)
    columns = {length(40), 0, -1};
  Buffer x = argument(dataType, {rows, columns});
  Buffer first = temporary(dataType, {rows}),
         second = temporary(dataType, {rows});
  open(fmt::format("nest.for %i = 0 to {}", rows.inNest()));
  auto reduction = [&](const char *name, const Buffer &to, int64_t start,
                       llvm::function_ref<std::string(std::string)> term,
                       bool max) {
    std::string k = fmt::format("%k{}", loops++);
    open(fmt::format("nest.for {} = 0 to {}", k, columns.inNest()));
    line(fmt::format("nest.block \"{}\" (%v0 : spatial = %i to {}, %v1 : "
                     "reduce = {} to {}) init {{",
                     name, rows.inNest(), k, columns.inNest()));
    ++depth;
    store(number(dataType, start), to, {"%v0"});
    --depth;
    open("}");
    std::string value = term(load(x, {"%v0", "%v1"})), old = load(to, {"%v0"});
    store(max ? larger(dataType, old, value)
              : binary("add", dataType, old, value),
          to, {"%v0"});
    close(2);
  };
  reduction(
      "best", first, form == 2 ? 0 : -100, [](std::string a) { return a; },
      form != 2);
  reduction(
      "rest", second, 0,
      [&](std::string a) {
        std::string m = load(first, {"%v0"});
        if (form == 2)
          m = binary("div", dataType, m, number(dataType, columns.constant));
        std::string d = binary("sub", dataType, a, m);
        return form == 0   ? d
               : form == 1 ? op(fmt::format("math.exp {} : {}", d, dataType))
                           : binary("mul", dataType, d, d);
      },
      false);
  close();
  outputs.push_back(first);
  return second;
}

/// Sums of products whose innermost loops are what a tensor instruction does,
/// for some forms of operands and widths: lanes of sums, groups of products.
///   out[i, jo, j] += wide(a[i, ko, k]) * wide(b[jo, ko, j, k])
Buffer Writer::products() {
  struct Form {
    const char *element, *left, *right, *sum;
    int64_t lanes, group;
  };
  static constexpr Form kForms[] = {
      {"i8", "extui", "extsi", "i32", 8, 4},
      {"i8", "extsi", "extsi", "i32", 8, 4},
      {"i16", "extsi", "extsi", "i32", 8, 2},
      {"i8", "extui", "extsi", "i32", 16, 4},
      {"f32", nullptr, nullptr, "f32", 8, 1},
      {"f64", nullptr, nullptr, "f64", 4, 1},
  };
  const Form &form = kForms[random.in(0, std::size(kForms) - 1)];
  dataType = form.sum;
  Extent i = randomExtent(5), jo = {length(3), 0, -1}, ko = {length(5), 0, -1},
         j = {form.lanes, 0, -1}, k = {form.group, 0, -1};
  bool grouped = form.group > 1;
  auto dims = [&](std::vector<Extent> some) {
    if (grouped)
      some.push_back(k);
    return some;
  };
  Buffer a = argument(form.element, dims({i, ko})),
         b = argument(form.element, dims({jo, ko, j}));
  Buffer out = temporary(form.sum, {i, jo, j});
  std::vector<Iterator> its = {
      {i, "spatial"}, {jo, "spatial"}, {ko, "reduce"}, {j, "spatial"}};
  if (grouped)
    its.push_back({k, "reduce"});
  std::vector<std::string> to = {"%v0", "%v1", "%v3"};
  block(
      "products", its, [&] { store(number(form.sum, 0), out, to); },
      [&] {
        std::vector<std::string> left = {"%v0", "%v2"},
                                 right = {"%v1", "%v2", "%v3"};
        if (grouped) {
          left.push_back("%v4");
          right.push_back("%v4");
        }
        auto factor = [&](const Buffer &from, const auto &at, const char *how) {
          std::string x = load(from, at);
          return how ? op(fmt::format("arith.{} {} : {} to {}", how, x,
                                      form.element, form.sum))
                     : x;
        };
        std::string x = factor(a, left, form.left),
                    y = factor(b, right, form.right);
        std::string p = binary("mul", form.sum, x, y), old = load(out, to);
        store(binary("add", form.sum, old, p), out, to);
      });
  return out;
}

/// any[i] = or over k of (x[i, k] and y[k]); all with the words exchanged; out
/// chooses by it.
Buffer Writer::truth() {
  Extent n = randomExtent(9), m = randomExtent(17, false);
  bool any = random.chance(50);
  Buffer x = argument("i1", {n, m}), y = argument("i1", {m});
  Buffer flag = temporary("i1", {n});
  block(
      "flag", {{n, "spatial"}, {m, "reduce"}},
      [&] {
        std::string start =
            op(fmt::format("arith.constant {}", any ? "false" : "true"));
        store(start, flag, {"%v0"});
      },
      [&] {
        const char *inner = any ? "and" : "or", *outer = any ? "or" : "and";
        std::string a = load(x, {"%v0", "%v1"}), b = load(y, {"%v1"});
        std::string both =
            op(fmt::format("arith.{}i {}, {} : i1", inner, a, b));
        std::string old = load(flag, {"%v0"});
        both = op(fmt::format("arith.{}i {}, {} : i1", outer, old, both));
        store(both, flag, {"%v0"});
      });
  Buffer a = argument(dataType, {n}), b = argument(dataType, {n});
  Buffer out = temporary(dataType, {n});
  block("choose", {{n, "spatial"}}, nullptr, [&] {
    std::string c = load(flag, {"%v0"}), p = load(a, {"%v0"}),
                q = load(b, {"%v0"});
    store(op(fmt::format("arith.select {}, {}, {} : {}", c, p, q, dataType)),
          out, {"%v0"});
  });
  return out;
}

/// A triangular system: x[i] -= sum over j < i of l[i, j] x[j].
Buffer Writer::substitution() {
  dataType = random.chance(50) ? "i32" : "i64";
  Extent n = randomExtent(17);
  Buffer b = argument(dataType, {n}), l = argument(dataType, {n, n});
  Buffer x = copyOf(b, "first");
  std::string d = n.inNest();
  open(fmt::format("nest.for %i = 0 to {}", d));
  open("nest.for %j = 0 to %i");
  open(fmt::format("nest.block \"solve\" (%v0 : ordered = %i to {0}, %v1 : "
                   "ordered = %j to {0})",
                   d));
  std::string p = load(l, {"%v0", "%v1"}), q = load(x, {"%v1"});
  p = binary("mul", dataType, p, q);
  std::string old = load(x, {"%v0"});
  store(binary("sub", dataType, old, p), x, {"%v0"});
  close(3);
  return x;
}
