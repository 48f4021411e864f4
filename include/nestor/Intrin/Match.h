//===- Match.h - Is a nest what an instruction computes? --------*- C++ -*-===//
//
// A block that holds a nest (docs/decisions/0007) is an instance of a record
// when its loops run over the record's axes and every operand lies as the
// record says. Nothing of the answer is stored: tensorize asks to be sure,
// Lower asks again for the windows.
//
//   for n < 16 { for k < 4 {                         x86.vpdpbusd.512
//     C[m, n0 + n] += A[m, k0 + k] * B[n1, k1, n, k]     n: [n], k: [k]
//   } }                                                  m: no loop, one step
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_INTRIN_MATCH_H
#define NESTOR_INTRIN_MATCH_H

#include "nestor/Analysis/Contraction.h"
#include "nestor/Intrin/Intrin.h"

namespace nestor::intrin {

/// What one operand of the record sees of a buffer.
struct OperandWindow {
  mlir::Operation *access =
      nullptr; // in the block inside: a load, or the store
  mlir::Value buffer;
  /// For each free dim of the operand: how far one step moves along each dim of
  /// the buffer.
  llvm::SmallVector<llvm::SmallVector<int64_t>> steps;
};

struct Match {
  /// The block of statements inside.
  nest::BlockOp leaf;
  /// All loops inside, outermost first.
  llvm::SmallVector<nest::ForOp> loops;
  /// The record's axes.
  llvm::SmallVector<int64_t, 3> extents;
  /// In the record's order: lhs, rhs, acc.
  llvm::SmallVector<OperandWindow, 3> windows;
};

/// Whether `block` computes what one instance of `record` computes; if not,
/// why.
std::optional<Match> match(const Record &record, nest::BlockOp block,
                           analysis::Obstacle &obstacle);

/// Whether a factor has the operand's type, read with the operand's sign.
bool takes(const Operand &operand, const analysis::Contraction::Factor &factor);

} // namespace nestor::intrin

#endif // NESTOR_INTRIN_MATCH_H
