#include "suites/physical/api_calls.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "suites/physical/deferred_device_fake.h"
#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

class ApiCallsOn : public DeviceTest {};
INSTANTIATE_TEST_SUITE_P(Device, ApiCallsOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(ApiCallsOn, AModuleFromAFileComputes) {
  const auto device = Device(1 << 20);
  const auto problems = RunModuleFile(*device, testing::TempDir());
  EXPECT_TRUE(problems.empty()) << problems.at(0);
  const auto broken = RunModuleFile(*device, testing::TempDir(), ApiInjection("module:1"));
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_EQ(broken[0].find("the driver refuses a module"), 0u) << broken[0];
}

TEST_P(ApiCallsOn, LaunchesThatCannotBeAreRefused) {
  const auto device = Device(1 << 20);
  const auto problems = RunLaunchErrors(*device);
  EXPECT_TRUE(problems.empty()) << problems.at(0);
  EXPECT_EQ(RunLaunchErrors(*device, ApiInjection("accept:1")).size(), 2u);
}

TEST(ApiCalls, AWaitWithALimitReportsAKernelThatRuns) {
  DeferredDevice device(std::make_shared<DeferredDevice::Machine>(1 << 20));
  // The wait of a simulated device takes no time, which is found as well.
  const LimitedWaitReport report = RunLimitedWait(device, 0.1, 0.01);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].find("a wait of 10 ms ended after"), std::string::npos) << report.problems[0];
}

TEST(ApiCalls, AKernelThatIsSaidToHaveEndedTooSoonIsFound) {
  HostDevice device(1 << 20);
  const LimitedWaitReport report = RunLimitedWait(device, 0.1, 0.01, ApiInjection("short:1"));
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].find("was said to have ended"), std::string::npos) << report.problems[0];
}

TEST(ApiCalls, InjectionsAreOfOneKindAndANumber) {
  EXPECT_EQ(ApiInjection("leak:12").Of("leak"), 12u);
  EXPECT_FALSE(ApiInjection("leak:12").Of("lea").has_value());
  EXPECT_FALSE(ApiInjection("leak_host:12").Of("leak").has_value());
  EXPECT_FALSE(ApiInjection().Of("").has_value());
  EXPECT_THROW(ApiInjection("leak"), sdk::ToolError);
  EXPECT_THROW(ApiInjection("leak:x"), sdk::ToolError);
  EXPECT_THROW(ApiInjection(":1"), sdk::ToolError);
}

}  // namespace
}  // namespace muster::physical
