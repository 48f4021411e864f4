// A pool of contexts: they are replaced in time, live as long as a schedule in
// them, and schedules travel between them as text.
#include "nestor/Schedule/ContextPool.h"

#include "nestor/Schedule/Extension.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

namespace {
const char *kCopy = R"mlir(
nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
  nest.for %i = 0 to 48 {
    nest.block "B" (%v : spatial = %i to 48) {
      %a = memref.load %A[%v] : memref<48xf32>
      memref.store %a, %B[%v] : memref<48xf32>
    }
  }
})mlir";

std::unique_ptr<MLIRContext> makeContext() {
  DialectRegistry registry;
  registry.insert<nest::NestDialect>();
  registerScheduleExtension(registry);
  auto context =
      std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

TEST(ContextPoolTest, SchedulesTravelAsText) {
  ContextPool pool(makeContext, kCopy, 3);
  Random random(1);
  std::vector<ContextPool::Lease> kept;
  std::string text;
  for (int i = 0; i < 10; ++i) {
    auto lease = pool.take();
    ASSERT_TRUE(bool(lease)) << lease.getOutcome().getText();
    Schedule &s = lease->getSchedule();
    auto loops = s.getLoops(*s.getBlock("B"));
    auto tile = s.samplePerfectTile((*loops)[0], 2, 8, random);
    ASSERT_TRUE(bool(s.split((*loops)[0], *tile)));
    text = s.print();
    if (i % 4 == 0)
      kept.push_back(std::move(*lease));
  }
  EXPECT_EQ(pool.countContexts(), 4u);
  auto again = pool.replay(text);
  ASSERT_TRUE(bool(again)) << again.getOutcome().getText();
  EXPECT_EQ(again->getSchedule().print(), text);
  for (ContextPool::Lease &lease : kept)
    EXPECT_TRUE(bool(lease.getSchedule().getBlock("B")));
  EXPECT_TRUE(pool.replay("nonsense").isRefused());
}

TEST(ContextPoolTest, AKernelThatCannotBeReadIsRefused) {
  EXPECT_TRUE(ContextPool(makeContext, "nonsense").take().isRefused());
  EXPECT_TRUE(ContextPool(makeContext, "module {}").take().isRefused());
}
} // namespace
