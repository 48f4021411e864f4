// Kernels for random schedules in which order matters: stencils over time,
// updates in place, triangles. Each copies an argument first and works on the
// copy, which is an argument that is read and written.
#include "NestWriter.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::semantics;

/// Neighbours in one row or around a point; two buffers in turn.
Buffer Writer::stencil() {
  wholeType();
  bool plane = random.chance(50);
  Extent n = randomExtent(plane ? 7 : 17), t{random.in(1, 4), 0, -1};
  Extent inner = n;
  n.constant += 2;
  std::vector<Extent> dims(plane ? 2 : 1, n);
  Buffer x = argument(dataType, dims);
  Buffer a = copyOf(x, "first"), b = copyOf(x, "second");
  // Sums of floats grow threefold with each step: the largest instead.
  bool sum = !isFloatType(dataType) || t.constant <= 3;
  std::string d = inner.inNest();
  open(fmt::format("nest.for %t = 0 to {}", t.inNest()));
  for (auto [from, to, name] :
       {std::tuple(a, b, "there"), std::tuple(b, a, "back")}) {
    open(fmt::format("nest.for %i{} = 0 to {}", loops, d));
    std::string i = fmt::format("%i{}", loops++), j;
    if (plane) {
      open(fmt::format("nest.for %i{} = 0 to {}", loops, d));
      j = fmt::format("%i{}", loops++);
    }
    open(fmt::format(
        "nest.block \"{}\" (%vt : ordered = %t to {}, %v0 : spatial = {} to "
        "{}{})",
        name, t.inNest(), i, d,
        plane ? fmt::format(", %v1 : spatial = {} to {}", j, d) : ""));
    auto at = [&](int64_t di, int64_t dj) {
      std::vector<std::string> index;
      index.push_back(indexText({0, -1, 1, 1, di}, {}));
      if (plane)
        index.push_back(indexText({1, -1, 1, 1, dj}, {}));
      return index;
    };
    std::string value = load(from, at(1, 1));
    for (auto [di, dj] : {std::pair(0, 1), {2, 1}, {1, 0}, {1, 2}}) {
      if (!plane && dj != 1)
        continue;
      std::string other = load(from, at(di, dj));
      value = sum ? binary("add", dataType, value, other)
                  : larger(dataType, value, other);
    }
    store(value, to, at(1, 1));
    close(plane ? 3 : 2);
  }
  close();
  return a;
}

/// Gauss-Seidel: every point reads neighbours of this sweep and the last.
Buffer Writer::inPlaceStencil() {
  wholeType();
  bool plane = random.chance(60), corners = random.chance(40);
  Extent n = randomExtent(7), t{random.in(1, 3), 0, -1};
  Extent inner = n;
  n.constant += 2;
  Buffer x = argument(dataType, std::vector<Extent>(plane ? 2 : 1, n));
  Buffer a = copyOf(x, "first");
  std::string d = inner.inNest();
  open(fmt::format("nest.for %t = 0 to {}", t.inNest()));
  open(fmt::format("nest.for %i = 0 to {}", d));
  if (plane)
    open(fmt::format("nest.for %j = 0 to {}", d));
  open(fmt::format("nest.block \"sweep\" (%vt : ordered = %t to {}, %v0 : "
                   "ordered = %i to {}{})",
                   t.inNest(), d, plane ? ", %v1 : ordered = %j to " + d : ""));
  auto at = [&](int64_t di, int64_t dj) {
    std::vector<std::string> index;
    index.push_back(indexText({0, -1, 1, 1, di}, {}));
    if (plane)
      index.push_back(indexText({1, -1, 1, 1, dj}, {}));
    return index;
  };
  std::string value = load(a, at(1, 1));
  bool real = isFloatType(dataType);
  for (auto [di, dj] :
       {std::pair(0, 1), {2, 1}, {1, 0}, {1, 2}, {0, 2}, {2, 0}}) {
    if ((!plane && dj != 1) || (!corners && di != 1 && dj != 1))
      continue;
    std::string other = load(a, at(di, dj));
    value = real ? larger(dataType, value, other)
                 : binary("add", dataType, value, other);
  }
  if (real)
    value = binary("sub", dataType, value, number(dataType, 1));
  store(value, a, at(1, 1));
  close(plane ? 4 : 3);
  return a;
}

/// c = copy; c *= 2 (sometimes); c += a b, without an init.
Buffer Writer::update() {
  wholeType();
  Extent i = randomExtent(9), j = randomExtent(9), k = randomExtent(9);
  Buffer x = argument(dataType, {i, j}), a = argument(dataType, {i, k}),
         b = argument(dataType, {k, j});
  Buffer c = copyOf(x, "first");
  if (random.chance(50))
    block("twice", {{i, "spatial"}, {j, "spatial"}}, nullptr, [&] {
      std::string v = load(c, {"%v0", "%v1"});
      store(binary("add", dataType, v, v), c, {"%v0", "%v1"});
    });
  block("update", {{i, "spatial"}, {j, "spatial"}, {k, "reduce"}}, nullptr,
        [&] {
          std::string p = load(a, {"%v0", "%v2"}), q = load(b, {"%v2", "%v1"});
          p = binary("mul", dataType, p, q);
          std::string old = load(c, {"%v0", "%v1"});
          store(binary("add", dataType, old, p), c, {"%v0", "%v1"});
        });
  return c;
}

/// syrk: the lower triangle of c += a aT.
Buffer Writer::triangularSum() {
  wholeType();
  Extent n = randomExtent(9), m = randomExtent(9);
  bool lower = random.chance(60);
  Buffer x = argument(dataType, {n, n}), a = argument(dataType, {n, m});
  Buffer c = copyOf(x, "first");
  std::string d = n.inNest();
  open(fmt::format("nest.for %i = 0 to {}", d));
  open(lower ? std::string("nest.for %j = 0 to %i + 1")
             : fmt::format("nest.for %j = %i to {}", d));
  open(fmt::format("nest.for %k = 0 to {}", m.inNest()));
  open(fmt::format("nest.block \"syrk\" (%v0 : spatial = %i to {0}, %v1 : "
                   "spatial = %j to {0}, %v2 : reduce = %k to {1})",
                   d, m.inNest()));
  std::string p = load(a, {"%v0", "%v2"}), q = load(a, {"%v1", "%v2"});
  p = binary("mul", dataType, p, q);
  std::string old = load(c, {"%v0", "%v1"});
  store(binary("add", dataType, old, p), c, {"%v0", "%v1"});
  close(4);
  return c;
}

/// trmm: b[i, j] += sum over k > i of a[k, i] b[k, j], in place.
Buffer Writer::triangularProduct() {
  dataType = random.chance(50) ? "i32" : "i64";
  Extent n = randomExtent(9), m = randomExtent(9);
  Buffer x = argument(dataType, {n, m}), a = argument(dataType, {n, n});
  Buffer b = copyOf(x, "first");
  std::string d = n.inNest(), e = m.inNest();
  open(fmt::format("nest.for %i = 0 to {}", d));
  open(fmt::format("nest.for %j = 0 to {}", e));
  open(fmt::format("nest.for %k = %i + 1 to {}", d));
  open(fmt::format("nest.block \"trmm\" (%v0 : ordered = %i to {0}, %v1 : "
                   "spatial = %j to {1}, %v2 : reduce = %k to {0})",
                   d, e));
  std::string p = load(a, {"%v2", "%v0"}), q = load(b, {"%v2", "%v1"});
  p = binary("mul", dataType, p, q);
  std::string old = load(b, {"%v0", "%v1"});
  store(binary("add", dataType, old, p), b, {"%v0", "%v1"});
  close(4);
  return b;
}

/// lu with a product where the quotient stands, so that integers stay exact.
Buffer Writer::elimination() {
  dataType = random.chance(50) ? "i32" : "i64";
  Extent n = randomExtent(9);
  Buffer x = argument(dataType, {n, n});
  Buffer a = copyOf(x, "first");
  std::string d = n.inNest();
  open(fmt::format("nest.for %k = 0 to {}", d));
  open(fmt::format("nest.for %i = %k + 1 to {}", d));
  open(fmt::format("nest.block \"column\" (%v0 : ordered = %k to {0}, %v1 : "
                   "spatial = %i to {0})",
                   d));
  std::string p = load(a, {"%v1", "%v0"}), q = load(a, {"%v0", "%v0"});
  store(binary("mul", dataType, p, q), a, {"%v1", "%v0"});
  close(2);
  open(fmt::format("nest.for %i1 = %k + 1 to {}", d));
  open(fmt::format("nest.for %j1 = %k + 1 to {}", d));
  open(fmt::format("nest.block \"rest\" (%v0 : ordered = %k to {0}, %v1 : "
                   "spatial = %i1 to {0}, %v2 : spatial = %j1 to {0})",
                   d));
  p = load(a, {"%v1", "%v0"});
  q = load(a, {"%v0", "%v2"});
  p = binary("mul", dataType, p, q);
  std::string old = load(a, {"%v1", "%v2"});
  store(binary("sub", dataType, old, p), a, {"%v1", "%v2"});
  close(4);
  return a;
}

/// Two blocks write the lower and the upper triangle; a third reads both.
Buffer Writer::halves() {
  Extent n = randomExtent(9);
  Buffer x = argument(dataType, {n, n});
  Buffer t = temporary(dataType, {n, n});
  std::string d = n.inNest();
  for (bool lower : {true, false}) {
    std::string i = fmt::format("%i{}", loops), j = fmt::format("%j{}", loops);
    ++loops;
    open(fmt::format("nest.for {} = 0 to {}", i, d));
    open(lower ? fmt::format("nest.for {} = 0 to {} + 1", j, i)
               : fmt::format("nest.for {} = {} + 1 to {}", j, i, d));
    open(fmt::format("nest.block \"{}\" (%v0 : spatial = {} to {}, %v1 : "
                     "spatial = {} to {})",
                     lower ? "lower" : "upper", i, d, j, d));
    std::string v = load(x, {"%v0", "%v1"});
    store(lower ? v : unary(dataType, v), t, {"%v0", "%v1"});
    close(3);
  }
  Buffer out = temporary(dataType, {n, n});
  block("both", {{n, "spatial"}, {n, "spatial"}}, nullptr, [&] {
    std::string a = load(t, {"%v0", "%v1"}), b = load(t, {"%v1", "%v0"});
    store(larger(dataType, a, b), out, {"%v0", "%v1"});
  });
  return out;
}

llvm::ArrayRef<NestKind> nestor::semantics::kinds() {
  static const NestKind all[] = {
      {"einsum", &Writer::contraction, 2, 0},
      {"conv", &Writer::convolution, 2, 0},
      {"matmuls", &Writer::matmuls, 1, 0, false},
      {"map", &Writer::elementwise, 0, 0},
      {"gather", &Writer::gather, 1, 0},
      {"scan", &Writer::scan, 1, 0},
      {"rows", &Writer::rows, 1, 0},
      {"softmax", &Writer::softmax, 0, 1e-4},
      {"layernorm", &Writer::layernorm, 1, 0},
      {"attention", &Writer::attention, 0, 0, false},
      {"argmax", &Writer::argmax, 0, 0},
      {"stencil", &Writer::stencil, 0, 0},
      {"seidel", &Writer::inPlaceStencil, 0, 0},
      {"update", &Writer::update, 1, 0},
      {"syrk", &Writer::triangularSum, 1, 0},
      {"trmm", &Writer::triangularProduct, 0, 0},
      {"lu", &Writer::elimination, 0, 0},
      {"halves", &Writer::halves, 1, 0},
      {"window", &Writer::window, 1, 0},
      {"padded", &Writer::padded, 1, 0},
      {"online", &Writer::online, 0, 1e-4},
      {"flash", &Writer::flash, 0, 1e-4},
      {"truth", &Writer::truth, 0, 0},
      {"trisolv", &Writer::substitution, 0, 0},
      {"products", &Writer::products, 1, 0},
  };
  return all;
}

llvm::ArrayRef<const char *> nestor::nestKinds() {
  static const std::vector<const char *> names = [] {
    std::vector<const char *> result;
    for (const NestKind &kind : kinds())
      result.push_back(kind.name);
    return result;
  }();
  return names;
}
