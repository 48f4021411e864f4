//===- Bf16.cpp - bf16: vdpbf16ps, and widened to f32 ---------------------===//
//
// vdpbf16ps takes two k a lane and flushes denormals; on some CPUs it has half
// of the rate of an f32 FMA, on others twice it: the target's rate decides.
// Widening is exact and works everywhere: a word of two bf16 is two f32, the
// even element shifted up, the odd one with the lower half cleared, so it reads
// the same layout.
//
//===----------------------------------------------------------------------===//
#include "../Families.h"
#include "../Registers.h"

#include "nestor/Dialect/Device/Device.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

static Value computeDot(const Record &, OpBuilder &builder, Location loc,
                        Value lhs, Value rhs, Value acc) {
  return device::DotOp::create(builder, loc, acc.getType(),
                               device::DotKind::Vdpbf16ps, acc, lhs, rhs);
}

/// Operands stay words of two elements: nothing else knows bf16 vectors without
/// AVX512-BF16.
static Type wordsType(const Record &record, unsigned operand,
                      ArrayRef<int64_t> extents, MLIRContext *context) {
  if (operand == kAcc)
    return registerValueType(record, operand, extents, context);
  return VectorType::get({record.axes[kN].extent},
                         IntegerType::get(context, 32));
}

/// The even or odd elements of words, as f32.
static Value halfOf(OpBuilder &builder, Location loc, Value words, Type type,
                    bool odd) {
  auto wordType = cast<VectorType>(words.getType());
  Value number = arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(wordType, builder.getI32IntegerAttr(
                                           odd ? int32_t(0xffff0000u) : 16)));
  Value bits = odd ? Value(arith::AndIOp::create(builder, loc, words, number))
                   : Value(arith::ShLIOp::create(builder, loc, words, number));
  return vector::BitCastOp::create(builder, loc, type, bits);
}

static Value computeWidened(const Record &, OpBuilder &builder, Location loc,
                            Value lhs, Value rhs, Value acc) {
  for (bool odd : {false, true})
    acc = math::FmaOp::create(
        builder, loc, halfOf(builder, loc, lhs, acc.getType(), odd),
        halfOf(builder, loc, rhs, acc.getType(), odd), acc);
  return acc;
}

static constexpr Emitter dotEmitter = {registerValueType, registerZero,
                                       registerLoad, computeDot, registerStore};
static constexpr Emitter widenEmitter = {wordsType, registerZero, registerLoad,
                                         computeWidened, registerStore};

void intrin::addBf16(Records &records) {
  for (unsigned bits : {512u, 256u}) {
    std::string suffix = bits == 512 ? ".512" : ".256";
    unsigned registers = bits == 512 ? 32 : 16;
    Record dot = registerRecord("x86.vdpbf16ps" + suffix, bits, 2,
                                Element::BF16, Element::BF16, Element::F32);
    dot.features = bits == 512 ? "avx512bf16" : "avx512bf16,avx512vl";
    dot.mnemonic = "vdpbf16ps";
    dot.numerics = Numerics::Grouped;
    dot.macroTiles = registerTiles(registers, 1, 1, 1);
    dot.cost = {&Rates::bf16Dot, 1, 6};
    dot.emitter = &dotEmitter;
    records.push_back(dot);

    Record widened = registerRecord("x86.bf16_fma" + suffix, bits, 2,
                                    Element::BF16, Element::BF16, Element::F32);
    widened.features = bits == 512 ? "avx512f" : "avx2,fma";
    widened.mnemonic = "vfmadd";
    widened.numerics = Numerics::Fused;
    widened.macroTiles = registerTiles(registers, 2, 2, 3);
    // Two operations on rhs for every two k of all rows.
    widened.cost = {nullptr, 0.9, 4};
    widened.emitter = &widenEmitter;
    records.push_back(widened);
  }
}
