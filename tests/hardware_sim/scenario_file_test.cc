#include "tests/hardware_sim/scenario_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/telemetry_field.h"
#include "tests/hardware_sim/world.h"

namespace muster::sim {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(const std::string& text) {
  const auto scenario = ParseScenario(text, "test");
  return scenario.ok() ? "no error" : std::string(scenario.status().message());
}
std::string ErrorOfDevice(const std::string& device) {
  return ErrorOf(
      absl::StrCat("machines { name: 'a' } machines { name: 'b' devices { model: H100 } devices { ", device, " } }"));
}

TEST(ScenarioFile, SaysWhereTheTextIsWrong) {
  EXPECT_THAT(ErrorOf("machines {\n  nmae: 'a'\n}"), HasSubstr("test:2:7: "));
  EXPECT_THAT(ErrorOf("machines { devices { model: H300 } }"), HasSubstr("H300"));
}

TEST(ScenarioFile, SaysWhichRuleIsBrokenWhere) {
  const struct {
    const char* device;
    const char* error;
  } cases[] = {
      {"", "machines[1].devices[1].model: expected a model"},
      {"model: CUSTOM", "devices[1].custom: expected it"},
      {"model: CUSTOM custom { name: 'x' }", "custom.pci_vendor_id: expected 0x8086 or 0x10de, found 0"},
      {"model: H100 pci_address: '41:00.0'", "pci_address: expected an address like 0000:41:00.0, found \"41:00.0\""},
      {"model: H100 pci_address: '0000:19:00.0'", "pci_address: expected an address of its own"},
      {"model: H100 load { constant: 1.5 }", "load: expected values from 0 to 1, found 1.5 to 1.5"},
      {"model: H100 load { constant: nan }", "load.constant: expected a number"},
      {"model: H100 load { wave { mean: 0.5 amplitude: 0.6 period_s: 1 } }", "load: expected values from 0 to 1"},
      {"model: H100 load { wave { mean: 0.5 } }", "load.wave.period_s: expected a number"},
      {"model: H100 load { points { at_s: 2 } points { at_s: 2 } }", "load.points[1].at_s: expected a time after"},
      {"model: H100 load { constant: 1 points { at_s: 2 } }",
       "load: expected one of points, wave and constant, found 2"},
      {"model: H100 fields { field: POWER labels: ['a', 'b'] curve {} }", "fields[0].labels: expected none or 1"},
      {"model: H100 fields { field: POWER }", "fields[0]: expected one of curve and absence, found neither"},
      {"model: H100 fields { field: ENERGY curve { points { at_s: 1 value: 2 } points { at_s: 2 value: 1 } } }",
       "fields[0].curve: expected values that never fall"},
      {"model: H100 faults { at_s: -1 device_lost {} }", "faults[0].at_s: expected a number from 0"},
      {"model: H100 faults { at_s: 5 until_s: 4 device_lost {} }",
       "faults[0].until_s: expected 0 or a time after at_s, 5, found 4"},
      {"model: H100 faults { at_s: 5 }", "faults[0]: expected a kind of fault"},
      {"model: ARC_A770 faults { ecc_errors { count: 1 } }", "faults[0]: expected a device with ECC"},
      {"model: H100 faults { ecc_errors { per_second: inf } }", "ecc_errors.per_second: expected a number"},
      {"model: MAX_1550 faults { xid { number: 79 } }", "faults[0].xid: expected a device of NVIDIA's"},
      {"model: H100 faults { engine_hang {} }", "faults[0].engine_hang: expected a device of Intel's"},
      {"model: H100 faults { throttle { reason: 'heat' } }", "throttle.reason: expected one of power, thermal"},
      {"model: H100 faults { link_trained_down { lanes: 32 } }",
       "link_trained_down.lanes: expected a number from 0 to 16"},
      {"model: H100 faults { fan_stopped {} }",
       "fan_stopped.fan: expected a number under 0, for the device has 0 fans"},
      {"model: H100 faults { interconnect_errors { link: 18 } }",
       "interconnect_errors.link: expected a number under 18"},
      {"model: H100 faults { call_hangs { function: 'read' } }", "call_hangs.function: expected a function of NVML"},
      {"model: H100 faults { kernel_line { text: 'a\\nb' } }", "kernel_line.text: expected printable text"},
  };
  for (const auto& c : cases) EXPECT_THAT(ErrorOfDevice(c.device), HasSubstr(c.error)) << c.device;
}

TEST(ScenarioFile, MachinesHaveNamesOfTheirOwn) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("machines: expected one machine or more, found none"));
  EXPECT_THAT(ErrorOf("machines { name: 'A b' }"), HasSubstr("machines[0].name: "));
  EXPECT_THAT(ErrorOf("machines { name: 'a' } machines { name: 'a' }"),
              HasSubstr("machines[1].name: expected a name of its own"));
}

TEST(ScenarioFile, IsBounded) {
  std::string devices;
  for (int i = 0; i < kMaxDevices + 1; ++i) absl::StrAppend(&devices, "devices { model: H100 } ");
  EXPECT_THAT(ErrorOf("machines { name: 'a' " + devices + "}"),
              HasSubstr("machines[0].devices: expected at most 64, found 65"));
  EXPECT_THAT(ErrorOf(std::string(kMaxScenarioBytes + 1, ' ')), HasSubstr("longer than the limit of 4194304 bytes"));
  std::string machines;
  for (int i = 0; i < kMaxMachines + 1; ++i) absl::StrAppend(&machines, "machines { name: 'm", i, "' } ");
  EXPECT_THAT(ErrorOf(machines), HasSubstr("machines: expected at most 4096, found 4097"));
}

TEST(ScenarioFile, SixtyFourDevicesHaveAddressesOfTheirOwn) {
  std::string devices;
  for (int i = 0; i < kMaxDevices; ++i) absl::StrAppend(&devices, "devices { model: H100 } ");
  EXPECT_EQ(ErrorOf("machines { name: 'a' " + devices + "}"), "no error");
}

TEST(ScenarioFile, TheScenariosHereAreInOrder) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MUSTER_SCENARIOS)) {
    const auto scenario = ReadScenario(entry.path().string());
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    ++count;
  }
  EXPECT_GE(count, 2);
}

// What a fuzzer would try, from a fixed seed: nothing that the reader takes may break the world. The fuzzer is
// tests/fuzz/fuzz_scenario.cc.
TEST(ScenarioFile, MutatedScenariosAreRefusedOrWork) {
  const std::string good = *base::ReadFile(std::string(MUSTER_SCENARIOS) + "/each_fault.textproto", kMaxScenarioBytes);
  std::mt19937_64 random(20261122);
  constexpr char kBytes[] = "0123456789.-+eE{}:'\"\\#\n ,[]naifx%";
  int taken = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = good;
    for (uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
      const size_t at = random() % text.size();
      const size_t length = random() % 12;
      switch (random() % 4) {
        case 0:
          text[at] = kBytes[random() % (sizeof(kBytes) - 1)];
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), length));
          break;
        default:
          text[at] = static_cast<char>(random());
      }
    }
    const auto scenario = ParseScenario(text, "mutated");
    if (!scenario.ok()) {
      EXPECT_EQ(scenario.status().code(), absl::StatusCode::kInvalidArgument);
      continue;
    }
    ++taken;
    if (taken % 16 != 0) continue;
    const auto world = World::Make(*scenario, scenario->machines(0).name());
    ASSERT_TRUE(world.ok()) << world.status();
    for (size_t i = 0; i < (*world)->devices().size(); ++i) {
      for (const base::TelemetryFieldInfo& info : base::TelemetryFields()) {
        for (const auto& labels : (*world)->LabelsOf(i, info.field)) (*world)->Read(i, info.field, labels, 33.3);
      }
    }
    (*world)->KernelLog(-1, 1e9);
  }
  // Neither all refused nor all taken: the changes reach the rules.
  EXPECT_GT(taken, 100);
  EXPECT_LT(taken, 3900);
}

}  // namespace
}  // namespace muster::sim
