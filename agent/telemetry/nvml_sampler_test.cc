#include "agent/telemetry/nvml_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "agent/telemetry/nvml_caller.h"
#include "agent/telemetry/nvml_fake.h"
#include "agent/telemetry/sample_frame.h"
#include "base/telemetry_field.h"

namespace muster::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Labels = std::vector<std::string>;

// Keeps the books of Enter and Leave.
class MarkerFake final : public CallMarker {
 public:
  void Enter(absl::string_view device, const char* call) override {
    EXPECT_FALSE(inside) << call << " within another";
    inside = true;
    devices.insert(std::string(device));
  }
  void Leave() override {
    EXPECT_TRUE(inside);
    inside = false;
  }
  bool inside = false;
  std::set<std::string> devices;
};

class NvmlSamplerTest : public ::testing::Test {
 protected:
  NvmlSamplerTest() {
    nvml_.fields[{nvml::kFieldMemoryTemperature, 0}] = 38;
    nvml_.fields[{nvml::kFieldThrottlePowerNs, 0}] = 2'500'000'000;
    nvml_.fields[{nvml::kFieldThrottleThermalNs, 0}] = 1'000'000'000;
    nvml_.fields[{nvml::kFieldRecoveryAction, 0}] = 0;
    nvml_.fields[{nvml::kFieldLinkCount, 0}] = 2;
    for (unsigned int link : {0U, 1U}) {
      nvml_.fields[{nvml::kFieldLinkState, link}] = link == 0 ? 1 : 0;
      nvml_.fields[{nvml::kFieldLinkSpeedMbps, link}] = 26'562;
      nvml_.fields[{nvml::kFieldLinkReceiveKib, link}] = 5;
      nvml_.fields[{nvml::kFieldLinkTransmitKib, link}] = 6;
      nvml_.fields[{nvml::kFieldLinkReplays, link}] = 7;
    }
    functions_ = FakeNvml::Functions();
    sampler_ = MakeNvmlSampler([this]() -> absl::StatusOr<NvmlFunctions> { return functions_; }, marker_);
  }

  void Turn(const std::vector<std::string>& skip = {}) {
    auto samples = sampler_->Sample(skip);
    ASSERT_TRUE(samples.ok()) << samples.status();
    samples_ = *std::move(samples);
    EXPECT_FALSE(marker_.inside);
  }
  void StartAndTurn() {
    ASSERT_TRUE(sampler_->Start().ok());
    Turn();
  }
  const v1::Reading& Get(v1::TelemetryField field, const Labels& labels = {}) {
    static const v1::Reading nothing;
    const v1::Reading* found = nullptr;
    for (const v1::Reading& reading : samples_.at(0).readings()) {
      if (reading.field() != field || Labels(reading.labels().begin(), reading.labels().end()) != labels) continue;
      EXPECT_EQ(found, nullptr) << "twice: " << base::DescribeReading(field, labels);
      found = &reading;
    }
    EXPECT_NE(found, nullptr) << "missing: " << base::DescribeReading(field, labels);
    return found == nullptr ? nothing : *found;
  }
  double Value(v1::TelemetryField field, const Labels& labels = {}) {
    const v1::Reading& reading = Get(field, labels);
    EXPECT_TRUE(reading.has_value()) << base::DescribeReading(field, labels);
    return reading.value();
  }
  v1::Absence Absence(v1::TelemetryField field, const Labels& labels = {}) {
    const v1::Reading& reading = Get(field, labels);
    EXPECT_FALSE(reading.has_value()) << base::DescribeReading(field, labels) << " " << reading.value();
    return reading.absence();
  }

  FakeNvml nvml_;
  MarkerFake marker_;
  NvmlFunctions functions_;
  std::unique_ptr<Sampler> sampler_;
  std::vector<v1::DeviceSample> samples_;
};

TEST_F(NvmlSamplerTest, ValuesAreInBaseUnits) {
  StartAndTurn();
  ASSERT_THAT(samples_, SizeIs(1));
  EXPECT_EQ(samples_[0].pci_address(), "0000:41:00.0");
  EXPECT_EQ(samples_[0].uuid(), "GPU-1-2");
  EXPECT_GT(samples_[0].time_unix_ms(), 1'700'000'000'000);
  EXPECT_EQ(Value(v1::TEMPERATURE, {"core"}), 34);
  EXPECT_EQ(Value(v1::TEMPERATURE, {"memory"}), 38);
  EXPECT_EQ(Value(v1::TEMPERATURE_LIMIT, {"shutdown"}), 90);
  EXPECT_EQ(Value(v1::TEMPERATURE_LIMIT, {"slowdown"}), 91);
  EXPECT_EQ(Value(v1::TEMPERATURE_LIMIT, {"memory_throttle"}), 92);
  EXPECT_EQ(Value(v1::TEMPERATURE_LIMIT, {"throttle"}), 93);
  EXPECT_DOUBLE_EQ(Value(v1::POWER, {"card"}), 76.123);
  EXPECT_DOUBLE_EQ(Value(v1::POWER_LIMIT, {"enforced"}), 700);
  EXPECT_DOUBLE_EQ(Value(v1::POWER_LIMIT, {"minimum"}), 200);
  EXPECT_DOUBLE_EQ(Value(v1::POWER_LIMIT, {"maximum"}), 700);
  EXPECT_DOUBLE_EQ(Value(v1::ENERGY, {"card"}), 12'345.678);
  EXPECT_DOUBLE_EQ(Value(v1::CLOCK, {"graphics"}), 345e6);
  EXPECT_DOUBLE_EQ(Value(v1::CLOCK, {"video"}), 348e6);
  EXPECT_DOUBLE_EQ(Value(v1::CLOCK_MAX, {"memory"}), 3201e6);
  EXPECT_DOUBLE_EQ(Value(v1::MEMORY_BANDWIDTH_MAX), 6144 / 8 * 2 * 3201e6);
  EXPECT_EQ(Value(v1::UTILIZATION, {"gpu"}), 0.69) << "not 0.6900000000000001";
  EXPECT_EQ(Value(v1::UTILIZATION, {"memory"}), 0) << "zero is a value";
  EXPECT_EQ(Value(v1::MEMORY_SIZE), 1000);
  EXPECT_EQ(Value(v1::MEMORY_USED), 200);
  EXPECT_EQ(Value(v1::MEMORY_FREE), 790);
  EXPECT_EQ(Value(v1::MEMORY_RESERVED), 10);
  EXPECT_EQ(Value(v1::ECC_ERRORS, {"uncorrected", "total", "aggregate"}), 11);
  EXPECT_EQ(Value(v1::ECC_ERRORS, {"uncorrected", "dram", "volatile"}), 1);
  EXPECT_EQ(Value(v1::ROW_REMAPS, {"corrected"}), 1);
  EXPECT_EQ(Value(v1::ROW_REMAPS, {"uncorrected"}), 2);
  EXPECT_EQ(Value(v1::ROW_REMAP_PENDING), 1);
  EXPECT_EQ(Value(v1::ROW_REMAP_FAILED), 0);
  EXPECT_EQ(Value(v1::PERFORMANCE_STATE), 0);
  EXPECT_DOUBLE_EQ(Value(v1::FAN_SPEED_RATIO, {"0"}), 0.33);
  EXPECT_DOUBLE_EQ(Value(v1::THROTTLE_SECONDS, {"power"}), 2.5);
  EXPECT_DOUBLE_EQ(Value(v1::THROTTLE_SECONDS, {"thermal"}), 1);
  EXPECT_EQ(Value(v1::LINK_UP, {"0"}), 1);
  EXPECT_EQ(Value(v1::LINK_UP, {"1"}), 0);
  EXPECT_DOUBLE_EQ(Value(v1::LINK_BANDWIDTH, {"1"}), 26'562e6);
  EXPECT_EQ(Value(v1::LINK_BYTES, {"0", "receive"}), 5 * 1024);
  EXPECT_EQ(Value(v1::LINK_BYTES, {"0", "transmit"}), 6 * 1024);
  EXPECT_EQ(Value(v1::LINK_ERRORS, {"1", "replay"}), 7);
  EXPECT_EQ(Value(v1::LINK_ERRORS, {"1", "crc_data"}), 103) << "by the function where there is no field";
  EXPECT_EQ(Value(v1::PROCESSES, {"compute"}), 2);
}

TEST_F(NvmlSamplerTest, EachFieldIsThereAndInOrder) {
  StartAndTurn();
  std::set<int> there;
  for (const v1::Reading& reading : samples_[0].readings()) there.insert(reading.field());
  EXPECT_EQ(there.size(), base::TelemetryFields().size());
  // Nothing of it is lost or changed on the way to the agent.
  v1::DeviceSample cleaned = samples_[0];
  ASSERT_TRUE(CleanSample(cleaned));
  EXPECT_EQ(cleaned.SerializeAsString(), samples_[0].SerializeAsString());
}

TEST_F(NvmlSamplerTest, UnsupportedNotPermittedAndFailingDiffer) {
  nvml_.results["nvmlDeviceGetPowerUsage"] = nvml::kNotSupported;
  nvml_.results["nvmlDeviceGetTotalEnergyConsumption"] = nvml::kNoPermission;
  nvml_.results["nvmlDeviceGetTemperature"] = nvml::kTimeout;
  nvml_.results["nvmlDeviceGetRemappedRows"] = nvml::kUnknown;
  nvml_.field_results[{nvml::kFieldRecoveryAction, 0}] = nvml::kInvalidArgument;
  functions_.performance_state.call = nullptr;
  StartAndTurn();
  EXPECT_EQ(Absence(v1::POWER, {"card"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(v1::ENERGY, {"card"}), v1::ABSENCE_NOT_PERMITTED);
  EXPECT_EQ(Absence(v1::TEMPERATURE, {"core"}), v1::ABSENCE_FAILING);
  EXPECT_EQ(Absence(v1::ROW_REMAP_PENDING), v1::ABSENCE_FAILING);
  EXPECT_EQ(Absence(v1::PERFORMANCE_STATE), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(v1::WEDGED), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(v1::ECC_ERRORS, {"corrected", "cbu", "volatile"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(v1::FAN_SPEED_RPM, {"0"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(v1::ENGINE_ACTIVE_SECONDS), v1::ABSENCE_UNSUPPORTED) << "NVML has no such thing";
}

TEST_F(NvmlSamplerTest, NoSentinelIsAValue) {
  nvml_.power_mw = nvml::kNotAvailable;
  nvml_.fields[{nvml::kFieldThrottlePowerNs, 0}] = nvml::kNotAvailableLong;
  nvml_.fields[{nvml::kFieldMemoryTemperature, 0}] = 0;
  StartAndTurn();
  EXPECT_EQ(Absence(v1::POWER, {"card"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(v1::PCIE_REPLAYS), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(v1::THROTTLE_SECONDS, {"power"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(v1::TEMPERATURE, {"memory"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(v1::UTILIZATION, {"encoder"}), v1::ABSENCE_FAILING) << "101 %";
}

TEST_F(NvmlSamplerTest, EachReasonHasItsLabel) {
  nvml_.reasons = nvml::kReasonHwPowerBrake | nvml::kReasonSwThermal | 0x8000;
  StartAndTurn();
  EXPECT_EQ(Value(v1::THROTTLED, {"hw_power_brake"}), 1);
  EXPECT_EQ(Value(v1::THROTTLED, {"thermal"}), 1);
  EXPECT_EQ(Value(v1::THROTTLED, {"other"}), 1) << "a bit of a later NVML";
  EXPECT_EQ(Value(v1::THROTTLED, {"idle"}), 0);
  EXPECT_EQ(Value(v1::THROTTLED, {"power"}), 0);
  EXPECT_EQ(Absence(v1::THROTTLED, {"sync_boost"}), v1::ABSENCE_UNSUPPORTED) << "not among the supported ones";
}

TEST_F(NvmlSamplerTest, OldDriverIsAskedInItsOwnWay) {
  nvml_.results["nvmlDeviceGetMemoryInfo_v2"] = nvml::kArgumentVersionMismatch;
  functions_.throttle_reasons.call = functions_.event_reasons.call;
  functions_.event_reasons.call = nullptr;
  StartAndTurn();
  EXPECT_EQ(Value(v1::MEMORY_SIZE), 1001);
  EXPECT_EQ(Absence(v1::MEMORY_RESERVED), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Value(v1::THROTTLED, {"idle"}), 1);
  Turn();
  EXPECT_EQ(Value(v1::MEMORY_SIZE), 1001);
}

TEST_F(NvmlSamplerTest, LimitsGivenAsDistancesAreTemperatures) {
  nvml_.results["nvmlDeviceGetTemperatureThreshold"] = nvml::kNotSupported;
  nvml_.fields[{nvml::kFieldGpuMaxMargin, 0}] = 0;
  nvml_.fields[{nvml::kFieldShutdownMargin, 0}] = static_cast<unsigned long long>(-8LL);
  nvml_.field_types[nvml::kFieldShutdownMargin] = nvml::kValueInt;
  StartAndTurn();
  EXPECT_EQ(Value(v1::TEMPERATURE_LIMIT, {"throttle"}), 34 + 53);
  EXPECT_EQ(Value(v1::TEMPERATURE_LIMIT, {"shutdown"}), 34 + 53 + 8);
  EXPECT_EQ(Absence(v1::TEMPERATURE_LIMIT, {"slowdown"}), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Absence(v1::TEMPERATURE_LIMIT, {"memory_throttle"}), v1::ABSENCE_UNSUPPORTED);
  nvml_.margin = 54;  // Rounding: core and distance do not change at one moment.
  for (int i = 0; i < NvmlCaller::kSteadyPeriod; ++i) Turn();
  EXPECT_EQ(Value(v1::TEMPERATURE_LIMIT, {"throttle"}), 34 + 53);
  EXPECT_EQ(nvml_.calls["nvmlDeviceGetMarginTemperature"], 2 * 2);
  nvml_.results["nvmlDeviceGetMarginTemperature"] = nvml::kTimeout;
  for (int i = 0; i < NvmlCaller::kSteadyPeriod; ++i) Turn();
  EXPECT_EQ(Absence(v1::TEMPERATURE_LIMIT, {"throttle"}), v1::ABSENCE_FAILING);
}

TEST_F(NvmlSamplerTest, WhatIsNotThereIsAskedRarely) {
  nvml_.results["nvmlDeviceGetPowerUsage"] = nvml::kNotSupported;
  StartAndTurn();
  for (int i = 0; i < 50; ++i) Turn();
  EXPECT_EQ(nvml_.calls["nvmlDeviceGetPowerUsage"], 1);
  EXPECT_EQ(nvml_.calls["nvmlDeviceGetTemperature"], 51);
  EXPECT_LE(nvml_.calls["nvmlDeviceGetTemperatureThreshold"], 4 * 3) << "limits are asked for now and then";
  nvml_.results.clear();
  for (int i = 0; i < 2 * NvmlCaller::kUnsupportedPeriod; ++i) Turn();
  EXPECT_DOUBLE_EQ(Value(v1::POWER, {"card"}), 76.123);
}

TEST_F(NvmlSamplerTest, UnsupportedFieldsLeaveTheBatch) {
  StartAndTurn();
  const int first = nvml_.fields_asked;
  nvml_.fields_asked = 0;
  Turn();
  EXPECT_LT(nvml_.fields_asked, first);
  EXPECT_GE(nvml_.fields_asked, static_cast<int>(nvml_.fields.size()) - 1);
}

TEST_F(NvmlSamplerTest, FailingIsAskedEachTurn) {
  nvml_.results["nvmlDeviceGetPowerUsage"] = nvml::kTimeout;
  StartAndTurn();
  Turn();
  EXPECT_EQ(nvml_.calls["nvmlDeviceGetPowerUsage"], 2);
  nvml_.results.clear();
  Turn();
  EXPECT_DOUBLE_EQ(Value(v1::POWER, {"card"}), 76.123);
}

TEST_F(NvmlSamplerTest, LostDeviceIsAskedOnceATurnAndComesBack) {
  StartAndTurn();
  nvml_.results[""] = nvml::kGpuIsLost;
  nvml_.calls.clear();
  Turn();
  int calls = 0;
  for (const auto& [name, count] : nvml_.calls) calls += count;
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(Absence(v1::TEMPERATURE, {"core"}), v1::ABSENCE_FAILING);
  EXPECT_EQ(Absence(v1::MEMORY_USED), v1::ABSENCE_FAILING);
  nvml_.results.clear();
  Turn();
  EXPECT_EQ(Value(v1::TEMPERATURE, {"core"}), 34);
}

TEST_F(NvmlSamplerTest, LostDevicesHaveNvmlStartedAnewMoreAndMoreRarely) {
  StartAndTurn();
  nvml_.results["nvmlDeviceGetTemperature"] = nvml::kGpuIsLost;
  for (int i = 0; i < 15; ++i) Turn();
  EXPECT_EQ(nvml_.calls["nvmlInit_v2"], 1);
  Turn();
  EXPECT_EQ(nvml_.calls["nvmlInit_v2"], 2);
  EXPECT_EQ(nvml_.calls["nvmlShutdown"], 1);
  for (int i = 0; i < 600; ++i) Turn();
  EXPECT_LE(nvml_.calls["nvmlInit_v2"], 10);
  EXPECT_GE(nvml_.calls["nvmlInit_v2"], 6);
  nvml_.results.clear();
  for (int i = 0; i < 121; ++i) Turn();
  EXPECT_EQ(Value(v1::TEMPERATURE, {"core"}), 34);
}

TEST_F(NvmlSamplerTest, DeviceThatDoesNotOpenIsTriedAgain) {
  nvml_.devices = 2;
  nvml_.opens = 1;
  StartAndTurn();
  EXPECT_THAT(samples_, SizeIs(1));
  nvml_.opens = 2;
  for (int i = 0; i < 5; ++i) Turn();
  EXPECT_THAT(samples_, SizeIs(2));
  EXPECT_EQ(nvml_.calls["nvmlInit_v2"], 1) << "without a new start";
}

TEST_F(NvmlSamplerTest, UninitialisedLibraryIsGivenUp) {
  StartAndTurn();
  nvml_.results[""] = nvml::kUninitialized;
  EXPECT_TRUE(absl::IsUnavailable(sampler_->Sample({}).status()));
}

TEST_F(NvmlSamplerTest, SkippedDeviceIsNotCalled) {
  nvml_.devices = 3;
  ASSERT_TRUE(sampler_->Start().ok());
  marker_.devices.clear();
  Turn({"0000:42:00.0"});
  EXPECT_THAT(samples_, SizeIs(2));
  EXPECT_THAT(marker_.devices, ElementsAre("0000:41:00.0", "0000:43:00.0"));
}

TEST_F(NvmlSamplerTest, TrafficIsMeasuredNowAndThen) {
  StartAndTurn();
  for (int i = 0; i < 10; ++i) Turn();
  EXPECT_EQ(Value(v1::PCIE_THROUGHPUT, {"receive"}), 8000);
  EXPECT_EQ(Value(v1::PCIE_THROUGHPUT, {"transmit"}), 7000);
  EXPECT_EQ(Absence(v1::PCIE_BYTES), v1::ABSENCE_UNSUPPORTED) << "NVML's counters begin anew ten times a second";
  EXPECT_EQ(nvml_.calls["nvmlDeviceGetPcieThroughput"], 2 * 3);
}

TEST_F(NvmlSamplerTest, ManyProcessesAreCounted) {
  nvml_.processes = 500;
  StartAndTurn();
  EXPECT_EQ(Value(v1::PROCESSES, {"compute"}), 500);
  EXPECT_EQ(Absence(v1::PROCESSES, {"graphics"}), v1::ABSENCE_UNSUPPORTED);
}

TEST_F(NvmlSamplerTest, RecoveryActionsThatNeedAResetMeanWedged) {
  for (const auto& [action, wedged] : {std::pair(0, 0), {1, 1}, {2, 1}, {3, 0}, {4, 0}}) {
    nvml_.fields[{nvml::kFieldRecoveryAction, 0}] = action;
    if (action == 0) StartAndTurn();
    Turn();
    EXPECT_EQ(Value(v1::WEDGED), wedged) << action;
  }
}

TEST_F(NvmlSamplerTest, NothingThereIsNotFound) {
  nvml_.devices = 0;
  EXPECT_TRUE(absl::IsNotFound(sampler_->Start()));
  nvml_.results["nvmlInit_v2"] = nvml::kDriverNotLoaded;
  EXPECT_TRUE(absl::IsNotFound(sampler_->Start()));
}

TEST_F(NvmlSamplerTest, WhatDoesNotWorkSaysWhy) {
  nvml_.results["nvmlInit_v2"] = nvml::kVersionMismatch;
  const absl::Status mismatch = sampler_->Start();
  EXPECT_TRUE(absl::IsFailedPrecondition(mismatch));
  EXPECT_EQ(mismatch.message(), "nvmlInit failed: a reason (18)");
  nvml_.results.clear();
  nvml_.opens = 0;
  EXPECT_THAT(std::string(sampler_->Start().message()), HasSubstr("counts 1 devices and opens none"));
  functions_.pci_info.call = nullptr;
  EXPECT_THAT(std::string(sampler_->Start().message()), HasSubstr("NVML lacks"));
}

// By the public reference: a structure's size is part of its version, and the driver refuses others.
TEST(NvmlAbiTest, LayoutsAreThoseOfTheReference) {
  EXPECT_EQ(nvml::kMemoryV2, 0x02000028U);
  EXPECT_EQ(nvml::kFanSpeedInfoV1, 0x0100000CU);
  EXPECT_EQ(nvml::kTemperatureV1, 0x0100000CU);
  EXPECT_EQ(nvml::kMarginTemperatureV1, 0x01000008U);
  EXPECT_EQ(offsetof(nvml::MemoryV2, total), 8u);
  EXPECT_EQ(offsetof(nvml::MemoryV2, used), 32u);
  EXPECT_EQ(offsetof(nvml::FieldValue, timestamp_us), 8u);
  EXPECT_EQ(offsetof(nvml::FieldValue, type), 24u);
  EXPECT_EQ(offsetof(nvml::FieldValue, result), 28u);
  EXPECT_EQ(offsetof(nvml::FieldValue, value), 32u);
  EXPECT_EQ(offsetof(nvml::ProcessInfo, used_bytes), 8u);
  EXPECT_EQ(offsetof(nvml::ProcessInfo, compute_instance), 20u);
  EXPECT_EQ(offsetof(nvml::PciInfo, bus_id), 36u);
}

}  // namespace
}  // namespace muster::agent
