#include "tests/hardware_sim/level_zero/command_queue.h"

#include <level_zero/ze_ddi.h>

#include <algorithm>

#include "tests/hardware_sim/level_zero/command_list.h"
#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/memory.h"

namespace muster::sim::ze {
namespace {

// How often a command that waits for an event looks whether its queue still goes on.
constexpr uint64_t kEndPollNs = 20'000'000;

}  // namespace

CommandQueue::CommandQueue(const Device* device, uint32_t ordinal, bool synchronous)
    : device_(device), ordinal_(ordinal), synchronous_(synchronous), thread_([this] { Run(); }) {}

CommandQueue::~CommandQueue() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CommandQueue::Submit(Commands commands, std::shared_ptr<EventState> fence) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(commands), std::move(fence)});
  }
  changed_.notify_all();
}

ze_result_t CommandQueue::Synchronize(uint64_t timeout_ns) {
  const ze_result_t result = WaitFor(mutex_, changed_, device_, timeout_ns, [this] { return lost_ || jobs_.empty(); });
  std::lock_guard lock(mutex_);
  return lost_ ? ZE_RESULT_ERROR_DEVICE_LOST : result;
}

bool CommandQueue::Ended() {
  std::lock_guard lock(mutex_);
  return ended_;
}

void CommandQueue::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || (!lost_ && !jobs_.empty()); });
    if (ended_) return;
    const Job job = jobs_.front();
    lock.unlock();
    const bool done = std::all_of(job.commands->begin(), job.commands->end(),
                                  [this](const Command& command) { return RunCommand(command); });
    if (done && job.fence != nullptr) job.fence->Signal(0, 0);
    lock.lock();
    if (done) {
      jobs_.pop_front();
    } else {
      lost_ = true;
    }
    changed_.notify_all();
  }
}

bool CommandQueue::RunCommand(const Command& command) {
  for (const auto& event : command.waits) {
    if (!AwaitEvent(*event)) return false;
  }
  // Of no function: whether the device is there at all.
  if (Call(device_, "").failed()) return false;
  const uint64_t start = DeviceTicks();
  if (command.work) command.work();
  if (command.signal != nullptr) command.signal->Signal(start, std::max(start + 1, DeviceTicks()));
  return true;
}

bool CommandQueue::AwaitEvent(EventState& event) {
  while (true) {
    const ze_result_t result =
        WaitFor(event.mutex, event.changed, device_, kEndPollNs, [&] { return event.signalled; });
    if (result == ZE_RESULT_SUCCESS) return true;
    if (result != ZE_RESULT_NOT_READY || Ended()) return false;
  }
}

namespace {

ze_result_t zeCommandQueueCreate(ze_context_handle_t context, ze_device_handle_t device,
                                 const ze_command_queue_desc_t* desc, ze_command_queue_handle_t* out) {
  if (To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (desc == nullptr || out == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (desc->ordinal >= kQueueGroups || desc->index >= kQueuesOfGroup) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
  const Call call(ToDevice(device), __func__);
  if (call.failed()) return call.result();
  const bool synchronous = desc->mode == ZE_COMMAND_QUEUE_MODE_SYNCHRONOUS;
  *out = reinterpret_cast<ze_command_queue_handle_t>(new CommandQueue(ToDevice(device), desc->ordinal, synchronous));
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeCommandQueueDestroy(ze_command_queue_handle_t handle) {
  CommandQueue* queue = To<CommandQueue>(handle);
  if (queue == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  delete queue;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeCommandQueueExecuteCommandLists(ze_command_queue_handle_t handle, uint32_t count,
                                              ze_command_list_handle_t* lists, ze_fence_handle_t fence_handle) {
  CommandQueue* queue = To<CommandQueue>(handle);
  if (queue == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (lists == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (count == 0) return ZE_RESULT_ERROR_INVALID_SIZE;
  const Call call(queue->device(), __func__);
  if (call.failed()) return call.result();
  const Fence* fence = To<Fence>(fence_handle);
  if (fence_handle != nullptr && fence == nullptr) return ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT;
  auto commands = std::make_shared<std::vector<Command>>();
  for (uint32_t i = 0; i < count; ++i) {
    const CommandList* list = To<CommandList>(lists[i]);
    if (list == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
    if (list->queue != nullptr || !list->closed) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
    if (list->device != queue->device() || list->ordinal != queue->ordinal())
      return ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE;
    commands->insert(commands->end(), list->commands.begin(), list->commands.end());
  }
  queue->Submit(std::move(commands), fence == nullptr ? nullptr : fence->state);
  return queue->synchronous() ? queue->Synchronize(UINT64_MAX) : ZE_RESULT_SUCCESS;
}

ze_result_t zeCommandQueueSynchronize(ze_command_queue_handle_t handle, uint64_t timeout) {
  CommandQueue* queue = To<CommandQueue>(handle);
  if (queue == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(queue->device(), __func__);
  return call.failed() ? call.result() : queue->Synchronize(timeout);
}

ze_result_t zeFenceCreate(ze_command_queue_handle_t handle, const ze_fence_desc_t* desc, ze_fence_handle_t* out) {
  const CommandQueue* queue = To<CommandQueue>(handle);
  if (queue == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (desc == nullptr || out == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const Call call(queue->device(), __func__);
  if (call.failed()) return call.result();
  auto fence = std::make_unique<Fence>();
  fence->device = queue->device();
  if ((desc->flags & ZE_FENCE_FLAG_SIGNALED) != 0) fence->state->Signal(0, 0);
  *out = reinterpret_cast<ze_fence_handle_t>(fence.release());
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeFenceDestroy(ze_fence_handle_t handle) {
  Fence* fence = To<Fence>(handle);
  if (fence == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  delete fence;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeFenceHostSynchronize(ze_fence_handle_t handle, uint64_t timeout) {
  const Fence* fence = To<Fence>(handle);
  if (fence == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(fence->device, __func__);
  if (call.failed()) return call.result();
  EventState& state = *fence->state;
  return WaitFor(state.mutex, state.changed, fence->device, timeout, [&] { return state.signalled; });
}

ze_result_t zeFenceQueryStatus(ze_fence_handle_t handle) {
  const Fence* fence = To<Fence>(handle);
  if (fence == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(fence->device, __func__);
  if (call.failed()) return call.result();
  return fence->state->Signalled() ? ZE_RESULT_SUCCESS : ZE_RESULT_NOT_READY;
}

ze_result_t zeFenceReset(ze_fence_handle_t handle) {
  const Fence* fence = To<Fence>(handle);
  if (fence == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(fence->device, __func__);
  if (call.failed()) return call.result();
  fence->state->Reset();
  return ZE_RESULT_SUCCESS;
}

}  // namespace
}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zeGetCommandQueueProcAddrTable(ze_api_version_t version, ze_command_queue_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnCreate = ze::zeCommandQueueCreate;
  table->pfnDestroy = ze::zeCommandQueueDestroy;
  table->pfnExecuteCommandLists = ze::zeCommandQueueExecuteCommandLists;
  table->pfnSynchronize = ze::zeCommandQueueSynchronize;
  return ZE_RESULT_SUCCESS;
}

MUSTER_ZE_EXPORT zeGetFenceProcAddrTable(ze_api_version_t version, ze_fence_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnCreate = ze::zeFenceCreate;
  table->pfnDestroy = ze::zeFenceDestroy;
  table->pfnHostSynchronize = ze::zeFenceHostSynchronize;
  table->pfnQueryStatus = ze::zeFenceQueryStatus;
  table->pfnReset = ze::zeFenceReset;
  return ZE_RESULT_SUCCESS;
}
