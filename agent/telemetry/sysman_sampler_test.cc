#include "agent/telemetry/sysman_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "agent/telemetry/sysman_fake.h"

namespace muster::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kAddress[] = "0000:03:00.0";
constexpr int64_t kSecond = 1'000'000;

class SysmanSamplerTest : public ::testing::Test {
 protected:
  void StartSampler() {
    sampler_.emplace(calls_, marker_, [this] { return now_us_; });
    ASSERT_TRUE(sampler_->Start().ok());
  }

  // What a turn gives after a second; its first reading of the counters comes before that.
  ReadingSet Turn() {
    if (!sampler_) StartSampler();
    sampler_->Prepare(kAddress);
    Advance(kSecond);
    ReadingSet readings = sampler_->Read(kAddress);
    EXPECT_EQ(marker_.mistakes, 0);
    EXPECT_FALSE(marker_.open);
    return readings;
  }

  void Advance(int64_t us) {
    now_us_ += us;
    fake_.Advance(us);
  }

  static std::optional<double> Value(const ReadingSet& readings, v1::TelemetryField field,
                                     const ReadingLabels& labels) {
    const ReadingSet::Entry* entry = readings.Find(field, labels);
    return entry == nullptr ? std::nullopt : entry->value;
  }
  static v1::Absence Absence(const ReadingSet& readings, v1::TelemetryField field, const ReadingLabels& labels) {
    const ReadingSet::Entry* entry = readings.Find(field, labels);
    EXPECT_TRUE(entry != nullptr && !entry->value) << v1::TelemetryField_Name(field);
    return entry == nullptr ? v1::ABSENCE_UNSPECIFIED : entry->absence;
  }

  FakeSysman fake_;
  RecordingMarker marker_;
  SysmanCalls calls_ = FakeSysman::Calls();
  int64_t now_us_ = 1;
  std::optional<SysmanSampler> sampler_;
};

TEST_F(SysmanSamplerTest, ReadsEverythingThatTheCardHas) {
  const ReadingSet readings = Turn();
  EXPECT_THAT(sampler_->Devices(), ElementsAre(kAddress));
  EXPECT_EQ(Value(readings, v1::TEMPERATURE, {"core"}), 55);
  EXPECT_EQ(Value(readings, v1::TEMPERATURE, {"memory"}), 60);
  EXPECT_EQ(Value(readings, v1::TEMPERATURE_LIMIT, {"throttle"}), 100);
  EXPECT_EQ(Value(readings, v1::POWER, {"card"}), 180);
  EXPECT_EQ(Value(readings, v1::ENERGY, {"card"}), 180);
  EXPECT_EQ(Value(readings, v1::POWER_LIMIT, {"enforced"}), 190);
  EXPECT_EQ(Value(readings, v1::POWER_LIMIT, {"default"}), 225);
  EXPECT_EQ(Value(readings, v1::CLOCK, {"graphics"}), 2.4e9);
  EXPECT_EQ(Value(readings, v1::CLOCK_MAX, {"graphics"}), 2.45e9);
  EXPECT_EQ(Value(readings, v1::CLOCK_MAX, {"memory"}), 2.187e9);
  EXPECT_EQ(Value(readings, v1::UTILIZATION, {"gpu"}), 0.75);
  EXPECT_EQ(Value(readings, v1::UTILIZATION, {"compute"}), 0.5);
  EXPECT_EQ(Value(readings, v1::UTILIZATION, {"memory"}), 0.25);
  EXPECT_EQ(Value(readings, v1::ENGINE_ACTIVE_SECONDS, {"gpu"}), 0.75);
  EXPECT_EQ(Value(readings, v1::MEMORY_SIZE, {}), 16'000);
  EXPECT_EQ(Value(readings, v1::MEMORY_USED, {}), 6'000);
  EXPECT_EQ(Value(readings, v1::MEMORY_FREE, {}), 9'000);
  EXPECT_EQ(Value(readings, v1::MEMORY_RESERVED, {}), 1'000);
  EXPECT_EQ(Value(readings, v1::MEMORY_READ_BYTES, {}), 250);
  EXPECT_EQ(Value(readings, v1::MEMORY_BANDWIDTH_MAX, {}), 1'000);
  EXPECT_EQ(Value(readings, v1::PCIE_LINK_GENERATION, {}), 3);
  EXPECT_EQ(Value(readings, v1::PCIE_LINK_LANES_MAX, {}), 16);
  EXPECT_EQ(Value(readings, v1::PCIE_BYTES, {"receive"}), 2'000'000);
  EXPECT_EQ(Value(readings, v1::PCIE_THROUGHPUT, {"transmit"}), 3'000'000);
  EXPECT_EQ(Value(readings, v1::PCIE_REPLAYS, {}), 0);
  EXPECT_EQ(Value(readings, v1::RAS_ERRORS, {"corrected", "cache"}), 6);
  EXPECT_EQ(Value(readings, v1::RAS_ERRORS, {"corrected", "reset"}), 1);  // Not what the extension says once more.
  EXPECT_EQ(Value(readings, v1::RAS_ERRORS, {"corrected", "memory"}), 5);
  EXPECT_EQ(Value(readings, v1::FAN_SPEED_RPM, {"0"}), 1500);
  EXPECT_EQ(Value(readings, v1::FAN_SPEED_RATIO, {"0"}), 0.5);
  EXPECT_EQ(Value(readings, v1::LINK_UP, {"0"}), 1);
  EXPECT_EQ(Value(readings, v1::LINK_UP, {"1"}), 0);
  EXPECT_EQ(Value(readings, v1::LINK_BANDWIDTH, {"0"}), 40);
  EXPECT_EQ(Value(readings, v1::LINK_BYTES, {"0", "transmit"}), 20);
  EXPECT_EQ(Value(readings, v1::PROCESSES, {"compute"}), 2);
  EXPECT_EQ(Value(readings, v1::PROCESSES, {"graphics"}), 1);
  EXPECT_EQ(Value(readings, v1::WEDGED, {}), 0);
}

TEST_F(SysmanSamplerTest, SentinelsAreNoValues) {
  const ReadingSet readings = Turn();
  EXPECT_EQ(Absence(readings, v1::TEMPERATURE_LIMIT, {"memory_throttle"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(readings, v1::POWER_LIMIT, {"minimum"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(readings, v1::CLOCK, {"memory"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(readings, v1::RAS_ERRORS, {"uncorrected", "cache"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(readings, v1::LINK_BANDWIDTH, {"1"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(readings.Find(v1::POWER_LIMIT, {"burst"}), nullptr);
  EXPECT_EQ(readings.Find(v1::POWER_LIMIT, {"peak"}), nullptr);  // In amperes.
}

TEST_F(SysmanSamplerTest, NoSentinelAnywhereIsAValue) {
  fake_.sensors = {{.type = ZES_TEMP_SENSORS_GPU, .celsius = -1, .limit = -1}};
  fake_.powers[0].sustained_mw = fake_.powers[0].default_mw = -1;
  fake_.clocks = {{.domain = ZES_FREQ_DOMAIN_GPU, .mhz = -1, .max_mhz = -1}};
  fake_.memories = {{.physical = UINT64_MAX, .size = UINT64_MAX, .free = UINT64_MAX, .read = UINT64_MAX}};
  fake_.fans = {{.rpm = -1, .percent = -1, .max_rpm = -1}};
  fake_.link = fake_.max_link = {-1, -1, -1};
  fake_.has_bandwidth_counters = fake_.has_replay_counters = false;
  for (auto& set : fake_.ras) std::fill(std::begin(set.categories), std::end(set.categories), UINT64_MAX);
  fake_.ports = {{.status = ZES_FABRIC_PORT_STATUS_UNKNOWN, .received = UINT64_MAX, .sent = UINT64_MAX}};
  fake_.engines.clear();
  v1::DeviceSample sample;
  Turn().AppendTo(sample);
  std::vector<std::string> values;
  for (const v1::Reading& reading : sample.readings()) {
    EXPECT_NE(reading.has_value(), reading.absence() != v1::ABSENCE_UNSPECIFIED);
    if (!reading.has_value()) continue;
    EXPECT_GE(reading.value(), 0) << reading.ShortDebugString();
    EXPECT_LT(reading.value(), 1e15) << reading.ShortDebugString();
    values.push_back(v1::TelemetryField_Name(reading.field()));
  }
  // Power and energy, throttle reasons, wedged, processes, and the one error category of the extension are all there
  // is.
  EXPECT_EQ(std::count(values.begin(), values.end(), "POWER_LIMIT"), 0);
  EXPECT_EQ(std::count(values.begin(), values.end(), "TEMPERATURE"), 0);
  EXPECT_EQ(std::count(values.begin(), values.end(), "RAS_ERRORS"), 2);
  EXPECT_EQ(std::count(values.begin(), values.end(), "MEMORY_SIZE"), 0);
  EXPECT_EQ(std::count(values.begin(), values.end(), "LINK_UP"), 0);
}

TEST_F(SysmanSamplerTest, EachResultHasItsAbsence) {
  struct Case {
    ze_result_t result;
    v1::Absence absence;
  };
  for (const Case& one :
       {Case{ZE_RESULT_ERROR_UNSUPPORTED_FEATURE, v1::ABSENCE_UNSUPPORTED},
        Case{ZE_RESULT_ERROR_UNSUPPORTED_ENUMERATION, v1::ABSENCE_UNSUPPORTED},
        Case{ZE_RESULT_ERROR_NOT_AVAILABLE, v1::ABSENCE_UNSUPPORTED},
        Case{ZE_RESULT_ERROR_UNINITIALIZED, v1::ABSENCE_UNSUPPORTED},  // The device answers otherwise.
        Case{ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS, v1::ABSENCE_NOT_PERMITTED},
        Case{ZE_RESULT_ERROR_DEVICE_LOST, v1::ABSENCE_FAILING}, Case{ZE_RESULT_ERROR_UNKNOWN, v1::ABSENCE_FAILING}}) {
    for (const char* call : {"zesTemperatureGetState", "zesDeviceEnumTemperatureSensors"}) {
      sampler_.reset();
      fake_.results = {{call, one.result}};
      const ReadingSet readings = Turn();
      EXPECT_EQ(Absence(readings, v1::TEMPERATURE, {"core"}), one.absence) << call << one.result;
      EXPECT_EQ(Value(readings, v1::WEDGED, {}), 0);  // The others are not harmed.
    }
  }
}

TEST_F(SysmanSamplerTest, WhatIsUnsupportedIsAskedOnce) {
  fake_.results = {{"zesDeviceGetState", ZE_RESULT_ERROR_UNSUPPORTED_FEATURE},
                   {"zesDeviceEnumFans", ZE_RESULT_ERROR_UNSUPPORTED_FEATURE},
                   {"zesPowerGetEnergyCounter", ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS}};
  calls_.zesDeviceProcessesGetState = nullptr;
  for (int i = 0; i < 3; ++i) {
    const ReadingSet readings = Turn();
    EXPECT_EQ(Absence(readings, v1::WEDGED, {}), v1::ABSENCE_UNSUPPORTED);
    EXPECT_EQ(Absence(readings, v1::FAN_SPEED_RPM, {"0"}), v1::ABSENCE_UNSUPPORTED);
    EXPECT_EQ(Absence(readings, v1::PROCESSES, {"compute"}), v1::ABSENCE_UNSUPPORTED);
    EXPECT_EQ(Absence(readings, v1::POWER, {"card"}), v1::ABSENCE_NOT_PERMITTED);
  }
  EXPECT_EQ(fake_.calls["zesDeviceGetState"], 1);
  EXPECT_EQ(fake_.calls["zesDeviceEnumFans"], 1);
  EXPECT_EQ(fake_.calls["zesPowerGetEnergyCounter"], 4);         // Asked again: permissions change.
  EXPECT_EQ(fake_.calls["zesDeviceEnumTemperatureSensors"], 2);  // Count and handles, once.
}

TEST_F(SysmanSamplerTest, WhatHasWorkedFailsRatherThanNotBeingThere) {
  EXPECT_EQ(Value(Turn(), v1::TEMPERATURE, {"core"}), 55);
  fake_.results = {{"zesTemperatureGetState", ZE_RESULT_ERROR_NOT_AVAILABLE}};
  EXPECT_EQ(Absence(Turn(), v1::TEMPERATURE, {"core"}), v1::ABSENCE_FAILING);
  fake_.results.clear();
  EXPECT_EQ(Value(Turn(), v1::TEMPERATURE, {"core"}), 55);
}

TEST_F(SysmanSamplerTest, ALostDeviceFailsAndComesBackWithNewHandles) {
  Turn();
  for (const ze_result_t result : {ZE_RESULT_ERROR_DEVICE_LOST, ZE_RESULT_ERROR_UNINITIALIZED}) {
    fake_.results = {{"", result}};
    for (int i = 0; i < 2; ++i) {
      const ReadingSet readings = Turn();
      for (const auto field : {v1::TEMPERATURE, v1::CLOCK, v1::POWER, v1::MEMORY_SIZE, v1::RAS_ERRORS, v1::LINK_UP}) {
        v1::DeviceSample sample;
        readings.AppendTo(sample);
        for (const v1::Reading& reading : sample.readings()) {
          if (reading.field() == field && !reading.has_value()) {
            EXPECT_NE(reading.absence(), v1::ABSENCE_NOT_PERMITTED);
          }
        }
      }
      EXPECT_EQ(Absence(readings, v1::TEMPERATURE, {"core"}), v1::ABSENCE_FAILING);
      EXPECT_EQ(Absence(readings, v1::WEDGED, {}), v1::ABSENCE_FAILING);
      EXPECT_EQ(Absence(readings, v1::FAN_SPEED_RPM, {"0"}), v1::ABSENCE_FAILING);
    }
    // Other handles than before.
    fake_.results.clear();
    fake_.sensors.push_back({.type = ZES_TEMP_SENSORS_GLOBAL, .celsius = 70});
    const ReadingSet readings = Turn();
    EXPECT_EQ(Value(readings, v1::TEMPERATURE, {"core"}), 55);
    EXPECT_EQ(Value(readings, v1::TEMPERATURE, {"hotspot"}), 70);
    EXPECT_EQ(Value(readings, v1::POWER, {"card"}), 180);
  }
}

TEST_F(SysmanSamplerTest, TilesAreOneCard) {
  fake_.sensors = {{.type = ZES_TEMP_SENSORS_GPU, .celsius = 50, .tile = 0},
                   {.type = ZES_TEMP_SENSORS_GPU, .celsius = 60, .tile = 1}};
  fake_.powers = {{.domain = ZES_POWER_DOMAIN_STACK, .watts = 200, .tile = 0, .sustained_mw = 300'000},
                  {.domain = ZES_POWER_DOMAIN_STACK, .watts = 100, .tile = 1, .sustained_mw = 300'000}};
  fake_.clocks = {{.domain = ZES_FREQ_DOMAIN_GPU, .mhz = 1600, .max_mhz = 1600, .tile = 0},
                  {.domain = ZES_FREQ_DOMAIN_GPU,
                   .mhz = 900,
                   .max_mhz = 1600,
                   .throttled = ZES_FREQ_THROTTLE_REASON_FLAG_THERMAL_LIMIT,
                   .tile = 1}};
  fake_.engines = {{.type = ZES_ENGINE_GROUP_ALL, .busy = 1, .tile = 0},
                   {.type = ZES_ENGINE_GROUP_ALL, .busy = 0.5, .tile = 1}};
  fake_.memories = {{.physical = 64, .size = 60, .free = 10, .tile = 0},
                    {.physical = 64, .size = 60, .free = 20, .tile = 1}};
  const ReadingSet readings = Turn();
  EXPECT_EQ(Value(readings, v1::TEMPERATURE, {"core"}), 60);
  EXPECT_EQ(Value(readings, v1::POWER, {"gpu"}), 300);
  EXPECT_EQ(Value(readings, v1::POWER_LIMIT, {"enforced"}), 600);
  EXPECT_EQ(Value(readings, v1::CLOCK, {"graphics"}), 1.6e9);
  EXPECT_EQ(Value(readings, v1::THROTTLED, {"thermal"}), 1);
  EXPECT_EQ(Value(readings, v1::THROTTLED, {"power"}), 0);
  EXPECT_EQ(Value(readings, v1::UTILIZATION, {"gpu"}), 0.75);
  EXPECT_EQ(Value(readings, v1::MEMORY_SIZE, {}), 128);
  EXPECT_EQ(Value(readings, v1::MEMORY_USED, {}), 90);
}

TEST_F(SysmanSamplerTest, ThrottleReasons) {
  struct Case {
    uint32_t flags;
    const char* reason;
  };
  for (const Case& one :
       {Case{ZES_FREQ_THROTTLE_REASON_FLAG_AVE_PWR_CAP, "power"},
        Case{ZES_FREQ_THROTTLE_REASON_FLAG_BURST_PWR_CAP, "power"},
        Case{ZES_FREQ_THROTTLE_REASON_FLAG_CURRENT_LIMIT, "current"},
        Case{ZES_FREQ_THROTTLE_REASON_FLAG_THERMAL_LIMIT, "thermal"},
        Case{ZES_FREQ_THROTTLE_REASON_FLAG_PSU_ALERT, "hw_power_brake"},
        Case{ZES_FREQ_THROTTLE_REASON_FLAG_SW_RANGE, "setting"}, Case{ZES_FREQ_THROTTLE_REASON_FLAG_HW_RANGE, "other"},
        Case{1u << 7, "other"}, Case{1u << 8, "thermal"}, Case{1u << 9, "power"}, Case{1u << 30, "other"},
        Case{0, "none of them"}}) {
    fake_.clocks[0].throttled = one.flags;
    const ReadingSet readings = Turn();
    for (const char* reason : {"power", "thermal", "hw_power_brake", "current", "setting", "other"}) {
      EXPECT_EQ(Value(readings, v1::THROTTLED, {reason}), reason == std::string(one.reason) ? 1 : 0)
          << one.flags << " " << reason;
    }
  }
}

TEST_F(SysmanSamplerTest, EnginesThatCountInTicks) {
  fake_.engines = {{.type = ZES_ENGINE_GROUP_COMPUTE_SINGLE, .busy = 0.25, .ticks_per_us = 19.2},
                   {.type = ZES_ENGINE_GROUP_COMPUTE_SINGLE, .busy = 0.5, .ticks_per_us = 19.2},
                   {.type = ZES_ENGINE_GROUP_COPY_SINGLE, .busy = 1, .ticks_per_us = 19.2}};
  ReadingSet readings = Turn();
  EXPECT_NEAR(*Value(readings, v1::UTILIZATION, {"compute"}), 0.5, 1e-6);
  EXPECT_NEAR(*Value(readings, v1::UTILIZATION, {"gpu"}), 1, 1e-6);  // The busiest, for want of a group of all.
  EXPECT_NEAR(*Value(readings, v1::ENGINE_ACTIVE_SECONDS, {"compute"}), 0.5, 1e-6);
  readings = Turn();
  EXPECT_NEAR(*Value(readings, v1::ENGINE_ACTIVE_SECONDS, {"compute"}), 1, 1e-6);
}

TEST_F(SysmanSamplerTest, ACounterThatJumpsIsNoPower) {
  EXPECT_EQ(Value(Turn(), v1::POWER, {"card"}), 180);
  fake_.powers[0].energy_uj += uint64_t{1} << 60;
  EXPECT_EQ(Absence(Turn(), v1::POWER, {"card"}), v1::ABSENCE_FAILING);
  fake_.powers[0].energy_uj = 5;
  EXPECT_EQ(Absence(Turn(), v1::POWER, {"card"}), v1::ABSENCE_FAILING);  // Began anew.
  EXPECT_EQ(Value(Turn(), v1::POWER, {"card"}), 180);
}

TEST_F(SysmanSamplerTest, AWedgedDeviceSaysSo) {
  fake_.reset = ZES_RESET_REASON_FLAG_WEDGED;
  EXPECT_EQ(Value(Turn(), v1::WEDGED, {}), 1);
}

TEST_F(SysmanSamplerTest, MemoryOfTheMachineIsNotTheDevices) {
  fake_.memories[0].location = ZES_MEM_LOC_SYSTEM;
  EXPECT_EQ(Absence(Turn(), v1::MEMORY_SIZE, {}), v1::ABSENCE_UNSUPPORTED);
}

TEST_F(SysmanSamplerTest, SysmanThatDoesNotInitialiseIsLeftAlone) {
  fake_.results = {{"zesInit", ZE_RESULT_ERROR_UNINITIALIZED}};
  SysmanSampler sampler(calls_, marker_, [] { return int64_t{0}; });
  EXPECT_THAT(std::string(sampler.Start().message()), HasSubstr("zesInit failed (0x78000001)"));
  EXPECT_EQ(marker_.entered.size(), 1u);
}

TEST_F(SysmanSamplerTest, ADeviceWithoutSysmanIsNone) {
  fake_.results = {{"", ZE_RESULT_ERROR_UNINITIALIZED}};
  SysmanSampler sampler(calls_, marker_, [] { return int64_t{0}; });
  EXPECT_TRUE(absl::IsNotFound(sampler.Start()));
}

TEST_F(SysmanSamplerTest, CallsAreMarkedWithTheirDevice) {
  Turn();
  EXPECT_EQ(marker_.last_device, kAddress);
  EXPECT_GT(marker_.entered["zesTemperatureGetState"], 0);
}

}  // namespace
}  // namespace muster::agent
