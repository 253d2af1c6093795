// Command lists: what is appended to a regular one runs when a queue executes it, to an immediate one at once.
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_COMMAND_LIST_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_COMMAND_LIST_H_

#include <functional>
#include <memory>
#include <vector>

#include "tests/hardware_sim/level_zero/command_queue.h"
#include "tests/hardware_sim/level_zero/objects.h"

namespace muster::sim::ze {

struct CommandList : Object<Kind::kCommandList> {
  const Device* device = nullptr;
  uint32_t ordinal = 0;
  bool closed = false;
  std::vector<Command> commands;
  std::unique_ptr<CommandQueue> queue;  // Of an immediate list.
};

// Appends a command that waits for the events, does the work (which may be empty) and signals `signal` (which may be
// null). `function` is the API's name of the calling function: __func__.
ze_result_t Append(ze_command_list_handle_t list, const char* function, std::function<void()> work,
                   ze_event_handle_t signal, uint32_t wait_count, ze_event_handle_t* waits);

// False while the event is not signalled. Masked as the device's properties say.
bool TimestampsOf(EventState& state, ze_kernel_timestamp_result_t& out);

// In command_list_copy.cc.
ze_result_t zeCommandListAppendMemoryCopy(ze_command_list_handle_t, void*, const void*, size_t, ze_event_handle_t,
                                          uint32_t, ze_event_handle_t*);
ze_result_t zeCommandListAppendMemoryFill(ze_command_list_handle_t, void*, const void*, size_t, size_t,
                                          ze_event_handle_t, uint32_t, ze_event_handle_t*);
ze_result_t zeCommandListAppendMemoryCopyRegion(ze_command_list_handle_t, void*, const ze_copy_region_t*, uint32_t,
                                                uint32_t, const void*, const ze_copy_region_t*, uint32_t, uint32_t,
                                                ze_event_handle_t, uint32_t, ze_event_handle_t*);
ze_result_t zeCommandListAppendMemoryCopyFromContext(ze_command_list_handle_t, void*, ze_context_handle_t, const void*,
                                                     size_t, ze_event_handle_t, uint32_t, ze_event_handle_t*);
ze_result_t zeCommandListAppendMemoryPrefetch(ze_command_list_handle_t, const void*, size_t);
ze_result_t zeCommandListAppendMemAdvise(ze_command_list_handle_t, ze_device_handle_t, const void*, size_t,
                                         ze_memory_advice_t);

// In command_list_launch.cc.
ze_result_t zeCommandListAppendLaunchKernel(ze_command_list_handle_t, ze_kernel_handle_t, const ze_group_count_t*,
                                            ze_event_handle_t, uint32_t, ze_event_handle_t*);
ze_result_t zeCommandListAppendLaunchCooperativeKernel(ze_command_list_handle_t, ze_kernel_handle_t,
                                                       const ze_group_count_t*, ze_event_handle_t, uint32_t,
                                                       ze_event_handle_t*);
ze_result_t zeCommandListAppendLaunchKernelIndirect(ze_command_list_handle_t, ze_kernel_handle_t,
                                                    const ze_group_count_t*, ze_event_handle_t, uint32_t,
                                                    ze_event_handle_t*);
ze_result_t zeCommandListAppendLaunchMultipleKernelsIndirect(ze_command_list_handle_t, uint32_t, ze_kernel_handle_t*,
                                                             const uint32_t*, const ze_group_count_t*,
                                                             ze_event_handle_t, uint32_t, ze_event_handle_t*);

}  // namespace muster::sim::ze

#endif  // MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_COMMAND_LIST_H_
