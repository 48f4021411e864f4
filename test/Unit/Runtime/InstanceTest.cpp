// Runs: right results, every wrong input named, memory bounded and reused.

#include "Fixture.h"

#include "gmock/gmock.h"
#include <chrono>
#include <cstring>
#include <thread>

using namespace nestor::rt;
using testing::HasSubstr;

namespace {

std::unique_ptr<Instance> makeInstance(InstanceOptions options = {}) {
  std::unique_ptr<Instance> instance;
  Status status = Instance::create(loadGood(), std::move(options), instance);
  EXPECT_TRUE(status.ok()) << status.message;
  return instance;
}

void expectRight(Instance &instance, const Pair &pair) {
  nst_tensor out = instance.output(0);
  ASSERT_EQ(out.rank, 2);
  ASSERT_EQ(out.dims[0], pair.dims[0]);
  auto *values = static_cast<const float *>(out.data);
  for (size_t i = 0; i < pair.x.size(); ++i)
    ASSERT_EQ(values[i], pair.expected(i)) << i;
}

TEST(Instance, RunsAndReusesItsMemory) {
  for (int threads : {1, 2, 4}) {
    InstanceOptions options;
    options.executor = std::make_shared<ThreadPool>(threads);
    auto instance = makeInstance(options);
    EXPECT_EQ(instance->arenaBytes(), 0u);
    uint64_t arena = 0;
    for (int64_t n : {3, 1000, 20, 200000, 1000}) {
      Pair pair(n);
      Status status = instance->run(pair.tensors);
      ASSERT_TRUE(status.ok()) << status.message;
      expectRight(*instance, pair);
      // Grown when needed and only then.
      EXPECT_GE(instance->arenaBytes(), arena);
      EXPECT_GE(instance->arenaBytes(), uint64_t(n) * 16);
      if (uint64_t(n) * 16 <= arena) {
        EXPECT_EQ(instance->arenaBytes(), arena);
      }
      arena = instance->arenaBytes();
    }
    instance->trim();
    EXPECT_EQ(instance->arenaBytes(), 0u);
  }
}

TEST(Instance, WritesIntoTheCallersBuffers) {
  auto instance = makeInstance();
  Pair pair(100);
  std::vector<float> out(400);
  OutputBuffer buffers[2] = {{out.data(), out.size() * 4}, {}};
  ASSERT_TRUE(instance->run(pair.tensors, buffers).ok());
  EXPECT_EQ(instance->output(0).data, out.data());
  expectRight(*instance, pair);
  EXPECT_FALSE(instance->takeOutput(0).data());
  EXPECT_TRUE(instance->takeOutput(1).data());

  buffers[0].bytes = 1596;
  Status status = instance->run(pair.tensors, buffers);
  EXPECT_EQ(status.code, Code::RunTime);
  EXPECT_THAT(status.message, HasSubstr("1600 are needed"));
  buffers[0] = {pair.x.data() + 4, 64};
  status = instance->run(pair.tensors, buffers);
  EXPECT_EQ(status.code, Code::RunTime);
  EXPECT_THAT(status.message, HasSubstr("overlaps input 'x'"));
  float both[400];
  buffers[0] = {both, 1600};
  buffers[1] = {both + 10, 4};
  EXPECT_EQ(instance->run(pair.tensors, buffers).code, Code::RunTime);
  EXPECT_EQ(instance->run(pair.tensors, std::span(buffers, 1)).code,
            Code::RunTime);
}

class WrongInput : public testing::Test {
protected:
  void expectRefused(const char *text) {
    auto instance = makeInstance();
    Status status = instance->run(tensors);
    EXPECT_EQ(status.code, Code::RunTime);
    EXPECT_THAT(status.message, HasSubstr("input 'y'"));
    EXPECT_THAT(status.message, HasSubstr(text));
    EXPECT_EQ(instance->check(tensors).code, Code::RunTime);
    // The instance is not spoilt.
    EXPECT_TRUE(instance->run(pair.tensors).ok());
  }
  Pair pair{8};
  nst_tensor tensors[2] = {pair.tensors[0], pair.tensors[1]};
};

TEST_F(WrongInput, ElementType) {
  tensors[1].dtype = NST_I32;
  expectRefused("f32[n,4] but is i32[8,4]");
  tensors[1].dtype = 77;
  expectRefused("element types differ");
}
TEST_F(WrongInput, Rank) {
  tensors[1].rank = 1;
  expectRefused("numbers of dimensions");
  tensors[1].rank = -1;
  expectRefused("malformed");
}
TEST_F(WrongInput, FixedDimension) {
  int64_t dims[2] = {8, 5};
  tensors[1].dims = dims;
  expectRefused("dimension 1 must be 4");
}
TEST_F(WrongInput, SymbolMismatch) {
  int64_t dims[2] = {7, 4};
  tensors[1].dims = dims;
  expectRefused("'n', which is 8");
}
TEST_F(WrongInput, NegativeDimension) {
  int64_t dims[2] = {-8, 4};
  tensors[1].dims = dims;
  expectRefused("negative");
}
TEST_F(WrongInput, Null) {
  tensors[1].data = nullptr;
  expectRefused("null");
  tensors[1] = pair.tensors[1];
  tensors[1].dims = nullptr;
  expectRefused("null");
}
TEST_F(WrongInput, Alignment) {
  tensors[1].data = reinterpret_cast<char *>(pair.y.data()) + 2;
  expectRefused("aligned");
}

TEST(Instance, SymbolRange) {
  auto instance = makeInstance();
  Pair pair(8);
  pair.dims[0] = 0;
  Status status = instance->run(pair.tensors);
  EXPECT_EQ(status.code, Code::RunTime);
  EXPECT_THAT(status.message, HasSubstr("'n' must lie in 1..1000000"));
  pair.dims[0] = int64_t(1) << 62;
  EXPECT_EQ(instance->run(pair.tensors).code, Code::RunTime);
  EXPECT_EQ(instance->run(std::span(pair.tensors, 1)).code, Code::RunTime);
}

TEST(Instance, AModelsOwnFailureIsReported) {
  auto instance = makeInstance();
  Pair unlucky(13), good(14);
  Status status = instance->run(unlucky.tensors);
  EXPECT_EQ(status.code, Code::RunTime);
  EXPECT_EQ(status.message, "unlucky size");
  EXPECT_TRUE(instance->run(good.tensors).ok());
}

TEST(Instance, AModelThatBreaksItsSignatureIsStopped) {
  for (auto [name, code] : {std::pair("bad-output", Code::RunTime),
                            std::pair("forgets-output", Code::Damaged)}) {
    Program::Ptr program;
    ASSERT_TRUE(Program::loadFile(fixturePath(name).c_str(), {}, program).ok());
    std::unique_ptr<Instance> instance;
    ASSERT_TRUE(Instance::create(program, {}, instance).ok());
    Pair pair(4);
    Status status = instance->run(pair.tensors);
    EXPECT_EQ(status.code, code) << status.message;
    EXPECT_THAT(status.message, HasSubstr("'out'"));
  }
}

TEST(Instance, MemoryLimit) {
  InstanceOptions options;
  options.memoryLimit = 10000;
  auto instance = makeInstance(options);
  Pair small(100), large(400);
  EXPECT_TRUE(instance->run(small.tensors).ok());
  Status status = instance->run(large.tensors);
  EXPECT_EQ(status.code, Code::Budget);
  EXPECT_THAT(status.message, HasSubstr("over the memory limit"));
  EXPECT_TRUE(instance->run(small.tensors).ok());
}

struct Counted {
  int live = 0, failAfter = 1 << 30;
  static void *allocate(void *user, uint64_t bytes, uint64_t alignment) {
    auto &self = *static_cast<Counted *>(user);
    if (self.failAfter-- <= 0)
      return nullptr;
    ++self.live;
    return aligned_alloc(alignment, bytes);
  }
  static void release(void *user, void *pointer, uint64_t) {
    --static_cast<Counted *>(user)->live;
    free(pointer);
  }
};

TEST(Instance, UsesTheCallersAllocatorAndSurvivesItsFailures) {
  Counted counted;
  Pair pair(100);
  for (int failAfter : {0, 1, 2, 100}) {
    counted.failAfter = failAfter;
    InstanceOptions options;
    options.allocator = {Counted::allocate, Counted::release, &counted};
    auto instance = makeInstance(options);
    Status status = instance->run(pair.tensors);
    EXPECT_EQ(status.code, failAfter < 3 ? Code::Budget : Code::Ok);
    counted.failAfter = 100;
    EXPECT_TRUE(instance->run(pair.tensors).ok());
    instance.reset();
    EXPECT_EQ(counted.live, 0);
  }
}

TEST(Instance, OneProgramOnManyThreads) {
  Program::Ptr program = loadGood();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 16; ++t)
    threads.emplace_back([&, t] {
      std::unique_ptr<Instance> instance;
      wrong += !Instance::create(program, {}, instance).ok();
      Pair pair(50 + t);
      for (int round = 0; round < 200; ++round) {
        wrong += !instance->run(pair.tensors).ok();
        auto *out = static_cast<const float *>(instance->output(0).data);
        for (size_t i = 0; i < pair.x.size(); ++i)
          wrong += out[i] != pair.expected(i);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Instance, CallOverheadIsSmall) {
  InstanceOptions options;
  options.executor = std::make_shared<ThreadPool>(2);
  auto instance = makeInstance(options);
  Pair pair(1);
  double best = 1e9;
  for (int round = 0; round < 20; ++round) {
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 1000; ++i)
      ASSERT_TRUE(instance->run(pair.tensors).ok());
    std::chrono::duration<double, std::micro> t =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, t.count() / 1000);
  }
  RecordProperty("microseconds", std::to_string(best));
  EXPECT_LT(best, 5.0);
}

} // namespace
