#include "cli/demo/prometheus_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/host_port.h"
#include "cli/demo/ready_file.h"

namespace muster::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PrometheusSetupTest : public testing::Test {
 protected:
  PrometheusSetupTest() : folder_(testing::TempDir() + "/muster-prometheus-test") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~PrometheusSetupTest() override { std::filesystem::remove_all(folder_); }
  const std::string folder_;
};

TEST_F(PrometheusSetupTest, PointsTheDashboardsConfigurationAtTheCoordinator) {
  ASSERT_TRUE(base::MakeFolders(folder_ + "/dashboards/prometheus/rules").ok());
  ASSERT_TRUE(base::WriteFileAtomic(folder_ + "/dashboards/prometheus/prometheus.yml",
                                    "a: [127.0.0.1:9464]\nb: http://127.0.0.1:9464/sd/prometheus\n")
                  .ok());
  ASSERT_TRUE(base::WriteFileAtomic(folder_ + "/dashboards/prometheus/rules/alerts.yml", "groups: []\n").ok());
  const auto config = WritePrometheusConfig(folder_ + "/dashboards", "127.0.0.1:41", folder_ + "/out");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(*base::ReadFile(*config, 1'000), "a: [127.0.0.1:41]\nb: http://127.0.0.1:41/sd/prometheus\n");
  EXPECT_TRUE(base::FileExists(folder_ + "/out/rules/alerts.yml"));
}

TEST_F(PrometheusSetupTest, HasAConfigurationWithoutDashboards) {
  const auto config = WritePrometheusConfig("", "127.0.0.1:41", folder_ + "/out");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(*base::ReadFile(*config, 1'000), HasSubstr("http://127.0.0.1:41/sd/prometheus"));
}

TEST(FreeLoopbackAddress, IsOne) {
  const auto address = FreeLoopbackAddress();
  ASSERT_TRUE(address.ok()) << address.status();
  const auto parsed = base::ParseHostPort(*address);
  ASSERT_TRUE(parsed.ok());
  EXPECT_NE(parsed->port, 0);
}

TEST_F(PrometheusSetupTest, ReadyFile) {
  const std::string path = folder_ + "/ready.json";
  ASSERT_TRUE(base::WriteFileAtomic(path, "{\"listen\":\"127.0.0.1:1\",\"http\":\"127.0.0.1:2\"}\n").ok());
  const auto addresses = ReadReadyFile(path);
  ASSERT_TRUE(addresses.ok()) << addresses.status();
  EXPECT_EQ(addresses->listen, "127.0.0.1:1");
  EXPECT_EQ(addresses->http, "127.0.0.1:2");
  ASSERT_TRUE(base::WriteFileAtomic(path, "{\"listen\":\"127.0.0.1:1\"}").ok());
  EXPECT_FALSE(ReadReadyFile(path).ok());
}

}  // namespace
}  // namespace muster::cli
