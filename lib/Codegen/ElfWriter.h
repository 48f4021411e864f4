//===- ElfWriter.h - Tiny ELF files, by hand --------------------*- C++ -*-===//
//
// What the linker needs and LLVM should not be asked for: an object that
// reserves addresses for the weights, and the change to the linked file that
// gives those addresses bytes.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_CODEGEN_ELFWRITER_H
#define NESTOR_LIB_CODEGEN_ELFWRITER_H

#include "nestor/Codegen/Link.h"

namespace nestor {

/// An object whose only section reserves `bytes` bytes, page aligned, under
/// the symbol nst_weights. It is writable and without bytes (NOBITS), so the
/// linker puts it behind everything, into a segment of its own.
ObjectBytes weightsPlaceholder(uint64_t bytes, const Target &target);

/// Turns the placeholder in the linked file `fd` into read-only bytes at the
/// end of the file, streamed from `weights`.
llvm::Error fillWeights(int fd, llvm::ArrayRef<llvm::ArrayRef<uint8_t>> weights,
                        const WeightsLayout &layout);

} // namespace nestor

#endif // NESTOR_LIB_CODEGEN_ELFWRITER_H
