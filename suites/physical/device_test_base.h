// Tests that must come out the same on every device that needs no GPU: the host's processor as C++, and an OpenCL
// device's (pocl) as OpenCL C. Where there is no OpenCL the test says why it is skipped.
#ifndef MUSTER_SUITES_PHYSICAL_DEVICE_TEST_BASE_H_
#define MUSTER_SUITES_PHYSICAL_DEVICE_TEST_BASE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "suites/physical/host_device.h"
#include "suites/physical/opencl_device.h"

namespace muster::physical {

// INSTANTIATE_TEST_SUITE_P(On, …, testing::Values("host", "opencl"), DeviceTestName).
class DeviceTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (OnHost()) return;
    const auto device = OpenClCpu(0);
    if (absl::IsNotFound(device.status())) GTEST_SKIP() << device.status().message();
    ASSERT_TRUE(device.ok()) << device.status();
  }

  std::unique_ptr<ComputeDevice> Device(uint64_t memory_bytes, uint64_t largest_piece = 0) {
    if (OnHost()) return std::make_unique<HostDevice>(memory_bytes, largest_piece);
    return OpenClCpu(memory_bytes, largest_piece).value();
  }

 private:
  static bool OnHost() { return std::string(GetParam()) == "host"; }
};

inline std::string DeviceTestName(const testing::TestParamInfo<const char*>& info) { return info.param; }

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_DEVICE_TEST_BASE_H_
