// The suites' sensors over the simulated driver and the real loader.
#include "suites/sdk/sensors.h"

#include <gmock/gmock.h>

#include "suites/sdk/level_zero.h"
#include "tests/hardware_sim/level_zero/level_zero_fixture.h"
#include "tests/hardware_sim/world.h"

namespace muster::sim::ze {
namespace {

using sdk::Sensors;

class SensorsTest : public LevelZeroTest {
 protected:
  void Open(const std::string& device) {
    SetScenario("machines { name: 'm' devices { " + device + " } }");
    const auto live = LiveWorld::FromEnvironment();
    ASSERT_TRUE(live.ok()) << live.status();
    const v1::Device& leased = (*live)->world()->devices().at(0).device;
    auto sensors = Sensors::Open(leased);
    ASSERT_TRUE(sensors.ok()) << sensors.status();
    sensors_ = *std::move(sensors);
  }
  std::unique_ptr<Sensors> sensors_;
};

TEST_F(SensorsTest, AnArcSaysWhatTheScenarioSays) {
  Open("model: ARC_A770 load { constant: 0.5 } fields { field: TEMPERATURE labels: 'core' curve { constant: 71 } }");
  EXPECT_TRUE(absl::IsUnimplemented(sensors_->PowerWatts().status()));
  const auto first = sensors_->EnergyCounter();
  ASSERT_TRUE(first.ok()) << first.status();
  Await([&] { return sensors_->EnergyCounter()->seconds > first->seconds + 0.05; });
  const auto second = sensors_->EnergyCounter();
  const double watts = (second->joules - first->joules) / (second->seconds - first->seconds);
  EXPECT_GT(watts, 20);
  EXPECT_LT(watts, *sensors_->PowerLimitWatts());
  EXPECT_EQ(sensors_->CoreCelsius().value(), 71);
  EXPECT_GT(sensors_->CoreClockHertz().value(), 3e8);
  EXPECT_LE(sensors_->CoreClockHertz().value(), sensors_->MaxCoreClockHertz().value());
  EXPECT_EQ(ClockReasonNames(sensors_->ClockReasons(), sensors_->ClockReasonBits().value()), "none");
  EXPECT_TRUE(absl::IsUnavailable(sensors_->BusyShare().status()));
  Await([&] { return sensors_->BusyShare().ok(); });
  EXPECT_NEAR(sensors_->BusyShare().value(), 0.5, 0.5);
}

TEST_F(SensorsTest, ClockReasonsThatAreFaultsAreToldApart) {
  Open("model: MAX_1550 load { constant: 1 } faults { throttle { reason: 'hw_power_brake' } }");
  const uint64_t bits = sensors_->ClockReasonBits().value();
  EXPECT_THAT(ClockReasonNames(sensors_->ClockReasons(), bits), testing::HasSubstr("power supply alert"));
  bool fault = false;
  for (const sdk::ClockReason& reason : sensors_->ClockReasons()) fault |= reason.fault && (bits & reason.bit) != 0;
  EXPECT_TRUE(fault);
}

TEST_F(SensorsTest, WhatADriverRefusesIsNoReading) {
  Open("model: ARC_A770 faults { call_fails { function: 'zesTemperatureGetState' result: 0x70010000 } }");
  EXPECT_TRUE(absl::IsPermissionDenied(sensors_->CoreCelsius().status())) << sensors_->CoreCelsius().status();
}

TEST_F(SensorsTest, ALostDeviceIsLost) {
  Open("model: ARC_A770 faults { call_fails { function: 'zesFrequencyGetState' result: 0x70000001 } }");
  EXPECT_TRUE(absl::IsUnavailable(sensors_->CoreClockHertz().status())) << sensors_->CoreClockHertz().status();
}

}  // namespace
}  // namespace muster::sim::ze
