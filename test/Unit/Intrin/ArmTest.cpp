//===- ArmTest.cpp - Arm records under qemu-user --------------------------===//
//
// Each kernel is compiled for the Arm that has its instruction, linked with a
// freestanding driver that reads matrices and writes the result, and run by
// qemu-aarch64. Skipped where qemu-aarch64 or clang-22 is absent.
//
//===----------------------------------------------------------------------===//
#include "RecordKernel.h"

#include "nestor/Support/Error.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

namespace {
constexpr const char *driver = R"c(
typedef unsigned long u64;
void nst_model(const void *, const void *, void *, long, long);
static long call(long number, long a, long b, long c) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
static void take(void *to, u64 bytes) {
  for (u64 have = 0; have < bytes;) {
    long got = call(63, 0, (long)to + have, bytes - have);
    if (got <= 0) call(93, 3, 0, 0);
    have += got;
  }
}
static char lhs[1 << 16] __attribute__((aligned(64)));
static char rhs[1 << 16] __attribute__((aligned(64)));
static char acc[1 << 16] __attribute__((aligned(64)));
void _start(void) {
  u64 sizes[5];
  take(sizes, sizeof sizes);
  take(lhs, sizes[0]); take(rhs, sizes[1]); take(acc, sizes[2]);
  nst_model(lhs, rhs, acc, sizes[3], sizes[4]);
  call(64, 1, (long)acc, sizes[2]);
  call(93, 0, 0, 0);
}
)c";

/// A folder that goes away.
struct Folder {
  llvm::SmallString<128> path;
  Folder() {
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("nestor-arm", path));
  }
  ~Folder() { llvm::sys::fs::remove_directories(path); }
  std::string file(StringRef name) const { return (path + "/" + name).str(); }
  void write(StringRef name, ArrayRef<char> bytes) const {
    std::error_code error;
    llvm::raw_fd_ostream os(file(name), error);
    EXPECT_FALSE(error) << error.message();
    os.write(bytes.data(), bytes.size());
  }
};

struct ArmRecord : testing::TestWithParam<const Record *> {
  MLIRContext context;
  const Record &record = *GetParam();
  ArmRecord() { intrin::loadDialects(context); }
};

std::vector<const Record *> armRecords() {
  std::vector<const Record *> found;
  for (const Record &record : records())
    if (record.arch == Arch::AArch64)
      found.push_back(&record);
  return found;
}

template <typename T>
void append(llvm::SmallVectorImpl<char> &to, ArrayRef<T> values) {
  auto *bytes = reinterpret_cast<const char *>(values.data());
  to.append(bytes, bytes + values.size() * sizeof(T));
}
} // namespace

INSTANTIATE_TEST_SUITE_P(All, ArmRecord, testing::ValuesIn(armRecords()),
                         [](const auto &info) {
                           std::string name = info.param->name;
                           llvm::replace(name, '.', '_');
                           return name;
                         });

TEST_P(ArmRecord, RunsUnderQemu) {
  auto qemu = llvm::sys::findProgramByName("qemu-aarch64");
  auto clang = llvm::sys::findProgramByName("clang-22");
  if (!qemu || !clang)
    GTEST_SKIP() << "skipped: no " << (qemu ? "clang-22" : "qemu-aarch64");
  Plan plan{3, 2, 2, 0, 0};
  auto object = kernelObject(context, record, plan, targetOf(record));
  ASSERT_TRUE(bool(object)) << takeError(object.takeError()).second;
  Folder folder;
  folder.write("kernel.o", *object);
  folder.write("driver.c", ArrayRef(driver, std::strlen(driver)));
  std::string program = folder.file("program"),
              source = folder.file("driver.c"),
              kernel = folder.file("kernel.o"), text;
  ASSERT_EQ(
      llvm::sys::ExecuteAndWait(*clang,
                                {*clang, "--target=aarch64-linux-gnu", "-O1",
                                 "-ffreestanding", "-nostdlib", "-static",
                                 "-fuse-ld=lld", "-o", program, source, kernel},
                                {}, {}, 60, 0, &text),
      0)
      << text;
  for (Data data : {Data::SmallIntegers, Data::Random, Data::Extreme}) {
    Matrices matrices = makeMatrices(context, record, plan, data, 11);
    // Emulation is what the numbers of floats are compared with: bit for bit.
    auto native = Native::make(context, record, plan, /*device=*/nullptr);
    ASSERT_TRUE(bool(native)) << takeError(native.takeError()).second;
    HostTensor expected = record.numerics == Numerics::Exact
                              ? runSemantics(context, record, plan, matrices)
                              : (*native)->run(matrices);
    auto lhs = pack(context, record, kLhs, matrices.lhs, plan.rows);
    auto rhs = pack(context, record, kRhs, matrices.rhs, plan.columns);
    llvm::SmallVector<char, 0> input;
    append<uint64_t>(input, {lhs.size(), rhs.size(), matrices.acc.bytes.size(),
                             static_cast<uint64_t>(plan.steps), 0});
    append<uint8_t>(input, lhs);
    append<uint8_t>(input, rhs);
    append<uint8_t>(input, matrices.acc.bytes);
    folder.write("in", input);
    std::string in = folder.file("in"), out = folder.file("out");
    std::optional<StringRef> redirects[] = {StringRef(in), StringRef(out),
                                            StringRef("")};
    ASSERT_EQ(llvm::sys::ExecuteAndWait(*qemu, {*qemu, "-cpu", "max", program},
                                        {}, redirects, 60, 0, &text),
              0)
        << text;
    auto bytes = llvm::MemoryBuffer::getFile(out);
    ASSERT_TRUE(bool(bytes));
    HostTensor got = matrices.acc;
    got.bytes.assign((*bytes)->getBufferStart(), (*bytes)->getBufferEnd());
    EXPECT_EQ(differences(record, got, expected, 0), "")
        << "data " << static_cast<int>(data);
  }
}
