#include "suites/physical/allocations.h"

#include <gtest/gtest.h>

#include <string>

#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kMiB = 1 << 20;

class AllocationsOn : public DeviceTest {
 protected:
  SmallAllocationsReport Small(const std::string& fault) {
    const auto device = Device(16 * kMiB);
    return RunSmallAllocations(*device, 1500, 3, ApiInjection(fault));
  }
};
INSTANTIATE_TEST_SUITE_P(Device, AllocationsOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(AllocationsOn, ManySmallOnesKeepTheirValuesAndAreGivenBack) {
  const SmallAllocationsReport report = Small("");
  EXPECT_EQ(report.allocations, 1500u);
  EXPECT_GT(report.bytes, 4 * kMiB);
  EXPECT_EQ(report.overlaps, 0u);
  EXPECT_EQ(report.wrong_vectors, 0u);
  EXPECT_EQ(report.bytes_missing, 0);
  EXPECT_TRUE(report.problems.empty()) << report.problems.at(0);
}

TEST_P(AllocationsOn, TwoAtOneAddressAreFoundByTheAddressAndByTheValues) {
  const SmallAllocationsReport report = Small("overlap:1024");
  EXPECT_GE(report.overlaps, 1u);
  EXPECT_GE(report.wrong_vectors, 1u);
  ASSERT_GE(report.problems.size(), 2u);
  EXPECT_NE(report.problems.at(0).find("allocation 1024 ("), std::string::npos) << report.problems.at(0);
  EXPECT_NE(report.problems.at(0).find("overlaps"), std::string::npos) << report.problems.at(0);
  EXPECT_EQ(report.problems.back().find("allocation 1023 ("), 0u) << report.problems.back();
}

TEST_P(AllocationsOn, OneFlippedBitIsFoundWithItsAllocation) {
  const SmallAllocationsReport report = Small("corrupt:777");
  EXPECT_EQ(report.wrong_vectors, 1u);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].find("allocation 777 ("), 0u) << report.problems[0];
  EXPECT_THROW(Small("corrupt:1501"), sdk::ToolError);
}

TEST_P(AllocationsOn, ARefusedSmallOneIsTheDevicesFault) {
  const auto device = Device(kMiB);
  EXPECT_THROW(RunSmallAllocations(*device, 1500, 3), sdk::DeviceFailure);
  EXPECT_EQ(device->FreeBytes(), kMiB);
}

TEST_P(AllocationsOn, MoreThanThereIsIsRefusedAndComesBack) {
  const auto device = Device(100 * kMiB);
  const ExhaustionReport report = RunExhaustion(*device);
  EXPECT_TRUE(report.problems.empty()) << report.problems.at(0);
  EXPECT_GT(report.taken_bytes, report.free_bytes - 2 * kMiB);
  EXPECT_EQ(report.bytes_missing, 0);
  const ExhaustionReport kept = RunExhaustion(*device, ApiInjection("keep:16"));
  EXPECT_EQ(kept.bytes_missing, static_cast<int64_t>(16 * kMiB));
}

TEST_P(AllocationsOn, NothingStaysOfManyCyclesAndWhatStaysIsCounted) {
  const auto device = Device(100 * kMiB);
  const LeakReport good = RunLeak(*device, 50);
  EXPECT_EQ(good.cycles, 50u);
  EXPECT_EQ(good.wrong_values, 0u);
  EXPECT_EQ(good.device_bytes_lost, 0);
  EXPECT_LT(good.host_bytes_grown, static_cast<int64_t>(kKeptByDriverBytes));
  EXPECT_EQ(RunLeak(*device, 50, ApiInjection("leak:9")).device_bytes_lost, static_cast<int64_t>(9 * kMiB));
  EXPECT_GT(RunLeak(*device, 50, ApiInjection("leak_host:64")).host_bytes_grown,
            static_cast<int64_t>(kKeptByDriverBytes));
}

}  // namespace
}  // namespace muster::physical
