// Picks blocks, loops and numbers; joins the tables of steps.
#include "Steps.h"

#include "nestor/Analysis/Blocks.h"

#include "fmt/format.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::fuzz;
using namespace nestor::sched;

void Picker::say(AffineMap map) {
  std::string text;
  llvm::raw_string_ostream(text) << map;
  say(text);
}

std::optional<BlockRef> Picker::block() {
  return blockThat([](nest::BlockOp) { return true; });
}

/// The block whose name and this step's salt give the largest number.
std::optional<BlockRef>
Picker::blockThat(llvm::function_ref<bool(nest::BlockOp)> fits) {
  SmallVector<nest::BlockOp> all = analysis::blocksIn(s.getFunc());
  ++salt;
  if (llvm::any_of(all, fits) && !llvm::all_of(all, fits) && random.chance(85))
    llvm::erase_if(all, [&](nest::BlockOp block) { return !fits(block); });
  if (all.empty())
    return std::nullopt;
  auto rank = [&](nest::BlockOp block) {
    return llvm::xxh3_64bits(fmt::format("{}/{}", salt, block.getName().str()));
  };
  nest::BlockOp best = all.front();
  for (nest::BlockOp block : all)
    if (rank(block) > rank(best))
      best = block;
  std::string name = best.getName().str();
  say(name);
  Result<BlockRef> ref = s.getBlock(name);
  return ref ? std::optional(*ref) : std::nullopt;
}

std::optional<BlockRef> Picker::handle(nest::BlockOp block) {
  if (!block)
    return std::nullopt;
  say(block.getName().str());
  Result<BlockRef> ref = s.getBlock(block.getName());
  return ref ? std::optional(*ref) : std::nullopt;
}

std::optional<LoopRef> Picker::handle(nest::ForOp loop) {
  SmallVector<nest::BlockOp> blocks = analysis::blocksIn(loop);
  if (blocks.empty())
    return std::nullopt;
  Result<BlockRef> ref = s.getBlock(blocks.front().getName());
  if (!ref)
    return std::nullopt;
  for (LoopRef candidate : loopsOf(*ref))
    if (s.get(candidate) == loop)
      return candidate;
  return std::nullopt;
}

LoopRefs Picker::loopsOf(BlockRef ref) {
  Result<LoopRefs> loops = s.getLoops(ref);
  return loops ? *loops : LoopRefs();
}

std::optional<BlockRef> Picker::blockIn(LoopRefs &loops, size_t atLeast) {
  std::optional<BlockRef> ref = block();
  if (!ref)
    return std::nullopt;
  loops = loopsOf(*ref);
  return loops.size() < atLeast ? std::nullopt : ref;
}

LoopRef Picker::oneOf(const LoopRefs &loops, bool inner) {
  auto n = static_cast<int64_t>(loops.size());
  int64_t at = random.in(inner ? std::max<int64_t>(0, n - 2) : 0, n - 1);
  say(fmt::format("loop {}", at));
  return loops[at];
}

std::optional<LoopRef> Picker::loop(bool inner) {
  LoopRefs loops;
  if (!blockIn(loops))
    return std::nullopt;
  return oneOf(loops, inner);
}

int64_t Picker::number(int64_t low, int64_t high) {
  int64_t value = std::min(random.in(low, high), std::max(low, most));
  say(std::to_string(value));
  return value;
}

const char *Picker::scope() {
  const char *name = random.chance(30) ? "register" : "shared";
  say(name);
  return name;
}

const std::vector<StepKind> &nestor::fuzz::stepKinds() {
  static const std::vector<StepKind> all = [] {
    std::vector<StepKind> joined;
    for (llvm::ArrayRef<StepKind> part :
         {loopSteps(), kindSteps(), movingSteps(), dataSteps(), affineSteps(),
          tensorSteps(), sampleSteps()})
      joined.insert(joined.end(), part.begin(), part.end());
    return joined;
  }();
  return all;
}
