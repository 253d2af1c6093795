// The agent's Intel sampler over the simulated driver and the real loader: what it reads is what the World says.
#include <dlfcn.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/telemetry/intel_fields.h"
#include "agent/telemetry/intel_sampler.h"
#include "tests/hardware_sim/level_zero/level_zero_fixture.h"
#include "tests/hardware_sim/world.h"

namespace muster::sim::ze {
namespace {

using ::testing::SizeIs;
using Labels = std::vector<std::string>;

class NoMarker final : public agent::CallMarker {
 public:
  void Enter(absl::string_view, const char*) override {}
  void Leave() override {}
};

std::string OneDevice(const std::string& model, const std::string& faults = "") {
  return "machines { name: 'm' devices { model: " + model + " load { constant: 0.5 } " + faults + " } }";
}

// No PCI bus is shown: the sampler takes Level Zero's devices.
class SamplerTest : public LevelZeroTest {
 protected:
  void StartSampler(const std::string& scenario) {
    SetScenario(scenario);
    sampler_ = agent::MakeIntelSampler("/nowhere", marker_);
    const absl::Status status = sampler_->Start();
    ASSERT_TRUE(status.ok()) << status;
  }

  v1::DeviceSample Turn() {
    const auto samples = sampler_->Sample({});
    EXPECT_TRUE(samples.ok());
    EXPECT_THAT(*samples, SizeIs(1));
    return samples.ok() && !samples->empty() ? samples->front() : v1::DeviceSample();
  }

  static const v1::Reading* Find(const v1::DeviceSample& sample, v1::TelemetryField field, const Labels& labels) {
    for (const v1::Reading& reading : sample.readings()) {
      if (reading.field() == field && Labels(reading.labels().begin(), reading.labels().end()) == labels) {
        return &reading;
      }
    }
    return nullptr;
  }
  static v1::Absence AbsenceOf(const v1::DeviceSample& sample, v1::TelemetryField field, const Labels& labels) {
    const v1::Reading* reading = Find(sample, field, labels);
    return reading == nullptr ? v1::ABSENCE_UNSPECIFIED : reading->absence();
  }

  // Loaders before 1.9 or so do not pass these on.
  static bool LoaderHas(v1::TelemetryField field, const Labels& labels) {
    const bool later_category = field == v1::RAS_ERRORS && labels[1] == "memory";
    if (later_category) return dlsym(RTLD_DEFAULT, "zesRasGetStateExp") != nullptr;
    if (field == v1::LINK_ERRORS) return dlsym(RTLD_DEFAULT, "zesFabricPortGetFabricErrorCounters") != nullptr;
    return true;
  }

  // Sysman has no limit of this name.
  static bool SysmanHas(v1::TelemetryField field, const Labels& labels) {
    return field != v1::TEMPERATURE_LIMIT || labels[0] != "shutdown";
  }

  NoMarker marker_;
  std::unique_ptr<agent::Sampler> sampler_;
};

class SamplerModelTest : public SamplerTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(SamplerModelTest, ReadsWhatTheWorldSays) {
  StartSampler(OneDevice(GetParam()));
  const auto live = LiveWorld::FromEnvironment();
  ASSERT_TRUE(live.ok()) << live.status();
  const std::shared_ptr<const World> world = (*live)->world();
  const Seconds before = (*live)->now();
  const v1::DeviceSample sample = Turn();
  const Seconds after = (*live)->now();
  EXPECT_EQ(sample.pci_address(), world->devices().at(0).device.pci_address());
  int compared = 0;
  for (const v1::TelemetryField field : agent::IntelFields()) {
    for (const Labels& labels : world->LabelsOf(0, field)) {
      const v1::Reading first = world->Read(0, field, labels, before);
      const v1::Reading last = world->Read(0, field, labels, after);
      if (!first.has_value() || !last.has_value() || !LoaderHas(field, labels) || !SysmanHas(field, labels)) continue;
      const v1::Reading* reading = Find(sample, field, labels);
      const std::string where = first.ShortDebugString();
      ASSERT_TRUE(reading != nullptr && reading->has_value()) << where;
      const double slack = 0.03 * std::abs(last.value()) + 0.01;
      EXPECT_GE(reading->value(), std::min(first.value(), last.value()) - slack) << where;
      EXPECT_LE(reading->value(), std::max(first.value(), last.value()) + slack) << where;
      ++compared;
    }
  }
  EXPECT_GT(compared, 40);
}
INSTANTIATE_TEST_SUITE_P(Models, SamplerModelTest, ::testing::Values("ARC_A770", "ARC_PRO_B60", "FLEX_170", "MAX_1550"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(SamplerTest, AFailingCallCostsItsOwnFieldAlone) {
  StartSampler(OneDevice("ARC_A770",
                         "faults { call_fails { function: 'zesTemperatureGetState' result: 0x70010000 } }"
                         "faults { call_fails { function: 'zesDeviceEnumFans' result: 0x7ffffffe } }"));
  const v1::DeviceSample sample = Turn();
  EXPECT_EQ(AbsenceOf(sample, v1::TEMPERATURE, {"core"}), v1::ABSENCE_NOT_PERMITTED);
  EXPECT_EQ(AbsenceOf(sample, v1::FAN_SPEED_RPM, {"0"}), v1::ABSENCE_FAILING);
  ASSERT_NE(Find(sample, v1::POWER, {"card"}), nullptr);
  EXPECT_TRUE(Find(sample, v1::POWER, {"card"})->has_value());
}

TEST_F(SamplerTest, ALostDeviceFailsAndComesBack) {
  StartSampler(OneDevice("ARC_A770"));
  const auto has_value = [this](v1::TelemetryField field, const Labels& labels) {
    const v1::DeviceSample sample = Turn();
    const v1::Reading* reading = Find(sample, field, labels);
    return reading != nullptr && reading->has_value();
  };
  EXPECT_TRUE(has_value(v1::TEMPERATURE, {"core"}));
  SetScenario(OneDevice("ARC_A770", "faults { at_s: 1 device_lost {} }"));
  Await([&] { return !has_value(v1::TEMPERATURE, {"core"}); });
  const v1::DeviceSample lost = Turn();
  EXPECT_EQ(AbsenceOf(lost, v1::TEMPERATURE, {"core"}), v1::ABSENCE_FAILING);
  EXPECT_EQ(AbsenceOf(lost, v1::POWER, {"card"}), v1::ABSENCE_FAILING);
  EXPECT_EQ(AbsenceOf(lost, v1::WEDGED, {}), v1::ABSENCE_FAILING);
  SetScenario(OneDevice("ARC_A770"));
  Await([&] { return has_value(v1::TEMPERATURE, {"core"}); });
  Await([&] { return has_value(v1::POWER, {"card"}); });
}

}  // namespace
}  // namespace muster::sim::ze
