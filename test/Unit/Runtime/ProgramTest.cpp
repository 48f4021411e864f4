// Loading: good artefacts load, bad ones are refused with a code and a reason
// before any of their code runs.

#include "Fixture.h"

#include "nestor/Runtime/ArtefactFile.h"
#include "nestor/Runtime/CpuFeatures.h"

#include "gmock/gmock.h"
#include <cstring>
#include <elf.h>
#include <random>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace nestor::rt;
using testing::HasSubstr;

namespace {

Status load(const std::string &path, Program::Ptr &program) {
  return Program::loadFile(path.c_str(), {}, program);
}

Status loadFixture(const std::string &name) {
  Program::Ptr program;
  return load(fixturePath(name), program);
}

TEST(Program, LoadsAFileAndBytes) {
  Program::Ptr program = loadGood();
  ASSERT_TRUE(program);
  EXPECT_STREQ(program->model().name, "test");
  EXPECT_EQ(program->weightsBytes(), 4096u);
  std::vector<uint8_t> bytes = readBytes(fixturePath("good"));
  Program::Ptr second;
  Status status = Program::loadBytes(bytes.data(), bytes.size(), {}, second);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_NE(&program->model(), &second->model());
}

TEST(Program, RefusesWrongContracts) {
  EXPECT_EQ(loadFixture("wrong-magic").code, Code::Damaged);
  Status abi = loadFixture("wrong-abi");
  EXPECT_EQ(abi.code, Code::Damaged);
  EXPECT_THAT(abi.message, HasSubstr("version 99"));
  EXPECT_EQ(loadFixture("bad-counts").code, Code::Damaged);
  Status constructor = loadFixture("constructor");
  EXPECT_EQ(constructor.code, Code::Damaged);
  EXPECT_THAT(constructor.message, HasSubstr("constructors"));
}

TEST(Program, RefusesMissingFeatures) {
  Status status = loadFixture("no-such-feature");
  EXPECT_EQ(status.code, Code::TargetMissing);
  EXPECT_THAT(status.message, HasSubstr("avx2000"));
  // A look without a run is allowed.
  Program::Ptr program;
  LoadOptions look;
  look.checkFeatures = false;
  ASSERT_TRUE(
      Program::loadFile(fixturePath("no-such-feature").c_str(), look, program)
          .ok());
  std::unique_ptr<Instance> instance;
  EXPECT_EQ(Instance::create(program, {}, instance).code, Code::TargetMissing);
}

TEST(Program, TakesConstantsFromAResolver) {
  Status without = loadFixture("no-weights");
  EXPECT_EQ(without.code, Code::Damaged);
  EXPECT_THAT(without.message, HasSubstr("'scale'"));
  alignas(64) static const float scale[4] = {1, 1, 1, 1};
  LoadOptions options;
  options.resolver = [](const char *key, uint64_t bytes) -> const void * {
    return std::string(key) == "scale" && bytes == 16 ? scale : nullptr;
  };
  Program::Ptr program;
  Status status =
      Program::loadFile(fixturePath("no-weights").c_str(), options, program);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_EQ(program->constants()[0], scale);
  // Bytes that lie anywhere are copied to where kernels can read them.
  options.resolver = [](const char *, uint64_t) -> const void * {
    static const char bytes[20] = "0123456789abcdefghi";
    return bytes + 1;
  };
  ASSERT_TRUE(
      Program::loadFile(fixturePath("no-weights").c_str(), options, program)
          .ok());
  auto address = reinterpret_cast<uintptr_t>(program->constants()[0]);
  EXPECT_EQ(address % 64, 0u);
  EXPECT_EQ(memcmp(program->constants()[0], "123456789abcdefg", 16), 0);
}

TEST(Program, RefusesWhatIsNoArtefact) {
  Program::Ptr program;
  EXPECT_EQ(load("/nonexistent/file.nst", program).code, Code::Unreadable);
  EXPECT_EQ(load("/", program).code, Code::Unreadable);
  EXPECT_EQ(load("/dev/zero", program).code, Code::Unreadable);
  std::string pipe = scratchPath("pipe");
  unlink(pipe.c_str());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(load(pipe, program).code, Code::Unreadable);
  unlink(pipe.c_str());
  std::string path = scratchPath("junk");
  for (std::string text : {"", "x", "#!/bin/sh\n", "PK\3\4 zip"}) {
    writeBytes(path, {text.begin(), text.end()});
    EXPECT_EQ(load(path, program).code, Code::Damaged) << text;
  }
  EXPECT_EQ(load("/bin/true", program).code, Code::Damaged);
  unlink(path.c_str());
}

TEST(Program, AnotherArchitectureIsNamed) {
  std::vector<uint8_t> bytes = readBytes(fixturePath("good"));
  uint16_t machine = EM_RISCV;
  memcpy(bytes.data() + offsetof(Elf64_Ehdr, e_machine), &machine, 2);
  Program::Ptr program;
  EXPECT_EQ(Program::loadBytes(bytes.data(), bytes.size(), {}, program).code,
            Code::TargetMissing);
}

TEST(Program, EveryTruncationIsRefused) {
  std::vector<uint8_t> bytes = readBytes(fixturePath("good"));
  std::string path = scratchPath("truncated");
  for (size_t size = 0; size < bytes.size(); size += size < 1024 ? 7 : 97) {
    ArtefactLayout layout;
    EXPECT_EQ(checkArtefact(bytes.data(), size, Integrity::Auto, layout).code,
              Code::Damaged)
        << size;
  }
}

/// The good model with its seal, in a file of its own.
std::vector<uint8_t> sealedBytes() {
  std::string path = scratchPath("sealed");
  writeBytes(path, readBytes(fixturePath("good")));
  Status status = sealArtefact(path.c_str());
  EXPECT_TRUE(status.ok()) << status.message;
  Program::Ptr program;
  status = load(path, program);
  EXPECT_TRUE(status.ok()) << status.message;
  // Sealing again changes nothing.
  std::vector<uint8_t> bytes = readBytes(path);
  EXPECT_TRUE(sealArtefact(path.c_str()).ok());
  EXPECT_EQ(readBytes(path), bytes);
  unlink(path.c_str());
  return bytes;
}

TEST(Program, ACutSealIsFound) {
  std::vector<uint8_t> bytes = sealedBytes();
  for (size_t cut = 1; cut <= 56; ++cut) {
    ArtefactLayout layout;
    EXPECT_EQ(
        checkArtefact(bytes.data(), bytes.size() - cut, Integrity::Auto, layout)
            .code,
        Code::Damaged)
        << cut;
  }
}

TEST(Program, EveryFlippedBitOfASealedFileIsFound) {
  std::vector<uint8_t> bytes = sealedBytes();
  ASSERT_GT(bytes.size(), 64u);
  std::mt19937 random(0);
  int accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    size_t at = round < 512 ? round : random() % bytes.size();
    uint8_t bit = uint8_t(1u << random() % 8);
    bytes[at] ^= bit;
    ArtefactLayout layout;
    Status status =
        checkArtefact(bytes.data(), bytes.size(), Integrity::Auto, layout);
    // Only the seal's own mark may break unnoticed: then the rest is whole.
    if (status.ok()) {
      ++accepted;
      EXPECT_GE(at, bytes.size() - 64);
      EXPECT_LT(at, bytes.size() - 56);
    }
    bytes[at] ^= bit;
  }
  EXPECT_LT(accepted, 40);
}

TEST(Program, MutatedUnsealedFilesNeverCrashTheLoader) {
  std::vector<uint8_t> original = readBytes(fixturePath("good"));
  std::mt19937 random(1);
  // The first page holds the headers and the dynamic tables.
  for (int round = 0; round < 3000; ++round) {
    std::vector<uint8_t> bytes = original;
    for (unsigned flips = 1 + random() % 4; flips; --flips)
      bytes[random() % std::min<size_t>(bytes.size(), 2048)] =
          uint8_t(random());
    ArtefactLayout layout;
    (void)checkArtefact(bytes.data(), bytes.size(), Integrity::Auto, layout);
  }
}

TEST(Program, AFileWrittenAnewIsNotTakenForTheOldOne) {
  std::string path = scratchPath("again");
  writeBytes(path, readBytes(fixturePath("good")));
  Program::Ptr first, second;
  ASSERT_TRUE(load(path, first).ok());
  std::string other = path + ".new";
  writeBytes(other, readBytes(fixturePath("forgets-output")));
  ASSERT_EQ(rename(other.c_str(), path.c_str()), 0);
  ASSERT_TRUE(load(path, second).ok());
  EXPECT_NE(first->model().run, second->model().run);
  unlink(path.c_str());
}

long residentKb() {
  long pages = 0, resident = 0;
  if (FILE *file = fopen("/proc/self/statm", "r")) {
    if (fscanf(file, "%ld %ld", &pages, &resident) != 2)
      resident = 0;
    fclose(file);
  }
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

TEST(Program, TenThousandCyclesLeakNothing) {
  Pair pair(64);
  auto executor = std::make_shared<ThreadPool>(1);
  std::vector<uint8_t> bytes = readBytes(fixturePath("good"));
  auto cycle = [&](bool file) {
    Program::Ptr program;
    Status status =
        file ? load(fixturePath("good"), program)
             : Program::loadBytes(bytes.data(), bytes.size(), {}, program);
    ASSERT_TRUE(status.ok()) << status.message;
    std::unique_ptr<Instance> instance;
    InstanceOptions options;
    options.executor = executor;
    ASSERT_TRUE(Instance::create(program, options, instance).ok());
    ASSERT_TRUE(instance->run(pair.tensors).ok());
  };
  for (int i = 0; i < 500; ++i)
    cycle(i % 2);
  long before = residentKb();
  for (int i = 0; i < 10000; ++i)
    cycle(i % 2);
  EXPECT_LT(residentKb() - before, 1024);
}

TEST(CpuFeatures, SaysWhatIsThereAndWhatIsNot) {
  EXPECT_TRUE(requireFeatures("").ok());
  EXPECT_FALSE(hostFeatures().empty());
  std::string all;
  for (std::string_view feature : hostFeatures())
    all += "+" + std::string(feature) + ", ";
  EXPECT_TRUE(requireFeatures(all).ok());
  for (std::string_view feature : knownFeatures()) {
    bool has = false;
    for (std::string_view have : hostFeatures())
      has |= have == feature;
    EXPECT_EQ(requireFeatures(feature).ok(), has) << feature;
    EXPECT_TRUE(requireFeatures("-" + std::string(feature)).ok());
  }
}

} // namespace
