//===- RowBlocks.cpp - Two products joined by rows ------------------------===//
//
// A product whose left operand is made, row by row, from the rows of another
// product: attention.
//
//   S = Q K^T; T = f(S); M = max T; P = exp(T - M); L = sum P; O = P V; Y = O/L
//   ==>
//   for b, io (parallel outermost)         a block of rows
//     S, T by register tiles               rows of T and P stay in L2
//     M, P, L row by row
//     O, Y by register tiles
//
// As many rows share one visit of K and V as leave their T and P in L2.
// Operands that lanes cannot run through are packed into panels first.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

using nest::IteratorKind;

namespace {
/// A sum of products over one reduce iterator.
struct Product {
  std::string name;
  unsigned row, vector, reduce;
  SmallVector<unsigned> lead;
  int64_t operand = 0; // the one that lanes run through, among those read
  bool packs = false;  // lanes cannot run through it as it is
  AffineMap panels;
};

struct Chain {
  Product first, last;
  SmallVector<std::string> between, after;
  int64_t rows = 0, length = 0;
};

struct Tile {
  int64_t rows, vectors, lanes;
  bool restRows = true; // some tile may have fewer
};
} // namespace

static bool isPlain(const Access &access) {
  return llvm::all_of(access.indices, [](AffineExpr index) {
    return index && isa<AffineDimExpr, AffineConstantExpr>(index);
  });
}

static bool uses(const Access &access, unsigned iterator) {
  return llvm::any_of(access.indices, [&](AffineExpr index) {
    return index && index.isFunctionOfDim(iterator);
  });
}

/// Reads a block as a product with rows from `rowsOf`, when that is given, or
/// from the operand that is not the vector one.
static std::optional<Product> readProduct(nest::BlockOp block, Value rowsOf) {
  std::optional<Reducer> reducer = reducerOf(block);
  if (!reducer || !block.getInitBlock())
    return std::nullopt;
  Product product;
  product.name = block.getName().str();
  SmallVector<unsigned> reduce;
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    if (!loopOf(block, i) || block.getIteratorKind(i) == IteratorKind::Ordered)
      return std::nullopt;
    if (block.getIteratorKind(i) == IteratorKind::Reduce)
      reduce.push_back(i);
  }
  if (reduce.size() != 1)
    return std::nullopt;
  product.reduce = reduce.front();
  Value output = reducer->store.getMemRef();
  SmallVector<Access> reads;
  std::optional<Access> write;
  for (const Access &access : accessesOf(block)) {
    if (access.inInit)
      continue;
    if (access.conditional || !isPlain(access))
      return std::nullopt;
    if (access.isWrite)
      write = access;
    else if (access.buffer != output)
      reads.push_back(access);
  }
  if (!write || reads.size() != 2 || reads[0].buffer == reads[1].buffer)
    return std::nullopt;
  int vector = -1;
  for (AffineExpr index : write->indices)
    if (auto dim = dyn_cast<AffineDimExpr>(index))
      if (block.getConstantExtent(dim.getPosition()) != 1)
        vector = dim.getPosition();
  if (vector < 0 || !useOf(*write, vector).unitStride)
    return std::nullopt;
  product.vector = vector;
  bool second = uses(reads[1], vector);
  if (second == uses(reads[0], vector))
    return std::nullopt;
  const Access &panel = reads[second], &left = reads[!second];
  if (rowsOf && left.buffer != rowsOf)
    return std::nullopt;
  SmallVector<Value> buffers = readBuffers(block);
  product.operand = llvm::find(buffers, panel.buffer) - buffers.begin();
  product.packs = !useOf(panel, vector).unitStride;
  int row = -1;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (i != product.vector && i != product.reduce && !uses(panel, i) &&
        uses(left, i) && block.getConstantExtent(i) != 1)
      row = i;
  if (row < 0 || !uses(left, product.reduce) || !uses(panel, product.reduce))
    return std::nullopt;
  product.row = row;
  for (unsigned i = 0; i < block.getNumIterators(); ++i)
    if (i != product.vector && i != product.reduce && i != product.row)
      product.lead.push_back(i);
  return product;
}

/// (.., v, ..) -> (others in front, v floordiv panel, reduce, v mod panel).
static AffineMap panelsOf(nest::BlockOp block, const Product &product,
                          int64_t panel) {
  Value buffer = readBuffers(block)[product.operand];
  SmallVector<AffineExpr> front;
  AffineExpr vector, reduce;
  for (const Access &access : accessesOf(block)) {
    if (access.buffer != buffer || access.isWrite)
      continue;
    MLIRContext *context = block.getContext();
    for (auto [d, index] : llvm::enumerate(access.indices)) {
      AffineExpr dim = getAffineDimExpr(d, context);
      if (index == getAffineDimExpr(product.vector, context))
        vector = dim;
      else if (index == getAffineDimExpr(product.reduce, context))
        reduce = dim;
      else
        front.push_back(dim);
    }
    unsigned rank = access.indices.size();
    front.append({vector.floorDiv(panel), reduce, vector % panel});
    return AffineMap::get(rank, 0, front, context);
  }
  return {};
}

static std::optional<Chain> findChain(RuleContext &context) {
  nest::FuncOp func = context.schedule.getFunc();
  SmallVector<nest::BlockOp> blocks = blocksIn(func);
  Chain chain;
  int first = -1, last = -1;
  for (auto [i, block] : llvm::enumerate(blocks)) {
    if (context.done.contains(block.getName()))
      return std::nullopt;
    std::optional<Product> product = readProduct(block, Value());
    if (!product)
      continue;
    (first < 0 ? chain.first : chain.last) = *product;
    if (last >= 0)
      return std::nullopt;
    (first < 0 ? first : last) = i;
  }
  if (first != 0 || last < 0)
    return std::nullopt;
  // The rows of the last product are made here, along what it sums over.
  nest::BlockOp sum = blocks[last], scores = blocks[first];
  Value made;
  for (Value buffer : readBuffers(sum))
    if (buffer.getDefiningOp<nest::AllocOp>() &&
        buffer != reducerOf(sum)->store.getMemRef())
      made = made ? Value() : buffer;
  if (!made || !readProduct(sum, made))
    return std::nullopt;
  for (nest::BlockOp block :
       ArrayRef(blocks).slice(first + 1, last - first - 1))
    chain.between.push_back(block.getName().str());
  for (nest::BlockOp block : ArrayRef(blocks).drop_front(last + 1))
    chain.after.push_back(block.getName().str());
  // What else comes after the last product would see its rows too early.
  if (chain.between.empty() || chain.after.size() > 1)
    return std::nullopt;
  // Where sizes show at run time only, a block's rests are most of a short run.
  std::optional<int64_t> rows = sum.getConstantExtent(chain.last.row),
                         length = scores.getConstantExtent(chain.first.vector);
  if (!rows || !length)
    return std::nullopt;
  chain.rows = *rows;
  chain.length = *length;
  return chain;
}

/// The innermost loop that moves an iterator by one.
static std::optional<sched::LoopRef>
loopFor(sched::Schedule &s, sched::BlockRef ref, unsigned iterator) {
  auto loops = s.getLoops(ref);
  if (!loops)
    return std::nullopt;
  nest::BlockOp block = s.get(ref);
  AffineSpace space(s.getFunc());
  BlockForm form = BlockForm::of(block, space);
  std::optional<sched::LoopRef> found;
  for (sched::LoopRef loop : *loops) {
    AffineExpr variable = space.of(s.get(loop).getInductionVar());
    if (Linear::of(form.bindings[iterator]).coefficientOf(variable) == 1)
      found = loop;
  }
  return found;
}

/// What stands in front of a tile, or finishes it, as whole vectors.
static bool spread(RuleContext &context, sched::Schedule &s,
                   sched::BlockRef ref, unsigned outside, int64_t lanes) {
  auto loops = s.getLoops(ref);
  if (!context.accept("get_loops", loops) || loops->size() <= outside)
    return false;
  for (sched::LoopRef loop :
       ArrayRef(*loops).slice(outside, loops->size() - outside - 1)) {
    nest::ForOp op = s.get(loop);
    if (op.getConstantTripCount() && !context.accept("unroll", s.unroll(loop)))
      return false;
  }
  sched::LoopRef inner = loops->back();
  std::optional<int64_t> count = s.get(inner).getConstantTripCount();
  if (!count || *count <= lanes)
    return context.accept("vectorize", s.vectorize(inner));
  auto parts = s.split(inner, {-1, lanes});
  return context.accept("split", parts) &&
         context.accept("unroll", s.unroll((*parts)[0])) &&
         context.accept("vectorize", s.vectorize((*parts)[1]));
}

/// Register tiles of a product whose loops are inside of `outside` others, with
/// what follows element by element.
static bool tileProduct(RuleContext &context, sched::Schedule &s,
                        const Product &product, const Tile &tile,
                        sched::Param mr, sched::Param nv, sched::Param vl,
                        std::optional<sched::BlockRef> finish,
                        SmallVectorImpl<sched::LoopRef> &rests) {
  auto ref = s.getBlock(product.name);
  if (!context.accept("get_block", ref))
    return false;
  bool owns = finish.has_value();
  if (!finish) {
    auto copy = s.cacheWrite(*ref, 0, "register");
    if (!context.accept("cache_write", copy))
      return false;
    finish = *copy;
  }
  auto row = loopFor(s, *ref, product.row),
       sum = loopFor(s, *ref, product.reduce),
       vector = loopFor(s, *ref, product.vector);
  if (!row || !sum || !vector)
    return false;
  auto rows = s.split(*row, {-1, mr});
  auto v =
      context.accept("split", rows) ? s.split(*vector, {-1, nv, vl}) : rows;
  if (!context.accept("split", v) ||
      !context.accept("reorder", s.reorder({(*v)[0], (*rows)[0], *sum,
                                            (*rows)[1], (*v)[1], (*v)[2]})) ||
      !context.accept("reverse_compute_at",
                      s.reverseComputeAt(*finish, (*rows)[0])))
    return false;
  if (owns && !context.accept("set_scope", s.setScope(*ref, 0, "register")))
    return false;
  auto init = s.decomposeReduction(*ref, *sum);
  auto loops = s.getLoops(*ref);
  if (!context.accept("decompose_reduction", init) ||
      !context.accept("get_loops", loops))
    return false;
  unsigned outside = 0;
  for (auto [i, loop] : llvm::enumerate(*loops))
    if (s.get(loop) == s.get((*rows)[0]))
      outside = i + 1;
  context.accept("unroll", s.unroll((*rows)[1]));
  context.accept("unroll", s.unroll((*v)[1]));
  if (!context.accept("vectorize", s.vectorize((*v)[2])) ||
      !spread(context, s, *init, outside, tile.lanes) ||
      !spread(context, s, *finish, outside, tile.lanes))
    return false;
  for (sched::BlockRef block : {*ref, *init, *finish})
    context.done.insert(s.get(block).getName());
  // Rests get code of their own, so that full tiles test nothing.
  std::optional<int64_t> columns =
      s.get(*ref).getConstantExtent(product.vector);
  if (tile.restRows)
    rests.push_back((*rows)[0]);
  if (!columns || *columns % (tile.vectors * tile.lanes) != 0)
    rests.push_back((*v)[0]);
  return true;
}

static bool schedule(RuleContext &context, sched::Schedule &s,
                     const Chain &chain, const Tile &tile, int64_t rows) {
  sched::Param mr = s.knob("rows", tile.rows, {1, 2, 4, 6, 8, 12, 14});
  sched::Param nv = s.knob("vectors", tile.vectors, {1, 2, 3, 4, 6, 8});
  sched::Param vl = s.knob("lanes", tile.lanes, {2, 4, 8, 16});
  SmallVector<int64_t> domain{rows};
  for (int64_t size = 1; size <= 1024; size *= 2)
    if (size != rows)
      domain.push_back(size);
  sched::Param block = s.knob("row_block", rows, domain);
  llvm::StringSet<llvm::MallocAllocator> copies;
  for (const Product *product : {&chain.first, &chain.last}) {
    auto ref = s.getBlock(product->name);
    if (!context.accept("get_block", ref))
      return false;
    if (!product->packs)
      continue;
    auto copy = s.cacheRead(*ref, product->operand, "shared");
    AffineMap map = panelsOf(s.get(*ref), *product, tile.vectors * tile.lanes);
    if (!context.accept("cache_read", copy) ||
        !context.accept("transform_layout",
                        s.transformLayout(*ref, sched::BufferRole::Read,
                                          product->operand, map)))
      return false;
    // The copy stays where it is, in front of all, and runs in the order of its
    // panels: then lanes of both sides are loops of their own.
    copies.insert(s.get(*copy).getName());
    context.accept("transform_block_layout",
                   s.transformBlockLayout(*copy, map));
  }
  auto last = s.getBlock(chain.last.name);
  if (!context.accept("get_block", last))
    return false;
  sched::LoopRefs order;
  for (unsigned i : chain.last.lead)
    if (auto loop = loopFor(s, *last, i))
      order.push_back(*loop);
  auto row = loopFor(s, *last, chain.last.row);
  if (!row)
    return false;
  auto parts = s.split(*row, {-1, block});
  if (!context.accept("split", parts))
    return false;
  order.push_back((*parts)[0]);
  order.push_back((*parts)[1]);
  sched::LoopRef outer = (*parts)[0];
  if (!context.accept("reorder", s.reorder(order)))
    return false;
  // What is made of a product element by element finishes its tiles.
  SmallVector<sched::LoopRef> rests;
  auto finishOf =
      [&](const Product &product,
          ArrayRef<std::string> candidates) -> std::optional<sched::BlockRef> {
    auto ref = s.getBlock(product.name);
    Value output = writtenBuffers(s.get(*ref)).front();
    if (candidates.empty() || !output.getDefiningOp<nest::AllocOp>())
      return std::nullopt;
    SmallVector<nest::BlockOp> readers;
    for (nest::BlockOp reader : readersOf(output, s.getFunc()))
      if (reader != s.get(*ref))
        readers.push_back(reader);
    if (readers.size() != 1 || kindOf(readers[0]) != BlockKind::Complete ||
        readers[0].getName() != candidates.front())
      return std::nullopt;
    auto reader = s.getBlock(candidates.front());
    return reader ? std::optional<sched::BlockRef>(*reader) : std::nullopt;
  };
  // The last product first: what finishes its tiles then stands in them, and
  // all that is needed there comes in front of them.
  if (!tileProduct(context, s, chain.last, tile, mr, nv, vl,
                   finishOf(chain.last, chain.after), rests))
    return false;
  SmallVector<std::string> producers{chain.first.name};
  llvm::append_range(producers, chain.between);
  for (const std::string &name : llvm::reverse(producers)) {
    auto ref = s.getBlock(name);
    if (!context.accept("get_block", ref) ||
        !context.accept("compute_at", s.computeAt(*ref, outer)))
      return false;
  }
  if (!tileProduct(context, s, chain.first, tile, mr, nv, vl,
                   finishOf(chain.first, chain.between), rests))
    return false;
  // Row by row in between; buffers are compacted once that is done.
  for (const std::string &name : chain.between)
    if (!context.done.contains(name))
      vectorizeAlone(context, s, name);
  for (nest::BlockOp any : blocksIn(s.getFunc()))
    if (!copies.contains(any.getName()))
      context.done.insert(any.getName());
  context.accept("compact_buffers", s.compactBuffers());
  llvm::StringSet<llvm::MallocAllocator> before;
  for (nest::BlockOp any : blocksIn(s.getFunc()))
    before.insert(any.getName());
  for (sched::LoopRef rest : rests)
    context.accept("separate_full_partial", s.separateFullPartial(rest));
  for (nest::BlockOp any : blocksIn(s.getFunc()))
    if (!before.contains(any.getName()))
      context.done.insert(any.getName());
  return true;
}

/// How many rows a block has, and which tiles of them: best blocks of equal
/// size made of whole tiles, then one block for all, then whole tiles and a
/// rest.
static int64_t chooseRows(int64_t all, int64_t most, const Target &target,
                          Tile &tile) {
  bool many = target.vectorRegisters >= 32;
  SmallVector<int64_t> sizes =
      many ? SmallVector<int64_t>{12, 14, 8} : SmallVector<int64_t>{6, 4};
  for (int64_t size : sizes)
    for (int64_t rows = most / size * size; rows >= std::max(size, most / 2);
         rows -= size)
      if (all % rows == 0) {
        tile.rows = size;
        return rows;
      }
  tile.rows = sizes.front();
  for (int64_t size : sizes)
    if (all % size == 0) {
      tile.rows = size;
      break;
    }
  if (all <= most)
    return all;
  return std::max<int64_t>(1, most / tile.rows) * tile.rows;
}

void rules::rowBlocks(RuleContext &context) {
  std::optional<Chain> chain = findChain(context);
  if (!chain)
    return;
  const Target &target = context.target;
  Tile tile;
  tile.lanes = std::max<int64_t>(1, target.lanes(32));
  tile.vectors = 2;
  // Two rows of `length` for each row of the block stay in L2.
  auto most = static_cast<int64_t>(target.l2Bytes) / 2 / (8 * chain->length);
  int64_t rows = chooseRows(chain->rows, most, target, tile);
  tile.restRows = chain->rows % rows || rows % tile.rows;
  auto before = context.done;
  bool done = context.attempt([&](sched::Schedule &s) {
    context.done = before; // tried on a copy first
    return schedule(context, s, *chain, tile, rows);
  });
  if (!done)
    context.done = before;
}
