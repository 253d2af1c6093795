#include "suites/physical/pulse_train.h"

#include <gmock/gmock.h>

#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kMemory = 64 << 20;
constexpr uint32_t kItems = 32;  // Whole tiles.
constexpr uint32_t kBlockNs = 1000;

class PulseTrainTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) device_ = Device(kMemory);
  }
  std::unique_ptr<ComputeDevice> device_;
};

TEST_P(PulseTrainTest, AllResultsAreRight) {
  PulseTrain train(*device_, kItems, kBlockNs);
  const PulseReport report = train.Run({.hertz = 10'000, .pulses = 20, .seed = 7});
  EXPECT_EQ(report.wrong, 0u) << report.errors.at(0).Describe();
  EXPECT_EQ(report.pulses, 20u);
  EXPECT_FALSE(report.by_device_clock);
  // 50 blocks of a microsecond each in each pulse, of 16 steps.
  const double of_step = 128.0 * STRESS_TILES_A_STEP + 8.0 * STRESS_CHAINS + 2.0 * STRESS_WORDS;
  EXPECT_EQ(report.operations, 20.0 * 50 * 16 * kItems * device_->Traits().units * of_step);
  EXPECT_EQ(report.slowest_unit_share, 1);
}

TEST_P(PulseTrainTest, WaitsBetweenPulses) {
  PulseTrain train(*device_, kItems, kBlockNs);
  const PulseReport report = train.Run({.hertz = 10'000, .duty = 0.25, .pulses = 3, .delay_seconds = 20e-6});
  EXPECT_EQ(report.wrong, 0u);
  EXPECT_EQ(report.operations / device_->Traits().units,
            3.0 * 25 * 16 * kItems * (128.0 * STRESS_TILES_A_STEP + 8 * STRESS_CHAINS + 2 * STRESS_WORDS));
}

TEST_P(PulseTrainTest, FindsAWrongResultOfEachKindWhereItIs) {
  PulseTrain train(*device_, kItems, kBlockNs);
  const bool names = device_->Traits().names_units;
  for (const uint32_t kind : {STRESS_CHAIN, STRESS_WORD, STRESS_TILE}) {
    const PulseReport report = train.Run({.hertz = 10'000,
                                          .pulses = 5,
                                          .first_pulse = 100,
                                          .injection = PulseInjection{.pulse = 103, .unit = 1, .kind = kind}});
    ASSERT_EQ(report.errors.size(), 1u) << kind;
    EXPECT_EQ(report.wrong, 1u);
    const PulseError& error = report.errors[0];
    EXPECT_EQ(error.pulse, 103u);
    EXPECT_EQ(error.unit, 1u);
    EXPECT_EQ(error.kind, kind);
    EXPECT_NE(error.expected, error.found);
    EXPECT_THAT(error.Describe(),
                testing::HasSubstr(names ? "pulse 103 on unit 1, lane 0" : "pulse 103 on group 1, lane 0"));
  }
}

TEST_P(PulseTrainTest, CalibratesWithoutAClock) {
  PulseTrain train(*device_, kItems);
  const PulseReport report = train.Run({.hertz = 100, .pulses = 2});
  EXPECT_EQ(report.wrong, 0u);
  EXPECT_GT(report.operations, 0);
  EXPECT_GT(report.hertz, 0);
}

TEST_P(PulseTrainTest, TrainsAreShort) {
  PulseTrain train(*device_, kItems, kBlockNs);
  EXPECT_EQ(train.MostPulses(1), 1u);
  EXPECT_EQ(train.MostPulses(100), 25u);
  EXPECT_EQ(train.MostPulses(10'000), 2500u);
  EXPECT_THROW(train.Run({.hertz = 1000, .pulses = 300}), sdk::ToolError);
  EXPECT_THROW(train.Run({.hertz = 1000, .duty = 0}), sdk::ToolError);
}

INSTANTIATE_TEST_SUITE_P(On, PulseTrainTest, testing::Values("host", "opencl"), DeviceTestName);

// No start ever comes: the device does not wait for good.
TEST(PulseTrain, WithoutAStartItGoesOnAfterAWhile) {
  HostDevice device(kMemory);
  PulseTrain train(device, kItems, kBlockNs);
  bool queued = false;
  const PulseReport report = train.Run({.hertz = 10'000, .pulses = 2}, [&] { queued = true; });
  EXPECT_TRUE(queued);
  EXPECT_EQ(report.wrong, 0u);
}

}  // namespace
}  // namespace muster::physical
