#include "base/case_context.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::base {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void Add(v1::CaseContext::DeviceContext& device, v1::TelemetryField field, const std::vector<std::string>& labels,
         double first, double last) {
  v1::ReadingSummary& reading = *device.add_readings();
  reading.set_field(field);
  for (const std::string& label : labels) reading.add_labels(label);
  reading.set_first(first);
  reading.set_last(last);
  reading.set_minimum(std::min(first, last));
  reading.set_maximum(std::max(first, last));
}

TEST(CaseContextTest, ADeviceIsOneLineAndTheEventsAnother) {
  v1::CaseContext context;
  v1::CaseContext::DeviceContext& device = *context.add_devices();
  device.set_device_id("0123456789abcdef/0000:41:00.0");
  Add(device, v1::TEMPERATURE, {"core"}, 45, 71);
  Add(device, v1::POWER, {"card"}, 690, 120);
  Add(device, v1::CLOCK, {"sm"}, 1.98e9, 1.98e9);
  Add(device, v1::UTILIZATION, {"gpu"}, 0, 1);
  Add(device, v1::THROTTLED, {"thermal"}, 0, 1);
  Add(device, v1::THROTTLED, {"power"}, 0, 0);
  Add(device, v1::ECC_ERRORS, {"corrected", "dram", "volatile"}, 4, 7);
  Add(device, v1::PCIE_REPLAYS, {}, 4, 4);
  Add(device, v1::ENERGY, {"card"}, 1, 2);
  for (const auto& [code, count] : {std::pair("nvidia.xid.31", 2), std::pair("pcie.replay-rate", 1)}) {
    v1::HealthEvent& event = *context.add_events();
    event.set_code(code);
    event.set_count(static_cast<uint32_t>(count));
  }
  EXPECT_THAT(
      ContextLines(context),
      ElementsAre("0000:41:00.0: core 45 °C to 71 °C, card 120 W to 690 W, sm 1.98 GHz, gpu 0 to 100 % busy, throttled "
                  "by thermal, ecc_errors{kind=corrected,location=dram,lifetime=volatile} +3",
                  "events: nvidia.xid.31 (2), pcie.replay-rate"));
}

TEST(CaseContextTest, NothingIsNoLine) {
  v1::CaseContext context;
  EXPECT_THAT(ContextLines(context), IsEmpty());
  context.add_devices()->set_device_id("GPU-1");
  EXPECT_THAT(ContextLines(context), IsEmpty());
}

}  // namespace
}  // namespace muster::base
