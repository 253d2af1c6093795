#include "agent/telemetry/drm_sampler.h"

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "agent/telemetry/intel_tree_fake.h"
#include "agent/telemetry/sysman_fake.h"
#include "base/fixture_tree.h"

namespace muster::agent {
namespace {

class DrmSamplerTest : public ::testing::Test {
 protected:
  // The second turn, a second after the first.
  ReadingSet Read(const std::string& address, DrmSampler::ReadLine read_line = nullptr) {
    const base::RootFolder root(tree_.root());
    DrmSampler sampler(
        root, marker_, [this] { return now_us_; }, read_line);
    sampler.Prepare(address);
    now_us_ += 1'000'000;
    if (next_) next_();
    ReadingSet readings = sampler.Read(address, known_);
    EXPECT_EQ(marker_.mistakes, 0);
    EXPECT_EQ(marker_.last_device, address);
    return readings;
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

  base::FixtureTree tree_;
  RecordingMarker marker_;
  ReadingSet known_;
  std::function<void()> next_;
  int64_t now_us_ = 0;
};

TEST_F(DrmSamplerTest, ReadsI915) {
  AddArcA770(tree_);
  next_ = [&] { tree_.Write(kA770Hwmon + "/energy1_input", "100150000000\n"); };
  const ReadingSet readings = Read(kA770Address);
  EXPECT_EQ(Value(readings, v1::CLOCK, {"graphics"}), 2.4e9);
  EXPECT_EQ(Value(readings, v1::CLOCK_MAX, {"graphics"}), 2.45e9);
  EXPECT_EQ(Value(readings, v1::THROTTLED, {"power"}), 1);
  EXPECT_EQ(Value(readings, v1::THROTTLED, {"thermal"}), 0);
  EXPECT_EQ(Value(readings, v1::THROTTLED, {"current"}), 0);
  EXPECT_EQ(Value(readings, v1::THROTTLED, {"other"}), 0);
  EXPECT_EQ(Value(readings, v1::POWER, {"card"}), 150);
  EXPECT_EQ(Value(readings, v1::ENERGY, {"card"}), 100'150);
  EXPECT_EQ(Value(readings, v1::POWER_LIMIT, {"enforced"}), 190);
  EXPECT_EQ(Value(readings, v1::POWER_LIMIT, {"default"}), 225);
  EXPECT_EQ(Value(readings, v1::POWER_LIMIT, {"peak"}), 300);
  EXPECT_EQ(Value(readings, v1::TEMPERATURE, {"core"}), 54);
  EXPECT_EQ(Value(readings, v1::FAN_SPEED_RPM, {"0"}), 0);  // A fan that stands is a value.
  // That of the card's own switch, and of the slot.
  EXPECT_EQ(Value(readings, v1::PCIE_LINK_GENERATION, {}), 3);
  EXPECT_EQ(Value(readings, v1::PCIE_LINK_LANES, {}), 8);
  EXPECT_EQ(Value(readings, v1::PCIE_LINK_GENERATION_MAX, {}), 3);
  EXPECT_EQ(Value(readings, v1::PCIE_LINK_LANES_MAX, {}), 8);
  EXPECT_EQ(Absence(readings, v1::MEMORY_SIZE, {}), v1::ABSENCE_UNSUPPORTED);
}

TEST_F(DrmSamplerTest, ReadsXe) {
  AddArcProB60(tree_);
  next_ = [&] {
    tree_.Write(kB60Hwmon + "/energy1_input", "2000000\n");
    tree_.Write(kB60Hwmon + "/energy2_input", "1500000\n");
  };
  const ReadingSet readings = Read(kB60Address);
  EXPECT_EQ(Value(readings, v1::CLOCK, {"graphics"}), 2.4e9);
  EXPECT_EQ(Value(readings, v1::CLOCK, {"media"}), 1.5e9);
  EXPECT_EQ(Value(readings, v1::CLOCK_MAX, {"graphics"}), 2.8e9);
  EXPECT_EQ(Value(readings, v1::THROTTLED, {"thermal"}), 1);
  EXPECT_EQ(Value(readings, v1::THROTTLED, {"power"}), 0);
  EXPECT_EQ(Value(readings, v1::POWER, {"card"}), 1);
  EXPECT_EQ(Value(readings, v1::POWER, {"gpu"}), 1);
  EXPECT_EQ(Value(readings, v1::POWER_LIMIT, {"enforced"}), 200);
  EXPECT_EQ(Absence(readings, v1::POWER_LIMIT, {"burst"}), v1::ABSENCE_UNSUPPORTED);  // Switched off.
  EXPECT_EQ(Value(readings, v1::TEMPERATURE, {"core"}), 61);
  EXPECT_EQ(Value(readings, v1::TEMPERATURE, {"memory"}), 70);
  EXPECT_EQ(Value(readings, v1::TEMPERATURE_LIMIT, {"shutdown"}), 110);
  EXPECT_EQ(Value(readings, v1::FAN_SPEED_RPM, {"1"}), 1300);
  EXPECT_EQ(Value(readings, v1::MEMORY_SIZE, {}), double{24'385'683'456});
}

TEST_F(DrmSamplerTest, WhatIsKnownIsNotRead) {
  AddArcA770(tree_);
  known_.Set(v1::CLOCK, {"graphics"}, 1);
  known_.Set(v1::POWER, {"card"}, 1);
  known_.Set(v1::ENERGY, {"card"}, 1);
  known_.SetAbsent(v1::CLOCK_MAX, {"graphics"}, v1::ABSENCE_UNSUPPORTED);
  const ReadingSet readings = Read(kA770Address);
  EXPECT_FALSE(readings.Has(v1::CLOCK));
  EXPECT_FALSE(readings.Has(v1::POWER));
  EXPECT_TRUE(readings.Has(v1::CLOCK_MAX));
  EXPECT_TRUE(readings.Has(v1::PCIE_LINK_LANES_MAX));
}

TEST_F(DrmSamplerTest, EachErrorHasItsAbsence) {
  AddArcA770(tree_);
  struct Case {
    absl::StatusOr<std::string> content;
    v1::Absence absence;
  };
  for (const Case& one : {Case{absl::NotFoundError(""), v1::ABSENCE_UNSUPPORTED},
                          Case{absl::PermissionDeniedError(""), v1::ABSENCE_NOT_PERMITTED},
                          Case{absl::UnavailableError(""), v1::ABSENCE_FAILING}, Case{"", v1::ABSENCE_FAILING},
                          Case{"<unknown>", v1::ABSENCE_FAILING}, Case{"-1", v1::ABSENCE_FAILING},
                          Case{"99999999999999999999999", v1::ABSENCE_FAILING}}) {
    const ReadingSet readings = Read(kA770Address, [&](const std::string& path) -> absl::StatusOr<std::string> {
      if (absl::EndsWith(path, "rps_act_freq_mhz") || absl::EndsWith(path, "energy1_input")) return one.content;
      return "7";
    });
    EXPECT_EQ(Absence(readings, v1::CLOCK, {"graphics"}), one.absence) << one.content.status();
    EXPECT_EQ(Absence(readings, v1::POWER, {"card"}), one.absence) << one.content.status();
    EXPECT_EQ(Value(readings, v1::CLOCK_MAX, {"graphics"}), 7e6);
  }
}

// As the kernel's files themselves may be: a folder cannot be read, and is neither absent nor forbidden.
TEST_F(DrmSamplerTest, AFileThatCannotBeReadFails) {
  AddArcA770(tree_);
  std::filesystem::remove(tree_.root() + kA770Hwmon + "/temp1_input");
  tree_.MakeFolder(kA770Hwmon + "/temp1_input");
  EXPECT_EQ(Absence(Read(kA770Address), v1::TEMPERATURE, {"core"}), v1::ABSENCE_FAILING);
}

TEST_F(DrmSamplerTest, TheFirstReadingAloneHasNoPowerYet) {
  AddArcA770(tree_);
  const base::RootFolder root(tree_.root());
  DrmSampler sampler(root, marker_, [] { return int64_t{0}; });
  EXPECT_EQ(Absence(sampler.Read(kA770Address, {}), v1::POWER, {"card"}), v1::ABSENCE_FAILING);
}

TEST_F(DrmSamplerTest, ADeviceWithoutADriverHasItsLink) {
  AddArcA770(tree_, /*driver=*/"vfio-pci");
  const ReadingSet readings = Read(kA770Address);
  EXPECT_EQ(Value(readings, v1::PCIE_LINK_LANES, {}), 8);
  EXPECT_FALSE(readings.Has(v1::POWER));
  EXPECT_FALSE(readings.Has(v1::TEMPERATURE));
}

}  // namespace
}  // namespace muster::agent
