// What every compute device keeps of its contract, beside the algorithms' own tests.
#include "suites/physical/compute_device.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <string>

#include "suites/physical/api.kernels.h"
#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

class ComputeDeviceOn : public DeviceTest {
 protected:
  static std::string FileOf(const std::string& image) {
    const std::string path = testing::TempDir() + "/compute_device_test_module";
    std::ofstream(path, std::ios::binary) << image;
    return path;
  }
  // One word: mix(own * 3 + other + key), from own = 1 and other = 2.
  static u32 Step(ComputeDevice& device, const KernelModule* module) {
    auto* const words = static_cast<u32*>(device.Allocate(3 * 256));
    const std::array<u32, 2> inputs = {1, 2};
    device.Copy(words, &inputs[0], sizeof(u32));
    device.Copy(words + 64, &inputs[1], sizeof(u32));
    const ApiStep step = {.words = 1, .key = 7};
    device.Launch({.kernel = "api_step",
                   .module = module,
                   .buffers = {words, words + 64, words + 128},
                   .arguments = &step,
                   .arguments_size = sizeof(step)});
    u32 out = 0;
    device.ReadBack(&out, words + 128, sizeof(out));
    device.Free(words);
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Device, ComputeDeviceOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(ComputeDeviceOn, OneQueueGoesOnWhereTheOthersEventHasCome) {
  const auto first = Device(1 << 20);
  const auto second = first->OpenQueue();
  auto* const words = static_cast<u32*>(first->Allocate(4096));
  const u32 before = 41;
  first->Copy(words, &before, sizeof(before));
  const auto event = first->Record();
  second->WaitFor(*event);
  u32 after = 0;
  second->ReadBack(&after, words, sizeof(after));
  EXPECT_EQ(after, 41u);
  EXPECT_TRUE(second->WaitAtMost(10));
  first->Free(words);
}

TEST_P(ComputeDeviceOn, AModuleFromAFileComputesAndOtherFilesAreRefused) {
  const auto device = Device(1 << 20);
  const u32 expected = api_step_value(1, 2, 7);
  EXPECT_EQ(Step(*device, nullptr), expected);
  const std::string image = device->ModuleImage();
  const auto module = device->LoadModule(FileOf(image));
  ASSERT_NE(module, nullptr);
  EXPECT_EQ(Step(*device, module.get()), expected);
  EXPECT_EQ(device->LoadModule(FileOf("no module of any kind\n")), nullptr);
  EXPECT_EQ(Step(*device, nullptr), expected);
}

TEST_P(ComputeDeviceOn, AKernelThatThereIsNotIsRefusedAndTheDeviceGoesOn) {
  const auto device = Device(1 << 20);
  const u32 nothing = 0;
  EXPECT_THROW(device->Launch({.kernel = "no_such", .arguments = &nothing, .arguments_size = sizeof(nothing)}),
               sdk::ToolError);
  EXPECT_EQ(Step(*device, nullptr), api_step_value(1, 2, 7));
}

}  // namespace
}  // namespace muster::physical
