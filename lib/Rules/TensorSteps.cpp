//===- TensorSteps.cpp - A contraction as tensor instructions -------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "TensorSteps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

using intrin::kAcc;
using intrin::kK;
using intrin::kLhs;
using intrin::kM;
using intrin::kN;
using intrin::kRhs;

int rules::rowIterator(nest::BlockOp block, const Contraction &contraction,
                       const intrin::Mapping &mapping) {
  int best = -1;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (block.getIteratorKind(i) == nest::IteratorKind::Spatial &&
        block.getConstantExtent(i) != 1 &&
        llvm::none_of(
            mapping.iterators,
            [&](auto &axis) { return llvm::is_contained(axis, i); }) &&
        isMovedBy(contraction.factors[mapping.factorOf(kLhs)].indices, i) &&
        !isMovedBy(contraction.factors[mapping.factorOf(kRhs)].indices, i))
      best = i;
  return best;
}

TensorSteps::TensorSteps(RuleContext &context, sched::Schedule &on,
                         sched::BlockRef ref, const TensorPlan &plan)
    : context(context), s(on), ref(ref), plan(plan), record(*plan.record),
      axes(plan.mapping.iterators) {}

std::optional<Contraction> TensorSteps::contraction() {
  Obstacle obstacle;
  return contractionOf(block(), obstacle);
}

int64_t TensorSteps::numberOf(Value buffer) {
  SmallVector<Value> buffers = readBuffers(block());
  return llvm::find(buffers, buffer) - buffers.begin();
}

/// `iterators` as one number, larger steps first.
static AffineExpr fused(ArrayRef<unsigned> iterators, nest::BlockOp block) {
  MLIRContext *context = block.getContext();
  AffineExpr sum = getAffineConstantExpr(0, context);
  for (unsigned i : iterators)
    sum = sum * block.getConstantExtent(i).value_or(1) +
          getAffineDimExpr(i, context);
  return sum;
}

/// The axes of an operand, those that run fastest in memory last.
static SmallVector<unsigned, 2> axesOf(unsigned operand) {
  if (operand == kLhs)
    return {kM, kK};
  if (operand == kRhs)
    return {kK, kN};
  return {kM, kN};
}

/// A copy of the operand by its own iterators: those outside, then its axes.
bool TensorSteps::reindexOperand(unsigned operand) {
  auto c = contraction();
  if (!c)
    return false;
  bool isSum = operand == kAcc;
  const Contraction::Factor *factor =
      isSum ? nullptr : &c->factors[plan.mapping.factorOf(operand)];
  ArrayRef<AffineExpr> indices = isSum ? c->sumIndices : factor->indices;
  SmallVector<AffineExpr> results;
  MLIRContext *context = block().getContext();
  for (unsigned i = 0; i < block().getNumIterators(); ++i)
    if (isMovedBy(indices, i) && llvm::none_of(axes, [&](auto &axis) {
          return llvm::is_contained(axis, i);
        }))
      results.push_back(getAffineDimExpr(i, context));
  for (unsigned axis : axesOf(operand))
    if (!axes[axis].empty())
      results.push_back(fused(axes[axis], block()));
  AffineMap map =
      AffineMap::get(block().getNumIterators(), 0, results, context);
  if (isSum) {
    auto copy = s.reindexCacheWrite(ref, 0, "shared", map);
    return accept("reindex_cache_write", copy);
  }
  memref::LoadOp load = factor->load;
  auto copy =
      s.reindexCacheRead(ref, numberOf(load.getMemRef()), "shared", map);
  return accept("reindex_cache_read", copy);
}

bool TensorSteps::reindexOperands() {
  for (unsigned operand : {kLhs, kRhs, kAcc})
    if (plan.copies[operand] && !reindexOperand(operand))
      return false;
  if (plan.copies[kRhs] || !plan.mapping.fuses())
    return true;
  // A constant is fused where it lies.
  auto c = contraction();
  if (!c)
    return false;
  const Contraction::Factor &factor = c->factors[plan.mapping.factorOf(kRhs)];
  std::optional<SmallVector<int>> plain = plainIndices(factor.indices);
  if (!plain)
    return false;
  bool any = false;
  MLIRContext *mlir = block().getContext();
  SmallVector<AffineExpr> results;
  auto dimOf = [&](unsigned iterator) {
    return llvm::find(*plain, int(iterator)) - plain->begin();
  };
  for (auto [d, iterator] : llvm::enumerate(*plain))
    if (!llvm::is_contained(axes[kN], unsigned(iterator)) &&
        !llvm::is_contained(axes[kK], unsigned(iterator)))
      results.push_back(getAffineDimExpr(d, mlir));
  for (unsigned axis : axesOf(kRhs)) {
    AffineExpr sum = getAffineConstantExpr(0, mlir);
    for (unsigned i : axes[axis])
      sum = sum * block().getConstantExtent(i).value_or(1) +
            getAffineDimExpr(dimOf(i), mlir);
    any |= axes[axis].size() > 1;
    results.push_back(sum);
  }
  if (!any)
    return true;
  memref::LoadOp load = factor.load;
  return accept("transform_layout",
                s.transformLayout(
                    ref, sched::BufferRole::Read, numberOf(load.getMemRef()),
                    AffineMap::get(plain->size(), 0, results, mlir)));
}

/// Others in front, then m, n, k.
bool TensorSteps::fuseIterators() {
  if (!plan.mapping.fuses())
    return true;
  SmallVector<AffineExpr> results;
  MLIRContext *mlir = block().getContext();
  for (unsigned i = 0; i < block().getNumIterators(); ++i)
    if (llvm::none_of(axes,
                      [&](auto &axis) { return llvm::is_contained(axis, i); }))
      results.push_back(getAffineDimExpr(i, mlir));
  decltype(axes) after(3);
  for (unsigned axis : {kM, kN, kK}) {
    if (axes[axis].empty())
      continue;
    after[axis] = {static_cast<unsigned>(results.size())};
    results.push_back(fused(axes[axis], block()));
  }
  AffineMap map = AffineMap::get(block().getNumIterators(), 0, results, mlir);
  if (!accept("transform_block_layout", s.transformBlockLayout(ref, map)))
    return false;
  axes = after;
  return true;
}

bool TensorSteps::pad() {
  SmallVector<sched::Param> multiples(block().getNumIterators(), 1);
  bool any = false;
  for (unsigned axis : {kM, kN, kK}) {
    if (axes[axis].empty())
      continue;
    int64_t multiple = plan.steps[axis] * (axis == kN ? plan.columns : 1);
    multiples[axes[axis].front()] = multiple;
    any |=
        block().getConstantExtent(axes[axis].front()).value_or(0) % multiple !=
        0;
  }
  return !any || accept("pad_einsum", s.padEinsum(ref, multiples));
}

/// (x mod ab) floordiv b is (x floordiv b) mod a.
static AffineExpr asDigit(AffineExpr expr) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return expr;
  AffineExpr lhs = asDigit(binary.getLHS());
  auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  auto inner = dyn_cast<AffineBinaryOpExpr>(lhs);
  auto modulus = inner && inner.getKind() == AffineExprKind::Mod
                     ? dyn_cast<AffineConstantExpr>(inner.getRHS())
                     : AffineConstantExpr();
  if (expr.getKind() == AffineExprKind::FloorDiv && divisor && modulus &&
      modulus.getValue() % divisor.getValue() == 0)
    return inner.getLHS().floorDiv(divisor) %
           (modulus.getValue() / divisor.getValue());
  if (expr.getKind() == AffineExprKind::Mod && divisor && modulus &&
      modulus.getValue() % divisor.getValue() == 0)
    return inner.getLHS() % divisor;
  return getAffineBinaryOpExpr(expr.getKind(), lhs, binary.getRHS());
}

bool TensorSteps::packRhs() {
  auto c = contraction();
  if (!c)
    return false;
  const Contraction::Factor &factor = c->factors[plan.mapping.factorOf(kRhs)];
  std::optional<SmallVector<int>> plain = plainIndices(factor.indices);
  if (!plain)
    return false;
  MLIRContext *mlir = block().getContext();
  SmallVector<AffineExpr> front, whole(2, getAffineConstantExpr(0, mlir));
  for (auto [d, iterator] : llvm::enumerate(*plain)) {
    AffineExpr dim = getAffineDimExpr(d, mlir);
    if (llvm::is_contained(axes[kK], unsigned(iterator)))
      whole[0] = dim;
    else if (llvm::is_contained(axes[kN], unsigned(iterator)))
      whole[1] = dim;
    else
      front.push_back(dim);
  }
  AffineMap packing = record.packing(kRhs, plan.columns, mlir);
  for (AffineExpr expr : packing.getResults()) {
    AffineExpr digit =
        simplifyAffineExpr(asDigit(expr.replaceDims(whole)), plain->size(), 0);
    if (!isa<AffineConstantExpr>(digit))
      front.push_back(digit);
  }
  // The block of columns comes first: a tile reads on from where it was.
  if (front.size() > packing.getNumResults()) {
    auto first = llvm::find_if(front, [&](AffineExpr e) {
      auto div = dyn_cast<AffineBinaryOpExpr>(e);
      return div && div.getKind() == AffineExprKind::FloorDiv &&
             div.getLHS() == whole[1];
    });
    if (first != front.end())
      std::rotate(front.begin(), first, first + 1);
  }
  memref::LoadOp load = factor.load;
  return accept("transform_layout",
                s.transformLayout(
                    ref, sched::BufferRole::Read, numberOf(load.getMemRef()),
                    AffineMap::get(plain->size(), 0, front, mlir)));
}

/// Where results go: straight into the block that reads them, or through a
/// copy.
bool TensorSteps::findEpilogue() {
  nest::FuncOp func = s.getFunc();
  auto onlyReader = [&](nest::BlockOp writer) -> nest::BlockOp {
    SmallVector<Value> written = writtenBuffers(writer);
    if (written.size() != 1 || !written.front().getDefiningOp<nest::AllocOp>())
      return {};
    nest::BlockOp found;
    for (nest::BlockOp reader : readersOf(written.front(), func)) {
      if (reader == writer)
        continue;
      if (found)
        return {};
      found = reader;
    }
    return found && kindOf(found) == BlockKind::Complete ? found
                                                         : nest::BlockOp();
  };
  std::string name = block().getName().str();
  // Tiles of fused iterators are no boxes of what reads the result.
  nest::BlockOp reader =
      plan.ownCopy || plan.copies[kAcc] ? nest::BlockOp() : onlyReader(block());
  // The wanted part of a padded result belongs into what reads that.
  for (int depth = 0; reader && depth < 2; ++depth) {
    bool isCopy = reader.getName().starts_with(name + "_crop") ||
                  reader.getName().starts_with(name + "_reindex");
    if (!isCopy || !onlyReader(reader))
      break;
    auto copy = s.getBlock(reader.getName());
    if (!copy || !s.computeInline(*copy).isDone())
      break;
    reader = onlyReader(block());
  }
  unsigned spatial = 0;
  for (unsigned i = 0; i < block().getNumIterators(); ++i)
    spatial += block().getIteratorKind(i) == nest::IteratorKind::Spatial;
  if (reader && reader.getNumIterators() <= spatial) {
    auto found = s.getBlock(reader.getName());
    if (accept("get_block", found)) {
      epilogue = *found;
      return true;
    }
  }
  auto copy = s.cacheWrite(ref, 0, record.accIsVector() ? "register" : "tile");
  if (!accept("cache_write", copy))
    return false;
  epilogue = *copy;
  viaCopy = true;
  return true;
}

/// In the buffer of the sums, columns run fastest.
bool TensorSteps::layOutSums() {
  auto c = contraction();
  if (!c)
    return false;
  std::optional<SmallVector<int>> plain = plainIndices(c->sumIndices);
  if (!plain)
    return false;
  MLIRContext *mlir = block().getContext();
  SmallVector<AffineExpr> order;
  SmallVector<unsigned> last;
  for (unsigned axis : {kM, kN})
    llvm::append_range(last, axes[axis]);
  auto isLast = [&](int iterator) {
    return iterator >= 0 && llvm::is_contained(last, unsigned(iterator));
  };
  for (auto [d, iterator] : llvm::enumerate(*plain))
    if (!isLast(iterator))
      order.push_back(getAffineDimExpr(d, mlir));
  for (unsigned iterator : last)
    for (auto [d, here] : llvm::enumerate(*plain))
      if (here == int(iterator))
        order.push_back(getAffineDimExpr(d, mlir));
  AffineMap map = AffineMap::get(plain->size(), 0, order, mlir);
  return map.isIdentity() ||
         accept("transform_layout",
                s.transformLayout(ref, sched::BufferRole::Write, 0, map));
}

TensorSteps::Loop TensorSteps::handleOf(unsigned iterator) {
  nest::ForOp loop = loopOf(block(), iterator);
  for (sched::LoopRef candidate : allLoops)
    if (loop && s.get(candidate) == loop)
      return candidate;
  return std::nullopt;
}

bool TensorSteps::tile() {
  auto loops = s.getLoops(ref);
  if (!accept("get_loops", loops))
    return false;
  allLoops = *loops;
  auto c = contraction();
  if (!c)
    return false;
  intrin::Mapping now{plan.mapping.lhs, axes};
  int row = axes[kM].empty() ? rowIterator(block(), *c, now)
                             : static_cast<int>(axes[kM].front());
  sched::LoopRefs outer, reduce, inside;
  Loop rowLoop, loopN, loopK;
  for (unsigned i = 0; i < block().getNumIterators(); ++i) {
    Loop loop = handleOf(i);
    if (!loop)
      return false;
    if (static_cast<int>(i) == row)
      rowLoop = loop;
    else if (llvm::is_contained(axes[kN], i))
      loopN = loop;
    else if (llvm::is_contained(axes[kK], i))
      loopK = loop;
    else if (block().getIteratorKind(i) == nest::IteratorKind::Reduce)
      reduce.push_back(*loop);
    else
      outer.push_back(*loop);
  }
  if (!loopN || (!loopK && reduce.empty()))
    return false;
  std::optional<int64_t> rowCount =
      row < 0 ? std::optional<int64_t>(1) : block().getConstantExtent(row);
  // Instances, side by side, and their own loops.
  sched::Param nr = s.knob("rows", plan.rows,
                           {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 20,
                            24, 28, 30}),
               nc = s.knob("columns", plan.columns, {1, 2, 3, 4, 5, 6});
  int64_t stepsM = axes[kM].empty() ? 1 : plan.steps[kM];
  auto n = s.split(*loopN, {-1, nc, plan.steps[kN]});
  if (!accept("split", n))
    return false;
  columnTiles = (*n)[0];
  columns = (*n)[1];
  if (rowLoop && stepsM > 1) {
    // Instances are whole; the last rows of them may be fewer.
    auto m = s.split(*rowLoop, {-1, stepsM});
    if (!accept("split", m))
      return false;
    inside.push_back((*m)[1]);
    rowTiles = (*m)[0];
    rowsRemain =
        plan.rows > 1 && (!rowCount || (*rowCount / stepsM) % plan.rows != 0);
    if (plan.rows > 1) {
      auto r = s.split(*rowTiles, {-1, nr});
      if (!accept("split", r))
        return false;
      rowTiles = (*r)[0];
      rows = (*r)[1];
    }
  } else if (rowLoop && plan.rows > 1) {
    auto m = s.split(*rowLoop, {-1, nr});
    if (!accept("split", m))
      return false;
    rowTiles = (*m)[0];
    rows = (*m)[1];
    rowsRemain = !rowCount || *rowCount % plan.rows != 0;
  } else {
    rowTiles = rowLoop;
  }
  inside.push_back((*n)[2]);
  if (loopK) {
    auto k = s.split(*loopK, {-1, plan.steps[kK]});
    if (!accept("split", k))
      return false;
    reduce.push_back((*k)[0]);
    inside.push_back((*k)[1]);
  }
  // The panel of rhs serves all rows, unless all of rhs stays in the cache.
  memref::LoadOp rhs = c->factors[plan.mapping.factorOf(kRhs)].load;
  auto type = cast<MemRefType>(rhs.getMemRef().getType());
  double bytes = type.getElementTypeBitWidth() / 8.0;
  for (int64_t dim : type.getShape())
    bytes *= static_cast<double>(ShapedType::isDynamic(dim) ? 256 : dim);
  bool rowsOutermost = bytes <= static_cast<double>(context.target.l2Bytes) / 2;
  sched::LoopRefs order(outer);
  if (rowsOutermost) {
    if (rowTiles)
      order.push_back(*rowTiles);
    order.push_back(*columnTiles);
  } else {
    // Batches of rhs stay in front: each has panels of its own.
    auto at = order.begin();
    if (c) {
      ArrayRef<AffineExpr> indices =
          c->factors[plan.mapping.factorOf(kRhs)].indices;
      for (unsigned i = 0; i < block().getNumIterators() && at != order.end();
           ++i)
        if (Loop loop = handleOf(i);
            loop && loop->id == at->id && isMovedBy(indices, i))
          ++at;
    }
    order.insert(at, *columnTiles);
    if (rowTiles)
      order.push_back(*rowTiles);
  }
  tileLoop = order.back();
  aroundTile = order.size();
  firstReduce = reduce.front();
  order.append(reduce.begin(), reduce.end());
  if (rows)
    order.push_back(*rows);
  order.push_back(*columns);
  order.append(inside.begin(), inside.end());
  instance = inside.front();
  return accept("reorder", s.reorder(order));
}

/// Lanes for what runs on tiles in memory: their rows stay a loop.
void TensorSteps::vectorizeRows(sched::BlockRef ref, int64_t lanes) {
  auto loops = s.getLoops(ref);
  if (!accept("get_loops", loops) || loops->size() <= aroundTile)
    return;
  sched::LoopRef last = loops->back();
  std::optional<int64_t> count = s.get(last).getConstantTripCount();
  if (!count)
    return;
  if (*count > lanes) {
    auto parts = s.split(last, {-1, lanes});
    if (!accept("split", parts))
      return;
    last = parts->back();
  }
  accept("vectorize", s.vectorize(last));
}

bool TensorSteps::finish() {
  int64_t lanes = std::max<int64_t>(
      1, std::min<int64_t>(context.target.lanes(32),
                           record.accIsVector() ? plan.steps[kN] : 16));
  bool fused = epilogue && accept("reverse_compute_at",
                                  s.reverseComputeAt(*epilogue, *tileLoop));
  if (!fused)
    return false;
  if (!viaCopy &&
      !accept("set_scope",
              s.setScope(ref, 0, record.accIsVector() ? "register" : "tile")))
    return false;
  auto decomposed = s.decomposeReduction(ref, *firstReduce);
  if (!accept("decompose_reduction", decomposed))
    return false;
  init = *decomposed;
  context.done.insert(block().getName());
  context.done.insert(s.get(*init).getName());
  context.done.insert(s.get(*epilogue).getName());
  if (rows && s.get(*rows).getConstantTripCount())
    accept("unroll", s.unroll(*rows));
  accept("unroll", s.unroll(*columns));
  for (sched::BlockRef other : {*init, *epilogue})
    if (record.accIsVector())
      finishTile(context, s, other, aroundTile, lanes);
    else
      vectorizeRows(other, lanes);
  accept("compact_buffers", s.compactBuffers());
  auto outer = s.blockize(*instance);
  if (!accept("blockize", outer))
    return false;
  context.done.insert(s.get(*outer).getName());
  if (!accept("tensorize", s.tensorize(*outer, record.name)))
    return false;
  if (rowsRemain) {
    llvm::StringSet<llvm::MallocAllocator> before;
    for (nest::BlockOp any : blocksIn(s.getFunc()))
      before.insert(any.getName());
    accept("separate_full_partial", s.separateFullPartial(*rowTiles));
    for (nest::BlockOp any : blocksIn(s.getFunc()))
      if (!before.contains(any.getName()))
        context.done.insert(any.getName());
    if (nest::ForOp row = s.get(*rows);
        row && row.getKind() == nest::LoopKind::Serial &&
        row.getConstantTripCount())
      accept("unroll", s.unroll(*rows));
  }
  return true;
}

bool TensorSteps::run() {
  if (plan.ways > 1)
    s.knob("mapping", plan.number,
           llvm::to_vector(llvm::seq<int64_t>(0, plan.ways)));
  return reindexOperands() && fuseIterators() && pad() && packRhs() &&
         findEpilogue() && layOutSums() && tile() && finish();
}

bool rules::applyTensorPlan(RuleContext &context, sched::Schedule &on,
                            sched::BlockRef ref, TensorPlan plan) {
  auto done = context.done;
  for (bool ownCopy : {false, true}) {
    plan.ownCopy = ownCopy;
    context.done = done;
    if (!TensorSteps(context, *on.fork(), ref, plan).run())
      continue;
    context.done = done;
    return TensorSteps(context, on, ref, plan).run();
  }
  context.done = done;
  return false;
}
