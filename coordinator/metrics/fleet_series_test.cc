#include "coordinator/metrics/fleet_series.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::MachineStatus StatusOf(const std::string& name, bool simulated = false) {
  v1::MachineStatus status;
  status.mutable_machine()->set_name(name);
  status.set_connected(true);
  status.set_last_seen_unix_ms(1'800'000'000'500);
  // The second by PCI address comes first.
  for (const char* id : {"b", "a"}) {
    v1::Device& device = *status.mutable_machine()->add_devices();
    device.set_id(id);
    device.set_uuid(std::string("GPU-") + id);
    device.set_pci_address(std::string("0000:") + id + "1:00.0");
    device.set_vendor(v1::VENDOR_INTEL);
    device.set_model("Max 1550");
    device.set_simulated(simulated);
    v1::DeviceHealth& health = *status.mutable_health()->add_devices();
    health.set_device_id(id);
    health.set_state(v1::HEALTH_STATE_HEALTHY);
  }
  return status;
}

std::string Text(const FleetSeries& series) {
  std::string out;
  series.Write(out);
  return out;
}

constexpr char kFirst[] =
    "machine=\"m1\",gpu=\"0\",uuid=\"GPU-a\",pci=\"0000:a1:00.0\",vendor=\"intel\",model=\"Max 1550\"";
constexpr char kSecond[] =
    "machine=\"m1\",gpu=\"1\",uuid=\"GPU-b\",pci=\"0000:b1:00.0\",vendor=\"intel\",model=\"Max 1550\"";

TEST(FleetSeries, AMachineAndItsDevices) {
  FleetSeries series;
  v1::MachineStatus status = StatusOf("m1");
  v1::DeviceHealth& health = *status.mutable_health()->mutable_devices(0);
  health.set_state(v1::HEALTH_STATE_DEGRADED);
  for (int i = 0; i < 2; ++i) {  // The same twice would be one series twice, which Prometheus refuses.
    v1::HealthCondition& condition = *health.add_conditions();
    condition.set_code("fan.stopped");
    condition.set_state(v1::HEALTH_STATE_DEGRADED);
  }
  series.MachineChanged(status);
  const std::string text = Text(series);
  EXPECT_THAT(text, HasSubstr("muster_machine_connected{machine=\"m1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("muster_machine_last_seen_timestamp_seconds{machine=\"m1\"} 1800000000.5\n"));
  EXPECT_THAT(text, HasSubstr(std::string("muster_device_health{") + kFirst + ",state=\"HEALTHY\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(std::string("muster_device_health{") + kSecond + ",state=\"DEGRADED\"} 1\n"));
  const std::string condition =
      std::string("muster_device_health_condition{") + kSecond + ",code=\"fan.stopped\",state=\"DEGRADED\"} 1\n";
  EXPECT_THAT(text, HasSubstr(condition));
  EXPECT_EQ(text.find(condition), text.rfind(condition));
  EXPECT_THAT(text, Not(HasSubstr("quarantined")));
  EXPECT_THAT(text, Not(HasSubstr("simulated")));
}

TEST(FleetSeries, QuarantineIsThereWhileItLasts) {
  FleetSeries series;
  v1::MachineStatus status = StatusOf("m1");
  status.add_quarantines();
  status.add_quarantines()->set_device_id("a");
  series.MachineChanged(status);
  EXPECT_THAT(Text(series), HasSubstr("muster_machine_quarantined{machine=\"m1\"} 1\n"));
  EXPECT_THAT(Text(series), HasSubstr(std::string("muster_device_quarantined{") + kFirst + "} 1\n"));
  EXPECT_THAT(Text(series), Not(HasSubstr(std::string("muster_device_quarantined{") + kSecond)));
  status.clear_quarantines();
  series.MachineChanged(status);
  EXPECT_THAT(Text(series), Not(HasSubstr("quarantined{")));
}

TEST(FleetSeries, SimulatedDevicesAreMarkedInEveryFamily) {
  FleetSeries series;
  v1::MachineStatus status = StatusOf("m1", true);
  status.add_quarantines()->set_device_id("a");
  status.add_quarantines();
  status.mutable_health()->mutable_devices(0)->add_conditions()->set_code("fan.stopped");
  series.MachineChanged(status);
  const std::string text = Text(series);
  EXPECT_THAT(text, HasSubstr("muster_machine_quarantined{"));
  for (size_t at = text.find("\nmuster_"); at != std::string::npos; at = text.find("\nmuster_", at + 1)) {
    EXPECT_THAT(text.substr(at + 1, text.find('\n', at + 1) - at), HasSubstr(",simulated=\"true\""));
  }
}

TEST(FleetSeries, WhenItWasHeardLast) {
  FleetSeries series;
  series.Heard("m1", 5'000);
  EXPECT_EQ(Text(series), "") << "of an unknown machine";
  v1::MachineStatus status = StatusOf("m1");
  status.set_last_seen_unix_ms(0);
  series.MachineChanged(status);
  EXPECT_THAT(Text(series), Not(HasSubstr("last_seen")));
  series.Heard("m1", 5'000);
  series.MachineChanged(status);
  EXPECT_THAT(Text(series), HasSubstr("muster_machine_last_seen_timestamp_seconds{machine=\"m1\"} 5\n"));
}

TEST(FleetSeries, ServiceDiscoveryListsWhoeverServesMetrics) {
  FleetSeries series;
  EXPECT_EQ(series.ServiceDiscovery(), "[]\n");
  v1::MachineStatus real = StatusOf("m1");
  real.mutable_machine()->set_metrics_address("m1:9465");
  (*real.mutable_machine()->mutable_labels())["site/rack.no"] = "r\"1\"";
  v1::MachineStatus simulated = StatusOf("m2", true);
  simulated.mutable_machine()->set_metrics_address("[::1]:9465");
  simulated.set_connected(false);
  series.MachineChanged(real);
  series.MachineChanged(simulated);
  series.MachineChanged(StatusOf("m3"));
  const std::string json = series.ServiceDiscovery();
  google::protobuf::Value parsed;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &parsed).ok()) << json;
  ASSERT_EQ(parsed.list_value().values_size(), 2);
  const auto& first = parsed.list_value().values(0).struct_value().fields();
  ASSERT_EQ(first.size(), 2u) << "targets and labels, and nothing else";
  EXPECT_EQ(first.at("targets").list_value().values(0).string_value(), "m1:9465");
  const auto& labels = first.at("labels").struct_value().fields();
  EXPECT_EQ(labels.at("machine").string_value(), "m1");
  EXPECT_EQ(labels.at("__meta_muster_connected").string_value(), "true");
  EXPECT_EQ(labels.at("__meta_muster_simulated").string_value(), "false");
  EXPECT_EQ(labels.at("__meta_muster_label_site_rack_no").string_value(), "r\"1\"");
  const auto& second = parsed.list_value().values(1).struct_value().fields();
  EXPECT_EQ(second.at("labels").struct_value().fields().at("__meta_muster_connected").string_value(), "false");
  EXPECT_EQ(second.at("labels").struct_value().fields().at("__meta_muster_simulated").string_value(), "true");
}

}  // namespace
}  // namespace muster::coordinator
