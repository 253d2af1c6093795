#include "tests/hardware_sim/level_zero/command_list.h"

#include <level_zero/ze_ddi.h>

#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/memory.h"

namespace muster::sim::ze {

ze_result_t Append(ze_command_list_handle_t handle, const char* function, std::function<void()> work,
                   ze_event_handle_t signal_handle, uint32_t wait_count, ze_event_handle_t* waits) {
  CommandList* list = To<CommandList>(handle);
  if (list == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(list->device, function);
  if (call.failed()) return call.result();
  if (list->closed) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
  if (wait_count > 0 && waits == nullptr) return ZE_RESULT_ERROR_INVALID_SIZE;
  Command command;
  command.work = std::move(work);
  for (uint32_t i = 0; i < wait_count; ++i) {
    const Event* event = To<Event>(waits[i]);
    if (event == nullptr) return ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT;
    command.waits.push_back(event->state);
  }
  if (signal_handle != nullptr) {
    Event* event = To<Event>(signal_handle);
    if (event == nullptr) return ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT;
    event->device = list->device;
    command.signal = event->state;
  }
  if (list->queue == nullptr) {
    list->commands.push_back(std::move(command));
    return ZE_RESULT_SUCCESS;
  }
  std::vector<Command> commands;
  commands.push_back(std::move(command));
  list->queue->Submit(std::make_shared<const std::vector<Command>>(std::move(commands)), nullptr);
  return list->queue->synchronous() ? list->queue->Synchronize(UINT64_MAX) : ZE_RESULT_SUCCESS;
}

namespace {

ze_result_t CreateList(ze_context_handle_t context, ze_device_handle_t device, uint32_t ordinal, const char* function,
                       const ze_command_queue_desc_t* immediate, ze_command_list_handle_t* out) {
  if (To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (out == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (ordinal >= kQueueGroups) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
  const Call call(ToDevice(device), function);
  if (call.failed()) return call.result();
  auto list = std::make_unique<CommandList>();
  list->device = ToDevice(device);
  list->ordinal = ordinal;
  if (immediate != nullptr) {
    const bool synchronous = immediate->mode == ZE_COMMAND_QUEUE_MODE_SYNCHRONOUS;
    list->queue = std::make_unique<CommandQueue>(list->device, ordinal, synchronous);
  }
  *out = reinterpret_cast<ze_command_list_handle_t>(list.release());
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeCommandListCreate(ze_context_handle_t context, ze_device_handle_t device,
                                const ze_command_list_desc_t* desc, ze_command_list_handle_t* out) {
  if (desc == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  return CreateList(context, device, desc->commandQueueGroupOrdinal, __func__, nullptr, out);
}

ze_result_t zeCommandListCreateImmediate(ze_context_handle_t context, ze_device_handle_t device,
                                         const ze_command_queue_desc_t* desc, ze_command_list_handle_t* out) {
  if (desc == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  return CreateList(context, device, desc->ordinal, __func__, desc, out);
}

ze_result_t zeCommandListDestroy(ze_command_list_handle_t handle) {
  CommandList* list = To<CommandList>(handle);
  if (list == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  delete list;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeCommandListClose(ze_command_list_handle_t handle) {
  CommandList* list = To<CommandList>(handle);
  if (list == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(list->device, __func__);
  if (call.failed()) return call.result();
  list->closed = list->queue == nullptr;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeCommandListReset(ze_command_list_handle_t handle) {
  CommandList* list = To<CommandList>(handle);
  if (list == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(list->device, __func__);
  if (call.failed()) return call.result();
  list->closed = false;
  list->commands.clear();
  return ZE_RESULT_SUCCESS;
}

// Of API 1.6: for immediate lists alone.
ze_result_t zeCommandListHostSynchronize(ze_command_list_handle_t handle, uint64_t timeout) {
  CommandList* list = To<CommandList>(handle);
  if (list == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(list->device, __func__);
  if (call.failed()) return call.result();
  return list->queue == nullptr ? ZE_RESULT_ERROR_INVALID_ARGUMENT : list->queue->Synchronize(timeout);
}

ze_result_t zeCommandListAppendWriteGlobalTimestamp(ze_command_list_handle_t list, uint64_t* out,
                                                    ze_event_handle_t signal, uint32_t count,
                                                    ze_event_handle_t* waits) {
  if (out == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const auto write = [out] { *out = DeviceTicks() & ((uint64_t{1} << kTimestampBits) - 1); };
  return Append(list, __func__, write, signal, count, waits);
}

// The commands of a list run in order: a barrier has nothing to add but its events.
ze_result_t zeCommandListAppendBarrier(ze_command_list_handle_t list, ze_event_handle_t signal, uint32_t count,
                                       ze_event_handle_t* waits) {
  return Append(list, __func__, nullptr, signal, count, waits);
}

ze_result_t zeCommandListAppendMemoryRangesBarrier(ze_command_list_handle_t list, uint32_t ranges, const size_t* sizes,
                                                   const void** addresses, ze_event_handle_t signal, uint32_t count,
                                                   ze_event_handle_t* waits) {
  if (ranges > 0 && (sizes == nullptr || addresses == nullptr)) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  return Append(list, __func__, nullptr, signal, count, waits);
}

ze_result_t zeCommandListAppendSignalEvent(ze_command_list_handle_t list, ze_event_handle_t event) {
  if (event == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  return Append(list, __func__, nullptr, event, 0, nullptr);
}

ze_result_t zeCommandListAppendWaitOnEvents(ze_command_list_handle_t list, uint32_t count, ze_event_handle_t* events) {
  if (events == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  return Append(list, __func__, nullptr, nullptr, count, events);
}

ze_result_t zeCommandListAppendEventReset(ze_command_list_handle_t list, ze_event_handle_t handle) {
  const Event* event = To<Event>(handle);
  if (event == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  return Append(
      list, __func__, [state = event->state] { state->Reset(); }, nullptr, 0, nullptr);
}

ze_result_t zeCommandListAppendQueryKernelTimestamps(ze_command_list_handle_t list, uint32_t count,
                                                     ze_event_handle_t* events, void* out, const size_t* offsets,
                                                     ze_event_handle_t signal, uint32_t wait_count,
                                                     ze_event_handle_t* waits) {
  if (events == nullptr || out == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  std::vector<std::pair<std::shared_ptr<EventState>, size_t>> places;
  for (uint32_t i = 0; i < count; ++i) {
    const Event* event = To<Event>(events[i]);
    if (event == nullptr) return ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT;
    places.emplace_back(event->state, offsets != nullptr ? offsets[i] : i * sizeof(ze_kernel_timestamp_result_t));
  }
  const auto write = [places, out] {
    for (const auto& [state, offset] : places) {
      TimestampsOf(*state, *reinterpret_cast<ze_kernel_timestamp_result_t*>(static_cast<char*>(out) + offset));
    }
  };
  return Append(list, __func__, write, signal, wait_count, waits);
}

}  // namespace
}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zeGetCommandListProcAddrTable(ze_api_version_t version, ze_command_list_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnCreate = ze::zeCommandListCreate;
  table->pfnCreateImmediate = ze::zeCommandListCreateImmediate;
  table->pfnDestroy = ze::zeCommandListDestroy;
  table->pfnClose = ze::zeCommandListClose;
  table->pfnReset = ze::zeCommandListReset;
  table->pfnAppendWriteGlobalTimestamp = ze::zeCommandListAppendWriteGlobalTimestamp;
  table->pfnAppendBarrier = ze::zeCommandListAppendBarrier;
  table->pfnAppendMemoryRangesBarrier = ze::zeCommandListAppendMemoryRangesBarrier;
  table->pfnAppendMemoryCopy = ze::zeCommandListAppendMemoryCopy;
  table->pfnAppendMemoryFill = ze::zeCommandListAppendMemoryFill;
  table->pfnAppendMemoryCopyRegion = ze::zeCommandListAppendMemoryCopyRegion;
  table->pfnAppendMemoryCopyFromContext = ze::zeCommandListAppendMemoryCopyFromContext;
  table->pfnAppendMemoryPrefetch = ze::zeCommandListAppendMemoryPrefetch;
  table->pfnAppendMemAdvise = ze::zeCommandListAppendMemAdvise;
  table->pfnAppendSignalEvent = ze::zeCommandListAppendSignalEvent;
  table->pfnAppendWaitOnEvents = ze::zeCommandListAppendWaitOnEvents;
  table->pfnAppendEventReset = ze::zeCommandListAppendEventReset;
  table->pfnAppendQueryKernelTimestamps = ze::zeCommandListAppendQueryKernelTimestamps;
  table->pfnAppendLaunchKernel = ze::zeCommandListAppendLaunchKernel;
  table->pfnAppendLaunchCooperativeKernel = ze::zeCommandListAppendLaunchCooperativeKernel;
  table->pfnAppendLaunchKernelIndirect = ze::zeCommandListAppendLaunchKernelIndirect;
  table->pfnAppendLaunchMultipleKernelsIndirect = ze::zeCommandListAppendLaunchMultipleKernelsIndirect;
  ze::SetLaterEntry(version, table, 6, 0, ze::zeCommandListHostSynchronize);
  return ZE_RESULT_SUCCESS;
}
