#include "cli/demo/alerts.h"

#include <gtest/gtest.h>

namespace muster::cli {
namespace {

TEST(Alerts, ThoseThatFire) {
  const auto alerts = ParseFiringAlerts(R"({"status":"success","data":{"alerts":[
      {"labels":{"alertname":"MusterGpuFailed","machine":"demo-nvidia-1","gpu":"0","severity":"critical"},
       "annotations":{"summary":"x"},"state":"firing","activeAt":"2026-11-22T22:00:00Z","value":"1e+00"},
      {"labels":{"alertname":"MusterGpuHot","machine":"demo-intel-1","gpu":"1"},"state":"pending"},
      {"labels":{"alertname":"MusterCoordinatorDown"},"state":"firing"}]}})");
  ASSERT_TRUE(alerts.ok()) << alerts.status();
  EXPECT_EQ(*alerts, (std::set<Alert>{{"MusterCoordinatorDown", "", ""}, {"MusterGpuFailed", "demo-nvidia-1", "0"}}));
}

TEST(Alerts, AnythingElseIsNone) {
  EXPECT_TRUE(ParseFiringAlerts("{}")->empty());
  EXPECT_TRUE(ParseFiringAlerts(R"({"data":[1,2]})")->empty());
  EXPECT_FALSE(ParseFiringAlerts("not found\n").ok());
  EXPECT_FALSE(FiringAlerts("127.0.0.1:1").ok());
  EXPECT_FALSE(FiringAlerts("nowhere").ok());
}

}  // namespace
}  // namespace muster::cli
