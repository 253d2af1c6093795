#include "cli/health_view.h"

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kNow = 1'800'000'060'000;

v1::MachineStatus StatusWith(const std::vector<v1::HealthState>& states) {
  v1::MachineStatus status;
  status.mutable_machine()->set_name("m1");
  for (size_t i = 0; i < states.size(); ++i) {
    const std::string id = "g" + std::to_string(i);
    status.mutable_machine()->add_devices()->set_id(id);
    v1::DeviceHealth& health = *status.mutable_health()->add_devices();
    health.set_device_id(id);
    health.set_state(states[i]);
    health.set_since_unix_ms(kNow - 60'000);
  }
  return status;
}

void Quarantine(v1::MachineStatus& status, const std::string& device) {
  v1::Quarantine& quarantine = *status.add_quarantines();
  quarantine.set_device_id(device);
  quarantine.set_author("ann");
  quarantine.set_reason("it burns\x1b[31m");
  quarantine.set_since_unix_ms(kNow - 3'600'000);
}

v1::Reading& AddReading(v1::DeviceSample& sample, v1::TelemetryField field, const std::string& label, double value) {
  v1::Reading& reading = *sample.add_readings();
  reading.set_field(field);
  if (!label.empty()) reading.add_labels(label);
  reading.set_value(value);
  return reading;
}

TEST(HealthView, TheSummaryNamesTheWorst) {
  const Palette palette;
  const auto text = [&](const std::vector<v1::HealthState>& states) {
    return HealthSummary(StatusWith(states), palette).text;
  };
  EXPECT_EQ(text({}), "");
  EXPECT_EQ(text({v1::HEALTH_STATE_HEALTHY, v1::HEALTH_STATE_HEALTHY}), "✓ HEALTHY");
  EXPECT_EQ(text({v1::HEALTH_STATE_HEALTHY, v1::HEALTH_STATE_UNKNOWN}), "? 1 of 2 UNKNOWN");
  EXPECT_EQ(text({v1::HEALTH_STATE_DEGRADED, v1::HEALTH_STATE_UNKNOWN}), "! 1 of 2 DEGRADED");
  EXPECT_EQ(text({v1::HEALTH_STATE_FAILED, v1::HEALTH_STATE_FAILED, v1::HEALTH_STATE_DEGRADED}), "✗ 2 of 3 FAILED");
  v1::MachineStatus status = StatusWith({v1::HEALTH_STATE_HEALTHY});
  status.mutable_health()->clear_devices();
  EXPECT_EQ(HealthSummary(status, palette).text, "? UNKNOWN") << "of an older coordinator";
}

TEST(HealthView, TheSummaryNamesQuarantine) {
  v1::MachineStatus status = StatusWith({v1::HEALTH_STATE_HEALTHY, v1::HEALTH_STATE_HEALTHY});
  Quarantine(status, "g1");
  EXPECT_EQ(HealthSummary(status, Palette()).text, "✓ HEALTHY, 1 QUARANTINED");
  EXPECT_EQ(HealthSummary(status, Palette()).style, Style::kWarning);
  Quarantine(status, "");
  EXPECT_EQ(HealthSummary(status, Palette()).text, "✓ HEALTHY, QUARANTINED");
  v1::MachineStatus bare;
  Quarantine(bare, "");
  EXPECT_EQ(HealthSummary(bare, Palette()).text, "QUARANTINED");
}

TEST(HealthView, DetailsSayWhySinceWhenAndWhatToDo) {
  v1::MachineStatus status = StatusWith({v1::HEALTH_STATE_HEALTHY, v1::HEALTH_STATE_FAILED});
  status.mutable_machine()->mutable_devices(1)->set_simulated(true);
  v1::HealthCondition& condition = *status.mutable_health()->mutable_devices(1)->add_conditions();
  condition.set_code("nvidia.xid.79");
  condition.set_state(v1::HEALTH_STATE_FAILED);
  condition.set_message("fallen off\nthe bus");
  condition.set_since_unix_ms(kNow - 5'000);
  condition.set_action("drain and power cycle");
  condition.set_clears_when("a restart of the machine");
  v1::HealthCondition& whole = *status.mutable_health()->add_machine_conditions();
  whole.set_code("driver.crashed");
  whole.set_state(v1::HEALTH_STATE_DEGRADED);
  whole.set_since_unix_ms(kNow);
  Quarantine(status, "g1");
  Quarantine(status, "pulled");
  v1::DeviceSample& sample = *status.add_samples();
  sample.set_device_id("g1");
  AddReading(sample, v1::TEMPERATURE, "core", 45);
  EXPECT_EQ(HealthDetails(status, Palette(), kNow),
            "  GPU 0  ✓ HEALTHY for 1 min 00 s\n"
            "  GPU 1  ✗ FAILED for 1 min 00 s  (simulated)\n"
            "    ■ QUARANTINED for 1 h 00 min by ann: it burns\\x1b[31m\n"
            "    FAILED  nvidia.xid.79  for 5.0 s  fallen off\\nthe bus\n"
            "      do: drain and power cycle\n"
            "      clears with: a restart of the machine\n"
            "    temperature 45 °C\n"
            "  machine\n"
            "    ■ QUARANTINED for 1 h 00 min by ann: it burns\\x1b[31m (pulled, which is not there)\n"
            "    DEGRADED  driver.crashed  for 0 ms\n");
}

TEST(HealthView, AReadingThatIsNotThereSaysWhy) {
  v1::DeviceSample sample;
  AddReading(sample, v1::TEMPERATURE, "memory", 61);
  AddReading(sample, v1::TEMPERATURE, "core", 0);
  v1::Reading& power = AddReading(sample, v1::POWER, "card", 0);
  power.clear_value();
  power.set_absence(v1::ABSENCE_NOT_PERMITTED);
  AddReading(sample, v1::POWER_LIMIT, "enforced", 700);
  AddReading(sample, v1::CLOCK, "sm", 1.98e9);
  AddReading(sample, v1::CLOCK_MAX, "sm", 1.98e9);
  v1::Reading& utilization = AddReading(sample, v1::UTILIZATION, "gpu", 0);
  utilization.clear_value();
  utilization.set_absence(v1::ABSENCE_FAILING);
  AddReading(sample, v1::MEMORY_USED, "", 12.0 * (1ull << 30));
  AddReading(sample, v1::MEMORY_SIZE, "", 141.0 * (1ull << 30));
  AddReading(sample, v1::THROTTLED, "power", 1);
  AddReading(sample, v1::THROTTLED, "thermal", 0);
  EXPECT_EQ(ReadingsLine(sample),
            "temperature 0 °C  power not permitted  clock 1.98 GHz of 1.98 GHz  utilization failing  "
            "memory 12.0 GiB of 141 GiB  throttled by power");
  EXPECT_EQ(ReadingsLine({}), "");
}

TEST(HealthView, EventsAreListed) {
  v1::MachineStatus status = StatusWith({v1::HEALTH_STATE_HEALTHY});
  v1::HealthEvent& event = *status.mutable_health()->add_events();
  event.set_code("nvidia.xid.13");
  event.set_severity(v1::EVENT_SEVERITY_WARNING);
  event.set_device_id("g0");
  event.set_title("Graphics engine exception");
  event.set_detail("NVRM: Xid 13");
  event.set_count(3);
  status.mutable_health()->add_events()->set_severity(static_cast<v1::EventSeverity>(9));
  const std::string lines = EventLines(status, Palette());
  EXPECT_THAT(lines, AllOf(HasSubstr("  WARNING  GPU 0  nvidia.xid.13 (3 times)  Graphics engine exception: NVRM: Xid "
                                     "13\n"),
                           HasSubstr("  UNKNOWN  machine")));
  EXPECT_THAT(lines, Not(HasSubstr("1 times")));
}

}  // namespace
}  // namespace muster::cli
