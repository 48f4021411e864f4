//===- Link.h - Objects to a shared object, in process ----------*- C++ -*-===//
//
// Links with lld inside this process and puts the weights behind the code. The
// weights never pass through the linker: it reserves their addresses, and
// their bytes are then streamed to the end of the file, so that the peak of
// memory does not grow with them.
//
// Assumes: objects made by emitObject for the same target, without mutable
// globals or constructors.
// Leaves true: the image exports nst_model (and nst_weights) only, needs no
// other library, and its undefined symbols are among those of allowedExternal.
// Same inputs, same bytes. Links are serialised by a lock.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_CODEGEN_LINK_H
#define NESTOR_CODEGEN_LINK_H

#include "nestor/Codegen/Codegen.h"
#include "nestor/Support/WeightsLayout.h"

namespace nestor {

/// Links `objects` to the bytes of a shared object.
llvm::Expected<ObjectBytes> linkShared(llvm::ArrayRef<ObjectBytes> objects,
                                       const Target &target);

/// Links `objects` to the file at `path`, with `weights` behind the code (the
/// symbol nst_weights, laid out by layoutWeights; none when empty).
llvm::Error linkSharedFile(llvm::StringRef path,
                           llvm::ArrayRef<ObjectBytes> objects,
                           llvm::ArrayRef<llvm::ArrayRef<uint8_t>> weights,
                           const Target &target);

/// True for the names that generated code may leave to the process: memory
/// moves of libc and functions of libm.
bool allowedExternal(llvm::StringRef symbol);

} // namespace nestor

#endif // NESTOR_CODEGEN_LINK_H
