//===- Sample.cpp - sample_categorical, sample_*_tile, ... ----------------===//
//
// Choices whose domain the nest decides when they are made. A decision that
// does not fit (another shape, a mutation) is repaired, so that a recorded
// schedule runs on:
//
//   categorical   the nearest index
//   tiles         each inner factor the divisor nearest to it of what is left,
//                 the outermost takes the rest
//   location      the nearest legal loop further out, or no move
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

#include <numeric>

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// Ascending.
static Numbers divisorsOf(int64_t number) {
  Numbers divisors;
  for (int64_t d = 1; d * d <= number; ++d)
    if (number % d == 0) {
      divisors.push_back(d);
      if (d * d != number)
        divisors.push_back(number / d);
    }
  llvm::sort(divisors);
  return divisors;
}

static int64_t product(ArrayRef<int64_t> factors) {
  return std::accumulate(factors.begin(), factors.end(), int64_t(1),
                         std::multiplies<>());
}

static int64_t nearestDivisor(int64_t number, int64_t wanted, int64_t most) {
  int64_t best = 1;
  for (int64_t divisor : divisorsOf(number))
    if (divisor <= most && std::abs(divisor - wanted) < std::abs(best - wanted))
      best = divisor;
  return best;
}

Domain sched::perfectTiles(int64_t extent, unsigned parts,
                           int64_t maxInnermost) {
  Domain tiles;
  Numbers tile(parts, 1);
  // Outermost first; the last factor is what is left.
  auto fill = [&](auto &self, unsigned at, int64_t left) -> void {
    if (at + 1 == parts) {
      tile[at] = left;
      if (maxInnermost <= 0 || left <= maxInnermost)
        tiles.push_back(tile);
      return;
    }
    for (int64_t divisor : divisorsOf(left)) {
      tile[at] = divisor;
      self(self, at + 1, left / divisor);
    }
  };
  if (parts > 0 && extent > 0)
    fill(fill, 0, extent);
  return tiles;
}

Domain sched::partitionedTiles(int64_t extent, unsigned parts,
                               unsigned partition, int64_t multiple) {
  Domain tiles = perfectTiles(extent, parts, 0);
  llvm::erase_if(tiles, [&](const Numbers &tile) {
    return product(ArrayRef(tile).drop_front(partition)) % multiple != 0;
  });
  return tiles;
}

/// Each prime factor goes to one of the parts.
static Numbers drawTile(Random &random, int64_t extent, unsigned parts) {
  Numbers tile(parts, 1);
  int64_t left = extent;
  for (int64_t prime = 2; left > 1; ++prime) {
    if (prime * prime > left)
      prime = left;
    for (; left % prime == 0; left /= prime)
      tile[drawBelow(random, parts)] *= prime;
  }
  return tile;
}

/// The trip count of the loop that `handle` holds.
static Outcome extentOf(Invocation &at, Value handle, size_t parts,
                        int64_t &extent) {
  nest::ForOp loop;
  if (Outcome outcome = at.get(handle, loop); !outcome.isDone())
    return outcome;
  std::optional<int64_t> count = loop.getConstantTripCount();
  if (!count || *count < 1)
    return Outcome::refused(describe(loop) + " has no constant extent to cut")
        .note(loop, "split it by numbers, with -1 for the outermost");
  if (parts == 0)
    return Outcome::refused("a tile has at least one factor");
  extent = *count;
  return Outcome::done();
}

Outcome SamplePerfectTileOp::domain(Invocation &at, Domain &into) {
  int64_t extent = 0;
  if (Outcome outcome = extentOf(at, getLoop(), getNumResults(), extent);
      !outcome.isDone())
    return outcome;
  into = perfectTiles(extent, getNumResults(), getMaxInnermost());
  return Outcome::done();
}

Outcome SamplePerfectTileOp::draw(Invocation &at, Random &random,
                                  Numbers &into) {
  int64_t extent = 0;
  if (Outcome outcome = extentOf(at, getLoop(), getNumResults(), extent);
      !outcome.isDone())
    return outcome;
  int64_t most = getMaxInnermost();
  into = drawTile(random, extent, getNumResults());
  for (int tries = 0; most > 0 && into.back() > most && tries < 64; ++tries)
    into = drawTile(random, extent, getNumResults());
  return repair(at, into, into);
}

Outcome SamplePerfectTileOp::repair(Invocation &at,
                                    std::optional<Numbers> decision,
                                    Numbers &into) {
  int64_t extent = 0, parts = getNumResults();
  if (Outcome outcome = extentOf(at, getLoop(), parts, extent);
      !outcome.isDone())
    return outcome;
  int64_t most = getMaxInnermost() > 0 ? getMaxInnermost() : extent;
  if (parts == 1 && extent > most)
    return Outcome::refused("one factor of " + Twine(extent) +
                            " is more than the " + Twine(most) +
                            " allowed innermost")
        .note(at.getOperation(), "ask for two factors");
  into.assign(parts, 1);
  for (int64_t i = parts - 1; i > 0; --i) {
    int64_t wanted =
        decision && int64_t(decision->size()) == parts ? (*decision)[i] : 1;
    into[i] = nearestDivisor(extent, wanted, i + 1 == parts ? most : extent);
    extent /= into[i];
  }
  into[0] = extent;
  return Outcome::done();
}

/// A partition inside of the tile, and a multiple that divides.
static Outcome checkPartition(Invocation &at, SamplePartitionedTileOp op,
                              int64_t &extent) {
  if (Outcome outcome = extentOf(at, op.getLoop(), op.getNumResults(), extent);
      !outcome.isDone())
    return outcome;
  int64_t partition = op.getPartition(), multiple = op.getInnerMultiple();
  if (partition < 1 || partition >= op.getNumResults())
    return Outcome::refused("partition " + Twine(partition) + " of " +
                            Twine(op.getNumResults()) + " factors")
        .note(op, "at least one factor is on each side of it");
  if (multiple < 1 || extent % multiple != 0)
    return Outcome::refused(Twine(multiple) + " does not divide the extent " +
                            Twine(extent))
        .note(op, "pad the loop, or take a divisor");
  return Outcome::done();
}

Outcome SamplePartitionedTileOp::domain(Invocation &at, Domain &into) {
  int64_t extent = 0;
  if (Outcome outcome = checkPartition(at, *this, extent); !outcome.isDone())
    return outcome;
  into = partitionedTiles(extent, getNumResults(), getPartition(),
                          getInnerMultiple());
  return Outcome::done();
}

Outcome SamplePartitionedTileOp::draw(Invocation &at, Random &random,
                                      Numbers &into) {
  int64_t extent = 0, multiple = getInnerMultiple(), partition = getPartition();
  if (Outcome outcome = checkPartition(at, *this, extent); !outcome.isDone())
    return outcome;
  into = drawTile(random, extent / multiple, getNumResults());
  Numbers inner = drawTile(random, multiple, getNumResults() - partition);
  for (auto [i, factor] : llvm::enumerate(inner))
    into[partition + i] *= factor;
  return Outcome::done();
}

Outcome SamplePartitionedTileOp::repair(Invocation &at,
                                        std::optional<Numbers> decision,
                                        Numbers &into) {
  int64_t extent = 0, multiple = getInnerMultiple(), partition = getPartition(),
          parts = getNumResults();
  if (Outcome outcome = checkPartition(at, *this, extent); !outcome.isDone())
    return outcome;
  bool told = decision && int64_t(decision->size()) == parts;
  into.assign(parts, 1);
  int64_t left = extent;
  for (int64_t i = parts - 1; i > 0; --i) {
    into[i] = nearestDivisor(left, told ? (*decision)[i] : 1, left);
    left /= into[i];
    if (i > partition)
      continue;
    if (i == partition) {
      // What the inner part lacks goes to its outermost factor.
      int64_t inner = product(ArrayRef(into).drop_front(partition));
      into[i] *= multiple / std::gcd(inner, multiple);
      left = extent / product(ArrayRef(into).drop_front(partition));
    }
  }
  into[0] = left;
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

static Outcome checkCandidates(SampleCategoricalOp op) {
  if (op.getCandidates().empty())
    return Outcome::refused("there is no candidate to choose");
  if (op.getProbabilities().size() != op.getCandidates().size())
    return Outcome::refused(
        Twine(op.getCandidates().size()) + " candidates have " +
        Twine(op.getProbabilities().size()) + " probabilities");
  if (llvm::any_of(op.getProbabilities(),
                   [](double p) { return !(p >= 0) || p > 1e9; }) ||
      llvm::all_of(op.getProbabilities(), [](double p) { return p == 0; }))
    return Outcome::refused("probabilities are not negative, and one of them "
                            "is positive");
  return Outcome::done();
}

Outcome SampleCategoricalOp::domain(Invocation &, Domain &into) {
  if (Outcome outcome = checkCandidates(*this); !outcome.isDone())
    return outcome;
  for (auto [i, probability] : llvm::enumerate(getProbabilities()))
    if (probability > 0)
      into.push_back({int64_t(i)});
  return Outcome::done();
}

Outcome SampleCategoricalOp::draw(Invocation &, Random &random, Numbers &into) {
  if (Outcome outcome = checkCandidates(*this); !outcome.isDone())
    return outcome;
  double sum = 0;
  for (double probability : getProbabilities())
    sum += probability;
  double point = double(random() >> 11) * 0x1p-53 * sum;
  int64_t chosen = -1;
  for (auto [i, probability] : llvm::enumerate(getProbabilities())) {
    if (probability <= 0)
      continue;
    chosen = i;
    if (point < probability)
      break;
    point -= probability;
  }
  into = {chosen};
  return Outcome::done();
}

Outcome SampleCategoricalOp::repair(Invocation &,
                                    std::optional<Numbers> decision,
                                    Numbers &into) {
  if (Outcome outcome = checkCandidates(*this); !outcome.isDone())
    return outcome;
  ArrayRef<double> probabilities = getProbabilities();
  if (decision && decision->size() == 1)
    into = {
        std::clamp<int64_t>(decision->front(), 0, getCandidates().size() - 1)};
  else
    into = {llvm::max_element(probabilities) - probabilities.begin()};
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Locations
//===----------------------------------------------------------------------===//

Outcome sched::computeAtLocation(RewriterBase &rewriter, nest::BlockOp block,
                                 int64_t location) {
  if (location == -1)
    return Outcome::done();
  if (location == -2)
    return computeInline(rewriter, block);
  Result<Blocks> consumers = getConsumers(block);
  if (!consumers)
    return consumers.getOutcome();
  if (consumers->empty())
    return Outcome::refused(describe(block) + " has no consumer")
        .note(block, "what it writes is read by no other block");
  Result<Loops> loops = getLoops(consumers->front());
  if (!loops)
    return loops.getOutcome();
  if (location < 0 || location >= int64_t(loops->size()))
    return Outcome::refused("there is no location " + Twine(location))
        .note(consumers->front(),
              "the first consumer is in " + Twine(loops->size()) + " loops");
  return computeAt(rewriter, block, (*loops)[location]);
}

/// Tried on a copy of the function.
static bool worksAt(nest::BlockOp block, int64_t location) {
  if (location == -1)
    return true;
  nest::FuncOp func = funcOf(block);
  IRMapping map;
  Operation *copy = func->clone(map);
  IRRewriter rewriter(func.getContext());
  Outcome outcome = computeAtLocation(
      rewriter, cast<nest::BlockOp>(map.lookup(block.getOperation())),
      location);
  copy->erase();
  return outcome.isDone();
}

/// The number of loops around the first consumer.
static int64_t countLocations(nest::BlockOp block) {
  Result<Blocks> consumers = getConsumers(block);
  if (!consumers || consumers->empty())
    return 0;
  Result<Loops> loops = getLoops(consumers->front());
  return loops ? loops->size() : 0;
}

Numbers sched::computeLocations(nest::BlockOp block) {
  Numbers legal;
  for (int64_t location = -2, n = countLocations(block); location < n;
       ++location)
    if (worksAt(block, location))
      legal.push_back(location);
  return legal;
}

Outcome SampleComputeLocationOp::domain(Invocation &at, Domain &into) {
  nest::BlockOp block;
  if (Outcome outcome = at.get(getBlock(), block); !outcome.isDone())
    return outcome;
  for (int64_t location : computeLocations(block))
    into.push_back({location});
  return Outcome::done();
}

Outcome SampleComputeLocationOp::draw(Invocation &at, Random &random,
                                      Numbers &into) {
  nest::BlockOp block;
  if (Outcome outcome = at.get(getBlock(), block); !outcome.isDone())
    return outcome;
  Numbers legal = computeLocations(block);
  into = {legal[drawBelow(random, legal.size())]};
  return Outcome::done();
}

Outcome SampleComputeLocationOp::repair(Invocation &at,
                                        std::optional<Numbers> decision,
                                        Numbers &into) {
  nest::BlockOp block;
  if (Outcome outcome = at.get(getBlock(), block); !outcome.isDone())
    return outcome;
  int64_t location = decision && decision->size() == 1
                         ? std::max<int64_t>(decision->front(), -2)
                         : -1;
  location = std::min(location, countLocations(block) - 1);
  if (location == -2 && !worksAt(block, -2))
    location = -1;
  while (location >= 0 && !worksAt(block, location))
    --location;
  into = {location};
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

Outcome sched::runSample(Operation *op, Invocation &at) {
  auto sample = cast<SampleOpInterface>(op);
  Numbers decision;
  if (Outcome outcome = sample.repair(at, sample.getDecided(), decision);
      !outcome.isDone())
    return outcome;
  if (at.records())
    sample.setDecided(decision);
  return at.give(sample.valuesOf(decision));
}

static DenseI64ArrayAttr listAttr(Operation *op, ArrayRef<int64_t> numbers) {
  return DenseI64ArrayAttr::get(op->getContext(), numbers);
}
static IntegerAttr numberAttr(Operation *op, ArrayRef<int64_t> numbers) {
  return IntegerAttr::get(IntegerType::get(op->getContext(), 64),
                          numbers.front());
}
static std::optional<Numbers> decided(std::optional<ArrayRef<int64_t>> list) {
  return list ? std::optional<Numbers>(Numbers(*list)) : std::nullopt;
}
static std::optional<Numbers> decided(std::optional<uint64_t> number) {
  return number ? std::optional<Numbers>(Numbers{int64_t(*number)})
                : std::nullopt;
}

#define NESTOR_SAMPLE(OP, KIND, ATTR)                                          \
  Outcome OP::run(Invocation &at) { return runSample(*this, at); }             \
  Decision::Kind OP::getDecisionKind() { return Decision::Kind::KIND; }        \
  std::optional<Numbers> OP::getDecided() { return decided(getDecision()); }   \
  void OP::setDecided(ArrayRef<int64_t> decision) {                            \
    setDecisionAttr(ATTR(*this, decision));                                    \
  }
NESTOR_SAMPLE(SampleCategoricalOp, Categorical, numberAttr)
NESTOR_SAMPLE(SamplePerfectTileOp, PerfectTile, listAttr)
NESTOR_SAMPLE(SamplePartitionedTileOp, PartitionedTile, listAttr)
NESTOR_SAMPLE(SampleComputeLocationOp, Location, numberAttr)

Numbers SampleCategoricalOp::valuesOf(ArrayRef<int64_t> decision) {
  return {getCandidates()[decision.front()]};
}
Numbers SamplePerfectTileOp::valuesOf(ArrayRef<int64_t> decision) {
  return Numbers(decision);
}
Numbers SamplePartitionedTileOp::valuesOf(ArrayRef<int64_t> decision) {
  return Numbers(decision);
}
Numbers SampleComputeLocationOp::valuesOf(ArrayRef<int64_t> decision) {
  return Numbers(decision);
}

NESTOR_PRIMITIVE(sample_categorical) = {
    .name = "sample_categorical",
    .family = "sample",
    .does = "Chooses one of several numbers, with probabilities.",
    .law = "",
    .refuses = "no candidates\n"
               "probabilities that are not as many as the "
               "candidates, are negative, or are all 0",
    .syntax = "%number = sample_categorical [A, B, ...] with [P, "
              "Q, ...] decision INDEX",
    .notes = R"(
Without a decision it is the likeliest. A decision outside of the list becomes the
nearest one that is in it.
)",
    .before = R"(
nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
  nest.for %i = 0 to 16 {
    nest.block "B" (%v : spatial = %i to 16) {
      %a = memref.load %A[%v] : memref<16xf32>
      memref.store %a, %B[%v] : memref<16xf32>
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i = get_loops %b : 1
%f = sample_categorical [2, 4, 8] with [0.5, 0.25, 0.25] decision 1
%io, %ii = split %i by [-1, %f] : 2
)",
};

NESTOR_PRIMITIVE(sample_perfect_tile) = {
    .name = "sample_perfect_tile",
    .family = "sample",
    .does = "Chooses factors whose product is the extent of a "
            "loop, outermost first.",
    .law = "",
    .refuses = "loops without a constant extent\n"
               "one factor alone that is more than `max_innermost`",
    .syntax = "%factors:N = sample_perfect_tile %loop "
              "max_innermost M decision [A, B, ...] : N",
    .notes = R"(
The innermost factor is at most `max_innermost`. Without a decision everything is in
the outermost. A decision that does not fit, for another shape say, is repaired:
from the innermost on each factor becomes the divisor nearest to it of what is left,
and the outermost takes the rest.
)",
    .before = R"(
nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
  nest.for %i = 0 to 16 {
    nest.block "B" (%v : spatial = %i to 16) {
      %a = memref.load %A[%v] : memref<16xf32>
      memref.store %a, %B[%v] : memref<16xf32>
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i = get_loops %b : 1
%f:2 = sample_perfect_tile %i max_innermost 8 decision [4, 4] : 2
%io, %ii = split %i by [%f#0, %f#1] : 2
)",
};

NESTOR_PRIMITIVE(sample_partitioned_tile) = {
    .name = "sample_partitioned_tile",
    .family = "sample",
    .does = "Chooses factors of the extent of a loop of which the "
            "inner ones fill whole pieces.",
    .law = "",
    .refuses = "loops without a constant extent\n"
               "a partition that leaves no factor on one of its "
               "sides\n"
               "an `inner_multiple` that does not divide the extent",
    .syntax = "%factors:N = sample_partitioned_tile %loop "
              "partition P inner_multiple M decision [A, B, ...] : "
              "N",
    .notes = R"(
The product of the factors from position `partition` on is a multiple of
`inner_multiple`: the tile of an instruction, a cache line. Decisions are repaired as
those of `sample_perfect_tile`.
)",
    .before = R"(
nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
  nest.for %i = 0 to 16 {
    nest.block "B" (%v : spatial = %i to 16) {
      %a = memref.load %A[%v] : memref<16xf32>
      memref.store %a, %B[%v] : memref<16xf32>
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i = get_loops %b : 1
%f:3 = sample_partitioned_tile %i partition 1 inner_multiple 4 decision [2, 2, 4] : 3
%io, %im, %ii = split %i by [%f#0, %f#1, %f#2] : 3
)",
};

NESTOR_PRIMITIVE(sample_compute_location) = {
    .name = "sample_compute_location",
    .family = "sample",
    .does = "Chooses where a block is computed: at a loop of its "
            "consumer, inlined, or where it is.",
    .law = "",
    .refuses = "",
    .syntax = "%location = sample_compute_location %block decision "
              "LOOP",
    .notes = R"(
The number is that of a loop around the first consumer, outermost 0; -1 leaves the
block where it is, as does no decision; -2 inlines it. Its domain is what
`compute_at` and `compute_inline` do not refuse. A decision that is not in it moves
to the nearest legal loop further out.
)",
    .before = R"(
nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
  %T = nest.alloc : memref<16xf32>
  nest.for %a = 0 to 16 {
    nest.block "P" (%v : spatial = %a to 16) {
      %x = memref.load %A[%v] : memref<16xf32>
      %y = arith.addf %x, %x : f32
      memref.store %y, %T[%v] : memref<16xf32>
    }
  }
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 4 {
      nest.block "C" (%v : spatial = %i * 4 + %j to 16) {
        %t = memref.load %T[%v] : memref<16xf32>
        %c = arith.negf %t : f32
        memref.store %c, %B[%v] : memref<16xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
%l = sample_compute_location %p decision 0
compute_at %p location %l
)",
};
