// Picks a block by name, loops around it, and a primitive; most combinations
// are refused, which is a test too.
#include "RandomSchedule.h"

#include "nestor/Analysis/Blocks.h"

#include "fmt/format.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

namespace {
class Step {
public:
  Step(Schedule &schedule, Random &random, std::string &what)
      : s(schedule), random(random), what(what) {}

  Outcome any();
  Outcome last();

private:
  /// A block's handle; empty functions have none.
  std::optional<BlockRef> block() {
    SmallVector<nest::BlockOp> all = analysis::blocksIn(s.getFunc());
    if (all.empty())
      return std::nullopt;
    std::string name = random.pick(all).getName().str();
    what += " " + name;
    Result<BlockRef> ref = s.getBlock(name);
    return ref ? std::optional(*ref) : std::nullopt;
  }
  LoopRefs loopsOf(BlockRef ref) {
    Result<LoopRefs> loops = s.getLoops(ref);
    return loops ? *loops : LoopRefs();
  }
  /// One loop around `ref`; `inner`: near the block more often.
  std::optional<LoopRef> loop(BlockRef ref, bool inner = false) {
    LoopRefs loops = loopsOf(ref);
    if (loops.empty())
      return std::nullopt;
    int64_t n = static_cast<int64_t>(loops.size());
    int64_t at = random.in(inner ? std::max<int64_t>(0, n - 2) : 0, n - 1);
    what += " loop " + std::to_string(at);
    return loops[at];
  }
  Outcome affine();
  Outcome splitAny(BlockRef at);
  Outcome reorderAny(BlockRef at);
  Outcome layout(BlockRef at);
  const char *scope() {
    const char *name = random.chance(30) ? "register" : "shared";
    what += fmt::format(" in {}", name);
    return name;
  }
  int64_t buffer() {
    int64_t n = random.in(0, 3) % 3;
    what += " buffer " + std::to_string(n);
    return n;
  }

  Schedule &s;
  Random &random;
  std::string &what;
};

Outcome nothing() { return Outcome::refused("there is nothing to pick"); }

Outcome Step::splitAny(BlockRef at) {
  std::optional<LoopRef> target = loop(at);
  if (!target)
    return nothing();
  int64_t f = random.in(1, 6);
  SmallVector<Param> factors = {Param(-1), Param(f)};
  if (random.chance(20))
    std::swap(factors[0], factors[1]);
  if (random.chance(30))
    factors.push_back(Param(random.in(1, 4)));
  for (const Param &factor : factors)
    what += " " + std::to_string(factor.value);
  return s.split(*target, factors).getOutcome();
}

Outcome Step::reorderAny(BlockRef at) {
  LoopRefs loops = loopsOf(at);
  if (loops.size() < 2)
    return nothing();
  SmallVector<int> order;
  for (size_t i = 0; i < loops.size(); ++i)
    if (random.chance(70))
      order.push_back(static_cast<int>(i));
  random.shuffle(order);
  LoopRefs picked;
  for (int i : order) {
    picked.push_back(loops[i]);
    what += " " + std::to_string(i);
  }
  return s.reorder(picked);
}

/// A tiled or permuted form of one buffer of the block.
Outcome Step::layout(BlockRef at) {
  BufferRole role = random.chance(50) ? BufferRole::Read : BufferRole::Write;
  nest::BlockOp block = s.get(at);
  SmallVector<Value> buffers = role == BufferRole::Read
                                   ? analysis::readBuffers(block)
                                   : analysis::writtenBuffers(block);
  if (buffers.empty())
    return nothing();
  int64_t n = random.in(0, static_cast<int64_t>(buffers.size()) - 1);
  MLIRContext *context = block.getContext();
  int64_t rank = cast<MemRefType>(buffers[n].getType()).getRank();
  SmallVector<AffineExpr> results;
  for (int64_t d = 0; d < rank; ++d) {
    AffineExpr dim = getAffineDimExpr(d, context);
    int64_t factor = random.in(1, 4);
    if (factor > 1 && random.chance(50)) {
      results.push_back(dim.floorDiv(factor));
      results.push_back(dim % factor);
    } else {
      results.push_back(dim);
    }
  }
  random.shuffle(results);
  AffineMap map = AffineMap::get(rank, 0, results, context);
  llvm::raw_string_ostream(what)
      << (role == BufferRole::Read ? " read " : " write ") << n << " " << map;
  return s.transformLayout(at, role, n, map);
}

/// skew, reverse, shift, split_domain, wavefront.
Outcome Step::affine() {
  static const char *names[] = {"skew", "reverse", "shift", "split_domain",
                                "wavefront"};
  int64_t choice = random.in(0, 4);
  what = names[choice];
  auto at = block();
  LoopRefs loops = at ? loopsOf(*at) : LoopRefs();
  if (loops.empty())
    return nothing();
  int64_t n = static_cast<int64_t>(loops.size());
  int64_t i = random.in(0, n - 1), by = random.in(-2, 3);
  what += " " + std::to_string(i) + " by " + std::to_string(by);
  switch (choice) {
  case 0: {
    int64_t outer = random.in(0, n - 1);
    what += " along " + std::to_string(outer);
    return s.skew(loops[i], loops[outer], by);
  }
  case 1:
    return s.reverse(loops[i]);
  case 2:
    return s.shift(*at, loops[i], by);
  case 3: {
    MLIRContext *context = s.getFunc()->getContext();
    AffineExpr condition = getAffineConstantExpr(random.in(0, 9), context);
    for (int64_t d = 0; d <= i; ++d)
      if (d == i || random.chance(30))
        condition = condition + getAffineDimExpr(d, context) *
                                    (random.chance(50) ? 1 : -random.in(1, 2));
    AffineMap map = AffineMap::get(i + 1, 0, condition, context);
    llvm::raw_string_ostream(what) << " " << map;
    return s.splitDomain(loops[i], map).getOutcome();
  }
  default:
    return i + 1 < n ? s.wavefront(loops[i], loops[i + 1], random.in(1, 3))
                     : nothing();
  }
}

Outcome Step::any() {
  if (random.chance(30))
    return affine();
  int64_t choice = random.in(0, 15);
  auto named = [&](const char *name) {
    what = name;
    return block();
  };
  if (choice <= 2) {
    auto at = named("split");
    return at ? splitAny(*at) : nothing();
  }
  if (choice <= 4) {
    auto at = named("reorder");
    return at ? reorderAny(*at) : nothing();
  }
  if (choice == 5) {
    auto at = named("fuse");
    LoopRefs loops = at ? loopsOf(*at) : LoopRefs();
    if (loops.size() < 2)
      return nothing();
    int64_t i = random.in(0, static_cast<int64_t>(loops.size()) - 2);
    what += " " + std::to_string(i);
    return s.fuse({loops[i], loops[i + 1]}).getOutcome();
  }
  if (choice == 6 || choice == 7) {
    bool reverse = choice == 7;
    auto at = named(reverse ? "reverse_compute_at" : "compute_at");
    auto other = at ? block() : std::nullopt;
    auto target = other ? loop(*other) : std::nullopt;
    if (!target)
      return nothing();
    return reverse ? s.reverseComputeAt(*at, *target)
                   : s.computeAt(*at, *target);
  }
  if (choice == 8) {
    auto at = named("compute_inline");
    return at ? s.computeInline(*at) : nothing();
  }
  if (choice == 9) {
    auto at = named("reverse_compute_inline");
    return at ? s.reverseComputeInline(*at) : nothing();
  }
  if (choice == 10) {
    auto at = named("cache_read");
    return at ? s.cacheRead(*at, buffer(), scope()).getOutcome() : nothing();
  }
  if (choice == 11) {
    auto at = named("cache_write");
    return at ? s.cacheWrite(*at, random.chance(90) ? 0 : 1, scope())
                    .getOutcome()
              : nothing();
  }
  if (choice == 12) {
    auto at = named("decompose_reduction");
    auto target = at ? loop(*at) : std::nullopt;
    return target ? s.decomposeReduction(*at, *target).getOutcome() : nothing();
  }
  if (choice == 13) {
    auto at = named("rfactor");
    auto target = at ? loop(*at) : std::nullopt;
    int64_t axis = random.in(0, 2);
    what += " axis " + std::to_string(axis);
    return target ? s.rfactor(*target, axis).getOutcome() : nothing();
  }
  if (choice == 14) {
    auto at = named("transform_layout");
    return at ? layout(*at) : nothing();
  }
  if (random.chance(50)) {
    auto at = named("separate_full_partial");
    auto target = at ? loop(*at) : std::nullopt;
    return target ? s.separateFullPartial(*target).getOutcome() : nothing();
  }
  auto at = named("add_unit_loop");
  if (!at)
    return nothing();
  auto target = random.chance(50) ? loop(*at) : std::nullopt;
  return target ? s.addUnitLoop(*target).getOutcome()
                : s.addUnitLoop(*at).getOutcome();
}

Outcome Step::last() {
  int64_t choice = random.in(0, 6);
  if (choice == 6) {
    what = "compact_buffers";
    return s.compactBuffers();
  }
  static const char *names[] = {"vectorize", "vectorize", "unroll",
                                "parallel",  "parallel",  "set_scope"};
  what = names[choice];
  auto at = block();
  if (!at)
    return nothing();
  if (choice == 5)
    return s.setScope(*at, 0, scope());
  auto target = loop(*at, choice <= 1);
  if (!target)
    return nothing();
  if (choice <= 1)
    return s.vectorize(*target);
  if (choice == 2)
    return s.unroll(*target);
  return s.parallel(*target, random.in(1, 4));
}
} // namespace

Outcome nestor::randomStep(Schedule &schedule, Random &random,
                           std::string &what) {
  return Step(schedule, random, what).any();
}

Outcome nestor::randomLastStep(Schedule &schedule, Random &random,
                               std::string &what) {
  return Step(schedule, random, what).last();
}
