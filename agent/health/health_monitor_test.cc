#include "agent/health/health_monitor.h"

#include <algorithm>

#include "agent/health/sample_fake.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::agent {
namespace {

using ::testing::HasSubstr;
using State = SamplerStatus::State;
using Sample = FakeSample;

constexpr char kNvidia[] = "0000:41:00.0";
constexpr char kIntel[] = "0000:03:00.0";
constexpr char kBridge[] = "0000:40:01.0";

class HealthMonitorTest : public ::testing::Test {
 protected:
  HealthMonitorTest() {
    AddDevice("gpu-n", kNvidia, v1::VENDOR_NVIDIA, "nvidia");
    AddDevice("gpu-i", kIntel, v1::VENDOR_INTEL, "i915");
  }

  v1::Device& AddDevice(const std::string& id, const std::string& address, v1::Vendor vendor,
                        const std::string& driver) {
    v1::Device& device = *machine_.add_devices();
    device.set_id(id);
    device.set_pci_address(address);
    device.set_vendor(vendor);
    device.set_kernel_driver(driver);
    device.set_driver_state(v1::DRIVER_STATE_READY);
    return device;
  }
  void SetMachine() { health_.SetMachine(machine_, {{kNvidia, {kBridge}}, {kIntel, {"0000:00:01.0"}}}, now_); }
  // Samples of both, each second.
  void Run(int seconds, const v1::DeviceSample& nvidia = Good(kNvidia)) {
    for (int i = 0; i < seconds; ++i) {
      Wait(1);
      health_.OnSample(nvidia, now_);
      health_.OnSample(Good(kIntel), now_);
    }
  }
  void Wait(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      now_.mono_ms += 1'000;
      now_.unix_ms += 1'000;
      health_.Tick(now_);
    }
  }
  void Start() {
    SetMachine();
    Run(1);
  }
  static v1::DeviceSample Good(const std::string& address) {
    return Sample(address).With(v1::TEMPERATURE, {"core"}, 40).With(v1::ENERGY, {"card"}, 1e6);
  }
  void Log(const std::string& line, int64_t seconds_ago = 0) {
    const auto match = base::EventCatalogue::Embedded().Classify(line);
    ASSERT_TRUE(match) << line;
    health_.OnKernelEvents({{.match = *match, .time_unix_ms = now_.unix_ms - 1'000 * seconds_ago, .text = line}}, now_);
  }
  void Xid(int number, int64_t seconds_ago = 0) {
    Log("NVRM: Xid (PCI:0000:41:00): " + std::to_string(number) + ", pid=1, text", seconds_ago);
  }
  // "FAILED nvidia.xid.79 telemetry.silent": state and codes of a device.
  std::string Of(const std::string& id) const {
    const v1::HealthReport report = health_.Report(now_);
    for (const v1::DeviceHealth& device : report.devices()) {
      if (device.device_id() != id) continue;
      std::string text = v1::HealthState_Name(device.state()).substr(sizeof "HEALTH_STATE_" - 1);
      for (const v1::HealthCondition& condition : device.conditions()) text += " " + condition.code();
      return text;
    }
    return "not there";
  }
  std::string Nvidia() const { return Of("gpu-n"); }
  v1::HealthCondition First(const std::string& id) const {
    const v1::HealthReport report = health_.Report(now_);
    for (const v1::DeviceHealth& device : report.devices()) {
      if (device.device_id() == id && device.conditions_size() > 0) return device.conditions(0);
    }
    return {};
  }
  std::string MachineConditions() const {
    std::string text;
    const v1::HealthReport report = health_.Report(now_);
    for (const auto& condition : report.machine_conditions()) text += condition.code() + " ";
    return text;
  }
  uint64_t CountOf(const std::string& device, const std::string& code) const {
    for (const EventCount& count : health_.events().Counts()) {
      if (count.device_id == device && count.code == code) return count.count;
    }
    return 0;
  }

  base::Time now_{.mono_ms = 1'000'000, .unix_ms = 1'800'000'000'000};
  v1::Machine machine_;
  HealthMonitor health_{base::EventCatalogue::Embedded()};
};

TEST_F(HealthMonitorTest, WithoutDataNothingIsHealthy) {
  SetMachine();
  EXPECT_EQ(Nvidia(), "UNKNOWN telemetry.silent");
  EXPECT_EQ(CountOf("gpu-n", "telemetry.silent"), 0u) << "a start is no event";
  Run(1);
  EXPECT_EQ(Nvidia(), "HEALTHY");
  EXPECT_FALSE(health_.TakeInventoryStale());
  Wait(3);
  EXPECT_FALSE(health_.TakeInventoryStale());
  Wait(1);
  EXPECT_TRUE(health_.TakeInventoryStale()) << "it may be lost";
  Wait(6);
  EXPECT_FALSE(health_.TakeInventoryStale()) << "asked once";
  EXPECT_EQ(Nvidia(), "HEALTHY");
  Wait(1);
  EXPECT_EQ(Nvidia(), "UNKNOWN telemetry.silent");
  EXPECT_EQ(CountOf("gpu-n", "telemetry.silent"), 1u);
  EXPECT_TRUE(health_.TakeInventoryStale());
  Run(1);
  EXPECT_EQ(Nvidia(), "HEALTHY");
}

TEST_F(HealthMonitorTest, WhoIsReadSeldomIsNotSilent) {
  HealthMonitor seldom(base::EventCatalogue::Embedded(), 20'000);
  seldom.SetMachine(machine_, {}, now_);
  const auto state = [&] { return seldom.Report(now_).devices(0).state(); };
  for (int i = 0; i < 5; ++i) {
    seldom.OnSample(Good(kNvidia), now_);
    seldom.OnSample(Good(kIntel), now_);
    for (int second = 0; second < 20; ++second) {
      now_.mono_ms += 1'000;
      now_.unix_ms += 1'000;
      seldom.Tick(now_);
      ASSERT_EQ(state(), v1::HEALTH_STATE_HEALTHY);
    }
    EXPECT_FALSE(seldom.TakeInventoryStale());
  }
  for (int second = 0; second < 61; ++second) {
    now_.mono_ms += 1'000;
    seldom.Tick(now_);
  }
  EXPECT_EQ(state(), v1::HEALTH_STATE_UNKNOWN);
}

TEST_F(HealthMonitorTest, ASampleWithoutAnyValueIsNone) {
  Start();
  Run(11, Sample(kNvidia).Absent(v1::TEMPERATURE, {"core"}).Absent(v1::POWER, {"card"}));
  EXPECT_EQ(Nvidia(), "UNKNOWN telemetry.silent");
  EXPECT_EQ(Of("gpu-i"), "HEALTHY");
}

TEST_F(HealthMonitorTest, SilenceFromTheStartIsToldOnce) {
  SetMachine();
  Wait(60);
  EXPECT_EQ(CountOf("gpu-n", "telemetry.silent"), 1u);
  EXPECT_THAT(First("gpu-n").message(), HasSubstr("10 s"));
}

TEST_F(HealthMonitorTest, AnXidStandsAsTheCatalogueSays) {
  Start();
  const int64_t then_ms = now_.unix_ms;
  Xid(48);
  EXPECT_EQ(Nvidia(), "FAILED nvidia.xid.48");
  EXPECT_EQ(Of("gpu-i"), "HEALTHY");
  const v1::HealthCondition condition = First("gpu-n");
  EXPECT_EQ(condition.since_unix_ms(), then_ms);
  EXPECT_THAT(condition.message(), HasSubstr("Xid (PCI:0000:41:00): 48"));
  EXPECT_THAT(condition.clears_when(), HasSubstr("reset"));
  EXPECT_NE(condition.action(), "");
  Run(3'600);
  EXPECT_EQ(Nvidia(), "FAILED nvidia.xid.48") << "time heals nothing";
  // A reset: energy counts from zero.
  Run(1, Sample(kNvidia).With(v1::TEMPERATURE, {"core"}, 40).With(v1::ENERGY, {"card"}, 5));
  EXPECT_EQ(Nvidia(), "HEALTHY");
}

TEST_F(HealthMonitorTest, ThePrograms_MistakesAreEventsAlone) {
  Start();
  Xid(13);
  Xid(31);
  Xid(9999);
  EXPECT_EQ(Nvidia(), "HEALTHY");
  EXPECT_EQ(CountOf("gpu-n", "nvidia.xid.31"), 1u);
  EXPECT_EQ(CountOf("gpu-n", "nvidia.xid.9999"), 1u);
}

TEST_F(HealthMonitorTest, ADriverThatBeginsAnewEndsWhatAResetEnds) {
  Start();
  Xid(95);
  Xid(54);
  Log("NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15");
  EXPECT_EQ(Nvidia(), "FAILED nvidia.xid.54") << "54 wants the machine restarted";
  EXPECT_TRUE(health_.TakeInventoryStale());
  Log("i915 0000:03:00.0: [drm] *ERROR* Failed to reset chip");
  EXPECT_EQ(Of("gpu-i"), "FAILED intel.wedged");
  Run(11);
  Log("[drm] Initialized i915 1.6.0 20201103 for 0000:03:00.0 on minor 0");
  EXPECT_EQ(Of("gpu-i"), "HEALTHY");
}

TEST_F(HealthMonitorTest, WhatFailedWhileADriverStartedStands) {
  Start();
  Log("i915 0000:03:00.0: [drm] *ERROR* GT0: GuC firmware i915/dg2_guc_70.bin: fetch failed -ENOENT", 3);
  Log("i915 0000:03:00.0: [drm] *ERROR* Failed to initialize GPU, declaring it wedged!", 2);
  Log("[drm] Initialized i915 1.6.0 for 0000:03:00.0 on minor 0");
  EXPECT_EQ(Of("gpu-i"), "FAILED intel.wedged intel.guc-failure");
}

TEST_F(HealthMonitorTest, LinesFromBeforeTheInventoryAreKept) {
  Xid(79, 3'600);
  Log("i915 0000:03:00.0: [drm] GPU HANG: ecode 12:1:85dffffb, in x [1]", 3'600);
  EXPECT_EQ(Nvidia(), "not there");
  Start();
  EXPECT_EQ(Nvidia(), "FAILED nvidia.xid.79");
  EXPECT_EQ(First("gpu-n").since_unix_ms(), now_.unix_ms - 3'601'000);
  EXPECT_EQ(Of("gpu-i"), "HEALTHY") << "its ten minutes were over before";
  EXPECT_EQ(CountOf("gpu-i", "intel.gpu-hang"), 1u);
}

TEST_F(HealthMonitorTest, SomeConditionsEndWithTime) {
  Start();
  Log("i915 0000:03:00.0: [drm] GPU HANG: ecode 12:1:85dffffb, in x [1]");
  EXPECT_EQ(Of("gpu-i"), "DEGRADED intel.gpu-hang");
  Run(599);
  EXPECT_EQ(Of("gpu-i"), "DEGRADED intel.gpu-hang");
  Log("i915 0000:03:00.0: [drm] GPU HANG: ecode 12:1:85dffffb, in x [1]");
  Run(599);
  EXPECT_EQ(Of("gpu-i"), "DEGRADED intel.gpu-hang") << "the second one begins its time anew";
  Run(1);
  EXPECT_EQ(Of("gpu-i"), "HEALTHY");
}

TEST_F(HealthMonitorTest, AerIsOfGpusAndOfTheBridgesAboveThem) {
  Start();
  const std::string corrected = ": PCIe Bus Error: severity=Corrected, type=Physical Layer";
  Log("nvme 0000:05:00.0" + corrected);
  EXPECT_TRUE(health_.events().events().empty());
  for (int i = 0; i < 9; ++i) Log(std::string("pcieport ") + kBridge + corrected);
  EXPECT_EQ(CountOf("gpu-n", "pcie.aer.corrected"), 9u);
  EXPECT_EQ(Nvidia(), "HEALTHY") << "a few are no harm";
  Log(std::string("pcieport ") + kBridge + corrected);
  EXPECT_EQ(Nvidia(), "DEGRADED pcie.aer.corrected");
  Log(std::string("nvidia ") + kNvidia + ": PCIe Bus Error: severity=Uncorrected (Fatal), type=Data Link Layer");
  EXPECT_EQ(Nvidia(), "FAILED pcie.aer.fatal pcie.aer.corrected");
}

TEST_F(HealthMonitorTest, FewCorrectedErrorsOverALongTimeAreNoCondition) {
  Start();
  for (int i = 0; i < 50; ++i) {
    Log("nvidia 0000:41:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer");
    Run(10);
  }
  EXPECT_EQ(Nvidia(), "HEALTHY");
}

TEST_F(HealthMonitorTest, ABridgeOfSeveralIsTheMachines) {
  AddDevice("gpu-n2", "0000:42:00.0", v1::VENDOR_NVIDIA, "nvidia");
  health_.SetMachine(machine_, {{kNvidia, {kBridge}}, {"0000:42:00.0", {kBridge}}}, now_);
  Log(std::string("pcieport ") + kBridge + ": PCIe Bus Error: severity=Uncorrected (Fatal), type=Data Link Layer");
  EXPECT_EQ(CountOf("", "pcie.aer.fatal"), 1u);
  EXPECT_EQ(MachineConditions(), "pcie.aer.fatal ");
}

TEST_F(HealthMonitorTest, MachineChecksAreTheMachines) {
  Start();
  Log("mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 5: be00000000800400");
  EXPECT_EQ(MachineConditions(), "machine-check ");
  EXPECT_EQ(Nvidia(), "HEALTHY");
  Wait(86'400);
  EXPECT_EQ(MachineConditions(), "");
}

TEST_F(HealthMonitorTest, AGpuThatIsGoneIsLost) {
  Start();
  v1::Machine without = machine_;
  without.mutable_devices()->DeleteSubrange(0, 1);
  health_.SetMachine(without, {}, now_);
  EXPECT_EQ(Nvidia(), "FAILED device.lost");
  EXPECT_EQ(CountOf("gpu-n", "device.lost"), 1u);
  Xid(48);
  SetMachine();
  EXPECT_EQ(Nvidia(), "UNKNOWN telemetry.silent") << "it is back and began anew; nothing is known of it yet";
  Run(1);
  EXPECT_EQ(Nvidia(), "HEALTHY");
}

TEST_F(HealthMonitorTest, NotServedIsToldApart) {
  Start();
  machine_.mutable_devices(0)->set_driver_state(v1::DRIVER_STATE_NOT_LISTED);
  machine_.mutable_devices(0)->set_driver_problem("it lists 0");
  SetMachine();
  EXPECT_EQ(Nvidia(), "FAILED device.lost");
  EXPECT_EQ(First("gpu-n").message(), "it lists 0");
  machine_.mutable_devices(0)->set_driver_state(v1::DRIVER_STATE_UNBOUND);
  SetMachine();
  EXPECT_EQ(Nvidia(), "FAILED driver.unbound") << "it was served before";
  // Never served: nothing is known of it.
  AddDevice("gpu-v", "0000:51:00.0", v1::VENDOR_NVIDIA, "vfio-pci").set_driver_state(v1::DRIVER_STATE_NOT_LISTED);
  AddDevice("gpu-u", "0000:52:00.0", v1::VENDOR_NVIDIA, "").set_driver_state(v1::DRIVER_STATE_UNBOUND);
  AddDevice("gpu-l", "0000:53:00.0", v1::VENDOR_NVIDIA, "nvidia").set_driver_state(v1::DRIVER_STATE_NO_LIBRARY);
  SetMachine();
  EXPECT_EQ(Of("gpu-v"), "UNKNOWN driver.unbound");
  EXPECT_EQ(Of("gpu-u"), "UNKNOWN driver.unbound");
  EXPECT_EQ(Of("gpu-l"), "UNKNOWN telemetry.silent");
}

TEST_F(HealthMonitorTest, ACallThatHangsFailsItsDevice) {
  Start();
  SamplerStatus status{.kind = SamplerKind::kNvml, .state = State::kHung, .detail = "nvmlDeviceGetTemperature for 5 s"};
  status.hung_device = kNvidia;
  status.hung_call = "nvmlDeviceGetTemperature";
  status.hangs = 1;
  health_.OnSampler(status, now_);
  EXPECT_EQ(Nvidia(), "FAILED driver.call-hung");
  EXPECT_EQ(First("gpu-n").message(), status.detail);
  EXPECT_EQ(CountOf("gpu-n", "driver.call-hung"), 1u);
  EXPECT_EQ(MachineConditions(), "");
  status.state = State::kRunning;
  status.skipped = {kNvidia};
  health_.OnSampler(status, now_);
  Wait(1);
  EXPECT_EQ(Nvidia(), "FAILED driver.call-hung") << "left alone, not well";
  status.skipped.clear();
  health_.OnSampler(status, now_);
  EXPECT_EQ(Nvidia(), "FAILED driver.call-hung") << "only a sample shows that it answers";
  Run(1);
  EXPECT_EQ(Nvidia(), "HEALTHY");
}

TEST_F(HealthMonitorTest, ASamplerThatBreaksIsTheMachines) {
  Start();
  SamplerStatus status{.kind = SamplerKind::kNvml, .state = State::kBroken, .detail = "SIGSEGV", .crashes = 1};
  health_.OnSampler(status, now_);
  EXPECT_EQ(MachineConditions(), "driver.crashed ");
  EXPECT_EQ(CountOf("", "driver.crashed"), 1u);
  status.state = State::kStarting;
  health_.OnSampler(status, now_);
  EXPECT_EQ(MachineConditions(), "driver.crashed ");
  status.state = State::kRunning;
  health_.OnSampler(status, now_);
  EXPECT_EQ(MachineConditions(), "");
  status.state = State::kHung;
  health_.OnSampler(status, now_);
  EXPECT_EQ(MachineConditions(), "driver.call-hung ") << "a call of no device";
  status.state = State::kAbsent;
  health_.OnSampler(status, now_);
  EXPECT_EQ(MachineConditions(), "telemetry.silent ");
  status.state = State::kBroken;
  status.crashes = 2;
  health_.OnSampler(status, now_);
  status.state = State::kAbsent;
  health_.OnSampler(status, now_);
  EXPECT_EQ(MachineConditions(), "telemetry.silent ") << "the library is gone: it no longer crashes";
}

TEST_F(HealthMonitorTest, WithoutTheKernelsLogItSaysSo) {
  Start();
  health_.OnKernelLog({.readable = false, .problem = "cannot read /dev/kmsg: Permission denied"}, now_);
  EXPECT_EQ(MachineConditions(), "kernel-log.unreadable ");
  const v1::HealthCondition condition = health_.Report(now_).machine_conditions(0);
  EXPECT_THAT(condition.message(), HasSubstr("Permission denied"));
  EXPECT_THAT(condition.message(), HasSubstr("by the samples alone"));
  EXPECT_THAT(condition.action(), HasSubstr("CAP_SYSLOG"));
  EXPECT_EQ(Nvidia(), "HEALTHY");
  health_.OnKernelLog({.readable = true, .lost = 12}, now_);
  EXPECT_EQ(MachineConditions(), "kernel-log.records-lost ");
  Wait(600);
  EXPECT_EQ(MachineConditions(), "");
}

TEST_F(HealthMonitorTest, RulesOfTheSamplesAreConditionsAndEvents) {
  Start();
  Run(1, Sample(kNvidia).With(v1::ROW_REMAP_PENDING, 1).With(v1::ROW_REMAP_FAILED, 1));
  EXPECT_EQ(Nvidia(), "FAILED row-remap.failed row-remap.pending");
  EXPECT_EQ(CountOf("gpu-n", "row-remap.failed"), 1u);
  Run(20, Sample(kNvidia).With(v1::ROW_REMAP_PENDING, 1).With(v1::ROW_REMAP_FAILED, 1));
  EXPECT_EQ(CountOf("gpu-n", "row-remap.failed"), 1u) << "one event for each beginning";
  Run(1, Sample(kNvidia).With(v1::ROW_REMAP_PENDING, 0).With(v1::ROW_REMAP_FAILED, 0));
  EXPECT_EQ(Nvidia(), "HEALTHY");
}

TEST_F(HealthMonitorTest, TheReportChangesOnlyWithWhatItSays) {
  Start();
  EXPECT_TRUE(health_.TakeChanged());
  Run(100);
  EXPECT_FALSE(health_.TakeChanged());
  Xid(13);
  EXPECT_TRUE(health_.TakeChanged());
}

TEST_F(HealthMonitorTest, AFloodOfEventsIsBounded) {
  Start();
  for (int i = 0; i < 2'000; ++i) Xid(i);
  const v1::HealthReport report = health_.Report(now_);
  EXPECT_LE(static_cast<size_t>(report.events_size()), EventLog::kMaxReported);
  EXPECT_EQ(report.events(report.events_size() - 1).code(), "nvidia.xid.1999");
}

TEST_F(HealthMonitorTest, ConditionsOfTheMachineAreBounded) {
  Start();
  for (int i = 0; i < 1'000; ++i)
    Log("nvidia-nvswitch0: SXid (PCI:0000:05:00.0): " + std::to_string(i) + ", Fatal, text");
  EXPECT_EQ(static_cast<size_t>(health_.Report(now_).machine_conditions_size()), HealthMonitor::kMaxConditions);
}

TEST(HealthStateTest, NoDataIsWorseThanDegraded) {
  EXPECT_TRUE(IsWorse(v1::HEALTH_STATE_FAILED, v1::HEALTH_STATE_UNKNOWN));
  EXPECT_TRUE(IsWorse(v1::HEALTH_STATE_UNKNOWN, v1::HEALTH_STATE_DEGRADED));
  EXPECT_TRUE(IsWorse(v1::HEALTH_STATE_DEGRADED, v1::HEALTH_STATE_HEALTHY));
}

}  // namespace
}  // namespace muster::agent
