// Helpers of the runtime's tests: fixtures by name, tensors by value.
#ifndef NESTOR_TEST_UNIT_RUNTIME_FIXTURE_H
#define NESTOR_TEST_UNIT_RUNTIME_FIXTURE_H

#include "nestor/Runtime/Instance.h"
#include "nestor/Runtime/Program.h"

#include "gtest/gtest.h"
#include <cstdio>
#include <string>
#include <unistd.h>
#include <vector>

inline std::string fixturePath(const std::string &name) {
  return std::string(NESTOR_BUILD_DIR "/test/fixtures/") + name + ".nst";
}

inline std::vector<uint8_t> readBytes(const std::string &path) {
  std::vector<uint8_t> bytes;
  if (FILE *file = fopen(path.c_str(), "rb")) {
    uint8_t block[4096];
    while (size_t n = fread(block, 1, sizeof block, file))
      bytes.insert(bytes.end(), block, block + n);
    fclose(file);
  }
  return bytes;
}

inline void writeBytes(const std::string &path,
                       const std::vector<uint8_t> &bytes) {
  FILE *file = fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
  fclose(file);
}

inline std::string scratchPath(const std::string &name) {
  return testing::TempDir() + "nestor-rt-" + std::to_string(getpid()) + "-" +
         name;
}

/// Two inputs [n, 4] of the good model, x = 1, 2, 3, ... and y = 1.
struct Pair {
  explicit Pair(int64_t n) : dims{n, 4}, x(4 * n), y(4 * n, 1.0f) {
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<float>(i % 1000);
    tensors[0] = {x.data(), dims, 2, NST_F32};
    tensors[1] = {y.data(), dims, 2, NST_F32};
  }
  float expected(size_t i) const {
    return x[i] + static_cast<float>(i % 4 + 1);
  }

  int64_t dims[2];
  std::vector<float> x, y;
  nst_tensor tensors[2];
};

inline nestor::rt::Program::Ptr loadGood() {
  nestor::rt::Program::Ptr program;
  nestor::rt::Status status =
      nestor::rt::Program::loadFile(fixturePath("good").c_str(), {}, program);
  EXPECT_TRUE(status.ok()) << status.message;
  return program;
}

#endif // NESTOR_TEST_UNIT_RUNTIME_FIXTURE_H
