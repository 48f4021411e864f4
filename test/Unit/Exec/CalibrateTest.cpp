//===- CalibrateTest.cpp - Measured rates are those of a machine ----------===//
#include "nestor/Exec/Calibrate.h"
#include "nestor/Target/Calibration.h"

#include <chrono>
#include <gtest/gtest.h>

using namespace nestor;

TEST(Calibrate, RatesAreOfAMachine) {
  Target host = Target::host();
  auto start = std::chrono::steady_clock::now();
  Rates rates = measureRates(host);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  // About one second; others may want the cores.
  EXPECT_LT(time.count(), 20);
  for (const RateField &field : rateFields()) {
    EXPECT_GE(rates.*field.field, field.least) << field.name.str();
    EXPECT_LE(rates.*field.field, field.most) << field.name.str();
  }
  if (host.has("fma"))
    EXPECT_GE(rates.fmaLanes, 4);
  EXPECT_GE(rates.l1Bytes, rates.memoryBytes);
  EXPECT_EQ(rates.bf16Tile > 0, host.rates.bf16Tile > 0);
}
