//===- EmulatedTest.cpp - Records as code, against their semantics --------===//
//
// The emulated lowering runs on every machine, the real one where the CPU has
// the instruction.
//
//===----------------------------------------------------------------------===//
#include "RecordKernel.h"

#include "nestor/Runtime/CpuFeatures.h"
#include "nestor/Support/Error.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

namespace {
struct RecordCode : testing::TestWithParam<const Record *> {
  MLIRContext context;
  const Record &record = *GetParam();
  RecordCode() { intrin::loadDialects(context); }

  /// Rounding that regrouping a sum of products may cost.
  double tolerance(const Plan &plan, Data data) const {
    if (record.numerics != Numerics::Grouped || data == Data::SmallIntegers)
      return 0;
    double terms = plan.steps * record.axes[kK].extent;
    return terms * 4 * std::ldexp(1.0, -22);
  }

  void compare(const Plan &plan, const Target *device) {
    auto native = Native::make(context, record, plan, device);
    ASSERT_TRUE(bool(native)) << takeError(native.takeError()).second;
    for (Data data : {Data::SmallIntegers, Data::Random, Data::Extreme}) {
      // Flushed denormals and overflow are the architecture's: DotTest.
      if (data == Data::Extreme && record.numerics == Numerics::Grouped)
        continue;
      Matrices matrices = makeMatrices(context, record, plan, data, 7);
      HostTensor expected = runSemantics(context, record, plan, matrices);
      EXPECT_EQ(differences(record, (*native)->run(matrices), expected,
                            tolerance(plan, data)),
                "")
          << "data " << static_cast<int>(data);
    }
  }

  /// A plan whose last row and column are cut, where the record allows.
  Plan cutPlan() const {
    Plan plan{2, 2, 2, 0, 0};
    if (record.axes[kM].tail == Tail::Shrink)
      plan.lastM = record.axes[kM].extent - 5;
    if (record.axes[kN].tail != Tail::Pad)
      plan.lastN =
          record.axes[kN].extent - 3 > 0 ? record.axes[kN].extent - 3 : 1;
    return plan;
  }
};
} // namespace

INSTANTIATE_TEST_SUITE_P(All, RecordCode, testing::ValuesIn(allRecords()),
                         testName);

TEST_P(RecordCode, EmulatedComputesTheSemantics) {
  compare({2, 2, 3, 0, 0}, /*device=*/nullptr);
}

TEST_P(RecordCode, EmulatedKeepsToItsTails) {
  compare(cutPlan(), /*device=*/nullptr);
}

TEST_P(RecordCode, RealComputesTheSemantics) {
  static const Target host = Target::host();
  if (!record.availableOn(host))
    GTEST_SKIP() << "skipped: no " << record.features;
  if (record.acc().place == Place::Tile && !rt::requestAmx().ok())
    GTEST_SKIP() << "skipped: AMX is not granted";
  compare({2, 2, 3, 0, 0}, &host);
  compare(cutPlan(), &host);
}
