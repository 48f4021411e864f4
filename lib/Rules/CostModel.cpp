//===- CostModel.cpp - What a blocking of a reduction costs ---------------===//
//
// See the header. First the register tile in cycles for each step, then the
// nest of blocks as a list of loops, over which footprints and traffic follow.
//
//===----------------------------------------------------------------------===//
#include "CostModel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

using namespace nestor;
using namespace nestor::rules;

using llvm::divideCeil;

/// Of the caches, as far as one nest may count on them: the rest is for what
/// streams through and for everybody else.
static constexpr double kL1Share = 2.0 / 3, kL2Share = 3.0 / 4;
/// The distance in bytes of addresses that share a set of L1: a page.
static constexpr int64_t kL1Way = 4096;
/// L2 has about as many ways on all machines in reach.
static constexpr int64_t kL2Ways = 8;
/// Around the loop over k of a tile: the branch that leaves it is mispredicted,
/// accumulators are filled and drained.
static constexpr double kTileCycles = 20;
/// A tile that adds to memory waits for what is there.
static constexpr double kAddCycles = 200;
static constexpr int64_t kLineBytes = 64;
/// A block of rows: its loops, the first misses of its operands.
static constexpr double kBlockCycles = 60;
/// Tiles that just hide the latency lose every cycle that a load comes late.
static constexpr double kLatencySlack = 1.2;
/// What overlaps imperfectly with the longest term: near and far.
static constexpr double kNearShare = 0.15, kFarShare = 0.5;
/// What each step more of a schedule has to gain.
static constexpr double kStepShare = 0.02;
/// Copies are bound by latency more than by bandwidth.
static constexpr double kCopyFactor = 2;

bool Operand::uses(unsigned axis) const {
  return llvm::any_of(indices, [&](const auto &dim) { return dim[axis] != 0; });
}

double Cost::total() const {
  double longest = std::max({compute, l2, l3, memory});
  double sum = kNearShare * (compute + l2) + kFarShare * (l3 + memory);
  double share = longest == compute || longest == l2 ? kNearShare : kFarShare;
  return longest + sum - share * longest + edges + copies + waiting;
}

bool rules::fitsRegisters(const Reduction &r, int64_t rows, int64_t vectors,
                          const Target &target) {
  int64_t held = rows * vectors + vectors + 1 + r.temporaries, moving = 0;
  for (const Operand &operand : r.operands) {
    if (operand.kind == Operand::Output)
      continue;
    bool moves = r.reduce.empty() || llvm::any_of(r.reduce, [&](unsigned axis) {
                   return operand.uses(axis);
                 });
    bool byRow = r.row >= 0 && operand.uses(r.row);
    if (moves)
      ++moving;
    else // loaded once for all steps
      held += (byRow ? rows : 1) * (operand.uses(r.vector) ? vectors : 1);
  }
  // Two are counted; each other one is a value more on the way.
  held += std::max<int64_t>(0, moving - 2);
  return held <= static_cast<int64_t>(target.vectorRegisters);
}

//===----------------------------------------------------------------------===//
// The tile
//===----------------------------------------------------------------------===//

/// Cycles of one step of a tile.
static double stepCycles(const Reduction &reduction, int64_t rows,
                         int64_t vectors, const Target &target) {
  const Rates &rates = target.rates;
  double fmas = std::max(1.0, rates.fmaLanes / target.lanes(32));
  double loads = std::max(1.0, rates.l1Bytes * 8 / target.vectorBits);
  // One load for each value that the step needs.
  double values = 0, conversions = 0;
  for (const Operand &operand : reduction.operands) {
    if (operand.kind == Operand::Output)
      continue;
    bool byRow = reduction.row >= 0 && operand.uses(reduction.row);
    double own = double(byRow ? rows : 1) *
                 double(operand.uses(reduction.vector) ? vectors : 1);
    values += own;
    conversions += own * double(operand.conversions);
  }
  return std::max({(double(rows * vectors) + conversions) / fmas,
                   values / loads,
                   // Each accumulator waits for its last step.
                   rates.fmaLatency * kLatencySlack});
}

static int64_t extentOf(const Reduction &reduction, int axis) {
  return axis < 0 ? 1 : reduction.extents[axis];
}

namespace {
/// A blocking with its defaults resolved.
struct Sizes {
  int64_t tileColumns;  // of a register tile
  int64_t rowBlock;     // elements
  int64_t columnBlock;  // elements
  int64_t reduceBlock;  // steps of the innermost axis
  int64_t reduceBlocks; // how many

  Sizes(const Reduction &r, const Blocking &b) {
    int64_t m = extentOf(r, r.row), n = extentOf(r, r.vector);
    tileColumns = b.vectors * r.lanes;
    rowBlock = b.rowTiles ? std::min(b.rowTiles * b.rows, m) : m;
    columnBlock =
        b.columnPanels ? std::min(b.columnPanels * tileColumns, n) : n;
    int64_t k = r.reduce.empty() ? 1 : extentOf(r, r.reduce.back());
    reduceBlock = b.reduceSteps ? std::min(b.reduceSteps, k) : k;
    reduceBlocks = divideCeil(k, reduceBlock);
  }
};

/// `trip` iterations, each of which covers `inner` elements of the axis.
struct Level {
  int axis;
  int64_t trip, inner;
};
} // namespace

/// The loops around the tile, outermost first.
static llvm::SmallVector<Level> loopsOf(const Reduction &r, const Blocking &b) {
  Sizes sizes(r, b);
  llvm::SmallVector<Level> loops;
  int64_t m = extentOf(r, r.row), n = extentOf(r, r.vector);
  for (unsigned axis : r.outer)
    loops.push_back({int(axis), r.extents[axis], 1});
  loops.push_back({int(r.vector), int64_t(divideCeil(n, sizes.columnBlock)),
                   sizes.columnBlock});
  for (unsigned axis : r.shared)
    loops.push_back({int(axis), r.extents[axis], 1});
  if (r.row >= 0)
    loops.push_back(
        {r.row, int64_t(divideCeil(m, sizes.rowBlock)), sizes.rowBlock});
  if (!r.reduce.empty())
    loops.push_back(
        {int(r.reduce.back()), sizes.reduceBlocks, sizes.reduceBlock});
  loops.push_back({int(r.vector),
                   int64_t(divideCeil(sizes.columnBlock, sizes.tileColumns)),
                   std::min(sizes.tileColumns, n)});
  if (r.row >= 0)
    loops.push_back({r.row, int64_t(divideCeil(sizes.rowBlock, b.rows)),
                     std::min(b.rows, m)});
  // Steps by lines: the elements of one come together.
  int64_t line =
      r.operands.empty()
          ? 1
          : std::max<int64_t>(1, kLineBytes / r.operands[0].elementBytes);
  for (unsigned axis : r.reduce) {
    bool isLast = axis == r.reduce.back();
    int64_t steps = isLast ? sizes.reduceBlock : r.extents[axis],
            inner = isLast ? std::min(steps, line) : 1;
    loops.push_back({int(axis), int64_t(divideCeil(steps, inner)), inner});
  }
  return loops;
}

//===----------------------------------------------------------------------===//
// Footprints
//===----------------------------------------------------------------------===//

/// Bytes of a cache that an operand takes while each axis covers a range.
/// Rows a multiple of `way` apart share sets, as if each were longer.
static double footprint(const Operand &operand, llvm::ArrayRef<int64_t> ranges,
                        int64_t line, int64_t way) {
  double elements = 1;
  int64_t stride = operand.elementBytes; // of the dim
  double together = 1;                   // bytes that lie together
  int64_t step = 0;                      // from one such piece to the next
  bool whole = true;                     // dims inside are taken completely
  for (size_t d = operand.shape.size(); d-- > 0;) {
    int64_t extent = 1;
    for (auto [axis, by] : llvm::enumerate(operand.indices[d]))
      extent += std::abs(by) * (ranges[axis] - 1);
    extent = std::min(extent, std::max<int64_t>(operand.shape[d], 1));
    elements *= double(extent);
    if (whole)
      together = double(extent) * double(stride);
    else if (extent > 1 && step == 0)
      step = stride;
    whole &= extent == operand.shape[d];
    stride *= std::max<int64_t>(operand.shape[d], 1);
  }
  double bytes = elements * double(operand.elementBytes);
  if (operand.packed)
    return std::max(bytes, double(line));
  double pieces = bytes / together;
  double piece = std::ceil(together / double(line)) * double(line);
  if (step > 0)
    piece =
        std::max(piece, double(std::min<int64_t>(std::gcd(step, way), step)));
  return pieces * piece;
}

namespace {
/// The bytes that come into a cache, by operand; outputs count twice.
struct Traffic {
  double bytes = 0;
};
} // namespace

static double traffic(const Reduction &r, llvm::ArrayRef<Level> loops,
                      double capacity, int64_t way, const Target &target) {
  // Ranges of the axes inside of each loop.
  llvm::SmallVector<int64_t> ranges(r.extents);
  llvm::SmallVector<llvm::SmallVector<int64_t>> inside{ranges};
  for (const Level &loop : loops) {
    ranges[loop.axis] = loop.inner;
    inside.push_back(ranges);
  }
  // The largest part of the nest that fits.
  size_t depth = 0;
  llvm::SmallVector<double> sizes(r.operands.size());
  for (; depth <= loops.size(); ++depth) {
    double all = 0;
    for (const Operand &operand : r.operands)
      all += footprint(operand, inside[depth], target.cacheLine, way);
    if (all <= capacity)
      break;
  }
  depth = std::min(depth, loops.size());
  double bytes = 0;
  for (const Operand &operand : r.operands) {
    // Without the sets that it makes unusable.
    double moved = footprint(operand, inside[depth], target.cacheLine, 1);
    bool again = true;
    for (size_t d = depth; d-- > 0;) {
      again &= !operand.uses(loops[d].axis) || loops[d].trip == 1;
      if (!again)
        moved *= double(loops[d].trip);
    }
    // What is written is read before.
    bytes += moved * (operand.kind == Operand::Output ? 2 : 1);
  }
  return bytes;
}

//===----------------------------------------------------------------------===//
// The cost
//===----------------------------------------------------------------------===//

/// How much longer the slowest of `cores` works than if all worked the same.
static double imbalance(int64_t pieces, unsigned cores) {
  if (pieces < 1 || cores < 2)
    return 1;
  return double(divideCeil(pieces, cores)) * cores / double(pieces);
}

/// The reduction with operands in the places where copies put them.
static Reduction withCopies(const Reduction &reduction,
                            const Blocking &blocking) {
  Reduction result = reduction;
  for (Operand &operand : result.operands)
    if ((operand.kind == Operand::Broadcast && blocking.copyRows) ||
        (operand.kind == Operand::Vector && blocking.copyVector))
      operand.packed = true;
  return result;
}

Cost rules::costOf(const Reduction &original, const Blocking &b,
                   const Target &target) {
  const Rates &rates = target.rates;
  Reduction r = withCopies(original, b);
  Sizes sizes(r, b);
  int64_t m = extentOf(r, r.row), n = extentOf(r, r.vector);
  double outer = 1, steps = double(sizes.reduceBlock);
  for (unsigned axis : llvm::concat<const unsigned>(r.outer, r.shared))
    outer *= double(r.extents[axis]);
  for (size_t i = 0; i + 1 < r.reduce.size(); ++i)
    steps *= double(r.extents[r.reduce[i]]);
  double passes = double(sizes.reduceBlocks);

  // Full tiles, and the rests of rows and of columns as tiles of their own.
  // A rest of columns is under masks where it is no whole vector.
  Cost cost;
  double tiles = 0;
  int64_t fullRows = m / b.rows, restRows = m % b.rows,
          fullPanels = n / sizes.tileColumns,
          restColumns = n % sizes.tileColumns;
  auto addTiles = [&](int64_t count, int64_t rows, int64_t vectors,
                      bool masked) {
    if (count == 0 || rows == 0 || vectors == 0)
      return;
    // The latency is that of a tile; a rest cannot hide it.
    cost.compute +=
        double(count) * steps * stepCycles(r, rows, vectors, target);
    tiles += double(count);
    double stores = double(rows * vectors) * (masked ? 2 : 1);
    cost.edges +=
        double(count) * (kTileCycles + stores + (passes > 1 ? kAddCycles : 0));
  };
  addTiles(fullRows * fullPanels, b.rows, b.vectors, false);
  addTiles(fullPanels, restRows, b.vectors, false);
  int64_t restVectors = divideCeil(restColumns, r.lanes);
  bool masked = restColumns % r.lanes != 0;
  addTiles(fullRows, b.rows, restVectors, masked);
  addTiles(1, restRows, restVectors, masked);
  cost.compute *= outer * passes;
  cost.edges *= outer * passes;
  double blocks = outer * passes * double(divideCeil(m, sizes.rowBlock)) *
                  double(divideCeil(n, sizes.columnBlock));
  cost.edges += blocks * kBlockCycles;

  llvm::SmallVector<Level> loops = loopsOf(r, b);
  auto capacity = [](uint64_t bytes, double share) {
    return double(bytes) * share;
  };
  cost.l2 =
      traffic(r, loops, capacity(target.l1Bytes, kL1Share), kL1Way, target) /
      rates.l2Bytes;
  cost.l3 = traffic(r, loops, capacity(target.l2Bytes, kL2Share),
                    int64_t(target.l2Bytes) / kL2Ways, target) /
            rates.l3Bytes;
  cost.memory =
      traffic(r, loops, capacity(target.l3Bytes, kL2Share), 1, target) /
      rates.memoryBytes;

  // Copies: read and written once for each time that they are made.
  llvm::SmallVector<int64_t> all(r.extents);
  for (const Operand &operand : r.operands) {
    bool rows = operand.kind == Operand::Broadcast && b.copyRows,
         vector = operand.kind == Operand::Vector && b.copyVector;
    if (!rows && !vector)
      continue;
    double bytes = footprint(operand, all, 1, 1);
    if (rows) // once for each block of columns
      bytes *= double(divideCeil(n, sizes.columnBlock));
    cost.copies +=
        kCopyFactor * (2 * bytes / rates.l3Bytes + bytes / rates.l2Bytes);
    if (rows)
      cost.copies += blocks * kBlockCycles;
  }

  // Threads share the outermost loops. Small kernels run on one.
  double serial = cost.total();
  if (target.cores > 1 && serial > 2 * rates.forkCycles) {
    int64_t pieces = 1;
    for (const Level &loop : loops) {
      if (!r.reduce.empty() && loop.axis == int(r.reduce.back()))
        break;
      pieces *= loop.trip;
      if (pieces >= 64)
        break;
    }
    // One thread and all of them count the same.
    cost.waiting = serial * (imbalance(pieces, target.cores) - 1) / 2;
  }
  return cost;
}

//===----------------------------------------------------------------------===//
// The space
//===----------------------------------------------------------------------===//

/// Blocks of `count` tiles that leave no block with tiles outside.
static llvm::SmallVector<int64_t> equalParts(int64_t count) {
  llvm::SmallVector<int64_t> result;
  for (int64_t size = 1; size < count; ++size)
    if (count % size == 0)
      result.push_back(size);
  return result;
}

/// Divisors of `extent` that leave a block worth of steps.
static llvm::SmallVector<int64_t> reduceBlocks(int64_t extent, int64_t around) {
  llvm::SmallVector<int64_t> result;
  for (int64_t steps = 1; steps < extent; ++steps)
    if (extent % steps == 0 && steps * around >= 96 && steps * around <= 1536)
      result.push_back(steps);
  return result;
}

llvm::SmallVector<Blocking> rules::registerTilesOf(const Reduction &r,
                                                   const Target &target) {
  llvm::SmallVector<Blocking> tiles;
  int64_t m = extentOf(r, r.row), n = extentOf(r, r.vector);
  for (int64_t vectors = 1; vectors <= 8; ++vectors)
    for (int64_t rows = 1; rows <= std::min<int64_t>(m, 30); ++rows)
      if (fitsRegisters(r, rows, vectors, target) &&
          (vectors == 1 || (vectors - 1) * r.lanes < n))
        tiles.push_back({rows, vectors});
  return tiles;
}

std::vector<Candidate> rules::rankBlockings(const Reduction &r,
                                            const Target &target) {
  int64_t m = extentOf(r, r.row), n = extentOf(r, r.vector);
  int64_t k = r.reduce.empty() ? 1 : extentOf(r, r.reduce.back());
  int64_t around = 1;
  for (size_t i = 0; i + 1 < r.reduce.size(); ++i)
    around *= r.extents[r.reduce[i]];
  // The simpler one where it is as good, as far as the model can tell.
  auto key = [](const Candidate &c) {
    const Blocking &b = c.blocking;
    int steps = (b.rowTiles > 1) + (b.columnPanels > 1) + b.copyRows +
                b.copyVector + (b.reduceSteps != 0);
    return std::tuple(c.cost.total() * (1 + kStepShare * steps), b.copyVector,
                      b.copyRows, b.reduceSteps, b.rowTiles, b.columnPanels,
                      b.vectors, b.rows);
  };
  auto better = [&](const Candidate &a, const Candidate &b) {
    return key(a) < key(b);
  };
  // Tiles first, as if nothing else mattered: the best few go on.
  std::vector<Candidate> tiles;
  for (const Blocking &blocking : registerTilesOf(r, target)) {
    Cost cost = costOf(r, blocking, target);
    cost.l2 = cost.l3 = cost.memory = cost.waiting = 0;
    tiles.push_back({blocking, cost});
  }
  llvm::sort(tiles, better);
  if (tiles.size() > 12)
    tiles.resize(12);

  llvm::SmallVector<int64_t> kBlocks{0};
  if (r.mayCutReduce)
    llvm::append_range(kBlocks, reduceBlocks(k, around));
  std::vector<Candidate> result;
  auto price = [&](const Blocking &blocking) {
    result.push_back({blocking, costOf(r, blocking, target)});
  };
  for (const Candidate &tile : tiles) {
    llvm::SmallVector<int64_t> rowBlocks{0}, columnBlocks{0};
    if (r.mayCutRows)
      llvm::append_range(rowBlocks,
                         equalParts(divideCeil(m, tile.blocking.rows)));
    if (r.mayCutColumns)
      llvm::append_range(
          columnBlocks,
          equalParts(divideCeil(n, tile.blocking.vectors * r.lanes)));
    for (int64_t reduceSteps : kBlocks)
      for (int64_t rowTiles : rowBlocks)
        for (int64_t columnPanels : columnBlocks)
          for (bool copyRows : {false, true})
            for (bool copyVector : {false, true}) {
              if ((copyRows && !r.mayCopyRows) ||
                  (copyVector && !r.mayCopyVector))
                continue;
              Blocking blocking = tile.blocking;
              blocking.reduceSteps = reduceSteps;
              blocking.rowTiles = rowTiles;
              blocking.columnPanels = columnPanels;
              blocking.copyRows = copyRows;
              blocking.copyVector = copyVector;
              price(blocking);
            }
  }
  llvm::sort(result, better);
  return result;
}
