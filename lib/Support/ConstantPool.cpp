//===- ConstantPool.cpp - Constants kept outside the IR -------------------===//
//
// Keys are "c" + 128 bits of the content's hash + the size, all in hex.
//
//===----------------------------------------------------------------------===//
#include "nestor/Support/ConstantPool.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

#include <cstdlib>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

using namespace nestor;

/// Larger buffers come from the system: zero without being touched, so that
/// they take memory as they are filled, and given back at once.
static constexpr uint64_t kMapped = 1 << 16;

void ConstantPool::Free::operator()(uint8_t *p) const {
  if (mapped)
    munmap(p, mapped);
  else
    std::free(p);
}

static std::string contentKey(llvm::ArrayRef<uint8_t> bytes) {
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(bytes);
  return "c" + llvm::utohexstr(hash.high64, /*LowerCase=*/true, 16) +
         llvm::utohexstr(hash.low64, /*LowerCase=*/true, 16) + "_" +
         llvm::utohexstr(bytes.size(), /*LowerCase=*/true);
}

void ConstantPool::keepMapped(std::shared_ptr<void> owner,
                              llvm::ArrayRef<uint8_t> bytes) {
  for (llvm::ArrayRef<uint8_t> file : files)
    if (file.data() == bytes.data())
      return; // every tensor of an external file names it
  owners.push_back(std::move(owner));
  files.push_back(bytes);
}

std::string ConstantPool::addView(llvm::ArrayRef<uint8_t> bytes) {
  std::string key = contentKey(bytes);
  auto [it, inserted] = entries.try_emplace(key);
  if (inserted)
    it->second.bytes = bytes;
  // Hashing read them; the compiler does not, until they are packed.
  release(key);
  return key;
}

std::string ConstantPool::addOwned(std::vector<uint8_t> bytes) {
  std::string key = contentKey(bytes);
  if (!entries.contains(key)) {
    llvm::MutableArrayRef<uint8_t> mine = allocate(key, bytes.size());
    if (!bytes.empty())
      std::memcpy(mine.data(), bytes.data(), bytes.size());
  }
  return key;
}

llvm::MutableArrayRef<uint8_t> ConstantPool::allocate(llvm::StringRef key,
                                                      uint64_t size) {
  uint64_t rounded = (size + 63) / 64 * 64;
  if (rounded == 0)
    rounded = 64;
  std::unique_ptr<uint8_t, Free> storage;
  if (rounded >= kMapped) {
    void *mapped = mmap(nullptr, rounded, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped != MAP_FAILED)
      storage = {static_cast<uint8_t *>(mapped), Free{rounded}};
  } else {
    storage.reset(static_cast<uint8_t *>(std::aligned_alloc(64, rounded)));
    if (storage)
      std::memset(storage.get(), 0, rounded);
  }
  if (!storage)
    return {};
  uint8_t *p = storage.get();
  Entry &entry = entries[key];
  entry.storage = std::move(storage);
  entry.bytes = llvm::ArrayRef<uint8_t>(p, size);
  return llvm::MutableArrayRef<uint8_t>(p, size);
}

llvm::ArrayRef<uint8_t> ConstantPool::lookup(llvm::StringRef key,
                                             bool &found) const {
  auto it = entries.find(key);
  found = it != entries.end();
  return found ? it->second.bytes : llvm::ArrayRef<uint8_t>();
}

void ConstantPool::release(llvm::StringRef key) const {
  bool found = false;
  llvm::ArrayRef<uint8_t> bytes = lookup(key, found);
  bool isMapped = llvm::any_of(files, [&](llvm::ArrayRef<uint8_t> file) {
    return file.begin() <= bytes.begin() && bytes.end() <= file.end();
  });
  // Nothing may be thrown away but copies of what a file holds.
  if (!isMapped)
    return;
  auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  auto begin = reinterpret_cast<uintptr_t>(bytes.begin()),
       end = reinterpret_cast<uintptr_t>(bytes.end());
  begin = (begin + page - 1) / page * page;
  end = end / page * page;
  if (begin < end)
    madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}

void ConstantPool::retain(const llvm::StringMap<bool> &live) {
  llvm::SmallVector<std::string> dead;
  for (const auto &entry : entries)
    if (!live.contains(entry.getKey()))
      dead.push_back(entry.getKey().str());
  for (const std::string &key : dead) {
    release(key);
    entries.erase(key);
  }
}
