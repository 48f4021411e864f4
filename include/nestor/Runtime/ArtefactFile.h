//===- ArtefactFile.h - Is this file a whole artefact? ----------*- C++ -*-===//
//
// An .nst file is an ELF shared object followed by a seal: its size and the
// hashes of its code and of its weights. The checks here read bytes only; they
// come before the dynamic loader, which trusts what it is given.
//
// A file without a seal (an object linked by hand) passes when its structure
// does; one whose seal does not fit is damaged.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_RUNTIME_ARTEFACTFILE_H
#define NESTOR_RUNTIME_ARTEFACTFILE_H

#include "nestor/Runtime/Status.h"

#include <cstddef>
#include <cstdint>

namespace nestor::rt {

/// What the structure check learns on its way.
struct ArtefactLayout {
  bool hasModel = false;
  /// Bytes of the weights symbol, and where they lie in the file.
  uint64_t weightsOffset = 0;
  uint64_t weightsBytes = 0;
  /// Bytes of the ELF image, without the seal.
  uint64_t imageBytes = 0;
  bool sealed = false;
};

/// Which bytes of a sealed file are hashed again at load.
enum class Integrity {
  Structure, // no hash: bytes that this process made itself
  Code,      // all but the weights
  Auto,      // weights too, unless that would take milliseconds
  Full,
};

/// Checks that `bytes` can be given to the dynamic loader: ELF header and
/// tables inside the file, loadable segments sane, no constructors, no other
/// library needed, relocations inside the image, and the seal.
Status checkArtefact(const uint8_t *bytes, size_t size, Integrity integrity,
                     ArtefactLayout &layout);

/// Appends the seal to the artefact at `path`; replaces one that is there.
Status sealArtefact(const char *path);

/// A 64-bit hash for finding damage, not for security; 10 GB/s and more.
uint64_t damageHash(const uint8_t *bytes, size_t size, uint64_t seed);

} // namespace nestor::rt

#endif // NESTOR_RUNTIME_ARTEFACTFILE_H
