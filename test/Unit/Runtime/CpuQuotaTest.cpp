// Control group limits are read from a tree that the test writes.

#include "nestor/Runtime/CpuQuota.h"

#include "gtest/gtest.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

using namespace nestor::rt;

namespace {

class Quota : public testing::Test {
protected:
  void SetUp() override {
    // Tests run side by side.
    root = testing::TempDir() + "nestor-cgroup-" + std::to_string(getpid());
    std::filesystem::remove_all(root);
  }
  void TearDown() override { std::filesystem::remove_all(root); }
  void write(const std::string &path, const std::string &text) {
    std::filesystem::path file = root + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::string root;
};

TEST_F(Quota, NoneWithoutGroups) { EXPECT_EQ(cgroupCpus(root), 0); }

TEST_F(Quota, Version2TakesTheLeastOnTheWayUp) {
  write("/proc/self/cgroup", "0::/a/b\n");
  write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroupCpus(root), 0);
  write("/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(cgroupCpus(root), 1.5);
  write("/sys/fs/cgroup/cpu.max", "400000 100000\n");
  EXPECT_DOUBLE_EQ(cgroupCpus(root), 1.5);
}

TEST_F(Quota, Version1) {
  write("/proc/self/cgroup", "4:memory:/x\n3:cpu,cpuacct:/x/y\n0::/\n");
  write("/sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us", "200000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(cgroupCpus(root), 2);
  write("/sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(cgroupCpus(root), 0);
}

TEST_F(Quota, ContainersSeeTheirGroupAtTheMountsRoot) {
  write("/proc/self/cgroup", "0::/../outside\n");
  write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_DOUBLE_EQ(cgroupCpus(root), 0.5);
}

TEST_F(Quota, MalformedFilesMeanNoLimit) {
  write("/proc/self/cgroup", "0::/\nnonsense\n:::\n1:cpu\n");
  write("/sys/fs/cgroup/cpu.max", "many few\n");
  EXPECT_EQ(cgroupCpus(root), 0);
}

TEST(DefaultThreads, IsAtLeastOne) {
  EXPECT_GE(defaultThreads(), 1);
  EXPECT_GE(affinityCpus(), defaultThreads());
}

} // namespace
