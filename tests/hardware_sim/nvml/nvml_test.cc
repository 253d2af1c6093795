// The simulated NVML through the agent's own eyes: its inventory, in a child as the agent asks it, and its sampler, in
// this process.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <cmath>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/inventory/probe.h"
#include "agent/inventory/shared_library.h"
#include "agent/telemetry/nvml_sampler.h"
#include "base/fixture_tree.h"
#include "base/telemetry_field.h"
#include "tests/hardware_sim/scenario_file.h"
#include "tests/hardware_sim/world.h"

namespace muster::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kLibrary[] = MUSTER_SIMULATED_NVML "/libnvidia-ml.so.1";
constexpr int64_t kSecondsIn = 1000;  // How long ago the scenarios here began.

class NoMarker final : public agent::CallMarker {
 public:
  void Enter(absl::string_view, const char*) override {}
  void Leave() override {}
};

int64_t NowUnixMs() {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// A machine "m" with these devices, which the environment names.
class NvmlTest : public ::testing::Test {
 protected:
  void Start(const std::string& devices) {
    const std::string text = absl::StrCat("machines { name: 'm' ", devices, " }");
    folder_.Write("/scenario.textproto", text);
    const auto scenario = ParseScenario(text, "test");
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    world_ = *World::Make(*scenario, "m");
    start_unix_ms_ = NowUnixMs() - kSecondsIn * 1000;
    setenv("MUSTER_SIM_SCENARIO", (folder_.root() + "/scenario.textproto").c_str(), 1);
    setenv("MUSTER_SIM_MACHINE", "m", 1);
    setenv("MUSTER_SIM_START_UNIX_MS", absl::StrCat(start_unix_ms_).c_str(), 1);
    setenv("LD_LIBRARY_PATH", MUSTER_SIMULATED_NVML, 1);
  }
  Seconds Now() const { return static_cast<double>(NowUnixMs() - start_unix_ms_) / 1000; }

  absl::StatusOr<agent::GpuLibraryReport> Ask(std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    return agent::ProbeInChild(MUSTER_PROBE_CHILD, agent::ProbeKind::kNvml, patience);
  }

  base::FixtureTree folder_;
  std::unique_ptr<World> world_;
  int64_t start_unix_ms_ = 0;
};

TEST_F(NvmlTest, TheInventorySeesWhatTheWorldHolds) {
  Start("devices { model: ARC_A770 } devices { model: H100 } devices { model: L40S serial: '123' }");
  const auto report = Ask();
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_THAT(report->devices, SizeIs(2));
  for (size_t i = 0; i < 2; ++i) {
    const v1::Device& told = report->devices[i];
    const v1::Device& held = world_->devices()[i + 1].device;
    EXPECT_EQ(told.model(), held.model());
    EXPECT_THAT(told.model(), HasSubstr("(simulated)"));
    EXPECT_EQ(told.uuid(), held.uuid());
    EXPECT_EQ(told.serial(), held.serial());
    EXPECT_EQ(told.pci_address(), held.pci_address());
    EXPECT_EQ(told.pci_device_id(), held.pci_device_id());
    EXPECT_EQ(told.vbios_version(), held.vbios_version());
    EXPECT_EQ(told.firmware_version(), held.firmware_version());
    EXPECT_EQ(told.driver_version(), held.driver_version());
    EXPECT_EQ(told.memory_bytes(), held.memory_bytes());
    EXPECT_EQ(told.ecc_mode(), held.ecc_mode());
    EXPECT_EQ(told.compute_capability(), held.compute_capability());
    EXPECT_EQ(told.device_nodes(0), held.device_nodes(0));
    EXPECT_EQ(told.pci_link().max_generation(), held.pci_link().max_generation());
    EXPECT_EQ(told.pci_link().width(), held.pci_link().width());
  }
}

TEST_F(NvmlTest, ALostDeviceIsCountedAndNotOpened) {
  Start("devices { model: H100 faults { device_lost {} } } devices { model: H200 }");
  const auto report = Ask();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->devices, SizeIs(1));
  EXPECT_THAT(report->notes, ElementsAre(HasSubstr("GPU is lost (15)")));
}

TEST_F(NvmlTest, AMachineOfIntelsHasNoDriver) {
  Start("devices { model: ARC_A770 }");
  EXPECT_THAT(std::string(Ask().status().message()), HasSubstr("Driver Not Loaded (9)"));
}

TEST_F(NvmlTest, ACallThatHangsHangs) {
  Start("devices { model: H100 faults { call_hangs { function: 'nvmlDeviceGetSerial' } } }");
  EXPECT_THAT(std::string(Ask(std::chrono::milliseconds(300)).status().message()), HasSubstr("hung"));
}

TEST_F(NvmlTest, AHangEndsWhenItsTimeIsOver) {
  Start(absl::StrCat("devices { model: H100 faults { until_s: ", kSecondsIn + 1,
                     " call_hangs { function: 'nvmlInit_v2' } } }"));
  const auto report = Ask();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GE(Now(), kSecondsIn + 1);
}

TEST_F(NvmlTest, ACallThatFailsFails) {
  Start("devices { model: H100 faults { call_fails { function: 'nvmlDeviceGetUUID' result: 999 } } }");
  const auto report = Ask();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->devices[0].uuid(), "");
  EXPECT_THAT(report->devices[0].model(), HasSubstr("H100"));
}

TEST_F(NvmlTest, ABrokenScenarioIsNoDriver) {
  Start("devices { model: H100 }");
  setenv("MUSTER_SIM_MACHINE", "other", 1);
  EXPECT_THAT(std::string(Ask().status().message()), HasSubstr("Driver Not Loaded (9)"));
}

// How far a reading may be from the world's: what NVML's units cut off.
double Rounding(v1::TelemetryField field) {
  switch (field) {
    case v1::TEMPERATURE:
      return 0.5;
    case v1::UTILIZATION:
    case v1::FAN_SPEED_RATIO:
      return 0.005;
    case v1::POWER:
    case v1::ENERGY:
      return 0.001;
    case v1::CLOCK:
    case v1::CLOCK_MAX:
      return 0.5e6;
    case v1::MEMORY_BANDWIDTH_MAX:
      return 1e9;
    case v1::LINK_BYTES:
      return 1024;
    case v1::LINK_BANDWIDTH:
      return 0.5e6;
    case v1::PCIE_THROUGHPUT:
      return 1e3;
    default:
      return 1e-6;
  }
}

// In one process the library's world is made once: one machine with everything.
TEST_F(NvmlTest, TheSamplerReadsWhatTheWorldHolds) {
  Start(absl::StrCat(
      "devices { model: H100 load { constant: 0.7 } "
      "  faults { ecc_errors { per_second: 0.01 count: 3 } } faults { ecc_errors { uncorrected: true location: 'l2' "
      "count: 2 } } "
      "  faults { row_remap { corrected: 1 uncorrected: 2 pending: true failed: true } } "
      "  faults { throttle { reason: 'hw_thermal' clock_ratio: 0.5 } } faults { link_trained_down { generation: 4 "
      "lanes: 8 } } "
      "  faults { pcie_replays { per_second: 0.02 } } faults { interconnect_errors { link: 3 kind: 'replay' "
      "per_second: 0.01 down: true } } "
      "  fields { field: TEMPERATURE labels: 'memory' absence: ABSENCE_NOT_PERMITTED } "
      "  fields { field: MEMORY_USED curve { constant: 12345678 } } "
      "  fields { field: RETIRED_PAGES labels: 'single_bit' curve { constant: 7 } } } "
      "devices { model: L40S } devices { model: B200 load { constant: 1 } } "
      "devices { model: CUSTOM custom { name: 'Fans' pci_vendor_id: 0x10de pci_device_id: 1 memory_bytes: 8589934592 "
      "  power_limit_watts: 200 idle_watts: 20 clock_max_hertz: 2e9 memory_clock_hertz: 7e9 pcie_generation: 4 "
      "pcie_lanes: 16 "
      "  fans: 2 throttle_celsius: 90 shutdown_celsius: 95 } load { constant: 0.3 } "
      "  faults { fan_stopped { fan: 1 } } faults { call_fails { function: 'nvmlDeviceGetPowerUsage' result: 4 } } }"));
  NoMarker marker;
  const auto sampler = agent::MakeNvmlSampler(
      []() -> absl::StatusOr<agent::NvmlFunctions> {
        static const auto& library =
            *new absl::StatusOr<std::unique_ptr<agent::SharedLibrary>>(agent::SharedLibrary::Open({kLibrary}));
        if (!library.ok()) return library.status();
        return agent::FindNvmlFunctions(**library);
      },
      marker);
  ASSERT_TRUE(sampler->Start().ok());
  ASSERT_TRUE(sampler->Sample({}).ok());  // Rates are known from the second turn on.
  const Seconds before = Now() - 0.001;
  const auto samples = sampler->Sample({});
  const Seconds after = Now() + 0.001;
  ASSERT_TRUE(samples.ok()) << samples.status();
  ASSERT_THAT(*samples, SizeIs(4));
  for (size_t i = 0; i < samples->size(); ++i) {
    const v1::DeviceSample& sample = (*samples)[i];
    EXPECT_EQ(sample.pci_address(), world_->devices()[i].device.pci_address());
    std::map<std::string, v1::Reading> seen;
    for (const v1::Reading& reading : sample.readings()) {
      const std::vector<std::string> labels(reading.labels().begin(), reading.labels().end());
      seen[base::DescribeReading(reading.field(), labels)] = reading;
    }
    for (const base::TelemetryFieldInfo& info : base::TelemetryFields()) {
      // Traffic, which NVML measures in a time of its own; and its counters, which the sampler leaves alone: they begin
      // anew at 4 GiB.
      if (info.field == v1::PCIE_THROUGHPUT || info.field == v1::PCIE_BYTES) continue;
      for (const auto& labels : world_->LabelsOf(i, info.field)) {
        const std::string name = absl::StrCat(sample.pci_address(), " ", base::DescribeReading(info.field, labels));
        const auto found = seen.find(base::DescribeReading(info.field, labels));
        ASSERT_TRUE(found != seen.end()) << name;
        const v1::Reading low = world_->Read(i, info.field, labels, before);
        const v1::Reading high = world_->Read(i, info.field, labels, after);
        if (i == 3 && info.field == v1::POWER) {
          EXPECT_EQ(found->second.absence(), v1::ABSENCE_NOT_PERMITTED) << name;
          continue;
        }
        EXPECT_EQ(found->second.absence(), low.absence()) << name;
        EXPECT_GE(found->second.value(), low.value() - Rounding(info.field)) << name;
        EXPECT_LE(found->second.value(), high.value() + Rounding(info.field)) << name;
      }
    }
    // And nothing that the world does not hold.
    for (const auto& [name, reading] : seen) {
      const std::vector<std::string> labels(reading.labels().begin(), reading.labels().end());
      if (!reading.has_value()) continue;
      EXPECT_TRUE(world_->Read(i, reading.field(), labels, after).has_value()) << sample.pci_address() << " " << name;
    }
  }
}

}  // namespace
}  // namespace muster::sim
