#include "agent/exporter/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "agent/exporter/loopback_client.h"
#include "agent/exporter/snapshot_fixture.h"

namespace muster::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ExporterTest : public testing::Test {
 protected:
  void Start(Exporter::Options options) {
    options.listen = "127.0.0.1:0";
    auto exporter = Exporter::Start(
        loop_, options, [this] { return Exporter::State{.monitor = fixture_.snapshot_, .facts = fixture_.facts_}; });
    ASSERT_TRUE(exporter.ok()) << exporter.status();
    exporter_ = *std::move(exporter);
    thread_ = std::thread([this] { loop_.Run(); });
  }
  std::string Get(const std::string& path) {
    const auto address = base::ParseHostPort(exporter_->metrics_address());
    LoopbackClient client(address->port);
    client.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return client.ReadAll();
  }
  ~ExporterTest() override {
    loop_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  SnapshotFixture fixture_;
  base::ThreadEventLoop loop_;
  std::unique_ptr<Exporter> exporter_;
  std::thread thread_;
};

TEST_F(ExporterTest, ServesItsPages) {
  Start({});
  const std::string metrics = Get("/metrics");
  EXPECT_THAT(metrics, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(metrics, HasSubstr("\nmuster_gpu_power_watts{machine=\"node-1\",gpu=\"0\""));
  EXPECT_THAT(metrics, Not(HasSubstr("DCGM")));
  EXPECT_THAT(metrics, HasSubstr("\nprocess_resident_memory_bytes "));
  EXPECT_THAT(Get("/healthz"), HasSubstr("\r\n\r\nok\n"));
  EXPECT_THAT(Get("/"), HasSubstr("<a href=\"/metrics\">"));
}

TEST_F(ExporterTest, CompatFamiliesFollowOnTheSamePage) {
  Start({.compat = {Compat::kDcgm, Compat::kXpum}});
  const std::string metrics = Get("/metrics");
  EXPECT_THAT(metrics, HasSubstr("\nmuster_gpu_power_watts{"));
  EXPECT_THAT(metrics, HasSubstr("\nDCGM_FI_DEV_GPU_TEMP{gpu=\"0\",UUID=\"GPU-1\""));
  EXPECT_THAT(metrics, HasSubstr("\nxpum_power_watts{uuid=\""));
}

TEST_F(ExporterTest, ATakenPortIsSaid) {
  Start({});
  const auto second =
      Exporter::Start(loop_, {.listen = exporter_->metrics_address()}, [] { return Exporter::State{}; });
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("Address already in use"));
}

TEST(Exporter, AdvertisesWhatOthersCanUse) {
  EXPECT_EQ(AdvertisedAddress({"127.0.0.1", 9465}, "", "node-1", true), "127.0.0.1:9465");
  EXPECT_EQ(AdvertisedAddress({"0.0.0.0", 9465}, "", "node-1", true), "node-1:9465");
  // On the coordinator's machine it would be another agent's, or nobody's.
  EXPECT_EQ(AdvertisedAddress({"127.0.0.1", 9465}, "", "node-1", false), "");
  EXPECT_EQ(AdvertisedAddress({"::1", 9465}, "", "node-1", false), "");
  EXPECT_EQ(AdvertisedAddress({"127.0.0.1", 9465}, "gw:9465", "node-1", false), "gw:9465");
  EXPECT_EQ(AdvertisedAddress({"0.0.0.0", 9465}, "", "node-1", false), "node-1:9465");
  EXPECT_EQ(AdvertisedAddress({"::", 9465}, "", "node-1", true), "node-1:9465");
  EXPECT_EQ(AdvertisedAddress({"0.0.0.0", 9465}, "gw.example:19465", "node-1", true), "gw.example:19465");
}

TEST(Exporter, SaysWhatIsWrongWithAnAddress) {
  base::ThreadEventLoop loop;
  for (const char* listen : {"9465", "127.0.0.1:x", "no.such.host.invalid:9465"}) {
    EXPECT_FALSE(Exporter::Start(loop, {.listen = listen}, [] { return Exporter::State{}; }).ok()) << listen;
  }
}

}  // namespace
}  // namespace muster::agent
