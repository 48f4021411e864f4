// Three reductions side by side in the loop of a row, in tiles of their steps:
// the maximum, a sum that uses it, and a sum over further columns.
#include "NestWriter.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::semantics;

/// m = max x;  s += x - m (exp(x - m));  o[j] += x + v[j] - m (exp(x - m) *
/// v[j]). The steps come in tiles, or one by one; j runs inside or outside of
/// a tile's steps.
Buffer Writer::flash() {
  bool exact = random.chance(60);
  if (exact)
    wholeType();
  else
    dataType = random.chance(70) ? "f32" : "f64";
  Extent rows = randomExtent(7), steps{length(20), 0, -1},
         columns = randomExtent(7);
  int64_t tile = std::min<int64_t>(random.in(1, 6), steps.constant);
  if (random.chance(30))
    tile = 1;
  Buffer x = argument(dataType, {rows, steps}),
         v = argument(dataType, {steps, columns});
  Buffer max = temporary(dataType, {rows}), sum = temporary(dataType, {rows}),
         out = temporary(dataType, {rows, columns});
  open(fmt::format("nest.for %i = 0 to {}", rows.inNest()));
  auto reduction = [&](const char *name, const Buffer &to, bool wide,
                       int64_t start,
                       llvm::function_ref<std::string(std::string)> step) {
    std::string k = fmt::format("%k{}", loops), l = fmt::format("%l{}", loops),
                j = fmt::format("%j{}", loops);
    ++loops;
    bool columnsOutside = random.chance(50);
    int opened = 1;
    open(fmt::format("nest.for {} = 0 to {}", k,
                     (steps.constant + tile - 1) / tile));
    if (wide && columnsOutside)
      open(fmt::format("nest.for {} = 0 to {}", j, columns.inNest())), ++opened;
    if (tile > 1)
      open(fmt::format("nest.for {} = 0 to {}", l, tile)), ++opened;
    if (wide && !columnsOutside)
      open(fmt::format("nest.for {} = 0 to {}", j, columns.inNest())), ++opened;
    std::string at = tile > 1 ? fmt::format("{} * {} + {}", k, tile, l) : k,
                guard = steps.constant % tile == 0
                            ? ""
                            : fmt::format(" where ({} * -{} - {} + {} >= 0)", k,
                                          tile, l, steps.constant - 1);
    std::string others =
        wide ? fmt::format(", %v2 : spatial = {} to {}", j, columns.inNest())
             : "";
    line(fmt::format("nest.block \"{}\" (%v0 : spatial = %i to {}, %v1 : "
                     "reduce = {} to {}{}){} init {{",
                     name, rows.inNest(), at, steps.constant, others, guard));
    std::vector<std::string> indices = {"%v0"};
    if (wide)
      indices.push_back("%v2");
    ++depth;
    store(number(dataType, start), to, indices);
    --depth;
    open("}");
    std::string value = step(load(x, {"%v0", "%v1"})), old = load(to, indices);
    store(&to == &max ? larger(dataType, old, value)
                      : binary("add", dataType, old, value),
          to, indices);
    close(opened + 1);
  };
  auto less = [&](std::string a) {
    std::string m = load(max, {"%v0"});
    std::string d = binary("sub", dataType, a, m);
    return exact ? d : op(fmt::format("math.exp {} : {}", d, dataType));
  };
  reduction("best", max, false, -100, [](std::string a) { return a; });
  reduction("total", sum, false, 0, less);
  reduction("values", out, true, 0, [&](std::string a) {
    std::string w = load(v, {"%v1", "%v2"});
    if (exact)
      return less(binary("add", dataType, a, w));
    return binary("mul", dataType, less(a), w);
  });
  close();
  outputs.push_back(max);
  outputs.push_back(sum);
  return out;
}
