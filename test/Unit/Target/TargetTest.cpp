//===- TargetTest.cpp - Names, features and what follows from them --------===//
#include "nestor/Target/Target.h"
#include "nestor/Support/Error.h"

#include <gtest/gtest.h>

using namespace nestor;

static Target mustParse(llvm::StringRef text) {
  llvm::Expected<Target> target = Target::parse(text);
  if (!target) {
    ADD_FAILURE() << takeError(target.takeError()).second;
    return Target();
  }
  return *target;
}

TEST(Target, HostRunsHere) {
  Target host = mustParse("host");
  EXPECT_TRUE(host.runsHere()) << host.missingHere();
  EXPECT_GE(host.vectorBits, 128u);
  EXPECT_GE(host.cores, 1u);
  EXPECT_NE(host.describe().find("host: "), std::string::npos);
}

TEST(Target, LevelsGiveWidthAndRegisters) {
  Target v3 = mustParse("x86-64-v3");
  EXPECT_EQ(v3.vectorBits, 256u);
  EXPECT_EQ(v3.vectorRegisters, 16u);
  EXPECT_TRUE(v3.has("fma") && v3.has("f16c") && !v3.has("avx512f"));
  EXPECT_EQ(v3.kind(), "avx2");
  Target v4 = mustParse("x86-64-v4");
  EXPECT_EQ(v4.vectorBits, 512u);
  EXPECT_EQ(v4.vectorRegisters, 32u);
  EXPECT_EQ(v4.kind(), "avx512");
  EXPECT_EQ(mustParse("sapphirerapids").kind(), "amx");
  Target arm = mustParse("armv8.6-a");
  EXPECT_EQ(arm.vectorBits, 128u);
  EXPECT_EQ(arm.kind(), "neon");
  EXPECT_FALSE(arm.runsHere() && v3.runsHere());
}

TEST(Target, FeaturesAreAddedAndRemovedWithWhatTheyImply) {
  Target plus = mustParse("x86-64-v4+avx512vnni");
  EXPECT_TRUE(plus.has("avx512vnni"));
  EXPECT_EQ(plus.cpu, "x86-64-v4");
  Target less = mustParse("x86-64-v4-avx512f");
  EXPECT_FALSE(less.has("avx512bw"));
  EXPECT_EQ(less.vectorBits, 256u);
  EXPECT_EQ(less.cpu, "x86-64-v3");
  EXPECT_TRUE(mustParse("x86-64-v4+amx-int8").has("amx-tile"));
}

TEST(Target, RequiredFeaturesAreNames) {
  std::string text = mustParse("x86-64-v3").requiredFeatures();
  EXPECT_NE(text.find("avx2"), std::string::npos);
  EXPECT_EQ(text.find('+'), std::string::npos);
}

TEST(Target, UnknownNamesAreRefused) {
  llvm::Expected<Target> target = Target::parse("pentium");
  ASSERT_FALSE(bool(target));
  auto [kind, text] = takeError(target.takeError());
  EXPECT_EQ(kind, ErrorKind::TargetMissing);
  EXPECT_NE(text.find("x86-64-v3"), std::string::npos);
  llvm::Expected<Target> feature = Target::parse("x86-64-v3+warp");
  ASSERT_FALSE(bool(feature));
  EXPECT_EQ(takeError(feature.takeError()).first, ErrorKind::Usage);
  llvm::Expected<Target> other = Target::parse("host+neon+avx2");
  EXPECT_FALSE(bool(other));
  llvm::consumeError(other.takeError());
}
