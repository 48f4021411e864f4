//===- Dot.cpp - sdot, udot, usdot and the matrix products ----------------===//
//
// sdot and its like are vpdpbusd with other signs on 128 bits. smmla and its
// like multiply 2 x 8 by 8 x 2 (bfmmla 2 x 4 by 4 x 2): each operand is two
// rows of 8 bytes, the accumulator four results row by row.
//
//===----------------------------------------------------------------------===//
#include "../Families.h"
#include "../Registers.h"

#include "nestor/Dialect/Device/Device.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;
using device::DotKind;

static constexpr unsigned kBits = 128;

template <DotKind Kind>
static Value computeDot(const Record &, OpBuilder &builder, Location loc,
                        Value lhs, Value rhs, Value acc) {
  return device::DotOp::create(builder, loc, acc.getType(), Kind, acc, lhs,
                               rhs);
}

template <DotKind Kind>
static constexpr Emitter lanesEmitter = {registerValueType, registerZero,
                                         registerLoad, computeDot<Kind>,
                                         registerStore};

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

static VectorType matrixType(const Record &record, unsigned operand,
                             MLIRContext *context) {
  Element element = record.operands[operand].element;
  return VectorType::get({kBits / bitsOf(element)}, typeOf(element, context));
}

static Type matrixValueType(const Record &record, unsigned operand,
                            ArrayRef<int64_t>, MLIRContext *context) {
  return matrixType(record, operand, context);
}

/// The address of row `row` (0 or 1), 8 bytes long.
static Value rowPointer(const Record &record, OpBuilder &builder, Location loc,
                        unsigned operand, const Window &window, int row) {
  if (row == 0)
    return window.base;
  Type element = typeOf(record.operands[operand].element, builder.getContext());
  return elementPointer(builder, loc, window.base, element, window.strides[0]);
}

static Value loadMatrix(const Record &record, OpBuilder &builder, Location loc,
                        unsigned operand, const Window &window) {
  unsigned align = bitsOf(record.operands[operand].element) / 8;
  auto pairs = VectorType::get({2}, builder.getI64Type());
  Value both = LLVM::PoisonOp::create(builder, loc, pairs);
  for (int row : {0, 1})
    both = vector::InsertOp::create(
        builder, loc,
        LLVM::LoadOp::create(
            builder, loc, builder.getI64Type(),
            rowPointer(record, builder, loc, operand, window, row), align),
        both, row);
  return vector::BitCastOp::create(
      builder, loc, matrixType(record, operand, builder.getContext()), both);
}

static void storeMatrix(const Record &record, OpBuilder &builder, Location loc,
                        Value acc, const Window &window) {
  unsigned align = bitsOf(record.acc().element) / 8;
  auto pairs = VectorType::get({2}, builder.getI64Type());
  Value both = vector::BitCastOp::create(builder, loc, pairs, acc);
  for (int row : {0, 1}) {
    Value half = vector::ExtractOp::create(builder, loc, both, row);
    LLVM::StoreOp::create(builder, loc, half,
                          rowPointer(record, builder, loc, kAcc, window, row),
                          align);
  }
}

template <DotKind Kind>
static constexpr Emitter matrixEmitter = {
    matrixValueType, registerZero, loadMatrix, computeDot<Kind>, storeMatrix};

static Record matrixRecord(StringRef name, Element lhs, Element rhs) {
  int64_t k = 64 / bitsOf(lhs);
  Record record;
  record.name = ("arm." + name).str();
  record.vectorBits = kBits;
  record.axes = {{"m", AxisKind::Spatial, 2, Tail::Pad},
                 {"n", AxisKind::Spatial, 2, Tail::Pad},
                 {"k", AxisKind::Reduce, k, Tail::Pad}};
  Element acc = isFloat(lhs) ? Element::F32 : Element::S32;
  record.operands = {
      {"lhs", lhs, Place::Register, {kM, kK}, "(m, n, k) -> (m, k)", {2, k}, 1},
      {"rhs", rhs, Place::Register, {kK, kN}, "(m, n, k) -> (n, k)", {2, k}, 1},
      {"acc",
       acc,
       Place::Register,
       {kM, kN},
       "(m, n, k) -> (m, n)",
       {2, 2},
       1}};
  return record;
}

void intrin::addArmDot(Records &records) {
  // Where there are matrix products, the target's rate is theirs.
  auto add = [&](Record record, StringRef name, StringRef features,
                 StringRef halvedBy, const Emitter &emitter) {
    record.arch = Arch::AArch64;
    record.features = features.str();
    record.mnemonic = name.str();
    record.macroTiles = registerTiles(32, 1, 1, 8);
    record.cost = {isFloat(record.lhs().element) ? &Rates::bf16Dot
                                                 : &Rates::int8Dot,
                   1, 4, halvedBy};
    if (isFloat(record.acc().element))
      record.numerics = Numerics::Grouped;
    record.emitter = &emitter;
    records.push_back(std::move(record));
  };
  auto lanes = [&](StringRef name, Element lhs, Element rhs, Element acc) {
    return registerRecord(("arm." + name).str(), kBits, 32 / bitsOf(lhs), lhs,
                          rhs, acc);
  };
  constexpr Element s8 = Element::S8, u8 = Element::U8, s32 = Element::S32,
                    bf16 = Element::BF16;
  add(matrixRecord("smmla", s8, s8), "smmla", "i8mm", "",
      matrixEmitter<DotKind::Smmla>);
  add(matrixRecord("ummla", u8, u8), "ummla", "i8mm", "",
      matrixEmitter<DotKind::Ummla>);
  add(matrixRecord("usmmla", u8, s8), "usmmla", "i8mm", "",
      matrixEmitter<DotKind::Usmmla>);
  add(matrixRecord("bfmmla", bf16, bf16), "bfmmla", "bf16", "",
      matrixEmitter<DotKind::Bfmmla>);
  add(lanes("sdot", s8, s8, s32), "sdot", "dotprod", "i8mm",
      lanesEmitter<DotKind::Sdot>);
  add(lanes("udot", u8, u8, s32), "udot", "dotprod", "i8mm",
      lanesEmitter<DotKind::Udot>);
  add(lanes("usdot", u8, s8, s32), "usdot", "i8mm", "i8mm",
      lanesEmitter<DotKind::Usdot>);
  add(lanes("bfdot", bf16, bf16, Element::F32), "bfdot", "bf16", "bf16",
      lanesEmitter<DotKind::Bfdot>);
}
