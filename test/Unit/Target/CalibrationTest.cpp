//===- CalibrationTest.cpp - Rates from a file, and files that do not fit -===//
#include "nestor/Target/Calibration.h"
#include "nestor/Support/Error.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace nestor;

namespace {

/// A cache directory of its own.
class CalibrationFile : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("nestor", folder));
    setenv("XDG_CACHE_HOME", folder.c_str(), 1);
    unsetenv("NESTOR_CALIBRATION");
    host = Target::host();
    measured = host.rates;
    measured.fmaLanes = 12.5;
    measured.forkCycles = 1234;
  }
  void TearDown() override {
    setenv("NESTOR_CALIBRATION", "off", 1);
    llvm::sys::fs::remove_directories(folder);
  }

  std::string write() {
    llvm::Expected<std::string> file = writeCalibration(host, measured);
    if (!file) {
      ADD_FAILURE() << takeError(file.takeError()).second;
      return "";
    }
    return *file;
  }
  static std::string read(const std::string &file) {
    auto text = llvm::MemoryBuffer::getFile(file);
    return text ? (*text)->getBuffer().str() : "";
  }
  static void put(const std::string &file, llvm::StringRef text) {
    std::error_code code;
    llvm::raw_fd_ostream(file, code) << text;
    ASSERT_FALSE(code);
  }
  /// The text of the file with its first `from` replaced.
  static void edit(const std::string &file, llvm::StringRef from,
                   llvm::StringRef to) {
    std::string text = read(file);
    size_t at = text.find(from.str());
    ASSERT_NE(at, std::string::npos) << from.str();
    text.replace(at, from.size(), to.str());
    put(file, text);
  }
  /// The file is left aside with this note, and the host is as shipped.
  void expectIgnored(llvm::StringRef note) {
    Calibration calibration = readCalibration(host);
    EXPECT_EQ(calibration.state, Calibration::Ignored);
    EXPECT_NE(calibration.note.find(note.str()), std::string::npos)
        << calibration.note;
    EXPECT_EQ(Target::host().calibration, "");
    EXPECT_EQ(Target::host().rates, host.rates);
  }

  llvm::SmallString<128> folder;
  Target host;
  Rates measured;
};

} // namespace

TEST_F(CalibrationFile, HostTakesWhatWasWritten) {
  EXPECT_EQ(readCalibration(host).state, Calibration::None);
  EXPECT_EQ(host.calibration, "");
  std::string file = write();
  EXPECT_TRUE(llvm::StringRef(file).starts_with(folder.str())) << file;
  Target now = Target::host();
  EXPECT_EQ(now.rates, measured);
  EXPECT_EQ(now.calibration, fingerprint(measured));
  EXPECT_NE(now.describe().find("rates " + now.calibration), std::string::npos);
}

TEST_F(CalibrationFile, NamedTargetsKeepTheShippedRates) {
  auto ratesOf = [](llvm::StringRef name) {
    llvm::Expected<Target> target = Target::parse(name);
    EXPECT_TRUE(bool(target));
    return target->rates;
  };
  Rates before = ratesOf("x86-64-v3");
  write();
  EXPECT_EQ(ratesOf("x86-64-v3"), before);
  EXPECT_EQ(ratesOf("host"), measured);
  // No longer the machine that was measured.
  if (host.has("avx2")) {
    EXPECT_EQ(Target::parse("host-avx2")->calibration, "");
  }
}

TEST_F(CalibrationFile, EnvironmentLeavesItAsideOrNamesAnother) {
  std::string file = write();
  setenv("NESTOR_CALIBRATION", "off", 1);
  EXPECT_EQ(readCalibration(host).state, Calibration::Off);
  EXPECT_EQ(Target::host().rates, host.rates);
  std::string other = (folder + "/other.json").str();
  setenv("NESTOR_CALIBRATION", other.c_str(), 1);
  EXPECT_EQ(readCalibration(host).state, Calibration::None);
  put(other, read(file));
  EXPECT_EQ(Target::host().rates, measured);
}

TEST_F(CalibrationFile, DamagedFilesAreIgnored) {
  std::string file = write(), whole = read(file);
  for (size_t cut = 0; cut + 2 < whole.size(); cut += 37) {
    put(file, whole.substr(0, cut));
    EXPECT_EQ(readCalibration(host).state, Calibration::Ignored) << cut;
    EXPECT_FALSE(readCalibration(host).note.empty());
  }
  put(file, "");
  expectIgnored("JSON");
  put(file, "[1]");
  expectIgnored("not a calibration");
  put(file, std::string(100 << 10, ' '));
  expectIgnored("no small file");
  put(file, whole);
  EXPECT_EQ(readCalibration(host).state, Calibration::Used);
}

TEST_F(CalibrationFile, ValuesThatNoMachineHasAreIgnored) {
  std::string file = write(), whole = read(file);
  for (llvm::StringRef value : {"0", "-1", "1e300", "null", "\"x\"", "1e-9"}) {
    put(file, whole);
    edit(file, "\"fma_lanes\": 12.5", ("\"fma_lanes\": " + value).str());
    expectIgnored("fma_lanes");
  }
  put(file, whole);
  edit(file, "fork_cycles", "fork");
  expectIgnored("lacks 'fork_cycles'");
}

TEST_F(CalibrationFile, FilesOfOthersAreIgnored) {
  std::string file = write();
  edit(file, "\"key\": \"", "\"key\": \"other ");
  expectIgnored("another machine");
  write();
  edit(file, "calibration 1", "calibration 0");
  expectIgnored("version");
  ASSERT_FALSE(llvm::sys::fs::remove(file));
  ASSERT_FALSE(llvm::sys::fs::create_directory(file));
  expectIgnored("no small file");
}

TEST_F(CalibrationFile, WritingWhereNothingCanBeIsRefused) {
  put((folder + "/plain").str(), "");
  setenv("NESTOR_CALIBRATION", (folder + "/plain/file.json").str().c_str(), 1);
  llvm::Expected<std::string> refused = writeCalibration(host, measured);
  ASSERT_FALSE(bool(refused));
  EXPECT_EQ(takeError(refused.takeError()).first, ErrorKind::Unreadable);
}

TEST(ShippedRates, FollowTheFeatures) {
  auto ratesOf = [](llvm::StringRef name) {
    return Target::parse(name)->rates;
  };
  EXPECT_EQ(ratesOf("x86-64-v3").fmaLanes, 16);
  EXPECT_EQ(ratesOf("x86-64-v3").int8Dot, 1);
  EXPECT_EQ(ratesOf("x86-64-v3+avxvnni").int8Dot, 4);
  EXPECT_EQ(ratesOf("x86-64-v3").bf16Tile, 0);
  EXPECT_EQ(ratesOf("x86-64-v4").bf16Tile, 0);
  EXPECT_GT(ratesOf("sapphirerapids").bf16Tile, 10);
  EXPECT_GT(ratesOf("sapphirerapids").int8Tile,
            ratesOf("sapphirerapids").bf16Tile);
  EXPECT_EQ(ratesOf("x86-64-v4+amx-int8").bf16Tile, 0);
  EXPECT_EQ(ratesOf("armv8.6-a").int8Dot, 8);
}

TEST(ShippedRates, AreWithinWhatAFileMayHold) {
  for (llvm::StringRef name : Target::knownNames()) {
    if (name == "host")
      continue;
    Rates rates = Target::parse(name)->rates;
    for (const RateField &field : rateFields()) {
      EXPECT_GE(rates.*field.field, field.least) << name.str();
      EXPECT_LE(rates.*field.field, field.most) << name.str();
    }
  }
}
