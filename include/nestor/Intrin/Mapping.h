//===- Mapping.h - Which iterators become an instruction's axes -*- C++ -*-===//
//
// A contraction can be laid onto a record's axes in several ways. An iterator
// may feed an axis when it moves the same operands (its characteristic vector:
// Feng et al., "TensorIR", ASPLOS'23, 4.2); several iterators of one axis are
// fused, in any order, and those that feed no axis stay loops outside.
//
//   C[n, h, w, o] += A[n, h + r, w + s, i] * W[r, s, i, o]
//     m: some of n, h, w     n: o     k: some of r, s, i
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_INTRIN_MAPPING_H
#define NESTOR_INTRIN_MAPPING_H

#include "nestor/Analysis/Contraction.h"
#include "nestor/Intrin/Intrin.h"

namespace nestor::intrin {

struct Mapping {
  /// The factor that is the record's lhs; the other one is rhs.
  unsigned lhs = 0;
  /// For each axis the iterators that it is fused of, larger steps first. None:
  /// the axis has one step.
  llvm::SmallVector<llvm::SmallVector<unsigned>, 3> iterators;

  unsigned factorOf(unsigned operand) const {
    return operand == kLhs ? lhs : 1 - lhs;
  }
  /// Whether an axis is fused of several iterators.
  bool fuses() const;
  /// "m: 1 2; n: 3; k: 4 5 6".
  std::string str(const Record &record) const;
};

/// All mappings, at most `most`: those with one iterator an axis first, then by
/// the iterators' order. Iterators of one step feed no axis.
std::vector<Mapping> mappings(const Record &record,
                              const analysis::Contraction &contraction,
                              size_t most = 256);

} // namespace nestor::intrin

#endif // NESTOR_INTRIN_MAPPING_H
