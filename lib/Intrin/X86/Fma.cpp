//===- Fma.cpp - Fused multiply-adds of f32, f64 and f16 ------------------===//
//
// One broadcast element of lhs times a vector of rhs, added to a vector: the
// register tiles of plain floats. f16 by AVX512-FP16.
//
//===----------------------------------------------------------------------===//
#include "../Families.h"
#include "../Registers.h"

#include "nestor/Dialect/Device/Device.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

static Value computeFma(const Record &, OpBuilder &builder, Location loc,
                        Value lhs, Value rhs, Value acc) {
  return math::FmaOp::create(builder, loc, lhs, rhs, acc);
}

static Value computeHalf(const Record &, OpBuilder &builder, Location loc,
                         Value lhs, Value rhs, Value acc) {
  return device::FmaOp::create(builder, loc, acc.getType(), lhs, rhs, acc);
}

static constexpr Emitter fmaEmitter = {registerValueType, registerZero,
                                       registerLoad, computeFma, registerStore};
static constexpr Emitter halfEmitter = {
    registerValueType, registerZero, registerLoad, computeHalf, registerStore};

void intrin::addFma(Records &records) {
  struct Form {
    llvm::StringLiteral name;
    Element element;
    unsigned bits;
    llvm::StringLiteral features, mnemonic;
    double factor;
  };
  static constexpr Form forms[] = {
      {"x86.fma.f32.512", Element::F32, 512, "avx512f", "vfmadd", 1},
      {"x86.fma.f32.256", Element::F32, 256, "fma", "vfmadd", 1},
      {"x86.fma.f64.512", Element::F64, 512, "avx512f", "vfmadd", 0.5},
      {"x86.fma.f64.256", Element::F64, 256, "fma", "vfmadd", 0.5},
      {"x86.fma.f16.512", Element::F16, 512, "avx512fp16", "vfmadd", 2},
      {"x86.fma.f16.256", Element::F16, 256, "avx512fp16", "vfmadd", 2},
  };
  for (const Form &form : forms) {
    Record record = registerRecord(form.name, form.bits, 1, form.element,
                                   form.element, form.element);
    record.features = form.features.str();
    record.mnemonic = form.mnemonic.str();
    record.numerics = Numerics::Fused;
    record.macroTiles = registerTiles(form.bits == 512 ? 32 : 16, 1, 1, 0);
    record.cost = {nullptr, form.factor, 4};
    record.emitter = form.element == Element::F16 ? &halfEmitter : &fmaEmitter;
    records.push_back(std::move(record));
  }
}
