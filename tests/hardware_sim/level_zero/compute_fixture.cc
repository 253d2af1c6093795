#include "tests/hardware_sim/level_zero/compute_fixture.h"

namespace muster::sim::ze {

void ComputeTest::StartContext() {
  Start();
  const ze_context_desc_t desc = {ZE_STRUCTURE_TYPE_CONTEXT_DESC};
  ASSERT_EQ(zeContextCreate(driver_, &desc, &context_), ZE_RESULT_SUCCESS);
}

void* ComputeTest::Allocate(size_t bytes, size_t device) {
  const ze_device_mem_alloc_desc_t desc = {ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC};
  void* memory = nullptr;
  EXPECT_EQ(zeMemAllocDevice(context_, &desc, bytes, 64, devices_.at(device), &memory), ZE_RESULT_SUCCESS);
  return memory;
}

void* ComputeTest::AllocateHost(size_t bytes) {
  const ze_host_mem_alloc_desc_t desc = {ZE_STRUCTURE_TYPE_HOST_MEM_ALLOC_DESC};
  void* memory = nullptr;
  EXPECT_EQ(zeMemAllocHost(context_, &desc, bytes, 64, &memory), ZE_RESULT_SUCCESS);
  return memory;
}

ze_command_queue_handle_t ComputeTest::MakeQueue(ze_command_queue_mode_t mode, size_t device) {
  ze_command_queue_desc_t desc = {ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC};
  desc.mode = mode;
  ze_command_queue_handle_t queue = nullptr;
  EXPECT_EQ(zeCommandQueueCreate(context_, devices_.at(device), &desc, &queue), ZE_RESULT_SUCCESS);
  return queue;
}

ze_command_list_handle_t ComputeTest::MakeList(size_t device) {
  const ze_command_list_desc_t desc = {ZE_STRUCTURE_TYPE_COMMAND_LIST_DESC};
  ze_command_list_handle_t list = nullptr;
  EXPECT_EQ(zeCommandListCreate(context_, devices_.at(device), &desc, &list), ZE_RESULT_SUCCESS);
  return list;
}

ze_command_list_handle_t ComputeTest::MakeImmediateList(ze_command_queue_mode_t mode, size_t device) {
  ze_command_queue_desc_t desc = {ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC};
  desc.mode = mode;
  ze_command_list_handle_t list = nullptr;
  EXPECT_EQ(zeCommandListCreateImmediate(context_, devices_.at(device), &desc, &list), ZE_RESULT_SUCCESS);
  return list;
}

ze_event_handle_t ComputeTest::MakeEvent() {
  const ze_event_pool_desc_t pool_desc = {ZE_STRUCTURE_TYPE_EVENT_POOL_DESC, nullptr,
                                          ZE_EVENT_POOL_FLAG_HOST_VISIBLE | ZE_EVENT_POOL_FLAG_KERNEL_TIMESTAMP, 1};
  ze_event_pool_handle_t pool = nullptr;
  EXPECT_EQ(zeEventPoolCreate(context_, &pool_desc, 0, nullptr, &pool), ZE_RESULT_SUCCESS);
  const ze_event_desc_t desc = {ZE_STRUCTURE_TYPE_EVENT_DESC};
  ze_event_handle_t event = nullptr;
  EXPECT_EQ(zeEventCreate(pool, &desc, &event), ZE_RESULT_SUCCESS);
  return event;
}

ze_module_handle_t ComputeTest::MakeModule(size_t device) {
  const uint32_t spirv[] = {0x07230203, 0x00010000, 0, 1, 0};
  ze_module_desc_t desc = {ZE_STRUCTURE_TYPE_MODULE_DESC};
  desc.format = ZE_MODULE_FORMAT_IL_SPIRV;
  desc.inputSize = sizeof(spirv);
  desc.pInputModule = reinterpret_cast<const uint8_t*>(spirv);
  ze_module_handle_t module = nullptr;
  EXPECT_EQ(zeModuleCreate(context_, devices_.at(device), &desc, &module, nullptr), ZE_RESULT_SUCCESS);
  return module;
}

ze_kernel_handle_t ComputeTest::MakeKernel(const char* name, size_t device) {
  ze_kernel_desc_t desc = {ZE_STRUCTURE_TYPE_KERNEL_DESC};
  desc.pKernelName = name;
  ze_kernel_handle_t kernel = nullptr;
  EXPECT_EQ(zeKernelCreate(MakeModule(device), &desc, &kernel), ZE_RESULT_SUCCESS);
  return kernel;
}

std::vector<uint32_t> ComputeTest::HashOnDevice(uint32_t count, uint32_t seed, size_t device) {
  void* memory = Allocate(count * sizeof(uint32_t), device);
  ze_kernel_handle_t kernel = MakeKernel("fill_with_hash", device);
  SetArgument(kernel, 0, memory);
  SetArgument(kernel, 1, count);
  SetArgument(kernel, 2, seed);
  EXPECT_EQ(zeKernelSetGroupSize(kernel, 64, 1, 1), ZE_RESULT_SUCCESS);
  const ze_group_count_t groups = {(count + 63) / 64, 1, 1};
  std::vector<uint32_t> result(count);
  ze_command_list_handle_t list = MakeImmediateList(ZE_COMMAND_QUEUE_MODE_SYNCHRONOUS, device);
  EXPECT_EQ(zeCommandListAppendLaunchKernel(list, kernel, &groups, nullptr, 0, nullptr), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeCommandListAppendMemoryCopy(list, result.data(), memory, count * sizeof(uint32_t), nullptr, 0, nullptr),
            ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeMemFree(context_, memory), ZE_RESULT_SUCCESS);
  return result;
}

std::vector<uint32_t> ComputeTest::HashOnHost(uint32_t count, uint32_t seed) {
  std::vector<uint32_t> result(count);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t hash = (i ^ seed) * 2654435761u;
    hash ^= hash >> 15;
    result[i] = hash * 2246822519u;
  }
  return result;
}

}  // namespace muster::sim::ze
