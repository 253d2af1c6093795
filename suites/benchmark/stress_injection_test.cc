#include "suites/benchmark/stress_injection.h"

#include <gtest/gtest.h>

#include "suites/sdk/outcome.h"

namespace muster::benchmark {
namespace {

// 700 W of 700 W at the highest clock, held by its power limit.
class Healthy final : public sdk::Sensors {
 public:
  absl::StatusOr<double> PowerWatts() override { return 700.0; }
  absl::StatusOr<Energy> EnergyCounter() override { return Energy{.joules = 1000}; }
  absl::StatusOr<double> PowerLimitWatts() override { return 700.0; }
  absl::StatusOr<double> CoreCelsius() override { return 60.0; }
  absl::StatusOr<double> MemoryCelsius() override { return absl::UnimplementedError("none"); }
  absl::StatusOr<double> CoreClockHertz() override { return 2e9; }
  absl::StatusOr<double> MaxCoreClockHertz() override { return 2e9; }
  absl::StatusOr<double> MemoryClockHertz() override { return 3e9; }
  absl::StatusOr<double> BusyShare() override { return 1.0; }
  absl::StatusOr<uint64_t> ClockReasonBits() override { return 4; }
  const std::vector<sdk::ClockReason>& ClockReasons() const override {
    static const std::vector<sdk::ClockReason> reasons = {{4, "power cap", false}, {8, "hardware slowdown", true}};
    return reasons;
  }
};

TEST(StressInjection, Words) {
  EXPECT_EQ(ParseStressInjection("").kind, StressInjection::kNone);
  const StressInjection wrong = ParseStressInjection("wrong:17:130:3");
  EXPECT_EQ(wrong.kind, StressInjection::kWrong);
  EXPECT_EQ(wrong.pulse, 17u);
  EXPECT_EQ(wrong.unit, 130u);
  EXPECT_TRUE(wrong.Concerns(StressInjection::kWrong, 3));
  EXPECT_FALSE(wrong.Concerns(StressInjection::kWrong, 2));
  EXPECT_DOUBLE_EQ(ParseStressInjection("slow:20:0").share, 0.2);
  for (const char* text :
       {"wrong:1:2", "slow:100:0", "slow:x:0", "throttle", "throttle:0:1", "wrong:1:2:3:x", "hot:1"}) {
    EXPECT_THROW(ParseStressInjection(text), sdk::ToolError) << text;
  }
}

TEST(StressInjection, PowerReadsLowOnThatDeviceAlone) {
  const StressInjection injection = ParseStressInjection("lowpower:30:1");
  const auto other = WithFault(std::make_unique<Healthy>(), injection, 0);
  EXPECT_EQ(*other->PowerWatts(), 700);
  const auto faulty = WithFault(std::make_unique<Healthy>(), injection, 1);
  EXPECT_DOUBLE_EQ(*faulty->PowerWatts(), 490);
  EXPECT_DOUBLE_EQ(faulty->EnergyCounter()->joules, 700);
  EXPECT_LT(*faulty->CoreClockHertz(), 0.95 * *faulty->MaxCoreClockHertz());
  EXPECT_EQ(*faulty->ClockReasonBits(), 4u);
}

TEST(StressInjection, AThrottleIsAFault) {
  const auto faulty = WithFault(std::make_unique<Healthy>(), ParseStressInjection("throttle:0"), 0);
  EXPECT_EQ(ClockReasonNames(faulty->ClockReasons(), *faulty->ClockReasonBits()), "power cap, hardware slowdown");
}

}  // namespace
}  // namespace muster::benchmark
