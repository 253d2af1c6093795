// core: event pools and events.
#include <level_zero/ze_ddi.h>

#include "tests/hardware_sim/level_zero/command_list.h"
#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/objects.h"

namespace muster::sim::ze {
namespace {

ze_result_t zeEventPoolCreate(ze_context_handle_t context, const ze_event_pool_desc_t* desc, uint32_t count,
                              ze_device_handle_t* devices, ze_event_pool_handle_t* out) {
  if (To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (desc == nullptr || out == nullptr || (count > 0 && devices == nullptr))
    return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (desc->count == 0) return ZE_RESULT_ERROR_INVALID_SIZE;
  const auto& visible = Simulation::Get()->visible();
  const Device* device = count > 0 ? ToDevice(devices[0]) : visible.empty() ? nullptr : visible[0];
  const Call call(device, __func__);
  if (call.failed()) return call.result();
  auto pool = std::make_unique<EventPool>();
  pool->flags = desc->flags;
  pool->count = desc->count;
  pool->device = device;
  *out = reinterpret_cast<ze_event_pool_handle_t>(pool.release());
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeEventPoolDestroy(ze_event_pool_handle_t handle) {
  EventPool* pool = To<EventPool>(handle);
  if (pool == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  delete pool;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeEventCreate(ze_event_pool_handle_t handle, const ze_event_desc_t* desc, ze_event_handle_t* out) {
  const EventPool* pool = To<EventPool>(handle);
  if (pool == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (desc == nullptr || out == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (desc->index >= pool->count) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
  const Call call(pool->device, __func__);
  if (call.failed()) return call.result();
  auto event = std::make_unique<Event>();
  event->timestamps = (pool->flags & ZE_EVENT_POOL_FLAG_KERNEL_TIMESTAMP) != 0;
  event->device = pool->device;
  *out = reinterpret_cast<ze_event_handle_t>(event.release());
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeEventDestroy(ze_event_handle_t handle) {
  Event* event = To<Event>(handle);
  if (event == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  delete event;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeEventHostSignal(ze_event_handle_t handle) {
  const Event* event = To<Event>(handle);
  if (event == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(event->device, __func__);
  if (call.failed()) return call.result();
  event->state->Signal(0, 0);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeEventHostSynchronize(ze_event_handle_t handle, uint64_t timeout) {
  const Event* event = To<Event>(handle);
  if (event == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(event->device, __func__);
  if (call.failed()) return call.result();
  EventState& state = *event->state;
  return WaitFor(state.mutex, state.changed, event->device, timeout, [&] { return state.signalled; });
}

ze_result_t zeEventQueryStatus(ze_event_handle_t handle) {
  const Event* event = To<Event>(handle);
  if (event == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(event->device, __func__);
  if (call.failed()) return call.result();
  return event->state->Signalled() ? ZE_RESULT_SUCCESS : ZE_RESULT_NOT_READY;
}

ze_result_t zeEventHostReset(ze_event_handle_t handle) {
  const Event* event = To<Event>(handle);
  if (event == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(event->device, __func__);
  if (call.failed()) return call.result();
  event->state->Reset();
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeEventQueryKernelTimestamp(ze_event_handle_t handle, ze_kernel_timestamp_result_t* out) {
  const Event* event = To<Event>(handle);
  if (event == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (out == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const Call call(event->device, __func__);
  if (call.failed()) return call.result();
  if (!event->timestamps) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
  return TimestampsOf(*event->state, *out) ? ZE_RESULT_SUCCESS : ZE_RESULT_NOT_READY;
}

}  // namespace

bool TimestampsOf(EventState& state, ze_kernel_timestamp_result_t& out) {
  constexpr uint64_t kMask = (uint64_t{1} << kKernelTimestampBits) - 1;
  std::lock_guard lock(state.mutex);
  if (!state.signalled) return false;
  out.global = {state.start & kMask, state.end & kMask};
  out.context = out.global;
  return true;
}

}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zeGetEventPoolProcAddrTable(ze_api_version_t version, ze_event_pool_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnCreate = ze::zeEventPoolCreate;
  table->pfnDestroy = ze::zeEventPoolDestroy;
  return ZE_RESULT_SUCCESS;
}

MUSTER_ZE_EXPORT zeGetEventProcAddrTable(ze_api_version_t version, ze_event_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnCreate = ze::zeEventCreate;
  table->pfnDestroy = ze::zeEventDestroy;
  table->pfnHostSignal = ze::zeEventHostSignal;
  table->pfnHostSynchronize = ze::zeEventHostSynchronize;
  table->pfnQueryStatus = ze::zeEventQueryStatus;
  table->pfnHostReset = ze::zeEventHostReset;
  table->pfnQueryKernelTimestamp = ze::zeEventQueryKernelTimestamp;
  return ZE_RESULT_SUCCESS;
}
