//===- Seal.cpp - Finding bits that changed since the artefact was made ---===//
//
// The seal is the last 64 bytes of the file; ELF loaders do not look there.
// Code is always hashed at load, weights only while that takes about a
// millisecond: an artefact loads in milliseconds whatever its size.
//
//===----------------------------------------------------------------------===//

#include "nestor/Runtime/ArtefactFile.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nestor::rt {

Status checkElfImage(const uint8_t *bytes, size_t size, ArtefactLayout &layout);

namespace {

constexpr char sealMagic[8] = {'N', 'S', 'T', 'S', 'E', 'A', 'L', '1'};
constexpr uint64_t autoWeightsBytes = uint64_t(32) << 20;

struct Seal {
  char magic[8];
  uint64_t imageBytes;
  uint64_t weightsOffset;
  uint64_t weightsBytes;
  uint64_t codeHash; // the image without the weights
  uint64_t weightsHash;
  uint64_t reserved;
  uint64_t selfHash; // the fields above
};
static_assert(sizeof(Seal) == 64);

uint64_t hashCode(const uint8_t *bytes, const Seal &seal) {
  uint64_t end = seal.weightsOffset + seal.weightsBytes;
  uint64_t head = damageHash(bytes, seal.weightsOffset, 1);
  return damageHash(bytes + end, seal.imageBytes - end, head);
}

uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

} // namespace

uint64_t damageHash(const uint8_t *bytes, size_t size, uint64_t seed) {
  constexpr uint64_t a = 0x9e3779b97f4a7c15, b = 0xd6e8feb86659fd93;
  uint64_t lanes[4] = {seed, seed ^ a, seed ^ b, ~seed};
  size_t at = 0;
  for (; at + 32 <= size; at += 32)
    for (int i = 0; i < 4; ++i) {
      uint64_t word;
      memcpy(&word, bytes + at + 8 * i, 8);
      // Odd multipliers and rotations are invertible: one changed bit always
      // changes its lane.
      lanes[i] = rotate((lanes[i] ^ word) * a, 29);
    }
  uint64_t hash = uint64_t(size) * b;
  for (uint64_t lane : lanes)
    hash = rotate((hash ^ lane) * a, 31);
  for (; at < size; ++at)
    hash = rotate((hash ^ bytes[at]) * b, 27);
  hash ^= hash >> 32;
  return hash * a;
}

Status checkArtefact(const uint8_t *bytes, size_t size, Integrity integrity,
                     ArtefactLayout &layout) {
  layout = {};
  Seal seal;
  uint64_t image = size;
  if (size > sizeof seal) {
    memcpy(&seal, bytes + size - sizeof seal, sizeof seal);
    layout.sealed = memcmp(seal.magic, sealMagic, sizeof sealMagic) == 0;
  }
  if (!layout.sealed) {
    // A seal that is cut off: the file was longer.
    size_t tail = size < sizeof seal ? size : sizeof seal;
    if (memmem(bytes + size - tail, tail, sealMagic, sizeof sealMagic))
      return fail(Code::Damaged, "the artefact is damaged: its end is cut off; "
                                 "compile the model again");
  }
  if (layout.sealed) {
    image = size - sizeof seal;
    bool whole = seal.selfHash == damageHash(reinterpret_cast<uint8_t *>(&seal),
                                             offsetof(Seal, selfHash), 3) &&
                 seal.imageBytes == image && seal.weightsOffset <= image &&
                 seal.weightsBytes <= image - seal.weightsOffset;
    if (whole && integrity != Integrity::Structure)
      whole = hashCode(bytes, seal) == seal.codeHash;
    bool weights =
        integrity == Integrity::Full ||
        (integrity == Integrity::Auto && seal.weightsBytes <= autoWeightsBytes);
    if (whole && weights)
      whole = damageHash(bytes + seal.weightsOffset, seal.weightsBytes, 2) ==
              seal.weightsHash;
    if (!whole)
      return fail(Code::Damaged,
                  "the artefact is damaged: its bytes are not those that were "
                  "written; compile the model again");
  }
  if (Status status = checkElfImage(bytes, image, layout); !status.ok())
    return status;
  if (layout.sealed && (layout.weightsBytes != seal.weightsBytes ||
                        layout.weightsOffset != seal.weightsOffset))
    return fail(Code::Damaged, "the artefact is damaged: its seal names other "
                               "weights; compile the model again");
  return Status::success();
}

Status sealArtefact(const char *path) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return fail(Code::Unreadable, "cannot open %s: %s", path, strerror(errno));
  struct stat info;
  Status status;
  if (fstat(fd, &info) != 0 || info.st_size <= 0) {
    status = fail(Code::Unreadable, "cannot read %s: it is empty", path);
    close(fd);
    return status;
  }
  auto size = static_cast<size_t>(info.st_size);
  void *map = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) {
    status = fail(Code::Unreadable, "cannot map %s: %s", path, strerror(errno));
    close(fd);
    return status;
  }
  auto *bytes = static_cast<const uint8_t *>(map);
  if (size > sizeof(Seal) &&
      memcmp(bytes + size - sizeof(Seal), sealMagic, sizeof sealMagic) == 0)
    size -= sizeof(Seal);

  ArtefactLayout layout;
  status = checkElfImage(bytes, size, layout);
  if (status.ok()) {
    Seal seal = {};
    memcpy(seal.magic, sealMagic, sizeof sealMagic);
    seal.imageBytes = size;
    seal.weightsOffset = layout.weightsOffset;
    seal.weightsBytes = layout.weightsBytes;
    seal.codeHash = hashCode(bytes, seal);
    seal.weightsHash =
        damageHash(bytes + seal.weightsOffset, seal.weightsBytes, 2);
    seal.selfHash = damageHash(reinterpret_cast<uint8_t *>(&seal),
                               offsetof(Seal, selfHash), 3);
    if (pwrite(fd, &seal, sizeof seal, static_cast<off_t>(size)) !=
        static_cast<ssize_t>(sizeof seal))
      status =
          fail(Code::Unreadable, "cannot write %s: %s", path, strerror(errno));
  }
  munmap(map, static_cast<size_t>(info.st_size));
  close(fd);
  return status;
}

} // namespace nestor::rt
