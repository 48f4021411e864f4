//===- Roles.cpp - The parts that iterators of a reduction play -----------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "Roles.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::rules;
using namespace nestor::analysis;

/// Extents that sizes decide, as the cost model takes them.
static constexpr int64_t kUnknownRows = 240, kUnknownColumns = 1024,
                         kUnknownSteps = 256, kUnknownOuter = 4;

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

std::optional<Roles> rules::findRoles(nest::FuncOp func, nest::BlockOp block) {
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
  int broadcast = -1;
  for (auto [i, read] : llvm::enumerate(reads))
    if (static_cast<int>(i) != best)
      broadcast = broadcast < 0 ? static_cast<int>(i) : -2;
  if (broadcast >= 0) {
    roles.single = reads[broadcast];
    roles.singleIndex =
        llvm::find(buffers, reads[broadcast].buffer) - buffers.begin();
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

/// The conversions that a value goes through before it is computed with.
static int64_t conversionsOf(Operation *load) {
  int64_t count = 0;
  for (Operation *at = load; at->getNumResults() == 1 && at->hasOneUse();) {
    at = *at->getUsers().begin();
    if (!isa<arith::ExtSIOp, arith::ExtUIOp, arith::SIToFPOp, arith::UIToFPOp,
             arith::ExtFOp>(at))
      break;
    ++count;
  }
  return count;
}

/// How far each index moves with each iterator.
static Operand operandOf(const Access &access, unsigned iterators,
                         Operand::Kind kind) {
  Operand operand;
  operand.kind = kind;
  auto type = cast<MemRefType>(access.buffer.getType());
  Type element = type.getElementType();
  operand.elementBytes =
      element.isIndex()
          ? 8
          : std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
  operand.conversions = conversionsOf(access.op);
  MLIRContext *context = type.getContext();
  for (AffineExpr index : access.indices) {
    Linear form = Linear::of(index);
    auto &dims = operand.indices.emplace_back();
    for (unsigned i = 0; i < iterators; ++i)
      dims.push_back(form.coefficientOf(getAffineDimExpr(i, context)));
  }
  for (int64_t dim : type.getShape())
    operand.shape.push_back(ShapedType::isDynamic(dim) ? kUnknownRows : dim);
  return operand;
}

Reduction rules::reductionOf(nest::FuncOp func, nest::BlockOp block,
                             const Roles &roles, const Target &target) {
  Reduction r;
  r.vector = roles.vector;
  r.row = roles.row;
  r.reduce.assign(roles.reduce.begin(), roles.reduce.end());
  for (unsigned i : roles.outer)
    (useOf(roles.vectorOperand, i).used ? r.outer : r.shared).push_back(i);
  for (unsigned i = 0; i < block.getNumIterators(); ++i) {
    int64_t guess = i == roles.vector                 ? kUnknownColumns
                    : static_cast<int>(i) == r.row    ? kUnknownRows
                    : llvm::is_contained(r.reduce, i) ? kUnknownSteps
                                                      : kUnknownOuter;
    r.extents.push_back(block.getConstantExtent(i).value_or(guess));
  }
  Reducer reducer = *reducerOf(block);
  Value accumulator = reducer.store.getMemRef();
  for (const Access &access : accessesOf(block)) {
    if (access.inInit || (access.buffer == accumulator && !access.isWrite))
      continue;
    Operand::Kind kind = access.isWrite                        ? Operand::Output
                         : access.op == roles.vectorOperand.op ? Operand::Vector
                         : useOf(access, roles.vector).used
                             ? Operand::Vector
                             : Operand::Broadcast;
    Operand operand = operandOf(access, block.getNumIterators(), kind);
    if (access.op == roles.vectorOperand.op)
      operand.packed = roles.how != Roles::InPlace;
    r.operands.push_back(std::move(operand));
  }
  Type element = cast<MemRefType>(accumulator.getType()).getElementType();
  int64_t bits = std::max<int64_t>(
      8, element.isIndex() ? 64 : element.getIntOrFloatBitWidth());
  r.lanes = std::max<int64_t>(1, target.lanes(std::max<int64_t>(32, bits)));
  // A product is one instruction with its sum, or lies in a register until it
  // is added, and the next one beside it.
  Operation *addend = reducer.addend.getDefiningOp();
  while (isa_and_nonnull<arith::ExtSIOp, arith::ExtUIOp, arith::SIToFPOp,
                         arith::UIToFPOp, arith::ExtFOp>(addend))
    addend = addend->getOperand(0).getDefiningOp();
  bool fused = isa<arith::AddFOp>(reducer.combine) &&
               isa_and_nonnull<arith::MulFOp>(addend);
  if (!fused && !isa_and_nonnull<memref::LoadOp>(addend))
    r.temporaries = 2;
  // f16 is converted by vector instructions, other numbers before they become
  // vectors.
  for (const Access &access : accessesOf(block))
    if (!access.inInit && !access.isWrite &&
        !useOf(access, roles.vector).used &&
        cast<MemRefType>(access.buffer.getType()).getElementType().isF16())
      r.temporaries = std::max<int64_t>(r.temporaries, 1);

  // Blocks need loops of known length that are the block's own.
  auto isKnown = [&](int axis) {
    return axis >= 0 && block.getConstantExtent(axis);
  };
  bool inOrder = block.getInitBlock() == nullptr;
  r.mayCutRows = isKnown(r.row) && !inOrder;
  r.mayCutColumns = isKnown(r.vector) && !inOrder;
  r.mayCutReduce = !r.reduce.empty() && isKnown(r.reduce.back()) && !inOrder &&
                   isKnown(r.row);
  r.mayCopyRows = roles.single && isPlain(*roles.single) && !inOrder &&
                  isKnown(r.row) &&
                  roles.single->buffer != roles.vectorOperand.buffer &&
                  useOf(*roles.single, r.reduce.back()).unitStride &&
                  useOf(*roles.single, r.row).used;
  r.mayCopyVector =
      roles.how == Roles::InPlace && isPlain(roles.vectorOperand) && !inOrder &&
      isKnown(r.row) && isKnown(r.vector) &&
      (!roles.single || roles.single->buffer != roles.vectorOperand.buffer);
  return r;
}

AffineMap rules::packingMap(nest::BlockOp block, const Roles &roles,
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
