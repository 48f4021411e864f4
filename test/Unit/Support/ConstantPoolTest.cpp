//===- ConstantPoolTest.cpp - Constants kept outside the IR ---------------===//

#include "nestor/Support/ConstantPool.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <sys/mman.h>
#include <unistd.h>

using nestor::ConstantPool;

namespace {
constexpr size_t kBytes = 1 << 16;

/// Pages of `bytes` that are in memory.
size_t resident(const uint8_t *bytes) {
  size_t page = sysconf(_SC_PAGESIZE);
  FILE *smaps = fopen("/proc/self/smaps", "r");
  char line[512];
  size_t kb = 0;
  bool inside = false;
  while (smaps && fgets(line, sizeof line, smaps)) {
    unsigned long begin, end;
    if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
      inside = begin <= reinterpret_cast<uintptr_t>(bytes) &&
               reinterpret_cast<uintptr_t>(bytes) < end;
    else if (inside && sscanf(line, "Rss: %zu kB", &kb) == 1)
      break;
  }
  if (smaps)
    fclose(smaps);
  return kb * 1024 / page;
}

TEST(ConstantPool, ReleasesWhatAFileHolds) {
  FILE *file = tmpfile();
  ASSERT_TRUE(file);
  std::vector<uint8_t> content(kBytes, 42);
  ASSERT_EQ(fwrite(content.data(), 1, kBytes, file), kBytes);
  fflush(file);
  void *map = mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE, fileno(file), 0);
  ASSERT_NE(map, MAP_FAILED);
  std::shared_ptr<void> owner(map, [](void *p) { munmap(p, kBytes); });
  auto *bytes = static_cast<const uint8_t *>(map);

  ConstantPool pool;
  pool.keepMapped(owner, {bytes, kBytes});
  std::string key = pool.addView({bytes, kBytes});
  EXPECT_EQ(resident(bytes), 0u);
  EXPECT_TRUE(std::equal(content.begin(), content.end(), bytes));
  EXPECT_GT(resident(bytes), 0u);
  pool.release(key);
  EXPECT_EQ(resident(bytes), 0u);
  bool found = false;
  EXPECT_EQ(pool.lookup(key, found)[kBytes - 1], 42);
  fclose(file);
}

TEST(ConstantPool, KeepsWhatMemoryHolds) {
  auto owner = std::make_shared<std::vector<uint8_t>>(kBytes, 7);
  ConstantPool pool;
  pool.keepAlive(owner);
  std::string view = pool.addView(*owner);
  pool.release(view);
  pool.release("no such key");
  EXPECT_EQ(std::count(owner->begin(), owner->end(), 7), long(kBytes));
}

TEST(ConstantPool, AllocatesZeroes) {
  ConstantPool pool;
  for (uint64_t size : {uint64_t(0), uint64_t(5), uint64_t(kBytes + 1)}) {
    auto bytes = pool.allocate("k" + std::to_string(size), size);
    ASSERT_EQ(bytes.size(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes.data()) % 64, 0u);
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 0), long(size));
  }
  pool.retain({});
  EXPECT_FALSE(pool.contains("k5"));
}
} // namespace
