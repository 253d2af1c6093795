// Kernels that compute right, alone and beside other processes.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "suites/driver/device_child.h"
#include "suites/driver/requirement.h"
#include "suites/physical/open_device.h"
#include "suites/physical/smoke.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"

namespace muster::driver {
namespace {

// NVML's NVML_COMPUTEMODE_DEFAULT.
constexpr uint32_t kComputeModeDefault = 0;
constexpr uint64_t kSeed = 0x6D757374;
constexpr uint64_t kSmokeBytes = 64 << 20;

TEST(smoke, compute) {
  sdk::ForEachDevice([](const v1::Device& device) {
    // Says better than the compute library what is missing.
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    EXPECT_EQ(physical::Smoke(*gpu, kSmokeBytes, kSeed), "")
        << "expected a pattern to be written, copied and read back unchanged";
    sdk::ReportWork("bytes", 5.0 * kSmokeBytes);
  });
}

const DeviceChildMode kSmokeMode("smoke", [](physical::ComputeDevice& device, const std::string&) {
  const std::string problem = physical::Smoke(device, kSmokeBytes, kSeed);
  if (problem.empty()) return kChildPassed;
  std::fprintf(stderr, "second process: %s\n", problem.c_str());
  return kChildFoundWrong;
});

void RequireSeveralProcesses(const v1::Device& device) {
  if (device.vendor() != v1::VENDOR_NVIDIA) return;
  const NvmlDevice found = RequireNvml(device);
  if (found.nvml.ComputeMode(found.handle).value_or(kComputeModeDefault) != kComputeModeDefault)
    throw sdk::DeviceSkipped("the compute mode allows one process at a time");
}

TEST(smoke, two_processes) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    RequireSeveralProcesses(device);
    const auto gpu = physical::OpenDevice(device);
    // Ours holds its context, and works, while the others come and go.
    physical::PatternedMemory held(*gpu, kSmokeBytes, kSeed + 1);
    std::vector<std::unique_ptr<ChildGuard>> children;
    for (int i = 0; i < 2; ++i) children.push_back(std::make_unique<ChildGuard>(StartDeviceChild("smoke", device)));
    EXPECT_EQ(physical::Smoke(*gpu, kSmokeBytes, kSeed), "") << "with two more processes on the GPU";
    for (const auto& child : children) {
      const int status = child->Wait();
      EXPECT_EQ(status, kChildPassed) << "expected the smoke test to pass in another process on " << device.uuid()
                                      << ", it ended " << ChildEndText(status)
                                      << "; its standard error says why it did not";
    }
    EXPECT_EQ(held.VerifyOnDevice(), "") << "memory of one process changed while others worked";
    sdk::ReportWork("bytes", 3 * 5.0 * kSmokeBytes);
  });
}

}  // namespace
}  // namespace muster::driver
