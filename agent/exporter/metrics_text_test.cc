#include "agent/exporter/metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "agent/exporter/compat_metrics.h"
#include "agent/exporter/snapshot_fixture.h"
#include "base/file.h"
#include "base/telemetry_field.h"

namespace muster::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// promtool reads the same file (CMakeLists.txt). When the text is meant to change: run the test with
// MUSTER_UPDATE_TEST_DATA=1 and look at what git says has changed.
void ExpectGolden(const std::string& text, const std::string& name) {
  const std::string path = base::JoinPath(MUSTER_TEST_DATA, name);
  if (getenv("MUSTER_UPDATE_TEST_DATA") != nullptr) {
    ASSERT_TRUE(base::WriteFileAtomic(path, text).ok());
  }
  const auto golden = base::ReadFile(path, 1 << 20);
  ASSERT_TRUE(golden.ok()) << golden.status();
  EXPECT_EQ(text, *golden);
}

TEST(MetricsText, IsTheContractsText) {
  const SnapshotFixture fixture;
  ExpectGolden(MetricsText(fixture.snapshot_, fixture.facts_), "metrics.txt");
}

TEST(MetricsText, CompatDcgm) {
  const SnapshotFixture fixture;
  std::string text;
  AppendCompatMetrics(text, Compat::kDcgm, fixture.snapshot_, fixture.facts_);
  ExpectGolden(text, "compat_dcgm.txt");
}

TEST(MetricsText, CompatXpum) {
  const SnapshotFixture fixture;
  std::string text;
  AppendCompatMetrics(text, Compat::kXpum, fixture.snapshot_, fixture.facts_);
  ExpectGolden(text, "compat_xpum.txt");
}

TEST(MetricsText, AMachineWithoutGpusHasAnAgent) {
  const v1::HealthReport report;
  const std::string text = MetricsText({.health = &report}, {.machine = "node-2", .version = "1"});
  EXPECT_THAT(text, HasSubstr("\nmuster_agent_info{machine=\"node-2\",version=\"1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nmuster_agent_connected{machine=\"node-2\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("muster_gpu_")));
  EXPECT_THAT(MetricsText({}, {.machine = "node-2"}), HasSubstr("process_cpu_seconds_total 0\n"));
}

// The value of an hour ago is not the value: what was there is failing now, what was absent stays so.
TEST(MetricsText, AnOldSampleIsNoValue) {
  SnapshotFixture fixture;
  fixture.snapshot_.devices[0].sample_age_ms = fixture.facts_.stale_after_ms + 1;
  const std::string text = MetricsText(fixture.snapshot_, fixture.facts_);
  EXPECT_THAT(text, Not(HasSubstr("muster_gpu_temperature_celsius{machine=\"node-1\",gpu=\"0\"")));
  EXPECT_THAT(text, HasSubstr("muster_gpu_temperature_celsius{machine=\"node-1\",gpu=\"1\""));
  const std::string labels =
      "muster_gpu_reading_absent{machine=\"node-1\",gpu=\"0\",uuid=\"GPU-1\",pci=\"0000:41:00.0\",vendor=\"nvidia\","
      "model=\"NVIDIA H200\",";
  EXPECT_THAT(text, HasSubstr(labels + "field=\"temperature\",reason=\"failing\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(labels + "field=\"fan_speed_ratio\",reason=\"unsupported\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("muster_gpu_last_sample_timestamp_seconds{machine=\"node-1\",gpu=\"0\""));
  std::string compat;
  AppendCompatMetrics(compat, Compat::kDcgm, fixture.snapshot_, fixture.facts_);
  EXPECT_THAT(compat, Not(HasSubstr("DCGM_FI_DEV_GPU_TEMP{")));
}

// docs/operations.md, "The agent's metrics", has a row for every field, with its labels and its unit.
TEST(MetricsText, EveryFieldIsInTheDocs) {
  const auto docs = base::ReadFile(base::JoinPath(MUSTER_DOCS, "operations.md"), 1 << 20);
  ASSERT_TRUE(docs.ok()) << docs.status();
  for (const base::TelemetryFieldInfo& info : base::TelemetryFields()) {
    std::string row = "| `" + std::string(info.metric) + "` |";
    for (size_t i = 0; i < info.labels.size(); ++i) {
      row += (i == 0 ? " `" : ", `") + std::string(info.labels[i]) + "`";
    }
    row += " | " + std::string(info.help) + " |\n";
    EXPECT_THAT(*docs, HasSubstr(row));
  }
}

}  // namespace
}  // namespace muster::agent
