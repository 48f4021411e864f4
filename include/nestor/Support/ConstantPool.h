//===- ConstantPool.h - Constants kept outside the IR -----------*- C++ -*-===//
//
// Weights never enter the IR: `model.constant "key"` and `host.constant @key`
// name an entry of this pool. An entry is a view of mapped bytes (zero copy) or
// owned bytes (folded or packed by Nestor's own compiled code).
//
// Assumes: little-endian, row-major bytes; bool one byte an element.
// Leaves true: equal bytes have equal keys (the key holds the content hash), so
// equal constants are stored once.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SUPPORT_CONSTANTPOOL_H
#define NESTOR_SUPPORT_CONSTANTPOOL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nestor {

/// Owns or borrows the bytes of every constant of one model.
class ConstantPool {
public:
  /// Keeps `owner` (a mapped file, say) alive as long as the pool.
  void keepAlive(std::shared_ptr<void> owner) {
    owners.push_back(std::move(owner));
  }

  /// The same for a file that is mapped read-only and whole as `bytes`: what of
  /// it was read takes no memory of the process until it is read again.
  void keepMapped(std::shared_ptr<void> owner, llvm::ArrayRef<uint8_t> bytes);

  /// Adds borrowed bytes (kept alive by an owner) and returns their key.
  std::string addView(llvm::ArrayRef<uint8_t> bytes);

  /// Adds owned bytes and returns their key.
  std::string addOwned(std::vector<uint8_t> bytes);

  /// Adds owned bytes, 64-byte aligned and zeroed, to be filled by the caller
  /// under a key that the caller chose (results of the setup program).
  llvm::MutableArrayRef<uint8_t> allocate(llvm::StringRef key, uint64_t size);

  /// The bytes of `key`; empty with `found` false when there are none.
  llvm::ArrayRef<uint8_t> lookup(llvm::StringRef key, bool &found) const;
  bool contains(llvm::StringRef key) const { return entries.contains(key); }

  /// `key` will not be read soon: bytes of a mapped file leave the memory of
  /// the process, and come back when they are read.
  void release(llvm::StringRef key) const;

  /// Drops every entry that is not in `live` (after folding).
  void retain(const llvm::StringMap<bool> &live);

private:
  struct Free {
    Free() : mapped(0) {}
    explicit Free(uint64_t mapped) : mapped(mapped) {}
    void operator()(uint8_t *p) const;
    uint64_t mapped; // bytes taken from the system; 0: from the heap
  };
  struct Entry {
    llvm::ArrayRef<uint8_t> bytes;
    std::unique_ptr<uint8_t, Free> storage;
  };
  llvm::StringMap<Entry> entries;
  std::vector<std::shared_ptr<void>> owners;
  std::vector<llvm::ArrayRef<uint8_t>> files;
};

} // namespace nestor

#endif // NESTOR_SUPPORT_CONSTANTPOOL_H
