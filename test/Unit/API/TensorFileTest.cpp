// Tensor files: what is written is read back, what is damaged is refused.

#include "nestor/API/nestor.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>

#include <unistd.h>

using namespace nestor;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::span<const uint8_t> asBytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

std::string path(const char *name) {
  return testing::TempDir() + "nestor-api-" + std::to_string(getpid()) + name;
}

std::string slurp(const std::string &file) {
  std::string text;
  FILE *f = fopen(file.c_str(), "rb");
  char block[4096];
  while (size_t n = f ? fread(block, 1, sizeof block, f) : 0)
    text.append(block, n);
  if (f)
    fclose(f);
  return text;
}

void spill(const std::string &file, const std::string &text) {
  FILE *f = fopen(file.c_str(), "wb");
  ASSERT_NE(f, nullptr);
  fwrite(text.data(), 1, text.size(), f);
  fclose(f);
}

Tensor ramp(DType dtype, std::vector<int64_t> dims) {
  Result<Tensor> tensor = Tensor::allocate(dtype, std::move(dims));
  EXPECT_TRUE(tensor.ok());
  auto *bytes = static_cast<uint8_t *>(tensor->mutableData());
  for (size_t i = 0; i < tensor->numBytes(); ++i)
    bytes[i] = dtype == DType::Bool ? i % 2 : uint8_t(i * 7 + 1);
  return *tensor;
}

void expectSame(const Tensor &a, const Tensor &b) {
  ASSERT_EQ(a.describe(), b.describe());
  EXPECT_EQ(memcmp(a.data(), b.data(), a.numBytes()), 0);
}

std::string npy(const std::string &descr, const std::string &order,
                const std::string &shape, const std::string &data) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order +
                       ", 'shape': " + shape + ", }\n";
  std::string text("\x93NUMPY\x01\x00", 8);
  text += char(header.size());
  text += char(0);
  return text + header + data;
}

TEST(Npy, RoundTripsEveryType) {
  for (int d = 0; d <= int(DType::F64); ++d)
    for (std::vector<int64_t> dims :
         {std::vector<int64_t>{}, {5}, {2, 3}, {0, 4}, {1, 1, 7}}) {
      Tensor tensor = ramp(DType(d), dims);
      std::string text = formatNpy(tensor);
      EXPECT_EQ((text.size() - tensor.numBytes()) % 64, 0u);
      Result<Tensor> read = parseNpy(asBytes(text));
      ASSERT_TRUE(read.ok()) << read.failure().message;
      expectSame(*read, tensor);
    }
}

TEST(Npy, ReadsOtherOrders) {
  // Columns first: [[1, 2, 3], [4, 5, 6]].
  Result<Tensor> columns = parseNpy(
      asBytes(npy("|u1", "True", "(2, 3)", "\x01\x04\x02\x05\x03\x06")));
  ASSERT_TRUE(columns.ok());
  EXPECT_THAT(columns->values<uint8_t>(), ElementsAre(1, 2, 3, 4, 5, 6));
  Result<Tensor> big = parseNpy(
      asBytes(npy(">i4", "False", "(1,)", std::string("\0\0\1\2", 4))));
  ASSERT_TRUE(big.ok());
  EXPECT_EQ(big->values<int32_t>()[0], 258);
}

TEST(Npy, RefusesWhatIsMalformed) {
  EXPECT_EQ(parseNpy({}).failure().code, 4);
  std::string good = formatNpy(ramp(DType::F32, {4, 4}));
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(parseNpy(asBytes(good.substr(0, size))).ok()) << size;
  for (const char *shape :
       {"(-1,)", "(99999999999999999999,)", "(4611686018427387904, 4)", "4",
        "(1, x)", "(9223372036854775807, 9223372036854775807)"})
    EXPECT_FALSE(parseNpy(asBytes(npy("<f4", "False", shape, "abcd"))).ok())
        << shape;
  EXPECT_EQ(
      parseNpy(asBytes(npy("<c8", "False", "(1,)", "12345678"))).failure().code,
      5);
  EXPECT_FALSE(parseNpy(asBytes(npy("|O8", "False", "(1,)", "12345678"))).ok());
}

TEST(Npz, RoundTrips) {
  std::vector<NamedTensor> tensors = {{"a/b", ramp(DType::F32, {3, 5})},
                                      {"", ramp(DType::I64, {})},
                                      {"empty", ramp(DType::U8, {0})}};
  std::string file = path("round.npz");
  ASSERT_TRUE(writeNpz(file, tensors).ok());
  auto read = readTensors(file);
  ASSERT_TRUE(read.ok()) << read.failure().message;
  ASSERT_EQ(read->size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*read)[i].name, tensors[i].name);
    expectSame((*read)[i].tensor, tensors[i].tensor);
  }
}

TEST(Npz, DamageIsRefusedNotFollowed) {
  std::vector<NamedTensor> tensors = {{"x", ramp(DType::F32, {64})},
                                      {"y", ramp(DType::I32, {3})}};
  std::string file = path("damage.npz");
  ASSERT_TRUE(writeNpz(file, tensors).ok());
  std::string good = slurp(file);
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(parseNpz(asBytes(good.substr(0, size))).ok()) << size;
  std::mt19937 random(0);
  for (int round = 0; round < 20000; ++round) {
    std::string bad = good;
    for (unsigned n = 1 + random() % 4; n; --n)
      bad[random() % bad.size()] = char(random());
    (void)parseNpz(asBytes(bad));
  }
  EXPECT_EQ(writeNpz("/nonexistent/x.npz", tensors).failure().code, 3);
}

TEST(Npz, ReadsDeflatedEntries) {
  // numpy.savez_compressed(a=numpy.zeros(1000, 'f4')), names and sizes as
  // NumPy writes them; made by Python's zipfile.
  const std::string file =
      std::string(NESTOR_TEST_DIR) + "/Unit/API/Inputs/deflated.npz";
  auto read = readTensors(file);
  ASSERT_TRUE(read.ok()) << read.failure().message;
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].name, "a");
  EXPECT_EQ((*read)[0].tensor.describe(), "f32[1000]");
  EXPECT_EQ((*read)[1].name, "b");
  EXPECT_THAT((*read)[1].tensor.values<int64_t>(), ElementsAre(1, 2, 3));
}

TEST(Pb, ReadsATensor) {
  // dims 2; data_type FLOAT; name "t"; raw_data 1.0 2.0.
  std::string pb("\x08\x02\x10\x01\x42\x01t\x4a\x08\0\0\x80\x3f\0\0\0\x40", 17);
  std::string file = path("t.pb");
  spill(file, pb);
  auto read = readTensors(file);
  ASSERT_TRUE(read.ok()) << read.failure().message;
  EXPECT_EQ((*read)[0].name, "t");
  EXPECT_THAT((*read)[0].tensor.values<float>(), ElementsAre(1.0f, 2.0f));
  for (size_t size = 1; size < pb.size(); ++size) {
    spill(file, pb.substr(0, size));
    auto damaged = readTensors(file);
    EXPECT_TRUE(!damaged.ok() || (*damaged)[0].tensor.numBytes() != 8) << size;
  }
  // A string tensor.
  spill(file, std::string("\x08\x01\x10\x08\x32\x01s", 7));
  EXPECT_EQ(readTensors(file).failure().code, 5);
}

TEST(Raw, MustHaveExactlyTheBytes) {
  std::string file = path("raw.bin");
  spill(file, "abcdefgh");
  Result<Tensor> tensor = readRaw(file, DType::U16, {2, 2});
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ(tensor->describe(), "u16[2,2]");
  EXPECT_EQ(readRaw(file, DType::U16, {2, 3}).failure().code, 8);
  EXPECT_FALSE(readRaw(file, DType::U16, {INT64_MAX, 4}).ok());
  EXPECT_EQ(readTensors("/nonexistent").failure().code, 3);
  EXPECT_EQ(readTensors("/").failure().code, 3);
}

TEST(Tensor, HalfConversionsAreExact) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = halfToFloat(uint16_t(bits));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(value))));
    else
      EXPECT_EQ(floatToHalf(value), bits);
  }
  EXPECT_EQ(floatToHalf(65520.0f), 0x7c00); // rounds to infinity
  EXPECT_EQ(floatToHalf(65519.0f), 0x7bff);
  EXPECT_EQ(floatToHalf(1.00048828125f), 0x3c00); // ties to even
  EXPECT_EQ(floatToHalf(2.98e-8f), 0);
  EXPECT_EQ(floatToHalf(2.99e-8f), 1);
}

TEST(Tensor, RefusesImpossibleSizes) {
  EXPECT_EQ(Tensor::allocate(DType::F32, {-1}).failure().code, 8);
  EXPECT_EQ(Tensor::allocate(DType::F32, {INT64_MAX, 2}).failure().code, 8);
  EXPECT_EQ(Tensor::allocate(DType::F32, {int64_t(1) << 58}).failure().code, 7);
}

} // namespace
