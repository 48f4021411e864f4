//===- Registers.h - Register buffers to SSA values -------------*- C++ -*-===//
//
// A buffer in scope "register" is emitted as a stack slot first. When every
// access of it turned out to be one known element or one known range of lanes,
// the slot goes away and its elements are values:
//
//   slot = alloca 8 x f32; store %z, slot
//   scf.for %k { %t = load slot; %s = addf %t, %m; store %s, slot }
//   ==>
//   %r = scf.for %k iter_args(%t = %z) { %s = addf %t, %m; yield %s }
//
// Conditionals (scf.if) that store yield what they leave behind.
//
// Assumes: the function is structured still (scf loops and conditionals, one
// block a region), and the slot's life begins with an llvm.lifetime.start that
// all its accesses follow in the same region.
// Leaves true: what an access reads is what was stored there last; elements
// that nobody stored read as 0.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_REGISTERS_H
#define NESTOR_LIB_LOWER_REGISTERS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

namespace nestor::lower {

/// Replaces `slot`, an array of `element`, by values. Returns false, with
/// nothing changed, where an access is not of the form above.
bool promoteToValues(mlir::LLVM::AllocaOp slot, mlir::Type element);

} // namespace nestor::lower

#endif // NESTOR_LIB_LOWER_REGISTERS_H
