#include "agent/monitor/monitor.h"

#include "agent/health/sample_fake.h"
#include "base/event_loop_fake.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::agent {
namespace {

using ::testing::ElementsAre;
using Sample = FakeSample;

constexpr char kAddress[] = "0000:41:00.0";

class FakeSampler final : public SamplerProcess {
 public:
  FakeSampler(Callbacks callbacks, int& looks) : callbacks_(std::move(callbacks)), looks_(looks) {}
  void LookAgain() override { ++looks_; }
  Callbacks callbacks_;

 private:
  int& looks_;
};

class FakeKernelLog final : public KernelLogSource {
 public:
  explicit FakeKernelLog(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}
  Callbacks callbacks_;
};

class MonitorTest : public ::testing::Test {
 protected:
  MonitorTest() {
    machine_.set_name("m");
    v1::Device& device = *machine_.add_devices();
    device.set_id("gpu");
    device.set_pci_address(kAddress);
    device.set_vendor(v1::VENDOR_NVIDIA);
    device.set_driver_state(v1::DRIVER_STATE_READY);
  }
  void Make() {
    monitor_ = std::make_unique<Monitor>(
        loop_, base::EventCatalogue::Embedded(),
        Monitor::Parts{.start_sampler =
                           [this](SamplerKind kind, SamplerProcess::Callbacks callbacks) {
                             started_.push_back(kind);
                             auto sampler = std::make_unique<FakeSampler>(std::move(callbacks), looks_);
                             sampler_ = sampler.get();
                             return sampler;
                           },
                       .open_kernel_log =
                           [this](KernelLogSource::Callbacks callbacks) {
                             auto log = std::make_unique<FakeKernelLog>(std::move(callbacks));
                             log_ = log.get();
                             return log;
                           }},
        Monitor::Handlers{.on_health_changed = [this] { ++changes_; }, .on_inventory_stale = [this] { ++stale_; }});
  }
  void Start() {
    Make();
    monitor_->SetMachine(machine_);
  }
  static FakeSample At(double utilization, double celsius = 50) {
    return Sample(kAddress)
        .With(v1::TEMPERATURE, {"core"}, celsius)
        .With(v1::UTILIZATION, {"gpu"}, utilization)
        .With(v1::MEMORY_USED, 1e9);
  }
  void Run(int seconds, const FakeSample& like) {
    for (int i = 0; i < seconds; ++i) {
      loop_.Advance(1'000);
      v1::DeviceSample sample = like;
      sample.set_time_unix_ms(loop_.Now().unix_ms);
      sampler_->callbacks_.on_samples({sample});
    }
  }
  void Log(const std::string& line) {
    log_->callbacks_.on_events({{.match = *base::EventCatalogue::Embedded().Classify(line),
                                 .time_unix_ms = loop_.Now().unix_ms,
                                 .text = line}});
  }
  v1::CaseResult Case(v1::Verdict outcome, int64_t seconds) {
    v1::CaseResult result;
    result.set_outcome(outcome);
    result.set_started_unix_ms(loop_.Now().unix_ms - 1'000 * seconds);
    monitor_->Annotate({"gpu"}, loop_.Now().unix_ms, result);
    return result;
  }

  base::FakeEventLoop loop_;
  v1::Machine machine_;
  std::vector<SamplerKind> started_;
  int looks_ = 0;
  int changes_ = 0;
  int stale_ = 0;
  FakeSampler* sampler_ = nullptr;
  FakeKernelLog* log_ = nullptr;
  std::unique_ptr<Monitor> monitor_;
};

TEST_F(MonitorTest, StartsOnlyTheSamplersThatTheMachineNeeds) {
  machine_.mutable_devices(0)->set_vendor(v1::VENDOR_INTEL);
  Start();
  EXPECT_THAT(started_, ElementsAre(SamplerKind::kIntel));
  monitor_->SetMachine(machine_);
  EXPECT_THAT(started_, ElementsAre(SamplerKind::kIntel));
  EXPECT_EQ(looks_, 1) << "an absent library is asked again";
}

TEST_F(MonitorTest, ReadsTheKernelsLogOnceItKnowsTheDevices) {
  Make();
  EXPECT_EQ(log_, nullptr)
      << "what it says of devices that are not known yet would have to be kept, however much it is";
  monitor_->SetMachine(machine_);
  const FakeKernelLog* const log = log_;
  ASSERT_NE(log, nullptr);
  monitor_->SetMachine(machine_);
  EXPECT_EQ(log_, log);
}

TEST_F(MonitorTest, AMachineWithoutGpusIsLeftInPeace) {
  machine_.clear_devices();
  Start();
  EXPECT_TRUE(started_.empty());
  const int before = changes_;
  loop_.Advance(3'600'000);
  EXPECT_EQ(changes_, before);
  EXPECT_EQ(stale_, 0);
}

TEST_F(MonitorTest, ShowsWhatItKnows) {
  Start();
  EXPECT_EQ(monitor_->Snapshot().devices.at(0).sample, nullptr);
  EXPECT_EQ(monitor_->Snapshot().devices.at(0).health->state(), v1::HEALTH_STATE_UNKNOWN);
  Run(2, At(0.5));
  loop_.Advance(700);
  Log("NVRM: Xid (PCI:0000:41:00): 31, pid=1, MMU Fault");
  const MonitorSnapshot snapshot = monitor_->Snapshot();
  ASSERT_EQ(snapshot.devices.size(), 1u);
  EXPECT_EQ(snapshot.devices[0].device->id(), "gpu");
  EXPECT_EQ(snapshot.devices[0].sample->device_id(), "gpu");
  EXPECT_EQ(snapshot.devices[0].sample_age_ms, 700);
  EXPECT_EQ(snapshot.devices[0].health->state(), v1::HEALTH_STATE_HEALTHY);
  ASSERT_EQ(snapshot.event_counts.size(), 1u);
  EXPECT_EQ(snapshot.event_counts[0].code, "nvidia.xid.31");
  ASSERT_EQ(snapshot.samplers.size(), 1u);
  EXPECT_EQ(snapshot.samplers[0].status.samples, 2u);
  EXPECT_EQ(snapshot.samplers[0].last_duration_us, 500);
  EXPECT_EQ(monitor_->Telemetry().samples_size(), 1);
  loop_.Advance(60'000);
  EXPECT_EQ(monitor_->Telemetry().samples_size(), 0) << "old samples are no news";
  EXPECT_EQ(monitor_->health().devices(0).state(), v1::HEALTH_STATE_UNKNOWN);
}

TEST_F(MonitorTest, KeepsTheContextOfAFailedCase) {
  Start();
  Run(3, At(0, 40));
  Log("NVRM: Xid (PCI:0000:41:00): 13, too early");
  Run(6, At(0, 40));
  Run(4, At(1, 70));
  Log("NVRM: Xid (PCI:0000:41:00): 31, in time");
  const v1::CaseResult failed = Case(v1::FAILED, 4);
  EXPECT_EQ(failed.gpu_activity(), v1::GPU_ACTIVITY_SEEN);
  ASSERT_EQ(failed.context().devices_size(), 1);
  EXPECT_EQ(failed.context().devices(0).device_id(), "gpu");
  const v1::ReadingSummary& temperature = failed.context().devices(0).readings(0);
  EXPECT_EQ(temperature.field(), v1::TEMPERATURE);
  EXPECT_EQ(temperature.maximum(), 70);
  ASSERT_EQ(failed.context().events_size(), 1);
  EXPECT_EQ(failed.context().events(0).code(), "nvidia.xid.31");
}

TEST_F(MonitorTest, APassedCaseHasActivityAndNoContext) {
  Start();
  Run(5, At(0));
  EXPECT_EQ(Case(v1::PASSED, 4).gpu_activity(), v1::GPU_ACTIVITY_NONE);
  EXPECT_FALSE(Case(v1::PASSED, 4).has_context());
  EXPECT_FALSE(Case(v1::SKIPPED, 4).has_context());
  v1::CaseResult of_another;
  of_another.set_outcome(v1::FAILED);
  monitor_->Annotate({"another"}, loop_.Now().unix_ms, of_another);
  EXPECT_EQ(of_another.gpu_activity(), v1::GPU_ACTIVITY_UNSPECIFIED);
  EXPECT_FALSE(of_another.has_context());
}

TEST_F(MonitorTest, TheContextIsBounded) {
  Start();
  v1::DeviceSample sample;
  sample.set_pci_address(kAddress);
  sample.set_time_unix_ms(loop_.Now().unix_ms);
  for (int i = 0; i < 1'000; ++i) {
    v1::Reading& reading = *sample.add_readings();
    reading.set_field(v1::TEMPERATURE);
    reading.add_labels(std::to_string(i));
    reading.set_value(50);
  }
  sampler_->callbacks_.on_samples({sample});
  for (int i = 200; i < 400; ++i) Log("NVRM: Xid (PCI:0000:41:00): " + std::to_string(i) + ", text");
  const v1::CaseResult failed = Case(v1::FAILED, 1);
  EXPECT_EQ(static_cast<size_t>(failed.context().devices(0).readings_size()), Monitor::kMaxContextReadings);
  EXPECT_EQ(failed.context().events_size(), Monitor::kMaxContextEvents);
  EXPECT_EQ(failed.context().events(Monitor::kMaxContextEvents - 1).code(), "nvidia.xid.399");
}

TEST_F(MonitorTest, AsksForTheInventoryWhenADeviceIsSilentAndNotTooOften) {
  Start();
  Run(30, At(0));
  EXPECT_EQ(stale_, 0);
  loop_.Advance(4'000);
  EXPECT_EQ(stale_, 1);
  loop_.Advance(60'000);
  EXPECT_EQ(stale_, 2) << "when it may be lost, and when it is silent";
  // The inventory says that it is lost; samples that come nevertheless say that it is back.
  machine_.mutable_devices(0)->set_driver_state(v1::DRIVER_STATE_NOT_LISTED);
  monitor_->SetMachine(machine_);
  EXPECT_EQ(monitor_->health().devices(0).state(), v1::HEALTH_STATE_FAILED);
  Run(20, At(0));
  EXPECT_LE(stale_, 6);
  EXPECT_GE(stale_, 4);
}

TEST_F(MonitorTest, AMachineWithALostDeviceIsLookedAtNowAndThen) {
  machine_.mutable_devices(0)->set_driver_state(v1::DRIVER_STATE_NOT_LISTED);
  Start();
  loop_.Advance(10 * Monitor::kLookForLostMs);
  EXPECT_GE(stale_, 9);
  EXPECT_LE(stale_, 11);
}

}  // namespace
}  // namespace muster::agent
