//===- SampleTile.cpp - sample_perfect_tile, sample_partitioned_tile ------===//
//
// Factors of a loop's extent. A decision that does not fit (another shape, a
// mutation) is repaired: from the innermost on each factor becomes the divisor
// nearest to it of what is left, and the outermost takes the rest.
//
//===----------------------------------------------------------------------===//
#include "Sample.h"

#include "../Rewrite.h"

#include <numeric>

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

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
// Operations
//===----------------------------------------------------------------------===//

NESTOR_SAMPLE(SamplePerfectTileOp, PerfectTile, listAttr)
NESTOR_SAMPLE(SamplePartitionedTileOp, PartitionedTile, listAttr)

Numbers SamplePerfectTileOp::valuesOf(ArrayRef<int64_t> decision) {
  return Numbers(decision);
}
Numbers SamplePartitionedTileOp::valuesOf(ArrayRef<int64_t> decision) {
  return Numbers(decision);
}

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
