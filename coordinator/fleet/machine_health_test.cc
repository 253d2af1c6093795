#include "coordinator/fleet/machine_health.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;

v1::Machine MachineWith(const std::vector<std::string>& devices) {
  v1::Machine machine;
  for (const std::string& id : devices) machine.add_devices()->set_id(id);
  return machine;
}

v1::DeviceHealth& AddDevice(v1::HealthReport& report, const std::string& id, v1::HealthState state,
                            const std::string& code = "") {
  v1::DeviceHealth& device = *report.add_devices();
  device.set_device_id(id);
  device.set_state(state);
  device.set_since_unix_ms(5);
  if (!code.empty()) {
    device.add_conditions()->set_code(code);
    device.mutable_conditions(0)->set_state(state);
  }
  return device;
}

constexpr Contact kReported = {
    .connected = true, .reported = true, .connected_unix_ms = 1'000, .last_seen_unix_ms = 2'000};
constexpr Contact kSilent = {.connected = true, .connected_unix_ms = 1'000, .last_seen_unix_ms = 2'000};
constexpr Contact kAway = {.last_seen_unix_ms = 2'000};

TEST(MachineHealth, ADeviceIsAsItsAgentSays) {
  v1::HealthReport last;
  AddDevice(last, "b", v1::HEALTH_STATE_FAILED, "nvidia.xid.79");
  AddDevice(last, "gone", v1::HEALTH_STATE_HEALTHY);
  AddDevice(last, "a", v1::HEALTH_STATE_HEALTHY);
  const v1::HealthReport now = HealthNow(MachineWith({"a", "b"}), last, kReported);
  ASSERT_EQ(now.devices_size(), 2) << "those of the machine, in its order";
  EXPECT_EQ(now.devices(0).device_id(), "a");
  EXPECT_EQ(now.devices(0).state(), v1::HEALTH_STATE_HEALTHY);
  EXPECT_EQ(now.devices(1).state(), v1::HEALTH_STATE_FAILED);
  EXPECT_EQ(now.devices(1).since_unix_ms(), 5);
}

TEST(MachineHealth, WhatIsNotNamedIsUnknown) {
  v1::HealthReport last;
  AddDevice(last, "b", static_cast<v1::HealthState>(17));
  const v1::HealthReport now = HealthNow(MachineWith({"a", "b"}), last, kReported);
  EXPECT_EQ(now.devices(0).state(), v1::HEALTH_STATE_UNKNOWN);
  EXPECT_EQ(now.devices(0).conditions(0).code(), "telemetry.silent");
  EXPECT_EQ(now.devices(1).state(), v1::HEALTH_STATE_UNKNOWN) << "a state of a newer agent";
}

TEST(MachineHealth, WhatIsNotReportedNowIsUnknownAndSaysWhatItWas) {
  v1::HealthReport last;
  AddDevice(last, "a", v1::HEALTH_STATE_FAILED, "nvidia.xid.79");
  last.add_machine_conditions()->set_code("machine-check");
  last.add_events()->set_code("nvidia.xid.79");
  for (const Contact& contact : {kSilent, kAway}) {
    const v1::HealthReport now = HealthNow(MachineWith({"a"}), last, contact);
    ASSERT_EQ(now.devices(0).conditions_size(), 2);
    EXPECT_EQ(now.devices(0).state(), v1::HEALTH_STATE_UNKNOWN);
    EXPECT_EQ(now.devices(0).conditions(0).code(), contact.connected ? "telemetry.silent" : "machine.not-connected");
    EXPECT_EQ(now.devices(0).since_unix_ms(), contact.connected ? 1'000 : 2'000);
    EXPECT_EQ(now.devices(0).conditions(1).code(), "nvidia.xid.79");
    EXPECT_EQ(now.devices(0).conditions(1).state(), v1::HEALTH_STATE_FAILED);
    EXPECT_EQ(now.machine_conditions_size(), 1);
    EXPECT_EQ(now.events_size(), 1);
  }
  EXPECT_THAT(HealthNow(MachineWith({"a"}), last, kAway).devices(0).conditions(0).message(), HasSubstr("was FAILED"));
}

TEST(MachineHealth, TooMuchIsNotTaken) {
  v1::HealthReport report;
  AddDevice(report, "a", v1::HEALTH_STATE_HEALTHY);
  for (int i = 0; i < 256; ++i) report.add_events();
  EXPECT_TRUE(CheckHealth(report).ok());
  report.add_events();
  EXPECT_THAT(CheckHealth(report).message(), HasSubstr("257 events, at most 256 are taken"));
  report.clear_events();
  for (int i = 0; i < 65; ++i) report.mutable_devices(0)->add_conditions();
  EXPECT_THAT(CheckHealth(report).message(), HasSubstr("65 conditions of one device"));
  report.Clear();
  for (int i = 0; i < 65; ++i) report.add_machine_conditions();
  EXPECT_FALSE(CheckHealth(report).ok());
  report.Clear();
  for (int i = 0; i < 1'025; ++i) report.add_devices();
  EXPECT_FALSE(CheckHealth(report).ok());
  report.Clear();
  report.add_events()->set_detail(std::string(2 << 20, 'x'));
  EXPECT_THAT(CheckHealth(report).message(), HasSubstr("bytes, at most 1048576"));

  v1::TelemetryReport telemetry;
  for (int i = 0; i < 4'096; ++i) (i == 0 ? telemetry.add_samples() : telemetry.mutable_samples(0))->add_readings();
  EXPECT_TRUE(CheckTelemetry(telemetry).ok());
  telemetry.mutable_samples(0)->add_readings();
  EXPECT_FALSE(CheckTelemetry(telemetry).ok());
  telemetry.Clear();
  for (int i = 0; i < 1'025; ++i) telemetry.add_samples();
  EXPECT_FALSE(CheckTelemetry(telemetry).ok());
}

TEST(MachineHealth, EventsAndTimesChangeNoCondition) {
  v1::HealthReport a, b;
  AddDevice(a, "a", v1::HEALTH_STATE_DEGRADED, "pcie.link-degraded");
  AddDevice(b, "a", v1::HEALTH_STATE_DEGRADED, "pcie.link-degraded");
  b.set_time_unix_ms(9);
  b.add_events();
  EXPECT_TRUE(SameConditions(a, b));
  b.mutable_devices(0)->mutable_conditions(0)->set_message("generation 3");
  EXPECT_FALSE(SameConditions(a, b));
  EXPECT_TRUE(NamesFailed(MachineWith({"a"}), [] {
    v1::HealthReport report;
    AddDevice(report, "a", v1::HEALTH_STATE_FAILED);
    return report;
  }()));
  EXPECT_FALSE(NamesFailed(MachineWith({"a"}), a));
}

}  // namespace
}  // namespace muster::coordinator
