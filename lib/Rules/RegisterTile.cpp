//===- RegisterTile.cpp - Reductions over a register tile -----------------===//
//
// For a reduction block C[.., v] += f(A, B) where v, the iterator of the last
// output index, moves through an operand one element at a time (or can be made
// to: a constant operand is packed, another one is copied):
//
//   for b, m, v, k: C[m, v] += A[m, k] * B[k, v]
//   ==>
//   for vo, mo (parallel outermost)
//     tile[MR][NV * lanes] = 0          in registers
//     for k: for mi, vn (unroll): for vl (vectorize): tile += A * B
//     epilogue of the tile -> output
//
// MR and NV come from the registers of the target and the extents: the pair
// with the least cycles by the counts of FMAs and loads (BLIS' model, Low et
// al., TOMS 2016, cut down to the register level). Which of the two outer tile
// loops runs outermost follows from which operand fits into L2.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

namespace {
/// The roles of a reduction block's iterators.
struct Roles {
  unsigned vector;                 // v
  int row = -1;                    // m: spatial, not in the vector operand
  SmallVector<unsigned> outer;     // other spatial iterators
  SmallVector<unsigned> reduce;    // innermost last
  Access vectorOperand;            // B
  int64_t vectorOperandIndex = -1; // among the buffers that the block reads
  enum { InPlace, Pack, Copy } how = InPlace;
};

struct Tile {
  int64_t rows = 1, vectors = 1;
};
} // namespace

static bool isConstantArgument(nest::FuncOp func, Value buffer) {
  auto arg = dyn_cast<BlockArgument>(buffer);
  return arg && arg.getOwner() == &func.getBody().front() &&
         func.getArgAttr(arg.getArgNumber(), kConstantArgument);
}

/// Each index one iterator, as packing needs it.
static bool isPlain(const Access &access) {
  return llvm::all_of(access.indices, [](AffineExpr index) {
    return index && isa<AffineDimExpr, AffineConstantExpr>(index);
  });
}

static std::optional<Roles> findRoles(nest::FuncOp func, nest::BlockOp block) {
  std::optional<Reducer> reducer = reducerOf(block);
  if (!reducer)
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
    if (llvm::any_of(access.indices, [](AffineExpr e) { return !e; }) ||
        access.conditional)
      return std::nullopt;
    if (access.isWrite)
      write = access;
    else if (access.buffer != reducer->store.getMemRef())
      reads.push_back(access);
  }
  if (!write || reads.empty())
    return std::nullopt;

  Roles roles;
  int vector = -1;
  for (AffineExpr index : write->indices)
    if (auto dim = dyn_cast<AffineDimExpr>(index))
      if (block.getConstantExtent(dim.getPosition()) != 1)
        vector = dim.getPosition();
  if (vector < 0 || !useOf(*write, vector).unitStride)
    return std::nullopt;
  roles.vector = vector;

  // The operand to load vectors from: one that has v; best in place, then one
  // that can be packed at build time, then one worth a copy.
  SmallVector<Value> buffers = readBuffers(block);
  int best = -1, bestScore = -1;
  for (auto [i, read] : llvm::enumerate(reads)) {
    Use use = useOf(read, vector);
    if (!use.used)
      continue;
    bool constant = isConstantArgument(func, read.buffer) && isPlain(read);
    int score = constant ? 3 : use.unitStride ? 2 : isPlain(read) ? 1 : 0;
    // All operands with v must agree, or lanes would gather.
    if (score == 0)
      return std::nullopt;
    if (score > bestScore) {
      best = i;
      bestScore = score;
    }
  }
  if (best < 0)
    return std::nullopt;
  for (auto [i, read] : llvm::enumerate(reads))
    if (static_cast<int>(i) != best && useOf(read, vector).used &&
        !useOf(read, vector).unitStride)
      return std::nullopt;
  roles.vectorOperand = reads[best];
  roles.vectorOperandIndex =
      llvm::find(buffers, reads[best].buffer) - buffers.begin();
  roles.how = bestScore == 3   ? Roles::Pack
              : bestScore == 2 ? Roles::InPlace
                               : Roles::Copy;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (block.getIteratorKind(i) == nest::IteratorKind::Reduce)
      roles.reduce.push_back(i);
    else if (i != roles.vector)
      roles.outer.push_back(i);
  }
  // Rows reuse the vector operand; the innermost one has the nearest data.
  for (unsigned i : llvm::reverse(roles.outer))
    if (!useOf(roles.vectorOperand, i).used &&
        block.getConstantExtent(i) != 1) {
      roles.row = i;
      llvm::erase(roles.outer, i);
      break;
    }
  // A copy pays when many rows read it again; a plain row reduction has none.
  if (roles.how == Roles::Copy &&
      (roles.row < 0 || block.getConstantExtent(roles.row).value_or(64) < 4))
    return std::nullopt;
  // The innermost reduce loop should run through the other operand's memory.
  for (const Access &read : reads)
    for (unsigned i : roles.reduce)
      if (read.op != roles.vectorOperand.op && useOf(read, i).unitStride &&
          i != roles.reduce.back()) {
        llvm::erase(roles.reduce, i);
        roles.reduce.push_back(i);
        break;
      }
  return roles;
}

/// The register tile with the fewest cycles for `m` x `n` outputs.
static Tile chooseTile(int64_t m, int64_t n, int64_t lanes, int64_t registers,
                       bool vectorRows) {
  Tile best;
  double bestCycles = 1e300;
  for (int64_t vectors = 1; vectors <= 8; ++vectors)
    for (int64_t rows = 1; rows <= std::min<int64_t>(m, 16); ++rows) {
      // Accumulators, the vectors of B, one value of A.
      if (rows * vectors + vectors + 1 > registers)
        continue;
      if (vectors > 1 && (vectors - 1) * lanes >= n)
        continue;
      double perStep =
          std::max({rows * vectors / 2.0,
                    (rows * (vectorRows ? vectors : 1) + vectors) / 2.0, 4.0});
      double full = static_cast<double>(m / rows),
             panels = static_cast<double>((n + vectors * lanes - 1) /
                                          (vectors * lanes));
      int64_t rest = m % rows;
      double restSteps =
          rest ? std::max({rest * vectors / 2.0, (rest + vectors) / 2.0, 4.0})
               : 0.0;
      // A little for each tile: its epilogue and its loop.
      double cycles =
          panels * (full * (perStep + 0.1) + restSteps + (rest ? 0.1 : 0.0));
      if (cycles < bestCycles - 1e-9) {
        bestCycles = cycles;
        best = {rows, vectors};
      }
    }
  return best;
}

/// (.., v, ..) -> (others in front, v floordiv lanes, reduces, v mod lanes).
static AffineMap packingMap(nest::BlockOp block, const Roles &roles,
                            int64_t panel) {
  MLIRContext *context = block.getContext();
  unsigned rank = roles.vectorOperand.indices.size();
  SmallVector<AffineExpr> front, back;
  AffineExpr vector;
  auto dimOf = [&](unsigned iterator) -> int {
    for (auto [d, index] : llvm::enumerate(roles.vectorOperand.indices))
      if (index == getAffineDimExpr(iterator, context))
        return d;
    return -1;
  };
  llvm::SmallDenseSet<int> placed;
  int v = dimOf(roles.vector);
  placed.insert(v);
  for (unsigned iterator : roles.reduce)
    if (int d = dimOf(iterator); d >= 0 && placed.insert(d).second)
      back.push_back(getAffineDimExpr(d, context));
  for (unsigned d = 0; d < rank; ++d)
    if (placed.insert(d).second)
      front.push_back(getAffineDimExpr(d, context));
  vector = getAffineDimExpr(v, context);
  front.push_back(vector.floorDiv(panel));
  front.append(back);
  front.push_back(vector % panel);
  return AffineMap::get(rank, 0, front, context);
}

/// Unrolls and vectorizes the loops of a block inside a tile. The vector loop
/// is the one of the last index that the block writes.
static void finishInner(RuleContext &context, sched::BlockRef ref,
                        unsigned outerLoops, int64_t lanes) {
  sched::Schedule &s = context.schedule;
  auto loops = s.getLoops(ref);
  if (!context.accept("get_loops", loops))
    return;
  nest::BlockOp block = s.get(ref);
  nest::ForOp vectorLoop;
  for (const Access &access : accessesOf(block)) {
    if (!access.isWrite || access.indices.empty())
      continue;
    // The loop whose variable moves the last index by one.
    BlockForm form;
    AffineSpace space(s.getFunc());
    form = BlockForm::of(block, space);
    for (sched::LoopRef loop : *loops) {
      AffineExpr variable = space.of(s.get(loop).getInductionVar());
      for (unsigned i = 0; i < block.getNumIterators(); ++i)
        if (useOf(access, i).unitStride &&
            Linear::of(form.bindings[i]).coefficientOf(variable) == 1)
          vectorLoop = s.get(loop);
    }
  }
  sched::LoopRefs rest(loops->begin() +
                           std::min<size_t>(outerLoops, loops->size()),
                       loops->end());
  std::optional<sched::LoopRef> vector;
  for (sched::LoopRef loop : rest)
    if (s.get(loop) == vectorLoop)
      vector = loop;
  for (sched::LoopRef loop : rest) {
    nest::ForOp op = s.get(loop);
    if (!op || !op.getConstantTripCount() || op == vectorLoop)
      continue;
    if (*op.getConstantTripCount() <= 16 &&
        op.getKind() == nest::LoopKind::Serial)
      context.accept("unroll", s.unroll(loop));
  }
  if (!vector)
    return;
  std::optional<int64_t> count = vectorLoop.getConstantTripCount();
  if (!count)
    return;
  if (*count > lanes) {
    auto parts = s.split(*vector, {-1, lanes});
    if (!context.accept("split", parts))
      return;
    context.accept("vectorize", s.vectorize((*parts)[1]));
    if (*count <= 16 * lanes)
      context.accept("unroll", s.unroll((*parts)[0]));
  } else {
    context.accept("vectorize", s.vectorize(*vector));
  }
}

/// Whether tiles of the loop of `iterator` begin where its rows all begin.
static bool startsTogether(nest::BlockOp block, unsigned iterator) {
  nest::ForOp loop = loopOf(block, iterator);
  AffineSpace space(block->getParentOfType<nest::FuncOp>());
  AffineExpr lower = loop ? space.lowerOf(loop) : AffineExpr();
  return lower && AffineSpace::isFreeOfLoops(lower);
}

/// Whether the loops around `block` hold nothing beside each other.
static bool ownsLoops(nest::BlockOp block) {
  Operation *inner = block;
  while (auto loop = dyn_cast<nest::ForOp>(inner->getParentOp())) {
    if (inner != block &&
        !llvm::hasSingleElement(loop.getBodyBlock()->without_terminator()))
      return false;
    inner = loop;
  }
  return true;
}

static void tileBlock(RuleContext &context, sched::BlockRef ref,
                      const Roles &roles) {
  sched::Schedule &s = context.schedule;
  nest::BlockOp block = s.get(ref);
  nest::FuncOp func = s.getFunc();
  std::string name = block.getName().str();
  const Target &target = context.target;
  Type element = cast<MemRefType>(reducerOf(block)->store.getMemRef().getType())
                     .getElementType();
  int64_t bits = std::max<int64_t>(
      8, element.isIndex() ? 64 : element.getIntOrFloatBitWidth());
  int64_t lanes =
      std::max<int64_t>(1, target.lanes(std::max<int64_t>(32, bits)));
  int64_t n = block.getConstantExtent(roles.vector).value_or(1 << 20);
  int64_t m =
      roles.row < 0 ? 1 : block.getConstantExtent(roles.row).value_or(240);
  if (n < lanes / 2 && roles.how != Roles::Pack)
    return; // too narrow for a vector: the general rules do better
  bool vectorRows = false;
  for (const Access &access : accessesOf(block))
    if (!access.isWrite && !access.inInit &&
        access.op != roles.vectorOperand.op &&
        access.buffer != reducerOf(block)->store.getMemRef())
      vectorRows |= useOf(access, roles.vector).used;
  Tile tile = chooseTile(m, n, lanes, target.vectorRegisters, vectorRows);
  context.done.insert(name);
  // What is left in order is the other rules' business.
  auto giveUp = [&] { context.done.erase(name); };
  // A block without an init updates what is there: elements stay in place, and
  // the code generator keeps them in registers while the reduction runs. Its
  // loops must be its own, or they cannot change places.
  bool inPlace = !block.getInitBlock();
  if (inPlace && !ownsLoops(block))
    return giveUp();

  sched::Param mr =
      s.knob("rows", tile.rows,
             {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  sched::Param nv = s.knob("vectors", tile.vectors, {1, 2, 3, 4, 5, 6, 7, 8});
  sched::Param vl = s.knob("lanes", lanes, {4, 8, 16});

  // 1. The vector operand in panels.
  int64_t panel = tile.vectors * lanes;
  if (roles.how == Roles::Pack) {
    context.accept("transform_layout",
                   s.transformLayout(ref, sched::BufferRole::Read,
                                     roles.vectorOperandIndex,
                                     packingMap(block, roles, panel)));
  } else if (roles.how == Roles::Copy) {
    auto copy = s.cacheRead(ref, roles.vectorOperandIndex, "shared");
    if (!context.accept("cache_read", copy))
      return;
    context.accept("transform_layout",
                   s.transformLayout(ref, sched::BufferRole::Read,
                                     roles.vectorOperandIndex,
                                     packingMap(block, roles, panel)));
  }

  // 2. Where results go: straight into the epilogue, or through a copy.
  block = s.get(ref);
  SmallVector<Value> written = writtenBuffers(block);
  std::optional<sched::BlockRef> epilogue;
  Value output = written.front();
  if (output.getDefiningOp<nest::AllocOp>()) {
    SmallVector<nest::BlockOp> readers;
    for (nest::BlockOp reader : readersOf(output, func))
      if (reader != block)
        readers.push_back(reader);
    // One that only maps the results: no loops of its own.
    if (readers.size() == 1 && kindOf(readers[0]) == BlockKind::Complete &&
        readers[0].getNumIterators() <=
            block.getNumIterators() - roles.reduce.size()) {
      auto reader = s.getBlock(readers[0].getName());
      if (context.accept("get_block", reader))
        epilogue = *reader;
    }
  }
  bool viaCopy = !epilogue && !inPlace;
  if (inPlace)
    epilogue.reset();
  if (viaCopy) {
    // What leaves gaps (a triangle of a matrix) is updated where it is.
    auto copy = s.cacheWrite(ref, 0, "register");
    if (context.accept("cache_write", copy))
      epilogue = *copy;
    else if (ownsLoops(block) && startsTogether(block, roles.vector))
      viaCopy = false;
    else
      return giveUp();
  }

  // 3. Tile and order the loops.
  auto all = s.getLoops(ref);
  if (!context.accept("get_loops", all))
    return;
  block = s.get(ref);
  auto handleOf = [&](unsigned iterator) -> std::optional<sched::LoopRef> {
    nest::ForOp loop = loopOf(s.get(ref), iterator);
    for (sched::LoopRef candidate : *all)
      if (s.get(candidate) == loop)
        return candidate;
    return std::nullopt;
  };
  SmallVector<sched::LoopRef> outer, reduce;
  for (unsigned i : roles.outer)
    if (auto loop = handleOf(i))
      outer.push_back(*loop);
  for (unsigned i : roles.reduce)
    if (auto loop = handleOf(i))
      reduce.push_back(*loop);
  std::optional<sched::LoopRef> vectorLoop = handleOf(roles.vector), rowLoop;
  if (roles.row >= 0)
    rowLoop = handleOf(roles.row);
  if (!vectorLoop)
    return;
  auto v = s.split(*vectorLoop, {-1, nv, vl});
  if (!context.accept("split", v))
    return;
  std::optional<sched::LoopRefs> rows;
  if (rowLoop && tile.rows > 1) {
    auto split = s.split(*rowLoop, {-1, mr});
    if (!context.accept("split", split))
      return;
    rows = *split;
  } else if (rowLoop) {
    rows = sched::LoopRefs{*rowLoop};
  }
  // The panel of B that one tile row needs again and again.
  double panelBytes = bits / 8.0;
  for (unsigned i : roles.reduce)
    panelBytes *= static_cast<double>(block.getConstantExtent(i).value_or(256));
  bool rowsOutermost = panelBytes * static_cast<double>(n) <=
                       static_cast<double>(target.l2Bytes) / 2;
  SmallVector<sched::LoopRef> order(outer);
  if (rows && rowsOutermost)
    order.push_back((*rows)[0]);
  // Outer rows (other spatial loops without B) stay in front when B fits;
  // else one panel of B serves them all.
  if (rowsOutermost)
    order.push_back((*v)[0]);
  else
    order.insert(order.begin(), (*v)[0]);
  if (rows && !rowsOutermost)
    order.push_back((*rows)[0]);
  sched::LoopRef tileLoop = order.back();
  order.append(reduce.begin(), reduce.end());
  if (rows && rows->size() > 1)
    order.push_back((*rows)[1]);
  order.push_back((*v)[1]);
  order.push_back((*v)[2]);
  if (!context.accept("reorder", s.reorder(order)))
    return giveUp();
  unsigned outerLoops = 0;
  for (sched::LoopRef loop : order) {
    ++outerLoops;
    if (loop.id == tileLoop.id)
      break;
  }

  // 4. Finish each tile while it is in registers.
  bool fused =
      epilogue && context.accept("reverse_compute_at",
                                 s.reverseComputeAt(*epilogue, tileLoop));
  if (fused && !viaCopy)
    context.accept("set_scope", s.setScope(ref, 0, "register"));
  std::optional<sched::BlockRef> init;
  if (!inPlace) {
    auto decomposed = s.decomposeReduction(ref, reduce.front());
    if (context.accept("decompose_reduction", decomposed))
      init = *decomposed;
  }
  if (rows && rows->size() > 1 && s.get((*rows)[1]).getConstantTripCount())
    context.accept("unroll", s.unroll((*rows)[1]));
  context.accept("unroll", s.unroll((*v)[1]));
  context.accept("vectorize", s.vectorize((*v)[2]));
  if (init)
    finishInner(context, *init, outerLoops, lanes);
  if (init)
    if (nest::BlockOp op = s.get(*init))
      context.done.insert(op.getName());
  if (fused) {
    finishInner(context, *epilogue, outerLoops, lanes);
    context.done.insert(s.get(*epilogue).getName());
  }

  // 5. Rests get code of their own, so that full tiles test nothing. The tile
  // moves into its loop first: each part then has its own.
  context.accept("compact_buffers", s.compactBuffers());
  llvm::StringSet<llvm::MallocAllocator> before;
  for (nest::BlockOp any : blocksIn(func))
    before.insert(any.getName());
  if (rows && rows->size() > 1 && m % tile.rows != 0)
    context.accept("separate_full_partial", s.separateFullPartial((*rows)[0]));
  else if (rows && rows->size() > 1 && !block.getConstantExtent(roles.row))
    context.accept("separate_full_partial", s.separateFullPartial((*rows)[0]));
  if (n % panel != 0 || !block.getConstantExtent(roles.vector))
    context.accept("separate_full_partial", s.separateFullPartial((*v)[0]));
  for (nest::BlockOp any : blocksIn(func))
    if (!before.contains(any.getName()))
      context.done.insert(any.getName());
  // Rows whose number varied from tile to tile no longer do in full ones.
  if (rows && rows->size() > 1)
    if (nest::ForOp row = s.get((*rows)[1]);
        row && row.getKind() == nest::LoopKind::Serial &&
        row.getConstantTripCount())
      context.accept("unroll", s.unroll((*rows)[1]));
}

void rules::registerTile(RuleContext &context) {
  sched::Schedule &s = context.schedule;
  SmallVector<std::string> names;
  for (nest::BlockOp block : blocksIn(s.getFunc()))
    names.push_back(block.getName().str());
  for (const std::string &name : names) {
    if (context.done.contains(name))
      continue;
    nest::BlockOp found;
    for (nest::BlockOp block : blocksIn(s.getFunc()))
      if (block.getName() == name)
        found = block;
    if (!found)
      continue;
    std::optional<Roles> roles = findRoles(s.getFunc(), found);
    if (!roles)
      continue;
    auto ref = s.getBlock(name);
    if (context.accept("get_block", ref))
      tileBlock(context, *ref, *roles);
  }
}
