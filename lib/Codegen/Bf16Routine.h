//===- Bf16Routine.h - The routine LLVM calls for bf16 ----------*- C++ -*-===//
#ifndef NESTOR_LIB_CODEGEN_BF16ROUTINE_H
#define NESTOR_LIB_CODEGEN_BF16ROUTINE_H

namespace llvm {
class Module;
} // namespace llvm

namespace nestor {

/// Defines __truncsfbf2 in an x86 module that holds bf16 values.
void defineBf16Routine(llvm::Module &module);

} // namespace nestor

#endif // NESTOR_LIB_CODEGEN_BF16ROUTINE_H
