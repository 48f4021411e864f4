//===- Tables.h - The tables of known targets -------------------*- C++ -*-===//
//
// Private to the room: what Features.cpp and Rates.cpp list and Target.cpp
// reads.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_TARGET_TABLES_H
#define NESTOR_LIB_TARGET_TABLES_H

#include "nestor/Target/Target.h"

namespace nestor {

/// One row of the target table.
struct KnownTarget {
  llvm::StringLiteral name;
  Arch arch;
  llvm::StringLiteral cpu;
  llvm::StringLiteral features;
  uint64_t l1Bytes;
  uint64_t l2Bytes;
  uint64_t l3Bytes;
};

llvm::ArrayRef<KnownTarget> knownTargets();

/// The features of x86-64-v2, -v3 or -v4, comma separated.
llvm::StringRef levelFeatures(unsigned level);

/// What is known without measuring, by the kind of machine and its features.
Rates shippedRates(const Target &target);

} // namespace nestor

#endif // NESTOR_LIB_TARGET_TABLES_H
