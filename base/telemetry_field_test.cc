#include "base/telemetry_field.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace muster::base {
namespace {

// A field that was added to the contract and not here would have no name, no unit and no metric.
TEST(TelemetryField, EveryFieldOfTheContractHasItsRowInOrder) {
  EXPECT_EQ(TelemetryFields().size(), static_cast<size_t>(v1::TelemetryField_MAX));
  for (int i = 1; i <= v1::TelemetryField_MAX; ++i) {
    const TelemetryFieldInfo* info = FindTelemetryField(static_cast<v1::TelemetryField>(i));
    ASSERT_NE(info, nullptr) << i;
    EXPECT_EQ(info->field, i) << info->name;
  }
  EXPECT_EQ(FindTelemetryField(v1::TELEMETRY_FIELD_UNSPECIFIED), nullptr);
  EXPECT_EQ(FindTelemetryField(static_cast<v1::TelemetryField>(v1::TelemetryField_MAX + 1)), nullptr);
}

TEST(TelemetryField, MetricsAreUniqueAndNamedAsPrometheusWants) {
  std::set<std::string_view> names;
  for (const TelemetryFieldInfo& info : TelemetryFields()) {
    EXPECT_TRUE(names.insert(info.metric).second) << info.metric;
    EXPECT_TRUE(info.metric.starts_with("muster_gpu_")) << info.metric;
    EXPECT_EQ(info.metric.ends_with("_total"), info.counter) << info.metric;
    EXPECT_FALSE(info.help.empty()) << info.metric;
    EXPECT_EQ(info.metric.find("_celsius") != std::string_view::npos, info.unit == "Cel") << info.metric;
    EXPECT_EQ(info.metric.find("_bytes") != std::string_view::npos, info.unit.starts_with("By")) << info.metric;
  }
}

TEST(TelemetryField, DescribesAReadingForPeople) {
  EXPECT_EQ(DescribeReading(v1::ECC_ERRORS, {"corrected", "dram", "volatile"}),
            "ecc_errors{kind=corrected,location=dram,lifetime=volatile}");
  EXPECT_EQ(DescribeReading(v1::MEMORY_USED, {}), "memory_used");
  EXPECT_EQ(DescribeReading(static_cast<v1::TelemetryField>(4711), {}), "field 4711");
}

}  // namespace
}  // namespace muster::base
