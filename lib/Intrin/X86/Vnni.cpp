//===- Vnni.cpp - vpdpbusd and vpdpwssd -----------------------------------===//
//
// Four products of u8 and s8, or two of s16, added to a lane without
// saturation. The unsigned side of vpdpbusd is the broadcast one: activations.
// What is s8 on both sides either moves its zero point by 128 or is widened to
// s16 in registers (the records *_s8s8, at half the rate, in the layout of
// vpdpbusd).
//
//===----------------------------------------------------------------------===//
#include "../Families.h"
#include "../Registers.h"
#include "Widen.h"

#include "nestor/Dialect/Device/Device.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

template <device::DotKind Kind>
static Value computeDot(const Record &, OpBuilder &builder, Location loc,
                        Value lhs, Value rhs, Value acc) {
  return device::DotOp::create(builder, loc, acc.getType(), Kind, acc, lhs,
                               rhs);
}

template <device::DotKind Kind>
static constexpr Emitter dotEmitter = {registerValueType, registerZero,
                                       registerLoad, computeDot<Kind>,
                                       registerStore};

static constexpr Emitter widenEmitter = {
    registerValueType, registerZero, registerLoad,
    computeWidened<device::DotKind::Vpdpwssd>, registerStore};

void intrin::addVnni(Records &records) {
  for (unsigned bits : {512u, 256u}) {
    std::string suffix = bits == 512 ? ".512" : ".256";
    std::string features =
        bits == 512 ? "avx512vnni,avx512bw" : "avx512vnni,avx512vl|avxvnni";
    // 256-bit forms run in the 16 registers that avxvnni has.
    unsigned registers = bits == 512 ? 32 : 16;

    Record bytes = registerRecord("x86.vpdpbusd" + suffix, bits, 4, Element::U8,
                                  Element::S8, Element::S32);
    bytes.features = features;
    bytes.mnemonic = "vpdpbusd";
    bytes.macroTiles = registerTiles(registers, 1, 1, 1);
    bytes.cost = {&Rates::int8Dot, 1, 5};
    bytes.emitter = &dotEmitter<device::DotKind::Vpdpbusd>;
    records.push_back(bytes);

    Record words = registerRecord("x86.vpdpwssd" + suffix, bits, 2,
                                  Element::S16, Element::S16, Element::S32);
    words.features = features;
    words.mnemonic = "vpdpwssd";
    words.macroTiles = bytes.macroTiles;
    words.cost = {&Rates::int8Dot, 0.5, 5};
    words.emitter = &dotEmitter<device::DotKind::Vpdpwssd>;
    records.push_back(words);

    for (auto [name, lhs, rhs] : kWidenedForms) {
      // u8 with s8 has an instruction of its own.
      if (lhs == Element::U8 && rhs == Element::S8)
        continue;
      Record record = registerRecord(("x86.vpdpwssd_" + name + suffix).str(),
                                     bits, 4, lhs, rhs, Element::S32);
      record.features = features;
      record.mnemonic = "vpdpwssd";
      record.macroTiles = registerTiles(registers, 2, 2, 3);
      record.cost = {&Rates::int8Dot, 0.45, 5};
      record.emitter = &widenEmitter;
      records.push_back(record);
    }
  }
}
