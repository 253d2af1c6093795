#include "suites/physical/level_zero_handles.h"

namespace muster::physical {
namespace {

using sdk::ZeCheck;

// What comes behind goes on when the event has come, which then may come again.
void AwaitAndReset(const ZeCalls& ze, ze_command_list_handle_t list, const LevelZeroEvent& event) {
  ze_event_handle_t handle = event.handle();
  ZeCheck(ze.zeCommandListAppendWaitOnEvents(list, 1, &handle), "zeCommandListAppendWaitOnEvents");
  ZeCheck(ze.zeCommandListAppendEventReset(list, handle), "zeCommandListAppendEventReset");
  ZeCheck(ze.zeCommandListAppendBarrier(list, nullptr, 0, nullptr), "zeCommandListAppendBarrier");
}

}  // namespace

LevelZeroEvent::LevelZeroEvent(LevelZeroGpu& gpu) : ze_(gpu.ze()) {
  ze_event_pool_desc_t pool = {};
  pool.stype = ZE_STRUCTURE_TYPE_EVENT_POOL_DESC;
  pool.flags = ZE_EVENT_POOL_FLAG_HOST_VISIBLE;
  pool.count = 1;
  ze_device_handle_t device = gpu.device();
  ZeCheck(ze_.zeEventPoolCreate(gpu.context(), &pool, 1, &device, &pool_), "zeEventPoolCreate");
  ze_event_desc_t event = {};
  event.stype = ZE_STRUCTURE_TYPE_EVENT_DESC;
  event.signal = ZE_EVENT_SCOPE_FLAG_HOST;
  event.wait = ZE_EVENT_SCOPE_FLAG_HOST;
  const ze_result_t result = ze_.zeEventCreate(pool_, &event, &event_);
  if (result == ZE_RESULT_SUCCESS) return;
  ze_.zeEventPoolDestroy(pool_);
  ZeCheck(result, "zeEventCreate");
}

LevelZeroEvent::~LevelZeroEvent() {
  ze_.zeEventDestroy(event_);
  ze_.zeEventPoolDestroy(pool_);
}

LevelZeroModule::~LevelZeroModule() {
  for (const auto& [name, kernel] : kernels_) gpu_.ze().zeKernelDestroy(kernel);
  gpu_.ze().zeModuleDestroy(module_);
}

ze_kernel_handle_t LevelZeroModule::Find(const std::string& kernel) const {
  const auto known = kernels_.find(kernel);
  if (known != kernels_.end()) return known->second;
  return kernels_[kernel] = gpu_.CreateKernel(module_, kernel);
}

LevelZeroQueuedWork::LevelZeroQueuedWork(LevelZeroGpu& gpu, ze_command_queue_desc_t queue,
                                         ze_command_list_handle_t immediate, std::function<bool()> settle)
    : ze_(gpu.ze()),
      immediate_(immediate),
      settle_(std::move(settle)),
      begin_(std::make_shared<LevelZeroEvent>(gpu)),
      end_(std::make_shared<LevelZeroEvent>(gpu)) {
  ze_command_list_desc_t list = {};
  list.stype = ZE_STRUCTURE_TYPE_COMMAND_LIST_DESC;
  list.commandQueueGroupOrdinal = queue.ordinal;
  ZeCheck(ze_.zeCommandListCreate(gpu.context(), gpu.device(), &list, &list_), "zeCommandListCreate");
  const ze_result_t result = ze_.zeCommandQueueCreate(gpu.context(), gpu.device(), &queue, &queue_);
  if (result != ZE_RESULT_SUCCESS) ze_.zeCommandListDestroy(list_);
  ZeCheck(result, "zeCommandQueueCreate");
  AwaitAndReset(ze_, list_, *begin_);
}

// What was never queued or has ended is settled; the rest stays with the device.
LevelZeroQueuedWork::~LevelZeroQueuedWork() {
  if (!settle_()) {
    new std::pair(begin_, end_);
    return;
  }
  ze_.zeCommandQueueDestroy(queue_);
  ze_.zeCommandListDestroy(list_);
}

void LevelZeroQueuedWork::Close() {
  ZeCheck(ze_.zeCommandListAppendBarrier(list_, end_->handle(), 0, nullptr), "zeCommandListAppendBarrier");
  ZeCheck(ze_.zeCommandListClose(list_), "zeCommandListClose");
}

void LevelZeroQueuedWork::Queue() {
  ZeCheck(ze_.zeCommandListAppendBarrier(immediate_, begin_->handle(), 0, nullptr), "zeCommandListAppendBarrier");
  ZeCheck(ze_.zeCommandQueueExecuteCommandLists(queue_, 1, &list_, nullptr), "zeCommandQueueExecuteCommandLists");
  AwaitAndReset(ze_, immediate_, *end_);
}

}  // namespace muster::physical
