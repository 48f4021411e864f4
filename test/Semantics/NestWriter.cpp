// Values, accesses and the loops around a block.
#include "NestWriter.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::semantics;

/// For random schedules: 1, primes, more than two vectors; few points.
int64_t Writer::length(int64_t high) {
  if (style.kind < 0)
    return random.in(1, high);
  static constexpr int64_t kPrimes[] = {2, 3, 5, 7, 11, 13, 17};
  int64_t roll = random.in(1, 100), prime = random.pick(kPrimes);
  int64_t any = random.in(1, 12), long_ = random.in(33, 70);
  int64_t value = roll <= 8 ? 1 : roll <= 45 ? prime : roll <= 85 ? any : long_;
  // Sums over more than that are not exact in 16 bits.
  bool narrow = dataType == "f16" || dataType == "bf16";
  value = std::min(value, std::min<int64_t>(budget, narrow ? 11 : 70));
  budget = std::max<int64_t>(2, budget / value);
  return std::min(value, style.cap);
}

Extent Writer::randomExtent(int64_t high, bool mayBeNothing) {
  // A reduction over nothing runs no init: it needs an extent of its own.
  if ((mayBeNothing || !mayBeEmpty) && random.chance(25)) {
    // A size of its own, or one that is there already.
    if (sizes.empty() || random.chance(40))
      sizes.push_back(mayBeEmpty && random.chance(50) ? 0 : length(high));
    auto n = random.in(0, int64_t(sizes.size()) - 1);
    if (style.fixed)
      return {std::max<int64_t>(1, sizes[n]), 0, -1};
    return {0, 1, static_cast<int>(n)};
  }
  return {length(high), 0, -1};
}

Buffer Writer::argument(const std::string &type, std::vector<Extent> dims) {
  inputs.push_back({"%A" + std::to_string(inputs.size()), type, dims});
  return inputs.back();
}

Buffer Writer::temporary(const std::string &type, std::vector<Extent> dims) {
  Buffer buffer{"%T" + std::to_string(values++), type, dims};
  std::vector<std::string> shape;
  bool dynamic = false;
  for (const Extent &dim : dims) {
    shape.push_back(dim.inNest());
    dynamic |= dim.size >= 0;
  }
  std::string text =
      buffer.name + " = nest.alloc " +
      (dynamic ? fmt::format("[{}] ", fmt::join(shape, ", ")) : "") + ": " +
      buffer.memref();
  if (allocsFirst)
    allocs += "  " + text + "\n";
  else
    line(text);
  return buffer;
}

std::string Writer::indexText(const Index &index,
                              const std::vector<Iterator> &its) {
  auto scaled = [&](int iterator, int64_t scale) {
    std::string v = "%v" + std::to_string(iterator);
    if (scale == 1)
      return v;
    std::string c = constantIndex(scale);
    return op(fmt::format("arith.muli {}, {} : index", v, c));
  };
  if (index.first < 0)
    return constantIndex(index.offset);
  std::string text = scaled(index.first, index.scale);
  if (index.second >= 0) {
    std::string other = scaled(index.second, index.scale2);
    text = op(fmt::format("arith.addi {}, {} : index", text, other));
  }
  if (index.reverse) { // Constant extents only.
    std::string last = constantIndex(its[index.first].extent.constant - 1);
    text = op(fmt::format("arith.subi {}, {} : index", last, text));
  }
  if (index.offset != 0) {
    std::string c = constantIndex(index.offset);
    text = op(fmt::format("arith.addi {}, {} : index", text, c));
  }
  return text;
}

Extent Writer::indexExtent(const Index &index,
                           const std::vector<Iterator> &its) {
  Extent result{1 + index.offset, 0, -1};
  auto add = [&](int iterator, int64_t scale) {
    const Extent &e = its[iterator].extent;
    result.constant += scale * (e.constant - 1);
    if (e.size >= 0) {
      result.size = e.size;
      result.factor += scale * e.factor;
    }
  };
  if (index.first >= 0)
    add(index.first, index.scale);
  if (index.second >= 0)
    add(index.second, index.scale2);
  return result;
}

/// `safe`: results stay as small as the operands, however many are combined.
std::string Writer::combine(const std::string &type, std::string a,
                            std::string b, bool safe) {
  static const char *floats[] = {"maximumf", "minimumf", "addf", "subf",
                                 "mulf"};
  static const char *ints[] = {"maxsi", "minsi", "andi",
                               "addi",  "subi",  "muli"};
  const char *name = isFloatType(type) ? floats[random.in(0, safe ? 1 : 4)]
                                       : ints[random.in(0, safe ? 2 : 5)];
  return op(fmt::format("arith.{} {}, {} : {}", name, a, b, type));
}

std::string Writer::unary(const std::string &type, std::string a) {
  bool real = isFloatType(type);
  switch (random.in(0, 4)) {
  case 0:
    if (real)
      return op(fmt::format("arith.negf {} : {}", a, type));
    return op(fmt::format("math.absi {} : {}", a, type));
  case 1: { // relu
    std::string zero = number(type, 0);
    return op(fmt::format("arith.{} {}, {} : {}", real ? "maximumf" : "maxsi",
                          a, zero, type));
  }
  case 2: { // select
    std::string two = number(type, 2);
    std::string c = op(fmt::format(
        "arith.{}, {}, {} : {}", real ? "cmpf ogt" : "cmpi sgt", a, two, type));
    return op(fmt::format("arith.select {}, {}, {} : {}", c, two, a, type));
  }
  case 3: { // scf.if
    std::string one = number(type, 1);
    std::string c = op(fmt::format(
        "arith.{}, {}, {} : {}", real ? "cmpf olt" : "cmpi slt", a, one, type));
    std::string name = fresh();
    line(fmt::format("{} = scf.if {} -> {} {{", name, c, type));
    ++depth;
    std::string b = combine(type, a, one, false);
    line(fmt::format("scf.yield {} : {}", b, type));
    --depth;
    line("} else {");
    ++depth;
    line(fmt::format("scf.yield {} : {}", a, type));
    --depth;
    line("}");
    return name;
  }
  default: {
    std::string c = number(type, random.in(-2, 2));
    return combine(type, a, c, false);
  }
  }
}

std::string Writer::loopKind(bool spatialOnly, int64_t trip) {
  if (!style.scheduled)
    return "";
  int64_t choice = random.in(0, 9);
  if (choice <= 2)
    return " vectorize";
  if (choice == 3 && trip > 0 && trip <= 6)
    return " unroll";
  if (choice == 4 && spatialOnly)
    return " parallel";
  return "";
}

/// Loops around one block; in the scheduled style split, fused and reordered.
void Writer::block(const std::string &name, const std::vector<Iterator> &its,
                   llvm::function_ref<void()> init,
                   llvm::function_ref<void()> write) {
  struct Loop {
    std::string var, upper;
    int after = -1; // must stand inside this loop
    bool spatial;
    int64_t trip = -1;
  };
  std::vector<Loop> nest;
  std::vector<std::string> bindings(its.size()), where;
  auto add = [&](std::string upper, bool spatial, int64_t trip, int after) {
    nest.push_back(
        {"%i" + std::to_string(loops++), upper, after, spatial, trip});
    return nest.back().var;
  };
  bool ordered = false;
  for (size_t i = 0; i < its.size(); ++i) {
    const Extent &e = its[i].extent;
    bool spatial = its[i].kind[0] == 's';
    ordered |= its[i].kind[0] == 'o';
    int64_t trip = e.size < 0 ? e.constant : -1;
    int64_t way =
        style.scheduled && its[i].kind[0] != 'o' ? random.in(0, 5) : 0;
    if (way == 5 && i + 1 < its.size() && its[i + 1].extent.size < 0 &&

        its[i + 1].kind[0] == its[i].kind[0]) { // fuse with the next
      int64_t inner = its[i + 1].extent.constant;
      std::string f = add(fmt::format("({}) * {}", e.inNest(), inner), spatial,
                          trip < 0 ? -1 : trip * inner, -1);
      bindings[i] = fmt::format("{} floordiv {}", f, inner);
      bindings[i + 1] = fmt::format("{} mod {}", f, inner);
      ++i;
      continue;
    }
    if (way == 2 || way == 3 || way == 4) { // split
      int64_t factor = random.in(1, 5);
      if (way == 4 && trip > 0)
        while (trip % factor != 0)
          --factor;
      std::string o =
          add(fmt::format("({}) ceildiv {}", e.inNest(), factor), spatial,
              trip < 0 ? -1 : (trip + factor - 1) / factor, -1);
      int outer = static_cast<int>(nest.size()) - 1;
      bool perfect = trip >= 0 && trip % factor == 0;
      std::string in;
      if (way == 2 && !perfect) {
        in = add(
            fmt::format("min({}, {} - {} * {})", factor, e.inNest(), o, factor),
            spatial, -1, outer);
      } else {
        in = add(std::to_string(factor), spatial, factor, -1);
        if (!perfect)
          where.push_back(fmt::format("{} - 1 - {} * {} - {} >= 0", e.inNest(),
                                      o, factor, in));
      }
      bindings[i] = fmt::format("{} * {} + {}", o, factor, in);
      continue;
    }
    bindings[i] = add(e.inNest(), spatial, trip, -1);
  }
  // A random order in which inner tiles follow what bounds them.
  std::vector<int> order, rest;
  for (size_t i = 0; i < nest.size(); ++i)
    rest.push_back(static_cast<int>(i));
  while (!rest.empty()) {
    size_t at = 0;
    if (!ordered && (style.scheduled || random.chance(10)))
      at = random.in(0, int64_t(rest.size()) - 1);
    int after = nest[rest[at]].after;
    if (after >= 0 && llvm::is_contained(rest, after))
      continue;
    order.push_back(rest[at]);
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(at));
  }
  for (int i : order) {
    line(fmt::format("nest.for {} = 0 to {}{} {{", nest[i].var, nest[i].upper,
                     loopKind(nest[i].spatial, nest[i].trip)));
    ++depth;
  }
  std::vector<std::string> iterators;
  for (size_t i = 0; i < its.size(); ++i)
    iterators.push_back(fmt::format("%v{} : {} = {} to {}", i, its[i].kind,
                                    bindings[i], its[i].extent.inNest()));
  std::string head =
      fmt::format("nest.block \"{}\" ({})", name, fmt::join(iterators, ", "));
  if (!where.empty())
    head += fmt::format(" where ({})", fmt::join(where, ", "));
  bool hasInit = init && llvm::any_of(its, [](const Iterator &it) {
                   return it.kind[0] == 'r';
                 });
  line(head + (hasInit ? " init {" : " {"));
  ++depth;
  if (hasInit) {
    init();
    --depth;
    line("} {");
    ++depth;
  }
  write();
  for (size_t i = 0; i <= nest.size(); ++i) {
    --depth;
    line("}");
  }
}
