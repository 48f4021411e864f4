//===- Roles.h - The parts that iterators of a reduction play ---*- C++ -*-===//
//
// For a reduction block C[.., v] += f(A, B): which iterator becomes lanes,
// which one the rows of the register tile, and from which operand vectors are
// loaded. From kinds and access maps alone.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_RULES_ROLES_H
#define NESTOR_LIB_RULES_ROLES_H

#include "CostModel.h"
#include "Rule.h"

namespace nestor::rules {

/// The roles of a reduction block's iterators.
struct Roles {
  unsigned vector;                        // v
  int row = -1;                           // m: spatial, not in B
  llvm::SmallVector<unsigned> outer;      // other spatial iterators
  llvm::SmallVector<unsigned> reduce;     // innermost last
  analysis::Access vectorOperand;         // B
  int64_t vectorOperandIndex = -1;        // among the buffers that are read
  std::optional<analysis::Access> single; // A, where there is just one
  int64_t singleIndex = -1;
  enum { InPlace, Pack, Copy } how = InPlace;
};

std::optional<Roles> findRoles(nest::FuncOp func, nest::BlockOp block);

/// What the cost model sees of a block with these roles.
Reduction reductionOf(nest::FuncOp func, nest::BlockOp block,
                      const Roles &roles, const Target &target);

/// Panels of the vector operand:
/// (.., v, ..) -> (others in front, v floordiv panel, reduces, v mod panel).
mlir::AffineMap packingMap(nest::BlockOp block, const Roles &roles,
                           int64_t panel);

} // namespace nestor::rules

#endif // NESTOR_LIB_RULES_ROLES_H
