#include "tests/hardware_sim/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "absl/strings/str_cat.h"
#include "base/telemetry_field.h"
#include "tests/hardware_sim/scenario_file.h"

namespace muster::sim {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A machine "m" with these devices, as text.
std::unique_ptr<World> Make(const std::string& devices) {
  const std::string text = absl::StrCat("machines { name: 'm' ", devices, " }");
  const auto scenario = ParseScenario(text, "test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  if (!scenario.ok()) return nullptr;
  return *World::Make(*scenario, "m");
}

// One device of this model with this in it.
std::unique_ptr<World> MakeOne(const std::string& model, const std::string& rest) {
  return Make(absl::StrCat("devices { model: ", model, " ", rest, " }"));
}

// NaN when there is no value.
double Value(const World& world, v1::TelemetryField field, const std::vector<std::string>& labels, Seconds now) {
  const v1::Reading reading = world.Read(0, field, labels, now);
  return reading.has_value() ? reading.value() : std::nan("");
}

std::string Log(const World& world, Seconds after, Seconds until) {
  std::string text;
  for (const World::LogLine& line : world.KernelLog(after, until)) absl::StrAppend(&text, line.text, "\n");
  return text;
}

constexpr const char* kModels[] = {"ARC_A770", "ARC_PRO_B60", "FLEX_170", "MAX_1550", "H100", "H200", "L40S", "B200"};

TEST(World, EveryModelSaysThatItIsSimulatedAndGivesItsFields) {
  for (const char* model : kModels) {
    const auto world = MakeOne(model, "load { constant: 0.5 }");
    const DeviceFacts& facts = world->devices()[0];
    EXPECT_THAT(facts.device.model(), EndsWith("(simulated)"));
    EXPECT_TRUE(facts.device.simulated());
    for (const base::TelemetryFieldInfo& info : base::TelemetryFields()) {
      for (const auto& labels : world->LabelsOf(0, info.field)) {
        EXPECT_EQ(labels.size(), info.labels.size()) << model << " " << info.name;
        const v1::Reading reading = world->Read(0, info.field, labels, 100);
        EXPECT_TRUE(reading.has_value()) << model << " " << base::DescribeReading(info.field, labels);
        EXPECT_TRUE(std::isfinite(reading.value()) && reading.value() >= 0) << model << " " << info.name;
      }
    }
    EXPECT_LT(Value(*world, v1::TEMPERATURE, {"core"}, 100), Value(*world, v1::TEMPERATURE_LIMIT, {"throttle"}, 100));
    EXPECT_LT(Value(*world, v1::POWER, {"card"}, 100), Value(*world, v1::POWER_LIMIT, {"enforced"}, 100));
  }
}

TEST(World, VendorsHaveTheirOwnFields) {
  const auto nvidia = MakeOne("H100", "");
  const auto intel = MakeOne("MAX_1550", "");
  const auto plain = MakeOne("ARC_A770", "");
  EXPECT_EQ(nvidia->Read(0, v1::RAS_ERRORS, {"corrected", "memory"}, 0).absence(), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Value(*nvidia, v1::ECC_ERRORS, {"corrected", "dram", "volatile"}, 0), 0);
  EXPECT_EQ(intel->Read(0, v1::ECC_ERRORS, {"corrected", "dram", "volatile"}, 0).absence(), v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(Value(*intel, v1::RAS_ERRORS, {"corrected", "memory"}, 0), 0);
  EXPECT_EQ(plain->Read(0, v1::RAS_ERRORS, {"corrected", "memory"}, 0).absence(), v1::ABSENCE_UNSUPPORTED);
  EXPECT_THAT(nvidia->LabelsOf(0, v1::FAN_SPEED_RPM), IsEmpty());
  EXPECT_THAT(plain->LabelsOf(0, v1::FAN_SPEED_RPM), ElementsAre(ElementsAre("0"), ElementsAre("1")));
  EXPECT_EQ(nvidia->LabelsOf(0, v1::LINK_UP).size(), 18u);
  EXPECT_EQ(intel->LabelsOf(0, v1::LINK_UP).size(), 16u);
}

TEST(World, EnergyIsTheIntegralOfPower) {
  const auto world =
      MakeOne("H100",
              "load { points { at_s: 10 value: 0 } points { at_s: 30 value: 1 } points { at_s: 50 value: 0.2 } }"
              "faults { at_s: 20 until_s: 40 throttle { reason: 'hw_thermal' clock_ratio: 0.4 } }"
              "faults { at_s: 55 until_s: 60 device_lost {} }");
  double sum = 0;
  const double step = 0.001;
  for (double at = step / 2; at < 80; at += step) {
    if (!world->IsLost(0, at)) sum += step * Value(*world, v1::POWER, {"card"}, at);
  }
  EXPECT_NEAR(Value(*world, v1::ENERGY, {"card"}, 80), sum, sum * 1e-5);
}

TEST(World, EngineSecondsAreTheIntegralOfUtilization) {
  const auto world = MakeOne("FLEX_170", "load { wave { mean: 0.5 amplitude: 0.5 period_s: 10 } }");
  EXPECT_NEAR(Value(*world, v1::ENGINE_ACTIVE_SECONDS, {"compute"}, 20), 10, 1e-9);
  EXPECT_NEAR(Value(*world, v1::UTILIZATION, {"compute"}, 2.5), 1, 1e-9);
}

TEST(World, CountersNeverFall) {
  const std::string life =
      "load { wave { mean: 0.5 amplitude: 0.5 period_s: 7 } }"
      "faults { at_s: 5 until_s: 9 ecc_errors { per_second: 3.7 count: 2 } }"
      "faults { at_s: 8 until_s: 12 throttle { reason: 'power' } }"
      "faults { at_s: 9 until_s: 15 throttle { reason: 'thermal' clock_ratio: 0.3 } }"
      "faults { at_s: 10 until_s: 13 link_trained_down { lanes: 1 } }"
      "faults { at_s: 11 pcie_replays { per_second: 17 } }"
      "faults { at_s: 20 until_s: 30 device_lost {} }"
      "faults { at_s: 33 until_s: 35 interconnect_errors { link: 3 per_second: 9 down: true } }";
  for (const char* model : {"H100", "MAX_1550"}) {
    const auto world = MakeOne(model, life);
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> time(0, 60);
    std::vector<double> times;
    for (int i = 0; i < 300; ++i) times.push_back(time(random));
    std::sort(times.begin(), times.end());
    for (const base::TelemetryFieldInfo& info : base::TelemetryFields()) {
      if (!info.counter) continue;
      for (const auto& labels : world->LabelsOf(0, info.field)) {
        double last = 0;
        for (const double at : times) {
          if (world->IsLost(0, at)) continue;
          const double value = Value(*world, info.field, labels, at);
          ASSERT_GE(value, last) << model << " " << base::DescribeReading(info.field, labels) << " at " << at;
          last = value;
        }
      }
    }
  }
}

TEST(World, IsTheSameForEveryoneAndTellsDevicesApart) {
  const std::string devices = "devices { model: H100 } devices { model: H100 }";
  const auto one = Make(devices);
  const auto two = Make(devices);
  EXPECT_EQ(one->devices()[0].device.SerializeAsString(), two->devices()[0].device.SerializeAsString());
  EXPECT_NE(one->devices()[0].device.uuid(), one->devices()[1].device.uuid());
  EXPECT_NE(one->devices()[0].device.pci_address(), one->devices()[1].device.pci_address());
}

TEST(World, DevicesComeInTheOrderOfTheirAddresses) {
  const auto world =
      Make("devices { model: H100 pci_address: '0000:81:00.0' } devices { model: L40S pci_address: '0000:41:00.0' }");
  EXPECT_THAT(world->devices()[0].device.model(), HasSubstr("L40S"));
}

TEST(Faults, EccErrorsCountWhereTheyAreAndStayCounted) {
  const auto world = MakeOne("H100",
                             "faults { at_s: 10 until_s: 20 ecc_errors { per_second: 2 count: 5 } }"
                             "faults { at_s: 10 ecc_errors { uncorrected: true location: 'sram' count: 1 } }");
  EXPECT_EQ(Value(*world, v1::ECC_ERRORS, {"corrected", "dram", "volatile"}, 9.9), 0);
  EXPECT_EQ(Value(*world, v1::ECC_ERRORS, {"corrected", "dram", "volatile"}, 12.6), 10);
  EXPECT_EQ(Value(*world, v1::ECC_ERRORS, {"corrected", "total", "aggregate"}, 100), 25);
  EXPECT_EQ(Value(*world, v1::ECC_ERRORS, {"corrected", "sram", "volatile"}, 100), 0);
  EXPECT_EQ(Value(*world, v1::ECC_ERRORS, {"uncorrected", "sram", "volatile"}, 10), 1);
  EXPECT_EQ(Value(*world, v1::ECC_ERRORS, {"uncorrected", "dram", "volatile"}, 10), 0);
}

TEST(Faults, EccErrorsOfIntelAreInItsRasCounters) {
  const auto world = MakeOne("MAX_1550",
                             "faults { at_s: 1 ecc_errors { uncorrected: true count: 3 } }"
                             "faults { at_s: 1 ecc_errors { location: 'l3_fabric' count: 4 } }");
  EXPECT_EQ(Value(*world, v1::RAS_ERRORS, {"uncorrected", "memory"}, 2), 3);
  EXPECT_EQ(Value(*world, v1::RAS_ERRORS, {"corrected", "l3_fabric"}, 2), 4);
}

TEST(Faults, RowRemap) {
  const auto world =
      MakeOne("H200", "faults { at_s: 10 until_s: 20 row_remap { uncorrected: 2 pending: true failed: true } }");
  EXPECT_EQ(Value(*world, v1::ROW_REMAP_PENDING, {}, 9), 0);
  EXPECT_EQ(Value(*world, v1::ROW_REMAP_PENDING, {}, 10), 1);
  EXPECT_EQ(Value(*world, v1::ROW_REMAP_FAILED, {}, 10), 1);
  EXPECT_EQ(Value(*world, v1::ROW_REMAP_PENDING, {}, 20), 0);
  EXPECT_EQ(Value(*world, v1::ROW_REMAPS, {"uncorrected"}, 20), 2);
}

TEST(Faults, XidsAreInTheLogAndHaveTheirEffects) {
  for (const int number : {13, 31, 48, 63, 64, 74, 79, 94, 95, 119}) {
    const auto world = MakeOne("H100", absl::StrCat("faults { at_s: 10 until_s: 20 xid { number: ", number, " } }"));
    EXPECT_EQ(Log(*world, 0, 9.9), "");
    EXPECT_THAT(Log(*world, 9.9, 10), HasSubstr(absl::StrCat("NVRM: Xid (PCI:0000:19:00): ", number, ", ")));
    EXPECT_EQ(world->KernelLog(9.9, 10)[0].priority, 3);
    EXPECT_EQ(world->IsLost(0, 15), number == 79);
    EXPECT_FALSE(world->IsLost(0, 21));
    const bool memory = number == 48 || number == 94 || number == 95;
    EXPECT_EQ(Value(*world, v1::ECC_ERRORS, {"uncorrected", "total", "volatile"}, 21), memory ? 1 : 0);
    EXPECT_EQ(Value(*world, v1::ROW_REMAPS, {"uncorrected"}, 21), number == 63 ? 1 : 0);
    EXPECT_EQ(Value(*world, v1::LINK_ERRORS, {"0", "recovery"}, 21), number == 74 ? 1 : 0);
    if (number == 79) continue;
    EXPECT_EQ(Value(*world, v1::ROW_REMAP_PENDING, {}, 15), number == 63 ? 1 : 0);
    EXPECT_EQ(Value(*world, v1::ROW_REMAP_FAILED, {}, 15), number == 64 ? 1 : 0);
    EXPECT_EQ(Value(*world, v1::LINK_UP, {"0"}, 15), number == 74 ? 0 : 1);
  }
}

TEST(Faults, ThrottlingHoldsTheClocksDownAndIsTimed) {
  const auto world = MakeOne(
      "H100", "load { constant: 1 } faults { at_s: 10 until_s: 20 throttle { reason: 'thermal' clock_ratio: 0.25 } }");
  const double full = Value(*world, v1::CLOCK, {"graphics"}, 5);
  EXPECT_EQ(Value(*world, v1::CLOCK, {"graphics"}, 15), full / 4);
  EXPECT_EQ(Value(*world, v1::CLOCK, {"graphics"}, 20), full);
  EXPECT_EQ(Value(*world, v1::THROTTLED, {"thermal"}, 15), 1);
  EXPECT_EQ(Value(*world, v1::THROTTLED, {"power"}, 15), 0);
  EXPECT_EQ(Value(*world, v1::THROTTLED, {"thermal"}, 20), 0);
  EXPECT_EQ(Value(*world, v1::THROTTLE_SECONDS, {"thermal"}, 14), 4);
  EXPECT_EQ(Value(*world, v1::THROTTLE_SECONDS, {"thermal"}, 99), 10);
  EXPECT_GT(Value(*world, v1::TEMPERATURE, {"core"}, 15), Value(*world, v1::TEMPERATURE_LIMIT, {"throttle"}, 15));
  EXPECT_LT(Value(*world, v1::POWER, {"card"}, 15), Value(*world, v1::POWER, {"card"}, 5));
}

TEST(Faults, APowerCapKeepsThePowerAtTheLimitAndABrakeDoesNot) {
  const auto capped = MakeOne("H100", "load { constant: 1 } faults { at_s: 10 throttle { reason: 'power' } }");
  const auto braked = MakeOne("H100", "load { constant: 1 } faults { at_s: 10 throttle { reason: 'hw_power_brake' } }");
  EXPECT_GT(Value(*capped, v1::POWER, {"card"}, 15), 650);
  EXPECT_LT(Value(*braked, v1::POWER, {"card"}, 15), 450);
  EXPECT_EQ(Value(*braked, v1::THROTTLED, {"hw_slowdown"}, 15), 1);
}

TEST(Faults, LinkTrainedDownAndReplays) {
  const auto world =
      MakeOne("H100",
              "load { constant: 1 } faults { at_s: 10 until_s: 20 link_trained_down { generation: 3 lanes: 4 } }"
              "faults { at_s: 10 until_s: 20 pcie_replays { per_second: 5 } }");
  EXPECT_EQ(Value(*world, v1::PCIE_LINK_GENERATION, {}, 15), 3);
  EXPECT_EQ(Value(*world, v1::PCIE_LINK_LANES, {}, 15), 4);
  EXPECT_EQ(Value(*world, v1::PCIE_LINK_GENERATION_MAX, {}, 15), 5);
  EXPECT_EQ(Value(*world, v1::PCIE_LINK_LANES, {}, 20), 16);
  EXPECT_LT(Value(*world, v1::PCIE_THROUGHPUT, {"receive"}, 15),
            Value(*world, v1::PCIE_THROUGHPUT, {"receive"}, 5) / 10);
  EXPECT_EQ(Value(*world, v1::PCIE_REPLAYS, {}, 12), 10);
  EXPECT_EQ(Value(*world, v1::PCIE_REPLAYS, {}, 99), 50);
}

TEST(Faults, AStoppedFanLetsTheCardGetHot) {
  const auto world = MakeOne("ARC_A770", "faults { at_s: 10 until_s: 20 fan_stopped { fan: 1 } }");
  EXPECT_GT(Value(*world, v1::FAN_SPEED_RPM, {"1"}, 5), 500);
  EXPECT_EQ(Value(*world, v1::FAN_SPEED_RPM, {"1"}, 15), 0);
  EXPECT_GT(Value(*world, v1::FAN_SPEED_RPM, {"0"}, 15), 500);
  EXPECT_GT(Value(*world, v1::TEMPERATURE, {"core"}, 15), 90);
  EXPECT_LT(Value(*world, v1::TEMPERATURE, {"core"}, 25), 50);
}

TEST(Faults, CallsHangAndFail) {
  const auto world =
      MakeOne("H100",
              "faults { at_s: 10 until_s: 20 call_hangs { function: 'nvmlDeviceGetTemperature' } }"
              "faults { at_s: 10 call_hangs { function: 'nvmlDeviceGetName' } }"
              "faults { at_s: 10 until_s: 20 call_fails { function: 'nvmlDeviceGetPowerUsage' result: 999 } }");
  EXPECT_FALSE(world->FaultOfCall(0, "nvmlDeviceGetTemperature", 9).has_value());
  EXPECT_TRUE(world->FaultOfCall(0, "nvmlDeviceGetTemperature", 10)->hangs);
  EXPECT_EQ(world->FaultOfCall(0, "nvmlDeviceGetTemperature", 10)->until, 20);
  EXPECT_TRUE(std::isinf(world->FaultOfCall(0, "nvmlDeviceGetName", 10)->until));
  EXPECT_FALSE(world->FaultOfCall(0, "nvmlDeviceGetTemperature", 20).has_value());
  EXPECT_EQ(world->FaultOfCall(0, "nvmlDeviceGetPowerUsage", 10)->result, 999);
  EXPECT_FALSE(world->FaultOfCall(0, "nvmlDeviceGetPowerUsage", 10)->hangs);
}

TEST(Faults, ALostDeviceReadsNothingUntilItIsBack) {
  const auto world = MakeOne("MAX_1550", "faults { at_s: 10 until_s: 20 device_lost {} }");
  EXPECT_EQ(world->Read(0, v1::POWER, {"card"}, 15).absence(), v1::ABSENCE_FAILING);
  EXPECT_EQ(world->Read(0, v1::FAN_SPEED_RPM, {"0"}, 15).absence(), v1::ABSENCE_UNSUPPORTED);
  EXPECT_TRUE(world->Read(0, v1::POWER, {"card"}, 20).has_value());
  EXPECT_THAT(Log(*world, 0, 15), HasSubstr("pciehp"));
}

TEST(Faults, WrongResultsOfOneKernel) {
  const auto world = MakeOne("MAX_1550", "faults { at_s: 10 wrong_results { kernel: 'gemm' byte_offset: 7 bit: 3 } }");
  EXPECT_FALSE(world->WrongResultsOf(0, "gemm", 9).has_value());
  EXPECT_FALSE(world->WrongResultsOf(0, "fill", 10).has_value());
  EXPECT_EQ(world->WrongResultsOf(0, "gemm", 10)->byte_offset(), 7u);
}

TEST(Faults, EngineHangsSpeakTheirDriversWords) {
  const auto i915 = MakeOne("MAX_1550", "faults { at_s: 1 until_s: 5 engine_hang { wedged: true } }");
  EXPECT_THAT(Log(*i915, 0, 1),
              AllOf(HasSubstr("i915 0000:19:00.0: [drm] GPU HANG"), HasSubstr("declaring it wedged")));
  EXPECT_EQ(Value(*i915, v1::WEDGED, {}, 2), 1);
  EXPECT_EQ(Value(*i915, v1::WEDGED, {}, 5), 0);
  EXPECT_EQ(Value(*i915, v1::RAS_ERRORS, {"uncorrected", "reset"}, 5), 1);
  const auto xe = MakeOne("ARC_PRO_B60", "faults { at_s: 1 engine_hang { engine: 'ccs0' } }");
  EXPECT_THAT(Log(*xe, 0, 1), AllOf(HasSubstr("engine_class=ccs"), Not(HasSubstr("wedged"))));
  EXPECT_EQ(Value(*xe, v1::WEDGED, {}, 2), 0);
}

TEST(Faults, InterconnectErrorsOfOneLink) {
  const auto world = MakeOne("H100",
                             "load { constant: 1 } faults { at_s: 10 until_s: 20 interconnect_errors { link: 4 kind: "
                             "'replay' per_second: 2 down: true } }");
  EXPECT_EQ(Value(*world, v1::LINK_UP, {"4"}, 15), 0);
  EXPECT_EQ(Value(*world, v1::LINK_UP, {"5"}, 15), 1);
  EXPECT_EQ(Value(*world, v1::LINK_BANDWIDTH, {"4"}, 15), 0);
  EXPECT_EQ(Value(*world, v1::LINK_ERRORS, {"4", "replay"}, 15), 10);
  EXPECT_EQ(Value(*world, v1::LINK_ERRORS, {"5", "replay"}, 15), 0);
  EXPECT_EQ(Value(*world, v1::LINK_BYTES, {"4", "receive"}, 10), Value(*world, v1::LINK_BYTES, {"4", "receive"}, 20));
}

TEST(Faults, KernelLinesNameTheDevice) {
  const auto world = MakeOne("H100", "faults { at_s: 3 kernel_line { text: 'AER: %A is unwell' } }");
  EXPECT_EQ(Log(*world, 2, 3), "AER: 0000:19:00.0 is unwell\n");
  EXPECT_EQ(Log(*world, 3, 100), "");
}

TEST(Fields, CurvesAndAbsencesTakeTheModelsPlace) {
  const auto world = MakeOne("H100",
                             "fields { field: TEMPERATURE labels: 'core' curve { constant: 77 } }"
                             "fields { field: POWER curve { constant: 100 } }"
                             "fields { field: PCIE_REPLAYS absence: ABSENCE_NOT_PERMITTED }"
                             "fields { field: FAN_SPEED_RPM labels: '0' curve { constant: 12 } }"
                             "fields { field: MEMORY_USED curve { constant: 1048576 } }");
  EXPECT_EQ(Value(*world, v1::TEMPERATURE, {"core"}, 1), 77);
  EXPECT_NE(Value(*world, v1::TEMPERATURE, {"memory"}, 1), 77);
  EXPECT_EQ(Value(*world, v1::POWER, {"card"}, 1), 100);
  EXPECT_EQ(Value(*world, v1::ENERGY, {"card"}, 10), 1000);
  EXPECT_EQ(world->Read(0, v1::PCIE_REPLAYS, {}, 1).absence(), v1::ABSENCE_NOT_PERMITTED);
  EXPECT_EQ(Value(*world, v1::FAN_SPEED_RPM, {"0"}, 1), 12);
  EXPECT_THAT(world->LabelsOf(0, v1::FAN_SPEED_RPM), Contains(ElementsAre("0")));
  EXPECT_EQ(Value(*world, v1::MEMORY_SIZE, {}, 1), Value(*world, v1::MEMORY_USED, {}, 1) +
                                                       Value(*world, v1::MEMORY_FREE, {}, 1) +
                                                       Value(*world, v1::MEMORY_RESERVED, {}, 1));
}

}  // namespace
}  // namespace muster::sim
