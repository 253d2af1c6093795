// The core side, through the real loader: devices, memory, copies, events, modules and launches.
#include <dlfcn.h>
#include <gmock/gmock.h>

#include <cstring>

#include "tests/hardware_sim/level_zero/compute_fixture.h"

namespace muster::sim::ze {
namespace {

using CoreTest = ComputeTest;
using ::testing::Each;
using ::testing::HasSubstr;

TEST_F(CoreTest, DevicesSayWhatTheyAre) {
  Start();
  ASSERT_EQ(devices_.size(), 1u);
  ze_device_properties_t properties = {ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES};
  ASSERT_EQ(zeDeviceGetProperties(devices_[0], &properties), ZE_RESULT_SUCCESS);
  EXPECT_THAT(properties.name, HasSubstr("A770 Graphics (simulated)"));
  EXPECT_EQ(properties.type, ZE_DEVICE_TYPE_GPU);
  EXPECT_EQ(properties.timerResolution, 80u);  // Nanoseconds.
  properties.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2;
  ASSERT_EQ(zeDeviceGetProperties(devices_[0], &properties), ZE_RESULT_SUCCESS);
  EXPECT_EQ(properties.timerResolution, 12'500'000u);  // A second.

  ze_device_compute_properties_t compute = {ZE_STRUCTURE_TYPE_DEVICE_COMPUTE_PROPERTIES};
  ASSERT_EQ(zeDeviceGetComputeProperties(devices_[0], &compute), ZE_RESULT_SUCCESS);
  EXPECT_EQ(compute.maxTotalGroupSize, 1024u);
  uint32_t count = 1;
  ze_device_memory_properties_t memory = {ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES};
  ASSERT_EQ(zeDeviceGetMemoryProperties(devices_[0], &count, &memory), ZE_RESULT_SUCCESS);
  EXPECT_GT(memory.totalSize, 15ull << 30);
  count = 8;
  ze_command_queue_group_properties_t groups[8] = {};
  ASSERT_EQ(zeDeviceGetCommandQueueGroupProperties(devices_[0], &count, groups), ZE_RESULT_SUCCESS);
  ASSERT_EQ(count, 2u);
  EXPECT_NE(groups[0].flags & ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE, 0u);
  EXPECT_EQ(groups[1].flags, static_cast<uint32_t>(ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COPY));
  ze_pci_ext_properties_t pci = {ZE_STRUCTURE_TYPE_PCI_EXT_PROPERTIES};
  ASSERT_EQ(zeDevicePciGetPropertiesExt(devices_[0], &pci), ZE_RESULT_SUCCESS);
  EXPECT_EQ(pci.maxSpeed.genVersion, 4);
  ze_device_image_properties_t image = {ZE_STRUCTURE_TYPE_DEVICE_IMAGE_PROPERTIES};
  EXPECT_EQ(zeDeviceGetImageProperties(devices_[0], &image), ZE_RESULT_ERROR_UNSUPPORTED_FEATURE);
}

TEST_F(CoreTest, MemoryOfEachKindIsReal) {
  StartContext();
  const ze_device_mem_alloc_desc_t device_desc = {ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC};
  const ze_host_mem_alloc_desc_t host_desc = {ZE_STRUCTURE_TYPE_HOST_MEM_ALLOC_DESC};
  void* shared = nullptr;
  ASSERT_EQ(zeMemAllocShared(context_, &device_desc, &host_desc, 1000, 1 << 20, devices_[0], &shared),
            ZE_RESULT_SUCCESS);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(shared) % (1 << 20), 0u);
  std::memset(shared, 1, 1000);
  void* device = Allocate(4096);
  void* host = AllocateHost(4096);
  ze_memory_allocation_properties_t properties = {ZE_STRUCTURE_TYPE_MEMORY_ALLOCATION_PROPERTIES};
  ze_device_handle_t owner = nullptr;
  ASSERT_EQ(zeMemGetAllocProperties(context_, static_cast<char*>(device) + 4095, &properties, &owner),
            ZE_RESULT_SUCCESS);
  EXPECT_EQ(properties.type, ZE_MEMORY_TYPE_DEVICE);
  EXPECT_EQ(owner, devices_[0]);
  ASSERT_EQ(zeMemGetAllocProperties(context_, host, &properties, &owner), ZE_RESULT_SUCCESS);
  EXPECT_EQ(properties.type, ZE_MEMORY_TYPE_HOST);
  ASSERT_EQ(zeMemGetAllocProperties(context_, &properties, &properties, &owner), ZE_RESULT_SUCCESS);
  EXPECT_EQ(properties.type, ZE_MEMORY_TYPE_UNKNOWN);
  void* base = nullptr;
  size_t size = 0;
  ASSERT_EQ(zeMemGetAddressRange(context_, static_cast<char*>(shared) + 10, &base, &size), ZE_RESULT_SUCCESS);
  EXPECT_EQ(base, shared);
  EXPECT_EQ(size, 1000u);
  EXPECT_EQ(zeMemAllocDevice(context_, &device_desc, 4096, 3, devices_[0], &base),
            ZE_RESULT_ERROR_UNSUPPORTED_ALIGNMENT);
  EXPECT_EQ(zeMemFree(context_, static_cast<char*>(shared) + 10), ZE_RESULT_ERROR_INVALID_ARGUMENT);
  for (void* memory : {shared, device, host}) EXPECT_EQ(zeMemFree(context_, memory), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeMemFree(context_, shared), ZE_RESULT_ERROR_INVALID_ARGUMENT);
}

TEST_F(CoreTest, MemoryRunsOut) {
  StartContext();
  const ze_device_mem_alloc_desc_t desc = {ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC};
  const size_t chunk = size_t{4} << 30;
  void* memory = nullptr;
  EXPECT_EQ(zeMemAllocDevice(context_, &desc, chunk + 1, 64, devices_[0], &memory), ZE_RESULT_ERROR_UNSUPPORTED_SIZE);
  ze_device_memory_properties_t properties = {ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES};
  uint32_t count = 1;
  ASSERT_EQ(zeDeviceGetMemoryProperties(devices_[0], &count, &properties), ZE_RESULT_SUCCESS);
  std::vector<void*> chunks;
  for (uint64_t taken = 0; taken + chunk <= properties.totalSize; taken += chunk) chunks.push_back(Allocate(chunk));
  EXPECT_EQ(zeMemAllocDevice(context_, &desc, chunk, 64, devices_[0], &memory), ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY);
  EXPECT_EQ(zeMemFree(context_, chunks.back()), ZE_RESULT_SUCCESS);
  chunks.back() = Allocate(chunk);
  const ze_relaxed_allocation_limits_exp_desc_t relaxed = {ZE_STRUCTURE_TYPE_RELAXED_ALLOCATION_LIMITS_EXP_DESC,
                                                           nullptr, ZE_RELAXED_ALLOCATION_LIMITS_EXP_FLAG_MAX_SIZE};
  const ze_device_mem_alloc_desc_t large = {ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC, &relaxed};
  for (void* each : chunks) EXPECT_EQ(zeMemFree(context_, each), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeMemAllocDevice(context_, &large, 2 * chunk, 64, devices_[0], &memory), ZE_RESULT_SUCCESS);
}

TEST_F(CoreTest, CopiesAndFillsMoveBytes) {
  StartContext();
  std::vector<uint8_t> from(1000);
  for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<uint8_t>(i * 7);
  std::vector<uint8_t> to(1000);
  void* memory = Allocate(1000);
  ze_command_queue_handle_t queue = MakeQueue();
  ze_command_list_handle_t list = MakeList();
  const uint32_t pattern = 0xDEADBEEF;
  ASSERT_EQ(zeCommandListAppendMemoryCopy(list, memory, from.data(), 1000, nullptr, 0, nullptr), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeCommandListAppendBarrier(list, nullptr, 0, nullptr), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeCommandListAppendMemoryFill(list, memory, &pattern, 4, 8, nullptr, 0, nullptr), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeCommandListAppendMemoryCopy(list, to.data(), memory, 1000, nullptr, 0, nullptr), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeCommandListAppendMemoryCopy(list, memory, from.data(), 1001, nullptr, 0, nullptr),
            ZE_RESULT_ERROR_INVALID_SIZE);
  EXPECT_EQ(zeCommandListAppendMemoryFill(list, memory, &pattern, 3, 9, nullptr, 0, nullptr),
            ZE_RESULT_ERROR_INVALID_SIZE);
  // Only what is closed may run, and what runs runs then.
  EXPECT_EQ(zeCommandQueueExecuteCommandLists(queue, 1, &list, nullptr), ZE_RESULT_ERROR_INVALID_ARGUMENT);
  ASSERT_EQ(zeCommandListClose(list), ZE_RESULT_SUCCESS);
  EXPECT_THAT(to, Each(0));
  ze_fence_handle_t fence = nullptr;
  const ze_fence_desc_t fence_desc = {ZE_STRUCTURE_TYPE_FENCE_DESC};
  ASSERT_EQ(zeFenceCreate(queue, &fence_desc, &fence), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeFenceQueryStatus(fence), ZE_RESULT_NOT_READY);
  ASSERT_EQ(zeCommandQueueExecuteCommandLists(queue, 1, &list, fence), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeFenceHostSynchronize(fence, UINT64_MAX), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeCommandQueueSynchronize(queue, UINT64_MAX), ZE_RESULT_SUCCESS);
  std::memcpy(from.data(), &pattern, 4);
  std::memcpy(from.data() + 4, &pattern, 4);
  EXPECT_EQ(to, from);
  ASSERT_EQ(zeCommandListReset(list), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeFenceDestroy(fence), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeCommandListDestroy(list), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeCommandQueueDestroy(queue), ZE_RESULT_SUCCESS);
}

TEST_F(CoreTest, RegionsAreCopiedRowByRow) {
  StartContext();
  const std::string from = "abcdefghijklmnop";  // Four rows of four.
  std::string to(16, '.');
  const ze_copy_region_t middle = {1, 1, 0, 2, 2, 1};
  ze_command_list_handle_t list = MakeImmediateList(ZE_COMMAND_QUEUE_MODE_SYNCHRONOUS);
  ASSERT_EQ(zeCommandListAppendMemoryCopyRegion(list, to.data(), &middle, 4, 0, from.data(), &middle, 4, 0, nullptr, 0,
                                                nullptr),
            ZE_RESULT_SUCCESS);
  EXPECT_EQ(to, ".....fg..jk.....");
}

TEST_F(CoreTest, EventsOrderQueuesAndTellTheTime) {
  StartContext();
  const uint32_t one = 1;
  const uint32_t two = 2;
  auto* value = static_cast<uint32_t*>(AllocateHost(4));
  ze_event_handle_t go = MakeEvent();
  ze_event_handle_t first = MakeEvent();
  ze_event_handle_t second = MakeEvent();
  ze_command_list_handle_t early = MakeImmediateList();
  ze_command_list_handle_t late = MakeImmediateList();
  // The later one is appended before what it waits for.
  ASSERT_EQ(zeCommandListAppendMemoryFill(late, value, &two, 4, 4, second, 1, &first), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeCommandListAppendMemoryFill(early, value, &one, 4, 4, first, 1, &go), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeEventHostSynchronize(second, 20'000'000), ZE_RESULT_NOT_READY);
  EXPECT_EQ(zeEventQueryStatus(first), ZE_RESULT_NOT_READY);
  EXPECT_EQ(*value, 0u);
  ze_kernel_timestamp_result_t times = {};
  EXPECT_EQ(zeEventQueryKernelTimestamp(first, &times), ZE_RESULT_NOT_READY);
  ASSERT_EQ(zeEventHostSignal(go), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeEventHostSynchronize(second, UINT64_MAX), ZE_RESULT_SUCCESS);
  EXPECT_EQ(*value, 2u);
  ze_kernel_timestamp_result_t later = {};
  ASSERT_EQ(zeEventQueryKernelTimestamp(first, &times), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeEventQueryKernelTimestamp(second, &later), ZE_RESULT_SUCCESS);
  EXPECT_LT(times.global.kernelStart, times.global.kernelEnd);
  EXPECT_LE(times.global.kernelStart, later.global.kernelStart);
  ASSERT_EQ(zeEventHostReset(first), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeEventQueryStatus(first), ZE_RESULT_NOT_READY);
}

TEST_F(CoreTest, AListThatWaitsForGoodCanBeDestroyed) {
  StartContext();
  ze_event_handle_t never = MakeEvent();
  ze_command_list_handle_t list = MakeImmediateList();
  ASSERT_EQ(zeCommandListAppendWaitOnEvents(list, 1, &never), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeCommandListDestroy(list), ZE_RESULT_SUCCESS);
}

TEST_F(CoreTest, KernelsComputeWhatTheirFunctionsDo) {
  StartContext();
  const uint32_t count = 1000;
  auto* a = static_cast<float*>(AllocateHost(count * sizeof(float)));
  auto* b = static_cast<float*>(AllocateHost(count * sizeof(float)));
  for (uint32_t i = 0; i < count; ++i) {
    a[i] = static_cast<float>(i);
    b[i] = static_cast<float>(2 * i);
  }
  auto* sum = static_cast<float*>(Allocate(count * sizeof(float)));
  ze_kernel_handle_t kernel = MakeKernel("vector_add");
  ze_kernel_properties_t properties = {ZE_STRUCTURE_TYPE_KERNEL_PROPERTIES};
  ASSERT_EQ(zeKernelGetProperties(kernel, &properties), ZE_RESULT_SUCCESS);
  EXPECT_EQ(properties.numKernelArgs, 4u);
  ze_command_queue_handle_t queue = MakeQueue(ZE_COMMAND_QUEUE_MODE_SYNCHRONOUS);
  ze_command_list_handle_t list = MakeList();
  uint32_t x = 0;
  uint32_t y = 0;
  uint32_t z = 0;
  ASSERT_EQ(zeKernelSuggestGroupSize(kernel, count, 1, 1, &x, &y, &z), ZE_RESULT_SUCCESS);
  EXPECT_EQ(count % x, 0u);
  ASSERT_EQ(zeKernelSetGroupSize(kernel, x, y, z), ZE_RESULT_SUCCESS);
  const ze_group_count_t groups = {count / x, 1, 1};
  EXPECT_EQ(zeCommandListAppendLaunchKernel(list, kernel, &groups, nullptr, 0, nullptr),
            ZE_RESULT_ERROR_INVALID_ARGUMENT)
      << "its arguments are not set";
  SetArgument(kernel, 0, a);
  SetArgument(kernel, 1, b);
  SetArgument(kernel, 2, sum);
  SetArgument(kernel, 3, count);
  EXPECT_EQ(zeKernelSetArgumentValue(kernel, 4, sizeof(count), &count), ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_INDEX);
  EXPECT_EQ(zeKernelSetGroupSize(kernel, 2048, 1, 1), ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION);
  ASSERT_EQ(zeCommandListAppendLaunchKernel(list, kernel, &groups, nullptr, 0, nullptr), ZE_RESULT_SUCCESS);
  // What is appended has the arguments as they were.
  SetArgument(kernel, 2, a);
  ASSERT_EQ(zeCommandListClose(list), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeCommandQueueExecuteCommandLists(queue, 1, &list, nullptr), ZE_RESULT_SUCCESS);
  for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(sum[i], static_cast<float>(3 * i));
  EXPECT_EQ(a[10], 10.0f);
}

TEST_F(CoreTest, ModulesAreLookedAt) {
  StartContext();
  ze_module_desc_t desc = {ZE_STRUCTURE_TYPE_MODULE_DESC};
  desc.format = ZE_MODULE_FORMAT_IL_SPIRV;
  const uint8_t junk[20] = {1, 2, 3};
  desc.inputSize = sizeof(junk);
  desc.pInputModule = junk;
  ze_module_handle_t module = nullptr;
  ze_module_build_log_handle_t log = nullptr;
  ASSERT_EQ(zeModuleCreate(context_, devices_[0], &desc, &module, &log), ZE_RESULT_ERROR_MODULE_BUILD_FAILURE);
  char text[200] = {};
  size_t size = sizeof(text);
  ASSERT_EQ(zeModuleBuildLogGetString(log, &size, text), ZE_RESULT_SUCCESS);
  EXPECT_THAT(text, HasSubstr("expected SPIR-V, magic number 0x7230203, found 0x30201"));
  EXPECT_EQ(zeModuleBuildLogDestroy(log), ZE_RESULT_SUCCESS);

  // One entry point, OpEntryPoint Kernel %1 "vector_add", is all that it has.
  const uint32_t spirv[] = {0x07230203, 0x00010000, 0, 2, 0, 6u << 16 | 15, 6, 1, 0x74636576, 0x615f726f, 0x00006464};
  desc.inputSize = sizeof(spirv);
  desc.pInputModule = reinterpret_cast<const uint8_t*>(spirv);
  ASSERT_EQ(zeModuleCreate(context_, devices_[0], &desc, &module, nullptr), ZE_RESULT_SUCCESS);
  uint32_t count = 4;
  const char* names[4] = {};
  ASSERT_EQ(zeModuleGetKernelNames(module, &count, names), ZE_RESULT_SUCCESS);
  ASSERT_EQ(count, 1u);
  EXPECT_STREQ(names[0], "vector_add");
  ze_kernel_desc_t kernel_desc = {ZE_STRUCTURE_TYPE_KERNEL_DESC, nullptr, 0, "fill_with_hash"};
  ze_kernel_handle_t kernel = nullptr;
  EXPECT_EQ(zeKernelCreate(module, &kernel_desc, &kernel), ZE_RESULT_ERROR_INVALID_KERNEL_NAME);
  kernel_desc.pKernelName = "nobody";
  EXPECT_EQ(zeKernelCreate(MakeModule(), &kernel_desc, &kernel), ZE_RESULT_ERROR_INVALID_KERNEL_NAME);

  // What the driver gives as native binary it takes back.
  size = 0;
  ASSERT_EQ(zeModuleGetNativeBinary(module, &size, nullptr), ZE_RESULT_SUCCESS);
  std::vector<uint8_t> binary(size);
  ASSERT_EQ(zeModuleGetNativeBinary(module, &size, binary.data()), ZE_RESULT_SUCCESS);
  desc.format = ZE_MODULE_FORMAT_NATIVE;
  desc.inputSize = binary.size();
  desc.pInputModule = binary.data();
  ze_module_handle_t again = nullptr;
  ASSERT_EQ(zeModuleCreate(context_, devices_[0], &desc, &again, nullptr), ZE_RESULT_SUCCESS);
  kernel_desc.pKernelName = "vector_add";
  EXPECT_EQ(zeKernelCreate(again, &kernel_desc, &kernel), ZE_RESULT_SUCCESS);
}

TEST_F(CoreTest, TwoDevicesComputeSideBySide) {
  SetScenario("machines { name: 'm' devices { model: ARC_A770 } devices { model: MAX_1550 } }");
  StartContext();
  ASSERT_EQ(devices_.size(), 2u);
  ze_device_properties_t first = {ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES};
  ze_device_properties_t second = {ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES};
  ASSERT_EQ(zeDeviceGetProperties(devices_[0], &first), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeDeviceGetProperties(devices_[1], &second), ZE_RESULT_SUCCESS);
  EXPECT_NE(std::memcmp(first.uuid.id, second.uuid.id, sizeof(first.uuid.id)), 0);
  EXPECT_EQ(HashOnDevice(10'000, 1, 0), HashOnHost(10'000, 1));
  EXPECT_EQ(HashOnDevice(10'000, 2, 1), HashOnHost(10'000, 2));
  ze_command_list_handle_t list = MakeList(1);
  ASSERT_EQ(zeCommandListClose(list), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeCommandQueueExecuteCommandLists(MakeQueue(), 1, &list, nullptr),
            ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE)
      << "the list is another device's";
}

}  // namespace
}  // namespace muster::sim::ze
