#include "agent/telemetry/intel_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "absl/status/status.h"
#include "agent/telemetry/intel_fields.h"
#include "agent/telemetry/intel_tree_fake.h"
#include "agent/telemetry/sysman_fake.h"
#include "base/fixture_tree.h"
#include "base/telemetry_field.h"

namespace muster::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class IntelSamplerTest : public ::testing::Test {
 protected:
  IntelSamplerTest() { tree_.AddHost(); }

  std::unique_ptr<Sampler> Make() {
    return MakeIntelSampler(tree_.root(), marker_,
                            {.sysman = [this] { return sysman_; },
                             .now_us = [this] { return now_us_; },
                             .pause =
                                 [this] {
                                   ++pauses_;
                                   now_us_ += 100'000;
                                   fake_.Advance(100'000);
                                 },
                             .read_line = read_line_});
  }

  std::vector<v1::DeviceSample> Turn(Sampler& sampler, const std::vector<std::string>& skip = {}) {
    auto samples = sampler.Sample(skip);
    EXPECT_TRUE(samples.ok());
    EXPECT_EQ(marker_.mistakes, 0);
    now_us_ += 1'000'000;
    fake_.Advance(1'000'000);
    return samples.ok() ? *samples : std::vector<v1::DeviceSample>();
  }

  static const v1::Reading* Find(const v1::DeviceSample& sample, v1::TelemetryField field,
                                 const ReadingLabels& labels) {
    for (const v1::Reading& reading : sample.readings()) {
      if (reading.field() == field && ReadingLabels(reading.labels().begin(), reading.labels().end()) == labels) {
        return &reading;
      }
    }
    return nullptr;
  }
  static std::optional<double> Value(const v1::DeviceSample& sample, v1::TelemetryField field,
                                     const ReadingLabels& labels) {
    const v1::Reading* reading = Find(sample, field, labels);
    return reading != nullptr && reading->has_value() ? std::optional(reading->value()) : std::nullopt;
  }
  static v1::Absence Absence(const v1::DeviceSample& sample, v1::TelemetryField field, const ReadingLabels& labels) {
    const v1::Reading* reading = Find(sample, field, labels);
    EXPECT_TRUE(reading != nullptr && !reading->has_value()) << v1::TelemetryField_Name(field);
    return reading == nullptr ? v1::ABSENCE_UNSPECIFIED : reading->absence();
  }

  base::FixtureTree tree_;
  FakeSysman fake_;
  RecordingMarker marker_;
  absl::StatusOr<SysmanCalls> sysman_ = FakeSysman::Calls();
  DrmSampler::ReadLine read_line_;
  int64_t now_us_ = 1;
  int pauses_ = 0;
};

TEST_F(IntelSamplerTest, WithoutIntelGpusThereIsNothing) {
  tree_.AddPci("pci0000:40/0000:41:00.0", "0x10de", "0x2335", "0x030200", "nvidia");
  const absl::Status status = Make()->Start();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no Intel GPU"));
  EXPECT_EQ(fake_.calls["zesInit"], 0);  // The library is not loaded for nothing.
}

TEST_F(IntelSamplerTest, SysmanAndTheKernelTogether) {
  AddArcA770(tree_);
  const auto sampler = Make();
  ASSERT_TRUE(sampler->Start().ok());
  const auto samples = Turn(*sampler);
  ASSERT_THAT(samples, SizeIs(1));
  const v1::DeviceSample& sample = samples[0];
  EXPECT_EQ(sample.pci_address(), kA770Address);
  EXPECT_GT(sample.time_unix_ms(), 0);
  // The first turn has rates.
  EXPECT_EQ(pauses_, 1);
  EXPECT_EQ(Value(sample, v1::POWER, {"card"}), 180);
  EXPECT_EQ(Value(sample, v1::UTILIZATION, {"gpu"}), 0.75);
  // Sysman before the kernel, but for the maxima of the link: card alone and card in its slot.
  EXPECT_EQ(Value(sample, v1::TEMPERATURE, {"core"}), 55);
  EXPECT_EQ(Value(sample, v1::PCIE_LINK_GENERATION_MAX, {}), 3);
  EXPECT_EQ(Value(sample, v1::PCIE_LINK_LANES_MAX, {}), 8);
  // What only the kernel has.
  EXPECT_EQ(Value(sample, v1::POWER_LIMIT, {"peak"}), 300);
  Turn(*sampler);
  EXPECT_EQ(pauses_, 1);
}

TEST_F(IntelSamplerTest, WithoutLevelZeroTheKernelsFilesAlone) {
  AddArcA770(tree_);
  AddArcProB60(tree_);
  sysman_ = absl::NotFoundError("found none of libze_loader.so.1");
  const auto sampler = Make();
  testing::internal::CaptureStderr();
  ASSERT_TRUE(sampler->Start().ok());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("without Level Zero: found none of libze_loader.so.1"));
  const auto samples = Turn(*sampler);
  ASSERT_THAT(samples, SizeIs(2));
  EXPECT_EQ(Value(samples[0], v1::CLOCK, {"graphics"}), 2.4e9);
  EXPECT_EQ(Value(samples[1], v1::MEMORY_SIZE, {}), double{24'385'683'456});
  EXPECT_EQ(Absence(samples[0], v1::UTILIZATION, {"gpu"}), v1::ABSENCE_UNSUPPORTED);
}

TEST_F(IntelSamplerTest, EveryFieldOfEveryDeviceHasAnAnswer) {
  AddArcA770(tree_);
  AddArcProB60(tree_);
  const auto sampler = Make();
  ASSERT_TRUE(sampler->Start().ok());
  for (const v1::DeviceSample& sample : Turn(*sampler)) {
    std::set<v1::TelemetryField> fields;
    for (const v1::Reading& reading : sample.readings()) {
      fields.insert(reading.field());
      EXPECT_NE(reading.has_value(), reading.absence() != v1::ABSENCE_UNSPECIFIED) << reading.ShortDebugString();
    }
    EXPECT_EQ(fields, std::set<v1::TelemetryField>(IntelFields().begin(), IntelFields().end()));
  }
}

TEST_F(IntelSamplerTest, NotPermittedBeatsUnsupported) {
  AddArcA770(tree_);
  sysman_->zesDeviceEnumFrequencyDomains = nullptr;
  fake_.results = {{"zesPowerGetEnergyCounter", ZE_RESULT_ERROR_UNSUPPORTED_FEATURE}};
  read_line_ = [](const std::string&) -> absl::StatusOr<std::string> { return absl::PermissionDeniedError("root's"); };
  const auto sampler = Make();
  ASSERT_TRUE(sampler->Start().ok());
  const auto samples = Turn(*sampler);
  EXPECT_EQ(Absence(samples.at(0), v1::POWER, {"card"}), v1::ABSENCE_NOT_PERMITTED);
  EXPECT_EQ(Absence(samples.at(0), v1::CLOCK, {"graphics"}), v1::ABSENCE_NOT_PERMITTED);
  EXPECT_EQ(Value(samples.at(0), v1::TEMPERATURE, {"core"}), 55);
}

TEST_F(IntelSamplerTest, SkippedDevicesAreLeftAlone) {
  AddArcA770(tree_);
  AddArcProB60(tree_);
  const auto sampler = Make();
  ASSERT_TRUE(sampler->Start().ok());
  marker_.entered.clear();
  const auto samples = Turn(*sampler, {kA770Address});
  ASSERT_THAT(samples, SizeIs(1));
  EXPECT_EQ(samples[0].pci_address(), kB60Address);
  EXPECT_EQ(marker_.entered["zesDeviceEnumTemperatureSensors"], 0);
  EXPECT_THAT(Turn(*sampler), SizeIs(2));
}

TEST_F(IntelSamplerTest, ADeviceThatLeftTheBusFailsAndComesBack) {
  AddArcA770(tree_);
  const auto sampler = Make();
  ASSERT_TRUE(sampler->Start().ok());
  Turn(*sampler);
  const std::filesystem::path link = tree_.root() + "/sys/bus/pci/devices/" + kA770Address;
  std::filesystem::rename(link, tree_.root() + "/gone");
  const auto samples = Turn(*sampler);
  ASSERT_THAT(samples, SizeIs(1));
  EXPECT_FALSE(samples[0].readings().empty());
  for (const v1::Reading& reading : samples[0].readings()) {
    EXPECT_EQ(reading.absence(), v1::ABSENCE_FAILING);
  }
  std::filesystem::rename(tree_.root() + "/gone", link);
  EXPECT_EQ(Value(Turn(*sampler).at(0), v1::TEMPERATURE, {"core"}), 55);
}

TEST_F(IntelSamplerTest, DevicesThatComeLaterAreFound) {
  AddArcA770(tree_);
  const auto sampler = Make();
  ASSERT_TRUE(sampler->Start().ok());
  AddArcProB60(tree_);
  size_t seen = 0;
  for (int i = 0; i < 60; ++i) seen = Turn(*sampler).size();
  EXPECT_EQ(seen, 2u);
}

TEST_F(IntelSamplerTest, WhereNoBusIsShownSysmansDevicesCount) {
  std::filesystem::remove_all(tree_.root() + "/sys/bus");
  const auto sampler = Make();
  ASSERT_TRUE(sampler->Start().ok());
  const auto samples = Turn(*sampler);
  ASSERT_THAT(samples, SizeIs(1));
  EXPECT_EQ(Value(samples[0], v1::TEMPERATURE, {"core"}), 55);
  EXPECT_EQ(Value(samples[0], v1::PCIE_LINK_GENERATION_MAX, {}), 4);

  sysman_ = absl::NotFoundError("none");
  EXPECT_TRUE(absl::IsNotFound(Make()->Start()));
}

TEST(IntelFieldsTest, PlacesHaveTheFieldsLabels) {
  for (v1::TelemetryField field : IntelFields()) {
    EXPECT_FALSE(IntelPlaces(field).empty()) << v1::TelemetryField_Name(field);
    for (const ReadingLabels& labels : IntelPlaces(field)) {
      EXPECT_EQ(labels.size(), base::FindTelemetryField(field)->labels.size()) << v1::TelemetryField_Name(field);
    }
  }
  EXPECT_THAT(IntelPlaces(v1::PERFORMANCE_STATE), IsEmpty());
}

}  // namespace
}  // namespace muster::agent
