#include "suites/physical/queue_order.h"

#include <gtest/gtest.h>

#include <string>

#include "suites/physical/deferred_device_fake.h"
#include "suites/physical/device_test_base.h"

namespace muster::physical {
namespace {

class QueueOrderOn : public DeviceTest {};
INSTANTIATE_TEST_SUITE_P(Device, QueueOrderOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(QueueOrderOn, QueuesThatWaitComputeRight) {
  const auto device = Device(16 << 20);
  const QueueOrderReport report = RunQueueOrder(*device, {.queues = 5, .rounds = 20, .slow_seconds = 1e-6});
  EXPECT_EQ(report.steps, 100u);
  EXPECT_EQ(report.waits, 95u) << "but for those of the first round, which reads the inputs";
  EXPECT_EQ(report.steps_out_of_order, 0u) << report.problems.at(0);
}

std::shared_ptr<DeferredDevice::Machine> Machine() { return std::make_shared<DeferredDevice::Machine>(16 << 20); }

QueueOrderReport InOrder(bool oldest_first, const std::string& fault) {
  const auto machine = Machine();
  machine->oldest_first = oldest_first;
  DeferredDevice device(machine);
  return RunQueueOrder(device, {.slow_seconds = 1e-6, .injection = ApiInjection(fault)});
}

TEST(QueueOrder, HoldsInTheWorstOrdersThatTheEventsAllow) {
  for (const bool oldest_first : {false, true}) {
    const QueueOrderReport report = InOrder(oldest_first, "");
    EXPECT_EQ(report.steps, 8u * 64);
    EXPECT_EQ(report.steps_out_of_order, 0u) << report.problems.at(0);
  }
}

TEST(QueueOrder, OneForgottenWaitIsFoundAndNamed) {
  for (const uint32_t round : {2, 7, 63}) {
    // The one that forgets overtakes in one order or in the other.
    QueueOrderReport report = InOrder(false, "order:" + std::to_string(round));
    EXPECT_EQ(report.waits, 8u * 63 - 1);
    if (report.steps_out_of_order == 0) report = InOrder(true, "order:" + std::to_string(round));
    ASSERT_EQ(report.steps_out_of_order, 1u) << round;
    EXPECT_EQ(report.problems.at(0).find("round " + std::to_string(round) + ", queue "), 0u) << report.problems.at(0);
    EXPECT_NE(report.problems.at(0).find("it did not wait"), std::string::npos) << report.problems.at(0);
  }
}

TEST(QueueOrder, ADeviceWhoseEventsOrderNothingIsFound) {
  const auto machine = Machine();
  machine->events_order_nothing = true;
  DeferredDevice device(machine);
  const QueueOrderReport report = RunQueueOrder(device, {.slow_seconds = 1e-6});
  EXPECT_GT(report.steps_out_of_order, 100u);
  EXPECT_EQ(report.problems.size(), 8u);
}

}  // namespace
}  // namespace muster::physical
