#include "agent/telemetry/counter_rate.h"

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

TEST(CounterRateTest, TwoReadingsMakeARate) {
  CounterRate rate;
  EXPECT_EQ(rate.Update(100, 1000), std::nullopt);
  EXPECT_EQ(rate.Update(600, 2000), 0.5);
  EXPECT_EQ(rate.Update(600, 3000), 0);  // Nothing happened: zero is a rate.
}

TEST(CounterRateTest, ASourceThatStandsStillRepeatsForAWhile) {
  CounterRate rate;
  rate.Update(0, 0);
  rate.Update(10, 10);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(rate.Update(10, 10), 1) << i;
  EXPECT_EQ(rate.Update(10, 10), std::nullopt);
  EXPECT_EQ(rate.Update(30, 20), 2);
}

TEST(CounterRateTest, AResetIsNoRate) {
  CounterRate rate;
  rate.Update(5'000'000'000, 10);
  EXPECT_EQ(rate.Update(7, 20), std::nullopt);
  EXPECT_EQ(rate.Update(17, 30), 1);
  EXPECT_EQ(rate.Update(27, 5), std::nullopt);  // The clock went back.
  EXPECT_EQ(rate.Update(28, 6), 1);
  EXPECT_EQ(rate.Update(30, 6), std::nullopt);  // The clock stood.
}

TEST(CounterRateTest, A32BitCounterWraps) {
  CounterRate rate;
  rate.Update(UINT32_MAX, 0);
  EXPECT_EQ(rate.Update(9, 10), 1);
}

}  // namespace
}  // namespace muster::agent
