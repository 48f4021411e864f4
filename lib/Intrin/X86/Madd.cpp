//===- Madd.cpp - vpmaddwd: exact products where VNNI is absent -----------===//
//
// Two products of s16 to a lane, then an addition. Bytes are widened in
// registers first, so every signedness is exact; vpmaddubsw, which takes bytes
// as they are, saturates and is never used.
//
//===----------------------------------------------------------------------===//
#include "../Families.h"
#include "../Registers.h"
#include "Widen.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

std::pair<Value, Value> intrin::splitBytes(OpBuilder &builder, Location loc,
                                           Value bytes, bool isSigned) {
  int64_t count = cast<VectorType>(bytes.getType()).getNumElements() / 2;
  auto type = VectorType::get({count}, builder.getI16Type());
  auto splat = [&](int16_t v) -> Value {
    return arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(type, builder.getI16IntegerAttr(v)));
  };
  Value pairs = vector::BitCastOp::create(builder, loc, type, bytes);
  Value eight = splat(8);
  if (!isSigned)
    return {arith::AndIOp::create(builder, loc, pairs, splat(0xff)),
            arith::ShRUIOp::create(builder, loc, pairs, eight)};
  Value high = arith::ShLIOp::create(builder, loc, pairs, eight);
  return {arith::ShRSIOp::create(builder, loc, high, eight),
          arith::ShRSIOp::create(builder, loc, pairs, eight)};
}

Value intrin::computeWidenedWith(device::DotKind kind, const Record &record,
                                 OpBuilder &builder, Location loc, Value lhs,
                                 Value rhs, Value acc) {
  auto [lhsEven, lhsOdd] =
      splitBytes(builder, loc, lhs, isSigned(record.lhs().element));
  auto [rhsEven, rhsOdd] =
      splitBytes(builder, loc, rhs, isSigned(record.rhs().element));
  acc = device::DotOp::create(builder, loc, acc.getType(), kind, acc, lhsEven,
                              rhsEven);
  return device::DotOp::create(builder, loc, acc.getType(), kind, acc, lhsOdd,
                               rhsOdd);
}

static Value computeWords(const Record &, OpBuilder &builder, Location loc,
                          Value lhs, Value rhs, Value acc) {
  return device::DotOp::create(builder, loc, acc.getType(),
                               device::DotKind::Vpmaddwd, acc, lhs, rhs);
}

static constexpr Emitter wordEmitter = {
    registerValueType, registerZero, registerLoad, computeWords, registerStore};
static constexpr Emitter widenEmitter = {
    registerValueType, registerZero, registerLoad,
    computeWidened<device::DotKind::Vpmaddwd>, registerStore};

void intrin::addMadd(Records &records) {
  for (unsigned bits : {512u, 256u}) {
    std::string suffix = bits == 512 ? ".512" : ".256";
    auto add = [&](Record record, const Emitter &emitter, double factor,
                   unsigned operandRegisters) {
      record.features = bits == 512 ? "avx512bw" : "avx2";
      record.mnemonic = "vpmaddwd";
      record.macroTiles =
          registerTiles(bits == 512 ? 32 : 16, operandRegisters,
                        operandRegisters, /*spare: products*/ 3);
      // A product and an addition for every two k: an FMA does one k.
      record.cost = {nullptr, factor, 6};
      record.emitter = &emitter;
      records.push_back(std::move(record));
    };
    add(registerRecord("x86.vpmaddwd" + suffix, bits, 2, Element::S16,
                       Element::S16, Element::S32),
        wordEmitter, 1.3, 1);
    for (auto [name, lhs, rhs] : kWidenedForms)
      add(registerRecord(("x86.vpmaddwd_" + name + suffix).str(), bits, 4, lhs,
                         rhs, Element::S32),
          widenEmitter, 1.15, 2);
  }
}
