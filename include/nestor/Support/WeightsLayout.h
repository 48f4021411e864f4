//===- WeightsLayout.h - Where constants lie in an artefact -----*- C++ -*-===//
//
// The one rule for the offsets of constants in the weights section: what the
// model table says (Lower) and what the artefact writer does (Codegen).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SUPPORT_WEIGHTSLAYOUT_H
#define NESTOR_SUPPORT_WEIGHTSLAYOUT_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <vector>

namespace nestor {

/// Offsets of constants in the weights section, and its size.
struct WeightsLayout {
  std::vector<uint64_t> offsets;
  uint64_t bytes = 0;
};

/// Lays constants of these sizes out in order: 64-byte aligned, those of a
/// page or more on a page boundary.
WeightsLayout layoutWeights(llvm::ArrayRef<uint64_t> sizes);

} // namespace nestor

#endif // NESTOR_SUPPORT_WEIGHTSLAYOUT_H
