//===- Window.cpp - Windows over lanes of their own -----------------------===//
//
// For a reduction over a window in which every operand moves through memory
// with the lanes: a depthwise convolution, a pooling.
//
//   for h, w, c, r, s: Y[h, w, c] += X[h + r, w + s, c] * W[r, s, c]
//   ==>
//   for h, wo, co (parallel outermost)
//     tile[T][NV * lanes] = 0           in registers
//     for r: for wi, s, cv (unroll): for cl (vectorize): tile += X * W
//     epilogue of the tile -> output
//
// Neighbouring positions share columns of X, and all positions of a tile a row
// of W. Positions are the outer one of the unrolled loops, so that few of these
// values live at a time. T and NV are the pair with the least cycles by the
// counts of operations and loads among those whose values fit into registers.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

/// Taps beyond this run in a loop: copies of the code are not free.
static constexpr int64_t kMaxUnrolledTaps = 8;

namespace {
/// The roles of the iterators.
struct Window {
  unsigned vector;
  int position = -1;             // spatial, moves the innermost window
  int64_t step = 1;              // by so many columns
  SmallVector<unsigned> outer;   // other spatial iterators
  SmallVector<unsigned> rowTaps; // reduce iterators of outer windows
  SmallVector<unsigned> columns; // of the innermost one
  int64_t numColumns = 1;        // taps in a row of the window
  unsigned perTap = 0;           // operands that positions share
  int64_t packed = -1;           // a constant one among the buffers read
  SmallVector<AffineExpr> packedIndices;
};

struct Tile {
  int64_t positions = 1, vectors = 1;
};
} // namespace

static std::optional<Window> findWindow(nest::FuncOp func,
                                        nest::BlockOp block) {
  std::optional<Reducer> reducer = reducerOf(block);
  if (!reducer || !block.getInitBlock())
    return std::nullopt;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (!loopOf(block, i) ||
        block.getIteratorKind(i) == nest::IteratorKind::Ordered)
      return std::nullopt;
  SmallVector<Access> reads;
  std::optional<Access> write;
  for (Access &access : accessesOf(block)) {
    if (access.inInit)
      continue;
    if (access.conditional || llvm::is_contained(access.indices, AffineExpr()))
      return std::nullopt;
    if (access.isWrite)
      write = access;
    else if (access.buffer != reducer->store.getMemRef())
      reads.push_back(access);
  }
  if (!write || reads.empty())
    return std::nullopt;
  int vector = -1;
  for (AffineExpr index : write->indices)
    if (auto dim = dyn_cast<AffineDimExpr>(index))
      if (block.getConstantExtent(dim.getPosition()) != 1)
        vector = dim.getPosition();
  if (vector < 0 || !useOf(*write, vector).unitStride)
    return std::nullopt;
  for (const Access &read : reads)
    if (!useOf(read, vector).unitStride)
      return std::nullopt;

  Window window;
  window.vector = vector;
  // Reduce iterators share an index with the position that they move from.
  auto isReduce = [&](unsigned i) {
    return block.getIteratorKind(i) == nest::IteratorKind::Reduce;
  };
  llvm::SmallDenseMap<unsigned, unsigned> movesFrom;
  int place = -1; // the index of the innermost window
  for (const Access &read : reads)
    for (auto [d, index] : llvm::enumerate(read.indices)) {
      SmallVector<unsigned> taps;
      int position = -1;
      int64_t step = 0;
      for (auto [atom, factor] : Linear::of(index).terms) {
        auto dim = dyn_cast<AffineDimExpr>(atom);
        if (!dim)
          continue;
        if (isReduce(dim.getPosition())) {
          taps.push_back(dim.getPosition());
          continue;
        }
        position = dim.getPosition();
        step = factor;
      }
      if (taps.empty() || position < 0)
        continue;
      for (unsigned tap : taps)
        movesFrom[tap] = position;
      if (block.getConstantExtent(position) != 1 &&
          static_cast<int>(d) > place) {
        place = d;
        window.position = position;
        window.step = step;
      }
    }
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (!isReduce(i)) {
      if (i != window.vector && static_cast<int>(i) != window.position)
        window.outer.push_back(i);
      continue;
    }
    std::optional<int64_t> extent = block.getConstantExtent(i);
    if (!movesFrom.contains(i) || !extent)
      return std::nullopt;
    if (static_cast<int>(movesFrom[i]) == window.position) {
      window.columns.push_back(i);
      window.numColumns *= *extent;
    } else {
      window.rowTaps.push_back(i);
    }
  }
  if (movesFrom.empty() || window.position < 0)
    return std::nullopt;
  // What all positions share; constants of it are packed.
  SmallVector<Value> buffers = readBuffers(block);
  for (const Access &read : reads) {
    bool shared =
        llvm::none_of(llvm::seq(block.getNumIterators()), [&](unsigned i) {
          return !isReduce(i) && i != window.vector && useOf(read, i).used;
        });
    if (!shared)
      continue;
    ++window.perTap;
    auto arg = dyn_cast<BlockArgument>(read.buffer);
    bool plain = llvm::all_of(read.indices, [](AffineExpr index) {
      return isa<AffineDimExpr, AffineConstantExpr>(index);
    });
    if (plain && arg && arg.getOwner() == &func.getBody().front() &&
        func.getArgAttr(arg.getArgNumber(), kConstantArgument)) {
      window.packed = llvm::find(buffers, read.buffer) - buffers.begin();
      window.packedIndices = read.indices;
    }
  }
  return window;
}

/// The tile with the fewest cycles for a row of `count` positions.
static Tile chooseTile(const Window &window, int64_t count, int64_t lanes,
                       int64_t channels, int64_t registers) {
  Tile best;
  double bestCycles = 1e300;
  int64_t taps = window.numColumns, shared = window.perTap;
  bool unrolled = taps <= kMaxUnrolledTaps;
  for (int64_t vectors = 1; vectors <= 4; ++vectors)
    for (int64_t positions = 1; positions <= std::min<int64_t>(count, 16);
         ++positions) {
      if (vectors > 1 && (vectors - 1) * lanes >= channels)
        continue;
      // Results, a row of weights, and a window of columns.
      int64_t live = positions * vectors +
                     (unrolled ? taps : 1) * shared * vectors + vectors;
      if (live > registers)
        continue;
      auto cyclesOf = [&](int64_t n) {
        if (n == 0)
          return 0.0;
        double columns = static_cast<double>(
            unrolled ? std::min(n * taps, (n - 1) * window.step + taps)
                     : n * taps);
        double loads = vectors * (columns + static_cast<double>(taps * shared));
        double operations = static_cast<double>(n * taps * vectors);
        // Steps into one result wait for each other.
        return std::max({operations / 2, loads / 2,
                         4.0 * static_cast<double>(taps)}) +
               0.5 * static_cast<double>(n * vectors);
      };
      double panels = static_cast<double>((channels + vectors * lanes - 1) /
                                          (vectors * lanes));
      // The rest is code of its own, and waits for itself.
      double rest = count % positions ? cyclesOf(count % positions) + 6 : 0;
      double cycles = panels * (static_cast<double>(count / positions) *
                                    (cyclesOf(positions) + 2) +
                                rest);
      if (cycles < bestCycles - 1e-9) {
        bestCycles = cycles;
        best = {positions, vectors};
      }
    }
  return best;
}

/// (taps.., v) -> (v floordiv panel, taps.., v mod panel).
static AffineMap packingMap(const Window &window, int64_t panel,
                            MLIRContext *context) {
  SmallVector<AffineExpr> results;
  AffineExpr vector;
  for (auto [d, index] : llvm::enumerate(window.packedIndices)) {
    AffineExpr dim = getAffineDimExpr(d, context);
    if (index == getAffineDimExpr(window.vector, context))
      vector = dim;
    else
      results.push_back(dim);
  }
  results.insert(results.begin(), vector.floorDiv(panel));
  results.push_back(vector % panel);
  return AffineMap::get(window.packedIndices.size(), 0, results, context);
}

/// The block that makes outputs of the results of `block` element by element;
/// none when they are outputs themselves.
static std::optional<sched::BlockRef>
epilogueOf(RuleContext &context, nest::BlockOp block, size_t spatial) {
  sched::Schedule &s = context.schedule;
  Value output = writtenBuffers(block).front();
  if (!output.getDefiningOp<nest::AllocOp>())
    return std::nullopt;
  SmallVector<nest::BlockOp> readers;
  for (nest::BlockOp reader : readersOf(output, s.getFunc()))
    if (reader != block)
      readers.push_back(reader);
  if (readers.size() != 1 || kindOf(readers[0]) != BlockKind::Complete ||
      readers[0].getNumIterators() > spatial)
    return std::nullopt;
  auto reader = s.getBlock(readers[0].getName());
  if (!context.accept("get_block", reader))
    return std::nullopt;
  return *reader;
}

static void tileWindow(RuleContext &context, sched::BlockRef ref,
                       const Window &window) {
  sched::Schedule &s = context.schedule;
  nest::BlockOp block = s.get(ref);
  std::string name = block.getName().str();
  Type element = cast<MemRefType>(reducerOf(block)->store.getMemRef().getType())
                     .getElementType();
  int64_t bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  int64_t lanes =
      std::max<int64_t>(1, context.target.lanes(std::max<int64_t>(32, bits)));
  int64_t channels = block.getConstantExtent(window.vector).value_or(1 << 16);
  int64_t count = block.getConstantExtent(window.position).value_or(240);
  if (channels < lanes / 2)
    return; // the general rules do better
  Tile tile = chooseTile(window, count, lanes, channels,
                         context.target.vectorRegisters);
  sched::Param positions =
      s.knob("positions", tile.positions,
             {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  sched::Param vectors = s.knob("vectors", tile.vectors, {1, 2, 3, 4});
  sched::Param width = s.knob("lanes", lanes, {4, 8, 16});
  int64_t panel = tile.vectors * lanes;
  if (window.packed >= 0)
    context.accept(
        "transform_layout",
        s.transformLayout(ref, sched::BufferRole::Read, window.packed,
                          packingMap(window, panel, block.getContext())));
  block = s.get(ref);
  size_t spatial = window.outer.size() + 2;
  std::optional<sched::BlockRef> epilogue = epilogueOf(context, block, spatial);
  bool viaCopy = !epilogue;
  if (viaCopy) {
    auto copy = s.cacheWrite(ref, 0, "register");
    if (!context.accept("cache_write", copy))
      return;
    epilogue = *copy;
  }

  auto all = s.getLoops(ref);
  if (!context.accept("get_loops", all))
    return;
  auto handleOf = [&](unsigned iterator) {
    nest::ForOp loop = loopOf(s.get(ref), iterator);
    return *llvm::find_if(*all, [&](sched::LoopRef candidate) {
      return s.get(candidate) == loop;
    });
  };
  sched::LoopRefs outer, rowTaps, columns;
  for (unsigned i : window.outer)
    outer.push_back(handleOf(i));
  for (unsigned i : window.rowTaps)
    rowTaps.push_back(handleOf(i));
  for (unsigned i : window.columns)
    columns.push_back(handleOf(i));
  sched::LoopRef vectorLoop = handleOf(window.vector),
                 positionLoop = handleOf(window.position);
  auto v = s.split(vectorLoop, {-1, vectors, width});
  if (!context.accept("split", v))
    return;
  auto p = s.split(positionLoop, {-1, positions});
  if (!context.accept("split", p))
    return;
  sched::LoopRefs order(outer);
  order.push_back((*p)[0]);
  order.push_back((*v)[0]);
  sched::LoopRef tileLoop = order.back();
  unsigned outerLoops = order.size();
  order.append(rowTaps);
  bool unrollTaps = window.numColumns <= kMaxUnrolledTaps;
  if (!unrollTaps)
    order.append(columns);
  order.push_back((*p)[1]);
  if (unrollTaps)
    order.append(columns);
  order.push_back((*v)[1]);
  order.push_back((*v)[2]);
  if (!context.accept("reorder", s.reorder(order)))
    return;
  context.done.insert(name);

  bool fused = context.accept("reverse_compute_at",
                              s.reverseComputeAt(*epilogue, tileLoop));
  if (fused && !viaCopy)
    context.accept("set_scope", s.setScope(ref, 0, "register"));
  auto init = s.decomposeReduction(ref, order[outerLoops]);
  bool decomposed = context.accept("decompose_reduction", init);
  context.accept("unroll", s.unroll((*p)[1]));
  if (unrollTaps)
    for (sched::LoopRef loop : columns)
      context.accept("unroll", s.unroll(loop));
  context.accept("unroll", s.unroll((*v)[1]));
  context.accept("vectorize", s.vectorize((*v)[2]));
  if (decomposed) {
    finishTile(context, *init, outerLoops, lanes);
    if (nest::BlockOp op = s.get(*init))
      context.done.insert(op.getName());
  }
  if (fused) {
    finishTile(context, *epilogue, outerLoops, lanes);
    context.done.insert(s.get(*epilogue).getName());
  }

  // Rests get code of their own.
  context.accept("compact_buffers", s.compactBuffers());
  llvm::StringSet<llvm::MallocAllocator> before;
  for (nest::BlockOp any : blocksIn(s.getFunc()))
    before.insert(any.getName());
  block = s.get(ref);
  bool knownCount = block.getConstantExtent(window.position).has_value();
  if (!knownCount || count % tile.positions != 0)
    context.accept("separate_full_partial", s.separateFullPartial((*p)[0]));
  if (!block.getConstantExtent(window.vector) || channels % panel != 0)
    context.accept("separate_full_partial", s.separateFullPartial((*v)[0]));
  for (nest::BlockOp any : blocksIn(s.getFunc()))
    if (!before.contains(any.getName()))
      context.done.insert(any.getName());
}

void rules::tileWindows(RuleContext &context) {
  sched::Schedule &s = context.schedule;
  SmallVector<std::string> names;
  for (nest::BlockOp block : blocksIn(s.getFunc()))
    if (!context.done.contains(block.getName()))
      names.push_back(block.getName().str());
  for (const std::string &name : names) {
    auto ref = s.getBlock(name);
    if (!context.accept("get_block", ref))
      continue;
    if (std::optional<Window> window = findWindow(s.getFunc(), s.get(*ref)))
      tileWindow(context, *ref, *window);
  }
}
