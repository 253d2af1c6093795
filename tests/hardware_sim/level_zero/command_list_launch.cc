// core: launches. The kernel's host function does the work; then the scenario's wrong bit goes into the results.
#include <algorithm>
#include <cstring>

#include "tests/hardware_sim/level_zero/command_list.h"
#include "tests/hardware_sim/level_zero/memory.h"

namespace muster::sim::ze {
namespace {

// All that a launch needs, as it was when it was appended.
struct Launch {
  const Device* device = nullptr;
  const MusterSimKernel* entry = nullptr;
  uint32_t group_size[3] = {};
  std::vector<Kernel::Argument> arguments;
};

// The rest of the allocation that the argument points into.
struct Buffer {
  char* data = nullptr;
  size_t size = 0;
};

Buffer BufferOf(const Kernel::Argument& argument) {
  if (argument.local || argument.size != sizeof(void*)) return {};
  char* data = nullptr;
  std::memcpy(&data, argument.storage.data(), sizeof(data));
  const std::optional<Allocation> allocation = FindAllocation(data);
  if (!allocation.has_value()) return {};
  return {data, allocation->size - static_cast<size_t>(data - allocation->base)};
}

// The argument that the table marks, otherwise the largest buffer of all.
Buffer ResultsOf(const Launch& launch) {
  const int32_t output = launch.entry->output_argument;
  if (output >= 0 && static_cast<size_t>(output) < launch.arguments.size())
    return BufferOf(launch.arguments[static_cast<size_t>(output)]);
  Buffer largest;
  for (const Kernel::Argument& argument : launch.arguments) {
    const Buffer buffer = BufferOf(argument);
    if (buffer.size > largest.size) largest = buffer;
  }
  return largest;
}

void InjectWrongBit(const Launch& launch) {
  const Simulation& simulation = *Simulation::Get();
  const auto world = simulation.world();
  const auto wrong = world->WrongResultsOf(launch.device->index, launch.entry->name, simulation.now());
  if (!wrong.has_value()) return;
  const Buffer results = ResultsOf(launch);
  if (results.size == 0) return;
  char& byte = results.data[wrong->byte_offset() % results.size];
  byte = static_cast<char>(byte ^ (1 << (wrong->bit() % 8)));
}

void Run(const Launch& launch, const ze_group_count_t& groups) {
  std::vector<MusterSimArgument> arguments;
  for (const Kernel::Argument& argument : launch.arguments) {
    arguments.push_back({argument.local ? nullptr : argument.storage.data(), argument.size});
  }
  MusterSimLaunch call = {};
  const uint32_t counts[3] = {groups.groupCountX, groups.groupCountY, groups.groupCountZ};
  for (int i = 0; i < 3; ++i) {
    call.group_size[i] = launch.group_size[i];
    call.group_count[i] = counts[i];
    call.global_size[i] = uint64_t{call.group_size[i]} * counts[i];
  }
  call.argument_count = static_cast<uint32_t>(arguments.size());
  call.arguments = arguments.data();
  launch.entry->run(&call);
  InjectWrongBit(launch);
}

// Checks list and kernel, and takes what the kernel is now.
ze_result_t MakeLaunch(ze_command_list_handle_t list_handle, ze_kernel_handle_t kernel_handle,
                       std::shared_ptr<const Launch>& out) {
  const CommandList* list = To<CommandList>(list_handle);
  const Kernel* kernel = To<Kernel>(kernel_handle);
  if (list == nullptr || kernel == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (list->ordinal != kComputeGroup) return ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE;
  for (const Kernel::Argument& argument : kernel->arguments) {
    if (!argument.set) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
  }
  auto launch = std::make_shared<Launch>();
  launch->device = list->device;
  launch->entry = kernel->entry;
  std::copy(std::begin(kernel->group_size), std::end(kernel->group_size), launch->group_size);
  launch->arguments = kernel->arguments;
  out = std::move(launch);
  return ZE_RESULT_SUCCESS;
}

ze_result_t AppendLaunch(ze_command_list_handle_t list, const char* function, ze_kernel_handle_t kernel,
                         const ze_group_count_t* groups, ze_event_handle_t signal, uint32_t count,
                         ze_event_handle_t* waits) {
  if (groups == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  std::shared_ptr<const Launch> launch;
  const ze_result_t result = MakeLaunch(list, kernel, launch);
  if (result != ZE_RESULT_SUCCESS) return result;
  return Append(
      list, function, [launch, groups = *groups] { Run(*launch, groups); }, signal, count, waits);
}

}  // namespace

ze_result_t zeCommandListAppendLaunchKernel(ze_command_list_handle_t list, ze_kernel_handle_t kernel,
                                            const ze_group_count_t* groups, ze_event_handle_t signal, uint32_t count,
                                            ze_event_handle_t* waits) {
  return AppendLaunch(list, __func__, kernel, groups, signal, count, waits);
}

ze_result_t zeCommandListAppendLaunchCooperativeKernel(ze_command_list_handle_t list, ze_kernel_handle_t kernel,
                                                       const ze_group_count_t* groups, ze_event_handle_t signal,
                                                       uint32_t count, ze_event_handle_t* waits) {
  return AppendLaunch(list, __func__, kernel, groups, signal, count, waits);
}

// The group counts are read when the launch runs.
ze_result_t zeCommandListAppendLaunchKernelIndirect(ze_command_list_handle_t list, ze_kernel_handle_t kernel,
                                                    const ze_group_count_t* groups, ze_event_handle_t signal,
                                                    uint32_t count, ze_event_handle_t* waits) {
  if (groups == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  std::shared_ptr<const Launch> launch;
  const ze_result_t result = MakeLaunch(list, kernel, launch);
  if (result != ZE_RESULT_SUCCESS) return result;
  return Append(
      list, __func__, [launch, groups] { Run(*launch, *groups); }, signal, count, waits);
}

ze_result_t zeCommandListAppendLaunchMultipleKernelsIndirect(ze_command_list_handle_t list, uint32_t kernel_count,
                                                             ze_kernel_handle_t* kernels, const uint32_t* launch_count,
                                                             const ze_group_count_t* groups, ze_event_handle_t signal,
                                                             uint32_t count, ze_event_handle_t* waits) {
  if (kernels == nullptr || launch_count == nullptr || groups == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  std::vector<std::shared_ptr<const Launch>> launches(kernel_count);
  for (uint32_t i = 0; i < kernel_count; ++i) {
    const ze_result_t result = MakeLaunch(list, kernels[i], launches[i]);
    if (result != ZE_RESULT_SUCCESS) return result;
  }
  const auto run = [launches, launch_count, groups] {
    for (size_t i = 0; i < launches.size() && i < *launch_count; ++i) Run(*launches[i], groups[i]);
  };
  return Append(list, __func__, run, signal, count, waits);
}

}  // namespace muster::sim::ze
