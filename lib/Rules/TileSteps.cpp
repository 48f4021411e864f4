//===- TileSteps.cpp - A blocked reduction in a register tile -------------===//
//
// See the header. The steps in order: operands are packed or copied; the
// reduction is cut, which leaves a block of partial sums (the part) and one
// that adds them up; loops are split and ordered; the epilogue, or the part,
// moves to the tile; loops inside the tile become code and lanes; rests get
// code of their own.
//
//===----------------------------------------------------------------------===//
#include "TileSteps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

/// first, first + 1, ..., last.
static SmallVector<int64_t> numbers(int64_t first, int64_t last) {
  return llvm::to_vector(llvm::seq_inclusive(first, last));
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

TileSteps::TileSteps(RuleContext &context, sched::Schedule &on,
                     sched::BlockRef ref, const Roles &roles,
                     const Reduction &reduction, const Blocking &blocking)
    : context(context), s(on), ref(ref), name(on.get(ref).getName().str()),
      roles(roles), r(reduction), b(blocking),
      m(r.row < 0 ? 1 : r.extents[r.row]), n(r.extents[r.vector]),
      panel(b.vectors * r.lanes), cut(b.reduceSteps != 0),
      inPlace(!on.get(ref).getInitBlock()),
      mr(on.knob("rows", b.rows, numbers(1, 30))),
      nv(on.knob("vectors", b.vectors, numbers(1, 8))),
      vl(on.knob("lanes", r.lanes, {4, 8, 16})) {}

TileSteps::Loop TileSteps::handleOf(unsigned iterator) {
  nest::ForOp loop = loopOf(block(), iterator);
  for (sched::LoopRef candidate : allLoops)
    if (s.get(candidate) == loop)
      return candidate;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Operands and results
//===----------------------------------------------------------------------===//

/// The loops of a copy of the vector operand: panel by panel.
bool TileSteps::panels(sched::BlockRef copy) {
  auto loops = s.getLoops(copy);
  if (!context.accept("get_loops", loops))
    return false;
  // The copy runs through the dims of the operand.
  int dim = useOf(roles.vectorOperand, roles.vector).index;
  if (dim < 0 || static_cast<size_t>(dim) >= loops->size())
    return false;
  auto parts = s.split((*loops)[dim], {-1, nv, vl});
  if (!context.accept("split", parts))
    return false;
  sched::LoopRefs order{(*parts)[0]};
  for (auto [d, loop] : llvm::enumerate(*loops))
    if (static_cast<int>(d) != dim)
      order.push_back(loop);
  order.push_back((*parts)[1]);
  order.push_back((*parts)[2]);
  if (!context.accept("reorder", s.reorder(order)))
    return false;
  context.accept("unroll", s.unroll((*parts)[1]));
  context.accept("vectorize", s.vectorize((*parts)[2]));
  if (n % panel != 0)
    context.accept("separate_full_partial", s.separateFullPartial((*parts)[0]));
  return true;
}

bool TileSteps::prepareOperands() {
  if (b.copyVector && roles.how != Roles::InPlace)
    return false;
  bool copies = roles.how == Roles::Copy || b.copyVector;
  std::optional<sched::BlockRef> copy;
  if (copies) {
    auto made = s.cacheRead(ref, roles.vectorOperandIndex, "shared");
    if (!context.accept("cache_read", made))
      return false;
    copy = *made;
  }
  if (copies || roles.how == Roles::Pack)
    context.accept("transform_layout",
                   s.transformLayout(ref, sched::BufferRole::Read,
                                     roles.vectorOperandIndex,
                                     packingMap(block(), roles, panel)));
  if (b.copyVector) {
    if (!panels(*copy))
      return false;
    markDone(s.get(*copy).getName());
  }
  if (b.copyRows) {
    auto made = s.cacheRead(ref, roles.singleIndex, "shared");
    if (!context.accept("cache_read", made))
      return false;
    rowsCopy = *made;
  }
  return true;
}

/// The block after the reduction that only maps its results: it has no loops
/// of its own.
void TileSteps::findEpilogue() {
  Value output = writtenBuffers(block()).front();
  if (!output.getDefiningOp<nest::AllocOp>() || inPlace)
    return;
  SmallVector<nest::BlockOp> readers;
  for (nest::BlockOp reader : readersOf(output, s.getFunc()))
    if (reader != block())
      readers.push_back(reader);
  if (readers.size() != 1 || kindOf(readers[0]) != BlockKind::Complete ||
      readers[0].getNumIterators() >
          block().getNumIterators() - roles.reduce.size())
    return;
  auto reader = s.getBlock(readers[0].getName());
  if (context.accept("get_block", reader))
    epilogue = *reader;
}

/// A partial sum for each block of the innermost reduction loop, in a block of
/// its own: `ref` adds them up from here on.
bool TileSteps::cutReduction() {
  if (!ownsLoops(block()))
    return false;
  Loop innermost = handleOf(r.reduce.back());
  if (!innermost)
    return false;
  SmallVector<int64_t> divisors;
  for (int64_t steps = 1; steps <= r.extents[r.reduce.back()]; ++steps)
    if (r.extents[r.reduce.back()] % steps == 0)
      divisors.push_back(steps);
  sched::Param kc = s.knob("steps", b.reduceSteps, divisors);
  auto parts = s.split(*innermost, {-1, kc});
  if (!context.accept("split", parts))
    return false;
  sched::LoopRefs order{(*parts)[0]};
  for (unsigned axis : ArrayRef(r.reduce).drop_back())
    if (Loop loop = handleOf(axis))
      order.push_back(*loop);
  order.push_back((*parts)[1]);
  unsigned spatial = 0;
  for (unsigned i = 0; i < block().getNumIterators(); ++i)
    if (block().getIteratorKind(i) == nest::IteratorKind::Spatial) {
      ++spatial;
      if (Loop loop = handleOf(i))
        order.push_back(*loop);
      else
        return false;
    }
  if (!context.accept("reorder", s.reorder(order)))
    return false;
  auto made = s.rfactor((*parts)[0], 0);
  if (!context.accept("rfactor", made))
    return false;
  part = *made;
  // The sum keeps the name, the handle stays with the part.
  auto sum = s.getBlock(name);
  if (!context.accept("get_block", sum))
    return false;
  ref = *sum;
  auto loops = s.getLoops(ref);
  if (!context.accept("get_loops", loops))
    return false;
  allLoops = *loops;
  // The spatial iterators of the sum are those of the block, in their order.
  SmallVector<unsigned> now;
  for (unsigned i = 0; i < block().getNumIterators(); ++i) {
    if (block().getIteratorKind(i) == nest::IteratorKind::Spatial)
      now.push_back(i);
    else
      steps = handleOf(i);
  }
  return steps && now.size() == spatial;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

bool TileSteps::splitSpatial() {
  // After a cut, the iterators of the sum: spatial ones keep their order.
  SmallVector<int> place(r.extents.size(), -1);
  if (cut) {
    int next = 0;
    for (unsigned i = 0; i < r.extents.size(); ++i)
      if (!llvm::is_contained(r.reduce, i))
        place[i] = next++;
    SmallVector<int> spatial;
    for (unsigned i = 0; i < block().getNumIterators(); ++i)
      if (block().getIteratorKind(i) == nest::IteratorKind::Spatial)
        spatial.push_back(i);
    for (int &at : place)
      if (at >= 0)
        at = spatial[at];
  } else {
    for (unsigned i = 0; i < r.extents.size(); ++i)
      place[i] = i;
  }
  auto loopOfAxis = [&](int axis) -> Loop {
    return axis < 0 || place[axis] < 0 ? std::nullopt : handleOf(place[axis]);
  };
  for (unsigned axis : r.outer)
    if (Loop loop = loopOfAxis(axis))
      outer.push_back(*loop);
  for (unsigned axis : r.shared)
    if (Loop loop = loopOfAxis(axis))
      shared.push_back(*loop);
  if (!cut)
    for (unsigned axis : r.reduce)
      if (Loop loop = loopOfAxis(axis))
        reduce.push_back(*loop);
  Loop vector = loopOfAxis(r.vector), row = loopOfAxis(r.row);
  if (!vector || (!cut && reduce.empty()))
    return false;

  // Blocks of more than one tile, less than all.
  auto split = [&](sched::LoopRef loop, Axis &axis, int64_t tiles,
                   int64_t perBlock, llvm::StringRef knob,
                   ArrayRef<sched::Param> inner) {
    sched::Params factors{-1};
    bool blocks = perBlock > 1 && perBlock < tiles;
    if (blocks) {
      SmallVector<int64_t> domain(numbers(1, 64));
      if (!llvm::is_contained(domain, perBlock))
        domain.push_back(perBlock);
      factors.push_back(s.knob(knob, perBlock, domain));
    }
    llvm::append_range(factors, inner);
    sched::LoopRefs parts{loop};
    if (factors.size() > 1) {
      auto made = s.split(loop, factors);
      if (!context.accept("split", made))
        return false;
      parts = *made;
    }
    size_t next = 0;
    // One tile a block: the loop of tiles is that of blocks.
    if (blocks || perBlock == 1)
      axis.block = parts[next++];
    if (blocks || perBlock != 1)
      axis.tiles = parts[next++];
    if (inner.size() > 1)
      axis.registers = parts[next++];
    if (inner.size() > 1)
      axis.lanes = parts[next++];
    else if (!inner.empty())
      axis.registers = parts[next++];
    return true;
  };
  int64_t panels = llvm::divideCeil(n, panel);
  if (!split(*vector, columns, panels, b.columnPanels, "panels", {nv, vl}))
    return false;
  if (row) {
    sched::Params inner;
    if (b.rows > 1)
      inner.push_back(mr);
    if (!split(*row, rows, llvm::divideCeil(m, b.rows), b.rowTiles, "tiles",
               inner))
      return false;
  }
  return true;
}

bool TileSteps::order() {
  SmallVector<sched::LoopRef> order(outer);
  auto add = [&](const Loop &loop) {
    if (loop)
      order.push_back(*loop);
  };
  add(columns.block);
  order.append(shared);
  add(rows.block);
  if (!order.empty())
    blockLoop = order.back();
  add(steps);
  add(columns.tiles);
  add(rows.tiles);
  aroundTile = order.size();
  tileLoop = order.back();
  order.append(reduce);
  add(rows.registers);
  add(columns.registers);
  add(columns.lanes);
  return context.accept("reorder", s.reorder(order));
}

/// Copies of rows: in front of the panels that read them.
void TileSteps::placeCopies() {
  if (!rowsCopy)
    return;
  Loop at = steps ? steps : blockLoop;
  if (at && context.accept("compute_at", s.computeAt(*rowsCopy, *at))) {
    // Rows a power of two apart would share the sets of L1.
    int64_t line = context.target.cacheLine / r.operands.front().elementBytes;
    int64_t stride = cut                ? b.reduceSteps
                     : r.reduce.empty() ? 1
                                        : r.extents[r.reduce.back()];
    if (stride % (8 * line) == 0)
      context.accept("storage_align",
                     s.storageAlign(*rowsCopy, 0, 0, 2 * line, line));
  }
}

/// The partial sum of a tile, right before it is added.
bool TileSteps::finishPart() {
  if (!context.accept("compute_at", s.computeAt(*part, *tileLoop)))
    return false;
  context.accept("set_scope", s.setScope(*part, 0, "register"));
  auto loops = s.getLoops(*part);
  if (!context.accept("get_loops", loops))
    return false;
  nest::BlockOp block = s.get(*part);
  sched::LoopRefs own(loops->begin() +
                          std::min<size_t>(aroundTile, loops->size()),
                      loops->end());
  // Reduction outermost, the vector innermost.
  sched::LoopRefs order, rest;
  Loop vector;
  AffineSpace space(s.getFunc());
  BlockForm form = BlockForm::of(block, space);
  std::optional<Access> write;
  for (Access &access : accessesOf(block))
    if (access.isWrite)
      write = access;
  for (sched::LoopRef loop : own) {
    nest::ForOp op = s.get(loop);
    AffineExpr variable = space.of(op.getInductionVar());
    bool isVector = false;
    for (unsigned i = 0; i < block.getNumIterators(); ++i)
      isVector |= useOf(*write, i).unitStride &&
                  Linear::of(form.bindings[i]).coefficientOf(variable) == 1;
    if (feeds(op, block, nest::IteratorKind::Reduce))
      order.push_back(loop);
    else if (isVector)
      vector = loop;
    else
      rest.push_back(loop);
  }
  if (order.empty() || !vector)
    return false;
  sched::LoopRef first = order.front();
  size_t reductions = order.size();
  order.append(rest);
  order.push_back(*vector);
  if (!context.accept("reorder", s.reorder(order)))
    return false;
  auto init = s.decomposeReduction(*part, first);
  if (!context.accept("decompose_reduction", init))
    return false;
  rules::finishTile(context, s, *part, aroundTile + reductions, r.lanes);
  rules::finishTile(context, s, *init, aroundTile, r.lanes);
  markDone(s.get(*part).getName());
  markDone(s.get(*init).getName());
  return true;
}

bool TileSteps::finish() {
  std::optional<sched::BlockRef> init;
  bool fused = false;
  if (cut) {
    if (!finishPart())
      return false;
  } else {
    fused =
        epilogue && context.accept("reverse_compute_at",
                                   s.reverseComputeAt(*epilogue, *tileLoop));
    if (fused && !viaCopy)
      context.accept("set_scope", s.setScope(ref, 0, "register"));
    if (!inPlace) {
      auto decomposed = s.decomposeReduction(ref, reduce.front());
      if (context.accept("decompose_reduction", decomposed))
        init = *decomposed;
    }
  }
  if (rows.registers && s.get(*rows.registers).getConstantTripCount())
    context.accept("unroll", s.unroll(*rows.registers));
  context.accept("unroll", s.unroll(*columns.registers));
  context.accept("vectorize", s.vectorize(*columns.lanes));
  if (init) {
    rules::finishTile(context, s, *init, aroundTile, r.lanes);
    if (nest::BlockOp op = s.get(*init))
      markDone(op.getName());
  }
  if (fused) {
    rules::finishTile(context, s, *epilogue, aroundTile, r.lanes);
    markDone(s.get(*epilogue).getName());
  } else if (cut && epilogue && blockLoop) {
    // A block of results is finished while it is in L2.
    context.accept("reverse_compute_at",
                   s.reverseComputeAt(*epilogue, *blockLoop));
  }
  return true;
}

/// Rests get code of their own, so that full tiles test nothing. The tile
/// moves into its loop first: each part then has its own.
void TileSteps::separate() {
  nest::FuncOp func = s.getFunc();
  context.accept("compact_buffers", s.compactBuffers());
  llvm::StringSet<llvm::MallocAllocator> before;
  for (nest::BlockOp any : blocksIn(func))
    before.insert(any.getName());
  bool rowsUnknown =
      r.row >= 0 && !block().getConstantExtent(cut ? 0 : r.row) && !cut;
  auto cutOff = [&](const Axis &axis) {
    Loop loop = axis.tiles ? axis.tiles : axis.block;
    context.accept("separate_full_partial", s.separateFullPartial(*loop));
  };
  if (rows.registers && (m % b.rows != 0 || rowsUnknown))
    cutOff(rows);
  if (n % panel != 0 || (!cut && !block().getConstantExtent(roles.vector)))
    cutOff(columns);
  for (nest::BlockOp any : blocksIn(func))
    if (!before.contains(any.getName()))
      markDone(any.getName());
  // Rows whose number varied from tile to tile no longer do in full ones.
  if (rows.registers)
    if (nest::ForOp row = s.get(*rows.registers);
        row && row.getKind() == nest::LoopKind::Serial &&
        row.getConstantTripCount())
      context.accept("unroll", s.unroll(*rows.registers));
}

bool TileSteps::run() {
  // A block without an init updates what is there: elements stay in place, and
  // the code generator keeps them in registers while the reduction runs. Its
  // loops must be its own, or they cannot change places.
  if (inPlace && !ownsLoops(block()))
    return false;
  if (!prepareOperands())
    return false;
  findEpilogue();
  viaCopy = !epilogue && !inPlace && !cut;
  if (viaCopy) {
    // What leaves gaps (a triangle of a matrix) is updated where it is.
    auto copy = s.cacheWrite(ref, 0, "register");
    if (context.accept("cache_write", copy))
      epilogue = *copy;
    else if (ownsLoops(block()) && startsTogether(block(), roles.vector))
      viaCopy = false;
    else
      return false;
  }
  auto loops = s.getLoops(ref);
  if (!context.accept("get_loops", loops))
    return false;
  allLoops = *loops;
  if (cut && !cutReduction())
    return false;
  if (!splitSpatial() || !order())
    return false;
  placeCopies();
  if (!finish())
    return false;
  markDone(name);
  separate();
  return true;
}
