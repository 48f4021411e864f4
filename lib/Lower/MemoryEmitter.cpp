//===- MemoryEmitter.cpp - Loads and stores -------------------------------===//
//
// An access is one base pointer plus one addend a loop level plus a constant:
//   base + outer*s0 (hoisted) + inner*s1 + 64 bytes
// Over lanes it is a vector access when neighbouring lanes touch neighbouring
// elements, one scalar access and a broadcast when all touch the same, else a
// gather or scatter.
//
//===----------------------------------------------------------------------===//
#include "KernelEmitter.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

LinearIndex KernelEmitter::times(const LinearIndex &index,
                                 const LinearIndex &stride) {
  if (stride.isConstant())
    return index * stride.constant;
  // Distribute, so that each product can move to its own loop level.
  Value by = stride.materialize(builder, loc);
  auto multiply = [&](Value v, int depth) {
    Value product = arith::MulIOp::create(builder, loc, v, by);
    return LinearIndex::ofValue(product, std::max(depth, stride.getDepth()));
  };
  LinearIndex result = stride * index.constant;
  for (const LinearTerm &term : index.terms)
    result = result + multiply(term.value, term.depth) * term.coefficient;
  return result;
}

LinearIndex KernelEmitter::outerStride(const Buffer &buffer, int64_t d,
                                       const LinearIndex &stride) {
  LinearIndex outer = times(buffer.dims[d], stride);
  if (d > 0 && !buffer.padding.empty())
    outer = outer + LinearIndex::ofConstant(buffer.padding[d - 1]);
  return outer;
}

std::optional<LinearIndex> KernelEmitter::elementOffset(const Buffer &buffer,
                                                        ValueRange indices) {
  LinearIndex offset, stride = LinearIndex::ofConstant(1);
  for (int64_t d = static_cast<int64_t>(indices.size()) - 1; d >= 0; --d) {
    std::optional<LinearIndex> index = linear(indices[d]);
    if (!index || (!index->isUniform() && !stride.isConstant()))
      return std::nullopt;
    offset = offset + times(*index, stride);
    if (d > 0)
      stride = outerStride(buffer, d, stride);
  }
  return offset;
}

Value KernelEmitter::pointerTo(const Buffer &buffer,
                               const LinearIndex &offset) {
  Type element = elementStorage(buffer.type.getElementType());
  Value pointer = buffer.pointer;
  // Where addends only grow and every lane exists, each step stays inside of
  // the buffer. A padded access passes by its ends, and so do the first lane of
  // a masked one and a loop that starts below 0.
  bool inside = !mode.mask && offset.constant >= 0 &&
                llvm::all_of(offset.terms, [](const LinearTerm &term) {
                  return term.coefficient >= 0 && isNonNegative(term.value);
                });
  auto flags =
      inside ? LLVM::GEPNoWrapFlags::inbounds : LLVM::GEPNoWrapFlags::nusw;
  auto add = [&](LLVM::GEPArg by) {
    pointer = LLVM::GEPOp::create(builder, loc, pointerType, element, pointer,
                                  ArrayRef<LLVM::GEPArg>{by}, flags);
  };
  for (const LinearTerm &term : offset.terms) {
    LinearIndex one;
    one.terms.push_back(term);
    Value index = one.materialize(builder, loc);
    add(Value(
        arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index)));
  }
  if (offset.constant != 0) {
    if (offset.constant == static_cast<int32_t>(offset.constant))
      add(LLVM::GEPArg(static_cast<int32_t>(offset.constant)));
    else
      add(Value(
          arith::ConstantIntOp::create(builder, loc, offset.constant, 64)));
  }
  return pointer;
}

Value KernelEmitter::lanePointers(const Buffer &buffer, ValueRange indices) {
  Value offset;
  LinearIndex stride = LinearIndex::ofConstant(1);
  for (int64_t d = static_cast<int64_t>(indices.size()) - 1; d >= 0; --d) {
    Value index = vectorValue(indices[d]);
    if (!(stride.isConstant() && stride.constant == 1))
      index = arith::MulIOp::create(
          builder, loc, index, broadcast(stride.materialize(builder, loc)));
    offset = offset ? Value(arith::AddIOp::create(builder, loc, offset, index))
                    : index;
    if (d > 0)
      stride = outerStride(buffer, d, stride);
  }
  if (!offset)
    offset = broadcast(indexConstant(builder, loc, 0));
  Type i64 = builder.getI64Type();
  offset = arith::IndexCastOp::create(builder, loc, vectorOf(i64), offset);
  return LLVM::GEPOp::create(builder, loc, vectorOf(pointerType),
                             elementStorage(buffer.type.getElementType()),
                             buffer.pointer, ArrayRef<LLVM::GEPArg>{offset});
}

static int64_t byteWidth(Type element) {
  return element.isIndex()
             ? 8
             : std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}

/// 16-bit floats move as integers in vector code: without bf16 instructions
/// LLVM takes masked vectors of them apart through f32, by library calls.
static bool movesAsInteger(Type element, int64_t lanes) {
  return lanes > 0 && (element.isBF16() || element.isF16());
}

bool KernelEmitter::isInRegisters(const Buffer &buffer) {
  Operation *slot = buffer.pointer.getDefiningOp();
  return llvm::any_of(registers,
                      [&](auto &entry) { return entry.first == slot; });
}

/// Whether at least one lane of a mask is on wherever the code runs.
static bool someLaneIsKnown(Value mask) {
  DenseElementsAttr lanes;
  return matchPattern(mask, m_Constant(&lanes)) &&
         llvm::is_contained(lanes.getValues<bool>(), true);
}

LogicalResult KernelEmitter::emitLoad(memref::LoadOp op) {
  auto it = buffers.find(op.getMemRef());
  if (it == buffers.end())
    return op.emitError("loads from a buffer that is no argument and no "
                        "nest.alloc in scope");
  const Buffer &buffer = it->second;
  Type element = buffer.type.getElementType();
  Type storage = movesAsInteger(element, mode.lanes) ? builder.getI16Type()
                                                     : elementStorage(element);
  int64_t align = byteWidth(storage);
  std::optional<LinearIndex> offset = elementOffset(buffer, op.getIndices());
  Value loaded;
  if (offset && offset->isUniform() && !mode.mask) {
    loaded = LLVM::LoadOp::create(builder, loc, storage,
                                  pointerTo(buffer, *offset), align);
  } else if (offset && offset->isContiguous()) {
    Value pointer = pointerTo(buffer, *offset);
    if (!mode.mask) {
      loaded =
          LLVM::LoadOp::create(builder, loc, vectorOf(storage), pointer, align);
    } else {
      Value zero = LLVM::ZeroOp::create(builder, loc, vectorOf(storage));
      loaded = LLVM::MaskedLoadOp::create(builder, loc, vectorOf(storage),
                                          pointer, mode.mask, zero,
                                          builder.getI32IntegerAttr(align));
    }
  } else if (offset && offset->isUniform()) {
    // One address, but some lanes must not touch it. A branch would keep the
    // elements of a tile from being values: where no lane may, the load reads
    // the call instead, and nobody its result.
    Value pointer = pointerTo(buffer, *offset);
    if (!someLaneIsKnown(mode.mask)) {
      Value any = vector::ReductionOp::create(
          builder, loc, vector::CombiningKind::OR, mode.mask);
      pointer = arith::SelectOp::create(builder, loc, any, pointer, call);
    }
    loaded = LLVM::LoadOp::create(builder, loc, storage, pointer, align);
  } else if (offset && !offset->hasVectors() && !mode.mask &&
             isInRegisters(buffer)) {
    // A column of a tile: elements that stay known ones.
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < mode.lanes; ++lane) {
      LinearIndex at = *offset;
      at.lane = 0;
      at.constant += offset->lane * lane;
      elements.push_back(LLVM::LoadOp::create(builder, loc, storage,
                                              pointerTo(buffer, at), align));
    }
    loaded = vector::FromElementsOp::create(
        builder, loc, cast<VectorType>(vectorOf(storage)), elements);
  } else if (mode.lanes > 0) {
    Value mask = mode.mask;
    if (!mask)
      mask = arith::ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(
              VectorType::get({mode.lanes}, builder.getI1Type()), true));
    Value zero = LLVM::ZeroOp::create(builder, loc, vectorOf(storage));
    loaded = LLVM::masked_gather::create(
        builder, loc, vectorOf(storage), lanePointers(buffer, op.getIndices()),
        mask, ValueRange{zero}, builder.getI32IntegerAttr(align));
  } else {
    return op.emitError("has an index that cannot be lowered");
  }
  if (element.isInteger(1)) {
    Type type = isVector(loaded) ? vectorOf(element) : element;
    loaded = arith::TruncIOp::create(builder, loc, type, loaded);
  } else if (storage != element && movesAsInteger(element, mode.lanes)) {
    Type type = isVector(loaded) ? vectorOf(element) : element;
    loaded = arith::BitcastOp::create(builder, loc, type, loaded);
  }
  values[op.getResult()] = loaded;
  return success();
}

namespace {
/// How lanes combine under one operation, and what an idle lane contributes.
struct LaneCombiner {
  StringRef operation;
  vector::CombiningKind kind;
  enum { Zero, One, AllOnes, Lowest, Highest } identity;
  bool isUnsigned = false;
};
} // namespace

static const LaneCombiner kLaneCombiners[] = {
    {"arith.addf", vector::CombiningKind::ADD, LaneCombiner::Zero},
    {"arith.addi", vector::CombiningKind::ADD, LaneCombiner::Zero},
    {"arith.mulf", vector::CombiningKind::MUL, LaneCombiner::One},
    {"arith.muli", vector::CombiningKind::MUL, LaneCombiner::One},
    {"arith.maximumf", vector::CombiningKind::MAXIMUMF, LaneCombiner::Lowest},
    {"arith.minimumf", vector::CombiningKind::MINIMUMF, LaneCombiner::Highest},
    {"arith.maxnumf", vector::CombiningKind::MAXNUMF, LaneCombiner::Lowest},
    {"arith.minnumf", vector::CombiningKind::MINNUMF, LaneCombiner::Highest},
    {"arith.maxsi", vector::CombiningKind::MAXSI, LaneCombiner::Lowest},
    {"arith.minsi", vector::CombiningKind::MINSI, LaneCombiner::Highest},
    {"arith.maxui", vector::CombiningKind::MAXUI, LaneCombiner::Zero, true},
    {"arith.minui", vector::CombiningKind::MINUI, LaneCombiner::AllOnes, true},
    {"arith.andi", vector::CombiningKind::AND, LaneCombiner::AllOnes},
    {"arith.ori", vector::CombiningKind::OR, LaneCombiner::Zero},
    {"arith.xori", vector::CombiningKind::XOR, LaneCombiner::Zero},
};

static const LaneCombiner *findCombiner(Operation *combine) {
  StringRef name = combine->getName().getStringRef();
  for (const LaneCombiner &row : kLaneCombiners)
    if (row.operation == name)
      return &row;
  return nullptr;
}

/// The neutral element of a combiner in `type`.
static TypedAttr identityOf(const LaneCombiner &row, Type type, Builder &b) {
  if (auto floating = dyn_cast<FloatType>(type)) {
    const llvm::fltSemantics &semantics = floating.getFloatSemantics();
    switch (row.identity) {
    case LaneCombiner::One:
      return b.getFloatAttr(type, 1.0);
    case LaneCombiner::Lowest:
      return b.getFloatAttr(type, llvm::APFloat::getInf(semantics, true));
    case LaneCombiner::Highest:
      return b.getFloatAttr(type, llvm::APFloat::getInf(semantics, false));
    default:
      // -0.0: the only value that leaves every float, -0.0 included, alone.
      return b.getFloatAttr(type, llvm::APFloat::getZero(semantics, true));
    }
  }
  unsigned width = type.getIntOrFloatBitWidth();
  switch (row.identity) {
  case LaneCombiner::Zero:
    return b.getIntegerAttr(type, llvm::APInt::getZero(width));
  case LaneCombiner::One:
    return b.getIntegerAttr(type, llvm::APInt(width, 1));
  case LaneCombiner::AllOnes:
    return b.getIntegerAttr(type, llvm::APInt::getAllOnes(width));
  case LaneCombiner::Lowest:
    return b.getIntegerAttr(type, llvm::APInt::getSignedMinValue(width));
  case LaneCombiner::Highest:
    return b.getIntegerAttr(type, llvm::APInt::getSignedMaxValue(width));
  }
  return {};
}

bool nestor::lower::canCombineLanes(Operation *combine) {
  return findCombiner(combine) != nullptr;
}

bool KernelEmitter::emitLaneReduction(memref::StoreOp op) {
  std::optional<Accumulation> match = matchAccumulation(op);
  const LaneCombiner *row = match ? findCombiner(match->combine) : nullptr;
  if (!row)
    return false;
  Value addend = value(match->addend);
  if (!isVector(addend))
    return false;
  if (mode.mask) {
    Value idle = arith::ConstantOp::create(
        builder, loc, identityOf(*row, match->addend.getType(), builder));
    addend = arith::SelectOp::create(builder, loc, mode.mask, addend,
                                     broadcast(idle));
  }
  auto fast = arith::FastMathFlags::reassoc | arith::FastMathFlags::contract;
  if (!isa<FloatType>(match->addend.getType()))
    fast = arith::FastMathFlags::none;
  else if (row->kind == vector::CombiningKind::MAXIMUMF ||
           row->kind == vector::CombiningKind::MINIMUMF)
    fast = fast | arith::FastMathFlags::nsz;
  Value sum =
      vector::ReductionOp::create(builder, loc, row->kind, addend, fast);
  OperationState state(loc, match->combine->getName());
  state.addOperands({value(match->load.getResult()), sum});
  state.addTypes(sum.getType());
  values[op.getValueToStore()] = builder.create(state)->getResult(0);
  return true;
}

LogicalResult KernelEmitter::emitStore(memref::StoreOp op) {
  auto it = buffers.find(op.getMemRef());
  if (it == buffers.end())
    return op.emitError("stores into a buffer that is no argument and no "
                        "nest.alloc in scope");
  const Buffer &buffer = it->second;
  Type element = buffer.type.getElementType();
  Type storage = elementStorage(element);
  int64_t align = byteWidth(storage);
  std::optional<LinearIndex> offset = elementOffset(buffer, op.getIndices());
  bool uniform = offset && offset->isUniform();
  // One element for all lanes: their sum, or what the last lane stores.
  if (uniform && isVector(value(op.getValueToStore())) &&
      !emitLaneReduction(op))
    uniform = false;
  Value stored = value(op.getValueToStore());
  if (!uniform)
    stored = broadcast(stored);
  if (element.isInteger(1)) {
    Type type = isVector(stored) ? vectorOf(storage) : storage;
    stored = arith::ExtUIOp::create(builder, loc, type, stored);
  } else if (movesAsInteger(element, mode.lanes)) {
    Type type = builder.getI16Type();
    if (isVector(stored))
      type = vectorOf(type);
    stored = arith::BitcastOp::create(builder, loc, type, stored);
  }
  if (uniform) {
    Value pointer = pointerTo(buffer, *offset);
    if (!mode.mask) {
      LLVM::StoreOp::create(builder, loc, stored, pointer, align);
      return success();
    }
    Value any = vector::ReductionOp::create(
        builder, loc, vector::CombiningKind::OR, mode.mask);
    auto branch = scf::IfOp::create(builder, loc, any, false);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&branch.getThenRegion().front());
    LLVM::StoreOp::create(builder, loc, stored, pointer, align);
    return success();
  }
  if (offset && offset->isContiguous()) {
    Value pointer = pointerTo(buffer, *offset);
    if (mode.mask)
      LLVM::MaskedStoreOp::create(builder, loc, stored, pointer, mode.mask,
                                  builder.getI32IntegerAttr(align));
    else
      LLVM::StoreOp::create(builder, loc, stored, pointer, align);
    return success();
  }
  if (mode.lanes == 0)
    return op.emitError("has an index that cannot be lowered");
  Value mask = mode.mask;
  if (!mask)
    mask = arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(
            VectorType::get({mode.lanes}, builder.getI1Type()), true));
  LLVM::masked_scatter::create(builder, loc, stored,
                               lanePointers(buffer, op.getIndices()), mask,
                               builder.getI32IntegerAttr(align));
  return success();
}
