// The physical tests' side of Level Zero against Intel's own driver, which needs no GPU in its simulation mode: it
// compiles for real, takes calls for real, and executes nothing. The environment (CMakeLists.txt) names the product.
//
// Not with sanitizers: the loader loads Intel's driver in a way that ends the process then.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "suites/physical/host_kernels.h"
#include "suites/physical/level_zero_device.h"
#include "suites/physical/spirv_modules.h"
#include "suites/sdk/level_zero.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint32_t kGroupSize = 256;
constexpr uint32_t kLocalBytes = 8 << 10;
constexpr uint64_t kBytes = 1 << 20;

class IntelDriver : public testing::Test {
 protected:
  static LevelZeroGpu* gpu;

  static void SetUpTestSuite() {
    const auto level_zero = sdk::LevelZero::Shared();
    ASSERT_TRUE(level_zero.ok()) << level_zero.status();
    ASSERT_FALSE((*level_zero)->Devices().empty());
    gpu = &LevelZeroGpu::Of(**level_zero, (*level_zero)->Devices().front());
  }

  // Kernels that only modules with double precision have, on a device without it.
  static bool IsRefused(const HostKernel& kernel) {
    bool plain = false;
    for (const SpirvModule& module : SpirvModules()) {
      for (const std::string& name : KernelNames(module)) plain |= name == kernel.name && !NeedsDoublePrecision(module);
    }
    return !plain && !gpu->traits().fp64;
  }
};
LevelZeroGpu* IntelDriver::gpu = nullptr;

TEST_F(IntelDriver, SaysWhatTheProductHas) {
  const DeviceTraits& traits = gpu->traits();
  EXPECT_EQ(traits.units, static_cast<uint32_t>(std::atoi(std::getenv("MUSTER_EXPECT_UNITS"))));
  EXPECT_EQ(traits.fp64, std::string(std::getenv("MUSTER_EXPECT_FP64")) == "1");
  EXPECT_EQ(traits.subgroup_size, 32u);
  EXPECT_GE(traits.local_memory_bytes, 64u << 10);
  // Clocks and caches are not known to this mode.
  EXPECT_GT(gpu->FreeBytes(), 1u << 30);
}

// A kernel whose parameters differ from those that the host's C++ has would be given wrong ones by every launch.
TEST_F(IntelDriver, CompilesEveryKernelWithTheParametersThatItIsGiven) {
  const auto properties_of =
      sdk::LevelZero::Shared().value()->Function<decltype(&zeKernelGetProperties)>("zeKernelGetProperties");
  ASSERT_FALSE(SpirvModules().empty()) << "this build has no SPIR-V";
  size_t compiled = 0;
  for (const HostKernel& kernel : HostKernels()) {
    SCOPED_TRACE(kernel.name);
    if (IsRefused(kernel)) {
      EXPECT_THROW(gpu->CreateKernel(kernel.name), sdk::DeviceSkipped);
      continue;
    }
    const ze_kernel_handle_t handle = gpu->CreateKernel(kernel.name);
    ze_kernel_properties_t properties = {};
    properties.stype = ZE_STRUCTURE_TYPE_KERNEL_PROPERTIES;
    ASSERT_EQ(properties_of(handle, &properties), ZE_RESULT_SUCCESS);
    EXPECT_EQ(properties.numKernelArgs, kernel.buffers + (kernel.has_local_memory ? 2 : 1));
    EXPECT_EQ(properties.requiredGroupSizeX, 0u);
    // Speed, not right or wrong: registers that did not suffice.
    if (properties.spillMemSize > 0) std::printf("%s spills %u bytes\n", kernel.name, properties.spillMemSize);
    EXPECT_EQ(gpu->ze().zeKernelSetGroupSize(handle, 512, 1, 1), ZE_RESULT_SUCCESS);
    EXPECT_EQ(gpu->ze().zeKernelDestroy(handle), ZE_RESULT_SUCCESS);
    ++compiled;
  }
  EXPECT_GT(compiled, 10u);
}

TEST_F(IntelDriver, TakesALaunchOfEveryKernel) {
  LevelZeroDevice device(*gpu);
  std::vector<void*> buffers;
  for (int i = 0; i < 8; ++i) buffers.push_back(device.Allocate(kBytes));
  for (const HostKernel& kernel : HostKernels()) {
    SCOPED_TRACE(kernel.name);
    if (IsRefused(kernel)) continue;
    const std::vector<std::max_align_t> arguments(kernel.arguments_size / sizeof(std::max_align_t) + 1);
    EXPECT_NO_THROW(
        device.Launch({.kernel = kernel.name,
                       .groups = 3,
                       .group_size = kGroupSize,
                       .buffers = {buffers.begin(), buffers.begin() + static_cast<ptrdiff_t>(kernel.buffers)},
                       .arguments = arguments.data(),
                       .arguments_size = kernel.arguments_size,
                       .local_bytes = kernel.has_local_memory ? kLocalBytes : 0}));
  }
  device.Wait();
  for (void* buffer : buffers) device.Free(buffer);
}

TEST_F(IntelDriver, TakesCopiesFillsTimeStampsAndEvents) {
  LevelZeroDevice device(*gpu);
  const std::unique_ptr<ComputeDevice> other = device.OpenQueue();
  void* const memory = device.Allocate(kBytes);
  void* const host = device.AllocateHost(kBytes);
  ASSERT_NE(memory, nullptr);
  ASSERT_NE(host, nullptr);
  std::vector<char> plain(kBytes);
  EXPECT_GE(device.Seconds([&] {
    device.Zero(memory, kBytes);
    device.Copy(host, memory, kBytes);
    device.Copy(memory, plain.data(), kBytes);
    device.ReadBack(plain.data(), memory, kBytes);
  }),
            0);
  const auto event = device.Record();
  other->WaitFor(*event);
  other->Zero(memory, kBytes);
  other->Wait();
  EXPECT_TRUE(device.WaitAtMost(1));
  EXPECT_TRUE(device.ReachPeer(*other));
  device.FreeHost(host);
  device.Free(memory);
}

TEST_F(IntelDriver, TakesWorkThatWasKept) {
  LevelZeroDevice device(*gpu);
  void* const memory = device.Allocate(kBytes);
  const auto work = device.Capture([&] { device.Zero(memory, kBytes); });
  for (int i = 0; i < 3; ++i) work->Queue();
  device.Wait();
  device.Free(memory);
}

TEST_F(IntelDriver, GivesMemoryBeyondItsUsualLimitAndNoneBeyondWhatIsFree) {
  LevelZeroDevice device(*gpu);
  EXPECT_EQ(device.Allocate(gpu->FreeBytes() + (1 << 20)), nullptr);
  const uint64_t before = device.FreeBytes();
  if (gpu->largest_allocation() + (1 << 20) < before) {
    void* const large = device.Allocate(gpu->largest_allocation() + (1 << 20));
    ASSERT_NE(large, nullptr);
    EXPECT_LT(device.FreeBytes(), before);
    device.Free(large);
  }
  EXPECT_EQ(device.FreeBytes(), before);
}

TEST_F(IntelDriver, LoadsAModuleFromAFileAndRefusesHalfOfIt) {
  LevelZeroDevice device(*gpu);
  const std::string path = testing::TempDir() + "/intel_driver_test_module";
  const std::string image = device.ModuleImage();
  ASSERT_GT(image.size(), 1000u);
  std::ofstream(path, std::ios::binary) << image;
  EXPECT_NE(device.LoadModule(path), nullptr);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << image.substr(0, image.size() / 2);
  EXPECT_EQ(device.LoadModule(path), nullptr);
}

TEST_F(IntelDriver, RefusesAKernelThatThereIsNotAndAGroupThatIsTooLarge) {
  LevelZeroDevice device(*gpu);
  const uint64_t nothing = 0;
  EXPECT_THROW(device.Launch({.kernel = "no_such", .arguments = &nothing, .arguments_size = sizeof(nothing)}),
               sdk::ToolError);
  void* const memory = device.Allocate(kBytes);
  const std::vector<std::max_align_t> arguments(64);
  const HostKernel& kernel = HostKernels().front();
  EXPECT_THROW(device.Launch({.kernel = kernel.name,
                              .group_size = 1 << 20,
                              .buffers = std::vector<void*>(kernel.buffers, memory),
                              .arguments = arguments.data(),
                              .arguments_size = kernel.arguments_size}),
               sdk::ToolError);
  device.Wait();
  device.Free(memory);
}

}  // namespace
}  // namespace muster::physical

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (const char* library : {"libze_loader.so.1", "libze_intel_gpu.so.1"}) {
    if (void* const loaded = dlopen(library, RTLD_LAZY | RTLD_LOCAL); loaded == nullptr) {
      std::printf("skipped: not found: %s; Debian's packages are libze1 and intel-opencl-icd\n", dlerror());
      return 0;
    }
  }
  return RUN_ALL_TESTS();
}
