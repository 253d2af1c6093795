#include "base/prometheus_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

namespace muster::base {
namespace {

std::string Number(double value) {
  std::string out;
  AppendPrometheusNumber(out, value);
  return out;
}

TEST(PrometheusText, AFamilyHasItsHeaderOnceAndOnlyWithSamples) {
  std::string out;
  PrometheusFamily empty(out, "muster_nothing", MetricType::kGauge, "Nothing.");
  EXPECT_EQ(out, "");
  PrometheusFamily family(out, "muster_things_total", MetricType::kCounter, "Things, \"many\" of\nthem.");
  family.Add("", 1);
  family.Add("a=\"1\"", 2);
  family.Add("", "b=\"2\"", 3);
  family.Add("a=\"1\"", "b=\"2\"", 4);
  EXPECT_EQ(out,
            "# HELP muster_things_total Things, \"many\" of\\nthem.\n"
            "# TYPE muster_things_total counter\n"
            "muster_things_total 1\n"
            "muster_things_total{a=\"1\"} 2\n"
            "muster_things_total{b=\"2\"} 3\n"
            "muster_things_total{a=\"1\",b=\"2\"} 4\n");
}

TEST(PrometheusText, LabelsAreEscapedAndValidUtf8) {
  EXPECT_EQ(PrometheusLabels({{"a", "x\"y\\z\nw"}, {"b", ""}}), "a=\"x\\\"y\\\\z\\nw\",b=\"\"");
  EXPECT_EQ(PrometheusLabels({{"a", "Größe\xff"}}), "a=\"Größe\xef\xbf\xbd\"");
  std::string labels = "a=\"1\"";
  AppendPrometheusLabel(labels, "b", "2");
  EXPECT_EQ(labels, "a=\"1\",b=\"2\"");
}

TEST(PrometheusText, NumbersComeBackAsTheyWere) {
  EXPECT_EQ(Number(0), "0");
  EXPECT_EQ(Number(-3), "-3");
  EXPECT_EQ(Number(0.1), "0.1");
  EXPECT_EQ(Number(1795000001.005), "1795000001.005");
  EXPECT_EQ(Number(4800000000000), "4800000000000");
  for (const double value : {1.0 / 3, 1e300, -5e-324, 9007199254740993.0, 1e18, 123456.789e-30}) {
    EXPECT_EQ(strtod(Number(value).c_str(), nullptr), value) << Number(value);
  }
  EXPECT_EQ(Number(std::nan("")), "NaN");
  EXPECT_EQ(Number(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(Number(-std::numeric_limits<double>::infinity()), "-Inf");
}

}  // namespace
}  // namespace muster::base
