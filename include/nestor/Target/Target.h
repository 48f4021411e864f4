//===- Target.h - What a machine is, as data --------------------*- C++ -*-===//
//
// A Target says what code may use (features), what fits where (registers,
// caches) and how fast things go relative to each other (rates per cycle).
// Rules and cost models read it; nothing asks for a CPU model by name: `host`
// is made from CPUID features alone.
//
// Assumes: little-endian 64-bit Linux machines.
// Leaves true: `features` is sorted and closed under implication, and code for
// the target uses nothing outside it.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_TARGET_TARGET_H
#define NESTOR_TARGET_TARGET_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nestor {

enum class Arch { X86_64, AArch64 };

/// Rates per core cycle, so that they hold whatever the clock does. Named
/// targets have what is shipped for their kind of machine; `host` has what was
/// measured on it, where that is known (Calibration.h).
struct Rates {
  /// f32 fused multiply-adds, in lanes per cycle (16 = two 256-bit units).
  double fmaLanes = 16;
  /// Speed of a dot-product family relative to f32 FMA, in multiply-adds; 1
  /// where the operands are widened first, 0 where there are no tiles.
  double bf16Dot = 1;
  double int8Dot = 1;
  double bf16Tile = 0;
  double int8Tile = 0;
  /// Bytes read per cycle from each level, one core.
  double l1Bytes = 64;
  double l2Bytes = 32;
  double l3Bytes = 16;
  double memoryBytes = 6;
  /// Latency of an FMA, in cycles: how many independent ones hide it.
  double fmaLatency = 4;
  /// Cost of one parallel region, in cycles: what it takes longer than its
  /// work divided by the workers, who were awake.
  double forkCycles = 7000;
  /// Cycles in a nanosecond, for what must be told in time.
  double clockGHz = 3;

  bool operator==(const Rates &) const = default;
};

/// A machine that code is made for.
struct Target {
  /// As asked for: "host", "x86-64-v3+avxvnni".
  std::string name;
  Arch arch = Arch::X86_64;
  std::string triple;
  /// LLVM's CPU name: a feature level, used for the scheduling model.
  std::string cpu;
  /// Enabled features of the table, LLVM names, sorted.
  std::vector<std::string> features;
  /// Width of the widest vector register and how many there are.
  unsigned vectorBits = 128;
  unsigned vectorRegisters = 16;
  uint64_t l1Bytes = 32 << 10;
  uint64_t l2Bytes = 512 << 10;
  /// Last level, shared by the cores.
  uint64_t l3Bytes = 8 << 20;
  unsigned cores = 1;
  unsigned cacheLine = 64;
  Rates rates;
  /// Fingerprint of measured rates; empty for shipped ones.
  std::string calibration;

  /// Reads "NAME" or "NAME+feature…" ("-feature" removes one and what needs
  /// it). Fails with TargetMissing, listing the known names, or Usage for an
  /// unknown feature.
  static llvm::Expected<Target> parse(llvm::StringRef text);

  /// The machine this process runs on, with the rates of its calibration where
  /// there is one that fits.
  static Target host();

  /// Every name that parse() knows, `host` first.
  static std::vector<llvm::StringRef> knownNames();

  bool has(llvm::StringRef feature) const;
  bool isX86() const { return arch == Arch::X86_64; }

  /// Lanes of the widest vector for an element of `bits`.
  unsigned lanes(unsigned bits) const { return vectorBits / bits; }

  /// "+avx2,+fma,…" for LLVM's target-features.
  std::string llvmFeatures() const;
  /// "avx2,fma,…": what a loader must find (nst_model.features).
  std::string requiredFeatures() const;
  /// True when this process may run code made for the target.
  bool runsHere() const;
  /// The features that the code needs and this machine lacks, comma separated.
  std::string missingHere() const;

  /// "avx2", "avx512" or "amx" (x86), "neon" (Arm): the kind of machine.
  llvm::StringRef kind() const;
  /// One line for people and for nst_model.target.
  std::string describe() const;
};

/// One row of the feature table.
struct Feature {
  llvm::StringLiteral name;
  Arch arch;
  /// Comma-separated features that this one brings along.
  llvm::StringLiteral implies;
  /// Vector width and registers that it makes available (0: no change).
  unsigned vectorBits;
  unsigned vectorRegisters;
};

/// All features that Nestor's code may use.
llvm::ArrayRef<Feature> featureTable();

} // namespace nestor

#endif // NESTOR_TARGET_TARGET_H
